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
# # Soft pictures, sharp pictures
#
# **Does a network that has seen only soft pictures remove rain that it has never seen?**
#
# Few backgrounds are one way to make pictures easy to learn. Plain backgrounds are another. In a patch of sky or skin there is
# little to learn. In a patch of grass there is a lot, and its blades look like streaks.
#
# The 2026 paper (Sec. 4.1.2) sorts patches by **sharpness** and trains the same network on soft, middling and sharp ones. The
# soft ones, it finds, teach the network best to remove unseen rain, at every stage of training. There is a price: as training
# goes on, that network restores the background better and removes less of the rain (Fig. 6).
#
# **Make a prediction.** Three networks are trained on soft, middling and sharp patches. Which one removes most unseen rain at the
# end? And which one damages an ordinary photograph most?

# %% [markdown] tags=["colab"]
# [Open this chapter in Colab](https://colab.research.google.com/github/rainlens/rainlens/blob/main/notebooks/06_sharpness.ipynb)

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

from rainlens import claims, complexity, evaluation, images, ledger, plots
from rainlens.experiments import Survey, run, scale_named, snapshot

plots.use_style()
setting = scale_named(scale)
KINDS = complexity.SHARPNESS_CLASSES

# %% [markdown]
# ## Measuring sharpness
#
# The **Laplacian** of a picture is, at each pixel, the sum of the four neighbours minus four times the pixel itself. On an even slope
# it is zero; at an edge it jumps up and down. Its variance says how much of such jumping there is. With *G* for the picture in grey
# and Δ for the Laplacian:
#
# $$S = \operatorname{var}(\Delta G) \tag{6.1}$$
#
# The paper calls a patch *low* below 50, *medium* from 500 to 1,000 and *high* above 5,000. What lies between is left out, so
# that the classes are far apart.

# %%
size = 64
examples = {
    kind: complexity.patches_of_sharpness(images.EMBEDDED, 4, size, 3, kind)
    for kind in KINDS
}

# %% tags=["hide-input"]
tiles, medians = [], {}
for kind, patches in examples.items():
    values = complexity.sharpness(patches)
    medians[kind] = float(np.median(values))
    tiles += [(p, f"{kind}: S = {v:,.0f}") for p, v in zip(patches, values, strict=True)]
plots.gallery(
    tiles,
    alt="Four patches each of low, medium and high sharpness",
    caption="2026 paper, Fig. 5, with patches of 64x64 pixels from the embedded photographs. What "
    "to "
    "notice: a low patch is not empty. It has light and colour, but no edges. The median <i>S</i> "
    "of these four is " + ", ".join(f"{m:,.0f} ({k})" for k, m in medians.items()) + ".",
    columns=4,
    zoom=2,
)

# %% [markdown]
# ## The experiment
#
# One SwinIR (chapter 4) for each class and seed. It is trained on patches of natural pictures, as in the paper. Test pictures are *not*
# sorted: all networks are tested on the same pictures, with soft and with sharp parts.
#
# A survey, in which nothing is trained, counts how many patches of each class there are.

# %% tags=["grid"]
surveys = [
    Survey(backgrounds=name, patch_size=setting.patch_size)
    for name in ledger.CATEGORIES
]
networks = {
    k: [setting.of_sharpness(k, seed) for seed in setting.seeds]
    for k in KINDS
}
grid = [*surveys, *(e for part in networks.values() for e in part)]

# %%
found = dict(
    zip(grid, run(grid, setting, recompute=recompute), strict=True)
)
trained = {
    kind: [found[e] for e in part] for kind, part in networks.items()
}
one = networks["low"][0]
print(plots.NETWORK_NAME[one.model], dict(one.options))
print(f"{len(found) - len(surveys)} networks, {one.iterations:,} steps")
print(
    f"{one.patches:,} patches of {one.patch_size}x{one.patch_size} pixels"
)

# %% tags=["hide-input"]
NAMES = dict(zip(KINDS, ("soft", "middling", "sharp"), strict=True))
COLOURS = dict(zip(KINDS, ("#0072B2", "#E69F00", "#CC3311"), strict=True))
everyone = [r for records in trained.values() for r in records]
ends = {
    kind: {m: claims.mean(records, "unseen", m) for m in ("e_r", "contrast", "e_b")}
    for kind, records in trained.items()
}


def against(kind, measure):
    """Whether a network lies above both others by a measure, below one of them, or neither."""
    pairs = [(trained[kind], trained[other]) for other in KINDS if other != kind]
    gaps = [claims.difference(*pair, "unseen", measure) for pair in pairs]
    words = [claims.direction(gap, "above", "below", "open") for gap in gaps]
    return "below" if "below" in words else "open" if "open" in words else "above"


