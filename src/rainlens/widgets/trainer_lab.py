"""The trainer: a reader trains a toy network in the browser, without a kernel.

`trainer_lab.js` is what the reader sees, `trainer_worker.js` what computes. `static_panel` is its
place in a page, and `lay_out` writes the script that such a page loads.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rainlens.tasks.toy import Toy
from rainlens.widgets.bundling import classic

MODULE = Path(__file__).with_name("trainer_lab.js")
WORKER = MODULE.with_name("trainer_worker.js")
FOLDER = "_static/trainer"  # below the book's pages
PAGE_FOLDER = f"../{FOLDER}"  # the same, as seen from a chapter's page
PLACE = '<div class="rl-lab rl-trainer">'
NO_SCRIPT = (
    "On the book's page, where scripts run, this panel trains a network in your browser. Jupyter "
    "and Colab have one, too, once this cell was run. The curves above show what such a training "
    "looks like."
)


def static_panel() -> str:
    """The trainer's place in a page without a kernel, as HTML; `lay_out` writes what it loads."""
    source = f"{PAGE_FOLDER}/trainer_lab.js"
    return f'{PLACE}<p>{NO_SCRIPT}</p></div>\n<script defer src="{source}"></script>'


def lay_out(folder: Path, chapter: Toy) -> None:
    """Writes the trainer's script for the built page.

    Args:
        folder: of the book's pages; the script lies in `FOLDER` below it.
        chapter: how the chapter's own networks were trained, to be named beside the reader's.
    """
    target = folder / FOLDER
    target.mkdir(parents=True, exist_ok=True)
    (target / "trainer_lab.js").write_text(script(chapter), encoding="utf-8")


def script(chapter: Toy) -> str:
    """The classic script of a page: the trainer, and what it is told."""
    return classic(MODULE, f"mountAll({json.dumps(told(chapter))});")


def told(chapter: Toy) -> dict[str, Any]:
    """What the trainer is told: its worker, and how the chapter's networks were trained."""
    trained = {"channels": chapter.channels, "steps": chapter.iterations, "batch": chapter.batch}
    return {"worker": classic(WORKER), "chapter": trained}
