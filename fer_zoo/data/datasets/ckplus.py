"""ckplus: the Extended Cohn-Kanade set (CK+), 593 sequences from a neutral face to a peak, and its re-pack CK+48."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fer_zoo.core.action_units import action_unit_name
from fer_zoo.core.cards import DatasetCard, Paper, Terms
from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace, label_space
from fer_zoo.core.landmarks import LANDMARK_COLUMNS, NUM_LANDMARKS
from fer_zoo.core.sample import sample_id, subject_code
from fer_zoo.core.settings import setting
from fer_zoo.data.face_tables import five_points
from fer_zoo.data.frames import places_from_end
from fer_zoo.data.image_sources import POINT_COLUMNS
from fer_zoo.data.index import IMAGE_SUFFIXES, Index, Note, clip_code, index_table, space_for
from fer_zoo.data.layout import below, folders, unwrapped, visible
from fer_zoo.data.number_files import read_numbers
from fer_zoo.data.sequences import FrameSequence, expression_rows, ignored_files

NAME = "ckplus"
IMAGES, EMOTION, FACS, LANDMARKS = "cohn-kanade-images", "Emotion", "FACS", "Landmarks"
REPACK = "CK+48"
NATIVE_SPACE = "emotion/ckplus7"  # codes 1 to 7; 0, neutral, never stands in a file
SPACES = ("emotion/ckplus8", "emotion/ckplus7", "emotion/ckplus7_neutral", "emotion/basic6")
PER_CLASS = {
    "anger": 45, "contempt": 18, "disgust": 59, "fear": 25, "happiness": 69, "sadness": 28, "surprise": 83,
}  # fmt: skip
_REPACKED_FRAMES = 3  # of each labelled sequence
_FEWEST_FOLDERS = 3  # by which CK+48 is known where it has lost its name

_PERSON = re.compile(r"S(\d{3})")
_SEQUENCE = re.compile(r"\d{3}")
_FRAME = re.compile(r"S\d{3}_\d{3}_(\d+)\.png", re.IGNORECASE)
_REPACKED = re.compile(r"(?<![A-Za-z0-9])S(\d{3})(?:_(\d{3})_(\d+))?(?!\d)")


@dataclass(kw_only=True)
class CKPlusSettings:
    """Which frames and classes are used, and what is read besides."""

    label_space: str = setting(
        "emotion/ckplus8",
        "eight classes; seven without neutral; seven without contempt; six. Where one is neutral, the first frame"
        " of each labelled sequence is read as such, else it is not",
        choices=SPACES,
    )
    expression: str = setting(
        "last_3", "the frames of a sequence that show its emotion, counted from the end: last_N, or end_N joined by +"
    )
    targets: list[str] = setting(
        ["emotion"],
        "what is read: emotion, au (FACS of the last frame), landmarks (68 points)",
        choices=("emotion", "au", "landmarks"),
    )
    au_space: str = setting(
        "au/disfa12",
        "the action units of target au: intensity 1 to 5, a unit without one is missing; in au/bp4d12 whether there",
        choices=("au/disfa12", "au/fera2015", "au/fera2017", "au/bp4d12"),
    )
    sequences: str = setting(
        "labelled",
        "labelled: those with an emotion; all: the last frame of the others, too, which has no emotion",
        choices=("labelled", "all"),
    )
    short_sequences: str = setting(
        "stop",
        "when a sequence has fewer frames than are asked for: skipped ones are counted",
        choices=("stop", "skip"),
    )


CARD = DatasetCard(
    name=NAME,
    summary="CK+: 593 posed sequences of 123 people from neutral to peak, 327 with one of seven emotions; FACS, points",
    targets={"emotion": "emotion/ckplus8", "au": "au/disfa12", "landmarks": "landmarks/68"},
    settings=CKPlusSettings,
    terms=Terms("signed agreement: research only, not passed on", "no"),
    ask="the Affect Analysis Group of Jeffrey Cohn, University of Pittsburgh",
    paper=Paper(
        "Lucey, Cohn, Kanade, Saragih, Ambadar, Matthews: The Extended Cohn-Kanade Dataset (CK+): A complete dataset"
        " for action unit and emotion-specified expression",
        "CVPR Workshops",
        2010,
    ),
    expected={
        "sequences": 593,
        "people": 123,
        "labelled sequences": 327,
        "labelled people": 118,
        **{f"sequences of {name}": count for name, count in PER_CLASS.items()},
    },
    protocol="subject_kfold",
    traps=(
        "Code 2 is contempt, not disgust; an emotion is a number in exponent notation.",
        "266 of the 593 sequences have no emotion: an empty folder, or none; they are not neutral.",
        "Frame numbers have gaps and need not begin at 1, so frames are counted by their sorted names.",
        "Intensity 0 in a FACS file means present, intensity not given: missing in a space of intensities, never 0.",
        "The ten folds of the literature sort the 118 people with a label; sorting all 123 gives others.",
        "Papers count six, seven and eight classes, with and without contempt and neutral: compare none of them.",
        "The widespread ten folds of CK+48 cut each class into blocks of files and so part the frames of one person.",
        "Owners allow only some of the people in print.",
        "The order of the 68 points is taken to be that of Multi-PIE: look at check-data --pictures first.",
    ),
    examples={
        "emotion": "",
        "au": "dataset.targets=au dataset.sequences=all",
        "landmarks": "dataset.targets=landmarks",
    },
)


def read(root: Path, settings: CKPlusSettings) -> Index:
    """The index of a copy: the four archives unpacked into one folder, or the re-pack CK+48.

    Raises:
        UserError: for a folder that is not there, a label file that cannot be read or an unknown code, both with their
            path below the root, and for sequences that are too short.
    """
    if not settings.targets:
        raise UserError("dataset.targets names nothing: say what is to be learned.")
    space = space_for("emotion", settings.label_space, where="dataset.label_space")
    images, repack = unwrapped(root, IMAGES), _repack(root)
    if images is not None and repack is not None:
        raise UserError(
            f"{root} holds {below(root, images)} and {below(root, repack)}: give the folder of one of them."
        )
    if repack is not None:
        return _read_repack(root, repack, space, settings)
    if images is None:
        raise UserError(
            f"{root} is not a copy of {NAME}: it holds neither {IMAGES} beside {EMOTION} nor {REPACK} with a folder a"
            f" class; ask {CARD.ask} for it."
        )
    sequences, ignored = _sequences(root, images)
    rows, notes = expression_rows(
        NAME,
        sequences,
        expression=settings.expression,
        has_neutral="neutral" in space.entries,
        short=settings.short_sequences,
    )
    if settings.sequences == "all":
        others = (sequence for sequence in sequences if sequence.emotion is None and sequence.frames)
        rows += [sequence.row(NAME, -1, None, is_peak=True) for sequence in others]
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in rows[0] if name != "image"}
    paths, spaces = [row["image"] for row in rows], dict[str, LabelSpace]()
    if "emotion" in settings.targets:
        spaces["emotion"] = space
    if "au" in settings.targets:
        spaces["au"] = space_for("au", settings.au_space, where="dataset.au_space")
        columns |= _action_units(root, rows, spaces["au"])
    if "landmarks" in settings.targets:
        spaces["landmarks"] = label_space("landmarks/68")
        points, lacking = _points(root, paths)
        columns |= points
        notes += lacking
    if "contempt" not in space.entries and "contempt" in columns["emotion"]:
        notes.append(Note("classes", f"Contempt stays in the table and outside {space.name}."))
    return Index(
        dataset=NAME,
        root=images.parent,  # ids depend on no folder around it
        table=index_table(NAME, paths, **columns),
        label_spaces=spaces,
        notes=(*notes, *ignored_files(ignored)),
        found=_found(sequences),
        variant="as distributed",
    )


def _sequences(root: Path, images: Path) -> tuple[list[FrameSequence], int]:
    """Every sequence, also one that has an emotion and no images, and how many files in them are no frames."""
    emotion = unwrapped(root, EMOTION)
    if emotion is None:
        raise UserError(
            f"{root} is not a copy of {NAME}: {EMOTION} is not there (the first Cohn-Kanade release has none); unpack"
            " Emotion_labels.zip beside the images."
        )
    keys = sorted({*_keys(images), *(key for key in _keys(emotion) if _label_files(emotion / key, "emotion"))})
    if not any(_keys(images)):
        raise UserError(f"{below(root, images)} holds no folders S005/001 with the frames of a sequence.")
    found, ignored = list[FrameSequence](), 0
    for key in keys:
        person, _, _ = key.partition("/")
        files = visible(images / key)
        matches = [(match, path) for path in files if (match := _FRAME.fullmatch(path.name))]
        frames = sorted((int(match[1]), below(images.parent, path)) for match, path in matches)
        ignored += len(files) - len(frames)
        label = _emotion(root, emotion / key)
        found.append(FrameSequence(person, key, below(root, images / key), tuple(frames), label))
    return found, ignored


def _keys(folder: Path) -> list[str]:
    return [
        f"{person.name}/{sequence.name}"
        for person in folders(folder)
        if _PERSON.fullmatch(person.name)
        for sequence in folders(person)
        if _SEQUENCE.fullmatch(sequence.name)
    ]


def _label_files(folder: Path, kind: str) -> list[Path]:
    return [path for path in visible(folder) if path.name.lower().endswith(f"_{kind}.txt")]


def _one_file(root: Path, folder: Path, kind: str) -> Path | None:
    files = _label_files(folder, kind)
    if len(files) > 1:
        raise UserError(f"{below(root, folder)} holds {len(files)} files *_{kind}.txt; a sequence has one: keep it.")
    return files[0] if files else None


def _emotion(root: Path, folder: Path) -> str | None:
    file = _one_file(root, folder, "emotion")
    if file is None:
        return None
    numbers = read_numbers(root, file, width=1)
    if len(numbers) != 1:
        raise UserError(f"{below(root, file)} holds {len(numbers)} numbers; the code of one emotion is expected.")
    return label_space(NATIVE_SPACE).parse(f"{numbers[0, 0]:g}", where=below(root, file))


def _found(sequences: Sequence[FrameSequence]) -> dict[str, int]:
    labelled = [sequence for sequence in sequences if sequence.emotion and sequence.frames]
    per_class = Counter(sequence.emotion for sequence in labelled)
    return {
        "sequences": sum(bool(sequence.frames) for sequence in sequences),
        "people": len({sequence.person for sequence in sequences if sequence.frames}),
        "labelled sequences": len(labelled),
        "labelled people": len({sequence.person for sequence in labelled}),
        **{f"sequences of {name}": per_class[name] for name in PER_CLASS},
    }


def _part(root: Path, name: str, target: str) -> Path:
    folder = unwrapped(root, name)
    if folder is None:
        raise UserError(f"dataset.targets has {target}, but {name} is not in {root}: unpack it beside the images.")
    return folder


def _beside(folder: Path, image: str) -> Path:
    """The folder of a frame's sequence in another part: the last two folders are called alike."""
    return folder.joinpath(*image.split("/")[-3:-1])


