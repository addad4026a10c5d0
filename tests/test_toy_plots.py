"""Figures of the toy task: what their titles say, and how the matched test is marked."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from rainlens import estimates, toy_evaluation, toy_plots
from rainlens.records import Record


def record(order: int) -> Record:
    """A made-up record whose network answers 0 everywhere."""
    scores = {"mse": [1.0, 3.0], "noisy": [1.0] * 8, "output": [0.0] * 8}
    curves = {"iteration": [0, 5, 10], "matched": [9.0, 4.0, 0.5], "x_share": [0.0, 0.2, 0.9]}
    tests = {name: scores for name in toy_evaluation.panels(order)}
    return Record("made-up", {"order": order, "seed": 0}, curves, tests)


@pytest.mark.parametrize("test", ["order4", "order8", "order4_shifted"])
def test_only_the_matched_test_is_bold_framed_and_named(test):
    figure, axes = plt.subplots()
    toy_plots.answer(axes, record(4), test)
    title, width = axes.title, axes.spines["left"].get_linewidth()
    marks = ("as trained" in axes.get_title(loc="left") + axes.get_title(), width > 2)
    bold = "bold" in (title.get_fontweight(), axes._left_title.get_fontweight())
    assert (*marks, bold) == ((True,) * 3 if test == "order4" else (False,) * 3)
    plt.close(figure)


def test_the_title_has_the_mean_error_over_draws():
    figure, axes = plt.subplots()
    toy_plots.answer(axes, record(1), "order8_shifted")
    text = axes.get_title() or axes.get_title(loc="left")
    assert text == "O = 8, N(10, 5)\nMSE 2.00"
    truth = axes.lines[1]
    assert np.allclose(truth.get_ydata(), 10 * np.cos(0.8 * np.pi * truth.get_xdata()))
    plt.close(figure)


def test_words_for_those_who_cannot_see():
    told = toy_plots.in_words([[(record(1), "foreign")]])
    assert told == "trained on O = 1, tested on triangle under N(0, 1): MSE 2.00"


def test_curves_leave_out_the_untrained_network():
    figure, axes = plt.subplots()
    toy_plots.curves(axes, [record(8)], "matched")
    assert list(axes.lines[0].get_xdata()) == [5, 10]
    plt.close(figure)


def test_smoothing_keeps_ends_and_measurements():
    figure, axes = plt.subplots()
    toy_plots.curves(axes, [record(8)], "x_share", log=False, smooth=3)
    measured, line = (list(drawn.get_ydata()) for drawn in axes.lines)
    assert measured == line == [0.2, 0.9]
    assert [text for text in axes.get_legend_handles_labels()[1]] == ["O = 8"]
    assert np.allclose(toy_plots._running(np.array([1.0, 2, 6, 1, 0]), 3), [1, 3, 3, 7 / 3, 0])
    plt.close(figure)


@pytest.mark.parametrize(
    ("value", "said"), [(0.00036, "0.0004"), (0.9, "0.9000"), (2.345, "2.35"), (65.75, "65.8")]
)
def test_numbers_have_the_places_that_matter(value, said):
    assert toy_plots.number(value) == said


def test_an_interval_is_printed_like_its_value():
    assert toy_plots.interval(estimates.Estimate(0.5, 0.25, 0.75)) == "0.5000 [0.2500,\xa00.7500]"


def test_an_error_has_an_interval_over_the_noise_draws_of_one_network():
    draws = np.random.default_rng(0).exponential(2.0, 60)
    one = Record("made-up", {"order": 1, "seed": 0}, {}, {"order1": {"mse": list(draws)}})
    found = toy_plots.errors(one, "order1")
    # The normal approximation is independent of the bootstrap, and near it.
    half = 1.96 * draws.std(ddof=1) / np.sqrt(len(draws))
    assert found.value == pytest.approx(draws.mean())
    assert found.high - found.low == pytest.approx(2 * half, rel=0.15)


def test_distances_and_courses_are_those_of_the_record():
    one = record(4)
    one.tests["order4"]["output"] = [2.0] * 8

    def flat(x):
        return 0 * x

    assert toy_plots.distance(one, "order4", flat) == 4.0
    assert toy_plots.course([one], "matched") == "O = 4 from 4.00 to 0.5000"
