"""Checkpoints: whole or refused in one sentence, and nothing in them is ever run."""

import errno
import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import fer_zoo
from fer_zoo.core.errors import UserError
from fer_zoo.engine.checkpoint import (
    AtomicCheckpointIO,
    checkpoint_folder,
    checkpoint_hash,
    load_method,
    save_method,
    subject_hash,
)
from fer_zoo.engine.create import create_method

SMALL = {"backbone": "resnet10t", "image_size": 32}


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (os.fspath(self.target),)


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint") / "model"
    task = create_method("timm_classifier", seed=5, **SMALL)
    training = {"licences": {"faces": ["research only", "no"]}, "subject_hashes": [subject_hash("p1")]}
    save_method(folder, task, training=training, validation={"val/emotion/accuracy": 0.5})
    return folder


@pytest.fixture
def model(original: Path, tmp_path: Path) -> Path:
    """A copy to be spoiled."""
    return Path(shutil.copytree(original, tmp_path / "run" / "model"))


def change(model: Path, edit: Callable[[dict[str, Any]], Any]) -> None:
    card = json.loads((model / "card.json").read_text())
    edited = edit(card)
    (model / "card.json").write_text(json.dumps(card if edited is None else edited))


def test_card_tells_origin_and_terms(original: Path) -> None:
    card = json.loads((original / "card.json").read_text())
    assert card["method"] == "timm_classifier"
    assert card["settings"]["backbone"] == "resnet10t"
    assert card["label_spaces"]["emotion"]["name"] == "emotion/basic7"
    assert card["input_spec"]["height"] == 32
    assert card["commercial_use"] == "no"
    assert card["licences"]["faces"] == {"licence": "research only", "commercial": "no"}
    assert card["versions"]["fer_zoo"] == fer_zoo.__version__
    assert card["versions"]["torch"] == torch.__version__.split("+")[0] or card["versions"]["torch"]
    assert card["num_parameters"] == sum(p.numel() for p in create_method("timm_classifier", **SMALL).parameters())


def test_weights_that_were_started_from_are_called_by_their_name_alone(tmp_path: Path) -> None:
    weights = tmp_path / "of_anna" / "start.safetensors"
    weights.parent.mkdir()
    plain = create_method("timm_classifier", **SMALL)
    save_file({n: t.contiguous() for n, t in plain.network.backbone.model.state_dict().items()}, weights)
    task = create_method("timm_classifier", backbone_weights=str(weights), **SMALL)
    save_method(tmp_path / "model", task, training={"subject_hashes": [], "licences": {}}, validation={})
    text = (tmp_path / "model" / "card.json").read_text()
    assert json.loads(text)["settings"]["backbone_weights"] == "start.safetensors"
    assert "of_anna" not in text
    shutil.rmtree(weights.parent)
    load_method(tmp_path / "model")


def test_subject_hash_hides_the_code() -> None:
    assert subject_hash("p1") == subject_hash("p1") != subject_hash("p2")
    assert "p1" not in subject_hash("p1")


def test_run_folder_and_model_folder_both_load(model: Path) -> None:
    assert checkpoint_folder(model) == checkpoint_folder(model.parent) == model
    one, two = load_method(model), load_method(os.fspath(model.parent))
    image = torch.randn(2, 1, 32, 32)
    assert torch.equal(one(image)["emotion"], two(image)["emotion"])
    assert one.card["validation"] == {"val/emotion/accuracy": 0.5}


def test_loading_draws_nothing(model: Path) -> None:
    state = torch.random.get_rng_state()
    load_method(model)
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize("length", [0, 7, 1000, -1])
def test_weights_cut_short(model: Path, length: int) -> None:
    whole = (model / "model.safetensors").read_bytes()
    (model / "model.safetensors").write_bytes(whole[:length])
    with pytest.raises(
        UserError, match=r"is not whole: model\.safetensors \(\d+ bytes\) is not the file that its card"
    ):
        load_method(model)
    change(model, lambda card: card.pop("weights_sha256") and None)  # a card of before
    with pytest.raises(UserError, match="no whole safetensors file"):
        load_method(model)


def test_one_flipped_bit_of_the_weights_is_told(model: Path) -> None:
    content = bytearray((model / "model.safetensors").read_bytes())
    content[-3] ^= 1
    (model / "model.safetensors").write_bytes(content)
    for read in (load_method, checkpoint_hash):
        with pytest.raises(UserError, match="is not whole"):
            read(model)


