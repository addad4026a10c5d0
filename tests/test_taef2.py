"""TAEF2 and product codes: published names and numbers, k-means by hand."""

from pathlib import Path

import pytest
import torch
from torch import nn

from rainlens import data, images, metrics, models, training
from rainlens.models import product_codes, taef2
from rainlens.models.prior import checksum, freeze
from rainlens.models.product_codes import ProductCodes

OFFICIAL = Path(__file__).parent / "official"


@pytest.fixture(autouse=True)
def seeded(one_thread):
    torch.manual_seed(0)


@pytest.mark.parametrize(("part", "expected"), [("encoder", 1_338_528), ("decoder", 1_338_499)])
def test_names_shapes_and_sizes_are_the_published_ones(part, expected):
    module = getattr(models.build("taef2"), part)
    lines = (line.split() for line in (OFFICIAL / f"taef2_{part}.txt").read_text().splitlines())
    published = {name: tuple(map(int, shape)) for name, *shape in lines}
    assert {name: tuple(v.shape) for name, v in module.state_dict().items()} == published
    assert len(published) == 79 and models.count_parameters(module) == expected


@pytest.mark.parametrize("size", [(16, 24), (9, 21)])
def test_any_picture_size(size):
    model = models.build("taef2", groups=4, codes=8)
    nn.init.normal_(model.codes.book)
    assert model.encode(torch.rand(2, 3, 16, 24)).shape == (2, 32, 2, 3)
    assert model(torch.rand(2, 3, *size)).shape == (2, 3, *size)


def test_output_is_float32_under_autocast_and_the_frozen_parts_stay():
    model = models.build("taef2", groups=4, codes=8)
    nn.init.normal_(model.codes.book)
    freeze(model, ["encoder"])
    before = {name: checksum(child) for name, child in model.named_children()}
    optimizer = torch.optim.SGD(model.parameters(), 1.0)
    with torch.autocast("cpu", torch.bfloat16):
        output = model.train()(torch.rand(1, 3, 16, 16))
    assert output.dtype == torch.float32
    output.square().mean().backward()
    optimizer.step()
    moved = {name for name, child in model.named_children() if checksum(child) != before[name]}
    assert moved == {"encoder"}


def test_latents_are_clamped_softly():
    clamp = taef2.SoftClamp()
    assert clamp(torch.tensor([-1e6, 0.0, 1e6])).tolist() == [-3, 0, 3]
    torch.testing.assert_close(clamp(torch.tensor(0.1)), torch.tensor(0.1), atol=1e-4, rtol=0)


def test_weights_that_are_not_there_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv(data.VARIABLE, str(tmp_path))
    assert taef2.published_folder() is None
    with pytest.raises(data.DataError, match="put taef2_encoder.pth .* into weights/taef2"):
        taef2.load_published(models.build("taef2"))


# --- product codes -------------------------------------------------------------------------------


def test_each_group_of_channels_is_on_the_nearest_of_its_codes():
    codes = ProductCodes(groups=2, codes=5, channels=6)
    nn.init.normal_(codes.book)
    latent = torch.randn(2, 6, 3, 4, requires_grad=True)
    values, chosen, loss = codes(latent)
    assert chosen.shape == (2, 2, 3, 4) and loss == 0
    for group, part in enumerate((slice(0, 3), slice(3, 6))):
        rows = latent[:, part].movedim(1, -1).reshape(-1, 3)
        expected = torch.cdist(rows, codes.book[group]).argmin(1)
        assert torch.equal(chosen[:, group].flatten(), expected)
        assert torch.equal(
            values[:, part].movedim(1, -1).reshape(-1, 3), codes.book[group][expected]
        )
    weights = torch.randn_like(values)
    (values * weights).sum().backward()
    assert torch.equal(latent.grad, weights)


