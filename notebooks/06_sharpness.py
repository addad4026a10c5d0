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
# The number of backgrounds is one way to make pictures easy to learn. What is *in* them is another. A patch of sky or skin has
# little to be learned; a patch of grass has a lot, and its blades look like streaks. The 2026 paper (Sec. 4.1.2) sorts patches by **sharpness**,
# trains the same network on soft, middling and sharp ones, and finds that the soft ones teach it best to remove unseen rain, at every
# stage of training. It also finds the price: for that network, background and rain removal pull in opposite
# directions as training goes on (Fig. 6).
#
# **Make a prediction.** Three networks, trained on soft, middling and sharp patches. Which one damages an ordinary photograph most? And which
# removes most unseen rain at the end?

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
# The **Laplacian** of a picture is, at each pixel, the sum of the four neighbours minus four times the pixel itself. On a slope it is zero; at
# an edge it jumps up and down. Its variance says how much of such jumping there is:
#
# > *S* = Var(Laplacian of the grey picture).
#
# The paper calls a patch *low* below 50, *medium* from 500 to 1,000 and *high* above 5,000; what lies between is left out, so
# that the classes are far apart.

# %%
size = 64
examples = {
    kind: complexity.patches_of_sharpness(images.EMBEDDED, 4, size, 3, kind)
    for kind in KINDS
}

# %% tags=["hide-input"]
tiles = []
for kind, patches in examples.items():
    values = complexity.sharpness(patches)
    tiles += [(p, f"{kind}: S = {v:,.0f}") for p, v in zip(patches, values, strict=True)]
plots.gallery(
    tiles,
    alt="Four patches each of low, medium and high sharpness",
    caption="The 2026 paper's Fig. 5, with patches of 64x64 pixels from the embedded photographs. What to "
    "notice: a low patch is not empty; it has light and colour, but no edges.",
    columns=4,
    zoom=2,
)

# %% [markdown]
# ## How many such patches are there?
#
# Sharpness depends on the size of a patch: a small one more easily fits between two edges. With the paper's 128x128 pixels soft
# patches are rare; with the patches that our networks are trained on, each class has enough.

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
figure, axes = plt.subplots(figsize=(7.2, 3.8))
edges = np.logspace(0, 5, 41)
for survey, name in zip(surveys, ledger.CATEGORIES, strict=True):
    values = np.clip(found[survey].tests["patches"]["sharpness"], 1, 1e5)
    axes.hist(values, edges, histtype="step", linewidth=1.8, label=name,
              color=plots.CATEGORY_COLOUR[name])
for kind, (low, high) in KINDS.items():
    axes.axvspan(max(low, 1), min(high, 1e5), color=plots.FAINT, alpha=0.15, linewidth=0)
    axes.text(np.sqrt(max(low, 1) * min(high, 1e5)), 1.02, kind, ha="center",
              transform=axes.get_xaxis_transform())
axes.set_xscale("log")
axes.set_xlabel("sharpness S (logarithmic)")
axes.set_ylabel("patches of 1,024")
axes.legend(loc="upper left")

# %% tags=["hide-input"]
shares = {}
for survey, name in zip(surveys, ledger.CATEGORIES, strict=True):
    values = np.array(found[survey].tests["patches"]["sharpness"])
    shares[name] = [((values >= a) & (values < b)).mean() for a, b in KINDS.values()]
told = "; ".join(f"{n}: {', '.join(f'{s:.0%}' for s in parts)}" for n, parts in shares.items())
plots.chart(
    figure,
    alt=f"Histograms of sharpness in four categories. Shares of low, medium, high: {told}",
    caption="Grey bands are the three classes. What to notice: portraits are soft, buildings sharp, "
    f"and most patches belong to no class. {plots.source_note([found[s] for s in surveys], scale)}",
)

# %% [markdown]
# The share of patches in each class:

# %% tags=["hide-input"]
rows = ["| category | " + " | ".join(KINDS) + " |", "|---" * 4 + "|"]
for name, parts in shares.items():
    rows.append(f"| {name} | " + " | ".join(f"{share:.1%}" for share in parts) + " |")
Markdown("\n".join(rows))

# %% [markdown]
# Training patches are taken from natural pictures, as in the paper. Test pictures are *not* sorted: every network is tested on whole
# pictures, with soft and with sharp parts.
#
# ## Along training

