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
# # Fewer backgrounds
#
# **How many pictures does it take before a network stops learning pictures and learns the rain?**
#
# A network sees a sum, picture plus rain, and must take it apart. It can get there by knowing pictures or by
# knowing the rain. The papers' most surprising experiment changes nothing but the number *N* of clean patches that the
# training rain falls on. With 8 patches, unseen rain is removed; with more, less and less of it; at 256, removal has all but
# collapsed, and 30,000 patches do not bring it back (2026 paper, Sec. 4.1.1, Fig. 4). They see this with faces, natural pictures,
# comics and buildings, and with three kinds of network.
#
# The price is paid in the background: with 8 patches the network paints poorly, with 256 it paints well (Sec. 4.2, Fig. 10).
#
# **Make a prediction.** In a network's training, the *first* steps must be about something, too. Does a network with many backgrounds
# begin as one that knows pictures, or as one that knows rain? In other words: could one get the good of few backgrounds by
# stopping early?

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
from IPython.display import Markdown

from rainlens import claims, evaluation, images, ledger, models, plots
from rainlens.experiments import run, scale_named

plots.use_style()
setting = scale_named(scale)

# %% [markdown]
# ## The experiments
#
# Four categories, three networks, and a few values of *N*; for natural pictures and the ResNet all
# of them, for the other two networks the smallest and the largest. The training rain is of the medium range throughout, and every network is trained for the same number of
# steps. Test pictures are of the category that was trained on, but other pictures; the test rain is one that no
# network has seen.

# %% tags=["grid"]
fine = setting.sweep(rain="medium")
coarse = {
    (network, category): setting.sweep(
        True, model=network, backgrounds=category
    )
    for network, category in ledger.SWEEPS
}
grid = [*fine, *(e for part in coarse.values() for e in part)]

# %%
found = dict(
    zip(grid, run(grid, setting, recompute=recompute), strict=True)
)
natural = claims.by_count(fine, found)
sweeps = {key: claims.by_count(part, found) for key, part in coarse.items()}
few, many = setting.coarse_counts[0], setting.coarse_counts[-1]
most = setting.patch_counts[-1]
trained = {record.name: record for record in found.values()}
print(f"{len(trained)} networks, {fine[0].iterations:,} steps each")

# %% [markdown]
# **ResNet** works at full resolution, block after block. **UNet** halves the picture and doubles it again, with skips
# across. **SwinIR** is a transformer: its windows of 8x8 pixels look at themselves, and every other layer shifts them.

# %% tags=["hide-input"]
rows = ["| network | options | numbers to learn | seeds |", "|---|---|---|---|"]
for network in ledger.NETWORKS:
    part = coarse[network, "natural"]
    options = dict(part[0].options)
    size = models.count_parameters(models.build(network, **options))
    told = ", ".join(f"{key} {value}" for key, value in options.items())
    seeds = len({e.seed for e in part})
    rows.append(f"| {plots.NETWORK_NAME[network]} | {told} | {size:,} | {seeds} |")
Markdown("\n".join(rows))

# %% [markdown]
# ## What the outputs look like
#
# First the eye. The rain below is the embedded streaks, which no network has met. Few backgrounds on the left, many on the right.


# %% tags=["hide-input"]
def row_of_outputs(category, index=0):
    """Outputs for growing N of one picture; rainy and clean where the picture is at hand."""
    part = [e for e in coarse["resnet", category] if e.seed == setting.seeds[0]]
    tiles = [
        (setting.store.picture(found[e], "shown_unseen", index), f"N = {e.patches}") for e in part
    ]
    test = claims.test_set(found[part[0]], "shown_unseen")
    if images.is_available(test.backgrounds):
        rainy, clean = (pictures[index] for pictures in evaluation.load(test))
        tiles = [(rainy, "rainy"), *tiles, (clean, "clean")]
    return tiles


