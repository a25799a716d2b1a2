"""Metrics of predicted numbers from their moments: errors, correlations and agreement, one value a name.

The intraclass correlations take label and prediction as two raters of each sample (Shrout & Fleiss, 1979), all samples
pooled. Constant columns follow one policy, written out in docs/metrics.md: a model that collapsed to a constant scores
0, what no data can tell is NaN.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

NUM_MOMENTS = 7  # n, Σx, Σy, Σx², Σy², Σxy, Σ|x − y|; x prediction, y label, both less the centre
# Temporaries stay in the processor's cache, and below the size at which torch starts threads: they cost more than they
# bring, and many times that where another program uses a core that they wait for.
_NUMBERS_AT_ONCE = 32_768


@dataclass(frozen=True)
class MomentSums:
    """Moments of (prediction, label) about a fixed centre; they add over batches, processes and subjects.

    Attributes:
        num_names: k.
        centre: subtracted from both, so that float64 sums lose nothing; no metric depends on it.
    """

    num_names: int
    centre: float = 0.0

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the sums."""
        return (NUM_MOMENTS, self.num_names)

    def sums(self, prediction: Float[Tensor, "b k"], target: Float[Tensor, "b k"]) -> Float64[Tensor, "7 k"]:
        """n, Σx, Σy, Σx², Σy², Σxy and Σ|x − y| of each name; a pair with a NaN on either side is skipped."""
        total = torch.zeros(self.shape, dtype=torch.float64, device=prediction.device)
        for rows in self._blocks(len(prediction)):
            terms = self._terms(prediction[rows].double(), target[rows].double())
            total += torch.stack([term.sum(dim=0) for term in terms])
        return total

    def grouped(
        self, prediction: Float[Tensor, "b k"], target: Float[Tensor, "b k"], group: Int64[Tensor, "b"], num_groups: int
    ) -> Float64[Tensor, "g 7 k"]:
        """The sums of each group of rows, such as of each person; a group without rows has zeros.

        Args:
            prediction: as for `sums`.
            target: as for `sums`.
            group: number of each row's group.
            num_groups: how many groups there are.
        """
        total = torch.zeros(NUM_MOMENTS, num_groups, self.num_names, dtype=torch.float64, device=prediction.device)
        for rows in self._blocks(len(prediction)):
            terms = self._terms(prediction[rows].double(), target[rows].double())
            total.index_add_(1, group[rows], torch.stack([term.double() for term in terms]))
        return total.transpose(0, 1).contiguous()

    def _blocks(self, rows: int) -> list[slice]:
        at_once = max(1, _NUMBERS_AT_ONCE // self.num_names)
        return [slice(first, first + at_once) for first in range(0, rows, at_once)]

    def _terms(self, prediction: Float64[Tensor, "b k"], target: Float64[Tensor, "b k"]) -> tuple[Tensor, ...]:
        """What each pair adds to each of the seven moments, "b k"; 0 where one side is missing."""
        paired = ~(prediction.isnan() | target.isnan())
        x = (prediction - self.centre).where(paired, 0.0)
        y = (target - self.centre).where(paired, 0.0)
        return paired, x, y, x * x, y * y, x * y, (x - y).abs()


def mae(sums: Float64[Tensor, "*s 7 k"]) -> Float64[Tensor, "*s k"]:
    """Mean |x − y|; NaN without pairs."""
    return sums[..., 6, :] / sums[..., 0, :]


def mse(sums: Float64[Tensor, "*s 7 k"]) -> Float64[Tensor, "*s k"]:
    """Mean (x − y)²; NaN without pairs."""
    n, _, _, xx, yy, xy, _ = sums.unbind(dim=-2)
    return (xx + yy - 2 * xy).clamp_min(0) / n


def pearson(sums: Float64[Tensor, "*s 7 k"]) -> Float64[Tensor, "*s k"]:
    """Correlation; 0 for a constant prediction of varying labels, NaN for constant labels or fewer than two pairs."""
    m = _centred(sums)
    value = (m.c / (m.a * m.b).sqrt()).where(~m.x_constant, 0.0)
    return value.where(~m.y_constant & (m.n >= 2), torch.nan)


def ccc(sums: Float64[Tensor, "*s 7 k"]) -> Float64[Tensor, "*s k"]:
    """Concordance correlation of population moments (Lin, 1989); NaN for equal constants or fewer than two pairs."""
    m = _centred(sums)
    value = 2 * m.c / (m.a + m.b + m.n * m.d.square())
    value = value.where(~(m.x_constant & m.y_constant), 0.0)
    scale = torch.maximum(m.mean_x.square(), m.mean_y.square()).clamp_min(1)
    equal = m.x_constant & m.y_constant & (m.d.square() <= 1e-12 * scale)
    return value.where(~equal & (m.n >= 2), torch.nan)


def icc31(sums: Float64[Tensor, "*s 7 k"]) -> Float64[Tensor, "*s k"]:
    """ICC(3,1), consistency: (BMS − EMS)/(BMS + EMS) = 2C/(A + B); an offset of the predictions costs nothing."""
    m = _centred(sums)
    return _where_anything_varies(2 * m.c / (m.a + m.b), m)


def icc21(sums: Float64[Tensor, "*s 7 k"]) -> Float64[Tensor, "*s k"]:
    """ICC(2,1), absolute agreement: (BMS − EMS)/(BMS + EMS + 2(JMS − EMS)/n); an offset of the predictions costs."""
    m = _centred(sums)
    between = (m.a + m.b + 2 * m.c) / (2 * (m.n - 1))  # BMS
    error = (m.a + m.b - 2 * m.c) / (2 * (m.n - 1))  # EMS
    judges = m.n * m.d.square() / 2  # JMS
    divisor = between + error + 2 * (judges - error) / m.n
    # Two samples whose two raters swap places leave a divisor of rounding error only.
    value = ((between - error) / divisor).where(divisor > 1e-12 * (between + error), torch.nan)
    return _where_anything_varies(value, m)


def prediction_constant(sums: Float64[Tensor, "*s 7 k"]) -> Bool[Tensor, "*s k"]:
    """Flag of the names whose predictions are all the same, up to rounding; False without pairs."""
    return _centred(sums).x_constant & (sums[..., 0, :] > 0)


def label_constant(sums: Float64[Tensor, "*s 7 k"]) -> Bool[Tensor, "*s k"]:
    """Flag of the names whose labels are all the same, up to rounding; False without pairs."""
    return _centred(sums).y_constant & (sums[..., 0, :] > 0)


class _Centred(NamedTuple):
    """Pairs, A = Σ(x−x̄)², B = Σ(y−ȳ)², C = Σ(x−x̄)(y−ȳ), d = x̄−ȳ, and which side is constant; each "*s k"."""

    n: Tensor
    mean_x: Tensor
    mean_y: Tensor
    a: Tensor
    b: Tensor
    c: Tensor
    d: Tensor
    x_constant: Tensor
    y_constant: Tensor


def _centred(sums: Float64[Tensor, "*s 7 k"]) -> _Centred:
    n, x, y, xx, yy, xy, _ = sums.unbind(dim=-2)
    mean_x, mean_y = x / n, y / n
    a, b = (xx - x * mean_x).clamp_min(0), (yy - y * mean_y).clamp_min(0)
    x_constant = a <= 1e-12 * mean_x.square().clamp_min(1) * n
    y_constant = b <= 1e-12 * mean_y.square().clamp_min(1) * n
    c = (xy - x * mean_y).where(~(x_constant | y_constant), 0.0)  # exactly 0, not its rounding error
    return _Centred(n, mean_x, mean_y, a, b, c, mean_x - mean_y, x_constant, y_constant)


def _where_anything_varies(value: Float64[Tensor, "*s k"], m: _Centred) -> Float64[Tensor, "*s k"]:
    """NaN where both sides are constant or there are fewer than two pairs."""
    return value.where(~(m.x_constant & m.y_constant) & (m.n >= 2), torch.nan)
