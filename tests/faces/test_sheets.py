import numpy as np
import pytest

from fer_zoo.core.emotions import EMOTION_SPACES
from fer_zoo.faces.actions import SLIDERS
from fer_zoo.faces.face_model import ACTIONS, FaceModel
from fer_zoo.faces.face_words import ACTION_WORDS, ALIASES, EMOTIONS, Face, known_words, scenes_of
from fer_zoo.faces.open import open_face_model
from fer_zoo.faces.people import MOST_DEVIATIONS, random_face
from fer_zoo.faces.sheets import SHEETS, draw_sheet, pictures_of, plan_sheet


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return open_face_model("procedural")


def test_sheets_show_everything_once(model: FaceModel) -> None:
    labels = {kind: [cell.label for cell in plan_sheet(kind, model, Face()).cells] for kind in SHEETS}
    assert labels["actions"] == ["neutral", *ACTIONS]
    assert labels["sliders"] == ["neutral", *SLIDERS]
    assert labels["emotions"] == 4 * list(EMOTIONS)
    assert len({*labels["identities"]}) == len(labels["identities"]) == 32
    assert len({*labels["poses"]}) == 21


def test_every_cell_is_another_picture(model: FaceModel) -> None:
    faces = [cell.face for kind in ("actions", "identities") for cell in plan_sheet(kind, model, Face()).cells]
    pictures = {np.asarray(picture).tobytes() for picture in pictures_of(model, faces, 48)}
    assert len(pictures) == len(faces)


def test_sheets_show_the_face_that_is_given(model: FaceModel) -> None:
    person = random_face(model, 3).acting({"smile": 0.5}).turned(yaw=30.0)
    assert all(cell.face.identity == person.identity for cell in plan_sheet("actions", model, person).cells)
    others = [cell.face for cell in plan_sheet("identities", model, person).cells]
    assert all(face.angles == person.angles and face.actions == person.actions for face in others)


def test_a_sheet_has_its_pictures_in_rows_with_their_labels_below(model: FaceModel) -> None:
    size = 32
    sheet = draw_sheet(model, plan_sheet("poses", model, Face()), size)
    assert sheet.width == 7 * size + 6 * 2
    paper = np.asarray(sheet)
    assert (paper[size : size + 8, :size] < 200).any()  # ink
    assert not (paper[:size, size : size + 2] < 255).any()  # a gap


def test_emotions_are_those_of_the_label_spaces_and_made_of_actions() -> None:
    (basic8,) = (space for space in EMOTION_SPACES if space.name == "emotion/basic8")
    assert {*EMOTIONS} == {*basic8.entries}
    assert all({*moves} <= {*ACTION_WORDS} for moves in EMOTIONS.values())
    assert all(0 < value <= 1 for moves in EMOTIONS.values() for value in moves.values())


def test_words_mean_actions_and_none_means_two_things(model: FaceModel) -> None:
    assert all({*actions} <= {*ACTIONS} for actions in ACTION_WORDS.values())
    assert {*ALIASES} & {*ACTIONS, *SLIDERS} == set()
    assert len({*known_words(model)}) == len(known_words(model))


def test_scenes_hold_what_a_face_says(model: FaceModel) -> None:
    face = Face(identity={"age": 1.5}, styles={"hair": "long"}).acting({"jawOpen": 0.25}).turned(pitch=-90.0)
    scenes = scenes_of(model, [Face(), face], 32)
    assert scenes.identity[:, model.identity_names.index("age")].tolist() == [0, 1.5]
    assert scenes.actions[:, ACTIONS.index("jawOpen")].tolist() == [0, 0.25]
    assert scenes.styles["hair"].tolist() == [0, [style.name for style in model.styles["hair"]].index("long")]
    assert scenes.angles[1].tolist() == pytest.approx([0, -np.pi / 2, 0])


def test_people_are_drawn_from_their_seed_alone_and_like_people(model: FaceModel) -> None:
    people = [random_face(model, seed) for seed in range(200)]
    assert random_face(model, 17) == people[17]
    assert max(abs(value) for person in people for value in person.identity.values()) <= MOST_DEVIATIONS
    women = [person for person in people if person.identity["sex"] < 0]
    assert 60 < len(women) < 140
    assert {person.styles["beard"] for person in women} == {"none"}
    for mode, choices in model.styles.items():
        assert {person.styles[mode] for person in people} == {style.name for style in choices}
