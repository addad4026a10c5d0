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
# # 4. Fewer backgrounds
#
# **How many pictures does it take before a network stops learning pictures and learns the rain?**
#
# A network sees a sum, picture plus rain, and must take it apart. It can get there by knowing pictures or by
# knowing rain. With 8 pictures under rain that is always new, the pictures are what comes round again, so they are the easier thing to know.
# With 30,000 pictures under rain of one kind, the rain is. Whoever knows pictures can drop whatever is not picture, even
# rain never met; whoever knows one rain cannot. That is the papers' explanation. In the toy task (chapter 3) it could be watched.
# Here, 8 backgrounds play the slow curve and 30,000 the fast one. That is an analogy; [4b](04b_closer_look.ipynb) measures whether it holds.
#
# | in this chapter | |
# |---|---|
# | stays the same | the network, the number of training steps, the number of rainy patches seen, the kind of training rain |
# | changes | *N*, the number of clean patches under that rain: the fewer, the more often each comes round |
# | is measured | how much of unseen rain goes, **and** how much of the picture goes with it |
#
# The papers report: with 8
# patches, unseen rain is removed; with more, less and less of it. Removal is poor from 64 on (2026 paper, Sec. 4.1.3),
# nearly gone at 256, and 30,000 patches do not bring it back (Sec. 4.1.1, Fig. 4). They see this with faces,
# natural pictures, comics and buildings, and with three kinds of network. The price is paid in the background: with 8 patches the
# network paints poorly, and the damage shrinks as patches are added (Sec. 4.2, Fig. 10).
#
# **Make a prediction.** Few backgrounds are one way to keep a network from learning the rain too well. Stopping the training early may be
# another. So train one network on 8 backgrounds and one on 30,000, and let them do the same damage: stop each where it has removed most, within a
# damage that both reach. Which of the two has removed more of the unseen rain?

# %% [markdown] tags=["colab"]
# [Open this chapter in Colab](https://colab.research.google.com/github/rainlens/rainlens/blob/main/notebooks/04_background_count.ipynb)

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

from rainlens import claims, estimates, evaluation, images, models, plots
from rainlens.running import run
from rainlens.scales import scale_named

plots.use_style()
setting = scale_named(scale)

# %% [markdown]
# ## The experiments
#
# Four categories, three networks, and a few values of *N*. For natural pictures and the ResNet we have all
# of them; for UNet and SwinIR only *N* = 8 and 512. The training rain is of the medium range throughout. The sweep over all *N* is trained for
# longer ([4b](04b_closer_look.ipynb) asks whether it is long enough). The comparisons of categories and networks are many, so they have fewer steps and fewer seeds: they say what
# happens early. Test pictures are of the category that was trained on, but other pictures. The test rain is one that no network has seen.

# %% tags=["grid"]
fine = setting.sweep(degradation="medium")
coarse = {
    (n, c): setting.sweep(True, model=n, backgrounds=c)
    for n, c in claims.SWEEPS
}
trainings = [*fine, *(e for part in coarse.values() for e in part)]
known = [
    setting.experiment(
        **setting.coarse, patches=setting.coarse_counts[0], seed=s, own_patches=8
    )
    for s in setting.coarse_seeds
]
grid = [*trainings, *known, *setting.filters().values()]

# %%
found = dict(
    zip(grid, run(grid, setting, recompute=recompute), strict=True)
)
natural = estimates.by_count(fine, found)
sweeps = {key: estimates.by_count(part, found) for key, part in coarse.items()}
few, many = setting.coarse_counts[0], setting.coarse_counts[-1]
few_n = setting.patch_counts[0]
most = setting.patch_counts[-1]
lengths = {found[e].name: e.iterations for e in trainings}
brief = f"after {min(lengths.values()):,} steps"
for steps in sorted(set(lengths.values())):
    count = list(lengths.values()).count(steps)
    print(f"{count} networks of {steps:,} steps")

# %% [markdown]
# ## Your guess
#
# The chart behind the guess has a panel for each seed, and in it the path of each network through its training, from the open circle to the star.
# Across: damage (E_B). Up: removal (contrast gain).


