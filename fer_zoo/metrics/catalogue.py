"""All metrics by name, each a value of one family of additive sums."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from types import MappingProxyType
from typing import Literal

from jaxtyping import Float, Float64, Int64, Shaped
from torch import Tensor

from fer_zoo.core.errors import UserError, unknown_name
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.metrics import confusion, distances, moments
from fer_zoo.metrics.calibration import CalibrationSums, expected_calibration_error
from fer_zoo.metrics.confusion import ConfusionSums, CountSums
from fer_zoo.metrics.distances import DistanceSums
from fer_zoo.metrics.moments import MomentSums

FamilyName = Literal["counts", "confusion", "calibration", "moments", "distances"]
Family = CountSums | ConfusionSums | CalibrationSums | MomentSums | DistanceSums

TABLE = "confusion_matrix"  # the one metric that is no number, nor one a name


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: as users write it.
        family: which sums it needs.
        value: sums with any leading axes -> value with the same leading axes (and the axis of names, if per name).
        higher_is_better: None where no order is meant.
        summary: what it says, in half a sentence.
        bounds: the least and the greatest value there can be.
    """

    name: str
    family: FamilyName
    value: Callable[[Tensor], Tensor]
    higher_is_better: bool | None
    summary: str
    bounds: tuple[float, float] = (0.0, 1.0)

    @property
    def per_name(self) -> bool:
        """Whether the value has one number for each entry of the label space."""
        return self.family == "moments"

    def fits(self, space: LabelSpace) -> bool:
        """Whether the metric is meant for a space of this kind."""
        if space.kind == "classes":
            return self.family in ("counts", "confusion", "calibration")
        return self.family == value_family(space)


_ALL = (
    Metric("accuracy", "counts", confusion.accuracy, True, "share of samples recognised"),
    Metric("mean_class_accuracy", "counts", confusion.mean_class_accuracy, True, "mean recall of the classes present"),
    Metric("macro_f1", "counts", confusion.macro_f1, True, "mean F1 of the classes labelled or predicted"),
    Metric(TABLE, "confusion", confusion.confusion_matrix, None, "counts, rows label, columns prediction"),
    Metric(
        "expected_calibration_error",
        "calibration",
        expected_calibration_error,
        False,
        "mean gap between confidence and accuracy, 15 bins",
    ),
    Metric("mae", "moments", moments.mae, False, "mean absolute error", (0.0, inf)),
    Metric("mse", "moments", moments.mse, False, "mean squared error", (0.0, inf)),
    Metric("pearson", "moments", moments.pearson, True, "Pearson's correlation", (-1.0, 1.0)),
    Metric("ccc", "moments", moments.ccc, True, "Lin's concordance correlation", (-1.0, 1.0)),
    Metric("icc31", "moments", moments.icc31, True, "intraclass correlation ICC(3,1), consistency", (-1.0, 1.0)),
    Metric("icc21", "moments", moments.icc21, True, "intraclass correlation ICC(2,1), absolute agreement", (-inf, 1.0)),
    Metric("nme", "distances", distances.nme, False, "mean distance of points over that of the eyes", (0.0, inf)),
)
METRICS: Mapping[str, Metric] = MappingProxyType({entry.name: entry for entry in _ALL})


def metric(name: str) -> Metric:
    """The metric of that name.

    Raises:
        UserError: if there is none, with the nearest names.
    """
    if name not in METRICS:
        raise unknown_name("metric", name, tuple(METRICS))
    return METRICS[name]


def metric_names(space: LabelSpace) -> tuple[str, ...]:
    """Names of the metrics that give numbers for a label space; `confusion_matrix`, a table, is not among them."""
    return tuple(m.name for m in _ALL if m.fits(space) and m.name != TABLE)


