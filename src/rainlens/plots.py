"""How the book draws: one style, the same colour for the same thing in every chapter.

Charts are matplotlib figures wrapped by `chart`; pictures stand side by side in a `gallery`, which
wraps on a phone. Both carry a text for those who cannot see them, and a caption.
"""

from __future__ import annotations

import base64
import html
import io
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from torch import Tensor

import rainlens
from rainlens import estimates, images
from rainlens.escaping import escaped
from rainlens.records import Record

# Okabe and Ito's colours, which colour-blind readers tell apart; shapes repeat what they say.
RANGE_COLOUR = {"small": "#0072B2", "medium": "#D55E00", "large": "#009E73"}
RANGE_MARKER = {"small": "o", "medium": "s", "large": "^"}
CATEGORY_COLOUR = {
    "natural": "#0072B2", "faces": "#D55E00", "comics": "#009E73", "urban": "#CC79A7",
}  # fmt: skip
CATEGORY_MARKER = {"natural": "o", "faces": "s", "comics": "^", "urban": "D"}
NETWORK_NAME = {"resnet": "ResNet", "unet": "UNet", "swinir": "SwinIR"}
NETWORK_COLOUR = {"resnet": "#0072B2", "unet": "#E69F00", "swinir": "#CC79A7"}
NETWORK_MARKER = {"resnet": "o", "unet": "s", "swinir": "^"}
# From few to many, light to dark.
FEW_TO_MANY = ("#F0A860", "#C8553D", "#5E2B5E", "#1B1233")
INK, FAINT = "#333333", "#8a8a8a"
SEEN_COLOUR, UNSEEN_COLOUR = "#56B4E9", "#CC79A7"
STYLE: dict[Any, Any] = {  # matplotlib's types know the keys as literals alone
    "figure.figsize": (7.2, 3.8),
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 6,
}


@dataclass(frozen=True)
class Shown:
    """A figure as a notebook shows it: HTML with a text alternative and a caption.

    body, caption: HTML, so that whatever a record says in them was `escaped`. alt: plain text.
    """

    body: str
    caption: str
    alt: str

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        caption = f'<figcaption style="{CAPTION}">{self.caption}</figcaption>' * bool(self.caption)
        page = f'<figure class="rl-figure" style="margin:0">{self.body}{caption}</figure>'
        return {"text/html": page, "text/plain": f"[{self.alt}]"}


# Fainter than the text around it, whether that is dark or light; links keep their colour.
CAPTION = (
    "font-size:0.85em;line-height:1.4;color:color-mix(in srgb,currentcolor 80%,transparent);"
    "margin-top:0.5em;max-width:45em"
)
DPI = 200
SMALLEST = 0.6  # of its size: how far a panel shrinks before it goes to the next row


def use_style() -> None:
    """Switches matplotlib to the style of the book; figures appear through `chart` alone.

    With the notebook's own backend each figure would also be shown where its cell ends.
    """
    plt.switch_backend("agg")
    plt.rcParams.update(STYLE)


def chart(figure: Figure, alt: str, caption: str) -> Shown:
    """A matplotlib figure, crisp on dense screens; closes the figure.

    Panels side by side are pictures of their own: on a phone they stand one below the other. A
    figure that cannot be cut so shrinks with the page, but not below 5.4 inches, or its letters
    could not be read: on a phone it is swiped sideways.
    """
    cuts = _cuts(figure)
    picture, width = _drawn(figure), round(figure.get_size_inches()[0] * 100)
    plt.close(figure)
    if len(cuts) > 2:
        return Shown(_side_by_side(picture, cuts, width, alt), caption, alt)
    least = min(width, 540)
    style = f"width:100%;min-width:{least}px;max-width:{width}px;height:auto;background:white"
    tag = _image_tag(_compact(picture), "chart", alt, style)
    label = escaped("figure, can be scrolled sideways")  # focusable: by a keyboard, too
    body = (
        f'<div style="overflow-x:auto" tabindex="0" role="group" aria-label="{label}">{tag}</div>'
    )
    return Shown(body, caption, alt)


