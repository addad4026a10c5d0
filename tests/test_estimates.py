"""Estimates and tipping points on made-up records whose answer is known."""

import math

import numpy as np
import pytest
import torch

from rainlens import estimates, metrics, scales
from rainlens.evaluation import TestSet
from rainlens.records import Record, described

# Of pictures without rain there is no mean, and no warning either.
pytestmark = pytest.mark.filterwarnings("error")


def record(gains: list[float], seed: int = 0) -> Record:
    return Record("made-up", {"seed": seed}, {}, {"unseen": {"gain": gains}})


def sweep(means: dict[int, float], spread: float = 0.0) -> dict[int, list[Record]]:
    """Two seeds of 40 images a count, normal around the mean, the same deviations for each N."""
    rng = np.random.default_rng(0)
    deviations = spread * rng.standard_normal((2, 40))
    return {
        n: [record(list(m + row), seed) for seed, row in enumerate(deviations)]
        for n, m in means.items()
    }


def test_mean_is_over_images_and_seeds():
    estimate = estimates.mean([record([1, 2, 3]), record([3, 4, 5], 1)], "unseen", "gain")
    assert estimate.value == pytest.approx(3)
    assert estimate.by_seed == pytest.approx((2, 4))
    # Student's interval of 2 and 4, with one degree of freedom: 12.706 standard errors of 1.
    assert (estimate.low, estimate.high) == pytest.approx((3 - 12.706, 3 + 12.706), abs=1e-3)


def test_where_seeds_agree_the_interval_is_that_of_the_pictures():
    values = np.random.default_rng(1).normal(5, 2, 400)
    estimate = estimates.mean([record(list(values), seed) for seed in range(3)], "unseen", "gain")
    expected = 1.96 * values.std(ddof=1) / math.sqrt(400)
    assert estimate.high - estimate.value == pytest.approx(expected, rel=0.1)
    assert estimate.value - estimate.low == pytest.approx(expected, rel=0.1)


def test_one_seed_says_nothing_of_others():
    estimate = estimates.mean([record([1, 2, 3])], "unseen", "gain")
    assert (estimate.low, estimate.high) == (-math.inf, math.inf)
    assert estimate.text(1) == "2.0 (one seed)"


def test_rejection_is_what_the_rain_response_leaves():
    held = Record("made-up", {"seed": 0}, {}, {"unseen": {"response": [0.25, 0.5]}})
    assert estimates.per_image([held], "unseen", "rejection").tolist() == [[0.75, 0.5]]


def test_the_removal_gain_is_rejection_and_picture_taken():
    measured = {"gain": [1.5, 0.5], "response": [0.25, 1]}
    held = Record("made-up", {"seed": 0}, {}, {"unseen": measured})
    assert estimates.per_image([held], "unseen", "picture_taken").tolist() == [[0.75, 0.5]]


def test_pictures_without_rain_are_left_out():
    assert estimates.mean([record([1, float("nan"), 3])], "unseen", "gain").value == pytest.approx(
        2
    )


def test_a_difference_is_paired():
    """Images differ by 100, the networks by exactly 1: the pairing leaves no uncertainty."""
    easy = [record([1, 101, 201], seed) for seed in range(2)]
    hard = [record([0, 100, 200], seed) for seed in range(2)]
    gap = estimates.difference(easy, hard, "unseen", "gain")
    assert (gap.value, gap.low, gap.high) == pytest.approx((1, 1, 1))


def test_seeds_may_differ_in_number_from_side_to_side():
    """Seeds 0 and 2 are on both sides; the mean is over all of each side."""
    ours = [record([seed + 1.0, seed + 3.0], seed) for seed in range(5)]  # means 2, 3, 4, 5, 6
    theirs = [record([1.0, 3.0], 2), record([0.0, 2.0], 0)]  # means 2, 1
    gap = estimates.difference(ours, theirs, "unseen", "gain")
    assert gap.value == pytest.approx(4 - 1.5)
    assert gap.by_seed == pytest.approx((2 - 1, 4 - 2))


