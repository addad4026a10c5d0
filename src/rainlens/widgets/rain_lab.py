"""The rain lab: the book's networks at work on a picture in the reader's browser.

`rain_lab.js` is what the reader sees, `lab_worker.js` what computes. `lay_out` writes both, the
networks that are recorded and a few pictures to where the page `book/rain_lab.md` finds them. The
page has no kernel and works when it is opened as a file, too.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from rainlens import images, rain
from rainlens.degradations import AdditiveRain, named
from rainlens.scales import Scale
from rainlens.widgets.bundling import classic, write_for_page

PANEL = Path(__file__).with_name("rain_lab.js")
WORKER = PANEL.with_name("lab_worker.js")
FOLDER = "_static/rain_lab"  # below the book's pages
MARK = "<!-- the rain lab -->"  # where the page wants it
PLACE = '<div class="rl-lab">'
NO_SCRIPT = (
    "The rain lab appears here where scripts run. Without them, chapters 1, 4 and 5 show the same "
    "kind of network at work, in pictures and numbers."
)
SIDE = 256  # pixels of a picture, which also fit the memory of a phone
SIZES = (128, 192, 256)
PICTURES = {"cat": "chelsea.png", "coffee": "coffee.png", "astronaut": "astronaut.png"}


def networks(setting: Scale) -> dict[str, bytes]:
    """The recorded networks of the lab, name -> safetensors file: "medium-8", "large-512", ...

    The name says the range of the training rain and N. The files are in half precision; those that
    are not recorded yet are left out. Raises RecordError where a file is damaged.
    """
    found: dict[str, bytes] = {}
    for kind in rain.RANGES:
        for count in setting.coarse_counts:
            name = setting.of_lab(count, kind).name
            path = setting.store.weights_path(name)
            record = setting.store.load(name)
            if record is not None and path.exists():
                setting.store.verify(record, path.name)
                found[f"{kind}-{count}"] = path.read_bytes()
    return found


def pictures() -> dict[str, bytes]:
    """The pictures of the lab, name -> WebP file of 256x256 pixels, from scikit-image's."""
    files = {path.name: path for split in ("test", "train")
             for path in images.names(images.EMBEDDED, split)}  # fmt: skip
    return {name: _packed(square(files[file], SIDE)) for name, file in PICTURES.items()}


def lay_out(
    folder: Path,
    weights: Mapping[str, bytes],
    counts: Sequence[int],
    sizes: Sequence[int] = SIZES,
) -> None:
    """Writes the lab's script, networks and pictures for its page.

    Args:
        folder: of the book's pages; everything lies in `FOLDER` below it, and each data file
            there also as a script (`as_script`).
        weights: what `networks` found.
        counts: the values of N that the lab has room for.
        sizes: pixels on each side to choose from, multiples of 8 and at most 256.
    """
    target = folder / FOLDER
    target.mkdir(parents=True, exist_ok=True)
    shown = pictures()
    files = {f"{name}.safetensors": data for name, data in weights.items()}
    files |= {f"{name}.webp": data for name, data in shown.items()}
    for name, data in files.items():
        write_for_page(target, name, data)
    (target / "rain_lab.js").write_text(script(weights, shown, counts, sizes), encoding="utf-8")


def panel() -> str:
    """The lab's place in its page, as HTML; `compare.js` comes last, for it needs the pictures."""
    scripts = (f"../{FOLDER}/rain_lab.js", "../_static/compare.js")
    return f"{PLACE}<p>{NO_SCRIPT}</p></div>\n" + "\n".join(
        f'<script defer src="{address}"></script>' for address in scripts
    )


def script(
    weights: Iterable[str], shown: Iterable[str], counts: Sequence[int], sizes: Sequence[int]
) -> str:
    """The classic script of the page: the panel, and what it is told of networks and rain.

    weights, shown: the names of networks and pictures; counts, sizes: as for `lay_out`.
    """
    told: dict[str, Any] = {
        "folder": f"../{FOLDER}",
        "glossary": "glossary.html",
        "networks": [_about(name) for name in weights],
        "pictures": [{"name": name, "file": f"{name}.webp"} for name in shown],
        "counts": counts,
        "sizes": sizes,
        "ranges": {name: _range(kind) for name, kind in rain.RANGES.items()},
        "tint": _tint(),
        "worker": classic(WORKER),
    }
    return classic(PANEL, f"mountAll({json.dumps(told)});")


def _about(name: str) -> dict[str, Any]:
    kind, count = name.split("-")
    return {"name": name, "range": kind, "count": int(count), "file": f"{name}.safetensors"}


def _range(kind: rain.RainRange) -> dict[str, tuple[float, ...]]:
    return {name: getattr(kind, name) for name in ("quantity", "width", "length", "direction")}


def _tint() -> tuple[float, float, float]:
    tinted = named("medium_tinted")
    assert isinstance(tinted, AdditiveRain)
    return tinted.tint


def square(path: Path, side: int) -> Image.Image:
    """The middle of a picture, its shorter side scaled to `side` pixels, in RGB."""
    with Image.open(path) as picture:
        length = min(picture.size)
        left, top = ((whole - length) // 2 for whole in picture.size)
        box = (left, top, left + length, top + length)
        return picture.convert("RGB").resize((side, side), Image.Resampling.LANCZOS, box)


def _packed(picture: Image.Image) -> bytes:
    target = io.BytesIO()
    picture.save(target, "WEBP", quality=90, method=4)
    return target.getvalue()
