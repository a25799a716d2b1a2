"""Scenes: where they lie, in which precision, and choosing among them."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from fer_zoo.faces.face_model import FaceModel
from fer_zoo.faces.face_words import Face, scenes_of
from fer_zoo.faces.models.procedural.build import build
from fer_zoo.faces.renderer import Renderer
from fer_zoo.faces.scenes import Scenes, plain_scenes
from fer_zoo.geometry.cameras import Pinhole


@pytest.fixture(scope="module")
def exact() -> FaceModel:
    return build().to(dtype=torch.float64)


def tensors(value: Any) -> Iterator[Tensor]:
    """All that scenes hold."""
    if isinstance(value, Tensor):
        yield value
        return
    if value is None:
        return  # what only some scenes have
    inside = value.values() if isinstance(value, dict) else [getattr(value, field.name) for field in fields(value)]
    for item in inside:
        yield from tensors(item)


def near(scenes: Scenes) -> Scenes:
    """Before a camera with a distance."""
    distance = torch.full_like(scenes.camera.scale, 9.0)
    return replace(scenes, camera=Pinhole(distance, scenes.camera.scale, scenes.camera.centre))


def test_scenes_have_the_models_precision(exact: FaceModel) -> None:
    for scenes in (plain_scenes(exact, 2, 16), scenes_of(exact, [Face(), Face(skin=0.8)], 16)):
        kinds = [values.dtype for values in tensors(scenes)]
        assert set(kinds) == {torch.float64, torch.int64}
        assert kinds.count(torch.int64) == len(exact.styles)


def test_another_precision_changes_decimal_numbers_alone(exact: FaceModel) -> None:
    scenes = near(plain_scenes(exact, 2, 16))
    single = scenes.to(dtype=torch.float32)
    assert {values.dtype for values in tensors(single)} == {torch.float32, torch.int64}
    assert isinstance(single.camera, Pinhole)
    for one, other in zip(tensors(scenes), tensors(single.to("cpu", torch.float64)), strict=True):
        torch.testing.assert_close(one, other)
    assert all(values.device.type == "meta" for values in tensors(scenes.to("meta")))


def test_rows_are_taken_of_every_tensor(exact: FaceModel) -> None:
    scenes = near(plain_scenes(exact, 3, 16))
    scenes.angles[:, 0] = torch.arange(3)
    scenes.styles["hair"][:] = torch.arange(3)
    chosen = scenes.rows(torch.tensor([2, 0, 0, 1]))
    assert chosen.angles[:, 0].tolist() == chosen.styles["hair"].tolist() == [2, 0, 0, 1]
    assert all(len(values) == 4 for values in tensors(chosen))


def test_pictures_in_double_precision_are_those_in_single(exact: FaceModel) -> None:
    model, size = build(), 48
    double = Renderer(exact, size=size)(near(plain_scenes(exact, 2, size)))
    single = Renderer(model, size=size)(near(plain_scenes(model, 2, size)))
    assert double.image.dtype == double.depth.dtype == double.landmarks.dtype == torch.float64
    assert ((double.image - single.image).abs().amax(dim=1) > 1e-3).float().mean() < 2e-3
    torch.testing.assert_close(double.landmarks.float(), single.landmarks, atol=1e-3, rtol=0)
