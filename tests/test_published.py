"""PReNet, PRN, RCDNet and SPDNet: official names and shapes, sizes and steps worked out by hand."""

import math
import os
from pathlib import Path

import pytest
import torch
from skimage.metrics import structural_similarity
from torch import nn

from rainlens import data, evaluation, images, models, running
from rainlens.models import published, rcdnet, spdnet
from rainlens.models.weights import WeightsError
from rainlens.records import RecordStore
from rainlens.scales import SCALES
from rainlens.tasks import published as repeated

OFFICIAL = Path(__file__).parent / "official"
NAMES = ["prenet", "prn", "rcdnet", "spdnet"]
SMALL = {
    "prenet": dict(rounds=2),
    "prn": dict(rounds=2),
    "rcdnet": dict(stages=3),
    "spdnet": dict(n_resblocks=1),
}


def official_state(name: str) -> dict[str, torch.Tensor]:
    """Random numbers under the official names, each line of the file being a name and a shape."""
    source, state = torch.Generator().manual_seed(1), {}
    for line in (OFFICIAL / f"{name}.txt").read_text().splitlines():
        key, shape = line.split()
        sides = [] if shape == "scalar" else [int(side) for side in shape.split("x")]
        state[key] = torch.rand(sides, generator=source) if sides else torch.tensor(7)
    return state


@pytest.fixture(params=NAMES)
def name(request) -> str:
    return request.param


@pytest.fixture
def model(name) -> nn.Module:
    torch.manual_seed(0)
    return models.build(name, **SMALL[name])


