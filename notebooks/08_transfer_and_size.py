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
# # Other pictures, other sizes
#
# **Does it matter *which* few pictures a network learns from, and how large the network is?**
#
# "Train on few pictures" sounds dangerous: a network that has seen nothing but faces might turn everything into a face. And a larger network might
# have room for both, rain and pictures. The 2023 paper looks at both worries in its appendix:
#
# - trained on faces or buildings and tested on natural pictures, networks do as well as with natural training, from 256 patches on; only
#   comics stay worse (appendix B, Fig. 10);
# - three sizes of network turn at the same number of backgrounds; the larger ones do everything more: they remove more with few backgrounds,
#   and less with many (appendix C, Fig. 11).
#
# **Make a prediction.** Order these four schools by how well their pupils paint the background of a *natural* picture: natural pictures,
# faces, buildings, comics. And does your order change with the number of patches?

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
from IPython.display import Markdown

from rainlens import claims, ledger, models, plots
from rainlens.experiments import run, scale_named

plots.use_style()
setting = scale_named(scale)

# %% [markdown]
# ## Trained here, tested there
#
# The ResNet of chapter 4, trained on each category, and now always tested on the same natural pictures with the same unseen rain.

# %% tags=["grid"]
schools = {
    name: setting.sweep(True, backgrounds=name)
    for name in ledger.CATEGORIES
}
sizes = {
    name: setting.sweep(True, options=options)
    for name, options in setting.sizes.items()
}
grid = list(
    dict.fromkeys(
        e for part in (*schools.values(), *sizes.values()) for e in part
    )
)

# %%
found = dict(
    zip(grid, run(grid, setting, recompute=recompute), strict=True)
)
few, many = setting.coarse_counts[0], setting.coarse_counts[-1]
own = {name: claims.by_count(part, found) for name, part in schools.items()}
abroad = {
    name: {
        n: claims.tested_on(records, "transfer")
        for n, records in sweep.items()
    }
    for name, sweep in own.items()
}
natural = own["natural"]

# %% tags=["hide-input"]
figure, row = plt.subplots(1, 3, figsize=(10.5, 3.8))
labels = {"e_b": "E_B", "e_r": "E_R", "contrast": "contrast gain"}
for axes, (measure, label) in zip(row, labels.items(), strict=True):
    for name, sweep in abroad.items():
        plots.sweep(axes, sweep, "unseen", measure, label=f"{name}",
                    colour=plots.CATEGORY_COLOUR[name], marker=plots.CATEGORY_MARKER[name])
    plots.axis_of_counts(axes, setting.coarse_counts)
    axes.set_title(f"{label}, natural test pictures")
row[0].legend(title="trained on")


# %% tags=["hide-input"]
def ends(measure):
    """The ends of each line, for those who cannot see the chart."""
    said = []
    for name, sweep in abroad.items():
        a, b = (claims.mean(sweep[n], "unseen", measure).value for n in (few, many))
        said.append(f"{name} {a:.1f} to {b:.1f}")
    return f"from N = {few} to {many}: " + ", ".join(said)


# %% tags=["hide-input"]
everyone = [r for sweep in own.values() for records in sweep.values() for r in records]
plots.chart(
    figure,
    alt=f"E_B {ends('e_b')}; E_R {ends('e_r')}",
    caption="The 2023 paper's Fig. 10, and the contrast gain. Bands are 95 % intervals over test pictures. What to "
    f"notice: do the lines of E_B meet on the right, and which one stays apart? {plots.source_note(everyone, scale)}",
)

# %% [markdown]
# The difference to natural training, picture by picture. "Alike" needs a rule: we call two schools alike if the interval of the difference lies
# within a fifth of natural training's own E_B. That rule was fixed before these networks were trained.

# %% tags=["hide-input"]
rows = ["| trained on | " + " | ".join(f"N = {n}" for n in setting.coarse_counts) + " |"]
rows.append("|---" * (len(setting.coarse_counts) + 1) + "|")
base = [claims.mean(natural[n], "unseen", "e_b").text(1) for n in setting.coarse_counts]
rows.append("| natural: E_B | " + " | ".join(base) + " |")
for name in ("faces", "urban", "comics"):
    cells = []
    for n in setting.coarse_counts:
        more = claims.difference(abroad[name][n], natural[n], "unseen", "e_b")
        cells.append(f"{more.value:+.1f} [{more.low:+.1f},\N{NO-BREAK SPACE}{more.high:+.1f}]")
    rows.append(f"| {name}: E_B more by | " + " | ".join(cells) + " |")
Markdown("\n".join(rows))

