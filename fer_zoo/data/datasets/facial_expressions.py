"""facial_expressions: 13,718 press photographs and film stills with labels of single persons.

Source: https://github.com/muxspace/facial_expressions. File names are names of real people; they are read here to tell
people apart and leave this file only as codes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fer_zoo.core.cards import DatasetCard, Terms
from fer_zoo.core.errors import UserError, nearest
from fer_zoo.core.label_spaces import LabelSpace, label_space, own_space
from fer_zoo.core.sample import sample_id, subject_code
from fer_zoo.core.settings import setting
from fer_zoo.data.index import Index, Note, chosen_classes, index_table, space_for

NAME = "facial_expressions"
NATIVE_SPACE = "emotion/facial_expressions8"
LEGEND = "data/legend.csv"
SECOND_LABELS = "data/500_picts_satz.csv"
ARCHIVE_FOLDER = "facial_expressions-master"  # the public archive puts everything into one folder

# Identical files under two names, found by hashing all files; both people count as one, so that no split parts them.
IDENTICAL_FILES = (("933ee9ce7283", "095112d8af95"), ("d6b64a0efa68", "f78f4876932b"))

_PRESS = re.compile(r"(?P<person>.+)_\d{4}\.jpg")
_FILM = re.compile(r"(?P<person>[^_]+)_\d{1,3}\.jpg")


@dataclass(kw_only=True)
class FacialExpressionsSettings:
    """Which of the images and classes are used."""

    label_space: str = setting(
        "emotion/facial_expressions6", "classes to train and score; others stay in the table, apart"
    )
    classes: list[str] = setting([], "which classes of label_space to train and score; empty: all of them")
    identity_images: int = setting(
        0,
        "people with at least so many images are the classes of target identity; 0: there is no such target",
        at_least=0,
    )
    annotators: list[str] = setting([], "keep only labels by these persons (column user.id); empty: all")
    missing_images: str = setting(
        "stop", "when a listed image is not there: skipped ones are counted", choices=("stop", "skip")
    )


CARD = DatasetCard(
    name=NAME,
    summary="13,718 press photographs and film stills, eight emotions by single annotators",
    targets={"emotion": "emotion/facial_expressions6", "identity": "identity/own"},
    settings=FacialExpressionsSettings,
    # Apache-2.0 covers what the authors own; the pictures are press photographs and film stills of others.
    terms=Terms("Apache-2.0 for the authors' part; the pictures are photographs of others", "ask"),
    ask="https://github.com/muxspace/facial_expressions",
    is_cropped=True,
    expected={
        "images": 13_718,
        "rows": 13_690,
        "second labels": 500,
        "samples": 13_681,
        "subjects": 5_616,
        "emotion=neutral": 6_864,
        "emotion=happiness": 5_693,
        "emotion=surprise": 367,
        "emotion=sadness": 267,
        "emotion=anger": 252,
        "emotion=disgust": 208,
        "emotion=fear": 21,
        "emotion=contempt": 9,
    },
    downloads={
        f"{NAME}.zip": ("https://github.com/muxspace/facial_expressions/archive/refs/heads/master.zip", ""),
    },
    examples={"emotion": "", "identity": "dataset.identity_images=10 protocol=identity_holdout"},
    populations=("celebrities",),
    traps=(
        "Labels come in upper and lower case, and each is one person's opinion: two annotators agree on 49 %.",
        "Eight images are listed twice, one of them with two labels; 36 images are not listed.",
        "Nearly all disgust comes from eight film actors: the source alone tells much of the label.",
        "Fear (21) and contempt (9) are too few to be trained or scored.",
        "Two pairs of files are identical under different names; one file named .jpg is WebP.",
        "Of 5,616 people 3,990 have a single image: as classes of identity they could be trained on and never tested.",
        "Its test folder holds images of other sets that may not be passed on; it is not read.",
    ),
)


def read(root: Path, settings: FacialExpressionsSettings) -> Index:
    """The index of a copy laid out as distributed.

    Raises:
        UserError: for a missing file, an unknown label or annotator, or a listed image that is not there.
    """
    space = chosen_classes(space_for("emotion", settings.label_space, where="dataset.label_space"), settings.classes)
    root = root / ARCHIVE_FOLDER if (root / ARCHIVE_FOLDER / LEGEND).is_file() else root
    for part in ("images", LEGEND, SECOND_LABELS):
        if not (root / part).exists():
            raise UserError(f"{root} is not a copy of {NAME}: {part} is not there; see `fer-zoo download {NAME}`.")
    files = sorted(entry.name for entry in (root / "images").iterdir() if not entry.name.startswith("."))
    legend = _read_legend(root / LEGEND)
    found = {"images": len(files), "rows": len(legend)}
    rows, notes = _keep_annotators(legend, settings.annotators), [_unlisted(files, legend)]
    notes.append(_missing(rows, files, settings.missing_images))
    rows, doubles = _merge_doubles(rows)
    notes += doubles
    table = index_table(
        NAME,
        [f"images/{file}" for file in rows["file"]],
        subject=[subject_code(NAME, _person_and_source(file)[0]) for file in rows["file"]],
        source=[_person_and_source(file)[1] for file in rows["file"]],
        annotator=list(rows["annotator"]),
        emotion=list(rows["emotion"]),
    )
    second = _read_second_labels(root / SECOND_LABELS)
    table["second_emotion"] = [second.get(file) for file in rows["file"]]
    table["subject"], joined = _join_identical(table)
    identity = _identity(table, settings.identity_images)
    return Index(
        dataset=NAME,
        root=root,
        table=table,
        label_spaces={"emotion": space, **identity},
        is_cropped=True,
        notes=(*(note for note in notes if note.ids), *joined),
        found={**found, "second labels": len(second)},
        variant="as distributed",
    )


def _person_and_source(file: str) -> tuple[str, str]:
    """Who is shown and where the picture comes from; without a known form of name the file stands for itself."""
    if match := _PRESS.fullmatch(file):
        return match["person"], "press"
    if match := _FILM.fullmatch(file):
        return match["person"], "film"
    return file, "other"


def _read_legend(path: Path) -> pd.DataFrame:
    """Columns annotator, file, emotion; the three words are written in upper and lower case."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except ValueError as error:  # pandas' own errors and those of decoding
        reason = str(error).partition("\n")[0]
        raise UserError(f"{LEGEND} of {NAME} cannot be read as a table ({reason}): fetch the copy again.") from error
    if list(table.columns) != ["user.id", "image", "emotion"]:
        raise UserError(f"{LEGEND} of {NAME} must have the columns user.id,image,emotion, found {list(table.columns)}.")
    table.columns = pd.Index(["annotator", "file", "emotion"])
    space = label_space(NATIVE_SPACE)
    entries = set(space.entries)
    for row, label in enumerate(table["emotion"]):
        if label.lower() not in entries:  # short forms such as "sad" belong to the other file
            hint = nearest(label, space.entries)
            raise UserError(f"{LEGEND} row {row + 2}: label {label!r} is none of {', '.join(space.entries)}.{hint}")
    return table.assign(emotion=table["emotion"].str.lower())


