"""Records that try to change what is published: their numbers count, their words do nothing.

There are two walls. What has not the form of a record is refused when it is read; that is tested
with the records. Here the first wall is taken away, so that the second is seen to stand alone.
"""

import itertools
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from browser.built_book import complaints
from browser.chromium import open_browser, require_browser, serve, set_screen
from test_escaping import Text

import rainlens
from rainlens import plots, scales
from rainlens.escaping import escaped
from rainlens.records import FORMAT, Record, RecordError, RecordStore, record
from rainlens.records.record import checksum
from rainlens.scales import RECORDS_VARIABLE
from rainlens.site import build, front_page, provenance, staging

ROOT = Path(__file__).resolve().parents[1]
RUN = "window.hacked=1;document.title='hacked'"
PAYLOADS = [
    f"<script>{RUN}</script>",
    f"<img src=/hacked onerror=\"{RUN}\">",
    f"\"><svg onload=\"{RUN}\"><p title=\"",
    f"</code></td></table></article><script>{RUN}</script>",
    "<iframe srcdoc='<script>parent.hacked=1</script>'></iframe><base href=//evil.example/>",
    '<meta http-equiv="refresh" content="0;url=/hacked"><link rel=stylesheet href=/hacked>',
    "<style>body{display:none}</style><!--", "--><h1 id=hacked>hacked</h1>", "&lt;b&gt;hacked",
    "[hacked](javascript:window.hacked=1)", "![x](/hacked)", "https://evil.example/hacked",
    "www.evil.example", "<https://evil.example>", "someone@evil.example", "[hacked]: /hacked",
    "| hacked | 99 | 99 |", "x\n| hacked | 99 | 99 |\n\n# hacked", "`` ` `` ```", "$$ \\hacked $$",
    "{raw}`hacked`", "```{raw} html\n<b id=hacked></b>\n```", ":::{note}\nhacked\n:::",
    "../../secret.txt", "/etc/passwd", "file:///etc/passwd", "C:\\hacked", "%2e%2e%2fsecret",
    "cpu \u202e(46_68x)\u202c", "a\u2067b", "a\u200b\u200d\ufeffb", "\u05d0\u05d1 99",
    "z" + 40 * "\u0335", "\x00\x1b[2J\x07", "\ud800", "\U000e0041", "n" * 5000, "", " ", "-dirty",
]  # fmt: skip


SHOWN = """
return [...document.querySelectorAll(arguments[0])].map((table) =>
  [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent)));
"""
# What no page of the book has, and what only a payload could have brought.
TRACES = """
const names =
  "[id=hacked], iframe, base, object, article meta, article link, article script, svg[onload]";
const links = [...document.querySelectorAll("article a[href], article [src]")]
  .map((node) => node.getAttribute("href") ?? node.getAttribute("src"));
return [window.hacked ?? null, document.title.includes("hacked"),
        [...document.querySelectorAll(names)]
          .filter((one) => !/(compare|pictures|blind).js$/.test(one.src)).length,
        links.filter((link) => /evil|hacked|secret|passwd|javascript:/.test(link)
                               && !link.startsWith(arguments[0]))];
"""
TURNED = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u200b\u200d\ufeff")


def spoilt(value: Any, words: Iterator[str], key: str = "") -> Any:
    """JSON with each string replaced by the next payload, but for the names of test sets."""
    if isinstance(value, dict):
        return {key: spoilt(item, words, key) for key, item in value.items()}
    if isinstance(value, list):
        return [spoilt(item, words) for item in value]
    return next(words) if isinstance(value, str) and key != "name" else value


def write(folder: Path, hostile: Record) -> None:
    """A record as an archive from elsewhere could bring it, its checksum in order."""
    body = {"format": FORMAT, **hostile.results, "provenance": hostile.provenance}
    text = json.dumps({**body, "sha256": checksum(body)})
    (folder / f"{hostile.name}.json").write_text(text, encoding="utf-8")


def made_up() -> list[Record]:
    """A record for each payload, which is its name, where a file can have it, and all else."""
    records = []
    for index, payload in enumerate(PAYLOADS):
        name = payload if payload.isprintable() and "/" not in payload and payload else "toy-x"
        near = [PAYLOADS[(index + step) % len(PAYLOADS)] for step in range(4)]
        told = dict(zip(("device", "threads", "torch", "commit"), near, strict=True))
        records.append(
            Record(f"{name[:80]}-{index}", {"seed": 0, "rain": payload, payload: payload}, {}, {},
                   provenance={**told, "seconds": 60.0}, task=payload)
        )  # fmt: skip
    return records


def shown_on_the_front_page() -> list[Record]:
    """The stored records behind the pictures that can be wiped, and the counts beside them."""
    setting = scales.SCALES["cpu"]
    # The page's own, or those of the chapters that stand in for them.
    ranges = front_page.RANGE, front_page.WIDEST
    fields = [dict(degradation=name, patches=front_page.COUNT, seed=0) for name in ranges]
    stand_ins = [setting.experiment(**chosen) for chosen in fields]
    names = [experiment.name for experiment in (*front_page.grid(setting), *stand_ins)]
    return [found for found in map(setting.store.load, names) if found is not None]


class Unchecked:
    """Takes any content of a file for a record."""

    def __init__(self, path: Path) -> None:
        pass

    def record(self, body: dict[str, Any]) -> Record:
        return Record(**body)


