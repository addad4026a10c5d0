"""Measures of picture quality: official values, other libraries, hand-made cases, identities."""

import csv
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import torch
from PIL import Image
from scipy import ndimage, stats
from scipy.special import gamma
from torchmetrics.functional.image import lpips as theirs

from rainlens import data, images, metrics, quality
from rainlens.quality import brisque, lpips, niqe, statistics, weights

GOLDEN = Path(__file__).parent / "quality.json"
PICTURES = ("I03", "I04", "I06", "I08", "I19")
calibrated = pytest.mark.skipif(not os.environ.get(data.VARIABLE), reason="RAINLENS_DATA unset")
pytestmark = pytest.mark.usefixtures("one_thread")


def texture(seed: int, size: tuple[int, int] = (200, 250), flat: bool = False) -> torch.Tensor:
    """A picture like a photograph's statistics, (1, 3, H, W) in [0, 1], made of whole numbers.

    Noise at five sizes, so that there are coarse and fine structures. flat: the left half white.
    """
    noise = np.random.RandomState(seed).randint(0, 256, (3, *size))
    layers = [noise]
    for step in (1, 2, 4, 8):
        noise = (noise + np.roll(noise, step, 1) + np.roll(noise, step, 2)) // 3
        layers.append((noise - 128) * (step + 1) + 128)
    levels = np.clip(sum(layers) // len(layers), 0, 255)
    if flat:
        levels[:, :, : size[1] // 2] = 255
    return torch.from_numpy(levels)[None] / 255


# --- held against the official programs ----------------------------------------------------------


def official(measure: str, picture: str) -> float:
    root = data.data_root() / "iqa_calibration"
    with (root / "official_values.csv").open(newline="") as file:
        rows = {row["Method"]: row for row in csv.DictReader(file)}
    return float(rows[measure][f"{picture}.bmp"])


def calibration_pair(picture: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The distorted and the clean picture, (1, 3, H, W) in [0, 1]."""
    root = data.data_root() / "iqa_calibration"
    files = (root / part / f"{picture}.png" for part in ("dist", "ref"))
    return tuple(images.to_unit(images.load(file))[None] for file in files)


@calibrated
@pytest.mark.parametrize("picture", PICTURES)
def test_official_values(picture):
    distorted, clean = calibration_pair(picture)
    assert round(metrics.psnr_rgb(distorted, clean).item(), 2) == official("psnr", picture)
    grey = [statistics.to_grey(part)[:, None] / 255 for part in (distorted, clean)]
    assert round(metrics.ssim_rgb(*grey).item(), 4) == official("ssim", picture)
    # A third of I19 is flat, and there the official programs count the signs of rounding errors.
    near = 0.5 if picture == "I19" else 0.02
    assert niqe.niqe_grey(distorted).item() == pytest.approx(official("niqe", picture), abs=near)
    theirs = official("brisque", picture)
    assert brisque.brisque_grey(distorted).item() == pytest.approx(theirs, abs=2)


@calibrated
def test_a_picture_without_flat_areas_has_the_official_values_to_four_digits():
    # No rounding error decides anything in I04: what is left is the algorithm.
    distorted, _ = calibration_pair("I04")
    assert niqe.niqe_grey(distorted).item() == pytest.approx(official("niqe", "I04"), abs=1e-5)
    theirs = official("brisque", "I04")
    assert brisque.brisque_grey(distorted).item() == pytest.approx(theirs, abs=1e-4)


@calibrated
def test_lpips_style_orders_distortions_nearly_as_the_published_lpips():
    pairs = [calibration_pair(picture) for picture in PICTURES]
    pairs = [[part[..., 96:288, 128:320] for part in pair] for pair in pairs]
    ours = [lpips.lpips_style_rgb(*pair).item() for pair in pairs]
    published = [official("lpips", picture) for picture in PICTURES]
    assert stats.spearmanr(ours, published).statistic >= 0.9


@calibrated
def test_kernels_of_the_caffe_file_are_not_transposed():
    # Mirrored photographs were trained on, photographs on their heads were not. In a network whose
    # kernels are transposed it would be the other way round.
    model = lpips._caffe(weights.find(lpips.CAFFE_FILE))
    sideways, headlong = [], []
    with torch.no_grad():
        for picture in PICTURES[1:]:
            clean = calibration_pair(picture)[1][..., 64:320, 128:384]
            pooled = [
                model.features(model._prepared(view)).mean((2, 3))
                for view in (clean, clean.flip(3), clean.flip(2))
            ]
            sideways.append((pooled[1] - pooled[0]).norm().item())
            headlong.append((pooled[2] - pooled[0]).norm().item())
    assert np.mean(headlong) > 1.3 * np.mean(sideways)


@calibrated
@pytest.mark.parametrize("seed", [0, 1])
def test_scores_of_made_pictures_stay_as_they_are(seed):
    golden = json.loads(GOLDEN.read_text())[f"texture {seed}"]
    picture = texture(seed).double()
    assert niqe.niqe_grey(picture).item() == pytest.approx(golden["niqe"], rel=1e-5)
    assert brisque.brisque_grey(picture).item() == pytest.approx(golden["brisque"], rel=1e-5)
    other = texture(seed + 10).double()
    style = lpips.lpips_style_rgb(picture, other).item()
    assert style == pytest.approx(golden["lpips_style"], rel=1e-3)


# --- the statistics ------------------------------------------------------------------------------


def test_features_of_made_pictures_stay_as_they_are():
    golden = json.loads(GOLDEN.read_text())
    for seed in (0, 1):
        grey = statistics.to_grey(texture(seed).double())
        expected = golden[f"texture {seed}"]
        ours = brisque.features(grey)[0].numpy()
        np.testing.assert_allclose(ours, expected["brisque features"], rtol=1e-4, atol=2e-6)
        blocks = niqe.block_features(grey[0])
        assert blocks.shape == (4, 36)
        np.testing.assert_allclose(blocks.mean(0).numpy(), expected["niqe features"], rtol=1e-6)


def test_grey_by_hand():
    colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [10, 20, 30], [0, 0, 0]]
    pictures = torch.tensor(colours).reshape(6, 3, 1, 1) / 255
    # 0.2989 * 255 = 76.2, 0.5870 * 255 = 149.7, 0.1140 * 255 = 29.1; 2.99 + 11.74 + 3.42 = 18.15
    assert statistics.to_grey(pictures).flatten().tolist() == [76, 150, 29, 255, 18, 0]


def test_grey_is_that_of_a_picture_file():
    exact = texture(3, (32, 32))
    off = exact + (torch.rand(exact.shape, generator=torch.Generator().manual_seed(0)) - 0.5) / 256
    assert torch.equal(statistics.to_grey(off), statistics.to_grey(exact.double()))
    assert torch.equal(statistics.to_grey(exact * 3), statistics.to_grey((exact * 3).clamp(0, 1)))


def test_bad_pictures_get_one_sentence():
    with pytest.raises(ValueError, match=r"torch.uint8 \(1, 3, 8, 8\); floats in \[0, 1\]"):
        statistics.to_grey(torch.zeros(1, 3, 8, 8, dtype=torch.uint8))
    with pytest.raises(ValueError, match=r"\(1, 1, 8, 8\)"):
        statistics.to_grey(torch.zeros(1, 1, 8, 8))


@pytest.mark.parametrize(("border", "mode"), [("replicate", "nearest"), ("constant", "constant")])
def test_normalised_as_scipy_computes_it(border, mode):
    grey = statistics.to_grey(texture(5, (40, 56)))
    picture = grey[0].numpy()

    def smooth(values):
        return ndimage.gaussian_filter(values, 7 / 6, mode=mode, radius=3)

    mean = smooth(picture)
    spread = np.sqrt(np.abs(smooth(picture**2) - mean**2))
    ours = statistics.normalised(grey, border, flat_is_zero=False)[0].numpy()
    np.testing.assert_allclose(ours, (picture - mean) / (spread + 1), atol=1e-9)


def test_flat_areas_are_exactly_zero_where_asked():
    grey = torch.full((1, 20, 20), 77.0, dtype=torch.float64)
    grey[0, 0, 0] = 78
    values = statistics.normalised(grey, "replicate", flat_is_zero=True)[0]
    assert (values[4:, :] == 0).all() and (values[:, 4:] == 0).all()
    assert (values[:4, :4] != 0).all()


def test_halving_as_pillow_does_it_inside():
    grey = statistics.to_grey(texture(6, (41, 60)))
    ours = statistics.halved(grey)
    assert ours.shape == (1, 21, 30)
    even = statistics.halved(grey[:, :40])[0].numpy()
    file = Image.fromarray(grey[0, :40].numpy().astype(np.float32))
    pillow = np.asarray(file.resize((30, 20), Image.Resampling.BICUBIC))
    np.testing.assert_allclose(even[2:-2, 2:-2], pillow[2:-2, 2:-2], atol=1e-3)  # float32 there
    assert torch.equal(statistics.halved(torch.full((1, 9, 8), 77.0)), torch.full((1, 5, 4), 77.0))


def test_neighbours_by_hand():
    values = torch.tensor([[[1.0, 2.0], [3.0, 5.0]]])
    # Around the edges: the neighbour to the left of the first column is the last.
    expected = [[[2, 2], [15, 15]], [[3, 10], [3, 10]], [[5, 6], [6, 5]], [[5, 6], [6, 5]]]
    assert [product[0].tolist() for product in statistics.neighbour_products(values)] == expected


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0, 4.0])
def test_symmetric_fit_finds_the_shape(alpha):
    values = stats.gennorm.ppf((np.arange(20_000) + 0.5) / 20_000, alpha, scale=3.0)
    found, variance = statistics.fit_symmetric(torch.from_numpy(values)[None])
    assert found.item() == pytest.approx(alpha, abs=0.01)
    assert variance.item() == pytest.approx(9 * gamma(3 / alpha) / gamma(1 / alpha), rel=0.01)


@pytest.mark.parametrize(("alpha", "left", "right"), [(1.0, 1.0, 2.0), (0.7, 3.0, 0.5)])
def test_asymmetric_fit_finds_shape_and_scales(alpha, left, right):
    # Each side is half a symmetric distribution, with weight in proportion to its scale.
    counts = [int(20_000 * side / (left + right)) for side in (left, right)]
    tails = [stats.gennorm.ppf(0.5 + (np.arange(n) + 0.5) / n / 2, alpha) for n in counts]
    values = torch.from_numpy(np.concatenate([-left * tails[0], right * tails[1]]))[None]
    found, mean, *sides = statistics.fit_asymmetric(values)
    scale = statistics.scale(found)
    assert found.item() == pytest.approx(alpha, abs=0.01)
    assert (sides[0] * scale).item() == pytest.approx(left, rel=0.02)
    assert (sides[1] * scale).item() == pytest.approx(right, rel=0.02)
    assert mean.item() == pytest.approx(values.mean().item(), rel=0.02)


def test_nothing_can_be_fitted_to_a_constant():
    nothing = torch.zeros(1, 9, 9, dtype=torch.float64)
    assert all(torch.isnan(value).item() for value in statistics.fit_asymmetric(nothing)[:2])
    assert torch.isnan(statistics.fit_symmetric(nothing)[0]).item()


# --- NIQE ----------------------------------------------------------------------------------------


def test_distance_by_hand():
    features = torch.tensor(
        [[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]]
    )  # mean 1, variance 4/3
    # Covariances 4/3 and 2/3, their mean 1: the distance is that of the means, (4, 5) to (1, 1).
    ours = niqe.distance(features, np.array([4.0, 5.0]), np.eye(2) * 2 / 3)
    assert ours == pytest.approx(5.0)


def test_a_block_without_structure_is_left_out():
    whole = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    torn = torch.cat([whole, torch.full((1, 2), torch.nan)])
    clean = np.array([4.0, 5.0]), np.eye(2)
    assert niqe.distance(torn, *clean) == niqe.distance(whole, *clean)
    assert np.isnan(niqe.distance(torn[3:], *clean))


def test_what_does_not_fill_a_block_is_not_looked_at():
    grey = statistics.to_grey(texture(7, (210, 300)))[0]
    assert torch.equal(niqe.block_features(grey), niqe.block_features(grey[:192, :288]))


def test_flat_areas_do_not_depend_on_how_sums_round():
    # Negatives have the same contrasts; where signs of rounding errors counted, they would differ.
    grey = statistics.to_grey(texture(8, flat=True).double())[0]
    ours, mirrored = (niqe.block_features(view) for view in (grey, 256 - grey))
    np.testing.assert_allclose(ours.numpy(), mirrored.numpy(), rtol=1e-6)


def write_pristine(root: Path) -> None:
    (root / "weights").mkdir()
    np.savez(root / "weights" / niqe.FILE, mu_pris_param=np.zeros(36), cov_pris_param=np.eye(36))


def test_niqe_of_a_batch_and_its_least_size(monkeypatch, tmp_path):
    write_pristine(tmp_path)
    monkeypatch.setenv(data.VARIABLE, str(tmp_path))
    pictures = torch.cat([texture(0, (192, 192)), torch.ones(1, 3, 192, 192)])
    values = niqe.niqe_grey(pictures)
    assert values.shape == (2,) and values.dtype == torch.float64
    assert values[0] == niqe.niqe_grey(pictures[:1])[0] and torch.isnan(values[1])
    with pytest.raises(ValueError, match="at least 192x192 pixels, not 300x191: measure whole"):
        niqe.niqe_grey(torch.zeros(1, 3, 191, 300))


# --- BRISQUE -------------------------------------------------------------------------------------

MODEL = """\
svm_type epsilon_svr
kernel_type rbf
gamma 0.25
nr_class 2
total_sv 2
rho -3
SV
2 1:1 36:-1
-1.5 2:0.5
"""
RANGES = "x\n-1 1\n" + "".join(f"{i} {-i} {3 * i}\n" for i in range(1, 37))


def write_model(root: Path, model: str = MODEL, ranges: str = RANGES) -> tuple[Path, Path]:
    folder = root / "weights" / "brisque"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "allmodel").write_text(model)
    (folder / "allrange").write_text(ranges)
    return folder / "allmodel", folder / "allrange"


def test_regression_by_hand(tmp_path):
    model = brisque.read_model(*write_model(tmp_path))
    features = torch.arange(1, 37, dtype=torch.float64)[None]  # i lies midway between -i and 3 i
    # Scaled all are 0: squared distances 1 + 1 and 0.25.
    expected = 2 * np.exp(-0.5) - 1.5 * np.exp(-0.0625) + 3
    assert model.predict(features).item() == pytest.approx(expected)
    features[0, 0] = 3  # the highest of feature 1, so 1 when scaled
    expected = 2 * np.exp(-0.25) - 1.5 * np.exp(-0.25 * 1.25) + 3
    assert model.predict(features).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("model", "ranges", "says"),
    [
        (MODEL[:-10], RANGES, "has 1 of 2 vectors|cannot be read as a LIBSVM model"),
        (MODEL.replace("rho -3\n", ""), RANGES, "allmodel cannot be read as a LIBSVM model"),
        (MODEL.replace("36:-1", "37:-1"), RANGES, "allmodel cannot be read as a LIBSVM model"),
        (MODEL.replace("rbf", "linear"), RANGES, "allmodel is no regression with a radial basis"),
        ("", RANGES, "allmodel cannot be read as a LIBSVM model"),
        (MODEL, RANGES[:-12], r"allrange .*fetch it again"),
        (MODEL, RANGES.replace("-1 1", "0 1", 1), r"allrange does not scale 36 features"),
        (MODEL, "", "allrange cannot be read as LIBSVM's ranges"),
    ],
)
def test_damaged_models_are_named(tmp_path, model, ranges, says):
    with pytest.raises(data.DataError, match=says):
        brisque.read_model(*write_model(tmp_path, model, ranges))


def test_brisque_of_a_batch_and_its_least_size(monkeypatch, tmp_path):
    write_model(tmp_path)
    monkeypatch.setenv(data.VARIABLE, str(tmp_path))
    pictures = torch.cat([texture(0, (33, 47)), texture(1, (33, 47))])
    values = brisque.brisque_grey(pictures)
    assert values.shape == (2,) and values.dtype == torch.float64
    assert values[1] == brisque.brisque_grey(pictures[1:])[0]
    with pytest.raises(ValueError, match="at least 16x16 pixels, not 40x15"):
        brisque.brisque_grey(torch.zeros(1, 3, 15, 40))


# --- LPIPS ---------------------------------------------------------------------------------------


def reference(backbone: str) -> theirs._LPIPS:
    """torchmetrics' LPIPS with its linear layers and a random backbone."""
    with torch.device("meta"):
        model = theirs._LPIPS(pretrained=False, net=backbone, pnet_rand=True)
    model.to_empty(device="cpu")
    model.scaling_layer = theirs.ScalingLayer()
    source = torch.Generator().manual_seed(0)
    for parameter in model.net.parameters():
        parameter.normal_(0, 0.05, generator=source)
    model.load_state_dict(heads(backbone), strict=False)
    return model


def heads(backbone: str) -> dict[str, torch.Tensor]:
    file = Path(theirs.__file__).parent / "lpips_models" / f"{backbone}.pth"
    return torch.load(file, weights_only=True, map_location="cpu")


def flat_names(model: theirs._LPIPS) -> dict[str, torch.Tensor]:
    """The backbone's weights by torchvision's numbers, without the slices' names."""
    state = model.net.state_dict()
    return {re.sub(r"^slices\.\d+\.|^slice\d+\.", "", name): state[name] for name in state}


@pytest.mark.parametrize("backbone", ["squeeze", "alex", "vgg"])
def test_lpips_is_that_of_torchmetrics(backbone):
    model = reference(backbone)
    named = flat_names(model)
    ours = lpips.Lpips(backbone, named, heads(backbone))
    first, second = texture(0, (33, 48)), texture(1, (33, 48))
    with torch.no_grad():
        expected = model(first, second, normalize=True).item()
        assert ours(first, second).item() == pytest.approx(expected, rel=1e-4)
        assert ours(first, second).item() == pytest.approx(ours(second, first).item(), rel=1e-6)
        assert ours(first, first).item() == 0
        both = ours(torch.cat([first, second]), torch.cat([second, second]))
    assert expected > 0.01 and both.shape == (2,) and both.dtype == torch.float64
    np.testing.assert_allclose(both.numpy(), [expected, 0], rtol=1e-4)


def test_published_weights_are_read_under_their_names(monkeypatch, tmp_path):
    folder = tmp_path / "weights"
    (folder / "lpips_v0.1").mkdir(parents=True)
    model = reference("squeeze")
    state = {f"features.{name}": value for name, value in flat_names(model).items()}
    state |= {"classifier.1.weight": torch.zeros(1)}
    torch.save(state, folder / "squeezenet1_1-b8a52dc0.pth")
    torch.save(heads("squeeze"), folder / "lpips_v0.1" / "squeeze.pth")
    monkeypatch.setenv(data.VARIABLE, str(tmp_path))
    first, second = texture(0, (48, 40)), texture(1, (48, 40))
    expected = model(first, second, normalize=True).item()
    assert lpips.lpips_rgb(first, second, "squeeze").item() == pytest.approx(expected, rel=1e-4)
    with pytest.raises(data.DataError, match="alexnet-owt-7be5be79.pth is not there: put it th"):
        lpips.lpips_rgb(first, second)
    with pytest.raises(ValueError, match="no backbone 'resnet'; there are: alex, vgg, squeeze"):
        lpips.lpips_rgb(first, second, "resnet")


def caffe_file(path: Path) -> dict[str, np.ndarray]:
    """A made-up file of the Caffe layers; gives its kernels."""
    source, kernels, stored = np.random.RandomState(0), {}, {}
    shapes = lpips.torchvision.models.squeezenet1_1(weights=None).features.state_dict()
    for caffe, name in lpips._caffe_names():
        out, into, height, width = shapes[f"{name}.weight"].shape
        kernels[name] = source.randn(height, width, into, out).astype(np.float32) / 20
        stored[caffe] = np.empty((1, 2), dtype=object)
        stored[caffe][0, 0] = kernels[name]
        stored[caffe][0, 1] = source.randn(1, out).astype(np.float32)
    scipy.io.savemat(path, stored)
    return kernels


def test_caffe_layers_take_their_places(tmp_path):
    kernels = caffe_file(tmp_path / "made.mat")
    state = lpips.caffe_features(tmp_path / "made.mat")
    model = lpips.Lpips("squeeze", state, heads("squeeze"), caffe=True)
    squeeze = model.features[3].squeeze.weight  # the first fire module, Caffe's fire2
    assert squeeze[5, 7].item() == kernels["3.squeeze"][0, 0, 7, 5]
    assert model.features[0].weight[9, 1, 0, 2].item() == kernels["0"][0, 2, 1, 9]
    prepared = model._prepared(torch.tensor([1.0, 0.5, 0.0]).reshape(1, 3, 1, 1)).flatten()
    np.testing.assert_allclose(prepared, [0 - 104, 127.5 - 116.7, 255 - 122.7], atol=1e-4)
    with torch.no_grad():
        assert model(texture(0, (40, 40)), texture(0, (40, 40))).item() == 0
        assert model(texture(0, (40, 40)), texture(1, (40, 40))).item() > 0


def test_weights_that_do_not_fit_are_refused(tmp_path):
    state = flat_names(reference("squeeze"))
    with pytest.raises(ValueError, match="weights do not fit LPIPS of 'squeeze'"):
        lpips.Lpips("squeeze", state, heads("alex"))
    (tmp_path / "torn.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(200))
    with pytest.raises(data.DataError, match="torn.mat cannot be read as SqueezeNet 1.1"):
        lpips.caffe_features(tmp_path / "torn.mat")
    (tmp_path / "torn.pth").write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(data.DataError, match="torn.pth cannot be read as weights"):
        weights.state_dict(tmp_path / "torn.pth")


# --- all together --------------------------------------------------------------------------------


def test_without_data_the_rest_is_measured_and_one_sentence_says_what_is_missing(monkeypatch):
    monkeypatch.delenv(data.VARIABLE, raising=False)
    assert quality.available() == ["psnr", "ssim"]
    first, second = texture(0, (64, 64)), texture(1, (64, 64))
    assert quality.score(first, second).keys() == {"psnr", "ssim"}
    for name in ("niqe", "brisque", "lpips_style"):
        large = texture(0)
        with pytest.raises(
            data.DataError, match=r"^weights/\S+ is needed: set RAINLENS_DATA [^.]+"
        ):
            quality.score(large, large, [name])
    with pytest.raises(ValueError, match="no measure 'musiq'; there are: psnr, ssim, lpips_style"):
        quality.score(first, second, ["musiq"])


def test_what_is_not_lpips_is_never_called_so():
    assert quality.MEASURES["lpips_style"].label == "LPIPS-style (SqueezeNet, Caffe weights)"
    assert "LPIPS" not in [measure.label for measure in quality.MEASURES.values()]


@pytest.mark.parametrize("name", quality.MEASURES)
def test_each_measure_points_the_way_it_says(monkeypatch, name):
    measure = quality.MEASURES[name]
    if name not in quality.available():
        pytest.skip("its weights are not here")
    clean = texture(4, (208, 208))
    noise = torch.from_numpy(np.random.RandomState(1).randint(-60, 61, clean.shape)) / 255
    noisy = (clean + noise).clamp(0, 1)
    good, bad = (measure.function(output, clean).item() for output in (clean, noisy))
    if measure.has_reference:
        assert (good > bad) == measure.higher_is_better
    else:  # a made texture is no photograph: only that clean is not looked at
        assert measure.function(noisy, noisy).item() == bad


def write_golden() -> None:
    """Write quality.json anew, from code that meets the official values."""
    golden = {}
    for seed in (0, 1):
        picture = texture(seed).double()
        grey = statistics.to_grey(picture)
        golden[f"texture {seed}"] = {
            "niqe": niqe.niqe_grey(picture).item(),
            "brisque": brisque.brisque_grey(picture).item(),
            "lpips_style": lpips.lpips_style_rgb(picture, texture(seed + 10).double()).item(),
            "niqe features": niqe.block_features(grey[0]).mean(0).tolist(),
            "brisque features": brisque.features(grey)[0].tolist(),
        }
    GOLDEN.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    write_golden()