def _read_second_labels(path: Path) -> Mapping[str, str]:
    """File name -> entry by the second annotator. No header; lines end in CR alone, which `splitlines` understands."""
    space, labels = label_space(NATIVE_SPACE), {}
    for row, line in enumerate(path.read_bytes().decode(errors="replace").splitlines()):
        parts = line.split(",")
        if len(parts) != 3:
            raise UserError(f"{SECOND_LABELS} row {row + 1} must be annotator,image,label; found {len(parts)} parts.")
        labels[parts[1]] = space.parse(parts[2], where=f"{SECOND_LABELS} row {row + 1}")
    return labels


def _keep_annotators(rows: pd.DataFrame, annotators: list[str]) -> pd.DataFrame:
    known = sorted(set(rows["annotator"]))
    for name in annotators:
        if name not in known:
            raise UserError(f"No annotator {name!r} in {LEGEND}.{nearest(name, known)} Known: {', '.join(known)}.")
    return rows[rows["annotator"].isin(annotators)] if annotators else rows


def _unlisted(files: list[str], legend: pd.DataFrame) -> Note:
    ids = _ids(sorted(set(files) - set(legend["file"])))
    return Note("unlabelled", f"{len(ids)} images have no row in {LEGEND} and are left out.", ids)


def _missing(rows: pd.DataFrame, files: list[str], policy: str) -> Note:
    """A note on the images that are not there; their rows stay, so that what is scored counts them."""
    is_there = rows["file"].isin(files)
    ids = _ids(rows["file"][~is_there].drop_duplicates())
    if ids and policy == "stop":
        raise UserError(
            f"{len(ids)} images listed in {LEGEND} are not there, e.g. {', '.join(ids[:3])}: complete the copy, or set"
            " dataset.missing_images=skip."
        )
    return Note("missing", f"{len(ids)} images listed in {LEGEND} are not there.", ids)


def _merge_doubles(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[Note]]:
    """One row per image: rows that agree count once, an image with two different labels is dropped."""
    num_labels = rows.groupby("file")["emotion"].transform("nunique")
    twice = rows["file"].duplicated(keep=False)
    agreeing = _ids(rows["file"][twice & (num_labels == 1)].drop_duplicates())
    contradictory = _ids(rows["file"][num_labels > 1].drop_duplicates())
    kept = rows[num_labels == 1].drop_duplicates("file").sort_values("file")
    return kept, [
        Note("merged", f"{len(agreeing)} images are listed twice with one label and count once.", agreeing),
        Note(
            "contradictory",
            f"Listed with two different labels and left out: {', '.join(contradictory)}.",
            contradictory,
        ),
    ]


def _join_identical(table: pd.DataFrame) -> tuple[pd.Series, list[Note]]:
    """Subjects in which the people of identical files are one, and a note on them."""
    subjects, by_id = table["subject"].copy(), dict(zip(table["id"], table["subject"], strict=True))
    pairs = [pair for pair in IDENTICAL_FILES if all(entry in by_id for entry in pair)]
    for first, second in pairs:
        subjects = subjects.where(subjects != by_id[second], by_id[first])
    sentence = f"{len(pairs)} pairs of identical files carry two names; the people of a pair count as one subject."
    return subjects, [Note("identical", sentence, tuple(entry for pair in pairs for entry in pair))] if pairs else []


def _identity(table: pd.DataFrame, least: int) -> dict[str, LabelSpace]:
    """The space of the people with enough images, whose codes become a column; nothing where nobody asks for them."""
    if not least:
        return {}
    is_class = table.groupby("subject")["id"].transform("size") >= least
    if not is_class.any():
        raise UserError(f"Nobody in {NAME} has dataset.identity_images={least} images; ask for fewer.")
    table["identity"] = table["subject"].where(is_class, None)
    return {"identity": own_space("identity", table["subject"][is_class], where="the codes of people")}


def _ids(files: "pd.Series | list[str]") -> tuple[str, ...]:
    return tuple(sample_id(NAME, f"images/{file}") for file in files)
