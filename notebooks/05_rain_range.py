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
# # 5. Rain that is harder to learn
#
# **If a network learns whichever is easier, the rain or the pictures, does harder rain make it learn
# the pictures?**
#
# The papers' explanation is a race. With few backgrounds, the pictures are the easier thing to learn; with
# many, the rain is. Where the one wins over the other there is a tipping point. If that is right,
# the tipping point must move when the *rain* gets harder: with more varied rain, more
# backgrounds are needed before learning the rain pays off. The 2026 paper (Sec. 4.1.3, Fig. 8) finds
# removal already poor at 16 backgrounds for small-range rain, at 64 for medium, and only beyond 512 for large.
#
# **Make a prediction.** Draw, on paper, how well unseen rain is removed against the number of
# backgrounds *N* = 8, ..., for the three ranges. Which curve falls first?

# %% [markdown] tags=["colab"]
# [Open this chapter in Colab](https://colab.research.google.com/github/rainlens/rainlens/blob/main/notebooks/05_rain_range.ipynb)

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
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown

from rainlens import balance_plots, claims, estimates, plots, rain
from rainlens.running import run
from rainlens.scales import scale_named

plots.use_style()
setting = scale_named(scale)

# %% [markdown]
# ## The sweep
#
# One network for each range, number of backgrounds and seed. Everything else is the same. In
# particular, all networks take the same number of steps and see the same number of rainy patches,
# each with rain that never fell before. Only what lies *under* the rain differs: with 8
# backgrounds, each of them comes round more often.

# %% tags=["grid"]
parts = {name: setting.sweep(degradation=name) for name in rain.RANGES}
usual = [experiment for part in parts.values() for experiment in part]
filters = setting.filters()
grid = [*usual, *filters.values()]

# %%
trained = dict(
    zip(grid, run(grid, setting, recompute=recompute), strict=True)
)
records = [trained[experiment] for experiment in usual]
sweeps = {
    name: estimates.by_count(part, trained)
    for name, part in parts.items()
}
unseen = estimates.rain_name(records[0], "unseen")
one = grid[0]
print(f"{len(usual)} experiments of {one.iterations:,} steps,")
print(f"{one.batch} patches of {one.patch_size}x{one.patch_size} a step")

# %% [markdown]
# ## Your guess, and removal of unseen rain
#
# Two measures side by side (chapter 2): the **removal gain**, 1 where as much as the rain was taken
# away, whatever it was; and the **rejection**, which dimming moves and repainting does not.


# %% tags=["hide-input"]
def draw(axes, test, measure):
    """One line a rain range, with interval and seeds."""
    for name, sweep in sweeps.items():
        colour, marker = plots.RANGE_COLOUR[name], plots.RANGE_MARKER[name]
        plots.sweep(axes, sweep, test, measure, label=f"{name} range", colour=colour, marker=marker)
    plots.axis_of_counts(axes, setting.patch_counts)


def in_words(test, measure):
    """The ends of each line, for those who cannot see the chart."""
    counts = setting.patch_counts
    ends = {name: [estimates.mean(sweep[n], test, measure).value for n in (counts[0], counts[-1])]
            for name, sweep in sweeps.items()}
    told = [f"{name} range from {a:.2f} to {b:.2f}" for name, (a, b) in ends.items()]
    return f"from N = {counts[0]} to {counts[-1]:,}: " + ", ".join(told)


# %% tags=["hide-input"]
def kept_out(test):
    """How much of a rain each filter keeps out that has learned nothing."""
    parts = {name: [trained[e]] for name, e in filters.items()}
    return {name: estimates.mean(part, test, "rejection").value for name, part in parts.items()}


rival = max(kept_out("unseen"), key=kept_out("unseen").get)
note = plots.source_note(records, scale)

