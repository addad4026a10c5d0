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
# # 1. Unseen rain
#
# **Does a network that wipes away one kind of rain leave another kind alone, and why?**
#
# A deraining network gets a rainy photograph and has to return the same photograph without the
# rain. On the rain it was trained with, it does this well. On other rain, which we still recognise as rain
# at once, it does worse, often by much, say the two papers behind this book. They see the cause not mainly in too
# few pictures or too small a network: the network has learnt *the rain*, because that was easier
# than learning *the pictures*. This chapter shows the *what*. The *why* begins in chapter 3.
#
# **Make a prediction before you scroll.** We train one network on 512 small photographs and another
# on only 8, both under the same rain. Then both meet rain they have never seen. Which one
# removes more of it?

# %% [markdown] tags=["colab"]
# [Open this chapter in Colab](https://colab.research.google.com/github/rainlens/rainlens/blob/main/notebooks/01_unseen_rain.ipynb)

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
from pprint import pprint

import matplotlib.pyplot as plt
import torch
from IPython.display import Markdown

from rainlens import estimates, evaluation, images, plots, rain
from rainlens.randomness import generator
from rainlens.running import run
from rainlens.scales import scale_named

plots.use_style()
setting = scale_named(scale)

# %% [markdown]
# ## A rainy picture is a sum
#
# The papers add rain to a clean picture:
#
# $$I = B + R \tag{1.1}$$
#
# *B* is the background, *R* the rain layer
# (grey, 0 where it does not rain), and the sum *I* is cut off at white. The advantage of rain made this way is that
# we know *B* and *R* exactly, so we can measure what a network did to each of them.
#
# Training rain comes from a recipe in five steps, shown on a photograph that
# no network in this chapter is trained on.

# %%
photograph = images.load(images.names("embedded", "test")[0])
clean = images.to_unit(photograph)[None]  # (1, 3, height, width)
clean = clean[:, :, 20:276, 100:356]  # (1, 3, 256, 256)
source = generator(seed=4, purpose="chapter 1")
medium = rain.RANGES["medium"]
medium

# %% [markdown]
# **Step 1: drops.** Every pixel draws a number between 0 and 256. Only those above
# 256 - quantity / 100 survive, about one pixel in a hundred. The *quantity* is the recipe's word for how much it rains: the higher, the more
# drops. **Step 2** softens these dots a little
# (it happens together with step 4 below).

# %%
canvas = 320, 320  # larger than the picture: its border is not special
noise = rain.sparse_noise(torch.tensor([250.0]), canvas, source)
print(f"{(noise > 0).float().mean():.2%} of the pixels are drops")

# %% [markdown]
# **Step 3: a motion-blur kernel**, the picture of one smeared drop. A falling drop draws a line while the shutter is
# open. The line has a length, a thickness and a direction.

# %%
length, width = torch.tensor([36]), torch.tensor([7])
direction = torch.tensor([20.0])  # degrees
kernel = rain.motion_kernels(length, width, direction)
print(f"a kernel of {tuple(kernel.shape[1:])} pixels, tilted")

# %% [markdown]
# **Steps 4 and 5: smear and stretch.** Each drop becomes a copy of the kernel, and the darkest and
# the brightest value are moved to 0 and 1. The layer is cropped to the picture and added.

# %% tags=["hide-input"]
layer = rain.smear(noise, kernel)[:, None, :256, :256]
rainy = rain.add_rain(clean, layer)

# %% tags=["hide-input"]
plots.gallery(
    [
        (noise[:, :256, :256] / 256, "1. drops"),
        (plots.enlarge(kernel / kernel.max(), 7)[:, :256, :256], "3. kernel, enlarged 7 times"),
        (layer[0], "4, 5. rain layer R"),
        (clean[0], "background B"),
        (rainy[0], "rainy picture I = B + R"),
    ],
    alt="The steps of the rain recipe, from dots to a photograph of a cat in the rain",
    caption="The recipe of the training rain after steps 1, 3 and 5. The papers name the method "
    "and give its parameters (2026 paper, Sec. 3.1.2, Table 1). What to notice: the layer is no "
    "longer made of dots; it covers nearly everything. Photograph: Chelsea, from scikit-image. "
    + plots.drawn_here(),
)

