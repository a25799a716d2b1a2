"""Backbones: any timm model, with weights from a hub's cache or a file of the user's."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
from huggingface_hub import constants
from safetensors.torch import save_file

from fer_zoo.core.errors import UserError
from fer_zoo.networks.backbone import Backbone, pretrained_file

NAME = "resnet10t"


def backbone(name: str = NAME, *, in_channels: int = 1, size: int = 32, seed: int = 0) -> Backbone:
    torch.manual_seed(seed)
    return Backbone(name, in_channels=in_channels, image_size=(size, size))


def equal(first: Backbone, second: Backbone) -> bool:
    one, two = first.model.state_dict(), second.model.state_dict()
    return all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("channels", [1, 3])
def test_pooled_features(channels: int) -> None:
    model = backbone(in_channels=channels).eval()
    assert model(torch.randn(2, channels, 32, 32)).shape == (2, model.num_features)
    assert model.num_features == 512


@pytest.mark.parametrize(
    "name",
    [
        "vit_tiny_patch16_224",
        "mobilenetv3_small_050",
        "convnext_atto",
        "efficientnet_b0",
        "swin_tiny_patch4_window7_224",
    ],
)
def test_families_at_96_pixels(name: str) -> None:
    """Also those built for one size, and those whose head has a layer of its own."""
    model = backbone(name, size=96).eval()
    assert model(torch.randn(2, 1, 96, 96)).shape == (2, model.num_features)


def test_unknown_name_gives_the_nearest() -> None:
    with pytest.raises(UserError, match=r"resnet10s.*resnet10t"):
        backbone("resnet10s")


def test_same_numbers_as_timm() -> None:
    torch.manual_seed(0)
    reference = timm.create_model(NAME, num_classes=0, in_chans=1).eval()
    image = torch.randn(2, 1, 32, 32)
    assert torch.equal(backbone().eval()(image), reference(image))


def test_file_round_trip(tmp_path: Path) -> None:
    source, target = backbone(seed=1), backbone(seed=2)
    assert not equal(source, target)
    save_file(source.model.state_dict(), tmp_path / "w.safetensors")
    assert target.load_file(tmp_path / "w.safetensors") == []
    assert equal(source, target)


@pytest.mark.parametrize("prefix", ["module.", "model.", "backbone.", "network.backbone.model.", "backbone.model."])
def test_prefixes_are_taken_off(tmp_path: Path, prefix: str) -> None:
    source, target = backbone(seed=1), backbone(seed=2)
    torch.save({"state_dict": {f"{prefix}{n}": t for n, t in source.model.state_dict().items()}}, tmp_path / "w.pth")
    target.load_file(tmp_path / "w.pth")
    assert equal(source, target)


def test_classifier_is_left_behind(tmp_path: Path) -> None:
    torch.manual_seed(1)
    whole = timm.create_model(NAME, num_classes=1000, in_chans=1)
    torch.save(whole.state_dict(), tmp_path / "w.pth")
    target = backbone(seed=2)
    assert target.load_file(tmp_path / "w.pth") == ["fc.bias", "fc.weight"]
    image = torch.randn(2, 1, 32, 32)
    expected = whole.eval().forward_head(whole.forward_features(image), pre_logits=True)
    torch.testing.assert_close(target.eval()(image), expected)


def test_own_checkpoint_serves_as_weights(trained_model: Path) -> None:
    target = backbone(seed=2)
    assert target.load_file(trained_model) == []


@pytest.fixture
def trained_model(tmp_path: Path) -> Path:
    from fer_zoo.engine.checkpoint import save_method
    from fer_zoo.engine.create import create_method

    save_method(tmp_path, create_method("timm_classifier", backbone=NAME, image_size=32), training={}, validation={})
    return tmp_path / "model.safetensors"


def test_colour_weights_on_grey_pictures(tmp_path: Path) -> None:
    """A grey picture gives what the colour network gives for it in three equal channels."""
    source, target = backbone(in_channels=3, seed=1).eval(), backbone(in_channels=1, seed=2).eval()
    save_file(source.model.state_dict(), tmp_path / "w.safetensors")
    target.load_file(tmp_path / "w.safetensors")
    grey = torch.randn(2, 1, 32, 32)
    torch.testing.assert_close(target(grey), source(grey.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-5)


def test_grey_weights_on_colour_pictures(tmp_path: Path) -> None:
    source, target = backbone(in_channels=1, seed=1).eval(), backbone(in_channels=3, seed=2).eval()
    save_file(source.model.state_dict(), tmp_path / "w.safetensors")
    target.load_file(tmp_path / "w.safetensors")
    grey = torch.randn(2, 1, 32, 32)
    torch.testing.assert_close(target(grey.expand(-1, 3, -1, -1)), source(grey), rtol=1e-4, atol=1e-5)


def test_missing_tensors_are_told(tmp_path: Path) -> None:
    tensors = dict(backbone().model.state_dict())
    tensors.pop("layer4.0.bn2.weight")
    save_file(tensors, tmp_path / "w.safetensors")
    with pytest.raises(UserError, match=r"lacks 1 of .*layer4\.0\.bn2\.weight"):
        backbone().load_file(tmp_path / "w.safetensors")


def test_wrong_shapes_are_told(tmp_path: Path) -> None:
    tensors = dict(backbone().model.state_dict())
    tensors["layer1.0.conv1.weight"] = torch.zeros(1, 2, 3, 3)
    save_file(tensors, tmp_path / "w.safetensors")
    with pytest.raises(UserError, match=r"layer1\.0\.conv1\.weight.*\(1, 2, 3, 3\)"):
        backbone().load_file(tmp_path / "w.safetensors")


def test_another_backbone_is_told_and_nothing_changes(tmp_path: Path) -> None:
    save_file(backbone("mobilenetv3_small_050").model.state_dict(), tmp_path / "w.safetensors")
    model, before = backbone(seed=3), backbone(seed=3)
    with pytest.raises(UserError, match="is it the same backbone"):
        model.load_file(tmp_path / "w.safetensors")
    assert equal(model, before)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Sets the hub's address and whether it may be asked, as HF_ENDPOINT and HF_HUB_OFFLINE do; an empty cache."""

    def set_hub(endpoint: str, offline: str) -> Path:
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", bool(offline))
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        monkeypatch.setenv("HF_ENDPOINT", endpoint)
        return tmp_path

    return set_hub


