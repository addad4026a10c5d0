"""The toy task's signals and network: shapes, streams, and facts worked out by hand."""

import math

import pytest
import torch
from torch import nn

from rainlens import signals
from rainlens.models.cnn1d import Cnn1d
from rainlens.randomness import generator
from rainlens.signals import Cosine, Noise


def test_cosine_hits_hand_computed_values():
    # 10 cos(pi x / 10): full at 0, zero a quarter oscillation on, turned over at the ends.
    x = torch.tensor([-10.0, -5.0, 0.0, 10 / 3, 5.0, 10.0])
    expected = torch.tensor([-10.0, 0.0, 10.0, 5.0, 0.0, -10.0])
    torch.testing.assert_close(Cosine(1)(x), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("order", [1, 4, 8])
def test_cosine_oscillates_order_times(order):
    x = torch.linspace(-10, 10, 4001)
    crossings = (Cosine(order)(x).diff().sign().diff() != 0).sum().item()
    assert crossings == 2 * order - 1  # inner extrema of `order` oscillations


def test_foreign_is_a_triangle_of_period_8():
    x = torch.linspace(-10, 10, 2001, dtype=torch.float64)
    y = signals.foreign(x)
    assert y.min() >= -8 and y.max() <= 8
    torch.testing.assert_close(signals.foreign(x + 8), y, atol=1e-9, rtol=0)
    slopes = (y.diff() / x.diff()).abs()
    assert slopes.median().item() == pytest.approx(4.0)  # 16 up or down in half a period


def test_segments_stay_inside_and_are_equally_spaced():
    batch = signals.segments(Cosine(4), 500, generator(0, "test"))
    x, y = batch[:, 0], batch[:, 1]
    assert batch.shape == (500, 2, 128) and batch.dtype == torch.float32
    assert x.abs().max() <= 10
    torch.testing.assert_close(y, 10 * torch.cos(0.4 * math.pi * x))
    spacing = (x[:, -1] - x[:, 0]) / 127
    torch.testing.assert_close(x.diff(), spacing[:, None].expand(-1, 127), atol=1e-5, rtol=0)


def test_segment_length_has_mean_a_third_of_the_range():
    x = signals.segments(Cosine(1), 20_000, generator(3, "test"))[:, 0]
    assert (x[:, -1] - x[:, 0]).mean().item() == pytest.approx(20 / 3, abs=0.15)


def test_noise_has_its_mean_and_spread_and_leaves_x_alone():
    noisy, clean = signals.training_batch(Cosine(1), 0, 0, size=2000, noise=Noise(10, 5))
    added = noisy[:, 1] - clean[:, 1]
    assert torch.equal(noisy[:, 0], clean[:, 0])
    assert added.mean().item() == pytest.approx(10, abs=0.05)
    assert added.std().item() == pytest.approx(5, abs=0.05)


def test_batch_depends_on_seed_and_step_only():
    first = signals.training_batch(Cosine(1), 0, 700)[0]
    torch.manual_seed(123)
    signals.training_batch(Cosine(1), 0, 699)
    assert torch.equal(first, signals.training_batch(Cosine(1), 0, 700)[0])
    assert not torch.equal(first, signals.training_batch(Cosine(1), 0, 701)[0])
    assert not torch.equal(first, signals.training_batch(Cosine(1), 1, 700)[0])


def test_orders_share_segments_and_noise():
    one, eight = (signals.training_batch(Cosine(order), 0, 5) for order in (1, 8))
    assert torch.equal(one[0][:, 0], eight[0][:, 0])
    difference = (one[0] - one[1]) - (eight[0] - eight[1])
    assert difference.abs().max() < 1e-5


def test_pool_keeps_its_noise():
    pool = signals.fixed_pool(Cosine(1), 0, size=50)
    noisy, clean = signals.pool_batch(pool, 0, 9, size=200)
    known = {tuple(row.tolist()) for row in pool[0][:, 1]}
    assert noisy.shape == clean.shape == (200, 2, 128)
    assert {tuple(row.tolist()) for row in noisy[:, 1]} <= known
    assert torch.equal(noisy, signals.pool_batch(pool, 0, 9, size=200)[0])


def test_whole_function_covers_the_range():
    clean = signals.whole_function(Cosine(8), 256)
    assert clean.shape == (1, 2, 256)
    assert clean[0, 0, 0] == -10 and clean[0, 0, -1] == 10


def test_whole_noisy_shares_noise_between_signals():
    one, eight = (signals.whole_noisy(Cosine(o), Noise(), 128, 20, seed=4) for o in (1, 8))
    assert one[0].shape == (20, 2, 128)
    difference = (one[0] - one[1]) - (eight[0] - eight[1])
    assert difference.abs().max() < 1e-5
    assert not torch.equal(one[0][0], one[0][1])


def test_mean_square_error_counts_y_only():
    clean = torch.zeros(3, 2, 4)
    output = torch.full((3, 2, 4), 7.0)
    output[:, 1] = torch.tensor([[0.0], [1.0], [3.0]])
    assert signals.mean_square_error(output, clean).tolist() == [0.0, 1.0, 9.0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Noise(0, -1), "spread is -1"),
        (lambda: signals.training_batch(Cosine(1), 0, -1), "step is -1"),
        (lambda: signals.pool_batch((torch.zeros(1, 2, 3),) * 2, 0, -7), "step is -7"),
        (lambda: signals.whole_function(Cosine(1), 1), "points is 1"),
        (lambda: Cnn1d(kernel=6), "kernel is 6"),
        (lambda: Cnn1d(padding="mirror"), "padding is 'mirror'"),
        (lambda: Cnn1d(scale=0), "scale is 0"),
    ],
)
def test_bad_input_gets_one_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_network_has_the_counted_parameters():
    count = sum(parameter.numel() for parameter in Cnn1d().parameters())
    by_hand = (2 * 136 * 7 + 136) + 3 * (136 * 136 * 7 + 136) + (136 * 2 * 7 + 2)
    assert count == by_hand == 392_770