def batch(size: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    """Two smooth pictures, and the same with upright grey streaks."""
    source = torch.Generator().manual_seed(2)
    coarse = torch.rand(2, 3, 4, 4, generator=source)
    clean = nn.functional.interpolate(coarse, (size, size), mode="bilinear") * 0.7
    streaks = (torch.rand(2, 1, 1, size, generator=source) > 0.7) * 0.25
    return clean + streaks, clean


# --- names, shapes, sizes ------------------------------------------------------------------------


def test_official_state_dicts_load_strictly(name):
    network, state = models.build(name), official_state(name)
    network.load_state_dict(state, strict=True)
    assert all(torch.equal(values, state[key]) for key, values in network.state_dict().items())


def conv(before: int, after: int, kernel: int = 3) -> int:
    return kernel**2 * before * after + after


def test_prenet_parameters_by_hand():
    prn = conv(6, 32) + 10 * conv(32, 32) + conv(32, 3)
    assert models.count_parameters(models.build("prn")) == prn == 95_107
    assert models.count_parameters(models.build("prenet")) == prn + 4 * conv(64, 32) == 168_963


@pytest.mark.parametrize(("stages", "expected"), [(17, 3_166_355), (5, 1_110_203)])
def test_rcdnet_parameters_by_hand(stages, expected):
    def nets(channels: int) -> int:  # four blocks of two convolutions and two BatchNorms
        return 4 * 2 * (conv(channels, channels) + 2 * channels)

    of_background, of_maps = nets(35), nets(32) + 32
    assert (of_background, of_maps) == (89_040, 74_528)
    kernels, steps = stages * 3 * 32 * 81, 2 + 2 * (stages - 1)
    rest = 32 * 27 + 1  # the dual channels' filters and the first threshold
    by_hand = (stages + 2) * of_background + (stages + 1) * of_maps + kernels + steps + rest
    assert models.count_parameters(models.build("rcdnet", stages=stages)) == by_hand == expected


def spdnet_by_hand(blocks: int) -> tuple[int, int]:
    """Parameters of SPDNet, and how many of them take part."""
    block = 2 * conv(32, 32) + 2 * 32 * 32
    group = blocks * block + conv(32, 32)
    bands = 2 * conv(128, 32) + 2 * conv(32, 128)
    prior = 2 * conv(32, 32) + 2 * conv(64, 2)
    first = conv(3, 16) + conv(16, 32)
    stage = prior + conv(64, 32) + bands + 9 * group + 2 * (conv(32, 32) + block)
    heads = 2 * conv(64, 32) + 2 * conv(96, 32) + 3 * conv(32, 3)
    used = 4 * first + 3 * group + 3 * stage + heads
    # Unused: eight convolutions between sizes, two ways down, one in each fusion; and the
    # normalisations, two numbers a channel: 16 + 32 four times, and those of stages and heads.
    between = 12 * conv(32, 32)
    norms = 2 * (4 * 48 + 4 * 32) + 3 * 2 * (32 + 2 * 32 + 2 * 128 + 8 * 32)
    return used + 3 * between + norms, used


@pytest.mark.parametrize("blocks", [3, 1])
def test_spdnet_parameters_by_hand(blocks):
    network = models.build("spdnet", n_resblocks=blocks)
    every, used = spdnet_by_hand(blocks)
    if blocks == 3:
        assert (every, used) == (3_318_741, 2_981_525)
    idle = sum(network.get_parameter(key).numel() for key in models.unused_parameters(network))
    assert models.count_parameters(network) == every
    assert every - idle == used


def test_exactly_the_unused_parameters_get_no_gradient(name, model):
    model.objective(*batch()).backward()
    without = [key for key, parameter in model.named_parameters() if parameter.grad is None]
    assert without == models.unused_parameters(model)
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert all(gradient.isfinite().all() and gradient.any() for gradient in gradients)
    assert bool(without) == (name in ("rcdnet", "spdnet"))


def test_networks_without_idle_parts_have_no_unused_parameters():
    assert models.unused_parameters(models.build("resnet", blocks=1, channels=2)) == []


def test_rcdnet_uses_the_second_kernels_only():
    network = models.build("rcdnet", stages=3)
    network.objective(*batch()).backward()
    moved = network.conv.grad.abs().sum((1, 2, 3, 4)) > 0
    assert moved.tolist() == [False, True]


def test_rcdnet_goes_to_channels_last_as_other_networks_do():
    network = models.build("rcdnet", stages=3)
    assert network.to("cpu", memory_format=torch.channels_last) is network
    deep = network.x_stage[1].resx3[0].weight
    assert deep.is_contiguous(memory_format=torch.channels_last)
    assert network.to(torch.float64).conv.dtype == torch.float64


def test_parameters_have_memory_of_their_own(model):
    for key, parameter in model.named_parameters():
        assert parameter.is_contiguous(), key
        assert parameter.untyped_storage().nbytes() == 4 * parameter.numel(), key


# --- what all of them promise --------------------------------------------------------------------


@pytest.mark.parametrize("size", [(16, 16), (7, 13), (33, 18), (5, 6)])
def test_any_picture_size(model, size):
    model.eval()
    with torch.inference_mode():
        output = model(torch.rand(2, 3, *size))
    assert output.shape == (2, 3, *size)
    assert output.isfinite().all()


def test_spdnet_mirrors_and_crops():
    network, picture = models.build("spdnet", n_resblocks=1), torch.rand(1, 3, 14, 11)
    mirrored = torch.cat((picture, picture[..., 9:10]), 3)
    mirrored = torch.cat((mirrored, mirrored[..., 12:13, :], mirrored[..., 11:12, :]), 2)
    with torch.inference_mode():
        torch.testing.assert_close(network(picture), network(mirrored)[..., :14, :11])


@pytest.mark.parametrize("size", [(4, 9), (9, 4), (1, 1)])
def test_spdnet_names_pictures_that_are_too_small(size):
    with pytest.raises(ValueError, match=rf"{size[1]}x{size[0]} pixels; SPDNet needs .* 5x5"):
        models.build("spdnet", n_resblocks=1)(torch.rand(1, 3, *size))


@pytest.mark.parametrize(
    ("name", "options"),
    [("prenet", dict(rounds=0)), ("rcdnet", dict(stages=2)), ("spdnet", dict(n_resblocks=0))],
)
def test_options_out_of_range_are_named(name, options):
    with pytest.raises(ValueError, match=f"{next(iter(options))} is {[*options.values()][0]}"):
        models.build(name, **options)


def test_same_torch_seed_same_weights(name):
    states = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        states.append(models.build(name, **SMALL[name]).state_dict())
    same = [all(torch.equal(states[0][k], other[k]) for k in other) for other in states[1:]]
    assert same == [True, False]


def test_a_few_steps_in_bfloat16_lower_the_loss(name, model):
    rainy, clean = batch()
    model.train().to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-4, fused=True)
    losses = []
    for _ in range(8):
        with torch.autocast("cpu", torch.bfloat16):
            loss = model.objective(rainy, clean)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.05 * abs(losses[0])
    assert loss.dtype in (torch.float32, torch.float64)


