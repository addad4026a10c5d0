"""The versions that are installed: pinned for all that is asked for, and renewed by one command."""

import ast
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
# What the user of the project was promised to get from requirements.txt.
READERS = {
    *("jupyter-book", "jupytext", "papermill", "torch", "torchvision", "numpy", "matplotlib"),
    "ipywidgets",
}
DEVELOPERS = {"ray", "selenium", "opencv-python-headless", "piq", "torchmetrics", "pytest", "ruff"}


def lines_of(name: str) -> list[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def requirements(*lists: list[str]) -> dict[str, Requirement]:
    every = [Requirement(line) for one in lists for line in one]
    return {canonicalize_name(one.name): one for one in every if one.name != PROJECT["name"]}


@pytest.fixture(scope="module")
def pins() -> dict[str, str]:
    return dict(line.split("==") for line in lines_of("constraints.txt"))


def test_a_version_is_pinned_for_all_that_is_asked_for(pins: dict[str, str]) -> None:
    asked = requirements(PROJECT["dependencies"], *EXTRAS.values())
    assert sorted(set(asked) - set(pins)) == []
    wrong = [name for name, one in asked.items() if not one.specifier.contains(pins[name])]
    assert wrong == []


def test_pins_hold_on_every_system(pins: dict[str, str]) -> None:
    """A version marked for one build, or what exists on Linux alone, would fail elsewhere."""
    assert len(pins) > 100
    assert [name for name, version in pins.items() if not re.fullmatch(r"[\w.]+", version)] == []
    assert [name for name in pins if re.match(r"nvidia-|cuda-|triton", name)] == []
    assert list(pins) == sorted(canonicalize_name(name) for name in pins)


def test_a_reader_installs_no_more_than_the_book_needs() -> None:
    assert lines_of("requirements.txt") == ["-c constraints.txt", "-e .[book]"]
    readers = set(requirements(PROJECT["dependencies"], EXTRAS["book"]))
    assert readers >= READERS and not readers & DEVELOPERS
    head = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert [name for name in READERS if name not in head] == []


def test_a_developer_installs_the_rest() -> None:
    assert lines_of("requirements-test.txt") == ["-c constraints.txt", "-e .[book,test]"]
    assert set(requirements(EXTRAS["test"], EXTRAS["cluster"])) >= DEVELOPERS
    assert "rainlens[cluster]" in EXTRAS["test"]


@pytest.fixture(scope="module")
def renew() -> ModuleType:
    specification = importlib.util.spec_from_file_location("renew", ROOT / ".ci/renew.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_renewing_asks_for_all_and_keeps_what_every_system_has(
    renew: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    asked = []

    def pip(command: list, check: bool) -> None:
        asked.extend(map(str, command))
        versions = {"torch": "9.1+cu999", "Jinja2": "3.0", "nvidia-x": "1", "zope.a_b": "2"}
        found = [{"metadata": {"name": n, "version": v}} for n, v in versions.items()]
        report = Path(command[command.index("--report") + 1])
        report.write_text(json.dumps({"install": found}), encoding="utf-8")

    monkeypatch.setattr(subprocess, "run", pip)
    monkeypatch.setattr(renew, "TARGET", tmp_path / "constraints.txt")
    renew.main()
    assert asked[asked.index("--python-version") + 1] == "3.11" and "--dry-run" in asked
    assert {"torch>=2.6", "jupyter-book==1.0.4.post1", "ray>=2.40", "pytest>=8"} <= set(asked)
    assert not [word for word in asked if word.startswith("rainlens")]
    text = (tmp_path / "constraints.txt").read_text(encoding="utf-8")
    assert text == renew.HEAD + "jinja2==3.0\ntorch==9.1\nzope-a-b==2\n"
    assert "3 versions" in capsys.readouterr().out


def test_the_file_is_as_it_is_written(renew: ModuleType) -> None:
    assert (ROOT / "constraints.txt").read_text(encoding="utf-8").startswith(renew.HEAD)


def imported(files: Iterable[Path]) -> set[str]:
    """The packages that these files import, wherever in a file they do."""
    found = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return found


def needed_by(names: Iterable[str]) -> set[str]:
    """Distributions of these names and all that they require here."""
    found: set[str] = set()
    waiting = [canonicalize_name(name) for name in names]
    while waiting:
        if (name := waiting.pop()) in found:
            continue
        found.add(name)
        for needed in map(Requirement, metadata.requires(name) or []):
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                waiting.append(canonicalize_name(needed.name))
    return found


def test_the_book_imports_only_what_a_reader_installs() -> None:
    folders = ("src", "notebooks", "book/_ext")
    names = imported(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    names |= imported([ROOT / ".ci/colab.py", ROOT / "tests/browser/links.py"])
    ours = {path.stem for path in (ROOT / "book/_ext").glob("*.py")} | {"rainlens"}
    foreign = names - ours - set(sys.stdlib_module_names)
    held = needed_by(requirements(PROJECT["dependencies"], EXTRAS["book"]))
    providers = metadata.packages_distributions()
    missing = {n for n in foreign if not held & set(map(canonicalize_name, providers.get(n, [])))}
    # Ray: for those who compute on a cluster, onnxruntime for those who audit an ONNX file; the
    # program tells them. _typeshed: a type checker's.
    assert missing <= {"ray", "onnxruntime", "_typeshed"}
