"""Panels beside a photograph: which values, how long the bars are, and the expression that they mean."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.engine.expression_panels import expression_of, is_drawable, strongest, with_panels
from fer_zoo.engine.marked_pictures import write_pictures
from fer_zoo.engine.predict_settings import PredictSettings, shown_model
from fer_zoo.faces.face_words import Face
from fer_zoo.faces.open import open_face_model
from fer_zoo.faces.sheets import pictures_of

BLENDSHAPES, SLIDERS, UNITS = label_space("blendshapes/51"), label_space("au/genet23"), label_space("au/disfa12")
SPACES = {"blendshapes": BLENDSHAPES}
BLUE = (60, 110, 190)


def row(face: int = 0, left: float = 30, **values: float | None) -> dict[str, object]:
    box = {"face_x": left, "face_y": 60, "face_width": 100, "face_height": 100}
    return {"face": face, "face_found": True, **box, **dict.fromkeys(BLENDSHAPES.entries, 0.0), **values}


def grey(height: int = 480, width: int = 640) -> np.ndarray:
    return np.full((height, width, 3), 90, np.uint8)


def bars(picture: np.ndarray) -> list[int]:
    """Lengths of the bars, from above."""
    lengths = (np.abs(picture.astype(int) - BLUE) < 8).all(axis=2).sum(axis=1)
    begins = np.flatnonzero((lengths > 0) & (np.roll(lengths, 1) != lengths))
    return lengths[begins].tolist()


def test_long_spaces_show_the_farthest_from_rest_and_short_ones_all_in_their_order() -> None:
    found = strongest(row(jawOpen=0.9, mouthPucker=0.95, eyeBlinkLeft=None), BLENDSHAPES)
    assert [name for name, _ in found[:2]] == ["mouthPucker", "jawOpen"] and len(found) == 15
    assert [name for name, _ in strongest(dict.fromkeys(UNITS.entries, 2.0), UNITS)] == list(UNITS.entries)
    signed = label_space("expression/29")
    values = dict.fromkeys(signed.entries, 0.0) | {"expression_03": 1.0, "expression_05": -2.0}
    assert strongest(values, signed)[:2] == [("expression_05", -2.0), ("expression_03", 1.0)]


def test_bars_are_as_long_as_the_values_and_the_photograph_stays() -> None:
    values = {"jawOpen": 1.0, "mouthPucker": 0.5, "eyeBlinkLeft": 0.25}
    photograph = grey()
    picture = with_panels(photograph, photograph, [row(**values)], SPACES, None)
    assert np.array_equal(picture[:480, :640], photograph)
    one, half, quarter = bars(picture[:, 640:])[:3]
    assert half == pytest.approx(one / 2, abs=2) and quarter == pytest.approx(one / 4, abs=2)


def test_values_of_both_signs_have_their_bars_on_both_sides_of_zero() -> None:
    signed = label_space("expression/29")
    face = {"face": 0, "face_found": True, **dict.fromkeys(signed.entries)}
    photograph = grey(200, 320)
    found = []
    for value in (-3.0, 3.0):
        own = {**face, "expression_00": value}
        panel = with_panels(photograph, photograph, [own], {"expression": signed}, None)[:, 320:]
        columns = np.flatnonzero((np.abs(panel.astype(int) - BLUE) < 8).all(axis=2).any(axis=0))
        found.append((columns.min(), columns.max()))
    assert found[0][1] == pytest.approx(found[1][0], abs=2) and found[0][0] < found[1][0]


def test_each_face_has_a_panel_until_there_are_too_many() -> None:
    photograph = grey()
    heights = [
        with_panels(photograph, photograph, [row(n, 5 * n, jawOpen=1.0) for n in range(number)], SPACES, None).size
        for number in (1, 3, 24, 30)
    ]
    assert heights[0] < heights[1] < heights[2] <= heights[3] < 1.1 * heights[2]


def test_rows_without_values_leave_the_photograph_alone() -> None:
    photograph = grey()
    missing = {**row(), **dict.fromkeys(BLENDSHAPES.entries)}
    for rows in ([], [{"face_found": False, "problem": "no face found"}], [missing]):
        assert np.array_equal(with_panels(photograph, photograph, rows, SPACES, None), photograph)
    assert np.array_equal(with_panels(photograph, photograph, [row()], {}, None), photograph)


def test_actions_and_sliders_become_expressions_and_others_do_not() -> None:
    assert is_drawable(BLENDSHAPES) and is_drawable(SLIDERS)
    assert not is_drawable(UNITS) and not is_drawable(label_space("emotion/basic6"))
    acting = {name: value for name, value in expression_of(row(jawOpen=0.4), BLENDSHAPES).actions.items() if value}
    assert acting == {"jawOpen": 0.4}
    sliders = dict.fromkeys(SLIDERS.entries, 0.0) | {"lip_corner_puller": 0.5}
    acting = {name: value for name, value in expression_of(sliders, SLIDERS).actions.items() if value}
    assert acting == {"mouthSmileLeft": 0.5, "mouthSmileRight": 0.5}


def test_the_head_is_the_neutral_face_with_the_predicted_actions() -> None:
    """A panel of a photograph of 320 pixels: letters of 12, so 16 lines of 16 pixels a side."""
    model = open_face_model("procedural")
    photograph = grey(320, 320)
    picture = with_panels(photograph, photograph, [row(jawOpen=0.8)], SPACES, model)
    expected = np.asarray(pictures_of(model, [Face(actions={"jawOpen": 0.8})], 256, close_up=True)[0])
    windows = np.lib.stride_tricks.sliding_window_view(picture[:, :, 0], (256, 256))
    assert (windows[:, -60:, ::37, ::37] == expected[::37, ::37, 0]).all(axis=(2, 3)).any()
    assert picture.shape[1] > with_panels(photograph, photograph, [row(jawOpen=0.8)], SPACES, None).shape[1] + 256


def test_only_what_can_be_drawn_opens_a_face_model() -> None:
    assert shown_model(PredictSettings(face_model="none"), SPACES) is None
    assert shown_model(PredictSettings(face_model="nobody"), {"emotion": label_space("emotion/basic6")}) is None
    with pytest.raises(UserError, match="No face model is named 'nobody'"):
        shown_model(PredictSettings(face_model="nobody"), SPACES)
    model = shown_model(PredictSettings(), SPACES)
    assert model is not None and model.name == "procedural"


def test_pictures_of_photographs_have_panels(tmp_path: Path) -> None:
    Image.fromarray(grey()).save(tmp_path / "a.png")
    rows = [{**row(jawOpen=1.0), "file": str(tmp_path / "a.png"), "frame": None}]
    write_pictures(rows, [tmp_path / "a.png"], tmp_path / "out", SPACES)
    with Image.open(tmp_path / "out" / "00000_a.png") as picture:
        assert picture.width > 900 and max(bars(np.asarray(picture))) > 50
