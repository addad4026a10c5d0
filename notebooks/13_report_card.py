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
# # 13. The report card
#
# **Will my network work on rain that it has not seen?**
#
# "I ran it on my own rainy picture, and nothing changed." So write users of published deraining networks. The authors are puzzled: their
# network has 37 dB on the test set, and others get the same. Both may be right. The test set holds the kind of rain that the network was
# trained on. One's own picture may hold another.
#
# A score on one test set cannot tell the two apart, so this book gives every network a *report card*: many kinds of rain, and for each of
# them a word. It takes a minute or two for a small network, and it takes networks from any program. First we look at four networks whose
# weights are published; then at the book's own; then it is your turn.
#
# **Make a prediction.** PReNet is a well-known deraining network. One of its published sets of weights was trained on Rain100L, whose
# streaks are thin and few. Of which other rain does it take more than half?

# %% [markdown] tags=["colab"]
# [Open this chapter in Colab](https://colab.research.google.com/github/rainlens/rainlens/blob/main/notebooks/13_report_card.ipynb)

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

from rainlens import models, plots
from rainlens.audit import figures, recorded, report, scores
from rainlens.audit import inputs as made
from rainlens.running import run
from rainlens.scales import scale_named
from rainlens.tasks import published as repeated
from rainlens.tasks.subject import title_of

plots.use_style()
setting = scale_named(scale)

# %% [markdown]
# ## What is on a card
#
# Each network gets the same small pictures: photographs without rain, and the same ones with rain of several kinds. All go through the
# network. So for each picture *B* and each rain *R* there are two outputs, *f*(*B*) and *f*(*B* + *R*), and chapter 2 has told what to do
# with them. The **rain response** says how much of the rain comes out again. What is left to 1 is the share that is *gone*: 0 if the
# network did nothing, about 1 if, on average, none of the rain comes out again. What the network does to the picture itself cancels, as
# far as it does the same with rain and without.
#
# The word follows from 95 % intervals over the pictures, by rules that were fixed before any network was audited:

# %%
rules = [f"| **{word}** | {rule} |" for word, rule in scores.WORDS.items()]
Markdown("\n".join(["| word | when |", "|---|---|", *rules]))

# %% [markdown]
# There is no overall score. A network may remove one kind of rain and leave another, and a mean of the two would hide just that.

# %% tags=["grid"]
few = dict(limit=2, crop=64) if scale == "smoke" else {}
published = recorded.of_published(**few)
filters = [
    recorded.of_filter(name, **few)
    for name in ("untouched", "median 5", "opening 9")
]

# %% tags=["grid"]
own = [setting.of_lab(n, "medium") for n in setting.coarse_counts]
own += [setting.balanced(), setting.prior()]
ours = [recorded.of_own(network, **few) for network in own]
scores_again = repeated.grid(2 if scale == "smoke" else 100)
cards = [*published, *filters, *ours]
grid = [*cards, *scores_again]

# %%
found = dict(
    zip(grid, run(grid, setting, recompute=recompute), strict=True)
)
titles = {e: found[e].experiment["title"] for e in cards}


def of(part):
    """The cards of some of the audits, by title."""
    return {titles[e]: recorded.scored(found[e]) for e in part}


# %% [markdown]
# ## Four published networks
#
# PReNet and PRN (the same without its memory), each once trained on Rain100L and once on Rain100H, the heavy rain. The weights are the
# authors' own. First the question whether we run them rightly: on whole test sets, their scores should come out. They are taken on the
# brightness alone (the channel Y), and the authors cut their outputs off to whole grey levels instead of rounding them.

# %% tags=["hide-input"]
rows = ["| network | PSNR (Y): printed | ours, cut off | ours, rounded | SSIM (Y): printed | ours |"]
rows.append("|---" * 6 + "|")
for e in scores_again:
    told, test = repeated.by_file(e.weights), found[e].tests[e.test.name]
    means = {name: sum(values) / len(values) for name, values in test.items()}
    rows.append(
        f"| {title_of(told)} | {told.psnr_y} | {means['psnr_y_cut']:.2f} | "
        f"{means['psnr_y']:.2f} | {told.ssim_y} | {means['ssim_y_cut']:.3f} |"
    )
