"""The training rain against OpenCV, SciPy and the binomial law; the test rain is another kind."""

import math

import cv2
import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from rainlens import rain
from rainlens.randomness import generator

VISIBLE = 10 / 255
COUNT, SIDE = 200, 96  # layers a kind for statistics


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# --- the recipe, step by step, made with OpenCV -------------------------------------------------


def opencv_kernel(length: int, width: int, direction: float) -> np.ndarray:
    """Step 3 of the recipe, in OpenCV's own operations."""
    turn = cv2.getRotationMatrix2D((length / 2, length / 2), direction - 45, 1 - length / 100)
    return opencv_blur(cv2.warpAffine(np.eye(length), turn, (length, length)), width)


def opencv_blur(line: np.ndarray, width: int) -> np.ndarray:
    # OpenCV would follow the same rule for sigma, but for small widths it rounds the weights.
    return cv2.GaussianBlur(line, (width, width), 0.3 * ((width - 1) / 2 - 1) + 0.8)


def opencv_layer(kind: rain.RainRange, rng: np.random.Generator) -> np.ndarray:
    """A layer of SIDE x SIDE by the whole recipe, with dense noise."""
    quantity = rng.uniform(*kind.quantity)
    length = rng.integers(kind.length[0], kind.length[1] + 1)
    kernel = opencv_kernel(int(length), int(rng.choice(kind.width)), rng.uniform(*kind.direction))
    noise = rng.uniform(0, 256, (SIDE + 64, SIDE + 64))
    noise[noise <= 256 - quantity / 100] = 0
    # OpenCV mirrors at the border, which puts two drops in a line, raises the maximum and so
    # darkens the layer; a canvas that wraps has no border.
    noise = cv2.copyMakeBorder(noise, *[64] * 4, cv2.BORDER_WRAP)
    soft = cv2.filter2D(noise, -1, np.array([[0, 0.1, 0], [0.1, 8, 0.1], [0, 0.1, 0]]))
    layer = cv2.filter2D(soft, -1, kernel)[64:-64, 64:-64]
    layer = (layer - layer.min()) / (layer.max() - layer.min())
    return layer[32:-32, 32:-32]


def one_kernel(length: int, width: int, direction: float) -> np.ndarray:
    parameters = torch.tensor([length]), torch.tensor([width]), torch.tensor([float(direction)])
    return rain.motion_kernels(*parameters)[0].numpy()


SHAPES = [
    (length, width, direction)
    for length in (5, 17, 30, 31, 60)
    for width in (1, 3, 5, 7, 9)
    for direction in (-70, -30, -5, 0, 12.5, 45, 70)
]


@pytest.mark.parametrize(("length", "width", "direction"), SHAPES)
def test_kernels_against_opencv(length, width, direction):
    # OpenCV rounds the places it samples at to 1/32 pixel, hence the tolerance.
    expected = opencv_kernel(length, width, direction)
    assert np.abs(one_kernel(length, width, direction) - expected).max() < 0.03


@pytest.mark.parametrize(("length", "width", "direction"), SHAPES[::3])
def test_kernels_against_scipy(length, width, direction):
    # The same without rounding: the output is read at centre + rotation / scale (x - centre).
    angle, scale = math.radians(direction - 45), 1 - length / 100
    cos, sin = math.cos(angle) / scale, math.sin(angle) / scale
    matrix = np.array([[cos, sin], [-sin, cos]])  # rows, columns
    centre = np.array([length / 2, length / 2])
    line = ndimage.affine_transform(
        np.eye(length), matrix, centre - matrix @ centre, order=1, mode="grid-constant"
    )
    expected = opencv_blur(line, width)
    assert np.abs(one_kernel(length, width, direction) - expected).max() < 1e-4


def test_kernels_of_a_batch_do_not_mix():
    lengths, widths = torch.tensor([5, 60, 31]), torch.tensor([1, 9, 5])
    directions = torch.tensor([70.0, -70.0, 3.0])
    together = rain.motion_kernels(lengths, widths, directions)
    assert together.shape == (3, 60, 60)
    for kernel, *shape in zip(together, lengths, widths, directions, strict=True):
        side = int(shape[0])
        assert torch.allclose(kernel[:side, :side], torch.tensor(one_kernel(*shape)), atol=1e-5)
        assert kernel.sum().item() == pytest.approx(kernel[:side, :side].sum().item())


