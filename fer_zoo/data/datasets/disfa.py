"""disfa: 27 people watching a film, each filmed from the left and the right; intensities 0 to 5 of 12 action units.

Frames are numbered from 0 here and in extracted images, from 1 in the label files: row n is of frame n - 1.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from fer_zoo.core.action_units import DISFA_12, action_unit_name
from fer_zoo.core.cards import DatasetCard, Paper, Terms
from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace, label_space
from fer_zoo.core.sample import sample_id, subject_code
from fer_zoo.core.settings import setting
from fer_zoo.data.index import IMAGE_SUFFIXES, Index, Note, clip_code, index_table
from fer_zoo.data.video_decoding import NoVideo, opened, read_packets
from fer_zoo.data.video_frames import VideoFrames, frame_name

NAME = "disfa"
LABELS = ("ActionUnit_Labels", "ActionUnits_Labels")
CAMERAS: Mapping[str, tuple[str, ...]] = {
    "left": ("Video_LeftCamera", "Videos_LeftCamera"),
    "right": ("Video_RightCamera", "Videos_RightCamera"),
}
NUMBERS = (*range(1, 14), 16, 17, 18, 21, *range(23, 33))
SUBJECTS = tuple(f"SN{number:03d}" for number in NUMBERS)
PRESENT = 2  # intensity from which an action unit counts as present, in the literature on detection

# Frames that the landmark error log of the set marks, from 0, both ends included: 4,670 of 13 people.
BAD_FRAMES: Mapping[str, tuple[tuple[int, int], ...]] = {
    "SN001": ((397, 419), (3189, 3242)),
    "SN002": ((799, 825),),
    "SN004": ((4540, 4554),),
    "SN006": ((1348, 1404),),
    "SN009": ((1735, 1807), (1850, 1884)),
    "SN011": ((4528, 4532), (4829, 4844)),
    "SN021": (
        *((573, 615), (984, 1163), (1189, 1204), (1304, 1337)),
        *((1664, 1709), (1861, 2476), (2553, 4656), (4709, 4721)),
    ),
    "SN023": ((1020, 1048), (3377, 3556), (3583, 3667), (4546, 4620), (4740, 4771), (4824, 4844)),
    "SN025": ((4595, 4661), (4815, 4834)),
    "SN027": ((3460, 3493), (4737, 4784)),
    "SN028": ((1874, 1884), (4570, 4689)),
    "SN029": ((4089, 4542),),
    "SN030": ((938, 961), (1405, 1421), (2099, 2131), (2892, 2954)),
}


@dataclass(kw_only=True)
class DisfaSettings:
    """Which frames are used, and how their intensities are read."""

    label_space: str = setting(
        "au/disfa12",
        f"intensities of 12 action units, or which of 8 are present (intensity {PRESENT} and more)",
        choices=("au/disfa12", "au/disfa8"),
    )
    images: str = setting(
        "videos", "frames are decoded from the videos, or lie as files in frames_folder", choices=("videos", "frames")
    )
    camera: str = setting("left", "of images=videos: whose videos", choices=("left", "right", "both"))
    frames_folder: str = setting("img", "of images=frames: holds SN001/0.png …, below the root")
    first_frame: int = setting(0, "of images=frames: number of the first file; ffmpeg counts from 1", at_least=0)
    every: int = setting(1, "use every n-th frame only", at_least=1)
    bad_frames: str = setting(
        "keep", "the 4,670 frames that the landmark error log of the set marks", choices=("keep", "leave_out")
    )
    missing_images: str = setting(
        "stop", "when a video or a frame is not there: skipped ones are counted", choices=("stop", "skip")
    )


CARD = DatasetCard(
    name=NAME,
    summary="DISFA: 27 people, two videos each, intensities 0 to 5 of 12 action units in 130,814 frames",
    targets={"au": "au/disfa12"},
    settings=DisfaSettings,
    terms=Terms("request form: research only, non-commercial", "no"),
    ask="Mohammad Mahoor, University of Denver",
    paper=Paper(
        "Mavadati, Mahoor, Bartlett, Trinh, Cohn: DISFA: A spontaneous facial action intensity database",
        "IEEE Transactions on Affective Computing",
        2013,
    ),
    expected={"label rows": 130_814, "subjects": 27},
    protocol="disfa_three_folds",
    traps=(
        "Label rows count from 1, extracted images from 0: row n is of image n - 1.",
        "One action unit a file, whose names sorted as text go au1, au12, au15 …; a missing file is unknown, not 0.",
        "Both cameras show the same people with the same labels: protocols that keep people apart keep them together.",
        "SN010 has 4,844 rows, all others 4,845, and decoders find one more or less: the shorter counts, unshifted.",
        "SN021 loses 3,052 of 4,845 frames where the landmark error log is applied (bad_frames=leave_out).",
        "Numbers of people have gaps: there is no SN014, SN015, SN019, SN020 and SN022.",
        "There is no official split. Papers test three lists of nine people, protocol=disfa_three_folds, as"
        " JAA-Net and ME-GraphAU (whose folds 1, 2, 3 test lists 3, 2, 1); BlendshapeFERNet draws 3 of 27 and does not"
        " say whom: protocol=subject_holdout protocol.test_share=0.11.",
        "DISFA+ shows nine of these people: it is no test set for what was trained here.",
        "The 66 landmarks that come with it are not read.",
    ),
)


def read(root: Path, settings: DisfaSettings) -> Index:
    """The index of a copy laid out as distributed, or of frames that were extracted from it.

    Raises:
        UserError: for a folder, a video or a frame that is not there, a person who is none of the set, or a label file
            that cannot be read.
    """
    folder = _one_of(root, LABELS)
    space = label_space(settings.label_space)
    labels, unknown = _labels(root, folder)
    rows = {subject: len(values) for subject, values in labels.items()}
    of_videos = settings.images == "videos"
    clips, notes = (_video_clips if of_videos else _frame_clips)(root, rows, settings)
    absent = tuple(sample_id(NAME, image) for clip in clips for image in clip.absent)
    if absent:
        notes.append(Note("missing", f"{len(absent)} frames are not there.", absent))
    if unknown:
        notes.append(Note("units", f"Without a file, so unknown and not 0: {', '.join(unknown)}."))
    values = np.concatenate([labels[clip.subject][clip.frames] for clip in clips])
    table = index_table(
        NAME,
        [image for clip in clips for image in clip.images],
        subject=[subject_code(NAME, clip.subject) for clip in clips for _ in clip.frames],
        clip=[clip_code(NAME, f"{clip.subject}/{clip.camera}") for clip in clips for _ in clip.frames],
        frame=np.concatenate([clip.frames for clip in clips]),
        source=[clip.camera for clip in clips for _ in clip.frames],
        **_units(values, space),
    )
    return Index(
        dataset=NAME,
        root=root,
        table=table,
        label_spaces={"au": space},
        notes=tuple(notes),
        found={"label rows": sum(rows.values())},
        variant="videos" if of_videos else "extracted frames",
        images=VideoFrames(root, NAME) if of_videos else None,
    )


def is_bad(subject: str, frames: Int[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Whether the landmark error log marks these frames, numbered from 0, of a person."""
    ranges = np.array(BAD_FRAMES.get(subject, ()), dtype=np.int64).reshape(-1, 2)
    marked = (frames[:, None] >= ranges[:, 0]) & (frames[:, None] <= ranges[:, 1])
    return np.asarray(marked.any(axis=1))


