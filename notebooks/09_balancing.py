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
# # 9. Balancing
#
# **Can the same network be made to generalise by its training data alone?**
#
# A network learns what is easier for it: the rain or the pictures (chapters 4 and 5). The 2026 paper's first remedy uses that and leaves the network as it is
# (Sec. 6.1). Fewer backgrounds, so that these are the easier part; and rain of a larger range, so that it stays the harder part with more backgrounds, too. The two are to be held in
# *balance*: too few backgrounds, and the network spoils every picture; too many, and it learns the rain.
#
# The paper tries it on a ResNet and on two networks that were made for rain, and that people use. **SPDNet** is led by a map of the picture that grey
# rain does not touch. **RCDNet** takes rain apart into streaks of a few shapes. Their designs differ, the advice is the same for all: 128 backgrounds, large range.
#
# **Make a prediction.** Each network is trained on 30,000 or on 64 backgrounds with rain of the medium range, and on 512, 256 or 128 with the large range; we write 64/medium or 128/large. We add a
# row that the paper's table lacks (its Fig. 15 shows pictures of it): 30,000/large. Which of them keeps most of the unseen rain out in our ResNet, so has the highest *rejection* (chapter 2)?

# %% [markdown] tags=["colab"]
# [Open this chapter in Colab](https://colab.research.google.com/github/rainlens/rainlens/blob/main/notebooks/09_balancing.ipynb)

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
from IPython.display import Markdown

from rainlens import balance_plots, balance_tables, convergence, estimates, images, plots, real_rain
from rainlens.claims import balancing
from rainlens.claims.balancing import Row
from rainlens.claims.rules import REJECTION
from rainlens.running import at_hand, run
from rainlens.scales import scale_named
from rainlens.tasks import restore

plots.use_style()
setting = scale_named(scale)

# %% tags=["grid"]
rows, cells, arms = balancing.rows(setting), balancing.cells(setting), balancing.semi(setting)
tints, filters = balancing.tinted(setting), setting.filters()
grid = [*balancing.wanted(setting), *filters.values()]

# %%
wanted = len(grid)
grid = at_hand(grid, setting)  # these networks are slow; what is missing is said
found = dict(
    zip(grid, run(grid, setting, recompute=recompute), strict=True)
)
by_cell = {cell: [found[e] for e in part if e in found] for cell, part in cells.items()}
by_arm = {arm: [found[e] for e in part if e in found] for arm, part in arms.items()}
by_filter = {name: found[e] for name, e in filters.items() if e in found}
titles = {network: balancing.title(cells[network, Row(64, "medium")][0]) for network in balancing.NETWORKS}
records = [record for part in by_cell.values() for record in part]

# %% tags=["hide-input"]
seen = {titles[n]: cells[n, Row(64, "medium")][0] for n in titles}
budgets = "; ".join(f"{title}: {e.iterations * e.batch:,}" for title, e in seen.items())
lights = [title for title in titles.values() if "light" in title]
lacking = balance_tables.missing(titles, rows, by_cell)
Markdown(
    f"Patches that a training sees: {budgets}. "
    + (f"What is called *light* is smaller than the published network and trained for less ({' and '.join(lights)}), as the whole would take days "
       f"here; of these there is one training a row, tested on {seen[lights[0]].test('unseen').count} pictures. " if lights else "")
    + "**So rows of one network can be compared, networks with one another cannot.** Each is trained by the loss that it was published with."
    + (f"\n\nNot computed at this scale yet: {lacking}." if lacking else "")
)

# %% [markdown]
# ## Who beats whom
#
# A row beats another if it does less damage *and* keeps out more rain. Those that no other row beats are the network's **Pareto front**: between them, one can only
# trade.

# %% tags=["hide-input"]
placed, first, last = balance_plots.points(by_cell), Row(30_000, "medium"), Row(128, "large")
rain = estimates.rain_name(records[0], "unseen")
exact, untouched = (estimates.mean(records[:1], "unseen", m).value for m in ("exact_e_r", "input_psnr"))
beaten = balance_plots.beaten(by_cell, titles, by_filter)
fronts = {title: balance_plots.front(placed, n) for n, title in titles.items() if (n, first) in placed}
told = "; ".join(f"{title}: {', '.join(map(str, front))}" for title, front in fronts.items())
by_filters = f"A filter that has learned nothing clearly beats {'; '.join(beaten)}. " if beaten else "No filter clearly beats any of them. "
shown = plots.chart(
    balance_plots.plane(by_cell, titles, by_filter, exact),
    alt="; ".join(f"{titles[n]}, {row}: E_B {p.damage:.1f}, rejection {p.kept_out:.2f}" for (n, row), p in placed.items()),
    caption=f"Hu 2026, Table 3, as a chart; the paper has no such figure. Rain of {rain}. Up is less rain, left is less damage. The star is exact removal, the cross the untouched input, small "
    "dots are filters; those with more damage lie outside, and the best of the others have names. At the left, lines are fronts. What to notice: whether the rows that the paper advises lie on them, or under 30,000/large. By E_R, at the right, damage passes for removal. "
    f"On the front, by means, from gentle to thorough: {told}. {by_filters}{convergence.told(records)} " + plots.source_note(records, scale),
)

