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
# # 2. Measuring what was removed
#
# **How do we tell a network that removes rain from one that leaves it, or from one that ruins
# the picture?**
#
# The usual answer is PSNR (peak signal-to-noise ratio): the mean squared difference to the clean picture on a
# logarithmic scale, in decibels (dB). Higher is closer; an exact copy has infinity. The papers (2026, Sec. 3.2, 6.1 and 6.2) argue that it hides
# the very failure they study: a network that returns its input untouched has kept the background
# almost perfectly, and scores well. (How well, a table and a chart below will show.) They measure the rainy and the dry part of a picture apart. We follow
# them, find a weakness in their measure too, and add others; two of all will count in the end.
#
# **Make a prediction.** Three would-be networks get a picture in light rain. One returns it
# unchanged, one removes the rain exactly but makes the picture a fifth darker, one returns a black
# rectangle. Which of them gets the best PSNR, and which the highest "rain removal"?

# %% [markdown] tags=["colab"]
# [Open this chapter in Colab](https://colab.research.google.com/github/rainlens/rainlens/blob/main/notebooks/02_measuring.ipynb)

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

from rainlens import estimates, evaluation, images, metrics, plots
from rainlens.evaluation import TestSet
from rainlens.running import run
from rainlens.scales import scale_named

plots.use_style()
setting = scale_named(scale)

# %% [markdown]
# ## A picture divided in two
#
# We know the clean picture *B* and the rainy picture *I*, so we know the rain *R = I - B*. Where
# *R* exceeds a small threshold *t*, it visibly rains: these pixels *p* are the mask *M*.
#
# $$M = \{\, p \,:\, R_p > t \,\} \tag{2.1}$$
#
# The papers do not say what *t* is; we use 10 of 255 grey levels everywhere.

# %%
test = TestSet(
    "streaks", degradation="streaks", backgrounds="embedded", count=2, crop=256
)
rainy, clean = (
    images.to_unit(torch.stack(group)) for group in evaluation.load(test)
)
mask = metrics.rain_mask(rainy, clean)  # (2, 1, 256, 256), bool
print("share of rainy pixels:", [f"{m.float().mean():.0%}" for m in mask])

# %% tags=["hide-input"]
plots.gallery(
    [(rainy[1], "rainy picture I"), (mask[1].float(), "mask M: where R > t"),
     (rainy[1] * mask[1], "rain region"), (clean[1] * ~mask[1], "background region")],
    alt="A cup of coffee in the rain, the mask of its streaks, and the two regions it makes",
    caption="The picture taken apart (2026 paper, Fig. 2 right). What to notice: weak rain stays "
    f"behind in the background region. Here {mask[1].float().mean():.0%} of the pixels are rainy, "
    "all others count as background. Photograph: Coffee, from scikit-image. "
    + plots.drawn_here(),
    columns=4,
)

# %% [markdown]
# ## The papers' two measures
#
# **E_R** is the root mean square of *output - rainy*, taken over the rain region: how much the network *changed*
# where it rains. 0 means that it left the rain alone.
#
# $$E_R = \sqrt{\underset{p \in M}{\operatorname{mean}} \left(\tilde I_p - I_p\right)^2} \tag{2.2}$$
#
# **E_B** is the root mean square of *output - clean*, taken over the background region: how much it
# *damaged* the rest. 0 means no damage.
#
# $$E_B = \sqrt{\underset{p \notin M}{\operatorname{mean}} \left(\tilde I_p - B_p\right)^2} \tag{2.3}$$
#
# Here $\tilde I$ is the output, and the mean runs over the three colours, too. Both measures count grey levels from 0 to 255. Note
# what they are compared with: E_R with the input *I*, E_B with the truth *B*.
#
# Now the candidates from the prediction, and a few more.

# %%
candidates = {
    "leaves everything": rainy,
    "removes half the rain": (rainy + clean) / 2,
    "removes it exactly": clean,
    "exact, but 20 % darker": clean * 0.8,
    "only darkens, by 15 %": rainy * 0.85,
    "paints it black": torch.zeros_like(clean),
}

