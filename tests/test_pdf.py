"""The book as one PDF: which browser prints which page, and what is said where none does."""

import sys
from pathlib import Path

import pytest

from rainlens.site import pdf
from rainlens.site.sources import BookError


@pytest.fixture
def staged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A staged book whose pages in one are there already."""
    page = tmp_path / "_build" / "singlehtml" / "book" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text('<img src="../_static/a.png"><link href="_static/b.css">', encoding="utf-8")
    monkeypatch.setattr(pdf, "build", lambda folder, builder: page)
    return tmp_path


def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A program called chromium, and no other, on the path."""
    folder = tmp_path / "programs"
    folder.mkdir()
    program = folder / "chromium"
    program.write_text(f"#!{sys.executable}\nimport sys\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_all_pages_are_printed_from_where_their_style_sheets_lie(staged, monkeypatch) -> None:
    browser(
        staged, monkeypatch,
        "told = dict(a.removeprefix('--').split('=', 1) for a in sys.argv if '=' in a)\n"
        "page = open(sys.argv[-1].removeprefix('file://')).read()\n"
        "open(told['print-to-pdf'], 'w').write(page)",
    )  # fmt: skip
    printed = pdf.print_whole(staged)
    assert printed == staged / pdf.NAME
    assert printed.read_text() == '<img src="_static/a.png"><link href="_static/b.css">'


def test_a_browser_that_fails_is_quoted_and_leaves_no_older_pdf(staged, monkeypatch) -> None:
    browser(staged, monkeypatch, "sys.exit('no space left')")
    (staged / pdf.NAME).write_text("of last week")
    with pytest.raises(BookError, match="it last said: no space left"):
        pdf.print_whole(staged)
    assert not (staged / pdf.NAME).exists()


def test_a_browser_that_hangs_is_ended(staged, monkeypatch) -> None:
    browser(staged, monkeypatch, "import time\ntime.sleep(60)")
    monkeypatch.setattr(pdf, "SECONDS", 0.5)
    with pytest.raises(BookError, match=r"within 0\.5 s"):
        pdf.print_whole(staged)


def test_without_a_browser_it_says_what_to_install(staged, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(staged))
    with pytest.raises(BookError, match="install Chromium or Google Chrome"):
        pdf.print_whole(staged)