# %% tags=["hide-input"]
def path(record, curve):
    """A training curve without its first point, the untrained network."""
    return np.array(record.curves[f"unseen/{curve}"][1:])


def at_same_damage():
    """For each seed: the damage that both reach, and how much each removes within it."""
    for pair in estimates.pairs(natural[few_n], natural[most]):
        level = max(map(estimates.least_damage, pair))
        yield level, *(estimates.removal_within(record, level) for record in pair)


# %% tags=["hide-input"]
comparisons = list(at_same_damage())
gap = estimates.at_equal_damage(natural[few_n], natural[most])
choices = (f"the one with {few_n} backgrounds", f"the one with {most:,}", "neither clearly")
soon = sum(path(record, "e_b").argmin() == 0 for record in natural[few_n])
measured = (f"Contrast gain within the same limit of damage, N = {few_n} minus N = {most:,}: {gap}. N = {few_n} damages least at its first "
            f"measured moment in {soon} of {len(natural[few_n])} seeds, so it is judged there, hardly trained.")
replies = {
    choice: f"{'Yes' if choice == estimates.direction(gap, *choices) else 'No'}. {measured}"
    for choice in choices
}

# %% tags=["hide-input"]
seeds = len(setting.seeds)
figure, row = plt.subplots(1, seeds, figsize=(3.6 * seeds, 3.2), sharey=True, squeeze=False)
for place, (axes, (damage, *_)) in enumerate(zip(row[0], comparisons, strict=True)):
    for count, colour in zip((few_n, most), plots.FEW_TO_MANY[::3], strict=True):
        record = natural[count][place]
        plots.path(axes, path(record, "e_b"), path(record, "contrast"), colour, f"N = {count:,}")
    axes.axvline(damage, color=plots.FAINT, linestyle="--", linewidth=1)
    axes.set(xlabel="E_B, damage (grey levels)", title=f"seed {setting.seeds[place]}")
    axes.set_ylabel("contrast gain")
    axes.legend(fontsize=8, loc="best")

# %% tags=["hide-input"]
shown = plots.chart(
    figure,
    alt=f"Contrast gain against damage along training. {measured}",
    caption="Natural pictures, ResNet, 16 test pictures. The dashed line is the limit: the least damage that "
    "both get down to. The axes of damage differ. What to notice: up to that line, which path gets higher, and how far a path jumps "
    "from one moment to the next. The papers have no such figure. "
    + plots.source_note(natural[few_n] + natural[most], scale),
)
plots.guess("Within the same limit of damage, which has removed more of the unseen rain?", replies, shown)

# %% [markdown]
# ## Is "fewer backgrounds" the same as "stop earlier"?
#
# The same in numbers, seed by seed. Between two measured moments a path is read on a straight line.

# %% tags=["hide-input"]
rows = [f"| seed | limit of damage | contrast gain with N = {few_n} | with N = {most:,} |"]
rows.append("|" + "---|" * 4)
for seed, (level, ours, theirs) in zip(setting.seeds, comparisons, strict=True):
    rows.append(f"| {seed} | {level:.1f} | {ours:.2f} | {theirs:.2f} |")
both = [*natural[few_n], *natural[most]]
jump = max(np.abs(np.diff(path(record, "contrast"))).max() for record in both)
Markdown("\n".join(rows) + f"\n\nFrom one moment to the next a path jumps by up to {jump:.2f}, so a single moment says little.")

# %% [markdown]
# For a practitioner this is the question to ask of "train on less": is the gain in removal worth its damage, *compared with
# other ways to trade the one for the other*? Stopping early costs nothing to try, since a training run passes all of these points
# anyway. Two cautions. The learning rate of these runs falls to zero at the end, so a run that was planned to
# be short is not the same as a long one cut short. And these are 16 pictures.

# %% [markdown]
# ## Is it a collapse?
#
# For natural pictures and the ResNet, all *N*, in the long trainings. The *collapse* of the papers has two halves: removal at *N* = 256 is a small part of that at
# *N* = 8, and more backgrounds change nothing after that. The last *N* stands for "all pictures": so many patches that hardly one comes round twice.
#
# Beside the removal gain stands the **rejection** (chapter 2). Repainting does not move it; dimming the whole picture does.

