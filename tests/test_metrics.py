"""The measures against scikit-image, hand-computed cases and identities."""

import math

import numpy as np
import pytest
import torch
from skimage import color
from skimage import metrics as reference

from rainlens import metrics


def random_case(seed: int = 0, batch: int = 3, side: int = 24):
    """(output, rainy, clean), float32 in [0, 1], with grey rain on a part of the pixels."""
    generator = torch.Generator().manual_seed(seed)
    clean = torch.rand(batch, 3, side, side, generator=generator)
    layer = torch.rand(batch, 1, side, side, generator=generator)
    layer *= torch.rand(batch, 1, side, side, generator=generator) < 0.4
    output = torch.rand(batch, 3, side, side, generator=generator)
    return output, (clean + layer).clamp(0, 1), clean


def grey(values: list[list[float]]) -> torch.Tensor:
    """Grey levels of one picture, 0 to 255 -> (1, 1, H, W) in [0, 1]."""
    return torch.tensor(values, dtype=torch.float64)[None, None] / 255


# --- by hand ------------------------------------------------------------------------------------

# Rain of 30 and 40 in the left column; the right column is dry.
CLEAN = grey([[100, 100], [100, 100]])
RAINY = grey([[130, 100], [140, 100]])
OUTPUT = grey([[115, 104], [120, 97]])  # removes 15 of 30 and 20 of 40, damages by 4 and -3


def test_hand_computed_2x2():
    assert metrics.rain_mask(RAINY, CLEAN)[0, 0].tolist() == [[True, False], [True, False]]
    assert metrics.e_r(OUTPUT, RAINY, CLEAN).item() == pytest.approx(math.sqrt((225 + 400) / 2))
    assert metrics.e_b(OUTPUT, RAINY, CLEAN).item() == pytest.approx(math.sqrt((16 + 9) / 2))
    assert metrics.removal_gain(OUTPUT, RAINY, CLEAN).item() == pytest.approx(0.5)
    assert metrics.rain_strength(RAINY, CLEAN).item() == pytest.approx(math.sqrt(1250))


def test_hand_computed_gain_and_parts():
    # R = (20, 30, 40), change (10, 40, 40): from the means (-10, 0, 10) and (-20, 10, 10), so the
    # slope is 300 / 200, the fitted part (-15, 0, 15), the rest (-5, 10, -5). The last is dry.
    # Through the origin the slope is (20 * 10 + 30 * 40 + 40 * 40) / (400 + 900 + 1600).
    clean, rainy = grey([[50, 50, 50, 50]]), grey([[70, 80, 90, 50]])
    output = grey([[60, 40, 50, 99]])
    assert metrics.contrast_gain(output, rainy, clean).item() == pytest.approx(1.5)
    assert metrics.removal_gain(output, rainy, clean).item() == pytest.approx(3000 / 2900)
    parts = metrics.change_parts(output, rainy, clean)
    assert parts["offset"].item() == pytest.approx(30)
    assert parts["along_rain"].item() == pytest.approx(math.sqrt(150))
    assert parts["rest"].item() == pytest.approx(math.sqrt(50))
    assert metrics.e_r(output, rainy, clean).item() == pytest.approx(math.sqrt(1100))


@pytest.mark.parametrize("seed", range(3))
def test_gains_are_the_slopes_that_numpy_fits(seed):
    output, rainy, clean = random_case(seed)
    gains = metrics.removal_gain(output, rainy, clean)
    contrasts = metrics.contrast_gain(output, rainy, clean)
    mask = metrics.rain_mask(rainy, clean).expand_as(clean)
    for index in range(3):
        rain = (rainy - clean)[index][mask[index]].double().numpy()
        change = (rainy - output)[index][mask[index]].double().numpy()
        through_origin = np.linalg.lstsq(rain[:, None], change, rcond=None)[0].item()
        assert gains[index].item() == pytest.approx(through_origin, rel=1e-6)
        assert contrasts[index].item() == pytest.approx(np.polyfit(rain, change, 1)[0], rel=1e-6)


def test_all_channels_count_where_any_channel_is_rainy():
    clean = torch.zeros(1, 3, 1, 2, dtype=torch.float64)
    rainy = clean.clone()
    rainy[0, 2, 0, 0] = 51 / 255
    output = torch.full_like(clean, 6 / 255)
    # Over the one rainy pixel: changes 6, 6 and -45; over the dry one: 6, 6 and 6.
    assert metrics.e_r(output, rainy, clean).item() == pytest.approx(math.sqrt((72 + 2025) / 3))
    assert metrics.e_b(output, rainy, clean).item() == pytest.approx(6)