def laid_out(folder: Path, records: list[Record]) -> Path:
    """The book's pages in `folder`, completed from these records of the scale cpu."""
    pictures = scales.SCALES["cpu"].store.folder
    store = folder / "records" / "cpu"
    store.mkdir(parents=True)
    for one in records:
        write(store, one)
        for picture in pictures.glob(f"{one.name}.*.webp"):
            shutil.copy(picture, store)
    shutil.copytree(ROOT / "book", folder / "book")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(RECORDS_VARIABLE, str(folder / "records"))
        patch.setattr(record, "_Form", Unchecked)
        staging.lay_out_front_page(folder, "cpu")
        provenance.lay_out(folder / "book", scales.SCALES["cpu"])
    return folder / "book"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Two staged books from the same numbers: of honest words, and of hostile ones."""
    honest = shown_on_the_front_page()
    words = itertools.cycle(PAYLOADS)
    hostile = [
        replace(r, experiment=spoilt(r.experiment, words), provenance=spoilt(r.provenance, words))
        for r in honest
    ]
    folder = tmp_path_factory.mktemp("books")
    return SimpleNamespace(
        clean=laid_out(folder / "clean", honest),
        book=laid_out(folder / "hostile", [*hostile, *made_up()]),
        folder=folder / "hostile",
    )


@pytest.mark.parametrize("field", ["experiment", "provenance"])
def test_the_first_wall_stops_most_of_it(tmp_path: Path, field: str) -> None:
    honest, *_ = shown_on_the_front_page()
    write(
        tmp_path,
        replace(
            honest, **{field: spoilt(getattr(honest, field), itertools.cycle(reversed(PAYLOADS)))}
        ),
    )
    with pytest.raises(RecordError):
        RecordStore(tmp_path).load(honest.name)


def test_the_front_page_is_that_of_the_numbers(pages: SimpleNamespace) -> None:
    ours, theirs = (
        (book / "index.md").read_text(encoding="utf-8") for book in (pages.clean, pages.book)
    )
    assert "takes away" in ours and ours == theirs
    pictures = [sorted((b / "_static/front").iterdir()) for b in (pages.clean, pages.book)]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(*pictures, strict=True))


@pytest.fixture(scope="module")
def browser(pages: SimpleNamespace) -> Iterator[SimpleNamespace]:
    """A browser before a small book of these records; a page more shows figures of them."""
    require_browser()
    records = made_up()
    dot = torch.zeros(1, 2, 2)
    figures = [
        plots.gallery([(dot, text)], text, plots.source_note([one], "cpu"))
        for text, one in zip(PAYLOADS, records, strict=True)
    ]
    body = "\n\n".join(figure._repr_mimebundle_()["text/html"] for figure in figures)
    (pages.book / "figures.md").write_text(f"# Figures\n\n{body}\n", encoding="utf-8")
    (pages.folder / "notebooks").mkdir()
    shutil.copy(ROOT / "_config.yml", pages.folder)
    listed = "".join(
        f"  - file: book/{p}\n" for p in ("provenance", "figures", "references", "data")
    )
    (pages.folder / "_toc.yml").write_text(
        f"format: jb-book\nroot: book/index\nchapters:\n{listed}", encoding="utf-8"
    )
    with (
        serve(build.build(pages.folder).parent) as (address, asked),
        open_browser() as driver,
    ):
        set_screen(driver, 1280)
        yield SimpleNamespace(driver=driver, address=address, asked=asked)


def visible(text: object) -> str:
    """How a payload may be read on a page: what it holds, and nothing else."""
    return plain(Text(escaped(text, provenance.LONGEST)).text)


def plain(text: str) -> str:
    """Without the typography that Sphinx gives to all text: quotes, dashes, dots."""
    for made, of in {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "--", "—": "---"}.items():
        text = text.replace(made, of)
    return " ".join(text.replace("...", "…").split())


@pytest.mark.parametrize("page", ["index", "provenance", "figures"])
def test_words_of_records_do_nothing(browser: SimpleNamespace, page: str) -> None:
    driver = browser.driver
    driver.get_log("browser")
    browser.asked.clear()
    driver.get(f"{browser.address}/book/{page}.html")
    repository = f"{rainlens.REPOSITORY}/blob/main/records/cpu/"
    assert driver.execute_script(TRACES, repository) == [None, False, 0, []]
    assert driver.current_url == f"{browser.address}/book/{page}.html"
    assert [path for path in browser.asked if "hacked" in path or "secret" in path] == []
    assert complaints(driver) == []
    text = driver.execute_script("return document.querySelector('article').textContent")
    assert not TURNED & set(text)
    assert driver.execute_script("return document.querySelectorAll('article h1').length") == 1


def test_the_tables_say_what_the_records_say(browser: SimpleNamespace) -> None:
    browser.driver.get(f"{browser.address}/book/provenance.html")
    tables = browser.driver.execute_script(SHOWN, "article table")
    places = next(table for table in tables if table[0][0] == "device")
    commits = next(table for table in tables if table[0][0] == "commit of the code")
    assert {len(row) for row in places} == {5} and {len(row) for row in commits} == {3}
    told = {tuple(map(plain, row[:3])) for row in places}
    wanted = {
        tuple(visible(one.provenance[key]) for key in ("device", "threads", "torch"))
        for one in made_up()
    }
    assert wanted <= told
    assert {visible(r.provenance["commit"]) for r in made_up()} <= {plain(r[0]) for r in commits}


def test_the_pages_keep_their_shape(browser: SimpleNamespace) -> None:
    for width in (390, 1280):
        set_screen(browser.driver, width)
        browser.driver.get(f"{browser.address}/book/provenance.html")
        script = "return [document.documentElement.scrollWidth, innerWidth]"
        needed, there = browser.driver.execute_script(script)
        assert needed <= there
