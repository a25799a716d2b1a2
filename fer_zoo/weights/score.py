"""Score named weights and measure their speed; what comes out is kept beside them, in scores.json.

python -m fer_zoo.weights.score NAME [track=NAME | dataset=NAME] [KEY=VALUE …]

  python -m fer_zoo.weights.score small
  python -m fer_zoo.weights.score small track=synthetic_emotion
  python -m fer_zoo.weights.score small track=facial_expressions

Without track and dataset the speed is measured. Settings are those of `fer-zoo evaluate`. A score on the same track or
data set replaces the one of before. Scores belong to the weights: packed anew, they have none.
"""

import math
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import fer_zoo
from fer_zoo.cli.arguments import Command
from fer_zoo.cli.output import say
from fer_zoo.core.errors import UserError, unknown_name
from fer_zoo.core.files import read_record, write_json
from fer_zoo.core.registry import DATASETS
from fer_zoo.engine.checkpoint import CHECKSUM, load_method, read_card
from fer_zoo.engine.cost import BATCH, measure_cost
from fer_zoo.engine.evaluate import evaluate
from fer_zoo.engine.named_weights import SCORES, said_score, scores_of, shipped_weights
from fer_zoo.engine.results import PREDICTIONS
from fer_zoo.engine.run import Echo
from fer_zoo.engine.trainer_settings import TrainerSettings
from fer_zoo.evaluation.prediction_table import read_predictions
from fer_zoo.evaluation.report import EvaluationReport
from fer_zoo.weights.command_line import shown_command, start

PROGRAM = "python -m fer_zoo.weights.score"


def record_score(name: str, settings: Sequence[tuple[str, str]], *, command: str = "", echo: Echo) -> Mapping[str, Any]:
    """Evaluate shipped weights and keep the score beside them; the record.

    Args:
        name: of the weights.
        settings: with `track` or `dataset`, as `evaluate` takes them.
        command: what was typed, for the record.
        echo: told each line for the user.

    Raises:
        UserError: for a name that does not ship, or what `evaluate` raises.
    """
    folder = _folder(name)
    if "output" in dict(settings):
        raise UserError(f"The scores of {name} are kept beside it; leave output out.")
    with TemporaryDirectory() as temporary:
        report, output = evaluate(name, [*settings, ("output", temporary)], echo=echo)
        score = _score(report, output, dict(settings), load_method(folder).monitor[0])
    score |= {"command": command, **_when()}
    others = [row for row in _kept(folder)["scores"] if row["on"] != score["on"]]
    write_json(folder / SCORES, {**_kept(folder), "scores": [*others, score]})
    return score


def record_speed(name: str, *, command: str = "") -> Mapping[str, Any]:
    """Measure the network alone on this machine and keep the speed beside the weights; the record.

    Raises:
        UserError: for a name that does not ship.
    """
    folder = _folder(name)
    cost = measure_cost(load_method(folder), TrainerSettings(accelerator="cpu", precision="32"))
    speed = {
        "faces_per_second": round(cost.faces_per_second, 1),
        "batch": BATCH,
        "macs": cost.macs,
        "device": cost.device,
        "command": command,
        **_when(),
    }
    write_json(folder / SCORES, {**_kept(folder), "speed": speed})
    return speed


def _folder(name: str) -> Path:
    if name not in shipped_weights():
        raise unknown_name("weights that ship", name, tuple(shipped_weights()))
    return shipped_weights()[name]


def _kept(folder: Path) -> dict[str, Any]:
    """The record so far, of these very weights."""
    return {**scores_of(folder), "weights_sha256": read_card(folder)[CHECKSUM]}


def _score(report: EvaluationReport, output: Path, settings: Mapping[str, str], monitor: str) -> dict[str, Any]:
    """What is kept of an evaluation; the metric that ranks comes first."""
    origin = read_predictions(output / PREDICTIONS)[1].extra
    track = read_record(output / "track.json") if (output / "track.json").is_file() else {}
    dataset = _dataset_of(track, settings)
    shown = track.get("metrics") or sorted(report.scores.values, key=lambda name: name != monitor.rpartition("/")[2])
    metrics = {
        metric: {"value": found.value, "low": found.interval.low, "high": found.interval.high}
        for metric in shown
        if (found := report.scores.values.get(metric)) is not None and math.isfinite(found.value)
    }
    coverage = report.scores.coverage
    return {
        "on": track.get("name", dataset),
        "track": track.get("hash"),
        "dataset": dataset,
        "photographs": not DATASETS[dataset].drawn,
        "fingerprint": origin["fingerprint"],
        "label_space": report.scores.space.name,
        "images": coverage.scored,
        "asked": coverage.asked,
        "people": coverage.subjects,
        "metrics": metrics,
    }


def _dataset_of(track: Mapping[str, Any], settings: Mapping[str, str]) -> str:
    """The data set of a score, which a track's file names."""
    if not track:
        return settings.get("dataset", settings.get("dataset.name", ""))
    from fer_zoo.engine.track_files import read_track

    return str(read_track(settings["track"]).settings.dataset["name"])


def _when() -> dict[str, str]:
    return {"date": datetime.now(UTC).date().isoformat(), "fer_zoo": fer_zoo.__version__}


def run(command: Command) -> int:
    """Scores or measures what a command line says."""
    command.allow_flags()
    name = command.one_name("name", "`fer-zoo list weights` shows them.")
    typed = shown_command(PROGRAM, command)
    if {"track", "dataset", "dataset.name"} & set(dict(command.settings)):
        say(f"recorded: {said_score(record_score(name, command.settings, command=typed, echo=say))}")
    elif command.settings:
        raise UserError(f"`{PROGRAM}` needs track=NAME or dataset=NAME beside {command.settings[0][0]}.")
    else:
        speed = record_speed(name, command=typed)
        say(f"recorded: {speed['faces_per_second']:,.0f} faces a second, {speed['device']}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command line of this module; the exit code."""
    return start(PROGRAM, argv, run, help_text=__doc__)


if __name__ == "__main__":
    sys.exit(main())
