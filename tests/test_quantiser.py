"""Code books: the nearest row, whose gradient goes where, and how a dead code comes back."""

import math

import pytest
import torch
from torch import nn

from rainlens.models.prior import checksum, live_fraction, perplexity
from rainlens.models.quantiser import EmaQuantiser, GumbelQuantiser, VectorQuantiser, spread


@pytest.fixture(autouse=True)
def seeded(one_thread):
    torch.manual_seed(0)


def rows_of(values: torch.Tensor) -> torch.Tensor:
    return values.movedim(1, -1).flatten(0, -2)


def with_book(quantiser: nn.Module, book: torch.Tensor) -> nn.Module:
    with torch.no_grad():
        quantiser.embedding.weight.copy_(book)
    return quantiser


@pytest.mark.parametrize("kind", [VectorQuantiser, EmaQuantiser])
def test_each_output_is_the_nearest_row_to_the_bit(kind):
    quantiser = with_book(kind(9, 5), torch.randn(9, 5)).eval()
    latent = 1000 * torch.randn(2, 5, 3, 4)  # latent + (row - latent) would round
    values, codes, _ = quantiser(latent)
    expected = torch.cdist(rows_of(latent), quantiser.embedding.weight).argmin(1)
    assert torch.equal(codes, expected.view(2, 3, 4))
    assert torch.equal(rows_of(values), quantiser.embedding.weight[expected])


def test_codes_are_chosen_in_float32_under_autocast():
    book = torch.tensor([[100.0, 0.0], [100.25, 0.0]])  # one number in bfloat16
    quantiser = with_book(VectorQuantiser(2, 2), book)
    with torch.autocast("cpu", torch.bfloat16):
        codes = quantiser(torch.tensor([100.2, 0.0]).view(1, 2, 1, 1)).codes
    assert codes.item() == 1


def test_the_gradient_passes_as_if_nothing_had_been_done():
    quantiser = with_book(VectorQuantiser(9, 5), torch.randn(9, 5))
    latent = torch.randn(2, 5, 3, 4, requires_grad=True)
    weights = torch.randn(2, 5, 3, 4)
    (quantiser(latent).values * weights).sum().backward()
    assert torch.equal(latent.grad, weights)
    assert quantiser.embedding.weight.grad is None  # the picture's loss does not move the book


@pytest.mark.parametrize(
    ("legacy", "to_latent", "to_code"), [(True, 2.0, -0.5), (False, 0.5, -2.0)]
)
def test_only_the_gradients_tell_the_two_losses_apart(legacy, to_latent, to_code):
    # One vector z with z - e = d, n numbers: beta = 1/4 stands at the code or at the commitment.
    d = torch.tensor([1.0, -2.0, 0.5, 3.0])
    quantiser = with_book(VectorQuantiser(2, 4, legacy=legacy), torch.stack([d * 0, d * 0 + 99]))
    latent = d.clone().view(1, 4, 1, 1).requires_grad_()
    loss = quantiser(latent).loss
    loss.backward()
    assert loss.item() == pytest.approx(1.25 * d.square().mean().item())
    torch.testing.assert_close(latent.grad.flatten(), to_latent * d / 4)
    torch.testing.assert_close(quantiser.embedding.weight.grad[0], to_code * d / 4)
    assert quantiser.embedding.weight.grad[1].abs().max() == 0


def test_perplexity_and_live_codes_by_hand():
    codes = torch.tensor([[0, 0], [1, 2]])  # 1/2, 1/4, 1/4: entropy 1.5 bits
    assert perplexity(codes, 8).item() == pytest.approx(2**1.5)
    assert live_fraction(codes, 8).item() == 3 / 8
    assert perplexity(torch.arange(8), 8).item() == pytest.approx(8)
    assert perplexity(torch.zeros(5, dtype=torch.long), 8).item() == 1


@pytest.mark.parametrize("kind", [VectorQuantiser, EmaQuantiser])
def test_the_first_batch_fills_a_book_that_restarts(kind):
    latent = torch.randn(2, 3, 5, 5)
    quantiser = kind(8, 3, restart_after=4)
    filled = quantiser(latent).codes
    assert live_fraction(filled, 8) == 1
    if kind is VectorQuantiser:  # the averages have moved on already
        gaps = torch.cdist(quantiser.embedding.weight, rows_of(latent)).min(1).values
        assert gaps.max() == 0


@pytest.mark.parametrize("kind", [VectorQuantiser, EmaQuantiser])
def test_a_dead_code_comes_back_to_life(kind):
    quantiser = kind(4, 2, restart_after=3)
    with_book(quantiser, torch.tensor([[0.0, 0], [1, 0], [0, 1], [500, 500]]))
    quantiser.start_from_book()
    latent = torch.rand(1, 2, 6, 6)
    live = [live_fraction(quantiser(latent).codes, 4).item() for _ in range(5)]
    assert live == [0.75, 0.75, 0.75, 1, 1]  # three steps without it, then it starts anew
    assert quantiser.embedding.weight.abs().max() <= 1


@pytest.mark.parametrize("kind", [VectorQuantiser, EmaQuantiser])
@pytest.mark.parametrize("stop", ["eval", "no_grad", "frozen"])
def test_a_book_that_is_only_looked_at_stays_as_it_is(kind, stop):
    quantiser = kind(4, 2, restart_after=1)
    before = checksum(quantiser)
    quantiser.train(stop != "eval")
    quantiser.adapts = stop != "frozen"
    with torch.set_grad_enabled(stop != "no_grad"):
        quantiser(torch.rand(1, 2, 6, 6))
    assert checksum(quantiser) == before


