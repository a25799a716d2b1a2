"""What is particular to BlendshapeFERNet: sizes of its trunk, covariance pooling, fusion, freezing, two losses."""

import math

import pytest
import torch

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import label_space, own_space
from fer_zoo.engine.create import create_method
from fer_zoo.methods.blendshape_fernet.trunk import CovariancePooling, Trunk, square_root
from fer_zoo.tasks.face_task import FaceTask

SMALL = {"image_width": 32, "image_height": 48, "width_mult": 0.125}
STAGES = ("fernet_identity", "image_fernet", "blendshape_net", "au_net")


def count(task: FaceTask) -> int:
    return sum(parameter.numel() for parameter in task.network.parameters())


@pytest.mark.parametrize(
    ("method", "settings", "expected"),
    [  # layer by layer: 9 · in · out weights, 2 · out of a norm or out biases, 10,752 · 128 + 128 of the first FC
        ("fernet_identity", {"norm": "none"}, 3_590_127),
        ("fernet_identity", {}, 3_590_959),
        ("image_fernet", {"norm": "none"}, 2_226_855),
        ("blendshape_net", {"norm": "none"}, 2_232_531),
        ("blendshape_fernet", {"norm": "none"}, 4_453_703),
        ("image_fernet", {"norm": "none", "width_mult": 0.5}, 901_975),
        ("blendshape_fernet", {"norm": "none", "width_mult": 0.5}, 1_803_943),
        ("image_fernet", {"width_mult": 0.5}, 902_391),
        ("blendshape_net", {"width_mult": 0.5}, 908_067),
        ("blendshape_fernet", {"width_mult": 0.5}, 1_804_775),
        ("au_fernet", {"width_mult": 0.5}, 1_804_775),
        ("twin_fernet", {"width_mult": 0.5}, 1_804_775),
        # Beside the convolutions (850,400): 256 · 64 channels narrowed, (2,080 + 1) · 128, 129 · 7.
        ("image_fernet", {"pooling": "covariance"}, 850_400 + 16_384 + 266_368 + 903),
    ],
)
def test_number_of_parameters(method: str, settings: dict[str, object], expected: int) -> None:
    people = own_space("identity", map(str, range(10_575)), where="CASIA-WebFace")
    spaces = {"identity": people} if method == "fernet_identity" else {}
    with torch.device("meta"):
        assert count(create_method(method, label_spaces=spaces, **settings)) == expected


def test_the_trunk_halves_its_sides_four_times_and_gives_features_of_any_sign_but_minus() -> None:
    trunk = create_method("image_fernet").network.trunk.eval()
    image = torch.randn(2, 3, 112, 96, generator=torch.Generator().manual_seed(0))
    assert trunk.convolutions(image).shape == (2, 256, 7, 6)
    features = trunk(image)
    assert features.shape == (2, 128)
    assert 0.2 < float((features > 0).float().mean()) < 0.8


def test_fresh_features_neither_fade_nor_grow_without_norms() -> None:
    """Seven layers with a rectifier each keep the size of what comes in."""
    network = create_method("image_fernet", norm="none").network.eval()
    image = torch.randn(4, 3, 112, 96, generator=torch.Generator().manual_seed(0))
    assert 0.3 < float(network.trunk(image).detach().square().mean().sqrt()) < 10