def test_rain_of_exactly_the_threshold_is_out():
    for background in range(0, 240):
        clean = grey([[background, background]]).float()
        rainy = grey([[background + 10, background + 11]]).float()
        assert metrics.rain_mask(rainy, clean)[0, 0].tolist() == [[False, True]]


def test_clipped_rain_is_what_was_really_added():
    # Clean 0.9 and rain up to 0.5 stop at white: 0.1 is all that can be asked to be removed.
    clean = torch.full((1, 3, 12, 12), 0.9)
    layer = torch.linspace(0, 0.5, 144).reshape(1, 1, 12, 12)
    rainy = (clean + layer).clamp(0, 1)
    assert metrics.removal_gain(clean, rainy, clean).item() == pytest.approx(1)
    added = layer.clamp(max=0.1).double()
    visible = added[added > 10 / 255]
    expected = 255 * visible.square().mean().sqrt().item()
    assert metrics.rain_strength(rainy, clean).item() == pytest.approx(expected, rel=1e-5)


def test_rain_on_white_is_no_rain():
    white = torch.ones(1, 3, 12, 12)
    rainy = (white + 0.5).clamp(0, 1)
    assert not metrics.rain_mask(rainy, white).any()
    assert metrics.e_r(white, rainy, white).isnan().all()
    assert metrics.e_b(white, rainy, white).tolist() == [0]


# --- impulses, by hand --------------------------------------------------------------------------


def test_hand_computed_impulses():
    """Four pixels of 100, two hit; off by 29 and 30 where they were, by 4 and -3 elsewhere."""
    clean = grey([[100, 100], [100, 100]])
    degraded = grey([[255, 100], [0, 100]])
    output = grey([[129, 104], [70, 97]])
    assert metrics.touched_mask(degraded, clean)[0, 0].tolist() == [[True, False], [True, False]]
    assert metrics.impulse_removal(output, degraded, clean).item() == 0.5  # 30 is not below 30
    assert metrics.impulse_e_b(output, degraded, clean).item() == pytest.approx(math.sqrt(12.5))
    # Squares: 155^2 + 100^2 before, 29^2 + 4^2 + 30^2 + 3^2 after.
    expected = 10 * math.log10((155**2 + 100**2) / (29**2 + 16 + 900 + 9))
    assert metrics.psnr_gain(output, degraded, clean).item() == pytest.approx(expected)


def test_a_pixel_is_mended_in_all_of_its_channels():
    clean = torch.full((1, 3, 1, 2), 0.5)
    degraded = clean.clone()
    degraded[:, 1, :, 0] = 1  # one channel of one pixel
    assert metrics.touched_mask(degraded, clean)[0, 0].tolist() == [[True, False]]
    output = clean.clone()
    assert metrics.impulse_removal(output, degraded, clean).item() == 1
    output[:, 2, :, 0] += 0.2  # that channel is mended, another one spoilt
    assert metrics.impulse_removal(output, degraded, clean).item() == 0


@pytest.mark.parametrize("level", [0, 1, 77, 128, 200])
def test_exactly_thirty_grey_levels_are_not_mended(level):
    clean, degraded = grey([[level, level]]).float(), grey([[255, 254]]).float()
    output = grey([[level + 30, level + 29]]).float()
    assert metrics.impulse_removal(output, degraded, clean).item() == 0.5


def test_copying_and_restoring_impulses():
    _, degraded, clean = random_case(4)
    assert metrics.impulse_e_b(degraded, degraded, clean).tolist() == [0, 0, 0]
    assert metrics.psnr_gain(degraded, degraded, clean).tolist() == [0, 0, 0]
    assert (metrics.impulse_removal(degraded, degraded, clean) < 1).all()
    assert metrics.impulse_removal(clean, degraded, clean).tolist() == [1, 1, 1]
    assert metrics.psnr_gain(clean, degraded, clean).tolist() == [math.inf] * 3
    assert metrics.impulse_removal(clean, clean, clean).isnan().all()  # none to remove
    assert metrics.impulse_e_b(clean, degraded * 0.5 - 0.1, clean).isnan().all()  # all touched
    assert metrics.psnr_gain(clean, clean, clean).isnan().all()


