"""The loss of an epoch, against the loss of all its samples in one batch."""

import pytest
import torch

from fer_zoo.losses import cross_entropy, euclidean
from fer_zoo.losses.labelled import labelled_rows
from fer_zoo.tasks.loss_means import LossMeans


@pytest.mark.parametrize("batch_size", [1, 4, 7, 23])
def test_batches_do_not_matter(batch_size: int) -> None:
    generator = torch.Generator().manual_seed(0)
    outputs, target = torch.randn(23, 5, generator=generator), torch.randint(-1, 5, (23,), generator=generator)
    values = torch.randn(23, 5, generator=generator)
    values[::3] = torch.nan
    mean = LossMeans([2.0, 0.5])
    for rows in torch.arange(23).split(batch_size):
        losses = torch.stack([cross_entropy(outputs[rows], target[rows]), euclidean(outputs[rows], values[rows])])
        mean.update(losses, torch.stack([labelled_rows(target[rows]), labelled_rows(values[rows])]))
    whole = 2 * cross_entropy(outputs, target) + 0.5 * euclidean(outputs, values)
    torch.testing.assert_close(mean.compute(), whole)
    mean.reset()
    assert mean.counts.tolist() == [0, 0]


def test_a_target_without_labels_adds_nothing() -> None:
    mean = LossMeans([1.0, 1.0])
    mean.update(torch.tensor([0.75, 0.0]), torch.tensor([8.0, 0.0]))
    assert mean.compute() == 0.75


def test_a_loss_that_is_no_number_is_not_hidden() -> None:
    mean = LossMeans([1.0])
    mean.update(torch.tensor([torch.nan]), torch.tensor([8.0]))
    mean.update(torch.tensor([0.5]), torch.tensor([8.0]))
    assert mean.compute().isnan()


def test_no_graph_is_kept() -> None:
    mean = LossMeans([1.0])
    mean.update(torch.ones(1, requires_grad=True), torch.ones(1))
    assert not mean.compute().requires_grad
