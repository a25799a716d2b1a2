"""rafdb: RAF-DB basic, 15,339 faces from the web with one of seven emotions by about 40 annotators each.

Layout and codes follow the set's own readme (v1.0 and v1.1).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from fer_zoo.core.cards import DatasetCard, Paper, Terms
from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.core.sample import sample_id
from fer_zoo.core.settings import setting
from fer_zoo.data.image_sources import BOX_COLUMNS, POINT_COLUMNS
from fer_zoo.data.index import Index, Note, chosen_classes, index_table

NAME = "rafdb"
WRAPPER = "basic"  # beside it stands `compound`, another set
LISTS = ("EmoLabel/list_patition_label.txt", "EmoLabel/list_partition_label.txt")  # the owners' spelling comes first
ATTRIBUTES, BOXES = "Annotation/manual", "Annotation/boundingbox"
PARTS = {"train_": "train", "test_": "test"}
# Code -> level; ages are padded so that their alphabet is their order.
SEXES = {"0": "male", "1": "female", "2": "unsure"}
RACES = {"0": "Caucasian", "1": "African-American", "2": "Asian"}
AGES = {"0": "00-03", "1": "04-19", "2": "20-39", "3": "40-69", "4": "70+"}


@dataclass(kw_only=True)
class RafDbSettings:
    """Which of the images are used, and what is read beside the labels."""

    images: str = setting(
        "aligned", "face crops of 100 x 100 pixels, or the photographs", choices=("aligned", "original")
    )
    classes: list[str] = setting([], "which classes to train and score; empty: all of them")
    boxes: bool = setting(
        False, f"of images=original: read face boxes from {BOXES}, one file an image: left top right bottom"
    )
    missing_images: str = setting(
        "stop", "when a listed image is not there: skipped ones are counted", choices=("stop", "skip")
    )


CARD = DatasetCard(
    name=NAME,
    summary="RAF-DB basic: 15,339 faces from the web, seven emotions by about 40 annotators each",
    targets={"emotion": "emotion/raf"},
    settings=RafDbSettings,
    terms=Terms("research and education only, no redistribution; the owners do not hold the photographs", "no"),
    ask="Shan Li and Weihong Deng, PRIS, BUPT, http://www.whdeng.cn",
    paper=Paper(
        "Li, Deng, Du: Reliable crowdsourcing and deep locality-preserving learning for expression recognition in the"
        " wild",
        "CVPR",
        2017,
    ),
    is_cropped=True,
    expected={
        "images": 15_339,
        "train": 12_271,
        "test": 3_068,
        "emotion=surprise": 1_619,
        "emotion=fear": 355,
        "emotion=disgust": 877,
        "emotion=happiness": 5_957,
        "emotion=sadness": 2_460,
        "emotion=anger": 867,
        "emotion=neutral": 3_204,
    },
    official_split=True,
    protocol="official_split",
    traps=(
        "Codes are 1 surprise, 2 fear, 3 disgust, 4 happiness, 5 sadness, 6 anger, 7 neutral: no other set's order.",
        "The list says train_00001.jpg where the aligned file is train_00001_aligned.jpg; it is called"
        " list_patition_label.txt, or list_partition_label.txt.",
        "Nobody knows who is shown: every image counts as a person of its own, so people may be trained on and tested.",
        "Points and boxes are of the original photographs and say nothing of the aligned ones.",
        "A published count of 15,539 is a misprint: 12,271 and 3,068 are 15,339. The list of the cleaned RAF-subset"
        " (7,693 and 1,925) was never published.",
    ),
)


def read(root: Path, settings: RafDbSettings) -> Index:
    """The index of a copy laid out as distributed, its zip files unpacked where they lie.

    Raises:
        UserError: for a missing file or folder, a line, label or annotation that cannot be read, or a listed image that
            is not there.
    """
    space = label_space("emotion/raf")
    root = root / WRAPPER if (root / WRAPPER / "EmoLabel").is_dir() else root
    listing = next((name for name in LISTS if (root / name).is_file()), None)
    if listing is None:
        raise UserError(f"{root} is not a copy of {NAME}: {LISTS[0]} is not there.{_repacked(root)}")
    is_aligned = settings.images == "aligned"
    if settings.boxes and is_aligned:
        raise UserError("dataset.boxes are of the original photographs: set dataset.images=original, too.")
    folder = f"Image/{settings.images}"
    _require_folder(root, folder)
    names, codes = _listed(root / listing, listing)
    stems = [name.removesuffix(".jpg") for name in names]
    images = [f"{folder}/{stem}_aligned.jpg" if is_aligned else f"{folder}/{stem}.jpg" for stem in stems]
    emotions = [space.parse(code, where=f"{listing} row {row}") for row, code in enumerate(codes, start=1)]
    parts = [_part(name, f"{listing} row {row}") for row, name in enumerate(names, start=1)]
    columns, notes = _annotations(root, stems, settings)
    notes += _missing(root, images, settings.missing_images)
    table = index_table(NAME, images, emotion=emotions, split=parts, **columns)
    return Index(
        dataset=NAME,
        root=root,
        table=table,
        label_spaces={"emotion": chosen_classes(space, settings.classes)},
        is_cropped=is_aligned,
        notes=tuple(notes),
        found={"images": len(table), **{part: parts.count(part) for part in PARTS.values()}},
        variant=f"{settings.images} images",
    )


def _repacked(root: Path) -> str:
    """A hint where the images lie in folders named after the codes, as copies on the web do."""
    if any((root / place / "1").is_dir() for place in ("", "train")):
        return " Class folders 1 to 7 are read by dataset=image_folder dataset.label_space=emotion/raf."
    return ""


def _require_folder(root: Path, folder: str) -> None:
    if not (root / folder).is_dir():
        zipped = f" Unpack {folder}.zip where it lies." if (root / f"{folder}.zip").is_file() else ""
        raise UserError(f"{root} is not a complete copy of {NAME}: the folder {folder} is not there.{zipped}")


def _listed(path: Path, listing: str) -> tuple[list[str], list[str]]:
    """Names and codes in the order of the list, whose last line has no end."""
    names: dict[str, str] = {}
    for row, line in enumerate(path.read_bytes().decode(errors="replace").splitlines(), start=1):
        words = line.split()
        if len(words) != 2 or not words[0].endswith(".jpg"):
            raise UserError(f"{listing} row {row} must be a name and a code, as 'train_00001.jpg 5'; found {line!r}.")
        if words[0] in names:
            raise UserError(f"{listing} row {row} lists {words[0]} for the second time; fetch the list again.")
        names[words[0]] = words[1]
    return list(names), list(names.values())


def _part(name: str, where: str) -> str:
    """The part of the official split, from the name alone: lines may stand in any order."""
    for prefix, part in PARTS.items():
        if name.startswith(prefix):
            return part
    raise UserError(f"{where}: {name} begins with neither {' nor '.join(PARTS)}, which says the part of the split.")


def _annotations(root: Path, stems: Sequence[str], settings: RafDbSettings) -> tuple[dict[str, Any], list[Note]]:
    """Columns of what else is known of each image; points and boxes where they are of the images that are used."""
    columns, notes = dict[str, Any](), list[Note]()
    if (root / ATTRIBUTES).is_dir():
        read = [_attributes(root, f"{ATTRIBUTES}/{stem}_manu_attri.txt") for stem in stems]
        for place, name in enumerate(("sex", "race", "age_group")):
            columns[f"condition_{name}"] = [levels[place] for _, levels in read]
        if settings.images == "original":
            columns |= dict(zip(POINT_COLUMNS, np.stack([points for points, _ in read], axis=1), strict=True))
        if lacking := sum(not levels[0] for _, levels in read):
            notes.append(Note("attributes", f"{lacking} images have no file in {ATTRIBUTES}."))
    else:
        notes.append(Note("attributes", f"{ATTRIBUTES} is not there: sex, race, age and the five points are unknown."))
    if settings.boxes:
        _require_folder(root, BOXES)
        boxes = [_box(root, f"{BOXES}/{stem}_boundingbox.txt") for stem in stems]
        columns |= dict(zip(BOX_COLUMNS, np.stack(boxes, axis=1), strict=True))
    return columns, notes


def _attributes(root: Path, file: str) -> tuple[Float[np.ndarray, "10"], tuple[str, str, str]]:
    """Five points (x, y) in pixels of the photograph, eyes and mouth corners the subject's right one first; and levels.

    The readme does not say which eye comes first, so the one that lies farther left in the picture is the right one.
    """
    lines = _lines(root / file)
    if not lines:
        return np.full(10, math.nan), ("", "", "")
    if len(lines) != 8:
        raise UserError(f"{file} must hold five points, sex, race and age on 8 lines; found {len(lines)}.")
    points = np.array([_numbers(line, 2, file) for line in lines[:5]])
    for pair in ([0, 1], [3, 4]):
        points[pair] = points[pair][np.argsort(points[pair, 0], kind="stable")]
    sex, race, age = (_level(line, levels, file) for line, levels in zip(lines[5:], (SEXES, RACES, AGES), strict=True))
    return points.ravel(), (sex, race, age)


def _box(root: Path, file: str) -> Float[np.ndarray, "4"]:
    """Left, top, width, height; NaN without a file."""
    lines = _lines(root / file)
    if not lines:
        return np.full(4, math.nan)
    left, top, right, bottom = _numbers(" ".join(lines), 4, file)
    if right <= left or bottom <= top:
        raise UserError(f"{file} must hold left, top, right and bottom of a box; found {' '.join(lines)!r}.")
    return np.array([left, top, right - left, bottom - top])


def _lines(path: Path) -> list[str]:
    """The lines that hold anything; none where there is no file."""
    text = path.read_bytes().decode(errors="replace") if path.is_file() else ""
    return [line for line in text.splitlines() if line.strip()]


def _numbers(line: str, count: int, file: str) -> list[float]:
    try:
        values = [float(word) for word in line.split()]
    except ValueError:
        values = []
    if len(values) != count or not all(map(math.isfinite, values)):
        raise UserError(f"{file} must have {count} numbers where it has {line!r}.")
    return values


def _level(line: str, levels: dict[str, str], file: str) -> str:
    if line.strip() not in levels:
        known = ", ".join(f"{code} {level}" for code, level in levels.items())
        raise UserError(f"{file} has the code {line.strip()!r}, which is none of {known}.")
    return levels[line.strip()]


def _missing(root: Path, images: Sequence[str], policy: str) -> list[Note]:
    """A note on the images that are not there; their rows stay, so that what is scored counts them."""
    folder = images[0].rpartition("/")[0] if images else ""
    there = {entry.name for entry in (root / folder).iterdir()} if folder else set()
    absent = [image for image in images if image.rpartition("/")[2] not in there]
    if absent and policy == "stop":
        raise UserError(
            f"{len(absent)} of {len(images)} listed images are not there, e.g. {absent[0]}: complete the copy, or set"
            " dataset.missing_images=skip."
        )
    ids = tuple(sample_id(NAME, image) for image in absent)
    return [Note("missing", f"{len(ids)} of {len(images)} listed images are not there.", ids)] if ids else []
