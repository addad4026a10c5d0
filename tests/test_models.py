"""Networks by name: sizes by hand, any picture, clear errors."""

import pytest
import torch
from torch import nn

from rainlens import models
from rainlens.models.resnet import ResidualBlock, ResNet


@pytest.mark.parametrize(("blocks", "channels"), [(16, 64), (8, 32), (2, 8), (1, 1)])
def test_parameter_count_by_hand(blocks, channels):
    c = channels
    # 3 -> c, twice c -> c in each block, c -> c, c -> 3; nine weights a pair and one bias each.
    expected = (27 * c + c) + blocks * 2 * (9 * c * c + c) + (9 * c * c + c) + (27 * c + 3)
    assert models.count_parameters(models.build("resnet", blocks=blocks, channels=c)) == expected


def test_default_size_is_the_one_that_is_documented():
    assert models.count_parameters(models.build("resnet")) == 1_222_147


@pytest.mark.parametrize("size", [(1, 1), (7, 13), (64, 33), (5, 200)])
def test_any_picture_size(size):
    model = models.build("resnet", blocks=1, channels=4)
    assert model(torch.rand(2, 3, *size)).shape == (2, 3, *size)


def test_output_is_float32_under_autocast():
    model = models.build("resnet", blocks=1, channels=4)
    with torch.autocast("cpu", torch.bfloat16):
        inside = model.head(torch.rand(1, 3, 8, 8))
        output = model(torch.rand(1, 3, 8, 8))
    assert inside.dtype == torch.bfloat16  # the autocast is at work
    assert output.dtype == torch.float32


def test_each_output_pixel_sees_as_far_as_documented():
    blocks, side = 2, 31
    model = ResNet(blocks=blocks, channels=6)
    for parameter in model.parameters():  # all paths open: no ReLU at zero, no cancelling
        nn.init.constant_(parameter, 0.01)
    picture = torch.rand(1, 3, side, side, requires_grad=True)
    model(picture)[0, 0, side // 2, side // 2].backward()
    seen = (picture.grad[0].abs().sum(0) > 0).any(0).sum().item()
    assert seen == 4 * blocks + 7


def test_no_shortcut_from_input_to_output():
    # With a silent last layer nothing of the input may be left.
    model = models.build("resnet", blocks=1, channels=4)
    nn.init.zeros_(model.tail.weight)
    nn.init.zeros_(model.tail.bias)
    assert model(torch.rand(1, 3, 8, 8)).abs().max() == 0


def test_block_is_identity_plus_two_convolutions():
    block = ResidualBlock(5)
    x = torch.rand(1, 5, 9, 9)
    expected = x + block.second(torch.relu(block.first(x)))
    torch.testing.assert_close(block(x), expected)
    nn.init.zeros_(block.second.weight)
    nn.init.zeros_(block.second.bias)
    torch.testing.assert_close(block(x), x)


def test_same_torch_seed_same_weights():
    states = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        states.append(models.build("resnet", blocks=1, channels=4).state_dict())
    same = [all(torch.equal(states[0][k], other[k]) for k in other) for other in states[1:]]
    assert same == [True, False]


def test_every_gradient_arrives():
    model = models.build("resnet", blocks=2, channels=4)
    model(torch.rand(1, 3, 8, 8)).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.parameters())


def test_unknown_model_and_option_are_named():
    with pytest.raises(ValueError, match="'vit'.*resnet"):
        models.build("vit")
    with pytest.raises(ValueError, match="'depth'.*blocks, channels, shortcut"):
        models.build("resnet", depth=3)
