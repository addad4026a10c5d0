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
# # 7. How complicated is a picture?
#
# **Can one tell from the pictures alone how many of them it takes until the removal of unseen rain tips?**
#
# If a network learns whichever is simpler, the tipping point must depend on how complicated the pictures are. Both papers put this to
# the test with four categories. As *N* grows, removal declines first for faces, then for natural pictures, later for comics and
# buildings; of these two neither paper says which is last. A measure that knows nothing of networks is said to agree: the *multi-scale
# structural complexity* of Bagrov et al. (2020).
#
# But the two papers print **opposite orders** for it. The 2026 paper (Sec. 4.1.4, Fig. 9) ranks faces highest, then natural pictures,
# comics and buildings. The 2023 paper (Sec. 3.1, Fig. 6) has the same list, but from low to high: faces lowest, buildings highest. It
# also says that removal declines earlier for more complicated pictures. That fits the order of 2026, not its own.
#
# **Make a prediction.** Order the four categories by how complicated you find them: portraits, photographs of all kinds, painted comics,
# buildings. Then say which one a computer would call the most complicated. The measure compares a picture with blurred copies of itself.

# %% [markdown] tags=["colab"]
# [Open this chapter in Colab](https://colab.research.google.com/github/rainlens/rainlens/blob/main/notebooks/07_complexity.ipynb)

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
from scipy import stats

from rainlens import claims, complexity, estimates, images, plots
from rainlens.running import run
from rainlens.scales import scale_named
from rainlens.tasks.survey import Survey

plots.use_style()
setting = scale_named(scale)

# %% [markdown]
# ## The measure, step by step
#
# Take a grey picture and replace each block of 2x2 pixels by its mean. Do it again, and again. Each step loses something, and how
# much it loses is the complexity at that scale.
#
# In formulas: let $O_{j,k}$, the *overlap*, be the mean product of the pixels of scales *j* and *k*, brought to one size. Scale *k* loses
#
# $$C_k = \left| O_{k,k+1} - \frac{1}{2} \left( O_{k,k} + O_{k+1,k+1} \right) \right| \tag{7.1}$$
#
# and the complexity is the sum over all scales:
#
# $$C = C_0 + C_1 + C_2 + \dots \tag{7.2}$$

# %%
photograph = images.load(images.names(images.EMBEDDED, "test")[0])[None]
portrait = images.centre(photograph, 256)[:, :, 64:192, 64:192]
profile = complexity.structural_complexity(portrait)[0]
print(
    "C_0, C_1, ...:",
    ", ".join(f"{c:.4f}" for c in profile),
    f"  C = {profile.sum():.4f}",
)

# %% tags=["hide-input"]
grey = complexity.to_grey(portrait)[:, None] / 255
tiles = [(grey[0], "scale 0")]
for step, lost in enumerate(profile):
    coarse = torch.nn.functional.avg_pool2d(grey, 2 ** (step + 1))
    tiles.append((plots.enlarge(coarse[0], 2 ** (step + 1)), f"scale {step + 1}, lost {lost:.4f}"))
plots.gallery(
    tiles,
    alt="A cat's face in coarser and coarser blocks, with what each step loses",
    caption="Each picture is the one before in blocks twice as large. What to notice: fur weighs "
    f"little. The first two steps lose {profile[:2].sum() / profile.sum():.0%} of <i>C</i>, the "
    f"last two {profile[-2:].sum() / profile.sum():.0%}. The papers have no such figure. "
    "Photograph: Chelsea, from scikit-image. " + plots.drawn_here(),
    columns=4,
)

# %% [markdown]
# ### What it really measures
#
# Take a picture times its own block means, pixel by pixel. On average over a block, that is the block mean squared. So
# $O_{k,k+1} = O_{k+1,k+1}$, and each $C_k$ is half the difference of two neighbouring overlaps, $\frac{1}{2} (O_{k,k} - O_{k+1,k+1})$. In the sum 7.2 all but the
# first and the last cancel. The first is the mean square of the picture, the last the square of its mean.
#
# So *C*, as we compute it, is **half the variance of the picture**. (The papers do not say how they average, nor over which scales.) Let
# us see whether the code agrees.