def test_a_deviating_seed_widens_the_interval_of_a_difference():
    """Pictures alone would not show it: ours are 1 above theirs on each, one seed 5 above."""
    theirs = [record([0.0, 10.0, 20.0], seed) for seed in range(4)]
    ours = [record([1.0 + s / 10, 11.0 + s / 10, 21.0 + s / 10], s) for s in range(3)]
    deviating = [*ours, record([5.0, 15.0, 25.0], 3)]
    few, more = (
        estimates.difference(one, theirs[: len(one)], "unseen", "gain") for one in (ours, deviating)
    )
    assert few.low > 0 > more.low and more.width > 2 * few.width


def test_a_comparison_of_two_measures_is_paired_picture_by_picture():
    rng = np.random.default_rng(0)
    effects = rng.normal(0, 1, 5)
    tests = [{"unseen": {m: list(e + rng.normal(9, 1, 30)) for m in "ab"}} for e in effects]
    records = [Record("r", {"seed": seed}, {}, test) for seed, test in enumerate(tests)]
    gap = estimates.between(records, "unseen", "a", "b")
    a, b = (np.array([test["unseen"][m] for test in tests]) for m in "ab")
    assert gap.value == pytest.approx((a - b).mean())
    # What a seed adds to both measures drops out.
    assert gap.width < estimates.mean(records, "unseen", "a").width


def test_direction_needs_an_interval_without_zero():
    words = ("up", "down", "unclear")
    assert estimates.direction(estimates.Estimate(1, 0.5, 1.5), *words) == "up"
    assert estimates.direction(estimates.Estimate(-1, -1.5, -0.5), *words) == "down"
    assert estimates.direction(estimates.Estimate(1, -0.5, 1.5), *words) == "unclear"


def test_tipping_point_between_two_counts():
    """From 1.0 at 8 to 0.6 at 128 on a line in log2 N: 0.9 is a quarter of the way, N = 16."""
    point = estimates.tipping_point(sweep({8: 1.0, 128: 0.6}), "unseen", level=0.9)
    assert point.n == pytest.approx(16)
    assert point.low == pytest.approx(16) and point.high == pytest.approx(16)


def test_tipping_point_ignores_a_bump():
    """Rising from 32 to 64 is flattened to the mean, 0.7, so the crossing lies before 32."""
    point = estimates.tipping_point(
        sweep({8: 1.0, 32: 0.6, 64: 0.8, 512: 0.2}), "unseen", level=0.85
    )
    assert point.n == pytest.approx(8 * 2 ** (2 * (0.15 / 0.3)))


def test_tipping_point_outside_the_sweep_is_said_so():
    high, low = sweep({8: 1.0, 512: 0.95}), sweep({8: 0.5, 512: 0.4})
    assert str(estimates.tipping_point(high, "unseen", level=0.9)) == ">\N{NO-BREAK SPACE}512"
    assert str(estimates.tipping_point(low, "unseen", level=0.9)) == "<\N{NO-BREAK SPACE}8"


def test_the_interval_of_a_tipping_point_covers_it_and_grows_with_the_noise():
    means = {8: 1.0, 32: 0.9, 128: 0.7, 512: 0.5}
    widths = []
    for spread in (0.05, 0.4):
        point = estimates.tipping_point(sweep(means, spread), "unseen", level=0.8)
        assert point.low <= point.n <= point.high
        widths.append(math.log2(point.high / point.low))
    assert widths[0] < widths[1]


def test_a_tipping_point_is_found_where_some_counts_have_more_seeds():
    part = sweep({8: 1.0, 128: 0.6})
    part[8].append(record([1.0] * 40, 2))
    assert estimates.tipping_point(part, "unseen", level=0.9).n == pytest.approx(16)