# %% tags=["hide-input"]
best = {name: estimates.best_count(sweep, "unseen", "rejection") for name, sweep in sweeps.items()}
counts = setting.patch_counts
falls = {
    name: estimates.difference(sweep[counts[-1]], sweep[best[name].n], "unseen", "rejection")
    for name, sweep in sweeps.items()
}

# %% tags=["hide-input"]
fallen = [n for n in sweeps if estimates.direction(falls[n], "", "falls", "")]
first = min((best[n].n for n in fallen), default=None)
replies = {
    f"the {name} range": f"{'Yes' if name in fallen and best[name].n == first else 'No'}. Its "
    f"rejection is highest at N = {best[name].n} and changes by {falls[name]} from there to "
    f"N = {counts[-1]:,}."
    for name in sweeps
}
replies["none of them"] = (f"{'No' if fallen else 'Yes'}. The rejection falls clearly in "
                           f"{len(fallen)} of {len(sweeps)} ranges.")
tops = [estimates.best_count(sweep, "unseen", "gain").n for sweep in sweeps.values()]

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(3.6, 3.2))  # as wide as a phone
draw(axes, "unseen", "rejection")
axes.set_ylabel("rejection")
axes.set_ylim(0, 1.1)
plots.reference_line(axes, kept_out("unseen")[rival], rival)
axes.legend(fontsize=8, loc="lower left")
shown = plots.chart(
    figure,
    alt=f"Rejection {in_words('unseen', 'rejection')}",
    caption=f"Rejection on {unseen}, which no network has met; bands are 95 % intervals over seeds and pictures, small marks seeds. "
    f"Dashed: <i>{rival}</i>, the filter that has learned nothing and keeps most of it out. The ranges do not share all N. What to notice: where each line is "
    f"highest. By the removal gain, {tops.count(counts[0])} of {len(tops)} ranges are highest at "
    f"N = {counts[0]} and fall from there. The 2026 paper's Fig. 8 shows E_R instead. {note}",
)
plots.guess("As backgrounds are added, whose rejection falls first?", replies, shown)

# %% tags=["hide-input"]
drawn = [("unseen", "gain", "removal gain")]
if "heavy" in records[0].tests:
    drawn.append(("heavy", "rejection", "rejection"))
figure, row = plt.subplots(1, len(drawn), figsize=(4.2 * len(drawn), 3.8), squeeze=False)
told, panels = [], row[0]
for axes, (test, measure, name) in zip(panels, drawn, strict=True):
    draw(axes, test, measure)
    label = f"{name} on {estimates.rain_name(records[0], test)}"
    axes.set_ylabel(label)
    axes.tick_params("x", labelrotation=60, labelsize=9)
    told.append(f"{label} {in_words(test, measure)}")

# %% tags=["hide-input"]
for axes, (test, measure, _) in zip(panels, drawn, strict=True):
    axes.set_ylim(bottom=0)
    if measure == "rejection":
        plots.reference_line(axes, kept_out(test)[rival], rival, below=test == "heavy")
panels[0].axhline(1, color=plots.FAINT, linestyle="--", linewidth=1)
panels[0].legend(fontsize=9)

# %% tags=["hide-input"]
plots.chart(
    figure,
    alt="; ".join(told),
    caption="Left, the removal gain on the same rain, nearest to the 2026 paper's Fig. 8 (dashed: as much as the rain); right, the rejection of heavy "
    "unseen rain. What to notice: how much further the removal gain falls than the rejection above, since it counts picture, too; and "
    "whether the ranges come in the same order on both rains. Bands of few seeds are wide, and can pass 1. "
    f"{note}",
)