def test_a_run_goes_on_from_its_state_to_the_same_bits():
    batches = [torch.randn(1, 3, 4, 4) + step for step in range(6)]
    unbroken = EmaQuantiser(8, 3, decay=0.5, restart_after=2)
    for batch in batches:
        expected = unbroken(batch).values
    first, second = (EmaQuantiser(8, 3, decay=0.5, restart_after=2) for _ in range(2))
    for batch in batches[:3]:
        first(batch)
    second.load_state_dict(first.state_dict())
    for batch in batches[3:]:
        values = second(batch).values
    assert torch.equal(values, expected) and checksum(second) == checksum(unbroken)


def test_moving_averages_by_hand():
    quantiser = EmaQuantiser(3, 2, decay=0.75)
    with_book(quantiser, torch.tensor([[0.0, 0.0], [10.0, 10.0], [-99.0, 0.0]]))
    quantiser.start_from_book()
    latent = torch.tensor([[1.0, 0.0], [0.0, 3.0], [11.0, 10.0]]).T.view(1, 2, 1, 3)
    loss = quantiser(latent.requires_grad_()).loss
    # N: 3/4 of 1 and 1/4 of 2 (0, 1, 0 chosen); m: 3/4 of the old sum and 1/4 of the new one.
    expected = [[0.25 / 1.25, 0.75 / 1.25], [(7.5 + 2.75) / 1, (7.5 + 2.5) / 1], [-99.0, 0.0]]
    torch.testing.assert_close(quantiser.embedding.weight, torch.tensor(expected))
    assert loss.item() == pytest.approx(0.25 * (1 + 9 + 1) / 6)  # the commitment alone
    assert not quantiser.embedding.weight.requires_grad
    assert torch.isfinite(torch.autograd.grad(loss, latent)[0]).all()


def test_averages_of_a_code_without_latents_do_not_end_in_noise():
    quantiser = EmaQuantiser(2, 2, decay=0.5)
    with_book(quantiser, torch.tensor([[0.0, 0.0], [7.0, 8.0]]))
    quantiser.start_from_book()
    for _ in range(300):  # 0.5^300 is no float32 number
        quantiser(torch.zeros(1, 2, 1, 1))
    torch.testing.assert_close(quantiser.embedding.weight[1], torch.tensor([7.0, 8.0]))


def test_rows_are_spread_over_the_batch():
    rows = torch.arange(1000.0)[:, None]
    first, second = (spread(rows, 50, torch.tensor(step))[:, 0] for step in (3, 4))
    gaps = first.sort().values.diff()
    assert gaps.min() > 5 and gaps.max() < 60  # 20 if it were a grid
    assert not torch.equal(first, second)


# --- Gumbel --------------------------------------------------------------------------------------


def test_gumbel_takes_the_likeliest_code_where_nothing_learns():
    quantiser = GumbelQuantiser(3, 6, 4).eval()
    latent = torch.randn(2, 3, 4, 5)
    values, codes, _ = quantiser(latent)
    assert torch.equal(codes, quantiser.proj(latent).argmax(1))
    torch.testing.assert_close(rows_of(values), quantiser.embed.weight[codes.flatten()])
    assert torch.equal(quantiser(latent).codes, codes)


def test_gumbel_draws_in_training_as_often_as_the_scores_say():
    quantiser = GumbelQuantiser(1, 3, 2)
    nn.init.zeros_(quantiser.proj.weight)
    with torch.no_grad():
        quantiser.proj.bias.copy_(torch.tensor([0.5, 0.3, 0.2]).log())
    codes = quantiser(torch.zeros(1, 1, 100, 100)).codes
    shares = torch.bincount(codes.flatten()) / codes.numel()
    torch.testing.assert_close(shares, torch.tensor([0.5, 0.3, 0.2]), atol=0.02, rtol=0)


def test_gumbel_s_divergence_is_that_from_equal_use():
    quantiser = GumbelQuantiser(1, 4, 2, kl_weight=1.0)
    nn.init.zeros_(quantiser.proj.weight)
    for chances, expected in (
        ([0.25] * 4, 0.0),
        ([0.5, 0.25, 0.125, 0.125], math.log(4) - 1.75 * math.log(2)),
    ):
        with torch.no_grad():
            quantiser.proj.bias.copy_(torch.tensor(chances).log())
        loss = quantiser(torch.zeros(1, 1, 2, 2)).loss
        assert loss.item() == pytest.approx(expected, abs=1e-6)


def test_gumbel_s_gradient_is_that_of_the_soft_choice():
    quantiser = GumbelQuantiser(3, 5, 2)
    quantiser.adapts = False  # no noise
    latent, weights = torch.randn(1, 3, 2, 2), torch.randn(1, 2, 2, 2)
    (quantiser(latent).values * weights).sum().backward()
    found = quantiser.proj.weight.grad.clone()
    quantiser.zero_grad()
    soft = (quantiser.proj(latent) / 0.9).softmax(1)
    values = torch.einsum("nkhw,kc->nchw", soft, quantiser.embed.weight)
    (values * weights).sum().backward()
    torch.testing.assert_close(found, quantiser.proj.weight.grad)
