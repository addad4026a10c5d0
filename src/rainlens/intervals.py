"""Intervals: how far a number could move with other test pictures, and with other seeds.

Arrays in, estimates out; `estimates` takes the arrays from records. All intervals cover 95 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
TAILS = (1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2
RESAMPLES = 2000
LOW = 0.05  # the quantile at which a low tail is measured


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval, printed as `value [low, high]`.

    by_seed: the number for each seed alone, where there are several.
    """

    value: float
    low: float
    high: float
    by_seed: tuple[float, ...] = ()

    def __str__(self) -> str:
        return self.text()

    def __neg__(self) -> Estimate:
        """The same difference, taken the other way round."""
        by_seed = tuple(-value for value in self.by_seed)
        return Estimate(-self.value, -self.high, -self.low, by_seed)

    @property
    def width(self) -> float:
        """From the lower end to the upper."""
        return self.high - self.low

    def text(self, digits: int = 2) -> str:
        """With so many digits after the point; without brackets where one seed says nothing."""
        if np.isinf(self.width):
            return f"{self.value:.{digits}f} (one seed)"
        low, high = f"{self.low:.{digits}f}", f"{self.high:.{digits}f}"
        # A no-break space, so that a narrow table breaks before the interval, not within.
        return f"{self.value:.{digits}f} [{low},\N{NO-BREAK SPACE}{high}]"


# --- over pictures alone


def mean_of(values: np.ndarray) -> Estimate:
    """The mean of independent values, (values,); the bootstrap resamples them.

    Without an interval, nan, where there are fewer than two.
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        value = float(values.mean()) if len(values) else float("nan")
        return Estimate(value, float("nan"), float("nan"))
    if np.ptp(values) == 0:
        return Estimate(float(values[0]), float(values[0]), float(values[0]))
    result = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    low, high = result.confidence_interval
    return Estimate(float(values.mean()), float(low), float(high))


def gap(ours: np.ndarray, theirs: np.ndarray) -> Estimate:
    """The difference of two means of independent samples; the bootstrap resamples each."""
    result = stats.bootstrap(
        (ours, theirs),
        lambda a, b, axis: np.mean(a, axis=axis) - np.mean(b, axis=axis),
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    low, high = result.confidence_interval
    return Estimate(float(np.mean(ours) - np.mean(theirs)), float(low), float(high))


def defined_mean(values: np.ndarray, axis: int) -> np.ndarray:
    """The mean along an axis of the values that are defined; nan where none is."""
    known = ~np.isnan(values)
    count, total = known.sum(axis), np.where(known, values, 0).sum(axis)
    mean: np.ndarray = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


# --- over seeds, and over seeds and pictures


@dataclass(frozen=True)
class Group:
    """Networks that differ by seed alone, tested on the same pictures.

    values: of one measure, (seeds, pictures), nan where it is undefined. seeds: their numbers;
    both are put in order. Raises ValueError where they do not fit, or where a seed stands twice.
    """

    values: np.ndarray
    seeds: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or len(self.values) != len(self.seeds):
            raise ValueError(
                f"values have the shape {self.values.shape}; for {len(self.seeds)} seeds it must "
                f"be ({len(self.seeds)}, pictures)."
            )
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"A seed stands twice among {self.seeds}; count each network once.")
        order = np.argsort(self.seeds)
        object.__setattr__(self, "values", self.values[order])
        object.__setattr__(self, "seeds", tuple(sorted(self.seeds)))


Weighted = Sequence[tuple[float, Group]]


def by_seed(parts: Weighted) -> tuple[float, ...]:
    """The weighted sum of means for each seed that all groups have, of the values there are."""
    groups = [group for _, group in parts]
    shared = set.intersection(*(set(group.seeds) for group in groups))
    means = [dict(zip(g.seeds, defined_mean(g.values, 1), strict=True)) for g in groups]
    order = [seed for seed in groups[0].seeds if seed in shared]
    return tuple(
        float(sum(weight * mean[seed] for (weight, _), mean in zip(parts, means, strict=True)))
        for seed in order
    )


def over_seeds(values: Sequence[float]) -> Estimate:
    """The mean of one number a seed, with Student's t interval; infinite for a single seed."""
    numbers = np.asarray(values, dtype=float)
    return replace(_student([numbers]), by_seed=tuple(numbers.tolist()))


def over_seeds_and_pictures(parts: Weighted, same_pictures: bool = True) -> Estimate:
    """A weighted sum of means, and how far it could move with other seeds and other pictures.

    parts: (weight, group). same_pictures: whether all groups were tested on the same pictures,
    which are then drawn together; a picture that one of them lacks is left out for all. Groups
    with the same seeds are paired by seed, since a seed draws nested sets of patches; others are
    taken as independent. by_seed is of the seeds that all groups have.

    Two intervals are computed, and the wider one is given: a bootstrap that draws seeds, then
    pictures, and Student's t interval over seeds. The first alone would be too narrow with few
    seeds, the second where pictures differ more than seeds. A single seed says nothing of others:
    its interval is infinite. With fewer than two pictures there is none: nan.
    """
    weights = [weight for weight, _ in parts]
    groups = defined([group for _, group in parts], same_pictures)
    whole = list(zip(weights, groups, strict=True))
    by_t = replace(_student(_blocks(whole)), by_seed=by_seed(whole))
    if any(group.values.shape[1] < 2 for group in groups):
        return replace(by_t, low=float("nan"), high=float("nan"))
    draws = resampled_means(groups, np.random.default_rng(0), same_pictures) @ weights
    low, high = np.quantile(draws, TAILS)
    drawn = replace(by_t, low=float(low), high=float(high))
    return drawn if drawn.width > by_t.width else by_t


