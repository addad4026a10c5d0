"""Intervals on values whose answer is known: by hand, by another library, by simulation."""

import numpy as np
import pytest
from scipy import stats

from rainlens import intervals
from rainlens.intervals import Group

pytestmark = pytest.mark.filterwarnings("error")


def group(by_seed: list[float], pictures: list[float], first: int = 0) -> Group:
    """What a seed and what a picture adds; seeds are numbered from the first on."""
    values = np.add.outer(np.array(by_seed, float), np.array(pictures, float))
    return Group(values, tuple(range(first, first + len(by_seed))))


def test_the_t_interval_of_three_seeds_by_hand():
    """Mean 2, standard deviation 1, error 1 / sqrt 3; t with 2 degrees of freedom is 4.3027."""
    found = intervals.over_seeds([1, 2, 3])
    assert found.value == 2 and found.by_seed == (1, 2, 3)
    assert found.high - 2 == pytest.approx(4.30265 / 3**0.5, rel=1e-5) == 2 - found.low
    other = stats.ttest_1samp([1, 2, 3], 0).confidence_interval()
    assert (found.low, found.high) == pytest.approx((other.low, other.high))


def test_one_seed_says_nothing_of_others():
    for found in (
        intervals.over_seeds([3]),
        intervals.over_seeds_and_pictures([(1, group([3], [-1, 0, 1]))]),
    ):
        assert (found.value, found.low, found.high) == (3, -np.inf, np.inf)


def test_seeds_that_are_alike_leave_the_interval_over_pictures():
    pictures = np.random.default_rng(0).normal(5, 2, 60).tolist()
    found = intervals.over_seeds_and_pictures([(1, group([0, 0, 0], pictures))])
    alone = intervals.mean_of(np.array(pictures))
    assert found.value == pytest.approx(alone.value)
    assert found.width == pytest.approx(alone.width, rel=0.1)


def test_pictures_that_are_alike_leave_the_t_interval_over_seeds():
    found = intervals.over_seeds_and_pictures([(1, group([1, 2, 3], [0] * 30))])
    assert found == intervals.over_seeds([1, 2, 3])


def test_a_deviating_seed_widens_the_interval():
    pictures = np.random.default_rng(0).normal(0, 1, 40).tolist()
    four, five = (
        intervals.over_seeds_and_pictures([(1, group(seeds, pictures))])
        for seeds in ([1.0, 1.1, 0.9, 1.0], [1.0, 1.1, 0.9, 1.0, 6.0])
    )
    assert five.width > 4 * four.width and five.by_seed[-1] - five.by_seed[0] == pytest.approx(5)


def test_equal_seeds_are_paired_and_others_are_not():
    """The same effects of seeds on both sides: nothing is left of them but with other seeds."""
    seeds, pictures = [0.0, 3.0, 7.0], [0.0, 1.0, 2.0, 3.0]
    ours, theirs = group([s + 1 for s in seeds], pictures), group(seeds, pictures)
    paired = intervals.over_seeds_and_pictures([(1, ours), (-1, theirs)])
    assert (paired.value, paired.low, paired.high) == pytest.approx((1, 1, 1))
    apart = intervals.over_seeds_and_pictures([(1, ours), (-1, group(seeds, pictures, first=3))])
    welch = stats.ttest_ind([s + 1 for s in seeds], seeds, equal_var=False).confidence_interval()
    assert apart.value == pytest.approx(1) and apart.by_seed == ()
    assert (apart.low, apart.high) == pytest.approx((welch.low, welch.high))


def test_the_order_of_seeds_does_not_matter():
    ours = group([1.0, 4.0, 8.0], [0.0, 2.0])
    turned = Group(ours.values[::-1] - 1, (2, 1, 0))
    found = intervals.over_seeds_and_pictures([(1, ours), (-1, turned)])
    assert (found.value, found.low, found.high) == pytest.approx((1, 1, 1))


