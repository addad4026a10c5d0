"""The first cell of every chapter: makes the chapter run in Google Colab.

Colab opens a single notebook, without the package and the records beside it; the cell fetches
them. Its text is made here, so that the address and the version each stand in one place.
"""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

import rainlens

# On a page of the book the cell would only be in the way; the notebook, which Colab opens, has it.
TAGS = ["colab", "remove-cell"]
COLAB = "https://colab.research.google.com"
# An address to use instead of REPOSITORY, for trying the cell without the network.
VARIABLE = "RAINLENS_URL"

# After the clone, Python finds the folder `rainlens` itself, as a package without code and
# without origin. That one does not count as the package.
_CELL = Template("""\
# For Google Colab: fetches the book and installs what Colab lacks.
# Where the package rainlens is there already, nothing happens.
import importlib.util, os, subprocess, sys

def shell(command):
    status, said = subprocess.getstatusoutput(command)
    if status != 0:
        raise RuntimeError(f"{command} failed: {' '.join(said.split())}")
    return said

if getattr(importlib.util.find_spec("rainlens"), "origin", None) is None:
    url = os.getenv("$variable", "$repository")
    if not os.path.exists("rainlens/src"):
        found = "refs/tags" in shell(f"git ls-remote --tags {url} $tag")
        if not found:
            print("There is no $tag yet; this is the newest state of the book.")
        shell(f"git clone --depth 1 {'-b $tag' if found else ''} {url} rainlens")
    shell(f'"{sys.executable}" -m pip install -qr rainlens/requirements-colab.txt')
    sys.path.append(os.path.abspath("rainlens/src"))""")

_HEAD = f"# %% tags={TAGS}".replace("'", '"')
_LINK_HEAD = '# %% [markdown] tags=["colab"]'
_MARK = re.compile(r"^# %%.*$", re.MULTILINE)


def first_cell() -> str:
    """The cell's code, for this version of the book."""
    return _CELL.substitute(
        variable=VARIABLE, repository=rainlens.REPOSITORY, tag=f"v{rainlens.__version__}"
    )


def address(chapter: str) -> str:
    """Where Colab opens a chapter, which is named like its file: `01_unseen_rain`."""
    repository = rainlens.REPOSITORY.removeprefix("https://github.com/")
    return f"{COLAB}/github/{repository}/blob/main/notebooks/{chapter}.ipynb"


def link(chapter: str) -> str:
    """The Markdown that stands between the title of a chapter and its first cell."""
    return f"[Open this chapter in Colab]({address(chapter)})"


def put_first_cell(chapter: Path) -> None:
    """Writes link and cell into a chapter's source, below the title, in place of older ones."""
    text = chapter.read_text(encoding="utf-8")
    marks = list(_MARK.finditer(text))
    # Cell 0 is the title; what follows is older or the beginning of the chapter proper.
    rest = next(mark.start() for mark in marks[1:] if '"colab"' not in mark.group())
    written = (
        f"{text[: marks[1].start()]}{_LINK_HEAD}\n# {link(chapter.stem)}\n\n"
        f"{_HEAD}\n{first_cell()}\n\n{text[rest:]}"
    )
    if written != text:
        chapter.write_text(written, encoding="utf-8")