Markdown("\n".join(rows))

# %% [markdown]
# Then their cards:

# %% tags=["hide-input"]
figure = figures.words(of(published))
told = "; ".join(
    f"{title}: {scores.sentence(card).removeprefix('This network ')}"
    for title, card in of(published).items()
)
shown = plots.chart(
    figure,
    alt=told,
    caption="The share of the rain that is gone, on the colour of the card's word. Rain100L and "
    "Rain100H are cut to the middle; the other kinds fall on the photographs of the package. The "
    "papers have no such figure. What to notice: read along a row. "
    + plots.source_note([found[e] for e in published], scale),
)


# %% tags=["hide-input"]
first = recorded.scored(found[published[0]])
foreign = [one for one in first if one.kind.name != "rain100l"]
over = [o.kind.title for o in foreign if o.estimates["rejection"].value > 0.5]
shares = ", ".join(f"{o.kind.title} {o.estimates['rejection'].text(2)}" for o in foreign)
truth = f"Of {len(foreign)} other kinds it takes more than half of {len(over)}: {shares}."
share = len(over) / len(foreign)
choices = {
    "all": share == 1,
    "most of them": 0.5 < share < 1,
    "some of them": 0 < share <= 0.5,
    "none": share == 0,
}
replies = {name: f"{'Yes' if right else 'No'}. {truth}" for name, right in choices.items()}
plots.guess("Of which other rain does PReNet (Rain100L) take more than half?", replies, shown)

# %% [markdown]
# Two kinds of rain in pictures: thin streaks drawn by this book, and rain of the large range, on a photograph that no network here was
# trained on.

# %% tags=["hide-input"]
size = dict(limit=published[0].limit, crop=published[0].crop)
inputs = made.make(**size, sets=())
rainy = {kind.name: kind.degraded[0] for kind in inputs.kinds}

# %% tags=["hide-input"]
rows = []
for kind in recorded.SHOWN:
    rows += [(None, made.TITLES[kind].capitalize()), (rainy[kind], "rainy")]
    for e in published[:2]:
        gone = found[e].tests[kind]["rejection"][0]
        rows.append((setting.store.picture(found[e], kind, 0), f"{titles[e]}: {gone:.0%} gone"))
plots.gallery(
    rows,
    alt="A cat's face in two kinds of rain, and what two networks make of it",
    caption="PReNet's answers to two kinds of rain that it was not trained on. The papers have no "
    "such figure, but their Fig. 1 is about the same. What to notice: the share below each "
    "picture, and what is left in it. " + plots.source_note([found[e] for e in published[:2]], scale),
    columns=3,
)

# %% [markdown]
# ## What a score hides
#
# The numbers of one card, that of PReNet for Rain100L, beside the untouched picture's. (The PSNR here is of all three colours, and of the
# middle of a few pictures, so on Rain100L it differs from the table above.)

# %% tags=["hide-input"]
rows = ["| rain | word | gone | PSNR | PSNR of the input | damage beside the rain (E_B) |"]
rows.append("|---" * 6 + "|")
for one in first:
    cells = [
        one.estimates[name].text(digits)
        for name, digits in (("rejection", 2), ("psnr", 1), ("input_psnr", 1), ("e_b", 1))
    ]
    rows.append(f"| {one.kind.title} | {one.word} | " + " | ".join(cells) + " |")
Markdown("\n".join(rows))

# %% tags=["hide-input"]
left = [o for o in foreign if o.estimates["rejection"].value < 0.5] or foreign
rise = {
    one.kind.title: one.estimates["psnr"].value - one.estimates["input_psnr"].value
    for one in left
}
most = max(rise, key=rise.get)
still = {one.kind.title: 1 - one.estimates["rejection"].value for one in left}[most]
gentle = first[0].estimates["damage"]
Markdown(
    f"A score can rise while most of the rain stays. On {most} the PSNR rises by "
    f"{rise[most]:.1f} dB, and {still:.0%} of the rain is still there.\n\nPictures without rain "
    f"come back changed by {gentle.text(1)} grey levels (root mean square). So where this network "
    "fails, it does not fail by destroying: what it does not remove, it mostly leaves as it was."
)

