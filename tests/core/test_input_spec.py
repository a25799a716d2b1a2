import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import InputSpec


@given(
    height=st.integers(1, 512),
    width=st.integers(1, 512),
    crop_scale=st.floats(0.1, 4),
    alignment=st.sampled_from(["none", "five_points"]),
    colour=st.sampled_from(["rgb", "bgr", "grey"]),
    mean=st.floats(0, 1),
)
def test_a_spec_survives_its_card(
    height: int, width: int, crop_scale: float, alignment: Any, colour: Any, mean: float
) -> None:
    channels = 1 if colour == "grey" else 3
    spec = InputSpec(
        height=height,
        width=width,
        crop_scale=crop_scale,
        alignment=alignment,
        colour=colour,
        mean=(mean,) * channels,
        std=(0.5,) * channels,
    )
    assert spec.channels == channels
    assert InputSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"height": 0}, "positive size"),
        ({"width": -1}, "positive size"),
        ({"crop_scale": 0.0}, "positive size, crop scale"),
        ({"std": (1.0, 1.0, 0.0)}, "positive size, crop scale and std"),
        ({"colour": "grey"}, "with colour grey needs 1 values of mean and std"),
        ({"mean": (0.5,)}, "with colour rgb needs 3 values of mean and std"),
    ],
)
def test_a_spec_that_cannot_be_is_refused(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        InputSpec(**{"height": 96, "width": 96, **wrong})
