"""Training one split of one experiment."""

import signal
import threading
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import read_json
from fer_zoo.data.datamodule import FaceDataModule
from fer_zoo.data.identical_files import identical_across, identical_sentence
from fer_zoo.data.protocols import PROTOCOLS
from fer_zoo.engine.callbacks import monitor_of
from fer_zoo.engine.checkpoint import CARD, save_method, subject_hash
from fer_zoo.engine.config import RunConfig, read_config, write_config
from fer_zoo.engine.finetune import start_training
from fer_zoo.engine.follow_test import FollowTest, best_epoch, optimism
from fer_zoo.engine.jobs import RESUME, Job, process_rank, run_job, status
from fer_zoo.engine.overlap import clip_hashes, file_hashes
from fer_zoo.engine.run import Echo, Run, open_run
from fer_zoo.engine.trackers import Tracker, open_trackers, pictures_in, send_result, shown_configuration
from fer_zoo.engine.trainer import fit_trainer
from fer_zoo.engine.validation import FOLDER, validate_run
from fer_zoo.evaluation.training_labels import summarised
from fer_zoo.tasks.face_task import FaceTask


def train(config: RunConfig, *, echo: Echo) -> Path:
    """Train a configuration, or carry on where it stopped; its run folder.

    Args:
        config: method, data set, protocol, fold, trainer …
        echo: told each line for the user.

    Raises:
        UserError: for a configuration that cannot run, or a loss that became NaN.
    """
    run = open_run(config, echo=echo)
    train_run(run, echo=echo)
    echo(f"run folder: {run.folder}")
    return run.folder


def resume(folder: Path, *, echo: Echo) -> Path:
    """Carry on with the training of a run folder, wherever it lies by now; the folder.

    Args:
        folder: of the run.
        echo: told each line for the user.

    Raises:
        UserError: if it is no run folder, or its data or this version of the package would make another run of it.
    """
    config = read_config(folder)
    if status(folder) == "done":
        echo(f"done already, in {folder}")
        return folder
    place = folder if len(folder.parts) > 2 else folder.resolve()
    run = open_run(replace(config, output=str(place.parent.parent)), echo=echo)
    if run.folder.resolve() != folder.resolve():
        raise UserError(
            f"{folder} cannot be resumed: its configuration with the data as they are now, and this version of fer_zoo,"
            f" make {run.experiment_folder.name}/{run.id} of it; give the command anew to train that."
        )
    train_run(run, echo=echo)
    echo(f"run folder: {folder}")
    return folder


def train_run(run: Run, *, echo: Echo) -> dict[str, Any]:
    """The result of a run's training: read where it is done, made where it is not."""
    job = Job(folder=run.folder, label=run.label, work=lambda folder: _fit(run, folder, echo))
    return run_job(job, echo=echo)


def _fit(run: Run, folder: Path, echo: Echo) -> dict[str, Any]:
    config = run.config
    if not PROTOCOLS[config.protocol["name"]].trains:
        raise UserError(
            f"{config.protocol['name']} has no training part: train on other data than {run.index.dataset} and"
            " `fer-zoo evaluate` the checkpoint on it, or name another protocol."
        )
    if not run.split.validation:
        raise UserError(
            f"Split {run.split.name} has no validation part, which chooses the weights that are kept;"
            " set protocol.validation_share to more than 0."
        )
    if process_rank() == 0:
        write_config(folder, config)
        if identical := identical_sentence(identical_across(run.index, run.split)):
            echo(f"warning: {identical}")
    pl.seed_everything(config.seed, workers=False, verbose=False)
    task = run.new_task()
    _try_forward(task)
    shown = shown_configuration(config.to_dict())
    with open_trackers(
        config.logger, folder, name=run.label, run_id=run.id, configuration=shown, echo=echo
    ) as trackers:
        return _fit_task(run, task, folder, trackers, echo)


def _fit_task(run: Run, task: FaceTask, folder: Path, trackers: list[Tracker], echo: Echo) -> dict[str, Any]:
    before = start_training(run, task, folder, echo=echo)
    data = run.data_module(task, echo=echo)
    facts = {**training_facts(run), **before}

    def save(best: FaceTask, scores: dict[str, float]) -> None:
        save_method(folder / "model", best, training=facts, validation=scores)

    trainer = fit_trainer(
        run.config.trainer,
        trackers,
        folder=folder,
        title=run.label,
        task=task,
        seed=run.config.seed,
        writes_table=run.config.logger.csv,
        save=save,
        echo=echo,
    )
    try:
        _train(trainer, task, data, _carried_on(run, folder, echo))
    except UserError as error:
        kept = " The best weights so far stand in " + str(folder / "model") + "." if (folder / "model").is_dir() else ""
        raise UserError(f"{error}{kept}") from error
    for reason, count in {**data.left_out, **Counter(data.skipped.values())}.items():
        echo(f"left out of training and validation: {count:,} ({reason})")
    _part_processes()
    if process_rank() > 0:
        return {}
    if not (folder / "model").is_dir():
        raise UserError(
            "No validation value was ever measured, so no weights were kept: training ended before its first epoch did"
            " (trainer.max_steps), or no validation sample can be used."
        )
    echo(_kept_line(run, task, data, read_json(folder / "model" / CARD)["validation"], trainer.current_epoch))
    validate_run(run, folder, echo=echo)
    kept = read_json(folder / "model" / CARD)
    _send(trackers, folder, kept, trainer.global_step)
    return {
        "kind": "training",
        "label": run.label,
        "validation": kept["validation"],
        "selection": run.config.trainer.selection,
        "on_test": _on_test(run, task, trainer, kept["validation"]["epoch"]),
        "temperature": kept.get("temperature", {}),
        "left_out": data.left_out,
        "skipped": data.skipped,
        "epochs": trainer.current_epoch,
        "steps": trainer.global_step,
        "num_parameters": kept["num_parameters"],
    }


