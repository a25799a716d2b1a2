from pathlib import Path

import numpy as np
import pandas as pd

from fer_zoo.core.label_spaces import label_space
from fer_zoo.data.index import Index, index_table
from fer_zoo.data.sample_groups import SampleGroup, sample_groups


def index_of(number: int, **columns: list[object]) -> Index:
    """An index without files; its targets are those of the columns."""
    table = index_table("fake", [f"{i}.png" for i in range(number)], **columns)
    spaces = {"emotion": label_space("emotion/basic7")} if "emotion" in columns else {}
    units = [name for name in columns if name.startswith("AU")]
    return Index("fake", Path(), table, spaces | ({"au": label_space("au/disfa12").only(units)} if units else {}))


def ids(index: Index, group: SampleGroup) -> list[str]:
    return [index.ids[row] for row in group.rows]


def test_every_class_with_samples_has_a_group_of_its_own_samples() -> None:
    labels = ["anger", "fear", None, "anger", "contempt", "anger"]
    index = index_of(6, emotion=labels)
    groups = sample_groups(index, 2, seed=0)
    assert [(g.entry, g.samples, g.subjects, len(g.rows)) for g in groups] == [("anger", 3, 3, 2), ("fear", 1, 1, 1)]
    assert all(labels[row] == g.entry for g in groups for row in g.rows)


def test_a_second_image_of_a_person_comes_after_everyone_else() -> None:
    people = ["a"] * 50 + ["b"] * 3 + ["c"]
    index = index_of(54, emotion=["anger"] * 54, subject=people)
    for seed in range(5):
        (group,) = sample_groups(index, 5, seed)
        shown = [people[row] for row in group.rows]
        assert set(shown[:3]) == {"a", "b", "c"}
        assert sorted(shown[3:]) == ["a", "b"]
        assert len(set(group.rows)) == 5


def test_the_seed_draws_and_the_order_of_rows_does_not_matter() -> None:
    index = index_of(40, emotion=["anger"] * 40)
    turned = Index("fake", Path(), index.table[::-1], index.label_spaces)
    chosen = [ids(index, sample_groups(index, 4, seed)[0]) for seed in range(6)]
    assert len({tuple(names) for names in chosen}) == 6
    assert [ids(turned, sample_groups(turned, 4, seed)[0]) for seed in range(6)] == chosen
    fewer = Index("fake", Path(), index.table[~index.table["id"].isin(chosen[0][:1])], index.label_spaces)
    assert ids(fewer, sample_groups(fewer, 3, 0)[0]) == chosen[0][1:]  # the others stay as they are


def test_values_are_a_ladder_from_the_highest_to_the_lowest() -> None:
    values = [0.0] * 100 + [5.0, 4.0, 3.0, 2.0, 1.0] + [np.nan] * 10
    index = index_of(115, AU12=list(values), AU04=[np.nan] * 115)
    (group,) = sample_groups(index, 6, seed=0)
    assert (group.target, group.entry, group.samples) == ("au", "AU12", 105)
    assert group.values == (5.0, 4.0, 3.0, 2.0, 1.0, 0.0)
    assert [values[row] for row in group.rows] == list(group.values)


def test_levels_without_a_sample_take_the_nearest_and_no_sample_stands_twice() -> None:
    index = index_of(4, AU12=[5.0, 5.0, 0.1, 0.0], subject=["a", "a", "b", "c"])
    (group,) = sample_groups(index, 40, seed=0)
    assert group.values == (5.0, 5.0, 0.1, 0.0)
    assert sorted(group.rows) == [0, 1, 2, 3]


def test_of_equal_values_other_people_come_first() -> None:
    people = ["a"] * 30 + ["b"]
    index = index_of(31, AU12=[0.0] * 31, subject=people)
    for seed in range(5):
        (group,) = sample_groups(index, 2, seed)
        assert {people[row] for row in group.rows} == {"a", "b"}


def test_both_kinds_of_targets_and_none() -> None:
    both = index_of(3, emotion=["anger", None, None], AU12=[np.nan, 1.0, np.nan])
    assert [(g.target, g.entry) for g in sample_groups(both, 3, 0)] == [("emotion", "anger"), ("au", "AU12")]
    nothing = index_of(2, emotion=[None, "contempt"])
    assert sample_groups(nothing, 3, 0) == []
    assert pd.isna(both.table["AU12"][0])
