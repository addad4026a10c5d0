"""What every page of the built book must keep, whoever reads it and however."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from browser import axe, links
from browser.built_book import CHAPTERS, PAGES, complaints
from browser.chromium import open_browser, serve, set_screen
from browser.toy_reader import wait

import rainlens

# The last part of the repository's address, because notebook services name it in theirs.
IN_REPOSITORY = re.compile(
    re.escape(urlsplit(rainlens.REPOSITORY).path) + r"/(?:blob|raw|tree)/main/([^?#]+)"
)
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')
MOST_BYTES = 3e6  # that a chapter may make its reader load
THEMES = ("light", "dark")
# Colours hardly depend on the width, so a few pages stand for all: with buttons, with a guess and
# galleries, with long lists, with sliders.
DARK_ON_A_PHONE = ("book/index", "notebooks/01_unseen_rain", "book/glossary", "book/rain_lab")
LOADED = """
return performance.getEntries()
  .filter((entry) => ["navigation", "resource"].includes(entry.entryType))
  .map((entry) => [entry.name, entry.encodedBodySize]);
"""
# The panel loads its network, and describes its plot, once it is seen.
PANEL_SETTLED = """
const panel = document.querySelector(".rl-toy, .rl-lab");
panel?.scrollIntoView({behavior: "instant"});
const live = panel?.querySelector("[aria-live]");
return !panel || (panel.dataset.rlStatus === "ready" && Boolean(live?.textContent));
"""
UNREADABLE = """
const article = document.querySelector("article");
const options = {opacityProperty: true, visibilityProperty: true};
// What is folded opens without a script; its summary must be there to be pressed.
const isFolded = (node) =>
  (node.tagName === "SUMMARY" ? node.parentElement.parentElement : node)
    .closest("details:not([open])");
const isShown = (node) => node.checkVisibility(options) && node.getClientRects().length > 0;
const parts = "h1, h2, h3, p, li, td, th, pre, figcaption, img, summary";
const read = [...article.querySelectorAll(parts)];
const title = article.querySelector("h1").getBoundingClientRect();
const onTop = document.elementFromPoint(title.left + 5, title.top + title.height / 2);
return [
  ...read.filter((node) => !isFolded(node) && !isShown(node)),
  ...[...article.querySelectorAll("img")].filter((image) => !image.naturalWidth),
  ...(article.contains(onTop) ? [] : [onTop]),
].map((node) => node.outerHTML.slice(0, 120));
"""
# Transparent where the page has no theme, which then has no colours at all.
BACKGROUND = "return getComputedStyle(document.body).backgroundColor"
CODE = "".join(
    f"<div class='highlight {place}'><pre><span class=p>(</span>{3 * '<span class=k>for</span>'}"
    "<span class=n>name</span></pre></div>"
    for place in ("first", "last")
)
GOOD_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<link rel="icon" href="data:,"><style>{style}</style></head><body><main><article>
<h1 id="title">A page</h1><p>Text.</p>{body}</article></main></body></html>"""


def violations_by_theme(driver: Any, themes: tuple[str, ...] = THEMES) -> dict[str, list[str]]:
    axe.prepare(driver)
    found = {}
    for theme in themes:
        axe.use_theme(driver, theme)
        found[theme] = axe.violations(driver)
    return found


def loaded(driver: Any) -> dict[str, int]:
    """Address -> size in bytes of all that the page has loaded, itself included."""
    return dict(driver.execute_script(LOADED))


def visit(browser: SimpleNamespace, page: str, width: int) -> Any:
    """The driver with a page of the book before it, its panel loaded if it has one."""
    set_screen(browser.driver, width)
    browser.driver.get(f"{browser.address}/{page}.html")
    wait(lambda: browser.driver.execute_script(PANEL_SETTLED), seconds=30)
    return browser.driver


@pytest.mark.parametrize("page", [*PAGES, "search"])
def test_axe_finds_no_violation(browser: SimpleNamespace, page: str) -> None:
    driver = visit(browser, page, 1280)
    assert violations_by_theme(driver) == {theme: [] for theme in THEMES}


