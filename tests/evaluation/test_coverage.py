"""How often intervals hold the truth and tests see what is not there, in simulated experiments."""

from collections.abc import Callable

import numpy as np
import pytest
from fakes.people import VALUES, class_people, class_sums_of, codes, value_people

from fer_zoo.evaluation.permutation import permutation_test
from fer_zoo.evaluation.subject_sums import Bootstrap, SubjectSums, value_sums

EXPERIMENTS = 1_000
CROWD = 60_000  # people; what all of them score is taken for the truth
METRICS: dict[Callable[[np.random.Generator, int], SubjectSums], tuple[str, ...]] = {
    class_people: ("accuracy", "mean_class_accuracy", "macro_f1"),
    value_people: ("icc31", "mae"),
}


@pytest.mark.slow
@pytest.mark.parametrize("make", list(METRICS), ids=["classes", "values"])
def test_how_often_intervals_hold_the_truth(
    make: Callable[[np.random.Generator, int], SubjectSums], capsys: pytest.CaptureFixture[str]
) -> None:
    """From 50 people on 93 to 97 %; fewer people say too little of how different people are."""
    names = METRICS[make]
    crowd = make(np.random.default_rng(99), CROWD).draw(Bootstrap(resamples=0))
    truth = {name: crowd.estimate(name).value for name in names}
    for people, least in ((9, 0.90), (10, 0.90), (27, 0.92), (50, 0.93), (200, 0.93)):
        rng = np.random.default_rng(0)
        held = dict.fromkeys(names, 0)
        for experiment in range(EXPERIMENTS):
            draws = make(rng, people).draw(Bootstrap(resamples=1_000, seed=experiment))
            for name in names:
                interval = draws.estimate(name).interval
                held[name] += interval.low <= truth[name] <= interval.high
        told = ", ".join(f"{name} {count / EXPERIMENTS:.1%}" for name, count in held.items())
        with capsys.disabled():
            print(f"\n95 % intervals over {people} people held the truth in: {told} of {EXPERIMENTS:,} experiments")
        assert all(least <= count / EXPERIMENTS <= 0.97 for count in held.values()), (people, held)


@pytest.mark.slow
@pytest.mark.parametrize("people", [9, 10, 27, 50, 200])
def test_how_often_a_test_sees_a_difference_that_is_not_there(people: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Two methods of equal skill, each with a skill of its own on each person: p < .05 in 5 % of experiments."""
    rng = np.random.default_rng(people)
    seen = dict.fromkeys(("accuracy", "macro_f1", "icc31"), 0)
    for experiment in range(EXPERIMENTS):
        for name in seen:
            one, other = alike(rng, people, name)
            test = permutation_test(one, other, name, permutations=500, seed=experiment)
            seen[name] += test.p < 0.05
    told = ", ".join(f"{name} {count / EXPERIMENTS:.1%}" for name, count in seen.items())
    with capsys.disabled():
        print(f"\nover {people} people, p < .05 without a difference in: {told} of {EXPERIMENTS:,} experiments")
    assert all(0.03 <= count / EXPERIMENTS <= 0.07 for count in seen.values()), seen


def alike(rng: np.random.Generator, people: int, name: str) -> tuple[SubjectSums, SubjectSums]:
    """Sums of two methods that are equally good, on the same images."""
    if name == "icc31":
        return pair_of_regressors(rng, people)
    return pair_of_classifiers(rng, people)


def pair_of_classifiers(rng: np.random.Generator, people: int) -> tuple[SubjectSums, SubjectSums]:
    labels = rng.multinomial(rng.integers(5, 41, people), np.full(6, 1 / 6))
    pair = []
    for _ in range(2):
        skill = rng.beta(4, 2, (people, 1))
        hits = rng.binomial(labels, skill)
        answers = np.zeros((people, 7, 7))
        answers[:, range(6), range(6)] = hits
        answers[:, range(6), [1, 2, 3, 4, 5, 0]] += labels - hits
        pair.append(class_sums_of(answers))
    return pair[0], pair[1]


def pair_of_regressors(rng: np.random.Generator, people: int) -> tuple[SubjectSums, SubjectSums]:
    label = rng.integers(0, 6, (people, 20, 3)).astype(np.float64)
    subjects = np.repeat(codes(people), 20).tolist()
    pair = []
    for _ in range(2):
        offset = rng.normal(0, 1, (people, 1, 3))
        output = np.clip(label + offset + rng.normal(0, 1, label.shape), 0, 5)
        pair.append(value_sums(subjects, output.reshape(-1, 3), label.reshape(-1, 3), VALUES))
    return pair[0], pair[1]
