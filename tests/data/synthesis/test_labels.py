"""Labels are what was drawn: found again in the rendered mesh."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import nnls

from fer_zoo.core.action_units import GENET_SLIDERS
from fer_zoo.core.settings import build_settings
from fer_zoo.data.image_sources import LANDMARK_COLUMNS
from fer_zoo.data.synthesis.images import renderer_of
from fer_zoo.data.synthesis.labels import drawn_table, spaces_of
from fer_zoo.data.synthesis.settings import AU_SPACES, SynthesisSettings
from fer_zoo.faces.actions import SLIDER_ACTIONS
from fer_zoo.faces.face_model import ACTIONS
from fer_zoo.faces.priors.face_prior import DrawnFaces, draw_faces
from fer_zoo.faces.renderer import Rendered
from fer_zoo.geometry.rotations import rotation

COUNT, SIZE = 12, 32


def settings_of(**others: Any) -> SynthesisSettings:
    return build_settings(SynthesisSettings, {"num_samples": COUNT, "size": SIZE, **others}, where="")


def rendered(settings: SynthesisSettings) -> tuple[DrawnFaces, Rendered]:
    renderer = renderer_of(settings.face_model, SIZE)
    drawn = draw_faces(renderer.model, settings, seed=settings.seed, numbers=np.arange(COUNT), size=SIZE)
    return drawn, renderer(drawn.scenes)


def test_landmarks_are_vertices_of_the_rendered_head() -> None:
    settings = settings_of()
    drawn, picture = rendered(settings)
    table = drawn_table("synthetic_faces", settings)
    found = table[list(LANDMARK_COLUMNS)].to_numpy(float).reshape(COUNT, 68, 2)
    points = picture.vertices[:, renderer_of("procedural", SIZE).model.landmarks]
    camera = drawn.scenes.camera
    depth = camera.distance[:, None] - points[:, :, 2]  # type: ignore[union-attr]  # a pinhole camera
    share = camera.scale[:, None] * camera.distance[:, None] / depth  # type: ignore[union-attr]
    middle = camera.centre[:, None]  # type: ignore[union-attr]
    by_hand = torch.stack((middle[..., 0] + share * points[..., 0], middle[..., 1] - share * points[..., 1]), dim=2)
    assert np.abs(found - by_hand.numpy()).max() < 1e-3
    assert np.abs(found - picture.landmarks.numpy()).max() < 1e-3


def test_sliders_follow_from_where_the_vertices_went() -> None:
    settings = settings_of(expression="sliders", au_space="au/genet23")
    drawn, picture = rendered(settings)
    model, scenes = renderer_of("procedural", SIZE).model, drawn.scenes
    table = drawn_table("synthetic_faces", settings)[list(GENET_SLIDERS)].to_numpy(float)
    turn = rotation(scenes.angles)
    for row in range(COUNT):
        one = scenes.rows(torch.tensor([row]))
        still = model.vertices(one.identity, torch.zeros(1, 51), one.styles)[:, :, 0]
        moved = picture.vertices[row] @ turn[row] - still  # back to the front: the inverse is the transpose
        columns = []
        for slider in GENET_SLIDERS:
            weights = torch.zeros(1, 51)
            weights[0, [ACTIONS.index(action) for action in SLIDER_ACTIONS[slider]]] = 1.0
            if slider.endswith("eye_blink"):  # closes the eye of whoever it is
                columns.append(model.vertices(one.identity, weights, one.styles)[:, :, 0] - still)
            else:
                columns.append(model.action_basis @ weights[0])
        basis = torch.stack(columns, dim=2).reshape(-1, len(GENET_SLIDERS)).double().numpy()
        found, _ = nnls(basis, moved.reshape(-1).double().numpy())
        assert np.abs(found - table[row]).max() < 1e-3


def test_angles_skin_and_actions_are_those_of_the_scene() -> None:
    settings = settings_of(expression="action_units")
    drawn, picture = rendered(settings)
    table = drawn_table("synthetic_faces", settings)
    yaw, pitch, roll = drawn.scenes.angles.double().T.numpy()
    assert (table["pose_yaw"] == yaw).all() and (table["pose_pitch"] == pitch).all()
    assert (table["pose_roll"] == roll).all() and (table["skin_tone"] == drawn.skin).all()
    assert (table[list(ACTIONS)].to_numpy(float) == drawn.scenes.actions.double().numpy()).all()
    assert "emotion" not in table and "emotion" not in spaces_of(settings)
    assert bool((picture.mask > 0).any())


@pytest.mark.parametrize("space", AU_SPACES)
def test_every_space_of_action_units_is_filled(space: str) -> None:
    settings = settings_of(au_space=space, expression="action_units", num_samples=300)
    values = drawn_table("synthetic_faces", settings)[list(spaces_of(settings)["au"].entries)].to_numpy(float)
    assert np.isfinite(values).all() and values.min() >= 0
    assert values.max() <= (1 if space == "au/genet23" else 5)
    assert (values.max(axis=0) > 0).all()