def test_pictures_leave_in_float32(model):
    inside = []
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda *step: inside.append(step[2].dtype))
    with torch.autocast("cpu", torch.bfloat16):
        output = model(batch()[0])
    assert output.dtype == torch.float32
    assert torch.bfloat16 in inside  # the autocast is at work


@pytest.mark.parametrize("name", ["prenet", "prn", "rcdnet"])
def test_bfloat16_costs_less_than_a_grey_level(model):
    # Not SPDNet: untrained, its sigmoid of a product of grey levels jumps between 0 and 1.
    rainy = batch()[0]
    model.eval()
    with torch.inference_mode():
        exact = model(rainy)
        with torch.autocast("cpu", torch.bfloat16):
            rough = model(rainy)
    assert 0 < (rough - exact).square().mean().sqrt() < 1 / 255


# --- PReNet --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["prenet", "prn"])
def test_prenet_adds_what_it_finds_to_the_rainy_picture(name):
    network, rainy = models.build(name, rounds=3), batch()[0]
    nn.init.zeros_(network.conv[0].weight)
    nn.init.constant_(network.conv[0].bias, -0.1)
    outputs = network.all_outputs(rainy)
    assert len(outputs) == 3
    assert all(torch.allclose(output, rainy - 0.1) for output in outputs)


@pytest.mark.parametrize("name", ["prenet", "prn"])
def test_prenet_by_its_formula(name):
    torch.manual_seed(4)
    network, rainy = models.build(name, rounds=2), torch.rand(1, 3, 7, 9)
    state = network.state_dict()

    def layer(key: str, *inputs: torch.Tensor) -> torch.Tensor:
        return nn.functional.conv2d(
            torch.cat(inputs, 1), state[f"{key}.weight"], state[f"{key}.bias"], padding=1
        )

    x, h, c = rainy, torch.zeros(1, 32, 7, 9), torch.zeros(1, 32, 7, 9)
    for _ in range(2):
        h_in, h = h, layer("conv0.0", rainy, x).relu()
        if name == "prenet":
            i, f, o = (layer(f"conv_{gate}.0", h, h_in).sigmoid() for gate in "ifo")
            c = f * c + i * layer("conv_g.0", h, h_in).tanh()
            h = o * c.tanh()
        y = h
        for k in range(1, 6):
            inner = layer(f"res_conv{k}.2", layer(f"res_conv{k}.0", y).relu()).relu()
            y = (inner + y).relu()
        x = layer("conv.0", y) + rainy
    torch.testing.assert_close(network(rainy), x)


