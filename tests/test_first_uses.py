"""First uses: terms, papers and chapters are linked once on a page, in running text alone."""

import re
from html.parser import HTMLParser
from pathlib import Path

import first_uses
import pytest
from browser import links
from browser.built_book import PAGES
from docutils import nodes
from docutils.core import publish_doctree

ROOT = Path(__file__).resolve().parents[1]
TERM = re.compile(r"^(\S.*)$", re.MULTILINE)
TERMS = ["gain", "contrast gain", "rain", "patch", "PSNR", "E_R", "U-Net", "Kendall's tau"]


def linked(document: nodes.document, words: list[str] = TERMS) -> list[str]:
    """Puts links into a document and tells the words of each, in order."""
    places = [first_uses.Place(word, f"glossary#{word}", style="rl-term") for word in words]
    first_uses.FirstUses(places).put_into(document)
    return [found.astext() for found in document.findall(nodes.reference) if found["classes"]]


def paragraph(*parts: str | nodes.Node) -> nodes.document:
    """A document of one paragraph; each string is a text of its own."""
    document = publish_doctree("")
    children = [nodes.Text(part) if isinstance(part, str) else part for part in parts]
    document += nodes.paragraph("", "", *children)
    return document


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It takes the rain, and then more rain.", ["rain"]),
        ("Training is not rain-making, restraint or rainy.", []),
        ("Gains count. Two contrast gains.", ["Gains", "contrast gains"]),
        ("The contrast gain and again the contrast gain; no more.", ["contrast gain"]),
        ("The contrast gain, then a gain.", ["contrast gain", "gain"]),
        ("Small patches of rain", ["patches", "rain"]),
        ("A city named Rain has much rain.", ["rain"]),
        ("Rain falls. Patch by patch (Gain).", ["Rain", "Patch"]),
        ("psnr and e_r are not written like this; PSNR and E_R are.", ["PSNR", "E_R"]),
        ("E_R² is a square, E_R's root is not.", ["E_R"]),
        ("A U-Net of U-Nets, a u-net.", ["U-Net"]),
        ("By Kendall’s tau", ["Kendall’s tau"]),
    ],
)
def test_first_uses_are_found(text: str, expected: list[str]) -> None:
    document = paragraph(text)
    assert linked(document) == expected
    assert document.astext() == text


def test_a_term_may_lie_across_a_line_end() -> None:
    document = paragraph("The contrast", "\n", "gain")
    assert linked(document) == ["contrast\ngain"]
    assert document.astext() == "The contrast\ngain"


def test_a_capital_after_other_markup_begins_no_sentence() -> None:
    assert linked(paragraph(nodes.emphasis("", "Heavy"), " Rain")) == []
    assert linked(paragraph(nodes.strong("", "Heavy."), " Rain")) == ["Rain"]


def test_emphasis_holds_the_link() -> None:
    document = paragraph("A ", nodes.strong("", "contrast gain"), ".")
    assert linked(document) == ["contrast gain"]
    (link,) = document.findall(nodes.reference)
    assert isinstance(link.parent, nodes.strong)
    assert link["refuri"] == "glossary#contrast gain" and link["internal"]


PAGE = """
Rain
====

:field rain: a field

A `link of rain <https://example.org/rain>`_, ``rain``, and

::

    rain

.. figure:: rain.png

   A caption about rain.

   A legend about rain.

.. math:: rain

.. raw:: html

   <p>rain</p>

rain as a term
   Its definition has the first rain.

.. table:: Rain

   ====== ======
   rain   a gain
   ====== ======
   a gain rain
   ====== ======
"""


def test_only_running_text_is_linked() -> None:
    document = publish_doctree(PAGE, settings_overrides={"report_level": 5})
    assert linked(document) == ["rain", "gain"]
    where = [link.parent.parent for link in document.findall(nodes.reference) if link["classes"]]
    assert isinstance(where[0], nodes.definition) and isinstance(where[1], nodes.entry)
    assert not any(isinstance(cell.parent.parent, nodes.thead) for cell in where)


