"""Pack a run into weights that ship: half precision, small, free to use, without a path of this machine.

python -m fer_zoo.weights.pack RUN [stage=NAME] name=NAME summary=TEXT [default=true]

  python -m fer_zoo.weights.pack runs/timm_classifier_synthetic_faces/0123456789ab name=small summary="six emotions"
  python -m fer_zoo.weights.pack runs/recipe_mine/0123456789ab stage=fused name=small summary="six emotions"

RUN is the folder of a run, or of a recipe, one of whose stages is meant. They go into fer_zoo/weights/NAME, with a
card that says by which commands they were made. Refused are more than 2 M parameters or 4 MB, and a licence chain that
allows commercial use not without asking. default=true makes them those that `predict` and `annotate` use where no
checkpoint is named. Then score them: python -m fer_zoo.weights.score NAME
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fer_zoo.cli.arguments import Command
from fer_zoo.cli.output import say
from fer_zoo.core.errors import UserError
from fer_zoo.core.registry import DATASETS
from fer_zoo.core.settings import build_settings, setting
from fer_zoo.data.image_sources import FaceImages
from fer_zoo.data.open import open_dataset
from fer_zoo.data.transforms import to_tensor
from fer_zoo.engine import named_weights
from fer_zoo.engine.checkpoint import checkpoint_folder, load_method, write_checkpoint
from fer_zoo.engine.named_weights import MOST_BYTES, MOST_PARAMETERS, SCORES, SHIPPED, default_weights, is_name
from fer_zoo.engine.run import Echo
from fer_zoo.tasks.face_task import FaceTask
from fer_zoo.weights.command_line import shown_command, start, without_paths
from fer_zoo.weights.training_command import is_recipe, stage_and_command, training_command

PROGRAM = "python -m fer_zoo.weights.pack"
_COMPARED = 32  # drawn faces


@dataclass(frozen=True, kw_only=True)
class PackSettings:
    """How weights are called and what is said of them."""

    name: str = setting("", "snake_case; the folder below fer_zoo/weights")
    stage: str = setting("", "of a recipe: whose network is packed")
    summary: str = setting("", "one line: what they predict, trained on what")
    default: bool = setting(False, "use them where a target is asked for and no checkpoint is named")


def pack(run: str | Path, settings: PackSettings, *, command: str = "", echo: Echo) -> Path:
    """Write a run's network as weights that ship; their folder.

    Args:
        run: a run folder, a checkpoint folder, or that of a recipe, where settings say the stage.
        settings: with name and summary.
        command: what was typed, for the card.
        echo: told the size, and how far outputs move by the rounding.

    Raises:
        UserError: for a name that is none or taken for a default already, weights that are too large, not free to use
            or not finite in half precision, or a folder that cannot be written to.
    """
    if not is_name(settings.name) or not settings.summary:
        raise UserError(f"Weights need name=NAME in snake_case and a summary=TEXT, found {settings.name!r}.")
    source, trained_by = _source(Path(run), settings.stage)
    task = load_method(source)
    targets = list(task.spaces) if settings.default else []
    for target in targets:
        if (other := default_weights(target)) not in (None, settings.name):
            raise UserError(f"{other} are the default weights of {target} already; pack them anew without default.")
    tensors = halved(task.network.state_dict())
    _require_free_and_small(task.card)
    moved = largest_differences(task, tensors)
    made_by = {"train": trained_by, "pack": command}
    facts = {
        "name": settings.name,
        "summary": settings.summary,
        "default_for": targets,
        "made_by": made_by,
        "rounding": {"largest_difference": moved, "images": _COMPARED},
    }
    spaces = {target: space.to_dict() for target, space in task.spaces.items()}
    card = {**without_machine(task.card), "label_spaces": spaces, SHIPPED: facts}
    folder = named_weights.FOLDER / settings.name
    size = write_checkpoint(folder, tensors, card, at_most=MOST_BYTES)
    (folder / SCORES).unlink(missing_ok=True)  # which are those of other weights
    said = ", ".join(f"{target} {value:.2g}" for target, value in moved.items())
    echo(f"{task.card['num_parameters']:,} parameters in {size:,} bytes")
    echo(f"half precision moves outputs on {_COMPARED} drawn faces by at most: {said}")
    return folder


def _source(run: Path, stage: str) -> tuple[Path, str]:
    """The checkpoint that is meant, and the command that trained it."""
    if is_recipe(run):
        folder, trained_by = stage_and_command(run, stage)
        return checkpoint_folder(folder), trained_by
    if stage:
        raise UserError(f"{run} is no recipe, of which stage={stage} could be a part; leave stage out.")
    source = checkpoint_folder(run)
    return source, training_command(source.parent)


def halved(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with floats in half precision; whole numbers stay.

    Raises:
        UserError: if a number does not fit, naming its tensor.
    """
    half = {name: t.half() if t.is_floating_point() else t for name, t in tensors.items()}
    if lost := [name for name, t in half.items() if not torch.isfinite(t).all()]:
        raise UserError(f"The tensor {lost[0]} holds numbers that half precision does not, so it cannot be packed.")
    return half


def largest_differences(task: FaceTask, tensors: Mapping[str, Tensor]) -> dict[str, float]:
    """By how much the predictions of drawn faces move at most when a network takes other tensors; it keeps them.

    Returns:
        Per target, in its unit: probabilities, pixels of the input, values of the label space.
    """
    spec = replace(task.input_spec, alignment="none")
    index = open_dataset("synthetic_faces", num_samples=_COMPARED, size=min(512, max(spec.height, spec.width)))
    images = FaceImages(index, spec)
    batch = torch.stack([to_tensor(images.read(row), spec) for row in range(len(index))])
    with torch.inference_mode():
        before = task.predictions(task(batch))
        task.network.load_state_dict(dict(tensors))
        after = task.predictions(task(batch))
    return {target: float((before[target] - after[target]).abs().max()) for target in before}


def _require_free_and_small(card: Mapping[str, Any]) -> None:
    if card["num_parameters"] > MOST_PARAMETERS:
        raise UserError(
            f"The network has {card['num_parameters']:,} parameters; weights that ship have at most"
            f" {MOST_PARAMETERS:,}. Larger ones go into the manifest."
        )
    if card.get("commercial_use") != "yes":
        chain = {**card.get("licences", {}), **card.get("pretraining", {})}
        bound = [f"{name} ({terms['licence']})" for name, terms in chain.items() if terms["commercial"] != "yes"]
        raise UserError(f"Weights that ship allow commercial use, and these do not: {', '.join(bound)}.")


def without_machine(card: Mapping[str, Any]) -> dict[str, Any]:
    """A card without paths of the machine, and without the file hashes of drawn sets.

    Drawn people are known by their codes, which stay; the hashes of some ten thousand drawn files are most of a card.
    """
    shown: dict[str, Any] = without_paths(dict(card))
    for training in (shown["training"], *shown["training"].get("earlier", ())):
        name = training.get("dataset", {}).get("name", "")
        if name in DATASETS.names() and DATASETS[name].drawn:
            training["file_hashes"] = []
    return shown


def run(command: Command) -> int:
    """Packs what a command line says."""
    command.allow_flags()
    texts = command.options("name", "stage", "summary", "default")
    folder = command.one_name("run", "`fer-zoo train` makes them.")
    settings = build_settings(PackSettings, texts, where="")
    written = pack(folder, settings, command=shown_command(PROGRAM, command), echo=say)
    say(f"weights: {written}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line of this module; the exit code."""
    return start(PROGRAM, argv, run, help_text=__doc__)


if __name__ == "__main__":
    sys.exit(main())