def test_the_lstm_remembers_by_its_formula():
    # No weights, only biases: c = sigmoid(2) c + sigmoid(1) tanh(0.5), h = sigmoid(3) tanh(c).
    network = models.build("prenet", rounds=2)
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    for gate, bias in dict(i=1.0, f=2.0, g=0.5, o=3.0).items():
        nn.init.constant_(getattr(network, f"conv_{gate}")[0].bias, bias)
    nn.init.constant_(network.conv[0].weight[:, 0, 1, 1], 1)  # shows the first feature

    def sigmoid(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    cell, added = 0.0, []
    for _ in range(2):
        cell = sigmoid(2) * cell + sigmoid(1) * math.tanh(0.5)
        added.append(sigmoid(3) * math.tanh(cell))
    rainy = batch()[0]
    found = [(output - rainy).mean().item() for output in network.all_outputs(rainy)]
    assert found == pytest.approx(added, abs=1e-6)


def test_prenet_objective_is_minus_the_ssim_of_scikit_image():
    network, (rainy, clean) = models.build("prenet", rounds=1), batch(24)
    output = network(rainy).detach()
    options = dict(channel_axis=0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    expected = [
        structural_similarity(a.double().numpy(), b.double().numpy(), data_range=1, **options)
        for a, b in zip(output, clean, strict=True)
    ]
    assert network.objective(rainy, clean).item() == pytest.approx(-sum(expected) / 2, abs=1e-6)


def test_the_gradient_of_ssim_is_its_slope():
    torch.manual_seed(0)
    network, (rainy, clean) = models.build("prn", rounds=1), batch()
    bias, step = network.conv[0].bias, 1e-3
    network.objective(rainy, clean).backward()
    sides = []
    for sign in (1, -1):
        with torch.no_grad():
            bias[0] += sign * step
            sides.append(network.objective(rainy, clean).item())
            bias[0] -= sign * step
    assert bias.grad[0].item() == pytest.approx((sides[0] - sides[1]) / (2 * step), rel=1e-2)


# --- RCDNet --------------------------------------------------------------------------------------


def without_learning(network: nn.Module) -> nn.Module:
    """Every residual network becomes the identity on pictures: its last BatchNorms give 0."""
    with torch.no_grad():
        for key, parameter in network.named_parameters():
            if ".4." in key and ".res" in key:
                parameter.zero_()
    return network


def test_without_rain_kernels_rcdnet_leaves_the_picture():
    network = without_learning(models.build("rcdnet", stages=4))
    nn.init.zeros_(network.weight0)
    nn.init.zeros_(network.conv)
    rainy = torch.rand(2, 3, 9, 11)
    first, backgrounds, layers = network.all_outputs(rainy)
    assert len(backgrounds) == 5 and len(layers) == 4
    for picture in (first, *backgrounds):
        torch.testing.assert_close(picture, rainy)
    assert all(layer.abs().max() == 0 for layer in layers)


def one_point_rcdnet() -> nn.Module:
    """Three stages whose first map alone lays down rain, at single pixels, in all channels."""
    network = without_learning(models.build("rcdnet", stages=3))
    with torch.no_grad():
        for kernels in (network.weight0, network.conv[0], network.conv[1]):
            kernels.zero_()
        network.weight0[:, 0, 4, 4] = 10  # stored times 10
        network.conv[1, :, 0, 4, 4] = 10
        network.tau.fill_(-10)  # 10 grey levels of rain in each channel to begin with
    return network


def test_rcdnet_steps_by_hand():
    # On a picture of 200 everywhere. M = 3 * 10 - 0.5, R = M, B = 200 - 0.5 R; then twice
    # M <- M - 0.1 * 3 * (R - (200 - B)) - 0.5, R = M, B <- B - 0.5 (B - (200 - R)).
    first, backgrounds, layers = one_point_rcdnet().all_outputs(torch.full((1, 3, 6, 6), 200 / 255))
    assert first.mul(255).mean().item() == pytest.approx(200)
    by_hand = dict(rain=[29.5, 24.575, 22.60125], background=[185.25, 180.3375, 178.868125])
    for found, value in zip(layers, by_hand["rain"], strict=True):
        assert torch.allclose(found * 255, torch.tensor(value))
    last = by_hand["background"][-1]  # nothing is left to do for the last network
    for found, value in zip(backgrounds, [*by_hand["background"], last], strict=True):
        assert torch.allclose(found * 255, torch.tensor(value))


def test_rcdnet_objective_by_hand():
    rainy, clean = torch.full((1, 3, 6, 6), 200 / 255), torch.full((1, 3, 6, 6), 180 / 255)
    stages = 5.25**2 + 0.3375**2 + 1.131875**2
    layers = 9.5**2 + 4.575**2 + 2.60125**2
    expected = 0.1 * 20**2 + 0.1 * stages + 0.1 * layers + 1.131875**2 + 0.9 * 2.60125**2
    assert one_point_rcdnet().objective(rainy, clean).item() == pytest.approx(expected, rel=1e-5)


def test_maps_are_corrected_by_the_adjoint_of_rain():
    network = models.build("rcdnet", stages=3).double()
    maps, layer = torch.rand(1, 32, 12, 15).double(), torch.rand(1, 3, 12, 15).double()
    forth = (network._rain(maps) * layer).sum()
    back = (maps * network._transposed(layer, network.conv[1])).sum()
    torch.testing.assert_close(forth, back)


def test_rain_kernels_by_hand():
    kernels = rcdnet.rain_kernels().double()
    assert kernels.shape == (32, 9, 9)
    torch.testing.assert_close(kernels.sum((1, 2)), torch.ones(32).double())
    thin, wide = kernels[0] / kernels[0, 4, 4], kernels[12] / kernels[12, 4, 4]
    assert thin[5, 4].item() == pytest.approx(math.exp(-((1 / 2.75) ** 2) / 0.125), rel=1e-5)
    assert thin[4, 5].item() == pytest.approx(math.exp(-8), rel=1e-5)
    assert thin[4, 8] == 0  # exp(-128) is below a rounding error
    assert wide[3:6, 3:6].tolist() == [[1.0] * 3] * 3
    assert wide[6, 4].item() == pytest.approx(math.exp(-((1 / 5.25) ** 2) / 0.5), rel=1e-5)
    assert wide[4, 6].item() == pytest.approx(math.exp(-2), rel=1e-5)
    offset = torch.arange(-4.0, 5).double() ** 2
    upright = (kernels * offset[:, None]).sum((1, 2)) > (kernels * offset).sum((1, 2))
    assert upright.all()


def test_rcdnet_in_training_mode_uses_the_batch():
    network, rainy = models.build("rcdnet", stages=3), batch()[0]
    with torch.no_grad():
        of_batch, alone = network.train()(rainy)[:1], network(rainy[:1])
        network.eval()
        torch.testing.assert_close(network(rainy)[:1], network(rainy[:1]))
    assert not torch.allclose(of_batch, alone, atol=1e-3)


# --- SPDNet --------------------------------------------------------------------------------------


def test_the_wavelet_transform_can_be_undone():
    x = torch.rand(2, 5, 8, 12)
    lh, hl, hh, ll = spdnet.Wavelet()(x).chunk(4, 1)
    side_by_side = torch.stack((ll, lh, hl, hh), 2).flatten(1, 2)  # as the inverse wants them
    torch.testing.assert_close(spdnet.InverseWavelet()(side_by_side), x)


def test_wavelet_bands_by_hand():
    rows = torch.tensor([[3.0, 3.0], [1.0, 1.0]])[None, None]
    assert spdnet.Wavelet()(rows).flatten().tolist() == pytest.approx([2, 0, 0, 4], abs=1e-6)
    columns = rows.transpose(2, 3)
    assert spdnet.Wavelet()(columns).flatten().tolist() == pytest.approx([0, 2, 0, 4], abs=1e-6)
    checks = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])[None, None]
    assert spdnet.Wavelet()(checks).flatten().tolist() == pytest.approx([0, 0, 2, 0], abs=1e-6)