# %% tags=["hide-input"]
plots.gallery(
    [(picture[0], name) for name, picture in candidates.items()],
    alt="Six imagined outputs for a cat in the rain, from untouched to black",
    caption="Six imagined networks. What to notice: three of them show no streak at all, but only "
    "one of these is what we want. The papers have no such figure. Photograph: Chelsea, "
    "from scikit-image. " + plots.drawn_here(),
)

# %% tags=["hide-input"]
said = {"The untouched picture": "leaves everything", "The black rectangle": "paints it black",
        "The exact one, a fifth darker": "exact, but 20 % darker"}
scored = {c: metrics.score(candidates[name], rainy, clean) for c, name in said.items()}
psnr, change = ({c: s[name].mean().item() for c, s in scored.items()} for name in ("psnr", "e_r"))
best, most = (max(values, key=values.get) for values in (psnr, change))
figure, pair = plt.subplots(1, 2, figsize=(6, 2.6), sharey=True)
labels = "PSNR (dB)", "E_R (grey levels)"
for axes, values, name in zip(pair, (psnr, change), labels, strict=True):
    bars = axes.barh(list(values), list(values.values()), height=0.5, color=plots.SEEN_COLOUR)
    axes.bar_label(bars, fmt="%.1f", padding=3, fontsize=9)
    axes.set(xlabel=name, xlim=(0, max(values.values()) * 1.25))
    axes.tick_params(axis="y", length=0, labelsize=9)
pair[0].invert_yaxis()

# %% tags=["hide-input"]
told = "; ".join(f"{c}: PSNR {psnr[c]:.1f} dB, E_R {change[c]:.1f}" for c in said)
shown = plots.chart(
    figure, alt=told,
    caption="What to notice: no bar rewards the removal of rain as such. The highest PSNR goes to "
    f"<i>{best.lower()}</i>, the highest E_R, the papers' measure of removal, to "
    f"<i>{most.lower()}</i>. Means of two pictures. The papers have no such figure. "
    + plots.drawn_here(),
)
wrong = f"No, that is <i>{best.lower()}</i> ({psnr[best]:.1f} dB)"
verdict = {c: "Right" if c == best else wrong for c in said}
removal = {c: " It has the highest E_R of the three, too." if c == most else "" for c in said}
replies = {c: f"{verdict[c]}. This one has {psnr[c]:.1f} dB.{removal[c]}" for c in said}
plots.guess("Which of these three has the best PSNR?", replies, shown)

# %% tags=["hide-input"]
def table(outputs):
    """Mean scores of named outputs for the pictures above, as a Markdown table."""
    rows = ["| network | PSNR (dB) | E_R | E_B |", "|---|---|---|---|"]
    for name, output in outputs.items():
        score = {k: v.mean().item() for k, v in metrics.score(output, rainy, clean).items()}
        rows.append(
            f"| {name} | {score['psnr']:.1f} | {score['e_r']:.1f} | {score['e_b']:.1f} |"
        )
    return Markdown("\n".join(rows) + "\n\nMeans of both pictures.")


table(candidates)

# %% tags=["hide-input"]
def say(first, second):
    """How the PSNR of two candidates compares, with the numbers."""
    values = [metrics.psnr_rgb(candidates[name], clean).mean().item() for name in (first, second)]
    order = "above" if values[0] > values[1] else "below"
    return f"{values[0]:.1f} dB, {order} the {values[1]:.1f} dB of *{second}*"


removed = {name: metrics.e_r(o, rainy, clean).mean().item() for name, o in candidates.items()}
top = max(removed, key=removed.get)

# %% tags=["hide-input"]
Markdown(
    "None of the three numbers tells by itself whether the rain was removed.\n\n- **PSNR**: "
    f"*leaves everything* has {say('leaves everything', 'exact, but 20 % darker')}, which shows "
    f"not a single streak.\n- **E_R** is {removed['leaves everything']:.0f} for doing nothing, as "
    f"it should be. But its highest value, {max(removed.values()):.0f}, goes to *{top}*: it "
    "rewards any change in the rain region, wreckage included.\n- **E_B** notices darkening and "
    "black paint, and says nothing about rain. The untouched picture has a little of it, too: "
    "rain weaker than *t* counts as background."
)

