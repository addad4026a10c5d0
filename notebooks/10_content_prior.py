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
# # 10. A prior of pictures
#
# **What if a network could only answer with pictures?**
#
# A lazy network takes what is easiest to learn. With many backgrounds it learned the rain, and left part of any other kind of rain where it was (chapters 4 and 5).
# The 2026 paper's second remedy means to close that way out (Sec. 6.2). Its network may return nothing but pictures drawn by a *prior*: a
# network that has seen many photographs before, and no rain. Whatever the input is, the answer should then be something that a photograph can look like.
#
# The prior is a **VQGAN**. Its *encoder* turns a picture into a grid of vectors, the latent. Each vector is replaced by the nearest one
# in a *code book*, a list that was learned along with the rest. The *decoder* draws a picture from these codes. Trained on photographs alone, it has codes for
# eyes, leaves and edges. The hope is that none of them can draw a streak of rain; whether that is so comes below. Then the encoder is *fine-tuned*: it gets rainy pictures and learns to choose the codes of the
# clean ones. Code book and decoder stay *frozen*, as they were.

# %% [markdown] tags=["colab"]
# [Open this chapter in Colab](https://colab.research.google.com/github/rainlens/rainlens/blob/main/notebooks/10_content_prior.ipynb)

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

from rainlens import convergence, estimates, evaluation, images, plots, prior_plots, real_rain
from rainlens.claims import priors
from rainlens.claims.rules import REJECTION
from rainlens.running import at_hand, run
from rainlens.scales import scale_named
from rainlens.tasks import codebook, restore
from rainlens.widgets import code_lab

plots.use_style()
setting = scale_named(scale)

# %% tags=["grid"]
arms = priors.arms(setting)
usual = priors.needs_prior(setting)["resnet"]
book, as_it_was = setting.codebook(), setting.unchanged()
idle, taef2, on_clean = setting.filters()["untouched"], setting.prior("taef2"), setting.prior(unharmed=True)
grid = [book, as_it_was, idle, on_clean, *usual, *(e for part in arms.values() for e in part), taef2]

# %%
grid = at_hand(grid, setting)  # some arms take hours; what is missing is said
found = dict(
    zip(grid, run(grid, setting, recompute=recompute), strict=True)
)
by_arm = {
    arm: [found[e] for e in part if e in found]
    for arm, part in arms.items() if any(e in found for e in part)
}
compared = {**by_arm, "ResNet": [found[e] for e in usual]}
compared |= {"TAEF2": [found[taef2]]} if taef2 in found else {}
records = [record for part in compared.values() for record in part]

# %% tags=["hide-input"]
plots.chart(
    prior_plots.scheme(),
    alt="A rainy picture goes through an encoder, which learns, to a latent, to the nearest codes of a frozen book, "
    "through a frozen decoder, to a clean picture",
    caption="Hu 2026, Fig. 17, drawn anew. What to notice: only one box learns from rain, and it can change the answer by its "
    "choice of codes alone. " + plots.drawn_here(),
)

# %% [markdown]
# Does it work, and is it the code book that does it? The paper takes the same network *without* a code book, starts it from random weights, and trains all of
# it on the same rain. On its own rain that copy works, it says; on other rain it fails (Fig. 24). We call the two arms the *method* and the *ablation*.
#
# All are trained on the medium range and meet other rain. How much of it they keep out is the *rejection* of chapter 2: 1 minus the rain response.
#
# **Make a prediction.** The ablation has a bottleneck, too, since its latent has a sixteenth of the places that the picture has. What
# does it do to rain of a kind that it was not trained on?

# %% tags=["hide-input"]
ceiling = estimates.mean([found[as_it_was]], "unseen", "damage")
marks = {"ceiling of the code book": ceiling.value}
if on_clean in found:
    marks["encoder tuned on clean pictures"] = estimates.mean([found[on_clean]], "unseen", "damage").value
told_marks = f"Tuned to give clean pictures back, the encoder comes as near as {[*marks.values()][-1]:.1f} (dash-dotted). " if len(marks) > 1 else ""
kept_out = {name: estimates.mean(part, "unseen", REJECTION) for name, part in compared.items()}
damage = {name: estimates.mean(part, "unseen", "e_b") for name, part in compared.items()}
rain = estimates.rain_name(compared["ResNet"][0], "unseen")
shown = plots.chart(
    prior_plots.plane(compared, marks, found[idle]),
    alt="; ".join(f"{name}: rejection {kept_out[name]}, E_B {damage[name].text(1)}" for name in compared),
    caption=f"Rain of {rain}. Up is less rain, left is less damage; small marks are seeds. "
    f"The dashed line is by how much the code book alone changes a clean picture, {ceiling.text(1)} grey levels. {told_marks}What to notice: who lies high up, and "
    "what it pays for that. The papers have no such figure. " + plots.source_note([*records, found[idle]], scale),
)

