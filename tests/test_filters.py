"""Filters that learned nothing, against OpenCV, SciPy and numbers stated for Rain100L."""

import os

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import ndimage
from skimage import restoration
from torch import nn

from rainlens import evaluation, images, metrics, models
from rainlens.degradations import GaussianBlur, MotionBlur
from rainlens.evaluation import TestSet

pytestmark = pytest.mark.usefixtures("one_thread")
FILTERS = {
    "copy": {},
    "black": {},
    "dimming": dict(factor=0.7),
    "median": dict(size=3),
    "gaussian": dict(sigma=1.0),
    "bilateral": {},
    "guided": {},
    "opening": dict(size=5),
    "wiener": dict(size=7),
}


@pytest.fixture(scope="module")
def photograph() -> torch.Tensor:
    """A piece of an embedded photograph, uint8 (3, 61, 90)."""
    return images.test_pictures(images.EMBEDDED, 1)[0][:, 100:161, 150:240]


def filtered(picture: torch.Tensor, name: str, **options: object) -> np.ndarray:
    """uint8 (3, H, W) through a filter, as OpenCV has pictures: (H, W, 3), 0 to 255; unrounded."""
    with torch.inference_mode():
        output = models.build(name, **options)(images.to_unit(picture)[None])[0]
    return 255 * output.permute(1, 2, 0).numpy()


def rows(picture: torch.Tensor) -> np.ndarray:
    return np.ascontiguousarray(picture.permute(1, 2, 0).numpy())


# --- what all of them promise -------------------------------------------------------------------


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("size", [(16, 16), (11, 37)])
def test_any_size_and_nothing_to_learn(name, size):
    model = models.build(name, **FILTERS[name])
    assert models.count_parameters(model) == 0 and not model.state_dict()
    picture = torch.rand(2, 3, *size)
    output = model(picture)
    assert output.shape == picture.shape and output.dtype == torch.float32
    assert -1e-6 <= output.min() and output.max() <= 1 + 1e-6
    lanes = picture.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(model(lanes), output)
    for index in range(2):
        torch.testing.assert_close(model(picture[index : index + 1])[0], output[index])


