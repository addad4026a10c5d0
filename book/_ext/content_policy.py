"""Tells browsers what a page of the book may load and run: its own files, and scripts we know.

What records say is escaped before it enters a page. Should something slip through all the same,
the build stops at it, and a browser would neither run it nor fetch anything for it from elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

from sphinx.errors import ExtensionError
from sphinx.util import logging

from rainlens.widgets import code_lab, rain_lab, toy, trainer_lab

logger = logging.getLogger(__name__)

POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",  # and the scripts that stand in the page itself, by their hashes
    "img-src": "'self' data:",  # figures stand in their pages
    # The theme, figures and formulas are laid out by attributes, of which there are thousands. A
    # style cannot run anything, nor, under the other rules, send anything away.
    "style-src": "'self' 'unsafe-inline'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
# The labs compute in a worker, whose script stands in the page's own, by WebAssembly: neither lets
# a page reach anything that it could not reach before.
LABS = (rain_lab.PLACE, code_lab.PLACE, trainer_lab.PLACE)
LAB = {"worker-src": "'self' blob:"}
LAB_CODE = "'wasm-unsafe-eval'"
META = '<meta http-equiv="Content-Security-Policy" content="{}">'
CHARSET = re.compile(r"<meta charset=[^>]*>")
# What could load, frame, send or redirect in a text, and no chapter needs.
REFUSED = set("iframe frame object embed applet base meta link form portal".split())
RUNS = ("javascript:", "vbscript:", "data:text/html")


def setup(app):
    policy = Policy()
    app.connect("html-page-context", policy.look, priority=990)
    # After the pages that others write then, such as the one that leads to the first.
    app.connect("build-finished", policy.write, priority=990)
    return {"parallel_read_safe": True, "parallel_write_safe": False}


class Policy:
    """The texts of the pages, so that the theme around them can be told from them."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def look(self, app, pagename: str, templatename: str, context: dict, doctree) -> None:
        """Notes the text of a page, and complains of what it must not hold."""
        text = context.get("body", "")
        self.texts[app.builder.get_target_uri(pagename)] = text
        for complaint in complaints(text):
            logger.warning("the text holds %s", complaint, location=pagename)

    def write(self, app, exception) -> None:
        """Puts its policy into each page that was built."""
        if exception or app.builder.format != "html":
            return
        pages = {path: self._read(app, path) for path in app.outdir.rglob("*.html")}
        built = {path: parts for path, parts in pages.items() if parts is not None}
        # The search reads other pages, and a browser then asks for its policy on their buttons.
        handlers = sorted({code for theme, _ in built.values() for code in Scripts(theme).handlers})
        for path, (theme, text) in built.items():
            page = path.read_text(encoding="utf-8")
            path.write_text(with_policy(page, theme, text, handlers), encoding="utf-8")

    def _read(self, app, path: Path) -> tuple[str, str] | None:
        """What the theme makes of a page, and its text; None for what this build did not write."""
        place = path.relative_to(app.outdir)
        page = path.read_text(encoding="utf-8")
        if "_static" in place.parts or Scripts(page).policies:
            return None
        text = self.texts.get(place.as_posix(), "")
        if text not in page:
            raise ExtensionError(f"{path} does not hold its text as it was written.")
        return page.replace(text, "", 1) if text else page, text


def with_policy(page: str, theme: str, text: str, handlers: Sequence[str]) -> str:
    """The page with its policy, which allows the scripts of the theme and none of the text.

    But those that we know: a hash of whatever stands in the text would allow anything. handlers:
    code in attributes that is allowed, too.
    """
    known = [script for script in Scripts(text).inline if script in known_scripts()]
    sources = list(dict.fromkeys(hashed(script) for script in [*Scripts(theme).inline, *known]))
    if handlers:
        sources += ["'unsafe-hashes'", *map(hashed, handlers)]
    rules = {**POLICY, "script-src": " ".join([POLICY["script-src"], *sources])}
    if any(place in text for place in LABS):
        rules |= {**LAB, "script-src": f"{rules['script-src']} {LAB_CODE}"}
    meta = META.format(escape("; ".join(f"{name} {rule}" for name, rule in rules.items()), False))
    # The browser looks for the encoding in the first kilobyte alone, and at scripts after that.
    charset = CHARSET.search(page)
    place = charset.end() if charset else 0
    return f"{page[:place]}{meta}{page[place:]}"


def known_scripts() -> set[str]:
    """The scripts that may stand in a text: the panel of the toy task."""
    return {f"\n{toy.panel_script()}\n"}


def hashed(script: str) -> str:
    """How a policy names a script."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def complaints(text: str) -> list[str]:
    """What the text of a page must not hold, in words."""
    found = Scripts(text)
    unknown = [script for script in found.inline if script not in known_scripts()]
    return [
        *(
            f"a script that the book does not know ({script.strip()[:40]!r}); if it is the panel's "
            "of another version, run `rainlens book --save`"
            for script in unknown
        ),
        *(f"a script from elsewhere ({source!r})" for source in found.foreign),
        *(f"code in an attribute ({code[:40]!r})" for code in found.handlers),
        *(f"the tag {tag}" for tag in found.tags if tag in REFUSED),
    ]


class Scripts(HTMLParser):
    """The scripts of some HTML: inline, from elsewhere, in attributes; its tags and policies."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.inline: list[str] = []
        self.foreign: list[str] = []
        self.handlers: list[str] = []
        self.tags: set[str] = set()
        self.policies: list[str] = []
        self._script: list[str] | None = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.handlers += [
            value
            for name, value in named.items()
            if name.startswith("on") or value.strip().lower().startswith(RUNS)
        ]
        if tag == "meta" and named.get("http-equiv", "").lower() == "content-security-policy":
            self.policies.append(named.get("content", ""))
        if tag == "script" and "src" in named:
            self.foreign += [s for s in [named["src"]] if urlsplit(s).scheme or urlsplit(s).netloc]
        elif tag == "script":
            self._script = []

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self._script.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._script is not None:
            self.inline.append("".join(self._script))
            self._script = None
