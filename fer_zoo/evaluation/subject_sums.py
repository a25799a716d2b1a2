"""The additive sums of every person's rows, from which the scores, and the intervals of the scores, are values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor

from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.evaluation.bootstrap import Interval, percentile_bounds, resampled_sums, sums_per_subject
from fer_zoo.metrics import ConfusionSums, mean_over_names, metric, sums_of


@dataclass(frozen=True)
class Estimate:
    """A score with its interval; NaN where there is none."""

    value: float
    interval: Interval = Interval(float("nan"), float("nan"))


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """How intervals are drawn: number of resamples (0: no intervals), seed and level."""

    resamples: int = 10_000
    seed: int = 0
    level: float = 0.95


# A mean of |gaps| grows with any noise, so that every resample has a larger one than the sample itself.
WITHOUT_INTERVAL = ("expected_calibration_error",)
NO_INTERVALS = Bootstrap(resamples=0)


@dataclass(frozen=True, kw_only=True)
class SubjectSums:
    """Sums per person ("s ...") of some rows.

    Attributes:
        space: label space of the rows.
        images: rows with target and output.
        sums: of classes "answers" ("s k+1 k+1": rows label, columns answer, the last one "no answer") and
            "calibration" ("s bins 3"); of values "moments" and "worst" ("s 7 k": a missing output taken as the
            end of the range that is farther from the label).
    """

    space: LabelSpace
    images: int
    sums: Mapping[str, Float64[Tensor, "s ..."]]

    @property
    def num_subjects(self) -> int:
        """People with at least one row."""
        return len(next(iter(self.sums.values())))

    def total(self, family: str) -> Float64[Tensor, "..."]:
        """The sums of all people."""
        return self.sums[family].sum(dim=0)

    def draw(self, bootstrap: Bootstrap) -> "Draws":
        """The total and, for two people and more, the resamples: drawn once for all metrics."""
        totals = {family: self.total(family) for family in self.sums}
        if bootstrap.resamples == 0 or self.num_subjects < 2:
            return Draws(self.space, totals, {}, bootstrap.level)
        flat = torch.cat([part.flatten(1) for part in self.sums.values()], dim=1)
        drawn = resampled_sums(flat, resamples=bootstrap.resamples, seed=bootstrap.seed)
        widths = [part[0].numel() for part in self.sums.values()]
        parts = zip(self.sums, torch.split(drawn, widths, dim=1), strict=True)
        return Draws(
            self.space,
            totals,
            {family: part.reshape(-1, *totals[family].shape) for family, part in parts},
            bootstrap.level,
        )


@dataclass(frozen=True)
class Draws:
    """Sums of all rows and of each resample ("r ..."), and the estimates that follow from them."""

    space: LabelSpace
    totals: Mapping[str, Float64[Tensor, "..."]]
    resampled: Mapping[str, Float64[Tensor, "r ..."]]
    level: float

    def estimate(self, name: str, *, missing_is_wrong: bool = False) -> Estimate:
        """A metric (its mean over the names, where it has names) with its interval; NaN where there are no sums for it.

        Args:
            name: of the metric.
            missing_is_wrong: count images without an output as wrong; else they are left out.
        """
        family, value = _value_of(name, missing_is_wrong=missing_is_wrong)
        if family not in self.totals:
            return Estimate(float("nan"))
        (estimate,) = self._estimates(family, lambda sums: value(sums)[..., None])
        return Estimate(estimate.value) if name in WITHOUT_INTERVAL else estimate

    def estimates_by_name(self, name: str) -> list[Estimate]:
        """A metric of values for each entry of the space."""
        return self._estimates("moments", metric(name).value)

    def recalls(self) -> list[Estimate]:
        """For each class the share of its scored images that is recognised."""
        return self._estimates("answers", lambda sums: recall(answered(sums)))

    def _estimates(self, family: str, value: Callable[[Tensor], Tensor]) -> list[Estimate]:
        values = value(self.totals[family]).tolist()
        if family not in self.resampled:
            return [Estimate(v) for v in values]
        low, high = percentile_bounds(value(self.resampled[family]).double(), self.level).tolist()
        return [Estimate(v, Interval(a, b)) for v, a, b in zip(values, low, high, strict=True)]


def class_sums(
    subjects: Sequence[str],
    probabilities: Float[np.ndarray, "n k"],
    target: Int[np.ndarray, "n"],
    space: LabelSpace,
    *,
    calibrated: bool = True,
) -> SubjectSums:
    """The sums of classified rows.

    Args:
        subjects: person of each row.
        probabilities: NaN in a row without an output.
        target: class numbers; -1 rows are left out.
        space: the classes.
        calibrated: whether the numbers are meant as probabilities; else there is no calibration error.
    """
    labelled = target >= 0
    people = np.asarray(subjects)[labelled].tolist()
    outputs, truth = torch.from_numpy(probabilities[labelled]), torch.from_numpy(target[labelled])
    missing = outputs.isnan().any(dim=1)
    # One more class, "no answer", that is no label of any row and the answer of the rows without an output.
    none = torch.zeros(len(outputs), 1, dtype=outputs.dtype).where(missing[:, None], -torch.inf)
    widened = torch.cat([outputs.where(~missing[:, None], -torch.inf), none], dim=1)
    sums = {"answers": sums_per_subject(people, ConfusionSums(len(space) + 1).sums, widened, truth)}
    if calibrated:
        sums["calibration"] = sums_per_subject(people, _sums_in("calibration", space), outputs, truth)
    return SubjectSums(space=space, images=int((~missing).sum()), sums=sums)


def drawn_class_sums(
    subjects: Sequence[str],
    probabilities: Float[np.ndarray, "n k"],
    target: Int[np.ndarray, "n"],
    space: LabelSpace,
) -> SubjectSums:
    """The expected sums when each row's class is drawn from its probabilities: no draw, no noise."""
    labelled = target >= 0
    people = np.asarray(subjects)[labelled].tolist()
    chances = torch.from_numpy(probabilities[labelled])
    truth = torch.nn.functional.one_hot(torch.from_numpy(target[labelled]), len(space)).double()

    def expected(chance: Tensor, label: Tensor) -> Tensor:
        return torch.nn.functional.pad(label.T @ chance, (0, 1, 0, 1))

    sums = {"answers": sums_per_subject(people, expected, chances, truth)}
    return SubjectSums(space=space, images=int(labelled.sum()), sums=sums)


