"""The README: short, and with a way to everything."""

import re
from pathlib import Path

import pytest
from browser.chromium import open_browser, set_screen
from markdown_it import MarkdownIt

from rainlens.site import colab

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
MOST_PIXELS = 1800  # two screens
# As GitHub shows a README in a window of 1280 pixels.
STYLE = """
body { margin: 0 auto; width: 832px; font: 16px/1.5 "Segoe UI", "Noto Sans", Helvetica, Arial,
  sans-serif; }
h1, h2 { border-bottom: 1px solid; line-height: 1.25; margin: 24px 0 16px; padding-bottom: .3em; }
p, pre, table { margin: 0 0 16px; } img { max-width: 100%; }
code { font: 85% monospace; padding: .2em .4em; }
pre { font: 85%/1.45 monospace; overflow: auto; padding: 16px; } pre code { padding: 0; }
"""


@pytest.fixture(scope="module")
def text() -> str:
    return README.read_text(encoding="utf-8")


def test_it_takes_two_screens(text: str, tmp_path: Path) -> None:
    page = tmp_path / "readme.html"
    body = MarkdownIt().enable("table").render(text)
    body = body.replace('src="book/', f'src="{ROOT.as_uri()}/book/')
    page.write_text(f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>{body}")
    with open_browser() as driver:
        set_screen(driver, 1280)
        driver.get(page.as_uri())
        assert driver.execute_script("return document.images[0].naturalWidth") > 800
        assert driver.execute_script("return document.body.scrollHeight") < MOST_PIXELS


def test_it_leads_to_chapter_1_in_colab(text: str) -> None:
    assert f"({colab.address('01_unseen_rain')})" in text


def test_the_map_names_all_that_there_is(text: str) -> None:
    (listed,) = re.findall(r"## Where things are\n\n```\n(.*?)```", text, re.DOTALL)
    folders = ("notebooks", "book", "src/rainlens", "records", "tests", ".ci", "benchmarks")
    for name in (*(f"{folder}/" for folder in folders), "_config.yml", "_toc.yml"):
        assert name in listed and (ROOT / name).exists()


def test_what_it_no_longer_tells_stands_in_the_preface(text: str) -> None:
    preface = (ROOT / "book" / "preface.md").read_text(encoding="utf-8")
    assert "book/preface.md#how-to-run-it" in text and "\n## How to run it\n" in preface
    for word in ("--workers", "--scale gpu", "--ray", "records pack", "claims --long"):
        assert word in preface
