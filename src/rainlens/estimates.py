"""What records say: means with intervals, tipping points, courses of training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import isotonic_regression

from rainlens import evaluation, intervals
from rainlens.intervals import Estimate, Group, defined_mean, gap, mean_of
from rainlens.records import Record, rebuilt
from rainlens.tasks.restore import Restore, own

TIPPING_GAIN = 0.9  # our choice; chapter 5 shows other levels


def per_image(records: Sequence[Record], test: str, measure: str) -> np.ndarray:
    """The values of a measure, (seeds, images). The records must differ by seed alone.

    "rejection" is the share of the rain that leaves no trace: 1 minus `metrics.rain_response`.
    "picture_taken" is the rest of the removal gain: what was taken of the picture without rain.
    """
    return np.array([_numbers(record.tests[test], measure) for record in records])


def curve_of(record: Record, name: str) -> np.ndarray:
    """A training curve as numbers, (points,); nan where the record knows no number."""
    return _numbers(record.curves, name)


def _numbers(held: Mapping[str, Sequence[float | None]], name: str) -> np.ndarray:
    if name.endswith("rejection"):
        return 1 - _numbers(held, name.removesuffix("rejection") + "response")
    if name.endswith("picture_taken"):
        gain, rejection = (name.replace("picture_taken", part) for part in ("gain", "rejection"))
        taken: np.ndarray = _numbers(held, gain) - _numbers(held, rejection)
        return taken
    return np.array(held[name], dtype=float)


def test_set(record: Record, name: str) -> evaluation.TestSet:
    """The test set of that name. Raises ValueError where the record has none."""
    for described in record.experiment["tests"]:
        if described["name"] == name:
            return rebuilt(evaluation.TestSet, described)
    raise ValueError(f"{record.name} has no test set {name!r}.")


def rain_name(record: Record, test: str) -> str:
    """What the book calls the rain of a test set. Raises ValueError where there is no such set."""
    return evaluation.RAIN_NAMES[test_set(record, test).degradation]


def group(records: Sequence[Record], test: str, measure: str) -> Group:
    """The values of a measure with their seeds. Raises ValueError where a seed stands twice."""
    seeds = tuple(record.experiment["seed"] for record in records)
    return Group(per_image(records, test, measure), seeds)


def mean(records: Sequence[Record], test: str, measure: str) -> Estimate:
    """The mean over test images and seeds; the interval covers the choice of both."""
    return combination([(1, records)], test, measure)


def difference(
    ours: Sequence[Record], theirs: Sequence[Record], test: str, measure: str
) -> Estimate:
    """The mean over images of ours - theirs, image by image: both saw the same test pictures."""
    return combination([(1, ours), (-1, theirs)], test, measure)


def combination(
    parts: Sequence[tuple[float, Sequence[Record]]], test: str, measure: str
) -> Estimate:
    """The mean over images of a weighted sum, image by image, with its interval and its seeds.

    parts: (weight, records); the records of a part differ by seed alone, and all parts have been
    tested on the same pictures. For the interval see `intervals.over_seeds_and_pictures`.
    """
    weighted = [(weight, group(found, test, measure)) for weight, found in parts]
    return intervals.over_seeds_and_pictures(weighted)


def between(records: Sequence[Record], test: str, measure: str, other: str) -> Estimate:
    """The mean over images of one measure minus another, image by image, of the same records."""
    ours, theirs = (group(records, test, name) for name in (measure, other))
    return intervals.over_seeds_and_pictures(
        [(1, replace(ours, values=ours.values - theirs.values))]
    )


def change_parts(
    records: Sequence[Record], test: str, mean_rain: np.ndarray, spread_rain: np.ndarray
) -> dict[str, np.ndarray]:
    """E_R taken apart as by `metrics.change_parts`, from what records hold; (seeds, images) each.

    mean_rain, spread_rain: of the rain over the mask of each image, in grey levels, which are the
    parts of an exact removal. offset and along_rain keep their sign here; darker is positive.
    """
    e_r, gain, contrast = (per_image(records, test, name) for name in ("e_r", "gain", "contrast"))
    variance = spread_rain**2
    # gain * (mean of the rain squared) = contrast * (its variance) + offset * (its mean)
    offset = (gain * (variance + mean_rain**2) - contrast * variance) / mean_rain
    along = contrast * spread_rain
    rest = np.sqrt(np.maximum(e_r**2 - offset**2 - along**2, 0))
    return {"offset": offset, "along_rain": along, "rest": rest}


def by_count(part: Sequence[Restore], found: Mapping[Restore, Record]) -> dict[int, list[Record]]:
    """A sweep: N -> the records of these experiments, one a seed."""
    sweep: dict[int, list[Record]] = {}
    for experiment in part:
        sweep.setdefault(experiment.patches, []).append(found[experiment])
    return sweep


def first_below(record: Record, curve: str, level: float) -> float:
    """The iteration at which a training curve first falls to `level`; nan if it never does.

    Read on a straight line between two points; the point before training is left out.
    """
    steps, values = curve_of(record, "iteration")[1:], curve_of(record, curve)[1:]
    for place, value in enumerate(values):
        if value <= level:
            if place == 0:
                return float(steps[0])
            share = (values[place - 1] - level) / (values[place - 1] - value)
            return float(steps[place - 1] + share * (steps[place] - steps[place - 1]))
    return float("nan")


def at(record: Record, curve: str, iteration: float) -> float:
    """A training curve at an iteration, on a straight line between its points."""
    return float(np.interp(iteration, curve_of(record, "iteration"), curve_of(record, curve)))


def least_damage(record: Record, damage: str = "unseen/e_b") -> float:
    """The least damage along training, the untrained network left out."""
    return float(np.nanmin(curve_of(record, damage)[1:]))


def removal_within(
    record: Record,
    level: float,
    removal: str = "unseen/contrast",
    damage: str = "unseen/e_b",
) -> float:
    """The most removal at a moment of training with no more damage than `level`.

    Both curves are read on straight lines between their points; the untrained network is left out.
    nan where the damage never was as small.
    """
    removed, damaged = (curve_of(record, name)[1:] for name in (removal, damage))
    within = [*removed[damaged <= level]]
    for place in range(len(damaged) - 1):
        first, second = damaged[place : place + 2] - level
        if first * second < 0:
            share = first / (first - second)
            within.append(removed[place] + share * (removed[place + 1] - removed[place]))
    return float(max(within, default=np.nan))


def at_equal_damage(
    ours: Sequence[Record],
    theirs: Sequence[Record],
    removal: str = "unseen/contrast",
    damage: str = "unseen/e_b",
    level: float | None = None,
) -> Estimate:
    """By how much more ours remove than theirs where both may do the same damage.

    Each network is read at the moment of training at which it removes most within that damage
    (`removal_within`), seed by seed. level: the damage; None takes the least that both networks
    of a seed reach. The interval is Student's over seeds; curves hold means over few pictures,
    which it does not cover. Raises ValueError where no seed is on both sides.
    """
    gaps = []
    for pair in pairs(ours, theirs):
        most = max(least_damage(one, damage) for one in pair) if level is None else level
        one, other = (removal_within(network, most, removal, damage) for network in pair)
        gaps.append(one - other)
    return intervals.over_seeds(gaps)


def pairs(ours: Sequence[Record], theirs: Sequence[Record]) -> list[tuple[Record, Record]]:
    """Pairs of the seeds that both have, as a seed draws nested sets of patches."""
    named = [{record.experiment["seed"]: record for record in part} for part in (ours, theirs)]
    pairs = [(named[0][seed], named[1][seed]) for seed in named[0] if seed in named[1]]
    if not pairs:
        raise ValueError(f"The seeds {list(named[0])} and {list(named[1])} have none in common.")
    return pairs


def alike(records: Iterable[Record]) -> list[list[Record]]:
    """The records in groups that differ by seed alone, in the order in which these begin."""
    # Of some toy networks only the first seed keeps its weights.
    apart = ("seed", "keep_weights")
    groups: dict[str, list[Record]] = {}
    for record in records:
        fields = {name: value for name, value in record.experiment.items() if name not in apart}
        groups.setdefault(repr(fields), []).append(record)
    return list(groups.values())


def tested_on(records: Sequence[Record], test: str) -> list[Record]:
    """The same records with the results on `test` in the place of "unseen", where they have any.

    So that networks of other categories, whose "transfer" set are the pictures of Rain100, can
    stand beside those of natural pictures, which were tested on these anyway.
    """
    return [
        replace(
            record, tests={**record.tests, "unseen": record.tests.get(test, record.tests["unseen"])}
        )
        for record in records
    ]


def by_picture(record: Record, measures: Sequence[str]) -> np.ndarray:
    """Of a survey: the sum of measures, averaged over the patches of each picture.

    Patches of one picture are alike, so the picture is what an interval must resample.
    """
    values = {name: np.array(numbers, float) for name, numbers in record.tests["patches"].items()}
    total = np.sum([values[measure] for measure in measures], axis=0)
    pictures = values["picture"]
    return np.array([total[pictures == number].mean() for number in np.unique(pictures)])


def own_patches(records: Sequence[Record], test: str, measure: str) -> np.ndarray:
    """A measure on training patches under the rain of a test set, (seeds, patches).

    Each patch came up several times under other rain; this is the mean. nan where all are.
    """
    values = per_image(records, own(test), measure)
    count = min(records[0].experiment["own_patches"], values.shape[1])
    return np.stack([defined_mean(values[:, place::count], 1) for place in range(count)], axis=1)


def known_against_new(records: Sequence[Record], test: str, measure: str) -> Estimate:
    """The mean on training patches minus that on new pictures under the same rain.

    The interval resamples patches, which differ from seed to seed, and new pictures.
    """
    return _patches_minus_pictures(
        own_patches(records, test, measure), per_image(records, test, measure)
    )


def on_known(ours: Sequence[Record], theirs: Sequence[Record], test: str, measure: str) -> Estimate:
    """The mean of ours - theirs on training patches that both know, patch by patch."""
    more = own_patches(ours, test, measure) - own_patches(theirs, test, measure)
    by_seed = tuple(defined_mean(more, 1).tolist())
    return replace(mean_of(more[~np.isnan(more)]), by_seed=by_seed)


def known_beyond(
    ours: Sequence[Record], theirs: Sequence[Record], test: str, measure: str
) -> Estimate:
    """By how much more ours tell training patches from new pictures than theirs do.

    Both were tested on the same ones, so that what these are like drops out. The interval resamples
    patches, which differ from seed to seed, and new pictures.
    """
    return _patches_minus_pictures(
        own_patches(ours, test, measure) - own_patches(theirs, test, measure),
        per_image(ours, test, measure) - per_image(theirs, test, measure),
    )


def _patches_minus_pictures(patches: np.ndarray, pictures: np.ndarray) -> Estimate:
    """Both (seeds, ...); patches differ from seed to seed, pictures are the same for all."""
    by_seed = defined_mean(patches, 1) - defined_mean(pictures, 1)
    each = defined_mean(pictures, 0)
    estimate = gap(patches[~np.isnan(patches)], each[~np.isnan(each)])
    return replace(estimate, by_seed=tuple(by_seed.tolist()))


def structure(record: Record) -> list[str]:
    """The names of a survey's structural complexities, from fine to coarse."""
    return sorted(name for name in record.tests["patches"] if name.startswith("structure"))


