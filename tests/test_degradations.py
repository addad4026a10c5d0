"""Degradations against OpenCV, the binomial law, hand-computed kernels and the training rain."""

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
import pytest
import torch

from rainlens import degradations, metrics, rain
from rainlens.degradations import DEGRADATIONS, GaussianBlur, GaussianNoise, MotionBlur, named
from rainlens.randomness import generator

pytestmark = pytest.mark.usefixtures("one_thread")
BLURS = {
    "gaussian": GaussianBlur(),
    "gaussian, wide": GaussianBlur((5,), sigma=3.0),
    "motion": MotionBlur(),
    "motion, short": MotionBlur((3,)),
}


def pictures(count: int = 3, height: int = 40, width: int = 56, seed: int = 0) -> torch.Tensor:
    """Whole grey levels, as files hold them, float32 (N, 3, H, W) in [0, 1]."""
    source = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, height, width), generator=source) / 255


def source(seed: int = 0) -> torch.Generator:
    return generator(seed, "test")


def as_rows(picture: torch.Tensor) -> np.ndarray:
    return np.ascontiguousarray(picture.permute(1, 2, 0).numpy())


# --- what all of them promise -------------------------------------------------------------------


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_each_keeps_the_promise(name):
    degradation, clean = named(name), pictures()
    before = clean.clone()
    degraded = degradation.apply(clean, source())
    assert torch.equal(clean, before)
    assert degraded.shape == clean.shape and degraded.dtype == torch.float32
    assert 0 <= degraded.min() and degraded.max() <= 1
    assert not torch.equal(degraded, clean)
    assert torch.equal(degradation.apply(clean, source()), degraded)  # the same draws
    assert not torch.equal(degradation.apply(clean, source(1)), degraded)
    # In the layout that training uses, the same values.
    lanes = clean.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(degradation.apply(lanes, source()), degraded)


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_each_names_what_there_is(name):
    degradation = named(name)
    assert degradation.task in ("derain", "denoise", "deblur")
    assert degradation.about and "\n" not in degradation.about
    assert degradation.mask is None or degradation.mask in metrics.MASKS
    clean = pictures(2)
    degraded = degradation.apply(clean, source())
    scores = metrics.score(degraded, degraded, clean, degradation.measures)
    assert all(value.shape == (2,) for value in scores.values())
    assert len(scores) >= 3 and "psnr" in scores


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_each_picture_has_its_own_draw(name):
    """The same picture nine times does not come out nine times the same."""
    clean = pictures(1).repeat(9, 1, 1, 1)
    degraded = named(name).apply(clean, source())
    assert not all(torch.equal(degraded[0], other) for other in degraded[1:])


# --- rain ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", rain.RANGES)
def test_training_rain_is_bit_for_bit_what_it_was(kind):
    clean = pictures(4, 32, 32).contiguous(memory_format=torch.channels_last)
    layer = rain.synthesize(4, (32, 32), rain.RANGES[kind], source(3))
    degraded = named(kind).apply(clean, source(3))
    assert torch.equal(degraded, rain.add_rain(clean, layer))


def test_training_rain_goes_on_where_its_generator_stands():
    """Training draws the patches first, then the rain, from one generator."""
    ours, theirs = source(7), source(7)
    for one in (ours, theirs):
        torch.randint(64, (4,), generator=one)
    clean = pictures(4, 32, 32)
    layer = rain.synthesize(4, (32, 32), rain.RANGES["medium"], theirs)
    assert torch.equal(named("medium").apply(clean, ours), rain.add_rain(clean, layer))
    assert torch.equal(ours.get_state(), theirs.get_state())


def test_streaks_are_the_embedded_ones():
    clean = pictures(2, 30, 50)
    layer = rain.draw_streaks(2, (30, 50), source(5))
    assert torch.equal(named("streaks").apply(clean, source(5)), rain.add_rain(clean, layer))


def test_weighted_rain_is_so_much_weaker():
    dark = torch.zeros(2, 3, 32, 32)
    whole, weak = (named(name).apply(dark, source()) for name in ("medium", "medium_weak"))
    torch.testing.assert_close(weak, 0.7 * whole)
    assert torch.equal(named("medium", weight=0.7).apply(dark, source()), weak)


