"""From chapters to pages: papermill executes them, Jupyter Book builds the HTML.

A chapter is edited as `notebooks/NN_name.py` (jupytext, percent format). Everything happens in
`_build/<scale>/`, a copy of what the book is made of, so that building never dirties a checkout.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import papermill
from tqdm.auto import tqdm

import rainlens
from rainlens import claims, scales, toy_evaluation
from rainlens.site import colab, front_page, provenance
from rainlens.tasks import toy as toy_task
from rainlens.widgets import toy

GRID_TAGS = {"parameters", "setup", "grid"}
WIDGET = "application/vnd.jupyter.widget-view+json"
MARKS = "<!-- results: written by rainlens book --save -->", "<!-- end of results -->"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


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
        # "5", "05", "05_rain_range" and "rain_range" all mean the same chapter.
        fits = [s for s in sources if stem in (s.stem, s.stem[3:]) or stem.zfill(2) == s.stem[:2]]
        if not fits:
            known = ", ".join(source.stem for source in sources)
            raise BookError(f"There is no chapter {name!r}; there are: {known}.")
        chosen += fits
    return sorted(set(chosen))


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


def execute(chapter: Path, target: Path, scale: str, recompute: bool = False) -> None:
    """Runs one chapter with papermill and writes the notebook, tidy, to `target`.

    Raises BookError where a cell fails; the notebook up to there is kept for a look.
    """
    source = target.with_suffix(".source.ipynb")
    notebook = jupytext.read(chapter)
    notebook.metadata["kernelspec"] = KERNEL
    nbformat.write(notebook, source)
    try:
        papermill.execute_notebook(
            source,
            target,
            parameters={"scale": scale, "recompute": recompute},
            cwd=chapter.parent,
            progress_bar=False,
            log_output=False,
        )
    except papermill.PapermillExecutionError as error:
        raise BookError(
            f"{chapter.name} failed in cell {error.exec_count}: {error.ename}: {error.evalue} "
            f"(the notebook so far is {target})."
        ) from error
    finally:
        source.unlink(missing_ok=True)
    nbformat.write(tidy(nbformat.read(target, as_version=4), scale), target)


def tidy(notebook: nbformat.NotebookNode, scale: str) -> nbformat.NotebookNode:
    """Takes out what differs from run to run: times, machine, progress bars, cell ids."""
    kept = []
    for index, cell in enumerate(notebook.cells):
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags and scale == "cpu":
            continue  # they repeat the defaults that stand in the cell above
        cell.id = f"cell-{index:02d}"
        cell.metadata = nbformat.NotebookNode({"tags": tags} if tags else {})
        if cell.cell_type == "code":
            cell.outputs = [_on_paper(out) for out in cell.outputs if not _is_passing(out)]
        kept.append(cell)
    notebook.cells = kept
    notebook.metadata = nbformat.NotebookNode(
        {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    )
    return notebook


def _on_paper(output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A widget that also has an HTML form is stored as that: its live state has random names."""
    if "text/html" in output.get("data", {}):
        output.data.pop(WIDGET, None)
    return output


def _is_passing(output: nbformat.NotebookNode) -> bool:
    """Progress bars, messages of libraries, and the names of what matplotlib drew last."""
    data = output.get("data", {})
    if list(data) == ["text/plain"] and data["text/plain"].startswith(("<matplotlib", "Text(")):
        return True
    is_bar = WIDGET in data and "%|" in data.get("text/plain", "")
    return is_bar or output.get("name") == "stderr"


def stage(scale: str) -> Path:
    """An empty `_build/<scale>` with the book's settings and pages, but no chapters yet."""
    root = project()
    folder = root / "_build" / scale
    # The HTML of the last build stays until the new one replaces it.
    for part in ("book", "notebooks"):
        shutil.rmtree(folder / part, ignore_errors=True)
    (folder / "notebooks").mkdir(parents=True)
    shutil.copytree(root / "book", folder / "book")
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(root / name, folder / name)
    return folder


def lay_out_toy_networks(folder: Path, scale: str) -> None:
    """Puts the trained toy networks where the live panel of the built page finds them.

    Those that have no record at this scale are left out; the panel then says so.
    """
    setting = scales.scale_named(scale)
    weights: dict[float, bytes] = {}
    for order in toy_evaluation.ORDERS:
        experiment = setting.toy(order)
        if setting.store.weights_path(experiment.name).exists():
            model = toy_task.trained(experiment, setting.store)
            weights[order] = toy.pack(model, {"order": order})
    toy.lay_out(weights, folder / "book" / "_static" / "toy")


def lay_out_front_page(folder: Path, scale: str) -> None:
    """Completes the staged front page: its pictures and counts come from the scale's records."""
    front_page.lay_out(folder / "book", scales.scale_named(scale), chapters()[0].stem)


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


def build(folder: Path) -> Path:
    """Builds the HTML of a staged book, warnings being errors; returns its first page.

    Raises BookError with the builder's last lines.
    """
    # A build exits with 0 although a notebook holds an error, so that is looked for first.
    for path in sorted((folder / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if any(out.output_type == "error" for out in cell.get("outputs", [])):
                raise BookError(f"{path.name} holds the output of an error; run it again.")
    # The script beside this Python: the package cannot be run with -m.
    program = str(Path(sys.executable).with_name("jupyter-book"))
    command = [program, "build", ".", "--all", "-W", "-n", "--keep-going"]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    answer = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=environment, check=False
    )
    (folder / "build.log").write_text(answer.stdout + answer.stderr)
    if answer.returncode != 0:
        warnings = [line for line in answer.stderr.splitlines() if "WARNING" in line]
        told = "\n".join(warnings or answer.stderr.splitlines()[-15:])
        raise BookError(f"The book did not build (all of it in {folder / 'build.log'}):\n{told}")
    return folder / "_build" / "html" / "index.html"


def finish(folder: Path, scale: str) -> Path:
    """Adds to a staged book what is made of records and measurements, and builds it."""
    lay_out_toy_networks(folder, scale)
    lay_out_front_page(folder, scale)
    provenance.lay_out(folder / "book", scales.scale_named(scale))
    shutil.copy(project() / "benchmarks" / "results.md", folder / "book" / "speed_tables.txt")
    return build(folder)


def make(scale: str, recompute: bool = False, save: bool = False) -> Path:
    """Executes all chapters, builds the book, returns the page to open.

    save: also writes the executed notebooks back to `notebooks/`, the chapters' first cell, and
    the README's results and picture, for committing.
    """
    folder = stage(scale)
    if save:
        for chapter in chapters():
            colab.put_first_cell(chapter)
    with tqdm(chapters(), unit="chapter") as bar:
        for chapter in bar:
            bar.set_description(chapter.stem)
            execute(chapter, folder / "notebooks" / f"{chapter.stem}.ipynb", scale, recompute)
    if save:
        for path in (folder / "notebooks").glob("*.ipynb"):
            shutil.copy(path, project() / "notebooks" / path.name)
        write_results(project() / "README.md", scale)
        write_overview(project() / "book" / "_static" / "overview.webp", scale)
    return finish(folder, scale)
