"""mmi: clips of the MMI facial expression database, from neutral over an apex back to neutral; frames of videos."""

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64

from fer_zoo.core.action_units import action_unit_name
from fer_zoo.core.cards import DatasetCard, Paper, Terms
from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace, label_space
from fer_zoo.core.settings import setting
from fer_zoo.data.index import Index, Note, index_table, space_for
from fer_zoo.data.layout import below, folders, unwrapped, visible
from fer_zoo.data.sequences import FrameSequence
from fer_zoo.data.video import SUFFIXES, UnreadableVideo, count_frames
from fer_zoo.data.video_frames import VideoFrames, frame_name

NAME = "mmi"
SESSIONS = "Sessions"
NATIVE_SPACE = "emotion/mmi"  # codes 1 to 6
VIEWS = {"frontal": "0", "profile": "1", "dual": "2"}
APEX = 2  # phases of an action unit: 0 neutral, 1 onset, 2 apex, 3 offset

_FEWEST = 5  # frames of a clip: a neutral one, three about the apex, and one more, as it ends neutral
_CLIP = re.compile(r"(S\d+)-\d+.*")
_UNIT = re.compile(r"[A-Za-z]*(\d+)[A-Za-z]*")  # a letter says the side
_MOST_XML = 1 << 24  # bytes


@dataclass(kw_only=True)
class MMISettings:
    """Which clips, frames and classes are used, and what is read besides."""

    view: str = setting(
        "frontal", "which clips are used; dual ones show the face twice, through a mirror", choices=(*VIEWS, "all")
    )
    label_space: str = setting(
        "emotion/basic7",
        "six emotions, and the first frame of each clip as neutral; or emotion/mmi, without it",
        choices=("emotion/basic7", NATIVE_SPACE),
    )
    apex: str = setting(
        "middle",
        "about which frame the three of the expression are taken: the middle of the clip; or (markers), where its units"
        " are coded, the middle of the time when most of them are at their apex",
        choices=("middle", "markers"),
    )
    targets: list[str] = setting(
        ["emotion"],
        "what is read: emotion, au (which units are there, of clips whose units are coded)",
        choices=("emotion", "au"),
    )
    sequences: str = setting(
        "labelled",
        "labelled: clips with one of the six emotions; all: the others, too, without an emotion",
        choices=("labelled", "all"),
    )
    sessions: str = setting(
        "", "text file below the root, or a full path, with the numbers of the sessions that are used; empty: all"
    )
    sideways: str = setting(
        "keep",
        "turn: a quarter clockwise, frontal clips without coded action units, some of which lie on their side",
        choices=("keep", "turn"),
    )
    short_sequences: str = setting(
        "stop",
        f"when a clip cannot be opened or has fewer than {_FEWEST} frames: skipped ones are counted",
        choices=("stop", "skip"),
    )


CARD = DatasetCard(
    name=NAME,
    summary="MMI: posed expressions from neutral over an apex to neutral as videos; the part with one of six emotions",
    targets={"emotion": "emotion/basic7", "au": "au/bp4d12"},
    settings=MMISettings,
    terms=Terms("end-user licence agreement: research only", "no"),
    ask="https://mmifacedb.eu (Maja Pantic, Michel Valstar)",
    paper=Paper(
        "Pantic, Valstar, Rademaker, Maat: Web-based database for facial expression analysis",
        "ICME",
        2005,
        "https://doi.org/10.1109/ICME.2005.1521424",
    ),
    expected={"sequences": 205, "people": 30},
    protocol="subject_kfold",
    traps=(
        "The peak lies in the middle of a clip, not at its end.",
        "The number of a session is not the person, who stands in the name of the clip: S001-001.avi.",
        "Many clips have no emotion, or a state beyond the six (a value above 6); they are left out and counted.",
        "Clips of the dual view hold two faces; some frontal clips lie on their side.",
        "Papers use 205 clips of 30 people, and no list of them is published: name yours in dataset.sessions.",
        "Numbers of action units may carry a letter for the side; the unit counts as there.",
        "Papers do not say which frames of a clip they take.",
    ),
    examples={"emotion": "", "au": "dataset.targets=au dataset.sequences=all"},
)


@dataclass(frozen=True)
class _Clip:
    """A video with what is said of it.

    Attributes:
        sequence: its frames.
        video: path below the folder that holds the sessions.
        is_frontal: by its session.
        units: unit -> phase of each frame; None where no units are coded.
        note: why it is left out, a kind of note; empty where it is used.
    """

    sequence: FrameSequence
    video: str
    is_frontal: bool
    units: dict[int, Int64[np.ndarray, " t"]] | None
    note: str = ""


