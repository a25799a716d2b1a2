"""The paired test over people: against scipy, against all swaps by hand; its false alarms are in test_coverage.py."""

import math
from itertools import product

import numpy as np
import pytest
from fakes.people import class_people, class_sums_of
from scipy import stats

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.evaluation.permutation import permutation_test, permutation_tests
from fer_zoo.evaluation.subject_sums import NO_INTERVALS, SubjectSums, class_sums
from fer_zoo.metrics import class_counts, metric

BASIC = label_space("emotion/basic6")


def two_methods(people: int, *, gap: float = 0.1, seed: int = 0) -> tuple[SubjectSums, SubjectSums]:
    """Ten images a person, the second method recognises `gap` less."""
    rng = np.random.default_rng(seed)
    labels = rng.multinomial(10, np.full(6, 1 / 6), size=people)
    pair = []
    for lost in (0.0, gap):
        hits = rng.binomial(labels, np.clip(rng.beta(6, 4, (people, 1)) - lost, 0, 1))
        answers = np.zeros((people, 7, 7))
        answers[:, range(6), range(6)] = hits
        answers[:, range(6), [1, 2, 3, 4, 5, 0]] += labels - hits
        pair.append(class_sums_of(answers))
    return pair[0], pair[1]


def hits(sums: SubjectSums) -> np.ndarray:
    return sums.sums["answers"].diagonal(dim1=1, dim2=2).sum(dim=1).numpy()


def test_few_people_are_tested_exactly_as_scipy_does() -> None:
    one, other = two_methods(9)
    found = permutation_test(one, other, "accuracy")
    expected = stats.permutation_test(
        (hits(one), hits(other)),
        lambda a, b, axis=-1: (a - b).mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    )
    assert (found.exact, found.permutations) == (True, 512)
    assert found.p == pytest.approx(expected.pvalue, abs=1e-12)
    assert found.difference == pytest.approx(expected.statistic / 10)


def test_many_people_are_tested_as_scipy_does() -> None:
    one, other = two_methods(60, seed=4)
    found = permutation_test(one, other, "accuracy", permutations=20_000)
    expected = stats.permutation_test(
        (hits(one), hits(other)),
        lambda a, b, axis=-1: (a - b).mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=20_000,
        rng=np.random.default_rng(1),
    )
    assert not found.exact
    assert 0.001 < expected.pvalue < 0.5
    assert found.p == pytest.approx(expected.pvalue, abs=0.012)


def test_a_metric_that_is_no_mean_is_computed_anew_in_each_swap() -> None:
    one, other = two_methods(6)
    found = permutation_test(one, other, "macro_f1")
    a, b = (sums.sums["answers"][:, :-1, :-1] for sums in (one, other))
    value = metric("macro_f1").value
    differences = []
    for swap in product([False, True], repeat=6):
        total = [sum(y[i] if s else x[i] for i, s in enumerate(swap)) for x, y in ((a, b), (b, a))]
        differences.append((value(class_counts(total[0])) - value(class_counts(total[1]))).item())
    assert found.difference == pytest.approx(differences[0])
    assert found.p == np.mean(np.abs(differences) >= abs(differences[0]) - 1e-12)


def test_no_difference_has_p_1_and_a_clear_one_the_least_there_can_be() -> None:
    one, other = two_methods(40, gap=0.5)
    assert permutation_test(one, one, "macro_f1", permutations=99).p == 1.0
    assert permutation_test(one, other, "accuracy", permutations=999).p == 1 / 1000


def test_missing_outputs_can_count_as_wrong() -> None:
    """One method answers nothing on half of its images and is right on the rest."""
    people = [f"s{i % 30:02d}" for i in range(300)]
    target = np.arange(300) % 6
    right = np.eye(6)[target]
    sparse = np.where((np.arange(300) // 30 % 2 == 0)[:, None], right, np.nan)
    full, half = (class_sums(people, outputs, target, BASIC) for outputs in (right, sparse))
    assert permutation_test(full, half, "accuracy", permutations=999).p == 1.0
    wrong = permutation_test(full, half, "accuracy", permutations=999, missing_is_wrong=True)
    assert (wrong.difference, wrong.p) == (0.5, 1 / 1000)


def test_the_seed_decides_and_pairs_are_tested_as_alone() -> None:
    pair, others = two_methods(60, seed=4), two_methods(60, seed=3)
    alone = permutation_test(*pair, "accuracy", permutations=500, seed=2)
    assert permutation_tests([others, pair], "accuracy", permutations=500, seed=2)[1] == alone
    assert permutation_test(*pair, "accuracy", permutations=500, seed=3).p != alone.p


def test_what_has_no_value_has_no_p() -> None:
    people, target = ["a", "b"], np.array([0, 1])
    nothing = class_sums(people, np.full((2, 6), np.nan), target, BASIC)
    something = class_sums(people, np.eye(6)[:2], target, BASIC)
    assert math.isnan(nothing.draw(NO_INTERVALS).estimate("accuracy").value)
    assert math.isnan(permutation_test(something, nothing, "accuracy").p)


def test_what_cannot_be_tested_is_refused() -> None:
    one, other = two_methods(9)
    with pytest.raises(UserError, match="at least one permutation; found 0"):
        permutation_test(one, other, "accuracy", permutations=0)
    with pytest.raises(UserError, match="cannot be compared"):
        permutation_test(one, class_people(np.random.default_rng(0), 9), "accuracy")
    with pytest.raises(UserError, match="different people"):
        permutation_tests([(one, other), two_methods(8)], "accuracy")
