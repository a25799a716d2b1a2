"""Train two small networks on drawn faces, rank them, and score them on people they have never seen.

fer-zoo demo [key=value …]

The faces are drawn by code, so that the demo needs no file. Where the photographs of facial_expressions are at hand
(`$FER_ZOO_DATA`, then data/; `fer-zoo download facial_expressions` fetches them), a network is trained and scored on
those, too. key=value are settings of all trainings. What is done is not repeated, and an interrupted demo carries on.

  fer-zoo demo
  fer-zoo demo trainer.max_epochs=2
"""

from collections.abc import Sequence
from pathlib import Path

from fer_zoo.cli.arguments import Command
from fer_zoo.cli.output import say
from fer_zoo.core.errors import UserError
from fer_zoo.core.paths import data_roots

TRACK, PHOTOGRAPHS = "synthetic_quick", "facial_expressions"
METHODS = (
    "timm_classifier:backbone=test_resnet:image_size=48:learning_rate=0.003",
    "image_fernet:width_mult=0.25:image_width=48:image_height=56:learning_rate=0.001:schedule=cosine",
)
_USUAL = {"trainer.max_epochs": "30", "data.batch_size": "32"}


def run(command: Command) -> int:
    """Trains and ranks on drawn faces, then trains on photographs where there are some."""
    command.allow_flags()
    if command.files:
        raise UserError(f"`fer-zoo demo` takes settings only, found {', '.join(command.files)}.")
    _drawn_faces(command.settings)
    if any(folder.is_dir() for folder in data_roots(PHOTOGRAPHS)):
        _photographs(command.settings)
    else:
        print(f"on photographs, too: `fer-zoo download {PHOTOGRAPHS}`, and `fer-zoo demo` again")
    return 0


def _drawn_faces(settings: Sequence[tuple[str, str]]) -> None:
    from fer_zoo.leaderboard.run import LeaderboardRun, run_leaderboard
    from fer_zoo.leaderboard.standings import standings_of
    from fer_zoo.leaderboard.views import as_text

    said = dict(settings)
    own = {"track": TRACK, "methods": ",".join(METHODS)}
    plan = LeaderboardRun.from_texts(own, [*((k, v) for k, v in _USUAL.items() if k not in said), *settings], echo=say)
    records = run_leaderboard(plan, echo=say)
    print(as_text(standings_of(Path(records), TRACK)), end="")
    for cell in plan.cells:
        if cell.entry in METHODS:
            _show_pictures(cell.run.folder, cell.run.folder / "test")


def _photographs(settings: Sequence[tuple[str, str]]) -> None:
    from fer_zoo.engine.config import compose
    from fer_zoo.engine.evaluate import evaluation_job
    from fer_zoo.engine.jobs import run_job
    from fer_zoo.engine.run import open_run
    from fer_zoo.engine.train import train_run

    planned = open_run(compose([("experiment", "demo"), *settings], verb="demo"), echo=say)
    train_run(planned, echo=say)
    evaluation = evaluation_job(planned, echo=say)
    run_job(evaluation, echo=say)
    print((evaluation.folder / "report.txt").read_text(encoding="utf-8"))
    _show_pictures(planned.folder, evaluation.folder)
    print(f"use it on photographs of your own: fer-zoo predict PHOTOS checkpoint={planned.folder}")


def _show_pictures(run: Path, test: Path) -> None:
    """Where the pictures of a run lie."""
    print(f"learning curves: {run / 'learning_curves.png'}")
    for picture in sorted(test.glob("*.png")):
        print(f"{picture.stem.replace('_', ' ')}: {picture}")