def test_tinted_rain_falls_on_channels_apart():
    dark = torch.zeros(2, 3, 32, 32)
    whole, tinted = (named(name).apply(dark, source()) for name in ("medium", "medium_tinted"))
    for channel, part in enumerate((1.0, 0.9, 0.8)):
        torch.testing.assert_close(tinted[:, channel], part * whole[:, channel])
    # Grey rain leaves the spread over channels as it is; tinted rain adds to it.
    both = named("medium_tinted", weight=0.5).apply(dark, source())
    torch.testing.assert_close(both, 0.5 * tinted)
    assert whole.std(1).max() == 0 < tinted.std(1).max()


def test_rain_says_what_it_is():
    assert named("medium").about == "medium-range rain"
    assert named("medium", weight=0.7).about == "medium-range rain, weight 0.7"
    assert named("medium_tinted").about == "medium-range rain, tinted"
    assert named("streaks").about == "the embedded streaks"
    with pytest.raises(ValueError, match="no rain 'rain100l'; there are: small, medium, large, st"):
        degradations.AdditiveRain("rain100l")


# --- noise --------------------------------------------------------------------------------------


@pytest.mark.parametrize("sigma", [5, 30])
def test_gaussian_noise_has_the_spread_that_it_says(sigma):
    grey = torch.full((2, 3, 256, 256), 0.5)
    noise = 255 * (GaussianNoise(sigma).apply(grey, source()) - grey)
    values = noise.flatten()
    error = sigma / len(values) ** 0.5
    assert abs(values.mean()) < 5 * error
    assert values.std().item() == pytest.approx(sigma, rel=0.01)
    # A normal law: 68.27 % within one sigma. Channels are independent, and nothing is rounded.
    assert (values.abs() < sigma).float().mean().item() == pytest.approx(0.6827, abs=0.005)
    channels = torch.corrcoef(noise.transpose(0, 1).flatten(1))
    assert (channels - torch.eye(3)).abs().max() < 0.02
    assert (values - values.round()).abs().mean() > 0.2


def test_gaussian_noise_is_clipped():
    black = GaussianNoise(30).apply(torch.zeros(1, 3, 64, 64), source())
    assert (black == 0).float().mean().item() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("per_channel", [False, True])
def test_two_percent_are_salt_and_pepper(per_channel):
    grey = torch.full((2, 3, 512, 512), 0.5)
    degraded = named("salt_and_pepper", per_channel=per_channel).apply(grey, source())
    assert set(degraded.unique().tolist()) == {0.0, 0.5, 1.0}
    for picture in degraded:
        for channel in picture:
            assert (channel != 0.5).float().mean().item() == pytest.approx(0.02, abs=0.002)
            assert (channel == 1).float().mean().item() == pytest.approx(0.01, abs=0.001)
    touched = metrics.MASKS["touched"](degraded, grey).float().mean().item()
    # Three chances of 2 % each where channels are hit apart: 1 - 0.98^3 = 5.88 %.
    assert touched == pytest.approx(0.0588 if per_channel else 0.02, abs=0.002)


def test_all_pixels_can_be_hit():
    degraded = named("salt_and_pepper", fraction=1.0).apply(pictures(), source())
    assert set(degraded.unique().tolist()) == {0.0, 1.0}


def test_a_median_of_three_mends_salt_and_pepper():
    """The cheap baseline: on a smooth picture 2 % of impulses are gone almost to the last."""
    ramp = torch.linspace(0.3, 0.6, 64).expand(1, 3, 64, 64).contiguous()
    degraded = named("salt_and_pepper").apply(ramp, source())
    mended = torch.from_numpy(cv2.medianBlur(as_rows(degraded[0]), 3)).permute(2, 0, 1)[None]
    assert metrics.impulse_removal(degraded, degraded, ramp).item() == 0
    assert metrics.impulse_removal(mended, degraded, ramp).item() > 0.95
    assert metrics.impulse_e_b(mended, degraded, ramp).item() < 3


# --- blur ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel, sigma", [(5, 1.1), (7, 1.4), (9, 1.7)])
def test_gaussian_blur_is_opencvs(kernel, sigma):
    clean = pictures(2)
    blurred = GaussianBlur((kernel,)).apply(clean, source())
    for picture, got in zip(clean, blurred, strict=True):
        size = (kernel, kernel)
        expected = cv2.GaussianBlur(as_rows(picture), size, sigma, borderType=cv2.BORDER_REFLECT101)
        assert np.abs(as_rows(got) - expected).max() < 1e-5
    same = GaussianBlur((kernel,), sigma=sigma).apply(clean, source())
    torch.testing.assert_close(same, blurred)


