"""Weights from files of others, without ever executing what a file carries."""

import warnings
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from fer_zoo.core.errors import UserError

_NESTS = ("state_dict", "model", "model_state_dict", "net")
# What `torch.load` raises for files that are cut short or something else.
_DAMAGE = (RuntimeError, EOFError, ValueError, OSError, LookupError, TypeError, AttributeError)


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file or of a state dict that PyTorch saved.

    Raises:
        UserError: if the file is missing, cut short, none of the two, or carries anything but plain tensors.
    """
    if not path.is_file():
        raise UserError(f"There is no weights file {path}.")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Detected pickle protocol")  # what it cannot read, it refuses
            content = torch.load(path, map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise UserError(f"{path} is no whole safetensors file: {error}.") from error
    except UnpicklingError as error:
        raise UserError(
            f"{path} is no plain state dict: it is damaged or carries pickled code, which is never run;"
            " save its state_dict() with safetensors."
        ) from error
    except _DAMAGE as error:
        reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
        raise UserError(f"{path} is no whole weights file: {reason}.") from error
    for nest in _NESTS:
        if isinstance(content, dict) and isinstance(content.get(nest), dict):
            content = content[nest]
    is_state_dict = isinstance(content, dict) and all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()
    )
    if not is_state_dict or not content:
        raise UserError(f"{path} holds no state dict: names with tensors were expected.")
    return dict(content)