@dataclass(frozen=True)
class _Clip:
    """The frames that are used of one recording.

    Attributes:
        subject: SN001 …
        camera: left, right, or "" where nobody says.
        frames: their numbers from 0.
        images: what the index calls them.
        absent: those of the images that are not there.
    """

    subject: str
    camera: str
    frames: Int[np.ndarray, " n"]
    images: list[str]
    absent: Sequence[str] = ()


def _one_of(root: Path, names: Sequence[str]) -> str:
    """The folder that has one of these names."""
    found = next((name for name in names if (root / name).is_dir()), None)
    if found is None:
        raise UserError(f"{root} is not a copy of {NAME}: the folder {names[0]} is not there.")
    return found


def _labels(root: Path, folder: str) -> tuple[dict[str, Float[np.ndarray, "n 12"]], list[str]]:
    """Intensities of each person, NaN where a file is not there, and the names of what is not there."""
    people = sorted(entry.name for entry in (root / folder).iterdir() if entry.is_dir() and entry.name[0] != ".")
    labels, unknown = dict[str, np.ndarray](), list[str]()
    for subject in people:
        if subject not in SUBJECTS:
            raise UserError(f"{folder}/{subject} is none of the 27 people of {NAME}: {SUBJECTS[0]} … {SUBJECTS[-1]}.")
        files = _unit_files(root, f"{folder}/{subject}", subject)
        columns = {unit: _intensities(root / file, file) for unit, file in files.items()}
        lengths = {len(column): unit for unit, column in columns.items()}
        if len(lengths) > 1:
            told = " and ".join(f"{files[unit]} has {rows:,}" for rows, unit in list(lengths.items())[:2])
            raise UserError(f"The label files of {subject} differ in their numbers of rows: {told}; copy them again.")
        if not lengths:
            raise UserError(f"{folder}/{subject} holds no label file, as {subject}_au1.txt.")
        nothing = np.full(next(iter(lengths)), np.nan)
        labels[subject] = np.stack([columns.get(unit, nothing) for unit in DISFA_12], axis=1)
        unknown += [f"{action_unit_name(unit)} of {subject}" for unit in DISFA_12 if unit not in columns]
    if not labels:
        raise UserError(f"{folder} of {NAME} holds no folder of a person, as {SUBJECTS[0]}.")
    return labels, unknown