def read(root: Path, settings: MMISettings) -> Index:
    """The index of sessions as the site packs them; of each video the head is read and no pixel.

    Raises:
        UserError: for a folder without sessions or videos, and with its path below the root for a file that is no XML,
            an unknown code, a clip that names nobody, or one that is too short or cannot be opened.
    """
    if not settings.targets:
        raise UserError("dataset.targets names nothing: say what is to be learned.")
    space = space_for("emotion", settings.label_space, where="dataset.label_space")
    home = unwrapped(root, SESSIONS)
    if home is None:
        raise UserError(f"{root} is not a copy of {NAME}: {SESSIONS} is not there, a folder a session; see {CARD.ask}.")
    chosen = _chosen_sessions(root, settings.sessions)
    left_out, clips = Counter[str](), list[_Clip]()
    for session in sorted(folders(home), key=lambda folder: (len(folder.name), folder.name)):
        if chosen is not None and session.name not in chosen:
            continue
        for clip in _clips(root, home.parent, session, settings):
            left_out[clip.note] += 1
            clips += [] if clip.note else [clip]
    if not clips:
        told = ", ".join(f"{number} {_REASONS[kind]}" for kind, number in left_out.items()) or "it holds no videos"
        raise UserError(f"No clip of {below(root, home)} can be used: {told}.")
    rows = [row for clip in clips for row in _rows(clip, settings.apex, "neutral" in space.entries)]
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in rows[0] if name not in ("image", "units")}
    spaces = {"emotion": space} if "emotion" in settings.targets else dict[str, LabelSpace]()
    if "au" in settings.targets:
        spaces["au"] = label_space(CARD.targets["au"])
        values = np.array([_present(row["units"], spaces["au"]) for row in rows])
        columns |= dict(zip(spaces["au"].entries, values.T, strict=True))
    labelled = [clip.sequence for clip in clips if clip.sequence.emotion]
    turned = [clip.video for clip in clips if settings.sideways == "turn" and clip.is_frontal and clip.units is None]
    return Index(
        dataset=NAME,
        root=home.parent,  # ids depend on no folder around it
        table=index_table(NAME, [row["image"] for row in rows], **columns),
        label_spaces=spaces,
        notes=tuple(Note(kind, f"{left_out[kind]} {_REASONS[kind]}.") for kind in _REASONS if left_out[kind]),
        found={"sequences": len(labelled), "people": len({sequence.person for sequence in labelled})},
        variant=f"{settings.view} views",
        images=VideoFrames(home.parent, NAME, turns=dict.fromkeys(turned, -1)),
    )


# Per kind of note why clips are left out; behind a number.
_REASONS = {
    "view": "clips are of another view, or their session says none, and are left out",
    "unlabelled": "clips have none of the six emotions and are left out",
    "short": f"clips cannot be opened or have fewer than {_FEWEST} frames and are left out",
}


def _chosen_sessions(root: Path, file: str) -> set[str] | None:
    """The names of the sessions in a list, None where there is no list."""
    if not file:
        return None
    try:
        words = (root / file).read_text(encoding="utf-8").split()
    except (OSError, ValueError) as error:
        raise UserError(f"dataset.sessions={file} cannot be read: a text file with numbers is expected.") from error
    if strays := [word for word in words if not word.isdecimal()]:
        raise UserError(f"dataset.sessions={file} holds {strays[0]!r}; numbers of sessions are expected, a line each.")
    return set(words)


def _clips(root: Path, home: Path, session: Path, settings: MMISettings) -> Iterator[_Clip]:
    """The videos of a session, also those that are left out."""
    videos = [path for path in visible(session) if path.suffix.lower() in SUFFIXES]
    view = _view(root, session) if videos else ""
    for path in videos:
        match = _CLIP.fullmatch(path.stem)
        if match is None:
            raise UserError(f"{below(root, path)} names nobody: the name of a clip begins as S001-001 does.")
        emotion, note = _emotion(root, path), ""
        if settings.view != "all" and view != VIEWS[settings.view]:
            note = "view"
        elif emotion is None and settings.sequences == "labelled":
            note = "unlabelled"
        number = 0 if note else _num_frames(root, path, settings.short_sequences)
        video = below(home, path)
        frames = tuple((place, frame_name(video, place)) for place in range(number))
        sequence = FrameSequence(match[1], f"{session.name}/{path.stem}", below(root, path), frames, emotion)
        note = note or ("" if frames else "short")
        yield _Clip(sequence, video, view == VIEWS["frontal"], None if note else _units(root, path, number), note)


def _num_frames(root: Path, path: Path, short: str) -> int:
    """How many frames a video has, 0 for one that is to be skipped."""
    name = below(root, path)
    try:
        number = count_frames(path, name=name)
    except UnreadableVideo as error:
        if short == "stop":
            raise UserError(f"{error} dataset.short_sequences=skip goes on without such clips.") from error
        return 0
    if number < _FEWEST and short == "stop":
        raise UserError(
            f"{name} has {number} frames, and at least {_FEWEST} are needed: copy it again, or set"
            " dataset.short_sequences=skip."
        )
    return number if number >= _FEWEST else 0


