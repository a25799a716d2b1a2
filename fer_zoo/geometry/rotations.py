"""Rotations from yaw, pitch and roll."""

import torch
from jaxtyping import Float
from torch import Tensor


def rotation(angles: Float[Tensor, "b 3"]) -> Float[Tensor, "b 3 3"]:
    """Turns of a head, R = Rz(roll) Rx(pitch) Ry(yaw), right-handed about x right, y up, z to the viewer.

    Positive yaw turns the face to the viewer's right (the subject's left), positive pitch down, positive roll
    counter-clockwise for the viewer.

    Args:
        angles: yaw, pitch, roll in radians.
    """
    (sy, sp, sr), (cy, cp, cr) = angles.sin().unbind(1), angles.cos().unbind(1)
    rows = [
        (cr * cy - sr * sp * sy, -sr * cp, cr * sy + sr * sp * cy),
        (sr * cy + cr * sp * sy, cr * cp, sr * sy - cr * sp * cy),
        (-cp * sy, sp, cp * cy),
    ]
    return torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)


def rotated(vertices: Float[Tensor, "v 3 b"], rotations: Float[Tensor, "b 3 3"]) -> Float[Tensor, "v 3 b"]:
    """Each mesh turned by its rotation about the origin."""
    x, y, z = vertices.unbind(dim=1)
    rows = (torch.addcmul(torch.addcmul(x * a, y, b), z, c) for a, b, c in rotations.permute(1, 2, 0))
    return torch.stack(tuple(rows), dim=1)