@dataclass(frozen=True)
class TippingPoint:
    """The N at which the mean gain falls through a level.

    n: the estimate; low, high: its 95 % interval. Infinite where the level is not reached within
    the sweep, 0 where the gain is below it from the start. Printed as `n [low, high]`, or as one
    number where all three say the same.
    """

    n: float
    low: float
    high: float
    smallest: int
    largest: int

    def __str__(self) -> str:
        n, low, high = (self._say(value) for value in (self.n, self.low, self.high))
        return n if low == high else f"{n} [{low},\N{NO-BREAK SPACE}{high}]"

    def _say(self, n: float) -> str:
        if np.isinf(n):
            return f">\N{NO-BREAK SPACE}{self.largest:,}"
        return f"{n:,.0f}" if n else f"<\N{NO-BREAK SPACE}{self.smallest}"


def tipping_point(
    sweep: Mapping[int, Sequence[Record]],
    test: str,
    level: float = TIPPING_GAIN,
    measure: str = "gain",
    seed: int = 0,
) -> TippingPoint:
    """Where the gain (or another measure) of a sweep over N falls through `level`.

    A falling curve is fitted to mean gain against log2 N (isotonic regression: the closest curve
    that never rises) and read between the counts on a straight line. The bootstrap resamples
    test images, the same ones for all N, and seeds.
    """
    counts = sorted(sweep)
    curve, resampled = _resampled(sweep, test, measure, seed)
    draws = [_crossing(counts, drawn, level) for drawn in resampled]
    low, high = intervals.middle(draws)
    return TippingPoint(_crossing(counts, curve, level), low, high, counts[0], counts[-1])


