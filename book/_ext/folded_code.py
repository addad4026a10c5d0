"""One bar folds the code of neighbouring cells, and figures lead to the code that made them.

Chapters keep their cells short, so a figure often takes several; each would have a bar of its own
that says "Show code cell source". In a notebook nothing changes.
"""

from __future__ import annotations

import html
from collections.abc import Iterator

from docutils import nodes

# How `rainlens.plots` begins to tell how a figure was made.
MADE_BY = "By the code cells above"
BY, CELLS = MADE_BY.split(" ", 1)


def setup(app):
    app.connect("doctree-read", fold)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def fold(app, document: nodes.document) -> None:
    """Before myst-nb puts each folded source into a box of its own."""
    merge(document)
    link(document)


def merge(document: nodes.document) -> None:
    """Moves the code of folded cells that show nothing into the folded cell right after them."""
    for cell in list(cells(document)):
        siblings = cell.parent.children
        after = siblings.index(cell) + 1
        heir = siblings[after] if after < len(siblings) else None
        if _shows_nothing(cell) and _is_folded(heir):
            heir[0].insert(0, cell[0].children)
            cell.parent.remove(cell)


def link(document: nodes.document) -> None:
    """Gives each cell an anchor, and leads what it says about how it was made there."""
    for cell in cells(document):
        anchor = f"code-{cell['cell_index']}"
        outputs = [part for part in cell if part.get("nb_element") == "cell_code_output"]
        texts = [text for part in outputs for text in part.findall(nodes.Text)]
        linked = [_lead(text, anchor) for text in texts if MADE_BY in text]
        if any(linked):
            cell["ids"].append(anchor)


def cells(document: nodes.document) -> Iterator[nodes.container]:
    """The code cells of a page."""
    for node in document.findall(nodes.container):
        if node.get("nb_element") == "cell_code":
            yield node


def _is_folded(node: nodes.Node | None) -> bool:
    """Whether it is a cell whose code is folded, and nothing else of it."""
    return (
        isinstance(node, nodes.container)
        and node.get("nb_element") == "cell_code"
        and node.get("hide_mode") == "input"
        and node[0].get("nb_element") == "cell_code_source"
    )


def _shows_nothing(cell: nodes.container) -> bool:
    return _is_folded(cell) and len(cell) == 1


def _lead(text: nodes.Text, anchor: str) -> bool:
    """Makes the words that name the cells a link; whether this text can hold one."""
    parent = text.parent
    if isinstance(parent, nodes.raw):
        words = f'{BY} <a href="#{html.escape(anchor)}">{CELLS}</a>'
        parent.replace(text, nodes.Text(text.replace(MADE_BY, words)))
        return True
    if isinstance(parent, nodes.FixedTextElement):
        return False  # the plain text of an output, which is not what a page shows
    before, after = text.split(MADE_BY, 1)
    words = nodes.reference("", CELLS, internal=True, refid=anchor)
    parent.replace(text, [nodes.Text(f"{before}{BY} "), words, nodes.Text(after)])
    return True
