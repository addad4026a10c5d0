"""UNet and SwinIR: sizes by hand, the official names and shapes, attention against plain loops."""

import math

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from rainlens import models
from rainlens.models import swinir

SMALL = {
    "unet": dict(width=4, depth=2),
    "swinir": dict(
        img_size=16, window_size=4, embed_dim=8, groups=1, depth=2, num_heads=2, mlp_ratio=2
    ),
}


@pytest.fixture(params=SMALL)
def model(request) -> nn.Module:
    torch.manual_seed(0)
    return models.build(request.param, **SMALL[request.param])


@pytest.mark.parametrize("size", [(16, 16), (7, 13), (33, 18)])
def test_any_picture_size(model, size):
    assert model(torch.rand(2, 3, *size)).shape == (2, 3, *size)


def test_a_picture_too_small_to_mirror_is_named(model):
    with pytest.raises(ValueError, match="2x9 pixels: too small .* multiple of 4"):
        model(torch.rand(1, 3, 9, 2))


def test_output_is_float32_under_autocast_and_trains(model):
    with torch.autocast("cpu", torch.bfloat16):
        output = model(torch.rand(2, 3, 16, 16))
    assert output.dtype == torch.float32
    output.square().mean().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    assert all(p.grad is not None for p in model.parameters())


def test_a_batch_is_treated_picture_by_picture(model):
    pictures = torch.rand(3, 3, 16, 16)
    apart = torch.cat([model(picture[None]) for picture in pictures])
    assert torch.allclose(model(pictures), apart, atol=1e-5)


def test_unet_parameters_by_hand():
    def conv(a: int, b: int) -> int:
        return 9 * a * b + b

    w = 6
    down = conv(w, 2 * w) + 2 * conv(2 * w, 2 * w)
    up = conv(2 * w, w) + conv(2 * w, w) + conv(w, w)
    expected = conv(3, w) + conv(w, w) + down + up + conv(w, 3)
    assert models.count_parameters(models.build("unet", width=w, depth=1)) == expected
    assert models.count_parameters(models.build("unet")) == 2_916_067


def test_large_swinir_has_the_size_that_is_published():
    assert models.count_parameters(models.build("swinir")) == pytest.approx(11.5e6, rel=0.01)


