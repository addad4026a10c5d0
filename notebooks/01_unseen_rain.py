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
# # Unseen rain
#
# **Why does a network that wipes away one kind of rain leave another kind alone?**
#
# A deraining network gets a rainy photograph and has to return the same photograph without the
# rain. On the rain it was trained with, it does this well. On other rain, which looks hardly
# different to us, it often does next to nothing. The two papers behind this book start from this
# failure. They claim that it is no lack of data and no lack of size: the network has learnt *the
# rain*, because that was easier than learning *the pictures*.
#
# **Make a prediction before you scroll.** We train one network on 512 small photographs and another
# on only 8, both under the same rain. Then both meet rain they have never seen. Which one
# removes more of it?

# %% tags=["parameters"]
scale = "cpu"  # smoke, cpu, gpu or paper
recompute = False

# %% tags=["setup"]
from pprint import pprint

import torch
from IPython.display import Markdown

from rainlens import claims, evaluation, images, plots, rain
from rainlens.experiments import run, scale_named
from rainlens.randomness import generator

plots.use_style()
setting = scale_named(scale)

# %% [markdown]
# ## A rainy picture is a sum
#
# The papers add rain to a clean picture: *I = B + R*. *B* is the background, *R* the rain layer
# (grey, 0 where it does not rain), and the sum *I* is cut off at white. The advantage of rain made this way is that
# we know *B* and *R* exactly, so we can measure what a network did to each of them.
#
# Training rain comes from a recipe in five steps. We take them one at a time, on a photograph that
# no network in this chapter is trained on.

# %%
photograph = images.load(images.names("embedded", "test")[0])
clean = images.to_unit(photograph)[None, :, 20:276, 100:356]  # (1, 3, 256, 256)
source = generator(seed=4, purpose="chapter 1")
medium = rain.RANGES["medium"]
medium

# %% [markdown]
# **Step 1: drops.** Every pixel draws a number between 0 and 256. Only those above
# 256 - quantity / 100 survive, about one pixel in a hundred. **Step 2** softens these dots a little
# (it happens together with step 4 below).

# %%
canvas = (320, 320)  # larger than the picture, so that the border is not special
noise = rain.sparse_noise(torch.tensor([250.0]), canvas, source)
print(f"{(noise > 0).float().mean():.2%} of the pixels are drops")

# %% [markdown]
# **Step 3: a motion-blur kernel.** A falling drop draws a line while the shutter is open. The line
# has a length, a thickness and a direction.

# %%
length, width, direction = torch.tensor([36]), torch.tensor([7]), torch.tensor([20.0])
kernel = rain.motion_kernels(length, width, direction)
print(f"a kernel of {tuple(kernel.shape[1:])} pixels, tilted by {direction.item():.0f} degrees")

# %% [markdown]
# **Steps 4 and 5: smear and stretch.** Each drop becomes a copy of the kernel, and the darkest and
# the brightest value are moved to 0 and 1. The layer is cropped to the picture and added.

# %% tags=["hide-input"]
layer = rain.smear(noise, kernel)[:, None, :256, :256]
rainy = rain.add_rain(clean, layer)
plots.gallery(
    [
        (noise[:, :256, :256] / 256, "1. drops"),
        (plots.enlarge(kernel / kernel.max(), 7)[:, :256, :256], "3. kernel, enlarged 7 times"),
        (layer[0], "4, 5. rain layer R"),
        (clean[0], "background B"),
        (rainy[0], "rainy picture I = B + R"),
    ],
    alt="The steps of the rain recipe, from dots to a photograph of a cat in the rain",
    caption="The recipe of the training rain (2026 paper, Sec. 3.1.2), a picture for each step. "
    "Photograph: Chelsea, from scikit-image.",
)

# %% [markdown]
# ## Three ranges to train on
#
# How varied the rain is decides how hard it is to learn. The papers define three ranges of the
# recipe's parameters.

# %%
rows = [
    f"| {r.name} | {list(r.quantity)} | {', '.join(map(str, r.width))} | {list(r.length)} "
    f"| {list(r.direction)} |"
    for r in rain.RANGES.values()
]
head = "| range | quantity | width | length | direction (degrees) |\n|---|---|---|---|---|\n"
Markdown(head + "\n".join(rows))

# %%
layers = {name: rain.synthesize(2, (192, 192), r, source) for name, r in rain.RANGES.items()}
plots.gallery(
    [(layers[name][i], f"{name} range") for i in range(2) for name in layers],
    alt="Two rain layers of each training range: nearly parallel, tilted, and in all directions",
    caption="What to notice: small-range layers are all alike, large-range layers differ in "
    "direction, length and thickness (2026 paper, Fig. 3b and Table 1).",
)

# %% [markdown]
# ## Rain to be tested on
#
# The test rain must come from somewhere else, or we would only test memory. The papers use
# **Rain100L**, a public set of 100 rainy pictures; so do our records. Its pictures may not be
# redistributed, so what you *see* here is a third kind of rain that we draw ourselves: single
# thin streaks, line by line. No step of it is shared with the recipe above.