# %% [markdown]
# ## At home and abroad
#
# The same networks on pictures of their own category, for comparison. These are *other* test pictures, so that a difference may lie in
# the pictures as well as in the network.

# %% tags=["hide-input"]
rows = [
    f"| trained on, N = {many} | E_B at home | E_B on natural | gain at home | gain on natural |"
]
rows.append("|---" * 5 + "|")
for name in ledger.CATEGORIES:
    cells = [
        claims.mean(place[name][many], "unseen", measure).text(digits)
        for measure, digits in (("e_b", 1), ("gain", 2))
        for place in (own, abroad)
    ]
    rows.append(f"| {name} | " + " | ".join(cells) + " |")
Markdown("\n".join(rows))

# %% [markdown]
# ## Small, middling, large
#
# Three ResNets of the same depth and different width, trained on natural pictures.

# %%
by_size = {
    name: claims.by_count(part, found) for name, part in sizes.items()
}
first = setting.seeds[0]
by_size = {  # the same seed for all: sizes are compared, not seeds
    name: {
        n: [r for r in records if r.experiment["seed"] == first]
        for n, records in sweep.items()
    }
    for name, sweep in by_size.items()
}
for name, options in setting.sizes.items():
    count = models.count_parameters(models.build("resnet", **dict(options)))
    print(f"{name} (blocks x channels): {count:,} numbers to learn")

# %% tags=["hide-input"]
shades = dict(zip(sizes, ("#F0A860", "#C8553D", "#5E2B5E"), strict=True))
figure, row = plt.subplots(1, 3, figsize=(10.5, 3.8))
for axes, (measure, label) in zip(row, labels.items(), strict=True):
    for (name, sweep), marker in zip(by_size.items(), "os^", strict=True):
        plots.sweep(axes, sweep, "unseen", measure, label=name, colour=shades[name], marker=marker)
    plots.axis_of_counts(axes, setting.coarse_counts)
    axes.set_title(f"{label}, unseen rain")
row[0].legend(title="blocks x channels")
told = {name: [claims.mean(sweep[n], "unseen", "e_r").value for n in (few, many)]
        for name, sweep in by_size.items()}

# %% tags=["hide-input"]
single = [r for sweep in by_size.values() for records in sweep.values() for r in records]
plots.chart(
    figure,
    alt=f"E_R from N = {few} to {many}: "
    + ", ".join(f"{n} {a:.1f} to {b:.1f}" for n, (a, b) in told.items()),
    caption="The 2023 paper's Fig. 11, and the contrast gain. What to notice: do the lines bend at the same N? "
    f"Is the large network above on the left and below on the right? {plots.source_note(single, scale)}",
)

# %% [markdown]
# ### Does the tipping point move?
#
# As in chapter 5: the *N* at which the removal gain falls below 0.9, read off the closest curve that never rises; and for other levels, because the
# level is a choice.

# %% tags=["hide-input"]
levels = (0.9, 1.0, 1.1)
rows = ["| network | " + " | ".join(f"gain {level}" for level in levels) + " |"]
rows.append("|---" * (len(levels) + 1) + "|")
for name, sweep in by_size.items():
    cells = [str(claims.tipping_point(sweep, "unseen", level)) for level in levels]
    rows.append(f"| {name} | " + " | ".join(cells) + " |")
Markdown("\n".join(rows))

# %% [markdown]
# ## What we found

# %% tags=["hide-input"]
table = ledger.table(setting).set_index("claim")
lines = [
    f"- *{table.loc[claim, 'says']}* Verdict: **{table.loc[claim, 'verdict']}**. Here: {table.loc[claim, 'ours']}."
    for claim in ("transfer", "model-size")
]
Markdown("\n".join(lines))

# %% [markdown]
# Two limits of this chapter. The sizes differ by a factor of three in width and were trained with one seed, so that a difference between
# them may be luck. And after equally many steps, networks of different size are
# not equally far along: a small one may simply be *less trained*, which looks like being more general (chapter 4 shows what few steps do).

# %% [markdown]
# ## Try it
#
# 1. Mix the schools: what would you expect of 256 natural patches and 256 of faces? Which experiment would settle it?
# 2. Train the largest network for twice as many steps (`setting.experiment` with its `options` from `setting.sizes`, and more `iterations`). Does the difference between the sizes stay?
#
# <details><summary>Thoughts on 1</summary>
#
# If what counts is how hard the pictures are to learn, the mixture should behave like about 512 natural patches, a little easier. If what counts is likeness to
# the test pictures, it should behave like 256. The experiment: all three, same seed and budget, and the difference picture by picture.
#
# </details>

# %% tags=["hide-input"]
plots.sources("2023: Fig. 10, 11", ["experiments.py", "claims.py", "models/resnet.py"])
