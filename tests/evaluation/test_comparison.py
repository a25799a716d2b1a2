"""Order, Holm's correction, ranks and differences of several methods."""

import math
from dataclasses import replace

import numpy as np
import pytest
from fakes.people import class_sums_of
from statsmodels.stats.multitest import multipletests

from fer_zoo.core.errors import UserError
from fer_zoo.evaluation.comparison import compare_methods, difference, holm, tie_ranks
from fer_zoo.evaluation.subject_sums import Bootstrap, SubjectSums

FEW = Bootstrap(resamples=400)


def methods(people: int, **skills: float) -> dict[str, SubjectSums]:
    """Methods that recognise that share of 20 images a person, with a skill of each person that all of them share."""
    rng = np.random.default_rng(0)
    labels = np.full((people, 6), 4)
    person = rng.normal(0, 0.1, (people, 1))
    found = {}
    for name, skill in skills.items():
        hits = rng.binomial(labels, np.clip(skill + person, 0, 1))
        answers = np.zeros((people, 7, 7))
        answers[:, range(6), range(6)] = hits
        answers[:, range(6), [1, 2, 3, 4, 5, 0]] += labels - hits
        found[name] = class_sums_of(answers)
    return found


@pytest.mark.parametrize("count", [1, 2, 3, 10, 45])
def test_holm_is_that_of_statsmodels(count: int) -> None:
    rng = np.random.default_rng(count)
    for p_values in (rng.uniform(0, 0.1, count), rng.integers(0, 4, count) / 40, np.ones(count)):
        np.testing.assert_allclose(holm(p_values.tolist()), multipletests(p_values, method="holm")[1], atol=1e-12)


def test_holm_leaves_out_what_does_not_exist() -> None:
    corrected = holm([0.02, math.nan, 0.03])
    assert corrected[[0, 2]].tolist() == [0.04, 0.04]
    assert math.isnan(corrected[1])
    assert holm([]).tolist() == []


def test_ranks_are_led() -> None:
    """b is worse than the leader, the noisy c is not; d is worse than b."""
    corrected = {("a", "b"): 0.01, ("a", "c"): 0.20, ("a", "d"): 0.01, ("b", "c"): 1.0, ("b", "d"): 0.04, ("c", "d"): 1}
    assert tie_ranks("abcd", corrected, 0.05) == {"a": 1, "b": 2, "c": 1, "d": 3}
    assert tie_ranks("abcd", corrected, 0.01) == dict.fromkeys("abcd", 1)
    assert tie_ranks("", {}, 0.05) == {}


def test_methods_stand_in_order_with_planted_ties() -> None:
    found = compare_methods(
        methods(40, weak=0.3, good=0.7, twin=0.7, middle=0.5), "accuracy", permutations=999, bootstrap=FEW
    )
    assert {method.name: method.rank for method in found.methods} == {"good": 1, "twin": 1, "middle": 2, "weak": 3}
    assert [method.name for method in found.methods][2:] == ["middle", "weak"]
    leader, *others = found.methods
    assert leader.behind.value == 0.0
    assert math.isnan(leader.holm)
    for method in others:
        assert method.behind.value == pytest.approx(method.estimate.value - leader.estimate.value)
        assert method.behind.interval.low < method.behind.value < method.behind.interval.high
    assert len(found.pairs) == 6
    assert all(pair.difference >= 0 and pair.holm >= pair.p for pair in found.pairs)
    assert (found.subjects, found.permutations, found.exact) == (40, 999, False)


@pytest.mark.parametrize("people", [30, 250])
def test_pairing_takes_out_what_people_share(people: int) -> None:
    """The difference of a method to a copy of itself is 0, whatever their scores' intervals."""
    (sums,) = methods(people, a=0.6).values()
    draws = sums.draw(FEW)
    assert vars(difference(draws, draws, "accuracy").interval) == {"low": 0.0, "high": 0.0}
    pair = methods(people, a=0.7, b=0.65)
    first, second = (of.draw(FEW) for of in pair.values())
    apart = difference(first, second, "accuracy").interval
    widths = [of.estimate("accuracy").interval for of in (first, second)]
    unpaired = math.hypot(*(interval.high - interval.low for interval in widths))
    assert apart.high - apart.low < unpaired


def test_the_order_of_what_is_given_does_not_matter() -> None:
    given_sums = methods(20, a=0.6, b=0.6, c=0.4)
    turned = dict(reversed(given_sums.items()))
    assert repr(compare_methods(given_sums, "macro_f1", permutations=200, bootstrap=FEW)) == repr(
        compare_methods(turned, "macro_f1", permutations=200, bootstrap=FEW)
    )


def test_less_is_better_for_errors_and_equals_stand_by_name() -> None:
    sums = methods(12, a=0.5)["a"]
    with pytest.raises(UserError, match="does not fit"):
        compare_methods({"a": sums}, "mae")
    with pytest.raises(UserError, match="no better and worse"):
        compare_methods({"a": sums}, "confusion_matrix")
    found = compare_methods({"z": sums, "a": sums}, "accuracy", bootstrap=FEW)
    assert [(method.name, method.rank) for method in found.methods] == [("a", 1), ("z", 1)]
    gaps = {}
    for name, gap in (("sure", 0.4), ("right", 0.0)):  # Σ confidence beyond the right answers
        calibration = sums.sums["answers"].new_zeros(12, 15, 3)
        calibration[:, 9] = calibration.new_tensor([20.0, 12.0 + gap * 20, 12.0])
        gaps[name] = replace(sums, sums={**sums.sums, "calibration": calibration})
    found = compare_methods(gaps, "expected_calibration_error", bootstrap=FEW)
    assert [method.name for method in found.methods] == ["right", "sure"]
    assert math.isnan(found.methods[1].behind.interval.low)


def test_a_method_without_a_score_has_no_rank() -> None:
    sums = methods(12, a=0.5)
    answers = sums["a"].sums["answers"].clone()
    answers[:, :, -1] = answers.sum(dim=2)
    answers[:, :, :-1] = 0
    silent = replace(sums["a"], images=0, sums={"answers": answers})
    found = compare_methods({"silent": silent, **sums}, "accuracy", bootstrap=FEW)
    assert [(method.name, method.rank) for method in found.methods] == [("a", 1), ("silent", None)]
    found = compare_methods({"silent": silent, **sums}, "accuracy", missing_is_wrong=True, bootstrap=FEW)
    assert [method.rank for method in found.methods] == [1, 2]
