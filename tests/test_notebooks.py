"""The stored notebooks: in step with their sources, executed, and free of what differs by run."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import jupytext
import nbformat
import pytest
from nbformat import NotebookNode

from rainlens import running, scales

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LONGEST_CELL = 15

TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
HOME = re.compile(r"(/home/|/Users/|/root/|/tmp/|[A-Z]:\\+Users)[\w.-]*|site-packages")
# What Colab would show raw: a fence of three or more, bare or with a directive in braces; a role
# such as {term}`rain layer`; a label above a heading.
DIRECTIVE = re.compile(r"^\s*((`{3,}|~{3,})\{|:{3,})", re.MULTILINE)
ROLE = re.compile(r"\{[a-z][\w:.+-]*\}`")
LABEL = re.compile(r"^\([\w:-]+\)=", re.MULTILINE)
STYLED_TABLE = re.compile(r'id="T_[0-9a-f]{5}')  # pandas names these at random
PICTURE = re.compile(r"image/(png|jpeg|svg\+xml|webp)")
FIGURE = re.compile(r'<figure class="rl-figure".*?</figure>', re.DOTALL)
# What a figure's small print must hold: the papers' figure or that there is none, what to look at,
# and the fold that tells where it comes from.
SMALL_PRINT = {
    "the papers' figure": re.compile(r"Fig\. \d|Table \d|papers? (?:has|have|show|shows) no\b"),
    "what to notice": re.compile(r"What to notice: "),
    "how it was made": re.compile(r'class="rl-made"'),
}


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def notebook(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def stored_texts(notebook: NotebookNode) -> Iterator[str]:
    """All but sources and encoded pictures; these may hold any sequence of letters by chance."""
    yield json.dumps(notebook.metadata)
    for cell in notebook.cells:
        yield json.dumps(cell.metadata)
    for output in outputs(notebook):
        yield json.dumps(output.get("metadata", {}))
        yield output.get("text", "")
        for kind, content in output.get("data", {}).items():
            if kind == "image/svg+xml" or not kind.startswith("image/"):
                text = content if isinstance(content, str) else json.dumps(content)
                yield re.sub(r"base64,[A-Za-z0-9+/=\s]+", "", text)


def picture_kinds(output: NotebookNode) -> Iterator[str]:
    """Media types of the pictures of an output, in HTML too."""
    data = output.get("data", {})
    yield from filter(PICTURE.match, data)
    yield from re.findall(r"<(?:img|svg|canvas|script)\b", data.get("text/html", ""))


def test_each_chapter_has_a_source_and_an_executed_notebook():
    sources = {path.stem for path in FOLDER.glob("*.py")}
    assert NOTEBOOKS, f"{FOLDER} has no notebooks: run `rainlens book --save`"
    assert {path.stem for path in NOTEBOOKS} == sources


def test_source_and_notebook_are_in_step(path: Path, notebook: NotebookNode):
    source = jupytext.read(path.with_suffix(".py"))
    ours, theirs = (
        [(cell.cell_type, cell.source) for cell in either.cells] for either in (source, notebook)
    )
    for number, (written, stored) in enumerate(zip(ours, theirs, strict=False)):
        assert stored == written, f"cell {number} differs: run `rainlens book --save`"
    assert len(ours) == len(theirs)


def test_no_error_is_stored(notebook: NotebookNode):
    errors = [output for output in outputs(notebook) if output.output_type == "error"]
    assert [f"{error.ename}: {error.evalue}" for error in errors] == []


def test_it_was_executed_from_top_to_bottom(notebook: NotebookNode):
    """Counts rise without gaps; one is missing only where papermill's own cell was taken out."""
    counts = [cell.execution_count for cell in code_cells(notebook) if cell.source.strip()]
    assert None not in counts, "a code cell was never executed"
    steps = [after - before for before, after in zip(counts, counts[1:], strict=False)]
    assert counts[0] == 1
    assert all(step in (1, 2) for step in steps) and steps.count(2) <= 1, counts


def test_figures_are_stored(notebook: NotebookNode):
    assert any(True for output in outputs(notebook) for _ in picture_kinds(output))


def test_nothing_stored_differs_from_run_to_run(notebook: NotebookNode):
    for text in stored_texts(notebook):
        for pattern in (TIME, HOME, STYLED_TABLE):
            found = pattern.search(text)
            assert not found, f"{text[max(0, found.start() - 60) : found.end() + 60]!r}"
    # Nor the state of widgets, whose names are random.
    assert "widgets" not in notebook.metadata
    kinds = {kind for output in outputs(notebook) for kind in output.get("data", {})}
    assert not [kind for kind in kinds if "widget" in kind]


def test_no_interval_is_without_bounds(notebook: NotebookNode):
    """A single seed has none, and is to say so in words; no verdict may rest on such a number."""
    for text in stored_texts(notebook):
        assert not re.search(r"\[-?(inf|nan)\b", text), text[:200]


