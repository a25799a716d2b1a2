"""Features of the test part: kept with their ids in the pass that predicts, drawn for classes, absent elsewhere."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import read_json
from fer_zoo.core.label_spaces import label_space
from fer_zoo.engine.checkpoint import load_method
from fer_zoo.engine.config import RunConfig
from fer_zoo.engine.evaluate import evaluate
from fer_zoo.engine.features import FEATURES, LabelledFeatures, has_picture
from fer_zoo.engine.results import read_table
from fer_zoo.engine.run import open_run
from fer_zoo.engine.train import train
from fer_zoo.evaluation.feature_table import FeatureTable, read_features, write_features

SMALL = {"image_width": 32, "image_height": 48, "width_mult": 0.125, "num_features": 8, "colour": "rgb"}


def evaluated(configuration: Callable[..., RunConfig], method: str) -> tuple[RunConfig, Path, list[str]]:
    settings = {f"method__{key}": value for key, value in SMALL.items()}
    unused = dict.fromkeys(("method__backbone", "method__image_size"), "")
    config = configuration(method=method, **settings, **unused)
    said: list[str] = []
    folder = train(config, echo=lambda line: None)
    return config, evaluate(folder, echo=said.append)[1], said


@pytest.fixture
def configuration_of_stages(faces: Path, tmp_path: Path) -> Callable[..., RunConfig]:
    """As `configuration`, without the settings of a backbone."""
    from fakes import patterns

    from fer_zoo.engine.config import compose

    def compose_run(**others: object) -> RunConfig:
        words = patterns.settings(faces, tmp_path / "runs", **others)
        return compose([(key, text) for key, text in words if text], verb="train")

    return compose_run


def test_features_are_those_of_the_images_and_numbers_stand_beside_them(
    configuration_of_stages: Callable[..., RunConfig],
) -> None:
    config, folder, said = evaluated(configuration_of_stages, "twin_fernet")
    found, table = read_features(folder / FEATURES), read_table(folder)
    assert {name: values.shape for name, values in found.sets.items()} == {
        "image": (len(table), 8), "second_image": (len(table), 8), "fused": (len(table), 16)
    }  # fmt: skip
    run = open_run(config, echo=lambda line: None)
    task = load_method(folder.parent)
    assert sorted(found.ids) == sorted(run.split.test)
    data = run.data_module(task)
    data.setup("predict")
    with torch.inference_mode():
        batch = next(iter(data.predict_dataloader()))
        expected = task.eval().features(batch["image"])["fused"].numpy()
    ids = run.index.table["id"].to_numpy()[batch["row"].numpy()].tolist()
    np.testing.assert_allclose(found.rows_of(ids).sets["fused"], expected, atol=1e-5)
    report = read_json(folder / "features.json")
    assert [one["name"] for one in report["sets"]] == ["image", "second_image", "fused"]
    assert (folder / "features.md").read_text().count("| fused |") == 1
    assert sum(line.startswith("class separation, ") for line in said) == 3
    with Image.open(folder / "features.png") as picture:
        assert picture.width > 1.5 * picture.height


def test_methods_that_offer_none_leave_none(trained: Path) -> None:
    _, folder = evaluate(trained, [("output", str(trained.parent / "plain"))], echo=lambda line: None)
    assert not list(folder.glob("features*"))


def test_people_and_values_have_no_picture() -> None:
    assert has_picture(label_space("emotion/basic7"))
    assert not has_picture(label_space("au/disfa12"))


def test_images_without_a_label_are_left_out_and_few_are_drawn_by_their_ids() -> None:
    space = label_space("emotion/basic6")
    ids = [f"{number:012x}" for number in (7, 3, 9, 1, 5)]
    labels = ["fear", "anger", None, "contempt", "anger"]
    table = pd.DataFrame({"id": ids, "subject": list("abcde"), "target_emotion": labels})
    features = {"x": np.arange(5.0)[:, None]}
    with pytest.raises(UserError, match="3 test images have a label"):
        LabelledFeatures(features, ids, table, space)
    table["target_emotion"] = ["fear", "anger", None, "fear", "anger"]
    found = LabelledFeatures(features, ids, table, space)
    assert found.sets["x"].ravel().tolist() == [3, 1, 4, 0]  # ids 1, 3, 5, 7
    assert found.subjects == ["d", "b", "e", "a"]
    assert [space.entries[number] for number in found.classes] == ["fear", "anger", "anger", "fear"]


def test_a_file_of_features_is_read_as_written_and_another_refused(tmp_path: Path) -> None:
    table = FeatureTable(ids=("b", "a", "c"), sets={"x": np.arange(6, dtype=np.float32).reshape(3, 2)})
    write_features(tmp_path / "f.parquet", table)
    found = read_features(tmp_path / "f.parquet")
    assert found.ids == table.ids
    np.testing.assert_array_equal(found.sets["x"], table.sets["x"])
    pd.DataFrame({"id": ["a"], "x": [1.0]}).to_parquet(tmp_path / "other.parquet")
    whole = (tmp_path / "f.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    for name, what in (("other", "none of features"), ("cut", "cut short"), ("absent", "no features")):
        with pytest.raises(UserError, match=what):
            read_features(tmp_path / f"{name}.parquet")