# %% tags=["hide-input"]
tiles = [tile for name in ("natural", "faces", "comics") for tile in row_of_outputs(name)]
one_seed = [found[e] for e in coarse["resnet", "natural"] if e.seed == setting.seeds[0]]
plots.gallery(
    tiles,
    alt="Rainy pictures, outputs of networks trained with few and many patches, and the clean picture",
    caption="Each row: a ResNet trained on pictures of that kind (photographs, portraits, painted "
    "comics). What to notice: where the streaks are weakest, and what the picture has lost there. "
    "Photograph from scikit-image, official portrait (public domain), comic by David Revoy "
    "(CC BY 4.0). " + plots.source_note(one_seed, scale),
    columns=len(one_seed) + 2,
)

# %% [markdown]
# ## Removal against N
#
# Now the paper's measure. **E_R** says how much the network changed where it rains: 0 if it left the rain alone.
# The dashed line is what removing the rain exactly would give. Above it a network takes away more than the rain, picture
# included (chapter 2).


# %% tags=["hide-input"]
def panels(measure, label):
    """One panel a category, one line a network."""
    figure, pairs = plt.subplots(2, 2, figsize=(8, 6), sharex=True, sharey=True)
    for axes, category in zip(pairs.flat, ledger.CATEGORIES, strict=True):
        for network in [n for n, c in ledger.SWEEPS if c == category]:
            name = plots.NETWORK_NAME[network]
            style = dict(colour=plots.NETWORK_COLOUR[network], marker=plots.NETWORK_MARKER[network])
            plots.sweep(axes, sweeps[network, category], "unseen", measure, label=name, **style)
        plots.axis_of_counts(axes, setting.coarse_counts)
        axes.set_title(category)
    for axes in pairs[0]:
        axes.set_xlabel("")
    figure.supylabel(label, fontsize=11)
    pairs[0, 0].legend()
    return figure, pairs


# %% tags=["hide-input"]
def in_words(measure):
    """The ends of each ResNet line, for those who cannot see the chart."""
    ends = []
    for category in ledger.CATEGORIES:
        sweep = sweeps["resnet", category]
        a, b = (claims.mean(sweep[n], "unseen", measure).value for n in (few, many))
        ends.append(f"{category} {a:.1f} to {b:.1f}")
    return f"ResNet from N = {few} to {many}: " + ", ".join(ends)


note = plots.source_note(list(trained.values()), scale)

# %% tags=["hide-input"]
figure, pairs = panels("e_r", "E_R on unseen rain (grey levels)")
for axes, category in zip(pairs.flat, ledger.CATEGORIES, strict=True):
    exact = claims.mean(sweeps["resnet", category][few], "unseen", "exact_e_r").value
    plots.reference_line(axes, exact, "exact removal", below=True)
plots.chart(
    figure,
    alt=f"E_R against N in four categories. {in_words('e_r')}",
    caption="The 2026 paper's Fig. 4. Bands are 95 % bootstrap intervals over test pictures, small "
    f"marks single seeds. What to notice: do all lines fall, and how far below exact removal? {note}",
)

# %% [markdown]
# E_R counts every change. So here is the **contrast gain** as well: how much of the difference between strong and weak rain is
# gone. It does not move when all of the rainy region gets darker.

# %% tags=["hide-input"]
figure, _ = panels("contrast", "contrast gain on unseen rain")
plots.chart(
    figure,
    alt=f"Contrast gain against N in four categories. {in_words('contrast')}",
    caption="The same networks. What to notice: where this tells another story than E_R, the few "
    f"backgrounds owe their lead to darkening. {note}",
)

# %% [markdown]
# ## The price: background against N
#
# **E_B** is the error where it does *not* rain: here nothing had to be done.

# %% tags=["hide-input"]
figure, _ = panels("e_b", "E_B on unseen rain (grey levels)")
plots.chart(
    figure,
    alt=f"E_B against N in four categories. {in_words('e_b')}",
    caption="The 2026 paper's Fig. 10. Lower is better. What to notice: how much of the fall comes "
    f"early. {note}",
)

# %% [markdown]
# ## Is it a collapse?
#
# For natural pictures and the ResNet, all *N*. The paper's sentence has two halves: that removal at *N* = 256 is a small part of that at
# *N* = 8, and that more backgrounds change nothing after that.

