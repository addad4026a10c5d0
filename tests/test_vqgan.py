"""The VQGAN: official names, sizes and orders; what fine-tuning may move and what not."""

import copy
import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from rainlens import models
from rainlens.models import autoencoder
from rainlens.models.prior import checksum, freeze
from rainlens.models.vqgan import CONFIGS, FINE_TUNED, VQGAN, Config

OFFICIAL = Path(__file__).parent / "official"
# f = 4, attention beside the middle one at the smallest size; quick enough to train in a test.
TINY = autoencoder.Shape(8, (1, 2, 2), 1, 4, attention=(4,), resolution=16, groups=4)


def on_meta(config: str, **options) -> VQGAN:
    """Names and shapes alone: nothing is allocated, so the largest are there at once."""
    with torch.device("meta"):
        return VQGAN(config, **options)


def size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def official(file: str) -> dict[str, tuple[int, ...]]:
    lines = (line.split() for line in (OFFICIAL / f"{file}.txt").read_text().splitlines())
    return {name: tuple(map(int, shape)) for name, *shape in lines}


def shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in module.state_dict().items()}


@pytest.fixture(autouse=True)
def seeded(one_thread, monkeypatch):
    torch.manual_seed(0)
    monkeypatch.setitem(CONFIGS, "tiny", Config(TINY, length=6, codes=16, legacy=False))


# --- sizes, names, orders ------------------------------------------------------------------------

SIZES = {  # encoder, decoder, all with the book and the 1x1 convolutions
    "imagenet_f16_1024": (29_298_176, 42_449_795, 72_141_699),
    "imagenet_f16_16384": (29_298_176, 42_449_795, 76_073_859),
    "openimages_f8": (26_345_728, 38_316_163, 66_890_627 + 256 * 8192 + 8192),
    "ldm_f4": (22_337_411, 32_960_771, 55_322_782),
    "ldm_f8": (27_397_764, 40_253_955, 67_717_295),
    "ldm_f8_n256": (27_397_764, 40_253_955, 67_652_783),
    "ldm_f16": (None, None, 69_593_371),
    "A": (None, None, 2_909_539),
    "B": (None, None, 3_996_547),
    "C": (None, None, 3_110_531),
    "F": (None, None, 4_091_747),
}


@pytest.mark.parametrize("config", CONFIGS)
def test_parameters_are_as_many_as_published(config):
    model = on_meta(config)
    encoder, decoder, total = SIZES[config]
    assert size(model) == total
    assert encoder is None or (size(model.encoder), size(model.decoder)) == (encoder, decoder)


@pytest.mark.parametrize(
    ("config", "file", "codes"),
    [
        ("imagenet_f16_1024", "imagenet_f16", 1024),
        ("imagenet_f16_16384", "imagenet_f16", 16384),
        ("openimages_f8", "openimages_f8", 8192),
        ("ldm_f4", "ldm_f4", 8192),
        ("ldm_f8", "ldm_f8", 16384),
        ("ldm_f8_n256", "ldm_f8", 256),
        ("ldm_f16", "ldm_f16", 16384),
        ("A", "vqgan_a", 1024),
    ],
)
def test_names_and_shapes_are_the_official_ones(config, file, codes):
    expected = official(file)
    for name in expected:
        if name in ("quantize.embedding.weight", "quantize.embed.weight"):
            expected[name] = (codes, *expected[name][1:])
    model = on_meta(config)
    assert shapes(model) == expected
    state = {name: torch.empty(shape, device="meta") for name, shape in expected.items()}
    model.load_state_dict(state, strict=True)


def test_the_official_lists_are_those_of_the_paper_s_code():
    names = official("imagenet_f16")
    encoder = [name for name in names if name.startswith("encoder.")]
    decoder = [name for name in names if name.startswith("decoder.")]
    assert (len(names), len(encoder), len(decoder)) == (343, 144, 194)
    assert len(official("vqgan_a")) == 157
    assert names["decoder.up.4.attn.2.q.weight"] == (512, 512, 1, 1)
    assert names["encoder.mid.attn_1.proj_out.bias"] == (512,)
    assert names["encoder.down.0.block.0.norm1.weight"] == (128,)
    assert names["decoder.up.1.upsample.conv.weight"] == (128, 128, 3, 3)
    assert "encoder.down.1.block.0.nin_shortcut.weight" not in names  # the width stays at 128
    assert official("ldm_f4")["encoder.down.1.block.0.nin_shortcut.weight"] == (256, 128, 1, 1)
    # Attention in the last level alone, and no change of size at the ends of the lists.
    assert not any(".attn." in name and not name.split(".")[2] == "4" for name in names)
    assert "encoder.down.4.downsample.conv.weight" not in names
    assert "decoder.up.0.upsample.conv.weight" not in names


