import math
from dataclasses import dataclass, field, make_dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.core.errors import UserError
from fer_zoo.core.settings import build_settings, describe_settings, setting


@dataclass(kw_only=True)
class Inner:
    rate: float = setting(0.1, "how fast", at_least=0.0, at_most=1.0)


@dataclass(kw_only=True)
class Settings:
    backbone: str = setting("resnet18", "which network")
    size: int = setting(64, "pixels", at_least=8)
    frozen: bool = setting(False, "whether it is trained")
    loss: str = setting("focal", "what is minimised", choices=("cross_entropy", "focal"))
    weights: list[float] = setting([1.0], "one a class", at_least=0.0)
    path: str | None = setting(None, "a file")
    inner: Inner = field(default_factory=Inner)


@dataclass(frozen=True, kw_only=True)
class Frozen:
    size: int = setting(64, "pixels")


def build(**values: object) -> Settings:
    return build_settings(Settings, values, where="method")


def test_nothing_given_is_the_defaults() -> None:
    assert build() == Settings()
    assert build_settings(Frozen, {}, where="") == Frozen()


def test_text_becomes_the_type_of_the_field() -> None:
    built = build(size="96", frozen="true", weights=["1", 2], path="a/b", inner={"rate": "0.5"})
    assert built == Settings(size=96, frozen=True, weights=[1.0, 2.0], path="a/b", inner=Inner(rate=0.5))
    assert (type(built.size), type(built.frozen), type(built.weights[1])) == (int, bool, float)
    assert build_settings(Frozen, {"size": "8"}, where="") == Frozen(size=8)


def test_a_list_given_does_not_reach_the_next_object() -> None:
    build(weights=[5.0]).weights.append(1.0)
    assert build().weights == [1.0]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"bakbone": "x"}, "There is no setting method.bakbone. Did you mean 'backbone'? Known: backbone, size"),
        ({"inner": {"rat": 1}}, "There is no setting method.inner.rat. Did you mean 'rate'?"),
        ({"size": "large"}, "method.size must be int, got 'large'."),
        ({"size": 1.5}, "method.size must be int, got 1.5"),
        ({"frozen": "perhaps"}, "method.frozen must be bool, got 'perhaps'"),
        ({"weights": 1.0}, "method.weights must be list[float], got 1.0"),
        ({"weights": ["x"]}, "method.weights must be list[float], got ['x']"),
        ({"inner": {"rate": "x"}}, "method.inner.rate must be float, got 'x'."),
        ({"inner": {"rate": 10**400}}, "method.inner.rate must be float, got 1000"),
        ({"inner": {"rate": {"x": 1}}}, "method.inner.rate must be float, got {'x': 1}."),
        ({"inner": 3}, "method.inner is a group of settings, got 3; set its parts: method.inner.KEY=VALUE."),
        ({"size": 7}, "method.size is 7; it must be at least 8."),
        ({"weights": [1.0, -1.0]}, "method.weights is -1.0; it must be at least 0.0."),
        ({"inner": {"rate": 2.0}}, "method.inner.rate is 2.0; it must be at most 1.0."),
        ({"inner": {"rate": "nan"}}, "method.inner.rate is nan; it must be a finite number."),
        ({"loss": "focl"}, "method.loss is 'focl'. Did you mean 'focal'? It must be one of cross_entropy, focal."),
        ({"size": None}, "method.size must be int, got None"),
    ],
)
def test_a_mistake_is_one_sentence(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError) as raised:
        build(**values)
    assert str(raised.value).startswith(sentence)
    assert "\n" not in str(raised.value)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@given(name=st.sampled_from(["backbone", "size", "frozen", "loss", "weights", "path", "inner"]), value=anything)
def test_whatever_is_given_ends_in_settings_within_their_limits_or_in_a_sentence(name: str, value: object) -> None:
    try:
        built = build(**{name: value})
    except UserError as error:
        assert name in str(error)
        return
    assert isinstance(built.size, int) and built.size >= 8
    assert built.loss in ("cross_entropy", "focal")
    assert all(math.isfinite(weight) and weight >= 0 for weight in built.weights)
    assert 0 <= built.inner.rate <= 1


@given(text=st.text())
def test_text_is_taken_literally(text: str) -> None:
    try:
        assert build(backbone=text).backbone == text
    except UserError as error:
        assert text == "???"
        assert "method.backbone" in str(error)


@pytest.mark.parametrize("text", ["${oc.env:HOME}", "\\${size}", "${", "a ${size} b", "???x", "\\\\${size}"])
def test_interpolations_are_text(text: str) -> None:
    assert build(backbone=text).backbone == text


@given(name=st.text())
def test_unknown_names_are_told(name: str) -> None:
    if name not in Settings.__dataclass_fields__:
        with pytest.raises(UserError, match="There is no setting"):
            build_settings(Settings, {name: 1}, where="method")


def test_settings_describe_themselves() -> None:
    rows = {row[0]: row[1:] for row in describe_settings(Settings)}
    assert rows["size"] == ("int", 64, "pixels (at least 8)")
    assert rows["weights"] == ("list[float]", [1.0], "one a class (at least 0)")
    assert rows["loss"][2] == "what is minimised (cross_entropy | focal)"
    assert rows["path"][0] == "str | None"


def test_limits_are_described() -> None:
    both, most = setting(0.5, "a share", at_least=0, at_most=0.99), setting(1, "few", at_most=3)
    made = make_dataclass("Limited", [("both", float, both), ("most", int, most)])
    assert [row[3] for row in describe_settings(made)] == ["a share (0 to 0.99)", "few (at most 3)"]


@pytest.mark.parametrize(("name", "inner"), [("seed", "${a}"), ("rate", "${rate}")])
def test_a_reference_in_the_place_of_a_number_is_told(name: str, inner: str) -> None:
    @dataclass
    class Numbers:
        seed: int = setting(0, "")
        rate: float = setting(0.5, "")

    with pytest.raises(
        UserError, match=rf"^run\.{name} is a text with '\$\{{', where another kind of value is expected\.$"
    ):
        build_settings(Numbers, {name: inner}, where="run")