# %% tags=["hide-input"]
figure, pair = plt.subplots(1, 2, figsize=(9, 3.6))
shown = dict(colour=plots.CATEGORY_COLOUR["natural"], label="natural, ResNet")
for axes, measure in zip(pair, ("gain", "e_b"), strict=True):
    plots.sweep(axes, natural, "unseen", measure, **shown)
    plots.axis_of_counts(axes, setting.patch_counts)
    axes.tick_params("x", labelrotation=45)
plots.reference_line(pair[0], 1, "as much as the rain", below=True)
pair[0].set_ylim(bottom=0)
pair[1].set_ylim(bottom=0)
pair[0].set_ylabel("removal gain, unseen rain")
pair[1].set_ylabel("E_B (grey levels)")
# %% tags=["hide-input"]
ends = [claims.mean(natural[n], "unseen", "gain").value for n in (setting.patch_counts[0], most)]
plots.chart(
    figure,
    alt=f"Removal gain from {ends[0]:.2f} at the fewest to {ends[1]:.2f} at the most backgrounds",
    caption="Both axes begin at zero, so that a collapse would look like one. What to notice: "
    f"which of the two falls further. {plots.source_note(sum(natural.values(), []), scale)}",
)

# %% [markdown]
# ## When does a network turn?
#
# The number of backgrounds is one way to keep a network from learning the rain too well. Time may be another. Left: the contrast gain
# on unseen rain along training, for few, some, and many backgrounds. Before the first hundred steps the output is
# hardly a picture, so that the curves begin after that.
#
# Right: the same training as a path. Each dot is a moment; up is rain removed, left is background kept. A network that is trained
# walks to the left. What matters is how high it still is at a given damage.

# %%
some = sorted(
    {setting.patch_counts[0], 64, 256, most} & set(setting.patch_counts)
)
colours = dict(zip(some, plots.FEW_TO_MANY, strict=False))


def path(count, curve):
    """A training curve, the mean over seeds, without the untrained point."""
    return np.mean(
        [record.curves[curve][1:] for record in natural[count]], axis=0
    )


# %% tags=["hide-input"]
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4))
for count, colour in colours.items():
    style = dict(color=colour, marker="o", markersize=3.5, label=f"N = {count:,}")
    plots.training_curves(left, natural[count], "unseen/contrast", **style)
    right.plot(path(count, "unseen/e_b"), path(count, "unseen/contrast"), **style)
    right.plot(path(count, "unseen/e_b")[-1], path(count, "unseen/contrast")[-1],
               marker="*", markersize=14, color=colour, markeredgecolor="white")
left.set_ylabel("contrast gain on unseen rain")
right.set_xlabel("E_B on unseen rain (grey levels)")
left.legend(ncols=2)

# %% tags=["hide-input"]
last = {n: path(n, "unseen/contrast")[-1] for n in some}
peak = {n: path(n, "unseen/contrast").max() for n in some}
told = ", ".join(f"N = {n} from {peak[n]:.2f} at best to {last[n]:.2f}" for n in some)
plots.chart(
    figure,
    alt=f"Contrast gain along training and against E_B: {told}",
    caption="Stars mark the end of training. What to notice: read the right chart along a vertical "
    "line, at one amount of damage. 16 test pictures, means over seeds. "
    f"{plots.source_note([r for n in some for r in natural[n]], scale)}",
)

# %% [markdown]
# Where does the contrast gain peak, and what is left of it at the end?

# %% tags=["hide-input"]
rows = ["| N | peak at step | contrast gain there | at the end | E_B at the peak | at the end |"]
rows.append("|" + "---|" * 6)
steps = natural[some[0]][0].curves["iteration"][1:]
for count in natural:
    contrast, damage = path(count, "unseen/contrast"), path(count, "unseen/e_b")
    top = int(contrast.argmax())
    rows.append(f"| {count:,} | {steps[top]:,} | {contrast[top]:.2f} | {contrast[-1]:.2f} "
                f"| {damage[top]:.1f} | {damage[-1]:.1f} |")
Markdown("\n".join(rows))