def value_sums(
    subjects: Sequence[str],
    prediction: Float[np.ndarray, "n k"],
    target: Float[np.ndarray, "n k"],
    space: LabelSpace,
) -> SubjectSums:
    """The sums of rows with values; rows without any label are left out."""
    labelled = np.isfinite(target).any(axis=1)
    people = np.asarray(subjects)[labelled].tolist()
    outputs, truth = prediction[labelled], target[labelled]
    farther = np.where(truth - space.minimum > space.maximum - truth, space.minimum, space.maximum)
    filled = torch.from_numpy(np.where(np.isnan(outputs), farther, outputs))
    moments = _sums_in("moments", space)
    sums = {
        "moments": sums_per_subject(people, moments, torch.from_numpy(outputs), torch.from_numpy(truth)),
        "worst": sums_per_subject(people, moments, filled, torch.from_numpy(truth)),
    }
    return SubjectSums(space=space, images=int((~np.isnan(outputs + truth)).any(axis=1).sum()), sums=sums)


def answered(answers: Float64[Tensor, "*s a a"]) -> Float64[Tensor, "*s k k"]:
    """The confusion matrix of the rows with an output."""
    return answers[..., :-1, :-1]


def recall(confusion: Float64[Tensor, "*s k k"]) -> Float64[Tensor, "*s k"]:
    """Share of each class's rows on the diagonal; NaN for a class without rows."""
    return confusion.diagonal(dim1=-2, dim2=-1) / confusion.sum(dim=-1)


def precision(confusion: Float64[Tensor, "*s k k"]) -> Float64[Tensor, "*s k"]:
    """Share of each answer that is right; NaN for a class that was never the answer."""
    return confusion.diagonal(dim1=-2, dim2=-1) / confusion.sum(dim=-2)


def _value_of(name: str, *, missing_is_wrong: bool) -> tuple[str, Callable[[Tensor], Tensor]]:
    """The sums that a metric is taken from, and the number it gives."""
    chosen = metric(name)
    if chosen.family == "moments":
        return ("worst" if missing_is_wrong else "moments"), lambda sums: mean_over_names(chosen.value(sums))
    if chosen.family == "calibration":
        return ("" if missing_is_wrong else "calibration"), chosen.value
    if not missing_is_wrong:
        return "answers", lambda sums: chosen.value(answered(sums))
    if name == "macro_f1":
        return "answers", lambda sums: chosen.value(sums) * _share_of_classes(sums)
    return "answers", chosen.value


def _share_of_classes(answers: Float64[Tensor, "*s a a"]) -> Float64[Tensor, "*s"]:
    """By how much the class "no answer", with its F1 of 0, thins out the mean over the classes that occur."""
    occurs = answers.sum(dim=-1) + answers.sum(dim=-2) > 0
    classes = occurs[..., :-1].sum(dim=-1)
    return (classes + occurs[..., -1].double()) / classes


def _sums_in(family: str, space: LabelSpace) -> Callable[[Tensor, Tensor], Tensor]:
    if family == "calibration":
        return lambda prediction, target: sums_of("calibration", prediction, target, space)
    return lambda prediction, target: sums_of("moments", prediction, target, space)
