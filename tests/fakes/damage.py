"""What happens to files: cut, flipped, swapped, huge, other types; and the only two outcomes that reading may have."""

import json
import resource
import time
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fer_zoo.core.errors import UserError

# Each test runs with a few examples in the quick suite and with many in `make verify`.
EXAMPLES = (pytest.param(200, id="200"), pytest.param(10_000, id="10,000", marks=pytest.mark.slow))
LONGEST, MOST_MEMORY = 10.0, 1 << 30  # seconds of one example, bytes that all of them may add

DEEP = '{"a":' * 5000 + "1" + "}" * 5000
odd_values = st.one_of(
    st.sampled_from(
        [None, True, False, 0, -1, 1, 2**31, 2**63, 10**12, 10**400, -(10**400), 0.5, -1.5, 1e308, float("nan")]
    ),
    st.sampled_from([float("inf"), "", "x", "a\nb", "\ud800", "\x00", "../..", "${a}", "???", "9" * 400, "1e999"]),
    st.sampled_from([[], {}, [[]], [None], {"a": {}}, {"": 0}, [0] * 50_000, ["x"] * 50_000, "x" * 100_000]),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.none() | st.integers() | st.text(max_size=5), max_size=4),
    st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=5), max_size=3),
)


@st.composite
def damaged_bytes(draw: st.DrawFn, content: bytes) -> bytes:
    """The bytes after one to three accidents."""
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(0, len(content) - 1)) | st.integers(0, 200))
        length = draw(st.integers(1, 64) | st.integers(1, 10_000))
        kind = draw(st.sampled_from(["cut", "flip", "swap", "insert", "drop", "repeat", "number", "other"]))
        head, part, tail = content[:place], content[place : place + length], content[place + length :]
        if kind == "cut":
            content = head
        elif kind == "flip" and part:
            bit = draw(st.integers(0, 7))
            content = head + bytes([part[0] ^ (1 << bit)]) + part[1:] + tail
        elif kind == "swap":
            content = head + tail[:length] + part + tail[length:]
        elif kind == "insert":
            content = head + draw(st.binary(min_size=1, max_size=40)) + part + tail
        elif kind == "drop":
            content = head + tail
        elif kind == "repeat":
            content = head + part * draw(st.integers(2, 20)) + tail
        elif kind == "number":  # a length that claims terabytes
            content = (
                head[: place // 8 * 8]
                + draw(st.sampled_from([10**12, 2**31 - 1, 2**63, 2**64 - 1])).to_bytes(8, "little")
                + part
                + tail
            )
        elif kind == "other":
            content = draw(st.binary(max_size=200))
    return content


@st.composite
def damaged_values(draw: st.DrawFn, value: Any) -> Any:
    """Nested values after one to three accidents: an entry replaced, dropped, renamed, or two swapped."""
    value = deepcopy(value)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(value))
        if not places:
            return deepcopy(draw(odd_values))
        holder, key = draw(st.sampled_from(places))
        kind = draw(st.sampled_from(["replace", "replace", "replace", "drop", "rename", "swap"]))
        if kind == "replace":
            holder[key] = deepcopy(draw(odd_values))
        elif kind == "drop":
            del holder[key]
        elif kind == "rename" and isinstance(holder, dict):
            holder[draw(st.text(max_size=5))] = holder.pop(key)
        elif kind == "swap":
            other, place = draw(st.sampled_from(places))
            holder[key], other[place] = deepcopy(other[place]), deepcopy(holder[key])
    return value


def _places(value: Any) -> Any:
    """Every (holder, key) of nested values; long lists by their first few entries."""
    keys = list(value) if isinstance(value, dict) else range(min(len(value), 4)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def damaged_json(value: Any) -> st.SearchStrategy[bytes]:
    """The text of a JSON file whose values or whose bytes met an accident."""
    text = json.dumps(value, indent=1)
    changed = damaged_values(value).map(lambda one: json.dumps(one).encode())
    return st.one_of(changed, changed, damaged_bytes(text.encode()), st.just(DEEP.encode()))


def examine(cases: st.SearchStrategy[Any], read: Callable[[Any], object], examples: int, what: str) -> Counter[str]:
    """Reads that many damaged cases; each gives a result or one sentence, in bounded time and memory."""
    outcomes, start, before = Counter[str](), time.perf_counter(), _peak()

    @settings(max_examples=examples, database=None, suppress_health_check=list(HealthCheck))
    @given(cases)
    def run(case: Any) -> None:
        began = time.perf_counter()
        outcomes[outcome(lambda: read(case))] += 1
        assert time.perf_counter() - began < LONGEST

    run()
    assert _peak() - before < MOST_MEMORY
    seconds = time.perf_counter() - start
    print(f"\n{what}: {sum(outcomes.values()):,} examples, {dict(outcomes)}, {seconds:.1f} s")
    return outcomes


def outcome(read: Callable[[], object]) -> str:
    """ "result" or "sentence"; anything else is raised."""
    try:
        read()
    except UserError as error:
        sentence = str(error)
        assert sentence.splitlines() == [sentence] and sentence.endswith((".", "?")), sentence
        assert len(sentence) < 10_000
        assert sentence.encode()
        return "sentence"
    return "result"


def _peak() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
