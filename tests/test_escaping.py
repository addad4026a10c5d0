"""Text from elsewhere, read back by the parsers of Markdown and HTML: it is the same."""

import random
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

from rainlens.escaping import as_code, escaped

# As _config.yml sets the book's Markdown; and GitHub's, which is much like that of notebooks.
EXTENSIONS = {"amsmath", "dollarmath", "colon_fence", "deflist", "html_image", "linkify"}
PARSERS = {
    "book": create_md_parser(MdParserConfig(enable_extensions=EXTENSIONS), RendererHTML),
    "notebook": MarkdownIt("gfm-like"),
}
HOSTILE = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "&lt;b&gt; &amp; &#60;",
    '" onload="alert(1)', "' onload='alert(1)", "-->", "<!--", "]]>", "</table></article>",
    "[here](https://example.org)", "![x](x.png)", "[a]: https://example.org", "[^1]", "(label)=",
    "https://example.org/x", "www.example.org", "see example.org", "me@example.org",
    "javascript:alert(1)", "`code`", "```python", "~~~", "~~gone~~", "*a* _b_ __c__ **d**",
    "a | b || c", "# heading", "> quoted", "- item", "+ item", "1. item", "1234) item", "---",
    "===", ":::{note}", ": definition", "% comment", "+++", "{term}`rain`", "{{ x }}", "$x$ $$y$$",
    r"\begin{equation}", r"\*", r"a\\b", "    indented", "| a |\n|---|\n| b |",
    "e.g. 0.35 [0.3, 0.4]", "1.", "2.13.0", "12:30",
]  # fmt: skip


class Text(HTMLParser):
    """What a reader sees of some HTML, and the tags in it with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.tags = "", []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def one_line(text: str) -> str:
    """What is left of a text of printable letters: its line ends become spaces."""
    return "".join(" " if letter.isspace() else letter for letter in text.strip())


def seen(parser: MarkdownIt, source: str) -> tuple[str, list[str]]:
    page = Text(parser.render(source))
    return page.text.strip("\n"), [tag for tag, _ in page.tags]


@pytest.mark.parametrize("kind", PARSERS)
@pytest.mark.parametrize("text", HOSTILE)
def test_it_says_what_it_says_and_does_nothing(kind: str, text: str) -> None:
    parser, plain = PARSERS[kind], one_line(text)
    assert seen(parser, escaped(text)) == (plain, ["p"])
    assert seen(parser, f"from {escaped(text)} on") == (f"from {plain} on", ["p"])
    page = Text(parser.render(f"| a | b |\n|---|---|\n| {escaped(text)} | 2 |"))
    assert [tag for tag, _ in page.tags].count("td") == 2
    assert {tag for tag, _ in page.tags} == {"table", "thead", "tbody", "tr", "th", "td"}
    assert page.text.split() == ["a", "b", *plain.split(), "2"]
    page = Text(f'<p title="{escaped(text)}" lang="{escaped(text)}">{escaped(text)}</p>')
    assert (page.text, page.tags) == (plain, [("p", {"title": plain, "lang": plain})])


def test_any_mixture_of_signs_does_nothing() -> None:
    source = random.Random(4)
    alphabet = "\\`*_[](){}|~$@.:#!<>&\"'-+=%^/; ab1\n"
    for _ in range(1500):
        text = "".join(source.choices(alphabet, k=source.randint(1, 12)))
        parser = PARSERS[source.choice(list(PARSERS))]
        words, tags = seen(parser, f"x {escaped(text)} y")
        assert (words.split(), tags) == (["x", *one_line(text).split(), "y"], ["p"]), repr(text)
        words, tags = seen(parser, escaped(text))
        assert words.split() == one_line(text).split() and set(tags) <= {"p"}, repr(text)


def test_code_stays_code() -> None:
    for parser in PARSERS.values():
        page = Text(parser.render(f"| {as_code('`a`|<b>')} |\n|---|"))
        assert (page.text.strip(), [tag for tag, _ in page.tags].count("code")) == ("`a`|<b>", 1)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cpu\u202e(46_68x)", r"cpu\u202e(46_68x)"),  # what follows would be read from the right
        ("a\u200bb\u2066c", r"a\u200bb\u2066c"),
        ("\x1b[31mred\x00", r"\x1b[31mred\x00"),
        ("\ud800", r"\ud800"),  # no file in UTF-8 can hold it
        ("\ue000\U000e0041", r"\ue000\U000e0041"),
        ("two\r\nlines\u2028here\tand", "two  lines here and"),
        ("0.35\N{NO-BREAK SPACE}dB", "0.35\N{NO-BREAK SPACE}dB"),
        ("Größe 5 µm, 東京, ≥ −½", "Größe 5 µm, 東京, ≥ −½"),
        ("e" + 5 * "\u0301", "\u00e9\u0301\u0301" + r"\u0301\u0301"),
    ],
)
def test_what_shows_nothing_or_acts_on_others_is_spelled_out(text: str, shown: str) -> None:
    assert Text(escaped(text)).text == shown
    escaped(text).encode()


def test_text_from_right_to_left_is_kept_apart() -> None:
    assert escaped("\u05d0\u05d1 1") == "\u2068\u05d0\u05d1 1\u2069"
    assert escaped("\u05d0\u2069\u05d1") == "\u2068\u05d0&#92;u2069\u05d1\u2069"


def test_long_text_is_cut_off() -> None:
    assert escaped("a" * 90, most=80) == "a" * 79 + "…"
    assert escaped("<" * 80, most=80) == "&lt;" * 80


def test_what_is_no_text_is_told_as_text() -> None:
    assert escaped(3) == "3" and escaped(None) == "None" and escaped([1]) == "&#91;1&#93;"
