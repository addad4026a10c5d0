"""The trainer: what is laid out for its page, and its panel in a browser."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from browser import axe
from browser.chromium import browse, set_media, touch
from browser.lab_reader import PAGE
from browser.lab_reader import Reader as LabReader
from browser.toy_reader import wait
from content_policy import complaints, with_policy

from rainlens.tasks.toy import Toy
from rainlens.widgets import trainer_lab
from rainlens.widgets.bundling import classic

ROOT = Path(__file__).resolve().parents[1]
CHAPTER = Toy(channels=136, iterations=12_345, batch=32)
# Short enough for a test, and long enough for the first quarter to show something.
PLAN = dict(steps=120, batch=4, rate=0.02, decay=0.03, warmup=10, measureEvery=10)
SLOW = {**PLAN, "steps": 100_000}
STATUS = ".rl-trainer .rl-status"


# --- what is laid out for a page


def test_a_page_gets_its_place_and_one_script(tmp_path: Path) -> None:
    trainer_lab.lay_out(tmp_path, CHAPTER)
    (written,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert written == tmp_path / trainer_lab.FOLDER / "trainer_lab.js"
    panel = trainer_lab.static_panel()
    assert f'src="../{trainer_lab.FOLDER}/trainer_lab.js"' in panel and "where scripts run" in panel
    assert complaints(panel) == []


def test_the_script_is_whole_small_and_asks_no_third_party() -> None:
    text = trainer_lab.script(CHAPTER)
    assert not re.search(r"^(import|export) ", text, re.MULTILINE)
    assert text.count("://") == text.count("http://www.w3.org/2000/svg") == 1
    assert len(text) < 80_000
    assert '"steps": 12345' in text and "fetch(" not in trainer_lab.told(CHAPTER)["worker"]


def test_a_page_with_the_trainer_may_start_a_worker() -> None:
    theme = "<html><head></head><body></body></html>"
    page = with_policy(theme, theme, trainer_lab.static_panel(), [])
    assert "worker-src 'self' blob:" in page


# --- the panel in a browser


class Reader(LabReader):
    """What a reader does on a page with the trainer."""

    panel = "document.querySelector('.rl-trainer')"
    handle = "rlTrainer"

    def train(self, label: str = "Train") -> "Reader":
        self.button(label).click()
        return self

    def at_least(self, step: int) -> "Reader":
        wait(lambda: (self.state()["run"]["step"] or 0) >= step, 30)
        return self

    def choose(self, **settings: int | str) -> "Reader":
        self.run(f"{self.panel}.{self.handle}.set(arguments[0])", settings)
        return self

    def rows(self) -> list[str]:
        return self.run(
            f"return [...{self.panel}.querySelectorAll('tbody tr')].map((row) => row.innerText)"
        )


def told_page(panel: str) -> str:
    return PAGE.format(title="The trainer", lab=panel, space=0)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small built book with the trainer, as it is, with a short training, and with a long one."""
    root = tmp_path_factory.mktemp("site")
    trainer_lab.lay_out(root, CHAPTER)
    shutil.copy(ROOT / "book" / "_static" / "rainlens.css", root / "_static")
    (root / "book").mkdir()
    broken = {"worker": "onmessage = () => { throw new Error('no') }"}
    for name, plan in (
        ("whole", {}), ("short", {"plan": PLAN}), ("long", {"plan": SLOW}), ("broken", broken),
    ):  # fmt: skip
        told = {**trainer_lab.told(CHAPTER), **plan, "seed": 1}
        script = classic(trainer_lab.MODULE, f"mountAll({json.dumps(told)});")
        if plan:
            (root / trainer_lab.FOLDER / f"{name}.js").write_text(script, encoding="utf-8")
        panel = trainer_lab.static_panel()
        panel = panel.replace("trainer_lab.js", f"{name}.js") if plan else panel
        # As on the book's pages, scripts do what their policy allows.
        page = with_policy(told_page(panel), told_page(""), panel, [])
        (root / "book" / f"{name}.html").write_text(page, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def browser(pages: Path) -> Iterator[SimpleNamespace]:
    with browse(pages) as found:
        yield found


@pytest.fixture
def reader(browser: SimpleNamespace) -> Reader:
    return Reader(browser, "short").until("idle")


def test_a_training_runs_to_its_end_and_the_answer_comes_nearer(reader: Reader) -> None:
    assert "Nothing is trained until you press Train" in reader.text(STATUS)
    reader.train().until("ready", 30)
    state = reader.state()
    errors = state["run"]["curves"]["errors"]
    assert state["run"]["curves"]["steps"] == list(range(0, 121, 10))
    assert {*errors} == {"own", "noise", "cosine", "triangle"}
    assert errors["own"][-1] < errors["own"][0] / 5
    assert state["tests"]["own"]["error"] == errors["own"][-1]
    assert errors["noise"][-1] > errors["own"][-1]
    wait(lambda: "step 120 of 120, done" in reader.text(STATUS))
    assert reader.find(".rl-trainer progress").get_attribute("value") == "120"
    assert reader.errors() == []


def test_nothing_works_or_loads_before_it_is_asked_for(
    browser: SimpleNamespace, reader: Reader
) -> None:
    loaded = [path for path in browser.asked if not path.endswith((".html", ".css"))]
    assert loaded == [f"/{trainer_lab.FOLDER}/short.js"]
    assert reader.run("return performance.getEntriesByType('resource').length") == 2
    assert reader.state()["runs"] == 0 and reader.rows() == []
    browser.asked.clear()
    reader.train().until("ready", 30)
    assert browser.asked == []


def test_it_stops_goes_on_and_begins_anew(browser: SimpleNamespace) -> None:
    reader = Reader(browser, "long").until("idle")
    assert not reader.button("Stop").is_enabled()
    reader.train().at_least(20)
    reader.button("Stop").click()
    reader.until("stopped")
    # What was sent before it heard of it may still arrive.
    reader.driver.execute_async_script("setTimeout(arguments[0], 200)")
    stopped = reader.state()["run"]["step"]
    reader.driver.execute_async_script("setTimeout(arguments[0], 300)")
    assert reader.state()["run"]["step"] == stopped
    assert "stopped" in reader.text(STATUS)
    reader.button("Go on").click()
    reader.until("training").at_least(stopped + 20)
    reader.choose(order=8)
    wait(lambda: "“Train anew” takes O = 8" in reader.text(STATUS))
    reader.train("Train anew")
    wait(lambda: reader.state()["run"]["order"] == 8)
    assert reader.at_least(10).state()["run"]["curves"]["steps"][0] == 0
    assert len(reader.rows()) == 2
    assert reader.errors() == []


def test_finished_runs_stay_listed_beside_each_other(reader: Reader) -> None:
    reader.train().until("ready", 30)
    first = reader.state()["tests"]
    reader.choose(order=8).train("Train anew").until("ready", 30)
    wait(lambda: "120 steps" in reader.rows()[1])
    one, eight = reader.rows()
    assert one.startswith("O = 1") and "8 channels, 120 steps" in one
    assert eight.startswith("O = 8")
    for name in ("own", "noise", "cosine", "triangle"):
        value = first[name]["error"]
        digits = 3 if value < 0.1 else 2 if value < 1 else 1 if value < 100 else 0
        assert f"{value:.{digits}f}" in one
    before = reader.run(f"return {reader.panel}.querySelectorAll('svg .rl-before').length")
    assert before == 3  # two lines, and their entry of the legend


def test_the_other_test_can_be_chosen(reader: Reader) -> None:
    reader.train().until("ready", 30)
    told = []
    for test, title in (
        ("noise", "Foreign noise: O = 1 under N(10, 5)"),
        ("cosine", "Another cosine: O = 8 under N(0, 1)"),
        ("triangle", "A triangle wave under N(0, 1)"),
    ):
        reader.find(f".rl-trainer input[value='{test}']").click()
        assert title in reader.text(".rl-trainer .rl-charts")
        trained = reader.run(
            f"return {reader.panel}.querySelectorAll('.rl-part > svg .rl-trained')"
        )
        assert len(trained) == (test != "noise")
        told.append(reader.text(".rl-trainer dl > div + div"))
    assert "nearer to" in told[1] and "nearer to" in told[2] and len({*told}) == 3


def test_all_can_be_done_by_keyboard_and_has_a_name_and_a_ring(reader: Reader) -> None:
    from selenium.webdriver.common.keys import Keys

    seen = []
    for name in reader.walk():
        seen.append(name)
        if key := {"O = 1": Keys.ARROW_RIGHT, "8 channels": Keys.ARROW_RIGHT,
                   "Train": Keys.ENTER}.get(name):  # fmt: skip
            reader.press(key)
    assert seen[:3] == ["O = 1", "8 channels", "Train"]
    state = reader.until("ready", 30).state()["run"]
    assert (state["order"], state["channels"]) == (2, 16)


def test_what_does_not_work_is_said_and_tried_again(browser: SimpleNamespace) -> None:
    reader = Reader(browser, "broken").until("idle").train().until("error")
    assert reader.find(".rl-notice").get_attribute("role") == "alert"
    assert "does not start a worker" in reader.text(".rl-notice")
    reader.button("Try again").click()
    reader.until("error")
    assert not reader.button("Stop").is_enabled() and reader.button("Train anew").is_enabled()
    assert len(reader.rows()) == 1


def test_a_finger_trains_and_stops(browser: SimpleNamespace) -> None:
    reader = Reader(browser, "long", 390).until("idle")

    def tap(label: str) -> None:
        box = reader.run(
            "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'});"
            "const {left, top, width, height} = arguments[0].getBoundingClientRect();"
            "return [left + width / 2, top + height / 2]",
            reader.button(label),
        )
        touch(reader.driver, [tuple(box)])

    tap("Train")
    reader.until("training").at_least(10)
    tap("Stop")
    reader.until("stopped")


def test_a_screen_reader_hears_beginning_and_end(reader: Reader) -> None:
    live = ".rl-trainer [aria-live=polite]"
    reader.train().until("ready", 30)
    wait(lambda: "Trained, step 120 of 120. Error as trained" in reader.text(live))
    assert "foreign noise, N(10, 5)" in reader.text(live)
    label = reader.find(".rl-trainer .rl-part > svg").get_attribute("aria-label")
    assert label.startswith("As trained: O = 1 under N(0, 1) Mean square distance")


@pytest.mark.parametrize("wish", ["reduce", "no-preference"])
def test_less_motion_means_fewer_pictures(browser: SimpleNamespace, wish: str) -> None:
    reader = Reader(browser, "long").until("idle")
    set_media(reader.driver, prefers_reduced_motion=wish)
    reader.run(
        "window.drawn = 0; new MutationObserver(() => (window.drawn += 1))"
        f".observe({reader.panel}.querySelector('.rl-part > svg'), {{childList: true}})"
    )
    reader.train().at_least(60)
    told, drawn = reader.run(
        f"return [{reader.panel}.rlTrainer.state().run.curves.steps.length, window.drawn]"
    )
    assert drawn < told - 2 if wish == "reduce" else drawn > 2


def test_a_page_opened_as_a_file_trains_the_same(browser: SimpleNamespace, reader: Reader) -> None:
    reader.train().until("ready", 30)
    served = reader.state()["tests"]
    browser.asked.clear()
    local = Reader(browser, (browser.site / "book" / "short.html").as_uri()).until("idle")
    local.train().until("ready", 30)
    assert local.state()["tests"] == served
    assert browser.asked == [] and local.errors() == []


def test_the_page_says_how_it_differs_from_the_chapter(browser: SimpleNamespace) -> None:
    reader = Reader(browser, "whole").until("idle")
    told = reader.text(".rl-trainer > .rl-column > .rl-soft")
    assert "there 136 channels" in told and "there 12,345 with 32" in told
    assert "Single runs differ" in told


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_overflows_and_axe_finds_no_fault(browser: SimpleNamespace, width: int) -> None:
    reader = Reader(browser, "short", width).until("idle")
    reader.train().until("ready", 30)
    reader.assert_it_fits(width)
    axe.prepare(reader.driver)
    for theme in ("light", "dark"):
        axe.use_theme(reader.driver, theme)
        assert axe.violations(reader.driver) == []
    assert reader.errors() == []
