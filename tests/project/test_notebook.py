"""The notebook runs from its first cell to its last, and is kept without what it shows."""

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from fakes.pictures import drawn_face
from nbclient import NotebookClient
from PIL import Image

from fer_zoo.core.label_spaces import label_space

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
EMOTIONS = label_space("emotion/facial_expressions6").entries
PEOPLE = ("Alba", "Boris", "Cleo", "Dora", "Emil", "Fran", "Gita", "Hugo", "Ines", "Jan")
# What replaces the values of the cell tagged `parameters`, by a cell behind it, as papermill does.
PARAMETERS = """
IMAGE_SIZE, EPOCHS = 32, 1
MORE_SETTINGS = {"trainer": "cpu", "data.workers": 0, "data.batch_size": 12}
"""
ABSOLUTE_PATH = re.compile(r"(?<![\w.:/<~-])/(?:home|root|work|mnt|data|usr|tmp|opt|var|Users|private)\b|[A-Z]:\\\\")


def write_photographs(root: Path) -> None:
    """A drawn face of every person in every emotion, which is how bright it is, laid out as facial_expressions."""
    (root / "images").mkdir(parents=True)
    (root / "data").mkdir()
    lines = ["user.id,image,emotion"]
    for place, person in enumerate(PEOPLE):
        for number, emotion in enumerate(EMOTIONS):
            name = f"{person}_Muster_{number:04d}.jpg"
            noise = np.random.default_rng(10 * place + number).normal(0, 4, (96, 96, 1))
            face = (drawn_face(96) * (0.5 + 0.08 * number) + noise).clip(0, 255).astype(np.uint8)
            Image.fromarray(face).save(root / "images" / name, quality=95)
            lines.append(f"1,{name},{emotion}")
    (root / "data" / "legend.csv").write_text("\n".join(lines) + "\n")
    (root / "data" / "500_picts_satz.csv").write_text("")


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """The first notebook after it ran on drawn faces, and the folder it ran in."""
    work = tmp_path_factory.mktemp("notebook")
    write_photographs(work / "photographs" / "facial_expressions")
    notebook: Any = nbformat.read(NOTEBOOKS[0], as_version=4)
    (place,) = [i for i, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", [])]
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(PARAMETERS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_ZOO_DATA", str(work / "photographs"))
        patch.setenv("IPYTHONDIR", str(work / "ipython"))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(work / "runtime"))
        client = NotebookClient(
            notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(work)}}
        )
        client.execute()
    return notebook, work


def outputs(notebook: Any, kind: str) -> list[str]:
    """Everything of a kind that was shown: "text/plain", "image/png" …; or printed: "stream"."""
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    if kind == "stream":
        return [output.text for output in shown if output.output_type == "stream" and output.name == "stdout"]
    return [output.data[kind] for output in shown if "data" in output and kind in output.data]


def test_it_trains_scores_and_predicts(executed: tuple[Any, Path]) -> None:
    notebook, work = executed
    (result,) = (work / "first_steps" / "runs").glob("*/*/result.json")
    assert json.loads(result.read_text())["kind"] == "training"
    printed = "".join(outputs(notebook, "stream"))
    assert "run folder: first_steps/runs" in printed
    assert re.search(r"mean\s+class\s+accuracy", printed)
    assert re.search(r"\w+, probability \d\.\d\d", printed)
    rows = (work / "first_steps" / "faces.csv").read_text().splitlines()
    assert len(rows) >= 13 and sum(",True," in row for row in rows) >= 10


def test_it_shows_tables_and_pictures(executed: tuple[Any, Path]) -> None:
    notebook, work = executed
    assert len(outputs(notebook, "image/png")) == 6  # samples twice, curves, confusion, errors, the marked face
    tables = outputs(notebook, "text/html")
    assert len(tables) == 3 and all(emotion in tables[1] for emotion in EMOTIONS)
    assert (work / "first_steps" / "samples" / "emotion_anger.png").is_file()
    assert not [cell for cell in notebook.cells if any(o.output_type == "error" for o in cell.get("outputs", []))]


def test_it_names_nobody(executed: tuple[Any, Path]) -> None:
    shown = json.dumps([cell.get("outputs", []) for cell in executed[0].cells])
    assert [person for person in (*PEOPLE, "Muster") if re.search(rf"\b{person}\b|{person}_", shown)] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_is_kept_without_what_it_showed_and_where_it_ran(path: Path) -> None:
    notebook: Any = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not ABSOLUTE_PATH.search(cell.source), cell.id
        assert set(cell.metadata) <= {"tags"}, cell.id
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None, cell.id
            assert len(cell.source.splitlines()) <= 12, f"{cell.id} is too long to be read at a glance"
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"