def _cuts(figure: Figure) -> list[float]:
    """Where a figure can be cut from top to bottom, 0 to 1 from the left: both ends, and gaps.

    Panels that share their axis get numbers of their own; where names stand there, it stays whole.
    """
    panels = [axes for axes in figure.axes if axes.axison]
    bare = [axes for axes in panels if not axes.yaxis.get_tick_params().get("labelleft", True)]
    if any(_has_names(axes) for axes in bare):
        return [0.0, 1.0]
    for axes in bare:
        axes.tick_params(labelleft=True)
    figure.canvas.draw()
    spans = []
    for artist in figure.get_children()[1:]:  # the first is the paper
        box = artist.get_tightbbox()
        if box is not None and box.width > 0:
            spans.append((box.x0, box.x1, not isinstance(artist, Text)))
    # Words beside the panels, such as a label for all of them, stay with the next panel.
    reach, holds_panel, found = -np.inf, False, [0.0]
    for start, end, is_panel in sorted(spans):
        if start > reach and holds_panel:
            found.append((start + reach) / 2 / figure.bbox.width)
            holds_panel = False
        reach, holds_panel = max(reach, end), holds_panel or is_panel
    return [*found, 1.0]


def _has_names(axes: Axes) -> bool:
    """Whether words stand at the ticks of the axis that goes up."""
    told = axes.yaxis.get_major_formatter().format_ticks(list(axes.get_yticks()))
    return any(re.search("[a-z]{2}", text, re.IGNORECASE) for text in told)


def _side_by_side(picture: Image.Image, cuts: Sequence[float], width: int, alt: str) -> str:
    """The parts of a picture beside each other; where they are too narrow, below each other.

    width: of the whole, in pixels of the page.
    """
    tags, count = [], len(cuts) - 1
    for number, (start, end) in enumerate(pairwise(cuts), 1):
        left, right = round(start * picture.width), round(end * picture.width)
        part = picture.crop((left, 0, right, picture.height))
        own = (end - start) * width
        # All grow and shrink alike, so that in one row their heights agree.
        size = f"flex:{own:.0f} {own:.0f} {SMALLEST * own:.0f}px;max-width:{own:.0f}px"
        style = f"{size};min-width:0;height:auto;background:white"
        text = alt if number == 1 else f"panel {number} of {count}, told with the first"
        tags.append(_image_tag(_compact(part), "chart", text, style))
    row = f"display:flex;flex-wrap:wrap;align-items:flex-start;max-width:{width}px"
    return f'<div class="rl-panels" style="{row}">{"".join(tags)}</div>'


def gallery(
    pictures: Sequence[tuple[Tensor | None, str]],
    alt: str,
    caption: str,
    columns: int = 3,
    zoom: int = 1,
) -> Shown:
    """Pictures side by side with a label below each, `columns` in a row.

    Where these would be too narrow, four become two, and more than four become three.

    pictures: (picture, label); a picture is uint8 or float in [0, 1], (3, H, W) or (1, H, W). With
    None for a picture, the label is the title of a new row.
    zoom: whole-number enlargement by repetition, so that each pixel stays a square. Beyond it,
    browsers enlarge and shrink smoothly: without it, by factors that are no whole numbers, some
    rows of pixels would be doubled and others dropped, and with them the finest streaks.
    """
    tiles = []
    for picture, label in pictures:
        if picture is None:
            title = "grid-column:1/-1;font-weight:600;padding-top:0.4em"
            tiles.append(f'<div style="{title}">{escaped(label)}</div>')
            continue
        content = _webp(picture, zoom)
        tag = _image_tag(content, "photo", label, "width:100%;height:auto")
        tiles.append(f'<div>{tag}<div style="{LABEL}">{escaped(label)}</div></div>')
    grid = f"display:grid;grid-template-columns:{_tracks(columns)};gap:{GAP}em;max-width:900px"
    return Shown(f'<div role="group" aria-label="{escaped(alt)}" style="{grid}">'
                 f"{''.join(tiles)}</div>", caption, alt)  # fmt: skip


