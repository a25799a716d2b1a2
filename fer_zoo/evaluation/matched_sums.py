"""Sums of several seeds or methods on the same images: checked for that, and averaged over seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float64
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.evaluation.subject_sums import SubjectSums


def check_same_images(many: Mapping[str, SubjectSums]) -> None:
    """Checks that sums are of the same label space, people, images and labels; outputs may be missing.

    Args:
        many: name -> sums.

    Raises:
        UserError: if there are none, or naming the first that differs from the first one, and in what.
    """
    if not many:
        raise UserError("There is nothing to compare: give the sums of at least one prediction table.")
    (first, expected), *others = many.items()
    for name, sums in others:
        difference = _difference(expected, sums)
        if difference:
            raise UserError(
                f"{first} and {name} cannot be compared, because their {difference} differ; evaluate both on the same"
                " images, or take `common_rows` of their tables."
            )


def mean_sums(many: Sequence[SubjectSums]) -> SubjectSums:
    """The sums of a method with several seeds: per person the mean over the seeds.

    A metric of them is that of all seeds' outputs taken together: for accuracy the mean over the seeds, for metrics
    that are no means (macro-F1, correlations) near it. `images` is the mean, too, rounded.

    Raises:
        UserError: if there are none, or they are not of the same people and images.
    """
    check_same_images({f"Seed {position}": sums for position, sums in enumerate(many, start=1)})
    families = [family for family in many[0].sums if all(family in sums.sums for sums in many)]
    means = {family: torch.stack([sums.sums[family] for sums in many]).mean(dim=0) for family in families}
    return replace(many[0], images=round(sum(sums.images for sums in many) / len(many)), sums=means)


def _difference(one: SubjectSums, other: SubjectSums) -> str:
    """What differs, in the plural; "" for nothing."""
    if one.space != other.space:
        return f"label spaces ({one.space.name} and {other.space.name})"
    if one.people != other.people:
        alone = sorted(set(one.people) ^ set(other.people))
        return f"people ({one.num_subjects} and {other.num_subjects}, only in one of them {', '.join(alone[:3])})"
    if one.fingerprint and other.fingerprint and one.fingerprint != other.fingerprint:
        return "images"
    labels, others = _labels(one), _labels(other)
    return "" if torch.allclose(labels, others, rtol=1e-9, atol=1e-6) else "numbers of images and labels per person"


def _labels(sums: SubjectSums) -> Float64[Tensor, "s ..."]:
    """What the labels alone add to each person's sums: images of each class; number, Σy and Σy² of each name;
    of points samples, points and Σ inter-ocular distance."""
    if sums.space.kind == "classes":
        return sums.sums["answers"].sum(dim=-1)
    return sums.sums["worst"][:, [0, 2, 4]]
