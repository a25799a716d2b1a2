"""Scoring a checkpoint on people it has never seen: predictions, report, pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from fer_zoo.core.errors import UserError, nearest
from fer_zoo.core.files import write_json
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.core.settings import build_settings, setting
from fer_zoo.data.protocols import WHOLE, Split
from fer_zoo.engine.checkpoint import CARD, checkpoint_folder, load_method
from fer_zoo.engine.config import CONFIG, RunConfig, compose, read_config
from fer_zoo.engine.features import FeatureCollector, has_picture, write_class_features
from fer_zoo.engine.jobs import Job
from fer_zoo.engine.label_match import match_sentences
from fer_zoo.engine.named_weights import is_named
from fer_zoo.engine.overlap import refuse_training_data
from fer_zoo.engine.results import PREDICTIONS, predicted_part, write_report
from fer_zoo.engine.run import Echo, Run, open_run
from fer_zoo.engine.setting_texts import typed
from fer_zoo.engine.track_files import read_track, refuse_fixed
from fer_zoo.engine.trackers import pictures_in, send_evaluation
from fer_zoo.engine.trainer import device_kind
from fer_zoo.evaluation.prediction_table import require_tabulated, write_predictions
from fer_zoo.evaluation.report import EvaluationReport, evaluate_table
from fer_zoo.evaluation.training_labels import expanded
from fer_zoo.tasks.face_task import FaceTask

# What a card must say of the training: kind, and the entry without which a part is none.
_TRAINING: Mapping[str, tuple[type, str]] = {
    "dataset": (dict, "name"),
    "fingerprint": (str, ""),
    "protocol": (dict, "name"),
    "fold": (int, ""),
    "data": (dict, "detector"),
    "trainer": (dict, "precision"),
    "subject_hashes": (list, ""),
}


@dataclass(kw_only=True)
class EvaluationSettings:
    """What belongs to an evaluation and to no run."""

    calibrated: bool = setting(False, "probabilities at the temperature that training fitted; answers stay the same")
    track: str = setting("", "score on a track: its data, folds, frames and metrics")


def evaluate(
    checkpoint: str | Path, settings: Sequence[tuple[str, str]] = (), *, echo: Echo
) -> tuple[EvaluationReport, Path]:
    """The report of a checkpoint on the test part of its own split, or on other data, and where it was written.

    Args:
        checkpoint: a run folder, a checkpoint folder, or the name of weights.
        settings: what differs from how it was trained, e.g. ("dataset", "image_folder"), ("dataset.root", "photos").
            Another data set without a named protocol is scored whole. ("calibrated", "true") applies the temperature.
        echo: told each line for the user.

    Raises:
        UserError: if the checkpoint is none, or people or files of the test part were in its training, or it is to be
            calibrated and holds no temperature.
    """
    if any(key.startswith("method") for key, _ in settings):
        raise UserError("A checkpoint brings its method with it; evaluate takes no method settings.")
    own, settings = _own_settings(settings)
    file = read_track(own.track) if own.track else None
    if file is not None:
        refuse_fixed(settings, file.name)
        settings = [*file.words(), *settings]
    folder = checkpoint_folder(checkpoint)
    task = load_method(folder, calibrated=own.calibrated)
    _require_training(task.card, folder)
    if file is not None:
        file.refuse_other_selection(task.card)
    keys = {key for key, _ in settings}
    is_split = bool(keys & {"protocol", "protocol.name"})
    config = _configuration(task.card, settings)
    if config.dataset["name"] == task.card["training"]["dataset"]["name"]:
        (_take_as_trained if file is None else _take_own_fold)(config, folder, task.card["training"], keys)
    run = open_run(config, echo=echo, whole_unless="" if is_split else task.card["training"]["fingerprint"])
    if file is not None:
        run = _on_track(run, task.card, keys)
    part = "test_calibrated" if own.calibrated else "test"
    refuse_training_data(task.card, run, echo=echo)
    if run.index.fingerprint() != task.card["training"]["fingerprint"]:
        part = f"{part}_{run.index.dataset}"  # beside the run's own test part
        for sentence in match_sentences(run.index, run.split.test, task.spaces[run.target]):
            echo(sentence)
    track = None if file is None else file.resolve(run, echo=echo)
    part = part if track is None else f"{part}_track_{track.name}"
    home = Path(run.config.output) / folder.name if is_named(folder) else folder.parent
    output = run.config.output if "output" in keys else home / part
    report = evaluate_run(task, run, Path(output), echo=echo)
    if track is not None:
        write_json(Path(output) / "track.json", {**track.to_dict(), "hash": track.hash, "split": run.split.name})
        echo(f"track {track.name}, hash {track.hash}, {run.split.name}")
    _send(folder.parent, part, report, Path(output), echo)
    return report, Path(output)


def _on_track(run: Run, card: Mapping[str, Any], keys: set[str]) -> Run:
    """The run on the fold that the checkpoint was trained on or that is named, else on all test people of the track."""
    training = card["training"]
    is_own = run.index.fingerprint() == training["fingerprint"] and run.config.protocol == training["protocol"]
    if is_own or "fold" in keys or len(run.splits) == 1:
        return run
    tested = dict.fromkeys(name for split in run.splits for name in split.test)
    return Run(replace(run.config, fold=0), run.index, run.target, (Split(WHOLE, (), (), tuple(tested)),))


def evaluation_job(run: Run, *, echo: Echo) -> Job:
    """The evaluation of a trained run on its test part."""

    def work(folder: Path) -> dict[str, Any]:
        report = evaluate_run(load_method(run.folder), run, folder, echo=echo)
        _send(run.folder, folder.name, report, folder, echo)
        return {"kind": "evaluation", "label": run.label, "split": run.split.name}

    return Job(folder=run.folder / "test", label=f"evaluation of {run.label}", work=work)


def evaluate_run(task: FaceTask, run: Run, folder: Path, *, echo: Echo) -> EvaluationReport:
    """Predict the test part of a run's split, score it, and write table, report and pictures into a folder."""
    space, temperature = task.spaces[run.target], task.temperatures.get(run.target)
    require_tabulated(space)
    name = run.config.method["name"]
    if temperature is not None:
        name = f"{name}, calibrated"
        echo(f"calibrated: probabilities at temperature {temperature:.3f}, fitted on the validation part; same answers")
    seen = [FeatureCollector()] if has_picture(space) else []
    table = predicted_part(task, run, run.split, echo=echo, watched_by=seen)
    origin = {"label": run.label, "fingerprint": run.index.fingerprint(), "split": run.split.name}
    write_predictions(folder / PREDICTIONS, table, space, {**origin, "temperature": temperature})
    training = _labels_learned(task, run, space)
    report = evaluate_table(table, space, training=training, name=name, temperature=temperature)
    write_report(folder, report, table, run, task.input_spec)
    for collected in seen:
        write_class_features(folder, collected.table(run.index), table, space, title=run.label, echo=echo)
    return report


