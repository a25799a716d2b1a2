"""Normals of vertices."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


def ring_of_four(mean: Float[Tensor, "v 3"], triangles: Int[Tensor, "t 3"]) -> Int[Tensor, "v 4"]:
    """For each vertex four of its neighbours, about a quarter turn apart, counter-clockwise seen from outside.

    Chosen once on the mean face. At an open border, where no neighbour lies in a direction, the vertex itself stands
    in.
    """
    count = len(mean)
    edges = torch.cat(
        [triangles[:, [i, (i + 1) % 3]] for i in range(3)] + [triangles[:, [(i + 1) % 3, i]] for i in range(3)]
    )
    edges = torch.unique(edges, dim=0).long()
    start, end = edges.unbind(1)
    normal = area_weighted_normals(mean[:, :, None], triangles)[:, :, 0]
    helper = torch.where(normal[:, :1].abs() < 0.9, mean.new_tensor([1.0, 0, 0]), mean.new_tensor([0, 1.0, 0]))
    across = F.normalize(torch.linalg.cross(normal, helper.expand_as(normal)), dim=1)
    along = torch.linalg.cross(normal, across)
    out = mean[end] - mean[start]
    angle = torch.atan2((out * along[start]).sum(1), (out * across[start]).sum(1))
    ring = torch.arange(count, device=mean.device)[:, None].repeat(1, 4)
    for quarter in range(4):
        away = (angle - quarter * torch.pi / 2 + torch.pi) % (2 * torch.pi) - torch.pi
        cost = away.abs()
        best = torch.full(
            (count,), torch.pi / 3, device=mean.device, dtype=mean.dtype
        )  # further away is no such direction
        best.scatter_reduce_(0, start, cost, "amin")
        is_best = cost == best[start]
        ring[start[is_best], quarter] = end[is_best]
    return ring


def ring_normals(vertices: Float[Tensor, "v 3 b"], ring: Int[Tensor, "v 4"]) -> Float[Tensor, "v 3 b"]:
    """Unit normals as the cross product of the two diagonals of a ring.

    Within 1 degree (median) of those weighted by area, and four times as fast.
    """
    axes = vertices.permute(1, 0, 2).contiguous()
    places = ring.unbind(dim=1)
    (ax, bx), (ay, by), (az, bz) = (
        (
            axis.index_select(0, places[2]) - axis.index_select(0, places[0]),
            axis.index_select(0, places[3]) - axis.index_select(0, places[1]),
        )
        for axis in axes
    )
    x, y, z = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    inverse = (x * x + y * y + z * z).add_(1e-24).rsqrt_()
    return torch.stack((x * inverse, y * inverse, z * inverse), dim=1)


def area_weighted_normals(vertices: Float[Tensor, "v 3 b"], triangles: Int[Tensor, "t 3"]) -> Float[Tensor, "v 3 b"]:
    """Unit normals, the sum of those of the triangles about each vertex by their area."""
    first, second, third = (vertices.index_select(0, corner) for corner in triangles.unbind(dim=1))
    cross = torch.linalg.cross(second - first, third - first, dim=1)
    total = torch.zeros_like(vertices)
    for corner in triangles.unbind(dim=1):
        total = total.index_add(0, corner, cross)
    return F.normalize(total, dim=1)