def test_gaussian_kernels_sum_to_one_and_are_round():
    point = torch.zeros(3, 3, 21, 21)
    point[..., 10, 10] = 1
    for kernel in (5, 7, 9):
        spread = GaussianBlur((kernel,)).apply(point, source())
        assert spread.sum((2, 3)).sub(1).abs().max() < 1e-5
        torch.testing.assert_close(spread, spread.rot90(1, (2, 3)))
        assert (spread[0, 0] > 0).sum() == kernel**2


def test_all_kernels_are_drawn_and_each_as_often():
    point = torch.zeros(300, 3, 11, 11)
    point[..., 5, 5] = 1
    areas = (named("blur").apply(point, source())[:, 0] > 0).sum((1, 2)).tolist()
    assert {area: 70 < areas.count(area) < 130 for area in areas} == {25: True, 49: True, 81: True}


def line(length: float, angle: float, side: int = 13) -> torch.Tensor:
    return degradations.line_kernels(torch.tensor([length]), torch.tensor([angle]), side)[0]


@pytest.mark.parametrize("length", [3, 7, 9, 11])
def test_a_line_at_0_degrees_is_a_row(length):
    row = torch.zeros(13, 13)
    row[6, 6 - length // 2 : 7 + length // 2] = 1 / length
    torch.testing.assert_close(line(float(length), 0.0), row)
    torch.testing.assert_close(line(float(length), 90.0), row.T, atol=1e-5, rtol=0)


@pytest.mark.parametrize("angle", [0.0, 10.0, 33.0, 45.0, 77.0, 101.0, 179.9])
@pytest.mark.parametrize("length", [7.0, 11.0])
def test_lines_point_where_they_should(angle, length):
    kernel = line(length, angle)
    assert kernel.sum().item() == pytest.approx(1, abs=1e-6)
    torch.testing.assert_close(kernel, kernel.flip(0, 1))  # the other way round, the same line
    torch.testing.assert_close(line(length, angle + 90), kernel.rot90(), atol=1e-5, rtol=0)
    # The direction and the length are those of its second moments: L^2 / 12 along, little across.
    axis = torch.arange(13) - 6.0
    x, y = axis[None, :], -axis[:, None]
    moments = [[(kernel * a * b).sum() for a in (x, y)] for b in (x, y)]
    spread, directions = torch.linalg.eigh(torch.tensor(moments))
    turned = torch.rad2deg(torch.atan2(directions[1, 1], directions[0, 1])).item()
    assert abs((turned - angle + 90) % 180 - 90) < 2
    assert (12 * spread[1]).sqrt().item() == pytest.approx(length, rel=0.08)
    assert spread[0] < 0.25


def test_short_lines_stay_in_their_square():
    kernel = line(7.0, 20.0)
    assert kernel[3:10, 3:10].sum().item() == pytest.approx(1, abs=1e-6)


def test_motion_blur_is_opencvs_filter_with_that_kernel(monkeypatch):
    clean, used = pictures(4), []
    original = degradations.line_kernels
    monkeypatch.setattr(
        degradations, "line_kernels", lambda *a: used.append(original(*a)) or used[0]
    )
    blurred = named("motion_blur").apply(clean, source())
    for picture, kernel, got in zip(clean, used[0], blurred, strict=True):
        expected = cv2.filter2D(
            as_rows(picture), -1, kernel.numpy(), borderType=cv2.BORDER_REFLECT101
        )
        # Rounded to 8 bits: at most half a grey level away.
        assert 255 * np.abs(as_rows(got) - expected).max() < 0.5 + 1e-3
    levels = 255 * blurred
    assert (levels - levels.round()).abs().max() < 1e-4


def test_angles_and_lengths_are_drawn_evenly():
    point = torch.zeros(400, 3, 15, 15)
    point[..., 7, 7] = 1
    drawn = named("motion_blur").apply(point, source())[:, 0]
    axis = torch.arange(15) - 7.0
    up = (drawn * axis[None, :] * -axis[:, None]).sum((1, 2)) > 0  # rising: 0 to 90 degrees
    steep = (drawn * axis[:, None] ** 2).sum((1, 2)) > (drawn * axis[None] ** 2).sum((1, 2))
    for quarter in (up & steep, up & ~steep, ~up & steep, ~up & ~steep):
        assert 70 < quarter.sum() < 130


@pytest.mark.parametrize("blur", BLURS)
@pytest.mark.parametrize("level", [0, 77, 128, 255])
def test_a_constant_picture_is_unchanged_by_every_blur(blur, level):
    flat = torch.full((3, 3, 24, 20), level / 255)
    torch.testing.assert_close(BLURS[blur].apply(flat, source()), flat, atol=1e-6, rtol=0)


def test_blurs_say_what_they_are():
    assert named("blur").about == "Gaussian blur, kernel of 5, 7 or 9 pixels"
    assert GaussianBlur((5,), 2.5).about == "Gaussian blur, kernel of 5 pixels, sigma 2.5"
    assert named("motion_blur").about == "motion blur, 7, 9 or 11 pixels long"


# --- names, strangers, bad input ----------------------------------------------------------------


@dataclass(frozen=True)
class Haze:
    """What a stranger writes: a veil of one strength for each picture."""

    most: float = 0.5
    task: ClassVar[str] = "dehaze"
    about: ClassVar[str] = "haze"
    measures: ClassVar[tuple[str, ...]] = ("psnr", "psnr_gain")
    mask: ClassVar[str | None] = None

    def apply(self, clean: torch.Tensor, source: torch.Generator) -> torch.Tensor:
        veil = self.most * torch.rand(len(clean), 1, 1, 1, generator=source, device=clean.device)
        return clean * (1 - veil) + veil


def test_a_stranger_adds_one(monkeypatch):
    monkeypatch.setitem(DEGRADATIONS, "haze", Haze())
    clean = pictures()
    hazy = named("haze", most=1.0).apply(clean, source())
    assert (hazy >= clean).all()
    scores = metrics.score(hazy, hazy, clean, named("haze").measures)
    assert scores["psnr_gain"].tolist() == [0, 0, 0]


def test_unknown_names_and_options_are_named():
    with pytest.raises(ValueError) as error:
        named("gauss50")
    assert str(error.value) == (
        "There is no degradation 'gauss50'; there are: small, medium, large, streaks, medium_weak, "
        "medium_tinted, gauss30, salt_and_pepper, blur, motion_blur."
    )
    with pytest.raises(ValueError, match="gauss30 has no option 'spread'; it has: sigma"):
        named("gauss30", spread=3)
    assert named("gauss30", sigma=50).about == "Gaussian noise, sigma 50"


def test_an_object_without_options_says_so(monkeypatch):
    monkeypatch.setitem(DEGRADATIONS, "odd", object())
    with pytest.raises(ValueError, match="odd has no option 'size'; it has: none."):
        named("odd", size=3)


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_bad_pictures_are_named_in_one_sentence(name):
    for bad in (pictures()[0], pictures()[:, :1], pictures().mul(255).byte()):
        with pytest.raises(ValueError, match="^clean .*needed.$"):
            named(name).apply(bad, source())
    with pytest.raises(ValueError, match="clean is on meta, the generator on cpu."):
        named(name).apply(pictures().to("meta"), source())


def test_bad_options_are_named_in_one_sentence():
    with pytest.raises(ValueError, match="4x40 pixels; this blur mirrors 5 .* at least 6x6."):
        named("motion_blur").apply(pictures(1, 40, 4), source())
    with pytest.raises(ValueError, match="mirrors 4"):
        named("blur").apply(pictures(1, 4, 40), source())
    for name, options, words in (
        ("blur", dict(kernels=(5, 6)), r"kernels is \(5, 6\); each must be odd"),
        ("blur", dict(sigma=0), "sigma is 0; it must be above 0"),
        ("motion_blur", dict(lengths=()), r"lengths is \(\)"),
        ("gauss30", dict(sigma=-1), "sigma is -1"),
        ("salt_and_pepper", dict(fraction=2), "fraction is 2; it must be above 0 and at most 1"),
    ):
        with pytest.raises(ValueError, match=words):
            named(name, **options)