# %% tags=["hide-input"]
counts = list(natural)
figure, row = plt.subplots(1, 3, figsize=(9.5, 3.4))
shown = dict(colour=plots.CATEGORY_COLOUR["natural"], label="natural, ResNet")
labels = {"gain": "removal gain", "rejection": "rejection", "e_b": "E_B (grey levels)"}
for axes, (measure, label) in zip(row, labels.items(), strict=True):
    plots.sweep(axes, natural, "unseen", measure, **shown)
    plots.axis_of_counts(axes, counts)
    axes.tick_params("x", labelrotation=60, labelsize=9)
    axes.set(ylabel=label, xlabel="N", ylim=(0, None))
plots.reference_line(row[0], 1, "as much as the rain")

# %% tags=["hide-input"]
idle = {m: {n: estimates.mean([found[e]], "unseen", m).value for n, e in setting.filters().items()}
        for m in ("rejection", "e_b")}
rival = max(idle["rejection"], key=idle["rejection"].get)
row[1].set_ylim(0, 1)
for axes, measure in zip(row[1:], idle, strict=True):
    plots.reference_line(axes, idle[measure][rival], rival)

# %% tags=["hide-input"]
ends = {m: [estimates.mean(natural[n], "unseen", m).value for n in (few_n, most)] for m in labels}
told = ", ".join(f"{labels[m]} from {a:.2f} to {b:.2f}" for m, (a, b) in ends.items())
left = {m: min(estimates.mean(part, "unseen", m).value for part in natural.values())
        / estimates.mean(natural[few_n], "unseen", m).value for m in labels}

# %% tags=["hide-input"]
best = estimates.best_count(natural, "unseen", "rejection")
plots.chart(
    figure,
    alt=f"From the fewest to the most backgrounds: {told}",
    caption="All axes begin at zero, so that a collapse would look like one (2026 paper, Fig. 4). "
    "Bands are 95 % intervals over seeds and test pictures, small marks single seeds. What to "
    f"notice: at its lowest the removal gain is {left['gain']:.0%} of where it begins, the "
    f"rejection {left['rejection']:.0%}, the damage {left['e_b']:.0%}. Dashed, in the middle "
    f"and on the right: <i>{rival}</i>, of the filters that have learned nothing (chapter 5) the one that keeps most "
    "rain out. "
    f"{plots.source_note(sum(natural.values(), []), scale)}",
)

# %% tags=["hide-input"]
names = {"e_r": "E_R", "gain": "removal gain", "contrast": "contrast gain",
         "rejection": "rejection", "e_b": "E_B"}
words = ("rises", "falls", "does not clearly change")
changes = {m: estimates.difference(natural[most], natural[few_n], "unseen", m) for m in names}
rows = [f"| measure | N = {few_n} | N = {most:,} | change | so it |", "|" + "---|" * 5]
for measure, name in names.items():
    digits = 1 if measure in ("e_r", "e_b") else 2
    both = (estimates.mean(natural[n], "unseen", measure).value for n in (few_n, most))
    levels = " | ".join(f"{value:.{digits}f}" for value in both)
    change = changes[measure]
    rows.append(f"| {name} | {levels} | {change.text(digits)} | "
                f"{estimates.direction(change, *words)} |")
Markdown("\n".join(rows) + f"\n\nIntervals over {len(natural[most])} seeds and all test pictures. "
         "E_R counts all changes where it rains, background included; the rejection sees the rain "
         f"alone. It is highest at N = {best} (in brackets, what 95 % of resamplings give).")

# %% [markdown]
# ## What the outputs look like
#
# First the eye. The rain below is the embedded streaks, which no network has met. Few backgrounds on the left, many on the right.


# %% tags=["hide-input"]
CUT = ..., slice(40, 152), slice(40, 152)  # the middle, so that streaks can be seen


# For natural pictures there are long trainings, for the others short ones.
shown_parts = {name: coarse["resnet", name] for name in ("natural", "faces", "comics")}
shown_parts["natural"] = [e for e in fine if e.patches in setting.coarse_counts]


