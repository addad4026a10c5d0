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
# # 3. A toy task you can draw on
#
# **A network is trained to clean up a noisy curve. Has it learned what noise looks like, or what the curve looks like?**
#
# With photographs and rain we can only infer which of the two a network has learned. So the 2026 paper (Sec. 5)
# shrinks the question until the answer can be seen. The picture becomes a cosine, the rain becomes noise,
# and everything fits into one small chart.
#
# The paper finds that it depends on the curve. One kind of curve is learned by heart; with another kind, the network learns
# the noise instead.
#
# **Make a prediction.** A network has been trained on nothing but one slow cosine with a little noise. Now it is
# given a different curve: a fast cosine, or a line that you draw yourself. What will it answer?
#
# - the curve it was given, without the noise;
# - the slow cosine, whatever it was given;
# - something in between.

# %% [markdown] tags=["colab"]
# [Open this chapter in Colab](https://colab.research.google.com/github/rainlens/rainlens/blob/main/notebooks/03_toy_task.ipynb)

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
import torch
from IPython.display import Markdown

from rainlens import plots, signals, toy_evaluation, toy_plots
from rainlens.running import run
from rainlens.scales import scale_named
from rainlens.tasks import toy as toy_task
from rainlens.widgets.toy import ToyWidget, pack
from rainlens.widgets.train_toy import TrainToy

plots.use_style()
setting = scale_named(scale)

# %% [markdown]
# ## The task
#
# The clean signal of *order* O is a cosine with O whole waves between *x* = -10 and *x* = 10:
#
# $$y = 10 \, \cos\left(\frac{O \pi}{10}\, x\right) \tag{3.1}$$
#
# Noise *n* is
# drawn from N(0, 1), the normal distribution with mean 0 and standard deviation 1, and added to *y*. The network is given both
# coordinates of each point, (*x*, *y* + *n*), and must return (*x*, *y*).
#
# Note the *x*. The network is told *where* each point is. So there are two ways to be right:
#
# - **denoise**: average each *y* with its neighbours and ignore *x*. This works for any smooth curve, but it
#   relies on the noise being what it was in training;
# - **read it off**: compute equation 3.1 from *x* and ignore *y*. This works under any noise, but only
#   ever gives one curve.
#
# | here | in deraining |
# |---|---|
# | cosine of order O | background |
# | noise N(0, 1) | training rain |
# | a piece of the curve, 128 points | a patch of a picture |
# | denoise | know the rain |
# | read it off *x* | know the backgrounds |
# | noise N(10, 5) | rain that was never seen |
#
# (After the paper's Table 2; the last three rows are ours.)
#
# What varies in this chapter is how fast the curve is, and each network learns one curve. What varies with rain is the number of
# backgrounds. A slow curve is quick to learn, like 8 backgrounds; a fast one takes long, like 30,000. This is an
# analogy: the toy never has many curves.
#
# And a photograph has no *x*: a deraining network is not told where it is in which picture. It has to recognise that from the pixels
# between the streaks. Whether it does so for the pictures it was trained on is tested in [4b](04b_closer_look.ipynb).

# %%
network = setting.toy().fresh_model()
count = sum(weights.numel() for weights in network.parameters())
inner = network.layers[1]
print(f"five convolutions, {inner.out_channels} channels, "
      f"kernel {inner.kernel_size[0]}: {count:,} parameters")

# %% [markdown]
# The paper says "a five-layer CNN with roughly 400k parameters". Kernel 7 and 136 channels are our reading, and give 392,770
# at every scale but *smoke*. Between the layers stands a *Leaky ReLU*: it passes positive values on and shrinks negative ones, here to a
# hundredth. Each output point depends on 31 neighbouring input points.

# %% [markdown]
# ## Training
#
# Six orders, three of them with a second seed.

# %% tags=["grid"]
main = [setting.toy(order) for order in (1, 2, 3, 4, 6, 8)]
again = [setting.toy(order, seed=1) for order in (1, 4, 8)]

# %% tags=["grid"]
steps = setting.toy().iterations
grid = [*main, *again]

# %%
records = run(grid, setting, recompute=recompute)
found = dict(zip(grid, records, strict=True))
one, four, eight = (found[setting.toy(o)] for o in toy_evaluation.ORDERS)
length = f"{steps:,} training steps."
print(f"{len(found)} networks, {steps:,} steps each")

# %% tags=["hide-input"]
x = torch.linspace(-signals.LIMIT, signals.LIMIT, toy_evaluation.POINTS)
slow, fast = (signals.Cosine(order)(x).numpy() for order in (1, 8))
answer = np.array(one.tests["order8"]["output"])
choices = {"The fast cosine, without the noise": fast, "The slow cosine of its training": slow,
           "Something in between": (slow + fast) / 2}