# %%
variance = grey.var(correction=0).item()
print(f"C = {profile.sum():.6f}, half the variance = {variance / 2:.6f}")

# %% [markdown]
# This matters for what follows. A picture of high contrast is "complicated" by this measure, whatever it shows: a black square on
# white more than a meadow. The single *C_k* add *at which sizes* that contrast lies.
#
# Three pictures of equal contrast show it.

# %% tags=["hide-input"]
side = torch.arange(128)
board = ((side[:, None] + side) % 2 * 255).byte()[None, None]
square = ((side[:, None] // 64 + side // 64) % 2 * 255).byte()[None, None]
noise = (torch.rand(1, 1, 128, 128, generator=torch.Generator().manual_seed(0)) > 0.5).byte() * 255
made = {"checkerboard of single pixels": board, "four squares": square, "noise": noise}
tiles, rows = [], []
for name, picture in made.items():
    c = complexity.structural_complexity(picture)[0]
    tiles.append((picture[0], f"{name}: C = {c.sum():.3f}"))
    rows.append(f"| {name} | " + " | ".join(f"{value:.3f}" for value in c) + " |")
shown = plots.gallery(tiles, alt="Three black-and-white pictures of equal contrast",
                      caption="What to notice: half of each picture is black, so <i>C</i> is the "
                      "same up to chance, however different they look. The papers have no such "
                      "figure. " + plots.drawn_here())
shown

# %% tags=["hide-input"]
Markdown("| picture | " + " | ".join(f"C_{k}" for k in range(len(profile))) + " |\n"
         + "|---" * (len(profile) + 1) + "|\n" + "\n".join(rows))

# %% [markdown]
# ## Four categories
#
# Patches of 128x128 pixels, as large as the papers', 1,024 of each category; buildings are called *urban* in figures and tables. The record holds one value
# a patch. Intervals resample *pictures*, since patches of one picture are alike.

# %% tags=["grid"]
surveys = {name: Survey(backgrounds=name) for name in claims.CATEGORIES}
sweeps = {
    name: setting.sweep(True, backgrounds=name)
    for name in claims.CATEGORIES
}
grid = [*surveys.values(), *(e for part in sweeps.values() for e in part)]

# %%
found = dict(
    zip(grid, run(grid, setting, recompute=recompute), strict=True)
)
surveyed = {name: found[survey] for name, survey in surveys.items()}
trained = {
    name: estimates.by_count(part, found) for name, part in sweeps.items()
}
few, many = setting.coarse_counts[0], setting.coarse_counts[-1]
# The mean C of the patches of each picture.
each = {
    name: estimates.by_picture(record, estimates.structure(record))
    for name, record in surveyed.items()
}

# %% tags=["hide-input"]
NAMES = dict(faces="Portraits", natural="Photographs", comics="Comics", urban="Buildings")
means = {name: estimates.mean_of(values) for name, values in each.items()}
top = max(means, key=lambda n: means[n].value)
gaps = {name: estimates.gap(each[top], each[name]) for name in means if name != top}
clear = all(gap.low > 0 for gap in gaps.values())


def reply(name):
    """What the records say to those who chose a category."""
    if name == top:
        said = "Yes." if clear else "It has the highest mean, but not clearly so."
    elif gaps[name].low > 0:
        said = f"No: {NAMES[top].lower()} are higher, by {gaps[name].text(4)}."
    else:
        said = f"These records cannot tell: {NAMES[top].lower()} are higher, but not clearly so."
    return f"{said} Their mean complexity <i>C</i> is {means[name].text(4)}."


# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(6, 2.6))
for name, mean in sorted(means.items(), key=lambda pair: pair[1].value):
    axes.barh(NAMES[name], mean.value, color=plots.CATEGORY_COLOUR[name],
              xerr=[[mean.value - mean.low], [mean.high - mean.value]], capsize=3, ecolor=plots.INK)
axes.set_xlabel("structural complexity C, mean of patches")
shown = plots.chart(
    figure,
    alt=", ".join(f"{NAMES[n]} {m.text(4)}" for n, m in means.items()),
    caption="2026 paper, Fig. 9b, with 95 % intervals over pictures. What to notice: "
    f"{NAMES[top].lower()} have the highest mean, {'clearly' if clear else 'but not clearly'} "
    f"above all others. {plots.source_note(list(surveyed.values()), scale)}",
)
question = "Which pictures does the measure call the most complicated?"
plots.guess(question, {NAMES[n]: reply(n) for n in NAMES}, shown)

# %% [markdown]
# What the categories look like. Of natural pictures and buildings we may not show those that were measured. A photograph from
# scikit-image stands in for the natural ones.


# %% tags=["hide-input"]
def examples(name, backgrounds):
    """Two patches of a category that may be shown, as tiles."""
    if not images.is_available(backgrounds):
        return []
    return [(p, name) for p in images.patches(backgrounds, 2, 128, 1)]


# %% tags=["hide-input"]
shown = {"natural (stand-in)": images.EMBEDDED, "faces": "faces", "comics": "comics"}
tiles = [tile for name, source in shown.items() for tile in examples(name, source)]
plots.gallery(
    tiles,
    alt="Two patches each of " + ", ".join(shown),
    caption="2026 paper, Fig. 3a, in part. Faces are official portraits (public domain), comics "
    "by David Revoy (CC BY 4.0). What to notice: our comics are painted, with soft shades; the "
    "paper's are black "
    "ink on white. " + plots.drawn_here(),
    columns=6,
)

# %% tags=["hide-input"]
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4), width_ratios=(1, 1.3))
for place, (name, record) in enumerate(surveyed.items()):
    measures = estimates.structure(record)
    every = np.sum([record.tests["patches"][m] for m in measures], axis=0)
    colour = plots.CATEGORY_COLOUR[name]
    line = dict(color=colour, linewidth=1.5)
    left.boxplot(every, positions=[place], whis=(5, 95), widths=0.6, showfliers=False,
                 medianprops=line, boxprops=line, whiskerprops=line, capprops=line)
    mean = means[name]
    left.errorbar(place, mean.value, [[mean.value - mean.low], [mean.high - mean.value]],
                  color=colour, marker=plots.CATEGORY_MARKER[name], capsize=3)
    levels = [estimates.mean_of(estimates.by_picture(record, [m])).value for m in measures]
    right.plot(range(len(levels)), levels, color=colour, marker=plots.CATEGORY_MARKER[name],
               label=name)

