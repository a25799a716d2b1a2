"""Numbers depend on seed, stream and sample alone."""

from hashlib import sha256

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.faces.priors.draws import Draws, between
from fer_zoo.faces.priors.philox import philox

SOME = st.lists(st.integers(0, 2**40), min_size=1, max_size=12)


@given(st.integers(0, 2**63), SOME)
def test_neither_order_nor_neighbours_matter(seed: int, numbers: list[int]) -> None:
    order = np.random.default_rng(len(numbers)).permutation(len(numbers))
    whole = Draws(seed, np.array(numbers))
    shuffled = whole.of(whole.numbers[order])
    assert (shuffled.uniform("light", 3) == whole.uniform("light", 3)[order]).all()
    assert shuffled.seeds("noise") == [whole.seeds("noise")[place] for place in order]
    for row, number in enumerate(numbers):
        assert (Draws(seed, np.array([number])).normal("a", 2) == whole.normal("a", 2)[row]).all()


def test_more_numbers_begin_with_the_fewer() -> None:
    draws = Draws(3, np.arange(5))
    assert (draws.uniform("a", 9)[:, :4] == draws.uniform("a", 4)).all()


def test_seeds_streams_and_samples_differ() -> None:
    numbers = np.arange(50)
    found = [Draws(seed, numbers).uniform(stream, 2) for seed in (0, 1) for stream in ("a", "b")]
    assert len(np.unique(np.concatenate(found).round(12), axis=0)) == 200


def test_they_are_uniform_and_normal() -> None:
    draws = Draws(0, np.arange(4000))
    uniform, normal = draws.uniform("a", 2), draws.normal("b", 2)
    assert abs(uniform.mean() - 0.5) < 0.02 and uniform.min() >= 0 and uniform.max() < 1
    assert abs(normal.mean()) < 0.05 and abs(normal.std() - 1) < 0.05
    assert abs(np.corrcoef(uniform.T)[0, 1]) < 0.05
    assert (between(uniform, 2.0, 3.0) >= 2).all()


@given(st.lists(st.tuples(*[st.integers(0, 2**64 - 1)] * 2), max_size=6), st.integers(1, 40))
def test_words_are_those_of_numpys_generator(keys: list[tuple[int, int]], count: int) -> None:
    found = philox(np.array(keys, np.uint64).reshape(-1, 2), count)
    expected = [np.random.Philox(key=np.array(key, np.uint64)).random_raw(count) for key in keys]
    np.testing.assert_array_equal(found, np.array(expected, np.uint64).reshape(-1, count))


@given(st.integers(0, 2**63), SOME)
def test_numbers_are_those_of_numpys_generator(seed: int, numbers: list[int]) -> None:
    key = int.from_bytes(sha256(f"{seed}/a".encode()).digest()[:8], "little")
    generators = [np.random.Generator(np.random.Philox(key=np.array([key, n], np.uint64))) for n in numbers]
    found = Draws(seed, np.array(numbers)).uniform("a", 7)
    np.testing.assert_array_equal(found, [generator.random(7) for generator in generators])