def test_e_r_and_e_b_are_errors_of_a_region():
    output, rainy, clean = random_case(11)
    mask = metrics.rain_mask(rainy, clean)
    assert torch.equal(metrics.region_error(output, rainy, mask), metrics.e_r(*random_case(11)))
    assert torch.equal(metrics.region_error(output, clean, ~mask), metrics.e_b(*random_case(11)))


def test_scores_are_those_asked_for():
    case = random_case(12)
    assert tuple(metrics.score(*case)) == metrics.DERAINING
    scores = metrics.score(*case, ("psnr_gain", "psnr"))
    assert list(scores) == ["psnr_gain", "psnr"]
    assert torch.equal(scores["psnr"], metrics.psnr_rgb(case[0], case[2]))
    assert all(value.shape == (3,) for value in metrics.score(*case, (*metrics.MEASURES,)).values())
    with pytest.raises(ValueError, match="'lpips'; there are: e_r, .*impulse_e_b"):
        metrics.score(*case, ("psnr", "lpips"))


# --- identities ---------------------------------------------------------------------------------


def test_leaving_the_rain_alone():
    _, rainy, clean = random_case()
    assert metrics.e_r(rainy, rainy, clean).tolist() == [0, 0, 0]
    assert metrics.removal_gain(rainy, rainy, clean).tolist() == [0, 0, 0]
    assert metrics.contrast_gain(rainy, rainy, clean).tolist() == [0, 0, 0]
    # What lies below the threshold is all the error that is left.
    assert (metrics.e_b(rainy, rainy, clean) <= 10).all()


def test_exact_removal():
    _, rainy, clean = random_case()
    ones = torch.ones(3, dtype=torch.float64)
    torch.testing.assert_close(metrics.removal_gain(clean, rainy, clean), ones)
    torch.testing.assert_close(metrics.contrast_gain(clean, rainy, clean), ones)
    assert metrics.e_b(clean, rainy, clean).tolist() == [0, 0, 0]
    strength = metrics.rain_strength(rainy, clean)
    torch.testing.assert_close(metrics.e_r(clean, rainy, clean), strength)
    assert (metrics.change_parts(clean, rainy, clean)["rest"] < 1e-4).all()


def test_response_does_not_see_what_happens_to_the_background():
    """f(x) = blur of nothing: here 0.3 x + 0.2, and a repainted background, respond 0.3."""
    _, rainy, clean = random_case()
    repainted = torch.rand(clean.shape, generator=torch.Generator().manual_seed(5))
    for share in (0.0, 0.3, 1.0):
        base = 0.2 + repainted
        response = metrics.rain_response(base + share * rainy, base + share * clean, rainy, clean)
        torch.testing.assert_close(response, torch.full((3,), share, dtype=torch.float64))


def test_the_removal_gain_is_rejection_and_picture_taken():
    """Equation 2.8, for outputs that have nothing to do with each other."""
    output, rainy, clean = (part.double() for part in random_case())
    dry = torch.rand(clean.shape, generator=torch.Generator().manual_seed(5)).double()
    rain = (rainy - clean) * metrics.rain_mask(rainy, clean)
    taken = ((clean - dry) * rain).sum((1, 2, 3)) / (rain * rain).sum((1, 2, 3))
    rejection = 1 - metrics.rain_response(output, dry, rainy, clean)
    torch.testing.assert_close(metrics.removal_gain(output, rainy, clean), rejection + taken)


def test_copying_responds_with_all_of_the_rain_and_damages_nothing():
    _, rainy, clean = random_case()
    assert metrics.rain_response(rainy, clean, rainy, clean).tolist() == [1, 1, 1]
    assert metrics.damage(clean, clean).tolist() == [0, 0, 0]


def test_damage_by_hand():
    """One of four values off by 2 grey levels: sqrt(4 / 4) = 1."""
    clean = torch.full((1, 1, 2, 2), 0.5, dtype=torch.float64)
    drawn = clean.clone()
    drawn[..., 0, 0] += 2 / 255
    assert metrics.damage(drawn, clean).item() == pytest.approx(1)


def test_making_the_picture_darker_takes_no_contrast():
    _, rainy, clean = (part.double() for part in random_case(3))
    darker = rainy - 0.1
    contrast = metrics.contrast_gain(darker, rainy, clean)
    torch.testing.assert_close(contrast, torch.zeros_like(contrast), atol=1e-9, rtol=0)
    assert (metrics.removal_gain(darker, rainy, clean) > 0.1).all()  # but it is a change
    parts = metrics.change_parts(darker, rainy, clean)
    assert parts["offset"].tolist() == pytest.approx([25.5] * 3)
    assert parts["rest"].tolist() == pytest.approx([0] * 3, abs=1e-9)


