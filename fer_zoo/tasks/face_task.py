"""The LightningModule of every method: one step, losses and metrics per objective, named outputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytorch_lightning as pl
import torch
from jaxtyping import Float
from torch import Tensor, nn

from fer_zoo.core.cards import Terms
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.core.method_settings import OptimizerSettings
from fer_zoo.metrics.torch_metrics import SumsMetric
from fer_zoo.tasks.loss_means import LossMeans
from fer_zoo.tasks.objectives import Objective
from fer_zoo.tasks.optimizers import build_optimizers


@dataclass(frozen=True)
class Stream:
    """A part of a network that can start from a checkpoint of its own.

    Attributes:
        module: its name in the network; it takes what a checkpoint's network has in the one module beside its heads.
        methods: which checkpoints fit there.
    """

    module: str
    methods: tuple[str, ...]


class FaceTask(pl.LightningModule):
    """Trains a network on one or several targets; partly labelled samples need nothing extra.

    A method subclasses it with a constructor `(settings, spaces)` and `build_objectives`.

    Args:
        settings: of the method; how the weights move is read from here.
        network: images -> {target: outputs "b k"}.
        spaces: label space per target; those without an objective are forgotten, as data may know more than is learned.
        input_spec: how pixels reach the network.
        frozen: sub-modules of the network, by name, that do not learn and stay in evaluation mode.
    """

    method_name: str = ""  # the registered name, set by the engine
    card: Mapping[str, Any]  # of the checkpoint it was loaded from; empty for fresh weights
    temperatures: dict[str, float]  # per target, what its outputs are divided by; empty: as the network gives them

    def __init__(
        self,
        settings: OptimizerSettings,
        *,
        network: nn.Module,
        spaces: Mapping[str, LabelSpace],
        input_spec: InputSpec,
        frozen: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.card, self.temperatures = {}, {}
        self.settings, self.network, self.input_spec = settings, network, input_spec
        self.spaces, self.frozen = dict(spaces), tuple(frozen)
        for name in self.frozen:
            network.get_submodule(name).requires_grad_(False).eval()
        self.objectives = self.build_objectives({})
        self.spaces = {o.target: self.spaces[o.target] for o in self.objectives}
        self.scores = nn.ModuleDict({o.target: SumsMetric(o.space, o.metrics) for o in self.objectives})
        self.loss_means = nn.ModuleDict({**self._loss_means("train"), **self._loss_means("val")})

    def build_objectives(self, class_counts: Mapping[str, Tensor]) -> tuple[Objective, ...]:
        """The objectives, given how often each class occurs in training (nothing is given outside training)."""
        raise NotImplementedError

    def heads(self) -> dict[str, str]:
        """Target -> name of the network's module whose weights and biases have a row for each entry of its space."""
        return {}

    def streams(self) -> dict[str, Stream]:
        """Parts of the network that can start from checkpoints of their own, by name; none for most methods."""
        return {}

    def features(self, image: Float[Tensor, "b c h w"]) -> dict[str, Float[Tensor, "b f"]]:
        """What the last layer sees, by name, before anything of it is dropped; {} where a method does not offer it."""
        return {}

    def pretraining(self) -> dict[str, Terms]:
        """The terms of weights that the network started from, by their names; none for random weights."""
        return {}

    @property
    def monitor(self) -> tuple[str, bool]:
        """The logged name by which the best weights are kept, and whether higher is better."""
        first = self.objectives[0]
        return f"val/{first.target}/{first.monitor}", first.higher_is_better

    def setup(self, stage: str) -> None:
        """The layout in which convolutions are fastest; before training, class weights from the labels of its part."""
        self.network.to(memory_format=torch.channels_last)
        if stage == "fit":
            trainer: Any = self.trainer
            classes = [t for t, space in self.spaces.items() if space.kind == "classes"]
            counts = {target: trainer.datamodule.class_counts(target) for target in classes}
            self.objectives = self.build_objectives(counts)

    def train(self, mode: bool = True) -> "FaceTask":
        """Switch between training and evaluation; frozen parts stay in evaluation mode."""
        super().train(mode)
        for name in self.frozen:
            self.network.get_submodule(name).eval()
        return self

    def forward(self, image: Float[Tensor, "b c h w"]) -> dict[str, Tensor]:
        """Outputs of the network per target."""
        return self.network(image)

    def predictions(self, outputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Probabilities of the classes and values of each objective, "b k", at the temperatures that are set.

        Args:
            outputs: of the network, as `forward` gives them.
        """
        temperatures = {o.target: self.temperatures.get(o.target, 1.0) for o in self.objectives}
        return {o.target: o.predictions(outputs[o.target], temperatures[o.target]) for o in self.objectives}

    def training_step(self, batch: dict[str, Tensor], batch_index: int) -> Tensor:
        """The weighted sum of the losses, so that the mean over the processes is that of one batch of them all."""
        losses, counts = self._losses(self(batch["image"]), batch)
        self._log_losses("train", losses, counts)
        shares = self._shares(counts)
        return torch.stack([o.weight * losses[i] * shares[i] for i, o in enumerate(self.objectives)]).sum()

    def validation_step(self, batch: dict[str, Tensor], batch_index: int) -> None:
        """Adds a batch to the metrics."""
        outputs = self(batch["image"])
        self._log_losses("val", *self._losses(outputs, batch))
        predicted = self.predictions(outputs)
        for objective in self.objectives:
            score: Any = self.scores[objective.target]
            score.update(predicted[objective.target], objective.labels(batch))

    def validation_scores(self) -> dict[str, float]:
        """The metrics of the validation part seen since the last reset, over all processes."""
        values = {}
        for objective in self.objectives:
            score: Any = self.scores[objective.target]
            for name, value in score.compute().items():
                values[f"val/{objective.target}/{name}"] = float(value)
        return values

    def on_validation_epoch_end(self) -> None:
        """Logs and forgets the metrics."""
        bar = self.monitor[0]
        for name, value in self.validation_scores().items():
            self.log(name, value, prog_bar=name == bar, rank_zero_only=False)
        for metric in self.scores.values():
            metric.reset()  # type: ignore[operator]  # a ModuleDict forgets the type of its values

    def predict_step(self, batch: dict[str, Tensor], batch_index: int) -> dict[str, Tensor]:
        """Predictions per target, with the rows they belong to."""
        return {"row": batch["row"], **self.predictions(self(batch["image"]))}

    def columns(self, predictions: Mapping[str, Tensor]) -> dict[str, Any]:
        """Named outputs of a batch: `emotion`, `prob_happiness` … for classes, `AU12` … for values.

        A class is None where a probability is NaN.
        """
        named: dict[str, Any] = {}
        for target, space in self.spaces.items():
            values = predictions[target].cpu()
            if space.kind == "classes":
                best = zip(values.argmax(dim=1).tolist(), values.isnan().any(dim=1).tolist(), strict=True)
                named[target] = [None if unknown else space.entries[i] for i, unknown in best]
            prefix = "prob_" if space.kind == "classes" else ""
            named.update({f"{prefix}{entry}": values[:, i].numpy() for i, entry in enumerate(space.entries)})
        return named

    def configure_optimizers(self) -> Any:
        """Optimiser and schedule of the settings."""
        return build_optimizers(self.network, self.settings, steps=self._num_steps(), monitor=self.monitor)

    def _num_steps(self) -> int:
        """Optimiser steps of the whole run.

        Lightning's own estimate starts the loader's workers, which then fetch the first epoch's batches even where a
        later one is about to be resumed.
        """
        trainer: Any = self.trainer
        batches = len(trainer.datamodule.train_dataloader())
        steps = -(-batches // trainer.accumulate_grad_batches) * (trainer.max_epochs or 1)
        return steps if trainer.max_steps < 0 else min(steps, trainer.max_steps)

    def _losses(
        self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]
    ) -> tuple[Float[Tensor, "t"], Float[Tensor, "t"]]:
        """The mean loss of each objective, and what it was divided by."""
        losses = [o.loss(outputs[o.target], o.labels(batch)) for o in self.objectives]
        counts = [o.loss.count(o.labels(batch)) for o in self.objectives]
        return torch.stack(losses), torch.stack(counts)

    def _shares(self, counts: Float[Tensor, "t"]) -> Float[Tensor, "t"]:
        """By what this process's losses are multiplied before gradients are averaged over all processes.

        Each process has divided by its own count; what is wanted is division by that of all. 1 for one process.
        """
        trainer = self._trainer
        if trainer is None or trainer.world_size == 1:
            return torch.ones_like(counts)
        total = trainer.strategy.reduce(counts.clone(), reduce_op="sum")
        return counts * trainer.world_size / total.where(total > 0, 1.0)

    def _loss_means(self, part: str) -> dict[str, LossMeans]:
        """What is logged of the losses of an epoch: their weighted sum, and each where there are several."""
        means = {f"{part}/loss": LossMeans([objective.weight for objective in self.objectives])}
        if len(self.objectives) > 1:
            for own in self.objectives:
                means[f"{part}/{own.target}/loss"] = LossMeans([float(other is own) for other in self.objectives])
        return means

    def _log_losses(self, part: str, losses: Float[Tensor, "t"], counts: Float[Tensor, "t"]) -> None:
        mean: Any
        for name, mean in self.loss_means.items():
            if name.startswith(f"{part}/"):
                mean.update(losses, counts)
                self.log(name, mean, prog_bar=name == "train/loss", on_epoch=True, on_step=False)
