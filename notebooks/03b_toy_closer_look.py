# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 3b. The toy task: a closer look
#
# **Which input decides the answer, and why is a slow curve read off while a fast one is not?**
#
# This page goes behind chapter 3. Nobody needs it to go on; it is for those who want to see the turn inside the network, or the paper's
# other figures. To recall: a network is given points (*x*, *y* + noise) of a curve of order O, which makes O waves. It may average noisy *y*
# (denoise), or compute the answer from *x* (read it off). Changing from the first to the second is its *turn*. N(10, 5) is noise with mean 10
# and standard deviation 5.

# %% [markdown] tags=["colab"]
# [Open this chapter in Colab](https://colab.research.google.com/github/rainlens/rainlens/blob/main/notebooks/03b_toy_closer_look.ipynb)

# %% tags=["colab", "remove-cell"]
# For Google Colab: fetches the book and installs what Colab lacks.
# Where the package rainlens is there already, nothing happens.
import importlib.util, os, subprocess, sys

def shell(command):
    status, said = subprocess.getstatusoutput(command)
    if status != 0:
        raise RuntimeError(f"{command} failed: {' '.join(said.split())}")
    return said

if getattr(importlib.util.find_spec("rainlens"), "origin", None) is None:
    url = os.getenv("RAINLENS_URL", "https://github.com/rainlens/rainlens")
    if not os.path.exists("rainlens/src"):
        found = "refs/tags" in shell(f"git ls-remote --tags {url} v0.1.0")
        if not found:
            print("There is no v0.1.0 yet; this is the newest state of the book.")
        shell(f"git clone --depth 1 {'-b v0.1.0' if found else ''} {url} rainlens")
    shell(f'"{sys.executable}" -m pip install -qr rainlens/requirements-colab.txt')
    sys.path.append(os.path.abspath("rainlens/src"))

# %% tags=["parameters"]
scale = "cpu"  # smoke, cpu, gpu or paper
recompute = False

# %% tags=["setup"]
import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Markdown

from rainlens import estimates, plots, signals, toy_evaluation, toy_plots
from rainlens.running import run
from rainlens.scales import scale_named

plots.use_style()
setting = scale_named(scale)

# %% [markdown]
# ## The networks
#
# Those of chapter 3, and two more groups with a quarter of the training: one makes the noise so strong that *y* is of
# no use, and one changes a setting at a time. (*Weight decay*, among these, pulls all weights a little towards 0 at each step.)

# %% tags=["grid"]
main = [setting.toy(order) for order in (1, 2, 3, 4, 6, 8)]
again = [setting.toy(order, seed=1) for order in (1, 4, 8)]

