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
# # 15. The ledger
#
# **Which claims of the two papers hold in our experiments, which do not, and which can we not decide?**
#
# Each claim that can be checked on records is checked by a small function: a statistic, its 95 % interval, and a rule.
#
# **Make a prediction.** The papers trained for 100,000 to 250,000 steps. How many of their claims do you expect to see in networks
# that were trained for a small part of that?

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

from rainlens import claims, plots
from rainlens.running import at_hand, run
from rainlens.scales import scale_named
from rainlens.tasks.restore import Restore
from rainlens.tasks.toy import Toy

plots.use_style()
setting = scale_named(scale)

# %% [markdown]
# The ledger reads what the other chapters computed. It needs no network of its own.

# %% tags=["grid"]
grid = claims.grid(setting)

# %%
grid = at_hand(grid, setting)  # what is missing is not decided
records = run(grid, setting, recompute=recompute)
table = claims.table(setting)
counts = [(table["verdict"] == v).sum() for v in claims.VERDICTS]
yes, no, undecided, untested = counts
tested = len(table) - untested

# %% [markdown]
# ## Your guess, and the answer

# %% tags=["hide-input"]
SPANS = {"fewer than a third": (0, 1 / 3), "a third to two thirds": (1 / 3, 2 / 3),
         "more than two thirds": (2 / 3, 1.01)}
replies = {
    choice: f"{'Right' if low <= yes / tested < high else 'No'}: it is {yes} of {tested}."
    for choice, (low, high) in SPANS.items()
}
told = f"{yes} of {tested} claims that could be tested are reproduced."
shown = plots.Shown("", "What became of the others stands below.", told)
plots.guess("Of the claims that we could test, how many are reproduced?", replies, shown)

# %% tags=["hide-input"]
toy = ((table["verdict"] == claims.REPRODUCED) & (table["chapter"] == 3)).sum()
moving = (table["trainings"] != "").sum()
long = {kind: sorted({e.iterations for e in grid if isinstance(e, kind)})
        for kind in (Restore, Toy)}
steps, toy_steps = (" or ".join(f"{n:,}" for n in found) for found in long.values())
Markdown(
    f"We test {tested} of {len(table)} claims. At scale *{scale}*, **{yes} are reproduced**, "
    f"{toy} of them about the toy task; **{no} are not**; **{undecided} are not decided**. "
    f"The other {untested} are not tested yet.\n\nOur networks were trained for {steps} steps, "
    f"those of the toy task for {toy_steps}. Behind {moving} verdicts stand trainings that had not "
    "all converged by the rule of chapter 4; beside each stands how many had, and its verdict is "
    "one about so few steps."
)

# %% tags=["hide-input"]
parts = {"Part I": (1, 3), "Part II": (4, 8), "Part III": (9, 12)}
shades = dict(zip(claims.VERDICTS, ("#009E73", "#D55E00", "#C8C8C8", "white"), strict=True))
figure, axes = plt.subplots(figsize=(3.4, 3.1))
start, told = dict.fromkeys(parts, 0), []
for word, colour in shades.items():
    chosen = table[table["verdict"] == word]["chapter"]
    sizes = {part: int(chosen.between(*span).sum()) for part, span in parts.items()}
    told += [f"{part}: {n} {word}" for part, n in sizes.items() if n]
    bars = axes.barh(list(parts), list(sizes.values()), left=list(start.values()), color=colour,
                     edgecolor=plots.FAINT, linewidth=0.8)
    axes.bar_label(bars, [n or "" for n in sizes.values()], label_type="center")
    start = {part: start[part] + sizes[part] for part in parts}

# %% tags=["hide-input"]
axes.invert_yaxis()
axes.set_xlabel("claims")
axes.locator_params(axis="x", integer=True)
axes.set_xlim(right=1.05 * axes.dataLim.x1)
figure.legend(axes.containers, claims.VERDICTS, loc="outside upper left", fontsize=10)

