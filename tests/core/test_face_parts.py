"""Names of the parts of a face, and whose sides they are."""

import numpy as np
import pytest

from fer_zoo.core.face_parts import FACE_PARTS, MIRROR, from_helen, mirror_parts


def test_a_mirror_swaps_sides_and_nothing_else() -> None:
    for part, other in zip(FACE_PARTS, (FACE_PARTS[i] for i in MIRROR), strict=True):
        swapped = part.replace("left", "?").replace("right", "left").replace("?", "right")
        assert other == swapped


def test_mirroring_a_mask_twice_changes_nothing() -> None:
    mask = np.arange(-1, 20, dtype=np.int64).reshape(3, 7)
    np.testing.assert_array_equal(mirror_parts(mirror_parts(mask)), mask)
    assert set(mask[mirror_parts(mask) != mask]) == {2, 3, 4, 5}


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_the_viewers_left_is_the_subjects_right(dtype: type) -> None:
    mask = np.arange(len(FACE_PARTS), dtype=dtype)[None].repeat(2, axis=0)
    renamed = from_helen(mask)
    assert renamed.dtype == dtype
    names = [FACE_PARTS[i] for i in renamed[1]]
    assert names[2:6] == ["right_brow", "left_brow", "right_eye", "left_eye"]
    assert names[:2] + names[6:] == [*FACE_PARTS[:2], *FACE_PARTS[6:]]
    np.testing.assert_array_equal(from_helen(renamed), mask)


def test_numbers_that_are_no_part_stay() -> None:
    np.testing.assert_array_equal(from_helen(np.array([-1, 11, 255, 300])), [-1, 11, 255, 300])
