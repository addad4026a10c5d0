"""The front page of the book: pictures to wipe the rain from, and how the claims stand.

Both come from records, so they are made when the book is built: `lay_out` writes the pictures and
puts HTML in place of the marks in the staged `book/index.md`.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from PIL import Image, ImageOps
from torch import Tensor

from rainlens import claims, estimates, evaluation, images
from rainlens.evaluation import TestSet
from rainlens.rain import RANGES
from rainlens.records import Record
from rainlens.scales import Scale
from rainlens.site import colab
from rainlens.site.marks import fill
from rainlens.tasks.restore import Restore

MARKS = {
    name: f"<!-- front page: {name} -->"
    for name in ("the start", "the pictures", "the verdicts", "the ways in")
}
# Rain of the narrowest range shows the finding most plainly; the caption says that it is one.
RANGE, WIDEST, COUNT = "small", "large", 512
PREVIEW = 1200, 630  # pixels of the picture of a shared link
PICTURE = 0  # of the two test pictures whose outputs are kept: the cat
KINDS = {
    "shown_seen": "Rain it practised with",
    "shown_unseen": "Rain it has never seen",
}
PHOTOGRAPH = "Photograph: Chelsea, from scikit-image."
START = "Start with chapter 1"
MAIN_CLAIM = "fewer-backgrounds"
CHAPTER_ON_RANGES, LEDGER = "05_rain_range", "15_ledger"
CHAPTER_ON_CARDS = "13_report_card"
VERDICT_CLASSES = dict(zip(claims.VERDICTS, ("yes", "no", "open", "untested"), strict=True))


@dataclass(frozen=True)
class Pair:
    """A rainy picture, uint8 (3, H, W), and the WebP file of what became of it.

    name: of the files. title: which rain. result: what the second picture is, in a word or two.
    """

    name: str
    title: str
    rainy: Tensor
    after: bytes
    result: str


def grid(setting: Scale) -> list[Restore]:
    """The page's own experiments: networks of chapter 5, tested on the whole photograph."""
    return [_on_whole(setting, RANGE), _on_whole(setting, WIDEST)]


def lay_out(book: Path, setting: Scale, first: str) -> None:
    """Completes the front page of the staged pages in `book`; `first` is the first chapter.

    Pictures and shares are of one record: of the page's own experiment, or else of the same
    network in the chapters, which shows the middle of the photograph. Where neither is recorded,
    the photograph without rain takes the place of the output, and the caption says so.
    """
    experiment, record = _shown(setting)
    pairs = [_pair(setting, experiment, record, test) for test in KINDS]
    _write_pictures(pairs, book / "_static" / "front")
    decided = claims.table(setting)
    parts = {
        "the start": _start(first),
        "the pictures": _pictures(pairs, _lesson(record), _caption(setting, experiment, record)),
        "the verdicts": _verdicts(decided, setting.name) + _advice(setting),
        "the ways in": _ways_in(first),
    }
    page = book / "index.md"
    fill(page, {MARKS[name]: part for name, part in parts.items()})


def overview(setting: Scale) -> bytes | None:
    """The pictures of the front page side by side, one WebP for the README; None without them."""
    experiment, record = _shown(setting)
    if record is None:
        return None
    pairs = [_pair(setting, experiment, record, test) for test in KINDS]
    height, width = pairs[0].rainy.shape[-2:]
    size = 9, 9 / 4 * height / width + 0.45
    figure, row = plt.subplots(1, 4, figsize=size, layout="constrained")
    titles = iter((pairs[0].title, "", pairs[1].title, ""))
    tiles = [tile for pair in pairs for tile in ((pair.rainy, "rainy"), (pair.after, "output"))]
    for axes, (picture, label), title in zip(row, tiles, titles, strict=True):
        if isinstance(picture, bytes):
            axes.imshow(Image.open(io.BytesIO(picture)))
        else:
            axes.imshow(picture.permute(1, 2, 0))
        axes.set(xticks=[], yticks=[], xlabel=label)
        axes.set_title(title, loc="left", fontsize=11)
    target = io.BytesIO()
    figure.savefig(target, format="webp", dpi=130, pil_kwargs={"quality": 85})
    plt.close(figure)
    return target.getvalue()


