"""Effects in closed form: what they change, what they leave, and that images do not touch each other."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from fer_zoo.core.errors import UserError
from fer_zoo.faces import backgrounds
from fer_zoo.faces.effects import Occluders, blurred, coarsened, compressed, mottled, noisy, occluded
from fer_zoo.faces.models.procedural.build import build
from fer_zoo.faces.renderer import Rendered, Renderer
from fer_zoo.faces.scenes import plain_scenes

SIZE = 48


@pytest.fixture(scope="module")
def rendered() -> Rendered:
    model = build()
    return Renderer(model, size=SIZE)(plain_scenes(model, 2, SIZE))


def thing(radius: float) -> Occluders:
    """A red disc over the mouth of the first face, nothing before the second."""
    return Occluders(
        centre=torch.tensor([[24.0, 33.0], [24.0, 33.0]]),
        radii=torch.tensor([[radius, radius], [0.0, 0.0]]),
        angle=torch.zeros(2),
        roundness=torch.full((2,), 2.0),
        colour=torch.tensor([[1.0, 0.0, 0.0]] * 2),
    )


def test_a_thing_hides_what_is_behind_it_and_nothing_else(rendered: Rendered) -> None:
    seen = occluded(rendered, thing(6.0))
    torch.testing.assert_close(seen.image[0, :, 33, 24], torch.tensor([1.0, 0.0, 0.0]))
    assert seen.mask[0, 33, 24] == 0 and rendered.mask[0, 33, 24] != 0
    y, x = torch.meshgrid(torch.arange(SIZE) + 0.5, torch.arange(SIZE) + 0.5, indexing="ij")
    far = ((x - 24) ** 2 + (y - 33) ** 2).sqrt() > 7
    assert torch.equal(seen.image[0][:, far], rendered.image[0][:, far])
    inside = ((rendered.landmarks[0] - torch.tensor([24.0, 33.0])).norm(dim=1)) < 5.5
    assert bool(inside.any()) and not bool(seen.visible[0][inside].any())
    assert torch.equal(seen.image[1], rendered.image[1]) and torch.equal(seen.visible[1], rendered.visible[1])


def test_behind_a_thing_there_is_no_depth_and_no_normal(rendered: Rendered) -> None:
    seen = occluded(rendered, thing(6.0))
    assert not rendered.depth[0, 33, 24].isnan()
    assert seen.depth[0, 33, 24].isnan() and not seen.normals[0, :, 33, 24].any()
    assert torch.equal(seen.mask > 0, (rendered.mask > 0) & ~seen.depth.isnan())
    assert torch.equal(seen.depth.isnan(), (seen.normals == 0).all(dim=1))
    assert seen.depth[1].numpy().tobytes() == rendered.depth[1].numpy().tobytes()
    assert torch.equal(seen.normals[1], rendered.normals[1])


def test_the_area_of_a_thing_is_that_of_an_ellipse(rendered: Rendered) -> None:
    ellipse = replace(thing(6.0), radii=torch.tensor([[10.0, 5.0]] * 2), angle=torch.tensor([0.3, 1.2]))
    white = replace(rendered, image=torch.zeros(2, 3, SIZE, SIZE))
    covered = occluded(white, ellipse).image[:, 0].sum(dim=(1, 2))
    assert covered.tolist() == pytest.approx([50 * torch.pi] * 2, rel=0.03)


def test_a_blur_spreads_a_point_as_a_gaussian_and_keeps_the_mean(rendered: Rendered) -> None:
    image = torch.zeros(2, 1, 41, 41)
    image[:, :, 20, 20] = 1
    spread = blurred(image, torch.tensor([0.0, 2.0]))
    assert torch.equal(spread[0], image[0])
    steps = torch.arange(41.0) - 20
    assert float(spread[1].sum()) == pytest.approx(1, abs=1e-5)
    assert float((spread[1, 0].sum(dim=0) * steps**2).sum()) == pytest.approx(4, rel=0.03)


@pytest.mark.parametrize(("count", "size"), [(2, 48), (5, 17), (17, 48), (16, 96)])
def test_a_blur_is_the_same_in_any_batch(count: int, size: int) -> None:
    generator = torch.Generator().manual_seed(1)
    images, deviation = torch.rand(count, 3, size, size, generator=generator), torch.linspace(0, 4, count)
    together = blurred(images, deviation)
    for chosen in ([0], [count - 1], [1, 0], list(range(count))[::-1]):
        assert blurred(images[chosen], deviation[chosen]).numpy().tobytes() == together[chosen].numpy().tobytes()


@pytest.mark.parametrize(("value", "shown"), [(-0.1, "-0.1"), (4.01, "4.01"), (float("nan"), "nan")])
def test_no_such_blur(rendered: Rendered, value: float, shown: str) -> None:
    with pytest.raises(UserError, match=rf"deviation of the blur of image 1 is {shown}; it must lie in \[0, 4\]"):
        blurred(rendered.image, torch.tensor([4.0, value]))


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_no_such_noise(rendered: Rendered, value: float) -> None:
    with pytest.raises(UserError, match=rf"deviation of the noise of image 0 is {value:g}; it must be at least 0"):
        noisy(rendered.image, torch.tensor([value, 0.0]), seeds=(1, 2))


@pytest.mark.parametrize("seeds", [(), (1,), (1, 2, 3)])
def test_noise_needs_a_seed_of_each_image(rendered: Rendered, seeds: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=f"{len(seeds)} seeds were given for 2 images"):
        noisy(rendered.image, torch.zeros(2), seeds=seeds)


def test_few_pixels_are_the_means_of_many() -> None:
    image = torch.rand(2, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    through = coarsened(image, torch.tensor([3, 12]))
    assert torch.equal(through[1], image[1])
    small = image[:1].unflatten(2, (3, 4)).unflatten(4, (3, 4)).mean(dim=(3, 5))
    wanted = F.interpolate(small, size=(12, 12), mode="bilinear", align_corners=False)
    torch.testing.assert_close(through[:1], wanted, atol=1e-6, rtol=0)


def test_few_pixels_of_an_image_do_not_depend_on_others() -> None:
    image = torch.rand(5, 3, 31, 31, generator=torch.Generator().manual_seed(1))
    sides = torch.tensor([5, 40, 11, 31, 30])
    together = coarsened(image, sides)
    for i in range(5):
        assert torch.equal(coarsened(image[i : i + 1], sides[i : i + 1])[0], together[i])


def test_no_such_number_of_pixels(rendered: Rendered) -> None:
    with pytest.raises(UserError, match="cannot be averaged down to 0 pixels a side; 1 is the least"):
        coarsened(rendered.image, torch.tensor([4, 0]))


def test_noise_is_that_of_the_image_alone() -> None:
    image = torch.full((3, 3, 32, 32), 0.5)
    together = noisy(image, torch.tensor([0.1, 0.05, 0.0]), seeds=(7, 8, 9))
    alone = noisy(image[1:2], torch.tensor([0.05]), seeds=(8,))
    assert torch.equal(together[1:2], alone) and torch.equal(together[2], image[2])
    assert float(together[0].std()) == pytest.approx(0.1, rel=0.05)


def test_patches_are_a_sixteenth_and_a_thirty_second_of_the_sides() -> None:
    """At 16 pixels a cell of the coarse ones is a pixel, in which four of the fine ones are averaged."""
    generator = np.random.Generator(np.random.Philox([7, 1]))
    coarse, fine = (torch.from_numpy(generator.standard_normal((n, n), np.float32)) for n in (16, 32))
    wanted = 0.5 + 0.5 * 0.02 * (coarse + fine.unflatten(0, (16, 2)).unflatten(2, (16, 2)).mean(dim=(1, 3)))
    found = mottled(torch.full((1, 3, 16, 16), 0.5), torch.tensor([0.02]), seeds=(7,))
    torch.testing.assert_close(found, wanted.expand(1, 3, -1, -1), atol=1e-6, rtol=0)


@pytest.mark.parametrize(("height", "width"), [(96, 96), (64, 128), (8, 8)])
def test_patches_are_as_strong_as_said_in_all_channels_alike(height: int, width: int) -> None:
    image = torch.full((12, 3, height, width), 0.5)
    found = mottled(image, torch.full((12,), 0.05), seeds=range(12)) - 0.5
    torch.testing.assert_close(found, found[:, :1].expand_as(found))
    assert float(found.mean()) == pytest.approx(0, abs=0.01)
    if height > 8:  # in fewer pixels than cells few cells are seen
        assert float(found.std()) == pytest.approx(0.5 * 0.05, rel=0.1)


def test_patches_are_those_of_the_image_alone_and_stay_within_bounds() -> None:
    image = torch.rand(4, 3, 24, 24, generator=torch.Generator().manual_seed(2))
    deviation = torch.tensor([0.05, 0.0, 0.4, 0.05])
    together = mottled(image, deviation, seeds=(1, 2, 3, 1))
    for i, seed in enumerate((1, 2, 3, 1)):
        assert torch.equal(mottled(image[i : i + 1], deviation[i : i + 1], seeds=(seed,))[0], together[i])
    assert torch.equal(together[1], image[1])
    assert together.min() == 0 and together.max() == 1


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_no_such_patches(rendered: Rendered, value: float) -> None:
    with pytest.raises(UserError, match=rf"deviation of the patches of image 1 is {value:g}; it must be at least 0"):
        mottled(rendered.image, torch.tensor([0.0, value]), seeds=(1, 2))


@pytest.mark.parametrize("seeds", [(), (1,), (1, 2, 3)])
def test_patches_need_a_seed_of_each_image(rendered: Rendered, seeds: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=f"{len(seeds)} seeds were given for 2 images; patches need one of each"):
        mottled(rendered.image, torch.zeros(2), seeds=seeds)


def test_jpeg_of_high_quality_changes_little_and_of_low_quality_more(rendered: Rendered) -> None:
    image = rendered.image
    fine, coarse = (compressed(image, torch.full((2,), quality)) for quality in (95, 10))
    assert float((fine - image).abs().mean()) < 0.02 < float((coarse - image).abs().max())
    assert float((fine - image).abs().mean()) < float((coarse - image).abs().mean())


@pytest.mark.parametrize("quality", [0, 101])
def test_no_such_quality(rendered: Rendered, quality: int) -> None:
    with pytest.raises(UserError, match="qualities from 1 to 100"):
        compressed(rendered.image, torch.full((2,), quality))


def test_backgrounds_are_what_they_say() -> None:
    red, blue = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[0.0, 0.0, 1.0]])
    plain = backgrounds.uniform(red)
    assert plain.shape == (1, 3, backgrounds.GRID, backgrounds.GRID) and torch.equal(plain[0, :, 3, 5], red[0])
    run = backgrounds.gradient(red, blue, torch.zeros(1))
    assert torch.allclose(run[0, :, 4, 0], red[0]) and torch.allclose(run[0, :, 4, -1], blue[0])
    noise = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    room = backgrounds.clutter(torch.full((1, 3), 0.5), torch.full((1,), 0.1), noise)
    assert float(room.mean(dim=1).std()) == pytest.approx(0.1, rel=0.25)
    assert float(room.std(dim=1).mean()) < 0.06


def test_nothing_to_draw_is_said() -> None:
    model = build()
    with pytest.raises(UserError, match="no scene to draw"):
        Renderer(model, size=SIZE)(plain_scenes(model, 1, SIZE).rows(torch.zeros(0, dtype=torch.long)))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("centre", float("nan"), r"centre\[0\] of face 0 is nan; it must be a finite number"),
        ("roundness", float("inf"), "roundness of face 0 is inf"),
        ("colour", 7.0, r"colour\[0\] of face 0 is 7; it must lie in \[0, 1\]"),
    ],
)
def test_no_such_thing(rendered: Rendered, field: str, value: float, said: str) -> None:
    wrong = thing(8.0)
    with pytest.raises(UserError, match=said):
        occluded(rendered, replace(wrong, **{field: torch.full_like(getattr(wrong, field), value)}))