def refused() -> tuple[float, str]:
    """After how many seconds pretrained weights are refused, and the sentence."""
    start = time.perf_counter()
    with pytest.raises(UserError) as error:
        Backbone(NAME, in_channels=1, image_size=(32, 32), pretrained=True)
    return time.perf_counter() - start, str(error.value)


@pytest.mark.parametrize(("endpoint", "offline"), [("", "1"), ("http://127.0.0.1:9", ""), ("no address", "")])
def test_no_network_and_no_cache_is_told_at_once(hub: Callable[[str, str], Path], endpoint: str, offline: str) -> None:
    hub(endpoint, offline)
    seconds, sentence = refused()
    assert seconds < 6
    assert "backbone_pretrained=false" in sentence
    assert "\n" not in sentence


def test_hub_that_never_answers_is_given_up(hub: Callable[[str, str], Path]) -> None:
    """A port that takes the connection and stays silent."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        hub(f"http://127.0.0.1:{server.getsockname()[1]}", "")
        seconds, sentence = refused()
    assert seconds < 10
    assert "backbone_pretrained=false" in sentence


def fake_cache(folder: Path, tensors: dict[str, torch.Tensor]) -> Path:
    """A hub cache that holds the weights of `NAME`, laid out as the hub's client does."""
    repository = timm.get_pretrained_cfg(NAME).hf_hub_id
    base = folder / "hub" / f"models--{repository.replace('/', '--')}"
    snapshot = base / "snapshots" / "0123456789abcdef"
    snapshot.mkdir(parents=True)
    (base / "refs").mkdir()
    (base / "refs" / "main").write_text("0123456789abcdef")
    save_file(tensors, snapshot / "model.safetensors")
    return snapshot / "model.safetensors"


