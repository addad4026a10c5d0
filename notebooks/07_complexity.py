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
# # How complicated is a picture?
#
# **Can one tell from the pictures alone how many of them it takes until a network turns to the rain?**
#
# If a network learns whichever is simpler, the place where it turns must depend on how complicated the pictures are. The 2026 paper
# (Sec. 4.1.4) puts this to the test with four categories. It orders them by how early removal declines with *N*: faces first, then
# natural pictures, then comics, buildings last (Fig. 9a). A measure that knows nothing of networks puts them in the same order
# (Fig. 9b): the *multi-scale structural complexity* of Bagrov et al. (2020).
#
# **Make a prediction.** Order the four categories by how complicated you find them: portraits, photographs of all kinds, painted comics, buildings. Then
# say which one a computer would call the most complicated. All it does is compare a picture with blurred copies of itself.

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

from rainlens import claims, complexity, images, ledger, plots
from rainlens.experiments import Survey, run, scale_named

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
for step, lost in enumerate(profile[:5]):
    coarse = torch.nn.functional.avg_pool2d(grey, 2 ** (step + 1))
    tiles.append((plots.enlarge(coarse[0], 2 ** (step + 1)), f"scale {step + 1}, lost {lost:.4f}"))
plots.gallery(
    tiles,
    alt="A cat's face in coarser and coarser blocks, with what each step loses",
    caption="Each picture is the one before in blocks twice as large. What to notice: fur weighs "
    "little. The "
    f"first two steps lose {profile[:2].sum() / profile.sum():.0%} of <i>C</i>. The papers have no "
    f"such "
    "figure. Photograph: Chelsea, from scikit-image.",
    columns=6,
)

# %% [markdown]
# ### What it really measures
#
# Take a picture times its own block means, pixel by pixel. On average over a block, that is the block mean squared. So
# $O_{k,k+1} = O_{k+1,k+1}$, and each $C_k$ is half the difference of two neighbouring overlaps, $\frac{1}{2} (O_{k,k} - O_{k+1,k+1})$. In the sum 7.2 all but the
# first and the last cancel.
#
# Summed over all scales, *C* is **half the variance of the picture**. Let us see whether the code agrees.

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
                      "same up to "
                      "chance, however different they look. The papers have no such figure.")
shown

# %% tags=["hide-input"]
Markdown("| picture | " + " | ".join(f"C_{k}" for k in range(len(profile))) + " |\n"
         + "|---" * (len(profile) + 1) + "|\n" + "\n".join(rows))

# %% [markdown]
# ## Four categories
#
# Patches of 128x128 pixels, 1,024 of each category; buildings are called *urban* in figures and tables. The record holds one value
# a patch. Intervals resample *pictures*, since patches of one picture are alike.

# %% tags=["grid"]
surveys = {name: Survey(backgrounds=name) for name in ledger.CATEGORIES}
sweeps = {
    name: setting.sweep(True, backgrounds=name)
    for name in ledger.CATEGORIES
}
grid = [*surveys.values(), *(e for part in sweeps.values() for e in part)]

# %%
found = dict(
    zip(grid, run(grid, setting, recompute=recompute), strict=True)
)
surveyed = {name: found[survey] for name, survey in surveys.items()}
trained = {
    name: claims.by_count(part, found) for name, part in sweeps.items()
}
few, many = setting.coarse_counts[0], setting.coarse_counts[-1]

# %% tags=["hide-input"]
NAMES = dict(faces="Portraits", natural="Photographs", comics="Comics", urban="Buildings")
each = {n: claims.by_picture(r, claims.structure(r)) for n, r in surveyed.items()}
means = {name: claims.mean_of(values) for name, values in each.items()}
top = max(means, key=lambda n: means[n].value)
gaps = {name: claims.gap(each[top], each[name]) for name in means if name != top}
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
for place, (name, mean) in enumerate(sorted(means.items(), key=lambda pair: pair[1].value)):
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
    caption="2026 paper, Fig. 3a, in part. Faces are official portraits (public domain), comics by "
    "David Revoy "
    "(CC BY 4.0). What to notice: our comics are painted, with soft shades; the paper's are black "
    "ink on white.",
    columns=6,
)

# %% tags=["hide-input"]
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4), width_ratios=(1, 1.3))
for place, (name, record) in enumerate(surveyed.items()):
    measures = claims.structure(record)
    every = np.sum([record.tests["patches"][m] for m in measures], axis=0)
    colour = plots.CATEGORY_COLOUR[name]
    line = dict(color=colour, linewidth=1.5)
    left.boxplot(every, positions=[place], whis=(5, 95), widths=0.6, showfliers=False,
                 medianprops=line, boxprops=line, whiskerprops=line, capprops=line)
    mean = means[name]
    left.errorbar(place, mean.value, [[mean.value - mean.low], [mean.high - mean.value]],
                  color=colour, marker=plots.CATEGORY_MARKER[name], capsize=3)
    levels = [claims.mean_of(claims.by_picture(record, [m])).value for m in measures]
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
    max(surveyed, key=lambda n: claims.by_picture(surveyed[n], [m]).mean())
    for m in (measures[0], measures[-1])
)

