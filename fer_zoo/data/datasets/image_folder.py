"""image_folder: a user's own photographs in folders named after classes, with or without split folders above them.

Folders meet the label space by name; their order or number means nothing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_zoo.core.cards import DatasetCard, Terms
from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import OWN, LabelSpace, own_space
from fer_zoo.core.sample import sample_id, subject_code
from fer_zoo.core.settings import setting
from fer_zoo.data.face_tables import landmarks_below
from fer_zoo.data.index import (
    IMAGE_SUFFIXES,
    SPLIT_WORDS,
    Index,
    Note,
    classes_in_data,
    index_table,
    points_in_data,
    space_for,
)

NAME = "image_folder"


@dataclass(kw_only=True)
class ImageFolderSettings:
    """How the folders are read."""

    label_space: str = setting(
        "emotion/basic7", "the space that the class folders are names of; own: their names are the classes"
    )
    classes: list[str] = setting(
        [],
        "which classes of label_space to train and score, the others stay apart; empty: those that occur in the data",
    )
    subject_pattern: str = setting(
        "", "regular expression with one group: the person, searched in a file's name; empty: each file is its own"
    )
    cropped: bool = setting(False, "the images are face crops, whose whole area is used")
    landmarks: str = setting(
        "",
        "68 points of each face, made elsewhere: a folder of .pts files or of OpenFace's .csv files, or one table;"
        " below the root unless it is a full path",
    )


CARD = DatasetCard(
    name=NAME,
    summary="your own images in folders named after classes, optionally below train, validation and test",
    targets={"emotion": "emotion/basic7", "landmarks": "landmarks/68"},
    settings=ImageFolderSettings,
    terms=Terms("your own data", "ask"),
    ask="your own files",
    official_split=True,
    traps=(
        "Without subject_pattern every file counts as a person of its own, so one person may be trained on and tested.",
        "Class folders are mapped by name onto the label space; a name it does not know is refused, unless"
        " label_space=own makes classes of the names.",
        "Classes of the label space that have no folder are left out of it, unless `classes` says which there are.",
    ),
    own_data=True,
    examples={
        "emotion": "dataset.root=my_faces",
        "landmarks": "dataset.root=my_faces dataset.landmarks=points",
    },
)


def read(root: Path, settings: ImageFolderSettings) -> Index:
    """The index of class folders below a root.

    Raises:
        UserError: for a folder that is no class, a pattern that does not fit, or no images at all.
    """
    parts = _split_folders(root)
    places = parts or [(root, "")]
    space = _space([folder for folder, _ in places], settings.label_space)
    images, emotions, splits, num_ignored = [], [], [], 0
    for folder, part in places:
        for path, emotion in _class_files(folder, space):
            if emotion and path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith("."):
                images.append(path.relative_to(root).as_posix())
                emotions.append(emotion)
                splits.append(part)
            else:
                num_ignored += 1
    if not images:
        raise UserError(
            f"No images below {root}: {NAME} expects one folder a class ({', '.join(space.entries)}) that holds images"
            f" ({', '.join(IMAGE_SUFFIXES)})."
        )
    chosen, notes = classes_in_data(space, settings.classes, emotions)
    if settings.label_space == OWN:
        notes += _merged(space, [folder for folder, _ in places])
    if num_ignored:
        sentence = f"{num_ignored} files are hidden, stand outside the class folders or are no images by their suffix."
        notes.append(Note("ignored", f"{sentence} They are left out."))
    if not settings.subject_pattern:
        notes.append(Note("subjects", "No subject_pattern is set, so every file counts as a subject of its own."))
    points: Mapping[str, Any] = {}
    if settings.landmarks:
        points, lacking = landmarks_below(root, settings.landmarks, NAME, images)
        notes += lacking
    subjects = _subjects(images, settings.subject_pattern)
    table = index_table(NAME, images, subject=subjects, emotion=emotions, **points)
    return Index(
        dataset=NAME,
        root=root,
        table=table.assign(split=splits) if parts else table,
        label_spaces={"emotion": chosen, **points_in_data(points)},
        is_cropped=settings.cropped,
        notes=tuple(notes),
        found={"images": len(images)},
        variant="class folders in split folders" if parts else "class folders",
    )


def _folders(root: Path) -> list[Path]:
    return sorted(entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _space(places: list[Path], name: str) -> LabelSpace:
    """The space of that name, or that of the names of the class folders."""
    names = sorted({folder.name for place in places for folder in _folders(place)})
    if name == OWN and names:
        return own_space("emotion", names, where="the folder names")
    return space_for("emotion", "emotion/basic7" if name == OWN else name, where="dataset.label_space")


def _merged(space: LabelSpace, places: list[Path]) -> list[Note]:
    """A note on folders whose names differ in capitals or blanks alone."""
    names = sorted({folder.name for place in places for folder in _folders(place)})
    spellings = {entry: [name for name in names if space.parse(name, where="") == entry] for entry in space.entries}
    told = [f"{', '.join(some)} as {entry}" for entry, some in spellings.items() if len(some) > 1]
    return [Note("merged", f"Folders are taken together: {'; '.join(told)}.")] if told else []


def _split_folders(root: Path) -> list[tuple[Path, str]]:
    """The folders above the class folders with the part that each is; none where classes stand at the root.

    Raises:
        UserError: if split folders and others stand side by side, or two are the same part.
    """
    folders = _folders(root)
    parts = [(folder, SPLIT_WORDS[folder.name.lower()]) for folder in folders if folder.name.lower() in SPLIT_WORDS]
    others = [folder.name for folder in folders if folder.name.lower() not in SPLIT_WORDS]
    if parts and others:
        raise UserError(
            f"{root} holds split folders ({', '.join(folder.name for folder, _ in parts)}) beside {others[0]!r}:"
            " put every class folder below a split folder, or none."
        )
    if len({part for _, part in parts}) < len(parts):
        names = ", ".join(folder.name for folder, _ in parts)
        raise UserError(f"{root} holds two folders for one part of the split, found {names}: keep one of them.")
    return parts


def _class_files(folder: Path, space: LabelSpace) -> Iterator[tuple[Path, str]]:
    """Every file with its class; files outside the class folders have none."""
    for entry in sorted(folder.iterdir()):
        if entry.is_file():
            yield entry, ""
    for entry in _folders(folder):
        try:
            emotion = space.parse(entry.name, where=f"the folder names of {folder}")
        except UserError as error:
            raise UserError(f"{error} To make classes of the folder names, set dataset.label_space=own.") from error
        for path in sorted(entry.rglob("*")):
            if path.is_file():
                yield path, emotion


def _subjects(images: list[str], pattern: str) -> list[str]:
    """The code of each file's person; empty where no pattern is given."""
    if not pattern:
        return ["" for _ in images]
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UserError(f"dataset.subject_pattern={pattern} is not a regular expression: {error}.") from error
    if compiled.groups != 1:
        raise UserError(
            f"dataset.subject_pattern={pattern} has {compiled.groups} groups; put exactly one around the person, as in"
            r" (.+)_\d+\."
        )
    matches = [compiled.search(image.rpartition("/")[2]) for image in images]
    strays = [sample_id(NAME, image) for image, match in zip(images, matches, strict=True) if not (match and match[1])]
    if strays:
        raise UserError(
            f"dataset.subject_pattern={pattern} finds nobody in the names of {len(strays)} of {len(images)} files, e.g."
            f" {', '.join(strays[:3])}: widen it, or rename the files."
        )
    return [subject_code(NAME, match[1]) for match in matches if match]