def preview(overview: bytes) -> bytes:
    """The same for links that are shared, a JPEG of the size that previews have.

    overview: an encoded picture. WebP is not shown everywhere.
    """
    picture = Image.open(io.BytesIO(overview)).convert("RGB")
    fitting = ImageOps.pad(picture, PREVIEW, color="white")
    target = io.BytesIO()
    fitting.save(target, "JPEG", quality=85)
    return target.getvalue()


def _in_chapters(setting: Scale, rain: str) -> Restore:
    return setting.experiment(degradation=rain, patches=COUNT, seed=setting.seeds[0])


def _on_whole(setting: Scale, rain: str) -> Restore:
    """The same training; the test sets keep the whole photograph, which a screen needs."""
    experiment = _in_chapters(setting, rain)
    tests = tuple(
        TestSet(test.name, test.degradation, test.backgrounds, count=PICTURE + 1, keep=True)
        for test in map(experiment.test, KINDS)
    )
    return replace(experiment, tests=tests, curves=(), lossless=True)


def _shown(setting: Scale) -> tuple[Restore, Record | None]:
    """The experiment whose pictures are shown, and its record if there is one."""
    for network in (_on_whole, _in_chapters):
        experiment = network(setting, RANGE)
        record = _complete_record(setting, experiment)
        if record is not None:
            break
    return experiment, record


def _complete_record(setting: Scale, experiment: Restore) -> Record | None:
    """The record, if it is there with the pictures that are shown."""
    record = setting.store.load(experiment.name)
    if record is None:
        return None
    files = [_output(setting, record, test) for test in KINDS]
    return record if all(file is not None and file.is_file() for file in files) else None


def _output(setting: Scale, record: Record, test: str) -> Path | None:
    """The file of the output that is shown, or None where the record names no such file.

    It is published as it is, so the record may only point at the file that the store gives it:
    another path could be that of any file of this machine.
    """
    name = f"{record.name}.{test}.{PICTURE}.webp"
    return setting.store.folder / name if name in record.pictures.get(test, [])[:1] else None


def _pair(setting: Scale, experiment: Restore, record: Record | None, test: str) -> Pair:
    rainy, clean = evaluation.load(experiment.test(test))
    output = _output(setting, record, test) if record is not None else None
    if output is None:
        after = images.encode_webp(clean[PICTURE], lossless=True)
        return Pair(test, KINDS[test], rainy[PICTURE], after, "without rain")
    # The file itself: compressed a second time, the picture would lose more.
    return Pair(test, KINDS[test], rainy[PICTURE], output.read_bytes(), "output")


