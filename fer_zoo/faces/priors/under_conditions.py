"""Drawn faces under the conditions of a test grid: turned, lit, hidden, made small."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fer_zoo.core.conditions import LIGHTS
from fer_zoo.core.errors import UserError
from fer_zoo.core.landmarks import LANDMARK_GROUPS
from fer_zoo.faces.effects import Occluders
from fer_zoo.faces.face_model import MATERIALS, FaceModel
from fer_zoo.faces.priors.captures import Captures
from fer_zoo.faces.priors.draws import Draws, between
from fer_zoo.faces.priors.tensors import float_tensor
from fer_zoo.faces.scenes import Scenes
from fer_zoo.geometry.rotations import rotated, rotation
from fer_zoo.geometry.shading import EdgeShadow, lambert_coefficients

# Light from everywhere, the lamp's strength and its direction (x to the side that is drawn, y up, z to the viewer).
_FRONTAL = (0.38, 0.60, (0.0, 0.25, 1.0))
_LAMPS: Mapping[str, tuple[float, float, tuple[float, float, float]]] = {
    "frontal": _FRONTAL,
    "side": (0.14, 1.00, (1.0, 0.15, 0.25)),
    "dark": _FRONTAL,
    "cast_shadow": (0.20, 0.80, (0.45, 0.35, 0.80)),
}
_OUT_OF_REACH = 1e3  # of any vertex, inter-ocular distances
_DARK = 0.25  # of the frontal light, and of what is behind the face
_NOISE_IN_THE_DARK = 0.03
_KEPT = 0.1  # of the lamp in its shadow
_SHINE = 0.08
_SOFTNESS = 0.08  # inter-ocular distances over which a shadow begins
_MIDDLE = (0.0, -0.4, 0.6)  # of the face in camera space, about which shadows begin
_NEAR = 0.35  # inter-ocular distances from there
# What hides a part: half axes in inter-ocular distances, exponent of the superellipse.
_EYE = ((0.42, 0.30), 2.5)
_MOUTH = ((0.75, 0.58), 4.0)  # also of one that is wide open
_SUNGLASSES = ((0.98, 0.25), 5.0)
_HAIR = ((1.05, 0.15), 6.0)
_DARK_GLASS = (0.04, 0.04, 0.05)
_STRAND_ANGLE = 1.15  # radians from the line between the eyes, of a strand across one eye


def turned(scenes: Scenes, degrees: Float[np.ndarray, " b"], faces: Draws) -> Scenes:
    """Heads turned to a side, each to its own; pitch and roll stay."""
    yaw = torch.from_numpy(np.deg2rad(degrees) * _sides(faces, "grid/yaw")).to(scenes.angles)
    return replace(scenes, angles=torch.cat((yaw[:, None], scenes.angles[:, 1:]), dim=1))


def lit(scenes: Scenes, lights: np.ndarray, faces: Draws) -> Scenes:
    """Faces in white light of `core.conditions.LIGHTS`; sides of lamps and edges of shadows are each face's own."""
    place = np.array([LIGHTS.index(light) for light in lights])
    ambient, strength, direction = (np.array([_LAMPS[light][part] for light in LIGHTS])[place] for part in range(3))
    direction = direction / np.linalg.norm(direction, axis=1, keepdims=True)
    direction[:, 0] *= _sides(faces, "grid/lamp")
    share = np.where(lights == "dark", _DARK, 1.0)
    is_cast = lights == "cast_shadow"
    light = _harmonics(ambient * share, direction, strength * share)
    normal, offset = _edges(direction, faces)
    shadow = EdgeShadow(
        normal=float_tensor(normal),
        offset=float_tensor(np.where(is_cast, offset, _OUT_OF_REACH)),
        softness=torch.full((len(faces),), _SOFTNESS),
        light=torch.where(
            torch.from_numpy(is_cast)[:, None, None], _harmonics(ambient, direction, _KEPT * strength), light
        ),
    )
    # the other lights have a shadow, too, but out of reach: what is drawn depends on no neighbour
    return replace(
        scenes,
        light=light,
        shine=float_tensor(_SHINE * share),
        background=scenes.background * float_tensor(share)[:, None, None, None],
        shadow=shadow,
    )


def seen_in(captures: Captures, lights: np.ndarray) -> Captures:
    """In the dark the camera makes nothing up and clips nothing of what is left, and noise is strong."""
    is_dark = torch.from_numpy(lights == "dark")
    return replace(
        captures,
        exposure=captures.exposure.masked_fill(is_dark, 0.0),
        contrast=captures.contrast.masked_fill(is_dark, 1.0),
        brightness=captures.brightness.masked_fill(is_dark, 0.0),
        noise=torch.where(is_dark, captures.noise.clamp(min=_NOISE_IN_THE_DARK), captures.noise),
    )


def dimmed(things: Occluders, lights: np.ndarray) -> Occluders:
    """Things in front of a face in the dark are as dark as it."""
    return replace(things, colour=things.colour * float_tensor(np.where(lights == "dark", _DARK, 1.0))[:, None])