# %% [markdown]
# ### Is "fewer backgrounds" the same as "stop earlier"?
#
# Take the damage E_B that the network with the fewest backgrounds ends with. Stop the network with the most backgrounds when it comes down to
# just that damage. Which of the two has removed more of the unseen rain?

# %%
comparisons = []
for ours, theirs in zip(natural[some[0]], natural[most], strict=True):
    damage = ours.curves["unseen/e_b"][-1]
    moment = claims.first_below(theirs, "unseen/e_b", damage)
    stopped = claims.at(theirs, "unseen/contrast", moment)
    comparisons.append(
        (damage, moment, ours.curves["unseen/contrast"][-1], stopped)
    )

# %% tags=["hide-input"]
head = f"| seed | E_B | N = {most:,} stopped at step | its contrast gain | N = {some[0]}, trained to the end |"
rows = [head, "|---|---|---|---|---|"]
for seed, (damage, moment, few_end, stopped) in zip(setting.seeds, comparisons, strict=True):
    when = "never" if np.isnan(moment) else f"{moment:.0f}"
    rows.append(f"| {seed} | {damage:.1f} | {when} | {stopped:.2f} | {few_end:.2f} |")
better = [stopped > few_end for _, _, few_end, stopped in comparisons]
same = f"In {sum(better)} of {len(better)} seeds the early stop removes more at the same damage."
Markdown("\n".join(rows) + f"\n\n{same}")

# %% [markdown]
# For a practitioner this is the question to ask of "train on less": is the gain in removal worth its damage, *compared with
# other ways to trade the one for the other*? Stopping early costs nothing to try, since a training run passes all of these points
# anyway. One caution: the learning rate of these runs falls to zero at the end, so that a run that was planned to be short is not the same
# as a long one cut short.

# %% [markdown]
# ## What we found

# %% tags=["hide-input"]
words = ("rises", "falls", "does not clearly change")
lines = []
for network in ledger.NETWORKS:
    told = []
    for measure, name in (("e_r", "E_R"), ("contrast", "contrast gain"), ("e_b", "E_B")):
        counts = {}
        for category in [c for n, c in ledger.SWEEPS if n == network]:
            sweep = sweeps[network, category]
            change = claims.difference(sweep[many], sweep[few], "unseen", measure)
            counts.setdefault(claims.direction(change, *words), []).append(category)
        told.append(f"{name} " + "; ".join(f"{w} for {', '.join(c)}" for w, c in counts.items()))
    lines.append(
        f"- **{plots.NETWORK_NAME[network]}**, from N = {few} to {many}: {'. '.join(told)}."
    )
Markdown("\n".join(lines))

# %% tags=["hide-input"]
table = ledger.table(setting).set_index("claim")
lines = []
for claim in ("fewer-backgrounds", "collapse", "reconstruction"):
    row = table.loc[claim]
    lines.append(f"- *{row.says}* Verdict: **{row.verdict}**.")
Markdown("The claims of the papers that this chapter can judge (chapter 15 has the numbers):\n\n"
         + "\n".join(lines))

# %% [markdown]
# A collapse needs a network that has learned the training rain *well*, and that takes time: ours stop after a small part of the papers'
# 250,000 steps. The charts above are the beginning of the story that the papers tell to its end.

# %% [markdown]
# ## Try it
#
# 1. Draw the curves of *training* rain ("seen/contrast") into the left chart of "When does a network turn?". Do they fall, too?
# 2. Train a network with 512 backgrounds for a third of the steps: `setting.experiment(patches=512, iterations=setting.iterations // 3)`. Where does
#    it end in the right chart?
# 3. Which *N* would you choose for a customer whose rain you do not know? Which further measurement would you ask for?
#
# <details><summary>Thoughts on 3</summary>
#
# It depends on what is worse, a streak that stays or a face that is smeared, so ask that first. Then ask for a few pictures of the
# customer's rain: even unpaired ones show whether streaks stay. And look at the whole path, not at the end: choosing the moment is free.
#
# </details>

# %% tags=["hide-input"]
plots.sources(
    "2026: Fig. 4, 10; 2023: Fig. 4, 7",
    ["experiments.py", "claims.py", "models/unet.py", "models/swinir.py"],
)