# %% tags=["hide-input"]
removed, spoiled = kept_out["ablation"].value, damage["ablation"].value
double = 2 * ceiling.value
choices = {
    "It leaves most of it, as the paper says": removed < 0.5,
    "It takes most of it away, and E_B stays below twice what the code book alone costs":
        removed >= 0.5 and spoiled <= double,
    "It takes most of it away, and E_B is more than that": removed >= 0.5 and spoiled > double,
}
truth = (f"The ablation has a rejection of {kept_out['ablation']} at an E_B of {damage['ablation'].text(1)} grey levels; twice the code book's cost is "
         f"{double:.1f}. The method has {kept_out['method']} at {damage['method'].text(1)}.")
replies = {name: f"{'Right' if right else 'No'}. {truth}" for name, right in choices.items()}
plots.guess("What does the ablation do with unseen rain?", replies, shown)

# %% [markdown]
# ## A book of codes
#
# The paper's VQGAN was trained on ImageNet, and its weights are large. Ours was trained for this chapter on photographs and on the same natural
# pictures as our other networks, never on a test picture: to give a picture back, and to use its codes. A code stands for 4 x 4 pixels. Here is what some of them look like
# where a patch holds one code alone:

# %% tags=["hide-input"]
own_data = found[book].name == book.name
prior = codebook.trained(book if own_data else book.stand_in(), setting.store)
test = found[book].tests["clean"]
live, used, reached = test["live"][0], test["perplexity"][0], sum(test["psnr"]) / len(test["psnr"])
total = len(prior.state_dict()["quantize.embedding.weight"])
plots.gallery(
    [(prior_plots.code_sheet(prior, prior_plots.by_brightness(prior, min(64, total))), f"{min(64, total)} codes")],
    alt="Small squares from dark to bright, in many hues",
    caption=f"{min(64, total)} of {total:,} codes, from dark to bright, each filling a patch of its own. What to notice: on its own a code is hardly more than a "
    "colour. What it draws in a picture, an edge or a bit of fur, depends on its neighbours as well. "
    f"On clean test pictures {live:.0%} of the codes are used, and nearly evenly: as evenly as {used:,.0f} codes used equally often. "
    f"The VQGAN has {sum(p.numel() for p in prior.parameters()) / 1e6:.1f} million numbers; it was trained for {found[book].experiment['iterations']:,} steps. The papers have no such figure. "
    + plots.source_note([found[book]], scale),
    columns=1, zoom=2,
)

# %% [markdown]
# ## The ceiling
#
# A book of codes is a loss. Let a *clean* picture go through the prior as it was, before any fine-tuning: what comes back is as near as it comes by itself. We take it as
# the mark for all that follows, and call it the *ceiling*: about the best that PSNR and E_B can become. Fine-tuning may move it a little, and a network without the book, like the ResNet, is not bound by it.
#
# And a *rainy* picture? If the prior could not draw rain, the rain would be gone before anything was fine-tuned.

# %% tags=["hide-input"]
shown_test = estimates.test_set(compared["ResNet"][0], "shown_unseen")
rainy, clean = (pictures[0] for pictures in evaluation.load(shown_test))
back, through = (evaluation.restore(prior, [picture])[0] for picture in (clean, rainy))
passes = estimates.mean([found[as_it_was]], "unseen", "response")
tiles = {"clean": clean, "clean, through the prior: the ceiling": back,
         "rainy": rainy, "rainy, through the prior as it was": through}
plots.gallery(
    [(images.centre(picture, 144), title) for title, picture in tiles.items()],
    alt="A cat without rain and what the prior makes of it; the same cat under streaks and what the prior makes of that",
    caption=f"On {len(test['psnr'])} clean test pictures the prior comes back at {reached:.1f} dB. Of the rain, {passes} still comes out. What to notice: "
    + ("the streaks are there again. Its codes can draw rain, so nearly all that is removed after fine-tuning was learned by the encoder. "
       if passes.value > 0.5 else "most of the rain is gone before anything was fine-tuned. ")
    + "Photograph from scikit-image. The papers have no such figure. " + plots.source_note([found[book], found[as_it_was]], scale),
    columns=4,
)

