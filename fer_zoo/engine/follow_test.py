"""The test part scored after each epoch: not to choose anything, but to say what choosing on it would have gained."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytorch_lightning as pl
from torch.utils.data import DataLoader

from fer_zoo.core.errors import UserError
from fer_zoo.metrics.torch_metrics import SumsMetric
from fer_zoo.tasks.face_task import FaceTask

Row = Mapping[str, float]


class FollowTest(pl.Callback):
    """Logs the metrics of the test part, as `test/TARGET/METRIC`.

    Stands where `KeepBest` does in the list of callbacks, so that both see the same weights. Images without an output
    are left out of these figures.

    Attributes:
        rows: `epoch`, the metrics and those of validation beside them, an entry an epoch.
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []
        self._loader: DataLoader[Any] | None = None

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Scores; in several processes each its own samples."""
        if trainer.sanity_checking or not isinstance(pl_module, FaceTask):
            return
        values = self._scores(trainer, pl_module)
        self.rows.append({"epoch": trainer.current_epoch + 1, **values, **pl_module.validation_scores()})
        for name, value in values.items():
            pl_module.log(name, value, rank_zero_only=False)

    def _scores(self, trainer: Any, task: FaceTask) -> dict[str, float]:
        self._loader = self._loader or trainer.datamodule.test_dataloader()
        scores = {o.target: SumsMetric(o.space, o.metrics).to(task.device) for o in task.objectives}
        with trainer.precision_plugin.val_step_context():
            for batch in self._loader:
                kept = trainer.datamodule.on_before_batch_transfer(batch, 0)
                moved = trainer.strategy.batch_to_device(kept)
                predicted = task.predictions(task(moved["image"]))
                for objective in task.objectives:
                    scores[objective.target].update(predicted[objective.target], objective.labels(moved))
        return {
            f"test/{target}/{name}": float(value)
            for target, score in scores.items()
            for name, value in score.compute().items()
        }

    def state_dict(self) -> dict[str, Any]:
        """The rows so far, for a resumed run."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes up what `state_dict` gave."""
        self.rows = list(state_dict["rows"])


def peeked_name(monitor: str) -> str:
    """The test part's name of a validation value.

    Raises:
        UserError: for a value that only validation has, such as its loss.
    """
    if monitor.count("/") < 2:
        raise UserError(
            f"trainer.selection=test_peek chooses by a metric of the test part, and there is none for {monitor};"
            " set trainer.monitor to a metric, e.g. val/emotion/accuracy."
        )
    return monitor.replace("val/", "test/", 1)


def best_epoch(rows: Sequence[Row], name: str, *, higher_is_better: bool) -> int:
    """The first epoch with the best value; 0 where it was never a number."""
    sign = 1 if higher_is_better else -1
    known = [row for row in rows if math.isfinite(row.get(name, math.nan))]
    return int(max(known, key=lambda row: (sign * row[name], -row["epoch"]))["epoch"]) if known else 0


def optimism(rows: Sequence[Row], name: str, epoch: int, *, higher_is_better: bool) -> dict[str, float | int | None]:
    """What the best epoch on the test part would have shown, beside that of the weights that were kept.

    Args:
        rows: of `FollowTest`.
        name: `test/TARGET/METRIC`.
        epoch: whose weights are kept, or would be without looking at the test part.
        higher_is_better: of the metric.

    Returns:
        `kept` and `best_on_test`, the metric at either epoch; `best_epoch`; `gap`, by how much the better one looks
        better, never below 0. All None where the metric was never a number.
    """
    known = [row for row in rows if math.isfinite(row[name])]
    kept = next((row[name] for row in known if row["epoch"] == epoch), None)
    if kept is None:
        return dict.fromkeys(("kept", "best_on_test", "best_epoch", "gap"))
    best = best_epoch(rows, name, higher_is_better=higher_is_better)
    value = next(row[name] for row in known if row["epoch"] == best)
    return {"kept": kept, "best_on_test": value, "best_epoch": best, "gap": abs(value - kept)}