# %% tags=["hide-input"]
plots.chart(
    figure,
    alt="Structural complexity by category: "
    + ", ".join(f"{n} {m.text(4)}" for n, m in means.items()),
    caption="2026 paper, Fig. 9b, with spread. Left: boxes are quartiles of patches, whiskers 5 to "
    "95 %, "
    "marks means with intervals over pictures. Right: at which sizes the contrast lies. What to "
    "notice: "
    "how far the boxes overlap, and where lines cross. The highest <i>C_k</i> at the finest scale "
    f"is that of {finest}, at the coarsest that of {coarsest}. "
    + plots.source_note(list(surveyed.values()), scale),
)

# %% [markdown]
# ## Where do networks turn?
#
# Now the other half: how fast removal of unseen rain declines with *N*. As in the paper, each line is divided by its own value at the smallest *N*.


# %% tags=["hide-input"]
def relative(name, measure):
    """Removal at each N over removal at the smallest N: value, interval over pictures, seeds."""
    sweep = trained[name]
    values = np.array([claims.per_image(r, "unseen", measure) for r in sweep.values()])
    values = values[:, :, ~np.isnan(values).any(axis=(0, 1))]
    seeds = values.mean(axis=2)
    images = values.mean(axis=1)
    draw = np.random.default_rng(0)
    picks = draw.integers(images.shape[1], size=(500, images.shape[1]))
    drawn = images[:, picks].mean(axis=2)
    low, high = np.quantile(drawn / drawn[0], [0.025, 0.975], axis=1)
    return images.mean(axis=1) / images.mean(axis=1)[0], low, high, seeds / seeds[0]


# %% tags=["hide-input"]
figure, pair = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True)
for axes, measure in zip(pair, ("e_r", "contrast"), strict=True):
    for name, sweep in trained.items():
        value, low, high, seeds = relative(name, measure)
        style = dict(color=plots.CATEGORY_COLOUR[name], marker=plots.CATEGORY_MARKER[name])
        axes.plot(list(sweep), value, label=name, **style)
        axes.fill_between(list(sweep), low, high, color=style["color"], alpha=0.15, linewidth=0)
        axes.plot(list(sweep), seeds, linestyle="", markersize=3, alpha=0.5, **style)
    axes.axhline(1, color=plots.FAINT, linewidth=0.8)
    plots.axis_of_counts(axes, setting.coarse_counts)
pair[0].set_ylabel(f"relative to N = {few}")
pair[0].set_title("E_R")
pair[1].set_title("contrast gain")
pair[0].legend(loc="upper right", ncols=2)

# %% tags=["hide-input"]
networks = [found[e] for part in sweeps.values() for e in part]
kept = {m: {n: relative(n, m)[0][-1] for n in trained} for m in ("e_r", "contrast")}
fallen = {m: [n for n in trained if relative(n, m)[2][-1] < 1] for m in kept}
most_fallen = min(kept["e_r"], key=kept["e_r"].get)
by_contrast = ", ".join(fallen["contrast"]) or "no category"
ends = f"at N = {many} relative to {few}"

# %% tags=["hide-input"]
plots.chart(
    figure,
    alt=f"E_R {ends}: " + ", ".join(f"{n} {v:.2f}" for n, v in kept["e_r"].items())
    + f"; contrast gain {ends}: " + ", ".join(f"{n} {v:.2f}" for n, v in kept["contrast"].items()),
    caption=f"2026 paper, Fig. 9a (E_R), with {len(setting.coarse_counts)} values of N; the "
    f"contrast "
    "gain is ours. Bands are 95 % intervals over test pictures, small marks single seeds. What to "
    f"notice: E_R declines most for {most_fallen}, to {kept['e_r'][most_fallen]:.0%}. At the "
    f"largest N "
    f"the band lies below 1 in {len(fallen['e_r'])} of {len(kept['e_r'])} categories by E_R; by "
    f"contrast "
    f"gain in: {by_contrast}. {plots.source_note(networks, scale)}",
)

# %% [markdown]
# ## Do the two orders agree?
#
# Rank the four categories by complexity, and by how far removal declines. **Kendall's tau** counts pairs: it is 1 if all six pairs
# are in the same order, -1 if all are the other way round. The interval resamples pictures, both those surveyed and those tested on.
#
# Four categories can never tell much: by chance alone, one order in 24 agrees perfectly.


# %%
def decline(name, draw):
    """The share of E_R lost from few to many, test pictures redrawn."""
    ends = [trained[name][n] for n in (few, many)]
    a, b = (
        claims.per_image(end, "unseen", "e_r").mean(axis=0) for end in ends
    )
    chosen = draw.integers(len(a), size=len(a))
    return 1 - b[chosen].mean() / a[chosen].mean()