@pytest.mark.parametrize("page", [*PAGES, "search"])
def test_axe_finds_no_violation_on_a_phone(browser: SimpleNamespace, page: str) -> None:
    themes = THEMES if page in DARK_ON_A_PHONE else THEMES[:1]
    driver = visit(browser, page, 390)
    assert violations_by_theme(driver, themes) == {theme: [] for theme in themes}


def test_the_pages_whose_dark_theme_is_audited_on_a_phone_exist() -> None:
    assert set(DARK_ON_A_PHONE) <= set(PAGES)


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_is_light_to_load(browser: SimpleNamespace, page: str) -> None:
    sizes = loaded(visit(browser, page, 1280))
    heaviest = sorted(sizes.items(), key=lambda item: -item[1])[:4]
    assert sum(sizes.values()) < MOST_BYTES, heaviest


def test_links_inside_the_book_lead_somewhere(site: Path) -> None:
    assert len(links.pages(site)) >= len(PAGES)
    assert links.dead_links(site) == []


def test_links_to_the_repository_name_files_that_it_has(site: Path) -> None:
    found = map(IN_REPOSITORY.search, links.outside_links(site, [links.ROOT / "README.md"]))
    named = {unquote(match[1]) for match in found if match}
    assert named
    assert [path for path in sorted(named) if not (links.ROOT / path).exists()] == []


def test_every_page_says_what_it_may_load(site: Path) -> None:
    pages = links.pages(site)
    assert {site / f"{page}.html" for page in [*PAGES, "index", "search", "genindex"]} <= set(pages)
    for path in pages:
        page = path.read_text(encoding="utf-8")
        (policy,) = POLICY.findall(page)
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        assert rules["default-src"] == "'self'" and rules["object-src"] == "'none'", path
        assert "'unsafe-inline'" not in rules["script-src"], path
        assert not re.search(r"https?:|\*", policy), path
        assert page.index("Content-Security-Policy") < page.find("<script") % len(page), path


@pytest.mark.parametrize("page", ["index", "search", "genindex", "search.html?q=rain"])
def test_the_other_pages_complain_about_nothing(browser: SimpleNamespace, page: str) -> None:
    browser.driver.get_log("browser")
    browser.driver.get(f"{browser.address}/{page if '?' in page else f'{page}.html'}")
    if "?" in page:
        found = "return document.querySelectorAll('#search-results li').length"
        wait(lambda: browser.driver.execute_script(found))
    assert complaints(browser.driver) == []


@pytest.fixture
def no_scripts(browser: SimpleNamespace) -> Iterator[Any]:
    """The browser of a reader who has switched JavaScript off."""
    command = "Emulation.setScriptExecutionDisabled"
    browser.driver.execute_cdp_cmd(command, {"value": True})
    try:
        yield browser.driver
    finally:
        browser.driver.execute_cdp_cmd(command, {"value": False})


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_can_be_read_without_scripts(
    no_scripts: Any, browser: SimpleNamespace, page: str
) -> None:
    set_screen(no_scripts, 1280)
    no_scripts.get(f"{browser.address}/{page}.html")
    assert no_scripts.execute_script(UNREADABLE) == []
    assert no_scripts.execute_script(BACKGROUND) == "rgb(255, 255, 255)"


# --- each of these gates can fail


@pytest.fixture(scope="module")
def made_up() -> Iterator[Any]:
    """A browser for pages that are no part of the book."""
    with open_browser() as driver:
        set_screen(driver, 1280)
        yield driver


def show(driver: Any, folder: Path, body: str = "", style: str = "") -> None:
    page = folder / "page.html"
    page.write_text(GOOD_PAGE.format(body=body, style=style), encoding="utf-8")
    driver.get(page.as_uri())