def test_direction_zero_is_vertical():
    kernel = one_kernel(31, 5, 0)
    rows, columns = np.mgrid[:31, :31]
    spread = [
        np.sqrt(np.average((axis - np.average(axis, weights=kernel)) ** 2, weights=kernel))
        for axis in (rows, columns)
    ]
    assert spread[0] > 5 * spread[1]


def test_smear_against_opencv():
    noise = rain.sparse_noise(torch.tensor([250.0, 300.0]), (120, 100), generator(0, "test"))
    for index, shape in enumerate([(30, 5, 20.0), (60, 9, -70.0)]):
        kernel = one_kernel(*shape)
        smeared = rain.smear(noise[index : index + 1], torch.from_numpy(kernel)[None])[0].numpy()
        wrapped = np.pad(noise[index].numpy(), 64, mode="wrap")
        soft = cv2.filter2D(wrapped, -1, np.array([[0, 0.1, 0], [0.1, 8, 0.1], [0, 0.1, 0]]))
        # The anchor only says where the picture lies on the canvas, which has no borders.
        expected = cv2.filter2D(soft, -1, kernel, anchor=(0, 0))[64:-64, 64:-64]
        expected = (expected - expected.min()) / (expected.max() - expected.min())
        assert np.abs(smeared - expected).max() < 1e-4


def test_smear_stretches_the_canvas_to_the_unit_interval():
    noise = rain.sparse_noise(torch.full((4,), 250.0), (96, 96), generator(0, "test"))
    kernels = torch.from_numpy(np.stack([one_kernel(30, 5, a) for a in (-5, 0, 5, 20)]))
    layers = rain.smear(noise, kernels)
    assert layers.amin((1, 2)).tolist() == [0] * 4
    assert layers.amax((1, 2)).tolist() == pytest.approx([1] * 4)


def test_an_empty_canvas_stays_empty():
    layer = rain.smear(torch.zeros(1, 64, 64), torch.from_numpy(one_kernel(30, 5, 0))[None])
    assert layer.abs().max() == 0


def test_kernels_on_a_larger_table_are_the_same():
    # On a GPU the table has the size of the longest kernel that may come.
    shapes = torch.tensor([20, 31]), torch.tensor([9, 5]), torch.tensor([-30.0, 30.0])
    small, large = rain.motion_kernels(*shapes), rain.motion_kernels(*shapes, side=60)
    assert torch.allclose(large[:, :31, :31], small, atol=1e-6)
    assert large[:, 31:].abs().max() == 0 and large[:, :, 31:].abs().max() == 0


# --- the noise ----------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [None, 300])
def test_noise_density_is_binomial(most):
    quantity = torch.linspace(200, 300, 200)
    noise = rain.sparse_noise(quantity, (128, 128), generator(1, "test"), most)
    drops = (noise > 0).sum((1, 2))
    pixels, probability = 128 * 128, quantity.numpy() / 100 / 256
    expected = pixels * probability
    score = (drops.numpy() - expected) / np.sqrt(expected * (1 - probability))
    assert abs(score.mean()) < 4 / math.sqrt(200)  # standard normal, if the law is right
    assert abs(score.std() - 1) < 4 / math.sqrt(400)
    assert stats.kstest(score, "norm").pvalue > 1e-3


def test_noise_values_are_uniform_above_the_threshold():
    noise = rain.sparse_noise(torch.full((50,), 300.0), (128, 128), generator(2, "test"))
    values = noise[noise > 0].numpy()
    assert values.min() > 253 and values.max() <= 256
    assert stats.kstest((values - 253) / 3, "uniform").pvalue > 1e-3


def test_noise_is_everywhere_alike_and_independent():
    noise = rain.sparse_noise(torch.full((400,), 300.0), (64, 64), generator(3, "test")) > 0
    for axis in (1, 2):
        counts = noise.sum((0, axis)).numpy()
        assert stats.chisquare(counts).pvalue > 1e-3
    neighbours = (noise[:, :, 1:] & noise[:, :, :-1]).sum().item()
    expected = 400 * 64 * 63 * (3 / 256) ** 2
    assert abs(neighbours - expected) < 4 * math.sqrt(expected)