# %% tags=["hide-input"]
colours = dict(zip(KINDS, ("#0072B2", "#E69F00", "#CC3311"), strict=True))
figure, row = plt.subplots(1, 3, figsize=(10.5, 3.6))
labels = {"e_r": "E_R", "contrast": "contrast gain", "e_b": "E_B"}
for axes, (measure, label) in zip(row, labels.items(), strict=True):
    for (kind, records), marker in zip(trained.items(), "os^", strict=True):
        plots.training_curves(axes, records, f"unseen/{measure}", color=colours[kind],
                              marker=marker, markersize=4, label=f"{kind} sharpness")
    axes.set_title(f"{label}, unseen rain")
    axes.set_ylim(bottom=0)
row[1].legend(loc="lower right")

# %% tags=["hide-input"]
ends = {}
for kind, records in trained.items():
    last = [np.mean([r.curves[f"unseen/{m}"][-1] for r in records]) for m in labels]
    ends[kind] = "E_R {:.1f}, contrast gain {:.2f}, E_B {:.1f}".format(*last)
everyone = [r for records in trained.values() for r in records]
plots.chart(
    figure,
    alt="Three measures along training. At the end: "
    + "; ".join(f"{k}: {v}" for k, v in ends.items()),
    caption="The 2026 paper's Fig. 6a (E_R and E_B), and the contrast gain. Means over seeds and 16 test "
    "pictures. What to notice: does the order of the lines in E_R stay the same throughout, and "
    f"does the contrast gain agree? {plots.source_note(everyone, scale)}",
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
tiles = []
for kind, records in trained.items():
    for name, step in zip(moments, steps, strict=True):
        tiles.append((setting.store.picture(records[0], name, 0), f"{kind}, step {step:,}"))
tiles += [(rainy[0], "rainy input"), (clean[0], "clean")]

# %% tags=["hide-input"]
plots.gallery(
    tiles,
    alt="Outputs of three networks at three moments of training, with the rainy and the clean picture",
    caption="The 2026 paper's Fig. 6b, with the embedded streaks on a photograph from scikit-image. What to "
    "notice: fur and whiskers, and the streaks, from left to right. "
    + plots.source_note([records[0] for records in trained.values()], scale),
    columns=3,
)

# %% [markdown]
# ## What we found

# %% tags=["hide-input"]
unseen = claims.rain_name(found[one], "unseen")
rows = ["| trained on | E_R | contrast gain | E_B |", "|---|---|---|---|"]
for kind, records in trained.items():
    e_r, contrast, e_b = (claims.mean(records, "unseen", m) for m in ("e_r", "contrast", "e_b"))
    rows.append(f"| {kind} sharpness | {e_r.text(1)} | {contrast} | {e_b.text(1)} |")
exact = claims.mean(trained["low"], "unseen", "exact_e_r").value
Markdown(
    "\n".join(rows)
    + f"\n\nAt the end of training, on {unseen}; exact removal has an E_R of {exact:.1f}. "
    + plots.source_note(everyone, scale)
)

# %% tags=["hide-input"]
words = ("more", "less", "neither clearly more nor clearly less")
lines = []
for other in ("medium", "high"):
    pair = trained["low"], trained[other]
    e_r, contrast = (claims.difference(*pair, "unseen", m) for m in ("e_r", "contrast"))
    lines.append(
        f"- Low against {other} sharpness: by E_R **{claims.direction(e_r, *words)}** unseen rain "
        f"removed (difference {e_r.text(1)}), by contrast gain "
        f"**{claims.direction(contrast, *words)}** (difference {contrast})."
    )
Markdown("\n".join(lines))

# %% tags=["hide-input"]
table = ledger.table(setting).set_index("claim")
lines = [
    f"- *{table.loc[claim, 'says']}* Verdict: **{table.loc[claim, 'verdict']}**. Here: {table.loc[claim, 'ours']}."
    for claim in ("low-sharpness", "sharpness-tradeoff")
]
Markdown("The two claims of the paper, judged (chapter 15):\n\n" + "\n".join(lines))

# %% [markdown]
# A high E_R of the soft network must be read beside its E_B. A network that has never seen an edge may take an edge for rain and soften it, where it
# rains and where it does not. What is removed is then not only rain.

# %% [markdown]
# ## Try it
#
# 1. Blur a photograph until its sharpness is below 50. How much blur does it take?
#    (torchvision has `gaussian_blur`; then `complexity.sharpness`.)
# 2. Would a network trained on *blurred sharp* patches be like the one trained on soft patches? What would you measure to find out?
#
# <details><summary>Thoughts on 2</summary>
#
# Blurring takes away fine edges, but keeps what soft patches do not have: many objects, much light and dark. So the two differ in
# structure at large scales, which chapter 7 measures. If sharpness is what counts, the two networks should behave alike. Give both the same test,
# and compare E_R *and* E_B.
#
# </details>

# %% tags=["hide-input"]
plots.sources("2026: Fig. 5, 6", ["complexity.py", "experiments.py", "models/swinir.py"])
