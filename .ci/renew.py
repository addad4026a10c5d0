"""Writes constraints.txt anew: `make renew`. Nothing is installed.

pip works out the newest versions that fit together, for the oldest Python that the project runs
on: what that one can take, newer ones can take as well.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "constraints.txt"
HEAD = """\
# The versions that everything was last tested with. `make` installs these; it takes from this list
# what it needs. Written by `make renew`, which looks for newer ones: never by hand.
#
# Not here: what PyTorch asks of CUDA, which is of its own choice, and what other systems than
# Linux need on top.
"""
# PyTorch names these by their exact versions, and they exist on Linux alone.
CUDA = re.compile(r"(nvidia|cuda)-|triton$")


def requirements(project: dict[str, Any]) -> list[str]:
    """All that the project and its extras ask for, other than the project itself."""
    asked = [project["dependencies"], *project["optional-dependencies"].values()]
    return [line for lines in asked for line in lines if not line.startswith(project["name"])]


def oldest_python(project: dict[str, Any]) -> str:
    """The first version that `requires-python` admits, such as 3.11."""
    return project["requires-python"].removeprefix(">=")


def resolve(asked: list[str], python: str) -> dict[str, str]:
    """Name -> version of all that pip would install for this Python."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        # pip resolves for another Python only into a folder and without building anything.
        way = ["--target", folder, "--python-version", python, "--only-binary", ":all:"]
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
        subprocess.run([*command, "-q", "--report", report, *way, *asked], check=True)
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    return dict(sorted(pin(package["metadata"]) for package in found))


def pin(package: dict[str, str]) -> tuple[str, str]:
    """The name as pip writes it, and the version without what marks a build, as in 2.4+cu121."""
    return re.sub(r"[-_.]+", "-", package["name"]).lower(), package["version"].split("+")[0]


def constraints(versions: dict[str, str]) -> list[str]:
    """The lines of constraints.txt, without its head."""
    return [f"{name}=={version}" for name, version in versions.items() if not CUDA.match(name)]


def main() -> None:
    """Writes the file, and says what to do next."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = constraints(resolve(requirements(project), oldest_python(project)))
    TARGET.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{TARGET.name} names {len(lines)} versions: see `git diff`, then run `make test`.")


if __name__ == "__main__":
    main()
