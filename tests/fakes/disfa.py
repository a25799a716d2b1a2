"""A miniature of DISFA: a label file an action unit, counted from 1, videos of two cameras, extracted frames from 0."""

from pathlib import Path

import numpy as np
from fakes import videos
from fakes.fake import Fake, write_image

UNITS = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
PEOPLE = ("SN001", "SN004", "SN010", "SN021")
ROWS = {"SN001": 5, "SN004": 5, "SN010": 4, "SN021": 5}  # one person has a row less
LABELS = "ActionUnit_Labels"
WITHOUT = ("SN004", 5)  # a file that is not there


def intensity(subject: str, unit: int, row: int) -> int:
    """Of label row 1 …"""
    return (int(subject[2:]) + 2 * unit + row) % 6


def write_labels(root: Path, rows: dict[str, int], *, without: tuple[str, int] = ("", 0)) -> None:
    """A file a person and unit."""
    for subject, count in rows.items():
        folder = root / LABELS / subject
        folder.mkdir(parents=True, exist_ok=True)
        for unit in UNITS:
            if (subject, unit) != without:
                lines = [f"{row},{intensity(subject, unit, row)}" for row in range(1, count + 1)]
                (folder / f"{subject}_au{unit}.txt").write_text("\n".join(lines) + "\n")


def write_videos(root: Path, lengths: dict[str, int]) -> None:
    """Two videos a person; their frames are those of `pixels`."""
    for subject, length in lengths.items():
        for camera in ("Left", "Right"):
            name = f"{camera}Video{subject}_{'Comp' if subject == 'SN004' else 'comp'}.avi"
            path = root / f"Video_{camera}Camera" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            videos.write(path, pixels(subject, camera, length), codec="mpeg4", b_frames=0)


def pixels(subject: str, camera: str, length: int) -> list[np.ndarray]:
    """Frames that differ, as they were before they were encoded."""
    return videos.textures(8, seed=int(subject[2:]) + (100 if camera == "Right" else 0))[:length]


def write(folder: Path) -> Fake:
    """Nineteen extracted frames of four people."""
    root = folder / "disfa"
    write_labels(root, ROWS, without=WITHOUT)
    paths = {}
    for subject, count in ROWS.items():
        for frame in range(count):
            paths[f"img/{subject}/{frame}.png"] = (subject, frame)
            write_image(root / f"img/{subject}/{frame}.png", 100 * int(subject[2:]) + frame, codec="PNG")

    def spoil_label() -> str:
        file = root / LABELS / "SN010" / "SN010_au12.txt"
        file.write_text(file.read_text().replace("3,", "3,1", 1))
        return f"1{intensity('SN010', 12, 3)}"

    values = {
        f"AU{unit:02d}": {
            path: np.nan if (subject, unit) == WITHOUT else float(intensity(subject, unit, frame + 1))
            for path, (subject, frame) in paths.items()
        }
        for unit in UNITS
    }
    return Fake(
        root=root,
        settings={"images": "frames"},
        people={path: subject for path, (subject, _) in paths.items()},
        labels={},
        values=values,
        notes={"units": 0},
        hidden=(),
        spoil_label=spoil_label,
        target="au",
    )
