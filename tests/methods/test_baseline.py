"""What is particular to the baselines: how pixels reach them, where weights come from, the two rates."""

import math
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from fer_zoo.core.cards import Terms
from fer_zoo.core.errors import UserError
from fer_zoo.engine.create import create_method
from fer_zoo.tasks.optimizers import parameter_groups

SMALL = {"backbone": "resnet10t", "image_size": 32}


def test_input_is_what_the_backbone_was_trained_on() -> None:
    config = timm.get_pretrained_cfg("resnet10t")
    spec = create_method("timm_classifier", colour="rgb", **SMALL).input_spec
    assert (spec.mean, spec.std, spec.channels) == (config.mean, config.std, 3)
    assert (spec.height, spec.width, spec.crop_scale, spec.alignment) == (32, 32, 1.25, "none")
    grey = create_method("timm_classifier", crop_scale=1.5, alignment="five_points", **SMALL).input_spec
    assert grey.mean == pytest.approx((sum(config.mean) / 3,))
    assert (grey.channels, grey.crop_scale, grey.alignment) == (1, 1.5, "five_points")


def test_output_is_the_head_on_pooled_features() -> None:
    task = create_method("timm_classifier", **SMALL).eval()
    image = torch.randn(2, 1, 32, 32)
    expected = task.network.head(task.network.backbone(image))
    assert torch.equal(task(image)["emotion"], expected)


def test_dropout_acts_in_training_only() -> None:
    task = create_method("timm_classifier", dropout=0.5, **SMALL).eval()
    image = torch.randn(4, 1, 32, 32)
    assert torch.equal(task(image)["emotion"], task(image)["emotion"])
    task.network.dropout.train()
    assert not torch.equal(task(image)["emotion"], task(image)["emotion"])


@pytest.mark.parametrize("target", ["au", "blendshapes", "expression"])
def test_regressor_learns_the_target_it_is_told(target: str) -> None:
    task = create_method("timm_regressor", target=target, **SMALL)
    assert list(task.spaces) == [target]
    assert task.monitor == (f"val/{target}/mae", False)


def test_backbone_and_head_have_rates_of_their_own() -> None:
    task = create_method("timm_classifier", learning_rate=0.1, backbone_rate_factor=0.01, **SMALL)
    rates = {group["name"]: group["lr"] for group in parameter_groups(task.network, task.settings)}
    assert rates["head"] == 0.1
    assert rates["backbone"] == pytest.approx(0.001)


def test_frozen_backbone_leaves_the_head_alone_to_learn() -> None:
    task = create_method("timm_classifier", freeze_backbone=True, **SMALL).train()
    assert [name for name, p in task.network.named_parameters() if p.requires_grad] == ["head.weight", "head.bias"]
    assert not task.network.backbone.model.bn1.training


def test_frozen_stages_do_not_learn_and_the_rest_does() -> None:
    task = create_method("timm_classifier", frozen_stages=2, **SMALL).train()
    model = task.network.backbone.model
    assert [model.bn1.training, model.layer1[0].bn1.training, model.layer2[0].bn1.training] == [False, False, True]
    learning = {
        name.split(".")[2] for name, p in task.network.named_parameters() if p.requires_grad and "model" in name
    }
    assert learning == {"layer2", "layer3", "layer4"}
    assert task.network.head.weight.requires_grad


def test_backbone_is_frozen_in_one_way() -> None:
    with pytest.raises(UserError, match=r"freezes all stages, so leave out method\.frozen_stages"):
        create_method("timm_classifier", freeze_backbone=True, frozen_stages=1, **SMALL)
    with pytest.raises(UserError, match="has 5 stages; set at most 5"):
        create_method("timm_classifier", frozen_stages=9, **SMALL)


def test_weights_from_a_file_are_used_and_told(tmp_path: Path) -> None:
    source = create_method("timm_classifier", seed=1, **SMALL)
    save_file(source.network.backbone.model.state_dict(), tmp_path / "mine.safetensors")
    task = create_method("timm_classifier", seed=2, backbone_weights=str(tmp_path / "mine.safetensors"), **SMALL)
    for name, tensor in source.network.backbone.state_dict().items():
        assert torch.equal(tensor, task.network.backbone.state_dict()[name])
    assert not torch.equal(source.network.head.weight, task.network.head.weight)
    assert task.pretraining() == {"mine.safetensors": Terms("a file of the user's, terms unknown", "ask")}


def test_two_sources_of_weights_exclude_each_other() -> None:
    with pytest.raises(UserError, match="exclude each other"):
        create_method("timm_classifier", backbone_pretrained=True, backbone_weights="w.pth", **SMALL)


def test_pretrained_weights_bring_their_terms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    torch.manual_seed(0)
    file = tmp_path / "model.safetensors"
    save_file(timm.create_model("resnet10t", num_classes=1000).state_dict(), file)
    monkeypatch.setattr("fer_zoo.networks.backbone.pretrained_file", lambda name: file)
    task = create_method("timm_classifier", backbone_pretrained=True, **SMALL)
    ((name, terms),) = task.pretraining().items()
    assert "resnet10t" in name
    assert terms.commercial == "ask"
    assert not create_method("timm_classifier", **SMALL).pretraining()


@pytest.mark.parametrize("settings", [{"image_size": 8}, {"dropout": 1.0}, {"crop_scale": 0.1}, {"colour": "green"}])
def test_impossible_settings_are_told(settings: dict[str, object]) -> None:
    with pytest.raises(UserError, match=f"method.{next(iter(settings))}"):
        create_method("timm_classifier", **{**SMALL, **settings})


def test_first_loss_is_that_of_guessing() -> None:
    """Fresh heads are small: the cross-entropy is near log k."""
    task = create_method("timm_classifier", **SMALL).eval()
    outputs = task(torch.randn(64, 1, 32, 32))["emotion"]
    loss = task.objectives[0].loss(outputs, torch.arange(64) % 7)
    assert float(loss.detach()) == pytest.approx(math.log(7), abs=0.5)
