"""Damaged checkpoints, cards, configurations and records: a result or one sentence, and no code is ever run."""

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from fakes.damage import EXAMPLES, damaged_bytes, damaged_json, damaged_values, examine, outcome
from hypothesis import strategies as st
from omegaconf import OmegaConf

from fer_zoo.core.files import read_record, write_json
from fer_zoo.engine.checkpoint import AtomicCheckpointIO, checkpoint_hash, load_method, read_card, save_method
from fer_zoo.engine.config import CONFIG, RunConfig, read_config, write_config
from fer_zoo.engine.create import create_method
from fer_zoo.engine.jobs import FAILURE, RESULT, Job, run_job

many = pytest.mark.parametrize("examples", EXAMPLES)


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (os.fspath(self.target),)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    task = create_method("timm_classifier", backbone="test_resnet", image_size=32)
    training = {"licences": {"faces": ["research only", "no"]}, "subject_hashes": ["a1"], "file_hashes": ["b2"]}
    save_method(tmp_path / "model", task, training=training, validation={"val/emotion/accuracy": 0.5})
    card = json.loads((tmp_path / "model" / "card.json").read_text())
    write_json(tmp_path / "model" / "card.json", {**card, "temperature": {"emotion": 1.2}, "temperature_fit": {}})
    return tmp_path / "model"


@many
def test_weights(model: Path, monkeypatch: pytest.MonkeyPatch, examples: int) -> None:
    """Without a checksum on the card, so that the file itself is read, into one network that is made once."""
    task = load_method(model)
    monkeypatch.setattr("fer_zoo.engine.checkpoint.create_method", lambda *args, **settings: task)
    card = json.loads((model / "card.json").read_text())
    del card["weights_sha256"]
    write_json(model / "card.json", card)
    whole = (model / "model.safetensors").read_bytes()
    length = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + length])

    def with_header(values: Any) -> bytes:
        text = json.dumps(values).encode()
        return len(text).to_bytes(8, "little") + text + whole[8 + length :]

    pickled = st.just(pickle.dumps(Bomb(model.parent / "made")))
    cases = (
        damaged_bytes(whole) | damaged_bytes(whole[: 8 + length]) | damaged_values(header).map(with_header) | pickled
    )

    def read(content: bytes) -> None:
        (model / "model.safetensors").write_bytes(content)
        load_method(model)

    assert examine(cases, read, examples, "weights")["sentence"] > examples / 2
    assert not (model.parent / "made").exists()


@many
def test_cards(model: Path, examples: int) -> None:
    card = json.loads((model / "card.json").read_text())
    first = {key: card[key] for key in ("label_spaces", "input_spec", "settings", "temperature", "weights_sha256")}
    likely = damaged_values(first).map(
        lambda part: json.dumps({**card, **part} if isinstance(part, dict) else part).encode()
    )

    def read(content: bytes) -> None:
        (model / "card.json").write_bytes(content)
        load_method(model, calibrated=True)
        checkpoint_hash(model)
        read_card(model)

    assert examine(damaged_json(card) | likely, read, examples, "cards")["sentence"] > examples / 4


@many
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")  # torch tells, and then refuses or reads plain values
def test_resume_files(tmp_path: Path, examples: int) -> None:
    file = tmp_path / "resume.ckpt"
    values = {"state_dict": {"w": torch.ones(50)}, "loops": {}, "callbacks": {}, "optimizer_states": [], "epoch": 1}
    AtomicCheckpointIO().save_checkpoint(values, file)
    whole = file.read_bytes()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}

    def packed(description: bytes) -> bytes:
        """With right checksums, so that the description itself is read."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for name, part in parts.items():
                archive.writestr(name, description if name.endswith("data.pkl") else part)
        return content.getvalue()

    bombs = st.just(packed(pickle.dumps(Bomb(tmp_path / "made"), protocol=2)))
    (description,) = (part for name, part in parts.items() if name.endswith("data.pkl"))
    cases = damaged_bytes(whole) | damaged_bytes(description).map(packed) | bombs

    def read(content: bytes) -> None:
        file.write_bytes(content)
        AtomicCheckpointIO().load_checkpoint(file)

    assert examine(cases, read, examples, "resume files")["sentence"] > examples / 2
    assert not (tmp_path / "made").exists()


@many
def test_configurations(configuration: Callable[..., RunConfig], tmp_path: Path, examples: int) -> None:
    write_config(tmp_path, configuration())
    values = OmegaConf.to_container(OmegaConf.load(tmp_path / CONFIG))
    text = (tmp_path / CONFIG).read_bytes()
    made = tmp_path / "made"
    bomb = f"seed: !!python/object/apply:os.mkdir [{made}]"
    laughs = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    json_like = damaged_values(values).map(lambda one: json.dumps(one).encode())
    crafted = st.sampled_from([bomb, laughs, "[" * 2000]).map(str.encode)
    cases = st.one_of(json_like, json_like, damaged_bytes(text), damaged_bytes(text), crafted)

    def read(content: bytes) -> None:
        (tmp_path / CONFIG).write_bytes(content)
        read_config(tmp_path)

    assert examine(cases, read, examples, "configurations")["sentence"] > examples / 4
    assert not made.exists()


@many
def test_records(tmp_path: Path, examples: int) -> None:
    result = {"kind": "training", "validation": {"val/emotion/accuracy": 0.5}, "epochs": 3, "temperature": {}}
    job = Job(folder=tmp_path, label="a job", work=lambda folder: result)

    def read(content: bytes) -> None:
        (tmp_path / RESULT).write_bytes(content)
        (tmp_path / FAILURE).write_bytes(content)
        assert outcome(lambda: run_job(job, echo=lambda line: None)) == outcome(lambda: read_record(tmp_path / FAILURE))
        read_record(tmp_path / RESULT)

    examine(damaged_json(result), read, examples, "records")