def family_for(space: LabelSpace, name: str) -> Family:
    """The family whose sums a metric needs on a label space.

    Args:
        space: gives the number of entries and the centre.
        name: of the metric.

    Raises:
        UserError: for an unknown metric, or one that does not fit the kind of the space.
    """
    chosen = metric(name)
    if not chosen.fits(space):
        fitting = ", ".join(m.name for m in _ALL if m.fits(space))
        what = "points" if space.is_points else space.kind
        raise UserError(f"Metric {name!r} does not fit {space.name}, a space of {what}; take one of {fitting}.")
    return _family(space, chosen.family)


def sums_of(
    family: FamilyName, prediction: Float[Tensor, "b k"], target: Shaped[Tensor, "b ..."], space: LabelSpace
) -> Float64[Tensor, "..."]:
    """The additive float64 sums of a family, about the centre of the label space.

    Args:
        family: name of the family.
        prediction: probabilities of classes, or values as they are to be scored (whoever makes them clips them to
            the range of the space); NaN where the output is missing.
        target: class numbers "b" with -1, or values "b k" with NaN, where the label is missing.
        space: the label space of both.

    Returns:
        "3 k" for counts (hits, labels, answers), "k k" for confusion (rows label), "15 3" for calibration, "7 k" for
        moments, "5" for distances.

    Raises:
        UserError: if the prediction's width is not that of the space, or a class number lies outside it.

    Example:
        >>> import torch
        >>> from fer_zoo.core.label_spaces import label_space
        >>> one_hot = torch.eye(6)[[0, 1, 1]]
        >>> sums = sums_of("counts", one_hot, torch.tensor([0, 0, -1]), label_space("emotion/basic6"))
        >>> metric("accuracy").value(sums).item()
        0.5
    """
    if prediction.shape[1] != len(space):
        raise UserError(f"The prediction has {prediction.shape[1]} columns, but {space.name} has {len(space)} entries.")
    return _family(space, family).sums(prediction, target)


def grouped_sums_of(
    family: FamilyName,
    prediction: Float[Tensor, "b k"],
    target: Shaped[Tensor, "b ..."],
    space: LabelSpace,
    group: Int64[Tensor, "b"],
    num_groups: int,
) -> Float64[Tensor, "g ..."]:
    """The sums of each group of rows, such as of each person: those of `sums_of` with one more axis in front.

    Args:
        family: name of the family.
        prediction: as for `sums_of`.
        target: as for `sums_of`.
        space: the label space of both.
        group: number of each row's group.
        num_groups: how many groups there are; one without rows has zeros.

    Raises:
        UserError: if a class number lies outside the space.
    """
    return _family(space, family).grouped(prediction, target, group, num_groups)


def value_family(space: LabelSpace) -> FamilyName:
    """The family of the metrics of a space of values: points are scored by distance, other values one by one."""
    return "distances" if space.is_points else "moments"


def mean_over_names(values: Float64[Tensor, "*s k"], *, required: Sequence[str] = ()) -> Float64[Tensor, "*s"]:
    """Mean of a metric over its names, NaN left out; NaN where no name has a value.

    Args:
        values: the last axis holds the names.
        required: strict reading: the names, in order, each of which must have a value.

    Raises:
        UserError: in the strict reading, listing the names without value.
    """
    if required:
        lacking = values.isnan().reshape(-1, len(required)).any(dim=0).tolist()
        without = [name for name, is_lacking in zip(required, lacking, strict=True) if is_lacking]
        if without:
            raise UserError(
                f"The mean needs all {len(required)} names, but {', '.join(without)} have no value (no or constant "
                "labels); leave them out of the label space or take the mean over those that have one."
            )
    return values.nanmean(dim=-1)


def names_entered(values: Float64[Tensor, "*s k"]) -> Int64[Tensor, "*s"]:
    """How many names entered the mean of `mean_over_names`."""
    return (~values.isnan()).sum(dim=-1)


def _family(space: LabelSpace, family: FamilyName) -> Family:
    if family == "counts":
        return CountSums(len(space))
    if family == "confusion":
        return ConfusionSums(len(space))
    if family == "calibration":
        return CalibrationSums()
    if family == "distances":
        return DistanceSums(len(space) // 2)
    return MomentSums(len(space), space.centre)