# %% tags=["hide-input"]
left.set_xticks(range(len(surveyed)), list(surveyed))
left.set_ylabel("structural complexity C")
right.set_ylabel("C_k, mean")
right.set_xticks(range(len(measures)), [f"{k}\n{2**k} px" for k in range(len(measures))])
right.set_xlabel("scale k, and the side of its blocks")
right.set_ylim(bottom=0)
right.legend(loc="lower right")
finest, coarsest = (
    max(surveyed, key=lambda n: estimates.by_picture(surveyed[n], [m]).mean())
    for m in (measures[0], measures[-1])
)

# %% tags=["hide-input"]
plots.chart(
    figure,
    alt="Structural complexity by category: "
    + ", ".join(f"{n} {m.text(4)}" for n, m in means.items()),
    caption="2026 paper, Fig. 9b, with spread. Left: boxes are quartiles of patches, whiskers 5 "
    "to 95 %, marks means with intervals over pictures. Right: at which sizes the contrast lies. "
    "What to notice: how far the boxes overlap, and where lines cross. The highest <i>C_k</i> at "
    f"the finest scale is that of {finest}, at the coarsest that of {coarsest}. "
    + plots.source_note(list(surveyed.values()), scale),
)

# %% [markdown]
# ## How removal declines
#
# Now the other half: removal of unseen rain against *N*. The papers normalise it (N: to between 0 and 1) without saying how. We divide
# each line by its own value at the smallest *N*.
#
# E_R alone does not tell. It falls when rain stays, but also when a network stops changing *more* than the rain (chapter 4). So the
# contrast gain stands beside it.

# %%
def removed(name, measure):
    """Values on unseen rain: (counts of N, seeds, test pictures)."""
    sweep = trained[name].values()
    values = [estimates.per_image(r, "unseen", measure) for r in sweep]
    return np.array(values)[:, :, ~np.isnan(values).any(axis=(0, 1))]

