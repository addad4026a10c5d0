"""The explorer: backgrounds, range of rain and training time, each on a control of its own.

`explorer.js` is what the reader sees. `pack` takes what the records of the three sweeps hold, and
`lay_out` writes it with the kept outputs to where the page `book/explorer.md` finds it. Nothing is
computed in the browser, and the page works when it is opened as a file, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rainlens import estimates, evaluation, images, rain
from rainlens.records import Record, RecordStore
from rainlens.scales import Scale
from rainlens.tasks.restore import snapshot
from rainlens.widgets import rain_lab
from rainlens.widgets.bundling import classic

PANEL = Path(__file__).with_name("explorer.js")
FOLDER = "_static/explorer"  # below the book's pages
MARK = "<!-- the explorer -->"  # where the page wants it
PLACE = '<div class="rl-lab rl-explorer">'
NO_SCRIPT = (
    "The explorer appears here where scripts run. Without them, chapters 4, 4b and 5 have the same "
    "measurements in charts."
)
NOTHING = "No sweep over N is recorded at this scale yet, so there is nothing to explore."
MEASURES = ("contrast", "e_b", "e_r")  # along training
TESTS = ("unseen", "seen")
DIGITS = 3  # of what was measured; a screen shows two


@dataclass(frozen=True)
class Packed:
    """What the page is told, and the pictures that it shows: file name -> WebP."""

    told: dict[str, Any]
    pictures: dict[str, bytes]


def pack(setting: Scale) -> Packed | None:
    """What a scale has recorded of its sweeps over N on natural pictures; None without any.

    A range of rain is taken as soon as all its networks are recorded with the same moments. Raises
    RecordError where a file is damaged.
    """
    sweeps = {name: _recorded(setting, name) for name in rain.RANGES}
    whole = {name: sweep for name, sweep in sweeps.items() if sweep}
    if not whole:
        return None
    steps = _moments(next(iter(whole.values())))
    same = {name: sweep for name, sweep in whole.items() if _moments(sweep) == steps}
    one = next(iter(same.values()))
    pictures: dict[str, bytes] = {}
    ranges = {name: _range(name, sweep, setting.store, pictures) for name, sweep in same.items()}
    told = {
        "folder": f"../{FOLDER}",
        "glossary": "glossary.html",
        "batch": next(iter(one.values()))[0].experiment["batch"],
        "steps": steps,
        "pictures": _titles(one),
        "ranges": ranges,
    }
    return Packed(told, pictures)


def lay_out(folder: Path, packed: Packed | None) -> None:
    """Writes the explorer's script and pictures for its page, into `FOLDER` below the pages."""
    target = folder / FOLDER
    target.mkdir(parents=True, exist_ok=True)
    if packed is None:
        return
    for name, data in packed.pictures.items():
        (target / name).write_bytes(data)
    (target / "explorer.js").write_text(script(packed.told), encoding="utf-8")


def panel(packed: Packed | None) -> str:
    """The explorer's place in its page, as HTML."""
    if packed is None:
        return f"{PLACE}<p>{NOTHING}</p></div>"
    source = f"../{FOLDER}/explorer.js"
    return f'{PLACE}<p>{NO_SCRIPT}</p></div>\n<script defer src="{source}"></script>'


def script(told: Mapping[str, Any]) -> str:
    """The classic script of the page: the panel, and what it is told."""
    return classic(PANEL, f"mountAll({json.dumps(told)});")


Sweep = Mapping[int, Sequence[Record]]


def _recorded(setting: Scale, name: str) -> dict[int, list[Record]]:
    """A sweep with all its seeds; empty where a record is missing."""
    part = setting.sweep(degradation=name)
    loaded = {experiment: setting.store.load(experiment.name) for experiment in part}
    found = {experiment: record for experiment, record in loaded.items() if record is not None}
    return estimates.by_count(part, found) if len(found) == len(part) else {}


def _moments(sweep: Sweep) -> list[int]:
    """The measured iterations, without the untrained network."""
    first = next(iter(sweep.values()))[0]
    return [int(step) for step in first.curves["iteration"] if step]


def _titles(sweep: Sweep) -> list[str]:
    """What the shown pictures are called, from their files."""
    test = estimates.test_set(next(iter(sweep.values()))[0], "shown_unseen")
    files = images.names(test.backgrounds, "test")[: test.count]
    names = {file: name for name, file in rain_lab.PICTURES.items()}
    return [names.get(path.name, path.stem) for path in files]


def _range(
    name: str, sweep: Sweep, store: RecordStore, pictures: dict[str, bytes]
) -> dict[str, Any]:
    """What the page is told of one range; adds the pictures that it names."""
    counts = sorted(sweep)
    told: dict[str, Any] = {"counts": counts}
    for test in TESTS:
        told[test] = {
            measure: [_mean_curve(sweep[n], f"{test}/{measure}") for n in counts]
            for measure in MEASURES
        }
        told[test]["rejection"] = [_rejection(sweep[n], test) for n in counts]
    told["inputs"] = _inputs(name, sweep[counts[0]][0], pictures)
    told["outputs"] = [_outputs(sweep[n], store, pictures) for n in counts]
    return told


def _mean_curve(records: Sequence[Record], curve: str) -> list[float]:
    """The mean over seeds, without the untrained network."""
    found = np.mean([estimates.curve_of(record, curve)[1:] for record in records], axis=0)
    return [float(value) for value in found.round(DIGITS)]


def _rejection(records: Sequence[Record], test: str) -> float | None:
    """That of the trained networks, the mean over test pictures and seeds; None where it lacks."""
    if not all("response" in record.tests[test] for record in records):
        return None
    return round(estimates.mean(records, test, "rejection").value, DIGITS)


def _inputs(name: str, record: Record, pictures: dict[str, bytes]) -> dict[str, list[str]]:
    """Rainy and clean pictures, made anew: "unseen", "seen" and "clean" -> file names."""
    told = {}
    for test in TESTS:
        rainy, clean = evaluation.load(estimates.test_set(record, f"shown_{test}"))
        for kind, part in ((test, rainy), ("clean", clean)):
            # Rain unlike any training is the same for all ranges, and so are clean pictures.
            stem = f"seen-{name}" if kind == "seen" else kind
            told[kind] = [f"{stem}-{i}.webp" for i in range(len(part))]
            encoded = (images.encode_webp(picture) for picture in part)
            pictures.update(zip(told[kind], encoded, strict=True))
    return told


def _outputs(
    records: Sequence[Record], store: RecordStore, pictures: dict[str, bytes]
) -> dict[str, dict[int, list[str]]]:
    """Of the seed that kept outputs at most moments: "unseen", "seen" -> step -> file names."""
    record = max(records, key=lambda one: len(one.pictures))
    last = record.experiment["iterations"]
    along = record.experiment.get("snapshots") or ()
    told: dict[str, dict[int, list[str]]] = {}
    for test in TESTS:
        names = {step: snapshot(f"shown_{test}", step) for step in along}
        names[last] = f"shown_{test}"
        told[test] = {step: record.pictures[name] for step, name in names.items()}
        for file in (file for files in told[test].values() for file in files):
            store.verify(record, file)
            pictures[file] = (store.folder / file).read_bytes()
    return told