# %% [markdown]
# ## Is the change the rain?
#
# E_R asks how *much* a network changed. We also want to know whether the change *is the rain*. Write
# *d = rainy - output* for the change. If the network removed the rain, then *d* equals the rain *R*
# at every pixel. So we plot *d* against *R*, a point for each pixel of the rain region, and fit a straight line.
# There are two ways to do it, and they answer different questions.
#
# The slope of the line **through the origin** we call the **removal
# gain**. 0: the rain was left. 1: exactly removed. More: more was taken away than the rain.
#
# $$\text{removal gain} = \frac{\sum_{p \in M} d_p R_p}{\sum_{p \in M} R_p^2} \tag{2.4}$$
#
# The slope of a line with a **free intercept** we call the **contrast
# gain**: how much of the difference between strong and weak rain is gone. Making every pixel darker by the
# same amount lifts the line and does not tilt it, so it does not count. Darkening by a *share* tilts it a
# little, because the share of a bright streak is larger. It is the covariance of *d* and *R* in the mask (how far the two rise
# and fall together), divided by the variance of *R*.
#
# $$\text{contrast gain} = \frac{\operatorname{cov}(d, R)}{\operatorname{var}(R)} \tag{2.5}$$

# %% tags=["hide-input"]
region = mask[0].expand_as(rainy[0])
layer = (rainy - clean)[0][region] * 255


def fit(axes, name):
    """The change of one candidate against the rain, with both lines."""
    change = (rainy - candidates[name])[0][region] * 255
    ends = np.array([0, layer.max()])
    origin, (slope, intercept) = layer @ change / (layer @ layer), np.polyfit(layer, change, 1)
    through, free = f"removal gain {origin:.2f}", f"contrast gain {slope:.2f}"
    axes.plot(ends, origin * ends, color=plots.SEEN_COLOUR, linewidth=8, label=through)
    axes.plot(layer[::40], change[::40], ".", markersize=3, color=plots.INK)
    axes.plot(ends, slope * ends + intercept, ls=(0, (4, 4)), color="#D55E00", label=free)
    axes.set(title=name, xlabel="rain R (grey levels)", ylim=(-5, 1.45 * layer.max()))
    axes.legend(loc="upper left", fontsize=9)
    return f"{name}: {origin:.2f} and {slope:.2f}"


# %% tags=["hide-input"]
figure, row = plt.subplots(1, 3, figsize=(9, 3.5), sharey=True)
names = ("removes half the rain", "exact, but 20 % darker", "only darkens, by 15 %")
told = "; ".join(fit(axes, name) for axes, name in zip(row, names, strict=True))
row[0].set_ylabel("change d (grey levels)")
plots.chart(
    figure,
    alt="Change against rain with two fitted lines, for three imagined networks. Removal and "
    f"contrast gain: {told}",
    caption="One point a pixel of the rain region of the cat (every fortieth is drawn); wide and "
    "blue: the line through the origin; dashed: the line with a free intercept. What to notice: "
    "where the change is the rain or a share of it, the points lie on one line and both fits "
    "agree; darkening lifts the points, and the line through the origin takes the lift for rain. "
    "The papers have no such figure. " + plots.drawn_here(),
)

# %% [markdown]
# The second fit also takes E_R apart. The change has a mean (the **offset**: darker or lighter), a part
# **along the rain** (the contrast gain times the standard deviation of *R*), and a **rest** that neither
# explains. In such a fit (the line with the least sum of squares) the rest has mean zero and is uncorrelated with *R*, so the squares of the three parts add up:
#
# $$E_R^2 = \text{offset}^2 + \text{along}^2 + \text{rest}^2 \tag{2.6}$$

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
# offset, too: rain is light, so taking it away makes the region darker. What exact removal does not have is a rest. Darkening
# everything has an E_R that looks like removal, but little of it runs along the rain.
#
# Now both gains of all six, beside the damage, again as means of both pictures.

# %% tags=["hide-input"]
rows = ["| network | removal gain | contrast gain | E_B |", "|---|---|---|---|"]
for name, output in candidates.items():
    score = {k: v.mean().item() for k, v in metrics.score(output, rainy, clean).items()}
    rows.append(f"| {name} | {score['gain']:.2f} | {score['contrast']:.2f} | {score['e_b']:.1f} |")