def _write_pictures(pairs: Sequence[Pair], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for pair in pairs:
        rainy = images.encode_webp(pair.rainy, lossless=True)
        (folder / f"{pair.name}.rainy.webp").write_bytes(rainy)
        (folder / f"{pair.name}.after.webp").write_bytes(pair.after)


def _pictures(pairs: Sequence[Pair], lesson: str, caption: str) -> str:
    """The pairs side by side; `compare.js` lays the two pictures of each over each other."""
    figures = "\n".join(_figure(pair) for pair in pairs)
    # No empty line may stand in it: Markdown would take it for the end of the HTML.
    height, width = pairs[0].rainy.shape[-2:]
    shape = " rl-wide" if width > height else ""
    return (
        f'<p><strong class="rl-screen">Drag across the cat.</strong> {lesson}</p>\n'
        f'<figure class="rl-front">\n<div class="rl-compare{shape}">\n{figures}\n</div>\n'
        f"<figcaption>{caption}</figcaption>\n</figure>\n"
        '<script defer src="../_static/compare.js"></script>'
    )


def _figure(pair: Pair) -> str:
    height, width = pair.rainy.shape[-2:]
    sides = [
        f'<span class="rl-side rl-{kind}"><img src="../_static/front/{pair.name}.{kind}.webp" '
        f'alt="{pair.title}: the photograph of a cat, {word}" width="{width}" height="{height}">'
        f'<span class="rl-tag" aria-hidden="true">{word}</span></span>'
        for kind, word in (("rainy", "rainy"), ("after", pair.result))
    ]
    return (
        f'<div class="rl-kind"><p class="rl-kind-title">{pair.title}</p>\n'
        f'<div class="rl-pair" data-title="{pair.title}" data-result="{pair.result}">'
        f"{''.join(sides)}</div></div>"
    )


def _caption(setting: Scale, experiment: Restore, record: Record | None) -> str:
    if record is None:
        return (
            f"Rain of the {RANGE} range, and streaks of another kind. No network of the scale "
            f"<i>{setting.name}</i> is recorded yet, so the second picture of each pair is the "
            f"photograph without rain. {PHOTOGRAPH}"
        )
    shares = [_share(record, test) for test in KINDS]
    return (
        f"One network, two kinds of rain. It was trained on {experiment.patches} small photographs "
        f"under rain of the <i>{RANGE}</i> range, the narrowest of three. "
        f"Of the contrast of the streaks on this cat it takes away {shares[0]} in the rain it "
        f"knows, {shares[1]} in the other; the two are not equally hard. "
        f"{_wider(setting, experiment)}"
        f"Scale <i>{setting.name}</i>, seed {experiment.seed}. {PHOTOGRAPH}"
    )


def _wider(setting: Scale, experiment: Restore) -> str:
    """What the widest range of rain makes of the same test: the pictures do not show all."""
    network = _on_whole if experiment.lossless else _in_chapters
    widest = network(setting, WIDEST)
    record = setting.store.load(widest.name)
    if record is None:
        return ""
    return (
        f'One like it, trained under <a href="../notebooks/{CHAPTER_ON_RANGES}.html">more '
        f"varied rain</a>, of the <i>{WIDEST}</i> range, takes away "
        f"{_share(record, 'shown_unseen')} there. "
    )


def _lesson(record: Record | None) -> str:
    """What the pictures show, said only as far as this record shows it."""
    if record is None:
        return "Under the rain is the photograph."
    seen, unseen = (_contrast(record, test) for test in KINDS)
    if seen is not None and unseen is not None and unseen < seen / 2:
        return (
            "The network removes the rain it practised with, and leaves much of the rain that is "
            "new to it."
        )
    return "See what the network does to rain it practised with, and to rain that is new to it."


def _contrast(record: Record, test: str) -> float | None:
    value = record.tests[test]["contrast"][PICTURE]
    return value if isinstance(value, int | float) else None


def _share(record: Record, test: str) -> str:
    value = _contrast(record, test)
    return "an unknown share" if value is None else f"{100 * value:.0f} %"


def _verdicts(decided: pd.DataFrame, scale: str) -> str:
    """The sentence on the claims, and a bar with a segment for each verdict that occurs."""
    verdicts = list(decided["verdict"])
    yes, no, undecided, untested = (verdicts.count(verdict) for verdict in claims.VERDICTS)
    segments = "\n".join(
        f'<li class="rl-{VERDICT_CLASSES[verdict]}" style="flex-grow:{verdicts.count(verdict)}">'
        f"<strong>{verdicts.count(verdict)}</strong> {verdict}</li>"
        for verdict in claims.VERDICTS
        if verdict in verdicts
    )
    main = decided.set_index("claim").loc[MAIN_CLAIM]
    # Where nothing can be true, the counts must not look like findings.
    doubt = " This scale only checks that the code runs." if scale == "smoke" else ""
    return (
        f"<p>Of {len(verdicts)} claims in the two papers, our records at the scale "
        f"<i>{scale}</i> reproduce {yes} and do not reproduce {no}; {undecided} are not decided, "
        f"{untested} not tested.{doubt} The claim that the others lean on is {main.verdict}: "
        f"“{main.says}” Here <i>N</i> is the number of training backgrounds. "
        f'The <a href="../notebooks/{LEDGER}.html">ledger</a> has every claim.</p>\n'
        f'<ul class="rl-tally">\n{segments}\n</ul>'
    )


def _advice(setting: Scale) -> str:
    """What someone who trains can take from the records; empty where these are not all there.

    Removal at equal damage, of networks of chapter 5: the widest range of rain against the medium,
    and, in each range, the fewest backgrounds against the most. What the widest range does to
    heavy rain is told as well, where it was tested, for it need not be the same.
    """
    least, most = setting.patch_counts[0], setting.patch_counts[-1]
    many = {name: _networks(setting, name, most) for name in RANGES}
    few = {name: _networks(setting, name, least) for name in RANGES}
    if min(map(len, (*many.values(), *few.values()))) < len(setting.seeds):
        return ""
    usual, wider = many["medium"], many[WIDEST]
    unseen = estimates.rain_name(usual[0], "unseen")
    rain = estimates.direction(
        estimates.at_equal_damage(wider, usual),
        f"removes more of {unseen}",
        f"removes less of {unseen}",
        f"does not clearly remove more of {unseen}",
    )
    gaps = [estimates.at_equal_damage(few[name], many[name]) for name in RANGES]
    more = [estimates.direction(gap, "more", "less", "undecided") for gap in gaps].count("more")
    return (
        "\n<p><strong>What to do?</strong> At the same damage to the picture, a network trained "
        f"under a <em>wider range of rain</em> {rain}, which it has not seen. One trained on "
        f"<em>fewer pictures</em> clearly removes more under {more or 'none'} of the "
        f"{len(RANGES)} ranges.{_heavy(wider, usual)} "
        f'(<a href="../notebooks/{CHAPTER_ON_RANGES}.html">Chapter 5</a>.)</p>'
    )


def _heavy(wider: Sequence[Record], usual: Sequence[Record]) -> str:
    """What the wider range does to heavy unseen rain, in a sentence; empty where it is unknown."""
    if not all("heavy" in record.tests for record in (*wider, *usual)):
        return ""
    gap = estimates.difference(wider, usual, "heavy", "rejection")
    words = "keeps more of it out", "keeps less of it out", "makes no clear difference"
    heavy = estimates.rain_name(usual[0], "heavy")
    return f" Of heavier rain, {heavy}, the wider range {estimates.direction(gap, *words)}."


def _networks(setting: Scale, rain: str, count: int) -> list[Record]:
    """The records of chapter 5 that there are, one a seed."""
    wanted = [setting.experiment(degradation=rain, patches=count, seed=s) for s in setting.seeds]
    found = [setting.store.load(experiment.name) for experiment in wanted]
    return [record for record in found if record is not None]


def _start(first: str) -> str:
    return f'<p class="rl-start rl-screen"><a href="../notebooks/{first}.html">{START}</a></p>'


def _ways_in(first: str) -> str:
    cards = (
        _card("Read", "Chapter 1 shows a network fail on new rain, and how that is measured.",
              START, f"../notebooks/{first}.html"),
        _card("Run it", "The same chapter in Colab: change the rain, train again, see what moves.",
              "Open in Colab", colab.address(first)),
        _card("Audit your own network", "Which rain does it remove, and which does it leave? "
              "A report card for a network that you bring.",
              "See the cards of others", f"../notebooks/{CHAPTER_ON_CARDS}.html"),
    )  # fmt: skip
    return '<div class="rl-ways">\n' + "\n".join(cards) + "\n</div>"


def _card(title: str, text: str, action: str, address: str) -> str:
    # The whole card can be clicked, through the link's ::after; its name stays the short action.
    return (
        f'<div class="rl-way"><p class="rl-way-title">{title}</p><p>{text}</p>'
        f'<p class="rl-way-action"><a href="{address}">{action}</a></p></div>'
    )
