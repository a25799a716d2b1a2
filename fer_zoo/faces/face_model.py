"""The linear face model: mean + identity basis + action basis, and what is known of its vertices.

GE-Net Eq. 1, BlendshapeFERNet Eq. 1 and ExpNet Eq. 1 are this sum. Unit: inter-ocular distance of the mean face (of
the centres of the eyeballs); origin between them. Axes: x the subject's left, y up, z out of the face; a triangle's
corners are counter-clockwise seen from outside.

Vertices stand batch-last, "v 3 b": geometry of a batch is then one matrix product, and a corner is a row of faces.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from fer_zoo.core.blendshapes import BLENDSHAPES_51
from fer_zoo.core.errors import UserError, unknown_name
from fer_zoo.core.landmarks import MIRROR
from fer_zoo.faces.field_checks import check_choices, check_entries, check_shape

ACTIONS: tuple[str, ...] = BLENDSHAPES_51.entries
# What a vertex may be made of; its colour is the mean of theirs by weight.
MATERIALS = ("skin", "lip", "brow", "hair", "lash", "sclera", "iris", "pupil", "tooth", "tongue", "mouth", "stubble")
# How far the eyes turn at gaze 1 (radians): down, up, towards the nose, away from it.
GAZE = {"Down": 0.45, "Up": 0.3, "In": 0.5, "Out": 0.5}
# Landmarks of the upper and lower lid, two pairs an eye.
LIDS: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "eyeBlinkRight": ((37, 41), (38, 40)),
    "eyeBlinkLeft": ((43, 47), (44, 46)),
}
_BLINKS = [ACTIONS.index(name) for name in LIDS]
_SHUT = 1.08  # of the way between the lids: so that they overlap a little and no ball shines through
_LEAST_CLOSING = 1e-6  # a model whose blinks move nothing has no way between the lids
_BEYOND = 0.5  # of the distance between the pairs: how far the difference between them goes on towards the corners


@dataclass(frozen=True, kw_only=True)
class Style:
    """One choice of a discrete mode, as a hair cut: how it changes materials and shape.

    Attributes:
        name: of the choice.
        weights: material -> weights that replace those of the model.
        shape: added to the mean.
    """

    name: str
    weights: Mapping[str, Float[Tensor, " v"]] = field(default_factory=dict)
    shape: Float[Tensor, "v 3"] | None = None


@dataclass(frozen=True, kw_only=True)
class FaceModel:
    """Parameters -> mesh.

    Attributes:
        name: registered.
        mean: the neutral face.
        identity_names: of the modes, in standard deviations.
        identity_basis: displacement at one standard deviation.
        action_basis: displacement at 1 of each of `ACTIONS`; the eyeballs turn besides, see `vertices`.
        triangles: corners.
        parts: of each triangle, number of `core.face_parts.FACE_PARTS`, sides the subject's own.
        landmarks: vertices of the 68 of `core.landmarks`.
        mirror: the vertex that stands in each one's place in the mirrored mean face.
        eyeballs: vertices of the right and of the left one.
        uv: place of each vertex on the unit square, origin at the top left.
        in_map: whether a triangle belongs to the position map.
        weights: material -> share in each vertex; they add up to 1.
        shade: what ambient light reaches each vertex, 1 for all of it.
        wrinkles: how much darker a vertex is at 1 of each action.
        styles: discrete modes, each a choice.
    """

    name: str
    mean: Float[Tensor, "v 3"]
    identity_names: tuple[str, ...]
    identity_basis: Float[Tensor, "v 3 k"]
    action_basis: Float[Tensor, "v 3 51"]
    triangles: Int[Tensor, "t 3"]
    parts: UInt8[Tensor, " t"]
    landmarks: Int[Tensor, " 68"]
    mirror: Int[Tensor, " v"]
    eyeballs: tuple[Int[Tensor, " e"], Int[Tensor, " e2"]]
    uv: Float[Tensor, "v 2"]
    in_map: Bool[Tensor, " t"]
    weights: Mapping[str, Float[Tensor, " v"]]
    shade: Float[Tensor, " v"]
    wrinkles: Float[Tensor, "v 51"]
    styles: Mapping[str, tuple[Style, ...]] = field(default_factory=dict)

    @property
    def num_vertices(self) -> int:
        """How many vertices."""
        return len(self.mean)

    @property
    def num_identity(self) -> int:
        """How many continuous modes of identity."""
        return len(self.identity_names)

    def vertices(
        self,
        identity: Float[Tensor, "b k"],
        actions: Float[Tensor, "b a"],
        styles: Mapping[str, Int[Tensor, " b"]] | None = None,
    ) -> Float[Tensor, "v 3 b"]:
        """The mesh of each face, before any pose.

        A blink is scaled by the identity's own aperture in two places of an eye, so that it closes every eye, and the
        eyeballs turn about their centres; all else is linear.

        Args:
            identity: modes, in standard deviations.
            actions: of `ACTIONS`, 0 to 1.
            styles: choices of discrete modes, by position; the first where none is given.

        Raises:
            UserError: see `check`.
        """
        self.check(identity, actions, styles or {})
        size = len(identity)
        neutral = torch.addmm(self.mean.reshape(-1, 1), self.identity_basis.reshape(-1, self.num_identity), identity.T)
        for name, chosen in (styles or {}).items():
            for number, style in enumerate(self.styles[name]):
                if style.shape is not None:
                    neutral = neutral + style.shape.reshape(-1, 1) * (chosen == number).to(neutral.dtype)
        neutral = neutral.reshape(-1, 3, size)
        basis = self._basis_with_tilts
        moved = torch.addmm(neutral.reshape(-1, size), basis.flatten(0, 1), self._blinks(neutral, actions).T)
        return self._gaze(moved.reshape(-1, 3, size), actions)

    def check(self, identity: Tensor, actions: Tensor, styles: Mapping[str, Tensor]) -> None:
        """Refuses parameters of which there is no mesh.

        Raises:
            UserError: for another number of parameters or unequal numbers of faces; for one that is no finite number,
                an action outside [0, 1], a style or choice that there is not.
        """
        if identity.ndim == 2 and identity.shape[1] != self.num_identity:
            raise UserError(f"{self.name} has {self.num_identity} identity modes; {identity.shape[1]} were given.")
        if actions.ndim == 2 and actions.shape[1] != len(ACTIONS):
            raise UserError(f"There are {len(ACTIONS)} actions; {actions.shape[1]} were given.")
        faces = len(identity) if identity.ndim else 0
        check_shape("identity", identity, faces, self.num_identity)
        check_shape("actions", actions, faces, len(ACTIONS))
        check_entries("identity", identity, self.identity_names)
        check_entries("actions", actions, ACTIONS, within=(0, 1))
        for name, chosen in styles.items():
            if name not in self.styles:
                raise unknown_name(f"style of {self.name}", name, self.styles.keys())
            check_choices(f"styles[{name}]", chosen, faces, len(self.styles[name]))

    def one_hot(self, styles: Mapping[str, Int[Tensor, " b"]]) -> Float[Tensor, "b s"]:
        """Discrete modes of faces as numbers: a 1 for the choice of each mode, in the order of `styles` and theirs.

        Raises:
            UserError: for a mode or choice that there is not.
        """
        faces = len(next(iter(styles.values()))) if styles else 0
        self.check(self.mean.new_zeros(faces, self.num_identity), self.mean.new_zeros(faces, len(ACTIONS)), styles)
        first = torch.zeros(faces, dtype=torch.long, device=self.mean.device)
        parts = [F.one_hot(styles.get(mode, first), len(choices)) for mode, choices in self.styles.items()]
        return torch.cat(parts, dim=1).to(self.mean.dtype)

    def landmarks_of(self, vertices: Float[Tensor, "v 3 b"]) -> Float[Tensor, "b 68 3"]:
        """The 68 points on meshes."""
        return vertices[self.landmarks].permute(2, 0, 1)

    def of_landmarks(self) -> "FaceModel":
        """The 68 points alone, as a model: where they are is known a hundred times as fast."""
        chosen, nothing = self.landmarks, self.landmarks[:0]
        styles = {
            mode: tuple(Style(name=one.name, shape=None if one.shape is None else one.shape[chosen]) for one in choices)
            for mode, choices in self.styles.items()
        }
        return replace(
            self,
            mean=self.mean[chosen],
            identity_basis=self.identity_basis[chosen],
            action_basis=self.action_basis[chosen],
            triangles=self.triangles[:0],
            parts=self.parts[:0],
            landmarks=torch.arange(len(chosen), device=chosen.device),
            mirror=torch.tensor(MIRROR, device=chosen.device),
            eyeballs=(nothing, nothing),
            uv=self.uv[chosen],
            in_map=self.in_map[:0],
            weights={},
            shade=self.shade[chosen],
            wrinkles=self.wrinkles[chosen],
            styles=styles,
        )

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> "FaceModel":
        """The model elsewhere, or in another precision; whole numbers stay whole."""

        def moved(value: Any) -> Any:
            if isinstance(value, Tensor):
                return value.to(device, dtype if value.is_floating_point() else None)
            if isinstance(value, Mapping):
                return {key: moved(item) for key, item in value.items()}
            if isinstance(value, tuple):
                return tuple(moved(item) for item in value)
            if isinstance(value, Style):
                return replace(value, weights=moved(value.weights), shape=moved(value.shape))
            return value

        return replace(self, **{field.name: moved(getattr(self, field.name)) for field in fields(self)})

    @cached_property
    def _basis_with_tilts(self) -> Float[Tensor, "v 3 53"]:
        """The actions, and for each blink what it moves times the place of a vertex across the eye.

        That place is 0 at the first pair of landmarks and 1 at the second.
        """
        across = self.mean[:, 0]
        tilts = []
        for blink, (first, second) in zip(_BLINKS, LIDS.values(), strict=True):
            start, end = (across[self.landmarks[list(pair)]].mean() for pair in (first, second))
            place = ((across - start) / (end - start)).clamp(-_BEYOND, 1 + _BEYOND)
            tilts.append(self.action_basis[:, :, blink] * place[:, None])
        return torch.cat((self.action_basis, torch.stack(tilts, dim=2)), dim=2)

    def _blinks(self, neutral: Float[Tensor, "v 3 b"], actions: Float[Tensor, "b 51"]) -> Float[Tensor, "b 53"]:
        """Weights of `_basis_with_tilts`: a blink closes an eye at both pairs of landmarks of its lids."""
        scale = torch.ones_like(actions)
        tilts = []
        for blink, pairs in zip(_BLINKS, LIDS.values(), strict=True):
            upper, lower = (self.landmarks[[pair[i] for pair in pairs]] for i in (0, 1))
            own = neutral[upper, 1] - neutral[lower, 1]
            closing = self.action_basis[lower, 1, blink] - self.action_basis[upper, 1, blink]
            first, second = (own / closing.clamp(min=_LEAST_CLOSING)[:, None]).clamp(min=0) * _SHUT
            scale[:, blink] = first
            tilts.append((second - first) * actions[:, blink])
        return torch.cat((actions * scale, torch.stack(tilts, dim=1)), dim=1)

    def _gaze(self, vertices: Float[Tensor, "v 3 b"], actions: Float[Tensor, "b 51"]) -> Float[Tensor, "v 3 b"]:
        """Turned about x by up − down, then about y by the sideways part."""
        weight = {name: actions[:, place] for place, name in enumerate(ACTIONS) if name.startswith("eyeLook")}
        for side, sign, ball in (("Right", 1.0, self.eyeballs[0]), ("Left", -1.0, self.eyeballs[1])):
            down, up, inwards, out = (GAZE[way] * weight[f"eyeLook{way}{side}"] for way in GAZE)
            pitch, yaw = down - up, sign * (inwards - out)
            x, y, z = (vertices[ball] - (centre := vertices[ball].mean(dim=0))).unbind(dim=1)
            y, z = y * pitch.cos() - z * pitch.sin(), y * pitch.sin() + z * pitch.cos()
            x, z = x * yaw.cos() + z * yaw.sin(), z * yaw.cos() - x * yaw.sin()
            vertices = vertices.index_copy(0, ball, torch.stack((x, y, z), dim=1) + centre)
        return vertices