# The last one is the black rectangle.
Markdown(
    "\n".join(rows) + "\n\nNo gain is a cure-all. The black rectangle has a removal gain of "
    f"{score['gain']:.2f} and a contrast gain of {score['contrast']:.2f}, although it knows "
    "nothing of rain: it took the streaks away with all the rest. (Its contrast gain is not "
    "exactly 1, because its change *d* is the whole rainy picture, in which the rain falls on "
    "light and dark.)"
)

# %% [markdown]
# So **read the gains together with E_B**: the gains say whether
# the rain is gone, E_B whether the picture is still there.
#
# ## What becomes of the rain itself?
#
# All measures so far look at one output, in which rain and background are mixed. If a network repaints the background where it rains, the repainting counts as a
# change, and no fit can fully take it out again. But we have the clean picture. So give the network *both*, with the rain and without, and look at the difference of its two
# outputs. Whatever it does to the background alone is in both and cancels. What is left is what became of the rain. Its slope on *R*, through the origin again, is
# the **rain response**. 1: all of the rain comes out. 0: no trace of it does.
#
# $$\text{rain response} = \frac{\sum_{p \in M} e_p R_p}{\sum_{p \in M} R_p^2} \tag{2.7}$$
#
# Here *e = f(B + R) - f(B)* is the difference of the two outputs, and *f* the network. Where more should be better, the book shows 1 minus the response, the **rejection**: the share of the rain that leaves no trace.
#
# Now the removal gain can be taken apart. As *d = (R - e) + (B - f(B))*,
#
# $$\text{gain} = \text{rejection} + \text{picture} \tag{2.8}$$
#
# Here *picture* is the slope of *B - f(B)* on *R*, as in equation 2.4: what the network takes, where it rains, from the same picture without rain. Over the whole picture,
# this is the **damage on dry pictures**, the root mean square of *f(B) - B*.

# %%
without_rain = {
    "leaves everything": clean,
    "removes half the rain": clean,
    "removes it exactly": clean,
    "exact, but 20 % darker": clean * 0.8,
    "only darkens, by 15 %": clean * 0.85,
    "paints it black": torch.zeros_like(clean),
}

# %% tags=["hide-input"]
rows = ["| network | rain response | damage on dry pictures |", "|---|---|---|"]
for name, output in candidates.items():
    pair = output, without_rain[name]
    response = metrics.rain_response(*pair, rainy, clean).mean()
    harm = metrics.damage(without_rain[name], clean).mean()
    rows.append(f"| {name} | {response:.2f} | {harm:.1f} |")
Markdown("\n".join(rows) + "\n\nMeans of both pictures. The one who only darkens is found out: "
         "nearly all of the rain is still there. The one who removes it exactly and darkens the "
         "rest has a response of 0, as it should, and the damage tells the rest.")

# %% [markdown]
# The black rectangle keeps everything out, rain included, so no measure of removal should stand alone. And a network that is asked to remove *known* rain
# gets no picture without rain in training; what it does to one is a fair question all the same, for a user does not know beforehand whether it rains.
#
# ## Real networks
#
# Now the networks of chapter 1, on all test pictures of this scale. Each point is one picture, averaged
# over the seeds.

# %% tags=["grid"]
filters = setting.filters()
grid = [*setting.sweep(degradation="small"), *filters.values()]

# %%
found = dict(
    zip(grid, run(grid, setting, recompute=recompute), strict=True)
)
sweep = estimates.by_count(setting.sweep(degradation="small"), found)
few, many = sweep[8], sweep[512]
records = [*few, *many]
unseen = estimates.rain_name(records[0], "unseen")


def per_image(group, measure):
    """One value a test picture, the mean over seeds."""
    return estimates.per_image(group, "unseen", measure).mean(axis=0)


# %% tags=["hide-input"]
figure, axes = plt.subplots()
for group, label, colour, marker in (
    (few, "N = 8", plots.UNSEEN_COLOUR, "o"),
    (many, "N = 512", plots.INK, "x"),
):
    gain, quality = per_image(group, "gain"), per_image(group, "psnr")
    axes.plot(gain, quality, marker, color=colour, label=label, linestyle="none", alpha=0.8)