def relative(values):
    """Their mean at each N over that at the smallest N."""
    return values.mean(axis=(1, 2)) / values[0].mean()

def redrawn(values, draw):
    """The same with seeds and test pictures drawn anew."""
    seeds, pictures = (draw.integers(n, size=n) for n in values.shape[1:])
    return relative(values[:, seeds][:, :, pictures])

# %%
LABELS = {"e_r": "E_R", "contrast": "contrast gain"}
removal = {
    measure: {name: removed(name, measure) for name in trained}
    for measure in LABELS
}

# %% tags=["hide-input"]
kept = {m: {n: relative(v)[-1] for n, v in parts.items()} for m, parts in removal.items()}
draw, fallen = np.random.default_rng(0), {m: [] for m in LABELS}
figure, pair = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True)
for axes, measure in zip(pair, LABELS, strict=True):
    for name, values in removal[measure].items():
        style = dict(color=plots.CATEGORY_COLOUR[name], marker=plots.CATEGORY_MARKER[name])
        drawn = [redrawn(values, draw) for _ in range(500)]
        low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
        fallen[measure] += [name] * bool(high[-1] < 1)
        axes.plot(list(trained[name]), relative(values), label=name, **style)
        axes.fill_between(list(trained[name]), low, high, color=style["color"], alpha=0.15, lw=0)
        seeds = values.mean(axis=2) / values[0].mean(axis=1)
        axes.plot(list(trained[name]), seeds, linestyle="", markersize=3, alpha=0.5, **style)

# %% tags=["hide-input"]
for axes, label in zip(pair, LABELS.values(), strict=True):
    axes.axhline(1, color=plots.FAINT, linewidth=0.8)
    plots.axis_of_counts(axes, setting.coarse_counts)
    axes.set_title(label)
pair[0].set_ylabel(f"relative to N = {few}")
pair[0].legend(loc="upper right", ncols=2)
networks = [found[e] for part in sweeps.values() for e in part]
ends = f"at N = {many} relative to {few}"
by = {m: f"for {', '.join(names) or 'none'}" for m, names in fallen.items()}
above = [estimates.between(sweep[few], "unseen", "e_r", "exact_e_r").low > 0
         for sweep in trained.values()]

# %% tags=["hide-input"]
plots.chart(
    figure,
    alt="; ".join(f"{label} {ends}: " + ", ".join(f"{n} {v:.2f}" for n, v in kept[m].items())
                  for m, label in LABELS.items()),
    caption=f"2026 paper, Fig. 9a (E_R), with {len(setting.coarse_counts)} values of N; the "
    "contrast gain is ours. Small marks are single seeds, bands (from three seeds on) 95 % "
    "intervals. The vertical axes do not begin at zero. What to notice: how much the two "
    f"measures differ. At N = {many} the band lies below 1 {by['e_r']} by E_R, and "
    f"{by['contrast']} by contrast gain. At N = {few} E_R lies clearly above that of exact "
    f"removal in {sum(above)} of {len(above)} categories. {plots.source_note(networks, scale)}",
)

# %% [markdown]
# ## Do the two orders agree?
#
# Rank the four categories by complexity, and by how far removal declines. **Kendall's tau** counts pairs: it is 1 if all six pairs
# are in the same order, -1 if all are the other way round. The interval resamples pictures, both those surveyed and those tested on,
# and seeds, as for the tipping points of chapter 5.
#
# Four categories can never tell much: by chance alone, one order in 24 agrees perfectly.


# %%
def tau(level, ends):
    """Kendall's tau of a level of the pictures and what is lost."""
    lost = 1 - np.array(list(ends))
    return stats.kendalltau(list(level), lost).statistic + 0.0

def redrawn_tau(measure, draw):
    """That of C, with pictures and seeds drawn anew."""
    level = [draw.choice(v, len(v)).mean() for v in each.values()]
    parts = removal[measure].values()
    return tau(level, [redrawn(values, draw)[-1] for values in parts])

intervals = {}
for measure in removal:
    drawn = [redrawn_tau(measure, draw) for _ in range(500)]
    intervals[measure] = np.nanquantile(drawn, [0.025, 0.975])