away = {c: float(np.square(answer - curve).mean()) for c, curve in choices.items()}
nearest = min(away, key=away.get)
figure, axes = plt.subplots(figsize=(6, 2.6))
toy_plots.answer(axes, one, "order8")
axes.plot(x, slow, ":", color=toy_plots.TRAINED, linewidth=2.5, label="training curve")
axes.set(title="", xlabel="x", ylim=(-14, 14), yticks=(-10, 0, 10))
figure.legend(loc="outside right upper", fontsize=9, markerscale=2)

# %% tags=["hide-input"]
told = ", ".join(f"{c.lower()} {value:.1f}" for c, value in away.items())
shown = plots.chart(
    figure, alt=f"Mean square distance of the answer to: {told}",
    caption="What to notice: of the three, the answer (blue) is nearest to "
    f"<i>{nearest.lower()}</i>, at a mean square distance of {away[nearest]:.1f}. One panel of "
    f"the 2026 paper's Fig. 11. {length} {plots.source_note([one], scale)}",
)
verdict = {c: "Right" if c == nearest else "No" for c in away}
replies = {c: f"{verdict[c]}: the answer is {value:.1f} away from that (mean square distance)."
           for c, value in away.items()}
question = "Trained on the slow cosine (O = 1), what does the network answer to a fast one (O = 8)?"
plots.guess(question, replies, shown)

# %% [markdown]
# ## The network that knows one curve
#
# Trained on O = 1. It is tested on its own curve and on a faster one, each under the noise of training and under noise
# that is much stronger and, worse, not centred on zero: N(10, 5).

# %% tags=["hide-input"]
rows = [[(one, "order1"), (one, "order1_shifted")], [(one, "order8"), (one, "order8_shifted")]]
furthest = max(toy_plots.distance(one, test, signals.Cosine(1)) for row in rows for _, test in row)
plots.chart(
    toy_plots.answers(rows),
    alt=toy_plots.in_words(rows),
    caption="<b>2026 paper, Fig. 11, our run.</b> Trained on O = 1 with N(0, 1); bold, in a thick "
    "frame: tested as trained. The titles give the mean square error (MSE) over "
    f"{setting.toy().draws} noise draws. What to notice: compare the blue lines of the four "
    "panels. None is further from the cosine of training than a mean square distance of "
    f"{furthest:.1f}, whatever the input. {length} {plots.source_note([one], scale)}",
)

# %% tags=["hide-input"]
strange = [("order8", "order8"), ("order8_shifted", "order8 under N(10, 5)")]
lines = []
for test, _ in strange:
    signal, noise = toy_evaluation.panels(1)[test]
    own, truth = (toy_plots.distance(one, test, s) for s in (signals.Cosine(1), signal))
    lines.append(
        f"- given the curve of O = {signal.order:g} under N({noise.mean:g}, {noise.spread:g}), "
        f"the output drawn is {own:.1f} away from the cosine it was trained on, and {truth:.0f} "
        "away from the right answer;"
    )
Markdown("In numbers (mean square distances):\n\n" + "\n".join(lines).removesuffix(";") + ".")

# %% [markdown]
# ## Try to fool it
#
# These are the networks of this chapter, running in your browser. **Draw a curve** into the chart with finger or mouse, and watch
# the network trained on O = 1. Then switch to the one trained on O = 8, raise the noise mean, and draw again. The orange band shows what
# the chosen network saw in training. (The panel shows 128 points over the whole line, the figures of this page 256.)

# %%
weights = {}
for order in toy_evaluation.ORDERS:
    network = toy_task.trained(setting.toy(order), setting.store)
    weights[order] = pack(network, {"order": order})
ToyWidget(weights)

# %% [markdown]
# ## The network that averages
#
# Trained on O = 8, otherwise the same. Eight waves over the line; the noise is what it was.

# %% tags=["hide-input"]
rows = [[(eight, f"order{o}"), (eight, f"order{o}_shifted")] for o in (1, 8)]
plots.chart(
    toy_plots.answers(rows),
    alt=toy_plots.in_words(rows),
    caption="<b>2026 paper, Fig. 12, our run.</b> Trained on O = 8 with N(0, 1). What to notice: "
    "on the left, it follows a curve that it has never seen (MSE "
    f"{toy_plots.number(toy_plots.errors(eight, 'order1').value)}); on the right, both curves are "
    f"lifted: it takes the mean of the noise for signal. {length} "
    f"{plots.source_note([eight], scale)}",
)

# %% tags=["hide-input"]
def lift(test, where):
    """How far the drawn output of O = 8 lies above the truth, on average, where the truth is so."""
    truth = toy_evaluation.panels(8)[test][0](x).numpy()
    return (np.array(eight.tests[test]["output"]) - truth)[where(truth)].mean()


