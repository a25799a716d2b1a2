"""What the README shows works as it stands there."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from fakes import facial_expressions
from PIL import Image

import fer_zoo
from fer_zoo.cli.arguments import parse
from fer_zoo.cli.main import main, verb_help
from fer_zoo.engine.checkpoint import save_method
from fer_zoo.engine.config import compose

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    line.partition("  #")[0] for kind, block in BLOCKS if kind == "bash" for line in block.splitlines()
    if line.startswith("fer-zoo ")
]  # fmt: skip
TRAINING = {"subject_hashes": [], "licences": {}}


def test_there_are_commands() -> None:
    assert {parse(shlex.split(command)[1:]).verb for command in COMMANDS} >= {
        "list", "info", "check-data", "train", "evaluate", "crossvalidate", "predict",
    }  # fmt: skip


@pytest.mark.parametrize("text", COMMANDS)
def test_each_command_is_one_the_command_line_knows(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = parse(shlex.split(text)[1:])
    if command.verb in ("train", "crossvalidate"):
        compose(command.settings, verb=command.verb)
    elif command.verb in ("list", "info"):
        assert main(shlex.split(text)[1:]) == 0
    else:  # its flags and settings stand in the verb's own help
        shown = verb_help(command.verb)
        assert all(flag in shown for flag in command.flags)
        assert all(f"{key.partition('.')[0]}" in shown for key, _ in command.settings)
    capsys.readouterr()


def test_the_lines_of_python_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FER_ZOO_DATA", str(tmp_path))
    facial_expressions.write(tmp_path)
    task = fer_zoo.create_method("timm_classifier", backbone="resnet10t", image_size=32)
    save_method(Path("runs/demo/RUN/model"), task, training=TRAINING, validation={})
    for name in ("a.jpg", "b.jpg"):
        Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(name)
    (code,) = [block for kind, block in BLOCKS if kind == "python"]
    names: dict[str, object] = {}
    exec(code, names)  # the README is ours
    assert list(names["faces"]["file"]) == ["a.jpg", "b.jpg"]  # type: ignore[index]  # a DataFrame