def test_reversing_a_sweep_reverses_the_verdict():
    """A gain that rises with N never falls through the level on its way."""
    means = {8: 0.5, 32: 0.7, 128: 0.9, 512: 1.0}
    falling = dict(zip(means, reversed(means.values()), strict=True))
    assert estimates.tipping_point(sweep(means), "unseen", level=0.8).n == 0
    assert 32 < estimates.tipping_point(sweep(falling), "unseen", level=0.8).n < 128


def test_the_rain_of_a_test_set_has_its_name():
    tests = TestSet("unseen", "rain100l", "urban", 2), TestSet("heavy", "rain100h", "urban", 3)
    made_up = Record("made-up", {"tests": [described(test) for test in tests]}, {}, {})
    assert estimates.test_set(made_up, "heavy") == tests[1]
    assert estimates.rain_name(made_up, "heavy") == "Rain100H"
    with pytest.raises(ValueError, match="made-up has no test set 'shown'"):
        estimates.rain_name(made_up, "shown")


# --- sweeps, curves, surveys


def curve_record(values: list[float]) -> Record:
    steps = [100 * place for place in range(len(values))]
    return Record("r", {}, {"iteration": steps, "e_b": values}, {})


def test_first_below_is_read_on_a_straight_line():
    record = curve_record([5.0, 40.0, 30.0, 20.0])  # the untrained point does not count
    assert estimates.first_below(record, "e_b", 25.0) == pytest.approx(250.0)
    assert estimates.first_below(record, "e_b", 40.0) == 100.0
    assert np.isnan(estimates.first_below(record, "e_b", 10.0))
    assert estimates.at(record, "e_b", 250.0) == pytest.approx(25.0)


def course(seed: int, damage: list[float], contrast: list[float]) -> Record:
    """A training curve; its first point is of the untrained network, which does not count."""
    steps = [100 * place for place in range(len(damage) + 1)]
    curves = {"unseen/e_b": [25.0, *damage], "unseen/contrast": [9.0, *contrast]}
    return Record("r", {"seed": seed}, {"iteration": steps, **curves}, {})


def test_removal_within_a_damage_is_read_on_a_straight_line():
    falling = course(0, [40, 30, 20], [0.8, 0.6, 0.4])
    assert estimates.removal_within(falling, 25) == pytest.approx(0.5)
    read = [estimates.removal_within(falling, level) for level in (100, 40, 30, 20)]
    assert read == [0.8, 0.8, 0.6, 0.4]
    assert np.isnan(estimates.removal_within(falling, 19)) and estimates.least_damage(falling) == 20


def test_within_a_damage_the_best_moment_counts():
    """Down through 30 at 0.7, then up through it at 0.4; and a later moment that does less harm."""
    turning = course(0, [40, 20, 40], [0.8, 0.6, 0.2])
    assert estimates.removal_within(turning, 30) == pytest.approx(0.7)
    improving = course(0, [40, 30, 20], [0.2, 0.4, 0.6])
    assert estimates.removal_within(improving, 35) == 0.6


def test_at_equal_damage_the_one_that_damages_less_is_read_earlier():
    """By hand: theirs come down to 25; there ours had 0.5 and 0.6, and theirs have 0.4 and 0.3."""
    ours = [course(0, [40, 30, 20], [0.8, 0.6, 0.4]), course(1, [40, 30, 20], [0.9, 0.7, 0.5])]
    theirs = [course(0, [35, 25], [0.7, 0.4]), course(1, [35, 25], [0.6, 0.3])]
    gap = estimates.at_equal_damage(ours, theirs)
    assert gap.by_seed == pytest.approx((0.1, 0.3)) and gap.value == pytest.approx(0.2)
    # Student's t for two values: 12.706 standard errors of 0.2 / 2.
    assert gap.high - gap.value == pytest.approx(1.2706, abs=1e-4)
    turned = estimates.at_equal_damage(theirs, ours)
    assert (turned.value, turned.low) == pytest.approx((-gap.value, -gap.high))
    # At 30, ours had 0.6 and 0.7, theirs, half way, 0.55 and 0.45.
    given = estimates.at_equal_damage(ours, theirs, level=30)
    assert given.by_seed == pytest.approx((0.05, 0.25))