@dataclass(frozen=True)
class Best:
    """The N with the highest mean of a measure, and the interval of N that may be it."""

    n: int
    low: int
    high: int

    def __str__(self) -> str:
        return f"{self.n:,} [{self.low:,},\N{NO-BREAK SPACE}{self.high:,}]"


def best_count(
    sweep: Mapping[int, Sequence[Record]], test: str, measure: str, seed: int = 0
) -> Best:
    """Where a sweep over N is highest; the bootstrap resamples test images and seeds."""
    counts = sorted(sweep)
    curve, resampled = _resampled(sweep, test, measure, seed)
    low, high = intervals.middle([counts[place] for place in resampled.argmax(axis=1)])
    return Best(counts[int(curve.argmax())], int(low), int(high))


def _resampled(
    sweep: Mapping[int, Sequence[Record]], test: str, measure: str, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Means by N, (N,), and those of bootstrap samples, (samples, N)."""
    # All N are tested on the same images.
    groups = intervals.defined([group(sweep[count], test, measure) for count in sorted(sweep)])
    means = intervals.resampled_means(groups, np.random.default_rng(seed))
    return np.array([one.values.mean() for one in groups]), means


def direction(estimate: Estimate, more: str, less: str, equal: str) -> str:
    """Which of three words an estimated difference deserves.

    The interval must exclude zero, and every seed must have the same sign.
    """
    if estimate.low > 0 and all(value > 0 for value in estimate.by_seed):
        return more
    if estimate.high < 0 and all(value < 0 for value in estimate.by_seed):
        return less
    return equal


def _crossing(counts: Sequence[int], gains: np.ndarray, level: float) -> float:
    falling = isotonic_regression(gains, increasing=False).x
    if falling[0] < level:
        return 0.0
    if falling[-1] >= level:
        return float("inf")
    after = int(np.argmax(falling < level))
    above, below = falling[after - 1], falling[after]
    share = (above - level) / (above - below)
    first, second = np.log2(counts[after - 1]), np.log2(counts[after])
    return float(2 ** (first + share * (second - first)))