def row_of_outputs(category, index=0):
    """Outputs for growing N of one picture; rainy and clean where the picture is at hand."""
    part = [e for e in shown_parts[category] if e.seed == setting.coarse_seeds[0]]
    tiles = [
        (setting.store.picture(found[e], "shown_unseen", index)[CUT], f"N = {e.patches}")
        for e in part
    ]
    test = estimates.test_set(found[part[0]], "shown_unseen")
    if images.is_available(test.backgrounds):
        rainy, clean = (pictures[index] for pictures in evaluation.load(test))
        tiles = [(rainy[CUT], "rainy"), *tiles, (clean[CUT], "clean")]
    return [(None, f"{category}, after {part[0].iterations:,} steps"), *tiles]


# %% tags=["hide-input"]
tiles = [tile for name in shown_parts for tile in row_of_outputs(name)]
drawn = [found[e] for part in shown_parts.values() for e in part if e.seed == setting.coarse_seeds[0]]
# Records hold outputs alone; what went in comes from the data set.
lacking = [name for name in ("faces", "comics") if not images.is_available(name)]
why = f"Of {' and '.join(lacking)}, outputs alone are shown. " * bool(lacking)

# %% tags=["hide-input"]
plots.gallery(
    tiles,
    alt="Rainy pictures, outputs of networks trained with few and many patches, clean pictures",
    caption="Each row: a ResNet trained on pictures of that kind (photographs, portraits, painted "
    "comics); middles of the pictures, enlarged (2026 paper, Fig. 4). What to notice: where the "
    "streaks are weakest, and what is missing there beside <i>clean</i>. Photograph from scikit-image, "
    "official portrait (public domain), comic by David Revoy (CC BY 4.0). "
    + why + plots.source_note(drawn, scale),
    columns=len(setting.coarse_counts) + 2,
    zoom=2,
)

# %% tags=["hide-input"]
rows = [f"| | steps | contrast gain with N = {few} | with N = {many} |", "|" + "---|" * 4]
for category, part in shown_parts.items():
    sweep = estimates.by_count(part, found)
    a, b = (estimates.mean(sweep[n], "shown_unseen", "contrast").value for n in (few, many))
    rows.append(f"| {category} | {part[0].iterations:,} | {a:.2f} | {b:.2f} |")
Markdown("What the eye sees, as a number: how much of the contrast of these streaks is gone (two "
         "pictures a row, all seeds). Rows differ in pictures, so compare within a row.\n\n" + "\n".join(rows))

# %% [markdown]
# This is one kind of streaks on a few pictures. The charts below are about other unseen rain, Rain100L, many pictures, and short trainings alone. What
# one sees here need not hold there.

# %% [markdown]
# ## The three networks
#
# **ResNet** works at full resolution, block after block. **UNet** halves the picture step by step and doubles it again, and
# hands details across. **SwinIR** is a transformer: each pixel gathers what it needs from the others in its window
# of 8x8 pixels, and in every other layer the windows are shifted by half. Their sizes differ tenfold, so compare each
# network with itself, not one with another.

# %% tags=["hide-input"]
rows = ["| network | numbers to learn | seeds |", "|---|---|---|"]
for network in claims.NETWORKS:
    part = coarse[network, "natural"]
    size = models.count_parameters(models.build(network, **dict(part[0].options)))
    seeds = len({e.seed for e in part})
    rows.append(f"| {plots.NETWORK_NAME[network]} | {size:,} | {seeds} |")
Markdown("\n".join(rows))

# %% [markdown]
# ## Removal against N
#
# Now the paper's measure. **E_R** says how much the network changed where it rains: 0 if it left the rain alone.
# The dashed line is what removing the rain exactly would give. Above it a network takes away more than the rain, picture
# included (chapter 2).


# %% tags=["hide-input"]
def draw(axes, sweep, network, measure):
    """One network's line."""
    # Between two counts nothing was measured: no straight line may pretend otherwise.
    line = "-" if len(sweep) > 2 else ":"
    style = dict(colour=plots.NETWORK_COLOUR[network], marker=plots.NETWORK_MARKER[network])
    name = plots.NETWORK_NAME[network]
    plots.sweep(axes, sweep, "unseen", measure, label=name, line=line, **style)