def _elements(root: Path, path: Path, tag: str) -> list["ET.Element[str]"]:
    """The elements of that name in an XML file, whatever their namespace."""
    try:
        text = path.read_bytes() if path.stat().st_size <= _MOST_XML else b""
        tree = ET.fromstring(text)
    except (OSError, ET.ParseError, ValueError, LookupError) as error:
        raise UserError(f"{below(root, path)} cannot be read as XML: copy it again.") from error
    return [element for element in tree.iter() if element.tag.rpartition("}")[2] == tag]


def _view(root: Path, session: Path) -> str:
    """What the first track of a session says of its view; empty where none says it."""
    path = session / "session.xml"
    if not path.is_file():
        raise UserError(f"{below(root, path)} is not there, which says the view of the session: complete the copy.")
    return next(
        (track.attrib["view"].strip() for track in _elements(root, path, "track") if "view" in track.attrib), ""
    )


def _emotion(root: Path, video: Path) -> str | None:
    """The emotion of a clip; None where none is written, or a state beyond the six."""
    path, space = video.with_suffix(".xml"), label_space(NATIVE_SPACE)
    if not path.is_file():
        return None
    tags = [tag for tag in _elements(root, path, "Metatag") if tag.get("Name") == "Emotion"]
    value = tags[0].get("Value", "").strip() if tags else ""
    if not value or (value.isdecimal() and int(value) > len(space)):
        return None
    return space.parse(value, where=below(root, path))


def _units(root: Path, video: Path, number: int) -> dict[int, Int64[np.ndarray, " t"]] | None:
    """Unit -> its phase in each frame of a clip, of both sides the later, but apex first. None: nothing is coded."""
    path = video.with_name(f"{video.stem}-oao_aucs.xml")
    if not path.is_file():
        return None
    phases: dict[int, Int64[np.ndarray, " t"]] = {}
    for element in _elements(root, path, "ActionUnit"):
        match = _UNIT.fullmatch(element.get("Number", "").strip())
        if match is None:
            continue  # no unit of FACS
        own = np.zeros(number, np.int64)
        for frame, phase in sorted(
            _marker(root, path, marker) for marker in element.iter() if "Frame" in marker.attrib
        ):
            own[max(frame - 1, 0) :] = phase  # frames count from 1
        other = phases.get(unit := int(match[1]), own)
        phases[unit] = np.where((own == APEX) | (other == APEX), APEX, np.maximum(own, other))
    return phases


def _marker(root: Path, path: Path, marker: "ET.Element[str]") -> tuple[int, int]:
    words = marker.get("Frame", ""), marker.get("Type", "")
    if not (words[0].isdecimal() and words[1] in ("0", "1", "2", "3")):
        raise UserError(
            f"{below(root, path)} has a marker with Frame={words[0]!r} and Type={words[1]!r}; a number from 1 and a"
            " phase from 0 to 3 are expected."
        )
    return int(words[0]), int(words[1])


def _rows(clip: _Clip, apex: str, has_neutral: bool) -> Iterator[dict[str, Any]]:
    """The first frame as neutral, if wanted, and three others about the apex."""
    last = len(clip.sequence.frames) - 1
    peak = min(max(_apex(clip, apex, last), 1), last)
    first = min(max(peak - 1, 1), last - 2)
    emotion = clip.sequence.emotion
    if has_neutral:
        neutral = None if emotion is None else "neutral"
        yield clip.sequence.row(NAME, 0, neutral, is_peak=False) | {"units": _phases(clip, 0)}
    for place in range(first, first + 3):
        yield clip.sequence.row(NAME, place, emotion, is_peak=place == peak) | {"units": _phases(clip, place)}


def _apex(clip: _Clip, apex: str, last: int) -> int:
    """The middle of the clip; or of the frames in which most units are at their apex, where they are coded."""
    counts = sum((phases == APEX for phases in (clip.units or {}).values()), np.zeros(last + 1, np.int64))
    if apex == "middle" or not counts.any():
        return last // 2  # of an even number the earlier one
    most = np.flatnonzero(counts == counts.max())
    return int(most[(len(most) - 1) // 2])


def _phases(clip: _Clip, place: int) -> dict[int, int] | None:
    return None if clip.units is None else {unit: int(phases[place]) for unit, phases in clip.units.items()}


def _present(units: dict[int, int] | None, space: LabelSpace) -> Sequence[float]:
    """1 for a unit that has begun and not ended, 0 for others of a coded clip, NaN where nothing is coded."""
    if units is None:
        return [float("nan")] * len(space)
    present = {action_unit_name(unit) for unit, phase in units.items() if phase}
    return [float(entry in present) for entry in space.entries]