# %% tags=["hide-input"]
figure, pair = plt.subplots(1, 2, figsize=(9, 3.6))
draw(pair[0], "unseen", "e_r")
draw(pair[1], "unseen", "e_b")
exact = estimates.mean(sweeps["medium"][counts[0]], "unseen", "exact_e_r").value
plots.reference_line(pair[0], exact, "the rain, exactly removed", left=True, below=True)
pair[0].set_ylabel("E_R (grey levels)")
pair[1].set_ylabel("E_B (grey levels)")
pair[1].legend()
plots.chart(
    figure,
    alt=f"E_R {in_words('unseen', 'e_r')}; E_B {in_words('unseen', 'e_b')}",
    caption="Left, the 2026 paper's own measure of removal (Fig. 8); right, the damage to the "
    "background. What to notice: the two fall alike. E_R counts every change where it rains, so "
    f"part of its fall is damage that goes away. {note}",
)

# %% [markdown]
# ## Where is the rain best kept out?
#
# Read the rejection from left to right. A network with the fewest backgrounds may tell streak and picture apart less well, so it need not be the best.
# Where the rain is easy to learn, a line should pass its best *N* early and lose ground after it, although the damage goes on falling. This is what the race predicts, and so
# is its order: the harder the rain, the later the best *N*, and the less is lost after it.

# %% tags=["hide-input"]
rows = [
    "| training rain | best N | from the fewest to the best N | from there to the most |",
    "|---|---|---|---|",
]
for name, sweep in sweeps.items():
    rise = estimates.difference(sweep[best[name].n], sweep[counts[0]], "unseen", "rejection")
    rows.append(f"| {name} | {best[name]} | {rise} | {falls[name]} |")


# %% tags=["hide-input"]
def order(points):
    """The best N of the ranges, at how many steps it grows, and whether that is clear."""
    steps = list(pairwise(points.values()))
    grows = sum(a.n < b.n for a, b in steps)
    told = f"**{', '.join(f'{point.n:,}' for point in points.values())}**"
    clear = "" if all(a.high < b.low for a, b in steps) else ", not clear"
    return f"{told}: it grows at {grows} of {len(steps)} steps{clear}"


# %% tags=["hide-input"]
orders = {unseen: order(best)}
if "heavy" in records[0].tests:
    heavy = estimates.rain_name(records[0], "heavy")
    found = {n: estimates.best_count(s, "heavy", "rejection") for n, s in sweeps.items()}
    orders[heavy] = order(found)
told = "; ".join(f"on {name} {word}" for name, word in orders.items())
Markdown(
    "\n".join(rows) + f"\n\nRejection on {unseen}; in brackets, what 95 % of the resamplings of "
    f"seeds and test pictures give. The best N from the small range to the large is {told}."
)

# %% [markdown]
# Take the best *N* with care. Picking the highest of several points makes it look a little better than it is, and
# two kinds of unseen rain need not agree on it.

# %% [markdown]
# ## Where is the tipping point?
#
# The papers speak of a collapse, and give its place. A place needs a threshold. We say that a
# network has *tipped* when its *removal gain* is below 0.9: it takes away less than nine tenths of the rain. (A collapse would be near 0.) We keep to
# the removal gain here because it is nearest to the papers' E_R; and 0.9 is our choice, so 0.8 stands
# beside it. We fit the closest curve that never rises (isotonic regression) to gain against log2 *N*, and read
# off where it passes the level. The interval comes from resampling test pictures and seeds 2,000 times.

# %%
paper = {"small": "16", "medium": "64", "large": "beyond 512"}
levels = (0.9, 0.8)
rows = []
for name, sweep in sweeps.items():
    found = [estimates.tipping_point(sweep, "unseen", at) for at in levels]
    rows.append(f"| {name} | {paper[name]} | {found[0]} | {found[1]} |")
head = "| training rain | paper: poor from | N at gain 0.9 | at 0.8 |\n"
Markdown(head + "|---|---|---|---|\n" + "\n".join(rows))

# %% tags=["hide-input"]
tips = {name: estimates.tipping_point(sweep, "unseen") for name, sweep in sweeps.items()}
theirs = {"small": 16, "medium": 64}  # for the large range they say no more than "beyond"
outside = [f"{n} ({name})" for name, n in theirs.items()
           if not tips[name].low <= n <= tips[name].high]
