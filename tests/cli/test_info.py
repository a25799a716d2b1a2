import json
import shlex
from pathlib import Path

import pytest
from fakes import small_weights

from fer_zoo.cli.arguments import parse
from fer_zoo.cli.catalogue import KINDS, rows_of
from fer_zoo.cli.info import facts_of
from fer_zoo.cli.main import main
from fer_zoo.core.label_spaces import label_space
from fer_zoo.core.registry import DATASETS, FACE_MODELS, METHODS
from fer_zoo.core.settings import describe_settings
from fer_zoo.engine.config import compose


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["info", *words]) == 0
    return capsys.readouterr().out


def test_a_method_with_its_settings_outputs_and_licences(capsys: pytest.CaptureFixture[str]) -> None:
    card = METHODS["timm_classifier"]
    facts = json.loads(told(capsys, card.name, "--json"))
    assert (facts["kind"], facts["parameters"], facts["commercial_use"]) == ("methods", 11_173_831, "yes")
    assert facts["licences"] == {"code": "Apache-2.0 (commercial use: yes)"}
    assert [tuple(row.values()) for row in facts["settings"]] == describe_settings(card.settings)
    entries = label_space("emotion/basic7").entries
    assert facts["outputs"][0]["columns"] == ["emotion", *(f"prob_{entry}" for entry in entries)]
    shown = told(capsys, card.name)
    assert shown.startswith(f"{card.name}: {card.summary}\nparameters      11,173,831\n")
    assert "settings, written method.KEY=VALUE" in shown
    assert "what is minimised (cross_entropy | focal | binary_focal)" in shown


