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
# Each claim that can be checked on records is checked by a small function: a statistic, its 95 % interval, and a rule. The
# functions stand in one file, `ledger.py`, to which the last line of this chapter leads. There are three verdicts:
#
# - **reproduced**: the effect has the sign that the paper says, its interval excludes zero, and all seeds agree;
# - **not reproduced**: the same, with the other sign;
# - **not decided at this scale**: anything else, also where an experiment is still missing.
#
# Claims about *removal* are judged in the papers' own measures, or in the removal gain where a level is needed. Chapters 2 and 5 say what
# these measures miss, so a verdict here is not the last word on *why* something happens.
#
# **Make a prediction.** The papers trained for 250,000 steps. How many of their claims do you expect to see in networks
# that were trained for a thousand?

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

import rainlens
from rainlens import ledger, plots
from rainlens.experiments import run, scale_named

plots.use_style()
setting = scale_named(scale)

# %% [markdown]
# ## The records
#
# The ledger reads what the other chapters computed. It needs no network of its own.

# %% tags=["grid"]
grid = ledger.grid(setting)

# %%
records = run(grid, setting, recompute=recompute)
table = ledger.table(setting)
count = table["verdict"].value_counts()
print(", ".join(f"{count.get(v, 0)} {v}" for v in ledger.VERDICTS))

# %% [markdown]
# ## All claims at a glance
#
# P is the 2026 paper, N the 2023 paper.

# %% tags=["hide-input"]
rows = ["| claim | where | verdict |", "|---|---|---|"]
for row in table.itertuples():
    said = f"**{row.verdict}**" if row.verdict != ledger.UNDECIDED else "not decided"
    rows.append(f"| {row.claim} | {row.where} | {said} |")
Markdown("\n".join(rows))

# %% tags=["hide-input"]
parts = {"I, chapters 1-3": (1, 3), "II, chapters 4-8": (4, 8), "III, chapters 9-12": (9, 12)}
shades = dict(zip(ledger.VERDICTS, ("#009E73", "#D55E00", "#C8C8C8"), strict=True))
figure, axes = plt.subplots(figsize=(7.2, 2.4))
left = dict.fromkeys(parts, 0)
for verdict, colour in shades.items():
    chosen = table[table["verdict"] == verdict]["chapter"]
    sizes = {part: int(chosen.between(*span).sum()) for part, span in parts.items()}
    bars = axes.barh(
        list(parts), list(sizes.values()), left=list(left.values()), color=colour, label=verdict
    )
    axes.bar_label(bars, [n or "" for n in sizes.values()], label_type="center")
    left = {part: left[part] + sizes[part] for part in parts}
axes.invert_yaxis()
axes.set_xlabel("claims")
axes.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.45, 1))

# %% tags=["hide-input"]
told = ", ".join(f"{count.get(v, 0)} {v}" for v in ledger.VERDICTS)
plots.chart(
    figure,
    alt=f"Claims by part of the book and verdict; in all {told}",
    caption=f"The claims by the part of the book that treats them. Scale <i>{scale}</i>. What to "
    "notice: part III is still to come, so that its claims are open.",
)

# %% [markdown]
# ## Decided
#
# What the paper says, what it measured, what we measured. Unfold a claim's records to check it: each is a file with all settings and one
# value for each test picture.


# %% tags=["hide-input"]
def evidence(row):
    """The records behind a finding, as folded links."""
    base = f"{rainlens.REPOSITORY}/blob/main/records/{scale}"
    links = [f'<a href="{base}/{name}.json">{name}</a>' for name in row.records]
    return f"<details><summary>{len(links)} records</summary>\n\n{'<br>'.join(links)}\n\n</details>"


def entry(row):
    """One claim: what is said, by whom, and what we found."""
    where = f"{row.where}; the paper: {row.paper}"
    found = f"**{row.verdict.capitalize()}.** {row.ours[0].upper()}{row.ours[1:]}."
    return f"### {row.claim}\n\n{row.says} *({where}.)*\n\n{found} Chapter {row.chapter}."


decided = table[table["verdict"] != ledger.UNDECIDED]
Markdown("\n\n".join(f"{entry(row)}\n\n{evidence(row)}" for row in decided.itertuples()) or "None.")

# %% [markdown]
# ## Not decided
#
# Some of these have been measured, and the interval or the seeds leave the question open. Most wait for a chapter that is still to come.

# %% tags=["hide-input"]
open_claims = table[table["verdict"] == ledger.UNDECIDED]
lines = [
    f"- **{row.claim}** ({row.where}). {row.says} *Here: {row.ours}.*"
    for row in open_claims.itertuples()
]
Markdown("\n".join(lines))

# %% [markdown]
# ## Try it
#
# 1. Change the rule of a claim: copy its function from `ledger.py` into a cell, and ask for half the effect, or twice. Does the verdict depend on it?
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
