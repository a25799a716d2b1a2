"""Expected calibration error (Guo et al., 2017): does a probability of 0.8 come true in 80 of 100 cases?"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Float64, Int, Int64
from torch import Tensor

from fer_zoo.metrics.confusion import scored_rows

NUM_BINS = 15


@dataclass(frozen=True)
class CalibrationSums:
    """Samples, summed confidence and hits in bins of equal width ((m−1)/M, m/M] of the highest probability.

    Attributes:
        num_bins: M.
    """

    num_bins: int = NUM_BINS

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the sums."""
        return (self.num_bins, 3)

    def sums(self, prediction: Float[Tensor, "b k"], target: Int[Tensor, "b"]) -> Float64[Tensor, "bins 3"]:
        """Count, Σ confidence and hits of each bin.

        Args:
            prediction: probabilities; a row with a NaN is a missing output and is skipped.
            target: class numbers; -1 is a missing label and is skipped.

        Raises:
            UserError: for a class number outside the space.
        """
        group = torch.zeros_like(target, dtype=torch.int64)
        return self.grouped(prediction, target, group, 1)[0]

    def grouped(
        self, prediction: Float[Tensor, "b k"], target: Int[Tensor, "b"], group: Int64[Tensor, "b"], num_groups: int
    ) -> Float64[Tensor, "g bins 3"]:
        """The sums of each group of rows; arguments as for `ConfusionSums.grouped`.

        Raises:
            UserError: for a class number outside the space.
        """
        scored = scored_rows(prediction, target)
        confidence, chosen = prediction[scored].double().max(dim=1)
        hit = (chosen == target[scored]).double()
        edges = torch.linspace(0, 1, self.num_bins + 1, dtype=torch.float64, device=prediction.device)
        bins = (torch.bucketize(confidence, edges) - 1).clamp(0, self.num_bins - 1)
        terms = torch.stack((torch.ones_like(hit), confidence, hit), dim=1)  # b 3
        total = torch.zeros(num_groups * self.num_bins, 3, dtype=torch.float64, device=prediction.device)
        return total.index_add_(0, group[scored] * self.num_bins + bins, terms).view(-1, *self.shape)


def expected_calibration_error(sums: Float64[Tensor, "*s bins 3"]) -> Float64[Tensor, "*s"]:
    """Mean over the samples of |confidence − accuracy| of their bin; NaN without samples."""
    count, confidence, hits = sums.unbind(dim=-1)
    return (confidence - hits).abs().sum(dim=-1) / count.sum(dim=-1)
