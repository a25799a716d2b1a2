"""Conditions of drawn faces: the cell of a grid, and thirds of people that do not depend on who else is drawn."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from fer_zoo.core.paths import data_roots
from fer_zoo.core.settings import build_settings
from fer_zoo.data.open import open_dataset
from fer_zoo.data.synthesis.blocks import face_model_of
from fer_zoo.data.synthesis.labels import drawn_table
from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.faces.priors.face_prior import draw_faces

ICT = next((root for root in data_roots("ict_facekit") if root.is_dir()), None)


def settings_of(**others: Any) -> SynthesisSettings:
    return build_settings(SynthesisSettings, {"num_samples": 600, "samples_per_person": 1, **others}, where="")


def test_groups_are_thirds_of_people_by_their_modes() -> None:
    settings = settings_of()
    table = drawn_table("synthetic_faces", settings)
    model = face_model_of("procedural").of_landmarks()
    drawn = draw_faces(model, settings, seed=0, numbers=np.arange(600), size=96)
    modes = dict(zip(model.identity_names, drawn.scenes.identity.T.numpy(), strict=True))
    for name, values, levels in (
        ("age", modes["age"], ("young", "middle", "old")),
        ("build", modes["build"], ("slim", "medium", "heavy")),
        ("skin_tone", drawn.skin, ("light", "medium", "dark")),
        ("sex", modes["sex"], ("female", "male")),
    ):
        groups = table[f"condition_{name}"]
        shares = groups.value_counts(normalize=True)  # of 75 people
        assert (shares - 1 / len(levels)).abs().max() < 0.08
        ranges = [(values[groups == level].min(), values[groups == level].max()) for level in levels]
        assert all(before[1] <= after[0] for before, after in pairwise(ranges)), name
    assert (table["condition_intensity"] == table["intensity"]).all()


@pytest.mark.skipif(ICT is None, reason="ICT-FaceKit is not here; `fer-zoo download ict_facekit` fetches it")
def test_a_head_without_words_for_its_modes_has_skin_alone() -> None:
    table = drawn_table("synthetic_faces", settings_of(face_model="ict", num_samples=2))
    assert [c for c in table if c.startswith("condition_")] == ["condition_intensity", "condition_skin_tone"]


def test_cells_of_a_grid_are_columns_of_the_index() -> None:
    index = open_dataset("synthetic_pose_light_v1", num_samples=140)
    table = index.table
    assert sorted(table["condition_light"].unique()) == ["cast_shadow", "dark", "frontal", "side"]
    degrees = np.rad2deg(table["pose_yaw"].abs().to_numpy(float))
    np.testing.assert_allclose(degrees, table["condition_yaw"], atol=1e-4)
    cells = table.groupby(["condition_light", "condition_yaw"])
    assert set(cells.size()) == {7} and set(cells["emotion"].nunique()) == {7}
    assert table["subject"].nunique() == 1


def test_people_of_grids_are_of_all_groups() -> None:
    people = open_dataset("synthetic_occluders_v1").table.groupby("subject").first()
    assert people["condition_sex"].value_counts().tolist() == [10, 10]
    for name in ("skin_tone", "age", "build"):
        counts = people[f"condition_{name}"].value_counts()
        assert len(counts) == 3 and counts.min() >= 5, name


def test_no_face_is_narrower_than_the_widest_cell() -> None:
    table = open_dataset("synthetic_width_v1").table
    ends = table[["landmark_0_x", "landmark_0_y", "landmark_16_x", "landmark_16_y"]].to_numpy(float)
    assert np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1]).min() >= table["condition_face_width"].max() == 96


def test_grids_show_the_same_faces() -> None:
    """All but the strength of the expression, where that is what is crossed."""
    tables = [
        open_dataset(f"synthetic_{name}_v1", num_samples=14 * cells).table[::cells].reset_index(drop=True)
        for name, cells in (("pose_light", 20), ("width", 6), ("occluders", 5))
    ]
    for other in tables[1:]:
        for column in ("emotion", "jawOpen", "browDownLeft", "intensity", "skin_tone", "condition_age"):
            assert other[column].equals(tables[0][column]), column
    strengths = open_dataset("synthetic_intensity_v1", num_samples=35).table
    assert strengths["intensity"].tolist() == [0.1, 0.3, 0.5, 0.7, 0.9] * 7