def _unit_files(root: Path, folder: str, subject: str) -> dict[int, str]:
    """Action unit -> its file below the root, by the number in the name."""
    files: dict[int, str] = {}
    for entry in sorted((root / folder).iterdir()):
        match = re.fullmatch(rf"{subject}_au(\d{{1,2}})\.txt", entry.name, re.IGNORECASE)
        if match is None:
            continue
        unit = int(match[1])
        if unit not in DISFA_12 or unit in files:
            known = ", ".join(map(str, DISFA_12))
            raise UserError(f"{folder}/{entry.name} must be of one of the action units {known}, each of which has one.")
        files[unit] = f"{folder}/{entry.name}"
    return files


def _intensities(path: Path, file: str) -> Float[np.ndarray, " n"]:
    """The second of the two columns; the first counts from 1 without a gap."""
    lines = [line for line in path.read_bytes().decode(errors="replace").splitlines() if line.strip()]
    cells = [line.split(",") for line in lines]
    try:
        values = np.array(cells, dtype=np.float64).reshape(len(lines), 2)
    except ValueError:
        values = np.array([list(map(_number, row)) if len(row) == 2 else [np.nan, np.nan] for row in cells])
    is_right = (values[:, 0] == np.arange(1, len(lines) + 1)) & np.isin(values[:, 1], np.arange(6))
    if not lines or not is_right.all():
        row = int(np.argmin(is_right)) if lines else 0
        found = " and ".join(repr(cell.strip()) for cell in cells[row]) if lines else "nothing"
        raise UserError(f"{file} row {row + 1} must be {row + 1} and an intensity from 0 to 5; found {found}.")
    return values[:, 1]


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return np.nan


def _units(values: Float[np.ndarray, "n 12"], space: LabelSpace) -> dict[str, Float[np.ndarray, " n"]]:
    """A column an entry: the intensity, or 1 where it is enough to count as present; NaN stays."""
    columns = dict(zip(map(action_unit_name, DISFA_12), values.T, strict=True))
    if space.unit != "occurrence":
        return columns
    return {entry: np.where(np.isnan(columns[entry]), np.nan, columns[entry] >= PRESENT) for entry in space.entries}


def _chosen(subject: str, length: int, settings: DisfaSettings) -> Int[np.ndarray, " n"]:
    frames = np.arange(0, length, settings.every)
    return frames[~is_bad(subject, frames)] if settings.bad_frames == "leave_out" else frames


