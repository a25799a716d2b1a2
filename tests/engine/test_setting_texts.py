from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.core.errors import UserError
from fer_zoo.core.settings import build_settings, setting
from fer_zoo.engine.setting_texts import as_texts, as_tree, settings_from_texts, typed


@dataclass(kw_only=True)
class Inner:
    rate: float = setting(0.1, "how fast")


@dataclass(kw_only=True)
class Settings:
    text: str = setting("x", "any text")
    names: list[str] = setting([], "several")
    weights: list[float] = setting([1.0], "several")
    maybe: str | None = setting("x", "a text or nothing")
    size: int = setting(1, "a number")
    on: bool = setting(False, "a switch")
    inner: Inner = field(default_factory=Inner)


def build(*settings: tuple[str, str]) -> Settings:
    values = typed(Settings, as_tree(settings), where="part")
    return build_settings(Settings, values, where="part")


@given(text=st.text())
def test_any_text_reaches_a_text(text: str) -> None:
    assert build(("text", text)).text == text


@given(text=st.text(alphabet="${}\\?a.:", max_size=12).filter(lambda text: text != "???"))
def test_signs_that_mean_something_to_omegaconf_are_plain_text(text: str) -> None:
    assert build(("text", text), ("maybe", text)) == Settings(text=text, maybe=text)


@given(names=st.lists(st.text(st.characters(exclude_characters='",[]\n\r\0'), min_size=1).map(str.strip).filter(bool)))
def test_a_list_is_written_with_commas(names: list[str]) -> None:
    for text in (",".join(names), "[" + ", ".join(names) + "]"):
        assert build(("names", text)).names == names


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_survives(number: float) -> None:
    assert build(("inner.rate", repr(number)), ("weights", f"{number!r},2")) == Settings(
        inner=Inner(rate=number), weights=[number, 2.0]
    )


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("names", '"a,b",c', ["a,b", "c"]),
        ("names", "", []),
        ("names", "[]", []),
        ("maybe", "null", None),
        ("maybe", "none", "none"),
        ("text", "null", "null"),
        ("text", "[a, b]", "[a, b]"),
        ("text", "true", "true"),
        ("text", "1e-3", "1e-3"),
        ("size", "12", 12),
        ("on", "true", True),
        ("on", "False", False),
    ],
)
def test_the_field_decides_what_a_text_means(key: str, text: str, value: Any) -> None:
    assert getattr(build((key, text)), key) == value


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ([("size", "x")], "part.size must be int, got 'x'"),
        ([("size", "null")], "part.size must be int, got 'null'"),
        ([("size.x", "1")], "part.size is one value and has no parts, found part.size.x."),
        ([("inner", "1")], "part.inner is a group of settings; set its parts: part.inner.KEY=VALUE."),
        ([("inner.rat", "1")], "There is no setting part.inner.rat. Did you mean 'rate'?"),
        ([("a..b", "1")], "'a..b' is no name of a setting"),
        ([("a", "1"), ("a.b", "2")], "a.b cannot be set beside a value of a itself"),
        ([("a.b", "1"), ("a", "2")], "a is set twice, or beside parts of its own"),
    ],
)
def test_bad_settings_are_refused(settings: list[tuple[str, str]], sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        build(*settings)
    assert str(caught.value).startswith(sentence)


def test_only_what_was_given_is_returned() -> None:
    assert settings_from_texts(Settings, [("size", "3"), ("names", "a,b")]) == {"size": 3, "names": ["a", "b"]}
    with pytest.raises(UserError, match=r"There is no setting sise\. Did you mean 'size'\?"):
        settings_from_texts(Settings, [("sise", "3")])


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=8)


@given(
    names=st.lists(words, max_size=3),
    weights=st.lists(st.floats(-1e6, 1e6), max_size=3),
    maybe=st.none() | words.filter(lambda text: text != "null"),
    size=st.integers(-9, 9),
    on=st.booleans(),
)
def test_values_are_the_same_after_they_were_typed(
    names: list[str], weights: list[float], maybe: str | None, size: int, on: bool
) -> None:
    values = {"names": names, "weights": weights, "maybe": maybe, "size": size, "on": on}
    built = build(*as_texts({**values, "inner.rate": 0.25}))
    assert {key: getattr(built, key) for key in values} == values
    assert built.inner.rate == 0.25
