"""Preferences by hand, and against scipy."""

import math

import numpy as np
import pytest
from scipy import stats

from rainlens import preferences


@pytest.mark.parametrize(("successes", "trials"), [(8, 10), (0, 7), (7, 7), (50, 100), (1, 1)])
def test_wilson_is_that_of_scipy(successes, trials):
    ours = preferences.wilson(successes, trials)
    theirs = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert ours.value == successes / trials and ours.low <= ours.value <= ours.high


def test_wilson_by_hand():
    # z = 1.96: centre (0.8 + 0.192) / 1.384 = 0.717, reach 0.227
    estimate = preferences.wilson(8, 10)
    assert (estimate.low, estimate.high) == pytest.approx((0.490, 0.943), abs=1e-3)
    assert all(map(math.isnan, (preferences.wilson(0, 0).value, preferences.wilson(0, 0).low)))
    for impossible in ((3, 2), (-1, 2)):
        with pytest.raises(ValueError, match="is impossible"):
            preferences.wilson(*impossible)


def test_win_rate_by_hand():
    rate = preferences.win_rate(np.array([0.9, 0.6, 0.59, 0.5, 0.41, 0.4, 0.1, 1.0]))
    assert (rate.wins, rate.losses, rate.ties) == (3, 2, 3)
    assert rate.rate == preferences.wilson(3, 5)
    assert str(rate).endswith("(3 wins, 2 losses, 3 ties)")
    with pytest.raises(ValueError, match=r"one number in \[0, 1\] for each pair"):
        preferences.win_rate(np.array([0.5, 1.5]))


def test_swapping_the_pictures_swaps_wins_and_losses():
    probability = np.random.RandomState(0).uniform(size=99)
    ours, theirs = preferences.win_rate(probability), preferences.win_rate(1 - probability)
    assert (ours.wins, ours.losses, ours.ties) == (theirs.losses, theirs.wins, theirs.ties)
    assert ours.rate.low == pytest.approx(1 - theirs.rate.high)


def test_only_ties_are_no_win_rate():
    rate = preferences.win_rate(np.full(4, 0.5))
    assert rate.ties == 4 and math.isnan(rate.rate.value)


def test_validity_by_hand():
    first = np.array([0.0, 0.9, 0.2, 0.2, 0.5, 0.5])
    second = np.array([0.3, 0.1, 0.8, 0.3, 0.5, 0.5])
    probability = np.array([0.95, 0.2, 0.55, 0.0, 0.52, 0.9])
    # Right, right, a tie that is wrong, too near to count; then undecided, and decided by nothing.
    found = preferences.validity(probability, first, second)
    assert found.pairs == 3 and found.accuracy == preferences.wilson(2, 3)
    assert found.undecided == preferences.wilson(1, 2) and not found.passed


def test_the_gate_is_at_95_percent_and_needs_pairs():
    dry, wet = np.zeros(20), np.ones(20)
    for wrong, passed in ((1, True), (2, False)):
        probability = np.where(np.arange(20) < wrong, 0.1, 0.9)
        assert preferences.validity(probability, dry, wet).passed is passed
    nothing = preferences.validity(np.array([]), np.array([]), np.array([]))
    assert not nothing.passed and nothing.undecided is None


def test_a_judge_that_blur_sways_does_not_pass():
    # Ten pairs of known rain, all right; ten of equal rain, where it prefers the blurred on most.
    first = np.repeat([0.0, 0.5], 10)
    second = np.repeat([1.0, 0.5], 10)
    for swayed, passed in ((5, True), (6, False)):
        equal = np.where(np.arange(10) < swayed, 0.99, 0.5)
        probability = np.concatenate([np.full(10, 0.99), equal])
        assert preferences.validity(probability, first, second).passed is passed


def test_rank_correlation_by_hand():
    measure, response = np.array([1.0, 2, 3, 4, 5]), np.array([2.0, 1, 4, 3, 5])
    found = preferences.rank_correlation(measure, response)
    assert found.value == pytest.approx(1 - 6 * 4 / (5 * 24))  # 1 - 6 sum d^2 / (n (n^2 - 1))
    assert found.low <= found.value <= found.high
    assert preferences.rank_correlation(measure, np.exp(measure)).value == pytest.approx(1)
    assert preferences.rank_correlation(measure, -measure).high == pytest.approx(-1)
    assert found == preferences.rank_correlation(measure, response)  # the same draws every time


def test_rank_correlation_is_that_of_scipy():
    measure, response = np.random.RandomState(0).randint(0, 9, (2, 50)).astype(float)  # with ties
    theirs = stats.spearmanr(measure, response).statistic
    assert preferences.rank_correlation(measure, response).value == pytest.approx(theirs)


def test_networks_are_ranked_by_their_means():
    # Means 2, 3, 4 against 5, 9, 7: one of three pairs is swapped, rho = 1 - 6 * 2 / 24.
    measure = np.array([[1.0, 3, 50], [2, 4, 50], [3, 5, 50]])
    response = np.array([[4.0, 6, np.nan], [10, 8, 1], [7, 7, 2]])
    found = preferences.rank_correlation(measure, response)
    assert found.value == pytest.approx(0.5)
    # Every picture alone says the same, so that resampling pictures changes nothing.
    assert found.low == pytest.approx(0.5) and found.high == pytest.approx(0.5)


def test_the_interval_covers_what_it_should():
    # Of independent values rho is 0 on average; 95 % intervals should nearly always hold it.
    source = np.random.RandomState(1)
    held = []
    for _ in range(15):
        found = preferences.rank_correlation(*source.normal(size=(2, 40)))
        held.append(found.low <= 0 <= found.high)
    assert sum(held) >= 12


def test_constant_sides_have_no_order():
    found = preferences.rank_correlation(np.ones(4), np.arange(4.0))
    assert math.isnan(found.value) and math.isnan(found.low)
    with pytest.raises(ValueError, match=r"measure is \(4,\) and response \(3,\)"):
        preferences.rank_correlation(np.ones(4), np.ones(3))


def test_discordance_by_hand():
    measure = np.array([[1.0, 5, 2], [2, 4, 2], [3, 3, np.nan]])
    response = np.array([[1.0, 1, 1], [3, 2, 2], [2, 3, 3]])
    # Picture 1: of three pairs one is opposite; picture 2: all three; picture 3: nothing to count.
    found = preferences.discordance(measure, response)
    assert found.value == pytest.approx(4 / 6)
    assert (found.low, found.high) == pytest.approx((1 / 3, 1))


def test_discordance_and_kendall_agree():
    source = np.random.RandomState(2)
    measure, response = source.normal(size=(2, 9, 1))
    tau = stats.kendalltau(measure[:, 0], response[:, 0]).statistic
    assert preferences.discordance(measure, response).value == pytest.approx((1 - tau) / 2)
    assert preferences.discordance(measure, measure).value == 0
    assert preferences.discordance(measure, -measure).value == 1


def test_discordance_without_pairs():
    endless = np.full((2, 3), np.inf)  # the PSNR of exact outputs
    assert math.isnan(preferences.discordance(endless, np.ones((2, 3))).value)
    with pytest.raises(ValueError, match=r"it must be \(networks, pictures\)"):
        preferences.discordance(np.ones(3), np.ones(3))