def test_cells_and_paragraphs_with_html_are_left_alone() -> None:
    document = paragraph(nodes.raw("", "<a href='#'>", format="html"), "rain")
    output = nodes.container("", nodes.paragraph("", "rain"), classes=["cell", "docutils"])
    document += output
    assert linked(document) == []
    document += nodes.paragraph("", "", nodes.raw("", "<sub>", format="html"), nodes.Text("rain"))
    assert linked(document) == ["rain"]


def test_chapters_and_papers_are_known_by_number() -> None:
    chapter = first_uses.Place("chapter 1", "01.html", anywhere=True, style="x")
    paper = first_uses.Place("2026 paper", "references.html", style="x")
    document = paragraph("Not chapter 15. See Chapter 1, chapter 1, the 2026 papers, a 2026 paper.")
    first_uses.FirstUses([chapter, paper]).put_into(document)
    found = [link.astext() for link in document.findall(nodes.reference)]
    assert found == ["Chapter 1", "2026 papers"]


def test_without_places_nothing_changes() -> None:
    assert linked(paragraph("rain"), []) == []


def test_words_that_are_left_out_are_terms() -> None:
    """One that is no longer in the glossary would stay in the list for nothing."""
    text = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    assert first_uses.COMMON <= set(TERM.findall(text.split(":sorted:")[1]))


# --- the built book


class Links(HTMLParser):
    """The terms' links of a page with the tags around them, and all other links by their words."""

    def __init__(self) -> None:
        super().__init__()
        self.around: list[tuple[str, dict[str, str | None]]] = []
        self.terms: list[tuple[str, list[str]]] = []
        self.words: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("img", "br", "hr", "input", "meta", "link", "source", "wbr", "path"):
            return
        self.around.append((tag, dict(attrs)))
        if "rl-term" in (dict(attrs).get("class") or "").split():
            self.terms.append((dict(attrs)["href"], [tag for tag, _ in self.around[:-1]]))

    def handle_endtag(self, tag: str) -> None:
        tags = [name for name, _ in self.around]
        if tag in tags:
            del self.around[len(tags) - 1 - tags[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        for tag, attributes in self.around:
            if tag == "a" and "rl-term" not in (attributes.get("class") or ""):
                self.words.setdefault(data.strip(), []).append(attributes.get("href") or "")


def read(site: Path, page: str) -> Links:
    found = Links()
    found.feed((site / f"{page}.html").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("page", PAGES)
def test_a_page_links_each_term_once(site: Path, page: str) -> None:
    found = read(site, page).terms
    addresses = [address for address, _ in found]
    assert len(addresses) == len(set(addresses))
    if page.startswith("notebooks/") or page in ("book/glossary", "book/references"):
        assert bool(found) == page.startswith("notebooks/")
    forbidden = {"a", "code", "pre", "h1", "h2", "h3", "th", "figcaption", "figure", "nav"}
    assert not [around for _, around in found if forbidden & set(around)]


def test_terms_lead_to_their_entries(site: Path) -> None:
    anchors = links.read(site / "book" / "glossary.html").anchors
    used = {address for page in PAGES for address, _ in read(site, page).terms}
    assert used and {address.split("#")[0].split("/")[-1] for address in used} == {"glossary.html"}
    assert {address.split("#")[1] for address in used} <= anchors


def test_papers_and_chapters_are_linked(site: Path) -> None:
    words = read(site, "notebooks/08_transfer_and_size").words
    assert [href for href in words["chapter 4"] if href] == ["04_background_count.html"]
    (paper,) = words["2023 paper"]
    page, anchor = paper.split("#")
    assert page == "../book/references.html"
    listed = (site / "book" / "references.html").read_text(encoding="utf-8")
    entry = listed.split(f'id="{anchor}"')[1].split("</div>")[0]
    assert "Networks are slacking off" in entry