def _tracks(columns: int) -> str:
    """So many columns; four, or more than four, become two or three where they are too narrow.

    A row often holds what belongs together, so no number between is used. Needs no media query,
    which could not stand in a notebook's HTML: what clamp is given is far below or far above.
    """
    few = 2 if columns == 4 else min(3, columns)
    if few == columns:
        return f"repeat({columns},minmax(0,1fr))"
    many, enough = columns - 1, 9.5 if columns == 4 else 6.2
    least = columns * enough + many * GAP
    # A pixel less than fits, or rounding could cost a column.
    wide = f"(100% - {many} * {GAP}em) / {columns} - 1px"
    narrow = f"(100% - {few - 1} * {GAP}em) / {few} - 1px"
    return f"repeat(auto-fill,minmax(clamp({wide},({least:.1f}em - 100%) * 999,{narrow}),1fr))"


GAP = 0.6  # between pictures, in em
LABEL = "font-size:0.85em;line-height:1.3;text-align:center;padding-top:0.2em"


def guess(question: str, replies: dict[str, str], shown: Shown) -> Shown:
    """A question to answer before looking: choices, and a fold that holds the measurement.

    replies: choice -> what to say to those who chose it, made from the records; said once where it
    is the same for all. Needs no script: once a choice is marked, the style sheet of the book shows
    its reply alone; elsewhere, as in Colab, all replies are shown. Without HTML it is plain text.
    """
    # Names of form fields are shared by a page; those of two questions must differ.
    name = f"guess-{zlib.crc32(question.encode()):08x}"
    choices = "".join(
        f'<label><input type="radio" name="{name}" value="{i}"> {choice}</label>'
        for i, choice in enumerate(replies)
    )
    caption = f'<div class="rl-caption" style="{CAPTION}">{shown.caption}</div>'
    body = (
        f'<div class="rl-guess"><fieldset><legend>{question}</legend>{choices}</fieldset>'
        f"<details><summary>Show what was measured</summary>{_answers(replies)}{shown.body}"
        f"{caption}"
        "</details></div>"
    )
    told = f"{question} {' / '.join(replies)}? Measured: {shown.alt}"
    return Shown(body, "", told)


def _answers(replies: dict[str, str]) -> str:
    if len(set(replies.values())) == 1:
        return f"<p>{next(iter(replies.values()))}</p>"
    return "".join(
        f'<p class="rl-reply rl-reply-{i}"><b>{choice}?</b> {reply}</p>'
        for i, (choice, reply) in enumerate(replies.items())
    )


def source_note(records: Sequence[Record], scale: str) -> str:
    """The small print of a figure: scale, seeds, and, folded, the records that it is made of."""
    seeds = sorted({record.experiment["seed"] for record in records})
    said = f"{len(seeds)} seed{'s' if len(seeds) > 1 else ''}"
    names = list(dict.fromkeys(record.name for record in records))
    count = f"{len(names)} record{'s' if len(names) > 1 else ''}"
    links = ", ".join(record_links(names, scale))
    made = _made_from(f"these records of experiments: {links}")
    return f"Scale <i>{escaped(scale)}</i>, {said}, {count}.{made}"


def drawn_here() -> str:
    """The small print of a figure that no experiment stands behind."""
    return _made_from("no record: nothing had to be trained for it")


def record_links(names: Sequence[str], scale: str) -> list[str]:
    """Links to records of a scale in the repository, as HTML."""
    base = f"{rainlens.REPOSITORY}/blob/main/records"
    places = [quote(f"{scale}/{name}.json", errors="replace") for name in names]
    links = zip(places, map(escaped, names), strict=True)
    return [f'<a href="{base}/{place}">{name}</a>' for place, name in links]


def _made_from(sources: str) -> str:
    return (
        '<details class="rl-made"><summary>How was this made?</summary>By the code cells above, '
        f"from {sources}.</details>"
    )


def axis_of_counts(axes: Axes, counts: Sequence[int]) -> None:
    """log2 axis of N with the counts themselves as ticks."""
    axes.set_xscale("log", base=2)
    axes.set_xticks(counts, [f"{count:,}" for count in counts])
    axes.minorticks_off()
    axes.set_xlabel("N, number of training backgrounds")