# %% tags=["hide-input"]
def agreement(measure):
    """What the interval of tau says of the two orders."""
    low, high = intervals[measure]
    return "agree more than not" if low > 0 else "disagree more than not" if high < 0 else "open"


words = {agreement(measure) for measure in LABELS}
decision = f"By both measures of removal, the two orders {min(words)}"
if words == {"open"}:
    decision = "Whether the two orders agree is not decided, by either measure of removal"
elif len(words) > 1:
    each_said = [f"by {label} they {agreement(m)}" for m, label in LABELS.items()]
    decision = ("Whether the two orders agree depends on the measure of removal: "
                + ", ".join(each_said).replace("they open", "it is not decided"))

# %% tags=["hide-input"]
C = {name: means[name].value for name in trained}
places = {name: place for place, name in enumerate(claims.COMPLEXITY_ORDER, 1)}
rows = ["| category | complexity C | E_R lost | contrast gain lost | place in Hu 2026 |"]
rows.append("|---" * 5 + "|")
for name in sorted(C, key=lambda n: -C[n]):
    lost = " | ".join(f"{1 - kept[m][name]:.0%}" for m in LABELS)
    rows.append(f"| {name} | {means[name].text(4)} | {lost} | {places[name]} |")
rows += ["", "| Kendall's tau with C | E_R lost | contrast gain lost |", "|---|---|---|"]
taus = {m: tau(C.values(), kept[m].values()) for m in LABELS}
cells = [f"{taus[m]:.2f} [{low:.2f}, {high:.2f}]" for m, (low, high) in intervals.items()]
rows.append(f"| all seeds | {' | '.join(cells)} |")
for k, seed in enumerate(setting.coarse_seeds):
    cells = [f"{tau(C.values(), [relative(v[:, [k]])[-1] for v in removal[m].values()]):.2f}"
             for m in LABELS]
    rows.append(f"| seed {seed} alone | {' | '.join(cells)} |")

# %% tags=["hide-input"]
Markdown(
    f"{decision}.\n\n" + "\n".join(rows)
    + "\n\n*Lost* is what the value at the largest N lacks of that at the smallest; below zero, "
    "it has grown. *Place in Hu 2026*: 1 is the most complicated category of the 2026 paper, in which "
    "removal also declines first."
)

# %% [markdown]
# ### At which scale?
#
# *C* adds up all scales. A rain streak is a few pixels wide, so perhaps only structure of that size competes with it. Here is the
# same comparison for each *C_k* alone, and for sharpness (chapter 6).
#
# We looked at this *after* seeing the charts. Take it as a question for the next experiment, not as a test.

# %% tags=["hide-input"]
by_decline = {m: sorted(kept[m], key=kept[m].get) for m in LABELS}
rows = ["| measure | order, most complicated first | tau, E_R lost | tau, contrast gain lost |"]
rows.append("|---" * 4 + "|")
agreeing = {m: [] for m in LABELS}
for name in [*estimates.structure(surveyed["natural"]), "sharpness"]:
    level = {n: estimates.by_picture(r, [name]).mean() for n, r in surveyed.items()}
    order, label = sorted(level, key=lambda n: -level[n]), name.replace("structure", "C_")
    for measure in LABELS:
        agreeing[measure] += [label] * (order == by_decline[measure])
    cells = [f"{tau(level.values(), kept[m].values()):.2f}" for m in LABELS]
    rows.append(f"| {label} | {', '.join(order)} | {' | '.join(cells)} |")
rows += [f"| *decline of {label}* | *{', '.join(by_decline[m])}* | | |"
         for m, label in LABELS.items()]
Markdown("\n".join(rows))

# %% tags=["hide-input"]
alike = "one order" if by_decline["e_r"] == by_decline["contrast"] else "different orders"
all_four = "; ".join(f"by {label}, **{', '.join(agreeing[m]) or 'none'}**"
                     for m, label in LABELS.items())
steepest = [f"{by_decline[m][0]} by {label}" for m, label in LABELS.items()]
if by_decline["e_r"][0] == by_decline["contrast"][0]:
    steepest = [f"{by_decline['e_r'][0]} by both measures"]