# %% tags=["hide-input"]
failed = table[table["verdict"] == claims.NOT_REPRODUCED]["chapter"]
lie = {part: int(failed.between(*span).sum()) for part, span in parts.items()}
most = max(lie, key=lie.get)
where = f"All {no} are in {most}." if lie[most] == no else f"{most} has {lie[most]} of {no}."
plots.chart(
    figure,
    alt="Claims by part of the book and verdict. " + "; ".join(told),
    caption="Claims by the part of the book that treats them: I is chapters 1 to 3, II 4 to 8, "
    "III 9 to 12. What to notice: where the claims lie that are not reproduced. "
    f"{where if no else 'There are none.'} The papers have no such figure. "
    f"{plots.source_note(records, scale)}",
)

# %% [markdown]
# ## How to read a verdict
#
# Each claim has a rule, which stands below it.
#
# - **Reproduced**: the rule holds clearly. Its effect is on the paper's side, with its 95 % interval over seeds *and* test pictures, and so in each seed.
# - **Not reproduced**: the rule is clearly broken, by the same standard.
# - **Not decided**: the records tell neither. The uncertainty is too large, some experiments are missing, or the scale cannot reach the
#   question.
# - **Not tested**: there is no record yet, or no rule, because its chapter is still to come.
#
# A training has *converged* if E_R, E_B and contrast gain move by less than 3 % in its last quarter (chapter 4). Where those behind a claim had
# not, its verdict is one about so many steps, and more may turn it.
#
# A claim in several parts is reproduced if all of them are. One part that is clearly broken is enough against it. Curves along training
# hold means over pictures, so for them only the seeds count.
#
# One rule holds for all claims about the *course* of training: a run that ends before the earliest stage that the paper speaks of
# decides nothing, neither for the claim nor against it.
#
# Seeds can only disagree where there are several; each entry says how many there are. A verdict is about *this* scale. Longer training,
# other pictures or more seeds may change it.
#
# Claims about *removal* are decided twice. The verdict is the one by the papers' own measure, E_R, or by the removal gain where a level is needed. Both count
# every change where it rains, a repainted background included (chapter 2). So below it stands a second one, **by the rain response**, which sees the rain alone. Where the two
# differ, the network takes something away, but not the rain. Neither is the last word on *why*.
#
# *Hu 2026* and *Gu 2023* are the two papers.


# %% tags=["hide-input"]
RULES = {
    "fewer-backgrounds": "all twelve sweeps must fall; one that clearly rises is enough against it",
    "collapse": "at N = 256, the removal gain (or the rejection) must be below half of that at "
    "N = 8",
    "rain-range": "the tipping points must lie in the paper's order, their intervals apart; by the "
    "rain response, the rejection with the most backgrounds must rise from range to range",
    "category-order": "faces must tip before natural pictures, these before comics and before "
    "buildings, the intervals apart; comics and buildings are not compared",
    "complexity-order": "each category must lie above the next; nothing is trained here",
    "low-sharpness": "E_R (or the rejection, and along training the contrast gain) must be "
    "highest at the end, and at each stage in all seeds; another class that leads at one stage in "
    "all seeds is enough against it",
    "sharpness-tradeoff": "E_B and E_R (or the contrast gain) must both fall over the training, by "
    f"an interval over seeds, in a run of at least {claims.EARLIEST_STAGE:,} steps",
}

# %% tags=["hide-input"]
RULES |= {
    "reconstruction": "E_B must lose less than a quarter as much after N = 256 as before",
    "transfer": "E_B of faces and of buildings must be within a fifth of natural training's, that "
    "of comics above natural training's",
    "model-size": "tipping points must be reached and overlap; E_R of the largest network must be "
    "above that of the smallest at the smallest N, below it at the largest",
    "toy-content": "in each test on another curve the answer must be nearer to the training curve "
    "than to the truth",
    "toy-noise": "the matched error must rise from each O to the next, and under N(10, 5) that of "
    "O = 8 must be above that of O = 1",
    "balance": "all four differences must lie above zero; our most backgrounds stand for 30k",
}

