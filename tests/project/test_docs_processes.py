"""The commands of the pages that start processes of their own: torchrun, and sbatch with a stand-in for SLURM.

They are run as they stand there, but for this: processors in place of GPUs, one or two processes a machine instead of
four, the second machine is this one, and a small network for one epoch.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes import pages, slurm, user_folder

SMALL = "method.backbone=test_resnet method.image_size=32 trainer.max_epochs=1 data.batch_size=8 data.workers=0"
CHANGED = {
    "trainer=gpu": "trainer=cpu",
    "first-machine": "localhost",
    "--ntasks-per-node=4": "--ntasks-per-node=1",
    " data.workers=7": "",
}
COMMANDS = [
    shlex.join(words)
    for page in pages.page_names()
    for block in pages.blocks(page)
    if block.kind == "bash" and not block.is_script
    for words in block.commands()
    if words[0] in ("torchrun", "sbatch")
]
SCRIPTS = [block.text for page in pages.page_names() for block in pages.blocks(page) if block.is_script]

Start = Callable[[str, Path], "subprocess.Popen[str]"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return user_folder.write(tmp_path)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts commands, and ends at the end of the test those that still run."""
    started: list[subprocess.Popen[str]] = []

    def start_one(command: str, folder: Path) -> subprocess.Popen[str]:
        started.append(_started(command, folder))
        return started[-1]

    yield start_one
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=60)


def _started(command: str, folder: Path) -> subprocess.Popen[str]:
    """A command typed in a folder, where PATH has this environment's programs and those of SLURM."""
    programs = slurm.write(folder / "slurm") if not (folder / "slurm").is_dir() else folder / "slurm"
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"}
    environment.pop("FER_ZOO_DATA", None)
    words = shlex.split(command)
    return subprocess.Popen(
        words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def small(command: str) -> str:
    """A command or the lines of a script, as a machine without GPUs can run them."""
    for shown, instead in CHANGED.items():
        command = command.replace(shown, instead)
    processes = "1" if "--nnodes" in command else "2"
    return f"{re.sub('--nproc-per-node [0-9]+', f'--nproc-per-node {processes}', command.rstrip())} {SMALL}"


def check(output: str, folder: Path) -> None:
    """Two processes made one run, of which only the first spoke and wrote."""
    assert "MEMBER: 2/2" in output
    lines = output.splitlines()
    assert sum(line.startswith("device:") for line in lines) == 1
    assert [line.split()[1] for line in lines if line.startswith("epoch")] == ["1/1"]
    (run,) = (folder / "runs").glob("*/*")
    assert json.loads((run / "result.json").read_text())["kind"] == "training"
    assert (run / "model" / "model.safetensors").is_file()
    assert not (run / "resume.ckpt").exists()


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("torchrun")])
def test_torchrun(command: str, folder: Path, start: Start) -> None:
    machines = int(found[1]) if (found := re.search(r"--nnodes (\d+)", command)) else 1
    started = [start(small(command), folder) for _ in range(machines)]
    outputs = [process.communicate(timeout=120)[0] for process in started]
    assert [process.returncode for process in started] == [0] * machines, "\n".join(outputs)
    check("\n".join(outputs), folder)


def test_sbatch(folder: Path, start: Start) -> None:
    (command,) = [command for command in COMMANDS if command.startswith("sbatch")]
    (script,) = SCRIPTS
    (folder / shlex.split(command)[-1]).write_text(small(script) + "\n")
    started = start(command, folder)
    output = started.communicate(timeout=120)[0]
    assert started.returncode == 0, output
    check(output, folder)


@pytest.mark.slow
def test_goes_on_where_it_was_stopped(folder: Path, start: Start) -> None:
    (command,) = [command for command in COMMANDS if "--standalone" in command]
    command = small(command).replace("max_epochs=1", "max_epochs=30")
    first = start(command, folder)
    assert first.stdout is not None
    assert any(line.startswith("epoch 3/") for line in first.stdout)
    first.send_signal(signal.SIGTERM)  # as SLURM does when time is up
    first.communicate(timeout=60)
    assert first.returncode != 0
    (run,) = (folder / "runs").glob("*/*")
    assert (run / "resume.ckpt").is_file() and not (run / "result.json").exists()
    second = start(command, folder)
    output = second.communicate(timeout=120)[0]
    assert second.returncode == 0, output
    epochs = [int(line.split()[1].partition("/")[0]) for line in output.splitlines() if line.startswith("epoch")]
    assert "carries on in" in output and epochs[0] >= 3 and epochs == list(range(epochs[0], 31))
    again = start(command, folder)
    output = again.communicate(timeout=120)[0]
    assert again.returncode == 0 and "done already" in output
