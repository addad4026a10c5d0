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
# # The ledger
#
# **Which claims of the two papers hold in our experiments, which do not, and which can we not decide?**
#
# Each claim that can be checked on records is checked by a small function: a statistic, its 95 % interval, and a rule.
#
# **Make a prediction.** The papers trained for 250,000 steps. How many of their claims do you expect to see in networks
# that were trained for a thousand?

# %% [markdown] tags=["colab"]
# [Open this chapter in Colab](https://colab.research.google.com/github/rainlens/rainlens/blob/main/notebooks/15_ledger.ipynb)

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

from rainlens import ledger, plots
from rainlens.experiments import run, scale_named

plots.use_style()
setting = scale_named(scale)

# %% [markdown]
# The ledger reads what the other chapters computed. It needs no network of its own.

# %% tags=["grid"]
grid = ledger.grid(setting)

# %%
records = run(grid, setting, recompute=recompute)
table = ledger.table(setting)
count = table["verdict"].value_counts()

# %% [markdown]
# ## The answer

# %% tags=["hide-input"]
judges = {claim.id: claim.judge for claim in ledger.CLAIMS}
yes, no, left = (int(count.get(verdict, 0)) for verdict in ledger.VERDICTS)
coming = sum(judge is None for judge in judges.values())
Markdown(
    f"Of {len(table)} claims, **{yes} are reproduced** at scale *{scale}*, **{no} are not**, and "
    f"**{left} are not decided**. Of these {left}, {coming} belong to chapters still to come."
)

# %% tags=["hide-input"]
parts = {"Part I": (1, 3), "Part II": (4, 8), "Part III": (9, 12)}
shades = dict(zip(ledger.VERDICTS, ("#009E73", "#D55E00", "#C8C8C8"), strict=True))
figure, axes = plt.subplots(figsize=(3.4, 2.9))
start, told = dict.fromkeys(parts, 0), []
for verdict, colour in shades.items():
    chosen = table[table["verdict"] == verdict]["chapter"]
    sizes = {part: int(chosen.between(*span).sum()) for part, span in parts.items()}
    told += [f"{part}: {n} {verdict}" for part, n in sizes.items() if n]
    bars = axes.barh(list(parts), list(sizes.values()), left=list(start.values()), color=colour)
    axes.bar_label(bars, [n or "" for n in sizes.values()], label_type="center")
    start = {part: start[part] + sizes[part] for part in parts}
axes.invert_yaxis()
axes.set_xlabel("claims")
axes.locator_params(axis="x", integer=True)
names = ("reproduced", "not reproduced", "not decided")

# %% tags=["hide-input"]
figure.legend(axes.containers, names, loc="outside upper left", fontsize=10)
failed = table[table["verdict"] == ledger.NOT_REPRODUCED]["chapter"]
most = max(parts, key=lambda part: failed.between(*parts[part]).sum())
plots.chart(
    figure,
    alt="Claims by part of the book and verdict. " + "; ".join(told),
    caption="Claims by the part of the book that treats them: I is chapters 1 to 3, II 4 to 8, III "
    "9 "
    "to 12. What to notice: where the claims that fail lie. "
    + (f"{most} has {failed.between(*parts[most]).sum()} of {no}. " if no else "None fails. ")
    + f"The papers have no such figure. {plots.source_note(records, scale)}",
)

# %% [markdown]
# ## How to read a verdict
#
# - **Reproduced**: the effect has the sign that the paper says, its interval excludes zero, and all seeds agree.
# - **Not reproduced**: the same, with the other sign.
# - **Not decided at this scale**: anything else, also where an experiment is still missing.
#
# A claim in several parts is reproduced if all of them are. One part that fails is enough against it. Some claims have a rule of their
# own; it stands with the claim.
#
# A verdict is about *this* scale. Longer training, other pictures or more seeds may change it. Each claim below says what that would take.
#
# Claims about *removal* are judged in the papers' own measures, or in the removal gain where a level is needed. Chapters 2 and 5 say
# what these measures miss. So a verdict is not the last word on *why* something happens.
#
# P is the 2026 paper, N the 2023 paper.


# %% tags=["hide-input"]
CHANGES = {
    "fewer-backgrounds": "all twelve sweeps must fall; one that rises is enough against it",
    "collapse": "the removal gain at N = 256 must be below half of that at N = 8",
    "rain-range": "the tipping points must lie in the paper's order, their intervals apart",
    "category-order": "the tipping points must lie in the paper's order, their intervals apart",
    "complexity-order": "other pictures; longer training changes nothing, as nothing is trained",
    "low-sharpness": "a stage at which another class leads in all seeds is enough against it",
    "sharpness-tradeoff": "E_B and E_R must both fall over the training, in all seeds",
    "reconstruction": "E_B must lose less than a quarter as much after N = 256 as before",
}