def _on_test(run: Run, task: FaceTask, trainer: pl.Trainer, epoch: int) -> dict[str, Any]:
    """The deciding metric on the test part, epoch by epoch, and the optimism of choosing by it; {} if not followed."""
    (followed, *_) = [*(c for c in trainer.callbacks if isinstance(c, FollowTest)), None]  # type: ignore[attr-defined]  # Trainer has callbacks
    monitor, higher = monitor_of(task, run.config.trainer.monitor)
    name = monitor.replace("val/", "test/", 1)
    if followed is None or name not in followed.rows[-1]:
        return {}
    if run.config.trainer.selection == "test_peek":  # the gap is to what validation would have chosen
        epoch = best_epoch(followed.rows, monitor, higher_is_better=higher)
    gap = optimism(followed.rows, name, epoch, higher_is_better=higher)
    return {"metric": name, "values": [row[name] for row in followed.rows], **gap}


def _kept_line(run: Run, task: FaceTask, data: FaceDataModule, best: dict[str, float], epochs: int) -> str:
    """Which weights were kept, and on how many images that was decided."""
    selection = run.config.trainer.selection
    if selection == "last":
        return f"kept: the weights of the last epoch, {epochs}"
    monitor = monitor_of(task, run.config.trainer.monitor)[0]
    if selection == "test_peek":
        value = best[monitor.replace("val/", "test/", 1)]
        return (
            f"kept: the weights of epoch {best['epoch']:.0f} of {epochs}, the best on the test part ({value:.3f}); that"
            " is no score for new people"
        )
    name = monitor.removeprefix("val/").removeprefix(f"{run.target}/")
    images = len(data.val_dataloader().dataset)  # type: ignore[arg-type]  # a FaceDataset has a length
    return (
        f"kept: the weights of epoch {best['epoch']:.0f} of {epochs}, with the best {name} ({best[monitor]:.3f}) on"
        f" {images:,} validation images"
    )


def _try_forward(task: FaceTask) -> None:
    """Sends two black images through the network.

    Raises:
        UserError: if it cannot take images of the size that is set.
    """
    spec, was_training = task.input_spec, task.training
    try:
        with torch.inference_mode():
            task.eval()(torch.zeros(2, spec.channels, spec.height, spec.width))
    except (RuntimeError, ValueError, AssertionError) as error:
        reason = (str(error).splitlines() or ["no reason given"])[0]
        names = ("image_size", "image_width", "image_height")
        size = " and ".join(f"method.{name}" for name in names if hasattr(task.settings, name))
        raise UserError(
            f"The network of {task.method_name} cannot take images of {spec.height} x {spec.width} pixels ({reason});"
            f" set another {size}, or another network."
        ) from error
    task.train(was_training)


def _carried_on(run: Run, folder: Path, echo: Echo) -> Path | None:
    """The file to carry on from, if there is one that gives what an unbroken training gives."""
    if not (folder / RESUME).is_file():
        return None
    if run.config.trainer.max_steps > 0:  # Lightning ends an epoch that it broke off in another way
        echo("note: a training with trainer.max_steps does not carry on but starts anew")
        return None
    return folder / RESUME


def _train(trainer: pl.Trainer, task: FaceTask, data: FaceDataModule, resume: Path | None) -> None:
    """Lightning's fit; Ctrl-C comes out as what it is, and works the next time, too."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(task, datamodule=data, ckpt_path=resume, weights_only=True)
    except SystemExit as stop:
        if isinstance(stop.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from stop
        raise
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)


def _part_processes() -> None:
    """Ends the group of processes: the first goes on alone, and Lightning would have it wait for the others."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def training_facts(run: Run) -> dict[str, Any]:
    """What a checkpoint remembers of its training: data, split, seed, terms, hashes of the people and the files."""
    subjects = run.index.table[["id", "subject"]].set_index("id")["subject"]
    used = [*run.split.train, *run.split.validation]
    seen = sorted({subject_hash(code) for code in subjects.loc[used]})
    card = run.dataset_card
    return {
        "dataset": shown_configuration(run.config.dataset),
        "fingerprint": run.index.fingerprint(),
        "protocol": dict(run.config.protocol),
        "fold": run.config.fold,
        "frames": run.config.frames,
        "unit": run.unit,
        "split": run.split.name,
        "samples": len(run.split.train),
        "labels": {run.target: _label_summary(run)},
        "subjects": len(seen),
        "subject_hashes": seen,
        "clip_hashes": clip_hashes(run.index, used),
        "file_hashes": sorted(set(file_hashes(run.index, used).values())),
        "data": shown_configuration(asdict(run.config.data)),
        "trainer": asdict(run.config.trainer),
        "seed": run.config.seed,
        "licences": {card.name: [card.terms.licence, card.terms.commercial]},
    }


def _label_summary(run: Run) -> dict[str, dict[str, Any]]:
    return summarised(run.index.table.iloc[run.index.rows_of(run.split.train)], run.index.space(run.target))


def _send(trackers: list[Tracker], folder: Path, card: dict[str, Any], step: int) -> None:
    """Send the scores of the kept weights, the temperatures and the pictures."""
    scores = {f"validation/{name.removeprefix('val/')}": value for name, value in card["validation"].items()}
    temperatures = {f"validation/{target}/temperature": value for target, value in card.get("temperature", {}).items()}
    pictures = {f"validation/{name}": path for name, path in pictures_in(folder / FOLDER).items()}
    curves = pictures_in(folder)
    send_result(trackers, values={**scores, **temperatures}, pictures={**curves, **pictures}, step=step)