# %% [markdown]
# ## Change a code
#
# Here the decoder runs in your browser. Choose what it is given: the latent of the clean cat, of the rainy one by the encoder as it was, or of the rainy one by the encoder
# after fine-tuning. Switch the *quantiser* off, which puts the nearest code in the place of each vector, and the latents go to the decoder as they are. Point at a place in the picture and put another code there.
#
# The panel also counts the codes that rain changes. It compares each encoder with its own answer to the clean picture, and codes that look alike count as different: the rain may be gone
# from sight while most codes have changed. Its numbers are those of this one small picture; the means over all test pictures stand in the table below.

# %% tags=["hide-input"]
tuned = arms["method"][0]
after = restore.trained(tuned if own_data else tuned.stand_in(), setting.store)
code_lab.panel(prior, after)

# %% [markdown]
# ## What comes out
#
# The cat and a second photograph, under rain that no network here was trained on:

# %% tags=["hide-input"]
DRAWN = ("ResNet", "ablation", "method")


def row(index):
    """What went in, what each made of it, the ceiling, and the truth."""
    before, truth = (pictures[index] for pictures in evaluation.load(shown_test))
    outputs = [(setting.store.picture(compared[name][0], "shown_unseen", index), name)
               for name in DRAWN if name in compared]
    best = evaluation.restore(prior, [truth])[0]
    return [(before, "rainy"), *outputs, (best, "ceiling"), (truth, "clean")]


# %% tags=["hide-input"]
tiles = [tile for index in range(shown_test.count) for tile in row(index)]
plots.gallery(
    tiles,
    alt="Pictures under streaks, the outputs of a ResNet, the ablation and the method, the ceiling, and clean",
    caption="Outputs for two photographs of scikit-image under streaks (Hu 2026, Fig. 18a and 24b, d, on other pictures); the first seed of each. What to notice: where a streak is left, "
    "what became of the colours of eyes and cup and of the fur, and what even the ceiling loses. Open a picture to compare it with its neighbour. "
    + plots.source_note([compared[name][0] for name in DRAWN if name in compared], scale),
    columns=len(tiles) // shown_test.count,
)

# %% [markdown]
# ## In numbers
#
# E_B mixes what a network did with what its code book cannot draw. So it stands here against the clean picture, and against the ceiling: what the prior, as it was, makes of the clean picture.

# %% tags=["hide-input"]
MEASURES = ((REJECTION, 2), ("e_r", 1), ("e_b", 1), ("ceiling_e_b", 1), ("damage", 1), ("psnr", 1))
HEADS = ("rejection", "E_R", "E_B", "from ceiling", "dry", "PSNR")
WHOLE = MEASURES[:3]  # with intervals; more would not fit the page


def cell(estimate, measure, digits):
    """A mean, with its interval where it has one and there is room."""
    is_whole = (measure, digits) in WHOLE and len(estimate.by_seed) > 1
    return estimate.text(digits) if is_whole else f"{estimate.value:.{digits}f}"


# %% tags=["hide-input"]
rows = ["| | " + " | ".join(HEADS) + " |", "|---" * (len(HEADS) + 1) + "|"]
for name, part in compared.items():
    cells = [
        cell(estimates.mean(part, "unseen", measure), measure, digits)
        if all(measure in r.tests["unseen"] or measure == REJECTION for r in part) else ""
        for measure, digits in MEASURES
    ]
    rows.append(f"| {name} | " + " | ".join(cells) + " |")
exact, before = (estimates.mean(compared["ResNet"], "unseen", m) for m in ("exact_e_r", "input_psnr"))

# %% tags=["hide-input"]
psnr = {name: estimates.mean(compared[name], "unseen", "psnr").value for name in DRAWN}
below = [f"{name} ({value:.1f} dB)" for name, value in psnr.items() if value < before.value]
worse = (f"**By PSNR, doing nothing ({before.value:.1f} dB) beats: {', '.join(below)}.**" if below
         else "By PSNR, all three are better than doing nothing.")
of_one = [name for name, part in compared.items() if len(part) == 1]
note = (f"Rain of {rain}. *From ceiling*: E_B against the ceiling in place of the clean picture, where an arm starts from "
        "the prior. *Dry*: by how much a picture without any rain is changed, in grey levels. "
        f"An exact removal has an E_R of {exact.value:.1f}, the untouched input a PSNR of {before.value:.1f} dB, and the way to the code "
        f"book and back changes a dry picture by {ceiling.value:.1f} grey levels. ")
