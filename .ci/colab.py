"""Executes the chapters as Google Colab would: `python .ci/colab.py [--chapter 1]`.

Each in an empty folder, in an environment that has only what Colab is sure to have, at the scale
`smoke`. The chapter's first cell gets everything else: the book from a repository made of this
checkout, packages from PyPI.
"""

from __future__ import annotations

import argparse
import importlib.metadata as metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import papermill
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import rainlens
from rainlens import data, scales
from rainlens.site import colab, sources

COLABS_OWN = ["torch", "torchvision", "numpy", "matplotlib", "ipywidgets", "ipykernel"]
GIT = ["git", "-c", "user.name=a reader", "-c", "user.email=reader@example.org"]
KERNEL = "bare"


def closure(names: Iterable[str]) -> dict[str, metadata.Distribution]:
    """The distributions of these names and all that they require here, by name."""
    found: dict[tuple[str, str], metadata.Distribution] = {}
    waiting = [(name, "") for name in names]
    while waiting:
        name, extra = key = waiting.pop()
        if key in found:
            continue
        found[key] = metadata.distribution(name)
        for needed in map(Requirement, found[key].requires or []):
            # Requirements of other systems, or of extras that nobody asked for, do not count.
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                waiting += [(canonicalize_name(needed.name), e) for e in ("", *needed.extras)]
    return {name: distribution for (name, _), distribution in found.items()}


def expose(distributions: Iterable[metadata.Distribution], folder: Path) -> None:
    """Fills a folder with links to these distributions, which are too large to install twice."""
    folder.mkdir()
    for distribution in distributions:
        # What lies outside the packages' folder, such as programs, begins with two dots.
        for name in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
            if not (folder / name).exists():  # some share a folder
                (folder / name).symlink_to(distribution.locate_file(name))


def make_environment(folder: Path) -> Path:
    """A Python with pip and COLABS_OWN alone; returns the program.

    The links lie outside of it, so that pip sees the packages but cannot remove their files.
    """
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    expose(closure(COLABS_OWN).values(), folder / "packages")
    [site] = (folder / "venv").glob("lib/python*/site-packages")
    (site / "colab.pth").write_text(f"{folder / 'packages'}\n", encoding="utf-8")
    return folder / "venv/bin/python"


def make_repository(folder: Path) -> None:
    """A repository of the checkout as it is now, uncommitted changes too, tagged as released."""
    root = sources.project()
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(listing, cwd=root, text=True).split("\0"):
        if (root / name).is_file():  # the list ends in an empty name, and may hold deleted files
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, folder / name)
    for words in (["init"], ["add", "--all"], ["commit", "-m", "all"], ["tag", _tag()]):
        subprocess.run([*GIT, *words], cwd=folder, check=True, capture_output=True)


def _tag() -> str:
    return f"v{rainlens.__version__}"


def installed(python: Path) -> Counter[str]:
    """The names of the distributions that this Python sees, and how many of each."""
    code = "from importlib.metadata import *; print(*(d.name for d in distributions()))"
    names = subprocess.check_output([python, "-c", code], text=True).split()
    return Counter(map(canonicalize_name, names))


def make_kernel(python: Path, folder: Path) -> None:
    """Makes papermill find the bare Python as the kernel KERNEL."""
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    specification = {"argv": argv, "display_name": KERNEL, "language": "python"}
    (folder / "kernels" / KERNEL).mkdir(parents=True)
    (folder / "kernels" / KERNEL / "kernel.json").write_text(
        json.dumps(specification), encoding="utf-8"
    )
    os.environ["JUPYTER_PATH"] = str(folder)


def execute(chapter: Path, content: Path) -> None:
    """Runs a stored notebook in an empty folder. Raises papermill's error where a cell fails."""
    content.mkdir()
    papermill.execute_notebook(
        chapter.with_suffix(".ipynb"),
        content.with_suffix(".ipynb"),
        parameters={"scale": "smoke"},
        kernel_name=KERNEL,
        cwd=content,
        progress_bar=False,
        log_output=False,
    )
    # Another copy of the package would have made the first cell do nothing.
    if not (content / "rainlens/.git").is_dir():
        raise SystemExit(f"{chapter.stem} did not fetch the book: its first cell did not run.")
    shutil.rmtree(content)


def main() -> None:
    """Prints a line for each chapter; the first failure ends it with an error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chapter", action="append", help="by number or name; without it, all")
    chosen = sources.chapters(parser.parse_args().chapter)
    for variable in ("PYTHONPATH", data.VARIABLE):
        os.environ.pop(variable, None)
    with tempfile.TemporaryDirectory(prefix="rainlens-colab-") as name:
        folder = Path(name)
        (folder / "repository").mkdir()
        make_repository(folder / "repository")
        os.environ[colab.VARIABLE] = (folder / "repository").as_uri()
        # What chapters share is computed once.
        os.environ[scales.RECORDS_VARIABLE] = str(folder / "records")
        python = make_environment(folder)
        make_kernel(python, folder)
        before = installed(python)
        print("there before:", *sorted(before), flush=True)
        for chapter in chosen:
            start = time.monotonic()
            execute(chapter, folder / chapter.stem)
            print(f"{chapter.stem}: {time.monotonic() - start:.0f} s", flush=True)
        new = installed(python) - before
        print("installed by the first cell:", *sorted(new))
        if replaced := sorted(set(new) & set(before)):
            raise SystemExit(f"The first cell replaced what Colab has: {', '.join(replaced)}.")


if __name__ == "__main__":
    main()
