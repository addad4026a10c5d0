"""What `rainlens book --save` writes into the checkout: notebooks, and the README's results.

A notebook is overwritten only where no change of a person's is lost with it.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import jupytext
import nbformat

from rainlens import claims, scales
from rainlens.site import front_page
from rainlens.site.sources import BookError, project

MARKS = "<!-- results: written by rainlens book --save -->", "<!-- end of results -->"


def save(folder: Path, scale: str) -> None:
    """Writes the executed notebooks of a staged book, and the README's results and picture."""
    for path in sorted((folder / "notebooks").glob("*.ipynb")):
        target = project() / "notebooks" / path.name
        shutil.copy(path, target)
        note = _note(target)
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(_digest(target), encoding="utf-8")
    write_results(project() / "README.md", scale)
    write_overview(project() / "book" / "_static" / "overview.webp", scale)


def edited(sources: Sequence[Path]) -> list[Path]:
    """Notebooks with a change that would be lost if they were written anew from their sources.

    Those say something else than the source beside them, and neither did `save` write them as they
    are, nor does the repository hold them.
    """
    notebooks = [source.with_suffix(".ipynb") for source in sources]
    return [
        notebook
        for source, notebook in zip(sources, notebooks, strict=True)
        if notebook.exists()
        and not _says_the_same(source, notebook)
        and not _was_saved(notebook)
        and not _is_committed(notebook)
    ]


def refuse_edited(sources: Sequence[Path]) -> None:
    """Raises BookError where a notebook has a change that saving would overwrite."""
    if changed := edited(sources):
        raise BookError(f"{_told(changed)}, and --save would overwrite the change. {_ADVICE}")


def remark_on_edited(sources: Sequence[Path]) -> str:
    """What to say where the book is built without a notebook's changes; mostly nothing."""
    changed = edited(sources)
    return f"{_told(changed)}, and the book is built without the change. {_ADVICE}" * bool(changed)


_ADVICE = (
    "To keep it, take it over into the source: `jupytext --sync` and the notebook's path; to drop "
    "it, delete the notebook. Then run this again."
)


def _told(changed: Sequence[Path]) -> str:
    names = ", ".join(f"notebooks/{path.name}" for path in changed)
    verb = "was" if len(changed) == 1 else "were"
    return f"{names} {verb} changed, but not the source beside it"


def _says_the_same(source: Path, notebook: Path) -> bool:
    try:
        held = nbformat.read(notebook, as_version=4)
    except (ValueError, AttributeError):  # what an editor or a merge made of it is no notebook
        return False
    ours, theirs = (
        [(cell.cell_type, cell.source) for cell in one.cells]
        for one in (jupytext.read(source), held)
    )
    return ours == theirs


def _was_saved(notebook: Path) -> bool:
    note = _note(notebook)
    return note.exists() and note.read_text(encoding="utf-8") == _digest(notebook)


def _is_committed(notebook: Path) -> bool:
    """Whether git can give the file back as it is."""
    asked = (["ls-files", "--error-unmatch"], ["diff", "--quiet", "HEAD"])
    return all(_git([*words, "--", notebook.name], notebook.parent) for words in asked)


def _git(words: Sequence[str], folder: Path) -> bool:
    try:
        command = ["git", *words]
        return subprocess.run(command, cwd=folder, capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _note(notebook: Path) -> Path:
    """Where it is noted how a notebook was when it was saved last."""
    return project() / "_build" / "saved" / f"{notebook.stem}.sha256"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_results(readme: Path, scale: str) -> None:
    """Puts the verdicts of a scale's records between the two marks of the README."""
    before, _, after = _split(readme.read_text(encoding="utf-8"))
    table = claims.at_a_glance(claims.table(scales.scale_named(scale)))
    readme.write_text(f"{before}{MARKS[0]}\n{table}\n{MARKS[1]}{after}", encoding="utf-8")


def write_overview(target: Path, scale: str) -> None:
    """The picture of the README, if the records that it shows are there."""
    picture = front_page.overview(scales.scale_named(scale))
    if picture is not None:
        target.write_bytes(picture)


def results_in(readme: Path) -> str:
    """What stands between the marks of the README."""
    return _split(readme.read_text(encoding="utf-8"))[1].strip()


def _split(text: str) -> tuple[str, str, str]:
    before, _, rest = text.partition(MARKS[0])
    between, _, after = rest.partition(MARKS[1])
    return before, between, after