@pytest.mark.parametrize("name", FILTERS)
def test_full_precision_whatever_is_around(name):
    model, picture = models.build(name, **FILTERS[name]), torch.rand(1, 3, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        inside = model(picture)
    assert torch.equal(inside, model(picture))


@pytest.mark.parametrize("name", [name for name in FILTERS if name not in ("black", "dimming")])
def test_a_flat_picture_stays(name):
    flat = torch.full((1, 3, 12, 12), 0.3)
    torch.testing.assert_close(models.build(name, **FILTERS[name])(flat), flat)


@pytest.mark.parametrize("name", FILTERS)
def test_filters_are_scored_like_networks(name, photograph):
    clean = [photograph, photograph.flip(2)]
    rainy = [picture.clone() for picture in clean]
    for picture in rainy:
        picture[:, ::2, ::9] = 255  # "rain"
    model = models.build(name, **FILTERS[name])
    scores, outputs = evaluation.evaluate(model, rainy, clean)
    assert len(outputs) == 2 and outputs[0].shape == photograph.shape
    if name == "copy":
        assert scores["response"] == pytest.approx([1, 1]) and scores["damage"] == [0, 0]
        assert scores["e_r"] == [0, 0]
    if name == "black":
        assert scores["response"] == [0, 0] and scores["e_r"] > scores["exact_e_r"]
    if name == "opening":
        assert max(scores["response"]) < 0.2


def test_a_filter_goes_where_it_is_sent():
    """It has no parameter that would tell; `evaluation` looks at its buffer."""
    model = models.build("median").to("meta")
    assert evaluation._device_of(model).type == "meta"
    assert evaluation._device_of(models.build("resnet", blocks=1, channels=4)).type == "cpu"
    assert evaluation._device_of(nn.Identity()).type == "cpu"


# --- against OpenCV and SciPy -------------------------------------------------------------------


@pytest.mark.parametrize("size", [3, 5, 7])
def test_median(photograph, size):
    ours = filtered(photograph, "median", size=size)
    assert np.abs(ours - cv2.medianBlur(rows(photograph), size)).max() < 1e-3
    scipys = ndimage.median_filter(photograph.numpy(), (1, size, size), mode="nearest")
    assert np.abs(ours - scipys.transpose(1, 2, 0)).max() < 1e-3


@pytest.mark.parametrize("sigma", [1, 2, 3])
def test_gaussian(photograph, sigma):
    ours = filtered(photograph, "gaussian", sigma=sigma)
    # Without a size OpenCV chooses one, for 8-bit pictures the same as ours, and rounds.
    assert np.abs(ours - cv2.GaussianBlur(rows(photograph), (0, 0), sigma)).max() < 1
    size = (models.build("gaussian", sigma=sigma).size,) * 2
    exact = cv2.GaussianBlur(rows(photograph).astype(np.float32), size, sigma)
    assert np.abs(ours - exact).max() < 1e-3


@pytest.mark.parametrize("diameter, color, space", [(9, 75, 75), (5, 30, 2)])
def test_bilateral(photograph, diameter, color, space):
    options = dict(diameter=diameter, sigma_color=color, sigma_space=space)
    ours = filtered(photograph, "bilateral", **options)
    expected = cv2.bilateralFilter(rows(photograph), diameter, color, space)
    assert np.abs(ours - expected).max() < 0.51  # OpenCV rounds


@pytest.mark.parametrize("size", [3, 5, 7])
def test_opening(photograph, size):
    ours = filtered(photograph, "opening", size=size)
    row = np.ones((1, size), np.uint8)
    assert np.abs(ours - cv2.morphologyEx(rows(photograph), cv2.MORPH_OPEN, row)).max() < 1e-3


def test_opening_takes_off_what_is_narrow_and_upright():
    picture = torch.zeros(1, 3, 9, 20)
    picture[..., 2:6] = 0.5  # four pixels wide
    picture[..., 10:15] = 0.5  # five
    output = models.build("opening", size=5)(picture)
    assert output[..., :8].max() == 0
    assert torch.equal(output[..., 8:], picture[..., 8:])
    lying = picture.transpose(2, 3)
    assert torch.equal(models.build("opening", size=5)(lying), lying)  # along them, all stays


def test_guided_against_sums_of_windows(photograph):
    """Equations 5, 6 and 8 of the paper, pixel by pixel, in float64."""
    grey = photograph[0, :20, :24].double().numpy() / 255
    radius, eps = 2, 0.02

    def mean(values: np.ndarray) -> np.ndarray:
        result = np.empty_like(values)
        for y, x in np.ndindex(values.shape):
            top, left = max(0, y - radius), max(0, x - radius)
            result[y, x] = values[top : y + radius + 1, left : x + radius + 1].mean()
        return result

    variance = mean(grey**2) - mean(grey) ** 2
    a = variance / (variance + eps)
    expected = mean(a) * grey + mean((1 - a) * mean(grey))
    picture = photograph[:, :20, :24]
    ours = filtered(picture, "guided", radius=radius, eps=eps)[..., 0] / 255
    assert np.abs(ours - expected).max() < 1e-5


def test_guided_keeps_edges_and_smooths_what_is_flat():
    source = torch.Generator().manual_seed(0)
    picture = 0.02 * torch.randn(1, 3, 40, 40, generator=source) + 0.2
    picture[..., 20:] += 0.6
    output = models.build("guided", radius=4, eps=0.01)(picture)
    assert output[..., 2:12].std() < 0.3 * picture[..., 2:12].std()
    assert (output[..., 20] - output[..., 19]).mean() > 0.5


def test_wiener_against_scikit_image(photograph):
    """On one period of the mirrored picture, which scikit-image takes for periodic, too."""
    picture = images.to_unit(photograph)[:, :25, :30]
    whole = F.pad(picture[None], (0, 28, 0, 23), mode="reflect")[0]
    line = cv2.getGaussianKernel(7, 1.4)
    for channel, ours in zip(whole, models.build("wiener")(picture[None])[0], strict=True):
        theirs = restoration.wiener(channel.numpy().astype(float), line @ line.T, 0.0003)
        assert np.abs(ours.numpy() - theirs.clip(0, 1)[:25, :30]).max() < 1e-3


def test_wiener_undoes_the_blur_that_it_assumes(photograph):
    picture = images.to_unit(photograph)[None]
    blurred = GaussianBlur((7,)).apply(picture, torch.Generator())
    sharp = models.build("wiener", balance=1e-10)(blurred)
    assert (sharp - picture).abs().mean() < 0.1 * (blurred - picture).abs().mean()
    blurred = MotionBlur((11,)).apply(picture, torch.Generator().manual_seed(0))
    damage = (models.build("wiener", balance=1e-10)(blurred) - picture).abs().mean()
    assert damage > (blurred - picture).abs().mean()  # another blur is not undone so


# --- bad options --------------------------------------------------------------------------------


def test_impossible_settings_are_named():
    for name, options, words in (
        ("median", dict(size=4), "size is 4; it must be odd"),
        ("opening", dict(size=0), "size is 0"),
        ("bilateral", dict(diameter=8), "size is 8"),
        ("bilateral", dict(sigma_color=0), "sigmas are 0 and 75; both must be above 0"),
        ("gaussian", dict(sigma=0), "sigma is 0; it must be above 0"),
        ("guided", dict(eps=0), "eps 0; at least 1 and above 0"),
        ("dimming", dict(factor=-1), "factor is -1"),
        ("wiener", dict(size=6), "size is 6; it must be odd"),
        ("wiener", dict(balance=0), "balance is 0; it must be above 0"),
        ("median", dict(radius=3), "median has no option 'radius'; it has: size"),
    ):
        with pytest.raises(ValueError, match=words):
            models.build(name, **options)


@pytest.mark.parametrize("name, least", [("gaussian", 4), ("bilateral", 5), ("wiener", 4)])
def test_a_picture_too_small_to_mirror_is_named(name, least):
    model = models.build(name)
    assert model(torch.rand(1, 3, least, 20)).shape == (1, 3, least, 20)
    with pytest.raises(ValueError, match=f"20x{least - 1} pixels.* at least {least}x{least}."):
        model(torch.rand(1, 3, least - 1, 20))


# --- the numbers that were found before, with OpenCV, for every second picture of Rain100L -------


@pytest.mark.skipif("RAINLENS_DATA" not in os.environ, reason="RAINLENS_DATA is not set")
def test_an_opening_across_the_streaks_of_rain100l():
    rainy, clean = evaluation.load(TestSet("unseen", "rain100l", "rain100l", 100))
    rainy, clean = rainy[::2], clean[::2]
    model = models.build("opening", size=5)
    both = zip(evaluation.restore(model, rainy), evaluation.restore(model, clean), strict=True)
    table = []
    for (output, of_clean), before, truth in zip(both, rainy, clean, strict=True):
        case = output[None], images.to_unit(before)[None], images.to_unit(truth)[None]
        names = ("e_r", "e_b", "gain", "contrast", "psnr")
        scores = [value.item() for value in metrics.score(*case, names).values()]
        scores.append(metrics.rain_response(case[0], of_clean[None], *case[1:]).item())
        table.append([*scores, metrics.damage(of_clean[None], case[2]).item()])
    stated = [35.0, 12.2, 0.79, 0.77, 25.9, 0.34, 13.0]
    digits = [0.05, 0.05, 0.005, 0.005, 0.05, 0.005, 0.05]
    assert (np.abs(np.mean(table, 0) - stated) < np.array(digits) + 1e-3).all()
