"""The task that all methods share: frozen parts, class weights, several targets, partly labelled samples."""

import math
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from fakes import patterns
from torch import Tensor, nn

from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.label_spaces import label_space
from fer_zoo.core.method_settings import OptimizerSettings
from fer_zoo.engine.create import create_method
from fer_zoo.losses.cross_entropy import cross_entropy
from fer_zoo.losses.euclidean import euclidean
from fer_zoo.losses.labelled import labelled_rows
from fer_zoo.losses.loss import Loss
from fer_zoo.tasks.face_task import FaceTask
from fer_zoo.tasks.loss_means import LossMeans
from fer_zoo.tasks.objectives import Objective, class_objective, value_objective

SPACES = {"emotion": label_space("emotion/basic7"), "au": label_space("au/fera2015")}


class TwoHeads(nn.Module):
    """Emotion and action units from the mean pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.BatchNorm1d(8))
        self.emotion, self.au = nn.Linear(8, 7), nn.Linear(8, 5)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        features = self.backbone(image)
        return {"emotion": self.emotion(features), "au": self.au(features)}


class TwoTargets(FaceTask):
    """Learns both at once."""

    def build_objectives(self, class_counts: Mapping[str, Tensor]) -> tuple[Objective, ...]:
        return (
            class_objective(self.spaces["emotion"], Loss(cross_entropy, labelled_rows), weight=2.0),
            value_objective(self.spaces["au"], Loss(euclidean, labelled_rows), weight=0.5),
        )


def two_targets(frozen: tuple[str, ...] = ()) -> TwoTargets:
    torch.manual_seed(0)
    spec = InputSpec(height=4, width=4, colour="grey", mean=(0.5,), std=(0.5,))
    task = TwoTargets(OptimizerSettings(), network=TwoHeads(), spaces=SPACES, input_spec=spec, frozen=frozen)
    task.logged = {}  # type: ignore[assignment]  # what was logged
    task.log = lambda name, value, **kwargs: task.logged.update(  # type: ignore[method-assign]
        {name: float(value.compute() if isinstance(value, LossMeans) else value)}
    )
    return task


def samples(number: int = 6) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        "image": torch.randn(number, 1, 4, 4, generator=generator),
        "row": torch.arange(number),
        "emotion": torch.arange(number) % 7,
        "au": 5 * torch.rand(number, 5, generator=generator),
    }


def test_what_data_know_besides_is_no_output() -> None:
    """Drawn faces have labels of six targets; a classifier that learned from them predicts one."""
    spaces = {**SPACES, "pose": label_space("pose/3")}
    task = create_method("timm_classifier", label_spaces=spaces, backbone="test_resnet", image_size=32).eval()
    assert list(task.spaces) == ["emotion"]
    with torch.inference_mode():
        columns = task.columns(task.predictions(task(torch.zeros(2, 1, 32, 32))))
    assert list(columns) == ["emotion", *(f"prob_{entry}" for entry in SPACES["emotion"].entries)]


def test_loss_is_the_weighted_sum_over_the_targets() -> None:
    task, batch = two_targets().eval(), samples()
    outputs = task(batch["image"])
    first, second = cross_entropy(outputs["emotion"], batch["emotion"]), euclidean(outputs["au"], batch["au"])
    torch.testing.assert_close(task.training_step(batch, 0), 2 * first + 0.5 * second)
    assert task.logged["train/emotion/loss"] == pytest.approx(float(first.detach()))  # type: ignore[attr-defined]
    assert task.logged["train/au/loss"] == pytest.approx(float(second.detach()))  # type: ignore[attr-defined]


def test_samples_may_have_one_label_each() -> None:
    """Half the batch knows the emotion, the other half the action units: each loss is that of its half."""
    task, batch = two_targets().eval(), samples()
    batch["emotion"][3:] = -1
    batch["au"][:3] = math.nan
    outputs = task(batch["image"])
    first = cross_entropy(outputs["emotion"][:3], batch["emotion"][:3])
    second = euclidean(outputs["au"][3:], batch["au"][3:])
    torch.testing.assert_close(task.training_step(batch, 0), 2 * first + 0.5 * second)


def test_scores_add_up_over_batches_and_are_forgotten() -> None:
    task, batch = two_targets().eval(), samples(6)
    halves = [{name: values[part] for name, values in batch.items()} for part in (slice(0, 4), slice(4, 6))]
    with torch.no_grad():
        for half in halves:
            task.validation_step(half, 0)
        scores = task.validation_scores()
        task.on_validation_epoch_end()
        predicted = task.predict_step(batch, 0)
        right = (predicted["emotion"].argmax(1) == batch["emotion"]).float().mean()
        assert scores["val/emotion/accuracy"] == pytest.approx(float(right))
        assert scores["val/au/mae"] == pytest.approx(float((predicted["au"] - batch["au"]).abs().mean()), rel=1e-5)
        task.validation_step(halves[0], 0)
        again = task.validation_scores()
    assert again["val/au/mae"] != scores["val/au/mae"]
    assert task.monitor == ("val/emotion/mean_class_accuracy", True)


def test_columns_of_two_targets_stand_side_by_side() -> None:
    task = two_targets().eval()
    with torch.no_grad():
        predicted = task.predict_step(samples(3), 0)
    assert predicted.pop("row").tolist() == [0, 1, 2]
    columns = task.columns(predicted)
    assert list(columns) == ["emotion", *(f"prob_{e}" for e in SPACES["emotion"].entries), *SPACES["au"].entries]


def test_frozen_part_stays_and_the_rest_learns() -> None:
    """Weights and running statistics of the frozen part are the same after training steps."""
    task = two_targets(frozen=("backbone",)).train()
    assert not task.network.backbone.training
    assert task.network.emotion.training
    before = {name: tensor.clone() for name, tensor in task.network.state_dict().items()}
    optimizer = torch.optim.SGD((p for p in task.parameters() if p.requires_grad), lr=0.1, weight_decay=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        task.training_step(samples(), 0).backward()
        optimizer.step()
    for name, tensor in task.network.state_dict().items():
        assert torch.equal(tensor, before[name]) == name.startswith("backbone."), name


@pytest.mark.parametrize("freeze", [True, False])
def test_frozen_backbone_through_the_whole_of_training(freeze: bool, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    from fer_zoo.engine.config import compose
    from fer_zoo.engine.run import open_run
    from fer_zoo.engine.train import train

    root = patterns.write(tmp_path / "faces")
    words = patterns.settings(root, tmp_path / "runs", method__freeze_backbone=str(freeze).lower())
    config = compose(words, verb="train")
    start = open_run(config, echo=lambda line: None).new_task().network.state_dict()
    trained = load_file(train(config, echo=lambda line: None) / "model" / "model.safetensors")
    moved = {name for name in start if not torch.equal(start[name], trained[name])}
    assert {"head.weight", "head.bias"} <= moved
    statistics = {name for name in start if "running_" in name}
    assert statistics
    if freeze:
        assert moved == {"head.weight", "head.bias"}
    else:
        assert statistics <= moved


def fitted(task: FaceTask, counts: list[int]) -> FaceTask:
    """A task after setup("fit") with a data module that counts classes so."""
    module = SimpleNamespace(class_counts=lambda target: torch.tensor(counts))
    task._trainer = SimpleNamespace(datamodule=module)  # type: ignore[assignment]  # no more of a trainer is needed
    task.setup("fit")
    return task


def test_balanced_class_weights_reach_the_loss() -> None:
    counts = [1, 2, 4, 8, 16, 32, 64]
    settings: dict[str, Any] = {"backbone": "resnet10t", "image_size": 32}
    balanced = fitted(create_method("timm_classifier", class_weights="balanced", **settings), counts)
    plain = fitted(create_method("timm_classifier", **settings), counts)
    logits, target = torch.randn(20, 7), torch.arange(20) % 7
    weights = torch.tensor([sum(counts) / (7 * count) for count in counts])
    expected = nn.functional.cross_entropy(logits, target, weight=weights)
    torch.testing.assert_close(balanced.objectives[0].loss(logits, target), expected)
    torch.testing.assert_close(plain.objectives[0].loss(logits, target), nn.functional.cross_entropy(logits, target))


def test_balanced_weights_without_training_are_told() -> None:
    task = create_method("timm_classifier", class_weights="balanced", backbone="resnet10t", image_size=32)
    with pytest.raises(UserError, match="class_weights=balanced"):
        task.objectives[0].loss(torch.randn(2, 7), torch.tensor([0, 1]))


@pytest.mark.parametrize(
    ("batches", "accumulate", "epochs", "limit", "steps"),
    [(10, 1, 3, -1, 30), (10, 4, 3, -1, 9), (10, 1, 3, 7, 7), (1, 8, 5, -1, 5)],
)
def test_schedule_knows_the_number_of_steps(batches: int, accumulate: int, epochs: int, limit: int, steps: int) -> None:
    task = create_method("timm_classifier", backbone="resnet10t", image_size=32, warmup_share=0, schedule="cosine")
    module = SimpleNamespace(train_dataloader=lambda: range(batches))
    task._trainer = SimpleNamespace(  # type: ignore[assignment]  # no more of a trainer is needed
        datamodule=module, accumulate_grad_batches=accumulate, max_epochs=epochs, max_steps=limit
    )
    factor = task.configure_optimizers()["lr_scheduler"]["scheduler"].lr_lambdas[0]
    assert factor(steps) == pytest.approx(0)
    assert factor(steps - 1) > 0


def test_answers_that_are_no_numbers_have_no_name() -> None:
    probabilities = torch.eye(7)[:3]
    probabilities[1] = math.nan
    columns = two_targets().columns({"emotion": probabilities, "au": torch.zeros(3, 5)})
    entries = SPACES["emotion"].entries
    assert columns["emotion"] == [entries[0], None, entries[2]]
