"""What lies in fer_zoo/weights is what is promised of it; and these checks fail where it is not."""

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from fakes import small_weights
from fakes.pictures import drawn_face

import fer_zoo
from fer_zoo.core.cards import Terms, strictest
from fer_zoo.core.files import file_sha256
from fer_zoo.core.landmarks import LANDMARK_COLUMNS
from fer_zoo.core.registry import DATASETS, METHODS
from fer_zoo.engine.config_files import options
from fer_zoo.engine.named_weights import larger_weights, scores_of, shipped_facts, shipped_weights

SHIPPED = shipped_weights()
MACHINE = re.compile(r'"(/(home|root|work|tmp|mnt|Users)\b|~/|[A-Z]:\\)')
each = pytest.mark.parametrize("folder", list(SHIPPED.values()), ids=list(SHIPPED))


def check_size(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {"model.safetensors", "card.json", "scores.json"}
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 4_000_000
    task = fer_zoo.load_method(folder)
    assert sum(p.numel() for p in task.network.parameters()) <= 2_000_000
    assert {p.dtype for p in task.network.parameters()} == {torch.float32}


def check_card(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    chain = {**card["licences"], **card["pretraining"]}
    assert card["commercial_use"] == strictest(Terms(**terms) for terms in chain.values()) == "yes"
    assert DATASETS[card["training"]["dataset"]["name"]].name in chain
    assert card["weights_sha256"] == file_sha256(folder / "model.safetensors")
    facts = shipped_facts(card)
    assert facts["name"] == folder.name and facts["summary"]
    assert facts["made_by"]["train"].startswith("fer-zoo train ")
    assert facts["made_by"]["pack"].startswith("python -m fer_zoo.weights.pack ")
    assert facts["rounding"]["largest_difference"].keys() == card["label_spaces"].keys()
    assert not MACHINE.search((folder / "card.json").read_text())


def check_scores(folder: Path) -> None:
    record = scores_of(folder)
    assert record["speed"]["faces_per_second"] > 0 and record["speed"]["command"]
    assert record["scores"], "no scores"
    for score in record["scores"]:
        assert score["command"].startswith(f"python -m fer_zoo.weights.score {folder.name} ")
        assert score["images"] > 0 and score["people"] > 0 and score["date"]
        assert all(np.isfinite(metric["value"]) for metric in score["metrics"].values())
    task = fer_zoo.load_method(folder)
    if "emotion" in task.spaces:
        assert {score["photographs"] for score in record["scores"]} == {True, False}
    assert not MACHINE.search((folder / "scores.json").read_text())


def check_predictions(folder: Path) -> None:
    row = fer_zoo.predict(drawn_face(), folder, detector="none").iloc[0]
    assert row["face_found"] and row["problem"] == ""
    if "landmarks" in row.index or LANDMARK_COLUMNS[0] in row.index:
        points = row[list(LANDMARK_COLUMNS)].to_numpy(np.float64)
        assert np.isfinite(points).all() and points.min() > -120 and points.max() < 240
    if "emotion" in row.index:
        assert row.filter(like="prob_").sum() == pytest.approx(1, abs=1e-4)


CHECKS = (check_size, check_card, check_scores, check_predictions)


@each
@pytest.mark.parametrize("check", CHECKS)
def test_what_ships(folder: Path, check: Callable[[Path], None]) -> None:
    check(folder)


def test_names_mean_one_thing() -> None:
    names = [*SHIPPED, *larger_weights()]
    assert len(set(names)) == len(names)
    assert not set(names) & {*METHODS.names(), *DATASETS.names(), *options("experiment")}


def test_one_default_a_target() -> None:
    cards = [json.loads((folder / "card.json").read_text()) for folder in SHIPPED.values()]
    defaults = Counter(target for card in cards for target in shipped_facts(card).get("default_for", []))
    assert all(number == 1 for number in defaults.values())
    assert bool(defaults) == bool(SHIPPED)


@pytest.mark.parametrize("page", ["README.md", "docs/weights.md", "CHANGELOG.md"])
def test_the_pages_say_whether_any_ship(page: str) -> None:
    text = (Path(__file__).parents[2] / page).read_text(encoding="utf-8")
    said = {"README.md": "with its scores; none yet", "CHANGELOG.md": "None ships yet."}
    assert (said.get(page, "No weights ship with this version yet") in text) == (not SHIPPED)


@pytest.fixture
def whole(no_weights: Path, tmp_path: Path) -> Path:
    """Weights that pass every check."""
    folder = small_weights.ship("small", small_weights.network("landmarks"), tmp_path)
    command = "python -m fer_zoo.weights.score small dataset=x"
    record = small_weights.score(folder, command=command, people=5, date="2026-01-01")
    record["speed"] = {"faces_per_second": 5.0, "command": command}
    (folder / "scores.json").write_text(json.dumps(record))
    change(
        folder / "card.json",
        ("shipped", "made_by"),
        {"train": "fer-zoo train x", "pack": "python -m fer_zoo.weights.pack x"},
    )
    return folder


def change(path: Path, keys: tuple[str, ...], value: object) -> None:
    content = json.loads(path.read_text())
    inner = content
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    path.write_text(json.dumps(content))


def test_the_checks_pass_where_all_is_well(whole: Path) -> None:
    for check in CHECKS:
        check(whole)


@pytest.mark.parametrize(
    ("file", "keys", "value", "check"),
    [
        ("card.json", ("commercial_use",), "no", check_card),
        ("card.json", ("licences", "synthetic_faces"), {"licence": "x", "commercial": "ask"}, check_card),
        ("card.json", ("pretraining",), {"x": {"licence": "x", "commercial": "no"}}, check_card),
        ("card.json", ("training", "seed"), "/home/anna", check_card),
        ("card.json", ("shipped", "name"), "other", check_card),
        ("card.json", ("shipped", "made_by", "train"), "", check_card),
        ("card.json", ("padding",), "x" * 4_000_000, check_size),
        ("scores.json", ("scores",), [], check_scores),
        ("scores.json", ("speed", "faces_per_second"), 0, check_scores),
        ("scores.json", ("weights_sha256",), "0" * 64, check_scores),
    ],
)  # fmt: skip
def test_the_checks_fail_where_something_is_wrong(
    whole: Path, file: str, keys: tuple[str, ...], value: object, check: Callable[[Path], None]
) -> None:
    change(whole / file, keys, value)
    with pytest.raises((AssertionError, KeyError)):
        check(whole)