# %% tags=["hide-input"]
def leader(measure):
    """The class whose network lies above both others, or None."""
    return next((kind for kind in KINDS if against(kind, measure) == "above"), None)


def reply(kind):
    """What the records say to those who chose a class."""
    judged = {against(kind, measure) for measure in ("e_r", "contrast")}
    verdict = {"above": "Yes, by both measures of removal.", "below": "No, another removes more."}
    said = verdict[judged.pop()] if judged in ({"above"}, {"below"}) else (
        "These records cannot tell: E_R and contrast gain do not both say so.")
    values = ends[kind]
    return (f"{said} Here the contrast gain is {values['contrast']}, E_R "
            f"{values['e_r'].text(1)}, and the damage E_B is {values['e_b'].text(1)}.")


# %% tags=["hide-input"]
figure, pair = plt.subplots(1, 2, figsize=(6, 2.6))
titles = {"contrast": "contrast gain (rain removed)", "e_b": "E_B (damage)"}
for axes, (measure, title) in zip(pair, titles.items(), strict=True):
    values = [ends[kind][measure] for kind in KINDS]
    bars = axes.bar([NAMES[k] for k in KINDS], [v.value for v in values], color=COLOURS.values())
    spread = [[v.value - v.low for v in values], [v.high - v.value for v in values]]
    axes.errorbar(range(len(KINDS)), [v.value for v in values], spread, fmt="none",
                  ecolor=plots.INK, capsize=3)
    axes.set_title(title)

# %% tags=["hide-input"]
same = leader("contrast") is not None and leader("contrast") == leader("e_b")
shown = plots.chart(
    figure,
    alt="; ".join(f"{NAMES[k]}: contrast gain {v['contrast']}, E_B {v['e_b'].text(1)}"
                  for k, v in ends.items()),
    caption="At the end of training, on unseen rain, with 95 % intervals over test pictures. What "
    "to "
    "notice: the network that removes most rain is "
    + ("also" if same else "not clearly") + " the one that damages most. "
    "Part of the 2026 paper's Fig. 6a; the contrast gain is ours. "
    + plots.source_note(everyone, scale),
)
question = "After training on which patches is most unseen rain removed?"
plots.guess(question, {f"{NAMES[k]} ones".capitalize(): reply(k) for k in KINDS}, shown)

# %% [markdown]
# ## How many such patches are there?
#
# Sharpness depends on the size of a patch: a small one more easily fits between two edges. With the paper's 128x128 pixels soft
# patches are rare. With the smaller patches that our networks are trained on, natural pictures have enough of each class.

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(7.2, 3.8))
edges = np.logspace(0, 5, 41)
for survey, name, dash in zip(surveys, ledger.CATEGORIES, ("-", "--", "-.", ":"), strict=True):
    values = np.clip(found[survey].tests["patches"]["sharpness"], 1, 1e5)
    axes.hist(values, edges, histtype="step", linewidth=1.8, linestyle=dash, label=name,
              color=plots.CATEGORY_COLOUR[name])
for kind, (low, high) in KINDS.items():
    axes.axvspan(max(low, 1), min(high, 1e5), color=plots.FAINT, alpha=0.15, linewidth=0)
    axes.text(np.sqrt(max(low, 1) * min(high, 1e5)), 1.02, kind, ha="center",
              transform=axes.get_xaxis_transform())
axes.set_xscale("log")
axes.set_xticks(10 ** np.arange(6), [f"{10**k:,}" for k in range(6)])
axes.set(xlabel="sharpness S (logarithmic)", ylabel="patches of 1,024", xlim=(0.8, 1.2e5))
axes.legend(loc="upper left")

# %% tags=["hide-input"]
shares, middle = {}, {}
for survey, name in zip(surveys, ledger.CATEGORIES, strict=True):
    values = np.array(found[survey].tests["patches"]["sharpness"])
    shares[name] = [((values >= a) & (values < b)).mean() for a, b in KINDS.values()]
    middle[name] = np.median(values)
told = "; ".join(f"{n}: {', '.join(f'{s:.0%}' for s in parts)}" for n, parts in shares.items())
softest, sharpest = min(middle, key=middle.get), max(middle, key=middle.get)
most = max(sum(parts) for parts in shares.values())

