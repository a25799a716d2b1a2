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
        ({}, r"there is none in model \(training stores it at its end\)"),
        ({"temperature": {}}, "there is none in model"),
        ({"temperature": {"emotion": 0}}, "there is none in model"),
        (
            {"temperature_fit": {"emotion": {"reason": "only 6 images have a label and an output"}}},
            r"there is none in model \(only 6 images have a label and an output\)",
        ),
    ],
)
def test_card_without_a_temperature_is_told(card: dict[str, Any], sentence: str) -> None:
    with pytest.raises(
        UserError, match=rf"calibrated=true needs the temperature of emotion, and {sentence}.*; leave calibrated out\.$"
    ):
        temperatures_of({"method": "timm_classifier", **card}, SPACES, where="model")


def test_method_of_values_is_told() -> None:
    with pytest.raises(
        UserError, match=r"probabilities of classes, and timm_classifier in model gives values only \(au\)"
    ):
        temperatures_of({"method": "timm_classifier"}, {"au": label_space("au/disfa12")}, where="model")
