"""The additive sums of every person's rows, from which the scores, and the intervals of the scores, are values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int, Int64
from torch import Tensor

from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.evaluation.bootstrap import (
    LEVEL,
    NO_INTERVAL,
    RESAMPLES,
    Interval,
    bootstrap_error,
    check_level,
    error_method,
    jackknife_error,
    resampled_sums,
    t_interval,
)
from fer_zoo.evaluation.sum_values import RECALLS, SumValue, metric_value, values_by_name
from fer_zoo.metrics import ConfusionSums, grouped_sums_of, interocular_distance, value_family


@dataclass(frozen=True)
class Estimate:
    """A score with its interval; NaN where there is none."""

    value: float
    interval: Interval = NO_INTERVAL


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """How intervals are drawn: number of resamples (0: no intervals), seed and level."""

    resamples: int = RESAMPLES
    seed: int = 0
    level: float = LEVEL


# A mean of |gaps| grows with any noise, so that every resample has a larger one than the sample itself.
WITHOUT_INTERVAL = ("expected_calibration_error",)
NO_INTERVALS = Bootstrap(resamples=0)


@dataclass(frozen=True, kw_only=True)
class SubjectSums:
    """Sums per person ("s ...") of some rows.

    Attributes:
        space: label space of the rows.
        people: codes of the people, sorted; those with at least one label.
        images: rows with target and output.
        sums: of classes "answers" ("s k+1 k+1": rows label, columns answer, the last one "no answer") and
            "calibration" ("s bins 3"); of values "moments" and "worst" ("s 7 k": a missing output taken as the
            end of the range that is farther from the label); of points "distances" and "worst" ("s 5": one taken as an
            error of 1).
        fingerprint: of the labelled images' ids, in any order; "" where the ids are not known.
    """

    space: LabelSpace
    people: tuple[str, ...]
    images: int
    sums: Mapping[str, Float64[Tensor, "s ..."]]
    fingerprint: str = ""

    @property
    def num_subjects(self) -> int:
        """People with at least one label."""
        return len(self.people)

    def total(self, family: str) -> Float64[Tensor, "..."]:
        """The sums of all people."""
        return self.sums[family].sum(dim=0)

    def draw(self, bootstrap: Bootstrap) -> "Draws":
        """What estimates are made from; resamples, where there are people enough, are drawn once for all metrics.

        Raises:
            UserError: for a level outside 0 to 1.
        """
        check_level(bootstrap.level)
        if bootstrap.resamples == 0 or error_method(self.num_subjects) == "jackknife":
            return Draws(sums=self, bootstrap=bootstrap)
        flat = torch.cat([part.flatten(1) for part in self.sums.values()], dim=1)
        drawn = resampled_sums(flat, resamples=bootstrap.resamples, seed=bootstrap.seed)
        widths = [part[0].numel() for part in self.sums.values()]
        parts = zip(self.sums.items(), torch.split(drawn, widths, dim=1), strict=True)
        resampled = {family: part.reshape(-1, *sums.shape[1:]) for (family, sums), part in parts}
        return Draws(sums=self, bootstrap=bootstrap, resampled=resampled)


@dataclass(frozen=True, kw_only=True)
class Draws:
    """Sums per person and of each resample ("r ..."), and the estimates that follow from them."""

    sums: SubjectSums
    bootstrap: Bootstrap
    resampled: Mapping[str, Float64[Tensor, "r ..."]] = field(default_factory=dict)

    def estimate(self, name: str, *, missing_is_wrong: bool = False) -> Estimate:
        """A metric (its mean over the names, where it has names) with its interval; NaN where there are no sums for it.

        Args:
            name: of the metric.
            missing_is_wrong: count images without an output as wrong; else they are left out.
        """
        chosen = metric_value(name, missing_is_wrong=missing_is_wrong)
        if chosen.family not in self.sums.sums:
            return Estimate(float("nan"))
        if name in WITHOUT_INTERVAL:
            return Estimate(self.values(chosen).total[0].item())
        return self._estimates(chosen)[0]

    def estimates_by_name(self, name: str) -> list[Estimate]:
        """A metric of values for each entry of the space."""
        return self._estimates(values_by_name(name))

    def recalls(self) -> list[Estimate]:
        """For each class the share of its scored images that is recognised."""
        return self._estimates(RECALLS)

    def values(self, chosen: SumValue) -> "Values":
        """One number, or k of them, of all rows, without each person, and of each resample."""
        people = self.sums.sums[chosen.family]
        return Values(
            total=chosen.value(people.sum(dim=0)).double(),
            counted=chosen.images(people) > 0,
            left_out=lambda: chosen.value(people.sum(dim=0) - people).double(),
            drawn=chosen.value(self.resampled[chosen.family]).double() if self.resampled else None,
        )

    def _estimates(self, chosen: SumValue) -> list[Estimate]:
        values = self.values(chosen)
        if self.bootstrap.resamples == 0:
            return [Estimate(value) for value in values.total.tolist()]
        return values.estimates(chosen.bounds, self.bootstrap.level)


@dataclass(frozen=True)
class Values:
    """k numbers: of all people, and what their standard errors come from.

    Attributes:
        total: of all people, "k".
        counted: which people have images in each number, "s k".
        left_out: makes those without each person, "s k"; needed for few people only.
        drawn: those of each resample, "r k"; None where nothing was drawn.
    """

    total: Float64[Tensor, "k"]
    counted: Bool[Tensor, "s k"]
    left_out: Callable[[], Float64[Tensor, "s k"]]
    drawn: Float64[Tensor, "r k"] | None

    def estimates(self, bounds: tuple[float, float], level: float) -> list[Estimate]:
        """The numbers with their intervals: from the jackknife where few people are counted, else from resamples."""
        people = self.counted.sum(dim=0).tolist()
        found = []
        for i, (value, counted) in enumerate(zip(self.total.tolist(), people, strict=True)):
            if self.drawn is None or error_method(counted) == "jackknife":
                error = jackknife_error(self._without_each[:, i], self.counted[:, i])
            else:
                error = bootstrap_error(self.drawn[:, i], counted)
            found.append(Estimate(value, t_interval(value, error, counted, bounds, level)))
        return found

    @cached_property
    def _without_each(self) -> Float64[Tensor, "s k"]:
        return self.left_out()


def class_sums(
    subjects: Sequence[str],
    probabilities: Float[np.ndarray, "n k"],
    target: Int[np.ndarray, "n"],
    space: LabelSpace,
    *,
    calibrated: bool = True,
) -> SubjectSums:
    """The sums of classified rows; the order of the rows does not matter.

    Args:
        subjects: person of each row.
        probabilities: NaN in a row without an output.
        target: class numbers; -1 rows are left out.
        space: the classes.
        calibrated: whether the numbers are meant as probabilities; else there is no calibration error.
    """
    labelled = target >= 0
    people, person = numbered(np.asarray(subjects, dtype=object)[labelled])
    outputs, truth = torch.from_numpy(probabilities[labelled]), torch.from_numpy(target[labelled])
    missing = outputs.isnan().any(dim=1)
    # One more class, "no answer", that is no label of any row and the answer of the rows without an output.
    none = torch.zeros(len(outputs), 1, dtype=outputs.dtype).where(missing[:, None], -torch.inf)
    widened = torch.cat([outputs.where(~missing[:, None], -torch.inf), none], dim=1)
    sums = {"answers": ConfusionSums(len(space) + 1).grouped(widened, truth, person, len(people))}
    if calibrated:
        sums["calibration"] = grouped_sums_of("calibration", outputs, truth, space, person, len(people))
    return SubjectSums(space=space, people=people, images=int((~missing).sum()), sums=sums)


def drawn_class_sums(
    subjects: Sequence[str],
    probabilities: Float[np.ndarray, "n k"],
    target: Int[np.ndarray, "n"],
    space: LabelSpace,
) -> SubjectSums:
    """The expected sums when each row's class is drawn from its probabilities: no draw, no noise."""
    labelled = target >= 0
    people, person = numbered(np.asarray(subjects, dtype=object)[labelled])
    chances, classes = torch.from_numpy(probabilities[labelled]).double(), len(space)
    expected = torch.zeros(len(people) * classes, classes, dtype=torch.float64)
    expected.index_add_(0, person * classes + torch.from_numpy(target[labelled]), chances)
    answers = torch.nn.functional.pad(expected.view(-1, classes, classes), (0, 1, 0, 1))
    return SubjectSums(space=space, people=people, images=int(labelled.sum()), sums={"answers": answers})