def official_state(window: int, dim: int, groups: int, depth: int, heads: int, size: int) -> dict:
    """Names and shapes of the official network without upsampling, written from its structure."""
    pixels, windows = window**2, (size // window) ** 2

    def affine(name: str, *shape: int) -> dict:
        return {f"{name}.weight": torch.rand(shape), f"{name}.bias": torch.rand(shape[0])}

    state = {**affine("conv_first", dim, 3, 3, 3), **affine("patch_embed.norm", dim)}
    for group in range(groups):
        for layer in range(depth):
            at = f"layers.{group}.residual_group.blocks.{layer}"
            state |= affine(f"{at}.norm1", dim) | affine(f"{at}.norm2", dim)
            state[f"{at}.attn.relative_position_bias_table"] = torch.rand(
                (2 * window - 1) ** 2, heads
            )
            state[f"{at}.attn.relative_position_index"] = torch.zeros(
                pixels, pixels, dtype=torch.long
            )
            state |= affine(f"{at}.attn.qkv", 3 * dim, dim) | affine(f"{at}.attn.proj", dim, dim)
            state |= affine(f"{at}.mlp.fc1", 2 * dim, dim) | affine(f"{at}.mlp.fc2", dim, 2 * dim)
            if layer % 2:
                state[f"{at}.attn_mask"] = torch.zeros(windows, pixels, pixels)
        state |= affine(f"layers.{group}.conv", dim, dim, 3, 3)
    state |= affine("norm", dim) | affine("conv_after_body", dim, dim, 3, 3)
    return state | affine("conv_last", 3, dim, 3, 3)


def test_official_checkpoints_load_strictly():
    state = official_state(window=8, dim=180, groups=6, depth=6, heads=6, size=128)
    network = models.build("swinir")
    network.load_state_dict(state, strict=True)
    assert torch.equal(network.state_dict()["layers.5.conv.weight"], state["layers.5.conv.weight"])


def test_relative_positions_by_hand():
    # Pixels 0 1 / 2 3 of a 2x2 window; row of the table = 3 (dy + 1) + dx + 1.
    expected = [[4, 3, 1, 0], [5, 4, 2, 1], [7, 6, 4, 3], [8, 7, 5, 4]]
    assert swinir.relative_positions(2).tolist() == expected


def test_shifted_windows_do_not_see_across_the_border():
    mask = swinir.shift_mask(8, 8, 4, 2)
    assert mask.shape == (4, 16, 16)
    assert mask[0].abs().max() == 0  # the first window holds neighbours only
    last = mask[3].view(4, 4, 4, 4)  # row, column -> row, column
    assert last[0, 0, 1, 1] == 0 and last[3, 3, 2, 2] == 0
    assert last[0, 0, 0, 2] == -100 and last[0, 0, 2, 0] == -100 and last[1, 2, 2, 1] == -100


def test_windows_are_cut_and_joined_again():
    x = torch.arange(2 * 6 * 9 * 2).view(2, 6, 9, 2)
    windows = swinir.to_windows(x, 3)
    assert windows.shape == (12, 9, 2)
    assert torch.equal(windows[1].view(3, 3, 2), x[0, :3, 3:6])
    assert torch.equal(swinir.from_windows(windows, 3, 6, 9), x)


def test_attention_equals_the_formula():
    torch.manual_seed(0)
    attention = swinir.WindowAttention(6, 2, 3)
    x = torch.randn(4, 4, 6)
    mask = torch.zeros(2, 4, 4)
    mask[1, :2, 2:] = mask[1, 2:, :2] = -100
    expected = torch.empty_like(x)
    for n in range(4):
        q, k, v = attention.qkv(x[n]).chunk(3, dim=1)  # (pixels, C)
        heads = []
        for head in range(3):
            part = slice(2 * head, 2 * head + 2)
            score = q[:, part] @ k[:, part].T / math.sqrt(2) + mask[n % 2]
            for i in range(4):
                for j in range(4):
                    row = attention.relative_position_index[i, j]
                    score[i, j] += attention.relative_position_bias_table[row, head]
            heads.append(score.softmax(1) @ v[:, part])
        expected[n] = attention.proj(torch.cat(heads, 1))
    assert torch.allclose(attention(x, mask), expected, atol=1e-5)


@pytest.mark.parametrize("windows", [1, 4])
@pytest.mark.parametrize("width", [8, 10])  # 10, as in the network of `gpu` scale, is padded
def test_fused_attention_equals_the_written_out(windows, width):
    torch.manual_seed(0)
    pictures, heads, pixels = 3, 2, 16
    count = pictures * (4 if windows == 1 else windows)
    parts = [torch.randn(count, heads, pixels, width, requires_grad=True) for _ in range(3)]
    bias = torch.randn(windows, heads, pixels, pixels)
    bias[:, :, :4, 8:] -= 100  # as a shift mask does
    bias.requires_grad_()
    results = [attend(*parts, bias) for attend in (swinir.attend, swinir.attend_fused)]
    assert (results[0] - results[1]).abs().max() < 1e-5
    weight = torch.randn(results[0].shape)
    wanted, got = (torch.autograd.grad((r * weight).sum(), [*parts, bias]) for r in results)
    for one, other in zip(wanted, got, strict=True):
        assert (one - other).abs().max() < 1e-5 * max(1, one.abs().max())


def test_a_network_tests_as_it_trains(monkeypatch):
    """Where nothing learns, attention is fused: the picture is the same, within float32."""
    torch.manual_seed(0)
    network = models.build("swinir", **SMALL["swinir"])
    picture = torch.rand(2, 3, 16, 24)
    called = []
    fused = swinir.attend_fused
    monkeypatch.setattr(swinir, "attend_fused", lambda *a: called.append(1) or fused(*a))
    learning = network(picture).detach()
    assert not called
    with torch.inference_mode():
        testing = network(picture)
    assert len(called) == 2  # layers
    assert (learning - testing).abs().max() < 1e-5


def test_which_attention():
    assert swinir.pays_to_fuse(on_cuda=False, learns=False, pictures=10**6, heads=10**6)
    assert not swinir.pays_to_fuse(on_cuda=False, learns=True, pictures=1, heads=1)
    assert swinir.pays_to_fuse(on_cuda=True, learns=True, pictures=4096, heads=6)
    # 4,000 x 3,000 pixels are 187,500 windows: more than CUDA's grid holds in that dimension.
    assert not swinir.pays_to_fuse(on_cuda=True, learns=False, pictures=187_500, heads=6)
    assert not swinir.pays_to_fuse(on_cuda=True, learns=False, pictures=1, heads=187_500 * 6)


def test_loading_a_checkpoint_changes_no_other_network():
    network, other = (models.build("swinir", **SMALL["swinir"]) for _ in range(2))
    state = network.state_dict()
    masks = [name for name in state if name.endswith("attn_mask")]
    assert masks
    network.load_state_dict({n: v.clone() * (n not in masks) for n, v in state.items()})
    fresh = models.build("swinir", **SMALL["swinir"])
    for name in masks:
        assert network.state_dict()[name].abs().max() == 0
        assert other.state_dict()[name].abs().max() == fresh.state_dict()[name].abs().max() == 100


def test_a_mask_first_needed_in_a_test_serves_training():
    swinir.shift_mask.cache_clear()
    network = models.build("swinir", **SMALL["swinir"])
    picture = torch.rand(1, 3, 8, 12)  # not the size whose mask the network holds
    with torch.inference_mode():
        network(picture)
        models.build("swinir", **SMALL["swinir"])
    assert not swinir.shift_mask(8, 12, 4, 2, torch.device("cpu")).is_inference()
    network(picture).square().mean().backward()
    # Nor may the one built there keep the next from taking a checkpoint.
    models.build("swinir", **SMALL["swinir"]).load_state_dict(network.state_dict())


class FromTheProcessor(TorchDispatchMode):
    """Notes what a GPU would have to wait for: new tensors of Python numbers, and numbers read."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.name().removeprefix("aten::")
        moved = name.startswith("_to_copy") and (kwargs or {}).get("device") is not None
        if moved or name in ("lift_fresh", "_local_scalar_dense"):
            self.seen.append(name)
        return function(*args, **(kwargs or {}))


def test_this_test_sees_copies():
    with FromTheProcessor() as watch:
        torch.zeros(1).new_tensor([2.0]).item()
    assert watch.seen == ["lift_fresh", "_local_scalar_dense"]


@pytest.mark.parametrize("size", [(16, 16), (13, 22)])
def test_a_step_waits_for_nothing_from_the_processor(model, size):
    picture = torch.rand(2, 3, *size)
    model(picture)  # the shift mask of this size is remembered from now on
    with FromTheProcessor() as watch:
        model(picture).square().mean().backward()
    assert watch.seen == []


def test_the_stored_mask_and_a_fresh_one_agree():
    torch.manual_seed(0)
    network = models.build("swinir", **SMALL["swinir"]).eval()
    other = models.build("swinir", **{**SMALL["swinir"], "img_size": 24}).eval()
    weights = {k: v for k, v in network.state_dict().items() if "attn_mask" not in k}
    other.load_state_dict(weights, strict=False)
    picture = torch.rand(1, 3, 16, 16)
    assert torch.allclose(network(picture), other(picture), atol=1e-6)


def test_a_moved_window_sees_its_neighbours():
    """Without shifted windows, what lies in another window has no influence."""
    network = models.build("swinir", **{**SMALL["swinir"], "depth": 2})
    layers = network.layers[0].residual_group["blocks"]
    x = torch.rand(1, 16, 16, 8)
    changed = x.clone()
    changed[0, 4, 4] = torch.rand(8)  # the first pixel of the second window, diagonally
    alone = (layers[0](x) - layers[0](changed)).abs().sum(-1)[0, :4, :4]
    assert alone.max() == 0
    both = (layers[1](layers[0](x)) - layers[1](layers[0](changed))).abs().sum(-1)[0, :4, :4]
    assert both.max() > 0


def silenced(model: nn.Module) -> nn.Module:
    last = model.conv_last if hasattr(model, "conv_last") else model.tail
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return model


@pytest.mark.parametrize("name", ["resnet", "unet", "swinir"])
@pytest.mark.parametrize("size", [(16, 16), (13, 22)])
def test_with_a_silent_last_layer_the_shortcut_is_what_is_left(name, size):
    options = SMALL.get(name, dict(blocks=1, channels=4))
    picture = torch.rand(2, 3, *size)
    copied = silenced(models.build(name, **options, shortcut=True))(picture)
    torch.testing.assert_close(copied, picture, atol=1e-6, rtol=0)
    drawn = silenced(models.build(name, **options, shortcut=False))(picture)
    assert drawn.std((2, 3)).max() < 1e-6  # one colour: black, or SwinIR's mean


@pytest.mark.parametrize("name", ["resnet", "unet", "swinir"])
def test_the_shortcut_is_no_parameter_and_its_default_changes_nothing(name):
    options = SMALL.get(name, dict(blocks=1, channels=4))
    usual = name == "swinir"
    states = []
    for extra in ({}, dict(shortcut=usual), dict(shortcut=not usual)):
        torch.manual_seed(5)
        states.append(models.build(name, **options, **extra).state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert [list(state) for state in states] == [list(states[0])] * 3
    changed = {key for key in states[0] if not torch.equal(states[0][key], states[2][key])}
    assert changed == (set() if usual else {"tail.weight", "tail.bias"})


@pytest.mark.parametrize("name, options", [("resnet", {}), ("unet", {})])
def test_with_the_shortcut_a_fresh_network_nearly_copies(name, options):
    torch.manual_seed(0)
    model = models.build(name, **options, shortcut=True)
    picture = torch.rand(1, 3, 24, 24)
    with torch.inference_mode():
        assert 255 * (model(picture) - picture).square().mean().sqrt() < 6


def test_impossible_settings_are_named():
    with pytest.raises(ValueError, match="num_heads is 5, which does not divide 8"):
        models.build("swinir", embed_dim=8, num_heads=5)
    with pytest.raises(ValueError, match="img_size is 20, no multiple of the window, 8"):
        models.build("swinir", img_size=20)
    with pytest.raises(ValueError, match="width is 0"):
        models.build("unet", width=0)
