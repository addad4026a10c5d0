"""Links the first use of each glossary term on a page, and the first mention of other places.

The sources carry no markup for it: chapters are also read as notebooks, where a role would stand
in the text as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import equations
from docutils import nodes

GLOSSARY, REFERENCES = "book/glossary", "book/references"
PAPERS = {"2026 paper": "hu2026revisiting", "2023 paper": "gu2023slacking"}
CHAPTER = re.compile(r"notebooks/(\d+)_")

# Terms that prose also uses in another sense: a link to the wrong one is worse than none.
COMMON = {
    "claim",  # the papers claim something
    "experiment",  # of the papers, where the term means a value in the code
    "frozen",  # a value of Python that cannot be changed
    "parameter",  # of a function, or of the rain
    "scale",  # of grey values from 0 to 255, of a structure; "on a small scale"
    "transfer",  # a verb, too
    "turning",  # a form of "to turn"
}

# What is no running text, or speaks for itself: links, code, formulas; heads of tables, figures,
# footnotes. The class marks code cells with all that they put out.
APART = (
    nodes.reference,
    nodes.literal,
    nodes.math,
    nodes.raw,
    nodes.thead,
    nodes.figure,
    nodes.legend,
    nodes.footnote,
    nodes.citation,
)
CELL = "cell"
# Of HTML in a paragraph, only this is known not to enclose a link or a caption.
HARMLESS = re.compile(r"</?(?:sub|sup|br)\b[^>]*>")
SENTENCE_START = re.compile(r"(?:^|[.!?:]\s+)[\"'“‘(]*$")


@dataclass(frozen=True)
class Place:
    """What a link leads to, and by which words it is known.

    address: relative to the page. anywhere: whether the words may begin with a capital in the
    middle of a sentence, too. style: the link's class.
    """

    words: str
    address: str
    anywhere: bool = False
    style: str = ""

    @property
    def pattern(self) -> str:
        """The words, across line ends, with a plural; a small first letter may be a capital."""
        first, rest = self.words[0], re.escape(self.words[1:])
        head = f"[{first}{first.upper()}]" if self._is_lower else re.escape(first)
        plural = "(?:e?s)?" if self.words[-1].isalpha() else ""
        return head + rest.replace(r"\ ", r"\s+").replace("'", "['’]") + plural

    @property
    def _is_lower(self) -> bool:
        return self.words == self.words.lower() and self.words[0].isalpha()

    def fits(self, found: str, before: str) -> bool:
        """Whether the capital of what was found, if it has one, is that of a sentence."""
        is_raised = self._is_lower and found[0].isupper()
        return self.anywhere or not is_raised or bool(SENTENCE_START.search(before))


@dataclass
class FirstUses:
    """Puts links into the texts of one page; each place is linked once."""

    places: list[Place]
    used: set[Place] = field(default_factory=set)

    def __post_init__(self) -> None:
        # The longest first, so that "contrast gain" is not taken for a shorter term in it.
        self.places = sorted(self.places, key=lambda place: -len(place.words))
        known = "|".join(f"({place.pattern})" for place in self.places)
        self.words = re.compile(rf"(?<![\w-])(?:{known})(?![\w-])")

    def put_into(self, document: nodes.document) -> None:
        """Replaces each text that holds a first use by its parts."""
        if not self.places:
            return
        for text, before in running_text(document):
            parts = self._parts(str(text), before)
            if len(parts) > 1 or not isinstance(parts[0], nodes.Text):
                text.parent.replace(text, parts)

    def _parts(self, text: str, before: str) -> list[nodes.Node]:
        parts, end = [], 0
        for match in self.words.finditer(text):
            place = self.places[match.lastindex - 1]
            fits = place.fits(match[0], before + text[: match.start()])
            if place in self.used or not fits:
                continue
            self.used.add(place)
            parts += [nodes.Text(text[end : match.start()]), _link(match[0], place)]
            end = match.end()
        parts.append(nodes.Text(text[end:]))
        return [part for part in parts if part.astext()] or [nodes.Text(text)]


def _link(words: str, place: Place) -> nodes.reference:
    classes = [place.style] if place.style else []
    return nodes.reference("", words, internal=True, refuri=place.address, classes=classes)


def running_text(document: nodes.document) -> Iterator[tuple[nodes.Text, str]]:
    """Each text that may get links, with what stands before it in its paragraph.

    Headings, captions and terms of lists are no paragraphs; what lies in a cell is left alone.
    """
    for paragraph in list(document.findall(nodes.paragraph)):
        if _is_apart(paragraph) or _has_html(paragraph):
            continue
        _join_lines(paragraph)
        before = ""
        for text in list(paragraph.findall(nodes.Text)):
            if not _is_apart(text):
                yield text, before
            before += str(text)


def _is_apart(node: nodes.Node) -> bool:
    while node is not None:
        if isinstance(node, APART):
            return True
        if isinstance(node, nodes.container) and CELL in node["classes"]:
            return True
        node = node.parent
    return False


def _has_html(paragraph: nodes.paragraph) -> bool:
    return any(HARMLESS.sub("", raw.astext()).strip() for raw in paragraph.findall(nodes.raw))


def _join_lines(paragraph: nodes.paragraph) -> None:
    """Each line of the source is a text of its own; a term of two words may lie across two."""
    for element in list(paragraph.findall(nodes.TextElement)):
        joined: list[nodes.Node] = []
        for child in element.children:
            if joined and isinstance(child, nodes.Text) and isinstance(joined[-1], nodes.Text):
                child = nodes.Text(str(joined.pop()) + str(child))
            joined.append(child)
        element[:] = joined


def places(app, page: str) -> list[Place]:
    """All that a page may link to: terms, papers, the other chapters, equations."""

    def address(target: str, anchor: str = "") -> str:
        return app.builder.get_relative_uri(page, target) + (f"#{anchor}" if anchor else "")

    terms = [
        Place(words, address(document, anchor), style="rl-term")
        for words, _, kind, document, anchor, _ in app.env.get_domain("std").get_objects()
        if kind == "term" and words not in COMMON
    ]
    listed = {c.key: c for c in _citations(app.env)}
    papers = [
        Place(words, address(REFERENCES, listed[key].citation_id))
        for words, key in PAPERS.items()
        if key in listed
    ]
    numbered = {m[1]: d for d in sorted(app.env.found_docs) if (m := CHAPTER.match(d))}
    chapters = [
        Place(f"chapter {int(number)}", address(document), anywhere=True)
        for number, document in numbered.items()
        if document != page
    ]
    formulas = [
        Place(f"equation {tag}", address(document, equations.anchor(tag)), anywhere=True)
        for tag, document in equations.numbers(app.env).items()
    ]
    return [*terms, *papers, *chapters, *formulas]


def _citations(env) -> list:
    """The entries of the reference list; their ids are given anew in each build."""
    if "cite" not in env.domains:
        return []
    entries = env.get_domain("cite").citations
    return [entry for entry in entries if entry.bibliography_key.docname == REFERENCES]


def link(app, doctree: nodes.document, page: str) -> None:
    """Links the first uses in a page; the glossary and the references are what is linked to."""
    if app.builder.format == "html" and page not in (GLOSSARY, REFERENCES):
        FirstUses(places(app, page)).put_into(doctree)


def setup(app):
    app.connect("doctree-resolved", link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