def value_sums(
    subjects: Sequence[str],
    prediction: Float[np.ndarray, "n k"],
    target: Float[np.ndarray, "n k"],
    space: LabelSpace,
) -> SubjectSums:
    """The sums of rows with values; rows without any label are left out, and the order of rows does not matter."""
    labelled = np.isfinite(target).any(axis=1)
    people, person = numbered(np.asarray(subjects, dtype=object)[labelled])
    outputs, truth = torch.from_numpy(prediction[labelled]), torch.from_numpy(target[labelled])
    family = value_family(space)
    sums = grouped_sums_of(family, outputs, truth, space, person, len(people))
    missing, worst = outputs.isnan(), sums
    if bool((missing & ~truth.isnan()).any()):
        filled = _wrong_outputs(truth, space).to(outputs.dtype).where(missing, outputs)
        worst = grouped_sums_of(family, filled, truth, space, person, len(people))
    scored = int((~missing & ~truth.isnan()).any(dim=1).sum())
    return SubjectSums(space=space, people=people, images=scored, sums={family: sums, "worst": worst})


def _wrong_outputs(truth: Float[Tensor, "n k"], space: LabelSpace) -> Float[Tensor, "n k"]:
    """What a missing output counts as: the end of the range farther from the label; of points, an error of 1."""
    if space.is_points:
        aside = torch.stack([interocular_distance(truth), torch.zeros(len(truth), dtype=torch.float64)], dim=1)
        return truth + aside.repeat(1, len(space) // 2)
    return torch.where(truth - space.minimum > space.maximum - truth, space.minimum, space.maximum)


def numbered(subjects: Sequence[str] | np.ndarray) -> tuple[tuple[str, ...], Int64[Tensor, "n"]]:
    """The codes of the people, sorted, and for each row the position of its person among them."""
    import pandas as pd

    person, people = pd.factorize(np.asarray(subjects, dtype=object), sort=True)
    return tuple(map(str, people)), torch.from_numpy(person.astype(np.int64))
