"""The rooms of the package are where docs say: imports run down, and everything public speaks."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "rainlens"

# Floor -> rooms; a room is a module or a subpackage of rainlens.
FLOORS = {
    1: {"images", "rain", "degradations", "signals", "data", "randomness", "resources"},
    2: {"models", "metrics", "complexity"},
    3: {"records", "training", "evaluation", "toy_evaluation", "scheduling", "cluster"},
    4: {"experiments"},
    6: {"estimates", "claims"},
    7: {"plots", "toy_plots", "widgets", "audit", "planning", "site"},
    8: {"cli"},
}
FLOOR_OF = {room: floor for floor, rooms in FLOORS.items() for room in rooms}
FILES = sorted(PACKAGE.rglob("*.py"))


def name_of(file: Path) -> str:
    return str(file.relative_to(PACKAGE))


def room_of(file: Path) -> str:
    """`models` for models/resnet.py, `rain` for rain.py, `rainlens` for the package itself."""
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return "rainlens" if parts == ("__init__",) else parts[0]


def imported_modules(tree: ast.Module) -> Iterator[str]:
    """Dotted names of all modules that a file may import, wherever in the file it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_rooms(file: Path) -> set[str]:
    names = (name.split(".") for name in imported_modules(ast.parse(file.read_text())))
    rooms = {parts[1] for parts in names if parts[0] == "rainlens" and len(parts) > 1}
    return {room for room in rooms if (PACKAGE / room).is_dir() or _is_module(room)}


def _is_module(room: str) -> bool:
    return (PACKAGE / f"{room}.py").is_file()


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_every_room_has_a_floor(file):
    room = room_of(file)
    assert room == "rainlens" or room in FLOOR_OF, f"give {room} a floor, here and in the docs"


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_nothing_imports_a_room_above_itself(file):
    room = room_of(file)
    floor = FLOOR_OF.get(room, 0)  # the package itself imports no room
    above = {other for other in imported_rooms(file) if FLOOR_OF.get(other, 99) > floor}
    assert not above, f"{name_of(file)} (floor {floor}) imports {sorted(above)}"


def test_rooms_do_not_import_each_other_in_a_circle():
    needs: dict[str, set[str]] = {}
    for file in FILES:
        needs.setdefault(room_of(file), set()).update(imported_rooms(file) - {room_of(file)})
    while needs:
        free = {room for room, others in needs.items() if not others & set(needs)}
        assert free, f"circle among {sorted(needs)}"
        needs = {room: others for room, others in needs.items() if room not in free}


def test_this_test_sees_imports():
    # A test that finds nothing must not pass because it looks at nothing.
    assert {"data"} <= imported_rooms(PACKAGE / "images.py")
    assert {"models", "rain", "records"} <= imported_rooms(PACKAGE / "experiments.py")


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_no_room_for_everything_else(file):
    assert file.stem not in {"utils", "util", "helpers", "helper", "common", "base", "misc"}


# --- everything public has a docstring and types ------------------------------------------------

PUBLIC = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def public(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, PUBLIC]]:
    """Functions and classes without a leading underscore, and the like of public classes."""
    for node in body:
        if isinstance(node, PUBLIC) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{prefix}{node.name}.")


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_everything_public_has_a_docstring(file):
    tree = ast.parse(file.read_text())
    silent = [
        name
        for name, node in public(tree.body)
        # What a network's forward takes and gives stands in the docstring of its class.
        if not ast.get_docstring(node) and not name.endswith(".forward")
    ]
    assert ast.get_docstring(tree), f"{name_of(file)} does not say what it is for"
    assert not silent, f"without a docstring: {', '.join(silent)}"


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_everything_public_is_annotated(file):
    bare = []
    for name, node in public(ast.parse(file.read_text()).body):
        if isinstance(node, ast.ClassDef):
            continue
        spec = node.args
        arguments = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, spec.vararg, spec.kwarg]
        typed = [a.annotation for a in arguments if a is not None and a.arg not in ("self", "cls")]
        if node.returns is None or None in typed:
            bare.append(name)
    assert not bare, f"not fully annotated: {', '.join(bare)}"
