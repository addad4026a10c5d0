"""The page "You be the judge": its panel, its pairs, and pictures whose names tell nothing."""

from __future__ import annotations

import json
from pathlib import Path

from rainlens.judging.blind import Manifest, file_name
from rainlens.site.marks import fill

MARK = "<!-- blind: the panel -->"
FOLDER = Path("_static", "blind")  # in the staged book; `blind.js` finds the pictures there
SCRIPT = "pairs.js"
PANEL = f"""\
<div class="rl-judge"><p>The pairs need JavaScript, which is switched off or did not load.</p></div>
<script defer src="../{FOLDER.as_posix()}/{SCRIPT}"></script>
<script defer src="../_static/blind.js"></script>"""


def lay_out(book: Path, manifest: Manifest) -> None:
    """Completes the page in the staged pages of `book`, and writes what its panel loads."""
    fill(book / "blind.md", {MARK: PANEL})
    write_pairs(book / FOLDER, manifest)


def write_pairs(folder: Path, manifest: Manifest) -> None:
    """Writes the pictures, and the pairs as a script: a page opened as a file may load no JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    for pair in manifest.pairs:
        for picture in (pair.rainy, pair.a.picture, pair.b.picture):
            (folder / file_name(picture)).write_bytes(picture)
    text = f"globalThis.rainlensPairs = {json.dumps(manifest.told(), allow_nan=False)};\n"
    (folder / SCRIPT).write_text(text, encoding="utf-8")