said = (f"The intervals at 0.9 leave out the paper's {' and '.join(outside)}, whose threshold is "
        "another, in E_R. ") * bool(outside)

# %% tags=["hide-input"]
trained_n = {name: [max(n for n in sweep if n <= tips[name].n), min(n for n in sweep if n >= tips[name].n)]
             for name, sweep in sweeps.items() if min(sweep) <= tips[name].n <= max(sweep)}
lines = ", ".join(f"{a:,} and {b:,} ({name})" for name, (a, b) in trained_n.items())
last = {name: estimates.mean(s[counts[-1]], "unseen", "gain") for name, s in sweeps.items()}
told = ", ".join(f"{gain} ({name})" for name, gain in last.items())
Markdown(f"Between two trained N, these places and their intervals are read on a straight line: "
         f"here between {lines or 'none'}. {said}With N = {counts[-1]:,} the removal gains are "
         f"{told}.")

# %% [markdown]
# ## When does a network turn?
#
# ([4b](04b_closer_look.ipynb) draws *N* and training time in one diagram.) In chapter 3, a network turned *to the content*. Here we look for a turn *to the rain*: while it trains, a network would get better at the
# rain it knows and worse at rain it does not know. Before training the output is almost
# black, so the rain is gone with the picture; that point is left out.
#
# A fall alone shows no turn. Where the first outputs damage pictures most, they take streaks away, too,
# whatever the network is going to learn. So the network with the fewest backgrounds stands beside the one with the most: it should not
# turn. It is no clean control: damage that grows along training ([chapter 4](04_background_count.ipynb) draws the paths) can hide a fall. The measure is the contrast gain, since curves
# along training hold no rejection; darkening does not move it.

# %% tags=["hide-input"]
largest, smallest = counts[-1], counts[0]
kinds = {"seen": (plots.SEEN_COLOUR, "--"), "unseen": (plots.UNSEEN_COLOUR, "-")}
figure, grid_of_axes = plt.subplots(2, 3, figsize=(9.5, 5.4), sharey=True, sharex=True)
for row, count in zip(grid_of_axes, (smallest, largest), strict=True):
    for axes, (name, sweep) in zip(row, sweeps.items(), strict=True):
        for kind, (colour, line) in kinds.items():
            style = dict(color=colour, linestyle=line, label=f"{kind} rain")
            plots.training_curves(axes, sweep[count], f"{kind}/contrast", **style)
        axes.set_title(f"{name} range, N = {count:,}")
    row[0].set_ylabel("contrast gain")
for axes in grid_of_axes[0]:
    axes.set_xlabel("")
grid_of_axes[0, 0].legend()

# %% tags=["hide-input"]
ends = {n: [r.curves["unseen/contrast"][-1] for r in s[largest]] for n, s in sweeps.items()}
told = ", ".join(f"{name} {np.mean(values):.2f}" for name, values in ends.items())
seen = {n: np.mean([r.curves["seen/contrast"][-1] for r in s[largest]]) for n, s in sweeps.items()}
easy = [name for name, value in seen.items() if np.mean(ends[name]) > value]
over = (f"For the {' and '.join(easy)} range the unseen rain is even the easier one, unlike for the "
        "small range of chapter 1. ") * bool(easy)
plots.chart(
    figure,
    alt=f"Contrast gain along training; with N = {largest:,} at the end on unseen rain: {told}",
    caption="Mean over seeds, 16 test pictures; the axes do not begin at zero. The papers have no "
    "such figure. Compare each line with itself: the two rains are not equally hard. "
    f"{over}What to notice: where the line for unseen rain falls while the other rises, and whether it falls "
    f"further in the lower row. {note}",
)

# %% [markdown]
# The same as one number a network: the change of the contrast gain on unseen rain, from the first measured point to the
# last.

# %% tags=["hide-input"]
def change(record, kind="unseen"):
    """Of the contrast gain, from the first measured point of training to the last."""
    curve = record.curves[f"{kind}/contrast"]
    return curve[-1] - curve[1]


# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(3.6, 3.4))
for name, sweep in sweeps.items():
    means = [np.mean([change(r) for r in sweep[count]]) for count in counts]
    style = dict(color=plots.RANGE_COLOUR[name], marker=plots.RANGE_MARKER[name])
    axes.plot(counts, means, label=f"{name} range", **style)
    for count in counts:
        for record in sweep[count]:
            axes.plot(count, change(record), markersize=3, alpha=0.5, **style)
axes.axhline(0, color=plots.FAINT, linestyle="--", linewidth=1)
plots.axis_of_counts(axes, counts)
axes.set_ylabel("change along training")
axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1), fontsize=8)

# %% tags=["hide-input"]
heads = f"| range | N = {largest:,}, each seed | N = {smallest}, each seed | turns |"
lines, turned = [heads, "|---|---|---|---|"], []
for name, sweep in sweeps.items():
    few, many = ([change(record) for record in sweep[count]] for count in (smallest, largest))
    knows = [change(record, "seen") for record in sweep[largest]]
    turns = max(many) < 0 and min(knows) > 0 and all(m < f for m, f in zip(many, few, strict=True))
    turned += [name] * turns
    both = (", ".join(f"{value:+.2f}" for value in values) for values in (many, few))
    lines.append(f"| {name} | {' | '.join(both)} | {'yes' if turns else 'not in all seeds'} |")

# %% tags=["hide-input"]
means = {n: [np.mean([change(r) for r in s[c]]) for c in (smallest, largest)] for n, s in sweeps.items()}
told = "; ".join(f"{name} range {a:+.2f} to {b:+.2f}" for name, (a, b) in means.items())
alt = f"Change of the contrast gain along training, N = {smallest} to {largest:,}: {told}"
caption = (
    "Small marks are single seeds. What to notice: for which ranges more backgrounds mean a "
    f"deeper fall. The papers have no such figure. {note}"
)
plots.chart(figure, alt, caption)

# %% tags=["hide-input"]
Markdown(
    "We say that a range *turns* if, in every seed, the network with the most backgrounds gets "
    "better at the rain it knows, worse at rain it does not know, and loses more there than the "
    f"network with N = {smallest}. Change of the contrast gain on unseen rain:\n\n" + "\n".join(lines)
)

# %% [markdown]
# ## What a filter does that has learned nothing
#
# A network should be worth its training. So here it meets rivals without any: a median, a blur, a filter that keeps edges, an *opening*, which levels
# whatever is bright and narrower than a few pixels across. They know nothing of rain or pictures.
#
# The chart has the two things that count. Across: the damage E_B. Up: the rejection. The best place is top left.

# %% tags=["hide-input"]
def place(part):
    """Damage and rejection: means over pictures and seeds."""
    return tuple(estimates.mean(part, "unseen", m).value for m in ("e_b", "rejection"))


spots = {name: place([trained[e]]) for name, e in filters.items()}
cells = {(name, n): place(part) for name, sweep in sweeps.items() for n, part in sweep.items()}

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(7.6, 4.8))
for name, sweep in sweeps.items():
    style = dict(color=plots.RANGE_COLOUR[name], marker=plots.RANGE_MARKER[name])
    for record in (r for part in sweep.values() for r in part):
        axes.plot(*place([record]), **style, alpha=0.3, markersize=4, linestyle="")
    axes.plot(*zip(*(cells[name, n] for n in sweep), strict=True), **style, label=f"{name} range")
for n in sorted({*counts[:2], counts[-1]}):  # those between lie close to these
    aside = dict(ha="right", xytext=(-8, 3)) if n == counts[-1] else dict(xytext=(5, -12))
    axes.annotate(f"N = {n:,}", cells["medium", n], **aside, textcoords="offset points", fontsize=9)