def test_weights_and_card_of_two_savings_are_told(model: Path, tmp_path: Path) -> None:
    """As a process leaves them that is killed between the two."""
    other = create_method("timm_classifier", seed=6, **SMALL)
    save_method(tmp_path / "other", other, training={}, validation={})
    shutil.copy(tmp_path / "other" / "model.safetensors", model)
    with pytest.raises(UserError, match="is not whole"):
        load_method(model)
    shutil.copy(tmp_path / "other" / "card.json", model)
    assert torch.equal(load_method(model).network.head.weight, other.network.head.weight)


def test_a_card_without_a_checksum_still_loads(model: Path) -> None:
    known = checkpoint_hash(model)
    change(model, lambda card: card.pop("weights_sha256") and None)
    load_method(model)
    assert checkpoint_hash(model) == known


@pytest.mark.parametrize("file", ["model.safetensors", "card.json"])
def test_missing_part(model: Path, file: str) -> None:
    (model / file).unlink()
    with pytest.raises(UserError, match=file):
        load_method(model)


def test_card_cut_short(model: Path) -> None:
    text = (model / "card.json").read_text()
    (model / "card.json").write_text(text[: len(text) // 2])
    with pytest.raises(UserError, match="no whole JSON"):
        load_method(model)


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda card: card.pop("method") and None, id="a key is missing"),
        pytest.param(lambda card: [], id="a list"),
        pytest.param(lambda card: 7, id="a number"),
        pytest.param(lambda card: {**card, "settings": None}, id="settings are none"),
        pytest.param(lambda card: {**card, "label_spaces": {"emotion": {"name": "x"}}}, id="half a label space"),
        pytest.param(lambda card: {**card, "label_spaces": {"emotion": 3}}, id="a number for a label space"),
        pytest.param(lambda card: {**card, "input_spec": {"height": 32}}, id="half an input spec"),
        pytest.param(lambda card: {**card, "input_spec": {**card["input_spec"], "flavour": 1}}, id="more than a spec"),
        pytest.param(lambda card: {**card, "method": 5}, id="a number for a method"),
        pytest.param(lambda card: {**card, "method": "timm_clasifier"}, id="unknown method"),
        pytest.param(lambda card: {**card, "settings": {**card["settings"], "gears": 5}}, id="unknown setting"),
        pytest.param(lambda card: {**card, "settings": {**card["settings"], "dropout": 5}}, id="impossible setting"),
    ],
)
def test_spoiled_cards_are_told(model: Path, edit: Callable[[dict[str, Any]], Any]) -> None:
    change(model, edit)
    with pytest.raises(UserError) as error:
        load_method(model)
    assert str(error.value)
    assert "\n" not in str(error.value)


def test_other_schema(model: Path) -> None:
    change(model, lambda card: card.update(schema=2))
    with pytest.raises(UserError, match=r"schema 2.* reads 1"):
        load_method(model)


def test_weights_of_another_network(model: Path) -> None:
    change(model, lambda card: card["settings"].update(backbone="resnet18"))
    with pytest.raises(UserError, match="do not fit the network"):
        load_method(model)


def test_label_space_that_lost_an_entry(model: Path) -> None:
    change(model, lambda card: card["label_spaces"]["emotion"]["entries"].pop())
    with pytest.raises(UserError):
        load_method(model)


