"""The rooms of the package are where docs say: imports run down, and everything public speaks."""

import ast
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import matplotlib.pyplot as plt
import pytest

import rainlens
from rainlens import estimates, images, plots, running, scales
from rainlens.evaluation import STREAKS, TestSet
from rainlens.site import architecture
from rainlens.site.architecture import FLOORS, PACKAGE, TRIP, WAYS, Place

ROOT = Path(__file__).resolve().parents[1]

FLOOR_OF = {room: floor for floor, rooms in FLOORS.items() for room in rooms}
FILES = sorted(PACKAGE.rglob("*.py"))
SOURCE = ROOT / "book" / "code.md"
ROW = re.compile(r"^\| (.+) \| `(.+)` in \[`(.+)`\]\((.+)\) \|$", re.MULTILINE)


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
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = (name.split(".") for name in imported_modules(tree))
    rooms = {parts[1] for parts in names if parts[0] == "rainlens" and len(parts) > 1}
    return {room for room in rooms if (PACKAGE / room).is_dir() or _is_module(room)}


def _is_module(room: str) -> bool:
    return (PACKAGE / f"{room}.py").is_file()


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_every_room_has_a_floor(file):
    room = room_of(file)
    assert room == "rainlens" or room in FLOOR_OF, f"give {room} a floor in site/architecture.py"


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
    assert {"models", "degradations", "records"} <= imported_rooms(PACKAGE / "tasks" / "restore.py")


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_no_room_for_everything_else(file):
    assert file.stem not in {"utils", "util", "helpers", "helper", "common", "base", "misc"}


# --- the page "How the code is built"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page, completed as in a staged book."""
    book = tmp_path_factory.mktemp("book")
    shutil.copy(SOURCE, book)
    architecture.lay_out(book)
    return (book / "code.md").read_text(encoding="utf-8")


def test_the_page_has_every_mark_once_and_none_is_left(page: str) -> None:
    source = SOURCE.read_text(encoding="utf-8")
    assert [source.count(mark) for mark in architecture.MARKS.values()] == [1, 1, 1]
    assert "<!--" not in page


def test_the_page_lists_every_room_on_its_floor(page: str) -> None:
    rows = re.findall(r"^\| (\d) \[`(\w+)`\]\(\S+\) \| (.+) \|$", page, re.MULTILINE)
    assert {room: int(floor) for floor, room, _ in rows} == {
        room: FLOOR_OF[room] for room in map(room_of, FILES) if room != "rainlens"
    }
    assert [int(floor) for floor, _, _ in rows] == sorted((int(r[0]) for r in rows), reverse=True)
    told = {room: about for _, room, about in rows}
    assert told["metrics"] == "The measures, one number a picture."
    assert all(about.endswith((".", "!", "?")) and len(about) < 120 for about in told.values())


def test_what_a_newcomer_looks_for_stands_where_the_page_says(page: str) -> None:
    rows = ROW.findall(page)
    assert len(rows) == len(WAYS) > 10
    for what, name, shown, address in rows:
        path = address.removeprefix(f"{rainlens.REPOSITORY}/blob/main/")
        text = (ROOT / path).read_text(encoding="utf-8")
        assert path.endswith(shown), what
        last = name.split(".")[-1]
        assert re.search(rf"^\s*(?:def |class ){last}\b|^{last}\b.*=", text, re.MULTILINE), what
    asked = ("training step", "*E*{sub}`R`", "rain recipe", "its rule", "page build")
    assert all(any(word in what for what, *_ in rows) for word in asked)


@pytest.mark.parametrize(("room", "name"), [("metrics", "e_x"), ("metrics", "e_r.x"), ("x", "y")])
def test_a_name_that_is_not_there_is_not_linked(room: str, name: str) -> None:
    with pytest.raises(ValueError, match="is defined by no file"):
        architecture.file_of(Place("something", room, name))


def test_the_readme_leads_to_the_same_files() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    places = {(way.room, way.name): architecture.file_of(way).relative_to(ROOT) for way in WAYS}
    for key in (
        ("training", "_Run.step"),
        ("rain", "synthesize"),
        ("metrics", "e_r"),
        ("claims", "CLAIMS"),
        ("site", "make"),
    ):
        assert f"]({places[key].as_posix()})" in readme, key


def first_calls(action: Callable[[], object]) -> list[tuple[str, str]]:
    """The functions of the package in the order in which they are called for the first time."""
    seen: dict[tuple[str, str], None] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(str(PACKAGE)):
            seen.setdefault((room_of(Path(code.co_filename)), code.co_qualname))

    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(None)
    return list(seen)


def chapter() -> None:
    """What a chapter does with one tiny experiment."""
    setting = scales.scale_named("smoke")
    test = TestSet("unseen", STREAKS, images.EMBEDDED, count=1, crop=64)
    grid = [setting.experiment(patches=8, iterations=2, tests=(test,), curves=())]
    records = running.run(grid, setting)
    figure, axes = plt.subplots()
    axes.plot([estimates.mean(records, "unseen", "gain").value])
    plots.chart(figure, alt="one mean", caption="")


def test_an_experiment_makes_the_trip_that_the_page_tells(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, one_thread: None
) -> None:
    monkeypatch.setenv(scales.RECORDS_VARIABLE, str(tmp_path))
    told = [(step.room, step.name) for step in TRIP]
    made = [call for call in first_calls(chapter) if call in told]
    assert made == told
    shorter = [call for call in first_calls(chapter) if call in told]
    assert shorter == [told[0], told[1], *told[-2:]]  # what is recorded is read


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