if taef2 in found:
    note += ("*TAEF2* is a prior of others, fine-tuned like the method: an autoencoder that was published with its weights, with codes that we made from what it says of our photographs. "
             "On which pictures it was trained is not known, so some of the test may be among them. ")
Markdown("\n".join(rows) + f"\n\n{note}Intervals: 95 %, over seeds and pictures"
         + (f"; one seed, of {', '.join(of_one)}, has none. " if of_one else ". ") + worse)

# %% [markdown]
# ## Have they learned their own rain?
#
# What a network does with other rain says little if it has not learned its own. So here is the medium range, on which all of them were trained:

# %% tags=["hide-input"]
own = {name: {m: estimates.mean(part, "seen", m) for m in (REJECTION, "e_b", "psnr")} for name, part in compared.items()}
rows = ["| | rejection | E_B | PSNR (dB) |", "|---|---|---|---|"]
rows += [f"| {name} | {m[REJECTION].value:.2f} | {m['e_b'].value:.1f} | {m['psnr'].value:.1f} |" for name, m in own.items()]
start = estimates.mean(compared["ResNet"], "seen", "input_psnr").value
better = [name for name, m in own.items() if m["psnr"].value > start]
usual_psnr = own["ResNet"]["psnr"].low
behind = [name for name, m in own.items() if m["psnr"].high < usual_psnr]

# %% tags=["hide-input"]
all_of_them = "all" if len(better) == len(own) else ", ".join(better) or "none"
Markdown("\n".join(rows) + f"\n\nThe untouched input has {start:.1f} dB. Closer to the clean picture than it: {all_of_them}. "
         + (f"But {' and '.join(behind)} {'stays' if len(behind) == 1 else 'stay'} behind the ResNet: what is said of them here is said of networks that have "
            "learned their own rain less well." if behind else ""))

# %% tags=["hide-input"]
two = {name: compared[name] for name in ("method", "ablation") if name in compared}
steps, usual_steps = (compared[name][0].experiment["iterations"] for name in ("method", "ResNet"))
plots.chart(
    prior_plots.courses(two),
    alt="Contrast gain and E_B of the method and the ablation along training",
    caption=f"{steps:,} iterations of fine-tuning, and as many of the ablation's training (the ResNet had {usual_steps:,}), a line a seed. Along training the contrast gain is known, "
    "not the rejection; its axis does not start at 0. What to notice: which lines are level at the end. The step falls to zero there, so a level line may also be a tired one. "
    f"{convergence.told([r for part in two.values() for r in part])} The papers have no such figure. "
    + plots.source_note([r for part in two.values() for r in part], scale),
)

# %% [markdown]
# ## Which ingredient does the work?
#
# Method and ablation differ in three things at once: the trained weights, the frozen decoder, and the code book. Only *arms* that differ in a single
# one can tell which of them matters. What an ingredient adds is the mean over all such pairs. (A decoder that is frozen without ever having been trained can draw nothing, so there are six arms, not eight.)

# %% tags=["hide-input"]
first = {arm: part[0] for arm, part in by_arm.items()}
rows = [f"| arm | {' | '.join(priors.INGREDIENTS.values())} | rejection | E_B |", "|---" * 6 + "|"]
for name, arm in priors.ARMS.items():
    has = ["yes" if there else "no" for there in arm]
    ends = [estimates.mean([first[name]], "unseen", m) for m in (REJECTION, "e_b")] if name in first else []
    told = [f"{ends[0].value:.2f}", f"{ends[1].value:.1f}"] if ends else ["not computed", ""]
    rows.append(f"| {name} | {' | '.join([*has, *told])} |")
rain_of = f"Rain of {rain}; the first seed of each. "
Markdown("\n".join(rows) + f"\n\n{rain_of}" + plots.source_note(list(first.values()), scale))

# %% tags=["hide-input"]
missing = [arm for arm in priors.ARMS if arm not in by_arm]
told = f"Until the other arms are computed ({', '.join(missing)}), this question is open."
if not missing:
    rows = ["| ingredient | adds to the rejection | adds to E_B |", "|---|---|---|"]
    effects = {i: [priors.effect(first, i, m) for m in (REJECTION, "e_b")] for i in priors.INGREDIENTS}
    for one, (kept, harm) in effects.items():
        rows.append(f"| {priors.INGREDIENTS[one]} | {kept.text(2)} | {harm.text(1)} |")
    told = "\n".join(rows)
Markdown(told)