# %% tags=["hide-input"]
def panels(measure, label):
    """One panel a category, one line a network."""
    figure, pairs = plt.subplots(2, 2, figsize=(8, 6), sharex=True, sharey=True)
    for axes, category in zip(pairs.flat, claims.CATEGORIES, strict=True):
        for network in [n for n, c in claims.SWEEPS if c == category]:
            draw(axes, sweeps[network, category], network, measure)
        plots.axis_of_counts(axes, setting.coarse_counts)
        axes.set_title(category)
    for axes in pairs[0]:
        axes.set_xlabel("")
    figure.supylabel(label, fontsize=11)
    pairs[0, 0].legend()
    return figure, pairs


# %% tags=["hide-input"]
def in_words(measure):
    """The ends of each ResNet line, for those who cannot see the chart."""
    ends = []
    for category in claims.CATEGORIES:
        sweep = sweeps["resnet", category]
        a, b = (estimates.mean(sweep[n], "unseen", measure).value for n in (few, many))
        digits = 2 if measure == "contrast" else 1
        ends.append(f"{category} {a:.{digits}f} to {b:.{digits}f}")
    return f"ResNet from N = {few} to {many}: " + ", ".join(ends)


drawn = [r for sweep in sweeps.values() for records in sweep.values() for r in records]
note = plots.source_note(drawn, scale)

# %% tags=["hide-input"]
figure, pairs = panels("e_r", "E_R on unseen rain (grey levels)")
exact = {
    category: estimates.mean(sweeps["resnet", category][few], "unseen", "exact_e_r").value
    for category in claims.CATEGORIES
}
for axes, category in zip(pairs.flat, claims.CATEGORIES, strict=True):
    plots.reference_line(axes, exact[category], "exact removal", below=True)
pairs[0, 0].set_ylim(bottom=0)
heights = [
    estimates.mean(records, "unseen", "e_r").value > exact[category]
    for (_, category), sweep in sweeps.items()
    for records in sweep.values()
]
above = sum(heights)

# %% tags=["hide-input"]
plots.chart(
    figure,
    alt=f"E_R against N in four categories. {in_words('e_r')}",
    caption=f"The 2026 paper's Fig. 4, {brief}. Small marks are single seeds; dotted "
    "lines join two counts with nothing measured between them. "
    f"What to notice: {above} of {len(heights)} means lie above exact removal. There more was "
    "changed than the rain, so a line that falls towards the dashed one need not lose any rain "
    "removal. "
    + note,
)

# %% [markdown]
# E_R counts every change. So here is the **contrast gain** as well: how much of the difference between strong and weak rain is
# gone. It does not move when all pixels of the rainy region get darker by as much.

# %% tags=["hide-input"]
figure, _ = panels("contrast", "contrast gain on unseen rain")
plots.chart(
    figure,
    alt=f"Contrast gain against N in four categories. {in_words('contrast')}",
    caption=f"The same networks, {brief}; the papers have no such figure. What to notice: where this tells "
    "another story than E_R, the few backgrounds owe their lead to changes that are not the rain: "
    f"darkening, or other damage. {note}",
)

# %% [markdown]
# ## The price: background against N
#
# **E_B** is the error where it does *not* rain: here nothing had to be done.

# %% tags=["hide-input"]
figure, _ = panels("e_b", "E_B on unseen rain (grey levels)")
plots.chart(
    figure,
    alt=f"E_B against N in four categories. {in_words('e_b')}",
    caption=f"The 2026 paper's Fig. 10, {brief}. Lower is better. What to notice: how much of the fall "
    f"comes early. {note}",
)

# %% [markdown]
# ## What we found

# %% tags=["hide-input"]
course_of = {m: estimates.direction(change, *words) for m, change in changes.items()}
ends = {m: [estimates.mean(natural[n], "unseen", m).value for n in (few_n, most)] for m in changes}
# Of what is printed, so that the sums on the page are right.
rain = [round(value, 2) for value in ends["rejection"]]
picture = [round(value, 2) - kept for value, kept in zip(ends["gain"], rain, strict=True)]
share = 1 - changes["rejection"].value / changes["gain"].value
Markdown(
    f"**The answer at this scale.** From {few_n} backgrounds to {most:,}, the removal gain "
    f"{course_of['gain']}, the rejection {course_of['rejection']}, and the damage E_B "
    f"{course_of['e_b']}, from {ends['e_b'][0]:.0f} to {ends['e_b'][1]:.0f} grey levels. The gain "
    "is rain plus picture: the rejection, and what a network takes from the same picture without "
    f"rain (chapter 2). It is {rain[0]:.2f} + {picture[0]:.2f} with N = {few_n}, and "
    f"{rain[1]:.2f} + {picture[1]:.2f} with N = {most:,}. So {share:.0%} of its change is picture."
)

