"""The normalised mean error against sums written out, and what is skipped."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from fer_zoo.core.label_spaces import label_space
from fer_zoo.metrics import DistanceSums, interocular_distance, metric, sums_of

SPACE, NAN = label_space("landmarks/68"), math.nan
NME = metric("nme").value


def faces(number: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    target = 50 + 20 * torch.randn(number, 136, generator=generator)
    return target + torch.randn(number, 136, generator=generator), target


def by_hand(prediction: Tensor, target: Tensor) -> float:
    """One sample and point after another."""
    errors = []
    for own, truth in zip(prediction.reshape(-1, 68, 2).tolist(), target.reshape(-1, 68, 2).tolist(), strict=True):
        unit = math.dist(truth[36], truth[45])
        distances = [math.dist(a, b) / unit for a, b in zip(own, truth, strict=True)]
        known = [distance for distance in distances if not math.isnan(distance)]
        errors += [sum(known) / len(known)] if known else []
    return sum(errors) / len(errors)


def test_a_typed_in_example() -> None:
    target = torch.zeros(1, 68, 2)
    target[0, 45, 0] = 10.0
    prediction = target.clone()
    prediction[0, 3] += torch.tensor([3.0, 4.0])  # 5 of 10, in one of 68 points
    sums = sums_of("distances", prediction.flatten(1), target.flatten(1), SPACE)
    assert sums.tolist() == pytest.approx([1, 0.5 / 68, 68, 0, 10])
    assert NME(sums).item() == pytest.approx(0.5 / 68)


def test_random_faces_by_hand_in_any_chunks_and_groups() -> None:
    prediction, target = faces(40)
    prediction[3, 7], target[5, 20:24], prediction[8] = NAN, NAN, NAN
    sums = sums_of("distances", prediction, target, SPACE)
    assert NME(sums).item() == pytest.approx(by_hand(prediction, target), rel=1e-12)
    assert sums[[0, 2, 3]].tolist() == [39, 40 * 68 - 1 - 2 - 68, 71]
    parts = [sums_of("distances", prediction[rows], target[rows], SPACE) for rows in (slice(0, 7), slice(7, 40))]
    torch.testing.assert_close(parts[0] + parts[1], sums, rtol=1e-12, atol=0)
    group = torch.arange(40) % 3
    grouped = DistanceSums(68).grouped(prediction, target, group, 4)
    torch.testing.assert_close(grouped.sum(dim=0), sums, rtol=1e-12, atol=0)
    assert NME(grouped)[1].item() == pytest.approx(by_hand(prediction[group == 1], target[group == 1]))
    assert not grouped[3].any() and NME(grouped)[3].isnan()


@pytest.mark.parametrize("corner", [36, 45])
def test_without_a_labelled_eye_corner_a_face_is_skipped_and_counted(corner: int) -> None:
    prediction, target = faces(2)
    target[1, 2 * corner + 1] = NAN
    sums = sums_of("distances", prediction, target, SPACE)
    assert sums[[0, 2, 3]].tolist() == [1, 68, 68]
    assert NME(sums).item() == pytest.approx(by_hand(prediction[:1], target[:1]))
    target[1, 72:74] = target[1, 90:92] = 5.0
    assert interocular_distance(target)[1].isnan()


def test_the_unit_and_the_place_do_not_matter() -> None:
    prediction, target = faces(9)
    plain = NME(sums_of("distances", prediction, target, SPACE))
    moved = NME(sums_of("distances", 3 * prediction + 40, 3 * target + 40, SPACE))
    torch.testing.assert_close(moved, plain, rtol=1e-5, atol=0)


def test_nothing_is_nan() -> None:
    assert NME(sums_of("distances", torch.zeros(0, 136), torch.zeros(0, 136), SPACE)).isnan()
    assert np.isnan(NME(torch.zeros(3, 5, dtype=torch.float64)).numpy()).all()