@pytest.mark.parametrize("padding", ["zeros", "replicate"])
def test_network_equals_plain_conv1d(padding):
    torch.manual_seed(0)
    network = Cnn1d(channels=12, slope=0.2, padding=padding)
    plain = nn.Sequential()
    for place, layer in enumerate(network.layers):
        twin = nn.Conv1d(layer.in_channels, layer.out_channels, 7, padding=3, padding_mode=padding)
        twin.load_state_dict(layer.state_dict())
        plain.append(twin)
        if place < 4:
            plain.append(nn.LeakyReLU(0.2))
    points = signals.training_batch(Cosine(1), 0, 0, size=3)[0]
    torch.testing.assert_close(network(points), plain(points / 10) * 10, atol=1e-4, rtol=1e-4)


def test_network_accepts_any_length_and_answers_in_float32_under_autocast():
    network = Cnn1d(channels=8)
    points = signals.whole_function(Cosine(1), 301)
    with torch.autocast("cpu", torch.bfloat16):
        output = network(points)
    assert output.shape == (1, 2, 301) and output.dtype == torch.float32


def test_network_tells_close_x_apart_under_autocast():
    # In bfloat16 both 9.97 and 9.99 would be read as 10. The first layer is set by hand to
    # magnify their distance: 100 x / 10 - 99.8 is -0.1 and 0.1; the other layers pass it on.
    network = Cnn1d(channels=1, kernel=1, slope=0.0)
    with torch.no_grad():
        for layer in network.layers:
            layer.weight.fill_(1.0)
            layer.bias.zero_()
        network.layers[0].weight.copy_(torch.tensor([[[100.0], [0.0]]]))
        network.layers[0].bias.fill_(-99.8)
        with torch.autocast("cpu", torch.bfloat16):
            output = network(torch.tensor([[[9.97, 9.99], [0.0, 0.0]]]))
    assert output[0, 0].tolist() == pytest.approx([0.0, 1.0], abs=0.02)