# %% tags=["hide-input"]
of_resnet = {row: part for (network, row), part in by_cell.items() if network == "resnet" and part}
kept = {row: placed["resnet", row].kept_out for row in of_resnet}
top = max(kept, key=kept.get)
alike = balance_plots.level_with(of_resnet, top, REJECTION)
level = f", and its lead over {', '.join(map(str, alike))} is not clear" if alike else ""
truth = f"{top} has the highest, {kept[top]:.2f}{level}. " + "; ".join(f"{r}: {v:.2f}" for r, v in kept.items() if r != top) + "."
said = {row: "Right" if row == top else "Not wrong" if row in alike else "No" for row in of_resnet}
offered = (first, Row(64, "medium"), last, Row(30_000, "large"))
replies = {f"{row}": f"{said[row]}. {truth}" for row in offered if row in said}
plots.guess("Which row keeps most of the unseen rain out in our ResNet?", replies, shown)

# %% [markdown]
# ## The table
#
# All are tested on Rain100L, whose rain none has been trained on. E_R is the papers' measure of removal, E_B that of damage, both in grey levels (chapter 2). The *rejection* is ours: the share of the
# rain of which no trace comes out. The columns named *paper*, and the first numbers under PSNR, are its Table 3, as printed; a dash is a blank there, an empty cell is one that we have not computed yet. Exact removal, the untouched input, and the best of the filters that have learned
# nothing stand below.

# %% tags=["hide-input"]
parts = [balance_tables.table(network, title, rows, by_cell) for network, title in titles.items()]
marks = balance_tables.table_of_marks(by_filter, records[0])
note = (f"Rain of {rain}. Intervals: 95 %, over seeds and pictures, where there are several seeds. E_R above {exact:.1f}, that of an exact "
        "removal, is change beyond the rain, and no merit.")
Markdown("\n\n".join([*parts, marks, note]))

# %% [markdown]
# The text of the paper says of 128 backgrounds that the network "excels at both". Its own numbers tell of a trade:

# %% tags=["hide-input"]
paper = balance_tables.PAPER
dearer = [paper[n, last][1] / paper[n, first][1] for n in titles]
below = paper["resnet", first][2]
Markdown(
    f"In Table 3, E_B of {last} is {min(dearer):.1f} to {max(dearer):.1f} times that of {first}. The ResNet of its first row has {below} dB; "
    f"the untouched rainy picture has {untouched:.1f} dB in our {rain}"
    + (", more than that." if untouched > below else ".")
)

# %% [markdown]
# The paper's way from the first row to the last changes two things at once. Our row lies between them:

# %% tags=["hide-input"]
steps = balance_tables.steps(titles, by_cell)
Markdown(f"{steps}\n\nThe range alone is 30,000/medium to 30,000/large; then 128 is from there to 128/large. Intervals over seeds and pictures." if steps else "*Not computed yet.*")

# %% [markdown]
# Two trainings can also be compared at the *same* damage: each is read at the moment of its training at which it removes most without exceeding that damage (chapter 5). The number is by how much more of the
# rain's contrast a row removes than the first row. It is larger than the difference in rejection above: it is another measure, each row is taken at its best moment, and on a few crops.

# %% tags=["hide-input"]
equal = balance_tables.table_at_equal_damage(titles, rows, by_cell)
Markdown(f"{equal}\n\nContrast gain at equal damage, on crops that were measured along the training; intervals over seeds.")

# %% [markdown]
# ## What the papers say about 64
#
# Whether 64 backgrounds with medium rain are few enough, the papers answer three times: removal has failed there (2026, Sec. 4.1.2), 64 is the most with which it still works (2023, Sec. 4), and
# Table 3 prints it as the success. They also contradict each other on what is more complex at that point: the backgrounds, says the 2023 paper (Sec. 3.1); the rain, says the 2026 paper
# (Sec. 4.1.2).
#
# ## What comes out
#
# A photograph under streaks that no network here was trained on. The four rows are those of the paper's figure. Of the two photographs that may be shown we take the one from which the ResNet's
# rows remove less, by the mean removal gain.