# %% tags=["hide-input"]
streaks = rain.draw_streaks(1, (256, 256), source)
streaky = rain.add_rain(clean, streaks)
covered = {"training recipe, medium range": layer, "embedded streaks": streaks}
plots.gallery(
    [(layer[0], "training rain"), (rainy[0], "... on the cat"),
     (streaks[0], "unseen rain"), (streaky[0], "... on the cat")],
    alt="Dense soft training rain beside sparse sharp streaks, each alone and on a photograph",
    caption="To us both are rain. To a network they are two different signals: "
    + "; ".join(f"{k} covers {(v > 10 / 255).float().mean():.0%}" for k, v in covered.items())
    + " of the pixels (brighter than 10 grey levels of 255).",
    columns=4,
)

# %% [markdown]
# ## Two networks
#
# Now the experiment of the prediction. An experiment is a value that says everything: the network, the
# number *N* of training backgrounds, the rain, the length of training. `run` looks for its record
# and computes it only if there is none.

# %% tags=["grid"]
grid = [
    setting.experiment(rain="small", patches=count, seed=seed)
    for count in (8, 512)
    for seed in setting.seeds
]

# %%
records = run(grid, setting, recompute=recompute)
few, many = records[: len(records) // 2], records[len(records) // 2 :]

# %% [markdown]
# One of these values, in full. It prints as the code that makes it.

# %% tags=["hide-output"]
pprint(grid[0], width=90)

# %% [markdown]
# First the rain they know. Both networks meet small-range rain on photographs that neither has
# been trained on.


# %% tags=["hide-input"]
def show(kind, caption):
    """Rainy, both networks' outputs and truth for the shown test set of that kind."""
    test = next(t for t in setting.experiment(rain="small").tests if t.name == kind)
    rainy, clean = evaluation.load(test)
    tiles = []
    for i in range(len(rainy)):
        outputs = [setting.store.picture(group[0], kind, i) for group in (few, many)]
        tiles += [(rainy[i], "rainy"), (outputs[0], "N = 8"), (outputs[1], "N = 512")]
        tiles += [(clean[i], "clean")]
    note = plots.source_note(few[:1] + many[:1], scale)
    return plots.gallery(tiles, alt=caption, caption=f"{caption} {note}", columns=4)


show("shown_seen", "Rain of the training kind, before and after.")

# %% [markdown]
# Then the rain they do not know. Look at the streaks, not at the sharpness.

# %%
show("shown_unseen", "Embedded streaks, which neither network was trained on.")

# %% [markdown]
# ## The same in numbers
#
# Chapter 2 derives the measures. For now: the **removal gain** is 0 if the rain was left alone, 1 if
# exactly the rain was taken away, and more if the network took more than the rain. The **contrast gain**
# looks at the streaks alone and ignores a general darkening. **E_B** is the damage where it
# does not rain, in grey levels of 255.

# %% tags=["hide-input"]
unseen = evaluation.RAIN_NAMES[records[0].experiment["tests"][0]["rain"]]
rows = []
for name, group in (("8", few), ("512", many)):
    for test, said in (("seen", "small-range rain"), ("unseen", unseen)):
        gain, contrast = (claims.mean(group, test, measure) for measure in ("gain", "contrast"))
        damage = claims.mean(group, test, "e_b").text(1)
        rows.append(f"| {name} | {said} | {gain} | {contrast} | {damage} |")
Markdown(
    "| N | tested on | removal gain | contrast gain | damage E_B |\n|---|---|---|---|---|\n"
    + "\n".join(rows)
    + "\n\n"
    + f"Means with 95 % bootstrap intervals over test pictures. {plots.source_note(records, scale)}"
)

# %% [markdown]
# ## What we found

# %% tags=["hide-input"]
known, other = (claims.mean(many, test, "contrast") for test in ("seen", "unseen"))
gap, contrast, cost = (
    claims.difference(few, many, "unseen", m) for m in ("gain", "contrast", "e_b")
)
Markdown(
    f"With 512 backgrounds the network wipes out {known.value:.0%} of the contrast of rain it "
    f"knows, and {other.value:.0%} of the contrast of {unseen}"
    + (": **it has learnt its own rain best.** " if known.low > other.high else ". ")
    + f"With 8 backgrounds instead, the removal gain on {unseen} changes by {gap}, the contrast gain by "
    f"{contrast}, and the damage to the background by {cost.text(1)} grey levels."
)

# %% tags=["hide-input"]
words = ("more", "less", "no clear difference in")
Markdown(
    f"So was your prediction right? Measured by how much was taken away where it rains, 8 "
    f"backgrounds remove **{claims.direction(gap, *words)}** of the unseen rain than 512. Measured by the "
    f"contrast of its streaks, **{claims.direction(contrast, *words)}**. And the damage is "
    f"{claims.direction(cost, 'larger', 'smaller', 'about the same')}. Keep all three in mind: "
    "fewer pictures are not simply better, and how one measures decides what one sees. "
    "Chapter 2 is about that."
)

# %% [markdown]
# ## Try it
#
# 1. Change `direction` and `length` of the kernel in step 3. Which settings could still be rain?
# 2. Train both networks for half as long: `setting.experiment(..., iterations=...)`. Does the gap
#    grow or shrink?
#
# <details><summary>A hint for 2</summary>
#
# An experiment is a frozen value, so change it with a keyword:
# `setting.experiment(rain="small", patches=8, iterations=setting.iterations // 2)`, and hand a
# list of such values to `run`. New values have new keys, so no record is overwritten. To see *when* a network turns,
# look at `record.curves["unseen/gain"]`.
#
# </details>

# %%
plots.sources("Fig. 1, 2, 3 and Table 1", ["rain.py", "images.py", "experiments.py"])
