"""The policy of the pages: what a text must not hold, and what a browser makes of the rest."""

import base64
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from browser.built_book import complaints as console
from browser.chromium import open_browser, serve
from content_policy import Policy, Scripts, complaints, hashed

from rainlens.widgets import toy

# A page of a theme with a script, a handler and a style, around a text.
PAGE = """<!DOCTYPE html>
<html lang="en"><head>
<meta charset="utf-8" /><title>A page</title>
<link rel="icon" href="data:,"><script>window.theme = 1</script><style>p {{ margin: 3px }}</style>
</head><body><button onclick="window.pressed = &quot;yes&quot;">Press</button>
<script src="own.js"></script><article>{}</article></body></html>
"""
HOSTILE = """<p id="text" style="padding:7px">A text.</p>
<script>window.hacked = 1</script><img src="{0}/away.png" alt="" onerror="window.hacked = 2">
<script src="{0}/away.js"></script><button id="b" onclick="window.hacked = 3">x</button>
<script>fetch("{0}/fetched")</script><img id="here" alt="a dot" src="data:image/gif;base64,{1}">"""
DOT = "R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs="


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<script>alert(1)</script>", "does not know ('alert(1)')"),
        ("<SCRIPT\n>alert(1)</SCRIPT >", "does not know"),
        ("<script type=module>x</script>", "does not know"),
        ('<script src="https://evil.example/x.js"></script>', "from elsewhere"),
        ('<script src="//evil.example/x.js"></script>', "from elsewhere"),
        ('<script src="data:text/javascript,x"></script>', "from elsewhere"),
        ("<img src=x onerror=alert(1)>", "code in an attribute ('alert(1)')"),
        ('<a href=" JavaScript:alert(1)">x</a>', "code in an attribute"),
        ("<p><iframe src=x></iframe>", "the tag iframe"),
        ("<base href=//evil.example>", "the tag base"),
        ('<meta http-equiv="refresh" content="0;url=x">', "the tag meta"),
        ("<form action=https://evil.example>", "the tag form"),
    ],
)
def test_what_a_text_must_not_hold_is_named(text: str, words: str) -> None:
    told = complaints(f"<p>Before.</p>{text}<p>After.</p>")
    assert len(told) >= 1 and words in "; ".join(told)


def test_what_the_book_holds_is_let_through() -> None:
    panel = toy.static_panel({1: "../_static/toy/toy_o1.safetensors"}).data
    compare = '<script defer src="../_static/compare.js"></script>'
    others = '<details open><input type="radio"><p style="color:red">5 &lt; 6</p></details>'
    assert complaints(panel + compare + others) == []
    assert len(complaints(panel.replace("rainlens", "rainlense"))) == 1  # not one letter may differ


def test_a_hash_is_what_other_tools_make_of_a_script(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("window.theme = 1")
    command = ["openssl", "dgst", "-sha256", "-binary", str(tmp_path / "script")]
    try:
        digest = subprocess.run(command, capture_output=True, check=True).stdout
    except FileNotFoundError:
        pytest.skip("no openssl")
    assert hashed("window.theme = 1") == f"'sha256-{base64.b64encode(digest).decode()}'"


def write(folder: Path, pages: dict[str, tuple[str, str]]) -> dict[str, str]:
    """Pages as they are after a build: name -> the whole page, and its text as it was given."""
    policy = Policy()
    for name, (page, text) in pages.items():
        policy.texts[name] = text
        (folder / name).write_text(page)
    policy.write(SimpleNamespace(builder=SimpleNamespace(format="html"), outdir=folder), None)
    return {name: (folder / name).read_text() for name in pages}


def test_a_page_gets_one_policy_after_its_encoding(tmp_path: Path) -> None:
    redirect = '<meta http-equiv="Refresh" content="0; url=book/index.html" />'
    pages = {"a.html": (PAGE.format("<p>A.</p>"), "<p>A.</p>"), "index.html": (redirect, "")}
    page, first = write(tmp_path, pages).values()
    assert page.index("charset") < page.index("Content-Security-Policy") < page.index("<script")
    assert first.startswith('<meta http-equiv="Content-Security-Policy"') and redirect in first
    # A page that an earlier build left behind is left alone.
    assert list(write(tmp_path, {"a.html": (page, "<p>Other.</p>")}).values()) == [page]


def test_the_buttons_of_any_page_are_allowed_on_all(tmp_path: Path) -> None:
    """The search parses other pages, whose buttons its own policy is then asked about."""
    code = hashed('window.pressed = "yes"')
    pages = {"a.html": (PAGE.format(""), ""), "search.html": ("<meta charset=utf-8><p>", "")}
    assert all(code in page for page in write(tmp_path, pages).values())


def test_a_page_that_changed_its_text_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="does not hold its text"):
        write(tmp_path, {"a.html": (PAGE.format("<p>Otherwise.</p>"), "<p>As it was.</p>")})


@pytest.mark.parametrize("guarded", [True, False])
def test_a_browser_runs_the_themes_scripts_and_none_of_the_text(
    tmp_path: Path, guarded: bool
) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()
    (ours / "own.js").write_text("window.own = 1")
    (theirs / "away.js").write_text("window.hacked = 4")
    with (
        serve(ours) as (address, _),
        serve(theirs) as (elsewhere, asked),
        open_browser() as driver,
    ):
        text = HOSTILE.format(elsewhere, DOT)
        page = PAGE.format(text)
        write(ours, {"page.html": (page, text)} if guarded else {})
        if not guarded:
            (ours / "page.html").write_text(page)
        driver.get(f"{address}/page.html")
        driver.execute_script("for (const b of document.querySelectorAll('button')) b.click()")
        state = driver.execute_async_script(
            "const done = arguments[0]; setTimeout(() => done([window.theme, window.own,"
            " window.pressed, getComputedStyle(document.querySelector('#text')).padding,"
            " document.querySelector('#here').naturalWidth, window.hacked ?? null]), 300)"
        )
        assert state[:-1] == [1, 1, "yes", "7px", 1]
        # Without the policy, everything runs: so this test sees what the policy stops.
        assert (state[-1] is None) == guarded and (asked == []) == guarded
        said = console(driver)
    assert any("Content Security Policy" in line for line in said) == guarded


def test_scripts_of_a_page_are_read_as_browsers_read_them() -> None:
    found = Scripts("<script>if (a && '</p>' < b) x</script><p onclick='a &amp;&amp; b'>")
    assert found.inline == ["if (a && '</p>' < b) x"] and found.handlers == ["a && b"]