# --- whole layers -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def layers() -> dict[str, np.ndarray]:
    """COUNT layers of every kind, (COUNT, SIDE, SIDE)."""
    size = (SIDE, SIDE)
    kinds = {
        name: rain.synthesize(COUNT, size, kind, generator(0, name))
        for name, kind in rain.RANGES.items()
    }
    kinds["streaks"] = rain.draw_streaks(COUNT, size, generator(0, "streaks"))
    return {name: layer[:, 0].numpy() for name, layer in kinds.items()}


@pytest.mark.parametrize("size", [(96, 96), (33, 130), (192, 64)])
@pytest.mark.parametrize("name", [*rain.RANGES, "streaks"])
def test_form_and_range_of_layers(name, size):
    if name == "streaks":
        layer = rain.draw_streaks(3, size, generator(0, "test"))
    else:
        layer = rain.synthesize(3, size, rain.RANGES[name], generator(0, "test"))
    assert layer.shape == (3, 1, *size) and layer.dtype == torch.float32
    assert layer.min() >= 0 and layer.max() <= 1 and layer.max() > 0.2
    assert not torch.equal(layer[0], layer[1])


@pytest.mark.parametrize("name", rain.RANGES)
def test_layers_depend_on_the_seed_alone(name):
    def draw(seed: int) -> torch.Tensor:
        return rain.synthesize(2, (64, 64), rain.RANGES[name], generator(seed, "test"))

    assert torch.equal(draw(5), draw(5))
    assert not torch.equal(draw(5), draw(6))
    streaks = [rain.draw_streaks(2, (64, 64), generator(seed, "test")) for seed in (5, 5, 6)]
    assert torch.equal(streaks[0], streaks[1]) and not torch.equal(streaks[0], streaks[2])


def test_global_random_state_is_left_alone():
    before = torch.get_rng_state()
    rain.synthesize(1, (64, 64), rain.RANGES["large"], generator(0, "test"))
    rain.draw_streaks(1, (64, 64), generator(0, "test"))
    assert torch.equal(torch.get_rng_state(), before)


def test_parameters_cover_their_ranges():
    kind = rain.RANGES["large"]
    length, width, direction = rain._draw_streak_shapes(3000, kind, generator(0, "test"))
    assert set(length.tolist()) == set(range(5, 61))
    assert set(width.tolist()) == {1, 3, 5, 7, 9}
    assert stats.kstest((direction.numpy() + 70) / 140, "uniform").pvalue > 1e-3


def coverage(layers: np.ndarray) -> np.ndarray:
    """Share of visible pixels, one value a layer."""
    return (layers > VISIBLE).mean((1, 2))


@pytest.mark.parametrize("name", ["small", "medium"])
def test_training_rain_is_dense(layers, name):
    assert 0.6 < coverage(layers[name]).mean() < 0.8


@pytest.mark.parametrize("name", rain.RANGES)
def test_layer_statistics_equal_those_of_opencv(layers, name):
    rng = np.random.default_rng(0)
    theirs = np.stack([opencv_layer(rain.RANGES[name], rng) for _ in range(COUNT)])
    for measure in (coverage, lambda x: x.mean((1, 2)), lambda x: x.std((1, 2)), half_widths):
        a, b = measure(layers[name]), measure(theirs)
        assert stats.ks_2samp(a, b).pvalue > 1e-3
        assert abs(a.mean() - b.mean()) < 4 * math.sqrt((a.var() + b.var()) / COUNT)


# --- the test rain is another kind of rain ------------------------------------------------------


def directions(layers: np.ndarray) -> np.ndarray:
    """Main direction of each layer by its structure tensor, degrees from the vertical."""
    smooth = ndimage.gaussian_filter(layers, (0, 1.5, 1.5))
    down, right = np.gradient(smooth, axis=(1, 2))
    xx, xy, yy = ((a * b).mean((1, 2)) for a, b in ((right, right), (right, down), (down, down)))
    # The gradient points across the streaks; its angle from the x axis is theirs from the y axis.
    return np.degrees(0.5 * np.arctan2(2 * xy, xx - yy))