# %% [markdown]
# ## Where it stops
#
# Rain has a direction, a width, a length and a density (the quantity of chapter 1). A *map of rain* varies two of them at a time, with everything else as in the small
# range of training rain, and shows the share that is gone.

# %% tags=["hide-input"]
chosen = published[:2]
figure = figures.maps({titles[e]: recorded.cells(found[e]) for e in chosen})
plots.chart(
    figure,
    alt="Tables of the share that is gone by angle and width, and by length and density, for "
    + " and ".join(titles[e] for e in chosen),
    caption="Share of the rain that is gone: left by angle (0 is upright) and width of the streaks, "
    "right by their length and density. Each cell is a mean over two small pictures. The papers "
    "have no such figure. What to notice: where the green ends. "
    + plots.source_note([found[e] for e in chosen], scale),
)


# %% tags=["hide-input"]
def shares_of(e, beginnings):
    """The least and the largest share that is gone in the cells whose names begin so."""
    held = recorded.cells(found[e])
    chosen_cells = [value for name, value in held.items() if name.startswith(beginnings)]
    return f"{min(chosen_cells):.0%} to {max(chosen_cells):.0%}"


lines = [
    f"- {titles[e]}: of streaks at 30 degrees {shares_of(e, ('shape-30x', 'shape+30x'))} is gone, "
    f"of streaks at 60 degrees {shares_of(e, ('shape-60x', 'shape+60x'))}, of streaks 5 pixels "
    f"long {shares_of(e, ('amount+5x',))}."
    for e in chosen
]
Markdown("\n".join(lines))

# %% [markdown]
# ## The book's own networks, and filters
#
# The same card for networks like those of chapter 4, with few, more and many backgrounds in the medium range of rain, and for one that is
# *balanced* as the papers advise: the large range of rain, and not too many backgrounds; and the fine-tuned prior of chapter 10. All are small.
# Below them are three things that have learned nothing: the untouched picture shows what "leaves" looks like, and the filters show what has
# to be beaten by learning.

# %% tags=["hide-input"]
rest = [*ours, *filters]
figure = figures.words(of(rest))
plots.chart(
    figure,
    alt="; ".join(f"{t}: {scores.sentence(c)}" for t, c in of(rest).items()),
    caption="As above, for the book's own networks and for filters. The papers have no such figure. "
    f"What to notice: the {len(ours)} rows of networks, and their damage in the table below. "
    + plots.source_note([found[e] for e in rest], scale),
)

# %% tags=["hide-input"]
rows = ["| network | pictures without rain are changed by (grey levels, rms) |", "|---|---|"]
for title, card in of(cards).items():
    rows.append(f"| {title} | {card[0].estimates['damage'].text(1)} |")
Markdown("\n".join(rows))


# %% tags=["hide-input"]
def taken_by_more(ours, theirs):
    """Of how many kinds of rain the first takes more than the second."""
    return sum(
        a.estimates["rejection"].value > b.estimates["rejection"].value
        for a, b in zip(ours, theirs, strict=True)
    )


# %% tags=["hide-input"]
every = of(cards)
rival, light, heavy = (every[titles[e]] for e in (filters[-1], *published[:2]))
damage = {name: card[0].estimates["damage"].text(1) for name, card in every.items()}
names = [titles[e] for e in (filters[-1], *published[:2])]
Markdown(
    f"Breadth has its price. {names[2]} takes more than {names[1]} of {taken_by_more(heavy, light)} "
    f"of {len(light)} kinds, and changes pictures without rain by {damage[names[2]]} grey levels "
    f"instead of {damage[names[1]]}. And a filter that has learned nothing, {names[0]}, takes more "
    f"than {names[1]} of {taken_by_more(rival, light)} kinds, at {damage[names[0]]}."
)

# %% [markdown]
# ## Audit your own
#
# A network is a function from a batch of pictures, values from 0 to 1, to a batch of the same size. That is all that the audit needs. Here
# it is given a median filter; put your own function there, and in Colab upload its weights before.

