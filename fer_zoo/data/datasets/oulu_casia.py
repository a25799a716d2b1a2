"""oulu_casia: Oulu-CASIA NIR&VIS, six posed expressions of 80 people, two cameras in three illuminations."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from fer_zoo.core.cards import DatasetCard, Paper, Terms
from fer_zoo.core.conditions import PREFIX
from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.core.settings import setting
from fer_zoo.data.index import Index, index_table, space_for
from fer_zoo.data.layout import below, folders, unwrapped, visible
from fer_zoo.data.sequences import FrameSequence, expression_rows, ignored_files

NAME = "oulu_casia"
CAMERAS = ("VL", "NI")
ILLUMINATIONS = ("Strong", "Weak", "Dark")
NATIVE_SPACE = "emotion/oulu_casia"
PEOPLE = 80

_PERSON = re.compile(r"P\d{3}")
_FRAME = re.compile(r"(\d+)\.jpe?g", re.IGNORECASE)  # .jpeg as distributed


@dataclass(kw_only=True)
class OuluCasiaSettings:
    """Which recordings, frames and classes are used."""

    cameras: list[str] = setting(["VL"], "VL: visible light, NI: near infrared", choices=CAMERAS)
    illuminations: list[str] = setting(
        ["Strong"], "how the room was lit; Dark is close to black", choices=ILLUMINATIONS
    )
    label_space: str = setting(
        NATIVE_SPACE,
        "the six classes; or emotion/basic7, with the first frame of each sequence as neutral besides",
        choices=(NATIVE_SPACE, "emotion/basic7"),
    )
    expression: str = setting(
        "last_3",
        "the frames of a sequence that show its emotion, counted from the end: last_N, or end_N joined by +, as"
        " end_1+end_3+end_5",
    )
    short_sequences: str = setting(
        "stop",
        "when a sequence has fewer frames than are asked for: skipped ones are counted",
        choices=("stop", "skip"),
    )
    cropped: bool = setting(False, "the images are face crops, whose whole area is used")


def _counts(recordings: int) -> dict[str, int]:
    """What a complete copy holds in so many pairs of camera and illumination."""
    emotions = label_space(NATIVE_SPACE).entries
    each = {f"sequences of {emotion}": PEOPLE * recordings for emotion in emotions}
    return {"sequences": PEOPLE * len(emotions) * recordings, "people": PEOPLE, **each}


CARD = DatasetCard(
    name=NAME,
    summary="Oulu-CASIA NIR&VIS: six posed expressions of 80 people from neutral to peak, two cameras, three lights",
    targets={"emotion": NATIVE_SPACE},
    settings=OuluCasiaSettings,
    terms=Terms("research only, on request", "no"),
    ask="Guoying Zhao, Center for Machine Vision and Signal Analysis, University of Oulu",
    paper=Paper(
        "Zhao, Huang, Taini, Li, Pietikäinen: Facial expression recognition from near-infrared videos",
        "Image and Vision Computing 29(9)",
        2011,
    ),
    expected=_counts(1),
    protocol="subject_kfold",
    traps=(
        "Papers use visible light and strong illumination alone: VL/Strong, 480 of the 2,880 sequences.",
        "Files end in .jpeg and are numbered from 000.",
        "There is no neutral class; papers that have one take the first frame of each sequence.",
        "1,440 images are three a sequence: the last three, or the last, third and fifth from the end; say which.",
        "The two cameras filmed the same performance, and their sequences differ in length: frames of one number do not"
        " belong together, and leave_one_clip_out with both cameras tests what it has trained on.",
        "VL/Dark is close to black.",
        "No list of folds is published: ten folds of eight people, sorted by number, are the rule of CK+ carried over.",
    ),
)


def read(root: Path, settings: OuluCasiaSettings) -> Index:
    """The index of a copy of the original images.

    Raises:
        UserError: for a camera or an illumination that is not there, a folder that is no emotion, with its path below
            the root, and for sequences that are too short.
    """
    space = space_for("emotion", settings.label_space, where="dataset.label_space")
    recordings = list(dict.fromkeys(product(settings.cameras, settings.illuminations)))
    if not recordings:
        raise UserError("dataset.cameras and dataset.illuminations must name at least one each.")
    home = _home(root, settings.cameras)
    sequences, ignored = list[FrameSequence](), 0
    for camera, illumination in recordings:
        found, others = _sequences(root, home / camera / illumination)
        sequences += found
        ignored += others
    rows, notes = expression_rows(
        NAME,
        sequences,
        expression=settings.expression,
        has_neutral="neutral" in space.entries,
        short=settings.short_sequences,
    )
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in rows[0] if name != "image"}
    images = [row["image"] for row in rows]
    for place, (word, chosen) in enumerate((("camera", settings.cameras), ("illumination", settings.illuminations))):
        if len(set(chosen)) > 1:  # else it is the same everywhere
            columns[PREFIX + word] = [image.split("/")[place] for image in images]
    return Index(
        dataset=NAME,
        root=home,  # ids depend on no folder around it
        table=index_table(NAME, images, **columns),
        label_spaces={"emotion": space},
        is_cropped=settings.cropped,
        notes=(*notes, *ignored_files(ignored)),
        found=_found(sequences),
        expected=_counts(len(recordings)) if len(recordings) > 1 else None,
        variant=", ".join("/".join(pair) for pair in recordings),
    )


def _home(root: Path, cameras: Sequence[str]) -> Path:
    """The folder in which those of the cameras lie."""
    homes = set[Path]()
    for camera in cameras:
        folder = unwrapped(root, camera)
        if folder is None:
            raise UserError(
                f"{root} is not a copy of {NAME}: {camera} is not there, as in OriginalImg/{camera}/Strong/P001/Anger;"
                f" ask {CARD.ask} for it."
            )
        homes.add(folder.parent)
    if len(homes) > 1:
        raise UserError(f"{' and '.join(cameras)} lie in different folders of {root}: put them side by side.")
    return homes.pop()


def _sequences(root: Path, folder: Path) -> tuple[list[FrameSequence], int]:
    """The sequences of a camera in one illumination, and how many files in them are no frames."""
    people = [person for person in folders(folder) if _PERSON.fullmatch(person.name)]
    if not people:
        what = "holds no folders P001 to P080" if folder.is_dir() else "is not there"
        raise UserError(f"{below(root, folder)} {what}: it is expected as in VL/Strong/P001/Anger/000.jpeg.")
    space, sequences, ignored = label_space(NATIVE_SPACE), list[FrameSequence](), 0
    for person in people:
        for sequence in folders(person):
            emotion = space.parse(sequence.name, where=f"the folders of {below(root, person)}")
            files = visible(sequence)
            matches = [(match, path) for path in files if (match := _FRAME.fullmatch(path.name))]
            frames = sorted((int(match[1]), below(folder.parent.parent, path)) for match, path in matches)
            name = below(folder.parent.parent, sequence)
            sequences.append(FrameSequence(person.name, name, below(root, sequence), tuple(frames), emotion))
            ignored += len(files) - len(frames)
    return sequences, ignored


def _found(sequences: Sequence[FrameSequence]) -> dict[str, int]:
    whole = [sequence for sequence in sequences if sequence.frames]
    per_class = Counter(sequence.emotion for sequence in whole)
    return {
        "sequences": len(whole),
        "people": len({sequence.person for sequence in whole}),
        **{f"sequences of {emotion}": per_class[emotion] for emotion in label_space(NATIVE_SPACE).entries},
    }
