"""Temperatures on a checkpoint's card: what is read, and what is refused in one sentence."""

from typing import Any

import pytest

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.engine.temperatures import temperatures_of

SPACES = {"emotion": label_space("emotion/basic7")}


def test_temperature_of_the_classes_is_read() -> None:
    card = {"method": "timm_classifier", "temperature": {"emotion": 2, "identity": 3.0}}
    assert temperatures_of(card, SPACES, where="model") == {"emotion": 2.0}


@pytest.mark.parametrize(
    ("card", "sentence"),
    [
        ({}, "the temperature of emotion, which training stores at its end, and there is none in model"),
        ({"temperature": {}}, "there is none in model"),
        ({"temperature": {"emotion": 0}}, "a temperature of emotion above 0, and the card says 0"),
        ({"temperature": {"emotion": -1.5}}, "the card says -1.5"),
        ({"temperature": {"emotion": "warm"}}, "the card says 'warm'"),
        ({"temperature": {"emotion": True}}, "the card says True"),
        ({"temperature": {"emotion": float("inf")}}, "the card says inf"),
        ({"temperature": 1.5}, "there is none in model"),
        (
            {"temperature_fit": {"emotion": {"reason": "only 6 images have a label and an output"}}},
            r"the temperature of emotion \(only 6 images have a label and an output\), and there is none",
        ),
        ({"temperature_fit": "damaged"}, "there is none in model"),
    ],
)
def test_card_without_a_temperature_is_told(card: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=rf"calibrated=true needs .*{sentence}.*; leave calibrated out\.$"):
        temperatures_of({"method": "timm_classifier", **card}, SPACES, where="model")


def test_method_of_values_is_told() -> None:
    with pytest.raises(
        UserError, match=r"probabilities of classes, and timm_classifier in model gives values only \(au\)"
    ):
        temperatures_of({"method": "timm_classifier"}, {"au": label_space("au/disfa12")}, where="model")