def test_no_cell_ends_in_the_name_of_an_object(notebook: NotebookNode):
    kinds = [output.get("data", {}) for output in outputs(notebook)]
    alone = [data["text/plain"] for data in kinds if list(data) == ["text/plain"]]
    assert [text for text in alone if re.match(r"\[?<\w|Text\(", text)] == []


def test_cell_ids_are_not_random(notebook: NotebookNode):
    ids = [cell.id for cell in notebook.cells]
    assert len(ids) == len(set(ids))
    assert not [name for name in ids if re.fullmatch(r"[0-9a-f]{8}", name)]


def test_one_cell_holds_the_parameters(path: Path, notebook: NotebookNode):
    for version in (notebook, jupytext.read(path.with_suffix(".py"))):
        tagged = [c for c in version.cells if "parameters" in c.metadata.get("tags", [])]
        assert len(tagged) == 1, "papermill needs one cell tagged `parameters`"
        values = {
            statement.targets[0].id: ast.literal_eval(statement.value)
            for statement in ast.parse(tagged[0].source).body
            if isinstance(statement, ast.Assign)
        }
        assert values["scale"] == "cpu"
        assert values["recompute"] is False


def test_the_parameters_reach_what_checks_them(path: Path):
    """`scale_named` and `run` answer a wrong one with a sentence; nothing else may use them."""
    source = jupytext.read(path.with_suffix(".py"))
    code = "\n".join(c.source for c in source.cells if c.cell_type == "code")
    assert re.findall(r".*\brecompute\b.*", code)[1:] == re.findall(r".*run\(grid, .*", code)
    assert code.count("run(grid, setting, recompute=recompute)") == 1


@pytest.mark.parametrize("value", ["False", "false", "no", "off", "0", "", "True", 0, 1, None])
def test_only_true_and_false_are_taken_for_a_flag(value: object):
    """papermill hands most of what one may type over as text, and any text counts as true."""
    setting = SimpleNamespace(store=None)  # nothing may be read or computed before
    with pytest.raises(ValueError, match="^recompute is .*, but it must be True or False") as error:
        running.run([], setting, recompute=value)
    assert str(error.value).count("\n") == 0
    assert scales.flag(True) is True and scales.flag(False) is False


def test_cells_are_short(notebook: NotebookNode):
    for cell in code_cells(notebook):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        code = [line for line in lines if not line.lstrip().startswith("#")]
        assert len(code) <= LONGEST_CELL, f"{len(code)} lines from {lines[0]!r}"


def test_no_cell_shows_what_a_call_happens_to_return(notebook: NotebookNode):
    """Such as `(31.2, 90.6)`, the limits of an axis, or `[Text(...)]`."""
    plain = [
        o["data"]["text/plain"]
        for o in outputs(notebook)
        if set(o.get("data", {})) == {"text/plain"}
    ]
    assert [text for text in plain if text.startswith(("(", "[", "<"))] == []


def test_each_figure_has_its_small_print(notebook: NotebookNode):
    texts = [output.get("data", {}).get("text/html", "") for output in outputs(notebook)]
    figures = [figure for text in texts for figure in FIGURE.findall(text) if "<img" in figure]
    missing = [
        f"{name} at {re.sub('<[^>]+>', ' ', figure)[:80]!r}"
        for figure in figures
        for name, pattern in SMALL_PRINT.items()
        if not pattern.search(figure)
    ]
    assert missing == []


def test_colab_can_read_the_prose(notebook: NotebookNode):
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    raw = (DIRECTIVE, ROLE, LABEL)
    found = [pattern.search(source) for source in prose for pattern in raw]
    assert [match.group() for match in found if match] == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (DIRECTIVE, "as said:\n\n```{note}\nA note.\n```"),
        (DIRECTIVE, ":::{note}\nA note.\n:::"),
        (ROLE, "the {term}`rain layer <rain>` and"),
        (ROLE, "{doc}`/book/glossary`"),
        (LABEL, "(a-place)=\n## A place"),
    ],
)
def test_what_colab_cannot_read_is_noticed(pattern: re.Pattern, text: str):
    assert pattern.search(text)
    for harmless in ("a [rain layer](../book/glossary.md)", "$E_{b}$ `x`", "```python\nx = 1\n```"):
        assert not pattern.search(harmless)


def test_no_sentence_shows_the_code_that_should_have_filled_it(notebook: NotebookNode):
    """Such as `{found[0].count}`, where the f before a string was forgotten."""
    told = [o.get("data", {}).get("text/markdown", "") for o in outputs(notebook)]
    assert [m for text in told for m in re.findall(r"\{\w+[.\[(][^{}]*\}", text)] == []