def _send(run_folder: Path, part: str, report: EvaluationReport, folder: Path, echo: Echo) -> None:
    """Send scores and pictures to where the training of the checkpoint's run went."""
    values = {name: estimate.value for name, estimate in report.scores.values.items()}
    send_evaluation(run_folder, part, values=values, pictures=pictures_in(folder), echo=echo)


def _own_settings(settings: Sequence[tuple[str, str]]) -> tuple[EvaluationSettings, list[tuple[str, str]]]:
    """What is about the evaluation itself, and the settings of the run that are left.

    Raises:
        UserError: for a value that is none, or a name that is nearly one.
    """
    names = [entry.name for entry in fields(EvaluationSettings)]
    texts = {key: text for key, text in settings if key in names}
    for key, _ in settings:
        if key not in texts and (hint := nearest(key, ["calibrated"])):
            raise UserError(f"There is no setting {key!r}.{hint}")
    own = build_settings(EvaluationSettings, typed(EvaluationSettings, texts, where=""), where="")
    return own, [pair for pair in settings if pair[0] not in texts]


def training_labels(run: Run, split: Split) -> pd.DataFrame:
    """The rows that a model of this split has learned from, for the rows of guesses beside its score."""
    return run.index.table.iloc[run.index.rows_of(split.train)]


def _labels_learned(task: FaceTask, run: Run, space: LabelSpace) -> pd.DataFrame | None:
    """The labels that the weights have learned from: the split's own, or on other data what the checkpoint says."""
    training = task.card["training"]
    if run.split.train and run.index.fingerprint() == training["fingerprint"]:
        return training_labels(run, run.split)
    summary = training.get("labels", {}).get(space.target)
    return None if summary is None else expanded(summary, space)


