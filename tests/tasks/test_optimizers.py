"""Groups of parameters and the course of the rate, against closed forms."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from fer_zoo.core.errors import UserError
from fer_zoo.core.method_settings import OptimizerSettings
from fer_zoo.networks.backbone import Backbone
from fer_zoo.tasks.optimizers import build_optimizers, parameter_groups, rate_factor


class Network(nn.Module):
    """A backbone of 4 tensors, a head of 2 and a single factor."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))
        self.head = nn.Linear(4, 3)
        self.scale = nn.Parameter(torch.ones(()))


def build(**settings: Any) -> dict[str, Any]:
    return build_optimizers(Network(), OptimizerSettings(**settings), steps=100, monitor=("val/x", True))


def test_groups_hold_every_parameter_once() -> None:
    network = Network()
    groups = parameter_groups(network, OptimizerSettings(learning_rate=0.5, backbone_rate_factor=0.1, weight_decay=0.3))
    found = [parameter for group in groups for parameter in group["params"]]
    assert sorted(map(id, found)) == sorted(map(id, network.parameters()))
    by_name = {group["name"]: group for group in groups}
    assert by_name["backbone"]["params"] == [network.backbone[0].weight]
    assert len(by_name["backbone, no decay"]["params"]) == 3  # bias of the convolution, scale and shift of the norm
    assert by_name["head"]["params"] == [network.head.weight]
    assert len(by_name["head, no decay"]["params"]) == 2
    assert [group["weight_decay"] for group in by_name.values()] == [0.3 if "no" not in n else 0 for n in by_name]
    assert [group["lr"] for group in by_name.values()] == [0.05 if n.startswith("b") else 0.5 for n in by_name]


def test_frozen_parameters_are_in_no_group() -> None:
    network = Network()
    network.backbone.requires_grad_(False)
    groups = parameter_groups(network, OptimizerSettings())
    assert sum(len(group["params"]) for group in groups) == 3


class StagedNetwork(nn.Module):
    """A timm backbone and a head."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.backbone = Backbone(name, in_channels=1, image_size=(32, 32))
        self.head = nn.Linear(self.backbone.num_features, 3)


@pytest.mark.parametrize(("name", "count"), [("resnet10t", 5), ("test_convnext", 6), ("vit_tiny_patch16_224", 13)])
def test_rates_fall_by_a_factor_from_stage_to_stage(name: str, count: int) -> None:
    network = StagedNetwork(name)
    settings = OptimizerSettings(learning_rate=0.4, backbone_rate_factor=0.5, layer_rate_decay=0.7, weight_decay=0.1)
    groups = parameter_groups(network, settings)
    found = [parameter for group in groups for parameter in group["params"]]
    assert sorted(map(id, found)) == sorted(map(id, network.parameters()))
    rates = {group["name"].removesuffix(", no decay"): group["lr"] for group in groups}
    expected = {f"backbone stage {stage}": 0.2 * 0.7 ** (count - 1 - stage) for stage in range(count)}
    assert rates == pytest.approx({**expected, "head": 0.4})
    of_name = {id(parameter): group["name"] for group in groups for parameter in group["params"]}
    for key, stage in network.backbone.stages().items():
        parameter = network.backbone.get_parameter(key)
        assert of_name[id(parameter)] == f"backbone stage {stage}" + ("" if parameter.ndim > 1 else ", no decay")


def test_frozen_stages_have_no_group() -> None:
    network = StagedNetwork("resnet10t")
    network.backbone.freeze_stages(3)
    names = {group["name"] for group in parameter_groups(network, OptimizerSettings(layer_rate_decay=0.5))}
    parts = ("backbone stage 3", "backbone stage 4", "head")
    assert names == {name for part in parts for name in (part, f"{part}, no decay")}


def test_rates_by_stage_need_stages() -> None:
    with pytest.raises(UserError, match="layer_rate_decay needs a backbone with stages"):
        parameter_groups(Network(), OptimizerSettings(layer_rate_decay=0.5))


@pytest.mark.parametrize(
    ("name", "kind"), [("sgd", torch.optim.SGD), ("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)]
)
def test_optimizer_by_name(name: str, kind: type[torch.optim.Optimizer]) -> None:
    optimizer = build(optimizer=name, momentum=0.7)["optimizer"]
    assert type(optimizer) is kind
    if name == "sgd":
        assert optimizer.param_groups[0]["momentum"] == 0.7


def test_decay_moves_weights_and_leaves_biases() -> None:
    """Without a gradient, one step of AdamW multiplies decayed weights by 1 - rate · decay."""
    network = Network()
    settings = OptimizerSettings(learning_rate=0.1, weight_decay=0.5, schedule="constant", warmup_share=0)
    optimizer = build_optimizers(network, settings, steps=10, monitor=("x", True))["optimizer"]
    before = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for name, parameter in network.named_parameters():
        factor = 0.95 if parameter.ndim >= 2 else 1.0
        torch.testing.assert_close(parameter.detach(), factor * before[name])


def test_rate_rises_and_falls_by_the_formula() -> None:
    factor = rate_factor(OptimizerSettings(schedule="cosine", warmup_share=0.2), 50)
    assert [factor(step) for step in range(10)] == pytest.approx([(step + 1) / 10 for step in range(10)])
    for step in range(10, 51):
        assert factor(step) == pytest.approx((1 + math.cos(math.pi * (step - 10) / 40)) / 2)
    assert factor(10) == 1
    assert factor(30) == pytest.approx(0.5)
    assert factor(50) == pytest.approx(0)
    assert factor(80) == pytest.approx(0)


def test_constant_rate() -> None:
    factor = rate_factor(OptimizerSettings(schedule="constant", warmup_share=0.1), 20)
    assert [factor(0), factor(1), factor(2), factor(19), factor(100)] == [0.5, 1, 1, 1, 1]


@given(st.sampled_from(["cosine", "constant"]), st.floats(0, 1), st.integers(1, 2000), st.integers(0, 3000))
def test_factor_stays_between_nothing_and_the_peak(schedule: str, share: float, steps: int, step: int) -> None:
    settings = OptimizerSettings(schedule=schedule, warmup_share=share)
    assert 0 <= rate_factor(settings, steps)(step) <= 1


def test_the_schedule_moves_all_groups_by_step() -> None:
    built = build(learning_rate=0.4, backbone_rate_factor=0.25, warmup_share=0.1, optimizer="sgd")
    optimizer, schedule = built["optimizer"], built["lr_scheduler"]
    assert schedule["interval"] == "step"
    for _ in range(55):
        optimizer.step()
        schedule["scheduler"].step()
    rates = {group["name"]: group["lr"] for group in optimizer.param_groups}
    assert rates["head"] == pytest.approx(0.4 * (1 + math.cos(math.pi * 45 / 90)) / 2)
    assert rates["backbone"] == pytest.approx(rates["head"] / 4)


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_plateau_follows_the_monitor(higher_is_better: bool) -> None:
    settings = OptimizerSettings(schedule="plateau", learning_rate=1.0)
    built = build_optimizers(Network(), settings, steps=10, monitor=("val/emotion/accuracy", higher_is_better))
    schedule = built["lr_scheduler"]
    assert schedule["monitor"] == "val/emotion/accuracy"
    for value in range(10):  # rises: good where higher is better, else bad
        schedule["scheduler"].step(float(value))
    rate = built["optimizer"].param_groups[0]["lr"]
    assert rate == (1.0 if higher_is_better else pytest.approx(0.01))