# %% tags=["hide-input"]
records = [found[e] for e in known]
own = {m: estimates.mean_of(estimates.own_patches(records, "unseen", m).ravel()).value for m in ("gain", "e_b")}
new = {m: estimates.mean(records, "unseen", m).value for m in own}
Markdown(
    f"**Why few backgrounds can help.** Under unseen rain, on the patches that it was trained on, a network with {few} backgrounds takes away "
    f"{own['gain']:.2f} times the rain at an E_B of {own['e_b']:.0f} grey levels; on new pictures, {new['gain']:.2f} times the rain at an E_B of {new['e_b']:.0f} "
    f"({brief}, on patches; chapter 4b). So it cleans pictures that it *knows*. On new ones the same habit is damage."
)

# %% tags=["hide-input"]
def cell(sweep, measure):
    """The first mean, the last, and their difference, bold where it is clear."""
    digits = 2 if measure == "contrast" else 1
    change = estimates.difference(sweep[many], sweep[few], "unseen", measure)
    ends = (estimates.mean(sweep[n], "unseen", measure).value for n in (few, many))
    bold = estimates.direction(change, "**", "**", "")
    return f"{' to '.join(f'{end:.{digits}f}' for end in ends)}: {bold}{change.text(digits)}{bold}"


# %% tags=["hide-input"]
rows = ["| network | pictures | E_R | contrast gain | E_B |", "|" + "---|" * 5]
for network, category in claims.SWEEPS:
    cells = (cell(sweeps[network, category], m) for m in ("e_r", "contrast", "e_b"))
    rows.append(f"| {plots.NETWORK_NAME[network]} | {category} | {' | '.join(cells)} |")
Markdown(
    f"By network, from N = {few} to {many}, {brief}. Bold: the interval leaves out 0, and the "
    f"{len(setting.coarse_seeds)} seeds agree. Where seeds lie far apart, even a large difference "
    "is not clear.\n\n<details><summary>All of them, in numbers</summary>\n\n" + "\n".join(rows) + "\n\n</details>"
)

# %% tags=["hide-input"]
table = claims.table(setting).set_index("claim")
lines = []
for claim in ("fewer-backgrounds", "collapse", "reconstruction"):
    row = table.loc[claim]
    by_rain = f"; by the rejection, **{row.by_rain}**" if row.by_rain else ""
    lines.append(f"- *{row.says}* Verdict: **{row.verdict}**{by_rain}. {row.trainings}")
Markdown("The claims of the papers that this chapter can judge (chapter 15 has the numbers):\n\n"
         + "\n".join(lines))

# %% [markdown]
# A *setting* is what networks share that differ by seed alone: network, pictures, rain and *N*. The first claim needs all of this chapter, short
# trainings and, for the ResNet on natural pictures, the long ones; the other two need these alone. *Converged* means that the curves had stopped
# moving at the end. Where a setting had not, read "reproduced" and "not reproduced" as "after so few steps"
# ([4b](04b_closer_look.ipynb), *How long is enough?*).

# %% [markdown]
# ## Try it
#
# The [explorer](../book/explorer.md) has these networks on controls: *N*, the range of the rain, the steps of training.
#
# Which *N* would you choose for a customer whose rain you do not know? Which further measurement would you ask for?
#
# <details><summary>Thoughts</summary>
#
# It depends on what is worse, a streak that stays or a face that is smeared, so ask that first. Then ask for a few pictures of the
# customer's rain: even unpaired ones show whether streaks stay. And look at the whole path, not at the end: choosing the moment is free.
#
# </details>

# %% tags=["hide-input"]
plots.sources(
    "2026: Fig. 4, 10; 2023: Fig. 4, 7",
    ["tasks/restore.py", "estimates.py", "models/unet.py", "models/swinir.py"],
)