# %% [markdown]
# ## Three ranges to train on
#
# The more varied the rain, the harder it is to learn, the papers hold. They define three ranges of the
# recipe's parameters.

# %%
rows = [
    f"| {r.name} | {list(r.quantity)} | {', '.join(map(str, r.width))} | "
    f"{list(r.length)} | {list(r.direction)} |"
    for r in rain.RANGES.values()
]
head = "| range | quantity | width | length | direction (degrees) |\n"
Markdown(head + "|---|---|---|---|---|\n" + "\n".join(rows))

# %%
layers = {
    name: rain.synthesize(2, (192, 192), r, source)
    for name, r in rain.RANGES.items()
}

# %% tags=["hide-input"]
plots.gallery(
    [(layers[name][i], f"{name} range") for i in range(2) for name in layers],
    alt="Two rain layers of each training range: nearly parallel, tilted, and in all directions",
    caption="What to notice: small-range layers are all alike, large-range layers differ in "
    "direction, length and thickness (2026 paper, Fig. 3b and Table 1). " + plots.drawn_here(),
)

# %% [markdown]
# ## Rain to be tested on
#
# The test rain must come from somewhere else, or we would only test memory. The papers use
# **Rain100L**, a public set of 100 rainy pictures, and so do the records that come with this book. Its
# pictures may not be redistributed, so what you *see* here is a third kind of rain that we draw ourselves, the **embedded streaks**: single
# thin streaks, line by line. No step of it is shared with the recipe above.

# %% tags=["hide-input"]
streaks = rain.draw_streaks(1, (256, 256), source)
streaky = rain.add_rain(clean, streaks)
covered = [f"{(drawn > 10 / 255).float().mean():.0%}" for drawn in (layer, streaks)]
plots.gallery(
    [(layer[0], "training rain"), (rainy[0], "... on the cat"),
     (streaks[0], "embedded streaks"), (streaky[0], "... on the cat")],
    alt="Dense soft training rain beside sparse sharp streaks, each alone and on a photograph",
    caption="We call both rain (2026 paper, Fig. 1). As signals they differ: this training rain of "
    f"the medium range is brighter than 10 of 255 grey levels on {covered[0]} of its layer, these "
    f"streaks on {covered[1]}. What to notice: soft and dense "
    "against sharp and sparse. Photograph: Chelsea, from scikit-image. " + plots.drawn_here(),
    columns=4,
)

# %% [markdown]
# ## Two networks
#
# Now the experiment of the prediction. The photographs are cut into *patches*, small squares; *N* counts those that a
# network is trained on. Both networks take the same number of steps and see the same number of rainy patches, each
# with rain that never fell before. They differ only in how many clean patches lie underneath: fewer
# backgrounds do not mean less training.
#
# A *seed* starts the random numbers: it decides the first weights, which patches are used, and every rain layer.
# An experiment is a value that says everything: the network, *N*, the rain, the length of training. `run` looks for its record
# and computes it only if there is none.

# %% tags=["grid"]
grid = [
    setting.experiment(degradation="small", patches=count, seed=seed)
    for count in (8, 512)
    for seed in setting.seeds
]

# %%
records = run(grid, setting, recompute=recompute)
few, many = (
    [r for r in records if r.experiment["patches"] == count]
    for count in (8, 512)
)

# %% tags=["hide-input"]
unseen = estimates.rain_name(records[0], "unseen")
gap, contrast, cost = (
    estimates.difference(few, many, "unseen", m) for m in ("gain", "contrast", "e_b")
)
words = ("8 backgrounds", "512 backgrounds", "neither clearly")
taken = [estimates.mean(group, "unseen", "gain").value for group in (few, many)]
measured = (
    f"Where it rains, 8 backgrounds take away {taken[0]:.2f} times the rain, 512 take "
    f"{taken[1]:.2f}. Above 1, some of it was picture; below 1 some may be. By how much is taken, "
    f"ahead: {estimates.direction(gap, *words)}. By the contrast of the streaks: "
    f"{estimates.direction(contrast, *words)}."
)
# %% tags=["hide-input"]
named = [estimates.direction(estimate, *words[:2], "about the same") for estimate in (gap, contrast)]
right = ("No: neither measure says so.", "Open: one of two measures says so. How much of what is "
         "taken is rain, this chapter cannot say.", "Right: both measures say so.")
