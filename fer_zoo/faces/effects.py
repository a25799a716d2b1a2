"""What a camera and the world do to a picture: things in front of a face, blur, noise, JPEG."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.faces.field_checks import check_entries, check_shape
from fer_zoo.faces.renderer import Rendered

_EDGE = 0.75  # pixels over which the border of a thing fades
MOST_BLUR = 4.0  # pixels of standard deviation
_REACH = 12  # pixels that any blur reaches, three of the largest deviations: the same in every batch


@dataclass(frozen=True, kw_only=True)
class Occluders:
    """A thing in front of each face: a hand, a scarf, glasses; an ellipse at roundness 2, nearly a box at 8.

    Attributes:
        centre: pixels.
        radii: half axes in pixels; 0 for nothing.
        angle: of the first axis, radians.
        roundness: exponent of the superellipse.
        colour: red, green, blue.
    """

    centre: Float[Tensor, "b 2"]
    radii: Float[Tensor, "b 2"]
    angle: Float[Tensor, " b"]
    roundness: Float[Tensor, " b"]
    colour: Float[Tensor, "b 3"]

    def cover(self, points: Float[Tensor, "b n 2"]) -> Float[Tensor, "b n"]:
        """How much of each point is hidden, 0 to 1."""
        away = points - self.centre[:, None]
        cosine, sine = self.angle.cos()[:, None], self.angle.sin()[:, None]
        along = torch.stack(
            (away[..., 0] * cosine + away[..., 1] * sine, away[..., 1] * cosine - away[..., 0] * sine), 2
        )
        # in double precision: a power's last digits depend on where in memory a number stands
        scaled = (along / self.radii.clamp(min=1e-6)[:, None]).abs().double()
        distance = (scaled ** self.roundness[:, None, None]).sum(dim=2) ** (1 / self.roundness[:, None])
        least = self.radii.amin(dim=1, keepdim=True)
        return (((1 - distance) * least / _EDGE + 0.5).clamp(0, 1) * (least > 0)).to(points.dtype)


def occluded(rendered: Rendered, things: Occluders) -> Rendered:
    """Pictures with things in front: their pixels are no part of the face, and they hide landmarks.

    Where more than half of a pixel is hidden, its part is 0, its depth NaN and its normal 0, as where nothing is drawn.

    Raises:
        UserError: for another number of things than of pictures, a number that is none, or a colour outside [0, 1].
    """
    _check_things(things, len(rendered.image))
    height, width = rendered.image.shape[2:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    centres = torch.stack((x, y), dim=2).reshape(1, -1, 2).to(rendered.image) + 0.5
    hidden = things.cover(centres.expand(len(rendered.image), -1, -1)).view(-1, 1, height, width)
    image = rendered.image * (1 - hidden) + things.colour[:, :, None, None] * hidden
    shown = hidden[:, 0] <= 0.5
    return replace(
        rendered,
        image=image,
        mask=rendered.mask * shown,
        depth=rendered.depth.masked_fill(~shown, torch.nan),
        normals=rendered.normals * shown[:, None],
        visible=rendered.visible & (things.cover(rendered.landmarks) <= 0.5),
    )


def blurred(image: Float[Tensor, "b c h w"], deviation: Float[Tensor, " b"]) -> Float[Tensor, "b c h w"]:
    """Each image under its own Gaussian, of so many pixels standard deviation; 0 leaves it as it is.

    Raises:
        UserError: for a deviation that is negative, above 4 or no number.
    """
    _check_deviation("blur", deviation, MOST_BLUR, len(image))
    steps = torch.arange(-_REACH, _REACH + 1, device=image.device, dtype=image.dtype)
    kernel = torch.exp(-0.5 * (steps / deviation.clamp(min=1e-3)[:, None]) ** 2)
    kernel = kernel / kernel.sum(dim=1, keepdim=True)
    count, channels, height, width = image.shape
    rows = image.permute(1, 0, 2, 3).reshape(channels, count, height, width)
    padded = F.pad(rows, (_REACH, _REACH, _REACH, _REACH), mode="replicate")
    across = F.conv2d(padded, kernel[:, None, None, :], groups=count)
    down = F.conv2d(across, kernel[:, None, :, None], groups=count)
    return down.permute(1, 0, 2, 3).contiguous()


def coarsened(image: Float[Tensor, "b c h w"], sides: Int[Tensor, " b"]) -> Float[Tensor, "b c h w"]:
    """Each square image averaged down to so many pixels a side and brought back to its size, bilinearly.

    It shows what was left of a face that few pixels saw; as many pixels as there are, or more, change nothing.

    Raises:
        UserError: for a number of sides below 1.
    """
    if bool((sides < 1).any()):
        raise UserError(f"An image cannot be averaged down to {int(sides.min())} pixels a side; 1 is the least.")
    whole = image.shape[2]
    pixels = image.permute(0, 2, 3, 1).cpu().numpy()
    through = [_through(picture, min(int(side), whole)) for picture, side in zip(pixels, sides, strict=True)]
    return torch.from_numpy(np.stack(through)).permute(0, 3, 1, 2).contiguous().to(image)


def noisy(
    image: Float[Tensor, "b c h w"], deviation: Float[Tensor, " b"], seeds: Sequence[int]
) -> Float[Tensor, "b c h w"]:
    """Normal noise of each image's own seed, so that it depends on no other.

    Raises:
        UserError: for another number of seeds than of images, or a deviation that is negative or no number.
    """
    if len(seeds) != len(image):
        raise UserError(f"{len(seeds)} seeds were given for {len(image)} images; noise needs one of each image.")
    _check_deviation("noise", deviation, torch.inf, len(image))
    drawn = [np.random.Generator(np.random.Philox(seed)).standard_normal(image.shape[1:], np.float32) for seed in seeds]
    noise = torch.from_numpy(np.stack(drawn)).to(image)
    return (image + noise * deviation[:, None, None, None]).clamp(0, 1)


def compressed(image: Float[Tensor, "b 3 h w"], quality: Int[Tensor, " b"]) -> Float[Tensor, "b 3 h w"]:
    """As JPEG of a quality from 1 to 100 leaves each image.

    Raises:
        UserError: for another quality.
    """
    if len(quality) != len(image):
        raise UserError(f"{len(quality)} qualities were given for {len(image)} images; JPEG needs one of each image.")
    if bool(((quality < 1) | (quality > 100)).any()):
        raise UserError(f"JPEG has qualities from 1 to 100; {int(quality.min())} to {int(quality.max())} were given.")
    pixels = to_bytes(image)
    through = [_jpeg(picture, int(one)) for picture, one in zip(pixels, quality, strict=True)]
    return torch.from_numpy(np.stack(through)).permute(0, 3, 1, 2).to(image) / 255


def mottled(
    image: Float[Tensor, "b c h w"], deviation: Float[Tensor, " b"], seeds: Sequence[int]
) -> Float[Tensor, "b c h w"]:
    """Each image lighter and darker in patches of a sixteenth and a thirty-second of its sides, of its own seed.

    They multiply the colours by 1 and normal numbers of the deviation. Stands for what renders lack: pores, stubble,
    freckles, cloth.

    Raises:
        UserError: for another number of seeds than of images, or a deviation that is negative or no number.
    """
    if len(seeds) != len(image):
        raise UserError(f"{len(seeds)} seeds were given for {len(image)} images; patches need one of each image.")
    _check_deviation("patches", deviation, torch.inf, len(image))
    height, width = image.shape[2:]
    drawn = [_patches(seed, height, width) for seed in seeds]
    return (image * (1 + torch.from_numpy(np.stack(drawn)).to(image) * deviation[:, None, None, None])).clamp(0, 1)


def _patches(seed: int, height: int, width: int) -> Float[np.ndarray, "1 h w"]:
    generator = np.random.Generator(np.random.Philox([seed, 1]))  # other numbers than the noise of that seed
    octaves = [generator.standard_normal((cells, cells), np.float32) for cells in (16, 32)]
    return sum(cv2.resize(octave, (width, height), interpolation=cv2.INTER_LINEAR) for octave in octaves)[None]


def _check_things(things: Occluders, count: int) -> None:
    for name, lengths in (("centre", (2,)), ("radii", (2,)), ("angle", ()), ("roundness", ()), ("colour", (3,))):
        values = getattr(things, name)
        check_shape(name, values, count, *lengths)
        check_entries(name, values, within=(0, 1) if name == "colour" else None)


def _check_deviation(kind: str, deviation: Float[Tensor, " b"], most: float, count: int) -> None:
    if deviation.shape != (count,):
        raise UserError(
            f"The {kind} has deviations of shape {tuple(deviation.shape)} for {count} images; give one each."
        )
    right = (deviation >= 0) & (deviation <= most) & deviation.isfinite()
    if not bool(right.all()):
        place = int((~right).nonzero()[0, 0])
        rule = "be at least 0" if most == torch.inf else f"lie in [0, {most:g}]"
        found = float(deviation.detach()[place])
        raise UserError(f"The deviation of the {kind} of image {place} is {found:g}; it must {rule}.")


def to_bytes(image: Float[Tensor, "b 3 h w"]) -> np.ndarray:
    """Red, green, blue as uint8, "b h w 3"."""
    return image.mul(255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()


def _through(picture: np.ndarray, side: int) -> np.ndarray:
    whole = picture.shape[0]
    if side == whole:
        return picture
    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (whole, whole), interpolation=cv2.INTER_LINEAR)


def _jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    _, code = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    through = cv2.imdecode(code, cv2.IMREAD_COLOR)
    assert through is not None  # it was encoded a line above
    return through[:, :, ::-1]