# %% tags=["hide-input"]
if not missing:
    most = [max(effects, key=lambda i: abs(effects[i][k].value)) for k in (0, 1)]
    words = [priors.INGREDIENTS[one] for one in most]
    size = [abs(effects[one][k].value) for k, one in enumerate(most)]
    apart = [max(e.by_seed) - min(e.by_seed) for e in (kept_out["ablation"], damage["ablation"])]
    little = size[0] < apart[0] and size[1] < apart[1]
    told = f"**For the rain, {words[0]} matters most; for the damage, {words[1]}" + (
        " - and little. No ingredient changes more than another seed does.**" if little else ".**")
    told += f" The largest effects are {size[0]:.2f} and {size[1]:.1f} grey levels; the ablation's seeds lie {apart[0]:.2f} and {apart[1]:.1f} apart."
Markdown("" if missing else told)

# %% [markdown]
# ## Real rain
#
# The paper shows outputs on real photographs (Fig. 21). We may not pass such pictures on. With the data on your machine (see the page on data), set
# `show_real_rain = True` and run the next cell: it draws four that were fixed beforehand, and how far each output is from its input. Without a clean picture there is
# no score.

# %% tags=["hide-input"]
show_real_rain = False
tiles = []
if show_real_rain:
    networks = {"method": restore.trained(arms["method"][0], setting.store)}
    networks["ResNet"] = restore.trained(setting.of_lab(max(setting.coarse_counts), "medium"), setting.store)
    tiles = real_rain.outputs(networks)
plots.gallery(tiles, alt="Real rain", caption="", columns=3) if tiles else Markdown("*Not shown.*")

# %% [markdown]
# ## What we found

# %% tags=["hide-input"]
from rainlens import claims

rows = claims.as_rows(claims.table(setting), ("prior-derain", "codebook", "judge-prior"), by_rain=True)
Markdown(f"| claim of the 2026 paper | our records | by the rain response |\n|---|---|---|\n{rows}")

# %% tags=["hide-input"]
ends = compared["method"], compared["ablation"]
kept, harm = (estimates.difference(*ends, "unseen", m) for m in (REJECTION, "e_b"))
words = ("more than", "less than", "neither clearly more nor clearly less than")
own_doing = estimates.mean(ends[0], "unseen", "ceiling_e_b")
by_itself = ": most of its damage comes from fine-tuning, not from the book" if own_doing.low > ceiling.value else ""
Markdown(
    f"- The book does not forbid rain: before fine-tuning, {passes.value:.2f} of it comes through.\n"
    f"- The method keeps out {estimates.direction(kept, *words)} the ablation (rejection: {kept.text(2)}), and damages {estimates.direction(harm, *words)} it (E_B: "
    f"{harm.text(1)}). So it is not the prior as such that keeps rain out.\n"
    f"- The way to the code book and back costs a clean picture {ceiling.value:.1f} grey levels. Where it does not rain, the method is {own_doing.value:.1f} away from that "
    f"ceiling{by_itself}.\n- {worse.replace('**', '')}" if kept.low <= 0 else
    f"- Before fine-tuning, {passes.value:.2f} of the rain comes through. The method then keeps out {kept.text(2)} more than the ablation, at {harm.text(1)} more of E_B.\n- {worse.replace('**', '')}"
)

# %% [markdown]
# A removal gain above 1 means that more than the rain was taken away (chapter 2), so the rain response beside it is the better judge. The judge of the last row is ours, not the paper's, and
# was not asked about the ablation: that it prefers the method may be a taste for blurred pictures ([chapter 12](12_judges.ipynb)). [Chapter 11](11_other_tasks.ipynb) takes the prior to noise and blur.
#
# To take along: **a network that can only answer with pictures still has to find the right one; read what it removes beside what it damages, and both beside the
# ceiling.**
#
# ## Try it
#
# 1. The prior as it was draws streaks that it has never seen. How can a book of codes for photographs do that?
# 2. With a book of a million codes the ceiling would rise. What would you expect of the rain?
#
# <details><summary>Thoughts on 1</summary>
#
# A bright line is in many photographs: a twig, a wire, an edge in the sun. A code stands for a few pixels, not for an object, so streaks can be put together from pieces of
# other things.
#
# </details>
#
# <details><summary>Thoughts on 2</summary>
#
# The finer the codes, the less a picture is changed by them, and the less of a streak is. In the end the book forbids nothing. How much of the rain is kept out then depends on what the
# encoder has learned, as in any other network.
#
# </details>

# %% tags=["hide-input"]
plots.sources(
    "2026: Sec. 6.2, Fig. 17, 18a, 21, 24",
    ["claims/priors.py", "tasks/fine_tune.py", "tasks/codebook.py", "models/vqgan.py"],
)
