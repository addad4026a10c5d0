"""Folded code: one bar for neighbouring cells, nothing lost, and figures lead to their code."""

import re
from pathlib import Path
from types import SimpleNamespace

import folded_code
import nbformat
import pytest
from browser.built_book import CHAPTERS
from docutils import nodes
from docutils.core import publish_doctree

from rainlens import plots
from rainlens.records import Record

ROOT = Path(__file__).resolve().parents[1]
# Every piece of code on the page, in order, and whether it has a button that copies it.
CODE = """
return [...document.querySelectorAll(".cell_input .highlight")].map((block) =>
  [block.querySelector("pre").textContent, block.querySelectorAll(".copybtn").length,
   block.querySelectorAll("pre span[class]").length]);
"""
NEIGHBOURS = """
const folded = (cell) => cell?.matches(".cell.tag_hide-input") ?? false;
return [...document.querySelectorAll(".cell.tag_hide-input")].filter((cell) =>
  !cell.querySelector(":scope > .cell_output") && folded(cell.nextElementSibling)).length;
"""
FOLDS = """
return [...document.querySelectorAll(".cell details.hide")].map((fold) =>
  fold.querySelectorAll(".cell_input > div").length);
"""
# Of each "How was this made?": where its first link leads, and the anchor of its own cell.
MADE = """
return [...document.querySelectorAll(".rl-made")].map((fold) =>
  [fold.querySelector("a").getAttribute("href"), "#" + fold.closest(".cell").id]);
"""


def cell(code: str, mode: str | None = "input", shows: str = "", index: int = 0) -> nodes.container:
    """A code cell as myst-nb hands it on."""
    made = nodes.container(nb_element="cell_code", cell_index=index)
    if mode:
        made["hide_mode"] = mode
    made += nodes.container("", nodes.literal_block(code, code), nb_element="cell_code_source")
    if shows:
        output = nodes.container(nb_element="cell_code_output")
        output += nodes.raw("", shows, format="html")
        made += output
    return made


def page(*parts: nodes.Node) -> nodes.document:
    document = publish_doctree("")
    document.extend(parts)
    folded_code.fold(None, document)
    return document


def told(document: nodes.document) -> list[str]:
    """For each cell its code, piece by piece, then a * if it has an output."""
    return [
        " ".join(block.astext() for block in cell[0]) + "*" * (len(cell) - 1)
        for cell in folded_code.cells(document)
    ]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([cell("a"), cell("b", shows="x")], ["a b*"]),
        ([cell("a"), cell("b"), cell("c", shows="x"), cell("d")], ["a b c*", "d"]),
        ([cell("a", shows="x"), cell("b"), cell("c")], ["a*", "b c"]),
        ([cell("a"), cell("b", mode=None), cell("c")], ["a", "b", "c"]),
        ([cell("a", mode=None), cell("b", shows="x")], ["a", "b*"]),
        ([cell("a"), cell("b", mode="all", shows="x")], ["a", "b*"]),
        ([cell("a"), nodes.paragraph("", "Text."), cell("b", shows="x")], ["a", "b*"]),
    ],
)
def test_neighbours_share_a_fold(cells: list[nodes.Node], expected: list[str]) -> None:
    assert told(page(*(part.deepcopy() for part in cells))) == expected


def test_cells_that_show_something_stay_apart() -> None:
    first, second = cell("a", shows="x"), cell("b", shows="y")
    assert told(page(first, second)) == ["a*", "b*"]


NOTE = plots.source_note([Record("derain-x", {"seed": 0}, {}, {})], "cpu")


def test_a_figure_leads_to_its_cell() -> None:
    document = page(cell("a", index=11), cell("b", shows=f"<p>{NOTE}</p>", index=12))
    (made,) = folded_code.cells(document)
    assert made["ids"] == ["code-12"]
    assert 'By <a href="#code-12">the code cells above</a>, from' in made[1].astext()


def test_words_in_markdown_lead_there_too() -> None:
    made = cell("a", shows="x", index=3)
    made[1] += nodes.paragraph("", "", nodes.Text(f"So. {folded_code.MADE_BY}, from this."))
    made[1] += nodes.literal_block("", folded_code.MADE_BY)
    document = page(made)
    (link,) = document.findall(nodes.reference)
    assert link["refid"] == "code-3" and link.astext() == "the code cells above"
    assert link.parent.astext() == "So. By the code cells above, from this."


def test_a_cell_that_tells_nothing_has_no_anchor() -> None:
    (made,) = folded_code.cells(page(cell("a", shows="<p>A figure</p>")))
    assert made["ids"] == []


def test_without_the_book_the_words_are_plain() -> None:
    assert folded_code.MADE_BY in NOTE and "#code" not in NOTE


# --- the built book


def code_of(chapter: str) -> list[str]:
    """The code of a chapter's cells that pages show, in order."""
    notebook = nbformat.read(ROOT / f"{chapter}.ipynb", as_version=4)
    shown = [c for c in notebook.cells if "remove-cell" not in c.metadata.get("tags", [])]
    return [c.source for c in shown if c.cell_type == "code" and c.source]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_folds_its_code(browser: SimpleNamespace, chapter: str) -> None:
    """All in one visit: nothing is lost, bars do not pile up, figures lead to their cells."""
    browser.driver.get(f"{browser.address}/{chapter}.html")
    found = browser.driver.execute_script(CODE)
    assert [text.strip() for text, _, _ in found] == [code.strip() for code in code_of(chapter)]
    assert all(buttons == 1 and colours for _, buttons, colours in found)
    assert browser.driver.execute_script(NEIGHBOURS) == 0
    assert max(browser.driver.execute_script(FOLDS)) > 1
    made = browser.driver.execute_script(MADE)
    assert made and all(re.fullmatch(r"#code-\d+", link) and link == own for link, own in made)