def sweep(
    axes: Axes,
    records: Mapping[int, Sequence[Record]],
    test: str,
    measure: str,
    *,
    label: str,
    colour: str,
    marker: str = "o",
    line: str = "-",
) -> None:
    """Mean against N, each seed as a small mark, and the 95 % interval as a band.

    Of fewer than three seeds there is no band: it would cover all of the chart.
    """
    counts = sorted(records)
    means = [estimates.mean(records[count], test, measure) for count in counts]
    axes.plot(
        counts, [e.value for e in means],
        color=colour, marker=marker, linestyle=line, label=label,
    )  # fmt: skip
    if min(len(e.by_seed) for e in means) >= 3:
        low, high = [e.low for e in means], [e.high for e in means]
        axes.fill_between(counts, low, high, color=colour, alpha=0.18, linewidth=0)
    for count in counts:
        by_seed = np.nanmean(estimates.per_image(records[count], test, measure), axis=1)
        axes.plot([count] * len(by_seed), by_seed, marker, color=colour, alpha=0.5, markersize=3)


def training_curves(axes: Axes, records: Sequence[Record], name: str, **style: Any) -> None:
    """One curve along training, the mean over seeds; the point before training is left out."""
    iterations = estimates.curve_of(records[0], "iteration")[1:]
    values = np.mean([estimates.curve_of(record, name)[1:] for record in records], axis=0)
    axes.plot(iterations, values, **style)
    axes.set_xlabel("training iterations")


def path(axes: Axes, x: np.ndarray, y: np.ndarray, colour: str, label: str) -> None:
    """A network's way through its training, (moments,) each, from an open circle to a star."""
    axes.plot(x, y, color=colour, marker="o", markersize=3, linewidth=1.2, label=label)
    axes.plot(x[0], y[0], "o", color=colour, markersize=8, markerfacecolor="white")
    axes.plot(x[-1], y[-1], "*", color=colour, markersize=14, markeredgecolor="white")


def reference_line(
    axes: Axes, value: float, label: str, below: bool = False, left: bool = False
) -> None:
    """A dashed horizontal line, named above or below its right or left end: it needs no legend."""
    axes.axhline(value, color=FAINT, linestyle="--", linewidth=1)
    axes.annotate(
        label, (0 if left else 1, value), xycoords=("axes fraction", "data"),
        xytext=(3 if left else -2, -4 if below else 3), textcoords="offset points",
        ha="left" if left else "right", va="top" if below else "bottom",
        fontsize=9, color=INK, zorder=5,
        bbox=dict(facecolor="white", alpha=0.75, linewidth=0, pad=1),
    )  # fmt: skip


def enlarge(picture: Tensor, factor: int) -> Tensor:
    """(..., H, W) with each pixel repeated factor x factor times."""
    return picture.repeat_interleave(factor, -1).repeat_interleave(factor, -2)


def _drawn(figure: Figure) -> Image.Image:
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI)
    return Image.open(drawn).convert("RGB")


def _compact(picture: Image.Image) -> bytes:
    """Lossless but for its palette, since a chart has few colours."""
    target = io.BytesIO()
    picture.quantize(128).convert("RGB").save(target, "WEBP", lossless=True, quality=75)
    return target.getvalue()


def _webp(picture: Tensor, zoom: int) -> bytes:
    if picture.is_floating_point():
        picture = (picture.clamp(0, 1) * 255).round()
    picture = enlarge(picture.to(torch.uint8), zoom).expand(3, -1, -1)
    return images.encode_webp(picture.contiguous().cpu())


def _image_tag(webp: bytes, kind: str, alt: str, style: str) -> str:
    """kind: "chart" or "photo", which the look of the pages tells apart (`rainlens.css`)."""
    source = f"data:image/webp;base64,{base64.b64encode(webp).decode()}"
    return f'<img class="rl-{kind}" src="{source}" alt="{escaped(alt)}" style="{style}">'


def sources(paper: str, code: Sequence[str]) -> Shown:
    """The last line of a chapter: which figures of the papers, and which files of the package."""
    base = f"{rainlens.REPOSITORY}/blob/main/src/rainlens"
    files = ", ".join(f'<a href="{base}/{name}"><code>{name}</code></a>' for name in code)
    papers = (
        f'<a href="{rainlens.PAPER}">the 2026 paper</a> and '
        f'<a href="{rainlens.FIRST_PAPER}">the 2023 paper</a>'
    )
    text = f"In the papers: {paper} ({papers}). In the code: {files}."
    return Shown("", text, html.unescape(text))
