"""How a run is driven: device, precision, length, stopping, logs. No torch here."""

from dataclasses import dataclass

from fer_zoo.core.errors import UserError
from fer_zoo.core.settings import setting


@dataclass(kw_only=True)
class TrainerSettings:
    """What Lightning's trainer is told."""

    accelerator: str = setting(
        "auto", "where it runs; auto takes a GPU if there is one", choices=("auto", "cpu", "gpu")
    )
    devices: str = setting("1", "how many devices or processes, or auto for all there are")
    strategy: str = setting("auto", "how devices work together; auto is ddp for more than one", choices=("auto", "ddp"))
    num_nodes: int = setting(1, "machines that take part, started by torchrun or SLURM", at_least=1)
    precision: str = setting(
        "auto",
        "auto is bf16-mixed where the device has it, else 16-mixed on a GPU and 32 on a processor",
        choices=("auto", "32", "bf16-mixed", "16-mixed"),
    )
    max_epochs: int = setting(10, "passes over the training part", at_least=1)
    max_steps: int = setting(-1, "optimiser steps at most; -1 for no limit", at_least=-1)
    gradient_clip: float = setting(1.0, "largest norm of the gradient; 0 for no limit", at_least=0.0)
    accumulate: int = setting(1, "batches per optimiser step", at_least=1)
    early_stopping_patience: int = setting(0, "epochs without a better validation value; 0 never stops", at_least=0)
    ema_decay: float = setting(
        0.0, "decay of the averaged weights, e.g. 0.999; 0 for none", at_least=0.0, at_most=0.9999999
    )
    monitor: str = setting("", "validation value that chooses the best epoch; empty for the method's own")
    selection: str = setting(
        "val",
        "whose weights are kept: of the best epoch on the validation part, of the last epoch, or of the best one on the"
        " test part, as many papers do, whose score says little of new people",
        choices=("val", "last", "test_peek"),
    )
    follow_test: bool = setting(
        False, "score the test part after each epoch, too, which chooses nothing: it shows what choosing on it gains"
    )
    log_every_n_steps: int = setting(20, "steps between two lines of the log", at_least=1)

    def __post_init__(self) -> None:
        if self.devices != "auto" and not (self.devices.isascii() and self.devices.isdecimal() and int(self.devices)):
            raise UserError(
                f"trainer.devices is {self.devices!r}; it must be a number of devices or processes, or auto."
            )


@dataclass(kw_only=True)
class LoggerSettings:
    """Where the course of training is written."""

    csv: bool = setting(True, "metrics.csv in the run's folder")
    tensorboard: bool = setting(False, "event files for TensorBoard in the run's folder")
    wandb: bool = setting(False, "a run at Weights & Biases, offline in the run's folder where no key is set")
    project: str = setting("fer_zoo", "the wandb project")
    entity: str = setting("", "the wandb user or team; empty for the key's own")

    def __post_init__(self) -> None:
        if not self.project.strip():
            raise UserError("logger.project is empty; it must be the name of a wandb project.")
        if (self.entity or self.project != type(self).project) and not self.wandb:
            raise UserError("logger.project and logger.entity are of wandb; add logger=wandb or logger.wandb=true.")
