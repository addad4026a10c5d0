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
# # Measuring what was removed
#
# **How do we tell a network that removes rain from one that leaves it, or from one that ruins
# the picture?**
#
# The usual answer is PSNR (peak signal-to-noise ratio): the mean squared difference to the clean picture on a
# logarithmic scale, in decibels (dB). Higher is closer; an exact copy has infinity. The papers (2026, Sec. 3.2, 6.1 and 6.2) argue that it hides
# the very failure they study: a network that returns its input untouched has kept the background
# perfectly, and scores well. They measure the rainy and the dry part of a picture apart. We follow
# them, find a weakness in their measure too, and add two numbers.
#
# **Make a prediction.** Three would-be networks get a picture in light rain. One returns it
# unchanged, one removes the rain exactly but makes the picture a fifth darker, one returns a black
# rectangle. Which of them gets the best PSNR, and which the highest "rain removal"?

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

from rainlens import claims, evaluation, images, metrics, plots
from rainlens.evaluation import TestSet
from rainlens.experiments import run, scale_named

plots.use_style()
setting = scale_named(scale)

# %% [markdown]
# ## A picture divided in two
#
# We know the clean picture *B* and the rainy picture *I*, so we know the rain *R = I - B*. Where
# *R* exceeds a small threshold *t*, it visibly rains: that is the mask *M*. The papers do not say
# what *t* is; we use 10 of 255 grey levels everywhere.

# %%
test = TestSet("streaks", rain="streaks", backgrounds="embedded", count=2, crop=256)
rainy, clean = (images.to_unit(torch.stack(group)) for group in evaluation.load(test))
mask = metrics.rain_mask(rainy, clean)  # (2, 1, 256, 256), bool
print("share of rainy pixels:", [f"{m.float().mean():.0%}" for m in mask])

# %%
plots.gallery(
    [(rainy[1], "rainy picture I"), (mask[1].float(), "mask M: where R > t"),
     (rainy[1] * mask[1], "rain region"), (clean[1] * ~mask[1], "background region")],
    alt="A cup of coffee in the rain, the mask of its streaks, and the two regions it makes",
    caption="The picture taken apart (2026 paper, Fig. 2 right). Photograph: Coffee, from scikit-image.",
    columns=4,
)

# %% [markdown]
# ## The papers' two measures
#
# - **E_R** is the root mean square of *output - rainy*, taken over the rain region: how much the network *changed*
#   where it rains. 0 means that it left the rain alone.
# - **E_B** is the root mean square of *output - clean*, taken over the background region: how much it
#   *damaged* the rest. 0 means no damage.
#
# Both count grey levels from 0 to 255. Note what they are compared with: E_R with the input, E_B
# with the truth.
#
# Now the candidates from the prediction, and a few more.

# %%
candidates = {
    "leaves everything": rainy,
    "removes half the rain": (rainy + clean) / 2,
    "removes it exactly": clean,
    "exact, but 20 % darker": clean * 0.8,
    "darkens all by 15 %": rainy * 0.85,
    "paints it black": torch.zeros_like(clean),
}

# %%
plots.gallery(
    [(picture[0], name) for name, picture in candidates.items()],
    alt="Six imagined outputs for a cat in the rain, from untouched to black",
    caption="Six imagined networks. Which numbers should tell them apart?",
)

# %% tags=["hide-input"]
def table(outputs):
    """Mean scores of named outputs for the pictures above, as a Markdown table."""
    rows = ["| network | PSNR (dB) | E_R | E_B |", "|---|---|---|---|"]
    for name, output in outputs.items():
        score = {k: v.mean().item() for k, v in metrics.score(output, rainy, clean).items()}
        rows.append(
            f"| {name} | {score['psnr']:.1f} | {score['e_r']:.1f} | {score['e_b']:.1f} |"
        )
    return Markdown("\n".join(rows))


table(candidates)

# %% tags=["hide-input"]
def say(first, second):
    """How the PSNR of two candidates compares, with the numbers."""
    values = [metrics.psnr_rgb(candidates[name], clean).mean().item() for name in (first, second)]
    order = "above" if values[0] > values[1] else "below"
    return f"{values[0]:.1f} dB, {order} the {values[1]:.1f} dB of *{second}*"


removed = {name: metrics.e_r(o, rainy, clean).mean().item() for name, o in candidates.items()}
Markdown(
    f"- **PSNR**: *leaves everything* has {say('leaves everything', 'exact, but 20 % darker')}, "
    "which shows not a single streak.\n"
    f"- **E_R** is {removed['leaves everything']:.0f} for doing nothing, as it should be. But its "
    f"highest value, {max(removed.values()):.0f}, goes to *{max(removed, key=removed.get)}*: "
    "it rewards any change in the rain region, wreckage included.\n"
    "- **E_B** notices darkening and black paint, and says nothing about rain. The untouched "
    "picture has a little of it, too: rain weaker than *t* counts as background."
)

