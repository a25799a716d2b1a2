"""Weights by name: a path comes first, then what ships, then what the manifest names; scores are of their weights."""

import json
import shutil
import tarfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import torch
import yaml
from fakes import small_weights
from fakes.pictures import drawn_face
from fakes.server import serving
from PIL import Image
from safetensors.torch import load_file

import fer_zoo
from fer_zoo.core.errors import UserError
from fer_zoo.engine import named_weights
from fer_zoo.engine.checkpoint import checkpoint_folder, checkpoint_hash, load_method, read_card
from fer_zoo.engine.config import compose

pytestmark = pytest.mark.usefixtures("no_weights")


@pytest.fixture
def small(no_weights: Path, tmp_path: Path) -> Path:
    """The folder of weights of emotions that ship under the name `small`, as default."""
    return small_weights.ship("small", small_weights.network("emotion"), tmp_path, default=True)


def test_a_name_is_a_checkpoint_everywhere(small: Path, tmp_path: Path) -> None:
    assert checkpoint_folder("small") == small
    assert checkpoint_hash("small") == checkpoint_hash(small)
    assert fer_zoo.load_method("small").card["shipped"]["name"] == "small"
    words = {"checkpoint": "small", "dataset": "image_folder", "dataset.root": str(tmp_path)}
    config = compose([*words.items()], verb="train")
    assert config.method["backbone"] == "test_resnet" and config.start_hashes == {"network": checkpoint_hash("small")}


def test_half_precision_gives_a_network_in_single_precision(small: Path) -> None:
    stored = load_file(small / "model.safetensors")
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16, torch.int64}
    task = load_method("small")
    assert {tensor.dtype for tensor in task.network.state_dict().values()} == {torch.float32, torch.int64}
    assert all(torch.equal(stored[name].float(), t.float()) for name, t in task.network.state_dict().items())


