"""How much a score moves with the seed and from fold to fold: the noise that a gap between methods has to exceed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.evaluation.scores import rows_with_target, table_sums
from fer_zoo.evaluation.subject_sums import NO_INTERVALS
from fer_zoo.metrics import family_for


@dataclass(frozen=True, kw_only=True)
class Noise:
    """A metric by seed and by fold. The pooled figure is not the mean over folds: papers report the one or the other.

    Attributes:
        metric: name of it.
        pooled: seed -> value over the images of all folds together.
        folds: seed -> fold -> value within the fold.
        pooled_mean: mean of `pooled` over the seeds.
        fold_mean: mean over folds within a seed, then over the seeds.
        sd_over_seeds: standard deviation of `pooled`; NaN for one seed.
        sd_over_folds: standard deviation from fold to fold within a seed, as root mean square over the seeds; NaN for
            one fold. It holds the luck of the people in the fold besides that of the training.
    """

    metric: str
    pooled: Mapping[int, float]
    folds: Mapping[int, Mapping[str, float]]
    pooled_mean: float
    fold_mean: float
    sd_over_seeds: float
    sd_over_folds: float


def noise(
    tables: Mapping[int, pd.DataFrame], space: LabelSpace, metric: str, *, missing_is_wrong: bool = False
) -> Noise:
    """The noise of a method that was trained with several seeds on several folds.

    Args:
        tables: seed -> prediction table of all its folds.
        space: label space of the outputs.
        metric: name of it.
        missing_is_wrong: count images without an output as wrong; else they are left out.

    Raises:
        UserError: if there is no table, columns are missing, or the metric does not fit.
    """
    if not tables:
        raise UserError("There is no table to tell the noise of; give at least one seed's.")
    family_for(space, metric)
    pooled, folds = dict[int, float](), dict[int, dict[str, float]]()
    for seed, table in tables.items():
        table = table[rows_with_target(table, space)]
        names = table["fold"].astype(str)
        pooled[seed] = _value(table, space, metric, missing_is_wrong)
        folds[seed] = {
            fold: _value(table[names == fold], space, metric, missing_is_wrong) for fold in sorted(names.unique())
        }
    within = [np.array(list(of_seed.values())) for of_seed in folds.values()]
    return Noise(
        metric=metric,
        pooled=pooled,
        folds=folds,
        pooled_mean=_mean(list(pooled.values())),
        fold_mean=_mean([_mean(values) for values in within]),
        sd_over_seeds=_spread(list(pooled.values())),
        sd_over_folds=float(np.sqrt(_mean([_spread(values) ** 2 for values in within]))),
    )


def _value(table: pd.DataFrame, space: LabelSpace, metric: str, missing_is_wrong: bool) -> float:
    return table_sums(table, space).draw(NO_INTERVALS).estimate(metric, missing_is_wrong=missing_is_wrong).value


def _mean(values: "list[float] | np.ndarray") -> float:
    """Mean of what exists; NaN where nothing does."""
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    return float(known.mean()) if len(known) else float("nan")


def _spread(values: "list[float] | np.ndarray") -> float:
    """Standard deviation of what exists; NaN below two."""
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    return float(known.std(ddof=1)) if len(known) > 1 else float("nan")
