"""The siamese judge: antisymmetric by construction, and able to learn what rain is."""

from itertools import islice

import pytest
import torch

from rainlens import images, models, preferences, rain
from rainlens.models.rain_judge import RainJudge, comparison_loss


def pictures(count: int, size: tuple[int, int] = (40, 56), seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 3, *size, generator=torch.Generator().manual_seed(seed))


def test_parameter_count_by_hand():
    # Nine weights a pair of channels and one bias each; then 64 weights and a bias.
    expected = (27 * 32 + 32) + (9 * 32 * 64 + 64) + 2 * (9 * 64 * 64 + 64) + 65
    assert models.count_parameters(RainJudge()) == expected == 93_313


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_swapping_gives_one_minus_p(scale):
    torch.manual_seed(0)
    judge = RainJudge()
    with torch.no_grad():
        judge.head.weight.mul_(scale * 10)
        first, second = pictures(8), pictures(8, seed=1)
        there, back = judge.has_less_rain(first, second), judge.has_less_rain(second, first)
    assert there.dtype == torch.float64 and there.shape == (8,)
    torch.testing.assert_close(there, 1 - back, rtol=0, atol=1e-15)
    assert (judge.has_less_rain(first, first) == 0.5).all()


def test_no_circle_of_preferences():
    torch.manual_seed(0)
    judge = RainJudge()
    with torch.no_grad():
        score = judge(pictures(20))
        p = torch.stack(
            [judge.has_less_rain(pictures(20), pictures(20).roll(k, 0)) for k in (1, 7)]
        )
    assert score.shape == (20,)
    for k, row in zip((1, 7), p, strict=True):
        assert ((row > 0.5) == (score < score.roll(k, 0))).all()


@pytest.mark.parametrize("size", [(16, 16), (33, 17), (64, 90)])
def test_any_size_and_a_float32_score(size):
    judge = RainJudge()
    with torch.autocast("cpu", torch.bfloat16):
        score = judge(pictures(2, size))
    assert score.shape == (2,) and score.dtype == torch.float32


def test_each_feature_sees_31_pixels():
    judge = RainJudge((4, 4, 4, 4)).double()
    picture = pictures(1, (97, 97)).double().requires_grad_()
    values = picture - 0.5
    for layer in judge.layers:
        values = torch.nn.functional.softplus(layer(values))  # no dead paths
    values[0, :, 3, 3].sum().backward()
    seen = picture.grad[0].abs().sum(0).nonzero()
    assert (seen.max(0).values - seen.min(0).values + 1).tolist() == [31, 31]


def test_it_is_no_restoration_network():
    assert "rain_judge" not in models.MODELS


def test_loss_by_hand():
    judge = RainJudge()
    same = pictures(3)
    assert comparison_loss(judge, same, same).item() == pytest.approx(0.6931, abs=1e-4)
    first, second = pictures(3), pictures(3, seed=1)
    expected = -judge.has_less_rain(first, second).log().mean()
    assert comparison_loss(judge, first, second).item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_few_steps_teach_it_rain_that_it_has_not_seen(one_thread):
    # Trained on the papers' rain, tested on streaks that are drawn in another way.
    torch.manual_seed(0)
    source = torch.Generator().manual_seed(0)
    size = (32, 32)
    clean = images.to_unit(torch.stack(list(islice(images.crops("embedded", 32, 0), 64))))
    judge = RainJudge((16, 16, 16, 16))
    optimiser = torch.optim.Adam(judge.parameters(), 3e-3)
    for _ in range(40):
        chosen = clean[torch.randint(len(clean), (8,), generator=source)]
        layer = rain.synthesize(8, size, rain.RANGES["large"], source)
        little, much = torch.rand(2, 8, 1, 1, 1, generator=source).sort(0).values
        pair = (rain.add_rain(chosen, amount * layer) for amount in (little, much))
        loss = comparison_loss(judge, *pair)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    layer = rain.draw_streaks(len(clean), size, source)
    amounts = torch.rand(2, len(clean), 1, 1, 1, generator=source)
    with torch.no_grad():
        p = judge.has_less_rain(*(rain.add_rain(clean, amount * layer) for amount in amounts))
    found = preferences.validity(p.numpy(), *(amount.flatten().numpy() for amount in amounts))
    assert found.pairs > 20 and found.accuracy.value > 0.8
