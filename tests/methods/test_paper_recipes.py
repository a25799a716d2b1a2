"""The recipes of the paper's data sets, trained from end to end on miniatures that lie on disk as distributed.

Who is shown there shows every emotion, as a fold without one of them trains nothing; of the networks an eighth is left.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fakes import casia_webface, ckplus, disfa, mmi, oulu_casia, rafdb
from fakes.fake import Fake

from fer_zoo.cli.main import main
from fer_zoo.core.registry import METHODS
from fer_zoo.evaluation.prediction_table import read_predictions

pytestmark = pytest.mark.usefixtures("blank_pictures")
SMALL = {f"method.{key}": str(value) for key, value in METHODS["blendshape_fernet"].smallest.items()} | {
    "trainer": "cpu", "trainer.max_epochs": "1", "data.workers": "0", "data.detector": "none", "data.batch_size": "16",
}  # fmt: skip
DRAWN = {f"blendshape.dataset.{key}": text for key, text in (
    ("num_samples", "24"), ("size", "32"), ("face_model", "procedural"), ("recordings.rate", "0.1"),
)}  # fmt: skip
FOLDS = {"protocol.folds": "2"}
CODES = {code: entry for entry, code in ckplus.CODES.items()}


def whole_ckplus(folder: Path) -> Fake:
    facs: dict[int, int] = {}
    sequences = [
        (f"S{person:03d}", f"{code:03d}", (1, 2, 3, 4), code, entry, facs)
        for person in range(5, 11)
        for code, entry in CODES.items()
    ]
    return ckplus.write(folder, sequences=sequences)


def whole_oulu_casia(folder: Path) -> Fake:
    return oulu_casia.write(folder, shown={f"P{number:03d}": oulu_casia.EMOTIONS for number in range(1, 7)})


def whole_mmi(folder: Path) -> Fake:
    clips = [
        (f"{100 + 10 * person + int(value)}", f"S{person:03d}-{10 * person + int(value):03d}", "0", value, 7)
        for person in range(11, 17)
        for value in mmi.EMOTIONS
    ]
    return mmi.write(folder, clips=clips)


def whole_rafdb(folder: Path) -> Fake:
    entries = dict(sorted({code: entry for _, code, entry, *_ in rafdb.ROWS}.items()))
    rows = [
        (f"{part}_{'0' * (part == 'train')}{10 * number + code:04d}", code, entry, 0, 0, 2)
        for part, count in (("train", 8), ("test", 2))
        for number in range(count)
        for code, entry in entries.items()
    ]
    return rafdb.write(folder, rows=rows)


@pytest.fixture
def on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Fake], None]:
    """Puts data sets where they are looked for; people and action units of the paper lie there already."""
    data = tmp_path / "data_sets"
    data.mkdir()
    monkeypatch.setenv("FER_ZOO_DATA", str(data))

    def put(fake: Fake, name: str = "") -> None:
        (data / (name or fake.root.name)).symlink_to(fake.root)

    put(casia_webface.write(tmp_path))
    put(disfa.write(tmp_path))
    return put


def run(verb: str, recipe: str, output: Path, others: Mapping[str, str]) -> Path:
    """The folder of the recipe's result, once the command line has trained it."""
    words = {**SMALL, **others, "output": str(output)}
    assert main([verb, f"recipe={recipe}", *(f"{key}={text}" for key, text in words.items())]) == 0
    (result,) = (output / f"recipe_{recipe}").glob("*/result.json")
    return result.parent


def stages_of(folder: Path) -> pd.DataFrame:
    record: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return pd.DataFrame(record["stages"])


def test_every_fold_of_ckplus(
    on_disk: Callable[[Fake], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on_disk(whole_ckplus(tmp_path))
    folder = run("crossvalidate", "blendshape_fernet_ckplus", tmp_path / "runs", {**FOLDS, **DRAWN})
    shown = capsys.readouterr().out
    assert "168 test images of 6 people, 2 folds; gains over image" in shown
    stages = stages_of(folder)
    assert stages.groupby("stage")["folder"].nunique().to_dict() == {
        "identity": 1, "image": 2, "blendshape": 1, "fused": 2,
    }  # fmt: skip
    last = tmp_path / "runs" / stages.query("stage == 'fused'")["folder"].iloc[0]
    table, meta = read_predictions(last / "test" / "predictions.parquet")
    assert len(meta.space) == 8 and table["clip"].nunique() == 21
    assert table.groupby("clip")["target_emotion"].apply(lambda own: (own == "neutral").sum()).eq(1).all()


def test_action_units_of_disfa_go_into_mmi(
    on_disk: Callable[[Fake], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on_disk(whole_mmi(tmp_path))
    folder = run("train", "au_fernet_mmi", tmp_path / "runs", {**FOLDS, "au.dataset.images": "frames"})
    assert "stream au starts from" in capsys.readouterr().out
    names = stages_of(folder).set_index("stage")["folder"].str.partition("/")[0].to_dict()
    assert names == {
        "identity": "fernet_identity_casia_webface", "image": "image_fernet_mmi", "au": "au_net_disfa",
        "fused": "au_fernet_mmi",
    }  # fmt: skip


@pytest.mark.slow  # as the two above, with other readers
@pytest.mark.parametrize(
    ("recipe", "write", "classes"),
    [
        ("blendshape_fernet_oulu_casia", whole_oulu_casia, 7),
        ("blendshape_fernet_mmi", whole_mmi, 7),
        ("blendshape_fernet_rafdb", whole_rafdb, 7),
    ],
)
def test_the_other_recipes(
    recipe: str, write: Callable[[Path], Fake], classes: int, on_disk: Any, tmp_path: Path
) -> None:
    fake = write(tmp_path)
    on_disk(fake, recipe.removeprefix("blendshape_fernet_"))
    folder = run("train", recipe, tmp_path / "runs", DRAWN if recipe.endswith("rafdb") else {**FOLDS, **DRAWN})
    last = tmp_path / "runs" / stages_of(folder).query("stage == 'fused'")["folder"].iloc[0]
    table, meta = read_predictions(last / "test" / "predictions.parquet")
    assert len(meta.space) == classes and set(table["target_emotion"]) == set(meta.space.entries)
