"""The report card as one HTML file: no remote content, readable on a phone, printable."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from string import Template

import numpy as np
from torch import Tensor

import rainlens
from rainlens import images, rain
from rainlens.audit import scores
from rainlens.audit.card import COLUMNS, Card
from rainlens.audit.inputs import Inputs, Kind
from rainlens.audit.maps import MAPS, RainMap
from rainlens.audit.rivals import Rival
from rainlens.audit.scores import Scored
from rainlens.degradations import STREAKS

WORST = 5
GAIN = 4  # changes of real rain are shown so many times as bright
ABOUT = {
    **{name: "" for name in rain.RANGES},  # said by their numbers
    STREAKS: "thin bright lines of one direction, drawn by this package in another way",
    "tinted": "the medium range, a little yellow: networks know rain as grey",
    "rain100l": "the usual test set of light rain, on its own pictures",
    "rain100h": "the usual test set of heavy rain, on the same pictures",
    "salt_and_pepper": "single pixels of black or white",
}
CLASSES = dict(zip(scores.WORDS, ("destroys", "removes", "leaves", "partly"), strict=True))
SHOWN = ("rejection", "gain", "e_r", "e_b", "psnr", "input_psnr")
NOUNS = {"derain": "rain", "denoise": "noise", "deblur": "blur"}  # what a task takes off
# What only rain has a region for.
OF_RAIN = (
    " <i>E_R</i> is how much it changed where it rains, <i>E_B</i> how much it damaged the rest, "
    "in grey levels of 255. <i>Removal gain</i> is 1 where as much as the rain was taken away, "
    "whatever it was; <i>E_R</i> alone is neither good nor bad, <i>E_B</i> is better if small."
)
OF_MAPS = (
    "<h2>Where it stops working</h2>\n<p>Rain of one angle and width, or one length and density, "
    "at a time: the share that is gone. The rest is as in the small range (width 5, length 30, "
    "upright, density 250). Each cell is a mean over two small pictures.</p>\n"
    '<div class="maps">\n'
)


def page(card: Card, inputs: Inputs, outputs: Mapping[str, Tensor]) -> str:
    """The card as HTML. outputs: by file name, as for `scores.score`."""
    template = Template(resources.files(__package__).joinpath("card.html").read_text("utf-8"))
    task = card.scored[0].kind.task
    shown = [name for name in SHOWN if name in card.scored[0].estimates]
    maps = "\n".join(_map(one, card.cells) for one in MAPS) if card.cells else ""
    return template.substitute(
        noun=NOUNS[task],
        of_rain=OF_RAIN if task == "derain" else "",
        network=escape(card.network),
        sentence=escape(card.sentence),
        likeness=f"<p>{escape(card.likeness)}</p>" if card.likeness else "",
        remarks=_list("What was noticed first", card.remarks),
        rows="\n".join(_row(one, shown, card.rivals.get(one.kind.name)) for one in card.scored),
        heads="".join(f"<th>{COLUMNS[name][0]}</th>" for name in shown),
        damage=card.scored[0].estimates["damage"].text(1),
        kinds="".join(map(_about, card.scored)),
        rules="".join(f"<li><b>{word}</b>: {escape(r)}</li>" for word, r in scores.WORDS.items()),
        worst="\n".join(_figure(*one, outputs) for one in _worst(card.scored)),
        maps=f"{OF_MAPS}{maps}\n</div>" if maps else "",
        real=_real(inputs, outputs),
        version=escape(rainlens.__version__),
    )


def _about(one: Scored) -> str:
    """What a kind of rain is, for those who have not read the book; nothing where its name says."""
    told = ABOUT.get(one.kind.name)
    if one.kind.name in rain.RANGES:
        range_ = rain.RANGES[one.kind.name]
        widths = " or ".join(map(str, range_.width))
        told = (
            f"streaks {widths} pixels wide, {range_.length[0]} to {range_.length[1]} long, up to "
            f"{range_.direction[1]:g} degrees from the upright, dense; what this book trains on"
        )
    return f"<li><b>{escape(one.kind.title)}</b>: {told}.</li>" if told else ""


def _list(title: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<h2>{title}</h2>\n<ul>{items}</ul>"


def _row(one: Scored, shown: Sequence[str], rival: Rival | None) -> str:
    cells = "".join(
        f'<td data-name="{COLUMNS[name][0]}">{one.estimates[name].text(COLUMNS[name][1])}</td>'
        for name in shown
    )
    beside = f"{rival.rejection:.2f} ({rival.name})" if rival else "none is as gentle"
    cells += f'<td data-name="best filter">{beside}</td>'
    word = f'<td><span class="word {CLASSES[one.word]}">{one.word}</span></td>'
    title = f"{escape(one.kind.title)} <small>({len(one.kind.places)} pictures)</small>"
    return f'<tr><th scope="row">{title}</th>{word}{cells}</tr>'


def _map(one: RainMap, cells: Mapping[str, float]) -> str:
    """A table, a cell the darker the more of the rain is gone."""
    heads = "".join(f'<th scope="col">{value}</th>' for value in one.across)
    found, rows = dict(cells), []
    names = iter(one.cells())
    for value in one.down:
        cell = "".join(_cell(found[next(names)[0]]) for _ in one.across)
        rows.append(f'<tr><th scope="row">{value}</th>{cell}</tr>')
    return (
        f'<table class="map"><caption>{one.title}</caption><thead><tr>'
        f"<th>{one.rows} \\ {one.columns}</th>{heads}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _cell(value: float) -> str:
    share = min(max(value, 0.0), 1.0) if np.isfinite(value) else 0.0
    # Never so dark that black on it could not be read.
    shade = f"hsl(165 60% {94 - 48 * share:.0f}%)"
    return f'<td style="background:{shade};color:#111">{value:.2f}</td>'


def _worst(scored: Sequence[Scored]) -> list[tuple[Kind, int, float]]:
    """Of each kind the picture of which most is left: kind, place in it, how much; worst first."""
    every = []
    for one in scored:
        left = {n: 1 - v for n, v in enumerate(one.measures["rejection"]) if np.isfinite(v)}
        if left:
            place = max(left, key=lambda n: left[n])
            every.append((one.kind, place, left[place]))
    return sorted(every, key=lambda found: -found[2])[:WORST]


def _figure(kind: Kind, place: int, left: float, outputs: Mapping[str, Tensor]) -> str:
    title = f"{kind.title}, picture {place + 1}"
    pair = kind.degraded[place], outputs[kind.names()[place]]
    return _wipe(*pair, title, f"{left:.0%} of the {NOUNS[kind.task]} is left.")


def _real(inputs: Inputs, outputs: Mapping[str, Tensor]) -> str:
    """What became of real rain: how much was changed and where, without a score."""
    if not inputs.real:
        return ""
    figures = []
    for number, (name, before) in enumerate(inputs.of_real_rain().items(), 1):
        change = (outputs[name].float() - before.float()).abs()
        title = f"real rain, picture {number}"
        where = (change * GAIN).clamp(max=255).byte()
        figures.append(_wipe(before, outputs[name], title, f"Changed by {change.mean():.1f}."))
        figures.append(
            f'<figure><img src="{_embedded(where)}" alt="where the network changed: {title}">'
            f"<figcaption>Where it was changed, {GAIN} times as bright.</figcaption></figure>"
        )
    return (
        "<h2>Real rain</h2>\n<p>How much the network changes photographs of real rain, in grey "
        "levels, and where. There is no score: nobody knows what lies under that rain, so nobody "
        "can tell rain that was removed from picture that was.</p>\n"
        f'<div class="worst">{"".join(figures)}</div>'
    )


def _wipe(before: Tensor, after: Tensor, title: str, told: str) -> str:
    height, width = before.shape[-2:]
    pictures = "".join(
        f'<img class="{word}" src="{_embedded(picture)}" alt="{word} the network: {escape(title)}" '
        f'width="{width}" height="{height}">'
        for word, picture in {"before": before, "after": after}.items()
    )
    return (
        f'<figure><div class="wipe" style="--cut:50%">{pictures}'
        f'<input type="range" min="0" max="100" value="50" aria-label="Wipe: {escape(title)}">'
        f"</div><figcaption>{escape(title)}: {told} Left of the line before, right of it "
        "after.</figcaption></figure>"
    )


def _embedded(picture: Tensor) -> str:
    return f"data:image/webp;base64,{base64.b64encode(images.encode_webp(picture)).decode()}"