# %% tags=["grid"]
steps = setting.toy().iterations
short = dict(iterations=steps // 4, keep_weights=False)
changes = {
    "as chosen": {},
    "loss: mean absolute error": dict(loss="l1"),
    "loss: mean square error": dict(loss="mse"),
    "learning rate 0.0003": dict(learning_rate=3e-4),
    "learning rate 0.002": dict(learning_rate=2e-3),
    "Leaky ReLU slope 0.2": dict(slope=0.2),
    "x and y not scaled": dict(input_scale=1.0),
    "no weight decay": dict(weight_decay=0.0),
    "weight decay 0.1": dict(weight_decay=0.1),
    "10,000 segments, noise fixed": dict(pool=signals.POOL_SIZE),
}

# %% tags=["grid"]
search = {name: setting.toy(**short, **c) for name, c in changes.items()}
no_y = dict(short, noise_std=100.0)
blind = [setting.toy(order, **no_y) for order in (1, 2, 4, 8)]
grid = [*main, *again, *search.values(), *blind]

# %%
records = run(grid, setting, recompute=recompute)
found = dict(zip(grid, records, strict=True))
one, four, eight = (found[setting.toy(o)] for o in toy_evaluation.ORDERS)
learning = [found[experiment] for experiment in main]
briefly = short["iterations"]
length = f"{steps:,} training steps."
x = torch.linspace(-signals.LIMIT, signals.LIMIT, toy_evaluation.POINTS)
print(f"{len(found)} networks, {steps:,} steps each for the main ones, "
      f"{briefly:,} for the rest")


# %% [markdown]
# ## What does the answer hang on?
#
# A turn must show inside the network: its output first hangs on *y*, later on *x*. So we test both.
#
# - **x share**: nudge all *x* by 0.001 and leave *y*. How far does the answer move, compared with how far it should?
# - **y share**: leave *x* and nudge each *y* by what the curve changes over 0.001. The same question.
#
# "How far it should" means: as far as the curve itself, if it slid along by 0.001. A network that reads its answer off *x* has an
# x share of 1; one that denoises has a y share of 1. For a network that does its own task the two add up to 1.
#
# <details><summary>The formula</summary>
#
# Slide the whole input along its own curve by a tiny step *d*: all *x* grow by *d*, all *y* by *s d*, where *s* is the slope of the curve there, and
# the answer's *y* should grow by *s d*, too.
# Let $J_x$ and $J_y$ be the derivatives of the output's *y* with respect to the input's *x* and *y* (its Jacobian), **1** a list of ones, and ⟨*a*, *b*⟩
# the sum of the products of two lists of numbers. Then
#
# $$\text{x share} = \frac{\langle J_x \mathbf{1},\, s \rangle}{\langle s,\, s \rangle} \tag{3.2}$$
#
# $$\text{y share} = \frac{\langle J_y \, s,\, s \rangle}{\langle s,\, s \rangle} \tag{3.3}$$
#
# The code takes derivatives in place of the step of 0.001.
#
# </details>

# %% tags=["hide-input"]
figure, pair = plt.subplots(1, 2, figsize=(8, 3.5), sharey=True)
for axes, name in zip(pair, ("x_share", "y_share"), strict=True):
    toy_plots.curves(axes, learning, name, log=False)
    axes.set_title(f"how much the answer hangs on {name[0]}")
    axes.axhline(0.5, color=plots.FAINT, linestyle=":", linewidth=1)
pair[0].set_ylabel("share")
toy_plots.order_legend(figure, pair[0])

# %% tags=["hide-input"]
low = [r.experiment["order"] for r in learning if max(r.curves["x_share"][1:]) < 0.05]
bottom = [f"{order:g}" for order in low]
plots.chart(
    figure,
    alt=f"Share of x along training: {toy_plots.course(learning, 'x_share')}. "
    f"Share of y: {toy_plots.course(learning, 'y_share')}.",
    caption="What to notice: the lines that rise on the left fall on the right by as much; the "
    "slower the curve, the sooner. Never above 0.05 on the left: O = "
    f"{', '.join(bottom) or 'none'}. The papers have no such figure. {length} "
    f"{plots.source_note(learning, scale)}",
)

# %% tags=["hide-input"]
rows = ["| O | x share at first | at the end | x takes over (share above ½) at step |"]
rows.append("|---|---|---|---|")
for record in learning:
    share, at = np.array(record.curves["x_share"], float), record.curves["iteration"]
    over = np.flatnonzero(share > 0.5)
    turned = f"{at[over[0]]:,}" if len(over) else f"not within {at[-1]:,}"
    share = share.round(2) + 0.0  # no "-0.00"
    rows.append(f"| {record.experiment['order']:g} | {share[1]:.2f} | {share[-1]:.2f} | {turned} |")
Markdown("\n".join(rows))

# %% [markdown]
# ## Why can a slow curve be read off, and a fast one not?
#
# Averaging neighbours is a simple formula, and it is the same for every O. The networks find it first: the table above begins
# with small x shares. But it has a limit, because the average of a few noisy values is still a little noisy. Reading the curve
# off *x* has no such limit. So there is always something to gain from learning it, and the question is how long that takes.
#
# Networks learn slow functions of their input long before fast ones. This is known as [spectral bias](../book/glossary.md) ([Rahaman and others, 2019](../book/references.md)). As a
# function of *x*, the curve of O = 1 makes one wave, the curve of O = 8 makes eight.
#
# This can be tested independently: train on *x* alone, see which curve is learned first, then compare with the turn. For these networks *y* is
# useless: noise with a standard deviation of 100 on a curve of amplitude 10. All that is left is to learn *f(x)*.

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(6.4, 3.6))
toy_plots.curves(axes, [found[experiment] for experiment in blind], "matched")
plots.reference_line(axes, signals.AMPLITUDE**2 / 2, "answering 0 everywhere")
axes.set_ylabel("mean square error")
axes.legend(ncols=2)

