"""Masks, position maps and shading move with the image: planted shapes are found again after crop and augmentation."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.core.face_parts import FACE_PARTS
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.label_spaces import LabelSpace, label_space
from fer_zoo.core.sample import DENSE_TARGETS, TARGETS
from fer_zoo.data.alignment import after
from fer_zoo.data.dataset import FaceDataset, collate
from fer_zoo.data.dense import DenseSource
from fer_zoo.data.image_sources import BOX_COLUMNS
from fer_zoo.data.index import Index, index_table
from fer_zoo.data.protocols.draws import cut_training
from fer_zoo.data.protocols.splits import Split
from fer_zoo.geometry.rotations import rotation

NUMBER, WIDTH, HEIGHT = 24, 150, 120
SPEC = InputSpec(height=64, width=80, colour="grey", mean=(0.0,), std=(1.0,), crop_scale=1.3)
SPACES = {
    name.partition("/")[0]: label_space(name) for name in ("mask/11", "position_map/procedural", "shading/frontal")
}
LEFT, RIGHT = FACE_PARTS.index("left_eye"), FACE_PARTS.index("right_eye")


def mask_of(number: int) -> np.ndarray:
    """Two discs: the right eye dark, the left one, which is to the right, bright and larger."""
    generator = np.random.default_rng(number)
    rows, columns = np.indices((HEIGHT, WIDTH)) + 0.5
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for part, x, radius in ((RIGHT, 55, 9), (LEFT, 95, 13)):
        across, down = generator.uniform(-5, 5, 2)
        mask[np.hypot(columns - x - across, rows - 60 - down) < radius] = part
    return mask


def centre(weights: np.ndarray) -> np.ndarray:
    rows, columns = np.indices(weights.shape)
    return np.array([(rows * weights).sum(), (columns * weights).sum()]) / weights.sum()


@dataclass
class Planted:
    """The masks of the images `NUMBER.png`, maps that are their own places, a shading that is brighter on the left."""

    lacking: Collection[str] = ()
    label_spaces: Mapping[str, LabelSpace] = None  # type: ignore[assignment]  # set below

    def __post_init__(self) -> None:
        self.label_spaces = SPACES

    def dense(self, names: Collection[str], targets: Collection[str], spec: InputSpec) -> list[dict[str, np.ndarray]]:
        rows, columns = np.indices((spec.height, spec.width), dtype=np.float32)
        places = np.stack([columns, rows, 0 * rows + 3])
        shading = (columns < spec.width / 2)[None].astype(np.float32)
        return [
            {t: {"mask": mask_of(int(Path(name).stem)), "position_map": places, "shading": shading}[t] for t in targets}
            if name not in self.lacking
            else {}
            for name in names
        ]


def planted_index(root: Path, *, boxes: bool = False, lacking: Collection[str] = ()) -> Index:
    names = [f"{number}.png" for number in range(NUMBER)]
    for number, name in enumerate(names):
        mask = mask_of(number)
        Image.fromarray((255 * (mask == LEFT) + 140 * (mask == RIGHT)).astype(np.uint8)).save(root / name)
    columns = {}
    if boxes:
        numbers = ([30.0] * NUMBER, [15.0] * NUMBER, [90.0] * NUMBER, [85.0] * NUMBER)
        columns = dict(zip(BOX_COLUMNS, numbers, strict=True))
    table = index_table("fake", names, **columns)
    return Index("fake", root, table, {}, is_cropped=not boxes, dense=Planted(lacking))


@pytest.mark.parametrize("place", ["whole", "boxes"])
@pytest.mark.parametrize("augmentation", ["none", "standard"])
def test_a_mask_lies_on_what_it_marks(tmp_path: Path, augmentation: str, place: str) -> None:
    index = planted_index(tmp_path, boxes=place == "boxes")
    assert isinstance(index.dense, DenseSource)
    dataset = FaceDataset(index, index.ids, SPEC, {"mask": SPACES["mask"]}, augmentation=augmentation)
    flips = 0
    for sample in dataset.__getitems__([(0, number, 0) for number in range(NUMBER)]):
        image, mask = sample["image"][0].numpy(), sample["mask"]
        assert mask.shape == image.shape and mask.dtype == np.int64 and set(np.unique(mask)) == {0, LEFT, RIGHT}
        light = np.where(image > image.mean(), image, 0)
        of_columns = np.indices(image.shape)[1]
        middle = np.mean([of_columns[mask == part].mean() for part in (RIGHT, LEFT)])
        for part, side in ((RIGHT, of_columns < middle), (LEFT, of_columns >= middle)):
            assert np.abs(centre(mask == part) - centre(light * side)).max() < 0.4  # the subject's left is to the right
            brightest = light * side > 0.5 * image[mask == part].mean()
            assert abs(brightest.sum() / (mask == part).sum() - 1) < 0.25
        flipped = image[mask == LEFT].mean() < image[mask == RIGHT].mean()  # the bright one has changed sides
        flips += flipped
        if not flipped:
            assert (mask == LEFT).sum() > 1.5 * (mask == RIGHT).sum()
    assert flips == 0 if augmentation == "none" else 5 < flips < NUMBER - 5


def test_a_map_has_the_places_of_the_moved_image(tmp_path: Path) -> None:
    """A map whose values are columns and rows: the moved ones are an affine function of these, of known length in z."""
    index = planted_index(tmp_path, boxes=True)
    plain, moved = (
        FaceDataset(index, index.ids, SPEC, SPACES, augmentation=name).__getitems__([(0, i, 0) for i in range(NUMBER)])
        for name in ("none", "standard")
    )
    flips = 0
    for before, now in zip(plain, moved, strict=True):
        flipped = now["shading"][0, :, -1].mean() == 1
        flips += flipped
        assert (now["shading"] == (before["shading"][:, :, ::-1] if flipped else before["shading"])).all()
        source = before["position_map"][:, :, ::-1] if flipped else before["position_map"]
        columns = np.column_stack([*source[:2].reshape(2, -1), np.ones(source[0].size)])
        matrix, *_ = np.linalg.lstsq(columns, now["position_map"][:2].reshape(2, -1).T, rcond=None)
        assert np.abs(columns @ matrix - now["position_map"][:2].reshape(2, -1).T).max() < 1e-3
        determinant = np.linalg.det(matrix[:2])
        assert (determinant < 0) == flipped
        ratio = now["position_map"][2] / before["position_map"][2]
        np.testing.assert_allclose(ratio, np.sqrt(abs(determinant)), rtol=1e-4)
    assert 5 < flips < NUMBER - 5


def test_one_move_after_another_is_their_product() -> None:
    generator = np.random.default_rng(0)
    first, second, points = generator.normal(size=(2, 3)), generator.normal(size=(2, 3)), generator.normal(size=(5, 2))
    once = points @ first[:, :2].T + first[:, 2]
    twice = once @ second[:, :2].T + second[:, 2]
    both = after(first, second)
    np.testing.assert_allclose(points @ both[:, :2].T + both[:, 2], twice, atol=1e-12)


def test_a_batch_has_the_schema_and_what_is_not_known_is_missing(tmp_path: Path) -> None:
    index = planted_index(tmp_path, lacking=["1.png"])
    (tmp_path / "2.png").write_bytes(b"no picture")
    dataset = FaceDataset(index, index.ids, SPEC, SPACES, augmentation="standard")
    batch = collate(dataset.__getitems__([(0, number, 0) for number in range(3)]))
    assert {target for target in batch if target in TARGETS} == DENSE_TARGETS
    for target, shape in (("mask", (3, 64, 80)), ("position_map", (3, 3, 64, 80)), ("shading", (3, 1, 64, 80))):
        assert tuple(batch[target].shape) == shape and str(batch[target].dtype).endswith(TARGETS[target].dtype)
        assert len(shape) == len(TARGETS[target].shape.split())
        missing = batch[target] == -1 if target == "mask" else batch[target].isnan()
        assert missing.flatten(1).all(dim=1).tolist() == missing.flatten(1).any(dim=1).tolist() == [False, True, True]


def test_targets_that_a_data_set_lacks_are_left_out_and_another_space_is_refused(tmp_path: Path) -> None:
    index = planted_index(tmp_path)
    assert "mask" not in FaceDataset(replace(index, dense=None), index.ids, SPEC, SPACES)[0, 0, 0]
    other = {"position_map": label_space("position_map/ict")}
    with pytest.raises(UserError, match=r"position_map/procedural, which does not fit into position_map/ict"):
        FaceDataset(index, index.ids, SPEC, other)


def test_an_index_knows_them_and_its_table_does_not(tmp_path: Path) -> None:
    index = planted_index(tmp_path)
    assert list(index.spaces) == list(SPACES) and not index.label_spaces
    assert index.is_labelled("mask").all() and index.fingerprint() == replace(index, dense=None).fingerprint()
    with pytest.raises(UserError, match="no column of a table"):
        index.target_array("mask")
    (cut,) = cut_training(index, [Split("a", tuple(index.ids), (), ())], "mask", 5, seed=0)
    assert len(cut.train) == 5


@pytest.mark.parametrize("flipped", [False, True])
def test_a_turned_picture_is_that_of_a_turned_head(flipped: bool) -> None:
    """Points of a head, drawn at the pose that the target says, are those of the picture that was moved."""
    from fer_zoo.data.transforms import mirror_values, turned_pose

    space, generator = label_space("pose/3"), np.random.default_rng(0)
    points = generator.normal(size=(40, 3))

    def seen(head: np.ndarray, pose: np.ndarray) -> np.ndarray:
        pitch, yaw, roll = pose
        turned = head @ rotation(torch.tensor([[yaw, pitch, roll]], dtype=torch.float64))[0].numpy().T
        return turned[:, :2] * (1, -1)  # pixels, y down

    for _ in range(20):
        pose = generator.uniform(-1, 1, 3)
        angle = generator.uniform(-3, 3)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix = np.column_stack([1.3 * turn * (-1 if flipped else 1, 1), (5, 7)])
        own = mirror_values(pose.astype(np.float32), space) if flipped else pose.astype(np.float32)
        found = turned_pose(own, space, matrix)
        assert -np.pi < found[2] <= np.pi
        head = points * (-1, 1, 1) if flipped else points
        np.testing.assert_allclose(1.3 * seen(head, found), seen(points, pose) @ matrix[:, :2].T, atol=1e-5)