# %% tags=["hide-input"]
drawn = (Row(30_000, "medium"), Row(30_000, "large"), Row(64, "medium"), Row(128, "large"))
usual = [part[0] for (n, row), part in by_cell.items() if n == "resnet" and part]
place = balance_plots.typical_picture(usual)
kept_outputs = [part[0] for (n, row), part in by_cell.items() if row in drawn and part]
plots.gallery(
    balance_plots.outputs(setting.store, by_cell, titles, drawn, place),
    alt="A photograph under streaks, the outputs of each network for four rows, and clean",
    caption="Hu 2026, Fig. 15 and Gu 2023, Fig. 8, 12, 13, on a photograph of scikit-image; the first seed of each. What to notice: which outputs still "
    "have streaks, and what has become of colours and edges in the others. Open a picture to compare it with its neighbour. " + plots.source_note(kept_outputs, scale),
    columns=2 + len(drawn),
)

# %% [markdown]
# ## A map that grey rain does not touch
#
# SPDNet gets more than the rainy picture: the **residue channel**, for each pixel the largest of red, green and blue minus the smallest. Rain that adds the same to all three leaves it as it was, but where
# a channel is at white. So SPDNet sees colours of the background that no grey rain hides, seen or unseen; the papers do not say so. Rain with a tint does touch it:

# %% tags=["hide-input"]
plots.gallery(
    balance_plots.residues(images.test_pictures(images.EMBEDDED, 1, 192)[0]),
    alt="A photograph, dry, under grey and under tinted rain; the residue of the dry one, and what each rain changes in it: grey rain little, tinted rain every streak",
    caption="Rain of the medium range, grey and tinted (red, green and blue get 1, 0.9 and 0.8 of it). Then the residue of the dry picture, and what each rain changes in it, five times as bright. What to notice: "
    "where grey rain changes it, a channel has reached white. Photograph from scikit-image. The papers have no such figure. " + plots.drawn_here(),
    columns=6,
)

# %% [markdown]
# If SPDNet leans on that map, a tint should cost it more than the others. All three are trained on grey rain of the medium range, and tested on it, grey and tinted, on new pictures:

# %% tags=["hide-input"]
tested = {titles[n]: found[e] for n, e in tints.items() if e in found and "tinted" in found[e].tests}
lines = ["| 30,000/medium | rejection, grey | rejection, tinted | change |", "|---|---|---|---|"]
changes = {}
for title, record in tested.items():
    grey, tinted, changes[title] = balance_tables.tint_effect(record)
    lines.append(f"| {title} | {grey.value:.2f} | {tinted.value:.2f} | {changes[title].text(2)} |")
missing = [titles[n] for n in tints if titles[n] not in tested]
lines += ["", "One training each; intervals over pictures alone."] * bool(tested)
lines += ["", f"Not computed at this scale yet: {', '.join(missing)}."] * bool(missing)
Markdown("\n".join(lines if tested else lines[2:]))

# %% [markdown]
# ## Unseen rain turned seen
#
# Another way to rain that one has no clean pictures of: train on it without them. *Syn2Real* does so. Beside synthetic pairs it takes rainy pictures alone, and for each it predicts from pairs that look similar what
# the network's inner description of it should be (by a Gaussian process). The 2026 paper grants that this helps, and says why: the rain of the test has become rain of the training. The network does not
# generalise any better (Sec. 6.1).
#
# That can be tested. We train a UNet three times on the same pairs, with medium rain: *alone*; with rainy pictures whose rain is that of the test, from layers that the
# test does not use; and with rainy pictures of *other* unseen rain, that of Rain100H. If the paper is right, the second helps, and the third does not. It is a light version of Syn2Real:
# a small network, small patches, no perceptual loss, and few iterations.

# %% tags=["hide-input"]
whole = {arm: part for arm, part in by_arm.items() if part}
of_arms = [record for part in whole.values() for record in part]
more = {arm: estimates.difference(whole[arm], whole[balancing.ALONE], "unseen", REJECTION)
        for arm in whole if balancing.ALONE in whole and len(whole[arm]) == len(whole[balancing.ALONE])}
told = "; ".join(f"{arm} adds {gain.text(2)}" for arm, gain in more.items() if arm != balancing.ALONE)
none = [gain for arm, gain in more.items() if arm == balancing.SAME and gain.low <= 0]
levels = {arm: estimates.mean(part, "unseen", REJECTION).text(2) for arm, part in whole.items()}
plots.chart(
    balance_plots.arms_chart(whole),
    alt="; ".join(f"{arm}: rejection {level}" for arm, level in levels.items()),
    caption=f"Hu 2026, Fig. 16, as numbers; the paper shows pictures alone. Bars are 95 % intervals, ticks below them seeds. What to notice: which arms lie right of the first; the axes do not start at 0. To the "
    f"rejection, {told or 'nothing can be compared yet'}. {convergence.told(of_arms)} " + plots.source_note(of_arms, scale),
) if whole else Markdown("*Not computed at this scale yet.*")