def _action_units(root: Path, rows: Sequence[Mapping[str, Any]], space: LabelSpace) -> dict[str, np.ndarray]:
    """One column an entry: what is coded of the last frame of each sequence, NaN in all others."""
    facs, values = _part(root, FACS, "au"), np.full((len(rows), len(space)), math.nan)
    for number, row in enumerate(rows):
        file = _one_file(root, _beside(facs, row["image"]), "facs") if row["peak"] else None
        if file is not None:
            values[number] = _coded(root, file, space)
    if np.isnan(values).all():
        raise UserError(
            f"No last frame has a file below {below(root, facs)}, so there is no target au: is it complete?"
        )
    return dict(zip(space.entries, values.T, strict=True))


def _coded(root: Path, file: Path, space: LabelSpace) -> np.ndarray:
    """The values of a FACS file: 0 where a unit is not listed; a file without any says nothing."""
    lines = read_numbers(root, file, width=2)
    units, levels = lines[:, 0], lines[:, 1]
    if (units != units.round()).any() or (levels < 0).any() or (levels > 5).any():
        raise UserError(f"{below(root, file)} is damaged: action units with intensities from 0 to 5 are expected.")
    values = np.full(len(space), 0.0 if len(lines) else math.nan)
    for unit, level in zip(units.astype(int), levels, strict=True):
        if (entry := action_unit_name(int(unit))) in space.entries:
            is_known = level > 0
            values[space.index(entry)] = 1.0 if space.maximum == 1 else level if is_known else math.nan
    return values


