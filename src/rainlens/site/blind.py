"""The files of the page "You be the judge": its pairs, and pictures whose names tell nothing."""

from __future__ import annotations

import json
from pathlib import Path

from rainlens.judging.blind import Manifest, file_name

FOLDER = Path("_static", "blind")  # in the staged book; `blind.js` finds the pictures there
SCRIPT = "pairs.js"


def lay_out(book: Path, manifest: Manifest) -> None:
    """Writes the pictures, and the pairs as a script: a page opened as a file may load no JSON."""
    folder = book / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for pair in manifest.pairs:
        for picture in (pair.rainy, pair.a.picture, pair.b.picture):
            (folder / file_name(picture)).write_bytes(picture)
    text = f"globalThis.rainlensPairs = {json.dumps(manifest.told(), allow_nan=False)};\n"
    (folder / SCRIPT).write_text(text, encoding="utf-8")
