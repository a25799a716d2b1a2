"""Pictures of scenes, and what is known of each pixel: part, depth, normal; landmarks with who hides them.

Scenes are drawn in blocks of 16, the last one padded, so that bytes depend on no batch, order or number of workers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.faces.appearance import VertexColours
from fer_zoo.faces.face_model import FaceModel
from fer_zoo.faces.scene_checks import check_scenes
from fer_zoo.faces.scenes import Scenes, check_size
from fer_zoo.faces.styled_parts import StyledParts
from fer_zoo.geometry.interpolation import interpolate
from fer_zoo.geometry.normals import ring_normals, ring_of_four
from fer_zoo.geometry.rasterizer import Hits, rasterize
from fer_zoo.geometry.rotations import rotated, rotation
from fer_zoo.geometry.shading import harmonics, shaded_share

BLOCK = 16
_FIRST_BAND = [3, 1, 2]  # of the harmonics: x, y, z
_TO_BAND = [1, 2, 0]  # from x, y, z to their order in the harmonics
_HIDDEN = 0.08  # inter-ocular distances that something is in front of a landmark which it hides

_FLUSH = 0.1  # inter-ocular distances within which the samples of a pixel are one surface


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """Pictures of scenes.

    Attributes:
        image: red, green, blue, 0 to 1.
        mask: part of `core.face_parts.FACE_PARTS` that each pixel shows, sides the subject's own; 0 for all others.
        depth: towards the viewer from the plane of the origin, inter-ocular distances; NaN where nothing is drawn.
        normals: unit vectors in camera space; 0 where nothing is drawn.
        landmarks: pixels (x, y), centres at +0.5, also of hidden ones and those outside the image.
        visible: whether a landmark lies in the image and nothing is in front of it.
        vertices: of the posed mesh, camera space.
    """

    image: Float[Tensor, "b 3 h w"]
    mask: UInt8[Tensor, "b h w"]
    depth: Float[Tensor, "b h w"]
    normals: Float[Tensor, "b 3 h w"]
    landmarks: Float[Tensor, "b 68 2"]
    visible: Bool[Tensor, "b 68"]
    vertices: Float[Tensor, "b v 3"]


class Renderer:
    """Draws scenes of a face model, on the device where the model lies.

    Args:
        model: of the faces.
        size: pixels of the sides of the images.
        supersampling: samples of a pixel along each side; 2 shows no stairs, 1 takes less than half the time.

    Raises:
        UserError: for an image that is too small.
    """

    def __init__(self, model: FaceModel, *, size: int, supersampling: int = 2) -> None:
        check_size(size)
        if supersampling not in (1, 2):
            raise UserError(f"supersampling={supersampling} is none of 1 and 2.")
        self.model, self.size, self.supersampling = model, size, supersampling
        self.colours, self.parts = VertexColours(model), StyledParts(model)
        ring = ring_of_four(model.mean.cpu(), model.triangles.cpu())  # on the processor: the same for every device
        self.ring = ring.to(model.mean.device)

    def __call__(self, scenes: Scenes) -> Rendered:
        """The pictures, in the order of the scenes.

        Raises:
            UserError: where there is none, or one cannot be drawn: see `check_scenes`.
        """
        count = len(scenes)
        if not count:
            raise UserError("There is no scene to draw.")
        check_scenes(self.model, scenes)
        blocks = []
        for start in range(0, count, BLOCK):
            chosen = torch.arange(start, start + BLOCK, device=scenes.identity.device).clamp_(max=count - 1)
            blocks.append(self.block(scenes.rows(chosen)))
        return _joined(blocks, count)

    def block(self, scenes: Scenes) -> Rendered:
        """All scenes at once; its last digits depend on their number."""
        model, side = self.model, self.size * self.supersampling
        vertices = rotated(model.vertices(scenes.identity, scenes.actions, scenes.styles), rotation(scenes.angles))
        screen = scenes.camera.project(vertices)
        hits = rasterize(screen * self.supersampling, model.triangles, side, side)
        folds = scenes.actions if scenes.creases is None else scenes.actions + scenes.creases
        colours = self.colours(scenes.materials, folds, scenes.styles)
        worn = self.parts.weights(scenes.styles, len(scenes))
        values = [ring_normals(vertices, self.ring), colours, worn]
        if scenes.shadow is not None:
            values.append(scenes.shadow.depth(vertices))
        pixels = interpolate(values, model.triangles, hits)
        normals = _unit(pixels[:, :3])
        depth = scenes.camera.height(hits.depth / self.supersampling, hits.face)
        shadow = None if scenes.shadow is None else shaded_share(pixels[:, 8])
        shown = _shaded(pixels[:, 3:6], normals, scenes, hits.face, shadow)
        parts = self.parts(hits.triangle, pixels[:, 6:8])
        pixel, face = hits.pixel, hits.face
        if self.supersampling > 1:
            pixel, nearest, samples, share = self._in_front(hits, depth.detach(), len(scenes))
            face, parts = face.index_select(0, nearest), parts.index_select(0, nearest)
            depth = (depth[samples] * share).sum(dim=0)
            normals = _unit((normals[samples] * share[..., None]).sum(dim=0))
        mask, depths, all_normals = self._planes(pixel, face, len(scenes), parts, depth, normals)
        landmarks = screen[model.landmarks].permute(2, 0, 1)
        height = vertices[model.landmarks, 2].T
        return Rendered(
            image=self._image(hits, shown, scenes),
            mask=mask,
            depth=depths,
            normals=all_normals,
            landmarks=landmarks[:, :, :2],
            visible=_visible(landmarks[:, :, :2], height, depths),
            vertices=vertices.permute(2, 0, 1),
        )

    def _image(self, hits: Hits, shown: Float[Tensor, "n 3"], scenes: Scenes) -> Float[Tensor, "b 3 h w"]:
        side = self.size * self.supersampling
        image = _written(_stretched(scenes.background, side), hits.pixel, hits.face, shown)
        image = _halved(image) if self.supersampling > 1 else image
        return image.clamp(0, 1)

    def _planes(
        self,
        pixel: Int[Tensor, " n"],
        face: Int[Tensor, " n"],
        count: int,
        parts: UInt8[Tensor, " n"],
        depth: Float[Tensor, " n"],
        normals: Float[Tensor, "n 3"],
    ) -> tuple[UInt8[Tensor, "b h w"], Float[Tensor, "b h w"], Float[Tensor, "b 3 h w"]]:
        shape = (count, self.size, self.size)
        number = count * self.size * self.size
        mask = parts.new_zeros(number).index_copy_(0, pixel, parts).view(shape)
        depths = depth.new_full((number,), torch.nan).index_copy(0, pixel, depth).view(shape)
        return mask, depths, _written(normals.new_zeros(count, 3, self.size, self.size), pixel, face, normals)

    def _in_front(
        self, hits: Hits, depth: Float[Tensor, " n"], count: int
    ) -> tuple[Int[Tensor, " p"], Int[Tensor, " p"], Int[Tensor, "4 p"], Float[Tensor, "4 p"]]:
        """The pixels of whose four samples two or more show the head, and of each the hits that count.

        These are the nearest one; all four, 0 where one shows no head; and the shares of those that lie no farther
        than `_FLUSH` behind the nearest, whose mean is what the pixel's centre would show of a plane.
        """
        side = 2 * self.size
        hit = hits.pixel.new_full((count * side * side,), -1)
        hit.index_copy_(0, hits.pixel, torch.arange(len(depth), device=depth.device))
        four = hit.view(count, self.size, 2, self.size, 2).permute(2, 4, 0, 1, 3).reshape(4, -1)
        pixel = ((four >= 0).sum(dim=0) >= 2).nonzero().squeeze(1)
        four = four.index_select(1, pixel)
        samples = four.clamp(min=0)
        heights = torch.where(four >= 0, depth[samples], -torch.inf)
        most, place = heights.max(dim=0)
        share = (heights > most - _FLUSH).to(depth.dtype)
        return pixel, samples.gather(0, place[None])[0], samples, share / share.sum(dim=0)


def _unit(vectors: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
    """What `F.normalize` gives, ten times as fast where a channel is contiguous."""
    x, y, z = vectors.unbind(dim=1)
    inverse = (x * x + y * y + z * z).clamp_(min=1e-24).rsqrt_()
    return torch.stack((x * inverse, y * inverse, z * inverse)).T


def _stretched(pictures: Float[Tensor, "b 3 g g2"], side: int) -> Float[Tensor, "b 3 s s"]:
    """What bilinear `F.interpolate` gives, whose last digits depend on the number of threads."""
    for dim in (3, 2):
        length = pictures.shape[dim]
        place = (torch.arange(side, device=pictures.device, dtype=pictures.dtype) + 0.5) * (length / side) - 0.5
        place = place.clamp_(0, length - 1)
        before = place.long()
        share = place - before
        first = pictures.index_select(dim, before)
        second = pictures.index_select(dim, (before + 1).clamp_(max=length - 1))
        pictures = torch.lerp(first, second, share if dim == 3 else share[:, None])
    return pictures


def _halved(images: Float[Tensor, "b 3 s s"]) -> Float[Tensor, "b 3 h w"]:
    """The mean of each two by two pixels."""
    side = images.shape[2] // 2
    upper, lower = images.view(len(images), 3, side, 2, 2 * side).unbind(dim=3)
    both = upper + lower
    return (both[..., ::2] + both[..., 1::2]) * 0.25


def _written(
    images: Float[Tensor, "b 3 s s"], pixel: Int[Tensor, " n"], face: Int[Tensor, " n"], values: Float[Tensor, "n 3"]
) -> Float[Tensor, "b 3 s s"]:
    """Images with values at some pixels."""
    size = images.shape[2] * images.shape[3]
    place = pixel + 2 * size * face
    places = torch.cat((place, place + size, place + 2 * size))
    return images.view(-1).index_copy(0, places, values.T.reshape(-1)).view(images.shape)


def _shaded(
    colours: Float[Tensor, "n 3"],
    normals: Float[Tensor, "n 3"],
    scenes: Scenes,
    face: Int[Tensor, " n"],
    shadow: Float[Tensor, " n"] | None,
) -> Float[Tensor, "n 3"]:
    """Lambert under the harmonics, and a highlight where the brightest direction is mirrored to the viewer.

    Both go over into the light of the shadow, which has no highlight, by the share of `shadow`.
    """
    towards = F.normalize(scenes.light[:, _FIRST_BAND].mean(dim=2), dim=1)
    halfway = F.normalize(towards + towards.new_tensor([0.0, 0.0, 1.0]), dim=1)
    highlight = F.pad(halfway.index_select(1, halfway.new_tensor(_TO_BAND, dtype=torch.long)), (1, 5))
    weights = torch.cat((scenes.light.mT, highlight[:, None]), dim=1)
    counts = torch.bincount(face, minlength=len(scenes)).tolist()  # hits are in the order of faces
    terms = torch.split(harmonics(normals).T, counts, dim=1)
    *received, mirrored = torch.cat([own @ of for own, of in zip(weights, terms, strict=True)], dim=1).clamp_(min=0)
    shine = scenes.shine.index_select(0, face) * _sharpened(mirrored)
    if scenes.shadow is not None and shadow is not None:
        dim = [own @ of for own, of in zip(scenes.shadow.light.mT, terms, strict=True)]
        received = list(torch.lerp(torch.stack(received), torch.cat(dim, dim=1).clamp_(min=0), shadow))
        shine = shine * (1 - shadow)
    return torch.stack([torch.addcmul(shine, c, light) for c, light in zip(colours.T, received, strict=True)]).T


def _sharpened(mirrored: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """To the 24th power; `pow` has other last digits at the end of a tensor than in its middle."""
    eighth = mirrored.square().square().square()
    return eighth * eighth.square()


def _visible(
    landmarks: Float[Tensor, "b 68 2"], height: Float[Tensor, "b 68"], depth: Float[Tensor, "b h w"]
) -> Bool[Tensor, "b 68"]:
    side = depth.shape[1]
    place = landmarks.floor().long()
    inside = ((place >= 0) & (place < side)).all(dim=2)
    # of the pixels about it the farthest counts: on a steep surface, as at the jaw, its own shows what is beside it
    around = torch.cartesian_prod(*[torch.arange(-1, 2, device=depth.device)] * 2)
    x, y = (place[:, :, None] + around).clamp_(0, side - 1).unbind(dim=3)
    front = depth.flatten(1).gather(1, (y * side + x).flatten(1)).view(x.shape)
    front = front.nan_to_num(torch.inf).amin(dim=2)
    return inside & ~((front > height + _HIDDEN) & front.isfinite())


def _joined(blocks: Sequence[Rendered], count: int) -> Rendered:
    names = [field.name for field in fields(Rendered)]
    return Rendered(**{name: torch.cat([getattr(block, name) for block in blocks])[:count] for name in names})
