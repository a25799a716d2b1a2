"""Sliders and action units in closed form."""

import pytest
import torch

from fer_zoo.core.errors import UserError
from fer_zoo.faces.actions import ACTION_UNITS, SLIDER_ACTIONS, SLIDERS, action_units, slider_actions
from fer_zoo.faces.face_model import ACTIONS


def units(**actions: float) -> dict[int, float]:
    """The intensities of one expression, without the zeros."""
    row = torch.zeros(1, len(ACTIONS))
    for name, value in actions.items():
        row[0, ACTIONS.index(name)] = value
    found = dict(zip(ACTION_UNITS, action_units(row)[0].tolist(), strict=True))
    return {unit: value for unit, value in found.items() if value}


def test_each_slider_moves_its_own_actions() -> None:
    moved = slider_actions(torch.eye(len(SLIDERS)))
    assert set(SLIDERS) == set(SLIDER_ACTIONS)
    for row, slider in zip(moved, SLIDERS, strict=True):
        assert {ACTIONS[i] for i in row.nonzero()[:, 0].tolist()} == set(SLIDER_ACTIONS[slider])
    assert moved.sum(dim=0).max() == 1  # no action belongs to two


def test_half_a_slider_is_half_an_action() -> None:
    assert torch.equal(slider_actions(torch.full((1, len(SLIDERS)), 0.5)) * 2, slider_actions(torch.ones(1, 23)))


def test_another_number_of_sliders_is_refused() -> None:
    with pytest.raises(UserError, match="There are 23 sliders; 22 were given"):
        slider_actions(torch.zeros(1, 22))


def test_the_stronger_side_counts() -> None:
    assert units(mouthSmileLeft=0.25, mouthSmileRight=1.0) == {12: 5.0}


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ({"jawOpen": 0.5}, {25: 2.5, 26: 2.5}),
        ({"jawOpen": 1.0}, {25: 5.0, 26: 5.0, 27: 5.0}),
        ({"jawOpen": 0.5, "mouthClose": 0.5}, {26: 2.5}),  # a dropped jaw behind closed lips
        ({"mouthLowerDownLeft": 1.0}, {16: 5.0, 25: 5.0}),  # parted lips without the jaw
        ({"mouthUpperUpRight": 0.5}, {10: 2.5, 25: 2.5}),
        ({"mouthFunnel": 1.0, "jawOpen": 0.2}, {22: 5.0, 25: 5.0, 26: 1.0}),
    ],
)
def test_parted_lips_a_dropped_jaw_and_a_stretched_mouth_are_told_apart(
    actions: dict[str, float], expected: dict[int, float]
) -> None:
    assert units(**actions) == expected


def test_neutral_has_no_unit() -> None:
    assert units() == {}


def test_what_is_no_action_is_refused() -> None:
    with pytest.raises(UserError, match="There are 51 actions; 50 were given"):
        action_units(torch.zeros(1, 50))
    with pytest.raises(UserError, match=r"actions\[eyeBlinkLeft\] of face 1 is nan"):
        action_units(torch.tensor([[0.0] * 51, [float("nan")] + [0.0] * 50]))


def test_a_slider_outside_its_range_is_named() -> None:
    sliders = torch.zeros(1, len(SLIDERS))
    sliders[0, 8] = 5.0
    with pytest.raises(UserError, match=r"sliders\[jaw_open\] of face 0 is 5; it must lie in \[0, 1\]"):
        slider_actions(sliders)