# %% tags=["hide-input"]
falling = ("The slower the curve, the lower it ends.", "They do not end in the order of speed.")
finals = [found[e].curves["matched"][-1] for e in blind]
falling = falling[finals != sorted(finals)]
ends = [f"O = {e.order}: {toy_plots.number(found[e].curves['matched'][-1])}" for e in blind]
plots.chart(
    figure,
    alt=f"Error of networks that can only use x, at the end of training: {', '.join(ends)}",
    caption=f"Networks that can only use x. At the end, {', '.join(ends)}. What to notice: the "
    f"order in which they come down, if they do. {falling} The papers have no such figure. "
    f"{briefly:,} training steps. {plots.source_note([found[e] for e in blind], scale)}",
)

# %% tags=["hide-input"]
def passes(values, record):
    """The first step at which this holds, infinite if never."""
    over = np.flatnonzero(values)
    return record.curves["iteration"][over[0]] if len(over) else np.inf


half = signals.AMPLITUDE**2 / 4  # half the error of answering 0
firsts = {}
for experiment in blind:
    alone, usual = found[experiment], found[setting.toy(experiment.order)]
    firsts[experiment.order] = (passes(np.array(alone.curves["matched"]) < half, alone),
                                passes(np.array(usual.curves["x_share"], float) > 0.5, usual))

# %% tags=["hide-input"]
never = "not within training"
said = [[f"{s:,}" if np.isfinite(s) else never for s in pair] for pair in firsts.values()]
rows = ["| O | x alone: error halved at step | with y: x takes over at step |", "|---|---|---|"]
rows += [f"| {order} | {a} | {b} |" for order, (a, b) in zip(firsts, said, strict=True)]
pairs = list(firsts.values())
# Two curves clash if one comes first from x alone, and the other with y.
clash = any(a < c and d < b for a, b in pairs for c, d in pairs)

# %% tags=["hide-input"]
moment = min(firsts[1][1], briefly)
alone, usual = (estimates.at(r, "matched", moment) for r in (found[blind[0]], one))
compared = sum(np.isfinite(pair).all() for pair in pairs)
order = "does not agree" if clash else "agrees" if compared > 1 else "cannot be compared"
level = "the levels do not" if alone > 2 * usual else "so do the levels, roughly"
Markdown(
    "\n".join(rows) + "\n\n"
    f"**The order {order}; {level}.** At step {moment:,} the network that can only use *x* has an "
    f"error of {alone:.2f} for O = 1, the usual one {usual:.3f}. The training on *x* alone is "
    "much noisier, which probably slows it down; and it is planned for fewer steps."
)

# %% [markdown]
# So "simple" can be tested without looking at the turn: is the curve that is learned first from *x* alone the one that
# networks turn to first? Nor is the turn sudden: a network adds what it can read off *x* to what it gets by averaging, little by little.

# %% [markdown]
# ## Beside the paper's numbers
#
# The intervals resample noise draws. They do not cover what another training would give; the last column shows one.

# %% tags=["hide-input"]
paper = {(1, "order1"): 0.0009, (8, "order8"): 0.0472,
         (1, "order1_shifted"): 0.3544, (8, "order8_shifted"): 49.7739}
rows = ["| trained on | tested under | paper | ours [95 % interval] | another seed |"]
rows.append("|---|---|---|---|---|")
for (order, test), theirs in paper.items():
    noise = toy_evaluation.panels(order)[test][1]
    ours, other = (toy_plots.errors(found[setting.toy(order, seed)], test) for seed in (0, 1))
    rows.append(
        f"| O = {order} | N({noise.mean:g}, {noise.spread:g}) | {theirs} | "
        f"{toy_plots.interval(ours)} | {toy_plots.interval(other)} |"
    )
Markdown("\n".join(rows))

# %% [markdown]
# ## All three networks, on all three curves
#
# Rows: what a network was trained on. First the other *curves*, then the other *noises*.

