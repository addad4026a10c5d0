"""N against training time: regimes and distances, on curves whose answers are known."""

import numpy as np
import pytest

from rainlens import phase_plots, phases
from rainlens.phases import DAMAGE, LEARNS, LEAVES, REMOVAL, SPOILS, UNCLEAR
from rainlens.records import Record

STEPS = np.array([0, 100, 200, 400, 800, 1600])


def record(n, seed, removal, damage, steps=STEPS):
    """A record whose curves are functions of N and the iteration."""
    curves = {"iteration": steps.tolist()}
    for name, curve in ((REMOVAL, removal), (DAMAGE, damage)):
        curves[name] = [None, *(float(curve(n, step, seed)) for step in steps[1:])]
    return Record(f"n{n}-s{seed}", {"seed": seed, "patches": n}, curves, {})


def sweep(removal, damage, counts=(8, 16), seeds=(0, 1), steps=STEPS):
    return {n: [record(n, s, removal, damage, steps) for s in seeds] for n in counts}


def flat(n, step, seed):
    return 0.5


def test_moments_are_measured_ones_and_spread_on_a_log_axis():
    assert phases.moments(sweep(flat, flat)[8]) == [100, 200, 400, 800, 1600]
    assert phases.moments(sweep(flat, flat)[8], 3) == [100, 400, 1600]


@pytest.mark.parametrize(
    ("removal", "damage", "expected"),
    [
        (lambda n, t, s: t, lambda n, t, s: -t, LEARNS),
        (flat, lambda n, t, s: -t, LEARNS),
        (lambda n, t, s: -t, lambda n, t, s: -t, LEAVES),
        (lambda n, t, s: -t, lambda n, t, s: t, SPOILS),
        (lambda n, t, s: t, lambda n, t, s: t, SPOILS),
        (lambda n, t, s: t, lambda n, t, s: t * (-1) ** s, UNCLEAR),
    ],
)
def test_regimes_follow_the_signs_of_the_changes(removal, damage, expected):
    part = sweep(removal, damage)[8]
    assert phases.regimes(part, [100, 400, 1600]) == [expected] * 2


def test_where_visits_explain_everything_curves_meet_at_equal_visits():
    found = phases.pairs_apart(sweep(lambda n, t, s: t / n, flat), REMOVAL)
    [pair] = found
    assert (pair.fewer, pair.more) == (8, 16)
    assert pair.at_equal_visits.value == pytest.approx(0)
    # N = 16 reaches twice the step of N = 8 up to 800: t / 8 - t / 16 on average over 100 ... 800.
    assert pair.at_equal_steps.value == pytest.approx(np.mean([100, 200, 400, 800]) / 16)
    assert phases.explains(found) == "does"


def test_where_steps_explain_everything_curves_meet_at_equal_steps():
    found = phases.pairs_apart(sweep(lambda n, t, s: t, flat), REMOVAL)
    assert found[0].at_equal_steps.value == pytest.approx(0)
    assert found[0].at_equal_visits.value == pytest.approx(np.mean([100, 200, 400, 800]))
    assert phases.explains(found) == "does not"


def test_counts_too_far_apart_are_no_pair():
    assert phases.pairs_apart(sweep(flat, flat, counts=(8, 80_000)), REMOVAL) == []


def test_the_diagram_has_three_panels_a_range_and_numbers_in_its_cells():
    figure = phase_plots.diagram({"small": sweep(lambda n, t, s: n / t, lambda n, t, s: t)})
    removal, damage, course = figure.axes
    assert [text.get_text() for text in removal.texts[:2]] == ["0.08", "0.16"]
    assert {text.get_text() for text in course.texts} == {phase_plots.SIGN[SPOILS]}
    assert len(damage.texts) == 10


def test_the_summary_names_both_ends():
    told = phases.summary({"small": sweep(flat, lambda n, t, s: t if n == 8 else -t)})
    assert told == (
        "With the small range the last part of training adds damage at N = 8 and lessens the "
        "damage without more rain at N = 16."
    )
