"""The rasteriser: closed forms, and an independent ray caster on heads in random poses."""

import numpy as np
import pytest
import torch
from fakes.ray_caster import cast, parallel_rays, rays_from
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.core.paths import data_roots
from fer_zoo.faces.face_model import ACTIONS, FaceModel
from fer_zoo.faces.models.ict import build as ict
from fer_zoo.faces.models.procedural.build import build
from fer_zoo.geometry.cameras import Pinhole, WeakPerspective
from fer_zoo.geometry.interpolation import interpolate
from fer_zoo.geometry.rasterizer import Hits, rasterize
from fer_zoo.geometry.rotations import rotated, rotation

SIZE = 96
ICT = next((root for root in data_roots("ict_facekit") if root.is_dir()), None)


def shown(*triangles: list[tuple[float, float, float]], height: int = 8, width: int = 8) -> Tensor:
    """Which of the triangles, given by corners (x, y, depth), each pixel shows; -1 for none."""
    return picture(drawn(*triangles, height=height, width=width), 1, height, width)[0]


def drawn(*triangles: list[tuple[float, float, float]], height: int = 8, width: int = 8) -> Hits:
    screen = torch.tensor([corner for triangle in triangles for corner in triangle]).reshape(-1, 3, 1)
    return rasterize(screen, torch.arange(len(screen)).view(-1, 3), height, width)


def picture(hits: Hits, count: int, height: int, width: int) -> Tensor:
    numbers = torch.full((count * height * width,), -1)
    numbers[hits.pixel] = hits.triangle
    return numbers.view(count, height, width)


def flat(corners: list[tuple[float, float]], depth: float = 0.0) -> list[tuple[float, float, float]]:
    return [(x, y, depth) for x, y in corners]


# Counter-clockwise for the viewer, whose y points down.
LOWER = [(0.0, 0.0), (0.0, 8.0), (8.0, 8.0)]  # the half of an 8 x 8 image below its diagonal
UPPER = [(0.0, 0.0), (8.0, 8.0), (8.0, 0.0)]


def heads(count: int, seed: int, model: FaceModel | None = None) -> tuple[FaceModel, Tensor]:
    """Random people with random faces in random poses, camera space."""
    model, generator = model or build(), torch.Generator().manual_seed(seed)
    identity = torch.randn(count, model.num_identity, generator=generator).clamp(-2, 2)
    actions = torch.rand(count, len(ACTIONS), generator=generator)
    actions *= torch.rand(count, len(ACTIONS), generator=generator) < 0.1
    angles = torch.randn(count, 3, generator=generator) * torch.tensor([0.6, 0.3, 0.3])
    return model, rotated(model.vertices(identity, actions), rotation(angles))


@pytest.mark.parametrize("camera", ["weak perspective", "pinhole"])
def test_heads_look_as_the_ray_caster_sees_them(camera: str) -> None:
    compare_with_the_ray_caster(*heads(2, seed=3), camera, SIZE)


