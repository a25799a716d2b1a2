"""Sums of several seeds: their mean, and what may not be averaged or compared."""

from dataclasses import replace

import numpy as np
import pytest

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.evaluation.matched_sums import check_same_images, mean_sums
from fer_zoo.evaluation.subject_sums import NO_INTERVALS, SubjectSums, class_sums, value_sums

BASIC, AU = label_space("emotion/basic6"), label_space("au/fera2015")
RNG = np.random.default_rng(0)
PEOPLE = [f"s{i % 8}" for i in range(80)]
TARGET = RNG.integers(0, 6, 80)


def seed_sums(target: np.ndarray = TARGET, people: list[str] = PEOPLE) -> SubjectSums:
    return class_sums(people, RNG.dirichlet(np.ones(6), len(target)), target, BASIC)


def score(sums: SubjectSums, name: str) -> float:
    return sums.draw(NO_INTERVALS).estimate(name).value


def test_the_accuracy_of_mean_sums_is_the_mean_accuracy() -> None:
    seeds = [seed_sums() for _ in range(3)]
    expected = np.mean([score(sums, "accuracy") for sums in seeds])
    assert score(mean_sums(seeds), "accuracy") == pytest.approx(expected)
    assert mean_sums(seeds).images == 80


def test_the_mae_of_mean_sums_is_the_mean_mae() -> None:
    target = RNG.integers(0, 6, (80, 5)).astype(float)
    seeds = [value_sums(PEOPLE, RNG.uniform(0, 5, (80, 5)), target, AU) for _ in range(3)]
    assert score(mean_sums(seeds), "mae") == pytest.approx(np.mean([score(sums, "mae") for sums in seeds]))


def test_outputs_may_be_missing() -> None:
    probabilities = RNG.dirichlet(np.ones(6), 80)
    probabilities[:5] = np.nan
    assert mean_sums([seed_sums(), class_sums(PEOPLE, probabilities, TARGET, BASIC)]).images == 78


def test_other_people_images_labels_and_spaces_are_refused() -> None:
    sums = seed_sums()
    with pytest.raises(UserError, match=r"people \(8 and 7, only in one of them s7\) differ"):
        mean_sums([sums, seed_sums(people=[f"s{i % 7}" for i in range(80)])])
    with pytest.raises(UserError, match=r"Seed 1 and Seed 3 .* numbers of images and labels per person differ"):
        mean_sums([sums, sums, seed_sums(target=(TARGET + 1) % 6)])
    with pytest.raises(UserError, match="their images differ"):
        check_same_images({"a": replace(sums, fingerprint="80-1"), "b": replace(sums, fingerprint="80-2")})
    with pytest.raises(UserError, match="label spaces"):
        check_same_images({"a": sums, "b": replace(sums, space=label_space("emotion/basic7"))})
    with pytest.raises(UserError, match="nothing to compare"):
        mean_sums([])
