"""A miniature of Oulu-CASIA: doubled folders around it, three recordings, sequences of several lengths, other files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from fakes.fake import Fake, write_image

FOLDER = "B_OriginalImg/OriginalImg"
EMOTIONS = ("Anger", "Disgust", "Fear", "Happiness", "Sadness", "Surprise")
# person -> the two expressions that are here
PEOPLE = {f"P{number:03d}": (EMOTIONS[place % 6], EMOTIONS[(place + 3) % 6]) for place, number in enumerate(
    (1, 2, 3, 50, 51, 80)
)}  # fmt: skip
LENGTHS = {"VL/Strong": 6, "VL/Weak": 7, "NI/Strong": 9, "VL/Dark": 5}


def frame(recording: str, person: str, emotion: str, number: int) -> str:
    return f"{recording}/{person}/{emotion}/{number:03d}.jpeg"


def write(folder: Path, *, shown: Mapping[str, Sequence[str]] = PEOPLE) -> Fake:
    """Thirty-six samples of six people: the last three of six frames of each sequence in VL/Strong."""
    root = folder / "oulu_casia"
    seed, people, labels = 0, dict[str, str](), dict[str, str | None]()
    for recording, length in LENGTHS.items():
        for person, emotions in shown.items():
            for emotion in emotions:
                for number in range(length):
                    path = frame(recording, person, emotion, number)
                    write_image(root / FOLDER / path, seed := seed + 1, grey=recording.startswith("NI"))
                    if recording == "VL/Strong" and number >= length - 3:
                        people[path], labels[path] = person, emotion.lower()
    (root / FOLDER / "VL/Strong/P001/Anger/.DS_Store").write_bytes(b"x")
    (root / FOLDER / "VL/Strong/P001/Anger/Thumbs.db").write_bytes(b"x")

    def spoil_label() -> str:
        (root / FOLDER / "VL/Strong/P002/Disgust").rename(root / FOLDER / "VL/Strong/P002/Digust")
        return "Digust"

    return Fake(
        root=root,
        settings={},
        people=people,
        labels=labels,
        notes={"ignored": 0},
        hidden=(),
        spoil_label=spoil_label,
    )
