"""Pose where faces are turned upright by five points: the target is that of the input, tables are of the photograph."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.landmarks import LANDMARK_COLUMNS
from fer_zoo.data.dataset import FaceDataset, collate
from fer_zoo.data.face_tables import five_points
from fer_zoo.data.image_sources import POINT_COLUMNS, FaceImages
from fer_zoo.data.index import Index
from fer_zoo.data.open import open_dataset
from fer_zoo.engine.photograph_points import in_photograph

COUNT, POSE = 12, ("pose_pitch", "pose_yaw", "pose_roll")
PLAIN = InputSpec(height=32, width=32, colour="rgb", mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
ALIGNED = replace(PLAIN, alignment="five_points")


@pytest.fixture(scope="module")
def heads() -> Index:
    """Heads that lean to a side by up to 90 degrees and are turned by nothing else, with their five points."""
    rolled = {"yaw": 0.0, "pitch": 0.0, "roll": 45.0}
    index = open_dataset(
        "synthetic_faces", num_samples=COUNT, size=32, pose=rolled, emotions={"classes": ["neutral"]}, seed=2
    )
    points = index.table[list(LANDMARK_COLUMNS)].to_numpy(float).reshape(COUNT, 68, 2)
    five = pd.DataFrame(five_points(points).reshape(COUNT, 10), columns=list(POINT_COLUMNS))
    return replace(index, table=pd.concat([index.table, five], axis=1))


def batch(index: Index, spec: InputSpec, augmentation: str = "none") -> dict[str, torch.Tensor]:
    samples = FaceDataset(index, index.ids, spec, {"pose": index.space("pose")}, augmentation)
    return collate(samples.__getitems__([(0, position, 0) for position in range(COUNT)]))


def test_a_head_that_leans_is_upright_once_it_is_aligned(heads: Index) -> None:
    labels = heads.table[list(POSE)].to_numpy(np.float32)
    assert np.abs(labels[:, 2]).max() > 1.0
    assert np.array_equal(batch(heads, PLAIN)["pose"].numpy(), labels)  # nothing is turned, not by a digit
    aligned = batch(heads, ALIGNED)["pose"].numpy()
    assert np.abs(aligned[:, 2]).max() < np.deg2rad(3)  # faces are not quite even
    assert np.array_equal(aligned[:, :2], labels[:, :2])


def test_augmentation_turns_and_flips_what_was_aligned(heads: Index) -> None:
    rolls = batch(heads, ALIGNED, "standard")["pose"][:, 2].numpy()
    assert np.abs(rolls).max() < np.deg2rad(10 + 3) and np.abs(rolls).max() > np.deg2rad(3)


def test_a_prediction_goes_back_to_the_photograph(heads: Index) -> None:
    aligned = batch(heads, ALIGNED)["pose"]
    matrices = FaceImages(heads, ALIGNED).matrices(np.arange(COUNT))
    found = in_photograph({"pose": aligned}, {"pose": heads.space("pose")}, matrices)["pose"]
    np.testing.assert_allclose(found.numpy(), heads.table[list(POSE)].to_numpy(float), atol=1e-6)


def test_without_points_roll_is_not_known(heads: Index) -> None:
    table = heads.table.copy()
    table.loc[3, POINT_COLUMNS[4]] = np.nan
    pose = batch(replace(heads, table=table), ALIGNED)["pose"].isnan()
    assert pose.nonzero().tolist() == [[3, 2]]