def hidden(
    things: Occluders, kinds: np.ndarray, scenes: Scenes, landmarks: Float[Tensor, "b 68 2"], faces: Draws
) -> Occluders:
    """Things of `core.conditions.OCCLUDERS` in front; which eye is hidden is each face's own.

    Args:
        things: whose colours are kept where a kind has none of its own.
        kinds: of each face.
        scenes: whose hair it is.
        landmarks: in pixels.
        faces: their draws.
    """
    eyes = torch.stack([landmarks[:, list(LANDMARK_GROUPS[name])].mean(dim=1) for name in ("right_eye", "left_eye")])
    across = eyes[1] - eyes[0]
    unit, tilt = across.norm(dim=1), torch.atan2(across[:, 1], across[:, 0])
    side = torch.from_numpy(_sides(faces, "grid/eye"))
    own = torch.where(side[:, None] > 0, eyes[1], eyes[0])
    middle, mouth = eyes.mean(dim=0), landmarks[:, 48:68].mean(dim=1)
    nothing = torch.zeros_like(middle)
    hair = scenes.materials[:, MATERIALS.index("hair")].to(landmarks)
    parts = {
        "none": (middle, nothing, tilt, 2.0, things.colour),
        "eye": (own, _radii(_EYE, unit), tilt, _EYE[1], things.colour),
        "mouth": (mouth, _radii(_MOUTH, unit), tilt, _MOUTH[1], things.colour),
        "sunglasses": (middle, _radii(_SUNGLASSES, unit), tilt, _SUNGLASSES[1], landmarks.new_tensor(_DARK_GLASS)),
        "hair": (own, _radii(_HAIR, unit), tilt + side * _STRAND_ANGLE, _HAIR[1], hair),
    }
    chosen = [np.flatnonzero(kinds == kind) for kind in parts]
    found = [torch.zeros_like(value).double() for value in (middle, middle, tilt, tilt, hair)]
    for rows, values in zip(chosen, parts.values(), strict=True):
        for whole, value in zip(found, values, strict=True):
            value = torch.as_tensor(value, dtype=torch.float64)
            whole[rows] = value.expand_as(whole)[rows]
    centre, radii, angle, roundness, colour = (value.float() for value in found)
    return Occluders(centre=centre, radii=radii, angle=angle, roundness=roundness, colour=colour)


def made_small(
    captures: Captures, widths: Float[np.ndarray, " b"], landmarks: Float[Tensor, "b 68 2"], size: int
) -> Captures:
    """Pictures averaged down until the face is so many pixels wide, to half a pixel of the picture's side.

    A face that is turned away may be narrower than that, and is left as it is.

    Raises:
        UserError: for a width beyond that of the picture.
    """
    if widths.max() > size:
        raise UserError(
            f"grid.face_width is {widths.max():g}, but pictures are {size} pixels wide: give a larger size, or less."
        )
    whole = (landmarks[:, 16] - landmarks[:, 0]).norm(dim=1).numpy()
    sides = np.rint(size * widths / whole).clip(1, size).astype(np.int64)
    return replace(captures, sides=torch.from_numpy(sides))


def landmarks_of(model: FaceModel, scenes: Scenes) -> Float[Tensor, "b 68 2"]:
    """The 68 points in pixels, in doubles: their last digits differ from batch to batch, and those are rounded off."""
    points, exact = model.of_landmarks().to(dtype=torch.float64), scenes.to(dtype=torch.float64)
    vertices = rotated(points.vertices(exact.identity, exact.actions, exact.styles), rotation(exact.angles))
    return exact.camera.project(vertices)[:, :2].permute(2, 0, 1)


def _edges(
    direction: Float[np.ndarray, "b 3"], faces: Draws
) -> tuple[Float[np.ndarray, "b 3"], Float[np.ndarray, " b"]]:
    """Planes through the lamp's direction that cross the face: normals into the shadow, offsets."""
    drawn = faces.uniform("grid/edge", 2)
    angle = 2 * np.pi * drawn[:, :1]
    across = np.cross(direction, (0.0, 1.0, 0.0))
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    normal = np.cos(angle) * across + np.sin(angle) * np.cross(direction, across)
    return normal, normal @ np.array(_MIDDLE) + between(drawn[:, 1], -_NEAR, _NEAR)


def _harmonics(ambient: np.ndarray, direction: np.ndarray, strength: np.ndarray) -> Float[Tensor, "b 9 3"]:
    light = lambert_coefficients(
        float_tensor(ambient), float_tensor(direction)[:, None], float_tensor(strength)[:, None]
    )
    return light[:, :, None].repeat(1, 1, 3)


def _sides(faces: Draws, stream: str) -> Float[np.ndarray, " b"]:
    """-1 or 1."""
    return np.where(faces.uniform(stream, 1)[:, 0] < 0.5, -1.0, 1.0)


def _radii(thing: tuple[tuple[float, float], float], unit: Float[Tensor, " b"]) -> Float[Tensor, "b 2"]:
    return unit[:, None] * unit.new_tensor(thing[0])
