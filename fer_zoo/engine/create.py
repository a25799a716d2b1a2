"""A method by name, ready to be trained or given weights."""

from collections.abc import Mapping
from typing import Any

import torch

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace, label_space
from fer_zoo.core.registry import METHODS, load_object
from fer_zoo.core.settings import build_settings
from fer_zoo.tasks.face_task import FaceTask


def create_method(
    name: str, *, label_spaces: Mapping[str, LabelSpace | str] | None = None, seed: int = 0, **settings: Any
) -> FaceTask:
    """The task of a registered method, with fresh weights.

    Args:
        name: registered name, see `list_methods`.
        label_spaces: target -> label space or its name; targets left out take the card's.
        seed: of the initial weights.
        **settings: what differs from the method's defaults, e.g. backbone="resnet50".

    Raises:
        UserError: for an unknown name, setting or label space.

    Example:
        >>> task = create_method("timm_classifier", backbone="resnet10t", image_size=32).eval()
        >>> list(task(torch.zeros(1, 1, 32, 32))["emotion"].shape)
        [1, 7]
    """
    card = METHODS[name]
    built = build_settings(card.settings, settings, where="method")
    chosen: dict[str, LabelSpace | str] = {**card.label_spaces, **(label_spaces or {})}
    spaces = {target: label_space(space) if isinstance(space, str) else space for target, space in chosen.items()}
    for target, space in spaces.items():
        if space.target != target:
            raise UserError(f"Label space {space.name!r} describes {space.target}, not {target}.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        task: FaceTask = load_object(card.implementation)(built, spaces)
    task.method_name, task.settings = name, built
    return task
