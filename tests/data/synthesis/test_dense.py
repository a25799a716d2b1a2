"""Dense targets of drawn faces agree with the renderer, with landmarks and with each other."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fakes.drawn import make

from fer_zoo.core.face_parameters import ICT_MODES, ODD_MODES, PROCEDURAL_MODES
from fer_zoo.core.face_parts import FACE_PARTS
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.label_spaces import label_space
from fer_zoo.core.landmarks import NOSE_TIP
from fer_zoo.core.paths import data_roots
from fer_zoo.core.settings import build_settings
from fer_zoo.data.dataset import FaceDataset, Sample
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset
from fer_zoo.data.synthesis.blocks import face_model_of, photographs_of, renderer_of
from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.data.transforms import mirror_values
from fer_zoo.faces.effects import occluded
from fer_zoo.faces.position_map import PositionMaps
from fer_zoo.faces.priors.face_prior import draw_faces

NAME, COUNT = "synthetic_faces", 24
SETTINGS = {"num_samples": COUNT, "size": 64, "samples_per_person": 2}
TARGETS = ("landmarks", "pose", "face_parameters", "mask", "position_map", "shading")
MODELS = ["procedural", "ict"] if any(root.is_dir() for root in data_roots("ict_facekit")) else ["procedural"]


def spec_of(height: int, width: int) -> InputSpec:
    return InputSpec(height=height, width=width, colour="rgb", mean=(0.0,) * 3, std=(1.0,) * 3)


def samples(index: Index, spec: InputSpec, augmentation: str = "none") -> list[Sample]:
    spaces = {target: index.space(target) for target in TARGETS}
    dataset = FaceDataset(index, index.ids, spec, spaces, augmentation=augmentation)
    return dataset.__getitems__([(0, place, 0) for place in range(len(dataset))])


def settings_of(**others: Any) -> SynthesisSettings:
    return build_settings(SynthesisSettings, {**SETTINGS, **others}, where="")


def test_a_mask_is_what_the_renderer_drew_in_front_of_which_things_are() -> None:
    others = {"occluders": {"probability": 0.8}, "capture": {"blur": 0.0}}
    settings = settings_of(**others)
    renderer = renderer_of("procedural", 64)
    drawn = draw_faces(renderer.model, settings, seed=0, numbers=np.arange(COUNT), size=64)
    seen = occluded(renderer(drawn.scenes), drawn.occluders)
    found = samples(open_dataset(NAME, **SETTINGS, **others), spec_of(64, 64))
    for place, sample in enumerate(found):
        assert (sample["mask"] == seen.mask[place].numpy()).all()
    assert {int(part) for sample in found for part in np.unique(sample["mask"])} == set(range(len(FACE_PARTS)))


@pytest.mark.parametrize("augmentation", ["none", "standard", "strong"])
def test_areas_of_an_enlarged_mask_are_those_of_the_renderer(augmentation: str) -> None:
    own = [one.mask for one in photographs_of(settings_of(), np.arange(COUNT))]
    for sample, mask in zip(samples(open_dataset(NAME, **SETTINGS), spec_of(128, 160), augmentation), own, strict=True):
        share = (sample["mask"] > 0).mean() / (mask > 0).mean()
        assert abs(share - 1) < (0.01 if augmentation == "none" else 0.35)  # scale, and what is moved out


@pytest.mark.parametrize("augmentation", ["none", "standard"])
def test_parts_lie_where_the_landmarks_are(augmentation: str) -> None:
    """The nose about its tip, each eye between its corners, with the sides the subject's own."""
    index = open_dataset(NAME, **SETTINGS, occluders={"probability": 0.0}, pose={"yaw": 4.0})
    agreeing = {"nose": 0, "left_eye": 0, "right_eye": 0}
    for sample in samples(index, spec_of(96, 96), augmentation):
        points, mask = sample["landmarks"], sample["mask"]
        centres = {
            "nose": points[NOSE_TIP],
            "right_eye": points[36:42].mean(axis=0),
            "left_eye": points[42:48].mean(axis=0),
        }
        for part, (x, y) in centres.items():
            rows, columns = np.nonzero(mask == FACE_PARTS.index(part))
            if len(rows) > 3:
                away = np.hypot(columns.mean() + 0.5 - x, rows.mean() + 0.5 - y)
                agreeing[part] += away < (12 if part == "nose" else 2)
    assert agreeing["nose"] == COUNT and min(agreeing.values()) >= COUNT - 6  # eyes may be closed