# %% tags=["hide-input"]
axes.plot(*zip(*spots.values(), strict=True), "x", color=plots.INK, label="learned nothing")
for name, spot in spots.items():
    # Where there is room for a name.
    left, below = name.startswith(("median", "bilateral")), name == "opening 5"
    aside = dict(ha="right", xytext=(-6, -4)) if left else dict(xytext=(4, -11 if below else 3))
    axes.annotate(name, spot, **aside, textcoords="offset points", fontsize=8, color=plots.INK)
axes.set(xlabel="E_B, damage (grey levels)", ylabel="rejection")
axes.legend(loc="lower right")

# %% tags=["hide-input"]
told = [f"{name} {damage:.0f} and {kept:.2f}" for name, (damage, kept) in spots.items()]
told += [f"{name} range, N = {n:,}: {d:.0f} and {g:.2f}" for (name, n), (d, g) in cells.items()]
plots.chart(
    figure,
    alt=f"Damage, and rejection of {unseen}: {'; '.join(told)}",
    caption=f"{unseen}, natural pictures. Lines join the means of a range, from the fewest "
    "backgrounds to the most; small marks are seeds. What to notice: which crosses lie to the left of a network and not below it. The "
    f"papers have no such figure. {plots.source_note(list(trained.values()), scale)}",
)

# %% tags=["hide-input"]
def rivals(cell):
    """The filters that damage less than a network, with no less rejection."""
    return [name for name, (d, g) in spots.items() if d < cell[0] and g >= cell[1]]


rival_records = {name: trained[e] for name, e in filters.items()}
surely = {(name, n): balance_plots.clearly_beat(sweeps[name][n], rival_records) for name, n in cells}
level = [f"{name} {n:,} ({', '.join(rivals(at))})" for (name, n), at in cells.items() if rivals(at)]
clear = [f"{name} {n:,} ({', '.join(found)})" for (name, n), found in surely.items() if found]
Markdown(
    f"By their means, {len(level)} of {len(cells)} groups of networks are no better than a filter that has "
    f"learned nothing: it damages less, and keeps as much of the rain out. Range, N, and the filter: {'; '.join(level) or 'none'}. "
    f"Beyond the intervals of the networks, in both: {'; '.join(clear) or 'none'}."
)

# %% [markdown]
# This is one rain, and an opening is made for rain: it levels whatever is bright and, from left to right, narrower than its row of pixels. Streaks that are
# wider, or lie flat, would pass it. But the chart tells what a number alone cannot: how little "removes unseen rain" may mean.
#
# ### At the same damage
#
# If removal can be bought with damage, compare at the same price. Each network is read at the moment of its training at which it removes
# most (by contrast gain) while E_B stays within a limit, the smallest that both of a pair reach; seed by seed.

# %% tags=["hide-input"]
most_n, least_n = counts[-1], counts[0]
at_end = {name: sweep[most_n] for name, sweep in sweeps.items()}
pairs = {
    f"{least_n} backgrounds instead of {most_n:,}, {name} range": (sweep[least_n], at_end[name])
    for name, sweep in sweeps.items()
}
for name in ("large", "small"):
    pairs[f"the {name} range instead of the medium, N = {most_n:,}"] = at_end[name], at_end["medium"]
gains = {name: estimates.at_equal_damage(*pair) for name, pair in pairs.items()}

# %% tags=["hide-input"]
words = ("more", "less", "undecided")
rows = ["| training with | contrast gain at equal damage | so removal is |", "|---|---|---|"]
rows += [f"| {name} | {gain.text(2)} | {estimates.direction(gain, *words)} |"
         for name, gain in gains.items()]
narrow = estimates.difference(at_end["small"], at_end["medium"], "unseen", "rejection")
Markdown("\n".join(rows) + f"\n\nIntervals are over {len(at_end['medium'])} seeds. The curves hold "
         "16 pictures, which the intervals do not cover. This is the best moment, by contrast gain. At "
         f"the end, by rejection on {len(records[0].tests['unseen']['gain'])} pictures, the small "
         f"range minus the medium is {narrow}.")