@pytest.mark.parametrize(
    ("body", "style", "rules"),
    [
        ("", "", []),
        ("<p>Faint</p>", "p { color: #bbb }", ["color-contrast"]),
        ("<details><p>Faint</p></details>", "details p { color: #bbb }", ["color-contrast"]),
        (CODE, ".k { color: #bbb }", ["color-contrast"]),
        (CODE, ".k { color: #060 } .n { color: #bbb }", ["color-contrast"]),
        (CODE, ".k, .n { color: #060 } .last { background: #050 }", ["color-contrast"]),
        (CODE, ".k, .n { color: #060 }", []),
        ("<svg role='img' width='9' height='9'></svg>", "", ["svg-img-alt"]),
        ("</article></main><p>Outside of every landmark</p>", "", ["region"]),
    ],
)
def test_axe_reports_a_fault(
    made_up: Any, tmp_path: Path, body: str, style: str, rules: list[str]
) -> None:
    show(made_up, tmp_path, body, style)
    found = violations_by_theme(made_up)["light"]
    assert {rule for rule in rules if any(line.startswith(rule) for line in found)} == set(rules)
    assert bool(found) == bool(rules)


def test_axe_sees_what_only_the_dark_theme_does(made_up: Any, tmp_path: Path) -> None:
    show(made_up, tmp_path, style="[data-theme=dark] p { color: #bbb }")
    found = violations_by_theme(made_up)
    assert found["light"] == [] and "color-contrast" in found["dark"][0]


def test_what_scripts_and_styles_load_is_weighed(made_up: Any, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(bytes(50_000))
    body = "<script>fetch('data.bin').then((answer) => answer.blob())</script>"
    with serve(tmp_path) as (address, _):
        (tmp_path / "page.html").write_text(GOOD_PAGE.format(body=body, style=""))
        made_up.get(f"{address}/page.html")
        wait(lambda: f"{address}/data.bin" in loaded(made_up))
        sizes = loaded(made_up)
    assert sizes[f"{address}/data.bin"] == 50_000
    assert sizes[f"{address}/page.html"] == (tmp_path / "page.html").stat().st_size


@pytest.mark.parametrize(
    ("body", "style", "unreadable"),
    [
        ("<details><summary>Code</summary><p>Folded</p></details>", "", 0),
        ("<p class=late>Waits for a script</p>", ".late { opacity: 0 }", 1),
        ("<p class=late>Waits for a script</p>", ".late { visibility: hidden }", 1),
        ("<img src='absent.png' alt='Absent'>", "", 1),
        ("</article><div id=cover></div><article>", "#cover { position: fixed; inset: 0 }", 1),
    ],
)
def test_what_cannot_be_read_is_noticed(
    made_up: Any, tmp_path: Path, body: str, style: str, unreadable: int
) -> None:
    show(made_up, tmp_path, body, style)
    assert len(made_up.execute_script(UNREADABLE)) == unreadable


def test_dead_links_are_noticed(tmp_path: Path) -> None:
    pages = {
        "a.html": "<a id=here href='#here'></a><a href='b/c.html?x=1#there'></a><a href='#'></a>"
        "<a href='https://example.org/none'></a><a href='#gone'></a><img src='none.png'>",
        "b/c.html": "<p id=there></p><a href='../a.html#h%65re'></a><a href='../a.html#away'></a>",
    }
    (tmp_path / "b").mkdir()
    for name, text in pages.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    dead = ["a.html: #gone", "a.html: none.png", "b/c.html: ../a.html#away"]
    assert links.dead_links(tmp_path) == dead


def test_outside_links_are_collected(tmp_path: Path) -> None:
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "macro.html").write_text("<a href='https://example.org/macro'></a>")
    (tmp_path / "a.html").write_text(
        "<a href='https://example.org/1#part'></a><a href='https://example.org/1'></a>"
        "<a href='b.html'></a><code>https://example.org/not-a-link</code>"
    )
    readme = tmp_path / "README.md"
    readme.write_text("See [one](https://example.org/1), <https://example.org/2> (http://x.org/3).")
    assert links.outside_links(tmp_path, [readme]) == {
        "http://x.org/3": ["README.md"],
        "https://example.org/1": ["a.html", "README.md"],
        "https://example.org/2": ["README.md"],
    }


def test_the_report_tells_answers_and_failures(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<p>Here</p>")
    with serve(tmp_path) as (address, _):
        assert links.status(f"{address}/a.html") == "200"
        assert links.status(f"{address}/b.html") == "404"
    assert links.status(f"{address}/a.html") == "ConnectionError"
