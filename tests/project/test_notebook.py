"""Every notebook runs from its first cell to its last, and is kept without what it shows."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from fakes.pictures import drawn_face
from nbclient import NotebookClient
from PIL import Image

import fer_zoo
from fer_zoo.core.label_spaces import label_space
from fer_zoo.core.sample import sample_id

NOTEBOOKS = {path.stem: path for path in sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))}
EMOTIONS = label_space("emotion/facial_expressions6").entries
MOODS = {"calm", "cheerful", "scornful", "startled"}
PEOPLE = ("Alba", "Boris", "Cleo", "Dora", "Emil", "Fran", "Gita", "Hugo", "Ines", "Jan")
# What replaces the values of the cell tagged `parameters`, by a cell behind it, as papermill does.
PARAMETERS = {
    "first_steps": """
IMAGE_SIZE, EPOCHS = 32, 1
MORE_SETTINGS = {"trainer": "cpu", "data.workers": 0, "data.batch_size": 12}
""",
    "fine_tune": """
NUM_FACES, EPOCHS = 80, 1
MORE_SETTINGS = {"trainer": "cpu", "data.workers": 0}
""",
}
ABSOLUTE_PATH = re.compile(r"(?<![\w.:/<~-])/(?:home|root|work|mnt|data|usr|tmp|opt|var|Users|private)\b|[A-Z]:\\\\")

Executed = tuple[Any, Path]  # a notebook after it ran, and the folder it ran in


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
def executed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Executed]:
    """Runs the notebook of a name, once, on drawn faces."""
    done: dict[str, Executed] = {}

    def execute(name: str) -> Executed:
        if name not in done:
            work = tmp_path_factory.mktemp(name)
            write_photographs(work / "photographs" / "facial_expressions")
            done[name] = run_notebook(name, work), work
        return done[name]

    return execute


def run_notebook(name: str, work: Path) -> Any:
    """The notebook with its outputs, run in a folder with the parameters of the tests."""
    notebook: Any = nbformat.read(NOTEBOOKS[name], as_version=4)
    (place,) = [i for i, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", [])]
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(PARAMETERS[name]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_ZOO_DATA", str(work / "photographs"))
        patch.setenv("IPYTHONDIR", str(work / "ipython"))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(work / "runtime"))
        client = NotebookClient(
            notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(work)}}
        )
        client.execute()
    return notebook


def outputs(notebook: Any, kind: str) -> list[str]:
    """Everything of a kind that was shown: "text/plain", "image/png" …; or printed: "stream"."""
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    if kind == "stream":
        return [output.text for output in shown if output.output_type == "stream" and output.name == "stdout"]
    return [output.data[kind] for output in shown if "data" in output and kind in output.data]


def table_rows(html: str) -> dict[str, list[str]]:
    """The rows of a shown table: what stands in their first cell, and in the others."""
    rows = re.findall(r"<tr.*?</tr>", html, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return {first: rest for first, *rest in cells}


def test_first_steps_trains_scores_and_predicts(executed: Callable[[str], Executed]) -> None:
    notebook, work = executed("first_steps")
    (result,) = (work / "first_steps" / "runs").glob("*/*/result.json")
    assert json.loads(result.read_text())["kind"] == "training"
    printed = "".join(outputs(notebook, "stream"))
    assert "run folder: first_steps/runs" in printed
    assert re.search(r"mean\s+class\s+accuracy", printed)
    assert re.search(r"\w+, probability \d\.\d\d", printed)
    rows = (work / "first_steps" / "faces.csv").read_text().splitlines()
    assert len(rows) >= 13 and sum(",True," in row for row in rows) >= 10


def test_first_steps_shows_tables_and_pictures(executed: Callable[[str], Executed]) -> None:
    notebook, work = executed("first_steps")
    assert len(outputs(notebook, "image/png")) == 6  # samples twice, curves, confusion, errors, the marked face
    tables = outputs(notebook, "text/html")
    assert len(tables) == 3 and all(emotion in tables[1] for emotion in EMOTIONS)
    assert (work / "first_steps" / "samples" / "emotion_anger.png").is_file()


def test_fine_tune_trains_from_what_ships_on_folders_of_other_names(executed: Callable[[str], Executed]) -> None:
    notebook, work = executed("fine_tune")
    moods = work / "fine_tune" / "my_moods"
    assert {folder.name for folder in moods.iterdir()} == MOODS
    assert len(list(moods.glob("*/*.png"))) == 80
    people = {path.name.rpartition("_")[0] for path in moods.glob("*/*.png")}
    assert len(people) == 20
    printed = "".join(outputs(notebook, "stream"))
    assert re.search(r"^emotion_small .* yes ", printed, re.MULTILINE)
    assert "80 samples of 20 subjects" in printed
    assert "in the data alone, with fresh weights: calm, cheerful, scornful, startled" in printed
    assert "run folder: fine_tune/runs" in printed


def test_fine_tune_compares_what_its_evaluations_say(executed: Callable[[str], Executed]) -> None:
    notebook, work = executed("fine_tune")
    before, compared = (table_rows(html) for html in outputs(notebook, "text/html"))
    answers = [before[mood] for mood in sorted(MOODS)]
    assert sum(int(count) for row in answers for count in row) == 80
    assert set(compared) == {"", "fine-tuned", "last layer alone", "translated, untrained", "random weights"}
    scores = [cells[0] for name, cells in compared.items() if name]
    assert all(re.fullmatch(r"1?\.\d{3} \[\S+, \S+\]", text) for text in scores), scores
    reports = [json.loads(path.read_text()) for path in (work / "fine_tune" / "runs").glob("*/*/test/report.json")]
    values = {f"{report['rows'][0]['values']['mean_class_accuracy']['value']:.3f}" for report in reports}
    assert len(reports) == 3 and values <= {f"{float(text.split()[0]):.3f}" for text in scores}


def test_fine_tune_translates_by_the_commonest_folder_of_people_who_are_not_tested(
    executed: Callable[[str], Executed],
) -> None:
    notebook, work = executed("fine_tune")
    tables = (work / "fine_tune" / "runs").glob("*/*/test/predictions.parquet")
    tested = set(pd.read_parquet(next(tables))["id"])
    moods = work / "fine_tune" / "my_moods"
    rows = fer_zoo.predict(moods, "emotion_small", detector="none")[["file", "emotion"]].itertuples(index=False)
    pairs = [(Path(file).relative_to(moods).as_posix(), answer) for file, answer in rows]
    told: dict[str, Counter[str]] = defaultdict(Counter)
    for image, answer in pairs:
        if sample_id("image_folder", image) not in tested:
            told[answer][image.partition("/")[0]] += 1
    right: dict[str, list[bool]] = defaultdict(list)
    for image, answer in pairs:
        mood = image.partition("/")[0]
        if sample_id("image_folder", image) in tested and answer in told:
            most = max(told[answer].values())
            right[mood].append(min(name for name, count in told[answer].items() if count == most) == mood)
    expected = np.mean([np.mean(answers) for answers in right.values()])
    score = table_rows(outputs(notebook, "text/html")[1])["translated, untrained"][0]
    assert len(tested) < len(pairs) == 80
    assert float(score.split()[0]) == pytest.approx(expected, abs=6e-4)


def test_fine_tune_shows_pictures(executed: Callable[[str], Executed]) -> None:
    notebook, _ = executed("fine_tune")
    assert len(outputs(notebook, "image/png")) == 6  # samples twice, curves, confusion, errors, answers


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_runs_without_errors_and_names_neither_people_nor_places(
    executed: Callable[[str], Executed], name: str
) -> None:
    notebook, work = executed(name)
    shown = json.dumps([cell.get("outputs", []) for cell in notebook.cells])
    assert not [cell for cell in notebook.cells if any(o.output_type == "error" for o in cell.get("outputs", []))]
    assert [person for person in (*PEOPLE, "Muster") if re.search(rf"\b{person}\b|{person}_", shown)] == []
    assert str(work) not in shown


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_is_kept_without_what_it_showed_and_where_it_ran(name: str) -> None:
    notebook: Any = nbformat.read(NOTEBOOKS[name], as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not ABSOLUTE_PATH.search(cell.source), cell.id
        assert set(cell.metadata) <= {"tags"}, cell.id
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None, cell.id
            assert len(cell.source.splitlines()) <= 12, f"{cell.id} is too long to be read at a glance"
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"