# %% [markdown]
# ## Is the change the rain?
#
# E_R asks how *much* a network changed. We also want to know whether the change *is the rain*. Write
# *d = rainy - output* for the change. If the network removed the rain, then *d* equals the rain *R*
# at every pixel. So we plot *d* against *R*, a point for each pixel of the rain region, and fit a straight line.
# There are two ways to do it, and they answer different questions.
#
# - The line **through the origin** has the slope **sum(d R) / sum(R R)**. We call it the **removal
#   gain**. 0: the rain was left. 1: exactly removed. More: more was taken away than the rain.
# - A line with a **free intercept** has the slope **cov(d, R) / var(R)**. We call it the **contrast
#   gain**: how much of the difference between strong and weak rain is gone. Making every pixel darker by the
#   same amount lifts the line and does not tilt it, so it does not count. Darkening by a *share* tilts it a
#   little, because the share of a bright streak is larger. An output that is simply flat has lost the
#   contrast of the streaks with that of the picture, so this gain, too, needs a low E_B beside it.

# %% tags=["hide-input"]
region = mask[0].expand_as(rainy[0])
layer = (rainy - clean)[0][region] * 255


def fit(axes, name):
    """The change of one candidate against the rain, with both lines."""
    change = (rainy - candidates[name])[0][region] * 255
    ends = np.array([0, layer.max()])
    origin, (slope, intercept) = layer @ change / (layer @ layer), np.polyfit(layer, change, 1)
    lines = {f"removal gain {origin:.2f}": origin * ends}
    lines[f"contrast gain {slope:.2f}"] = slope * ends + intercept
    axes.plot(layer[::7], change[::7], ".", markersize=1.5, color=plots.FAINT)
    for (label, line), style in zip(lines.items(), ("-", "--"), strict=True):
        axes.plot(ends, line, style, color=plots.INK, label=label)
    axes.set(title=name, xlabel="rain R (grey levels)", ylim=(-5, layer.max()))
    axes.legend(loc="upper left", fontsize=9)


# %% tags=["hide-input"]
figure, row = plt.subplots(1, 3, figsize=(9, 3.3), sharey=True)
for axes, name in zip(
    row, ("leaves everything", "removes half the rain", "darkens all by 15 %"), strict=True
):
    fit(axes, name)
row[0].set_ylabel("change d (grey levels)")
plots.chart(
    figure,
    alt="Change against rain with the two fitted lines, for three imagined networks",
    caption="One point a pixel of the rain region (every seventh is drawn). What to notice: for the "
    "network that only darkens, the two lines disagree.",
)

# %% [markdown]
# The second fit also takes E_R apart. The change has a mean (the **offset**: darker or lighter), a part
# **along the rain** (the contrast gain times the standard deviation of *R*), and a **rest** that neither
# explains. In a least-squares fit the rest has mean zero and is uncorrelated with *R*, so the squares of the three parts add up:
#
# **E_R² = offset² + along² + rest²**.

# %% tags=["hide-input"]
rows = ["| network | offset | along the rain | rest | root of the sum of squares | E_R |",
        "|---|---|---|---|---|---|"]
for name, output in candidates.items():
    parts = [value[0].item() for value in metrics.change_parts(output, rainy, clean).values()]
    removed = metrics.e_r(output, rainy, clean)[0].item()
    numbers = [*parts, np.linalg.norm(parts), removed]
    rows.append(f"| {name} | " + " | ".join(f"{number:.1f}" for number in numbers) + " |")
Markdown("\n".join(rows))

# %% [markdown]
# The last two columns agree for each network (this table is for the cat alone). Exact removal has an
# offset, too: rain is light, so taking it away makes the region darker. Darkening everything has an E_R that looks like
# removal, but little of it runs along the rain. No gain is a cure-all: the black rectangle has
# no rain left, so it gets high gains, too. **Read the gains together with E_B**: they say whether
# the rain is gone, E_B whether the picture is still there.
#
# ## Real networks
#
# Now the networks of chapter 1, on all test pictures of this scale. Each point is one picture, averaged
# over the seeds.

# %% tags=["grid"]
grid = [
    setting.experiment(rain="small", patches=count, seed=seed)
    for count in (8, 512)
    for seed in setting.seeds
]

# %%
records = run(grid, setting, recompute=recompute)
few, many = ([r for r in records if r.experiment["patches"] == count] for count in (8, 512))
unseen = claims.rain_name(records[0], "unseen")


def per_image(group, measure):
    """One value a test picture, the mean over seeds."""
    return claims.per_image(group, "unseen", measure).mean(axis=0)


# %% tags=["hide-input"]
figure, axes = plt.subplots()
for group, label, colour, marker in (
    (few, "N = 8", plots.UNSEEN_COLOUR, "o"),
    (many, "N = 512", plots.INK, "x"),
):
    gain, quality = per_image(group, "gain"), per_image(group, "psnr")
    axes.plot(gain, quality, marker, color=colour, label=label, linestyle="none", alpha=0.8)
