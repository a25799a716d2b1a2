"""Train a small baseline on real photographs and score it on people it has never seen.

fer-zoo demo [key=value …]

The photographs are looked for as every verb does (`$FER_ZOO_DATA`, then data/) and downloaded where they are not
found. What is done is not repeated, and an interrupted demo carries on.

  fer-zoo demo
  fer-zoo demo trainer.max_epochs=2
"""

from fer_zoo.cli.arguments import Command
from fer_zoo.cli.output import say
from fer_zoo.core.errors import UserError
from fer_zoo.core.paths import data_roots
from fer_zoo.core.registry import DATASETS


def run(command: Command) -> int:
    """Gets the data, trains, evaluates, and says where the pictures lie."""
    command.allow_flags()
    if command.files:
        raise UserError(f"`fer-zoo demo` takes settings only, found {', '.join(command.files)}.")
    from fer_zoo.engine.config import compose

    config = compose([("experiment", "demo"), *command.settings], verb="demo")
    _get_data(config.dataset["name"], config.dataset["root"])
    from fer_zoo.engine.evaluate import evaluation_job
    from fer_zoo.engine.jobs import run_job
    from fer_zoo.engine.run import open_run
    from fer_zoo.engine.train import train_run

    planned = open_run(config, echo=say)
    train_run(planned, echo=say)
    evaluation = evaluation_job(planned, echo=say)
    run_job(evaluation, echo=say)
    print((evaluation.folder / "report.txt").read_text(encoding="utf-8"))
    print(f"learning curves: {planned.folder / 'learning_curves.png'}")
    for picture in sorted(evaluation.folder.glob("*.png")):
        print(f"{picture.stem.replace('_', ' ')}: {picture}")
    print(f"use it on photographs of your own: fer-zoo predict PHOTOS checkpoint={planned.folder}")
    return 0


def _get_data(name: str, root: str | None) -> None:
    """Download the photographs where there are none."""
    if any(folder.is_dir() for folder in data_roots(name, root)):
        return
    from fer_zoo.cli.download import fetch

    try:
        fetch(DATASETS[name], data_roots(name, root)[0])
    except UserError as error:
        where = ", ".join(map(str, data_roots(name, root)))
        raise UserError(
            f"The demo needs the photographs of {name}: none in {where}, and the download failed ({error})"
            f" Get them from {DATASETS[name].ask}, and set FER_ZOO_DATA to the folder that holds {name}/."
        ) from error
