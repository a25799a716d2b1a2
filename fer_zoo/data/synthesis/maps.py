"""Position maps and shading of drawn faces, which need their shape and no picture."""

from collections.abc import Collection, Mapping
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from fer_zoo.core.input_spec import InputSpec
from fer_zoo.data.synthesis.blocks import drawn_blocks, exact_products, face_model_of
from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.faces.frontal_shading import FrontalShading
from fer_zoo.faces.position_map import PositionMaps
from fer_zoo.faces.scenes import Scenes
from fer_zoo.geometry.rotations import rotated, rotation


@lru_cache(maxsize=4)
def _unwrapping(name: str, height: int, width: int, device: str) -> PositionMaps:
    return PositionMaps.of(face_model_of(name, device), height, width)


@lru_cache(maxsize=4)
def _shading(name: str, height: int, width: int, device: str) -> FrontalShading:
    return FrontalShading(face_model_of(name, device), height, width)


def maps_of(
    settings: SynthesisSettings, numbers: np.ndarray, targets: Collection[str], spec: InputSpec, device: str = "cpu"
) -> Mapping[str, Float32[np.ndarray, "b c h w"]]:
    """Targets of samples, whose bytes depend on no other sample.

    Args:
        settings: of the faces.
        numbers: of the samples.
        targets: `position_map`, in pixels of the pictures, or `shading`, or both.
        spec: of whose height and width they are.
        device: where they are drawn.
    """
    found: dict[str, list[Tensor]] = {target: [] for target in sorted(targets)}
    if not found:
        return {}
    model, key = face_model_of(settings.face_model, device), (settings.face_model, spec.height, spec.width, device)
    with torch.no_grad(), exact_products():
        for drawn, count in drawn_blocks(settings, numbers, device):
            scenes = drawn.scenes
            if "position_map" in found:
                unwrapping = _unwrapping(*key)
                vertices = model.vertices(scenes.identity, scenes.actions, scenes.styles)
                found["position_map"].append(unwrapping(_in_pixels(vertices, scenes, unwrapping))[:count])
            if "shading" in found:
                bare = model.vertices(scenes.identity, scenes.actions)  # hair would change the shape beneath it
                found["shading"].append(_shading(*key)(bare)[:count])
    return {target: torch.cat(blocks).cpu().numpy() for target, blocks in found.items()}


def _in_pixels(vertices: Float[Tensor, "v 3 b"], scenes: Scenes, unwrapping: PositionMaps) -> Float[Tensor, "v 3 b"]:
    """x and y of the picture, and z at the scale of the head's middle, 0 at the map's farthest point."""
    turned = rotated(vertices, rotation(scenes.angles))
    height = turned[:, 2:] * scenes.camera.scale
    height = height - height[unwrapping.vertices].amin(dim=0)
    return torch.cat([scenes.camera.project(turned)[:, :2], height], dim=1)