# %% tags=["hide-input"]
plots.chart(
    figure,
    alt=f"Histograms of sharpness in four categories. Shares of low, medium, high: {told}",
    caption="Grey bands are the three classes; <i>urban</i> are buildings. What to notice: the "
    "lines "
    "are shifted, and much of each lies outside the bands. The softest category by its median is "
    f"{softest} (S = {middle[softest]:,.0f}), the sharpest {sharpest} ({middle[sharpest]:,.0f}). "
    f"No category has more than {most:.0%} of its patches in a class. The papers have no such "
    f"figure. {plots.source_note([found[s] for s in surveys], scale)}",
)

# %% [markdown]
# The share of patches in each class:

# %% tags=["hide-input"]
rows = ["| category | " + " | ".join(KINDS) + " |", "|---" * 4 + "|"]
for name, parts in shares.items():
    rows.append(f"| {name} | " + " | ".join(f"{share:.1%}" for share in parts) + " |")
Markdown("\n".join(rows))

# %% [markdown]
# ## Along training
#
# Three measures (chapter 2), several times during training. E_R is how much changed where it rains. The contrast gain is how much of the
# rain's contrast is gone. E_B is the damage where it is dry.

# %% tags=["hide-input"]
figure, row = plt.subplots(1, 3, figsize=(10.5, 3.6))
labels = {"e_r": "E_R", "contrast": "contrast gain", "e_b": "E_B"}
for axes, (measure, label) in zip(row, labels.items(), strict=True):
    for (kind, records), marker in zip(trained.items(), "os^", strict=True):
        plots.training_curves(axes, records, f"unseen/{measure}", color=COLOURS[kind],
                              marker=marker, markersize=4, label=f"{kind} sharpness")
    axes.set_title(f"{label}, unseen rain")
    axes.set_ylim(bottom=0)
row[1].legend(loc="lower right")


def ahead(measure):
    """At how many of the stages the soft network is highest, in all seeds."""
    curves = {k: np.array([r.curves[f"unseen/{measure}"][1:] for r in trained[k]]) for k in KINDS}
    first = (curves["low"] > np.maximum(curves["medium"], curves["high"])).all(axis=0)
    return f"{first.sum()} of {len(first)}"


# %% tags=["hide-input"]
last = {}
for kind, records in trained.items():
    values = [np.mean([r.curves[f"unseen/{m}"][-1] for r in records]) for m in labels]
    last[kind] = "E_R {:.1f}, contrast gain {:.2f}, E_B {:.1f}".format(*values)
plots.chart(
    figure,
    alt="Three measures along training. At the end: "
    + "; ".join(f"{k}: {v}" for k, v in last.items()),
    caption="2026 paper, Fig. 6a (E_R and E_B); the contrast gain is ours. Means over seeds and "
    f"{one.curves[0].count} test pictures. What to notice: where the line of low sharpness lies. "
    f"In "
    f"all seeds it is highest at {ahead('e_r')} stages by E_R, at {ahead('contrast')} by contrast "
    f"gain, and at {ahead('e_b')} by E_B. {plots.source_note(everyone, scale)}",
)

# %% [markdown]
# ## Pictures along training
#
# The same photograph with unseen streaks, cleaned by each network at three moments.

# %% tags=["hide-input"]
test = claims.test_set(found[one], "shown_unseen")
rainy, clean = evaluation.load(test)
moments = [snapshot(test.name, step) for step in one.snapshots] + [test.name]
steps = [*one.snapshots, one.iterations]
tiles, damage = [], {}
for kind, records in trained.items():
    for name, step in zip(moments, steps, strict=True):
        tiles.append((setting.store.picture(records[0], name, 0), f"{kind}, step {step:,}"))
    damage[kind] = records[0].tests[test.name]["e_b"][0]
tiles += [(rainy[0], "rainy input"), (clean[0], "clean")]

# %% tags=["hide-input"]
plots.gallery(
    tiles,
    alt="Outputs of three networks at three moments of training, with the rainy and the clean "
    "picture",
    caption="2026 paper, Fig. 6b, with the embedded streaks on a photograph from scikit-image. "
    "What to "
    "notice: fur and whiskers, and the streaks, from left to right. At the end, E_B of this "
    "picture "
    "is " + ", ".join(f"{value:.0f} ({kind})" for kind, value in damage.items()) + ". "
    + plots.source_note([records[0] for records in trained.values()], scale),
    columns=3,
)

# %% [markdown]
# ## What we found

# %% tags=["hide-input"]
def patches_of(kind):
    """A class in a sentence."""
    return f"the **{NAMES[kind]}** patches" if kind else "**none of them clearly**"