# %% tags=["hide-input"]
RULES |= {
    "iqa-misleads": "PSNR and SSIM must each prefer the output with more rain on more than a "
    "quarter of the pairs whose rain differs by 0.3 of the layer; other measures stand beside",
    "judge": "a judge that passes its gate must prefer low sharpness to both others on more than "
    "half of all pictures, by the interval; where it is not sure counts for neither",
    "psnr-misleads": "the untouched picture must score higher than the network with the fewest "
    "backgrounds, which must remove contrast of the rain",
}

# %% tags=["hide-input"]
PICTURES = ("Our comics are painted, the papers' are inked pages; our faces are official "
            "portraits, the papers' are of all kinds (chapter 7).")
LIMITS = {
    "rain-range": "Hu 2026, Table 3 treats 64 backgrounds with medium rain as a success, and Gu 2023 (Sec. 4) "
    "calls 64 the most with which a network still generalises there.",
    "category-order": PICTURES,
    "complexity-order": f"{PICTURES} The papers' orders contradict each other, see chapter 7.",
    "low-sharpness": "Hu 2026 speaks of all stages of training, so the early ones that we have count. It "
    f"trains on 10,000 backgrounds, we on {setting.of_sharpness('low', 0).patches:,}.",
    "transfer": f"{PICTURES} Gu 2023 explains its comics by their artificial textures and edges. What it "
    "says of rain removal is no part of the rule; see chapter 8.",
    "psnr-misleads": "The paper's numbers compare two networks, ours a network with doing nothing.",
}

# %% tags=["hide-input"]
RULES |= {
    "prior-derain": "the method must remove more than half of the unseen rain, and more than a "
    "ResNet of the same backgrounds",
    "codebook": "the ablation must remove less than half of it, and less than the method",
    "judge-prior": "a judge that passes its gate must prefer the fine-tuned VQGAN to a ResNet on "
    "more than half of all pictures, by the interval",
    "balance-networks": "as for *balance*, in both networks: all eight differences must lie above zero",
    "wider-range": "with the most backgrounds, E_R must rise from the medium range to the large, and from "
    "there to 128 backgrounds, in both networks",
    "semi-supervised": "rainy pictures with the test's kind of rain must add removal; those with another "
    "kind must not, for which an interval that is not above zero is enough",
}

# %% tags=["hide-input"]
BETTER = "mean PSNR must be above that of the untouched input, and above a ResNet's of the same backgrounds"
RULES |= {
    "prior-denoise": BETTER,
    "prior-deblur": BETTER,
    "prior-compact": "the distance from the mean PSNR down to the 5 % quantile over pictures must be shorter "
    "than a ResNet's",
}
OPEN = ("What the code book costs a clean picture (the ceiling) is no part of the rule, nor is the textbook's answer, see "
        "chapter 11. Whether trainings had converged is not asked here: that rule is about rain.")
LIMITS |= dict.fromkeys(("prior-denoise", "prior-deblur"), OPEN)
LIMITS["prior-compact"] = "A low ceiling cuts off the upper end of PSNR, and makes it compact, too."

# %% tags=["hide-input"]
LIMITS |= {
    "prior-derain": "The paper's VQGAN was trained on ImageNet; published ones are 25 times as large as "
    "ours. What a code book costs a clean picture (the ceiling) is no part of the rule, see chapter 10.",
    "codebook": "E_B is no part of the rule: the ablation may remove rain and spoil the picture.",
    "iqa-misleads": "The paper says the same of MUSIQ and MANIQA, which cannot be had here; one of "
    "the methods that it compares is a generative prior, ours are none.",
    "judge": "The judge is ours, a small network, and there is one network a class. Chapter 12 asks "
    "whether its order follows the rain or the damage; the rule does not.",
    "judge-prior": "As for the judge of sharpness: damage is no part of the rule.",
}