def test_many_vectors_are_compared_in_parts(monkeypatch):
    rows, books = torch.randn(2, 50, 3), torch.randn(2, 7, 3)
    whole = product_codes.nearest(rows, books)
    monkeypatch.setattr(product_codes, "ENTRIES", 2 * 7 * 8)  # eight vectors at a time
    assert torch.equal(product_codes.nearest(rows, books), whole)
    assert torch.equal(whole, torch.cdist(rows, books).argmin(-1))


def test_k_means_finds_clusters_and_depends_on_the_seed_alone():
    middles = torch.tensor([[0.0, 0], [10, 0], [0, 10], [10, 10]])
    rows = (middles[:, None] + 0.1 * torch.randn(4, 200, 2)).flatten(0, 1)
    # From some starts two centres share a cluster for good: Lloyd's algorithm is a local search.
    found = {seed: product_codes.k_means(rows, 4, seed) for seed in range(6)}
    gaps = [torch.cdist(middles, centres).min(1).values.max() for centres in found.values()]
    assert min(gaps) < 0.05
    torch.manual_seed(99)
    assert torch.equal(product_codes.k_means(rows, 4, 3), found[3])
    assert not torch.equal(found[3], found[4])


def test_k_means_ends_where_each_centre_is_the_mean_of_its_rows():
    rows = torch.randn(300, 2)
    centres = product_codes.k_means(rows, 5, seed=0, rounds=200)
    nearest = torch.cdist(rows, centres).argmin(1)
    means = torch.stack([rows[nearest == code].mean(0) for code in range(5)])
    torch.testing.assert_close(centres, means)


def test_a_centre_without_rows_moves_to_one():
    rows = torch.tensor([[0.0]] * 50 + [[1.0]] * 50 + [[2.0]] * 2)
    centres = product_codes.k_means(rows, 3, seed=1, rounds=60)  # it may start from equal rows
    assert sorted(centres.flatten().tolist()) == [0, 1, 2]


@pytest.mark.parametrize(
    ("groups", "codes", "expected"),
    [(1, 4096, 0.19), (4, 1024, 0.62), (8, 256, 1.0), (8, 1024, 1.25), (16, 64, 1.5)],
)
def test_bits_a_pixel(groups, codes, expected):
    assert ProductCodes(groups, codes, 32).bits(8) == pytest.approx(expected, abs=0.006)


def test_impossible_books_are_named():
    with pytest.raises(ValueError, match="groups is 5, which does not divide 32"):
        models.build("taef2", groups=5)
    with pytest.raises(ValueError, match="6 latents cannot give 8 codes"):
        ProductCodes(1, 8, 4).fit(torch.rand(1, 4, 2, 3), seed=0)


# --- the published weights, where they are -------------------------------------------------------


@torch.inference_mode()
def test_reconstructions_and_product_codes_reach_the_ceilings_that_were_measured():
    if taef2.published_folder() is None or not images.is_available("photos"):
        pytest.skip("needs weights/taef2 and photos in RAINLENS_DATA")
    files = images.list_folder(images.find_folder("photos"))

    def pictures(paths):
        crops = (images.centre(images.load(path), 256) for path in paths)
        whole = [images.to_unit(crop) for crop in crops if min(crop.shape[1:]) == 256]
        return torch.stack(whole).contiguous(memory_format=torch.channels_last)

    model = models.build("taef2", groups=16, codes=64).to(memory_format=torch.channels_last).eval()
    taef2.load_published(model)
    held_out = pictures(files[::100])
    with training.precision(held_out.device):
        latent = model.encode(held_out)
        model.codes.fit(model.encode(pictures(files[1::100])), seed=0)
        free, on_codes = (
            metrics.psnr_rgb(model.decode(values).clamp(0, 1), held_out).mean().item()
            for values in (latent, model.quantise(latent).values)
        )
    # With 8 groups in the normalisation 27.6, with one 24.9.
    assert free == pytest.approx(29.47, abs=0.3)
    assert on_codes == pytest.approx(27.8, abs=0.3)
