"""papermill executes a chapter with the Python that runs this, and what comes out is tidied."""

from __future__ import annotations

import builtins
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import jupytext
import nbformat
import papermill
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError

import rainlens
from rainlens import os_errors
from rainlens.site.sources import BookError

WIDGET = "application/vnd.jupyter.widget-view+json"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


class OwnPython(AsyncKernelManager):
    """Starts kernels of the Python that runs this, with the package that this belongs to.

    The kernel named `python3` is whatever a file in the user's folders says, which may be another
    Python, with other versions of everything.
    """

    @property
    def kernel_spec(self) -> KernelSpec:
        """How the kernel is started, whatever kernels are installed."""
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            env={"PYTHONPATH": python_path()},
            **{key: KERNEL[key] for key in ("display_name", "language")},
        )


def python_path() -> str:
    """PYTHONPATH of a program that works in another folder, with the package that this belongs to.

    From there, relative paths would lead elsewhere, and maybe to another copy of the package.
    """
    source = str(Path(rainlens.__file__).resolve().parents[1])
    given = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    return os.pathsep.join([source, *map(os.path.abspath, given)])


def execute(chapter: Path, target: Path, scale: str, recompute: bool = False) -> None:
    """Runs one chapter with papermill and writes the notebook, tidy, to `target`.

    Raises BookError where a cell fails; the notebook up to there is kept for a look.
    """
    if find_spec("ipykernel") is None:
        raise BookError(
            f"{sys.executable} has no ipykernel, which executes chapters; "
            "install it: pip install 'rainlens[book]'."
        )
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
            kernel_manager_class=OwnPython,
        )
    except papermill.PapermillExecutionError as error:
        raise BookError(_failure(chapter, target, error)) from error
    except DeadKernelError as error:
        raise BookError(
            f"{chapter.name}: its Python was ended from outside, mostly for want of memory; close "
            "other programs, and run it again."
        ) from error
    finally:
        source.unlink(missing_ok=True)
    nbformat.write(tidy(nbformat.read(target, as_version=4), scale), target)


def _failure(chapter: Path, target: Path, error: papermill.PapermillExecutionError) -> str:
    """One sentence on a cell that failed; an error of the operating system comes with a remedy."""
    kind = getattr(builtins, str(error.ename), None)
    is_refusal = isinstance(kind, type) and issubclass(kind, OSError)
    refused = os_errors.from_text(str(error.evalue)) if is_refusal else None
    told = f"{error.ename}: {error.evalue}" if refused is None else os_errors.sentence(refused)
    place = f"{chapter.name} failed in cell {error.exec_count}"
    return f"{place}: {told.removesuffix('.')} (the notebook so far is {target})."


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
