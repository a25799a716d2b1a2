"""Class separation: closed forms on planted clusters, scikit-learn, and resamples that are made by hand."""

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, silhouette_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from fer_zoo.core.errors import UserError
from fer_zoo.evaluation import class_separation as module
from fer_zoo.evaluation.class_separation import (
    METRICS,
    class_separations,
    in_equal_dimension,
    mean_separations,
    separation_table,
)


def planted(
    apart: float, *, people: int = 30, dimension: int = 6, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Four classes, two images of each person and class, some images left out so that classes differ in size."""
    rng = np.random.default_rng(seed)
    classes = np.tile(np.repeat(np.arange(4), 2), people)
    person = np.repeat(np.arange(people), 8)
    kept = rng.random(len(classes)) < 0.8 - 0.1 * classes
    classes, person = classes[kept], person[kept]
    x = rng.normal(size=(len(classes), dimension)) + apart * np.eye(dimension)[classes]
    return x, classes, [f"p{number:03d}" for number in person]


def reduced(x: np.ndarray) -> np.ndarray:
    return in_equal_dimension({"x": x})["x"].numpy()


def test_values_are_those_of_scikit_learn() -> None:
    x, classes, person = planted(2.0)
    (found,) = class_separations({"x": x}, classes, person, resamples=10)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    assert found.values["silhouette"].value == pytest.approx(silhouette_score(z, classes), abs=1e-6)
    nearest = KNeighborsClassifier(5, weights=lambda d: np.tile(1 + 1e-3 * 0.5 ** np.arange(5), (len(d), 1)))
    answers = cross_val_predict(nearest, z, classes, groups=person, cv=LeaveOneGroupOut())
    expected = balanced_accuracy_score(classes, answers)
    assert found.values["neighbour_accuracy"].value == pytest.approx(expected)


def test_closed_forms_of_four_corners() -> None:
    """Two classes on the corners of a rectangle 2 wide and 2 high; standardised it is itself, around 0.

    Class 0 at x = -1, class 1 at x = +1, y = ±1: between-class scatter 4, within 4. Means are 2 apart, two images of a
    class as well, unless they are at one place.
    """
    x = np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)] * 3, dtype=float)
    classes = np.array([0, 0, 1, 1] * 3)
    (found,) = class_separations({"x": x}, classes, list("aaaabbbbcccc"), resamples=10)
    assert found.values["scatter_ratio"].value == pytest.approx(1.0)
    within = 2 * (9 / 15)  # of the 15 pairs of a class 9 are of opposite corners
    assert found.values["distance_ratio"].value == pytest.approx(2 / within)
    diagonal = np.sqrt(8)
    own, other = 2 * 3 / 5, (2 + diagonal) / 2
    assert found.values["silhouette"].value == pytest.approx((other - own) / other, abs=1e-6)
    assert found.values["neighbour_accuracy"].value == pytest.approx(1.0)


def test_a_resample_is_what_the_people_drawn_give() -> None:
    """Against loops over the images of a resample, in which copies of an image do not see each other."""
    x, classes, person = planted(1.5, people=9)
    z = torch.from_numpy(reduced(x))
    codes = np.unique(person, return_inverse=True)[1]
    weights = torch.from_numpy(np.random.default_rng(5).multinomial(9, np.full(9, 1 / 9), 3).astype(float))
    draws = module._draws(z, torch.from_numpy(classes), torch.from_numpy(codes), weights)
    for r in range(3):
        which = np.repeat(np.arange(len(classes)), weights[r].numpy().astype(int)[codes])
        y, c, own = z.numpy()[which], classes[which], codes[which]
        distance = np.linalg.norm(y[:, None] - y, axis=2)
        other_image = which[:, None] != which
        silhouettes, right = [], []
        for i in range(len(which)):
            means = {k: distance[i, (c == k) & other_image[i]].mean() for k in np.unique(c)}
            a, b = means[c[i]], min(mean for k, mean in means.items() if k != c[i])
            silhouettes.append((b - a) / max(a, b))
            strangers = np.flatnonzero(own != own[i])
            nearest = strangers[distance[i, strangers].argsort(kind="stable")[:5]]
            votes = np.bincount(c[nearest], minlength=4)
            best = np.flatnonzero(votes == votes.max())
            right.append(c[i] in best if len(best) == 1 else None)
        assert draws["silhouette"][r] == pytest.approx(np.mean(silhouettes), abs=1e-6)
        between = sum((c == k).sum() * ((y[c == k].mean(0) - y.mean(0)) ** 2).sum() for k in np.unique(c))
        within = sum(((y[c == k] - y[c == k].mean(0)) ** 2).sum() for k in np.unique(c))
        assert draws["scatter_ratio"][r] == pytest.approx(np.log(between / within))
        pairs = [distance[(c == k)[:, None] & (c == k) & other_image].mean() for k in np.unique(c)]
        means = np.array([y[c == k].mean(0) for k in np.unique(c)])
        apart = np.linalg.norm(means[:, None] - means, axis=2)[np.triu_indices(len(means), 1)].mean()
        assert draws["distance_ratio"][r] == pytest.approx(np.log(apart / np.mean(pairs)), abs=1e-6)
        low, high = (np.mean([np.mean([s if v is None else v for v in np.array(right)[c == k]]) for k in np.unique(c)])
                     for s in (0, 1))  # fmt: skip
        assert low - 1e-9 <= draws["neighbour_accuracy"][r] <= high + 1e-9


def test_scale_rotation_and_idle_features_change_nothing() -> None:
    """Of features of equal spread that do not hang together, for which standardising is nothing but a scale."""
    x, classes, person = planted(2.0)
    z = reduced(x)
    z = z / z.std(axis=0)
    turned = z @ np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
    wide = np.concatenate([100 * turned, np.full((len(z), 3), 7.0)], axis=1)
    first, second = class_separations({"narrow": z, "wide": wide}, classes, person, resamples=20)
    assert second.width == 6
    for metric, bounds in METRICS.items():
        assert second.values[metric].value == pytest.approx(first.values[metric].value, abs=2e-5)
        assert second.gains[metric].value == pytest.approx(0.0 if bounds else 1.0, abs=2e-5)


def test_farther_classes_gain_in_every_number() -> None:
    near, classes, person = planted(1.0)
    far = planted(4.0)[0]
    first, second = class_separations({"near": near, "far": far}, classes, person)
    assert first.gains == {}
    for metric, bounds in METRICS.items():
        assert second.gains[metric].interval.low > (0.0 if bounds else 1.0)
        assert first.values[metric].interval.high < second.values[metric].interval.low
    again = class_separations({"near": near, "far": far}, classes, person)
    assert again == [first, second]


def test_equal_dimension_is_that_of_the_smallest_set() -> None:
    rng = np.random.default_rng(0)
    sets = in_equal_dimension({"wide": rng.normal(size=(50, 20)), "narrow": rng.normal(size=(50, 4))})
    assert {name: x.shape for name, x in sets.items()} == {"wide": (50, 4), "narrow": (50, 4)}
    wide = sets["wide"].numpy()
    spread = wide.var(axis=0)
    assert (np.diff(spread) <= 0).all() and spread[-1] > 1  # the largest components, the first first
    few = in_equal_dimension({"wide": rng.normal(size=(5, 20))})
    assert few["wide"].shape == (5, 5)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """The truth is the mean over many drawings; 95 % intervals of 40 of them."""
    drawn = [planted(1.5, seed=seed) for seed in range(40)]
    found = [class_separations({"x": x}, classes, person)[0] for x, classes, person in drawn]
    for metric in ("silhouette", "scatter_ratio", "distance_ratio"):
        truth = np.median([one.values[metric].value for one in found])
        held = [one.values[metric].interval.low <= truth <= one.values[metric].interval.high for one in found]
        assert np.mean(held) >= 0.85


def test_the_mean_over_folds_has_an_interval_of_its_own() -> None:
    x, classes, person = planted(2.0)
    pair = class_separations({"a": x, "b": x + 1}, classes, person)
    mean = mean_separations([pair, pair, pair, pair])
    for metric in METRICS:
        one, four = pair[0].values[metric], mean[0].values[metric]
        assert four.value == pytest.approx(one.value)
        assert (four.interval.high - four.value) == pytest.approx((one.interval.high - one.value) / 2, rel=0.3)
    header = separation_table(mean, "features").header
    assert header[:5] == ["features", "silhouette", "gain", "scatter ratio", "factor"]


@pytest.mark.parametrize("what", ["one class", "one person", "nothing varies"])
def test_what_cannot_be_told_apart_is_said(what: str) -> None:
    x, classes, person = planted(1.0)
    with pytest.raises(UserError, match=r"found 1 and|and 1\.|'x' are the same for all"):
        class_separations(
            {"x": np.ones_like(x) if what == "nothing varies" else x},
            np.zeros_like(classes) if what == "one class" else classes,
            ["a"] * len(person) if what == "one person" else person,
        )
