"""The PatchGAN: published sizes, losses by hand, a weight that evens out the discriminator."""

import pytest
import torch
from torch import nn

from rainlens.models.discriminator import (
    Discriminator,
    adaptive_weight,
    generator_loss,
    hinge_loss,
)


@pytest.mark.parametrize(
    ("width", "layers", "expected"),
    [(64, 2, 663_361), (64, 3, 2_765_633), (64, 4, 6_960_961), (32, 2, 167_841)],
)
def test_parameters_are_as_many_as_published(width, layers, expected):
    model = Discriminator(width, layers)
    assert sum(parameter.numel() for parameter in model.parameters()) == expected


def test_names_and_shapes_are_the_official_ones():
    state = {name: tuple(value.shape) for name, value in Discriminator().state_dict().items()}
    assert {name.split(".")[1] for name in state} == {*"0235689", "11"}
    assert state["main.0.weight"] == (64, 3, 4, 4) and state["main.0.bias"] == (64,)
    assert state["main.8.weight"] == (512, 256, 4, 4) and "main.8.bias" not in state
    assert state["main.9.running_var"] == (512,)
    assert state["main.11.weight"] == (1, 512, 4, 4)


def test_each_value_sees_70_pixels():
    # The patch of Isola et al.'s three layers, 1 + 3 + 3 + 2 (3 + 2 (3 + 2 * 3)).
    judge = Discriminator(width=2).eval()
    for module in judge.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 0.01)
    picture = torch.rand(1, 3, 128, 128, requires_grad=True)
    judge(picture)[0, 0, 7, 7].backward()
    assert (picture.grad[0].abs().sum(0) > 0).any(0).sum() == 70


def test_hinge_losses_by_hand():
    real, fake = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([-3.0, 1.0])
    assert hinge_loss(real, fake).item() == pytest.approx(0.5 * (2.5 / 3 + 2 / 2))
    assert generator_loss(fake).item() == 1.0


def test_the_discriminator_s_scale_does_not_matter_to_the_decoder():
    torch.manual_seed(0)
    decoder = nn.Conv2d(4, 3, 3, padding=1)
    judge = Discriminator(width=4, layers=2).eval()
    latent, clean = torch.randn(1, 4, 16, 16), torch.rand(1, 3, 16, 16)

    def gradient(scale: float) -> torch.Tensor:
        picture = decoder(latent)
        near = (picture - clean).abs().mean()
        adversarial = generator_loss(scale * judge(picture))
        weight = adaptive_weight(near, adversarial, decoder.weight, 0.8)
        assert not weight.requires_grad
        (whole,) = torch.autograd.grad(near + weight * adversarial, decoder.weight)
        (alone,) = torch.autograd.grad((decoder(latent) - clean).abs().mean(), decoder.weight)
        return whole - alone, alone

    parts = {scale: gradient(scale) for scale in (100.0, 1000.0)}
    torch.testing.assert_close(parts[100.0][0], parts[1000.0][0], rtol=0.05, atol=1e-5)
    pull, alone = parts[1000.0]
    assert (pull.norm() / alone.norm()).item() == pytest.approx(0.8, rel=0.02)


def test_a_silent_discriminator_does_not_blow_up_the_weight():
    weights = torch.ones(3, requires_grad=True)
    found = adaptive_weight(1e9 * weights.sum(), 0 * weights.sum(), weights, 0.5)
    assert found.item() == 0.5e4


def test_too_few_layers_are_named():
    with pytest.raises(ValueError, match="layers is 0"):
        Discriminator(layers=0)
