"""What judges prefer: win rates with intervals, a judge's validity, and measures against rain.

A judge gives each pair of pictures P, the probability that the first has less rain. All functions
take numpy arrays of one value a pair or a picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from rainlens.intervals import CONFIDENCE, RESAMPLES, Estimate

TIE = 0.1  # |P - 0.5| below this is no preference (specification of the protocol)
LEAST_ACCURACY = 0.95  # of a valid judge,
LEAST_DIFFERENCE = 0.3  # on pairs whose rain differs by at least so much of the whole layer
LEAST_UNDECIDED = 0.5  # of pairs with equal rain and other damage; ours, fixed before any judge


@dataclass(frozen=True)
class WinRate:
    """How often the first of a pair won: wins of decided pairs, ties beside them.

    rate: wins / (wins + losses) with its 95 % Wilson interval; nan where all pairs are ties.
    """

    wins: int
    losses: int
    ties: int
    rate: Estimate

    def __str__(self) -> str:
        return f"{self.rate} ({self.wins} wins, {self.losses} losses, {self.ties} ties)"


@dataclass(frozen=True)
class Validity:
    """Whether a judge may judge: it sees a difference in rain, and nothing else moves it.

    accuracy: on pairs of known removal. undecided: the fraction of pairs with equal rain on which
    it has no preference; None where there were no such pairs.
    """

    accuracy: Estimate
    pairs: int
    undecided: Estimate | None

    @property
    def passed(self) -> bool:
        """At least 95 % of known pairs right, and undecided on at least half of the equal ones."""
        sways = self.undecided is not None and self.undecided.value < LEAST_UNDECIDED
        return self.pairs > 0 and self.accuracy.value >= LEAST_ACCURACY and not sways


def wilson(successes: int, trials: int) -> Estimate:
    """A fraction with its 95 % score interval (Wilson 1927); nan in all places for no trials.

    Unlike the mean plus or minus two standard errors it stays within [0, 1] and does not shrink
    to a point at 0 or 1. Raises ValueError for impossible counts.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes of {trials} trials is impossible.")
    if trials == 0:
        return Estimate(math.nan, math.nan, math.nan)
    z = stats.norm.ppf((1 + CONFIDENCE) / 2)
    fraction, weight = successes / trials, z * z / trials
    centre = (fraction + weight / 2) / (1 + weight)
    reach = z / (1 + weight) * math.sqrt(fraction * (1 - fraction) / trials + weight / 4 / trials)
    # At 0 and 1 the bound is the fraction itself; in floats it misses by a rounding error.
    return Estimate(fraction, min(fraction, centre - reach), max(fraction, centre + reach))


def win_rate(probability: np.ndarray, tie: float = TIE) -> WinRate:
    """How often the first picture has less rain, from P for each pair, (pairs,).

    Pairs with |P - 0.5| < tie are counted beside, not for one of them. Raises ValueError for
    numbers outside [0, 1].
    """
    probability = _probabilities(probability)
    decided = ~is_tie(probability, tie)
    wins = int((probability[decided] > 0.5).sum())
    trials = int(decided.sum())
    return WinRate(wins, trials - wins, len(probability) - trials, wilson(wins, trials))


def is_tie(probability: np.ndarray, tie: float = TIE) -> np.ndarray:
    """Where the judge has no preference, bool, the same shape: |P - 0.5| < tie."""
    # A billionth less, so that P of exactly 0.6 is a preference however floats are rounded.
    return np.abs(np.asarray(probability, dtype=float) - 0.5) < tie - 1e-9


def validity(
    probability: np.ndarray,
    rain_first: np.ndarray,
    rain_second: np.ndarray,
    least_difference: float = LEAST_DIFFERENCE,
) -> Validity:
    """The gate before every verdict, from pairs of known rain, (pairs,) each.

    rain_first, rain_second: how much of the rain layer each picture has, 0 to 1. Pairs that differ
    by at least least_difference give the accuracy (a tie is wrong), pairs of equal rain the
    fraction undecided; those between count for neither.
    """
    probability = _probabilities(probability)
    difference = np.asarray(rain_second, dtype=float) - np.asarray(rain_first, dtype=float)
    apart = np.abs(difference) >= least_difference - 1e-9
    right = ((probability > 0.5) == (difference > 0)) & ~is_tie(probability)
    accuracy = wilson(int(right[apart].sum()), int(apart.sum()))
    equal = is_tie(probability)[difference == 0]
    undecided = wilson(int(equal.sum()), len(equal)) if len(equal) else None
    return Validity(accuracy, int(apart.sum()), undecided)


