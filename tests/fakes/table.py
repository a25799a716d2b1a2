"""A user's table: emotion and action units, both partly missing, people, clips and an official split."""

import math
from pathlib import Path

from fakes.fake import Fake, write_image

NAN = math.nan
# image, person, clip, frame, emotion, AU12, AU04, split
ROWS = (
    ("a/1.jpg", "Alba", "smile", 0, "happy", 3.0, 0.0, "train"),
    ("a/2.jpg", "Alba", "smile", 1, "happiness", 4.5, NAN, "train"),
    ("a/3.jpg", "Boris", "frown", 0, "anger", 0.0, 5.0, "train"),
    ("a/4.jpg", "Boris", "frown", 1, "", 0.0, 4.0, "train"),
    ("b/1.jpg", "Cleo", "smile", 0, "Neutral", NAN, NAN, "train"),
    ("b/2.jpg", "Cleo", "smile", 1, "happiness", 2.0, 0.0, "train"),
    ("b/3.jpg", "Dora", "", 0, "sad", 0.0, 1.0, "train"),
    ("b/4.jpg", "Dora", "", 0, "sadness", 0.0, 2.0, "train"),
    ("c/1.jpg", "Emil", "", 0, "surprise", 1.0, 0.0, "val"),
    ("c/2.jpg", "Emil", "", 0, "neutral", 0.0, 0.0, "val"),
    ("c/3.jpg", "Fran", "", 0, "neutral", 0.0, 0.0, "test"),
    ("c/4.jpg", "Fran", "", 0, "happiness", 3.0, 0.0, "test"),
)
ENTRIES = {"happy": "happiness", "Neutral": "neutral", "sad": "sadness", "": None}
PARTS = {"train": "train", "val": "validation", "test": "test"}


def write(folder: Path) -> Fake:
    """Twelve samples of six people."""
    root = folder / "table"
    root.mkdir(parents=True)
    for number, row in enumerate(ROWS):
        write_image(root / row[0], number)
    sheet = root / "labels.csv"

    def write_sheet(first_label: str) -> None:
        lines = ["photo,who,video,n,mood,AU12_r,AU04_r,part,unused"]
        for number, (image, person, clip, frame, label, *units, part) in enumerate(ROWS):
            cells = ["" if math.isnan(unit) else f"{unit:g}" for unit in units]
            label = label if number else first_label
            lines.append(",".join([image, person, clip, str(frame), label, *cells, part, "x"]))
        sheet.write_text("\n".join(lines) + "\n")

    write_sheet("happy")

    def spoil_label() -> str:
        write_sheet("hapy")
        return "hapy"

    settings = {
        "file": "labels.csv", "path_column": "photo", "subject_column": "who", "clip_column": "video",
        "frame_column": "n", "label_column": "mood", "au_columns": ["AU12_r", "AU04_r"], "split_column": "part",
    }  # fmt: skip
    return Fake(
        root=root,
        settings=settings,
        people={row[0]: row[1] for row in ROWS},
        labels={row[0]: ENTRIES.get(row[4], row[4]) for row in ROWS},
        values={"AU12": {row[0]: row[5] for row in ROWS}, "AU04": {row[0]: row[6] for row in ROWS}},
        parts={row[0]: PARTS[row[7]] for row in ROWS},
        hidden=("Alba", "Boris", "Cleo", "Dora", "Emil", "Fran"),
        spoil_label=spoil_label,
    )