# %% tags=["hide-input"]
names = [f"trained on O = {order}" for order in toy_evaluation.ORDERS]
kept = []
for order, record in zip(toy_evaluation.ORDERS, (one, four, eight), strict=True):
    others = [f"order{o}" for o in toy_evaluation.ORDERS if o != order]
    own = [toy_plots.distance(record, test, signals.Cosine(order)) for test in others]
    given = [toy_plots.distance(record, test, toy_evaluation.panels(order)[test][0]) for test in others]
    count = sum(a < b for a, b in zip(own, given, strict=True))
    kept.append(f"{count} of {len(others)} in the row of O = {order}")
kept = f"Nearer to the row's curve than to the column's are {', '.join(kept)}."

# %% tags=["hide-input"]
rows = [[(record, f"order{o}") for o in toy_evaluation.ORDERS] for record in (one, four, eight)]
plots.chart(
    toy_plots.answers(rows, names),
    alt=toy_plots.in_words(rows),
    caption="<b>2026 paper, Fig. 13, our run.</b> Tested on O = 1, 4, 8 under the noise of "
    "training; the diagonal is as trained. What to notice: where a row keeps its shape, and where "
    f"it takes that of the column. {kept} {length} {plots.source_note([one, four, eight], scale)}",
)

# %% tags=["hide-input"]
rows = [[(r, f"order{o}"), (r, "middle"), (r, f"order{o}_shifted")]
        for o, r in zip(toy_evaluation.ORDERS, (one, four, eight), strict=True)]
last = ", ".join(f"{toy_plots.number(toy_plots.errors(row[-1][0], row[-1][1]).value)} for O = {o}"
                 for o, row in zip(toy_evaluation.ORDERS, rows, strict=True))
plots.chart(
    toy_plots.answers(rows, names),
    alt=toy_plots.in_words(rows),
    caption="<b>2026 paper, Fig. 14, our run.</b> Each network on its own curve, under three "
    "noises; N(0, 5) is our choice, the paper's text names only the other two. What to notice: "
    f"who is lifted with the noise in the last column. There the MSE is {last}. {length} "
    f"{plots.source_note([one, four, eight], scale)}",
)

# %% [markdown]
# ## Which settings matter?
#
# The paper gives the loss as a norm without saying which, and leaves learning rate, number of steps and sampling open. We tried other settings with earlier versions of this code, then fixed
# ours, and changed one at a time again for this figure, at a quarter of the training. While choosing, **we looked at the two
# numbers shown here**, so they are no blind test of our choice. The second seed, in the comparison with the paper's numbers, is a fairer
# one: it was trained when the choice had been made.

# %% tags=["hide-input"]
figure, pair = plt.subplots(1, 2, figsize=(8.4, 4.2), sharey=True)
places, chosen = np.arange(len(search))[::-1], found[search["as chosen"]]
for axes, test in zip(pair, ("order1", "order1_shifted"), strict=True):
    values = [toy_plots.errors(found[e], test) for e in search.values()]
    axes.plot([v.value for v in values], places, "o", color=toy_plots.OUTPUT)
    usual = toy_plots.errors(chosen, test).value
    axes.axvline(usual, color=plots.FAINT, linestyle="--", linewidth=1, zorder=0)
    axes.set_xscale("log")
    toy_plots.plain_log(axes.xaxis)
    axes.set_xlabel("mean square error")
    axes.set_title(f"O = 1, {'N(10, 5)' if 'shifted' in test else 'N(0, 1)'}")
    axes.set_yticks(places, list(search))

# %% tags=["hide-input"]
both = [{name: toy_plots.errors(found[e], test) for name, e in search.items()}
        for test in ("order1", "order1_shifted")]
best = [min(values, key=lambda name, values=values: values[name].value) for values in both]
widest = max(max(v.high - v.value, v.value - v.low) / v.value for b in both for v in b.values())
left, right = ({name: toy_plots.number(v.value) for name, v in b.items()} for b in both)
told = [f"{name}: {left[name]} and {right[name]}" for name in search]
plots.chart(
    figure,
    alt="Errors under N(0, 1) and N(10, 5). " + "; ".join(told),
    caption=f"One setting changed at a time, {briefly:,} steps, O = 1; dashed: as chosen. "
    f"Intervals over noise draws reach at most {widest:.0%} to either side and are not drawn. "
    "What to notice: which settings move the right panel, and whether the two panels agree. The "
    f"best on the left is <i>{best[0]}</i>, on the right <i>{best[1]}</i>. The papers have no "
    f"such figure. {plots.source_note([found[e] for e in search.values()], scale)}",
)