# %% tags=["hide-input"]
Markdown(
    "Not even the test's own rain helps here, so the third arm has nothing to be compared with: what fails may be our light version (it has no positive control), and not the idea. "
    "The two kinds of unseen rain are also relatives, made by the same authors in the same way." if none else
    "The two kinds of unseen rain are relatives, made by the same authors in the same way, so the third arm is no pure control."
) if whole else Markdown("")

# %% [markdown]
# ## Real rain
#
# The papers show outputs on real photographs (2026, Fig. 16; 2023, Fig. 9). The 2023 paper says that artefacts appear in the backgrounds, as its network saw 256 of them only; the 2026
# paper has the figure without saying so. We may not pass such photographs on. With the data on your machine (see the page on data), set `show_real_rain = True` and run the next cell: it
# draws four that were fixed beforehand, and how far each output is from its input. Without a clean picture there is no score.

# %% tags=["hide-input"]
show_real_rain = False
tiles = []
if show_real_rain:
    shown_networks = {
        "medium range, many backgrounds": setting.of_lab(max(setting.coarse_counts), "medium"),
        "balanced": setting.balanced(),
    }
    networks = {title: restore.trained(e, setting.store) for title, e in shown_networks.items()}
    tiles = real_rain.outputs(networks)
plots.gallery(tiles, alt="Real rain", caption="", columns=3) if tiles else Markdown("*Not shown.*")

# %% [markdown]
# ## What we found

# %% tags=["hide-input"]
from rainlens import claims

CHOSEN = ("balance", "balance-networks", "wider-range", "semi-supervised")
lines = claims.as_rows(claims.table(setting), CHOSEN, by_rain=True)
Markdown(f"| claim of the 2026 paper | our records | by the rain response |\n|---|---|---|\n{lines}")

# %% tags=["hide-input"]
ours = {row: [estimates.mean(of_resnet[row], "unseen", m) for m in ("e_r", "e_b", REJECTION)] for row in (Row(30_000, "large"), last) if of_resnet.get(row)}
told = "; ".join(f"{row}: E_R {r.value:.1f}, E_B {b.value:.1f}, rejection {k.value:.2f}" for row, (r, b, k) in ours.items())
wide, few = (of_resnet.get(row) for row in (Row(30_000, "large"), Row(64, "medium")))
leads = [(wide, of_resnet.get(first), "e_r"), (few, wide, "e_b")]
clear = all(a and b and estimates.difference(a, b, "unseen", m).low > 0 for a, b, m in leads)

# %% tags=["hide-input"]
Markdown(f"Mind what the first verdict does not say. The rule asks whether rows of the large range remove more than {first} and damage less than 64/medium. The row that the table lacks "
         f"does {'so, too,' if clear else 'so, but not clearly,'} without cutting backgrounds ({told}). And where E_R is above {exact:.1f}, more of it is not more rain.") if len(ours) == 2 else Markdown("")

# %% [markdown]
# One training of a light network shows a number and decides nothing, as it has no interval. Every record is linked in the [ledger](15_ledger.ipynb).
#
# To take along: **what a network is trained on decides what it removes, and each remedy has its price in the picture; ask for both numbers, and for the rows in between.**
#
# ## Try it
#
# 1. The row that we added changes the range of the rain and nothing else. What does it tell that the paper's rows cannot?
# 2. You have rainy photographs of your own town, and no clean ones. Would you take them into the training?
#
# <details><summary>Thoughts on 1</summary>
#
# From 30,000 with medium rain to 128 with the large range two things change at once. The row between them tells which of the two does the work: if it lies near the last, the range does, and few
# backgrounds cost damage for little.
#
# </details>
#
# <details><summary>Thoughts on 2</summary>
#
# For rain of that kind it may help: the arm with the test's own rain asks how much, and in our light version it finds nothing. Even where it helps, it tells nothing of next year's rain: for that, look at
# the arm with other rain.
#
# </details>

# %% tags=["hide-input"]
plots.sources(
    "2026: Sec. 6.1, Table 3, Fig. 15, 16; 2023: Sec. 4, Table 2, Fig. 8, 9, 12, 13",
    ["claims/balancing.py", "models/spdnet.py", "models/rcdnet.py", "tasks/semi.py"],
)
