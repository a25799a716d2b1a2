"""Weights from files of others, without ever executing what a file carries."""

from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from fer_zoo.core.errors import UserError

_NESTS = ("state_dict", "model", "model_state_dict", "net")


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
        content = torch.load(path, map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise UserError(f"{path} is no whole safetensors file: {error}.") from error
    except UnpicklingError as error:
        raise UserError(
            f"{path} is no plain state dict: it is damaged or carries pickled code, which is never run;"
            " save its state_dict() with safetensors."
        ) from error
    except (RuntimeError, EOFError, ValueError) as error:
        raise UserError(f"{path} is no whole weights file: {str(error).splitlines()[0]}.") from error
    for nest in _NESTS:
        if isinstance(content, dict) and isinstance(content.get(nest), dict):
            content = content[nest]
    if not isinstance(content, dict) or not content or not all(isinstance(v, Tensor) for v in content.values()):
        raise UserError(f"{path} holds no state dict: names with tensors were expected.")
    return content
