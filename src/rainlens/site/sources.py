"""Where chapters stand, and which experiments they ask for.

A chapter is edited as `notebooks/NN_name.py` (jupytext, percent format); a page that goes behind it
is `NNb_name.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jupytext

import rainlens
from rainlens import scales
from rainlens.site import front_page

GRID_TAGS = {"parameters", "setup", "grid"}


class BookError(RuntimeError):
    """The book cannot be built; the message says why and what to do."""


def project() -> Path:
    """The checkout that the package is imported from. Raises BookError if it is not one."""
    root = Path(rainlens.__file__).resolve().parents[2]
    if not (root / "_toc.yml").exists():
        raise BookError(
            f"{root} has no _toc.yml: chapters come with the repository, not with the package; "
            "clone it and install it from there."
        )
    return root


def chapters(wanted: list[str] | None = None) -> list[Path]:
    """The sources of the chapters, in order; `wanted` names some by number, name or both.

    Raises BookError for a name that fits none, listing those there are.
    """
    sources = sorted((project() / "notebooks").glob("[0-9]*.py"))
    if wanted is None:
        return sources
    chosen = []
    for name in wanted:
        stem = Path(name).stem
        fits = [source for source in sources if _is_meant(stem, source.stem)]
        if not fits:
            known = ", ".join(source.stem for source in sources)
            raise BookError(f"There is no chapter {name!r}; there are: {known}.")
        chosen += fits
    return sorted(set(chosen))


def _is_meant(wanted: str, stem: str) -> bool:
    """Whether "5", "05", "05_rain_range" or "rain_range" means a chapter; "4" means 4b, too."""
    number, _, name = stem.partition("_")
    return wanted in (stem, name) or wanted.lstrip("0") in (
        number.lstrip("0"),
        number[:2].lstrip("0"),
    )


def grid(chapter: Path, scale: str) -> list[Any]:
    """The experiments that a chapter states: runs its cells tagged parameters, setup, grid."""
    names: dict[str, Any] = {}
    for cell in jupytext.read(chapter).cells:
        tags = set(cell.metadata.get("tags", []))
        if cell.cell_type != "code" or not tags & GRID_TAGS:
            continue
        exec(compile(cell.source, str(chapter), "exec"), names)
        if "parameters" in tags:
            names["scale"] = scale
    return list(names.get("grid", []))


def wanted(sources: list[Path], scale: str) -> list[Any]:
    """The experiments that chapters state, each once, though several chapters may ask for it."""
    return list({e.name: e for source in sources for e in grid(source, scale)}.values())


def everything(scale: str) -> list[Any]:
    """All experiments of a scale, each once: those of the chapters and the front page's own."""
    own = front_page.grid(scales.scale_named(scale))
    return list({e.name: e for e in [*wanted(chapters(), scale), *own]}.values())
