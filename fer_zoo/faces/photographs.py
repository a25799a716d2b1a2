"""Pictures of drawn faces, as a camera would have taken them."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from fer_zoo.faces.effects import blurred, coarsened, compressed, mottled, noisy, occluded
from fer_zoo.faces.priors.captures import NO_JPEG, Captures
from fer_zoo.faces.priors.face_prior import DrawnFaces
from fer_zoo.faces.renderer import Rendered, Renderer

_MIDDLE, _DARKEST = 0.45, 0.05  # mean brightness
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def photographed(renderer: Renderer, drawn: DrawnFaces) -> Rendered:
    """The pictures, with what is in front of the faces and what the camera made of them."""
    seen = occluded(renderer(drawn.scenes), drawn.occluders)
    return replace(seen, image=captured(seen.image, drawn.captures))


def captured(image: Float[Tensor, "b 3 h w"], captures: Captures) -> Float[Tensor, "b 3 h w"]:
    """Exposure, contrast and brightness, patches, blur, few pixels, grey, noise, JPEG."""
    image = _exposed(image, captures.exposure)
    contrast, brightness = captures.contrast[:, None, None, None], captures.brightness[:, None, None, None]
    image = ((image - 0.5) * contrast + 0.5 + brightness).clamp(0, 1)
    image = blurred(mottled(image, captures.patches, captures.patch_seeds), captures.blur)
    if captures.sides is not None:
        image = coarsened(image, captures.sides)
    red, green, blue = image.unbind(dim=1)
    luma = (red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2])[:, None]
    image = torch.where(captures.grey[:, None, None, None] > 0, luma, image)
    image = noisy(image, captures.noise, captures.seeds)
    packed = captures.quality != NO_JPEG
    if bool(packed.any()):
        image = image.clone()
        image[packed] = compressed(image[packed], captures.quality[packed])
    return image


def _exposed(image: Float[Tensor, "b 3 h w"], share: Float[Tensor, " b"]) -> Float[Tensor, "b 3 h w"]:
    """Brighter or darker, towards the middle grey."""
    mean = image.double().mean(dim=(1, 2, 3)).clamp(min=_DARKEST)  # in double, so that it depends on no other image
    gain = (_MIDDLE / mean) ** share
    return (image * gain.to(image.dtype)[:, None, None, None]).clamp(0, 1)