untouched = estimates.mean(few, "unseen", "input_psnr").value
axes.axvline(1, color=plots.FAINT, linestyle="--", linewidth=1)
plots.reference_line(axes, untouched, "the untouched input, on average")
axes.set(xlabel="removal gain (1: as much as the rain)", ylabel="PSNR (dB)")
axes.legend()

# %% tags=["hide-input"]
means = [[per_image(group, name).mean() for group in (few, many)] for name in ("psnr", "gain")]
height, side = ("lower" if means[0][0] < means[0][1] else "higher",
                "right" if means[1][0] > means[1][1] else "left")
plots.chart(
    figure,
    alt=f"PSNR against removal gain on {unseen}, a point a picture. Means for N = 8: "
    f"{means[0][0]:.1f} dB, gain {means[1][0]:.2f}; for N = 512: {means[0][1]:.1f} dB, gain "
    f"{means[1][1]:.2f}",
    caption=f"{len(gain)} pictures of {unseen}, a point each. What to notice: the two clouds differ "
    "in both directions. That of N = 8 lies "
    f"{height} and further to the {side}: the number that ranks the two networks depends on what "
    f"is measured. The papers have no such figure. {plots.source_note(records, scale)}",
)

# %% tags=["hide-input"]
closer = per_image(many, "psnr") > per_image(few, "psnr")
both = [(closer & (per_image(many, m) < per_image(few, m))).mean() for m in ("gain", "rejection")]
scores = [estimates.mean(group, "unseen", "psnr").text(1) for group in (few, many)]
kept_out = [estimates.mean(group, "unseen", "rejection") for group in (few, many)]
idle = estimates.direction(estimates.between(few, "unseen", "input_psnr", "psnr"),
                           "better", "worse", "neither clearly better nor worse")
dry = 1 - per_image(few, "coverage")
error = 255**2 * 10 ** (-per_image(few, "psnr") / 10)
share = per_image(few, "e_b") ** 2 * dry / error

# %% tags=["hide-input"]
Markdown(
    f"**By PSNR, doing nothing is {idle} than the network with 8 backgrounds**: {untouched:.1f} dB "
    f"against {scores[0]} ({unseen}). Yet that network keeps {kept_out[0]} of the rain out. "
    f"The one with 512 has {scores[1]} dB and keeps {kept_out[1]} out.\n\nHow can that be? On "
    f"average {dry.mean():.0%} of a picture is dry, and {share.mean():.0%} of the squared error "
    "of the network with 8 lies there. Damage in the large dry part weighs more than rain in the "
    f"small wet one.\n\n**A better PSNR does not mean more removal.** 512 backgrounds have a "
    f"higher PSNR than 8 on {closer.mean():.0%} of the {len(closer)} pictures. On {both[0]:.0%} of "
    "the pictures they have the higher PSNR and the *smaller* removal gain, on "
    f"{both[1]:.0%} the higher PSNR and the smaller rejection. (A removal gain above 1 is too "
    "much, so a smaller one can be an improvement; less rejection never is.)"
)

# %% [markdown]
# ## What fools which measure?
#
# All measures at once, for the networks and for filters that have learned nothing: a median (each pixel becomes the middle value of its neighbourhood), a Gaussian blur, an
# *opening* (it levels what is bright and narrow), dimming, and doing nothing. A measure that can be fooled by one of these measures something else than the removal of rain.

# %% tags=["hide-input"]
COLUMNS = {"e_r": ("E_R", 1), "gain": ("removal gain", 2), "picture_taken": ("of it, picture", 2),
           "rejection": ("rejection", 2), "contrast": ("contrast gain", 2),
           "psnr": ("PSNR (dB)", 1), "e_b": ("E_B", 1)}
shown_filters = ("untouched", "dimmed by half", "median 5", "median 7", "Gaussian 2", "opening 9")
things = {f"N = {n:,}": part for n, part in sweep.items()}
things |= {name: [found[filters[name]]] for name in shown_filters}
levels = {
    name: {m: estimates.mean(part, "unseen", m).value for m in COLUMNS}
    for name, part in things.items()
}
ideal = {"e_r": estimates.mean(few, "unseen", "exact_e_r").value, "gain": 1, "picture_taken": 0,
         "rejection": 1, "contrast": 1, "psnr": np.inf, "e_b": 0}

