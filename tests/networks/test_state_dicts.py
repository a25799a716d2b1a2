"""Weights from files of others: tensors are read, code is never run, damage is told."""

import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from fer_zoo.core.errors import UserError
from fer_zoo.networks.state_dicts import read_state_dict

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.count": torch.tensor(3)}


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (os.fspath(self.target),)


def same(found: dict[str, torch.Tensor]) -> bool:
    return set(found) == set(TENSORS) and all(torch.equal(found[name], TENSORS[name]) for name in TENSORS)


def test_safetensors(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "w.safetensors")
    assert same(read_state_dict(tmp_path / "w.safetensors"))


@pytest.mark.parametrize(
    "nested",
    [
        TENSORS,
        OrderedDict(TENSORS),
        {"state_dict": TENSORS, "epoch": 3},
        {"model": TENSORS},
        {"model_state_dict": TENSORS},
        {"net": TENSORS},
        {"state_dict": {"model": TENSORS}},
    ],
)
@pytest.mark.parametrize("is_zip", [True, False])
def test_state_dicts_plain_and_nested(tmp_path: Path, nested: Any, is_zip: bool) -> None:
    torch.save(nested, tmp_path / "w.pth", _use_new_zipfile_serialization=is_zip)
    assert same(read_state_dict(tmp_path / "w.pth"))


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors", "w.bin", "w"])
@pytest.mark.parametrize("is_torch", [True, False])
def test_pickled_code_is_refused_and_not_run(tmp_path: Path, name: str, is_torch: bool) -> None:
    made = tmp_path / "made"
    if is_torch:
        torch.save({"state_dict": {"a": Bomb(made)}}, tmp_path / name)
    else:
        (tmp_path / name).write_bytes(pickle.dumps(Bomb(made)))
    with pytest.raises(UserError, match=r"pickled code, which is never run|no whole"):
        read_state_dict(tmp_path / name)
    assert not made.exists()


def test_whole_models_are_refused(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "model.pt")
    with pytest.raises(UserError, match="pickled code"):
        read_state_dict(tmp_path / "model.pt")


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
@pytest.mark.parametrize("share", [0, 0.3, 0.95])
def test_cut_short(tmp_path: Path, name: str, share: float) -> None:
    path = tmp_path / name
    tensors = {"a": torch.randn(100, 100)}
    if name.endswith("pth"):
        torch.save(tensors, path)
    else:
        save_file(tensors, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UserError, match=path.name) as error:
        read_state_dict(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"no weights at all", b"\x80", b"PK\x03\x04", b"\x00" * 100, b"{}", b"<html>"])
@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_other_files(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError):
        read_state_dict(tmp_path / name)


def test_zip_of_something_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w.pth", "w") as archive:
        archive.writestr("readme.txt", "no weights")
    with pytest.raises(UserError):
        read_state_dict(tmp_path / "w.pth")


@pytest.mark.parametrize("content", [{}, [], 3, {"a": 1}, {"a": TENSORS, "b": 2}, torch.ones(3), {1: torch.ones(2)}])
def test_no_state_dict(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(UserError, match="no state dict"):
        read_state_dict(tmp_path / "w.pth")


@pytest.mark.parametrize("name", ["none.pth", "none.safetensors", "."])
def test_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="no weights file"):
        read_state_dict(tmp_path / name)