def test_at_equal_damage_a_network_that_repaints_is_read_before_it_does():
    """Its damage rises along training; what it removes at the end, it pays for with the picture."""
    few = [course(seed, [32, 30, 45], [0.7, 0.6, 0.9]) for seed in (0, 1)]
    many = [course(seed, [40, 25, 10], [0.8, 0.5, 0.4]) for seed in (0, 1)]
    gap = estimates.at_equal_damage(few, many)
    assert gap.by_seed == pytest.approx((0, 0))  # at 30: 0.6, and 0.5 + 0.3 / 3


def test_at_equal_damage_only_common_seeds_count():
    ours = [course(seed, [40, 30, 20], [0.8, 0.6, 0.4]) for seed in (0, 1, 2)]
    theirs = [course(seed, [35, 25], [0.7, 0.4]) for seed in (2, 1, 5)]
    assert len(estimates.at_equal_damage(ours, theirs).by_seed) == 2
    one = estimates.at_equal_damage(ours[:1], [course(0, [35, 25], [0.7, 0.4])])
    assert one.value == pytest.approx(0.1) and (one.low, one.high) == (-np.inf, np.inf)
    with pytest.raises(ValueError, match=r"\[0\] and \[5\] have none in common"):
        estimates.at_equal_damage(ours[:1], theirs[2:])


def test_at_equal_damage_a_level_that_one_never_reaches_leaves_nothing_to_compare():
    ours = [course(seed, [20, 10], [0.5, 0.4]) for seed in (0, 1)]
    theirs = [course(seed, [60, 50], [0.9, 0.8]) for seed in (0, 1)]
    gap = estimates.at_equal_damage(ours, theirs, level=30)
    assert np.isnan(gap.value)
    assert estimates.direction(gap, "more", "less", "open") == "open"


def test_the_parts_of_a_change_follow_from_the_scores_of_a_record():
    """As if computed from the pictures: two outputs, one darker than the rain and one lighter."""
    source = torch.Generator().manual_seed(0)
    clean, rain, noise = (torch.rand(2, 3, 16, 16, generator=source) for _ in range(3))
    clean, rainy = clean / 2, clean / 2 + rain / 2
    output = rainy - 0.4 * rain + 0.1 * noise + torch.tensor([-0.3, 0.4])[:, None, None, None]
    scores = {name: v.tolist() for name, v in metrics.score(output, rainy, clean).items()}
    exact = metrics.change_parts(clean, rainy, clean)
    found = estimates.change_parts(
        [Record("made-up", {"seed": 0}, {}, {"shown": scores})], "shown",
        exact["offset"].numpy(), exact["along_rain"].numpy(),
    )  # fmt: skip
    for name, expected in metrics.change_parts(output, rainy, clean).items():
        assert np.abs(found[name][0]) == pytest.approx(expected.numpy(), rel=1e-4), name
    assert found["offset"][0, 0] > 0 > found["offset"][0, 1]


def test_by_count_groups_the_records_of_a_sweep():
    setting = scales.scale_named("smoke")
    part = [setting.experiment(patches=n, seed=s) for n in (8, 64) for s in (0, 1)]
    found = {e: Record(e.name, {"seed": e.seed}, {}, {}) for e in part}
    sweep = estimates.by_count(part, found)
    assert list(sweep) == [8, 64]
    assert [r.experiment["seed"] for r in sweep[64]] == [0, 1]


