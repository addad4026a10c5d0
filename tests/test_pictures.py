"""Pictures of a gallery open large, and another is wiped over them: by mouse, touch and keys."""

from pathlib import Path

import pytest
import torch
from browser import axe
from browser.chromium import open_browser, require_browser, set_screen

from rainlens import plots

STATIC = Path(__file__).resolve().parents[1] / "book" / "_static"
LABELS = ["rainy", "N = 8", "N = 512", "clean"]


def gallery() -> str:
    tiles: list = [(None, "comics")]
    for place, label in enumerate(LABELS):
        tiles.append((torch.full((3, 40, 40), place / 4), label))
    tiles += [(None, "faces"), (torch.full((3, 40, 40), 0.9), "N = 8")]
    shown = plots.gallery(tiles, "comics and faces", "a caption", columns=4)
    return shown._repr_mimebundle_()["text/html"]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    require_browser()
    page = tmp_path_factory.mktemp("pictures") / "page.html"
    page.write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Pictures</title>'
        f'<link rel="stylesheet" href="{(STATIC / "rainlens.css").as_uri()}">'
        f'<script defer src="{(STATIC / "pictures.js").as_uri()}"></script>'
        f"<main><h1>Pictures</h1>{gallery()}</main></html>",
        encoding="utf-8",
    )
    with open_browser() as driver:
        driver.get(page.as_uri())
        yield driver


@pytest.fixture(autouse=True)
def closed(browser):
    yield
    browser.execute_script("document.querySelector('.rl-viewer')?.close()")


def opened(browser, place: int):
    """Opens the picture of that place; the dialog."""
    browser.find_elements("css selector", ".rl-open")[place].click()
    dialog = browser.find_element("css selector", ".rl-viewer")
    assert dialog.is_displayed()
    return dialog


def name(dialog) -> str:
    return dialog.find_element("css selector", ".rl-name").text


def test_a_picture_opens_beside_what_went_in_and_the_line_follows_a_key(browser):
    dialog = opened(browser, 2)
    assert name(dialog) == "rainy | N = 512"
    wipe = dialog.find_element("css selector", ".rl-wipe")
    assert wipe.get_attribute("aria-label") == "Line between rainy on the left and N = 512"
    wipe.send_keys("\ue014")  # arrow to the right
    stage = dialog.find_element("css selector", ".rl-stage")
    assert stage.get_attribute("style") == "--at: 51%;"


def test_the_line_follows_a_finger_or_the_mouse(browser):
    dialog = opened(browser, 1)
    browser.execute_script(
        """const wipe = document.querySelector('.rl-viewer .rl-wipe');
        const { left, width, top } = wipe.getBoundingClientRect();
        wipe.dispatchEvent(new PointerEvent('pointermove',
          { clientX: left + width / 4, clientY: top + 5, buttons: 1, bubbles: true }));"""
    )
    assert "--at: 25%" in dialog.find_element("css selector", ".rl-stage").get_attribute("style")


def test_the_reader_chooses_the_other_picture_or_none(browser):
    dialog = opened(browser, 1)
    from selenium.webdriver.support.ui import Select

    other = dialog.find_element("css selector", "select")
    options = [option.text for option in other.find_elements("css selector", "option")]
    assert options == ["nothing", "rainy", "N = 512", "clean", "N = 8"]  # all but itself
    Select(other).select_by_visible_text("clean")
    assert name(dialog) == "clean | N = 8"
    Select(other).select_by_visible_text("nothing")
    assert name(dialog) == "N = 8"
    assert not dialog.find_element("css selector", ".rl-wipe").is_displayed()


def test_a_row_without_the_rainy_picture_compares_with_nothing_at_first(browser):
    dialog = opened(browser, 4)
    assert name(dialog) == "N = 8"


def test_next_goes_round_and_escape_leads_back(browser):
    dialog = opened(browser, 4)
    back, following, _ = dialog.find_elements("css selector", ".rl-bar button")
    following.click()
    assert name(dialog).endswith("rainy")
    back.click()
    assert name(dialog) == "N = 8"
    dialog.find_element("css selector", "select").send_keys("\ue00c")
    assert not dialog.is_displayed()
    label = browser.execute_script("return document.activeElement.getAttribute('aria-label')")
    assert label == "N = 8: open large"


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_the_screen_and_is_open_to_everyone(browser, width):
    set_screen(browser, width)
    dialog = opened(browser, 0)
    box = dialog.rect
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
    axe.prepare(browser)
    assert axe.violations(browser) == []