# %%
def my_network(pictures):
    """Replace this by your own: (N, 3, H, W) in, the same out."""
    return models.build("median", size=3)(pictures)


pictures = made.make(limit=2, crop=96, sets=())  # without arguments: more and larger ones
mine = report.of_network(my_network, "my network", pictures)
Markdown(mine.card.markdown())

# %% [markdown]
# `mine.save("card.json")` writes the card and a page beside it, with the worst pictures to wipe over, maps of rain and all numbers.
#
# The command line does the same for whatever cannot be called from Python:
#
# - `rainlens audit export FOLDER` writes the pictures. Run your network on them with any program, on any machine. Then
#   `rainlens audit FOLDER --outputs OTHER` reads its answers. This runs nothing of yours.
# - `rainlens audit --command "python test.py --input {input} --output {output}"` runs your program.
# - `rainlens audit --arch prenet --weights FILE` loads weights, and nothing but weights, into a network that this package knows.
# - `rainlens audit --onnx FILE` takes an ONNX file; `--call module:function` a Python function.
#
# Before anything is scored, the audit tries out whether the network is wired up as it wants to be: values from 0 to 255, red and blue
# exchanged, the rain instead of the picture. It says what it found, and with which option it goes away. `--require "rain100l: removes"`
# makes it a test for your own repository, and `--task denoise` or `--task deblur` audits other networks with the same words.

# %% [markdown]
# ## What a card cannot say
#
# - **Real rain.** All rain here was drawn by a program, or is from a data set that was. Nobody has the same street with and without rain,
#   so for photographs of real rain (`--real FOLDER`) the audit shows what the network changes, and gives no score.
# - **Taste.** The share that is gone sees only what follows the rain. A network may repaint a picture in ways that one dislikes, or that
#   one prefers. The damage says how much it changes, not whether that is ugly.
# - **Few pictures.** A card rests on a handful of photographs, so its intervals are rough, and probably too narrow. `--pictures FOLDER`
#   takes yours, as many as you like.

# %% [markdown]
# ## What we found

# %% tags=["hide-input"]
lines = []
for e in published:
    card = recorded.scored(found[e])
    lines.append(f"- **{titles[e]}.** {scores.sentence(card)}")
home = {"rain100l": "Rain100L", "rain100h": "Rain100H"}
at_home = [
    one.word
    for e in published
    for one in recorded.scored(found[e])
    if titles[e].endswith(home.get(one.kind.name, "-"))
]
kept = at_home.count(scores.REMOVES)
Markdown("\n".join([*lines, "", f"On the rain that they were trained on, {kept} of "
    f"{len(at_home)} remove it."] if at_home else lines))

# %% [markdown]
# To take along: **ask of a network not how well it removes rain, but which.**
#
# ## Try it
#
# 1. An opening of 15 pixels, `models.build("opening", size=15)`, levels whatever is bright and narrower than 15 pixels from left to right.
#    Of which kinds of rain will it take more than the opening of 9 pixels, and what will it cost? Predict, then audit it.
# 2. The maps show that streaks at 60 degrees are left. Could it be their width instead of their angle? What in the maps speaks against
#    that, and which map would you draw to be sure?
#
# <details><summary>Thoughts on 1</summary>
#
# Of all: a long opening levels whatever a short one does, and more. Least is won with thin streaks, of which hardly any were left. The cost
# is damage. It levels bright narrow parts of the picture as well, and there are more of these below 15 pixels than below 9.
#
# </details>
#
# <details><summary>Thoughts on 2</summary>
#
# The left maps vary both. Read along the row of 60 degrees: at every width little is gone, also at those widths that are taken well at 0 and
# 30 degrees. At this length and density, it is mainly the angle. A finer map, in steps of 5 degrees, would tell where it begins.
#
# </details>

# %% tags=["hide-input"]
plots.sources(
    "neither has a report card; networks that leave unseen rain alone are their Fig. 1",
    ["audit/report.py", "audit/scores.py", "audit/maps.py", "audit/recorded.py"],
)
