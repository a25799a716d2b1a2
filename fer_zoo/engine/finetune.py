"""Training that starts from checkpoints: their weights, and what the next card remembers of the trainings before."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fer_zoo.core.cards import Terms, strictest
from fer_zoo.core.errors import UserError
from fer_zoo.core.files import read_json, write_json
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.engine.checkpoint import checkpoint_hashes, load_method
from fer_zoo.engine.jobs import RESUME, process_rank
from fer_zoo.engine.overlap import trainings, warn_of_training_data
from fer_zoo.engine.run import Echo, Run
from fer_zoo.engine.starts import WHOLE
from fer_zoo.engine.streams import take_stream
from fer_zoo.engine.transfer import Transfer, changed_settings, take_weights
from fer_zoo.tasks.face_task import FaceTask

START = "start.json"


def start_training(run: Run, task: FaceTask, folder: Path, *, echo: Echo) -> dict[str, Any]:
    """Give a new task the weights of the checkpoints that its run names; what its card will say of that.

    Nothing happens without a checkpoint. A run that carries on has its weights already: it reads what it wrote down at
    its beginning, and the checkpoint may be gone by then.

    Returns:
        `start` (which checkpoint, what was kept and what replaced; of streams by name) and `earlier` (the trainings
        before, the last first), for the `training` part of a card; empty without a checkpoint.

    Raises:
        UserError: if a checkpoint is none, has changed since the run was set up, or does not fit.
    """
    if not run.config.starts:
        return {}
    if (folder / RESUME).is_file() and (folder / START).is_file():
        memory = read_json(folder / START)
    else:
        memory = _begin(run, task, echo)
        if process_rank() == 0:
            write_json(folder / START, memory)
    task.card = {"pretraining": memory["pretraining"]}
    task.input_spec = InputSpec.from_dict(memory["input_spec"])
    return dict(memory["training"])


def _begin(run: Run, task: FaceTask, echo: Echo) -> dict[str, Any]:
    contents = checkpoint_hashes(run.config.starts)
    for name, path in run.config.starts.items():
        if contents[name] != run.config.start_hashes.get(name):
            raise UserError(
                f"The checkpoint {path} is not what it was when this run was set up; give the command anew."
            )
    sources = {name: load_method(path) for name, path in run.config.starts.items()}
    starts = {name: _taken(run, task, name, source, contents[name], echo) for name, source in sources.items()}
    for source in sources.values():
        warn_of_training_data(source.card, run, echo=echo)
    first = next(iter(sources.values()))
    spec = task.input_spec
    if spec.colour == first.input_spec.colour:  # the normalisation that the weights know
        spec = replace(spec, mean=first.input_spec.mean, std=first.input_spec.std)
    earlier = [training for source in sources.values() for training in trainings(source.card)]
    once = [training for place, training in enumerate(earlier) if training not in earlier[:place]]
    return {
        "training": {"start": starts.get(WHOLE, {"streams": starts}), "earlier": once},
        "pretraining": inherited_terms([source.card for source in sources.values()], task.method_name),
        "input_spec": spec.to_dict(),
    }


def _taken(run: Run, task: FaceTask, name: str, source: FaceTask, content: str, echo: Echo) -> dict[str, Any]:
    """Give the task, or one stream of it, the weights of a checkpoint, and tell; what the card will say."""
    keep_labels = run.config.keep_labels
    if name == WHOLE:
        transfer, what = take_weights(task, source, keep_labels=keep_labels), "starts"
    else:
        transfer, what = take_stream(task, name, source), f"stream {name} starts"
    for line in _told(transfer, task, source, f"{what} from checkpoint {content}"):
        echo(line)
    start = {"method": source.method_name, "checkpoint": content}
    return {**start, **({"keep_labels": keep_labels} if name == WHOLE else {}), **transfer.to_dict()}


def _told(transfer: Transfer, task: FaceTask, source: FaceTask, beginning: str) -> list[str]:
    """Everything that was kept, replaced or changed, a line each."""
    kept = f"{transfer.tensors} tensors with {transfer.parameters:,} parameters kept"
    lines = [f"{beginning} ({source.method_name}): {kept}"]
    for head in transfer.heads:
        lines += head.sentences()
    changed = [f"{key} {here} (was {had})" for key, (had, here) in changed_settings(task, source).items()]
    return lines + ([f"other than in the checkpoint: {', '.join(changed)}"] if changed else [])


def inherited_terms(cards: Sequence[Mapping[str, Any]], method: str) -> dict[str, dict[str, str]]:
    """Terms of everything that went into the weights of checkpoints, by name, for the method that starts from them."""
    named: list[tuple[str, Any]] = []
    for card in cards:
        named += card.get("pretraining", {}).items()
        for name, terms in card.get("licences", {}).items():
            if name != "code":
                named.append((name, terms))
            elif card["method"] != method:
                named.append((f"code of {card['method']}", terms))
    merged: dict[str, dict[str, str]] = {}
    for name, terms in named:
        both = [Terms(**entry) for entry in (merged.get(name), terms) if entry]
        answer = strictest(both)
        merged[name] = next({"licence": t.licence, "commercial": t.commercial} for t in both if t.commercial == answer)
    return merged
