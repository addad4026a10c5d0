"""Figures carry their text, and pictures keep their pixels."""

import base64
import io
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from browser import axe
from browser.chromium import open_browser, set_screen
from matplotlib.figure import Figure
from PIL import Image

from rainlens import plots
from rainlens.records import Record

TRACKS = """
return [...document.querySelectorAll("[role=group]")].map((group) =>
  getComputedStyle(group).gridTemplateColumns.split(" ").length);
"""


def pictures_of(shown: plots.Shown) -> list[Image.Image]:
    found = re.findall(r"base64,([A-Za-z0-9+/=]+)", shown._repr_mimebundle_()["text/html"])
    return [Image.open(io.BytesIO(base64.b64decode(text))) for text in found]


def test_a_chart_has_alt_text_and_caption_and_is_closed():
    figure, axes = plt.subplots(figsize=(4, 2))
    axes.plot([1, 2])
    page = plots.chart(figure, alt='a "rising" line', caption="What to notice: it rises.")
    bundle = page._repr_mimebundle_()
    assert 'alt="a &quot;rising&quot; line"' in bundle["text/html"]
    assert "What to notice: it rises." in bundle["text/html"]
    assert bundle["text/plain"] == '[a "rising" line]'
    assert not plt.fignum_exists(figure.number)
    assert pictures_of(page)[0].width >= 4 * 150  # sharp on dense screens


def three_panels() -> Figure:
    figure, row = plt.subplots(1, 3, figsize=(9, 3), sharey=True)
    for axes in row:
        axes.plot([0, 1], [0, 1])
    row[0].set_ylabel("a measure")
    return figure


def test_panels_side_by_side_are_cut_where_nothing_is_drawn():
    plots.use_style()
    figure = three_panels()
    cuts = plots._cuts(figure)
    assert len(cuts) == 4 and cuts == sorted(cuts) and (cuts[0], cuts[-1]) == (0, 1)
    picture = np.array(plots._drawn(figure))
    for cut in cuts[1:-1]:
        column = picture[:, round(cut * picture.shape[1])]
        assert (column == 255).all()
    assert all(axes.yaxis.get_tick_params()["labelleft"] for axes in figure.axes)
    plt.close(figure)


def test_a_title_over_all_or_names_at_a_shared_axis_keep_a_figure_whole():
    plots.use_style()
    titled = three_panels()
    titled.suptitle("what a long title that stands above all of the three panels does")
    assert plots._cuts(titled) == [0, 1]
    figure, row = plt.subplots(1, 2, sharey=True)
    for axes in row:
        axes.barh([0, 1], [1, 2])
        axes.set_yticks([0, 1], ["one", "two"])
    assert plots._cuts(figure) == [0, 1]
    labelled = three_panels()
    labelled.supylabel("for all of them")
    assert len(plots._cuts(labelled)) == 4  # the words are no panel
    plt.close("all")


@pytest.mark.parametrize(("width", "rows"), [(1000, 1), (680, 1), (340, 3)])
def test_panels_stand_below_each_other_where_they_are_too_narrow(driver, tmp_path, width, rows):
    plots.use_style()
    shown = plots.chart(three_panels(), alt="they rise", caption="a caption")
    page = tmp_path / "page.html"
    html = shown._repr_mimebundle_()["text/html"]
    page.write_text(f"<!doctype html><body style='margin:0;width:{width}px'>{html}</body>")
    driver.get(page.as_uri())
    boxes = [image.rect for image in driver.find_elements("css selector", "img")]
    assert len(boxes) == 3 and len({round(box["y"]) for box in boxes}) == rows
    assert max(box["x"] + box["width"] for box in boxes) <= width + 1
    if rows == 1:
        assert max(box["height"] for box in boxes) - min(box["height"] for box in boxes) <= 1
    alts = [image.get_attribute("alt") for image in driver.find_elements("css selector", "img")]
    assert alts[0] == "they rise" and alts[1].startswith("panel 2 of 3")


def test_a_gallery_enlarges_by_whole_pixels():
    picture = torch.zeros(3, 4, 4)
    picture[:, 1, 2] = 1.0
    shown = plots.gallery([(picture, "one < dot")], alt="a dot", caption="", zoom=8)
    (image,) = pictures_of(shown)
    assert image.size == (32, 32)
    bright = np.asarray(image.convert("L")) > 128
    assert bright[8:16, 16:24].all() and bright.sum() == 64
    assert "one &lt; dot" in shown.body


def test_a_row_of_a_gallery_can_have_a_title():
    dot = torch.zeros(1, 2, 2)
    body = plots.gallery([(None, "cats & dogs"), (dot, "a"), (dot, "b")], "", "").body
    assert body.count("<img") == 2
    assert "grid-column:1/-1" in body and "cats &amp; dogs" in body


