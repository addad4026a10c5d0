"""From chapters to pages: execute them, stage the book, build its HTML with Jupyter Book."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from tqdm.auto import tqdm

from rainlens import os_errors
from rainlens.site import colab, staging, stored
from rainlens.site.execution import execute, python_path
from rainlens.site.lock import locked
from rainlens.site.sources import BookError, chapters, project


def make(scale: str, recompute: bool = False, save: bool = False) -> Path:
    """Executes all chapters, builds the book, returns the page to open.

    save: also writes the executed notebooks back to `notebooks/`, the chapters' first cell, and
    the README's results and picture, for committing. Raises BookError where the book cannot be
    built, where the disk refuses something, where another build is at work in the same folder,
    and where saving would overwrite a notebook that was edited.
    """
    with _in_one_sentence(project() / "_build"), _alone(scale, save):
        if save:
            stored.refuse_edited(chapters())
            for chapter in chapters():
                colab.put_first_cell(chapter)
        elif remark := stored.remark_on_edited(chapters()):
            print(remark, file=sys.stderr)
        folder = staging.stage(scale)
        with tqdm(chapters(), unit="chapter") as bar:
            for chapter in bar:
                bar.set_description(chapter.stem)
                execute(chapter, folder / "notebooks" / f"{chapter.stem}.ipynb", scale, recompute)
        if save:
            stored.save(folder, scale)
        return finish(folder, scale)


@contextmanager
def _alone(scale: str, save: bool) -> Iterator[None]:
    """Keeps other builds of the scale out, and others that save."""
    folder = project() / "_build"
    with locked(folder / f"{scale}.lock", f"is at work in {folder / scale}"):
        if not save:
            yield
            return
        with locked(folder / "saved.lock", "saves its notebooks"):
            yield


@contextmanager
def _in_one_sentence(place: Path) -> Iterator[None]:
    """Turns what the operating system refuses into a BookError; `place` is where, if unsaid."""
    try:
        yield
    except OSError as error:
        raise BookError(os_errors.sentence(error, place)) from error


def finish(folder: Path, scale: str) -> Path:
    """Adds to a staged book what is made of records and measurements, and builds it."""
    staging.lay_out(folder, scale)
    return build(folder)


def build(folder: Path, builder: str = "html") -> Path:
    """Builds the HTML of a staged book, warnings being errors; returns its first page.

    builder: "html", or "singlehtml" for one page that holds all. Raises BookError with the
    builder's last lines.
    """
    _refuse_stored_errors(folder / "notebooks")
    # The script beside this Python: the package cannot be run with -m.
    program = Path(sys.executable).with_name("jupyter-book")
    if not program.exists():
        raise BookError(f"{program} is missing; install it: pip install 'rainlens[book]'.")
    command = [str(program), "build", ".", "--all", "-W", "-n", "--keep-going"]
    command += ["--builder", builder]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "PYTHONPATH": python_path()}
    answer = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=environment, check=False
    )
    (folder / "build.log").write_text(answer.stdout + answer.stderr, encoding="utf-8")
    if answer.returncode != 0:
        raise BookError(_complaint(answer.stderr, folder))
    first = "index.html" if builder == "html" else "book/index.html"
    return folder / "_build" / builder / first


def _refuse_stored_errors(notebooks: Path) -> None:
    """A build exits with 0 although a notebook holds an error, so that is looked for first."""
    for path in sorted(notebooks.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if any(out.output_type == "error" for out in cell.get("outputs", [])):
                raise BookError(f"{path.name} holds the output of an error; run it again.")


def _complaint(said: str, folder: Path) -> str:
    """What the builder says, in short; what the disk refused comes as one sentence."""
    if (refused := os_errors.from_text(said)) is not None:
        return os_errors.sentence(refused, folder)
    warnings = [line for line in said.splitlines() if "WARNING" in line]
    told = "\n".join(warnings or said.splitlines()[-15:])
    return f"The book did not build (all of it in {folder / 'build.log'}):\n{told}"