def test_rain_of_one_strength_has_no_slope():
    # In floats the rain differs by roundings; those must not be taken for differences in rain.
    levels = torch.arange(144).reshape(1, 1, 12, 12).repeat(1, 3, 1, 1).float()
    clean, rainy = levels / 255, (levels + 80) / 255
    output = (rainy - 0.3 * random_case(0, 1, 12)[0]).clamp(0, 1)
    assert metrics.contrast_gain(output, rainy, clean).isnan().all()
    assert metrics.removal_gain(clean, rainy, clean).item() == pytest.approx(1)


@pytest.mark.parametrize("share", [-0.5, 0.25, 0.5, 1.5])
def test_partial_removal_is_its_share(share):
    _, rainy, clean = random_case(1)
    output = rainy.double() - share * (rainy - clean).double()
    gain = metrics.removal_gain(output, rainy, clean)
    torch.testing.assert_close(gain, torch.full_like(gain, share), atol=1e-6, rtol=0)
    contrast = metrics.contrast_gain(output, rainy, clean)
    torch.testing.assert_close(contrast, gain, atol=1e-6, rtol=0)
    strength = metrics.rain_strength(rainy, clean)
    torch.testing.assert_close(metrics.e_r(output, rainy, clean), abs(share) * strength)


@pytest.mark.parametrize("seed", range(4))
def test_pythagoras(seed):
    case = random_case(seed)
    parts = metrics.change_parts(*case)
    total = sum(part**2 for part in parts.values())
    assert set(parts) == {"offset", "along_rain", "rest"}
    torch.testing.assert_close(metrics.e_r(*case) ** 2, total, rtol=1e-6, atol=1e-6)
    # With R scaled by the slope and the mean taken off, the rest is what remains.
    output, rainy, clean = (part.double() for part in case)
    mask = metrics.rain_mask(rainy, clean).expand_as(clean)
    slope = metrics.contrast_gain(*case)
    for index in range(3):
        change, rain = (rainy - output)[index][mask[index]], (rainy - clean)[index][mask[index]]
        rest = change - slope[index] * rain
        assert 255 * rest.std(correction=0).item() == pytest.approx(parts["rest"][index].item())


@pytest.mark.parametrize("seed", range(3))
def test_pythagoras_through_the_origin(seed):
    # E_R^2 = (gain * rms R)^2 + what is left of the change, which is orthogonal to R.
    output, rainy, clean = (part.double() for part in random_case(seed))
    gain, strength = metrics.removal_gain(output, rainy, clean), metrics.rain_strength(rainy, clean)
    rest = metrics.e_r(output + gain[:, None, None, None] * (rainy - clean), rainy, clean)
    total = (gain * strength) ** 2 + rest**2
    torch.testing.assert_close(metrics.e_r(output, rainy, clean) ** 2, total)


def test_mask_splits_the_whole_error():
    # Mean squared error = share * (error over M)^2 + (1 - share) * E_B^2, by definition of M.
    output, rainy, clean = (part.double() for part in random_case(5))
    mask = metrics.rain_mask(rainy, clean).double()
    share = mask.mean((1, 2, 3))
    within = ((output - clean) ** 2 * mask).sum((1, 2, 3)) / (3 * mask.sum((1, 2, 3)))
    whole = ((output - clean) ** 2).mean((1, 2, 3))
    expected = share * within + (1 - share) * (metrics.e_b(output, rainy, clean) / 255) ** 2
    torch.testing.assert_close(whole, expected)


def test_no_rain_is_nan_and_no_dry_pixel_is_nan():
    output, _, clean = random_case()
    for measure in (metrics.e_r, metrics.removal_gain, metrics.contrast_gain):
        assert measure(output, clean, clean).isnan().all()
    assert all(part.isnan().all() for part in metrics.change_parts(output, clean, clean).values())
    assert metrics.rain_strength(clean, clean).isnan().all()
    everywhere = clean * 0.5 + 0.5 + 0.1
    assert metrics.e_b(output, everywhere, clean * 0.5).isnan().all()