def rank_correlation(measure: np.ndarray, response: np.ndarray, seed: int = 0) -> Estimate:
    """Spearman's rho between a measure and the rain response, with an interval over pictures.

    (pictures,) each ranks pictures; (networks, pictures) ranks networks by their means, and a
    resample takes the same pictures for all of them. Pictures with nan in either are left out.
    The interval is the 95 % percentile bootstrap; resamples in which one side is constant are left
    out. nan where one side is constant. Raises ValueError for shapes that differ.
    """
    measure, response = _alike(measure, response)
    known = ~np.isnan(np.stack([np.atleast_2d(measure), np.atleast_2d(response)])).any((0, 1))
    measure, response = measure[..., known], response[..., known]
    pictures = np.arange(measure.shape[-1])
    if not len(pictures):
        return Estimate(math.nan, math.nan, math.nan)
    draws = np.random.default_rng(seed).choice(pictures, (RESAMPLES, len(pictures)))
    whole, resampled = (
        _spearman(_ranked(measure, chosen), _ranked(response, chosen))
        for chosen in (pictures[None], draws)
    )
    return _interval(whole[0], resampled)


def discordance(
    measure: np.ndarray, response: np.ndarray, least: float = 0.0, seed: int = 0
) -> Estimate:
    """The fraction of pairs that measure and rain response order in opposite ways, 0 to 1.

    A pair is two networks' outputs for one picture, the values (networks, pictures) each. Both
    must point the same way: negate one where more of it is worse. Pairs that either leaves equal,
    or does not know (nan), are not counted, nor those whose responses differ by less than `least`.
    0.5 is chance; nan where no pair is left. The interval is the 95 % percentile bootstrap over
    pictures, and says nothing of other networks. Raises ValueError for shapes that differ.
    """
    measure, response = _alike(measure, response)
    if measure.ndim != 2:
        raise ValueError(f"measure is {measure.shape}; it must be (networks, pictures).")
    first, second = np.triu_indices(len(measure), 1)
    with np.errstate(invalid="ignore"):  # inf - inf, the PSNR of two exact outputs: not counted
        apart = response[first] - response[second]
        order = np.sign(measure[first] - measure[second]) * np.sign(apart)
        order = np.where(np.abs(apart) < least, 0, order)
    # (2, pictures): pairs against and all pairs; a resample only counts pictures again.
    pairs = np.array([(order < 0).sum(0), (order != 0).sum(0) - np.isnan(order).sum(0)])
    pictures = measure.shape[1]
    if not pairs[1].sum():
        return Estimate(math.nan, math.nan, math.nan)
    source = np.random.default_rng(seed)
    against, counted = (
        pairs @ source.multinomial(pictures, np.full(pictures, 1 / pictures), RESAMPLES).T
    )
    with np.errstate(invalid="ignore"):  # a resample without a pair is left out
        values = against / counted
    return _interval(pairs[0].sum() / pairs[1].sum(), values)


def _alike(measure: np.ndarray, response: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    measure, response = np.asarray(measure, dtype=float), np.asarray(response, dtype=float)
    if measure.shape != response.shape or measure.ndim not in (1, 2):
        raise ValueError(
            f"measure is {measure.shape} and response {response.shape}; both must be (pictures,) "
            "or (networks, pictures)."
        )
    return measure, response


def _interval(whole: float, values: np.ndarray) -> Estimate:
    """The number with the middle 95 % of its resamples, those that are nan left out."""
    values = values[~np.isnan(values)]
    if not len(values):
        return Estimate(float(whole), math.nan, math.nan)
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(float(whole), float(low), float(high))


def _ranked(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Ranks in each resample (samples, pictures): of its pictures, or of the networks' means."""
    units = values[chosen] if values.ndim == 1 else values[:, chosen].mean(2).T
    return stats.rankdata(units, axis=1)  # (samples, pictures or networks)


def _spearman(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """The correlation of ranks in each row, (samples, K) -> (samples,); nan for a constant side."""
    ours, theirs = (ranks - ranks.mean(1, keepdims=True) for ranks in (ours, theirs))
    spread = np.sqrt((ours**2).sum(1) * (theirs**2).sum(1))
    covariance: np.ndarray = (ours * theirs).sum(1)
    return covariance / np.where(spread > 0, spread, math.nan)


def _probabilities(probability: np.ndarray) -> np.ndarray:
    probability = np.asarray(probability, dtype=float)
    if probability.ndim != 1 or not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError("probability must be one number in [0, 1] for each pair.")
    return probability
