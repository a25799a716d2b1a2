"""Two processes train and score as one does, and mixed precision trains about as full precision does."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import torch
from fakes import processes
from safetensors.torch import load_file
from torch import Tensor

from fer_zoo.core.files import read_json
from fer_zoo.engine.config import compose
from fer_zoo.engine.create import create_method
from fer_zoo.engine.run import Run, open_run
from fer_zoo.tasks.face_task import FaceTask

TOGETHER = 64  # samples of a step, over all processes
WEIGHT_TOLERANCE = 1e-5
METRIC_TOLERANCE = 1e-6
# bfloat16 keeps 8 bits, so each number of a step is off by up to 2**-9 of itself.
BF16_MOVEMENT = 0.02  # of what the weights moved in float32; 0.003 on the processor
BF16_LOSS = 0.01  # of the loss of an epoch; 0.003 on the processor

CLASSES = {"method": "timm_classifier", "dataset.label_column": "mood"}
VALUES = {"method": "timm_regressor", "dataset.au_columns": ",".join(processes.AUS)}
LOSSES: Mapping[str, Mapping[str, str]] = {
    "cross_entropy": CLASSES,
    "weighted_cross_entropy": {**CLASSES, "method.class_weights": "balanced"},
    "focal": {**CLASSES, "method.loss": "focal"},
    "mean_absolute": {**VALUES, "method.loss": "mean_absolute"},
}


@dataclass(frozen=True)
class Trained:
    """Weights that were kept, a row an epoch, and the epoch that was kept."""

    weights: Mapping[str, Tensor]
    epochs: pd.DataFrame
    kept: int


def has_gpus(number: int) -> pytest.MarkDecorator:
    missing = f"needs {'a GPU' if number == 1 else f'{number} GPUs'}, PyTorch finds {torch.cuda.device_count()} here"
    return pytest.mark.skipif(torch.cuda.device_count() < number, reason=missing)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return processes.write(tmp_path_factory.mktemp("processes") / "faces")


def words_of(root: Path, output: Path, loss: str, *, number: int) -> dict[str, str]:
    size = str(TOGETHER // number)
    rules = {"trainer.selection": "last"}  # so that all six steps are in the weights that are compared
    return {**processes.settings(root), **LOSSES[loss], **rules, "data.batch_size": size, "output": str(output)}


def read(output: Path) -> Trained:
    (run,) = output.glob("*/*")
    weights = load_file(run / "model" / "model.safetensors")
    return Trained(
        weights, pd.read_csv(run / "metrics.csv"), read_json(run / "model" / "card.json")["validation"]["epoch"]
    )


def trained(root: Path, folder: Path, losses: Sequence[str], *, number: int, kind: str = "cpu") -> dict[str, Trained]:
    """Each loss, trained in so many processes."""
    outputs = {loss: folder / str(number) / loss for loss in losses}
    processes.train_all(
        [words_of(root, outputs[loss], loss, number=number) for loss in losses], number=number, kind=kind
    )
    return {loss: read(output) for loss, output in outputs.items()}


def opened(root: Path, loss: str) -> Run:
    words = [*words_of(root, root.parent / "opened", loss, number=1).items(), ("trainer", "cpu")]
    return open_run(compose(words, verb="train"), echo=lambda line: None)


def distance(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> float:
    return max(float((tensor.double() - second[name].double()).abs().max()) for name, tensor in first.items())


@pytest.mark.parametrize(
    "losses",
    [
        pytest.param(("weighted_cross_entropy", "mean_absolute"), id="weighted"),
        pytest.param(("cross_entropy", "focal"), id="unweighted", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("kind", ["cpu", pytest.param("gpu", marks=has_gpus(2))])
def test_two_processes_train_and_score_as_one(
    kind: str, losses: tuple[str, ...], root: Path, tmp_path: Path, blank_pictures: None
) -> None:
    """The same weights and the same values after each epoch; labels are missing, and the last batches not full."""
    one = trained(root, tmp_path, losses, number=1, kind=kind)
    two = trained(root, tmp_path, losses, number=2, kind=kind)
    for loss in losses:
        run = opened(root, loss)
        assert len(run.split.validation) % TOGETHER
        assert one[loss].epochs["step"].tolist() == [2, 4, 6]
        assert one[loss].kept == two[loss].kept == 3
        start = run.new_task().network.state_dict()
        assert distance(one[loss].weights, start) > 1000 * WEIGHT_TOLERANCE, loss
        assert distance(one[loss].weights, two[loss].weights) < WEIGHT_TOLERANCE, loss
        assert {"train/loss", "val/loss"} < set(one[loss].epochs)
        pd.testing.assert_frame_equal(one[loss].epochs, two[loss].epochs, rtol=METRIC_TOLERANCE, atol=METRIC_TOLERANCE)
    assert len(opened(root, "focal").split.validation) % 2 == 1


def test_without_the_counts_of_the_others_two_processes_train_otherwise(
    root: Path, tmp_path: Path, blank_pictures: None
) -> None:
    """What the test above would find."""
    loss = "weighted_cross_entropy"
    for number, patched in ((1, {}), (2, {"_shares": lambda task, counts: torch.ones_like(counts)})):
        words = words_of(root, tmp_path / str(number), loss, number=number)
        processes.train_all([words], number=number, patched=patched)
    assert distance(read(tmp_path / "1").weights, read(tmp_path / "2").weights) > 10 * WEIGHT_TOLERANCE


def samples(task: FaceTask, number: int = 32) -> dict[str, Tensor]:
    spec, generator = task.input_spec, torch.Generator().manual_seed(0)
    image = torch.randn(number, spec.channels, spec.height, spec.width, generator=generator)
    (space,) = task.spaces.values()
    target = torch.arange(number) % len(space) if space.kind == "classes" else 5 * torch.rand(number, len(space))
    target[0] = -1 if space.kind == "classes" else math.nan
    return {"image": image, "row": torch.arange(number), space.target: target}


@pytest.mark.parametrize("method", ["timm_classifier", "timm_regressor"])
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=has_gpus(1))])
def test_losses_and_sums_stay_in_full_precision(method: str, device: str) -> None:
    task = create_method(method, backbone="test_vit", image_size=32).to(device)
    task.log = lambda *args, **kwargs: None  # type: ignore[method-assign]
    batch = {name: values.to(device) for name, values in samples(task).items()}
    with torch.autocast(device, torch.bfloat16):
        (outputs,) = task(batch["image"]).values()
        assert outputs.dtype == torch.bfloat16
        assert task.training_step(batch, 0).dtype == torch.float32
        task.validation_step(batch, 0)
        (predictions,) = task.predictions(task(batch["image"])).values()
    assert predictions.dtype == torch.float32
    (scores,) = task.scores.values()
    sums = [getattr(scores, f"{family}_sums") for family in scores.families]  # type: ignore[union-attr]
    assert sums and {values.dtype for values in sums} == {torch.float64}
    assert {values.dtype for mean in task.loss_means.values() for values in (mean.totals, mean.counts)} == {
        torch.float32
    }


@pytest.mark.parametrize("loss", ["weighted_cross_entropy", "mean_absolute"])
@pytest.mark.parametrize("kind", ["cpu", pytest.param("gpu", marks=has_gpus(1))])
def test_bfloat16_trains_about_as_float32(
    kind: str, loss: str, root: Path, tmp_path: Path, blank_pictures: None
) -> None:
    found = {}
    for precision in ("32", "bf16-mixed"):
        output = tmp_path / precision
        words = {**words_of(root, output, loss, number=1), "method.learning_rate": "0.01"}
        words["trainer.precision"] = precision
        processes.train_all([words], number=1, kind=kind)
        found[precision] = read(output)
    exact, rounded = found["32"], found["bf16-mixed"]
    start = opened(root, loss).new_task().network.state_dict()
    moved = {name: values - start[name] for name, values in exact.weights.items() if values.is_floating_point()}
    apart = {name: rounded.weights[name] - exact.weights[name] for name in moved}
    assert exact.kept == rounded.kept == 3
    assert all(values.dtype == torch.float32 for values in rounded.weights.values())
    assert 0 < norm(apart) < BF16_MOVEMENT * norm(moved)
    for name in ("train/loss", "val/loss"):
        assert rounded.epochs[name].tolist() == pytest.approx(exact.epochs[name].tolist(), rel=BF16_LOSS)


def norm(tensors: Mapping[str, Tensor]) -> float:
    return math.sqrt(sum(float(values.double().square().sum()) for values in tensors.values()))