def test_pictures_of_a_batch_do_not_mix():
    case = random_case(2)
    together = metrics.score(*case)
    for index in range(3):
        alone = metrics.score(*(part[index : index + 1] for part in case))
        for name, value in alone.items():
            assert value.shape == (1,) and value.dtype == torch.float64
            torch.testing.assert_close(value[0], together[name][index], rtol=1e-9, atol=1e-9)


# --- against scikit-image -----------------------------------------------------------------------


def as_numpy(pictures: torch.Tensor) -> list[np.ndarray]:
    return [picture.permute(1, 2, 0).double().numpy() for picture in pictures]


def test_psnr_against_scikit_image():
    output, _, clean = random_case(6)
    expected = [
        reference.peak_signal_noise_ratio(b, a, data_range=1)
        for a, b in zip(as_numpy(output), as_numpy(clean), strict=True)
    ]
    # Squares are float32, as the pictures are; records keep seven digits.
    assert metrics.psnr_rgb(output, clean).tolist() == pytest.approx(expected, abs=1e-6)


def scikit_ssim(a: np.ndarray, b: np.ndarray) -> float:
    return reference.structural_similarity(
        a, b, data_range=1, channel_axis=2, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False,
    )  # fmt: skip


@pytest.mark.parametrize("noise", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("side", [11, 24, 61])
def test_ssim_against_scikit_image(noise, side):
    clean = random_case(7, side=side)[2]
    source = torch.Generator().manual_seed(0)
    output = (clean + noise * torch.randn(clean.shape, generator=source)).clamp(0, 1)
    expected = [scikit_ssim(*pair) for pair in zip(as_numpy(output), as_numpy(clean), strict=True)]
    assert metrics.ssim_rgb(output, clean).tolist() == pytest.approx(expected, abs=1e-9)


def test_luma_against_scikit_image():
    output, _, clean = random_case(8)
    expected = np.stack([color.rgb2ycbcr(picture)[..., 0] for picture in as_numpy(clean)]) / 255
    assert np.abs(metrics.to_y(clean)[:, 0].numpy() - expected).max() < 1e-9
    others = [color.rgb2ycbcr(picture)[..., :1] / 255 for picture in as_numpy(output)]
    psnr = [
        reference.peak_signal_noise_ratio(b, a[..., None], data_range=1)
        for a, b in zip(expected, others, strict=True)
    ]
    assert metrics.psnr_y(output, clean).tolist() == pytest.approx(psnr, abs=1e-9)
    ssim = [scikit_ssim(a[..., None], b) for a, b in zip(expected, others, strict=True)]
    assert metrics.ssim_y(output, clean).tolist() == pytest.approx(ssim, abs=1e-9)


def test_black_and_white_luma():
    ends = torch.stack([torch.zeros(3, 1, 1), torch.ones(3, 1, 1)])
    assert (metrics.to_y(ends).flatten() * 255).tolist() == pytest.approx([16, 235])


def test_equal_pictures_and_symmetry():
    output, _, clean = random_case(9)
    assert metrics.psnr_rgb(clean, clean).tolist() == [math.inf] * 3
    assert metrics.ssim_rgb(clean, clean).tolist() == pytest.approx([1, 1, 1])
    for measure in (metrics.psnr_rgb, metrics.psnr_y, metrics.ssim_rgb, metrics.ssim_y):
        torch.testing.assert_close(measure(output, clean), measure(clean, output))


# --- bad input ----------------------------------------------------------------------------------

GOOD = torch.zeros(2, 3, 16, 16)
BAD = {
    "shape": GOOD[:, :, :8],
    "batch": GOOD[0],
    "dtype": GOOD.byte(),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_bad_pictures_are_named_in_one_sentence(bad, place):
    arguments = [GOOD, GOOD, GOOD]
    arguments[place] = BAD[bad]
    for measure in (metrics.e_r, metrics.e_b, metrics.removal_gain, metrics.contrast_gain):
        with pytest.raises(ValueError) as error:
            measure(*arguments)
        message = str(error.value)
        assert message.endswith(".") and "\n" not in message and ". " not in message
        assert ("output", "rainy", "clean")[place] in message


def test_ssim_needs_a_window_and_luma_needs_colour():
    with pytest.raises(ValueError, match="11x11"):
        metrics.ssim_rgb(GOOD[..., :10], GOOD[..., :10])
    with pytest.raises(ValueError, match="1 channels"):
        metrics.to_y(GOOD[:, :1])
    with pytest.raises(ValueError):
        metrics.psnr_rgb(GOOD, GOOD[:1])