replies = {
    choice: f"{right[named.count(choice)]} {measured}" for choice in (*words[:2], "about the same")
}

# %% tags=["hide-input"]
figure, pair = plt.subplots(1, 2, figsize=(6, 2.2), sharey=True)
labels = {"gain": "removal gain", "contrast": "contrast gain"}
for axes, (measure, label) in zip(pair, labels.items(), strict=True):
    for place, group in enumerate((many, few)):
        mean = estimates.mean(group, "unseen", measure)
        axes.plot([mean.low, mean.high], [place, place], color=plots.INK)
        axes.plot(mean.value, place, "o", color=plots.INK)
    axes.set(yticks=[0, 1], yticklabels=["N = 512", "N = 8"], ylim=(-0.6, 1.6), xlabel=label)
    axes.set_xlim(left=0)

# %% tags=["hide-input"]
shown = plots.chart(
    figure, alt=f"Removal and contrast gain on {unseen} for both networks. {measured}",
    caption=f"Two measures of removal on {unseen}, explained below: 0 is nothing, 1 is as much as "
    "the rain. Bars are 95 % intervals: about 95 of 100 such bars contain the true mean, over other "
    "test pictures and other seeds. What to notice: whether the two measures "
    f"name the same network. The papers have no such figure. {plots.source_note(records, scale)}",
)
plots.guess("Which network removes more of rain it has never seen?", replies, shown)

# %% [markdown]
# One of these experiments, in full. It prints as the code that makes it.

# %% tags=["hide-output"]
pprint(grid[0], width=90)

# %% [markdown]
# First the rain they know. Both networks meet small-range rain on photographs that neither has
# been trained on.


# %% tags=["hide-input"]
def show(kind, alt, caption):
    """Rainy, both networks' outputs and truth for the shown test set of that kind."""
    rainy, clean = evaluation.load(grid[0].test(kind))
    tiles = []
    for i in range(len(rainy)):
        outputs = [setting.store.picture(group[0], kind, i) for group in (few, many)]
        tiles += [(rainy[i], "rainy"), (outputs[0], "N = 8"), (outputs[1], "N = 512")]
        tiles += [(clean[i], "clean")]
    note = plots.source_note(few[:1] + many[:1], scale)
    credit = "Photographs: Chelsea and Coffee, from scikit-image."
    return plots.gallery(tiles, alt=alt, caption=f"{caption} {credit} {note}", columns=4)


# %% tags=["hide-input"]
show(
    "shown_seen",
    alt="A cat and a cup of coffee under dense soft rain; after both networks; without rain",
    caption="Rain of the training kind. What to notice: where rain is left, and what "
    "happened to the colours with N = 8 (2026 paper, Fig. 4).",
)

# %% [markdown]
# Then the rain they do not know. Look at the streaks, not at the sharpness.

# %% tags=["hide-input"]
show(
    "shown_unseen",
    alt="The same two pictures under sharp thin streaks; after both networks; without rain",
    caption="Embedded streaks, which neither network was trained on. What to notice: in which "
    "output the streaks are fainter, and in which the picture is (2026 paper, Fig. 1 and 4).",
)

# %% [markdown]
# ## In numbers
#
# Chapter 2 derives the measures. For now: the **removal gain** is 0 if the rain was left alone, 1 if
# as much as the rain was taken away, and more if the network took more than the rain. The **contrast gain**
# says how much of the difference between strong and weak rain is gone; an equal darkening of all pixels does not
# change it. **E_B** is the typical error (root mean square) where it does not rain, on the scale from 0 to 255.
#
# The table is about many test pictures and all seeds; only its rows on the embedded streaks are about the two pictures
# above. In brackets: the 95 % interval. A seed also draws the backgrounds, and with few of them and few seeds the interval is wide.

# %% tags=["hide-input"]
def cell(group, test, measure, digits=2):
    """A mean with its interval; two pictures are too few for one."""
    estimate = estimates.mean(group, test, measure)
    return f"{estimate.value:.{digits}f}" if test == "shown_unseen" else estimate.text(digits)