# %% tags=["hide-input"]
rows = ["| | " + " | ".join(name for name, _ in COLUMNS.values()) + " |", "|---" * 8 + "|"]
best = {m: (min if m == "e_b" else max)(levels, key=lambda name: levels[name][m])
        for m in COLUMNS if m != "picture_taken"}
for name, row in levels.items():
    cells = [f"{row[m]:.{digits}f}" for m, (_, digits) in COLUMNS.items()]
    marked = [f"**{c}**" if best.get(m) == name else c for m, c in zip(COLUMNS, cells, strict=True)]
    rows.append(f"| {name} | {' | '.join(marked)} |")
exact = [f"{value:.{d}f}" if np.isfinite(value) else "infinite"
         for value, (_, d) in zip(ideal.values(), COLUMNS.values(), strict=True)]
rows.append(f"| *exact removal* | {' | '.join(exact)} |")
winners = "; ".join(f"by {COLUMNS[m][0]}, *{name}*" for m, name in best.items())
Markdown("\n".join(rows) + f"\n\nMeans over {len(closer)} pictures of {unseen}, and over seeds for the "
         "networks. *Of it, picture*: the rest of the gain beside the rejection, equation 2.8. Bold: "
         f"the best, if more were always better (for E_B, less). That is: {winners}. "
         + plots.source_note([r for part in things.values() for r in part], scale))

# %% tags=["hide-input"]
learned = [name for name in levels if name.startswith("N =")]
idle = [name for name in levels if name not in learned]
better = {m: -1 if m == "e_b" else 1 for m in ("e_r", "contrast", "rejection", "psnr", "e_b")}
fooled = {
    COLUMNS[m][0]: [n for n in idle
                    if sign * levels[n][m] > max(sign * levels[k][m] for k in learned)]
    for m, sign in better.items()
}

# %% tags=["hide-input"]
told = "\n".join(f"- by {name}: {', '.join(names) or 'none'}" for name, names in fooled.items())
dim, blur = levels["dimmed by half"], levels["Gaussian 2"]
Markdown(
    "What has learned nothing and is better than every network of the table (the removal gain is "
    f"left out, as more than 1 is no better):\n\n{told}\n\nDimming by half leaves half of the "
    f"rain (rejection {dim['rejection']:.2f}). Its removal gain is {dim['gain']:.2f} all the same, "
    f"{dim['picture_taken']:.2f} of it picture, and its E_R of {dim['e_r']:.0f} counts that, too. A blur keeps "
    f"{blur['rejection']:.2f} of the rain out, because it spreads thin streaks over their "
    "surroundings: a low response is *earned* only together with a low E_B. So from here on the "
    "book looks at the two together."
)

# %% [markdown]
# And where does E_R mislead on a real output? Take the pictures that we can show, and split
# their E_R as above. The first row of each picture is exact removal, for comparison: it has an offset, but no rest.

# %% tags=["hide-input"]
shown = evaluation.load(grid[0].test("shown_unseen"))
before, truth = (images.to_unit(torch.stack(group)) for group in shown)
exact = {name: v.numpy() for name, v in metrics.change_parts(truth, before, truth).items()}
strength = metrics.rain_strength(before, truth).numpy()


def split(record, i):
    """Contrast gain, E_R, offset, part along the rain, rest: of shown picture i."""
    contrast, e_r = (record.tests["shown_unseen"][m][i] for m in ("contrast", "e_r"))
    of_rain = exact["offset"], exact["along_rain"]
    found = estimates.change_parts([record], "shown_unseen", *of_rain)
    return contrast, e_r, *(abs(part[0, i]) for part in found.values())


# %% tags=["hide-input"]
parts = {}
for i, picture in enumerate(("cat", "coffee")):
    parts[picture, "exact removal"] = 1, strength[i], exact["offset"][i], exact["along_rain"][i], 0
    for name, group in (("N = 8", few), ("N = 512", many)):
        parts[picture, name] = split(group[0], i)
full = {key: parts[key][1] / parts[key[0], "exact removal"][1] for key in parts if "=" in key[1]}
worst = max(full, key=full.get)
harm = [[r.tests["shown_unseen"]["e_b"][i] for i in (0, 1)] for r in (few[0], many[0])]

