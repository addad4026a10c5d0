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
# (Sec. 4.1.4) puts this to the test with four categories. By how early removal declines with *N* it orders them: faces first, then natural
# pictures, then comics, buildings last (Fig. 9a). And a measure that knows nothing of networks, the *multi-scale structural complexity* of Bagrov et al. (2020), puts
# them in the same order (Fig. 9b).
#
# **Make a prediction.** Order the four categories by how complicated you find them: portraits, photographs of all kinds, painted comics, buildings. Then
# say which one a computer would call the most complicated, if all it did was compare a picture with a blurred copy of itself.

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
# much it loses is the complexity at that scale. In formulas, with O(*j*, *k*) the *overlap*, the mean product of the pixels of
# scales *j* and *k* brought to one size:
#
# > *C_k* = | O(*k*, *k*+1) - ½ (O(*k*, *k*) + O(*k*+1, *k*+1)) |,   *C* = *C_0* + *C_1* + ...

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
    caption="Each picture is the one before in blocks twice as large. What to notice: the steps that lose most "
    "are not the first ones; fur weighs little. Photograph: Chelsea, from scikit-image.",
    columns=6,
)

# %% [markdown]
# ### What it really measures
#
# A block mean is a *projection*: taking the mean of means changes nothing, and the product of a picture with its own block means is the
# product of the means with themselves. So O(*k*, *k*+1) = O(*k*+1, *k*+1), each *C_k* is half the difference of two neighbouring O(*k*, *k*), and the sum
# telescopes. Summed over all scales, *C* is **half the variance of the picture**. Let us see whether the code agrees.

# %%
variance = grey.var(correction=0).item()
print(f"C = {profile.sum():.6f}, half the variance = {variance / 2:.6f}")

# %% [markdown]
# This matters for what follows. A picture of high contrast is "complicated" by this measure, whatever it shows: a black square on white more than a
# meadow. What the single *C_k* add is *at which sizes* that contrast lies.
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
                      caption="Equally black and white, hence the same <i>C</i>.")
shown

# %% tags=["hide-input"]
Markdown("| picture | " + " | ".join(f"C_{k}" for k in range(len(profile))) + " |\n"
         + "|---" * (len(profile) + 1) + "|\n" + "\n".join(rows))

# %% [markdown]
# ## Four categories
#
# Patches of 128x128 pixels, 1,024 of each category. The record holds one value a patch; intervals resample *pictures*, since
# patches of one picture are alike.

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

# %% [markdown]
# What the categories look like. Of natural pictures and buildings we may not show those that were measured, so that a photograph from
# scikit-image stands in for the first.


# %% tags=["hide-input"]
def examples(name, backgrounds):
    """Two patches of a category that may be shown, as tiles."""
    if not images.is_available(backgrounds):
        return []
    return [(p, name) for p in images.patches(backgrounds, 2, 128, 1)]


shown = {"natural (stand-in)": images.EMBEDDED, "faces": "faces", "comics": "comics"}
tiles = [tile for name, source in shown.items() for tile in examples(name, source)]
plots.gallery(
    tiles,
    alt="Two patches each of " + ", ".join(shown),
    caption="The 2026 paper's Fig. 3a, in part. Faces are official portraits (public domain), comics by David Revoy "
    "(CC BY 4.0). What to notice: our comics are painted, with soft shades; the paper's are black ink on white.",
    columns=6,
)

# %% tags=["hide-input"]
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4), width_ratios=(1, 1.3))
for place, (name, record) in enumerate(surveyed.items()):
    measures = claims.structure(record)
    every = np.sum([record.tests["patches"][m] for m in measures], axis=0)
    colour = plots.CATEGORY_COLOUR[name]
    left.boxplot(every, positions=[place], whis=(5, 95), widths=0.6, showfliers=False,
                 medianprops=dict(color=colour, linewidth=2))
    mean = claims.mean_of(claims.by_picture(record, measures))
    left.errorbar(place, mean.value, [[mean.value - mean.low], [mean.high - mean.value]],
                  color=colour, marker=plots.CATEGORY_MARKER[name], capsize=3)
    levels = [claims.mean_of(claims.by_picture(record, [m])).value for m in measures]
    right.plot(range(len(levels)), levels, color=colour, marker=plots.CATEGORY_MARKER[name],
               label=name)

# %% tags=["hide-input"]
left.set_xticks(range(len(surveyed)), list(surveyed))
left.set_ylabel("structural complexity C")
right.set_ylabel("C_k, mean")
right.set_xlabel("scale k: structure of about $2^k$ pixels")
right.legend()
means = {n: claims.mean_of(claims.by_picture(r, claims.structure(r))) for n, r in surveyed.items()}
plots.chart(
    figure,
    alt="Structural complexity by category: "
    + ", ".join(f"{n} {m.text(4)}" for n, m in means.items()),
    caption="The 2026 paper's Fig. 9b, with spread. Left: boxes are quartiles of patches, whiskers 5 to 95 %, "
    "marks means with intervals over pictures. Right: at which sizes the contrast lies. What to notice: the "
    "boxes overlap widely, and the lines on the right cross. "
    + plots.source_note(list(surveyed.values()), scale),
)

# %% [markdown]
# ## Where do networks turn?
#
# Now the other half: how fast removal of unseen rain declines with *N*. As in the paper, each line is divided by its own value at the smallest *N*.