def tail(values: np.ndarray) -> np.ndarray:
    """How far the low tail reaches: the mean minus the 5 % quantile, along the last axis."""
    reach: np.ndarray = values.mean(-1) - np.quantile(values, LOW, axis=-1)
    return reach


def shorter_tail(ours: Group, theirs: Group) -> Estimate:
    """By how much our low tail over pictures is shorter than theirs, the mean over seeds.

    Both must have the same seeds and pictures, and all values defined; they are drawn together.
    Of the bootstrap's interval and Student's over seeds, the wider; see `over_seeds_and_pictures`.
    """
    differences = tail(theirs.values) - tail(ours.values)
    by_t = over_seeds(differences.tolist())
    rng, (seeds, pictures) = np.random.default_rng(0), ours.values.shape
    chosen = rng.integers(pictures, size=(RESAMPLES, pictures))
    drawn = tail(theirs.values[:, chosen]) - tail(ours.values[:, chosen])  # (seeds, samples)
    low, high = np.quantile((drawn.T * _shares(seeds, rng)).sum(axis=1), TAILS)
    by_draws = replace(by_t, low=float(low), high=float(high))
    return by_draws if by_draws.width > by_t.width else by_t


def defined(groups: Sequence[Group], same_pictures: bool = True) -> list[Group]:
    """The groups without the pictures for which a value is nan, in one of them or in itself.

    Raises ValueError where the pictures cannot be the same, since some group has more.
    """
    if not same_pictures:
        return [_only(group, ~np.isnan(group.values).any(axis=0)) for group in groups]
    counts = sorted({group.values.shape[1] for group in groups})
    if len(counts) > 1:
        raise ValueError(f"Groups have {counts} pictures; these cannot be the same ones.")
    known = ~np.isnan(np.concatenate([group.values for group in groups])).any(axis=0)
    return [_only(group, known) for group in groups]


def resampled_means(
    groups: Sequence[Group], rng: np.random.Generator, same_pictures: bool = True
) -> np.ndarray:
    """Means of bootstrap samples, (samples, groups): seeds are drawn, then pictures.

    Groups with the same seeds share the draw of seeds, and all share that of the pictures where
    these are the same. All values must be `defined`.
    """
    different = dict.fromkeys(group.seeds for group in groups)
    seeds = {numbers: _shares(len(numbers), rng) for numbers in different}
    counts = [group.values.shape[1] for group in groups]
    if same_pictures:
        pictures = [_shares(counts[0], rng)] * len(groups)
    else:
        pictures = [_shares(count, rng) for count in counts]
    means = [
        ((seeds[group.seeds] @ group.values) * drawn).sum(axis=1)
        for group, drawn in zip(groups, pictures, strict=True)
    ]
    return np.stack(means, axis=1)


def middle(draws: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """The ends of the middle 95 %, each one of the draws: between two N there is nothing to say."""
    low, high = np.quantile(draws, TAILS, method="nearest")
    return float(low), float(high)


def _only(group: Group, known: np.ndarray) -> Group:
    return replace(group, values=group.values[:, known])


def _shares(count: int, rng: np.random.Generator) -> np.ndarray:
    """How often each of so many is drawn, as shares: a resampled mean is a weighted one."""
    return rng.multinomial(count, np.full(count, 1 / count), RESAMPLES) / count


def _blocks(parts: Weighted) -> list[np.ndarray]:
    """The weighted sums by seed of the groups that have the same seeds, (seeds,) each."""
    sums: dict[tuple[int, ...], np.ndarray] = {}
    for weight, group in parts:
        sums[group.seeds] = sums.get(group.seeds, 0) + weight * defined_mean(group.values, 1)
    return list(sums.values())


def _student(blocks: Sequence[np.ndarray]) -> Estimate:
    """The sum of means of independent samples, one number a seed each, with Student's interval.

    Of several samples it is Welch's: their variances may differ, and their sizes.
    """
    value = float(sum(block.mean() for block in blocks))
    if min(map(len, blocks)) < 2:
        return Estimate(value, float("-inf"), float("inf"))
    errors = np.array([block.var(ddof=1) / len(block) for block in blocks])
    if not errors.sum():
        return Estimate(value, value, value)
    freedom = errors.sum() ** 2 / sum(errors**2 / [len(block) - 1 for block in blocks])
    reach = float(stats.t.ppf(TAILS[1], freedom) * np.sqrt(errors.sum()))
    return Estimate(value, value - reach, value + reach)