# %%
def redrawn_tau(draw):
    """Kendall's tau of complexity and decline, pictures redrawn."""
    complexities = [
        draw.choice(v, len(v)).mean() for v in each.values()
    ]
    declines = [decline(name, draw) for name in trained]
    return stats.kendalltau(complexities, declines).statistic


draw = np.random.default_rng(0)
low, high = np.nanquantile(
    [redrawn_tau(draw) for _ in range(500)], [0.025, 0.975]
)

# %% tags=["hide-input"]
declines = {name: 1 - share for name, share in kept["e_r"].items()}
tau = stats.kendalltau([means[n].value for n in trained], list(declines.values())).statistic
rows = ["| category | complexity C | E_R lost | place in the paper |", "|---|---|---|---|"]
places = dict(faces=1, natural=2, comics=3, urban=4)
for name in sorted(trained, key=lambda n: -means[n].value):
    rows.append(f"| {name} | {means[name].text(4)} | {declines[name]:.0%} | {places[name]} |")
told = f"Kendall's tau is **{tau:.2f}**, with a 95 % interval from {low:.2f} to {high:.2f}"
verdict = "agree more than not" if low > 0 else "disagree more than not" if high < 0 else None
agreement = f"The two orders {verdict}" if verdict else "Whether both orders agree is not decided"
Markdown(f"{agreement}. {told}.\n\n" + "\n".join(rows))

# %% [markdown]
# ### At which scale?
#
# *C* adds up all scales. A rain streak is a few pixels wide, so perhaps only structure of that size competes with it. Here is the
# same comparison for each *C_k* alone, and for sharpness (chapter 6).
#
# We looked at this *after* seeing the charts. Take it as a question for the next experiment, not as a test.

# %% tags=["hide-input"]
by_decline = sorted(declines, key=lambda n: -declines[n])
measures = [*claims.structure(surveyed["natural"]), "sharpness"]
rows = ["| measure | order, most complicated first | tau with the decline |", "|---|---|---|"]
agreeing = []
for measure in measures:
    level = {n: claims.by_picture(r, [measure]).mean() for n, r in surveyed.items()}
    order = sorted(level, key=lambda n: -level[n])
    agree = stats.kendalltau([level[n] for n in trained], list(declines.values())).statistic
    name = measure.replace("structure", "C_")
    agreeing += [name] * (order == by_decline)
    rows.append(f"| {name} | {', '.join(order)} | {agree:.2f} |")
rows.append(f"| *decline of E_R* | *{', '.join(by_decline)}* | |")
Markdown("\n".join(rows))

# %% tags=["hide-input"]
most_complex, most_lost = max(means, key=lambda n: means[n].value), by_decline[0]
same = "is also" if most_complex == most_lost else "is not"
Markdown(
    f"The category with the highest *C*, **{most_complex}**, {same} the one whose removal declines "
    f"most. Measures that put all four in the order of the decline: "
    f"**{', '.join(agreeing) or 'none'}**."
)

# %% [markdown]
# ## What we found

# %% tags=["hide-input"]
table = ledger.table(setting).set_index("claim")
ordered = sorted(means, key=lambda n: -means[n].value)
rows = ["| category | complexity C | tipping point | place in the paper |", "|---" * 4 + "|"]
for name in ordered:
    tips = str(claims.tipping_point(trained[name], "unseen"))
    rows.append(f"| {name} | {means[name].text(4)} | {tips} | {places[name]} |")
said = ["| claim of the 2026 paper | our records |", "|---|---|"]
for claim in ("complexity-order", "category-order"):
    row = table.loc[claim]
    said.append(f"| {row.says} ({row['where']}) | **{row.verdict}** |")

# %% tags=["hide-input"]
Markdown(
    f"The answer at this scale: if you guessed **{NAMES[top].lower()}**, you agree with the measure"
    + ("" if clear else ", though they are not clearly ahead")
    + f". {agreement}, so the pictures alone "
    + ("tell something about" if low > 0 else "do not tell here")
    + " where a network turns.\n\n" + "\n".join(rows)
    + "\n\nThe place in the paper is 1 for the most complicated category, which also turns first. "
    "The tipping point is the number of backgrounds at which the removal gain falls below 0.9 "
    "(chapter 5); &gt; means beyond our sweep.\n\n" + "\n".join(said)
)

# %% [markdown]
# Three things to keep in mind before reading much into either order.
#
# - *C* is contrast. To order categories by *C* is to order them by how far bright and dark lie apart in their pictures. A scanner's or
#   a painter's choice of tones moves it.
# - Our pictures are not the paper's. Its comics are inked pages of Manga109, ours are painted. Its faces are photographs in
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

# %% tags=["hide-input"]
plots.sources("2026: Fig. 3a, 9; 2023: Fig. 2a, 6", ["complexity.py", "claims.py", "ledger.py"])
