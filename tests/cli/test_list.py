import json
from pathlib import Path

import pytest
import yaml
from fakes import small_weights

from fer_zoo.cli.catalogue import KINDS
from fer_zoo.cli.main import main
from fer_zoo.core.label_spaces import label_spaces
from fer_zoo.core.registry import DATASETS, FACE_MODELS, METHODS


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["list", *words]) == 0
    return capsys.readouterr().out


def test_methods_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    shown = listed(capsys, "methods", "timm*")
    assert shown == (
        "name             targets                                 commercial  summary\n"
        "timm_classifier  emotion, identity                       yes         "
        "any timm backbone and a linear head over emotion classes, or over people\n"
        "timm_regressor   au, blendshapes, expression, landmarks  yes         "
        "any timm backbone and a linear head over action units, coefficients or landmarks\n"
    )


def test_without_a_kind_methods_data_sets_and_face_models_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(listed(capsys, "--json"))
    assert [row["name"] for row in found["methods"]] == METHODS.names()
    assert [row["name"] for row in found["datasets"]] == DATASETS.names()
    assert [row["name"] for row in found["face_models"]] == FACE_MODELS.names()
    lines = listed(capsys).splitlines()
    assert lines[0] == "methods" and "datasets" in lines and "face_models" in lines


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_lists_what_it_has_as_table_and_json(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(listed(capsys, kind, "--json"))
    assert len({row["name"] for row in rows}) == len(rows)
    assert [line.split()[0] for line in listed(capsys, kind).splitlines()[1:]] == [row["name"] for row in rows]


def test_label_spaces_are_all_there_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(listed(capsys, "label_spaces", "emotion/*", "--json"))
    spaces = {name: space for name, space in label_spaces().items() if space.target == "emotion"}
    assert {row["name"]: tuple(row["entries"]) for row in rows} == {
        name: space.entries for name, space in spaces.items()
    }


def test_a_target_narrows(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(listed(capsys, "target=au", "--json"))
    assert "timm_regressor" in {row["name"] for row in found["methods"]}
    assert "timm_classifier" not in {row["name"] for row in found["methods"]}
    assert "face_models" not in found  # which have none
    assert all("au" in row["targets"] for rows in found.values() for row in rows)


@pytest.mark.parametrize("answer", ["yes", "ask", "no"])
def test_commercial_use_narrows(answer: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(listed(capsys, f"commercial={answer}", "--json"))
    everything = json.loads(listed(capsys, "--json"))
    expected = {kind: [row for row in rows if row["commercial"] == answer] for kind, rows in everything.items()}
    assert found == expected


def test_a_pattern_that_matches_nothing_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(capsys, "methods", "zzz*") == "none of these\n"
    assert json.loads(listed(capsys, "methods", "zzz*", "--json")) == []


@pytest.fixture
def small(no_weights: Path, tmp_path: Path) -> Path:
    """Weights that ship under the name `small`."""
    return small_weights.ship("small", small_weights.network("emotion"), tmp_path)


def test_weights_with_size_speed_terms_and_scores(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = json.loads(listed(capsys, "weights", "--json"))
    assert (row["name"], row["targets"], row["num_parameters"], row["commercial"]) == (
        "small", ["emotion"], 373_079, "yes",
    )  # fmt: skip
    assert row["bytes"] == sum(file.stat().st_size for file in small.iterdir())
    assert row["scores"] == [] and row["faces_per_second"] is None
    assert listed(capsys, "weights").splitlines()[1].split() == [
        "small",
        "emotion",
        "0.8",
        "MB",
        "-",
        "Apache-2.0",
        "yes",
        "none",
        "recorded",
    ]
    record = small_weights.score(small)
    (small / "scores.json").write_text(json.dumps({**record, "speed": {"faces_per_second": 1234.5}}))
    shown = listed(capsys, "weights", "commercial=yes", "target=emotion")
    assert "1,234  " in shown and "facial_expressions: mean_class_accuracy 0.312 [0.29, 0.33]" in shown
    assert listed(capsys, "weights", "target=landmarks") == "none of these\n"


def test_larger_weights_are_listed_before_they_are_fetched(
    no_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = {"url": "https://example.org/a.tar", "sha256": "0" * 64, "bytes": 40_000_000, "num_parameters": 9_000_000}
    manifest = {"large": {**entry, "targets": ["au"], "commercial_use": "no", "licence": "research only"}}
    (no_weights / "manifest.yaml").write_text(yaml.safe_dump(manifest))
    assert listed(capsys, "weights").splitlines()[1].split()[:5] == ["large", "au", "40.0", "MB", "-"]
    (row,) = json.loads(listed(capsys, "weights", "commercial=no", "--json"))
    assert row["where"] == "https://example.org/a.tar" and row["licence"] == "research only"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["method"], "Nothing is named 'method'. Did you mean 'methods'"),
        (["timm_clasifier"], "Nothing is named 'timm_clasifier'. Did you mean 'timm_classifier'"),
        (["method", "timm*"], "`fer-zoo list` takes a kind and a pattern, found method timm*. Did you mean 'methods'"),
        (["target=emotions"], "No target is named 'emotions'. Did you mean 'emotion'?"),
        (["commercial=maybe"], "commercial is 'maybe'; it must be yes, ask or no."),
        (
            ["metrics", "target=au"],
            "`fer-zoo list metrics` cannot be narrowed by target; methods, datasets, label_spaces",
        ),
        (["face_models", "target=au"], "`fer-zoo list face_models` cannot be narrowed by target; methods, datasets,"),
        (["label_spaces", "commercial=yes"], "`fer-zoo list label_spaces` cannot be narrowed by commercial"),
        (["targte=au"], "`fer-zoo list` has no setting targte. Did you mean 'target'?"),
        (["--dry-run"], "`fer-zoo list` has no flag --dry-run."),
    ],
)
def test_mistakes(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", *words]) == 2
    assert capsys.readouterr().err.startswith(f"fer-zoo: {sentence}")