# %% tags=["hide-input"]
streaks = "embedded streaks (the pictures above)"
tests = {"seen": "small-range rain", "unseen": unseen, "shown_unseen": streaks}
rows = []
for name, group in (("8", few), ("512", many)):
    for test, rain_name in tests.items():
        cells = [cell(group, test, m) for m in ("gain", "contrast")] + [cell(group, test, "e_b", 1)]
        rows.append(f"| {name} | {rain_name} | {' | '.join(cells)} |")
Markdown(
    "| N | tested on | removal gain | contrast gain | damage E_B |\n|---|---|---|---|---|\n"
    + "\n".join(rows)
    + "\n\n"
    + f"Means with 95 % intervals over seeds and test pictures. {plots.source_note(records, scale)}"
)

# %% [markdown]
# ## What we found

# %% tags=["hide-input"]
known, other = (estimates.mean(many, test, "contrast") for test in ("seen", "unseen"))
pictures = [estimates.mean(group, "shown_unseen", "contrast").value for group in (few, many)]
words = ("more", "less", "neither clearly more nor clearly less")
told = [estimates.direction(estimate, *words) for estimate in (gap, contrast)]
cover, strength = (
    [estimates.mean(many, test, m).value for test in ("unseen", "shown_unseen")]
    for m in ("coverage", "exact_e_r")
)
so = "less of unseen rain than of known rain" if other.value < known.value else "both alike"

# %% tags=["hide-input"]
Markdown(
    f"**The network with 512 backgrounds removes {so}.** Of the contrast of known rain, "
    f"{known.value:.0%} is gone, of that of {unseen} {other.value:.0%}. The two rains are not equally hard, so "
    "only a comparison of networks tells more.\n\n**Was your prediction right?** 8 backgrounds "
    f"take away **{told[0]}** than 512: {taken[0]:.2f} against {taken[1]:.2f}. Above 1, some of it "
    f"was picture; below 1 some may be. By the contrast gain on {unseen}, they "
    f"remove **{told[1]}** ({contrast}). On the embedded streaks it is "
    f"{pictures[0]:.2f} against {pictures[1]:.2f}, of two pictures alone. These "
    f"pictures need not look like the numbers of {unseen}: their streaks, drawn anew, change "
    f"{cover[1]:.0%} of a picture, by {strength[1]:.0f} grey levels (root mean square), those of "
    f"{unseen} {cover[0]:.0%}, by {strength[0]:.0f}."
)

# %% tags=["hide-input"]
Markdown(
    "**The price.** With 8 backgrounds, the damage to the background is "
    f"{estimates.direction(cost, 'larger', 'smaller', 'not clearly different')} (by {cost.text(1)} "
    "grey levels). So fewer pictures are not simply better, and how one measures decides what one "
    "sees. Chapter 2 is about measuring, chapter 3 about why."
)

# %% [markdown]
# ## Try it
#
# 1. Change `direction` and `length` of the kernel in step 3. Which settings could still be rain?
# 2. Train both networks for half as long: `setting.experiment(..., iterations=...)`. Does the gap
#    grow or shrink?
#
# <details><summary>Thoughts on 1</summary>
#
# A drop falls mostly downwards, wind tilts it, and the exposure sets the length. So 0 to about 45 degrees and a few to a few dozen pixels look
# like rain; lying lines look like scratches, and very short ones like snow. A network knows nothing of that: to it, each setting is one more
# pattern, near to the training rain or far from it.
#
# </details>
#
# <details><summary>A hint for 2</summary>
#
# An experiment is a frozen value, so change it with a keyword:
# `setting.experiment(degradation="small", patches=8, iterations=setting.iterations // 2)`, and hand a
# list of such values to `run`. New values have new keys, so no record is overwritten. To see how the gain changes along training,
# look at `record.curves["unseen/gain"]`. A run of half the
# length is not the first half of the long one, because its learning rate falls to zero sooner.
#
# </details>

# %% tags=["hide-input"]
plots.sources(
    "2026: Fig. 1 to 3, Table 1; 2023: Fig. 1 to 3, Table 1",
    ["rain.py", "images.py", "tasks/restore.py"],
)