untouched = claims.mean(few, "unseen", "input_psnr").value
axes.axvline(1, color=plots.FAINT, linestyle="--", linewidth=1)
plots.reference_line(axes, untouched, "the untouched input, on average")
axes.set(xlabel="removal gain (1: as much as the rain)", ylabel="PSNR (dB)")
axes.legend()
alt = f"PSNR against removal gain on {unseen}, a point a picture, for N = 8 and N = 512"
caption = f"What to notice: how the two clouds differ, from left to right and in height. {plots.source_note(records, scale)}"
plots.chart(figure, alt, caption)

# %% tags=["hide-input"]
better = per_image(many, "psnr") > per_image(few, "psnr")
shares = {
    "takes away less where it rains (removal gain)": per_image(many, "gain") < per_image(few, "gain"),
    "leaves more contrast of the streaks": per_image(many, "contrast") < per_image(few, "contrast"),
}
lines = [f"- {what} on {(better & less).mean():.0%};" for what, less in shares.items()]
scores = [claims.mean(group, "unseen", "psnr").text(1) for group in (few, many)]
Markdown(
    f"Mean PSNR on {unseen}: {untouched:.1f} dB for doing nothing, {scores[0]} dB with 8 backgrounds, "
    f"{scores[1]} dB with 512.\n\n"
    f"By PSNR, 512 backgrounds are better on {better.mean():.0%} of the {len(better)} pictures. It\n\n"
    + "\n".join(lines)
    + "\n\nMost of a picture is dry, so PSNR is mostly a verdict on the dry part."
)

# %% [markdown]
# And where does E_R mislead on a real output? Take the pictures that we can show, and split
# their E_R into the part along the rain and all else (offset and rest together). The table shows the first seed.

# %% tags=["hide-input"]
shown = evaluation.load(grid[0].test("shown_unseen"))
before, truth = (images.to_unit(torch.stack(group)) for group in shown)
# Exact removal has contrast gain 1: its part along the rain is the standard deviation of R.
spread = metrics.change_parts(truth, before, truth)["along_rain"].numpy()
exact = metrics.rain_strength(before, truth).numpy()
rows = ["| picture | N | contrast gain | E_R | along the rain | all else |", "|---|---|---|---|---|---|"]
for name, group in (("8", few), ("512", many)):
    scores = group[0].tests["shown_unseen"]
    for i, (removed, gain) in enumerate(zip(scores["e_r"], scores["contrast"], strict=True)):
        along = abs(gain) * spread[i]
        other = np.sqrt(max(removed**2 - along**2, 0))
        rows.append(f"| {('cat', 'coffee')[i]} | {name} | {gain:.2f} | {removed:.1f} | {along:.1f} | {other:.1f} |")
Markdown("\n".join(rows))

# %% tags=["hide-input"]
tiles = []
for i in range(len(before)):
    outputs = [setting.store.picture(group[0], "shown_unseen", i) for group in (few, many)]
    tiles += [(before[i], "rainy"), (outputs[0], "N = 8"), (outputs[1], "N = 512")]
    tiles += [(truth[i], "clean")]
plots.gallery(
    tiles,
    alt="Outputs of both networks for a cat and a cup of coffee under unseen streaks",
    caption="The pictures of the table. Exact removal would have an E_R of "
    f"{exact[0]:.0f} and {exact[1]:.0f}, so a higher one cannot be rain alone.",
    columns=4,
)

# %% [markdown]
# ## What we found

# %% tags=["hide-input"]
gap = claims.difference(many, few, "unseen", "psnr")
gain, contrast = (claims.difference(many, few, "unseen", m) for m in ("gain", "contrast"))
rest = [claims.mean(group, "unseen", "e_b").text(1) for group in (few, many)]
higher = "higher" if gap.value > 0 else "lower"
Markdown(
    f"Against 8 backgrounds, training on 512 gives a **{higher} PSNR** (difference {gap.text(1)} dB) "
    f"on {unseen}. The removal gain differs by **{gain}**, the contrast gain by **{contrast}**, and "
    f"the damage E_B is {rest[1]} instead of {rest[0]}. One number cannot say all this. "
    "From here on we show both gains and E_B, and PSNR only where it hides something."
)

# %% [markdown]
# ## Try it
#
# 1. Add a candidate of your own to `candidates`, say one that removes the rain from the left half
#    only. Predict its gain first.
# 2. Set the threshold *t* to 30 grey levels (`metrics.e_r(output, rainy, clean, threshold=30 / 255)`). Which
#    measure moves most, and why?
#
# <details><summary>Solution to 1</summary>
#
# In the left half *d = R*, in the right half *d = 0*. If it rains evenly, both halves hold the same
# energy *sum(R R)*, so the removal gain is the left half's share: close to 0.5.
#
# </details>

# %%
plots.sources("2026: Fig. 2 (right), Sec. 3.2, 6.1, 6.2; 2023: Fig. 3 (right), Sec. 2.2", ["metrics.py", "evaluation.py"])
