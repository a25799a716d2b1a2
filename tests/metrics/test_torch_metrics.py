import copy
import pickle
from pathlib import Path

import pytest
import torch
import torch.multiprocessing
from torch import Tensor, nn

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space
from fer_zoo.metrics import metric, metric_names, sums_of, torch_metrics
from fer_zoo.metrics.torch_metrics import SumsMetric

CLASSES, VALUES = label_space("emotion/basic6"), label_space("au/fera2015")
ROWS = 23


def class_rows() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    probabilities = torch.randn(ROWS, 6, generator=generator).softmax(dim=1)
    probabilities[3] = torch.nan
    return probabilities, torch.randint(-1, 6, (ROWS,), generator=generator)


def value_rows() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    target = torch.randint(0, 6, (ROWS, 5), generator=generator).float()
    target[:, 4] = 2.0  # a column without variance
    target[5, 1] = torch.nan
    return target + torch.randn(ROWS, 5, generator=generator), target


def both() -> tuple[SumsMetric, SumsMetric]:
    return SumsMetric(CLASSES, metric_names(CLASSES)), SumsMetric(VALUES, metric_names(VALUES))


def scores_of(rows: range, batch_size: int) -> dict[str, Tensor]:
    """Scores after updates with batches of some of the rows."""
    metrics = both()
    for scores, (prediction, target) in zip(metrics, (class_rows(), value_rows()), strict=True):
        for first in range(rows.start, rows.stop, batch_size):
            batch = slice(first, min(first + batch_size, rows.stop))
            scores.update(prediction[batch], target[batch])
    return metrics[0].compute() | metrics[1].compute()


def compute_in_process(rank: int, cuts: tuple[int, ...], folder: str) -> None:
    """What one of two processes does: its part of the rows, for each place of the cut."""
    store = torch.distributed.FileStore(f"{folder}/store", 2)
    torch.distributed.init_process_group("gloo", store=store, rank=rank, world_size=2)
    for cut in cuts:
        own = (range(cut), range(cut, ROWS))[rank]
        torch.save(scores_of(own, batch_size=4), Path(folder) / f"{cut}_{rank}.pt")
    torch.distributed.destroy_process_group()


def scores_of_values() -> dict[str, Tensor]:
    sums = sums_of("moments", *value_rows(), VALUES)
    found = {}
    for name in metric_names(VALUES):
        value = metric(name).value(sums)
        found[name] = value.nanmean()
        found |= {f"{name}/{entry}": one for entry, one in zip(VALUES.entries, value, strict=True)}
    return found


def test_keys_and_values() -> None:
    found = scores_of(range(ROWS), batch_size=ROWS)
    prediction, target = value_rows()
    per_name = metric("icc31").value(sums_of("moments", prediction, target, VALUES))
    assert found["icc31/AU12"] == per_name[2]
    assert found["icc31"] == per_name.nanmean()
    assert found["pearson/AU17"].isnan()
    torch.testing.assert_close(
        found["pearson"], torch.stack([found[f"pearson/{e}"] for e in VALUES.entries[:4]]).mean()
    )
    assert all(value.ndim == 0 and value.dtype == torch.float64 for value in found.values())
    assert set(found) == {
        *metric_names(CLASSES),
        *metric_names(VALUES),
        *(f"{name}/{entry}" for name in metric_names(VALUES) for entry in VALUES.entries),
    }


@pytest.mark.parametrize("batch_size", [1, 4, 7])
def test_batches_do_not_matter(batch_size: int) -> None:
    whole, batched = scores_of(range(ROWS), ROWS), scores_of(range(ROWS), batch_size)
    torch.testing.assert_close(batched, whole, rtol=1e-12, atol=1e-12, equal_nan=True)


def test_two_processes_with_uneven_ends_give_what_one_gives(tmp_path: Path) -> None:
    cuts = (14, 1, 12)  # 4 batches and 3, 1 and 6, 3 and 3 of which one is short
    torch.multiprocessing.start_processes(compute_in_process, (cuts, str(tmp_path)), nprocs=2, start_method="fork")
    whole = scores_of(range(ROWS), ROWS)
    for file in (f"{cut}_{rank}.pt" for cut in cuts for rank in range(2)):
        found = torch.load(tmp_path / file, weights_only=True)
        torch.testing.assert_close(found, whole, rtol=1e-12, atol=1e-12, equal_nan=True)


def test_forward_gives_the_batch_and_keeps_the_whole() -> None:
    scores = SumsMetric(CLASSES, ["accuracy"])
    one_hot = torch.eye(6)
    assert scores(one_hot[:2], torch.tensor([0, 1]))["accuracy"] == 1
    assert scores(one_hot[:2], torch.tensor([5, 5]))["accuracy"] == 0
    assert scores.compute()["accuracy"] == 0.5


def test_reset_forgets_and_copies_carry_the_sums() -> None:
    scores = both()[0]
    scores.update(*class_rows())
    copies = [copy.deepcopy(scores), pickle.loads(pickle.dumps(scores))]
    expected = scores.compute()
    scores.reset()
    assert scores.counts_sums.sum() == 0
    for other in copies:
        torch.testing.assert_close(other.compute(), expected)


def test_a_module_in_half_precision_keeps_float64_sums() -> None:
    module = nn.ModuleDict({"scores": both()[1]}).to(torch.bfloat16).half()
    scores = module["scores"]
    assert isinstance(scores, SumsMetric)
    scores.update(*value_rows())
    assert scores.moments_sums.dtype == torch.float64
    assert not module.state_dict()  # nothing of it in a checkpoint
    torch.testing.assert_close(scores.compute(), scores_of_values(), equal_nan=True)
    scores.to(torch.bfloat16)  # in the middle of an epoch
    torch.testing.assert_close(scores.moments_sums, sums_of("moments", *value_rows(), VALUES))
    scores.reset()
    assert scores.moments_sums.dtype == torch.float64


def test_sums_stay_on_the_processor_where_the_device_has_no_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = SumsMetric(VALUES, ["mae"]).to("meta")
    assert scores.moments_sums.device.type == "meta"
    monkeypatch.setattr(torch_metrics, "_WITHOUT_FLOAT64", ("meta",))
    scores = SumsMetric(VALUES, ["mae"]).to("meta")
    scores.update(*value_rows())
    assert scores.moments_sums.device.type == scores.device.type == "cpu"
    assert scores.compute()["mae"] > 0


def test_outputs_with_gradients_leave_no_graph() -> None:
    scores = SumsMetric(VALUES, ["mae"])
    scores.update(torch.ones(2, 5, requires_grad=True), torch.zeros(2, 5))
    assert not scores.compute()["mae"].requires_grad


def test_metrics_that_cannot_be_followed_are_refused() -> None:
    with pytest.raises(UserError, match="'confusion_matrix' is a table"):
        SumsMetric(CLASSES, ["accuracy", "confusion_matrix"])
    with pytest.raises(UserError, match="does not fit"):
        SumsMetric(CLASSES, ["icc31"])
    with pytest.raises(UserError, match="Did you mean 'icc31'"):
        SumsMetric(VALUES, ["icc3"])
