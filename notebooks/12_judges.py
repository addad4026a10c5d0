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
# # 12. Who judges?
#
# **Which numbers follow the rain?**
#
# A paper on restoration ends with a table: PSNR, SSIM, and perhaps scores that need no clean picture. The network with the best numbers
# wins. The 2026 paper shows outputs in which such numbers go against the eye: where more rain is left, the number is better (Fig. 19). So
# it asks a vision-language model, a network that looks at two pictures and answers a question in words: which of the two has less rain?
# (Fig. 7, 20)
#
# We ask how often that happens. Two networks clean the same rainy picture. The rain response of chapter 2 estimates, for both, how much trace of
# the rain is left; it can, because the rain was added by a program. (Dimming and blotting out fool it, too, so E_B stands beside it below.)
# Each measure then says which output it finds better. Does it prefer the one with less rain?
#
# Our rule was fixed before any result was looked at. Pairs count in which the traces differ by at least 0.3 of the rain. A measure *does not follow
# the rain* if it prefers the output with more of it on more than a quarter of these pairs, interval and all: half as often as a coin. The quarter is
# our choice. MUSIQ and MANIQA, of which the paper says the same, are not tested.
#
# **Make a prediction.** A coin would be wrong on half of the pairs. And PSNR?

# %% [markdown] tags=["colab"]
# [Open this chapter in Colab](https://colab.research.google.com/github/rainlens/rainlens/blob/main/notebooks/12_judges.ipynb)

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
from dataclasses import replace

import numpy as np
import torch
from IPython.display import Markdown

from rainlens import evaluation, images, judge_plots, plots, preferences
from rainlens.claims import quality as compared
from rainlens.quality import MEASURES
from rainlens.quality.optional import optional
from rainlens.running import run
from rainlens.scales import scale_named
from rainlens.tasks import judge as judging

plots.use_style()
setting = scale_named(scale)

