"""Syn2Real, light: the Gaussian process by hand, and what may be learned from which pictures."""

import math

import pytest
import torch

from rainlens import evaluation, images, models, running
from rainlens.evaluation import TestSet
from rainlens.records import RecordStore
from rainlens.tasks import semi
from rainlens.tasks.semi import SemiSupervised, gaussian_process_loss

TESTS = (TestSet("unseen", "streaks", images.EMBEDDED, count=2, crop=32),)


def arm(**changes) -> SemiSupervised:
    fields = dict(
        model="unet",
        options=(("width", 4), ("depth", 2), ("latent", 4)),
        backgrounds=images.EMBEDDED,
        patches=4,
        patch_size=32,
        iterations=8,
        batch=2,
        learning_rate=1e-3,
        measure_every=4,
        tests=TESTS,
        unlabelled="streaks",
    )
    return SemiSupervised(**{**fields, **changes})


def test_one_of_eight_orthogonal_neighbours_by_hand():
    """k = (1, 0, ...), so the prediction is z / 2 and the variance 1 - 1/2 + 1 = 3/2."""
    radius, length = 3.0, 12
    bank = radius * torch.eye(8, length)
    latent = bank[:1]
    near = (latent.square().mean() / 4 / 1.5).item() + 0.33 * math.log(1.5)
    # The farthest eight are the same eight.
    expected = near - 0.33e-6 * math.log(1.5)
    assert gaussian_process_loss(latent, bank).item() == pytest.approx(expected, rel=1e-6)


def test_the_prediction_is_that_of_the_joint_precision_matrix():
    """Another way to condition a Gaussian: by the inverse of the covariance of all together."""
    source = torch.Generator().manual_seed(0)
    latents, bank = torch.rand(3, 20, generator=source), torch.rand(8, 20, generator=source)
    means, variances = semi._posterior(latents, bank.expand(3, -1, -1))
    for latent, mean, variance in zip(latents.double(), means, variances, strict=True):
        every = torch.cat((latent[None], bank.double()))
        unit = every / every.norm(dim=1, keepdim=True)
        noise = torch.eye(9, dtype=torch.double)
        noise[0, 0] = 0  # what is asked for is free of noise; that is added at the end
        precision = torch.linalg.inv(unit @ unit.T + noise)
        expected = -(precision[0, 1:] @ bank.double()) / precision[0, 0]
        assert torch.allclose(mean.double(), expected, atol=1e-5)
        assert variance.item() == pytest.approx(1 / precision[0, 0].item() + 1, abs=1e-5)


def test_only_the_nearest_eight_predict():
    source = torch.Generator().manual_seed(1)
    latent = torch.rand(1, 10, generator=source)
    near = latent + 0.01 * torch.rand(8, 10, generator=source)
    middle = latent + 5 + torch.rand(20, 10, generator=source)
    far = latent - 50 - torch.rand(8, 10, generator=source)
    whole, few = torch.cat((near, middle, far)), torch.cat((near, far))
    assert gaussian_process_loss(latent, whole) == gaussian_process_loss(latent, few)


def test_gradients_reach_the_latent_through_the_prediction_and_the_variance():
    latent = torch.rand(2, 6, requires_grad=True)
    bank = torch.rand(16, 6, requires_grad=True)
    gaussian_process_loss(latent, bank.detach()).backward()
    assert latent.grad.abs().min() > 0 and bank.grad is None


def test_unlabelled_rain_has_a_say_only_after_the_first_quarter(tmp_path, one_thread):
    with_it, without = arm(), arm(unlabelled=None)
    networks = {}
    for experiment in (with_it, without):
        outcome = running.run_within([experiment], RecordStore(tmp_path), threads=1)
        assert not outcome.failures
        networks[experiment] = outcome.records[0]
    for steps, same in ((2, True), (4, False)):
        states = []
        for experiment in (with_it, without):
            model = experiment.fresh_model()
            objective = experiment.objective(model)
            optimizer = torch.optim.SGD(model.parameters(), 0.1)
            for step in range(steps):
                optimizer.zero_grad()
                objective(model, step).backward()
                optimizer.step()
            states.append(model.network.state_dict())
        equal = all(torch.equal(states[0][name], states[1][name]) for name in states[0])
        assert equal is same


def test_stopped_and_resumed_it_ends_with_the_same_bits(tmp_path, one_thread, monkeypatch):
    monkeypatch.setattr(semi, "REFRESH", 3)  # so that a stop falls between two
    monkeypatch.setattr(semi, "BANK", 16)
    whole = running.run_within([arm()], RecordStore(tmp_path / "a"), threads=1).records[0]
    parts = RecordStore(tmp_path / "b")
    while parts.load(arm().name) is None:
        assert not running.run_within([arm()], parts, minutes=0, threads=1).failures
    assert parts.load(arm().name).results == whole.results


def test_half_of_the_layers_are_never_learned_from(monkeypatch, tmp_path):
    (tmp_path / "rain").mkdir()
    for number in range(6):  # each layer of another brightness
        layer = torch.full((3, 40, 48), 10 * number).byte()
        (tmp_path / "rain" / f"rain-{number}.png").write_bytes(images.encode_png(layer))
    monkeypatch.setattr(images, "find_folder", lambda name: tmp_path)
    black = torch.zeros(4, 3, 32, 32).byte()
    monkeypatch.setattr(semi, "training_patches", lambda experiment: black)
    draw = semi.unlabelled_batches(arm(unlabelled="rain100l", batch=16), torch.device("cpu"))
    seen = {round(value) for step in range(5) for value in (draw(step) * 255).unique().tolist()}
    assert seen == {0, 20, 40}
    assert torch.equal(draw(3), draw(3)) and not torch.equal(draw(3), draw(4))


def test_the_grid_of_arms_needs_what_it_says():
    whole = arm(backgrounds="natural", unlabelled="rain100h", degradation="medium")
    assert "rain100h" in whole.needs()
    assert whole.stand_in().needs() == {images.EMBEDDED}
    assert "rain100h" not in arm(backgrounds="natural", unlabelled=None).needs()
    assert whole.readable == "semi-rain100h-medium-s0" != arm(unlabelled=None).readable


def test_latents_of_a_unet_are_what_it_draws_from():
    torch.manual_seed(0)
    network = models.build("unet", width=4, depth=2, latent=3)
    picture = torch.rand(1, 3, 32, 40)
    assert network.latents(picture).shape == (1, 3, 8, 10)
    with torch.no_grad():
        before = network(picture)
        network.squeeze.bias.add_(1.0)
        assert not torch.allclose(before, network(picture))
    plain = models.build("unet", width=4, depth=2)
    extra = {name.split(".")[0] for name in network.state_dict()} - {
        name.split(".")[0] for name in plain.state_dict()
    }
    assert extra == {"squeeze", "expand"}
    assert evaluation.restore(network, [torch.zeros(3, 17, 19).byte()])[0].shape == (3, 17, 19)
