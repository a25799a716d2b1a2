"""Pictures of drawn faces, as a camera would have taken them."""

from dataclasses import fields, replace

import torch
from jaxtyping import Float
from torch import Tensor

from fer_zoo.faces.effects import blurred, compressed, noisy, occluded
from fer_zoo.faces.priors.captures import NO_JPEG, Captures
from fer_zoo.faces.priors.face_prior import DrawnFaces
from fer_zoo.faces.renderer import Rendered, Renderer

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def photographed(renderer: Renderer, drawn: DrawnFaces) -> Rendered:
    """The pictures, with what is in front of the faces and what the camera made of them."""
    seen = occluded(renderer(drawn.scenes), drawn.occluders)
    return replace(seen, image=captured(seen.image, drawn.captures))


def captured(image: Float[Tensor, "b 3 h w"], captures: Captures) -> Float[Tensor, "b 3 h w"]:
    """Contrast and brightness, blur, grey, noise, JPEG."""
    contrast, brightness = captures.contrast[:, None, None, None], captures.brightness[:, None, None, None]
    image = ((image - 0.5) * contrast + 0.5 + brightness).clamp(0, 1)
    image = blurred(image, captures.blur)
    red, green, blue = image.unbind(dim=1)
    luma = (red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2])[:, None]
    image = torch.where(captures.grey[:, None, None, None] > 0, luma, image)
    image = noisy(image, captures.noise, captures.seeds)
    packed = captures.quality != NO_JPEG
    if bool(packed.any()):
        image = image.clone()
        image[packed] = compressed(image[packed], captures.quality[packed])
    return image


def rows(captures: Captures, chosen: Tensor) -> Captures:
    """Those of some pictures."""
    places = chosen.tolist()
    tensors = {f.name: getattr(captures, f.name)[chosen] for f in fields(captures) if f.name != "seeds"}
    return Captures(seeds=tuple(captures.seeds[place] for place in places), **tensors)