@pytest.mark.parametrize("face_model", MODELS)
@pytest.mark.parametrize("augmentation", ["none", "standard"])
def test_landmarks_can_be_read_from_a_position_map(face_model: str, augmentation: str) -> None:
    index, spec = open_dataset(NAME, **SETTINGS, face_model=face_model), spec_of(128, 144)
    model = face_model_of(face_model)
    unwrapping = PositionMaps.of(model, spec.height, spec.width)
    place = {vertex: number for number, vertex in enumerate(unwrapping.vertices.tolist())}
    known = [number for number, vertex in enumerate(model.landmarks.tolist()) if vertex in place]
    rows = [place[int(model.landmarks[number])] for number in known]
    assert len(known) >= 60
    for sample in samples(index, spec, augmentation):
        read = unwrapping.read(torch.from_numpy(sample["position_map"])[None])[rows, :, 0].numpy()
        assert np.median(np.abs(read[:, :2] - sample["landmarks"][known])) < 0.35  # pixels, of faces of about 90
        assert sample["position_map"][2].min() > -1e-3
        assert sample["position_map"][2][:, spec.width // 2].max() > 20


def test_z_of_a_map_is_in_the_pixels_of_x_and_y() -> None:
    """A head that is turned by 40 degrees more has the same distances between its landmarks, from far away."""
    camera = {"nearest": 400.0, "farthest": 401.0}
    index = open_dataset(NAME, **SETTINGS, camera=camera, pose={"yaw": 25.0, "pitch": 15.0})
    drawn = draw_faces(
        face_model_of("procedural"), settings_of(camera=camera), seed=0, numbers=np.arange(COUNT), size=64
    )
    scale = drawn.scenes.camera.scale.numpy()
    model = face_model_of("procedural")
    unwrapping = PositionMaps.of(model, 64, 64)
    head = model.vertices(drawn.scenes.identity, drawn.scenes.actions, drawn.scenes.styles)[unwrapping.vertices]
    for place, sample in enumerate(samples(index, spec_of(64, 64))):
        read = unwrapping.read(torch.from_numpy(sample["position_map"])[None])[:, :, 0].numpy()
        own = head[:, :, place].numpy() * scale[place]
        found, truth = (np.linalg.norm(of[::7] - of[11::7][: len(of[::7])].mean(axis=0), axis=1) for of in (read, own))
        assert np.median(np.abs(found / truth - 1)) < 0.03


def test_neither_pose_nor_camera_nor_crop_changes_shading() -> None:
    one = samples(open_dataset(NAME, **SETTINGS), spec_of(64, 64))
    other = open_dataset(NAME, **SETTINGS, pose={"yaw": 40.0}, camera={"zoom": 0.4}, occluders={"probability": 1.0})
    for first, second in zip(one, samples(other, spec_of(64, 64)), strict=True):
        assert (first["shading"] == second["shading"]).all()
        assert 0.2 < (first["shading"] > 0).mean() < 0.9 and first["shading"].max() <= 1
    assert not (one[0]["shading"] == one[2]["shading"]).all()  # somebody else


def test_faces_in_a_folder_have_the_targets_of_those_drawn_as_needed(tmp_path: Path) -> None:
    small = {**SETTINGS, "size": 24, "num_samples": 9}
    live = open_dataset(NAME, **small)
    kept = open_dataset(NAME, make(tmp_path / "faces", NAME, build_settings(SynthesisSettings, small, where="")))
    assert kept.images is None
    for one, other in zip(*(samples(index, spec_of(32, 32), "standard") for index in (live, kept)), strict=True):
        assert one.keys() == other.keys()
        assert all(np.array_equal(one[target], other[target]) for target in TARGETS)


@pytest.mark.parametrize("face_model", MODELS)
def test_face_parameters_make_the_mesh_and_mirrored_ones_the_mirrored_mesh(face_model: str) -> None:
    index, model = open_dataset(NAME, **{**SETTINGS, "face_model": face_model}), face_model_of(face_model)
    space = index.space("face_parameters")
    assert space.entries[: model.num_identity] == model.identity_names
    values = index.target_array("face_parameters")
    drawn = draw_faces(model, settings_of(face_model=face_model), seed=0, numbers=np.arange(COUNT), size=64)
    assert (values == torch.cat([drawn.scenes.identity, drawn.scenes.actions], dim=1).numpy()).all()

    def mesh(rows: np.ndarray) -> torch.Tensor:
        whole = torch.from_numpy(rows)
        return model.vertices(whole[:, : model.num_identity], whole[:, model.num_identity :])

    flipped = np.stack([mirror_values(row, space) for row in values])
    mirrored = mesh(values)[model.mirror.long()] * torch.tensor([-1.0, 1.0, 1.0])[:, None]
    missed = (mesh(flipped) - mirrored).norm(dim=1)
    straight = (mesh(values) - mirrored).norm(dim=1)
    assert missed.mean() < (1e-4 if face_model == "procedural" else 0.004)  # scans are not quite even
    assert straight.mean() > 10 * missed.mean()


@pytest.mark.parametrize("face_model", MODELS)
def test_modes_that_change_their_sign_are_those_that_are_odd(face_model: str) -> None:
    model = face_model_of(face_model)
    assert {"procedural": PROCEDURAL_MODES, "ict": ICT_MODES}[face_model] == model.identity_names
    basis, turn = model.identity_basis, torch.tensor([-1.0, 1.0, 1.0])[:, None]
    size = basis.norm(dim=(0, 1))
    for sign, is_such in ((1, lambda name: name not in ODD_MODES), (-1, lambda name: name in ODD_MODES)):
        missed = (basis[model.mirror.long()] * turn - sign * basis).norm(dim=(0, 1)) / size
        assert [bool(miss < 0.02) for miss in missed] == [is_such(name) for name in model.identity_names]


@pytest.mark.parametrize("name", ["synthetic_au_v1", "synthetic_blendshape_v1"])
def test_frozen_sets_have_them_without_another_fingerprint(name: str) -> None:
    index = open_dataset(name, num_samples=8)
    assert {"mask", "position_map", "shading"} <= set(index.spaces) and "face_parameters" not in index.spaces
    spec = spec_of(32, 32)
    dataset = FaceDataset(index, index.ids, spec, {"mask": label_space("mask/11")})
    assert (dataset[0, 3, 0]["mask"] > 0).mean() > 0.2
