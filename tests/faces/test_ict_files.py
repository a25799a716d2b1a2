import builtins
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fakes import ict_files as fakes

from fer_zoo.core.errors import UserError
from fer_zoo.core.registry import FACE_MODELS
from fer_zoo.faces.face_model import ACTIONS
from fer_zoo.faces.models.ict import ambient, cache, visible
from fer_zoo.faces.models.ict.build import build
from fer_zoo.faces.models.ict.mesh import IctMesh, folder_of
from fer_zoo.faces.models.ict.obj_files import read_polygons, read_vertices
from fer_zoo.faces.models.ict.regions import NUM_POLYGONS, NUM_VERTICES

AGAIN = "fetch the model again with `fer-zoo download ict_facekit`"
NEUTRAL = "generic_neutral_mesh.obj"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """To be read only."""
    return fakes.write(tmp_path_factory.mktemp("ict"))


@pytest.fixture(scope="module")
def parsed(copy: Path) -> Iterator[IctMesh]:
    """The mesh, and in the cache: with few views, which take long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(visible, "NUM_BATCHES", 1)
        patch.setattr(ambient, "DIRECTIONS", 16)
        yield cache.load(copy)


@pytest.fixture
def own(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy to be spoiled, of which nothing is cached."""
    monkeypatch.setenv("FER_ZOO_CACHE", str(tmp_path / "cache"))
    return Path(shutil.copytree(copy, tmp_path / "ict", copy_function=os.link))


def complaint(root: Path) -> str:
    with pytest.raises(UserError) as caught:
        build(root)
    return str(caught.value)


def test_card() -> None:
    card = FACE_MODELS["ict"]
    assert card.commercial_use == "yes"
    assert card.downloads["ict_facekit.zip"][0].startswith("https://github.com/ICT-VGL/ICT-FaceKit/")


def test_vertices_are_read_as_written(copy: Path) -> None:
    found = read_vertices(copy / fakes.FOLDER / NEUTRAL)
    np.testing.assert_allclose(found, fakes.vertices(), atol=1e-5)


def test_polygons_are_cut_into_triangles_that_turn_the_same_way(copy: Path) -> None:
    polygons = read_polygons(copy / fakes.FOLDER / NEUTRAL)
    assert polygons.polygon.max() == NUM_POLYGONS - 1
    (first, second) = polygons.corners[polygons.polygon == 0]
    assert first.tolist() == [0, 1, fakes.WIDTH + 1]
    assert second.tolist() == [0, fakes.WIDTH + 1, fakes.WIDTH]
    assert (polygons.texture_corners == polygons.corners).mean() > 0.999
    assert polygons.texture.max() <= 1


def test_the_whole_way_from_files_to_the_head(parsed: IctMesh) -> None:
    assert len(parsed.neutral) < NUM_VERTICES
    assert (np.unique(parsed.triangles) == np.arange(len(parsed.neutral))).all()
    np.testing.assert_allclose(
        parsed.identities[..., 0], np.broadcast_to([0, fakes.MOVED, 0], parsed.neutral.shape), atol=1e-4
    )
    balls = parsed.vertices_of("right_ball", "left_ball")
    assert not parsed.actions[balls].any()
    np.testing.assert_allclose(parsed.actions[~balls, 0, 0], fakes.MOVED, atol=1e-4)
    corners = parsed.neutral[parsed.triangles[parsed.of("left_ball")]]
    outwards = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert ((outwards * (corners.mean(axis=1) - fakes.BALL_CENTRE)).sum(axis=1) > 0).all()


def test_halves_of_a_shape_are_added(parsed: IctMesh) -> None:
    for name, halves in (("browInnerUp", 2), ("cheekPuff", 2), ("jawOpen", 1)):
        step = parsed.actions[0, 0, ACTIONS.index(name)]
        assert float(step) == pytest.approx(halves * fakes.MOVED, rel=1e-3)


def test_a_seam_is_not_straddled(parsed: IctMesh) -> None:
    outside = ~parsed.in_map & parsed.of("face")
    assert 1 <= outside.sum() <= 2
    assert (parsed.triangles[outside] == fakes.SEAM).any()
    assert parsed.uv.min() >= 0
    assert parsed.uv.max() <= 1


def test_the_cache_gives_what_was_parsed(copy: Path, parsed: IctMesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "parse", lambda folder: pytest.fail("parsed again"))
    for name, value in cache.load(copy).arrays().items():
        np.testing.assert_array_equal(value, parsed.arrays()[name])