def test_a_path_comes_before_a_name(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small_weights.run_of(tmp_path / "small", small_weights.network("landmarks"))
    assert list(load_method("small").spaces) == ["landmarks"]


@pytest.mark.parametrize("name", ["smal", "Small", "smalll"])
def test_an_unknown_name_is_told_with_the_nearest(small: Path, name: str) -> None:
    with pytest.raises(UserError, match=rf"^The checkpoint {name} does not exist; .* Did you mean 'small'\?$"):
        load_method(name)


def test_damaged_weights_are_refused_by_name_too(small: Path) -> None:
    small_weights.foreign(small)
    with pytest.raises(UserError, match=r"small is not whole: model\.safetensors"):
        load_method("small")


def test_the_default_is_what_the_card_says(small: Path, tmp_path: Path) -> None:
    assert named_weights.default_weights("emotion") == "small"
    assert named_weights.default_weights("landmarks") is None
    table = fer_zoo.predict(drawn_face(), detector="none")
    assert table["emotion"].notna().all()


def test_the_weights_of_a_method_are_first_those_that_are_a_default(small: Path, tmp_path: Path) -> None:
    small_weights.ship("another", small_weights.network("emotion"), tmp_path)
    assert named_weights.weights_of_method("timm_classifier") == "small" and "another" < "small"
    assert load_method("timm_classifier").card["shipped"]["name"] == "small"
    assert named_weights.weights_of_method("au_net") is None
    with pytest.raises(UserError, match=r"^The checkpoint au_net does not exist"):
        load_method("au_net")


def test_without_weights_there_is_no_default(tmp_path: Path) -> None:
    Image.fromarray(drawn_face()).save(tmp_path / "a.png")
    with pytest.raises(UserError, match=r"^No weights that predict emotion ship .*checkpoint=PATH"):
        fer_zoo.predict(tmp_path / "a.png")


def test_the_line_on_a_default_holds_its_score_on_photographs(small: Path) -> None:
    assert named_weights.about_default("small").endswith("(random emotion); never scored on photographs")
    small_weights.score(small)
    said = "on photographs, facial_expressions: mean_class_accuracy 0.312 [0.29, 0.33]"
    assert (
        named_weights.about_default("small") == f"checkpoint: small, which ships with fer_zoo (random emotion); {said}"
    )
    small_weights.score(small, photographs=False, on="synthetic_emotion")
    assert named_weights.about_default("small").endswith("never scored on photographs")


def test_scores_of_other_weights_are_none(small: Path) -> None:
    record = small_weights.score(small)
    assert named_weights.scores_of(small)["scores"] == record["scores"]
    (small / "scores.json").write_text(json.dumps({**record, "weights_sha256": "0" * 64}))
    assert named_weights.scores_of(small)["scores"] == []


@pytest.mark.parametrize("scores", [5, [5], [{"on": "a"}], [{"on": "a", "metrics": {"x": {"value": "high"}}}]])
def test_damaged_scores_are_told(small: Path, scores: object) -> None:
    record = small_weights.score(small)
    (small / "scores.json").write_text(json.dumps({**record, "scores": scores}))
    with pytest.raises(UserError, match=r"scores\.json is damaged"):
        named_weights.scores_of(small)


@pytest.fixture
def served(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, object]]:
    """The entry of a manifest whose archive a server of this machine has; the weights no longer ship."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("FER_ZOO_CACHE", str(tmp_path / "cache"))
    (tmp_path / "served").mkdir()
    archive = tmp_path / "served" / "large.tar"
    with tarfile.open(archive, "w") as opened:
        for file in small.iterdir():
            opened.add(file, file.name)
    shutil.rmtree(small)
    with serving(tmp_path / "served") as address:
        yield {
            "summary": "larger",
            "url": f"{address}/large.tar",
            "sha256": sha256(archive.read_bytes()).hexdigest(),
            "bytes": archive.stat().st_size,
            "num_parameters": 373_079,
            "targets": ["emotion"],
            "licence": "Apache-2.0",
            "commercial_use": "yes",
        }


def publish(**entries: object) -> None:
    (named_weights.FOLDER / "manifest.yaml").write_text(yaml.safe_dump(entries))


def test_larger_weights_are_fetched_once(served: dict[str, object], tmp_path: Path) -> None:
    publish(large=served)
    assert named_weights.weights_names() == ["large"]
    task = load_method("large")
    assert list(task.spaces) == ["emotion"]
    folder = checkpoint_folder("large")
    assert folder.is_relative_to(tmp_path / "cache") and named_weights.is_named(folder)
    assert not list((tmp_path / "cache").rglob("*.archive"))
    publish(large={**served, "url": "http://127.0.0.1:1/gone"})
    assert checkpoint_folder("large") == folder  # nothing is asked for any more


def test_another_archive_than_the_manifest_names_is_refused(served: dict[str, object], tmp_path: Path) -> None:
    publish(large={**served, "sha256": "0" * 64})
    with pytest.raises(UserError, match=r"it is not the file expected, and was removed"):
        load_method("large")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_an_archive_that_is_no_checkpoint_is_told(served: dict[str, object], tmp_path: Path) -> None:
    archive = tmp_path / "served" / "large.tar"
    with tarfile.open(archive, "w") as opened:
        opened.add(__file__, "readme.txt")
    publish(large={**served, "sha256": sha256(archive.read_bytes()).hexdigest()})
    for _ in range(2):  # the second time as the first
        with pytest.raises(UserError, match=r"The archive of large .* holds no card\.json at its top, so it is no"):
            load_method("large")
        assert {path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()} <= {".lock"}


def test_a_folder_without_a_card_is_filled_anew(served: dict[str, object]) -> None:
    publish(large=served)
    (checkpoint_folder("large") / "card.json").unlink()
    assert list(load_method("large").spaces) == ["emotion"]


def test_an_archive_that_cannot_be_unpacked_is_not_kept(served: dict[str, object], tmp_path: Path) -> None:
    archive = tmp_path / "served" / "large.tar"
    archive.write_bytes(archive.read_bytes()[:2000])
    publish(large={**served, "sha256": sha256(archive.read_bytes()).hexdigest()})
    with pytest.raises(UserError, match="damaged"):
        load_method("large")
    assert {path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()} <= {".lock"}


def test_a_manifest_that_is_none_is_told(served: dict[str, object], tmp_path: Path) -> None:
    for text in ("{", "- a", "a: 5"):
        (named_weights.FOLDER / "manifest.yaml").write_text(text)
        with pytest.raises(UserError, match="is no manifest of weights"):
            named_weights.larger_weights()
    publish(large={**served, "size": 5})
    with pytest.raises(UserError, match=r"There is no setting large\.size"):
        named_weights.larger_weights()
    publish(large={**served, "sha256": "abc"})
    with pytest.raises(UserError, match="large needs a new name in snake_case and a sha256 of 64 hex digits"):
        named_weights.larger_weights()
    small_weights.ship("large", small_weights.network("emotion"), tmp_path)
    publish(large=served)
    with pytest.raises(UserError, match="large needs a new name"):
        named_weights.larger_weights()


def test_the_card_remembers_its_training_people(small: Path) -> None:
    training = read_card("small")["training"]
    assert len(training["subject_hashes"]) == 1 and training["file_hashes"] == []
