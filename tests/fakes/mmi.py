"""A miniature of MMI: several views, emotions within and beyond the six, or none; two clips with markers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from fakes import videos
from fakes.fake import Fake, write_image

# session, clip, view, value of the emotion ("" for no tag), frames
CLIPS = (
    ("1", "S001-001", "0", "4", 9),
    ("2", "S001-002", "0", "3", 9),
    ("10", "S003-003", "0", "1", 9),
    ("501", "S002-004", "0", "6", 9),
    ("502", "S004-005", "0", "2", 12),
    ("503", "S005-006", "0", "5", 9),
    ("504", "S006-007", "0", "4", 9),
    ("505", "S007-008", "0", "3", 7),
)
OTHERS = (
    ("20", "S001-020", "2", "4", 9),  # both views in one picture
    ("21", "S002-021", "1", "4", 9),  # profile
    ("22", "S003-022", "0", "7", 9),  # a state beyond the six
    ("23", "S004-023", "0", "", 9),  # no tag
    ("24", "S005-024", "0", None, 9),  # no file of labels
)
EMOTIONS = {"1": "anger", "2": "disgust", "3": "fear", "4": "happiness", "5": "sadness", "6": "surprise"}
# clip -> unit as written -> (frame from 1, phase)
UNITS: Mapping[str, Mapping[str, tuple[tuple[int, int], ...]]] = {
    "S001-001": {"12": ((1, 0), (2, 1), (3, 2), (5, 3), (7, 0)), "1L": ((2, 1), (4, 2), (6, 3)), "": ((1, 2),)},
    "S004-023": {"4": ((1, 1), (2, 2), (9, 3))},
}


def name(session: str, clip: str, frame: int) -> str:
    return f"Sessions/{session}/{clip}.avi#{frame}"


def write_xml(path: Path, body: str) -> None:
    path.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n')


def write_emotion(folder: Path, clip: str, value: str) -> None:
    tag = f'<Metatag Name="Emotion" Value="{value}"/>' if value else ""
    write_xml(folder / f"{clip}.xml", f'<Annotation><Metatag Name="Pose" Value="1"/>{tag}</Annotation>')


def write_units(folder: Path, clip: str, units: Mapping[str, tuple[tuple[int, int], ...]]) -> None:
    of_unit = {
        number: "".join(f'<Marker Frame="{frame}" Type="{phase}"/>' for frame, phase in markers)
        for number, markers in units.items()
    }
    elements = "".join(f'<ActionUnit Number="{number}">{inside}</ActionUnit>' for number, inside in of_unit.items())
    write_xml(folder / f"{clip}-oao_aucs.xml", f"<Annotation>{elements}</Annotation>")


def pictures(clip: str, frames: int) -> list[np.ndarray]:
    return videos.textures(frames, seed=int(clip[-3:]))


def write_clip(root: Path, session: str, clip: str, view: str, value: str | None, frames: int) -> None:
    folder = root / "Sessions" / session
    folder.mkdir(parents=True)
    videos.write(folder / f"{clip}.avi", pictures(clip, frames), codec="mpeg4", rate=24, b_frames=0, gop=4)
    annotation = f'<annotation filename="{clip}.xml"/>'
    write_xml(folder / "session.xml", f'<session><track view="{view}" filename="{clip}.avi"/>{annotation}</session>')
    if value is not None:
        write_emotion(folder, clip, value)
    if clip in UNITS:
        write_units(folder, clip, UNITS[clip])


def write(folder: Path, *, clips: Sequence[tuple[str, str, str, str, int]] = CLIPS) -> Fake:
    """Thirty-two frames of seven people: of each clip with an emotion the first frame and three in the middle."""
    root = folder / "mmi"
    for session, clip, view, value, frames in (*clips, *OTHERS):
        write_clip(root, session, clip, view, value, frames)
    (root / f"Sessions/{clips[0][0]}/S001-001_mic.wav").write_bytes(b"sound")
    write_image(root / "Sessions/30/S001-030.jpg", 1)  # a still, whose session has no file
    people, labels = dict[str, str](), dict[str, str | None]()
    for session, clip, _, value, frames in clips:
        middle = (frames - 1) // 2
        for frame in (0, middle - 1, middle, middle + 1):
            people[name(session, clip, frame)] = clip[:4]
            labels[name(session, clip, frame)] = EMOTIONS[value] if frame else "neutral"

    def spoil_label() -> str:
        write_emotion(root / "Sessions/2", "S001-002", "fear of it")
        return "fear of it"

    return Fake(root=root, settings={}, people=people, labels=labels, hidden=(), spoil_label=spoil_label)