def test_welch_holds_for_different_numbers_of_seeds():
    ours, theirs = [4.0, 4.5, 5.0, 5.5, 6.5], [1.0, 3.0, 2.5]
    parts = [(1, group(ours, [0, 0])), (-1, group(theirs, [0, 0]))]
    found = intervals.over_seeds_and_pictures(parts)
    welch = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx((welch.low, welch.high))
    assert found.by_seed == pytest.approx((3, 1.5, 2.5))  # of the seeds that both have


def test_the_same_pictures_are_paired_and_others_are_not():
    pictures = [0.0, 100.0, 200.0, 300.0]
    parts = [(1, group([1, 1], pictures)), (-1, group([0, 0], pictures))]
    same = intervals.over_seeds_and_pictures(parts)
    assert (same.low, same.high) == pytest.approx((1, 1))
    others = intervals.over_seeds_and_pictures(parts, same_pictures=False)
    assert others.value == pytest.approx(1) and others.width > 100
    parts[1] = (-1, group([0, 0], [*pictures, 150.0]))
    with pytest.raises(ValueError, match=r"\[4, 5\] pictures"):
        intervals.over_seeds_and_pictures(parts)
    assert intervals.over_seeds_and_pictures(parts, same_pictures=False).value == pytest.approx(1)


def test_a_picture_that_one_group_lacks_is_left_out_for_all():
    whole = group([0, 1], [1, 2, 30])
    lacking = Group(np.array([[0.0, 0.0, np.nan], [1.0, 1.0, 1.0]]), (0, 1))
    found = intervals.over_seeds_and_pictures([(1, whole), (-1, lacking)])
    assert found.value == pytest.approx(1.5)
    alone = intervals.over_seeds_and_pictures([(1, whole), (-1, lacking)], same_pictures=False)
    assert alone.value == pytest.approx(11.5 - 0.5)


def test_without_two_pictures_there_is_no_interval():
    found = intervals.over_seeds_and_pictures([(1, group([1, 3], [0]))])
    assert found.value == 2 and np.isnan([found.low, found.high]).all()
    none = intervals.over_seeds_and_pictures([(1, group([1, 3], [np.nan, np.nan]))])
    assert np.isnan([none.value, none.low, none.high]).all()


def test_the_mean_of_what_is_defined():
    values = np.array([[1.0, np.nan, np.nan], [3.0, 5.0, np.nan]])
    means = intervals.defined_mean(values, 0)
    assert means[:2].tolist() == [2, 5] and np.isnan(means[2])
    assert intervals.defined_mean(values, 1).tolist() == [1, 4]


def test_a_group_counts_each_network_once_and_knows_its_shape():
    with pytest.raises(ValueError, match=r"twice among \(3, 3\)"):
        Group(np.zeros((2, 4)), (3, 3))
    with pytest.raises(ValueError, match=r"shape \(2, 4\); for 3 seeds it must be \(3, pict"):
        Group(np.zeros((2, 4)), (0, 1, 2))


@pytest.mark.parametrize(("seeds", "pictures"), [(1.0, 0.3), (1.0, 3.0), (0.2, 3.0)])
def test_the_interval_covers_the_truth_about_as_often_as_it_says(
    monkeypatch: pytest.MonkeyPatch, seeds: float, pictures: float
):
    """Simulated: standard deviations of the effects of seeds and of pictures, and some noise."""
    monkeypatch.setattr(intervals, "RESAMPLES", 500)
    rng, times = np.random.default_rng(0), 200
    covered = over_pictures_alone = 0
    for _ in range(times):
        values = rng.normal(0, seeds, (5, 1)) + rng.normal(0, pictures, 40)
        values = values + rng.normal(0, 0.5, (5, 40))
        found = intervals.over_seeds_and_pictures([(1, Group(values, tuple(range(5))))])
        covered += found.low < 0 < found.high
        error = 1.96 * values.mean(axis=0).std(ddof=1) / 40**0.5
        over_pictures_alone += abs(values.mean()) < error
    assert 0.89 <= covered / times <= 0.98
    # What the interval over pictures alone misses where seeds drive the result.
    assert (over_pictures_alone / times < 0.5) == (seeds > pictures)