def covariances(number: int, channels: int, places: int) -> torch.Tensor:
    values = torch.randn(number, channels, places, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return values @ values.mT / places


@pytest.mark.parametrize("places", [200, 8])
def test_the_square_root_times_itself_is_the_covariance(places: int) -> None:
    """Also of one that has fewer places than channels, but for the thousandth that is added."""
    matrices = covariances(3, 12, places)
    root = square_root(matrices, iterations=20)
    mean = matrices.diagonal(dim1=1, dim2=2).mean(dim=1)[:, None, None]
    torch.testing.assert_close(root @ root, matrices + 1e-3 * mean * torch.eye(12, dtype=torch.float64))
    torch.testing.assert_close(root, root.mT)


def test_five_iterations_are_near_the_root() -> None:
    matrices = covariances(3, 12, 200)
    values, vectors = torch.linalg.eigh(matrices)
    exact = vectors @ torch.diag_embed(values.sqrt()) @ vectors.mT
    difference = square_root(matrices, iterations=CovariancePooling.ITERATIONS) - exact
    assert float(difference.norm() / exact.norm()) < 0.1


def test_covariance_pooling_has_gradients_even_of_a_constant_image() -> None:
    pooling = CovariancePooling(6, 4)
    for features in (torch.ones(2, 6, 3, 3), torch.randn(2, 6, 3, 3), torch.zeros(2, 6, 3, 3)):
        features.requires_grad_()
        pooling(features).square().sum().backward()
        assert features.grad is not None
        assert features.grad.isfinite().all()


def test_covariance_pooling_does_not_know_where_something_is() -> None:
    trunk = Trunk(
        in_channels=1, image_size=(48, 32), width_mult=0.125, norm="batch", pooling="covariance", num_features=8
    ).eval()
    maps = torch.randn(1, 32, 3, 2)
    shuffled = maps.flatten(2)[:, :, torch.randperm(6)].view_as(maps)
    torch.testing.assert_close(trunk.pooling(maps), trunk.pooling(shuffled))


@pytest.mark.parametrize("method", STAGES)
def test_every_stage_learns_with_covariance_pooling_and_without_norms(method: str) -> None:
    task = create_method(method, **SMALL, pooling="covariance", norm="none").train()
    target = next(iter(task.spaces))
    outputs = task(torch.randn(4, 3, 48, 32))[target]
    outputs.square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in task.network.parameters())


def test_fused_features_are_those_of_both_streams_in_order() -> None:
    task = create_method("blendshape_fernet", **SMALL).eval()
    features = task.features(torch.randn(3, 3, 48, 32))
    assert list(features) == ["image", "blendshape", "fused"]
    assert torch.equal(features["fused"], torch.cat([features["image"], features["blendshape"]], dim=1))
    fusion = task.network.fusion
    image = torch.randn(3, 3, 48, 32)
    assert torch.equal(task(image)["emotion"], fusion(task.features(image)["fused"]))


def test_frozen_streams_do_not_learn_and_keep_their_norms() -> None:
    task = create_method("blendshape_fernet", **SMALL, freeze_streams=True).train()
    before = {name: tensor.clone() for name, tensor in task.network.state_dict().items()}
    optimizer = torch.optim.SGD((p for p in task.network.parameters() if p.requires_grad), lr=1.0)
    task(torch.randn(8, 3, 48, 32))["emotion"].square().mean().backward()
    optimizer.step()
    changed = {name for name, tensor in task.network.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {"fusion.weight", "fusion.bias"}


def test_two_losses_are_added_where_a_sample_has_both_labels() -> None:
    spaces = {"emotion": label_space("emotion/basic7"), "blendshapes": label_space("blendshapes/51")}
    task = create_method("blendshape_fernet", **SMALL, label_spaces=spaces, second_weight=0.5).eval()
    task.log = lambda *args, **kwargs: None  # type: ignore[method-assign,assignment]
    image, emotion, values = torch.randn(4, 3, 48, 32), torch.tensor([0, 6, -1, -1]), torch.rand(4, 51)
    values[[0, 3]] = math.nan
    batch = {"image": image, "row": torch.arange(4), "emotion": emotion, "blendshapes": values}
    outputs = task(image)
    classes = torch.nn.functional.cross_entropy(outputs["emotion"][:2], emotion[:2])
    euclidean = (outputs["blendshapes"] - values)[1:3].square().sum() / (2 * 2)  # two labelled rows
    torch.testing.assert_close(task.training_step(batch, 0), classes + 0.5 * euclidean)
    assert set(task.predict_step(batch, 0)) == {"row", "emotion", "blendshapes"}


def test_two_losses_need_both_labels() -> None:
    with pytest.raises(UserError, match=r"second_weight is more than 0, so the data need labels of 'blendshapes'"):
        create_method("blendshape_fernet", **SMALL, second_weight=0.5)
    with pytest.raises(UserError, match="labels of 'au'"):
        create_method("au_fernet", **SMALL, second_weight=0.5)
