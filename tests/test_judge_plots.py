"""The charts of chapter 12 show the numbers that they are given."""

import matplotlib.pyplot as plt
import pytest

from rainlens import judge_plots
from rainlens.intervals import Estimate
from rainlens.preferences import win_rate
from rainlens.records import Record
from rainlens.tasks.judge import STEPS


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def appraised(response: float, psnr: float, niqe: float) -> Record:
    columns = {"response": [response] * 2, "psnr": [psnr] * 2, "niqe": [niqe] * 2}
    columns |= {"input_psnr": [20.0, 22.0], "input_niqe": [5.0, 5.0]}
    return Record("x", {"seed": 0, "title": "x"}, {}, {"unseen": columns})


def test_bars_are_as_long_as_the_shares():
    shares = {"PSNR": Estimate(0.3, 0.2, 0.4), "SSIM": Estimate(0.1, 0.05, 0.15)}
    (axes,) = judge_plots.shares(shares).axes
    assert [bar.get_width() for bar in axes.patches] == [0.3, 0.1]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["PSNR", "SSIM"]


def test_better_is_up_in_every_panel_and_the_input_is_where_no_rain_is_gone():
    networks = {"a": appraised(0.4, 25.0, 3.0), "b": appraised(0.1, 23.0, 4.0)}
    figure = judge_plots.panels(networks, {"a filter": appraised(0.5, 19.0, 6.0)}, ["psnr", "niqe"])
    psnr, niqe = figure.axes
    assert not psnr.yaxis_inverted() and niqe.yaxis_inverted()
    marks = {line.get_label(): line for line in psnr.lines}
    assert marks["the untouched input"].get_ydata()[0] == 21.0
    assert (marks["a"].get_xdata()[0], marks["a"].get_ydata()[0]) == (pytest.approx(0.6), 25.0)
    assert marks["a"].get_fillstyle() == "full" and marks["a filter"].get_fillstyle() == "none"


def test_the_judges_scores_are_drawn_by_amount_and_damage():
    gate = {
        f"{damage}{amount:.2f}": [amount + shift, amount + shift]
        for damage, shift in (("rain", 0.0), ("blurred", 1.0), ("brighter", 2.0))
        for amount in STEPS
    }
    (axes,) = judge_plots.ladder(Record("x", {}, {}, {"gate": gate})).axes
    for line, shift in zip(axes.lines, (0.0, 1.0, 2.0), strict=True):
        assert list(line.get_xdata()) == list(STEPS)
        assert list(line.get_ydata()) == pytest.approx([amount + shift for amount in STEPS])


def test_a_win_rate_stands_beside_its_pair():
    (axes,) = judge_plots.wins({"low or high": win_rate([0.9, 0.8, 0.1])}).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["low\nor high"]
    assert axes.lines[0].get_xdata() == pytest.approx([2 / 3])


def test_a_judge_that_follows_the_damage_is_told_from_one_that_follows_the_rain():
    assert "may be lazy" in judge_plots.reading(0.2, 0.9)
    assert "as it should" in judge_plots.reading(0.9, 0.2)