def test_grey_rain_does_not_touch_the_residue():
    rainy, clean = batch()
    torch.testing.assert_close(spdnet.residue(rainy), spdnet.residue(clean))
    tinted = clean + (rainy - clean) * torch.tensor([1, 0.9, 0.8])[:, None, None]
    assert not torch.allclose(spdnet.residue(tinted), spdnet.residue(clean), atol=1e-3)


def test_residue_by_hand():
    picture = torch.tensor([0.2, 0.7, 0.4])[:, None, None].expand(1, 3, 2, 2)
    torch.testing.assert_close(spdnet.residue(picture), torch.full((1, 3, 2, 2), 0.5))


def with_numbers(module: nn.Module, **numbers: float) -> nn.Module:
    """Every parameter 0, but for those named (dots written as __)."""
    for key, parameter in module.named_parameters():
        nn.init.constant_(parameter, numbers.get(key.replace(".", "__"), 0))
    return module


def test_parts_of_spdnet_by_hand():
    x, other = torch.rand(2, 2, 32, 6, 8)
    # A mean over 3x3 keeps even grey up to the border, which zeros around it would darken.
    mean = with_numbers(spdnet.PaddedConv(32, 32), conv__weight=1 / (9 * 32), ins__bias=50)
    torch.testing.assert_close(mean(torch.ones_like(x)), torch.ones_like(x))
    # The body gives 3, the weights of the channels are sigmoid(0) = 1/2.
    block = with_numbers(spdnet.Block(), module_body__2__bias=3)
    torch.testing.assert_close(block(x), x + 1.5)
    group = with_numbers(spdnet.Group(1), module_body__1__bias=-0.5)
    torch.testing.assert_close(group(x), (x - 0.5).relu())
    fuse = with_numbers(spdnet.Fuse(), up__conv2d__bias=-1, rb__module_body__2__bias=2)
    torch.testing.assert_close(fuse(other, x), x + 1)
    # Attention 1/2 everywhere: each is v g0 + v g1 / 2.
    first, second = with_numbers(spdnet.Prior(), gamma1__bias=2, gamma2__bias=-4)(x, other)
    torch.testing.assert_close(first, 3 * x)
    torch.testing.assert_close(second, -6 * other)