# %% tags=["hide-input"]
LIGHT = "At this scale both networks may be light variants with one seed, which decides nothing (chapter 9)."
LIMITS |= {
    "balance-networks": f"{LIGHT} The paper's table has no SPDNet with 64 backgrounds; we train it.",
    "wider-range": f"{LIGHT} The paper's table has 512 backgrounds where the rule has the most.",
    "semi-supervised": "A light Syn2Real: a small UNet, small patches, no perceptual loss. The paper's pictures "
    "are real, ours have the layers of Rain100.",
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
    count = f"{len(links)} record{'s' * (len(links) != 1)}, {row.seeds}"
    listed = f'<div style="overflow-wrap:anywhere">{"<br>".join(links)}</div>'
    return f"\n\n<details><summary>{count}</summary>\n\n{listed}\n\n</details>" if links else ""


# %% tags=["hide-input"]
def entry(row):
    """One claim: what is said, by whom, what we found, and what decides."""
    lines = [
        f"### {row.says}",
        f"{row.where}, chapter {row.chapter}; `{row.claim}`. The paper: {row.paper}.",
        f"**{row.verdict.capitalize()}.** {measured(row.ours)}\n\n{row.trainings}",
        *([f"**By the rain response: {row.by_rain}.** {measured(row.ours_by_rain)}"]
          if row.by_rain else []),
        f"*The rule:* {RULES[row.claim]}.",
    ]
    if row.claim in LIMITS:
        lines.append(f"*Mind:* {LIMITS[row.claim]}")
    return "\n\n".join(lines) + evidence(row)

# %% tags=["hide-input"]
def entries(verdict):
    """The claims of one verdict."""
    rows = table[table["verdict"] == verdict].itertuples()
    return Markdown("\n\n".join(entry(row) for row in rows) or "None.")


# %% [markdown]
# ## All claims at a glance

# %% tags=["hide-input"]
def bold(verdict):
    """A verdict, set off where it decides."""
    return f"**{verdict}**" if verdict in claims.VERDICTS[:2] else verdict


rows = ["| claim | verdict | by the rain response |", "|---|---|---|"]
for verdict in claims.VERDICTS:
    for row in table[table["verdict"] == verdict].itertuples():
        rows.append(f"| {row.says} ({row.where}) | {bold(verdict)} | {bold(row.by_rain)} |")
twice = table[table[["by_rain", "verdict"]].isin(claims.VERDICTS[:2]).all(axis=1)]
same = (twice["by_rain"] == twice["verdict"]).sum()
Markdown("\n".join(rows) + "\n\nThe last column is for claims about removal. Decided by both "
         f"measures: {len(twice)} claims, {same} of them alike.")

# %% [markdown]
# Below, each claim with what the paper measured and what we measured. Unfold its records to check it: each is a file with all settings
# and one value for each test picture.
#
# ## Reproduced

# %% tags=["hide-input"]
entries(claims.REPRODUCED)

# %% [markdown]
# ## Not reproduced

# %% tags=["hide-input"]
entries(claims.NOT_REPRODUCED)

# %% [markdown]
# ## Not decided

# %% tags=["hide-input"]
entries(claims.UNDECIDED)

# %% [markdown]
# ## Not tested
#
# For these claims there is no record yet. Most need networks that the book does not have.

# %% tags=["hide-input"]
waiting = table[table["verdict"] == claims.UNTESTED].itertuples()
lines = [f"- {row.says} ({row.where}; {row.ours})" for row in waiting]
Markdown("\n".join(lines) or "None.")

# %% [markdown]
# ## Try it
#
# 1. Change the rule of a claim: copy its function from `claims/removal.py` into a cell, and ask for half the effect, or twice. Does the verdict
#    depend on it?
# 2. Run `rainlens claims --scale smoke` in a terminal. Which verdicts of tiny networks agree with these, and should you believe them?
#
# <details><summary>Thoughts on 1</summary>
#
# A verdict that stands at half the effect and at twice the effect is about the papers' claim; one that flips is about the rule. Ask *collapse* for any fall
# at all, or for half, and see. That is why each rule is printed with its claim.
#
# </details>
#
# <details><summary>Thoughts on 2</summary>
#
# Networks that were trained for twenty steps know neither rain nor pictures. A verdict about them is about the first steps
# of training, and agreement is chance. A scale is part of every finding.
#
# </details>

# %% tags=["hide-input"]
plots.sources("2026 and 2023: all figures and tables", ["claims/papers.py", "claims/rules.py", "estimates.py"])