lifts = [lift(f"order{order}_shifted", np.isfinite) for order in (1, 8)]
peaks = lift("order8_shifted", lambda truth: truth > 7)
troughs = lift("order8_shifted", lambda truth: truth < -7)
middle, shifted = (toy_plots.errors(eight, test).value for test in ("middle", "order8_shifted"))
more, less = ("troughs", "peaks") if troughs > peaks else ("peaks", "troughs")
why = (" (At the peaks the shifted input lies higher than anything seen in training. That may be "
       "why the answer does not follow it there.)" if less == "peaks" else "")
whole = "not an even lift" if abs(troughs - peaks) > 1 else "nearly an even lift"

# %% tags=["hide-input"]
Markdown(
    f"Under N(10, 5) the drawn output lies above the truth by, on average, {lifts[0]:.1f} for O = "
    f"1 and {lifts[1]:.1f} for O = 8. The noise has mean 10, and the paper sees a deviation of "
    f"approximately 10 on the curve the network was not trained on.\n\nFor O = 8 it is {whole}: "
    f"{max(troughs, peaks):.1f} at the {more}, {min(troughs, peaks):.1f} at the "
    f"{less}.{why}\n\n**What fails is mainly the shifted mean.** N(0, 5) is as foreign as N(10, "
    "5) and spreads as widely, but it is centred on zero. Under it this network has an error of "
    f"{middle:.2f} on its own curve, not {shifted:.1f} (shown in chapter 3b). Averaging removes what differs from point "
    "to point. It cannot see a mean: noise with mean 10 looks like a curve that lies 10 higher. "
    "So what this network knows of the noise is one thing: that its mean is 0."
)

# %% [markdown]
# ## When does a network turn?
#
# The paper shows trained networks. We also watched them learn. Three errors along training, for all six orders: as
# trained, under foreign noise, and on a foreign curve (a triangle wave that nobody was trained on).
#
# | | the easy start | later, if there is time |
# |---|---|---|
# | here | averaging, which serves any smooth curve | the one curve of the training |
# | with rain | changing everything, streaks and picture alike | the pictures, if they are few; or the rain |
#
# With rain, the easy start is to change everything; only the later turn compares with the first table.
# What comes next is, in both, what lowers the error further with the least effort. So here a network can turn *to the content*. With rain it can turn to the
# content or *to the rain*; [4b](04b_closer_look.ipynb) and chapter 5 look for both.

# %% tags=["hide-input"]
learning = [found[experiment] for experiment in main]
figure, row = plt.subplots(1, 3, figsize=(8.4, 3.4))
titles = {"matched": "as trained", "shifted": "its own curve, N(10, 5)",
          "foreign": "a foreign curve, N(0, 1)"}
for axes, (name, title) in zip(row, titles.items(), strict=True):
    toy_plots.curves(axes, learning, name, smooth=5 if name == "matched" else 1)
    axes.set_title(title)
row[0].set_ylabel("mean square error")
toy_plots.order_legend(figure, row[0])

# %% tags=["hide-input"]
grown = {r.experiment["order"]: r.curves["foreign"][-1] / r.curves["foreign"][1] for r in learning}
up, flat = ([f"{o:g}" for o, times in grown.items() if (times > 3) == rose] for rose in (True, False))
shrunk = {r.experiment["order"]: r.curves["shifted"][-1] / r.curves["shifted"][1] for r in learning}
fallen = [f"O = {r.experiment['order']:g} (to {toy_plots.number(r.curves['shifted'][-1])})"
          for r in learning if shrunk[r.experiment["order"]] < 1 / 3]
told = " ".join(f"{title}: {toy_plots.course(learning, name)}." for name, title in titles.items())

# %% tags=["hide-input"]
plots.chart(
    figure,
    alt=f"Mean square error along training. {told}",
    caption="Each point is the mean over 8 noise draws; on the left, thick lines average five "
    "neighbouring points, thin ones do not. What to notice: which lines rise in the right panel. By the end "
    f"they have more than tripled for O = {', '.join(up) or 'none'}, and not for O = {', '.join(flat) or 'none'}; "
    f"in the middle panel fall below a third: {', '.join(fallen) or 'none'}; the lower, the more of its curve a network knows by heart. The papers show no "
    f"courses of the toy. {length} {plots.source_note(learning, scale)}",
)

# %% [markdown]
# ## Train one yourself
#
# On the book's page, the panel below trains a small network in your browser. In Jupyter and Colab it trains networks of up to the chapter's
# size, and lets you choose the noise. Choose an order, press Train, and watch two errors: as trained, and in a test that the network was not trained for.
#
# 1. O = 1 under foreign noise. Does the error come down, and when?
# 2. The same network on the triangle wave. Which way does its error go meanwhile?
# 3. O = 8. What of that happens again?

