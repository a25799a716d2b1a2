import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.data.stratify import assign_subjects


@given(st.lists(st.integers(0, 4), min_size=5, max_size=80), st.integers(2, 5))
def test_single_samples_are_even_to_one(classes: list[int], folds: int) -> None:
    counts = np.eye(5)[classes]
    parts = assign_subjects(counts, [1 / folds] * folds, [f"{i:03d}" for i in range(len(classes))])
    held = np.array([counts[parts == k].sum(axis=0) for k in range(folds)])
    assert (held.max(axis=0) - held.min(axis=0) <= 1).all()


@given(st.integers(0, 10_000))
def test_no_worse_than_chance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.geometric(0.4, size=(60, 4)) * rng.integers(0, 2, size=(60, 4)).astype(np.float64)
    order = [str(i) for i in range(60)]

    def unevenness(parts: np.ndarray) -> float:
        held = np.array([counts[parts == k].sum(axis=0) for k in range(5)]) / np.maximum(counts.sum(axis=0), 1)
        return float(((held - 0.2) ** 2).sum())

    chance = np.mean([unevenness(rng.integers(0, 5, size=60)) for _ in range(20)])
    assert unevenness(assign_subjects(counts, [0.2] * 5, order)) < 0.25 * chance


def test_unequal_shares_are_reached() -> None:
    counts = np.eye(3)[np.arange(3000) % 3]
    parts = assign_subjects(counts, [0.85, 0.15], [f"{i:04d}" for i in range(3000)])
    assert [counts[parts == 1][:, k].sum() for k in range(3)] == [150, 150, 150]


def test_thousands_of_people() -> None:
    """As many as a set of photographs has."""
    counts = np.random.default_rng(0).poisson(0.3, size=(5600, 8)).astype(np.float64)
    parts = assign_subjects(counts, [0.1] * 10, [str(i) for i in range(5600)])
    of_part = np.stack([counts[parts == part].sum(axis=0) for part in range(10)])
    assert np.ptp(of_part, axis=0).max() <= 1