def _video_clips(root: Path, rows: Mapping[str, int], settings: DisfaSettings) -> tuple[list[_Clip], list[Note]]:
    """Of each person the video of one camera, or of both."""
    clips, lengths = list[_Clip](), dict[str, tuple[int, int]]()
    for camera in CAMERAS if settings.camera == "both" else (settings.camera,):
        folder = _one_of(root, CAMERAS[camera])
        files = {entry.name.lower(): entry.name for entry in sorted((root / folder).iterdir())}
        for subject in rows:
            usual = f"{camera.capitalize()}Video{subject}_comp.avi"
            video = f"{folder}/{files.get(usual.lower(), usual)}"  # some copies have _Comp
            is_there = (root / video).is_file()
            if not is_there and settings.missing_images == "stop":
                raise UserError(f"{video} is not there: complete the copy, or set dataset.missing_images=skip.")
            lengths[video] = (_num_frames(root / video, video) if is_there else rows[subject], rows[subject])
            frames = _chosen(subject, min(lengths[video]), settings)
            images = [frame_name(video, frame) for frame in frames.tolist()]
            clips.append(_Clip(subject, camera, frames, images, () if is_there else images))
    return clips, _length_notes(lengths)


def _num_frames(path: Path, file: str) -> int:
    """As many as the file says; without decoding one, and where it does not say by counting its packets."""
    try:
        with opened(path) as (_, stream):
            said = stream.frames
        return said or len(read_packets(path).times)
    except NoVideo as error:
        raise UserError(f"{file} is not a video, or cut off before its index: copy it again.") from error


def _frame_clips(root: Path, rows: Mapping[str, int], settings: DisfaSettings) -> tuple[list[_Clip], list[Note]]:
    """Of each person the files that were extracted from one video; nobody says from which."""
    clips, lengths = list[_Clip](), dict[str, tuple[int, int]]()
    _one_of(root, (settings.frames_folder,))
    for subject, count in rows.items():
        folder = f"{settings.frames_folder}/{subject}"
        files = _numbered(root, folder, settings.first_frame)
        if not files and settings.missing_images == "stop":
            raise UserError(f"{folder} holds no images: complete the copy, or set dataset.missing_images=skip.")
        if settings.first_frame == 0 and files and 0 not in files and count in files:
            raise UserError(f"{folder} has no image 0, but {count}, so it counts from 1: set dataset.first_frame=1.")
        lengths[folder] = (max(files, default=count - 1) + 1, count)
        frames = _chosen(subject, min(lengths[folder]), settings)
        absent = [f"{folder}/{frame + settings.first_frame}.png" for frame in frames.tolist() if frame not in files]
        if absent and settings.missing_images == "stop":
            raise UserError(
                f"{len(absent)} images of {folder} are not there, e.g. {absent[0]}: complete the copy, or set"
                " dataset.missing_images=skip."
            )
        names = [f"{frame + settings.first_frame}.png" for frame in frames.tolist()]
        images = [f"{folder}/{files.get(frame, name)}" for frame, name in zip(frames.tolist(), names, strict=True)]
        clips.append(_Clip(subject, "", frames, images, absent))
    return clips, _length_notes(lengths)


def _numbered(root: Path, folder: str, first: int) -> dict[int, str]:
    """Frame, from 0 -> name of its file."""
    files: dict[int, str] = {}
    for entry in sorted((root / folder).iterdir()) if (root / folder).is_dir() else ():
        if entry.stem.isdecimal() and entry.suffix.lower() in IMAGE_SUFFIXES:
            if int(entry.stem) - first in files:
                raise UserError(f"{folder} holds image {int(entry.stem)} twice, as {entry.name}: keep one of them.")
            files[int(entry.stem) - first] = entry.name
    return files


def _length_notes(lengths: Mapping[str, tuple[int, int]]) -> list[Note]:
    """One sentence on all recordings whose frames are more or fewer than their labels."""
    other = {name: pair for name, pair in lengths.items() if pair[0] != pair[1]}
    if not other:
        return []
    name, (frames, labels) = next(iter(other.items()))
    sentence = (
        f"{len(other)} of {len(lengths)} recordings have not as many frames as labels, e.g. {name} {frames:,} frames"
        f" and {labels:,} labels: the shorter counts, and nothing is shifted."
    )
    return [Note("lengths", sentence)]
