"""A miniature of RAF-DB basic: 1-based codes, names without _aligned, a list whose last line has no end."""

from collections.abc import Sequence
from pathlib import Path

from fakes.fake import Fake, write_image

# name in the list, code, entry, sex, race, age
ROWS = (
    ("train_00001", 5, "sadness", 1, 0, 2),
    ("train_00002", 1, "surprise", 0, 2, 0),
    ("train_00003", 2, "fear", 2, 1, 4),
    ("train_00004", 3, "disgust", 0, 0, 3),
    ("train_00005", 4, "happiness", 1, 0, 1),
    ("train_00006", 6, "anger", 0, 1, 2),
    ("train_12271", 7, "neutral", 1, 2, 2),
    ("train_00007", 4, "happiness", 1, 0, 2),
    ("test_0001", 4, "happiness", 0, 0, 2),
    ("test_0002", 1, "surprise", 1, 2, 1),
    ("test_3068", 7, "neutral", 0, 0, 3),
)
LIST = "EmoLabel/list_patition_label.txt"
# As written: the picture's left eye, its right eye, nose, mouth corners.
POINTS = ((30.0, 40.5), (70.0, 41.0), (50.0, 60.0), (35.5, 80.0), (66.0, 81.0))
BOX = (10.0, 20.0, 110.0, 140.5)


def write(folder: Path, *, rows: Sequence[tuple[str, int, str, int, int, int]] = ROWS) -> Fake:
    """Eleven samples in both forms, with attributes and boxes."""
    root = folder / "rafdb"
    listing = root / "basic" / LIST

    def write_list(first_code: str) -> None:
        lines = [f"{name}.jpg {code}" for name, code, *_ in rows]
        lines[0] = f"{rows[0][0]}.jpg {first_code}"
        listing.write_bytes("\n".join(lines).encode())  # no newline at the end, as distributed

    def spoil_label() -> str:
        write_list("8")
        return "8"

    listing.parent.mkdir(parents=True)
    write_list(str(rows[0][1]))
    for number, (name, _, _, *attributes) in enumerate(rows):
        write_image(root / "basic" / "Image" / "aligned" / f"{name}_aligned.jpg", number, grey=False)
        write_image(root / "basic" / "Image" / "original" / f"{name}.jpg", 100 + number, grey=False)
        lines = [f"{x}\t{y}" for x, y in POINTS] + [str(code) for code in attributes]
        _write(root / "basic" / "Annotation" / "manual" / f"{name}_manu_attri.txt", "\n".join(lines) + "\n")
        _write(
            root / "basic" / "Annotation" / "boundingbox" / f"{name}_boundingbox.txt",
            " ".join(f"{side:f}" for side in BOX),
        )
    paths = {f"Image/aligned/{name}_aligned.jpg": entry for name, _, entry, *_ in rows}
    return Fake(
        root=root / "basic",
        settings={},
        people={path: path for path in paths},  # nobody knows who is shown
        labels=paths,
        parts={path: path.partition("/aligned/")[2].partition("_")[0] for path in paths},
        hidden=(),
        spoil_label=spoil_label,
    )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