def test_weights_come_from_the_cache_without_a_network(tmp_path: Path) -> None:
    torch.manual_seed(4)
    whole = timm.create_model(NAME, num_classes=1000, in_chans=3)
    whole.bn1.weight.data.fill_(0.625)
    fake_cache(tmp_path, whole.state_dict())
    code = (
        "from fer_zoo.networks.backbone import Backbone\n"
        f"model = Backbone({NAME!r}, in_channels=1, image_size=(32, 32), pretrained=True)\n"
        "print('loaded', float(model.model.bn1.weight.mean()))"
    )
    others = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGINGFACE", "TRANSFORMERS"))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**others, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "loaded 0.625", done.stdout + done.stderr


def test_damaged_cache_is_told(hub: Callable[[str, str], Path]) -> None:
    file = fake_cache(hub("", "1"), {"a": torch.ones(3)})
    file.write_bytes(file.read_bytes()[:20])
    assert "model.safetensors" in refused()[1]


def test_model_without_weights_is_told() -> None:
    without = next(n for n in timm.list_models("resnet*") if not timm.get_pretrained_cfg(n).hf_hub_id)
    with pytest.raises(UserError, match="no pretrained weights"):
        pretrained_file(without)


STAGES = [
    ("resnet10t", 32, 5),
    ("test_convnext", 32, 6),
    ("vit_tiny_patch16_224", 32, 13),
    ("mobilenetv3_small_050", 32, 8),
]


@pytest.mark.parametrize(("name", "size", "count"), STAGES)
def test_every_parameter_has_a_stage(name: str, size: int, count: int) -> None:
    model = backbone(name, size=size)
    stages = model.stages()
    assert set(stages) == {parameter for parameter, _ in model.named_parameters()}
    assert sorted(set(stages.values())) == list(range(count))


def test_position_embeddings_and_tokens_belong_to_the_first_stage() -> None:
    stages = backbone("vit_tiny_patch16_224").stages()
    for name in ("cls_token", "pos_embed", "patch_embed.proj.weight"):
        assert stages[f"model.{name}"] == 0
    assert stages["model.blocks.0.norm1.weight"] == 1
    assert stages["model.norm.weight"] == stages["model.blocks.11.norm1.weight"] == 12


@pytest.mark.parametrize(("name", "size", "count"), STAGES)
def test_frozen_stages_stay_as_they_are(name: str, size: int, count: int) -> None:
    """After steps with large rates, parameters and batch statistics below are bit for bit what they were."""
    model = backbone(name, size=size)
    model.freeze_stages(2)
    stages = model.stages()
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    for _ in range(2):
        model.train()
        model(torch.randn(4, 1, size, size)).square().mean().backward()
        optimizer.step()
    after = model.state_dict()
    still = {key for key, stage in stages.items() if stage < 2}
    assert still == {key for key, parameter in model.named_parameters() if not parameter.requires_grad}
    assert all(torch.equal(before[key], after[key]) for key in still)
    statistics = [key for key in before if "running_" in key]
    frozen = [key for key in statistics if stages[f"{key.rpartition('.')[0]}.weight"] < 2]
    assert bool(statistics) == bool(frozen)  # those without batch norms have none
    assert all(torch.equal(before[key], after[key]) == (key in frozen) for key in statistics)
    assert any(not torch.equal(before[key], after[key]) for key in stages if key not in still)


def test_nothing_frozen_changes_nothing() -> None:
    model = backbone()
    model.freeze_stages(0)
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all(module.training for module in model.train().modules())


def test_all_stages_can_be_frozen_and_not_one_more() -> None:
    model = backbone()
    model.freeze_stages(5)
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert not any(module.training for module in model.train().model.modules())
    with pytest.raises(UserError, match=r"method\.frozen_stages is 6, but resnet10t has 5 stages"):
        model.freeze_stages(6)


def test_backbone_without_stages_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    model = backbone()
    monkeypatch.setattr(type(model.model), "group_matcher", None)
    with pytest.raises(UserError, match="timm does not say what the stages of resnet10t are"):
        model.freeze_stages(1)