def _require_training(card: Mapping[str, Any], folder: Path) -> None:
    """Without what the card says of the training nothing would tell people that it has seen from others.

    Raises:
        UserError: naming what the card lacks.
    """
    training = card.get("training")
    for key, (kind, entry) in _TRAINING.items():
        part = training.get(key) if isinstance(training, Mapping) else None
        if not isinstance(part, kind) or (isinstance(part, Mapping) and not isinstance(part.get(entry), str)):
            raise UserError(
                f"{folder / CARD} does not say how it was trained: it lacks {f'training.{key}'!r}, so that nobody could"
                " tell whom it has seen; evaluate a checkpoint that `fer-zoo train` wrote."
            )


def _configuration(card: Mapping[str, Any], settings: Sequence[tuple[str, str]]) -> RunConfig:
    """Method, detector and precision as in training, with what the user or a track says of data and folds."""
    training, keys = card["training"], {key for key, _ in settings}
    if not keys & {"dataset", "dataset.name"}:
        settings = [("dataset", training["dataset"]["name"]), *settings]
    named = [text for key, text in settings if key in ("dataset", "dataset.name")]
    if named == [training["dataset"]["name"]] and not keys & {"protocol", "protocol.name"}:
        settings = [("protocol", training["protocol"]["name"]), *settings]  # its settings, not those of the default
    # Where faces were looked for in training, and what became of unreadable images, holds in evaluation.
    kept = [(f"data.{key}", str(training["data"][key])) for key in ("detector", "on_unreadable")]
    config = compose(
        [("method", card["method"]), *(pair for pair in kept if pair[0] not in keys), *settings], verb="evaluate"
    )
    config.method = {"name": card["method"], **card["settings"]}
    if "trainer.precision" not in keys:
        config.trainer.precision = _precision_of_training(training, config)
    return config


def _take_as_trained(config: RunConfig, folder: Path, training: Mapping[str, Any], keys: set[str]) -> None:
    """Sets what the user does not say of data and folds as it was in training, on the same data set."""
    for group in ("dataset", "protocol"):
        current = getattr(config, group)
        if keys & {group, f"{group}.name"} and current["name"] != training[group]["name"]:
            continue
        said = [key.removeprefix(f"{group}.").split(".") for key in keys if key.startswith(f"{group}.")]
        setattr(config, group, _merged({**current, **training[group]}, current, said))
    if "data.landmarks" not in keys:
        config.data.landmarks = _points_of_training(folder)
    places = _places_of_training(folder, training["dataset"])
    config.dataset |= {key: place for key, place in places.items() if f"dataset.{key}" not in keys}
    if "fold" not in keys:
        config.fold = training["fold"]
    if "frames" not in keys:
        config.frames = training.get("frames", "all")


def _take_own_fold(config: RunConfig, folder: Path, training: Mapping[str, Any], keys: set[str]) -> None:
    """On a track, which says all else: the fold of a training by its protocol, and where the data and points were."""
    if "data.landmarks" not in keys:
        config.data.landmarks = _points_of_training(folder)
    if "dataset.root" not in keys and (place := _places_of_training(folder, training["dataset"]).get("root")):
        config.dataset["root"] = place
    if "fold" not in keys and config.protocol == training["protocol"]:
        config.fold = training["fold"]


def _merged(trained: Mapping[str, Any], current: Mapping[str, Any], said: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Settings as in training but for those, at whatever depth, that the user named."""
    found = dict(trained)
    for name in {first for first, *_ in said}:
        deeper = [rest for first, *rest in said if first == name and rest]
        found[name] = _merged(found.get(name, {}), current[name], deeper) if deeper else current[name]
    return found


def _precision_of_training(training: Mapping[str, Any], config: RunConfig) -> str:
    """What the training set; automatic for half precision where there is no GPU, which alone knows it."""
    said = str(training["trainer"]["precision"])
    return "auto" if said == "16-mixed" and device_kind(config.trainer) == "cpu" else said


def _points_of_training(folder: Path) -> str:
    """Where the points were by which faces were aligned, if the checkpoint lies in its run and they still are there."""
    if folder.name != "model" or not (folder.parent / CONFIG).is_file():
        return ""
    path = str(read_config(folder.parent).data.landmarks)
    return path if path and Path(path).expanduser().exists() else ""


def _places_of_training(folder: Path, told: Mapping[str, Any]) -> dict[str, str]:
    """Where the data of a checkpoint's run were, if it lies in its run and they still are there.

    Args:
        folder: of the checkpoint.
        told: what its card says of the data, which is no folder.
    """
    if folder.name != "model" or not (folder.parent / CONFIG).is_file():
        return {}
    found = {key: value for key, value in read_config(folder.parent).dataset.items() if isinstance(value, str)}
    return {
        key: value
        for key, value in found.items()
        if value != told.get(key) and value and Path(value).expanduser().exists()
    }