def test_tested_on_puts_another_test_in_the_place_of_unseen():
    abroad = Record("a", {}, {}, {"unseen": {"gain": [1.0]}, "transfer": {"gain": [2.0]}})
    home = Record("b", {}, {}, {"unseen": {"gain": [3.0]}})
    gains = [r.tests["unseen"]["gain"] for r in estimates.tested_on([abroad, home], "transfer")]
    assert gains == [[2.0], [3.0]]


def survey(pictures: list[int], fine: list[float], coarse: list[float]) -> Record:
    values = {"picture": pictures, "structure0": fine, "structure1": coarse, "sharpness": fine}
    return Record("s", {}, {}, {"patches": values})


def test_a_picture_counts_once_however_many_patches_it_has():
    record = survey([7, 7, 7, 9], [1.0, 2.0, 3.0, 10.0], [0.0, 0.0, 0.0, 1.0])
    assert estimates.structure(record) == ["structure0", "structure1"]
    assert estimates.by_picture(record, estimates.structure(record)).tolist() == [2.0, 11.0]


def test_gap_agrees_with_the_normal_approximation():
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(3, 1, 200), rng.normal(1, 2, 300)
    found = estimates.gap(ours, theirs)
    spread = 1.96 * np.sqrt(ours.var() / 200 + theirs.var() / 300)
    assert found.value == pytest.approx(ours.mean() - theirs.mean())
    assert found.low == pytest.approx(found.value - spread, abs=0.05)
    assert found.high == pytest.approx(found.value + spread, abs=0.05)


def test_best_count_is_the_highest_and_its_interval_covers_what_pictures_cannot_tell():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.2, 40)

    def sweep(heights: dict[int, float]) -> dict[int, list[Record]]:
        # The same pictures at each N, so that most of their noise cancels; 0.01 of it does not.
        values = {n: h + noise + rng.normal(0, 0.01, 40) for n, h in heights.items()}
        tests = {n: {"unseen": {"contrast": v.tolist()}} for n, v in values.items()}
        return {n: [Record("r", {"seed": 0}, {}, test)] for n, test in tests.items()}

    clear = estimates.best_count(sweep({8: 0.2, 16: 0.6, 32: 0.4}), "unseen", "contrast")
    assert (clear.n, clear.low, clear.high) == (16, 16, 16)
    close = estimates.best_count(sweep({8: 0.2, 16: 0.6, 32: 0.6}), "unseen", "contrast")
    assert (close.low, close.high) == (16, 32)


def knowing(seed: int, own: list[float], new: list[float]) -> Record:
    """Two training patches, each twice under rain, and new pictures."""
    tests = {"own_unseen": {"gain": own}, "unseen": {"gain": new}}
    return Record("made-up", {"seed": seed, "own_patches": 2}, {}, tests)


def test_training_patches_are_compared_with_new_pictures():
    """Patches A and B in turn: A is 1 and 3, B 5 and 7; then 2, 2 and 6, 6; new ones 1 and 3."""
    records = [knowing(0, [1, 5, 3, 7], [1, 3]), knowing(1, [2, 6, 2, 6], [1, 3])]
    assert estimates.own_patches(records, "unseen", "gain").tolist() == [[2, 6], [2, 6]]
    gap = estimates.known_against_new(records, "unseen", "gain")
    assert (gap.value, gap.by_seed) == (pytest.approx(2), (2, 2))
    assert gap.low < 2 < gap.high
    less = [knowing(0, [0, 4, 2, 6], [1, 3]), knowing(1, [1, 5, 1, 5], [1, 3])]
    on_known = estimates.on_known(records, less, "unseen", "gain")
    assert (on_known.value, on_known.low, on_known.high) == pytest.approx((1, 1, 1))
    # One more on what is known, the same on what is new.
    beyond = estimates.known_beyond(records, less, "unseen", "gain")
    assert (beyond.value, beyond.low, beyond.high) == pytest.approx((1, 1, 1))
    assert beyond.by_seed == pytest.approx((1, 1))
