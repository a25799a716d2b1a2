"""Hashes of planted copies and of strangers, and pairs against a count of every two."""

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes.portraits import Picture, portrait
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fer_zoo.data.image_hashes import HALF, SIDE, close_pairs, hashed, image_hashes
from fer_zoo.data.index import Index, index_table
from fer_zoo.data.near_duplicates import THRESHOLD


def crop(pixels: Picture, share: float) -> Picture:
    height, width = (round(side * share) for side in pixels.shape)
    return pixels[height : pixels.shape[0] - height, width : pixels.shape[1] - width]


def compressed(pixels: Picture, quality: int) -> Picture:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 0))


def scaled(pixels: Picture, factor: float) -> Picture:
    return np.asarray(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))


COPIES: dict[str, Callable[[Picture], Picture]] = {
    "half": lambda pixels: scaled(pixels, 0.5),
    "double": lambda pixels: scaled(pixels, 2.0),
    "compressed": lambda pixels: compressed(pixels, 30),
    "brighter": lambda pixels: (pixels * 1.2 + 10).clip(0, 255).astype(np.uint8),
    "darker": lambda pixels: (pixels * 0.6).astype(np.uint8),
    "paler": lambda pixels: (255 * (pixels / 255) ** 0.7).astype(np.uint8),
    "cropped": lambda pixels: crop(pixels, 0.015),
    "all": lambda pixels: compressed((scaled(crop(pixels, 0.01), 0.7) * 0.8).astype(np.uint8), 60),
    "mirrored": lambda pixels: np.ascontiguousarray(pixels[:, ::-1]),
}


def written(folder: Path, pictures: list[Picture]) -> Index:
    names = [f"{number}.png" for number in range(len(pictures))]
    for name, pixels in zip(names, pictures, strict=True):
        Image.fromarray(pixels).save(folder / name)
    return Index("fake", folder, index_table("fake", names), {}, is_cropped=True)


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_is_found_and_only_it(tmp_path: Path, kind: str) -> None:
    people = [portrait(number) for number in range(12)]
    hashes = image_hashes(written(tmp_path, [*people, COPIES[kind](people[5])]), show=False)
    pairs = close_pairs(hashes.bits, THRESHOLD, show=False)
    assert (pairs.first.tolist(), pairs.second.tolist()) == ([5], [12])
    assert pairs.is_mirrored.tolist() == [kind == "mirrored"]


def test_strangers_are_far_apart_though_they_resemble_each_other() -> None:
    people = np.stack([cv2.resize(portrait(n), (SIDE, SIDE), interpolation=cv2.INTER_AREA) for n in range(60)])
    flat = people.reshape(60, -1).astype(np.float64)
    assert np.median(np.corrcoef(flat)[np.triu_indices(60, 1)]) > 0.6
    assert close_pairs(hashed(people), THRESHOLD + 15, show=False).first.size == 0


def test_flat_and_unreadable_images_are_not_hashed(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    noise = generator.normal(100, 2, (40, 40)).clip(0, 255).astype(np.uint8)
    index = written(tmp_path, [portrait(1), np.zeros((40, 40), np.uint8), np.full((40, 40), 255, np.uint8), noise])
    hashes = image_hashes(index, show=False)
    assert hashes.is_hashed.tolist() == [True, False, False, False]
    assert hashes.is_flat.tolist() == [False, True, True, True]
    (tmp_path / "0.png").write_bytes(b"")
    (tmp_path / "1.png").unlink()
    hashes = image_hashes(index, show=False)
    assert hashes.is_hashed.tolist() == [False] * 4
    assert hashes.is_flat.tolist() == [False, False, True, True]


def test_mirroring_turns_the_odd_half() -> None:
    people = np.stack([cv2.resize(portrait(n), (SIDE, SIDE), interpolation=cv2.INTER_AREA) for n in range(4)])
    straight, mirrored = hashed(people), hashed(np.ascontiguousarray(people[:, :, ::-1]))
    assert (straight[:, :2] == mirrored[:, :2]).all()
    assert (straight[:, 2:] == ~mirrored[:, 2:]).all()


@given(st.integers(0, 40), st.integers(0, 100), st.integers(0, 2**32 - 1))
def test_pairs_are_those_of_a_plain_loop(rows: int, threshold: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    bits = generator.integers(0, 2, (rows, 4 * 64)).astype(bool)
    bits[rows // 2 :] = bits[: rows - rows // 2] ^ (generator.random((rows - rows // 2, 4 * 64)) < 0.1)
    bits[rows // 3 :, HALF:] ^= generator.random((rows - rows // 3, 1)) < 0.3  # some are mirrored
    pairs = close_pairs(np.packbits(bits, axis=1).view(np.uint64), threshold, show=False)
    found = sorted(zip(pairs.first.tolist(), pairs.second.tolist(), pairs.distance.tolist(), strict=True))
    expected = []
    for first, second in combinations(range(rows), 2):
        even, odd = (bits[first] ^ bits[second])[:HALF].sum(), (bits[first] ^ bits[second])[HALF:].sum()
        if (distance := even + min(odd, HALF - odd)) <= threshold:
            expected.append((first, second, distance))
    assert found == expected


def test_many_rows_are_compared_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    bits = np.random.default_rng(0).integers(0, 2**63, (50, 4), dtype=np.uint64)
    bits[[7, 30]] = bits[[44, 31]]
    whole = close_pairs(bits, 20, show=False)
    monkeypatch.setattr("fer_zoo.data.image_hashes._AT_ONCE", 150)
    blocks = close_pairs(bits, 20, show=False)
    assert [part.tolist() for part in blocks] == [part.tolist() for part in whole]
    assert blocks.first.tolist() == [7, 30]