sizes = [surveyed["natural"].experiment["patch_size"], setting.patch_size]
Markdown(
    f"The two measures of removal put the categories in **{alike}**. Measures of the pictures "
    f"that give all four places of the decline: {all_four}. The highest *C* is that of **{top}**. "
    f"Removal declines most for {' and '.join(steepest)}.\n\nAll rows were measured on patches of "
    f"{sizes[0]:d}x{sizes[0]:d} pixels. The networks are trained on patches of {sizes[1]}x{sizes[1]}."
)

# %% [markdown]
# ## What we found

# %% tags=["hide-input"]
table = claims.table(setting).set_index("claim")
tips = {name: estimates.tipping_point(trained[name], "unseen") for name in C}
rows = ["| category | complexity C | tipping point | place in Hu 2026 |", "|---" * 4 + "|"]
for name in sorted(C, key=lambda n: -C[n]):
    rows.append(f"| {name} | {means[name].text(4)} | {tips[name]} | {places[name]} |")
loose = ""
for name in (n for n, tip in tips.items() if np.isinf(tip.high) and not np.isinf(tip.n)):
    gains = [estimates.mean(part, "unseen", "gain").value for part in trained[name].values()]
    loose += (f" The point of {name} is a loose one: its gain at N = "
              f"{', '.join(map(str, trained[name]))} is {', '.join(f'{g:.2f}' for g in gains)}.")
said = ["| claim of the 2026 paper | our records |", "|---|---|"]
for claim in ("complexity-order", "category-order"):
    row = table.loc[claim]
    said.append(f"| {row.says} ({row['where']}) | **{row.verdict}** |")

# %% tags=["hide-input"]
_, *orders = table.loc["complexity-order", "ours"].split("; ")
tells = min(words) if len(words) == 1 and words != {"open"} else None
so = {None: "so we cannot say whether the pictures alone tell",
      "agree more than not": "so the pictures alone tell something about",
      "disagree more than not": "so this measure of pictures does not tell"}
Markdown(
    f"The answer at this scale: if you guessed **{NAMES[top].lower()}**, you agree with the measure"
    + ("" if clear else ", though they are not clearly ahead")
    + f". {decision}; {so[tells]} where removal tips.\n\n" + "\n".join(rows)
    + "\n\nThe tipping point is the number of backgrounds at which the removal gain falls below "
    f"{estimates.TIPPING_GAIN} (chapter 5); &gt; means beyond our sweep.{loose}\n\n"
    + "And the papers' two orders of *C*? " * bool(orders)
    + " ".join(f"{o[0].upper()}{o[1:]}." for o in orders)
    + "\n\n" + "\n".join(said)
)

# %% [markdown]
# Three things to keep in mind before reading much into either order.
#
# - *C*, as we compute it, is contrast. To order categories by it is to order them by how far bright and dark lie apart. A scanner's or a
#   painter's choice of tones moves it. The sharpness of chapter 6 shares this: it, too, grows with the square of contrast.
# - Our pictures are not the papers'. Their comics are inked pages of Manga109, ours are painted. Their faces are photographs in
#   front of anything, ours are official portraits, one like the other.
# - A category with few pictures repeats itself. Our comics come from a few dozen pages, so that 512 patches of them are much alike.

# %% [markdown]
# ## Try it
#
# 1. Halve the contrast of a patch (`patch // 2 + 64`). What happens to *C*? Is the picture any simpler for a network?
# 2. A fairer measure might divide *C_k* by the variance. Compute the share of *C_0* and *C_1* in *C* for each category from the records. Which
#    order do you get?
#
# <details><summary>Thoughts on 1</summary>
#
# *C* falls to a quarter, since variance goes with the square of contrast. A network can undo the change with a single multiplication,
# so for it the picture is hardly simpler. A measure of what is hard to *learn* should not change at all.
#
# </details>
#
# <details><summary>Solution to 2</summary>
#
# Buildings first, then natural pictures, comics and faces. That is the order of sharpness, not of *C*: divided by the variance, what
# counts is how much of the change lies in the finest scales. Faces then are the simplest pictures, where the 2026 paper has them as
# the most complex and the 2023 paper as the least.
#
# </details>

# %% tags=["hide-input"]
plots.sources("2026: Fig. 3a, 9; 2023: Fig. 2a, 6", ["complexity.py", "estimates.py", "claims/pictures.py"])