# %% tags=["hide-input"]
CHANGES |= {
    "transfer": "faces and buildings must be within a fifth of natural training, comics above it",
    "model-size": "tipping points must be reached and overlap; the largest must remove more at the "
    "smallest N and less at the largest",
    "toy-content": "one answer nearer to the truth than to the training curve is enough against it",
    "toy-noise": "the error must rise from each O to the next, intervals apart",
    "balance": "all four differences must lie above zero, intervals and seeds",
    "psnr-misleads": "the untouched picture must score higher than a network that removes contrast",
}


# %% tags=["hide-input"]
def measured(ours):
    """What was found as a sentence, and its many parts, if any, as a folded list."""
    lead, _, inside = ours.partition(" (change")
    first, *others = lead.split("; ")
    said = f"{first[0].upper()}{first[1:]}." + "".join(f" {o[0].upper()}{o[1:]}." for o in others)
    if not inside:
        return said
    title, _, items = inside.rstrip(")").partition(": ")
    lines = "\n".join(f"- {item}" for item in items.split("; "))
    summary = f"<summary>Change{title}, one by one</summary>"
    return f"{said}\n\n<details>{summary}\n\n{lines}\n\n</details>"


# %% tags=["hide-input"]
def evidence(row):
    """The records behind a finding, as folded links."""
    links = plots.record_links(row.records, scale)
    count = f"{len(links)} record{'s' * (len(links) != 1)}"
    listed = f'<div style="overflow-wrap:anywhere">{"<br>".join(links)}</div>'
    return f"\n\n<details><summary>{count}</summary>\n\n{listed}\n\n</details>" if links else ""


# %% tags=["hide-input"]
def entry(row):
    """One claim: what is said, by whom, what we found, and what decides."""
    lines = [
        f"### {row.says}",
        f"{row.where}, chapter {row.chapter}; `{row.claim}`. The paper: {row.paper}.",
        f"**{row.verdict.capitalize()}.** {measured(row.ours)}",
    ]
    if row.claim in CHANGES:
        lines.append(f"*What decides:* {CHANGES[row.claim]}.")
    return "\n\n".join(lines) + evidence(row)


def entries(verdict):
    """The measured claims of one verdict."""
    rows = [row for row in table.itertuples() if row.verdict == verdict and judges[row.claim]]
    return Markdown("\n\n".join(entry(row) for row in rows) or "None.")


# %% [markdown]
# ## All claims at a glance

# %% tags=["hide-input"]
rows = ["| claim | verdict |", "|---|---|"]
for verdict in ledger.VERDICTS:
    for row in table[table["verdict"] == verdict].itertuples():
        said = f"**{verdict}**" if verdict != ledger.UNDECIDED else "not decided"
        rows.append(f"| {row.says} ({row.where}) | {said} |")
Markdown("\n".join(rows))

# %% [markdown]
# Below, each claim with what the paper measured and what we measured. Unfold its records to check it: each is a file with all settings
# and one value for each test picture.
#
# ## Reproduced

# %% tags=["hide-input"]
entries(ledger.REPRODUCED)

# %% [markdown]
# ## Not reproduced

# %% tags=["hide-input"]
entries(ledger.NOT_REPRODUCED)

# %% [markdown]
# ## Measured, but not decided
#
# Here the interval or the seeds leave the question open, or an experiment is missing at this scale.

# %% tags=["hide-input"]
entries(ledger.UNDECIDED)

# %% [markdown]
# ## Still to come
#
# These claims need networks that the book does not train yet.

# %% tags=["hide-input"]
waiting = [row for row in table.itertuples() if judges[row.claim] is None]
lines = [f"- {row.says} ({row.where}; chapter {row.chapter})" for row in waiting]
Markdown("\n".join(lines) or "None.")

# %% [markdown]
# ## Try it
#
# 1. Change the rule of a claim: copy its function from `ledger.py` into a cell, and ask for half the effect, or twice. Does the verdict
#    depend on it?
# 2. Run `rainlens claims --scale smoke` in a terminal. Which verdicts of tiny networks agree with these, and should you believe them?
#
# <details><summary>Thoughts on 2</summary>
#
# Networks that were trained for twenty steps know neither rain nor pictures. A verdict about them is about the first steps
# of training, and agreement is chance. A scale is part of every finding.
#
# </details>

# %% tags=["hide-input"]
plots.sources("2026 and 2023: all figures and tables", ["ledger.py", "claims.py", "records.py"])
