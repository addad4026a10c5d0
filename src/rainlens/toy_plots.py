"""The pictures of the toy task: what a network answered, and how it changed while it learned."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from rainlens import estimates, intervals, signals, toy_evaluation
from rainlens.records import Record

# The colours of the live panel.
OUTPUT, TRUTH, NOISY, TRAINED = "#0072B2", "#1b1b1b", "#9aa0a6", "#E69F00"
ORDER_COLOURS = {1: "#0072B2", 2: "#56B4E9", 3: "#009E73", 4: "#E69F00", 6: "#D55E00", 8: "#CC79A7"}
ORDER_MARKERS = {1: "o", 2: "v", 3: "^", 4: "s", 6: "D", 8: "X"}


def errors(record: Record, test: str, measure: str = "mse") -> intervals.Estimate:
    """The mean square error of a test with its interval over noise draws, of this network alone."""
    return intervals.mean_of(np.array(record.tests[test][measure], dtype=float))


def distance(record: Record, test: str, signal: signals.Signal) -> float:
    """Mean square distance of the output that is drawn to a clean signal."""
    output = np.array(record.tests[test]["output"], dtype=float)
    x = torch.linspace(-signals.LIMIT, signals.LIMIT, len(output))
    return float(np.square(output - signal(x).numpy()).mean())


def course(records: Sequence[Record], name: str) -> str:
    """First and last point of a training curve by order, for those who cannot see the chart."""
    ends = [(r.experiment["order"], *(estimates.curve_of(r, name)[[1, -1]])) for r in records]
    return ", ".join(f"O = {order:g} from {number(a)} to {number(b)}" for order, a, b in ends)


def answer(axes: Axes, record: Record, test: str) -> None:
    """One noise draw of a test: truth, noisy input, the network's output.

    The title tells the test and its MSE; where the test is what the network was trained on, it is
    bold, and the frame thick.
    """
    order = record.experiment["order"]
    signal, noise = toy_evaluation.panels(order)[test]
    noisy, output = (np.array(record.tests[test][name], float) for name in ("noisy", "output"))
    x = torch.linspace(-signals.LIMIT, signals.LIMIT, len(output))
    axes.plot(x, noisy, ".", color=NOISY, markersize=3, label="noisy input")
    axes.plot(x, signal(x), "--", color=TRUTH, linewidth=1.1, label="truth")
    axes.plot(x, output, color=OUTPUT, linewidth=2, label="output")
    matched = test == f"order{order}"
    mse = errors(record, test).value
    title = f"{_signal_name(signal)}, N({noise.mean:g}, {noise.spread:g})\nMSE {number(mse)}"
    title += " (as trained)" if matched else ""
    axes.set_title(title, fontsize=10, fontweight="bold" if matched else "normal")
    axes.spines[:].set_visible(True)
    axes.spines[:].set_linewidth(2.4 if matched else 0.6)
    axes.set(xlim=(-10.2, 10.2), ylim=(-26, 36), xticks=(-10, 0, 10), yticks=(-20, 0, 20))
    axes.tick_params(labelsize=9, length=2)


def answers(rows: Sequence[Sequence[tuple[Record, str]]], row_names: Sequence[str] = ()) -> Figure:
    """A grid of `answer`s with one legend: `rows` of (record, test)."""
    shape = len(rows), len(rows[0])
    figure, grid = plt.subplots(
        *shape, figsize=(0.6 + 2.9 * shape[1], 0.5 + 2.15 * shape[0]),
        sharex=True, sharey=True, squeeze=False,
    )  # fmt: skip
    for line, contents in zip(grid, rows, strict=True):
        for axes, (record, test) in zip(line, contents, strict=True):
            answer(axes, record, test)
    for axes, name in zip(grid[:, 0], row_names, strict=False):
        axes.set_ylabel(name)
    for axes in grid[-1]:
        axes.set_xlabel("x", labelpad=0)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=3, fontsize=10, markerscale=2.5)
    return figure


def in_words(rows: Sequence[Sequence[tuple[Record, str]]]) -> str:
    """The MSE of each answer, for those who cannot see the chart."""
    told = []
    for record, test in (cell for row in rows for cell in row):
        signal, noise = toy_evaluation.panels(record.experiment["order"])[test]
        told.append(
            f"trained on O = {record.experiment['order']}, tested on {_signal_name(signal)} under "
            f"N({noise.mean:g}, {noise.spread:g}): MSE {number(errors(record, test).value)}"
        )
    return "; ".join(told)


def curves(
    axes: Axes, records: Sequence[Record], name: str, log: bool = True, smooth: int = 1
) -> None:
    """A quantity along training, one line an order; the untrained network is left out.

    smooth: how many neighbouring measurements a point of the line averages; with more than one,
    the measurements themselves stay as a thin line.
    """
    for record in records:
        order = record.experiment["order"]
        values = estimates.curve_of(record, name)[1:]
        steps = estimates.curve_of(record, "iteration")[1:]
        if smooth > 1:
            axes.plot(steps, values, color=ORDER_COLOURS[order], linewidth=0.6, alpha=0.45)
            values = np.exp(_running(np.log(values), smooth)) if log else _running(values, smooth)
        axes.plot(
            steps, values, color=ORDER_COLOURS[order], marker=ORDER_MARKERS[order],
            markevery=(0.1, 0.22), markersize=5, linewidth=1.6, label=f"O = {order}",
        )  # fmt: skip
    axes.set_xlabel("training steps")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    if log:
        axes.set_yscale("log")
        plain_log(axes.yaxis)


def _running(values: np.ndarray, width: int) -> np.ndarray:
    """Means over `width` neighbours, over fewer at the ends, always as many on either side."""
    half, last = width // 2, len(values) - 1
    reach = [min(half, place, last - place) for place in range(len(values))]
    return np.array([values[i - k : i + k + 1].mean() for i, k in enumerate(reach)])


def plain_log(axis: Axis) -> None:
    """Labels 0.1, 0.3, 1, 3, ... on a logarithmic axis, instead of powers of ten."""
    axis.set_major_locator(LogLocator(subs=(1, 3)))
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(NullFormatter())


def number(value: float) -> str:
    """An MSE in a title: four places below 1, as in the paper, fewer above."""
    if value < 1:
        return f"{value:.4f}"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def interval(estimate: intervals.Estimate) -> str:
    """An MSE with its interval, in the same number of places."""
    low, high = number(estimate.low), number(estimate.high)
    return f"{number(estimate.value)} [{low},\N{NO-BREAK SPACE}{high}]"


def order_legend(figure: Figure, axes: Axes) -> None:
    """One legend of orders above all panels."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), fontsize=10)


def _signal_name(signal: signals.Signal) -> str:
    return f"O = {signal.order:g}" if isinstance(signal, signals.Cosine) else "triangle"