def test_channels_are_weighed_by_their_means():
    attention, x = spdnet.ChannelAttention(), torch.rand(2, 32, 4, 5)
    first, second = (attention.fc[i].weight for i in (0, 2))
    for picture, found in zip(x, attention(x), strict=True):
        weights = (second @ (first @ picture.flatten(1).mean(1)).relu()).sigmoid()
        torch.testing.assert_close(found, picture * weights[:, None, None])


def test_enlarging_takes_the_nearest_of_the_transposed_convolution():
    up, x = spdnet.Upsample(), torch.rand(1, 32, 4, 6)
    padded = nn.functional.pad(x, (1, 1, 1, 1), mode="reflect")
    large = nn.functional.conv_transpose2d(padded, up.conv2d.weight, up.conv2d.bias, 2).relu()
    assert large.shape[-2:] == (13, 17)
    rows, columns = [i * 13 // 8 for i in range(8)], [i * 17 // 12 for i in range(12)]
    torch.testing.assert_close(up(x, (8, 12)), large[:, :, rows][..., columns])


def heads_that_say(network: nn.Module, *grey: float) -> nn.Module:
    for stage, level in enumerate(grey, 1):
        nn.init.zeros_(getattr(network, f"output{stage}").weight)
        nn.init.constant_(getattr(network, f"output{stage}").bias, level)
    return network


def test_spdnet_objective_by_hand():
    network = heads_that_say(models.build("spdnet", n_resblocks=1), 10, 20, 30)
    rainy, clean = torch.rand(1, 3, 8, 8), torch.full((1, 3, 8, 8), 25 / 255)
    outputs = [round(255 * output.mean().item(), 3) for output in network.all_outputs(rainy)]
    assert outputs == [10, 20, 30]
    assert network.objective(rainy, clean).item() == pytest.approx(15**2 + 5**2 + 5**2, rel=1e-5)


def test_the_full_size_passes_a_stage_alone():
    # All groups are relu(x), both wavelet paths 0, attention 1/2: x 1 + x / 2 * 1.
    x = torch.rand(1, 32, 8, 12)
    stage = with_numbers(spdnet.Stage(1), prior__gamma1__bias=1, prior__gamma2__bias=-4)
    nn.init.dirac_(stage.fuse_res.conv.weight)  # the features of the two, not the residue's
    torch.testing.assert_close(stage(x, x), 1.5 * x)


def test_spdnet_has_no_shortcut_from_the_input():
    network = heads_that_say(models.build("spdnet", n_resblocks=1), 0, 0, 0)
    assert network(torch.rand(1, 3, 8, 8)).abs().max() == 0


def test_each_stage_is_shown_the_residue_of_the_last_picture():
    network, shown = models.build("spdnet", n_resblocks=1), []
    for stage in (1, 2, 3):
        extra = getattr(network, f"res_extra{stage}")
        extra.register_forward_pre_hook(lambda _, inputs: shown.append(inputs[0]))
    rainy = torch.rand(1, 3, 8, 8)
    pictures = [rainy, *network.all_outputs(rainy)[:2]]
    for seen, picture in zip(shown, pictures, strict=True):
        torch.testing.assert_close(seen, spdnet.residue(picture * 255), rtol=1e-4, atol=1e-3)


# --- published weights ---------------------------------------------------------------------------


class Adding(nn.Module):
    """Adds so many grey levels."""

    def __init__(self, levels: float) -> None:
        super().__init__()
        self.levels = nn.Parameter(torch.tensor(float(levels)))

    def forward(self, rainy: torch.Tensor) -> torch.Tensor:
        return rainy + self.levels / 255


def test_outputs_are_scored_as_files_hold_them():
    clean = [torch.full((3, 16, 20), 100, dtype=torch.uint8), torch.zeros(3, 12, 12).byte()]
    counted = []
    # Two thirds of a level are one when rounded and none when cut off.
    two_thirds = published.score(Adding(2 / 3), clean, clean)
    assert two_thirds["psnr_y_cut"] == [math.inf] * 2 and max(two_thirds["psnr_y"]) < 60
    assert published.score(Adding(1 / 3), clean, clean)["psnr_y"] == [math.inf] * 2
    # Ten levels of grey are 10 * 219 / 255 of luma.
    scores = published.score(Adding(10), clean, clean, counted.append)
    luma = 10 * (65.481 + 128.553 + 24.966) / 255
    assert scores["psnr_y"] == pytest.approx([20 * math.log10(255 / luma)] * 2, rel=1e-5)
    assert len(scores["ssim_y"]) == 2 and counted == [1, 1]


def test_without_data_the_weights_say_where_to_find_them(monkeypatch):
    monkeypatch.delenv(data.VARIABLE, raising=False)
    with pytest.raises(WeightsError, match="PReNet6_Rain100L.pth is not there: set RAINLENS_DATA"):
        published.load(published.PUBLISHED[0])


# Picture 1 in runs over all 100 pictures, whose means are the printed ones; the run of PRN on
# Rain100H ended after 36 pictures, so that its mean is not confirmed.
FIRST = [(37.919, 0.9779), (33.587, 0.9499), (37.435, 0.9763), (31.358, 0.9314)]


@pytest.mark.skipif(not os.environ.get(data.VARIABLE), reason="RAINLENS_DATA is not set")
@pytest.mark.parametrize(("entry", "expected"), list(zip(published.PUBLISHED, FIRST, strict=True)))
def test_published_weights_score_as_they_should(entry, expected):
    pictures = evaluation.load(evaluation.TestSet("unseen", entry.rain, "rain100l", 1))
    scores = published.score(published.load(entry), *pictures)
    untouched = published.score(Adding(0), *pictures)
    assert scores["psnr_y"] == pytest.approx([expected[0]], abs=0.02)
    assert scores["ssim_y"] == pytest.approx([expected[1]], abs=0.0005)
    assert scores["psnr_y"][0] > untouched["psnr_y"][0] + 8


# --- as an experiment ----------------------------------------------------------------------------


def test_repeated_scores_are_those_of_the_function_and_stand_ins_need_nothing(tmp_path):
    whole = repeated.grid(count=2)
    assert [e.weights for e in whole] == [entry.file for entry in published.PUBLISHED]
    assert whole[1].needs() == {"rain100l", "rain100h", "weights"}
    one = whole[2].stand_in()
    assert one.needs() == {images.EMBEDDED} and one.weights is None
    torch.manual_seed(0)
    record = running.run_within([one], RecordStore(tmp_path), threads=1).records[0]
    assert set(record.tests["rain100l"]) == {"psnr_y", "ssim_y", "psnr_y_cut", "ssim_y_cut"}
    assert len(record.tests["rain100l"]["psnr_y"]) == 2
    with pytest.raises(LookupError, match=r"other\.pth is not among"):
        repeated.by_file("other.pth")


@pytest.mark.parametrize("entry", published.PUBLISHED, ids=lambda entry: entry.file)
def test_the_recorded_scores_are_the_printed_ones(entry):
    """The whole test sets; the record is in version control, the weights and pictures are not."""
    (experiment,) = (e for e in repeated.grid() if e.weights == entry.file)
    record = SCALES["cpu"].store.load(experiment.name)
    assert record is not None
    found = record.tests[entry.rain]
    assert len(found["psnr_y_cut"]) == 100
    assert sum(found["psnr_y_cut"]) / 100 == pytest.approx(entry.psnr_y, abs=0.3)
    assert sum(found["ssim_y_cut"]) / 100 == pytest.approx(entry.ssim_y, abs=0.003)
