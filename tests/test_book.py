"""The book's pages and settings: every entry and every link leads somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
MOST_BYTES = 40e6  # of the committed records, pages and notebooks together

FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1\s*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(\s*<?([^)>\s]+)>?(?:\s+[\"'(][^)]*)?\)")
REFERENCE = re.compile(r"^\[[^\]]+\]:\s*<?(\S+?)>?\s*$", re.MULTILINE)
ATTRIBUTE = re.compile(r"\b(?:src|href)=[\"']([^\"']+)[\"']")
CHAPTER_LINK = re.compile(r"\[Chapter (\d+)\]\(([^)]+)\)")
NOT_YET = re.compile(r"not yet \(Chapters? (\d+)(?: and (\d+))?\)")


class StrictLoader(yaml.SafeLoader):
    """YAML without second values for a key, which would silently replace the first."""


def _mapping(loader: StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} stands twice", node.start_mark
            )
    return loader.construct_mapping(node, deep=True)


StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(name: str) -> Any:
    return yaml.load((ROOT / name).read_text(encoding="utf-8"), StrictLoader)


def entries(toc: Any) -> Iterator[str]:
    """The pages of a table of contents, at any depth."""
    if isinstance(toc, list):
        for part in toc:
            yield from entries(part)
    elif isinstance(toc, dict):
        for key, value in toc.items():
            if key in ("root", "file"):
                yield value
            else:
                yield from entries(value)


def pages() -> list[Path]:
    """What a reader may follow links in: the book, the chapters, the README."""
    return [
        *sorted((ROOT / "book").glob("**/*.md")),
        *sorted((ROOT / "notebooks").glob("*.ipynb")),
        ROOT / "README.md",
    ]


def prose(page: Path) -> str:
    """The text of a page without code, which may contain brackets that are no links."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        cells = nbformat.reads(text, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return CODE.sub("", FENCE.sub("", text))


def local_links(page: Path) -> Iterator[str]:
    """Targets that are files of this repository, without the part after `#`."""
    text = prose(page)
    for pattern in (LINK, REFERENCE, ATTRIBUTE):
        for target in pattern.findall(text):
            path = unquote(target.split("#")[0])
            if path and not re.match(r"[a-z][a-z0-9+.-]*:|//", path, re.IGNORECASE):
                yield path


def chapters() -> dict[int, str]:
    """Number -> file name of the chapters there are."""
    found = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    return {int(path.name[:2]): path.name for path in found}


def test_a_key_given_twice_is_noticed():
    with pytest.raises(yaml.constructor.ConstructorError, match="'b' stands twice"):
        yaml.load("a: {b: 1, c: 2, b: 3}", StrictLoader)


@pytest.mark.parametrize("name", ["_config.yml", "_toc.yml"])
def test_settings_have_no_key_twice(name: str):
    assert read_yaml(name)


def test_the_book_does_not_execute_chapters_itself():
    """Jupyter Book's own execution would hide errors; papermill has run them before."""
    assert read_yaml("_config.yml")["execute"]["execute_notebooks"] == "off"


def test_every_entry_of_the_contents_exists():
    listed = list(entries(read_yaml("_toc.yml")))
    missing = [e for e in listed if not any((ROOT / f"{e}{s}").exists() for s in (".md", ".ipynb"))]
    assert listed and missing == []
    assert len(listed) == len(set(listed))


def test_every_chapter_and_page_is_in_the_contents():
    listed = set(entries(read_yaml("_toc.yml")))
    files = [page.relative_to(ROOT).with_suffix("") for page in pages() if page.parent != ROOT]
    assert [str(file) for file in files if file.as_posix() not in listed] == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path):
    # A page that Sphinx builds may leave out the suffix of another.
    dead = [
        link
        for link in local_links(page)
        if not any((page.parent / f"{link}{suffix}").exists() for suffix in ("", ".md", ".ipynb"))
    ]
    assert dead == []


def test_the_figure_map_names_chapters_by_their_number():
    links = CHAPTER_LINK.findall(prose(ROOT / "book/figure_map.md"))
    assert links
    for number, target in links:
        assert Path(target).name == chapters().get(int(number)), f"Chapter {number} -> {target}"


def test_the_figure_map_calls_no_finished_chapter_missing():
    """The day a chapter appears, its rows must say so."""
    promised = NOT_YET.findall(prose(ROOT / "book/figure_map.md"))
    numbers = {int(number) for pair in promised for number in pair if number}
    assert sorted(numbers & set(chapters())) == []


def test_the_book_stays_small():
    """Records, pages and notebooks, without what git ignores."""
    files = [
        path
        for folder in ("book", "notebooks", "records")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    ]
    ignored = ("records/smoke/", "/.unfinished/", ".ipynb_checkpoints/")
    kept = [path for path in files if not any(part in path.as_posix() for part in ignored)]
    assert sum(path.stat().st_size for path in kept) < MOST_BYTES
