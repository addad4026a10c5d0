"""The links of the built book: dead ones inside of it, and those that lead outside.

As a command it asks for every outside address and reports the answers, for a look now and then:

    python tests/browser/links.py [folder with the HTML; default: the book's last build]
"""

import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "_build" / "cpu" / "_build" / "html"
IN_TEXT = re.compile(r"https?://[^\s<>()\[\]\"'`]+")
SECONDS = 20
# Some sites turn away whoever does not look like a browser.
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0 Safari/537.36"}


@dataclass
class Page(HTMLParser):
    """What a page points to, and what can be pointed to in it."""

    targets: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value is not None:
                self.targets.append(value)
            elif value and (name == "id" or (tag == "a" and name == "name")):
                self.anchors.add(value)


@cache
def read(path: Path) -> Page:
    """The links and anchors of an HTML file."""
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def dead_links(site: Path) -> list[str]:
    """Every link of every page whose file or anchor is not there, as "page: link"."""
    return [
        f"{path.relative_to(site)}: {target}"
        for path in pages(site)
        for target in read(path).targets
        if not _is_alive(path, target)
    ]


def outside_links(site: Path, texts: list[Path]) -> dict[str, list[str]]:
    """Outside address -> names of the pages and texts (such as the README) that name it."""
    found: dict[str, list[str]] = {}
    for path in [*pages(site), *texts]:
        for address in dict.fromkeys(_outside(path)):
            found.setdefault(address, []).append(path.name)
    return dict(sorted(found.items()))


def pages(site: Path) -> list[Path]:
    """The pages of a built book, without the templates that lie among the theme's files."""
    return [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]


def status(address: str) -> str:
    """What a site answers: its status code, or the name of the failure."""
    try:
        # Streamed, and closed unread: the answer's head is enough.
        with requests.get(address, timeout=SECONDS, stream=True, headers=BROWSER) as answer:
            return str(answer.status_code)
    except requests.RequestException as error:
        return type(error).__name__


def _is_alive(path: Path, target: str) -> bool:
    link = urlsplit(target)
    if link.scheme or link.netloc:
        return True
    file = path.parent / unquote(link.path) if link.path else path
    if not file.is_file():
        return False
    # "#" alone and "#top" are the page's beginning in every browser.
    anchor = unquote(link.fragment)
    return anchor in ("", "top") or anchor in read(file.resolve()).anchors


def _outside(path: Path) -> Iterator[str]:
    if path.suffix == ".html":
        found = [target for target in read(path).targets if target.startswith("http")]
    else:
        found = [found.rstrip(".,;:") for found in IN_TEXT.findall(path.read_text("utf-8"))]
    # An anchor is the page's own matter: what is asked for is the page.
    return (address.split("#")[0] for address in found)


def main() -> None:
    """Print the status of every outside address, with the pages that name it."""
    site = Path(sys.argv[1]) if len(sys.argv) > 1 else BUILT
    if not pages(site):
        sys.exit(f"{site} holds no pages: build the book, or name the folder that does.")
    links = outside_links(site, [ROOT / "README.md"])
    with ThreadPoolExecutor(8) as pool:
        for (address, named), answer in zip(links.items(), pool.map(status, links), strict=True):
            print(f"{answer:>16}  {address}  ({', '.join(named)})", flush=True)


if __name__ == "__main__":
    main()