def test_weights_with_terms_training_and_scores(
    no_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = small_weights.ship("small", small_weights.network("emotion"), tmp_path, default=True)
    small_weights.score(folder)
    facts = json.loads(told(capsys, "small", "--json"))
    assert (facts["kind"], facts["num_parameters"], facts["commercial"]) == ("weights", 373_079, "yes")
    assert facts["licences"]["synthetic_faces"] == "Apache-2.0 (commercial use: yes)"
    assert facts["scores"] == ["facial_expressions: mean_class_accuracy 0.312 [0.29, 0.33]; 100 images"]
    assert facts["training"]["data_set"] == "synthetic_faces" and facts["default_for"] == ["emotion"]
    assert facts["input"] == "32 x 32 pixels, grey, none"
    assert facts["outputs"] == [{"target": "emotion", "label_space": "emotion/basic7", "unit": "class", "size": 7}]
    shown = told(capsys, "small")
    assert shown.startswith("small: random emotion\n") and "fer-zoo predict photo.jpg checkpoint=small" in shown
    assert main(["info", "smal"]) == 2
    assert "Did you mean 'small'" in capsys.readouterr().err


def test_a_method_of_values_tells_unit_and_range(capsys: pytest.CaptureFixture[str]) -> None:
    facts = json.loads(told(capsys, "timm_regressor", "--json"))
    units = facts["outputs"][0]
    assert (units["label_space"], units["meaning"], units["maximum"]) == ("au/disfa12", "FACS intensity", 5.0)
    assert units["columns"][:2] == ["AU01", "AU02"]


def test_a_data_set_with_counts_traps_and_where_from(capsys: pytest.CaptureFixture[str]) -> None:
    card = DATASETS["facial_expressions"]
    shown = told(capsys, card.name)
    assert "how to get it          fer-zoo download facial_expressions" in shown
    assert "emotion=fear       21" in shown
    assert [trap for trap in card.traps if trap not in shown] == []
    assert json.loads(told(capsys, card.name, "--json"))["protocol"] == card.protocol


def test_a_face_model_with_what_it_is_made_of(capsys: pytest.CaptureFixture[str]) -> None:
    facts = json.loads(told(capsys, "procedural", "--json"))
    assert facts["vertices"] > 3000 and facts["triangles"] > facts["vertices"] and facts["identity_modes"] >= 40
    assert facts["styles"]["hair"][0] == "short" and facts["words"]["smile"] == ["mouthSmileLeft", "mouthSmileRight"]
    shown = told(capsys, "procedural")
    assert "files           none: made by code alone\n" in shown
    assert "\n  hair   short, " in shown and FACE_MODELS["procedural"].traps[0] in shown


@pytest.mark.parametrize("name", ["ict", "ict_facekit"])
def test_a_face_model_without_its_files_says_what_to_do(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FER_ZOO_DATA", str(tmp_path / "somewhere"))
    shown = told(capsys, name)
    looked = f"{tmp_path / 'somewhere/ict_facekit'}, data/ict_facekit"
    assert f"not found: looked for the folder {looked}. `fer-zoo download ict_facekit` fetches them." in shown
    assert "MIT" in shown and "vertices" not in shown
    assert all(trap in shown for trap in FACE_MODELS["ict"].traps)


def test_a_label_space_numbers_its_entries(capsys: pytest.CaptureFixture[str]) -> None:
    shown = told(capsys, "emotion/raf")
    assert "\n  0  surprise\n  1  fear\n  2  disgust\n" in shown
    assert "\n  7  neutral\n" in shown  # the native code


def test_a_protocol_with_its_settings(capsys: pytest.CaptureFixture[str]) -> None:
    facts = json.loads(told(capsys, "subject_kfold", "--json"))
    assert {row["name"] for row in facts["settings"]} >= {"folds", "validation_share"}


def test_a_metric(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "mae").splitlines()[:2] == ["mae: mean absolute error", "better          lower"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "tracks"])  # called as their data sets
def test_everything_that_is_listed_has_information(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    for row in rows_of(kind):
        assert told(capsys, row["name"]).startswith(f"{row['name']}: ")
        facts = json.loads(told(capsys, row["name"], "--json"))
        if kind == "recipes" and row["name"] in METHODS.names():  # said beside the method of its last stage
            assert facts["kind"] == "methods" and facts["recipe"] == row["how"]
        else:
            assert facts["kind"] == kind


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["emotio/raf"], "Nothing is named 'emotio/raf'. Did you mean 'emotion/raf'"),
        (["acuracy"], "Nothing is named 'acuracy'. Did you mean 'accuracy'"),
        (["methods"], "Nothing is named 'methods'. `fer-zoo list methods` shows all of that kind."),
        ([], "`fer-zoo info` needs one name, found none."),
        (["a", "b"], "`fer-zoo info` needs one name, found 2: a, b."),
        (["mae", "x=1"], "`fer-zoo info` has no setting x. It knows: none."),
    ],
)
def test_mistakes(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", *words]) == 2
    assert capsys.readouterr().err.startswith(f"fer-zoo: {sentence}")


def test_some_entries_of_a_label_space_are_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "emotion/raf:anger+neutral", "--json"]) == 0
    assert [entry["name"] if isinstance(entry, dict) else entry for entry in
            json.loads(capsys.readouterr().out)["entries"]] == ["anger", "neutral"]  # fmt: skip
    assert main(["info", "emotion/raf:angr"]) == 2
    assert "Did you mean 'anger'?" in capsys.readouterr().err


@pytest.mark.parametrize("name", METHODS.names())
def test_the_example_of_a_method_is_a_command_that_can_be_given(name: str) -> None:
    example = facts_of(name)[1]["example"]
    assert bool(example) == METHODS[name].trains
    if example:
        command = parse(shlex.split(example)[1:])
        assert compose(command.settings, verb=command.verb).method["name"] == name


@pytest.mark.parametrize("name", [name for name in DATASETS.names() if DATASETS[name].own_data])
def test_a_reader_of_own_files_has_an_example_for_each_target(name: str) -> None:
    card = DATASETS[name]
    assert card.examples.keys() == card.targets.keys()
    for words in card.examples.values():
        given = [(key, text) for key, _, text in (word.partition("=") for word in words.split())]
        compose([("method", "timm_classifier"), ("dataset", name), *given], verb="train")


@pytest.mark.parametrize("method", ["timm_classifier", "timm_regressor", "pixel_probe"])
def test_examples_train_on_data_that_anybody_has(method: str) -> None:
    data = facts_of(method)[1]["example"].partition("dataset=")[2].split()[0]
    assert DATASETS[data].downloads or DATASETS[data].drawn
