"""The sample schema: one face image and everything known about it, as a dict of tensors."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal


@dataclass(frozen=True)
class TargetSchema:
    """Shape (b batch, k classes or coefficients, n points, h w rows, columns), type and mark of a missing value."""

    shape: str
    dtype: Literal["int64", "float32"]
    missing: str


CLASS = TargetSchema("b", "int64", "-1")
VALUES = TargetSchema("b k", "float32", "NaN")

# What can be known or predicted about a face.
TARGETS: Mapping[str, TargetSchema] = {
    "emotion": CLASS,
    "identity": CLASS,
    "au": VALUES,
    "blendshapes": VALUES,
    "expression": VALUES,
    "face_parameters": VALUES,
    "pose": TargetSchema("b 3", "float32", "NaN"),  # pitch, yaw, roll in radians
    "landmarks": TargetSchema("b n 2", "float32", "NaN"),  # pixels of the input, (x, y), pixel centres at +0.5
    "mask": TargetSchema("b h w", "int64", "-1"),  # part of `core.face_parts` that each pixel of the input shows
    "position_map": TargetSchema("b 3 h w", "float32", "NaN"),  # see `data.dense`
    "shading": TargetSchema("b 1 h w", "float32", "NaN"),  # see `data.dense`
}

# Of which each pixel, of the image or of a map, has a value.
DENSE_TARGETS = frozenset(target for target, schema in TARGETS.items() if schema.shape.endswith("h w"))

_ANY = "surrogatepass"  # names of files may be bytes that are no UTF-8


def sample_id(dataset: str, relative_path: str) -> str:
    """The name under which a sample is shown: 12 hex digits, the same on every machine."""
    return sha256(f"{dataset}/{relative_path}".encode(errors=_ANY)).hexdigest()[:12]


def subject_code(dataset: str, name: str) -> str:
    """The code under which a person is shown; the name itself reaches no log, table or picture."""
    return "s" + sha256(f"{dataset}/{name}".encode(errors=_ANY)).hexdigest()[:8]
