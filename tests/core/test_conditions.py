"""Conditions: known ones in their order, any other behind them."""

from fer_zoo.core.conditions import CONDITIONS, PREFIX, condition_columns, level_order


def test_columns_come_in_the_order_of_the_known_ones() -> None:
    columns = ["id", "condition_zoom", "condition_sex", 3, "condition_yaw", "conditional"]
    assert condition_columns(columns) == ["condition_yaw", "condition_sex", "condition_zoom"]


def test_levels_come_in_their_order_and_unknown_ones_by_alphabet() -> None:
    assert level_order("age", {"old", "zebra", "young", "apple"}) == ["young", "old", "apple", "zebra"]
    assert level_order("zoom", {"b", "a"}) == ["a", "b"]


def test_known_conditions_say_what_they_are() -> None:
    for name, condition in CONDITIONS.items():
        assert condition.name == name and condition.meaning and PREFIX not in name
        assert not (condition.unit and condition.levels)  # texts have no unit