def half_widths(layers: np.ndarray) -> np.ndarray:
    """How far across the streaks the autocorrelation falls to a half, in pixels, one a layer."""
    centred = layers - layers.mean((1, 2), keepdims=True)
    power = np.abs(np.fft.fft2(centred)) ** 2
    likeness = np.fft.ifft2(power).real
    likeness = np.roll(likeness / likeness[:, :1, :1], (16, 16), (1, 2))
    distance = np.linspace(0, 10, 201)
    widths = []
    for picture, angle in zip(likeness, np.radians(directions(layers)), strict=True):
        across = [16 + distance * np.sin(angle), 16 + distance * np.cos(angle)]
        widths.append(distance[np.argmax(ndimage.map_coordinates(picture, across, order=1) < 0.5)])
    return np.array(widths)


def test_directions_are_measured_right(layers):
    assert np.abs(directions(layers["small"])).max() < 6
    spread = directions(layers["medium"])
    assert 25 < np.abs(spread).max() < 34
    assert stats.kstest((spread + 30) / 60, "uniform").pvalue > 1e-3
    drawn = rain.synthesize(1, (128, 128), rain.RANGES["small"], generator(0, "test"))[0].numpy()
    turned = ndimage.rotate(drawn[0], 20, reshape=False, mode="wrap")[None, 20:-20, 20:-20]
    turn = directions(turned) - directions(drawn[:, 20:-20, 20:-20])
    assert abs(turn.item()) == pytest.approx(20, abs=3)


@pytest.mark.parametrize("name", rain.RANGES)
def test_streaks_cover_less_than_any_training_range(layers, name):
    ours, theirs = coverage(layers["streaks"]), coverage(layers[name])
    assert ours.max() < 0.3 and ours.mean() < 0.5 * theirs.mean()
    assert stats.ks_2samp(ours, theirs).statistic > 0.8


def test_streaks_are_sparse_like_rain100():
    layer = rain.draw_streaks(20, (192, 192), generator(4, "test"))[:, 0].numpy()
    assert 0.1 < coverage(layer).mean() < 0.2
    assert np.median(layer) == 0


@pytest.mark.parametrize("name", rain.RANGES)
def test_streaks_are_thinner_than_training_rain(layers, name):
    ours, theirs = half_widths(layers["streaks"]), half_widths(layers[name])
    assert np.median(ours) < 0.5 * np.median(theirs)
    assert stats.ks_2samp(ours, theirs).statistic > 0.5


@pytest.mark.parametrize("name", rain.RANGES)
def test_streaks_fall_in_other_directions(layers, name):
    ours, theirs = np.abs(directions(layers["streaks"])), np.abs(directions(layers[name]))
    if name == "medium":  # its range holds that of the streaks: more layers tell them apart
        more = rain.synthesize(600, (SIDE, SIDE), rain.RANGES[name], generator(1, name))
        drawn = rain.draw_streaks(600, (SIDE, SIDE), generator(1, "streaks"))
        ours, theirs = (np.abs(directions(many[:, 0].numpy())) for many in (drawn, more))
    assert stats.ks_2samp(ours, theirs).pvalue < 1e-6
    assert 3 < ours.min() and ours.max() < 30  # windy, never upright, never lying


def test_streaks_blow_both_ways(layers):
    assert 0.4 < (directions(layers["streaks"]) > 0).mean() < 0.6


# --- small functions ----------------------------------------------------------------------------


def test_add_rain_adds_and_clips():
    clean = torch.tensor([0.0, 0.25, 0.75, 1.0]).reshape(1, 1, 2, 2).repeat(1, 3, 1, 1)
    rainy = rain.add_rain(clean, torch.full((1, 1, 2, 2), 0.5))
    assert rainy.shape == clean.shape
    assert rainy[0, 2].flatten().tolist() == [0.5, 0.75, 1.0, 1.0]


def test_fast_length_by_hand():
    # Even, and 2, 3, 5 its only prime factors: 130 = 2 * 5 * 13 and 132 = 4 * 3 * 11 are not.
    wanted = {1: 2, 2: 2, 11: 12, 127: 128, 129: 144, 161: 162, 192: 192, 241: 250, 257: 270}
    assert {side: rain.fast_length(side) for side in wanted} == wanted


def test_generators_differ_by_seed_purpose_and_step():
    names = [(0, "a", 0), (1, "a", 0), (0, "b", 0), (0, "a", 1)]
    draws = [torch.rand(4, generator=generator(*name)) for name in names]
    assert all(not torch.equal(draws[0], other) for other in draws[1:])
    assert torch.equal(draws[0], torch.rand(4, generator=generator(0, "a")))