# %% [markdown]
# ## What we found

# %% tags=["hide-input"]
words = ("rises", "falls", "is undecided")
tests = [t for t in ("unseen", "heavy") if t in records[0].tests]
asked = [("unseen", "gain", 2), *((test, "rejection", 2) for test in tests), ("unseen", "e_b", 1)]
names = {"gain": "removal gain", "rejection": "rejection", "e_b": "E_B"}
heads = [f"{names[m]}, {estimates.rain_name(records[0], test)}" for test, m, _ in asked]
rows = [f"| range | {' | '.join(heads)} |", "|" + "---|" * (1 + len(asked))]
for name, sweep in sweeps.items():
    gaps = {ask: estimates.difference(sweep[largest], sweep[smallest], *ask[:2]) for ask in asked}
    told = (f"{estimates.direction(gap, *words)} ({gap.text(ask[2])})" for ask, gap in gaps.items())
    rows.append(f"| {name} | {' | '.join(told)} |")
Markdown(f"From N = {smallest} to {largest:,}:\n\n" + "\n".join(rows))

# %% tags=["hide-input"]
sides = ("*more*", "*less*", "*undecided*")
said = [("unseen", "gain"), *((test, "rejection") for test in tests)]
heads = [f"{names[m]}, {estimates.rain_name(records[0], test)}" for test, m in said]
rows = [f"| N = {largest:,} | {' | '.join(heads)} |", "|" + "---|" * (1 + len(said))]
for harder, easier in (("medium", "small"), ("large", "medium"), ("large", "small")):
    gaps = [estimates.difference(at_end[harder], at_end[easier], *ask) for ask in said]
    told = [f"{gap}, {estimates.direction(gap, *sides)}" for gap in gaps[1:]]
    rows.append(f"| {harder} minus {easier} | {gaps[0]} | {' | '.join(told)} |")
Markdown("Does harder rain keep a network cleaning where backgrounds are many? A higher rejection "
         "speaks for the papers' claim. (More removal gain may be picture.)\n\n"
         + "\n".join(rows))

# %% tags=["hide-input"]
claim = claims.table(setting).set_index("claim").loc["rain-range"]
told = ", ".join(f"{point} ({name})" for name, point in tips.items())
fell = [{m: estimates.difference(s[largest], s[smallest], "unseen", m).value for m in ("gain", "picture_taken")} for s in sweeps.values()]
shares = ", ".join(f"{fall['picture_taken'] / fall['gain']:.0%}" for fall in fell)
heavy_gap = estimates.difference(at_end["large"], at_end["medium"], tests[-1], "rejection")
other_way = f"; on {estimates.rain_name(records[0], tests[-1])} it goes the other way" if heavy_gap.high < 0 else ""
turns = f"the {' and the '.join(turned)} range" if turned else "no range"
Markdown(
    "**The prediction** was: harder rain lets one add more backgrounds before they do harm.\n\n"
    f"- By the removal gain, it tips at N = {told}: *{claim.verdict}*. (Of its change from N = {smallest} to {largest:,}, {shares} is picture, range by range.)\n- By the rejection, with "
    f"the most backgrounds it is larger, the wider the range: *{claim.by_rain}* on {unseen}{other_way}.\n- The best N should grow with the range. On {unseen} it is "
    f"{orders[unseen]}.\n- Along training, {turns} turned to the rain, as far as a fall shows it: early damage that goes away looks alike."
)

# %% tags=["hide-input"]
def tally(test, measure):
    """In how many ranges a measure falls, rises, or does neither clearly from fewest to most N."""
    gaps = [estimates.difference(s[largest], s[smallest], test, measure) for s in sweeps.values()]
    found = [estimates.direction(gap, *words) for gap in gaps]
    return ", ".join(f"{word} in {found.count(word)}" for word in sorted(set(found)))


