from types import ModuleType

import pytest

from fer_zoo.core.cards import DatasetCard, Terms
from fer_zoo.core.errors import UserError
from fer_zoo.core.registry import DATASETS, METHODS, Registry, load_object


def card(name: str, *targets: str) -> DatasetCard:
    return DatasetCard(
        name=name, summary="", targets=dict.fromkeys(targets, ""), settings=object, terms=Terms("MIT", "yes"), ask=""
    )


def module(name: str, **content: object) -> ModuleType:
    made = ModuleType(name)
    for key, value in content.items():
        setattr(made, key, value)
    return made


def registry(*modules: ModuleType) -> Registry[DatasetCard]:
    return Registry("data set", lambda: iter(modules), "fer_zoo.tests_have_no_plug_ins")


@pytest.fixture
def three() -> Registry[DatasetCard]:
    two = module("two", CARDS=(card("raf_db", "emotion"), card("disfa", "au")))
    return registry(two, module("one", CARD=card("affectnet", "emotion", "landmarks")))


def test_names_are_in_order_and_filtered_by_pattern_and_target(three: Registry[DatasetCard]) -> None:
    assert three.names() == ["affectnet", "disfa", "raf_db"]
    assert three.names("*a*f*") == ["affectnet", "raf_db"]
    assert three.names(target="au") == ["disfa"]
    assert three.names("raf*", target="au") == []
    assert three.names("RAF*") == []


def test_a_card_comes_with_the_module_that_holds_it(three: Registry[DatasetCard]) -> None:
    assert three["disfa"].name == "disfa"
    assert three.module("disfa").__name__ == "two"
    assert three.module("affectnet").__name__ == "one"


@pytest.mark.parametrize("ask", ["card", "module"])
def test_an_unknown_name_is_told_with_its_neighbours(three: Registry[DatasetCard], ask: str) -> None:
    sentence = r"No data set is named 'rafdb'\. Did you mean 'raf_db'\? Known: affectnet, disfa, raf_db\."
    with pytest.raises(UserError, match=sentence):
        three["rafdb"] if ask == "card" else three.module("rafdb")


def test_a_name_taken_twice_is_refused_with_both_places() -> None:
    twice = registry(module("first", CARD=card("raf_db")), module("second", CARD=card("raf_db")))
    with pytest.raises(UserError, match="Two data sets are named 'raf_db': in first and in second"):
        twice.names()


def test_modules_are_looked_at_once_and_only_when_asked() -> None:
    looked: list[int] = []

    def modules() -> list[ModuleType]:
        looked.append(1)
        return [module("one", CARD=card("raf_db"))]

    lazy: Registry[DatasetCard] = Registry("data set", lambda: iter(modules()), "fer_zoo.tests_have_no_plug_ins")
    assert looked == []
    lazy.names()
    lazy["raf_db"]
    assert looked == [1]


def test_an_empty_registry_says_none() -> None:
    with pytest.raises(UserError, match=r"No data set is named 'x'\. Known: none\."):
        registry()["x"]


def test_a_reference_is_imported_when_asked() -> None:
    assert load_object("fer_zoo.core.cards:DatasetCard") is DatasetCard


def test_the_zoo_itself_is_found() -> None:
    assert {"timm_classifier", "timm_regressor"} <= set(METHODS.names())
    assert {"facial_expressions", "image_folder", "table"} <= set(DATASETS.names())
    for found in (METHODS, DATASETS):
        assert all(found[name].name == name == name.lower() and "-" not in name for name in found.names())