# %%
TrainToy()

# %% [markdown]
# ## What we found

# %% tags=["hide-input"]
away = toy_plots.distance
near = [away(one, t, signals.Cosine(1)) < away(one, t, toy_evaluation.panels(1)[t][0])
        for t in ("order4", "order8", "order4_shifted", "order8_shifted")]
matched = [[toy_plots.errors(found[setting.toy(o, s)], f"order{o}").value
            for o in toy_evaluation.ORDERS] for s in (0, 1)]
rising = all(values == sorted(values) for values in matched)
noisy = [toy_plots.errors(found[setting.toy(o)], f"order{o}_shifted") for o in (1, 8)]
words = {True: "reproduced", False: "not reproduced"}
lead = {
    True: "Where the curve is slow, the network learns the curve by heart; where it is fast, it "
    "averages the noise away.",
    False: "The paper's split, curve by heart or noise, does not show at this scale.",
}

# %% tags=["hide-input"]
Markdown(
    f"**{lead[all(near) and noisy[1].low > noisy[0].high]}**\n\n- **O = 1 gives back its training "
    f"curve, whatever it is given**: *{words[all(near)]}*. In {sum(near)} of {len(near)} tests on "
    "other curves the output is nearer to the training curve than to the right answer.\n- **O = 8 "
    f"fails under foreign noise**: *{words[noisy[1].low > noisy[0].high]}*. Under N(10, 5) its "
    f"error is {toy_plots.interval(noisy[1])}, that of O = 1 is "
    f"{toy_plots.interval(noisy[0])}.\n- **The error as trained rises with O** (1, 4, 8): "
    f"*{words[rising]}*, with both seeds: "
    + "; ".join(", ".join(toy_plots.number(v) for v in values) for values in matched) + "."
)

# %% tags=["hide-input"]
begin, end = ([toy_plots.number(one.curves[name][i]) for name in ("foreign", "shifted")]
              for i in (1, -1))
Markdown(
    "Whether a network ignores its input is then a question of how simple the curve is *and of "
    f"how long it was trained*. After {one.curves['iteration'][1]:,} steps the network of O = 1 "
    f"is nearer to a denoiser: its error on the foreign curve is {begin[0]}, at the end "
    f"{end[0]}. Under the foreign noise it is the other way round, {begin[1]} and then {end[1]}."
    "\n\nChapter 4 stops a training early, too: there, late steps may learn the rain."
)

# %% [markdown]
# [3b](03b_toy_closer_look.ipynb) looks inside: on which of its two inputs does an answer hang, why is a slow curve read off and a fast one not,
# what do other settings change, and how do our numbers compare with the paper's?
#
# What remains different from the paper: its settings are unknown, so ours are a choice; we measure the error over many noise draws
# while the paper's titles may show one; and our longest training at this scale may be shorter than the paper's.
#
# And what it means for rain: "it removes noise it has never seen" and "it cannot draw anything but its own curve" are the same property. A
# network that knew its backgrounds by heart would remove any rain from them, and damage every other background; with rain this is a matter of degree (chapter 4). Keep this in mind
# when a deraining network does wonders on strange rain: look at what it does to the picture.
#
# ## Try it
#
# 1. In the panel of *Try to fool it*, choose O = 1 and draw a horizontal line at 0. Then raise the noise mean. Which of the two networks, O = 1 or O = 8, moves, and by
#    how much?
# 2. In Jupyter or Colab, train on O = 1 with the noise mean set to 5. What will the network answer under N(0, 1), where it has *less* to remove?
# 3. Could one tell from outside, by its answers alone, which kind of network one has? Invent a test with two inputs.
#
# <details><summary>Solution to 1</summary>
#
# The one trained on O = 8 moves, by nearly what the mean moves: it takes a mean for signal. The one trained on O = 1 hardly moves, and does not draw
# your line either, but its own cosine.
#
# </details>
#
# <details><summary>Solution to 2</summary>
#
# It depends on when you stop. A network that denoises has learned to subtract 5, so it answers 5 too low. One that reads its
# answer off *x* does not care. Stop after a few hundred steps, then train longer, and see the first turn into the second.
#
# </details>
#
# <details><summary>Solution to 3</summary>
#
# Give it the same *x* with two different curves, say *y* = 0 and *y* = 5 everywhere. If the two answers are equal, it reads *x*. If they differ by
# 5, it copies *y*. For a deraining network: add a constant, or a strange picture, and see whether it survives.
#
# </details>

# %% tags=["hide-input"]
plots.sources(
    "2026: Fig. 11, 12, Table 2, Sec. 5",
    ["signals.py", "models/cnn1d.py", "toy_evaluation.py",
     "widgets/toy.js"],
)