@pytest.mark.skipif(ICT is None, reason="ICT-FaceKit is not here; `fer-zoo download ict_facekit` fetches it")
@pytest.mark.parametrize("camera", ["weak perspective", "pinhole"])
def test_a_scanned_head_looks_as_the_ray_caster_sees_it(camera: str) -> None:
    assert ICT is not None
    compare_with_the_ray_caster(*heads(1, seed=5, model=ict.build(ICT)), camera, SIZE // 2)


def compare_with_the_ray_caster(model: FaceModel, vertices: Tensor, camera: str, size: int) -> None:
    count, scale, centre, distance = vertices.shape[2], size / 4.2, (size / 2 + 1.3, 0.42 * size), 8.0
    scales, centres = torch.full((count,), scale), torch.tensor([centre]).repeat(count, 1)
    if camera == "pinhole":
        screen = Pinhole(torch.full((count,), distance), scales, centres).project(vertices)
        rays = rays_from(distance, size, size, scale, centre)
    else:
        screen = WeakPerspective(scales, centres).project(vertices)
        rays = parallel_rays(size, size, scale, centre)
    hits = rasterize(screen, model.triangles, size, size)
    depths = torch.full((count * size * size,), torch.nan).index_copy(0, hits.pixel, hits.depth).view(count, -1).numpy()
    numbers = picture(hits, count, size, size).view(count, -1).numpy()
    for face in range(count):
        expected, places = cast(vertices[:, :, face].double().numpy(), model.triangles.numpy(), rays)
        both = (numbers[face] >= 0) & (expected >= 0)
        places[~both] = np.nan
        factor = scale * distance / (distance - places[:, 2]) if camera == "pinhole" else scale
        error = np.abs(depths[face] + factor * places[:, 2])
        same = numbers[face] == expected
        assert both.sum() > size**2 / 3.1
        assert np.mean(same | (both & (error < 1e-3))) >= 0.995
        assert np.mean(same[both]) >= 0.995
        assert error[both & same].max() < 1e-3  # pixels


def test_each_pixel_centre_in_a_triangle_shows_it() -> None:
    x, y = np.meshgrid(np.arange(8) + 0.5, np.arange(8) + 0.5)
    corners = [(1.2, 0.7), (2.1, 7.3), (6.9, 4.2)]
    inside = np.ones((8, 8), bool)
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        inside &= (bx - ax) * (y - ay) - (by - ay) * (x - ax) < 0
    np.testing.assert_array_equal(shown(flat(corners)).numpy() == 0, inside)
    assert 10 < inside.sum() < 30


def test_the_nearer_of_two_triangles_is_shown_whichever_comes_first() -> None:
    near, far = flat(LOWER, depth=-1.0), flat([(0.0, 0.0), (0.0, 8.0), (8.0, 0.0)], depth=2.0)
    under = shown(far) == 0
    only_near = shown(near) == 0
    first, last = shown(near, far), shown(far, near)
    assert (under & only_near).sum() > 5
    assert torch.equal(first == 0, only_near)
    assert torch.equal(first == 1, under & ~only_near)
    assert torch.equal(last == 1, only_near)


def test_triangles_that_pierce_each_other_change_places_on_their_line() -> None:
    rising = [(0.0, 0.0, 0.0), (0.0, 16.0, 0.0), (16.0, 0.0, 16.0)]  # depth x
    level = flat([(0.0, 0.0), (0.0, 16.0), (16.0, 0.0)], depth=4.0)
    assert torch.equal(shown(rising, level)[0], torch.tensor([0, 0, 0, 0, 1, 1, 1, 1]))


def test_weights_and_depth_are_those_of_the_plane() -> None:
    hits = drawn([(0.0, 0.0, 1.0), (0.0, 8.0, 9.0), (8.0, 8.0, -7.0)])
    x, y = hits.pixel % 8 + 0.5, hits.pixel // 8 + 0.5
    torch.testing.assert_close(hits.weights, torch.stack((1 - y / 8, (y - x) / 8, x / 8), dim=1))
    torch.testing.assert_close(hits.depth, 1 + y - 2 * x)
    assert torch.equal(hits.face, torch.zeros_like(hits.pixel))
    assert torch.equal(hits.pixel, hits.pixel.sort().values)


def test_values_are_blended_by_the_weights() -> None:
    triangle = torch.tensor([flat(LOWER), flat([(0.0, 0.0), (0.0, 4.0), (4.0, 4.0)])]).permute(1, 2, 0)
    hits = rasterize(triangle.contiguous(), torch.tensor([[0, 1, 2]]), 8, 8)
    values = triangle[:, :2].clone().requires_grad_()
    blended = interpolate((values,), torch.tensor([[0, 1, 2]]), hits)
    place = torch.stack((hits.pixel % 8, hits.pixel // 8 % 8), dim=1) + 0.5
    torch.testing.assert_close(blended, place)  # a coordinate is its own linear function
    blended.sum().backward()
    torch.testing.assert_close(values.grad.sum(), torch.tensor(2.0 * len(hits.pixel)))


@pytest.mark.parametrize(
    "corners",
    [
        [(1.0, 1.0), (1.0, 1.0), (1.0, 1.0)],
        [(0.0, 0.5), (4.0, 0.5), (8.0, 0.5)],
        [(0.5, 0.5), (4.5, 4.5), (0.5, 0.5)],
        [(0.0, 0.0), (8.0, 8.0), (0.0, 8.0)],  # turned away
        [(-9.0, 0.0), (-9.0, 8.0), (-1.0, 8.0)],
        [(9.0, 0.0), (9.0, 8.0), (17.0, 8.0)],
        [(0.0, -9.0), (0.0, -1.0), (8.0, -1.0)],
        [(0.0, 9.0), (0.0, 17.0), (8.0, 17.0)],
        [(2.6, 2.6), (2.6, 3.4), (3.4, 3.4)],  # between the centres
        [(-1e7, -1e7), (-1e7, -1e7 + 8.0), (-1e7 + 8.0, -1e7 + 8.0)],
    ],
)
def test_lines_backs_and_what_is_elsewhere_show_nothing(corners: list[tuple[float, float]]) -> None:
    hits = drawn(flat(corners))
    assert len(hits.pixel) == len(hits.depth) == len(hits.weights) == 0


def test_no_triangle_at_all_shows_nothing() -> None:
    hits = rasterize(torch.zeros(3, 3, 2), torch.zeros(0, 3, dtype=torch.long), 4, 4)
    assert len(hits.pixel) == 0


@pytest.mark.parametrize(("dx", "dy"), [(-4, 0), (4, 0), (0, -4), (0, 4), (-4, -4), (4, 4), (-4, 4), (4, -4)])
def test_what_reaches_past_a_border_is_cut_there(dx: int, dy: int) -> None:
    """A piece of a large picture is the picture of that piece: nothing wraps around to another row."""
    corners = [(0.3, 0.4), (1.1, 7.7), (7.6, 5.2)]
    large = shown(flat([(x + 8, y + 8) for x, y in corners]), height=24, width=24)
    moved = shown(flat([(x + dx, y + dy) for x, y in corners]))
    expected = large[8 - dy : 16 - dy, 8 - dx : 16 - dx]
    assert torch.equal(moved, expected)
    assert 0 < (expected == 0).sum() < (large == 0).sum()


def test_a_pixel_of_two_triangles_that_share_an_edge_is_drawn_by_one_of_them() -> None:
    for shift in (0.0, 0.5, 0.25, 0.1):  # at 0 the edge passes through pixel centres
        moved = [[(x + shift, y) for x, y in corners] for corners in (LOWER, UPPER)]
        both = shown(*map(flat, moved))
        square = torch.zeros(8, 8, dtype=torch.bool)
        square[:, int(shift > 0.5) :] = True  # a centre on the border counts
        assert torch.equal(both >= 0, square)
        alone = [(shown(flat(corners)) == 0) for corners in moved]
        assert torch.equal(alone[0] | alone[1], square)
        assert (alone[0] & alone[1]).sum() == (8 if shift == 0 else 0)


def test_a_crumpled_sheet_has_no_hole() -> None:
    """Corners at multiples of half a pixel, so that many edges pass through pixel centres."""
    size, step, count = 48, 4, 40
    places = torch.arange(0, size + 1, step, dtype=torch.float32)
    y, x = torch.meshgrid(places, places, indexing="ij")
    jitter = torch.randint(-3, 4, (count, 2, *x.shape), generator=torch.Generator().manual_seed(2)) / 2
    jitter[:, 0, :, [0, -1]] = jitter[:, 1, [0, -1]] = 0
    screen = torch.stack((x + jitter[:, 0], y + jitter[:, 1], torch.zeros(count, *x.shape)), dim=1)
    corner = torch.arange(x.numel()).view(x.shape)
    a, b, c, d = (corner[r, k].reshape(-1) for r in (slice(-1), slice(1, None)) for k in (slice(-1), slice(1, None)))
    triangles = torch.cat((torch.stack((a, c, d), dim=1), torch.stack((a, d, b), dim=1)))
    hits = rasterize(screen.view(count, 3, -1).permute(2, 1, 0).contiguous(), triangles, size, size)
    assert len(hits.pixel) == count * size * size


def test_a_fan_about_a_point_leaves_no_hole() -> None:
    turns = np.linspace(0, 2 * np.pi, 38)[:37]
    rim = [(16 + 14 * np.cos(a), 16 - 14 * np.sin(a)) for a in turns]
    centre = (16.013, 15.977)
    fan = [flat([centre, rim[i], rim[(i + 1) % 37]]) for i in range(37)]
    disc = shown(*fan, height=32, width=32) >= 0
    y, x = torch.meshgrid(torch.arange(32) + 0.5, torch.arange(32) + 0.5, indexing="ij")
    distance = torch.hypot(x - 16, y - 16)
    assert disc[distance < 13.9].all()
    assert not disc[distance > 14].any()


def test_of_equal_depths_the_triangle_of_lower_number_is_shown() -> None:
    one, other = flat(LOWER), flat(LOWER)
    assert set(shown(one, other).unique().tolist()) == {-1, 0}
    many = [flat(LOWER, depth=5.0)] * 3000 + [flat(LOWER, depth=4.9)] * 2 + [flat(LOWER, depth=5.0)] * 3000
    assert set(shown(*many).unique().tolist()) == {-1, 3000}


def test_an_image_of_one_pixel() -> None:
    assert shown(flat(LOWER), height=1, width=1).tolist() == [[0]]
    assert shown(flat([(0.6, 0.0), (0.6, 8.0), (8.0, 8.0)]), height=1, width=1).tolist() == [[-1]]


@pytest.mark.parametrize(("height", "width"), [(3, 11), (11, 3), (1, 9), (9, 1)])
def test_a_rectangular_image(height: int, width: int) -> None:
    wedge = flat([(-1.0, -1.0), (-1.0, 12.0), (12.0, 12.0)])
    expected = torch.arange(width)[None] <= torch.arange(height)[:, None]
    assert torch.equal(shown(wedge, height=height, width=width) == 0, expected)


@pytest.mark.parametrize("size", [5, 63, 64, 65, 130])
def test_a_triangle_larger_than_the_image_fills_it(size: int) -> None:
    huge = flat([(-1000.0, -1000.0), (-1000.0, 4000.0), (4000.0, -1000.0)])
    assert (shown(huge, height=size, width=size) == 0).all()
    assert (shown(huge, height=2 * size, width=3) == 0).all()


@pytest.mark.parametrize("side", [*range(1, 18), 31, 33, 63, 65])
def test_a_square_of_any_side_is_covered_once(side: int) -> None:
    """Boxes are tested in classes of some sides; those between them and next to the border are whole as well."""
    size = 68
    for left, top in ((2, 1), (size - side, size - side)):
        lower = [(left + x * side / 8, top + y * side / 8) for x, y in LOWER]
        upper = [(left + x * side / 8, top + y * side / 8) for x, y in UPPER]
        expected = torch.zeros(size, size, dtype=torch.bool)
        expected[top : top + side, left : left + side] = True
        assert torch.equal(shown(flat(lower), flat(upper), height=size, width=size) >= 0, expected)


def test_each_face_of_a_batch_is_drawn_in_its_own_image() -> None:
    screen = torch.tensor([flat(LOWER), flat(UPPER), flat([(-9.0, 0.0), (-9.0, 8.0), (-1.0, 8.0)])]).permute(1, 2, 0)
    hits = rasterize(screen.contiguous(), torch.tensor([[0, 1, 2]]), 8, 8)
    images = picture(hits, 3, 8, 8) == 0
    assert torch.equal(images[0], torch.ones(8, 8).tril() == 1)
    assert torch.equal(images[1], torch.ones(8, 8).triu() == 1)
    assert not images[2].any()
    assert torch.equal(hits.face, hits.pixel // 64)


def test_bytes_do_not_depend_on_the_number_of_faces() -> None:
    model, vertices = heads(5, seed=8)
    screen = WeakPerspective(torch.full((5,), 15.0), torch.full((5, 2), 32.0)).project(vertices)
    together = picture(rasterize(screen, model.triangles, 64, 64), 5, 64, 64)
    for face in range(5):
        alone = rasterize(screen[:, :, face : face + 1].contiguous(), model.triangles, 64, 64)
        assert torch.equal(picture(alone, 1, 64, 64)[0], together[face])


@pytest.mark.parametrize(("height", "width"), [(0, 8), (8, 0), (-1, 8)])
def test_an_image_without_pixels_is_refused(height: int, width: int) -> None:
    with pytest.raises(UserError, match=f"{height} x {width}.*at least 1"):
        drawn(flat(LOWER), height=height, width=width)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_vertex_that_is_no_number_is_refused(value: float, axis: int) -> None:
    corners = [[0.0, 0.0, 0.0], [0.0, 8.0, 0.0], [8.0, 8.0, 0.0]]
    corners[1][axis] = value
    with pytest.raises(UserError, match="no finite number"):
        drawn([tuple(corner) for corner in corners])