@pytest.mark.parametrize(
    ("config", "encoder", "decoder"),
    [("A", 0.40, 1.04), ("B", 0.88, 2.49), ("C", 0.68, 1.45), ("F", 0.29, 0.97)],
)
@torch.inference_mode()
def test_a_picture_costs_the_operations_that_were_counted(config, encoder, decoder):
    model = VQGAN(config)
    with FlopCounterMode(display=False) as first:
        latent = model.encode(torch.rand(1, 3, 64, 64))
    with FlopCounterMode(display=False) as second:
        model.decode(latent)
    found = [counter.get_total_flops() / 2e9 for counter in (first, second)]
    assert found == pytest.approx([encoder, decoder], rel=0.05)  # without the attention's products


def test_halving_pads_at_the_right_and_the_bottom_alone():
    halve = autoencoder.Downsample(1)
    nn.init.ones_(halve.conv.weight)
    nn.init.zeros_(halve.conv.bias)
    assert halve(torch.ones(1, 1, 4, 4))[0, 0].tolist() == [[9, 6], [6, 4]]


def test_the_decoder_s_list_runs_from_its_end_to_its_start():
    decoder = autoencoder.Decoder(TINY)
    seen = []
    for level, stage in enumerate(decoder.up):
        stage.register_forward_hook(
            lambda _, given, out, level=level: seen.append(
                (level, tuple(given[0].shape[1:]), tuple(out.shape[1:]))
            )
        )
    assert decoder(torch.rand(1, 4, 3, 5)).shape == (1, 3, 12, 20)
    assert seen == [
        (2, (16, 3, 5), (16, 6, 10)),
        (1, (16, 6, 10), (16, 12, 20)),
        (0, (16, 12, 20), (8, 12, 20)),
    ]


def test_blocks_equal_their_formulas():
    block, attention = autoencoder.ResnetBlock(8, 4, 2), autoencoder.AttnBlock(8, 2)
    for parameter in [*block.parameters(), *attention.parameters()]:
        nn.init.normal_(parameter, 0, 0.3)
    x = torch.randn(2, 8, 3, 5)

    def norm(values, layer, groups):
        parts = values.view(2, groups, -1)
        mean, var = parts.mean(-1, keepdim=True), parts.var(-1, keepdim=True, correction=0)
        flat = ((parts - mean) / (var + 1e-6).sqrt()).view(values.shape)
        return flat * layer.weight[:, None, None] + layer.bias[:, None, None]

    def swish(values):
        return values / (1 + (-values).exp())

    inner = block.conv2(swish(norm(block.conv1(swish(norm(x, block.norm1, 2))), block.norm2, 2)))
    torch.testing.assert_close(block(x), block.nin_shortcut(x) + inner)

    h = norm(x, attention.norm, 2)
    q, k, v = (conv(h).flatten(2) for conv in (attention.q, attention.k, attention.v))
    weights = (torch.einsum("nci,ncj->nij", q, k) / math.sqrt(8)).softmax(2)
    mixed = torch.einsum("nij,ncj->nci", weights, v).view(x.shape)
    torch.testing.assert_close(attention(x), x + attention.proj_out(mixed))


# --- the house's interface -----------------------------------------------------------------------


@pytest.mark.parametrize("size", [(16, 16), (7, 13), (18, 33)])
@pytest.mark.parametrize("quantised", [True, False])
def test_any_picture_size(size, quantised):
    model = models.build("vqgan", config="tiny", quantised=quantised)
    assert model(torch.rand(2, 3, *size)).shape == (2, 3, *size)


def test_pictures_are_0_to_1_outside_and_minus_1_to_1_inside():
    model = VQGAN("tiny")
    seen = []
    model.encoder.conv_in.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    model.encode(torch.tensor([0.0, 0.5, 1.0]).view(1, 3, 1, 1).expand(1, 3, 4, 4))
    assert seen[0][0, :, 0, 0].tolist() == [-1, 0, 1]
    nn.init.zeros_(model.decoder.conv_out.weight)
    model.decoder.conv_out.bias.data = torch.tensor([-1.0, 0.0, 1.0])
    assert model(torch.rand(1, 3, 4, 4))[0, :, 0, 0].tolist() == [0, 0.5, 1]


def test_output_is_float32_under_autocast_and_every_part_learns():
    model = VQGAN("tiny", groups=2)
    with torch.autocast("cpu", torch.bfloat16):
        latent = model.encode(torch.rand(2, 3, 16, 16))
        quantised = model.quantise(latent)
        output = model.decode(quantised.values)
    assert latent.dtype == torch.bfloat16  # the autocast is at work
    assert output.dtype == quantised.values.dtype == torch.float32
    (output.square().mean() + quantised.loss).backward()
    silent = [name for name, p in model.named_parameters() if not p.grad.abs().sum() > 0]
    # Adding the same to all keys leaves the softmax as it is.
    assert all(name.endswith("attn_1.k.bias") for name in silent), silent


