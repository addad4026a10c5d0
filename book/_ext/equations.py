r"""Sets the formulas when the book is built: MathML needs no script and nothing from other sites.

Sources write TeX between dollar signs, which notebooks show set, too. A `\tag{2.1}` numbers an
equation in both; in the book, "equation 2.1" then leads to it (see `first_uses`).
"""

from __future__ import annotations

import html
import re
from importlib.util import find_spec
from pathlib import Path

from docutils import nodes
from fontTools import subset
from fontTools.ttLib import TTFont
from latex2mathml.converter import convert
from sphinx.util import logging

TAG = re.compile(r"\\tag\{(.+?)\}")
MENTION = re.compile(r"\bequation\s+(\d+\.\d+)", re.IGNORECASE)
# What the converter does not know it hands on as it is written.
UNKNOWN = re.compile(r"\\\w+")
FONT = "rainlens-math.woff2"
# Phones have no font with what formulas need: roots and brackets that grow.
SIGNS = "√∑∂⟨⟩¬·×±≤≥∈∉∞−½′∥¯…"
# Latin and Greek, and the italic letters that browsers take for variables; h has another place.
BLOCKS = (0x20, 0x7F), (0x391, 0x3CA), (0x1D434, 0x1D468), (0x1D6FC, 0x1D716), (0x210E, 0x210F)
LETTERS = "".join(chr(code) for block in BLOCKS for code in range(*block))
logger = logging.getLogger(__name__)


def setup(app):
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_displayed, None))
    app.connect("doctree-read", number)
    app.connect("doctree-resolved", check_mentions)
    app.connect("build-finished", lay_out_font)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def number(app, document: nodes.document) -> None:
    """Takes the tags out of a page's formulas and notes them: number -> page."""
    tags = {}
    for block in document.findall(nodes.math_block):
        source = block.astext()
        if found := TAG.search(source):
            tag = found[1]
            if tag in tags or tag in numbers(app.env):
                logger.warning("two equations have the number %s", tag, location=block)
            tags[tag] = app.env.docname
            block[:] = [nodes.Text(TAG.sub("", source).strip())]
            block["tag"] = tag
    app.env.metadata[app.env.docname]["equations"] = tags


def numbers(env) -> dict[str, str]:
    """Number of each equation in the book -> the page that it stands on."""
    return {
        tag: page
        for known in list(env.metadata.values())
        for tag, page in known.get("equations", {}).items()
    }


def anchor(tag: str) -> str:
    return f"equation-{tag.replace('.', '-')}"


def check_mentions(app, document: nodes.document, page: str) -> None:
    known = numbers(app.env)
    for paragraph in document.findall(nodes.paragraph):
        for tag in MENTION.findall(paragraph.astext()):
            if tag not in known:
                logger.warning("no equation has the number %s", tag, location=page)


def to_mathml(tex: str, display: str = "inline") -> str:
    """MathML of a formula; a command that cannot be set is an error, not red ink on the page."""
    result = convert(tex, display=display)
    if unknown := UNKNOWN.search(html.unescape(result)):
        raise ValueError(f"cannot set {unknown[0]} in the formula {tex}")
    return result


def visit_inline(self, node):
    self.body.append(to_mathml(node.astext()))
    raise nodes.SkipNode


def visit_displayed(self, node):
    formula = to_mathml(node.astext(), "block")
    tag = node.get("tag")
    if tag is None:
        self.body.append(f'<div class="rl-equation">{formula}</div>\n')
    else:
        name = anchor(tag)
        self.body.append(
            f'<div class="rl-equation" id="{name}">{formula}'
            f'<a class="rl-number" href="#{name}" title="Link to this equation">({tag})</a></div>\n'
        )
    raise nodes.SkipNode


def lay_out_font(app, exception) -> None:
    if exception is None and app.builder.format == "html":
        write_font(Path(app.outdir) / "_static" / FONT)


def write_font(target: Path) -> None:
    """The part of STIX Two Math that formulas use, with the font's licence in its names."""
    # The package that brings the font along; importing it would load a whole setter of its own.
    folder = Path(find_spec("ziamath").origin).parent
    options = subset.Options(layout_features=[], hinting=False, name_IDs=["*"])
    chosen = subset.Subsetter(options)
    chosen.populate(text=LETTERS + SIGNS)
    font = TTFont(next(folder.rglob("STIXTwoMath-Regular.ttf")))
    chosen.subset(font)
    font.flavor = "woff2"
    font.save(target)
