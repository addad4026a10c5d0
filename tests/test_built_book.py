"""The built book in a real browser, with every outside address out of reach."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from browser.built_book import CHAPTERS, PAGES, complaints
from browser.chromium import set_media, set_screen
from browser.toy_reader import Reader, wait

from rainlens import scales, toy_evaluation
from rainlens.tasks import toy as toy_task

SETTING = scales.SCALES["cpu"]
# Of each guess, its choices, and the replies that are seen.
GUESSES = """
return [...document.querySelectorAll(".rl-guess")].map((guess) => {
  const replies = [...guess.querySelectorAll(".rl-reply")];
  const seen = replies.filter((reply) => reply.checkVisibility());
  return {choices: guess.querySelectorAll("input").length, replies: replies.length,
          seen: seen.map((reply) => replies.indexOf(reply))};
});
"""
OPEN_GUESSES = "for (const d of document.querySelectorAll('.rl-guess details')) d.open = true"
CHOOSE = """
for (const guess of document.querySelectorAll(".rl-guess")) {
  guess.querySelectorAll("input")[arguments[0]]?.click();
}
"""
# What is seen of each fold: its handle, its content.
FOLDS = """
return [...document.querySelectorAll("article details")].map((fold) => {
  const [handle, ...content] = fold.children;
  const kept = ["hide", "rl-made"].some((name) => fold.classList.contains(name));
  const isGuess = fold.parentElement.classList.contains("rl-guess");
  return [kept ? "kept" : isGuess ? "guess" : "text", handle.checkVisibility(),
          content.some((part) => part.checkVisibility())];
});
"""


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_and_complains_about_nothing(browser, page: str, width: int) -> None:
    driver = browser.driver
    set_screen(driver, width)
    driver.get_log("browser")
    driver.get(f"{browser.address}/{page}.html")
    script = "return [document.documentElement.scrollWidth, innerWidth]"
    needed, there = driver.execute_script(script)
    assert needed <= there
    pictures = driver.execute_script(
        "return [...document.images].filter((i) => !i.complete || !i.naturalWidth || !i.alt)"
        ".map((i) => i.src.slice(0, 80))"
    )
    assert pictures == []
    assert complaints(driver) == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_what_it_is_about_to_those_who_share_it(browser, page: str) -> None:
    driver = browser.driver
    driver.get(f"{browser.address}/{page}.html")
    told = driver.execute_script(
        "return Object.fromEntries([...document.querySelectorAll('meta[name], meta[property]')]"
        ".map((one) => [one.getAttribute('name') ?? one.getAttribute('property'), one.content]))"
    )
    assert len(told["description"]) > 40 and "<" not in told["description"]
    assert told["og:title"] and told["og:url"].endswith(f"/{page}.html")
    assert told["og:image"].endswith("/_static/social.jpg")


def test_the_picture_of_a_shared_link_and_the_map_of_all_pages_are_there(browser) -> None:
    driver = browser.driver
    driver.get(f"{browser.address}/_static/social.jpg")
    assert driver.execute_script("return document.images[0].naturalWidth") == 1200
    driver.get(f"{browser.address}/sitemap.xml")
    assert all(f"/{page}.html" in driver.page_source for page in PAGES)


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_guess_replies_to_its_choice(browser: SimpleNamespace, page: str) -> None:
    driver = browser.driver
    set_media(driver)
    driver.get(f"{browser.address}/{page}.html")
    driver.execute_script(OPEN_GUESSES)
    for guess in driver.execute_script(GUESSES):
        assert guess["seen"] == list(range(guess["replies"]))
        assert guess["replies"] in (0, guess["choices"])
    most = max((guess["choices"] for guess in driver.execute_script(GUESSES)), default=0)
    for choice in range(most):
        driver.execute_script(CHOOSE, choice)
        for guess in driver.execute_script(GUESSES):
            chosen = min(choice, guess["choices"] - 1)
            assert guess["seen"] == ([chosen] if guess["replies"] else [])
    # Paper cannot be clicked.
    set_media(driver, "print")
    for guess in driver.execute_script(GUESSES):
        assert guess["seen"] == list(range(guess["replies"]))
    set_media(driver)


@pytest.mark.parametrize("page", CHAPTERS)
def test_paper_shows_answers_but_no_folded_code(browser: SimpleNamespace, page: str) -> None:
    driver = browser.driver
    driver.get(f"{browser.address}/{page}.html")
    set_media(driver)
    contents = [content for _, _, content in driver.execute_script(FOLDS)]
    assert contents and not any(contents)
    set_media(driver, "print")
    printed = {"text": [True, True], "guess": [False, True], "kept": [False, False]}
    assert all(printed[kind] == seen for kind, *seen in driver.execute_script(FOLDS))
    # What a reader has opened is wanted.
    driver.execute_script("document.querySelector('details.hide').open = true")
    assert ["kept", True, True] in driver.execute_script(FOLDS)
    set_media(driver)


def test_paper_is_not_asked_to_be_dragged_or_clicked(browser: SimpleNamespace) -> None:
    driver = browser.driver
    set_media(driver)
    driver.get(f"{browser.address}/book/index.html")
    words = driver.find_elements("css selector", ".rl-screen")
    assert any("Drag" in one.text for one in words) and all(one.is_displayed() for one in words)
    set_media(driver, "print")
    assert not any(one.is_displayed() for one in words)
    set_media(driver)


def test_the_cell_for_colab_is_in_no_page(site: Path) -> None:
    pages = [page.read_text(encoding="utf-8") for page in (site / "notebooks").glob("*.html")]
    assert pages and not [page for page in pages if "requirements-colab" in page]


@pytest.fixture
def reader(browser: SimpleNamespace) -> Reader:
    reader = Reader(browser, "03_toy_task")
    reader.run("document.querySelector('.rl-toy').scrollIntoView()")
    return reader.until("ready")


def test_the_panel_runs_the_recorded_networks(reader: Reader) -> None:
    random = np.random.default_rng(1)
    networks = {
        order: toy_task.trained(SETTING.toy(order), SETTING.store)
        for order in toy_evaluation.ORDERS
    }
    for trial in range(20):
        reader.set(
            network=toy_evaluation.ORDERS[trial % 3],
            order=float(random.uniform(0.5, 12)),
            mean=float(random.uniform(-15, 15)),
            spread=float(random.uniform(0, 8)),
            seed=trial,
        )
        state = reader.state()
        with torch.no_grad():
            expected = networks[state["network"]](torch.tensor([[state["x"], state["input"]]]))
        assert np.abs(np.array(state["output"]) - expected[0, 1].numpy()).max() < 1e-2
    assert complaints(reader.driver) == []


def test_the_panel_in_the_page_is_drawn_on_and_used(reader: Reader) -> None:
    before = reader.state()
    reader.drag([(-8, 6), (0, -6), (6, -6)])
    drawn = reader.state()
    assert drawn["shape"] == "drawing" and drawn["truth"] != before["truth"]
    reader.button("Clear drawing").click()
    reader.pick(8)
    reader.until("ready")
    assert reader.state()["network"] == 8
    reader.button("New noise").click()
    assert reader.state()["input"] != before["input"]


def test_a_network_is_trained_in_the_page(browser: SimpleNamespace) -> None:
    browser.driver.get(f"{browser.address}/notebooks/03_toy_task.html")
    browser.driver.find_element("xpath", "//button[text()='Train']").click()
    wait(lambda: browser.driver.execute_script(
        "return document.querySelector('.rl-trainer').rlTrainer.state().run.step > 0"
    ))  # fmt: skip
    assert complaints(browser.driver) == []


def test_without_scripts_the_page_can_be_read(browser: SimpleNamespace) -> None:
    driver = browser.driver
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        set_media(driver)
        driver.get(f"{browser.address}/notebooks/03_toy_task.html")
        assert "needs JavaScript" in driver.find_element("css selector", ".rl-toy").text
        # It says that figures above and below show the same networks.
        tops = driver.execute_script(
            "return ['.rl-toy', 'figure.rl-figure'].map((kind) =>"
            " [...document.querySelectorAll(kind)].map((one) => one.getBoundingClientRect().top))"
        )
        (panel,), figures = tops
        assert min(figures) < panel < max(figures)
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