# %% tags=["hide-input"]
rows = ["| picture | network | contrast gain | E_R | offset | along the rain | rest |"]
rows.append("|" + "---|" * 7)
for (picture, name), (contrast, *levels) in parts.items():
    cells = " | ".join(f"{level:.1f}" for level in levels)
    rows.append(f"| {picture} | {name} | {contrast:.2f} | {cells} |")
Markdown(
    "\n".join(rows)
    + f"\n\nE_R misleads most on the {worst[0]} with {worst[1]}. By E_R, {full[worst]:.0%} of a "
    f"full removal has been done; by contrast gain, {parts[worst][0]:.0%}. Where part of the "
    f"change along the rain is missing, a rest of {parts[worst][4]:.1f} grey levels stands in: "
    "change that is not the rain, and that exact removal would not make. "
    f"{plots.source_note([few[0], many[0]], scale)}"
)

# %% tags=["hide-input"]
tiles = []
for i in range(len(before)):
    outputs = [setting.store.picture(group[0], "shown_unseen", i) for group in (few, many)]
    tiles += [(before[i], "rainy"), (outputs[0], "N = 8"), (outputs[1], "N = 512")]
    tiles += [(truth[i], "clean")]
plots.gallery(
    tiles,
    alt="Outputs of both networks for a cat and a cup of coffee under unseen streaks",
    caption=f"The pictures of the table. Exact removal would have an E_R of {strength[0]:.0f} and "
    f"{strength[1]:.0f}. What to notice: whether fur and cup have changed, too, since E_R counts "
    f"such change as removal where it rains. They have: E_B is {harm[0][0]:.0f} and "
    f"{harm[0][1]:.0f} grey levels for N = 8, {harm[1][0]:.0f} and {harm[1][1]:.0f} for N = 512. "
    f"The papers have no such figure. {plots.source_note([few[0], many[0]], scale)}",
    columns=4,
)

# %% [markdown]
# ## What we found

# %% tags=["hide-input"]
gap, gain, kept, picture, damage = (
    estimates.difference(many, few, "unseen", m)
    for m in ("psnr", "gain", "rejection", "picture_taken", "e_b")
)
words = ("more", "less", "neither clearly more nor less")
taken, bare = estimates.direction(gain, *words), estimates.direction(kept, *words)
closer = estimates.direction(gap, "closer to", "further from", "about as far from")
rest = [estimates.mean(group, "unseen", "e_b").text(1) for group in (few, many)]
cause = " because it damages the dry part less" if gap.low > 0 > damage.high else ""

# %% tags=["hide-input"]
Markdown(
    f"**The network with 512 backgrounds comes {closer} the clean picture than the one with "
    f"8{cause}; PSNR alone does not say whether it removes the rain better.** It takes away "
    f"{taken} where it rains (removal gain), and of the rain itself it keeps out {bare} "
    f"(rejection).\n\nIn numbers, 512 minus 8 backgrounds on {unseen}: PSNR {gap.text(1)} dB, "
    f"removal gain {gain}, of it rejection {kept} and picture {picture}. The damage E_B is {rest[1]} instead of "
    f"{rest[0]}.\n\nFrom here on: **the rejection for the rain, E_B for the damage**. Where records lack the rejection, the contrast gain stands in; E_R and the "
    "removal gain are for comparison with the papers, and PSNR appears where it hides something."
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
# energy (the sum of the squares of *R*), so by equation 2.4 the removal gain is the left half's share: close to 0.5.
#
# </details>
#
# <details><summary>Solution to 2</summary>
#
# E_R moves most. The weak rain, where little can be changed, leaves the region, and the mean over what remains is larger. For the network that leaves
# everything, E_B moves, too: the weak rain now counts as background, and it is still there. The gains move least, because they weigh
# pixels by their rain anyway; and for exact removal they stay 1 whatever *t* is. This is one more reason to report them.
#
# </details>

# %% tags=["hide-input"]
plots.sources(
    "2026: Fig. 2 (right), Sec. 3.2, 6.1, 6.2; 2023: Fig. 3 (right), Sec. 2.2",
    ["metrics.py", "evaluation.py"],
)