def test_pickled_files_are_never_opened(model: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    file = tmp_path / "model.ckpt"
    file.write_bytes(pickle.dumps(Bomb(made)))
    with pytest.raises(UserError, match="Pickled files are never run"):
        load_method(file)
    shutil.copy(file, model / "model.safetensors")
    change(model, lambda card: card.pop("weights_sha256") and None)
    with pytest.raises(UserError, match="no whole safetensors file"):
        load_method(model)
    assert not made.exists()


def test_pickles_beside_a_checkpoint_are_left_alone(model: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    for name in ("model.pt", "pytorch_model.bin", "resume.ckpt", "code.py"):
        (model / name).write_bytes(pickle.dumps(Bomb(made)))
    load_method(model)
    assert not made.exists()


def test_resume_files_run_nothing(tmp_path: Path) -> None:
    made, file = tmp_path / "made", tmp_path / "resume.ckpt"
    torch.save({"epoch": Bomb(made)}, file)
    with pytest.raises(UserError, match=r"no whole file to carry on from .*delete it and give the command again"):
        AtomicCheckpointIO().load_checkpoint(file)
    assert not made.exists()


RESUMABLE = {"state_dict": {"w": torch.arange(300.0)}, "loops": {}, "callbacks": {}, "optimizer_states": [], "epoch": 3}


def test_resume_files_come_back_equal(tmp_path: Path) -> None:
    AtomicCheckpointIO().save_checkpoint(RESUMABLE, tmp_path / "resume.ckpt")
    loaded = AtomicCheckpointIO().load_checkpoint(tmp_path / "resume.ckpt")
    assert torch.equal(loaded.pop("state_dict")["w"], torch.arange(300.0))
    assert loaded == {key: value for key, value in RESUMABLE.items() if key != "state_dict"}


def test_any_changed_tensor_of_a_resume_file_is_told(tmp_path: Path) -> None:
    """torch itself reads a changed number as if it were right."""
    file = tmp_path / "resume.ckpt"
    AtomicCheckpointIO().save_checkpoint(RESUMABLE, file)
    whole = file.read_bytes()
    place = whole.index(torch.arange(300.0).numpy().tobytes())
    for offset in (0, 601, 1199):
        changed = bytearray(whole)
        changed[place + offset] ^= 4
        file.write_bytes(changed)
        torch.load(file, weights_only=True)
        with pytest.raises(UserError, match="the checksum of archive/data/0 is wrong"):
            AtomicCheckpointIO().load_checkpoint(file)


@pytest.mark.parametrize("content", [{"epoch": 3}, [1, 2], {**RESUMABLE, "loops": None}])
def test_files_of_torch_that_are_no_resume_files(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "resume.ckpt")
    with pytest.raises(UserError, match=r"it (lacks|holds) .*delete it"):
        AtomicCheckpointIO().load_checkpoint(tmp_path / "resume.ckpt")


@pytest.mark.parametrize("there", [True, False])
def test_folder_that_is_no_checkpoint(tmp_path: Path, there: bool) -> None:
    path = tmp_path if there else tmp_path / "none"
    with pytest.raises(UserError, match="holds no card.json" if there else "does not exist"):
        load_method(path)


def test_the_newest_run_beside_a_wrong_path_is_named(tmp_path: Path) -> None:
    for number, run in enumerate(("demo/new", "demo/old")):
        card = tmp_path / run / "model" / "card.json"
        card.parent.mkdir(parents=True)
        card.write_text("{}")
        os.utime(card, (100 - number, 100 - number))
    for wrong in ("demo", "demo/RUN", ".", "dem"):
        with pytest.raises(UserError, match=f"The newest run there is {tmp_path / 'demo' / 'new'}\\.$"):
            load_method(tmp_path / wrong)


@pytest.mark.parametrize("stops_at", [0, 1])
def test_weights_and_card_change_together_or_not_at_all(
    model: Path, monkeypatch: pytest.MonkeyPatch, stops_at: int
) -> None:
    """The second file finds no space: the first one has not taken its name yet."""
    before = {file: (model / file).read_bytes() for file in ("model.safetensors", "card.json")}
    task, written = create_method("timm_classifier", seed=9, **SMALL), []

    def flush(path: Path) -> None:
        written.append(path)
        if len(written) > stops_at:
            raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("fer_zoo.core.files._write_through", flush)
    with pytest.raises(UserError, match=r"Cannot write .*No space left.* is untouched\."):
        save_method(model, task, training={}, validation={})
    assert before == {file.name: file.read_bytes() for file in model.iterdir()}


def test_what_the_weights_started_from_stays_on_the_card(model: Path, tmp_path: Path) -> None:
    """Loading does not need the first weights, but saving again still tells of them."""
    change(model, lambda card: card["settings"].update(backbone_pretrained=True))
    change(model, lambda card: card.update(pretraining={"timm/somewhere": {"licence": "odd", "commercial": "no"}}))
    loaded = load_method(model)
    save_method(tmp_path / "again", loaded, training={}, validation={})
    card = json.loads((tmp_path / "again" / "card.json").read_text())
    assert card["pretraining"] == {"timm/somewhere": {"licence": "odd", "commercial": "no"}}
    assert card["commercial_use"] == "no"
