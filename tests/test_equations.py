"""Formulas: set as MathML, numbered by chapter, with a font that holds every sign."""

import re
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import equations
import jupytext
import pytest
from browser.built_book import CHAPTERS
from browser.chromium import set_screen
from docutils import nodes
from docutils.core import publish_doctree
from fontTools.ttLib import TTFont

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
MATHML = "{http://www.w3.org/1998/Math/MathML}"
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$]+?)\$", re.DOTALL)
# The signs of a formula that browsers show as italic letters, by the standard's table.
ITALIC = {"h": "\N{PLANCK CONSTANT}", "p": "\N{MATHEMATICAL ITALIC SMALL P}"}
TOO_WIDE = """
return [...document.querySelectorAll(".rl-equation")]
  .filter((box) => box.scrollWidth > box.clientWidth)
  .map((box) => box.textContent);
"""
FONT_IN_USE = 'return document.fonts.check("16px \'rainlens math\'", "∑")'


def formulas(path: Path) -> list[str]:
    """The TeX of all formulas in a chapter's text."""
    texts = [c.source for c in jupytext.read(path).cells if c.cell_type == "markdown"]
    return [shown or inline for text in texts for shown, inline in FORMULA.findall(text)]


SOURCES = {path.stem: formulas(path) for path in sorted(NOTEBOOKS.glob("*.py"))}


def shape(element: ElementTree.Element) -> str:
    """Tags and signs of a formula, rows around a single thing left out."""
    tag, parts = element.tag.removeprefix(MATHML), [shape(part) for part in element]
    if tag in ("math", "mrow") and len(parts) == 1:
        return parts[0]
    return f"{tag}({' '.join(parts) or (element.text or '').strip()})"


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        ("B", "mi(B)"),
        (r"\frac{a}{2}", "mfrac(mi(a) mn(2))"),
        ("E_R^2", "msubsup(mi(E) mi(R) mn(2))"),
        (r"\sqrt{x}", "msqrt(mi(x))"),
    ],
)
def test_a_formula_becomes_what_it_says(tex: str, expected: str) -> None:
    assert shape(ElementTree.fromstring(equations.to_mathml(tex))) == expected


def test_a_command_that_cannot_be_set_is_named() -> None:
    with pytest.raises(ValueError, match=r"cannot set \\fraction in the formula 1 \+ \\fraction"):
        equations.to_mathml(r"1 + \fraction{1}{2}")


def page_with(*formulas: str) -> tuple[nodes.document, SimpleNamespace]:
    document = publish_doctree("")
    document.extend(nodes.math_block(tex, tex) for tex in formulas)
    env = SimpleNamespace(docname="notebooks/02_x", metadata={"notebooks/02_x": {}})
    return document, SimpleNamespace(env=env)


def test_a_tag_is_taken_out_and_noted() -> None:
    document, app = page_with(r"a = b \tag{2.1}", "c")
    equations.number(app, document)
    first, second = document.findall(nodes.math_block)
    assert (first.astext(), first["tag"]) == ("a = b", "2.1")
    assert "tag" not in second
    assert equations.numbers(app.env) == {"2.1": "notebooks/02_x"}


@pytest.mark.parametrize(
    ("formulas", "text", "warning"),
    [
        ((r"a \tag{2.1}", r"b \tag{2.1}"), "", "two equations have the number 2.1"),
        ((r"a \tag{2.1}",), "See equation 2.7.", "no equation has the number 2.7"),
        ((r"a \tag{2.1}",), "See Equation 2.1. The paper's equation 4 is another.", None),
    ],
)
def test_doubtful_numbers_are_told(
    monkeypatch: pytest.MonkeyPatch, formulas: tuple[str, ...], text: str, warning: str | None
) -> None:
    told = []
    tell = SimpleNamespace(warning=lambda message, *parts, location: told.append(message % parts))
    monkeypatch.setattr(equations, "logger", tell)
    document, app = page_with(*formulas)
    document += nodes.paragraph("", text)
    equations.number(app, document)
    equations.check_mentions(app, document, "notebooks/02_x")
    assert told == ([warning] if warning else [])


@pytest.mark.parametrize("chapter", SOURCES)
def test_equations_are_numbered_in_their_order(chapter: str) -> None:
    tags = [tag for tex in SOURCES[chapter] for tag in equations.TAG.findall(tex)]
    number, behind = re.match(r"0*(\d+)(b?)_", chapter).groups()
    before = 0
    if behind:  # it goes on counting where its chapter ends
        (own,) = [name for name in SOURCES if name.startswith(f"{int(number):02d}_")]
        before = sum(len(equations.TAG.findall(tex)) for tex in SOURCES[own])
    assert tags == [f"{number}.{before + place}" for place in range(1, len(tags) + 1)]


def test_the_font_has_every_sign_and_names_its_licence(tmp_path: Path) -> None:
    everything = [equations.TAG.sub("", tex) for found in SOURCES.values() for tex in found]
    assert len(everything) > 10
    used = {
        sign
        for tex in everything
        for sign in "".join(ElementTree.fromstring(equations.to_mathml(tex)).itertext())
    }
    target = tmp_path / "math.woff2"
    equations.write_font(target)
    font = TTFont(target)
    assert sorted(used - {chr(code) for code in font.getBestCmap()} - {"\N{NO-BREAK SPACE}"}) == []
    assert {ord(sign) for sign in ITALIC.values()} <= set(font.getBestCmap())
    assert "MATH" in font  # what roots and brackets grow by
    assert "SIL Open Font License" in font["name"].getDebugName(13)


@pytest.mark.parametrize("chapter", [c for c in CHAPTERS if SOURCES.get(Path(c).name)])
def test_formulas_are_shown_whole_on_a_phone(browser: SimpleNamespace, chapter: str) -> None:
    set_screen(browser.driver, 390)
    browser.driver.get(f"{browser.address}/{chapter}.html")
    browser.driver.execute_script(
        "document.querySelectorAll('details').forEach((part) => part.open = true)"
    )
    assert browser.driver.execute_script(TOO_WIDE) == []
    assert browser.driver.execute_script(FONT_IN_USE)