def test_the_ceiling_is_the_way_through_the_book():
    model = VQGAN("tiny", codes=5)
    nn.init.normal_(model.quantize.embedding.weight)
    clean = torch.rand(1, 3, 16, 20)
    latent = model.encode(clean)
    quantised = model.quantise(latent)
    ceiling = model.ceiling(clean)
    assert torch.equal(ceiling, model.decode(quantised.values)) and not ceiling.requires_grad
    assert (ceiling - model.decode(latent)).abs().max() > 0.01  # the book does something
    # 10 x 10 pixels are mirrored to 12 x 12, and cropped again.
    mirrored = F.pad(clean[..., :10, :10], (0, 2, 0, 2), mode="reflect")
    assert torch.equal(model.ceiling(clean[..., :10, :10]), model.ceiling(mirrored)[..., :10, :10])


def test_looking_at_the_ceiling_changes_nothing():
    model = VQGAN("tiny", restart_after=2).train()
    before = checksum(model)
    model.ceiling(torch.rand(1, 3, 16, 20))
    assert checksum(model) == before and model.training


def test_without_a_book_the_latent_passes():
    model = VQGAN("tiny", quantised=False)
    latent = torch.rand(1, 6, 2, 3)
    values, codes, loss = model.quantise(latent)
    assert values is latent and codes is None and loss == 0
    assert not any(name.startswith("quantize") for name in model.state_dict())


def test_wrong_options_are_named():
    with pytest.raises(ValueError, match="no VQGAN 'Z'; there are: A, B"):
        VQGAN("Z")
    with pytest.raises(ValueError, match="Gumbel book takes neither decay"):
        on_meta("openimages_f8", restart_after=5)
    with pytest.raises(ValueError, match="2x9 pixels: too small"):
        VQGAN("tiny")(torch.rand(1, 3, 9, 2))


# --- weights -------------------------------------------------------------------------------------


def test_a_trained_model_goes_on_in_models_with_and_without_a_book():
    trained = VQGAN("tiny", restart_after=3)
    trained.quantise(torch.randn(2, 6, 8, 8))  # the book is filled
    state = {name: value.half() if value.is_floating_point() else value
             for name, value in trained.state_dict().items()}  # fmt: skip
    clean = torch.rand(1, 3, 16, 16)
    for options in ({}, {"restart_after": 3}, {"decay": 0.9}, {"quantised": False}):
        other = VQGAN("tiny", **options)
        other.load(state)
        assert torch.equal(other.encoder.conv_in.weight, state["encoder.conv_in.weight"].float())
        if options != {"quantised": False}:
            book = other.quantize.embedding.weight.clone()
            assert torch.equal(book, state["quantize.embedding.weight"].float())
            other.train()(clean)  # codes not used in one batch are not dead yet
            assert options == {"decay": 0.9} or torch.equal(book, other.quantize.embedding.weight)


def test_weights_of_another_model_are_refused_by_name():
    model, state = VQGAN("tiny"), VQGAN("tiny").state_dict()
    missing = {name: value for name, value in state.items() if name != "quant_conv.bias"}
    with pytest.raises(ValueError, match="1 of 183 are missing, such as quant_conv.bias"):
        model.load(missing)
    with pytest.raises(ValueError, match="1 are not of it, such as surplus"):
        model.load({**state, "surplus": torch.zeros(1)})
    with pytest.raises(ValueError, match=r"quantize.embedding.weight is \(9, 6\), not \(16"):
        model.load({**state, "quantize.embedding.weight": torch.zeros(9, 6)})


# --- fine-tuning ---------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"restart_after": 1}, {"decay": 0.5, "restart_after": 1}, {}])
def test_fine_tuning_moves_the_encoder_s_side_and_nothing_else(options):
    model = VQGAN("tiny", **options)
    stage_1 = copy.deepcopy(model)
    freeze(model, FINE_TUNED)
    clean = torch.rand(2, 3, 16, 16)
    # Before the first step it answers what it answered before, to the bit.
    assert torch.equal(model.train()(clean), stage_1.ceiling(clean))
    before = {name: checksum(child) for name, child in model.named_children()}
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(2):
        latent = model.encode(torch.rand(2, 3, 16, 16))
        target = stage_1.quantise(stage_1.eval().encode(clean)).values.detach()
        output = model.decode(model.quantise(latent).values)
        optimizer.zero_grad()
        (F.l1_loss(output, clean) + F.mse_loss(latent, target)).backward()
        optimizer.step()
    moved = {name for name, child in model.named_children() if checksum(child) != before[name]}
    assert moved == set(FINE_TUNED)
    assert models.count_parameters(model) == size(model.encoder) + size(model.quant_conv)


def test_a_part_that_is_not_there_cannot_be_freed():
    with pytest.raises(ValueError, match="no part 'backbone'; it has: encoder, quant_conv"):
        freeze(VQGAN("tiny"), ["backbone"])


def test_the_checksum_sees_every_bit_and_every_name():
    layer = nn.Linear(3, 2)
    same, before = copy.deepcopy(layer), checksum(layer)
    assert checksum(same) == before
    with torch.no_grad():
        same.weight[1, 2] = torch.nextafter(same.weight[1, 2], torch.tensor(9.0))
    assert checksum(same) != before
    assert checksum(nn.ModuleDict({"a": layer})) != checksum(nn.ModuleDict({"b": layer}))
    assert checksum(copy.deepcopy(layer).half()) != before
