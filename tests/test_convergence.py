"""Whether trainings have come to rest, on curves drawn by hand."""

import math

import pytest

from rainlens import convergence
from rainlens.records import Record

STEPS = [0, 25, 50, 75, 100]


def record(ends: list[float], seed: int = 0, patches: int = 8, measure: str = "e_r") -> Record:
    """Its last two values of one measure; the other curves are flat."""
    curves = {f"unseen/{name}": [0.0, 9.0, 5.0, 2.0, 2.0] for name in convergence.MEASURES}
    curves |= {f"unseen/{measure}": [0.0, 50.0, 30.0, *ends], "iteration": STEPS}
    return Record("made-up", {"seed": seed, "patches": patches}, curves, {})


def test_the_drift_is_that_of_the_last_quarter_by_its_end():
    assert convergence.drift([record([22, 20])], "e_r") == pytest.approx(0.1)
    assert convergence.drift([record([-22, -20])], "e_r") == pytest.approx(0.1)
    assert convergence.drift([record([20, 20])], "e_r") == 0


def test_a_curve_that_leaves_and_comes_back_has_moved():
    curves = {"iteration": list(range(9)), "unseen/e_r": [0, 9, 9, 9, 9, 9, 10, 12, 10]}
    assert convergence.drift([Record("made-up", {}, curves, {})], "e_r") == pytest.approx(0.2)


def test_it_is_the_mean_over_seeds_that_must_come_to_rest():
    up, down = record([20, 22], seed=0), record([22, 20], seed=1)
    assert not convergence.has_converged([up]) and not convergence.has_converged([down])
    assert convergence.has_converged([up, down])


@pytest.mark.parametrize("measure", convergence.MEASURES)
def test_each_measure_alone_can_say_no(measure):
    assert convergence.has_converged([record([102.9, 100], measure=measure)])
    assert not convergence.has_converged([record([103, 100], measure=measure)])


def test_a_measure_that_is_not_known_has_not_converged():
    assert math.isnan(convergence.drift([record([1, 0])], "e_r"))
    assert not convergence.has_converged([record([1, float("nan")])])


def test_what_is_told_counts_trainings_that_differ_by_more_than_the_seed():
    still = [record([20, 20], seed, patches=8) for seed in (0, 1)]
    moving = [record([30, 20], seed, patches=512) for seed in (0, 1)]
    assert convergence.told(still) == ""
    assert convergence.told([*still, *moving]) == (
        "Of the 2 settings behind it, averaged over seeds, 1 had converged."
    )
    more = [record([30, 20], patches=64), *moving]
    assert convergence.told(more) == (
        "Of the 2 settings behind it, averaged over seeds, none had converged."
    )
    assert convergence.told(moving) == (
        "The setting behind it, averaged over seeds, had not converged."
    )


def test_what_has_no_such_curves_is_not_asked():
    assert convergence.told([Record("toy", {"seed": 0}, {"iteration": [0]}, {})]) == ""