def _points(root: Path, images: Sequence[str]) -> tuple[dict[str, np.ndarray], list[Note]]:
    """The 68 points of each frame and the five of them that are aligned, as they stand in the files."""
    folder, points = _part(root, LANDMARKS, "landmarks"), np.full((len(images), NUM_LANDMARKS, 2), math.nan)
    for number, image in enumerate(images):
        file = _beside(folder, image) / f"{Path(image).stem}_landmarks.txt"
        if file.is_file():
            numbers = read_numbers(root, file, width=2)
            if len(numbers) != NUM_LANDMARKS:
                raise UserError(f"{below(root, file)} holds {len(numbers)} points; {NUM_LANDMARKS} are expected.")
            points[number] = numbers
    if np.isnan(points).all():
        raise UserError(f"No frame has a file below {below(root, folder)}, so there is no target landmarks.")
    flat, five = points.reshape(len(images), -1), five_points(points).reshape(len(images), -1)
    columns = dict(zip((*POINT_COLUMNS, *LANDMARK_COLUMNS), (*five.T, *flat.T), strict=True))
    without = tuple(sample_id(NAME, image) for image, row in zip(images, flat, strict=True) if np.isnan(row).all())
    sentence = f"{len(without)} of {len(images)} frames have no file in {LANDMARKS}."
    return columns, [Note("no points", sentence, without)] if without else []


