"""A user's folders: split folders above class folders, names with aliases, hidden files and others between."""

from pathlib import Path

from fakes.fake import Fake, write_image

# split folder, class folder, person, entry, part
GROUPS = (
    ("train", "happy", "Alba", "happiness", "train"),
    ("train", "Sadness", "Boris", "sadness", "train"),
    ("train", "neutral", "Cleo", "neutral", "train"),
    ("train", "angry", "Dora", "anger", "train"),
    ("valid", "happy", "Emil", "happiness", "validation"),
    ("valid", "neutral", "Emil", "neutral", "validation"),
    ("test", "happiness", "Fran", "happiness", "test"),
    ("test", "surprise", "Gita", "surprise", "test"),
)


def write(folder: Path) -> Fake:
    """Sixteen samples of seven people."""
    root = folder / "image_folder"
    people, labels, parts = {}, {}, {}
    for number, (split, folder_name, person, entry, part) in enumerate(GROUPS):
        for take, suffix in enumerate(("jpg", "PNG")):
            path = f"{split}/{folder_name}/{person}_{take}.{suffix}"
            write_image(root / path, 10 * number + take, codec="JPEG" if suffix == "jpg" else "PNG")
            people[path], labels[path], parts[path] = person, entry, part
    (root / "train" / "happy" / ".hidden.jpg").write_bytes(b"")
    (root / "train" / "happy" / "notes.txt").write_text("no image")
    (root / "train" / "list.csv").write_text("outside the class folders")

    def spoil_label() -> str:
        (root / "train" / "happy").rename(root / "train" / "hapy")
        return "hapy"

    return Fake(
        root=root,
        settings={"subject_pattern": r"^(\w+)_\d+\."},
        people=people,
        labels=labels,
        parts=parts,
        notes={"ignored": 0},
        hidden=("Alba", "Boris", "Cleo", "Dora", "Emil", "Fran", "Gita"),
        spoil_label=spoil_label,
    )