# %% tags=["grid"]
networks, filters = compared.networks(setting), compared.filters(setting)
by_sharpness = {k: e for k, (e,) in compared.of_sharpness(setting).items()}
our_judge = compared.judge_of_rain(setting)
brief = replace(our_judge, iterations=our_judge.iterations // 3)
(tuned,), (usual,) = (compared.needs_judge_prior(setting)[part] for part in ("prior", "resnet"))
grid = [*networks, *filters, *by_sharpness.values(), tuned, usual, our_judge, brief]

# %%
found = dict(
    zip(grid, run(grid, setting, recompute=recompute), strict=True)
)


def of(part):
    """Records of some of the experiments, by the title of the network."""
    return {found[e].experiment["title"]: found[e] for e in part}


tried = list(of(networks).values())
measures = compared.known(tried)
pictures = len(tried[0].tests[compared.TEST]["response"])
pairs, every = compared.count(tried), compared.count(tried, 0.0)

# %% tags=["hide-input"]
against = {name: compared.against(tried, name) for name in measures}
labels = {MEASURES[name].short: share for name, share in against.items()}
shown = plots.chart(
    judge_plots.shares(labels),
    alt="; ".join(f"{label}: {share}" for label, share in labels.items()),
    caption=f"{len(tried)} networks on {pictures} pictures; of {every:,} pairs of outputs, the {pairs:,} that differ clearly in rain. 95 % "
    "intervals over pictures; they do not cover the choice of networks. What to notice: which bars reach the lines. The papers show "
    "examples (Fig. 19), one method of which is a generative prior, and no such count. "
    + plots.source_note(tried, scale),
)


# %% tags=["hide-input"]
share = against["psnr"].value
choices = {
    "wrong on fewer than 10 %": share < 0.1,
    "wrong on 10 to 40 %": 0.1 <= share < 0.4,
    "about like a coin, 40 to 60 %": 0.4 <= share < 0.6,
    "wrong on more than 60 %": share >= 0.6,
}
loose = compared.against(tried, "psnr", 0.0).value
truth = (f"PSNR prefers the output with more rain on {share:.0%} of the pairs that differ clearly, "
         f"and on {loose:.0%} of all pairs.")
replies = {name: f"{'Yes' if right else 'No'}. {truth}" for name, right in choices.items()}
plots.guess("How often does PSNR prefer the output with more rain?", replies, shown)

# %% [markdown]
# ## Who is compared
#
# The networks were all trained on other rain than that of the test, which is Rain100L: two that are published, trained on the heavy rain of
# Rain100H, and networks of this book (chapters 4 and 13). Filters that have learned nothing come further below. They are not counted above;
# they will show what else a measure rewards.
#
# | measure | what it looks at |
# |---|---|
# | PSNR | the mean square of all differences from the clean picture |
# | SSIM | brightness, contrast and structure in small windows, beside those of the clean picture |
# | LPIPS-style | features of a network for recognising objects, beside those of the clean picture; less is better |
# | NIQE | how far the statistics of small parts lie from those of good photographs; no clean picture, less is better |
# | BRISQUE | similar statistics, and what people said of spoiled pictures; no clean picture, less is better |
#
# The paper's MUSIQ and MANIQA are networks whose weights we may not pass on. Where the package `pyiqa` is installed, a table below has
# their columns, too. LPIPS is *-style* here because its backbone has other weights than the official one (see the page on data).

# %% [markdown]
# ## A number for a network
#
# A table in a paper gives each network one number, the mean. Here each is drawn against the share of the rain that is gone. If a measure
# followed the rain, the marks would lie on a rising line.

# %% tags=["hide-input"]
plots.chart(
    judge_plots.panels(of(networks), of(filters), measures),
    alt="; ".join(
        f"{t}: {compared.values(r, 'gone').mean():.2f} gone, "
        + ", ".join(f"{MEASURES[m].short} {np.mean(r.tests[compared.TEST][m]):.2f}" for m in measures)
        for t, r in {**of(networks), **of(filters)}.items()
    ),
    caption="Means over the pictures; up is better in every panel. Filled marks are networks, hollow ones are filters, the dotted line is "
    "the untouched input. What to notice: whether any marks far to the right lie below the line: they lose rain, and are called worse than doing nothing. "
    "The papers have no such figure. " + plots.source_note([*tried, *of(filters).values()], scale),
)


# %% tags=["hide-input"]
def correlations(name):
    """Spearman's rank correlation with the rain: over networks, and its mean over pictures."""
    ours, rain = compared.table(tried, name), compared.table(tried, "gone")
    each = [preferences.rank_correlation(a, b).value for a, b in zip(ours, rain, strict=True)]
    return preferences.rank_correlation(ours, rain), np.nanmean(each)


rows = ["| measure | over networks | picture by picture, averaged over networks |", "|---|---|---|"]
ranks = {name: correlations(name) for name in measures}
for name, (over_networks, over_pictures) in ranks.items():
    rows.append(f"| {MEASURES[name].short} | {over_networks} | {over_pictures:.2f} |")
Markdown(
    "The rank correlation (Spearman's) between each measure and the share of the rain that is gone: 1 if both put all in the same order, "
    "0 if the orders have nothing to do with each other.\n\n" + "\n".join(rows)
    + f"\n\nOver networks it compares {len(tried)} means; the interval resamples pictures, not networks. Picture by picture, it asks whether a network's better pictures are those in which "
    "more of the rain is gone."
)

# %% [markdown]
# ## What else do measures reward?
#
# Filters smooth, and one darkens. Some of them take streaks away, but none has learned what rain is. On which share of the pictures does a measure
# find their output better than the untouched input?

# %% tags=["hide-input"]
rows = ["| | rain gone | " + " | ".join(MEASURES[m].short for m in measures) + " | E_B |"]
rows.append("|---" * (len(measures) + 3) + "|")
better = {}
for title, record in {**of(filters), **of(networks)}.items():
    better[title] = {m: (compared.over_input(record, m) > 0).mean() for m in measures}
    cells = [f"{compared.values(record, 'gone').mean():.2f}"]
    cells += [f"{value:.0%}" for value in better[title].values()]
    cells.append(f"{np.mean(record.tests[compared.TEST]['e_b']):.1f}")
    rows.append(f"| {title} | " + " | ".join(cells) + " |")
Markdown("\n".join(rows))


# %% tags=["hide-input"]
def told(chosen):
    """Filters and the measures that praise them on more than half of the pictures."""
    names = {t: [MEASURES[m].short for m, s in better[t].items() if s > 0.5] for t in chosen}
    return "; ".join(f"{t}: {', '.join(found) or 'none'}" for t, found in names.items())


dimmed = next(title for title in of(filters) if "dimmed" in title)
Markdown(
    f"Measures that find more than half of the outputs better than the input, by filter: {told(of(filters))}. "
    f"Halving the brightness takes half of the rain's contrast along, and repairs nothing. By networks: {told(of(networks))}."
)

# %% [markdown]
# ## A judge that looks at rain alone
#
# The paper's judge is a vision-language model, DepictQA, fine-tuned for this one question. We cannot run it here, so we
# train a small one for the same question. It gives each picture a score, and the picture with the lower score has less rain. It learns
# from pairs of the same photograph with more and with less rain, where one or both may be blurred or brighter. In a quarter of the
# pairs, the rain is equal, and it should not be sure of either. It has never seen rain of Rain100.
#
# It is a network, too, and may have learned something lazy. So it has to pass a gate, on the test pictures and their rain:
#
# - of two amounts of rain that differ by at least 0.3 of the layer, it must find the smaller, on at least 95 % of the pairs, whichever of the two
#   pictures is blurred or brighter;
# - of two pictures with equal rain, one of them blurred or brighter, it must be undecided, on at least half of the pairs.
#
# The words "whichever of the two is blurred or brighter" came in when the judge had passed without them. They are needed, because networks blur and
# darken, too, and they came in before it was asked about any network.

# %% tags=["hide-input"]
gate, lean = compared.gate(found[our_judge]), compared.leanings(found[our_judge])
plots.chart(
    judge_plots.ladder(found[our_judge]),
    alt="The judge's score rises with the amount of rain, for pictures as they are, blurred and brighter",
    caption="By how much the judge's score of a test picture rises with the amount of its rain; bands hold the middle half of the pictures. It "
    f"should rise. What to notice: whether the three lines lie on each other. At the gate: {compared.said(gate)}. "
    f"It {'passes' if gate.passed else 'does not pass'}. Of equal rain, it is sure that the blurred picture has less in {lean['blurred']:.0%} "
    f"of the cases, and that the brighter has less in {lean['brighter']:.0%}. The papers have no such figure. "
    + plots.source_note([found[our_judge]], scale),
)

# %% tags=["hide-input"]
early = compared.gate(found[brief])
Markdown(
    f"How long a judge is trained matters. The same network, trained for {brief.iterations:,} steps instead of {our_judge.iterations:,}, is "
    f"{compared.said(early)}, and {'passes' if early.passed else 'does not pass'}. It was the first that we trained. The longer one was "
    "run for the gate's sake, and asked about no network before it had passed."
)

# %% [markdown]
# What does it say of a picture that was destroyed? A few that anyone can judge:

# %% tags=["hide-input"]
test = evaluation.TestSet("shown", "streaks", images.EMBEDDED, count=1, crop=192)
(rainy,), (clean,) = evaluation.load(test)
network = judging.named(found[our_judge].name, setting.store)
grey = torch.full_like(clean, 128)
half = ((rainy.float() + clean.float()) / 2).round().to(torch.uint8)
noise = torch.randint(0, 256, clean.shape, generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
cases = {"rainy": rainy, "half of the rain": half, "clean": clean, "grey": grey, "noise": noise}
with torch.inference_mode():
    scores = {k: network(images.to_unit(v)[None]).item() for k, v in cases.items()}

# %% tags=["hide-input"]
least = min(scores, key=scores.get)
plots.gallery(
    [(picture, f"{name}: {scores[name]:.1f}") for name, picture in cases.items()],
    alt="A rainy cat, the same with half of the rain, without rain, a grey square, and noise, with the judge's scores: "
    + ", ".join(f"{name} {score:.1f}" for name, score in scores.items()),
    caption=f"The judge's score; less is less rain. It prefers the one called <i>{least}</i>. What to notice: such a judge answers the "
    "question that it was asked, and no other. A picture may be ruined and dry. So wherever the judge is quoted, the damage E_B has to "
    "stand beside it. Photograph from scikit-image. The papers have no such figure. " + plots.source_note([found[our_judge]], scale),
    columns=5,
)

# %% [markdown]
# ## Whom the judge prefers
#
# The paper lets its judge compare networks trained on patches of low, medium and high sharpness (chapter 6; Fig. 7). It prefers that of
# low sharpness. (In Fig. 20 it prefers the fine-tuned VQGAN of chapter 10 to networks.) Ours gets the outputs of three such networks, one a class, on pictures of Rain100L. Our rule, fixed before: it must prefer low
# sharpness to each of the others on more than half of all pictures; a picture of which it is not sure counts for none.

# %% tags=["hide-input"]
fit = ("It has passed its gate, so its preferences count." if gate.passed else
       "**It has not passed its gate, so nothing follows from its preferences.** They are shown "
       "because they are what one would have quoted without asking first.")
plain = compared.gate(found[our_judge], compared.DAMAGES[:1])
Markdown(f"Our judge is {compared.said(gate)}. {fit} (Of pictures that are as they were, it is right on "
         f"{plain.accuracy}.)")

# %% tags=["hide-input"]
low, *others = by_sharpness
rates = {
    f"{low} sharpness or {other}": preferences.win_rate(
        compared.preference(found[by_sharpness[low]], found[by_sharpness[other]]))
    for other in others
}
rates["the fine-tuned VQGAN or ResNet"] = preferences.win_rate(
    compared.preference(found[tuned], found[usual]))
ordered = sorted(of(networks).items(), key=lambda item: compared.values(item[1], "gone").mean())
(last, fewest), (first, most) = ordered[0], ordered[-1]
rates[f"{first} or {last}"] = preferences.win_rate(compared.preference(most, fewest))

# %% tags=["hide-input"]
plots.chart(
    judge_plots.wins(rates),
    alt="; ".join(f"{name}: {rate}" for name, rate in rates.items()),
    caption="2026 paper, Fig. 7b and, in the third row, Fig. 20, with our judge, on the pictures of which it is sure; 95 % intervals (Wilson's). The last row is a check, no finding: "
    "of the networks above, the two that lie farthest apart by the rain response. What to notice: which intervals lie to the right of the line. "
    + plots.source_note([found[e] for e in (*by_sharpness.values(), tuned, usual)], scale),
)

# %% tags=["hide-input"]
rows = ["| network | rain gone | judge's score | PSNR | E_B |", "|---|---|---|---|---|"]
for title, record in {**of(by_sharpness.values()), **of([tuned]), **of(networks)}.items():
    test = record.tests[compared.TEST]
    cells = [f"{np.mean(test[m]):.{d}f}" for m, d in (("judge", 2), ("psnr", 1), ("e_b", 1))]
    rows.append(f"| {title} | {compared.values(record, 'gone').mean():.2f} | " + " | ".join(cells) + " |")
judged = compared.against(tried, "judge")
Markdown(
    "\n".join(rows) + f"\n\nOn the pairs of the first figure, the judge points against the rain response on {judged}; "
    f"PSNR does on {against['psnr']}. (Both are about amounts of one rain layer, "
    "so that judge and response agree is partly built in.)"
)

# %% tags=["hide-input"]
asked = [found[e] for e in (*by_sharpness.values(), tuned, *networks)]
spoiled = np.stack([np.array(record.tests[compared.TEST]["e_b"], float) for record in asked])
follows = {
    "the rain that is gone": preferences.rank_correlation(
        compared.table(asked, "judge"), compared.table(asked, "gone")),
    "the damage E_B": preferences.rank_correlation(compared.table(asked, "judge"), spoiled),
}
rain_rank, damage_rank = follows.values()
Markdown(
    f"Is it the rain that the judge sees? Over the {len(asked)} networks of this table, its order agrees with "
    + " and with ".join(f"{name} by a rank correlation of {rank}" for name, rank in follows.items())
    + ". " + judge_plots.reading(rain_rank.value, damage_rank.value)
)

# %% [markdown]
# ## Your own eye
#
# Who is right where measures disagree? [You be the judge](../book/blind.md) shows you pairs of outputs without names. It asks which has less rain, and
# which you would keep. At the end it tells with which measure you agree. Your answers stay in your browser; `rainlens.judging.reader` reads the file
# that the page saves.
#
# And with a vision-language model at hand, on a server that you name, `rainlens judge --endpoint URL --model NAME` asks it the papers' question. It
# asks every pair in both orders, and counts how often the answer follows the place instead of the picture.

# %% tags=["hide-input"]
extra = optional()
if extra:
    own = [e for e in networks if found[e].name == e.name]  # no stand-ins
    outputs = {e.title: evaluation.restore(e.network(setting.store), [rainy])[0] for e in own}
    rows = ["| output | " + " | ".join(m.label for m in extra.values()) + " |", "|---" * (len(extra) + 1) + "|"]
    for title, output in outputs.items():
        values = [m.function(output[None], images.to_unit(clean)[None]).item() for m in extra.values()]
        rows.append(f"| {title} | " + " | ".join(f"{value:.3f}" for value in values) + " |")
Markdown("\n".join(rows) if extra else "`pyiqa` is not installed here, so there are no columns for MUSIQ and MANIQA.")

# %% [markdown]
# ## What we found

# %% tags=["hide-input"]
from rainlens import claims

rows = claims.as_rows(claims.table(setting), ("iqa-misleads", "judge", "judge-prior"))
Markdown(f"| claim of the 2026 paper | our records |\n|---|---|\n{rows}")

# %% [markdown]
# To take along: **a number for all of a picture is about more than the rain; ask what else it rewards.**
#
# ## Try it
#
# 1. Which picture without any rain gets the worst PSNR that you can think of, and what does the judge say of it?
# 2. A measure that prefers outputs with less rain could still be useless for choosing a network. When?
#
# <details><summary>Thoughts on 1</summary>
#
# The one that sends each pixel of the clean picture to the farther of 0 and 255: nothing can be farther away. The judge has seen no such picture; try it
# with `network(images.to_unit((255 * (clean < 128)).byte())[None])`.
#
# </details>
#
# <details><summary>Thoughts on 2</summary>
#
# When it looks at rain alone. By the rain response, a grey square keeps all of the rain out, as nothing of it comes out again. To choose, one needs two numbers, one for the rain and one
# for the damage, and the decision how much of one is worth how much of the other.
#
# </details>

# %% tags=["hide-input"]
plots.sources(
    "2026: Fig. 7, 19, 20",
    ["claims/quality.py", "preferences.py", "quality/niqe.py", "tasks/judge.py"],
)