# %% tags=["hide-input"]
figure, pair = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True)
for axes, measure in zip(pair, ("e_r", "contrast"), strict=True):
    for name, sweep in trained.items():
        values = [claims.mean(records, "unseen", measure).value for records in sweep.values()]
        axes.plot(list(sweep), np.divide(values, values[0]), label=name,
                  color=plots.CATEGORY_COLOUR[name], marker=plots.CATEGORY_MARKER[name])
    plots.axis_of_counts(axes, setting.coarse_counts)
pair[0].set_ylabel(f"relative to N = {few}")
pair[0].set_title("E_R")
pair[1].set_title("contrast gain")
pair[0].legend()

# %% tags=["hide-input"]
def kept(name, measure="e_r"):
    """The share of removal at the smallest N that is left at the largest."""
    ends = [claims.mean(trained[name][n], "unseen", measure).value for n in (many, few)]
    return ends[0] / ends[1]


networks = [found[e] for part in sweeps.values() for e in part]
plots.chart(
    figure,
    alt=f"E_R at N = {many} relative to {few}: " + ", ".join(f"{n} {kept(n):.2f}" for n in trained),
    caption="The 2026 paper's Fig. 9a with three values of N. What to notice: which category declines "
    f"most, and whether the contrast gain declines as well. {plots.source_note(networks, scale)}",
)

# %% [markdown]
# ## Do the two orders agree?
#
# Rank the four categories by complexity, and by how far removal declines. **Kendall's tau** counts pairs: it is 1 if all six pairs
# are in the same order, -1 if all are the other way round. The interval resamples pictures, both those surveyed and those tested on. Four categories can never tell much: by chance alone,
# one order in 24 agrees perfectly.


# %%
def decline(name, draw):
    """The share of E_R lost from few to many patches, test pictures redrawn."""
    ends = [trained[name][n] for n in (few, many)]
    a, b = (
        claims.per_image(end, "unseen", "e_r").mean(axis=0) for end in ends
    )
    chosen = draw.integers(len(a), size=len(a))
    return 1 - b[chosen].mean() / a[chosen].mean()


# %%
values = [
    claims.by_picture(r, claims.structure(r)) for r in surveyed.values()
]


def redrawn_tau(draw):
    """Kendall's tau between complexity and decline, all pictures redrawn."""
    complexities = [draw.choice(v, len(v)).mean() for v in values]
    declines = [decline(name, draw) for name in trained]
    return stats.kendalltau(complexities, declines).statistic


draw = np.random.default_rng(0)
low, high = np.nanquantile(
    [redrawn_tau(draw) for _ in range(500)], [0.025, 0.975]
)

# %% tags=["hide-input"]
declines = {name: 1 - kept(name) for name in trained}
tau = stats.kendalltau([means[n].value for n in trained], list(declines.values())).statistic
rows = ["| category | complexity C | E_R lost | place in the paper |", "|---|---|---|---|"]
places = dict(faces=1, natural=2, comics=3, urban=4)
for name in sorted(trained, key=lambda n: -means[n].value):
    rows.append(f"| {name} | {means[name].text(4)} | {declines[name]:.0%} | {places[name]} |")
Markdown(
    "\n".join(rows)
    + f"\n\nKendall's tau: **{tau:.2f}**, 95 % interval from {low:.2f} to {high:.2f}."
)

# %% [markdown]
# ### At which scale?
#
# *C* adds up all scales. A rain streak is a few pixels wide, so perhaps only structure of that size competes with it. Here is the
# same comparison for each *C_k* alone, and for sharpness (chapter 6). We looked at this *after* seeing the charts, so take it as a
# question for the next experiment, not as a test.

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
    f"most. Measures that put all four in the order of the decline: **{', '.join(agreeing) or 'none'}**."
)

# %% [markdown]
# ## What we found

# %% tags=["hide-input"]
table = ledger.table(setting).set_index("claim")
order = " > ".join(sorted(means, key=lambda n: -means[n].value))
lines = [f"- Our order of complexity: **{order}**. The paper's: faces > natural > comics > urban."]
for claim in ("complexity-order", "category-order"):
    row = table.loc[claim]
    lines.append(f"- *{row.says}* Verdict: **{row.verdict}**. Here: {row.ours}.")
Markdown("\n".join(lines))

# %% [markdown]
# Three things to keep in mind before reading much into either order.
#
# - *C* is contrast. An order of categories by *C* is an order by how bright and dark their pictures are, and a scanner's or a painter's choice of
#   tones moves it.
# - Our pictures are not the paper's. Its comics are inked pages of Manga109, ours are painted; its faces are photographs in
#   front of anything, ours are official portraits, one like the other.
# - A category with few pictures repeats itself: our comics come from a few dozen pages, so that 512 patches of them are less than 512 different patches.

# %% [markdown]
# ## Try it
#
# 1. Halve the contrast of a patch (`patch // 2 + 64`). What happens to *C*? Is the picture any simpler for a network?
# 2. A fairer measure might divide *C_k* by the variance. Compute the share of *C_0* and *C_1* in *C* for each category from the records. Which order do you get?
#
# <details><summary>Thoughts on 1</summary>
#
# *C* falls to a quarter, since variance goes with the square of contrast. A network can undo the change with a single multiplication, so for it the picture is hardly simpler.
# A measure of what is hard to *learn* should not change at all.
#
# </details>

# %% tags=["hide-input"]
plots.sources("2026: Fig. 3a, 9; 2023: Fig. 2a, 6", ["complexity.py", "claims.py", "ledger.py"])