fewer = [f"{gain} ({name}, {estimates.direction(gain, 'more', 'less', 'undecided')})"
         for name, gain in zip(sweeps, gains.values(), strict=False)]
helped = [name for name, gain in zip(sweeps, gains.values(), strict=False) if gain.low > 0]
when = f"in the {' and '.join(helped)} range" if helped else "in these tests in no range"
wider, narrower = (gains[f"the {n} range instead of the medium, N = {most_n:,}"] for n in ("large", "small"))
also = f"; the small range does so, too, by {narrower.value:.2f}" if narrower.low > 0 < wider.low else ""
advice = "keep many backgrounds, and train on rain of a wider range" if wider.low > 0 and not helped else "measure both"
but = f"; this helps on {unseen} and costs on {estimates.rain_name(records[0], tests[-1])}" if other_way else ""

# %% tags=["hide-input"]
more = estimates.direction(wider, "removes more", "removes less", "makes no clear difference")
prices = [f"{estimates.mean(at_end[n], 'unseen', 'e_b').value:.1f}" for n in ("large", "medium")]
kept = [f"{estimates.difference(at_end['large'], at_end['medium'], test, 'rejection')} on "
        f"{estimates.rain_name(records[0], test)}" for test in tests]

# %% tags=["hide-input"]
Markdown(
    f"**When do fewer backgrounds clearly help? At equal damage, {when}.**\n\n- *Why they could:* a network with few backgrounds paints "
    "the pictures that it was trained on better (chapter 4).\n- *What it costs:* on new pictures, as backgrounds "
    f"are added, the damage E_B {tally('unseen', 'e_b')} ranges. At equal damage, {least_n} "
    f"backgrounds instead of {most_n:,} change the contrast gain by {', '.join(fewer)}.\n- *What to do instead:* {advice}{but}. At equal "
    f"damage, the large range instead of the medium {more} (contrast gain {wider}, 16 pictures{also}). At "
    f"the end, with E_B {' and '.join(prices)}, its rejection minus that of the medium is "
    f"{' and '.join(kept)}. Whether it does well on {unseen} because it is harder to learn, or "
    "because it alone holds thin and short streaks, as this rain does, stays open."
)

# %% [markdown]
# ## What this scale can and cannot decide

# %% tags=["hide-input"]
pictures, seeds = len(records[0].tests["unseen"]["gain"]), len(setting.seeds)
Markdown(
    f"- These networks were trained for {grid[0].iterations:,} steps; the papers' for 250,000. "
    "The place of a tipping point depends on size and training time.\n- "
    f"Intervals cover the choice of {pictures} test pictures and of {seeds} seeds, which draw "
    "the training patches; with 8 of them that matters most.\n- A difference that holds on one "
    "kind of unseen rain need not hold on another: Rain100L is light, Rain100H heavy, and both are "
    "synthetic."
)

# %% [markdown]
# ## Try it
#
# Move the range and *N* yourself, and watch picture and numbers follow: in the [explorer](../book/explorer.md).
#
# 1. Plot the heavier unseen rain, Rain100H: in the two cells that call `draw`, replace `"unseen"` by
#    `"heavy"`. Does the rejection do the same as on Rain100L?
# 2. What would you expect from a fourth range with only one kind of streak? Define it with
#    `rain.RainRange`, look at its layers, and say where its line should lie.
#
# <details><summary>Thoughts on 1</summary>
#
# Compare with the tables above. Rain100H is dense and bright, so what is removed best there need not be what is removed best from
# light rain.
#
# </details>
#
# <details><summary>Thoughts on 2</summary>
#
# A single streak shape is the easiest rain of all. If the race is the right picture, its line falls
# first, to the left of the small range.
#
# </details>

# %% tags=["hide-input"]
plots.sources(
    "2026: Fig. 8, Table 1; 2023: Fig. 5, Table 1", ["rain.py", "estimates.py", "tasks/restore.py"]
)