def test_a_damaged_cache_is_made_again(
    copy: Path, parsed: IctMesh, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FER_ZOO_CACHE", str(tmp_path))
    monkeypatch.setattr(cache, "parse", lambda folder: parsed)
    cache.load(copy)
    (stored,) = (tmp_path / "ict").iterdir()
    whole = stored.read_bytes()
    for damaged in (b"", whole[:100], whole[: len(whole) // 2]):
        stored.write_bytes(damaged)
        cache.load(copy)
        assert stored.stat().st_size == len(whole)


def test_another_neutral_face_has_another_cache(own: Path) -> None:
    before = cache._key(folder_of(own))
    fakes.spoil(own, NEUTRAL, "\nv -6 ", "\nv -7 ")
    assert cache._key(folder_of(own)) != before


@pytest.mark.parametrize("name", [NEUTRAL, "vertex_indices.json", "identity050.obj", "cheekPuff_R.obj"])
def test_a_file_that_was_written_again_has_another_cache(own: Path, name: str) -> None:
    """Of the same size, as it is when digits change."""
    before, path = cache._key(folder_of(own)), own / fakes.FOLDER / name
    content = path.read_bytes()
    path.unlink()  # it is a link to the copy of all tests
    path.write_bytes(content)
    assert cache._key(folder_of(own)) != before


def test_a_second_opening_reads_no_file_of_the_model(
    copy: Path, parsed: IctMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    really = io.open

    def watched(file: Any, *args: Any, **more: Any) -> Any:
        opened.append(Path(file))
        return really(file, *args, **more)

    for module in (io, builtins):
        monkeypatch.setattr(module, "open", watched)
    cache.load(copy)
    assert [path.suffix for path in opened] == [".npz"]
    read_vertices(copy / fakes.FOLDER / NEUTRAL)
    assert opened[-1].name == NEUTRAL  # what is read is seen


def test_the_archive_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "ICT-FaceKit-master" / fakes.FOLDER).mkdir(parents=True)
    assert folder_of(tmp_path) == tmp_path / "ICT-FaceKit-master" / fakes.FOLDER


def test_number_of_identities(copy: Path) -> None:
    for number in (0, 101):
        with pytest.raises(UserError, match=f"num_identity is {number}; the model ict has 1 to 100"):
            build(copy, num_identity=number)


def test_missing_folder(tmp_path: Path) -> None:
    assert (
        complaint(tmp_path) == f"{tmp_path} is not a copy of ICT-FaceKit: the folder FaceXModel is not there; {AGAIN}."
    )


@pytest.mark.parametrize("name", [NEUTRAL, "vertex_indices.json", "identity099.obj", "cheekPuff_R.obj"])
def test_missing_file(own: Path, name: str) -> None:
    path = own / fakes.FOLDER / name
    path.unlink()
    assert complaint(path.parents[1]) == f"{path} is not there: {AGAIN}."


@pytest.mark.parametrize(
    ("name", "old", "new", "what"),
    [
        ("identity001.obj", "\nv ", "\n# ", "it has 26718 lines that begin with 'v' instead of 26719"),
        ("identity001.obj", "\nv ", "\nv nan 0 0\nv ", "it has 26720 lines that begin with 'v' instead of 26719"),
        ("identity001.obj", "\nv -5.75 ", "\nv nan ", "number 3 of its lines that begin with 'v' holds nan"),
        ("identity001.obj", "\nv -5.5 ", "\nv ten ", "a line that begins with 'v' holds something else than numbers"),
        ("identity001.obj", "\nv -5.5 ", "\nv ", "its lines that begin with 'v' do not hold 3 numbers each"),
        ("identity001.obj", "\nvt ", "\n", "it ends within its lines that begin with 'v'"),
        (NEUTRAL, "\nf 1/1 ", "\n# ", "it has 26383 polygons instead of 26384"),
        (NEUTRAL, "\nf 1/1 ", "\nf 99999/1 ", "a polygon has a corner that is not there"),
        (NEUTRAL, "\nf 1/1 ", "\nf 1 ", "a line of its polygons is not made of pairs like 874/1"),
        (NEUTRAL, "\nvt 0.5 0.5\n", "\n# 0.5 0.5\n", "it has 28910 lines that begin with 'vt' instead of 28911"),
    ],
)
def test_damaged_file(own: Path, name: str, old: str, new: str, what: str) -> None:
    path = fakes.spoil(own, name, old, new)
    assert complaint(own) == f"{path} is no whole file of ICT-FaceKit's light model: {what}; {AGAIN}."


@pytest.mark.parametrize("content", [b"", b"solid\n", b"\x00\xff" * 50])
def test_foreign_file(own: Path, content: bytes) -> None:
    path = own / fakes.FOLDER / "identity000.obj"
    path.unlink()
    path.write_bytes(content)
    assert f"{path} is no whole file of ICT-FaceKit's light model: it has no lines that begin with 'v'" in complaint(
        own
    )


@pytest.mark.parametrize("numbers", [[], list(range(67)), [-1] * 68, [9409] * 68, ["a"] * 68, None])
def test_foreign_landmarks(own: Path, numbers: object) -> None:
    path = own / fakes.FOLDER / "vertex_indices.json"
    path.unlink()
    path.write_text(json.dumps({"idx_to_landmark_verts": numbers}), encoding="ascii")
    assert complaint(own) == f"{path} holds no 68 vertices of the face as idx_to_landmark_verts: {AGAIN}."


def test_weights_add_up_on_any_mesh(copy: Path, parsed: IctMesh) -> None:
    head = build(copy, num_identity=3)
    assert head.identity_basis.shape == (head.num_vertices, 3, 3)
    torch.testing.assert_close(torch.stack(list(head.weights.values())).sum(dim=0), torch.ones(head.num_vertices))
