"""A sheet of frames of clips: every person shows every emotion in one clip, neutral at first."""

from pathlib import Path

from fakes import patterns

from fer_zoo.core.label_spaces import label_space

COLUMNS = {
    "file": "clips.csv", "path_column": "path", "label_column": "emotion", "subject_column": "who",
    "clip_column": "clip", "frame_column": "frame", "label_space": patterns.SPACE, "cropped": "true",
}  # fmt: skip
PEOPLE = patterns.PEOPLE[:4]


def write(root: Path, *, frames: int = 3) -> Path:
    """`frames` pictures of each of six clips of four people, numbered from 10 on in steps of 2."""
    patterns.write(root, takes=frames, people=PEOPLE)
    lines = ["path,emotion,who,clip,frame"]
    for emotion in label_space(patterns.SPACE).entries:
        for person in PEOPLE:
            for take in range(frames):
                lines.append(f"{emotion}/{person}_{take}.png,{emotion},{person},{person}/{emotion},{10 + 2 * take}")
    (root / "clips.csv").write_text("\n".join(lines) + "\n")
    return root


def settings(root: Path, output: Path, **others: object) -> list[tuple[str, str]]:
    """A run on the sheet as a user would type it; `others` are written with __ for the dot."""
    plain = dict(patterns.settings(root, output, dataset="table"))
    for key in ("dataset.subject_pattern", "protocol.folds"):
        del plain[key]
    columns = {f"dataset.{key}": value for key, value in COLUMNS.items()}
    words = {**plain, **columns, **{key.replace("__", "."): value for key, value in others.items()}}
    return [(key, str(value)) for key, value in words.items()]
