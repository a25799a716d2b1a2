"""Weights of one task given to another: heads by name, everything else by name and shape or not at all."""

from typing import Any

import pytest
import torch
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import own_space
from fer_zoo.engine.create import create_method
from fer_zoo.engine.transfer import take_weights
from fer_zoo.tasks.face_task import FaceTask

SMALL: dict[str, Any] = {"backbone": "resnet10t", "image_size": 32}


def classifier(space: str = "emotion/basic7", seed: int = 0, **others: Any) -> FaceTask:
    return create_method("timm_classifier", label_spaces={"emotion": space}, seed=seed, **{**SMALL, **others})


def regressor(space: str, seed: int = 0, target: str = "au", **others: Any) -> FaceTask:
    spaces = {target: space}
    return create_method("timm_regressor", label_spaces=spaces, seed=seed, target=target, **{**SMALL, **others})


def copied(task: FaceTask) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in task.network.state_dict().items()}


def test_equal_spaces_take_everything() -> None:
    source, task = classifier(seed=1), classifier(seed=2)
    source.network.backbone.model.bn1.running_mean += 3
    transfer = take_weights(task, source, keep_labels=False)
    assert all(torch.equal(tensor, source.network.state_dict()[name]) for name, tensor in copied(task).items())
    assert transfer.tensors == len(source.network.state_dict())
    assert transfer.parameters == sum(p.numel() for p in source.network.parameters())
    (head,) = transfer.heads
    assert head.is_kept
    assert "head of emotion kept" in head.sentences()[0]


def test_same_names_in_another_order_are_the_same_head() -> None:
    """Both answer alike: rows meet by name."""
    source, task = classifier("emotion/basic7", seed=1), classifier("emotion/raf", seed=2)
    (head,) = take_weights(task, source, keep_labels=False).heads
    assert head.is_kept
    image = torch.randn(3, 1, 32, 32)
    expected, found = source.eval()(image)["emotion"], task.eval()(image)["emotion"]
    order = [source.spaces["emotion"].index(entry) for entry in task.spaces["emotion"].entries]
    torch.testing.assert_close(found, expected[:, order])


def test_another_space_gets_a_fresh_head_on_the_old_backbone() -> None:
    source, task = classifier(seed=1), classifier("emotion/basic8", seed=2)
    before = copied(task)
    transfer = take_weights(task, source, keep_labels=False)
    for name, tensor in task.network.state_dict().items():
        expected = before[name] if name.startswith("head.") else source.network.state_dict()[name]
        assert torch.equal(tensor, expected), name
    (head,) = transfer.heads
    assert (head.data_only, head.checkpoint_only, head.kept) == (("contempt",), (), ())
    assert transfer.tensors == len(before) - 2
    assert head.sentences() == [
        "head of emotion replaced, 8 entries:",
        "  in both, with fresh weights (keep_labels=true keeps the checkpoint's):"
        " anger, disgust, fear, happiness, neutral, sadness, surprise",
        "  in the data alone, with fresh weights: contempt",
    ]


def test_shared_names_keep_their_rows_when_asked() -> None:
    source = classifier("emotion/raf", seed=1)
    task = classifier("emotion/facial_expressions8", seed=2).train()
    before = copied(task)
    (head,) = take_weights(task, source, keep_labels=True).heads
    assert head.kept == head.shared == tuple(e for e in task.spaces["emotion"].entries if e != "contempt")
    for row, entry in enumerate(task.spaces["emotion"].entries):
        for name in ("head.weight", "head.bias"):
            tensor = task.network.state_dict()[name][row]
            if entry == "contempt":
                assert torch.equal(tensor, before[name][row])
            else:
                assert torch.equal(tensor, source.network.state_dict()[name][source.spaces["emotion"].index(entry)])
    assert "with the checkpoint's weights: anger" in head.sentences()[1]


def test_entries_of_the_checkpoint_alone_are_told() -> None:
    task = classifier("emotion/basic7:anger+fear")
    (head,) = take_weights(task, classifier(), keep_labels=True).heads
    assert head.checkpoint_only == ("disgust", "happiness", "neutral", "sadness", "surprise")
    assert any("in the checkpoint alone, from now on not predicted: disgust" in line for line in head.sentences())


def test_values_meet_by_name_as_classes_do() -> None:
    source, task = regressor("au/disfa12", seed=1), regressor("au/fera2015", seed=2)
    shared = [e for e in task.spaces["au"].entries if e in source.spaces["au"].entries]
    (head,) = take_weights(task, source, keep_labels=True).heads
    assert shared
    assert list(head.kept) == shared
    rows = [task.spaces["au"].index(entry) for entry in shared]
    since = [source.spaces["au"].index(entry) for entry in shared]
    assert torch.equal(task.network.head.weight[rows], source.network.head.weight[since])


@pytest.mark.parametrize("target", ["au", "blendshapes"])
def test_another_method_takes_the_backbone(target: str) -> None:
    source = classifier(seed=1)
    task = create_method("timm_regressor", target=target, seed=2, **SMALL)
    head = task.network.head.weight.detach().clone()
    transfer = take_weights(task, source, keep_labels=False)
    assert torch.equal(task.network.head.weight, head)
    for name, tensor in source.network.backbone.state_dict().items():
        assert torch.equal(tensor, task.network.backbone.state_dict()[name])
    new, left = [report.sentences()[0] for report in transfer.heads]
    assert new == f"head of {target} is new, with fresh weights for {len(task.spaces[target])} entries"
    assert left == "head of emotion (7 entries) left behind: it is not trained here"


def test_labels_cannot_be_kept_where_none_are_shared() -> None:
    mine = own_space("emotion", ["bored", "calm"], where="here")
    task = create_method("timm_classifier", label_spaces={"emotion": mine}, **SMALL)
    with pytest.raises(UserError, match=r"share no entry by name \(anger, .* and bored, calm\); leave keep_labels out"):
        take_weights(task, classifier(), keep_labels=True)
    with pytest.raises(UserError, match="share no entry by name"):
        take_weights(regressor("au/disfa12"), classifier(), keep_labels=True)


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        ({"backbone": "resnet18"}, r"backbone\.model\.\S+' is .*set method\.backbone=resnet10t as its card has it"),
        ({"colour": "rgb"}, r"x 1 x 3 x 3 in the checkpoint and is \d+ x 3 x 3 x 3 here; set method\.colour=grey"),
        ({"backbone": "test_vit"}, r"is not there in the checkpoint and is .* here; set method\.backbone=resnet10t"),
    ],
)
def test_what_does_not_fit_is_told_and_nothing_is_taken(others: dict[str, Any], sentence: str) -> None:
    task = classifier(**others)
    before = copied(task)
    with pytest.raises(UserError, match=sentence):
        take_weights(task, classifier(seed=1), keep_labels=False)
    assert all(torch.equal(tensor, before[name]) for name, tensor in task.network.state_dict().items())


def test_transformer_of_another_size_is_told() -> None:
    source = classifier(backbone="test_vit")
    with pytest.raises(UserError, match=r"pos_embed' is 1 x \d+ x 64 .* set method\.image_size=32 as its card has it"):
        take_weights(classifier(backbone="test_vit", image_size=64), source, keep_labels=False)
    take_weights(classifier(image_size=64), classifier(), keep_labels=False)  # convolutions take any size


def test_same_settings_and_another_network_is_another_version() -> None:
    source, task = classifier(), classifier()
    task.network.extra = torch.nn.Linear(1, 1)
    with pytest.raises(UserError, match=r"'extra\.weight' is not there .* comes from another version"):
        take_weights(task, source, keep_labels=False)
