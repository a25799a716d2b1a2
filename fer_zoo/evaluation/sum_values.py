"""What is read from the sums of people: a number (or one a class or name), the images behind it, its range."""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float64
from torch import Tensor

from fer_zoo.metrics import class_counts, mean_over_names, metric


@dataclass(frozen=True, kw_only=True)
class SumValue:
    """One number that follows from a family of sums, or k of them.

    Attributes:
        family: which of the sums.
        value: sums "*s ..." -> "*s k".
        images: sums "*s ..." -> how many images enter each of the k numbers, "*s k".
        bounds: the least and the greatest value there can be.
    """

    family: str
    value: Callable[[Tensor], Tensor]
    images: Callable[[Tensor], Tensor]
    bounds: tuple[float, float]


def metric_value(name: str, *, missing_is_wrong: bool = False) -> SumValue:
    """A metric (its mean over the names, where it has names), k = 1; of family "" where it has no meaning.

    Args:
        name: of the metric.
        missing_is_wrong: count images without an output as wrong; else they are left out.

    Raises:
        UserError: for an unknown metric.
    """
    chosen = metric(name)
    if chosen.family == "moments":
        return SumValue(
            family="worst" if missing_is_wrong else "moments",
            value=lambda sums: mean_over_names(chosen.value(sums))[..., None],
            images=lambda sums: sums[..., 0, :].sum(dim=-1, keepdim=True),
            bounds=chosen.bounds,
        )
    if chosen.family == "distances":
        return SumValue(
            family="worst" if missing_is_wrong else "distances",
            value=lambda sums: chosen.value(sums)[..., None],
            images=lambda sums: sums[..., :1],
            bounds=chosen.bounds,
        )
    if chosen.family == "calibration":
        return SumValue(
            family="" if missing_is_wrong else "calibration",
            value=lambda sums: chosen.value(sums)[..., None],
            images=lambda sums: sums[..., 0].sum(dim=-1, keepdim=True),
            bounds=chosen.bounds,
        )
    value = _value_of_answers(name, missing_is_wrong=missing_is_wrong)
    return SumValue(
        family="answers",
        value=lambda sums: value(sums)[..., None],
        images=lambda sums: (sums if missing_is_wrong else answered(sums)).sum(dim=(-2, -1))[..., None],
        bounds=chosen.bounds,
    )


def values_by_name(name: str) -> SumValue:
    """A metric of values for each entry of the space."""
    chosen = metric(name)
    return SumValue(family="moments", value=chosen.value, images=lambda sums: sums[..., 0, :], bounds=chosen.bounds)


RECALLS = SumValue(
    family="answers",
    value=lambda sums: recall(answered(sums)),
    images=lambda sums: answered(sums).sum(dim=-1),
    bounds=(0.0, 1.0),
)


def answered(answers: Float64[Tensor, "*s a a"]) -> Float64[Tensor, "*s k k"]:
    """The confusion matrix of the rows with an output."""
    return answers[..., :-1, :-1]


def recall(confusion: Float64[Tensor, "*s k k"]) -> Float64[Tensor, "*s k"]:
    """Share of each class's rows on the diagonal; NaN for a class without rows."""
    return confusion.diagonal(dim1=-2, dim2=-1) / confusion.sum(dim=-1)


def precision(confusion: Float64[Tensor, "*s k k"]) -> Float64[Tensor, "*s k"]:
    """Share of each answer that is right; NaN for a class that was never the answer."""
    return confusion.diagonal(dim1=-2, dim2=-1) / confusion.sum(dim=-2)


def _value_of_answers(name: str, *, missing_is_wrong: bool) -> Callable[[Tensor], Tensor]:
    chosen = metric(name)
    if not missing_is_wrong:
        return lambda sums: chosen.value(class_counts(answered(sums)))
    if name == "macro_f1":
        return lambda sums: chosen.value(class_counts(sums)) * _share_of_classes(sums)
    return lambda sums: chosen.value(class_counts(sums))


def _share_of_classes(answers: Float64[Tensor, "*s a a"]) -> Float64[Tensor, "*s"]:
    """By how much the class "no answer", with its F1 of 0, thins out the mean over the classes that occur."""
    occurs = answers.sum(dim=-1) + answers.sum(dim=-2) > 0
    classes = occurs[..., :-1].sum(dim=-1)
    return (classes + occurs[..., -1].double()) / classes