def test_pictures_are_scaled_evenly():
    assert "pixelated" not in plots.gallery([(torch.zeros(1, 2, 2), "a")], "", "").body


@pytest.fixture(scope="module")
def driver():
    with open_browser() as driver:
        yield driver


@pytest.mark.parametrize(
    ("width", "tracks"),
    [
        (290, [2, 3, 2, 3, 3]),
        (360, [2, 3, 2, 3, 3]),
        (620, [2, 3, 2, 5, 3]),
        (700, [2, 3, 4, 5, 6]),
        (900, [2, 3, 4, 5, 6]),
    ],
)
def test_columns_of_a_gallery_stay_or_fall_to_two_or_three(driver, tmp_path, width, tracks):
    dots = [(torch.zeros(1, 8, 8), "a")] * 12
    shown = [plots.gallery(dots, "", "", columns=columns) for columns in (2, 3, 4, 5, 6)]
    page = tmp_path / "page.html"
    parts = "".join(one._repr_mimebundle_()["text/html"] for one in shown)
    page.write_text(f"<!doctype html><body style='margin:0'>{parts}")
    set_screen(driver, width)
    driver.get(page.as_uri())
    assert driver.execute_script(TRACKS) == tracks


@pytest.mark.parametrize(
    "colours",
    [
        "color:#212121;background:#fff",
        "color:#d5d5d5;background:#383838",
        "color:#757575;background:#fff",
    ],
)
def test_a_caption_can_be_read_in_a_light_and_in_a_dark_notebook(driver, tmp_path, colours):
    dot = [(torch.zeros(1, 8, 8), "a")]
    shown = plots.gallery(dot, "", "What to notice.")
    asked = plots.guess("Which?", {"a": "Yes.", "b": "No."}, shown)
    parts = "".join(one._repr_mimebundle_()["text/html"] for one in (shown, asked))
    page = tmp_path / "page.html"
    page.write_text(
        "<!doctype html><html lang=en><title>A page</title>"
        f"<body style='{colours}'><main><h1>A page</h1>{parts}</main>"
    )
    driver.get(page.as_uri())
    axe.prepare(driver)
    faults = [fault for fault in axe.violations(driver) if fault.startswith("color-contrast")]
    # A grey that just passes by itself shows that the fainter one of captions is looked at.
    assert bool(faults) == ("#757575" in colours), faults


def test_enlarge_repeats_pixels():
    grown = plots.enlarge(torch.tensor([[1, 2]]), 2)
    assert grown.tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]


def test_counts_are_the_ticks_of_their_axis():
    _, axes = plt.subplots()
    plots.axis_of_counts(axes, (8, 64, 1024))
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["8", "64", "1,024"]
    assert axes.get_xscale() == "log"
    plt.close("all")


def test_a_guess_folds_the_measurement_and_replies_to_each_choice():
    figure, axes = plt.subplots()
    shown = plots.chart(figure, alt="it falls", caption="What to notice: it falls.")
    page = plots.guess("Which way?", {"up": "No, down.", "down": "Yes."}, shown)
    bundle = page._repr_mimebundle_()
    before, folded = bundle["text/html"].split("<details>")
    assert before.count('type="radio"') == 2 and 'alt="it falls"' not in before
    assert 'alt="it falls"' in folded and "No, down." in folded and "it falls." in folded
    assert bundle["text/plain"] == "[Which way? up / down? Measured: it falls]"


def test_a_reply_that_is_the_same_for_all_is_given_once():
    figure, axes = plt.subplots()
    shown = plots.chart(figure, alt="", caption="")
    body = plots.guess("Which?", {"up": "Neither.", "down": "Neither."}, shown).body
    assert body.count("Neither.") == 1 and "rl-reply" not in body


def test_questions_of_a_page_do_not_share_their_choices():
    figure, axes = plt.subplots()
    shown = plots.chart(figure, alt="", caption="")
    names = [re.search('name="([^"]+)"', plots.guess(q, {"a": ""}, shown).body)[1] for q in "AB"]
    assert names[0] != names[1]


def test_a_note_links_each_record_once():
    record = Record("derain-x", {"seed": 3}, {}, {})
    note = plots.source_note([record, record], "cpu")
    assert "1 seed, 1 record" in note and note.count("records/cpu/derain-x.json") == 1


def test_the_name_of_a_record_is_nothing_but_a_name():
    (link,) = plots.record_links(['derain-"><script>alert(1)</script>#\udc80'], "cpu")
    assert link.count("<") == 2 and link.count('"') == 2
    assert link.startswith(f'<a href="{plots.rainlens.REPOSITORY}/blob/main/records/cpu/derain-%22')