# %% tags=["hide-input"]
def factor(name, test):
    """How many times the error grows when this setting is changed."""
    changed = toy_plots.errors(found[search[name]], test)
    return changed.value / toy_plots.errors(chosen, test).value


grown = {name: factor(name, "order1_shifted") for name in search}
harmful = [(name, times) for name, times in grown.items() if times > 1.5]
helpful = [(name, 1 / times) for name, times in grown.items() if times < 1 / 1.5]
long, brief = (toy_plots.errors(r, "order1_shifted").value for r in (one, chosen))
Markdown(
    "Under N(10, 5), by more than a factor of 1.5:\n\n- worse: "
    f"{', '.join(f'*{n}* ({f:.1f} times)' for n, f in harmful) or 'none'};\n- better: "
    f"{', '.join(f'*{n}* ({f:.1f} times)' for n, f in helpful) or 'none'};\n- training for "
    f"{steps:,} instead of {briefly:,} steps divides the error by {brief / long:.1f}."
)

# %% [markdown]
# ## How dense are the points?
#
# How densely the line is sampled at test time is open, too. A network that averages neighbours should care: twice as many points,
# twice as many to average. But the 128 points of a training piece lie now close together, now far apart, because pieces have all lengths: no density
# is foreign to it.

# %% tags=["hide-input"]
head = [f"O = {o}, {noise}" for o in (1, 8) for noise in ("N(0, 1)", "N(10, 5)")]
rows = [f"| points over the line | {' | '.join(head)} |", "|" + "---|" * 5]
densities = sorted((*toy_evaluation.DENSITIES, toy_evaluation.POINTS))
for points in densities:
    cells = []
    for order, record in ((1, one), (8, eight)):
        if points == toy_evaluation.POINTS:
            pair = [toy_plots.errors(record, f"order{order}{end}") for end in ("", "_shifted")]
        else:
            test = f"points{points}"
            pair = [toy_plots.errors(record, test, name) for name in ("matched", "shifted")]
        cells += [toy_plots.interval(estimate) for estimate in pair]
    rows.append(f"| {points:,} | " + " | ".join(cells) + " |")
Markdown("\n".join(rows))

# %% [markdown]
# ## What we found

# %% tags=["hide-input"]
first, last = ({r.experiment["order"]: round(r.curves["x_share"][i], 2) + 0.0 for r in learning}
               for i in (1, -1))
turned = [f"{order:g}" for order, share in last.items() if share > 0.5]
stay = [f"{order:g}" for order, share in last.items() if share <= 0.5]
errors = {r.experiment["order"]: toy_plots.number(r.curves["shifted"][-1]) for r in learning}
between = [f"{errors[order]} (O = {order:g}, x share {last[order]:.2f})" for order in errors]
kind = "a mixture of both" if 0.1 < last[4] < 0.9 else "not a mixture"
Markdown(
    f"- **Beyond the paper: turning takes time.** After {one.curves['iteration'][1]:,} steps the "
    f"x shares lie between {min(first.values()):.2f} and {max(first.values()):.2f}. At the end, x "
    f"decides (share above ½) for O = {', '.join(turned) or 'none'}, and y for O = "
    f"{', '.join(stay) or 'none'}.\n- **O = 4 is the paper's middle ground.** Here it ends with "
    f"an x share of {last[4]:.2f}: {kind}.\n- **A small x share does not protect, a large one "
    f"does.** Under N(10, 5) the errors at the end are {', '.join(between)}."
)

# %% [markdown]
# ## Try it
#
# 1. Some orders have not turned by the end. Which of them would be next if the training went on? Predict, then train it for longer:
#    `setting.toy(6, iterations=4 * setting.toy().iterations, keep_weights=False)`, and look at the curve "x_share" of its record.
#
# <details><summary>Thoughts on 1</summary>
#
# The slowest curve of those that have not turned, because slow functions of *x* are learned first. How long it takes cannot be read off the figures. That is
# what the longer training is for.
#
# </details>

# %% tags=["hide-input"]
plots.sources(
    "2026: Fig. 13, 14, Sec. 5",
    ["signals.py", "models/cnn1d.py", "toy_evaluation.py", "toy_plots.py"],
)