def _repack(root: Path) -> Path | None:
    """The folder of CK+48, which holds one a class: by its name, or the root itself."""
    known = {code.lower() for code in (*label_space(NATIVE_SPACE).codes, *label_space(NATIVE_SPACE).entries)}
    for place in (unwrapped(root, REPACK), root):
        if place is not None and sum(folder.name.lower() in known for folder in folders(place)) >= _FEWEST_FOLDERS:
            return place
    return None


def _read_repack(root: Path, repack: Path, space: LabelSpace, settings: CKPlusSettings) -> Index:
    """CK+48: the last three frames of each labelled sequence in a folder a class; people by name of file alone."""
    if settings.targets != ["emotion"] or settings.sequences != "labelled":
        raise UserError(f"{REPACK} holds neither FACS nor points nor sequences without an emotion: leave them out.")
    if places_from_end(settings.expression, where="dataset.expression") != (3, 2, 1):
        raise UserError(f"{REPACK} holds the last three frames of a sequence; choose among them by frames=last_1.")
    rows = [
        {"image": below(repack, path), "emotion": emotion, **_whose(path.name)}
        for folder in folders(repack)
        if (emotion := label_space(NATIVE_SPACE).parse(folder.name, where=f"the folder names of {REPACK}"))
        for path in visible(folder)
        if path.suffix.lower() in IMAGE_SUFFIXES
    ]
    if not rows:
        raise UserError(f"{root} is no copy of {REPACK}: there are no images in its class folders.")
    unknown = sum(not row["subject"] for row in rows)
    counts = Counter(row["emotion"] for row in rows)
    columns = {name: [row[name] for row in rows] for name in rows[0] if name != "image"}
    return Index(
        dataset=NAME,
        root=repack,
        table=index_table(NAME, [row["image"] for row in rows], **columns),
        label_spaces={"emotion": space.only([entry for entry in space.entries if entry != "neutral"])},
        is_cropped=True,
        notes=(Note("variant", f"{REPACK} has crops of 48 pixels and no neutral frames."),),
        found={"images": len(rows), **{f"images of {name}": counts[name] for name in PER_CLASS}},
        expected={
            "images": _REPACKED_FRAMES * sum(PER_CLASS.values()),
            **{f"images of {name}": _REPACKED_FRAMES * count for name, count in PER_CLASS.items()},
        },
        variant=REPACK,
        no_subjects=f"{unknown} of {len(rows)} files of {REPACK} do not say in their names whose they are, as"
        " S010_004_00000017.png does: use the set as its owners give it"
        if unknown
        else "",
    )


def _whose(file: str) -> dict[str, Any]:
    """Person, sequence and frame as far as a file of CK+48 says them in its name."""
    match = _REPACKED.search(file)
    if match is None:
        return {"subject": "", "subject_order": math.nan, "clip": "", "frame": 0}
    person, sequence, frame = match.groups()
    return {
        "subject": subject_code(NAME, f"S{person}"),
        "subject_order": int(person),
        "clip": clip_code(NAME, f"S{person}/{sequence}") if sequence else "",
        "frame": int(frame or 0),
    }
