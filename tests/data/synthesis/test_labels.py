"""Labels of drawn faces against their scenes and the rendered mesh: exact, and of each sample alone."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.optimize import nnls

from fer_zoo.core.blendshapes import BLENDSHAPES_51
from fer_zoo.core.errors import UserError
from fer_zoo.core.face_parts import FACE_PARTS
from fer_zoo.core.label_spaces import label_space
from fer_zoo.core.settings import build_settings
from fer_zoo.data.image_sources import LANDMARK_COLUMNS
from fer_zoo.data.open import open_dataset
from fer_zoo.data.protocols.catalogue import make_splits
from fer_zoo.data.synthesis import labels
from fer_zoo.data.synthesis.blocks import face_model_of, renderer_of
from fer_zoo.data.synthesis.labels import drawn_index, drawn_table, spaces_of
from fer_zoo.data.synthesis.settings import AU_SPACES, SynthesisSettings
from fer_zoo.engine.config import compose
from fer_zoo.faces.actions import ACTION_UNIT_NAMES, SLIDERS, action_units, slider_actions
from fer_zoo.faces.components import expression_components
from fer_zoo.faces.face_model import ACTIONS, FaceModel
from fer_zoo.faces.priors.face_prior import DrawnFaces, draw_faces
from fer_zoo.faces.priors.settings import PosePrior
from fer_zoo.faces.renderer import Rendered
from fer_zoo.geometry.cameras import Pinhole
from fer_zoo.geometry.rotations import rotation

COUNT, SIZE = 24, 32


def settings(**others: Any) -> SynthesisSettings:
    return build_settings(SynthesisSettings, {"num_samples": COUNT, "size": SIZE, **others}, where="dataset")


def faces(chosen: SynthesisSettings, model: FaceModel | None = None) -> DrawnFaces:
    numbers = np.arange(chosen.num_samples)
    model = model or face_model_of(chosen.face_model)
    return draw_faces(model, chosen, seed=chosen.seed, numbers=numbers, size=chosen.size)


def rendered(drawn: DrawnFaces, chosen: SynthesisSettings) -> Rendered:
    with torch.no_grad():
        return renderer_of(chosen.face_model, chosen.size)(drawn.scenes)


@pytest.fixture(scope="module")
def chosen() -> SynthesisSettings:
    return settings(expression="action_units")


@pytest.fixture(scope="module")
def drawn(chosen: SynthesisSettings) -> DrawnFaces:
    return faces(chosen)


@pytest.fixture(scope="module")
def table(chosen: SynthesisSettings) -> pd.DataFrame:
    return drawn_index("synthetic_faces", chosen).table


def test_a_table_that_somebody_changes_is_as_it_was_for_the_next() -> None:
    settings = SynthesisSettings(num_samples=8, pose=PosePrior(yaw=25))  # a whole number, where a float is meant
    first = drawn_table("synthetic_faces", settings)
    assert first["image"].str.startswith(settings.key).all()
    first["subject"] = "nobody"
    assert not (drawn_table("synthetic_faces", settings)["subject"] == "nobody").any()


def test_whole_intensities_are_the_continuous_ones_rounded_and_nothing_else_changes() -> None:
    settings = {"num_samples": 40, "size": 32, "expression": "sliders"}
    exact, whole = (open_dataset("synthetic_faces", whole_intensities=flag, **settings) for flag in (False, True))
    units = list(exact.space("au").entries)
    np.testing.assert_array_equal(whole.table[units], exact.table[units].round())
    assert set(np.unique(whole.table[units])) <= {0.0, 1.0, 2.0, 3.0, 4.0, 5.0} and (exact.table[units] % 1 != 0).any(
        axis=None
    )
    assert whole.ids == exact.ids and whole.fingerprint() != exact.fingerprint()
    others = [column for column in exact.table if column not in units]
    assert whole.table[others].equals(exact.table[others])


def test_landmarks_are_vertices_of_the_rendered_head(
    chosen: SynthesisSettings, drawn: DrawnFaces, table: pd.DataFrame
) -> None:
    picture, camera = rendered(drawn, chosen), drawn.scenes.camera
    assert isinstance(camera, Pinhole)
    points = picture.vertices[:, face_model_of("procedural").landmarks]
    share = (camera.scale * camera.distance)[:, None] / (camera.distance[:, None] - points[:, :, 2])
    middle = camera.centre[:, None]
    by_hand = torch.stack((middle[..., 0] + share * points[..., 0], middle[..., 1] - share * points[..., 1]), dim=2)
    found = table[list(LANDMARK_COLUMNS)].to_numpy().reshape(COUNT, 68, 2)
    np.testing.assert_allclose(found, by_hand.numpy(), atol=1e-3)
    np.testing.assert_allclose(found, picture.landmarks.numpy(), atol=1e-3)


def test_angles_skin_and_actions_are_those_of_the_scene(drawn: DrawnFaces, table: pd.DataFrame) -> None:
    angles = table[["pose_yaw", "pose_pitch", "pose_roll"]].to_numpy(np.float32)
    np.testing.assert_array_equal(angles, drawn.scenes.angles.numpy())
    actions = table[list(BLENDSHAPES_51.entries)].to_numpy(np.float32)
    np.testing.assert_array_equal(actions, drawn.scenes.actions.numpy())
    assert actions.max() > 0.5
    np.testing.assert_array_equal(table["skin_tone"], drawn.skin)


def test_expression_coefficients_are_those_of_the_actions(drawn: DrawnFaces, table: pd.DataFrame) -> None:
    whole = expression_components(face_model_of("procedural"))
    expected = whole.coefficients(drawn.scenes.actions).clamp(-3, 3)
    found = table[list(label_space("expression/29").entries)].to_numpy()
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)


@pytest.mark.parametrize("space", [name for name in AU_SPACES if name != "au/genet23"])
def test_action_units_are_those_of_the_actions(drawn: DrawnFaces, space: str) -> None:
    known = dict(zip(ACTION_UNIT_NAMES, action_units(drawn.scenes.actions.double()).T.numpy(), strict=True))
    index = drawn_index("synthetic_faces", settings(expression="action_units", au_space=space))
    for unit in label_space(space).entries:
        np.testing.assert_allclose(index.table[unit], known[unit], atol=1e-6)


@pytest.mark.parametrize("space", AU_SPACES)
def test_every_action_unit_occurs_and_none_is_stronger_than_its_space(space: str) -> None:
    index = drawn_index("synthetic_faces", settings(au_space=space, expression="action_units", num_samples=300))
    values = index.target_array("au")
    assert np.isfinite(values).all() and values.min() >= 0
    assert values.max() <= (1 if space == "au/genet23" else 5)
    assert (values.max(axis=0) > 0).all()


def test_sliders_follow_from_where_the_vertices_went() -> None:
    """Least squares on each rendered face, turned back to the front; a blink is of whose eyes it closes."""
    chosen = settings(num_samples=12, expression="sliders", au_space="au/genet23")
    drawn, model = faces(chosen), face_model_of("procedural")
    scenes, table = drawn.scenes, drawn_table("synthetic_faces", chosen)[list(SLIDERS)].to_numpy(float)
    vertices, turn = rendered(drawn, chosen).vertices, rotation(scenes.angles)
    weights = slider_actions(torch.eye(len(SLIDERS)).double()).float()
    blinks = [place for place, name in enumerate(SLIDERS) if name.endswith("blink")]
    for row in range(len(vertices)):
        one = scenes.rows(torch.full((len(SLIDERS),), row))
        still = model.vertices(one.identity, torch.zeros_like(weights), one.styles)
        ways = model.action_basis @ weights.T
        ways[:, :, blinks] = (model.vertices(one.identity, weights, one.styles) - still)[:, :, blinks]
        moved = vertices[row] @ turn[row] - still[:, :, 0]  # the inverse is the transpose
        found, _ = nnls(ways.reshape(-1, len(SLIDERS)).double().numpy(), moved.reshape(-1).double().numpy())
        assert np.abs(found - table[row]).max() < 1e-3


def test_emotions_are_those_drawn() -> None:
    for classes in (["anger", "fear", "happiness"], ["surprise", "anger"], ["contempt"]):
        chosen = settings(emotions={"classes": classes})
        index, drawn = drawn_index("synthetic_faces", chosen), faces(chosen)
        assert index.table["emotion"].tolist() == [classes[number] for number in drawn.emotion]
        assert set(index.space("emotion").entries) == set(classes)
        positions = index.target_array("emotion")
        assert [index.space("emotion").entries[number] for number in positions] == index.table["emotion"].tolist()
        np.testing.assert_array_equal(index.table["intensity"], drawn.strength)


def test_what_is_drawn_without_emotions_has_none() -> None:
    index = drawn_index("synthetic_faces", settings(expression="sliders"))
    assert "emotion" not in index.table and "emotion" not in index.label_spaces
    with pytest.raises(UserError, match="has no target 'emotion'"):
        index.space("emotion")


def test_an_unknown_emotion_or_none_is_refused() -> None:
    for classes, sentence in ((["hapiness"], "There is no emotion 'hapiness'"), ([], "No emotion is named")):
        with pytest.raises(UserError, match=sentence):
            open_dataset("synthetic_faces", emotions={"classes": classes}, num_samples=4)


@pytest.mark.parametrize("expression", ["emotions", "action_units"])
def test_a_sample_depends_on_no_number_of_samples(monkeypatch: pytest.MonkeyPatch, expression: str) -> None:
    chosen = settings(expression=expression, clips={"frames": 3})
    whole = drawn_table("synthetic_faces", chosen)
    for count in (1, 7, 17):
        smaller = drawn_table("synthetic_faces", replace(chosen, num_samples=count))
        pd.testing.assert_frame_equal(smaller, whole[:count])
    monkeypatch.setattr(labels, "_CHUNK", 5)  # made in parts
    pd.testing.assert_frame_equal(drawn_table("synthetic_faces", chosen), whole)


def test_another_seed_has_other_people_and_other_samples() -> None:
    one, other = (drawn_index("synthetic_faces", settings(seed=seed)) for seed in (0, 1))
    assert set(one.table["subject"]).isdisjoint(other.table["subject"])
    assert set(one.ids).isdisjoint(other.ids)
    assert one.fingerprint() != other.fingerprint()


@pytest.mark.parametrize("heads", ["procedural", "procedural+procedural"])
def test_people_are_told_apart_where_that_is_asked_for(heads: str) -> None:
    plain, index = (
        drawn_index("synthetic_faces", settings(face_model=heads, identity=is_asked)) for is_asked in (False, True)
    )
    people = index.space("identity")
    assert "identity" not in plain.spaces and plain.fingerprint() != index.fingerprint()
    assert people.kind == "classes" and set(people.entries) == set(plain.table["subject"]) and len(people) == 3
    assert [people.entries[place] for place in index.target_array("identity")] == plain.table["subject"].tolist()
    assert index.ids == plain.ids  # the same pictures
    pd.testing.assert_frame_equal(index.table.drop(columns="identity"), plain.table)


def test_identity_holdout_learns_and_tests_everybody() -> None:
    index = drawn_index("synthetic_faces", settings(identity=True, clips={"frames": 2}, samples_per_person=4))
    (split,) = make_splits(index, "identity_holdout", {}, "identity")
    for part in (split.train, split.validation, split.test):
        rows = index.table.iloc[index.rows_of(part)]
        assert rows["subject"].nunique() == 3
        assert len(part) == 2 * rows["clip"].nunique()  # no clip is parted


def test_clips_have_codes_of_their_own() -> None:
    index = drawn_index("synthetic_faces", settings(clips={"frames": 4}, samples_per_person=2))
    assert index.table["clip"].nunique() == 6 and index.table["subject"].nunique() == 3
    assert index.table["frame"].tolist() == [0, 1, 2, 3] * 6
    assert (index.table["intensity"][index.table["frame"] == 0] == 0).all()
    assert (drawn_index("synthetic_faces", settings()).table["clip"] == "").all()


CHANGES: list[dict[str, Any]] = [
    {"seed": 1}, {"size": 40}, {"expression": "sliders"}, {"samples_per_person": 3}, {"face_model": "ict"},
    {"emotions": {"classes": ["anger", "fear"]}}, {"emotions": {"weakest": 0.1}}, {"clips": {"frames": 2}},
    {"pose": {"yaw": 1.0}}, {"camera": {"zoom": 0.2}}, {"light": {"colour": 0.2}}, {"background": {"contrast": 0.5}},
    {"occluders": {"probability": 1.0}}, {"capture": {"grey": 1.0}},
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_the_key_changes_with_the_pictures(change: dict[str, Any]) -> None:
    assert settings(**change).key != settings().key


def test_the_key_changes_with_nothing_else() -> None:
    for change in (
        {"num_samples": 5},
        {"au_space": "au/genet23"},
        {"identity": True},
        {"pose": {"yaw": 15}},
        {"seed": 0},
    ):
        assert settings(**change).key == settings().key


def test_default_splits_share_no_person() -> None:
    words = [("method", "timm_classifier"), ("dataset", "synthetic_faces"), ("dataset.num_samples", "160")]
    protocol = dict(compose(words, verb="train").protocol)
    index = drawn_index("synthetic_faces", settings(num_samples=160))
    people = dict(zip(index.ids, index.table["subject"], strict=True))
    for split in make_splits(index, protocol.pop("name"), protocol, "emotion"):
        parts = [{people[name] for name in part} for part in (split.train, split.validation, split.test)]
        assert all(parts)
        assert len(set.union(*parts)) == sum(map(len, parts))


def test_an_open_mouth_shows_more_of_its_inside() -> None:
    chosen = settings(num_samples=12, expression="sliders", sliders={"active": 0.0})
    drawn = faces(chosen)
    actions = drawn.scenes.actions.clone()
    actions[:, ACTIONS.index("jawOpen")] = 0.9
    inside = FACE_PARTS.index("inner_mouth")
    shut, wide = (
        (rendered(replace(drawn, scenes=replace(drawn.scenes, actions=of)), chosen).mask == inside).sum(dim=(1, 2))
        for of in (drawn.scenes.actions, actions)
    )
    assert (wide > shut + 3).all()


def test_spaces_are_those_of_the_card() -> None:
    spaces = spaces_of(settings())
    assert {target: space.name for target, space in spaces.items()} == {
        "emotion": "emotion/basic8:anger+disgust+fear+happiness+neutral+sadness+surprise",
        "au": "au/disfa12",
        "blendshapes": "blendshapes/51",
        "expression": "expression/29",
        "pose": "pose/3",
        "landmarks": "landmarks/68",
        "face_parameters": "face_parameters/procedural",
    }
