"""Text from elsewhere on its way into a page: it says what it says and does nothing.

Records come from other machines. What they say of their device, their commit, their tests is shown
on pages of the book, and must not become a link, a script or a column of a table, nor turn around
the words beside it.
"""

from __future__ import annotations

import html
import re
import unicodedata

# What can mean something within a line: quotes, emphasis, code, links, roles, tables, formulas,
# mail addresses. A dot or a colon within a word can make an address that becomes a link.
_WITHIN = r"[\\`*_\[\]{}|~$@]|(?<=\w)\.(?=[^\W\d_])|:(?=\S)"
# What can mean something where a line begins: headings, quotations, comments, rules, lists.
_FIRST = r"^[^\w\s&]|^\d+[.)](?=\s|$)"
_MEANING = re.compile(f"{_WITHIN}|{_FIRST}")
_FROM_RIGHT = {"R", "AL", "AN"}
_ISOLATED = "\N{FIRST STRONG ISOLATE}{}\N{POP DIRECTIONAL ISOLATE}"
_MARKS = 2  # on a letter; more of them paint over the lines above and below


def escaped(text: object, most: int | None = None) -> str:
    """The text as HTML and as Markdown, in a line, a cell or an attribute between quotes.

    Every character is shown as itself, but for those that show nothing or act on others (control
    characters, marks of direction, joiners): these become escapes that can be read, such as
    `\\u202e`. Line ends become spaces. Text that runs from right to left is kept apart from what
    stands beside it. most: cut off after so many characters, with an ellipsis.
    """
    plain = _visible(str(text))
    if most is not None and len(plain) > most:
        plain = f"{plain[: most - 1]}…"
    safe = _MEANING.sub(_reference, html.escape(plain))
    runs_back = any(unicodedata.bidirectional(letter) in _FROM_RIGHT for letter in plain)
    return _ISOLATED.format(safe) if runs_back else safe


def as_code(text: object, most: int | None = None) -> str:
    """The text in the type of code, as HTML that may stand in Markdown, too."""
    # The class has the look of code in the pages of the book.
    return f'<code class="literal">{escaped(text, most)}</code>'


def _reference(found: re.Match[str]) -> str:
    return f"{found[0][:-1]}&#{ord(found[0][-1])};"


def _visible(text: str) -> str:
    """One line without what cannot be seen, and with few marks on each letter."""
    shown, marks = [], 0
    for letter in unicodedata.normalize("NFC", text).strip():
        marks = marks + 1 if unicodedata.category(letter).startswith("M") else 0
        shown.append(_escape(letter) if marks > _MARKS else _shown(letter))
    return "".join(shown)


def _shown(letter: str) -> str:
    if letter.isprintable() or letter == "\N{NO-BREAK SPACE}":
        return letter
    return " " if letter.isspace() else _escape(letter)


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