by_e_r, by_contrast, damaging = (leader(m) for m in ("e_r", "contrast", "e_b"))
if by_e_r == by_contrast:
    removal = f"{patches_of(by_e_r)} (by E_R and by contrast gain)"
else:
    removal = f"{patches_of(by_e_r)} by E_R, {patches_of(by_contrast)} by contrast gain"
unseen, rows = claims.rain_name(found[one], "unseen"), []
for kind, v in ends.items():
    rows.append(f"| {kind} | {v['e_r'].text(1)} | {v['contrast']} | {v['e_b'].text(1)} |")

# %% tags=["hide-input"]
Markdown(
    f"The answer at this scale: most unseen rain is removed after training on {removal}. Most "
    f"damage to "
    f"an ordinary photograph is done after training on {patches_of(damaging)}.\n\n"
    "| sharpness | E_R | contrast gain | E_B |\n|---|---|---|---|\n" + "\n".join(rows)
    + f"\n\nAt the end of training, on {unseen}. {plots.source_note(everyone, scale)}"
)

# %% tags=["hide-input"]
words = ("more", "less", "undecided")
rows = ["| low sharpness against | measure | removes | difference |", "|---|---|---|---|"]
for other in ("medium", "high"):
    for measure, digits in (("e_r", 1), ("contrast", 2)):
        gap = claims.difference(trained["low"], trained[other], "unseen", measure)
        said = claims.direction(gap, *words)
        rows.append(f"| {other} | {labels[measure]} | **{said}** | {gap.text(digits)} |")
Markdown("Picture by picture, the network of low sharpness against each of the others:\n\n"
         + "\n".join(rows))

# %% [markdown]
# The paper finds that E_B and E_R of the soft network both fall as training goes on. And here?

# %% tags=["hide-input"]
begin, end = (trained["low"][0].curves["iteration"][place] for place in (1, -1))
rows = [f"| low sharpness, seed | measure | step {begin:,} | step {end:,} |", "|---|---|---|---|"]
courses = {"E_R": [], "E_B": []}
for record in trained["low"]:
    for name, measure in (("E_R", "e_r"), ("E_B", "e_b")):
        a, b = (record.curves[f"unseen/{measure}"][place] for place in (1, -1))
        courses[name].append("rises" if b > a else "falls")
        rows.append(f"| {record.experiment['seed']} | {name} | {a:.1f} | {b:.1f} |")
lead = " and ".join(
    f"{name} **{said[0] if len(set(said)) == 1 else 'rises in one seed and falls in another'}**"
    for name, said in courses.items()
)
Markdown(f"From the first measurement to the last, {lead}.\n\n" + "\n".join(rows))

# %% tags=["hide-input"]
table = ledger.table(setting).set_index("claim")
rows = ["| claim of the 2026 paper (Fig. 6) | our records |", "|---|---|"]
for claim in ("low-sharpness", "sharpness-tradeoff"):
    rows.append(f"| {table.loc[claim, 'says']} | **{table.loc[claim, 'verdict']}** |")
Markdown("The two claims, judged (the rules are in chapter 15):\n\n" + "\n".join(rows))

# %% [markdown]
# ### Is it rain that is taken out?
#
# A network that has never seen an edge may take an edge for rain and soften it, whether it rains there or not. Look for soft edges in the
# pictures above.

# %% tags=["hide-input"]
exact = claims.mean(trained["low"], "unseen", "exact_e_r").value
reached = ends["low"]["e_r"].value
Markdown(
    f"The soft network changes rainy pixels by {reached:.0f} grey levels (E_R). Removing exactly "
    f"the rain "
    f"would change them by {exact:.0f}. "
    + ("So it changes more than the rain." if ends["low"]["e_r"].low > exact
       else "By this number it does not change more than the rain.")
)

# %% [markdown]
# ## Try it
#
# 1. Blur a photograph until its sharpness is below 50. How much blur does it take?
#    (torchvision has `gaussian_blur`; then `complexity.sharpness`.)
# 2. Would a network trained on *blurred sharp* patches be like the one trained on soft patches? What would you measure to find out?
#
# <details><summary>Thoughts on 2</summary>
#
# Blurring takes away fine edges. It keeps what soft patches do not have: many objects, much light and dark. So the two kinds differ in
# coarse structure, which chapter 7 measures. If sharpness is what counts, the two networks should behave alike. Give both the same test,
# and compare E_R *and* E_B.
#
# </details>

# %% tags=["hide-input"]
plots.sources("2026: Fig. 5, 6", ["complexity.py", "experiments.py", "models/swinir.py"])
