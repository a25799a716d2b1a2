"""The normalised mean error of landmarks: how far points lie from the labelled ones, in distances between the eyes."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from fer_zoo.core.landmarks import OUTER_EYE_CORNERS

NUM_DISTANCE_SUMS = 5  # samples, Σ error, points measured, points skipped, Σ inter-ocular distance


@dataclass(frozen=True)
class DistanceSums:
    """Sums over samples of their mean error; they add over batches, processes and subjects.

    The error of a sample is the mean over its points of the distance to the label, divided by the inter-ocular
    distance: that of the labelled outer eye corners (300-W). A point that lacks its label or its output is skipped and
    counted; without both labelled corners that holds for all points of a sample, which then is none.

    Attributes:
        num_points: n; x and y of each follow each other.
    """

    num_points: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the sums."""
        return (NUM_DISTANCE_SUMS,)

    def sums(self, prediction: Float[Tensor, "b k"], target: Float[Tensor, "b k"]) -> Float64[Tensor, "5"]:
        """Samples, Σ error, points measured, points skipped, Σ inter-ocular distance.

        Args:
            prediction: x and y of each point in turn; NaN is a missing output.
            target: likewise; NaN is a missing label.
        """
        group = torch.zeros(len(target), dtype=torch.int64, device=target.device)
        return self.grouped(prediction, target, group, 1)[0]

    def grouped(
        self, prediction: Float[Tensor, "b k"], target: Float[Tensor, "b k"], group: Int64[Tensor, "b"], num_groups: int
    ) -> Float64[Tensor, "g 5"]:
        """The sums of each group of rows, such as of each person; a group without rows has zeros.

        Args:
            prediction: as for `sums`.
            target: as for `sums`.
            group: number of each row's group.
            num_groups: how many groups there are.
        """
        measured = _measured(prediction, target)
        is_sample = (measured.points > 0).double()
        terms = torch.stack(
            (
                is_sample,
                measured.error,
                measured.points,
                self.num_points - measured.points,
                measured.interocular.where(measured.points > 0, 0.0),
            ),
            dim=1,
        )
        total = torch.zeros(num_groups, NUM_DISTANCE_SUMS, dtype=torch.float64, device=prediction.device)
        return total.index_add_(0, group, terms)


def interocular_distance(points: Float[Tensor, "b k"]) -> Float64[Tensor, "b"]:
    """Between the outer corners of the eyes; NaN where one is not known, or both are one."""
    corners = _points(points)[:, list(OUTER_EYE_CORNERS)]
    distance = (corners[:, 0] - corners[:, 1]).norm(dim=1)
    return distance.where(distance > 0, torch.nan)


def nme(sums: Float64[Tensor, "*s 5"]) -> Float64[Tensor, "*s"]:
    """Mean error of the samples, in inter-ocular distances; NaN without samples."""
    return sums[..., 1] / sums[..., 0]


class _Measured(NamedTuple):
    """Of each row the mean error (0 without points), how many points it is a mean of, and its unit; each "b"."""

    error: Tensor
    points: Tensor
    interocular: Tensor


def _measured(prediction: Float[Tensor, "b k"], target: Float[Tensor, "b k"]) -> _Measured:
    distance = (_points(prediction) - _points(target)).norm(dim=2)  # b n
    unit = interocular_distance(target)
    error = distance / unit[:, None]
    known = ~error.isnan()
    points = known.double().sum(dim=1)
    return _Measured(error.where(known, 0.0).sum(dim=1) / points.clamp_min(1), points, unit)


def _points(values: Float[Tensor, "b k"]) -> Float64[Tensor, "b n 2"]:
    return values.double().reshape(len(values), values.shape[1] // 2, 2)
