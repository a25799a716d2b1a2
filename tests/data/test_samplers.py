"""Samplers: what each process sees is a function of seed and epoch; nothing is lost and nothing evaluated twice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.core.errors import UserError
from fer_zoo.data.samplers import EpochSampler, UnpaddedSampler

LENGTHS = st.integers(0, 200)
WORLDS = st.integers(1, 9)


@given(length=LENGTHS, world=WORLDS)
def test_evaluation_sees_each_sample_exactly_once_over_all_processes(length: int, world: int) -> None:
    shares = [list(UnpaddedSampler(length, rank, world)) for rank in range(world)]
    assert sorted(position for share in shares for _, position, _ in share) == list(range(length))
    assert {epoch for share in shares for epoch, _, _ in share} <= {0}
    assert [len(UnpaddedSampler(length, rank, world)) for rank in range(world)] == [len(share) for share in shares]
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@given(length=st.integers(1, 200), world=WORLDS, seed=st.integers(0, 2**32), epoch=st.integers(0, 1000))
def test_training_gives_every_process_as_much_and_leaves_no_sample_out(
    length: int, world: int, seed: int, epoch: int
) -> None:
    samplers = [EpochSampler(length, seed, None, rank, world, epoch) for rank in range(world)]
    shares = [list(sampler) for sampler in samplers]
    assert {len(share) for share in shares} == {len(samplers[0])}
    positions = [position for share in shares for _, position, _ in share]
    assert set(positions) == set(range(length))
    assert len(positions) < length + world
    assert {e for share in shares for e, _, _ in share} == {epoch}


@given(length=st.integers(2, 60), world=WORLDS, seed=st.integers(0, 99))
def test_processes_together_walk_the_order_of_one(length: int, world: int, seed: int) -> None:
    alone = list(EpochSampler(length, seed))
    shares = [list(EpochSampler(length, seed, rank=rank, world_size=world)) for rank in range(world)]
    interleaved = [pair for step in zip(*shares, strict=True) for pair in step]
    assert interleaved[:length] == alone


def test_order_depends_on_seed_and_epoch_alone() -> None:
    sampler = EpochSampler(50, seed=4)
    first = list(sampler)
    sampler.set_epoch(3)
    third = list(sampler)
    sampler.set_epoch(0)
    assert list(sampler) == first
    assert list(EpochSampler(50, seed=4, epoch=3)) == third
    assert [p for _, p, _ in third] != [p for _, p, _ in first]
    assert list(EpochSampler(50, seed=5)) != first
    assert third[0][0] == 3


def test_weights_draw_with_replacement_in_their_proportion() -> None:
    weights = np.array([1.0, 3.0, 0.0, 6.0] * 500)
    counts = np.zeros(4)
    for epoch in range(10):
        sampler = EpochSampler(2000, 0, weights, epoch=epoch)
        for _, position, _ in sampler:
            counts[position % 4] += 1
    share = counts / counts.sum()
    np.testing.assert_allclose(share, [0.1, 0.3, 0.0, 0.6], atol=0.02)  # four standard deviations are 0.014
    assert list(EpochSampler(2000, 0, weights)) == list(EpochSampler(2000, 0, weights))


@given(length=st.integers(1, 40), world=WORLDS, seed=st.integers(0, 99))
def test_every_draw_of_an_epoch_is_another_one(length: int, world: int, seed: int) -> None:
    """Else a sample drawn ten times would be shown ten times with the same augmentation, and learned by heart."""
    weights = [10.0] + [1.0] * (length - 1)
    draws = [d for r in range(world) for d in EpochSampler(length, seed, weights, r, world)]
    assert len(set(draws)) == len(draws)
    for position in {position for _, position, _ in draws}:
        repeats = sorted(repeat for _, p, repeat in draws if p == position)
        assert repeats == list(range(len(repeats)))


@pytest.mark.parametrize(("rank", "world"), [(-1, 2), (2, 2), (0, 0)])
def test_a_rank_outside_the_world_is_refused(rank: int, world: int) -> None:
    with pytest.raises(UserError, match="rank"):
        UnpaddedSampler(5, rank, world)
    with pytest.raises(UserError, match="rank"):
        EpochSampler(5, 0, rank=rank, world_size=world)


def test_as_many_weights_as_samples() -> None:
    with pytest.raises(UserError, match="found 2"):
        EpochSampler(3, 0, [1.0, 2.0])
