from dataclasses import FrozenInstanceError
from itertools import product

import pytest

from fer_zoo.core.cards import DatasetCard, MethodCard, Terms, strictest

YES, ASK, NO = Terms("MIT", "yes"), Terms("see its owners", "ask"), Terms("research only", "no")


def method(**given: object) -> MethodCard:
    plain = {
        "name": "tiny",
        "summary": "a test",
        "paper": None,
        "targets": ("emotion",),
        "label_spaces": {"emotion": "emotion/basic7"},
        "implementation": "nowhere:Tiny",
        "settings": object,
        "num_parameters": 1,
    }
    return MethodCard(**{**plain, **given})  # type: ignore[arg-type]  # keywords of one test each


@pytest.mark.parametrize("chain", list(product((YES, ASK, NO), repeat=3)))
def test_the_strictest_term_of_a_chain_decides(chain: tuple[Terms, ...]) -> None:
    order = ("yes", "ask", "no")
    assert strictest(chain) == order[max(order.index(term.commercial) for term in chain)]


def test_nothing_but_ones_own_code_is_free() -> None:
    assert method().commercial_use == "yes"
    assert strictest([]) == "yes"


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ({"weights": ASK}, "ask"),
        ({"weights": YES, "pretraining": {"affectnet": NO}}, "no"),
        ({"pretraining": {"one": YES, "two": ASK}}, "ask"),
        ({"code": NO}, "no"),
    ],
)
def test_a_method_inherits_from_code_weights_and_training_sets(given: dict[str, object], answer: str) -> None:
    assert method(**given).commercial_use == answer


def test_a_data_set_answers_with_its_terms() -> None:
    card = DatasetCard(name="raf_db", summary="", targets={}, settings=object, terms=NO, ask="its authors")
    assert card.commercial_use == "no"


def test_cards_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        method().name = "other"  # type: ignore[misc]  # what must fail
