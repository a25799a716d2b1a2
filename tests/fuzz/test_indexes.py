"""Damaged tables of labels and odd names of files: an index, or one sentence."""

import os
import shutil
from pathlib import Path

import pytest
from fakes import facial_expressions, table
from fakes.damage import EXAMPLES, damaged_bytes, examine
from hypothesis import strategies as st

from fer_zoo.core.errors import UserError
from fer_zoo.data.open import open_dataset

many = pytest.mark.parametrize("examples", EXAMPLES)
ODD_CELLS = st.sampled_from(
    [
        "",
        " ",
        "nan",
        "inf",
        "-1",
        "1e999",
        "9" * 30,
        "9" * 5000,
        "x" * 300,
        "../../etc",
        "/",
        "a/./b",
        "\x00",
        "²",
        "１",
    ]
) | st.text(max_size=12)
NAMES = st.one_of(
    st.sampled_from(["anger", "fear", "happy", "Fear ", "train", "val", "TEST", ".hidden", " ", "anger\n", "a.jpg"]),
    st.text(st.characters(exclude_characters="/\x00", exclude_categories=["Cs"]), min_size=1, max_size=12),
    st.binary(min_size=1, max_size=8).map(
        lambda name: os.fsdecode(name.replace(b"/", b"").replace(b"\x00", b"") or b"x")
    ),
).filter(lambda name: name not in (".", ".."))


@st.composite
def changed_cells(draw: st.DrawFn, text: str) -> bytes:
    """A CSV file with other cells, rows or columns."""
    rows = [line.split(",") for line in text.splitlines()]
    for _ in range(draw(st.integers(1, 4))):
        row = draw(st.sampled_from(rows))
        kind = draw(st.sampled_from(["cell", "cell", "cell", "row twice", "short row", "long row", "drop"]))
        place = draw(st.integers(0, max(0, len(row) - 1)))
        if kind == "cell" and row:
            row[place] = draw(ODD_CELLS)
        elif kind == "row twice":
            rows.append(list(row))
        elif kind == "short row":
            del row[place:]
        elif kind == "long row":
            row += draw(st.lists(ODD_CELLS, max_size=5))
        elif len(rows) > 1:
            rows.remove(row)
    return "\n".join(",".join(row) for row in rows).encode(errors="surrogatepass")


@many
def test_tables(tmp_path: Path, examples: int) -> None:
    fake = table.write(tmp_path)
    file = fake.root / "labels.csv"
    text = file.read_text()
    cases = st.tuples(changed_cells(text) | damaged_bytes(text.encode()), st.booleans())

    def read(case: tuple[bytes, bool]) -> None:
        content, skips = case
        file.write_bytes(content)
        more = {"missing_images": "skip", "label_space": "own"} if skips else {}
        index = open_dataset("table", fake.root, **{**fake.settings, **more})
        assert len(index.fingerprint()) == 16

    assert examine(cases, read, examples, "tables")["sentence"] > examples / 4


@many
@pytest.mark.parametrize("file", ["legend.csv", "500_picts_satz.csv"])
def test_facial_expressions(tmp_path: Path, file: str, examples: int) -> None:
    fake = facial_expressions.write(tmp_path)
    path = fake.root / "data" / file
    content = path.read_bytes()

    def read(content: bytes) -> None:
        path.write_bytes(content)
        index = open_dataset("facial_expressions", fake.root, missing_images="skip")
        assert len(index.fingerprint()) == 16

    cases = changed_cells(content.decode()) | damaged_bytes(content)
    examine(cases, read, examples, f"facial_expressions, {file}")


@many
def test_image_folders(tmp_path: Path, examples: int) -> None:
    """Names of folders and files as any system writes them, also those that are no UTF-8."""
    pattern = st.sampled_from(["", "", r"^(\w+)_", "(", "(a)(b)", "(x*)", "(.)"])
    folders = st.sampled_from(["anger", "fear", "Happy"])
    images = NAMES.map(lambda name: f"{name}.jpg")
    files = st.lists(st.tuples(folders, images), max_size=6) | st.lists(
        st.tuples(folders | NAMES, images | NAMES), max_size=6
    )
    cases = st.tuples(files, pattern, st.sampled_from(["own", "emotion/basic7"]))
    root = tmp_path / "faces"

    def read(case: tuple[list[tuple[str, str]], str, str]) -> None:
        files, pattern, space = case
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        for folder, name in files:
            (root / folder).mkdir(exist_ok=True)
            (root / folder / name).touch()
        index = open_dataset("image_folder", root, label_space=space, subject_pattern=pattern)
        assert len(index.fingerprint()) == 16

    examine(cases, read, examples, "image folders")


def test_a_folder_without_anything_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No images below"):
        open_dataset("image_folder", tmp_path)
