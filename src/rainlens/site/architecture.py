"""How the code is built: floors of rooms, one experiment's trip through them, where to find what.

`tests/test_architecture.py` enforces what stands here, and `lay_out` puts it in place of the marks
in the staged `book/code.md`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import rainlens
from rainlens.site.marks import fill

PACKAGE = Path(rainlens.__file__).resolve().parent

# Floor -> rooms; a room is a module or a subpackage of rainlens. Imports point downwards only.
FLOORS = {
    1: {"images", "rain", "degradations", "signals", "data", "randomness"}
    | {"escaping", "os_errors", "resources"},
    2: {"models", "metrics", "complexity", "quality"},
    3: {"training", "checkpoints", "evaluation", "toy_evaluation", "records", "origin"},
    4: {"tasks"},
    5: {"running", "scheduling", "workers", "cluster", "scales"},
    6: {"intervals", "estimates", "convergence", "phases", "claims", "preferences", "judging"},
    7: {"plots", "toy_plots", "judge_plots", "phase_plots", "prior_plots", "task_plots"}
    | {"balance_plots", "balance_tables", "real_rain"}
    | {"widgets", "audit", "planning", "site"},
    8: {"cli"},
}
MARKS = {name: f"<!-- code: {name} -->" for name in ("the ways", "the floors", "the trip")}


class Place(NamedTuple):
    """Something to find in the code, and the room and the name under which it stands there."""

    what: str
    room: str
    name: str


WAYS = (
    Place("the training step", "training", "_Run.step"),
    Place("the rain recipe", "rain", "synthesize"),
    Place("noise, blur and other degradations by name", "degradations", "DEGRADATIONS"),
    Place("*E*{sub}`R`, the papers' measure of removal", "metrics", "e_r"),
    Place("*E*{sub}`B`, their measure of damage", "metrics", "e_b"),
    Place("an experiment, from its fields to its record", "tasks", "Restore"),
    Place("how large experiments are", "scales", "SCALES"),
    Place("the networks by name", "models", "MODELS"),
    Place("what a record holds", "records", "Record"),
    Place("a mean and its interval", "estimates", "mean"),
    Place("the claims, each with its rule", "claims", "CLAIMS"),
    Place("the look of the figures", "plots", "STYLE"),
    Place("the page build", "site", "make"),
    Place("the commands", "cli", "app"),
)

# In the order in which an experiment that has no record comes to them for the first time.
TRIP = (
    Place("a chapter states a grid of experiments; each is a value", "scales", "Scale.experiment"),
    Place("what is recorded is read, the rest is to be computed", "running", "run"),
    Place("one after another; or in processes, or on a cluster", "scheduling", "here"),
    Place("an experiment says what it trains and what it measures", "tasks", "Restore.compute"),
    Place("its network gets its first weights", "models", "build"),
    Place("clean patches are cut from the pictures", "images", "patches"),
    Place("the one training loop, for whatever is trained", "training", "fit"),
    Place("a step: an error, its gradient, new weights", "training", "_Run.step"),
    Place("in each step, fresh rain falls on the patches", "rain", "synthesize"),
    Place("the trained network meets pictures it has not seen", "evaluation", "evaluate"),
    Place("the outcome is written, whole or not at all", "records", "RecordStore.save"),
    Place("the chapter asks for means and their intervals", "estimates", "mean"),
    Place("and draws what came back", "plots", "chart"),
)


def lay_out(book: Path) -> None:
    """Completes the page in the staged pages of `book`."""
    parts = {"the ways": _ways(), "the floors": _floors(), "the trip": _trip()}
    page = book / "code.md"
    fill(page, {MARKS[name]: part for name, part in parts.items()})


def files(room: str) -> list[Path]:
    """The modules of a room; none where the room is still to come."""
    module = PACKAGE / f"{room}.py"
    return [module] if module.exists() else sorted((PACKAGE / room).rglob("*.py"))


def about(room: str) -> str:
    """What lives in a room: the first sentence of its docstring."""
    text = ast.get_docstring(ast.parse(_front(room).read_text(encoding="utf-8"))) or ""
    first = re.match(r".*?(?:[.!?](?=\s|$)|(?=\n\n)|$)", text, re.DOTALL)
    return " ".join(first[0].split()).replace("|", r"\|") if first else ""


def file_of(place: Place) -> Path:
    """The module that defines the name. Raises ValueError unless exactly one of the room does."""
    found = [file for file in files(place.room) if place.name in _defined(file)]
    if len(found) != 1:
        there = ", ".join(file.name for file in found) or "no file"
        raise ValueError(f"{place.name} is defined by {there} of {place.room}; one is needed.")
    return found[0]


def _front(room: str) -> Path:
    """The module that speaks for a room."""
    module = PACKAGE / f"{room}.py"
    return module if module.exists() else PACKAGE / room / "__init__.py"


def _defined(file: Path) -> set[str]:
    return set(_names(ast.parse(file.read_text(encoding="utf-8")).body))


def _names(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    """What is defined at the top of a module, and in its classes: `name`, `Class.name`."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield prefix + node.name
        if isinstance(node, ast.ClassDef):
            yield from _names(node.body, f"{prefix}{node.name}.")
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        yield from (prefix + target.id for target in targets if isinstance(target, ast.Name))


def _ways() -> str:
    # Two columns, which a phone shows whole.
    rows = [f"| {way.what} | `{way.name}` in {_link(file_of(way))} |" for way in WAYS]
    return "\n".join(["| what | where |", "|---|---|", *rows])


def _floors() -> str:
    rows = [
        f"| {floor} {_link(_front(room), room)} | {about(room)} |"
        for floor, rooms in sorted(FLOORS.items(), reverse=True)
        for room in sorted(rooms)
        if files(room)
    ]
    return "\n".join(["| floor, room | what lives there |", "|---|---|", *rows])


def _trip() -> str:
    return "\n".join(
        f"{number}. {_link(file_of(step), f'{step.room}.{step.name}')}: {step.what}."
        for number, step in enumerate(TRIP, 1)
    )


def _link(file: Path, words: str = "") -> str:
    path = file.relative_to(PACKAGE).as_posix()
    return f"[`{words or path}`]({rainlens.REPOSITORY}/blob/main/src/rainlens/{path})"
