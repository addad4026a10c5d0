"""The reader judges: which pairs they see, their verdicts as a file, and the page in a browser."""

import json
import math
import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from browser import axe
from browser.built_book import complaints
from browser.chromium import browse, set_screen, touch
from browser.toy_reader import wait

from rainlens import images, preferences, scales, tasks
from rainlens.claims import quality
from rainlens.data import PictureError
from rainlens.judging import blind, reader
from rainlens.judging.blind import MEASURES, BlindPair, Manifest, Measure, Output, manifest
from rainlens.judging.pairs import JudgingError
from rainlens.judging.reader import NEITHER, Share, Verdict, Verdicts, agreement, read_verdicts
from rainlens.models.rain_judge import RainJudge
from rainlens.records import Record, RecordError, RecordStore, described
from rainlens.scales import RECORDS_VARIABLE
from rainlens.site import blind as pages
from rainlens.tasks.judge import STEPS

ROOT = Path(__file__).resolve().parents[1]
SOURCE = (ROOT / "book" / "blind.md").read_text(encoding="utf-8")
CPU = scales.SCALES["cpu"]
MOST_BYTES = 1e6  # of all pictures and the pairs; a page may have three times as much


@pytest.fixture(scope="module")
def pairs() -> Manifest:
    """The pairs of the records that come with the book."""
    return manifest()


def output(maker: str, **values: float | None) -> Output:
    return Output(maker, maker.encode(), {name: values.get(name) for name in MEASURES})


def made_up(*values: tuple[dict[str, float | None], dict[str, float | None]]) -> Manifest:
    """Pairs p01, p02, ... whose two pictures have these values."""
    return Manifest(
        tuple(
            BlindPair(f"p{n:02}", "cat", b"rainy", output(f"a{n}", **a), output(f"b{n}", **b))
            for n, (a, b) in enumerate(values, 1)
        )
    )


def told(verdicts: Verdicts) -> dict[str, Any]:
    """As the page saves them."""
    answers = [vars(answer) for answer in verdicts.answers]
    return {"format": 1, "pairs": verdicts.pairs, "seed": verdicts.seed, "answers": answers}


# --- the pairs


def test_the_pairs_are_of_the_records(pairs: Manifest) -> None:
    assert 12 <= len(pairs.pairs) <= 16
    assert len({pair.name for pair in pairs.pairs}) == len(pairs.pairs)
    assert [pair.photograph for pair in pairs.pairs[:3]] == ["cat", "coffee", "cat"]
    for number, (pair, makers) in enumerate(zip(pairs.pairs, blind.contests(CPU), strict=True)):
        for side, (maker, experiment) in zip((pair.a, pair.b), makers, strict=True):
            record = CPU.store.load(experiment.name)
            file = f"{record.name}.shown_unseen.{number % 2}.webp"
            assert side.picture == (CPU.store.folder / file).read_bytes()
            assert side.maker == maker
            assert side.values["psnr"] == record.tests["shown_unseen"]["psnr"][number % 2]
        assert pair.a.picture != pair.b.picture


def test_a_maker_is_named_by_what_it_differs_in(pairs: Manifest) -> None:
    named = [side.maker for pair in pairs.pairs for side in (pair.a, pair.b)]
    makers = [maker.replace("\N{NO-BREAK SPACE}", " ") for maker in named]
    assert makers[:2] == [f"ResNet, N = {n}, medium range of rain" for n in (8, 512)]
    assert "SwinIR, N = 1,024, soft pictures, medium range of rain" in makers
    assert all(pair.a.maker != pair.b.maker for pair in pairs.pairs)


def test_a_judge_that_is_not_recorded_has_no_row(pairs: Manifest) -> None:
    known = {"gain", "response", "e_r", "e_b", "psnr", "ssim"}
    judged = blind._judge(CPU) is not None
    assert set(pairs.measures) == known | ({blind.JUDGE} if judged else set())


def test_without_records_there_are_no_pairs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RECORDS_VARIABLE, str(tmp_path))
    empty = manifest()
    assert empty.pairs == () and empty.measures == {}
    pages.write_pairs(tmp_path / "pairs", empty)
    assert [path.name for path in (tmp_path / "pairs").iterdir()] == [pages.SCRIPT]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecordStore:
    """A store with the makers of the first pair alone."""
    monkeypatch.setenv(RECORDS_VARIABLE, str(tmp_path))
    for _, experiment in blind.contests(CPU)[0]:
        for path in (ROOT / "records" / "cpu").glob(f"{experiment.name}.*"):
            (tmp_path / "cpu").mkdir(exist_ok=True)
            shutil.copy(path, tmp_path / "cpu")
    return CPU.store


def judge_record(slope: float) -> Record:
    """A judge whose score rises by `slope` with the amount of rain, whatever else is done."""
    experiment = quality.judge_of_rain(CPU)
    gate = {
        f"{damage}{amount:.2f}": [slope * amount] * 4
        for damage in quality.DAMAGES
        for amount in STEPS
    }
    return Record(experiment.name, described(experiment), {}, {"gate": gate}, task="judge")


def test_a_recorded_judge_scores_the_stored_pictures(store: RecordStore) -> None:
    torch.manual_seed(0)
    judge, record = RainJudge(), judge_record(8.0)
    store.save(record, weights=tasks.halved(judge.state_dict()))
    judge.load_state_dict(tasks.halved(judge.state_dict()))
    (pair,) = manifest().pairs
    for side, (_, maker) in zip((pair.a, pair.b), blind.contests(CPU)[0], strict=True):
        picture = store.picture(store.load(maker.name), "shown_unseen", 0)
        score = judge(images.to_unit(picture)[None]).item()
        assert side.values[blind.JUDGE] == pytest.approx(score, abs=1e-6)
    assert blind.JUDGE in manifest().measures
    store.weights_path(record.name).write_bytes(b"other bytes")
    with pytest.raises(RecordError, match="is damaged"):
        manifest()
    store.save(record, weights={"other": torch.zeros(1)})
    with pytest.raises(RecordError, match="not hold this network's weights"):
        manifest()


def test_a_judge_that_does_not_pass_its_gate_has_no_row(store: RecordStore) -> None:
    store.save(judge_record(0.1), weights=tasks.halved(RainJudge().state_dict()))
    assert blind.JUDGE not in manifest().measures


def test_a_damaged_picture_is_refused(store: RecordStore) -> None:
    next(store.folder.glob("*.shown_unseen.0.webp")).write_bytes(b"damaged")
    # The first records had no checksums; then the picture itself is refused.
    with pytest.raises((RecordError, PictureError)):
        manifest()


@pytest.mark.parametrize(
    ("measure", "a", "b", "choice"),
    [
        (Measure("more", 1), 2.0, 1.0, "a"),
        (Measure("less", -1), 2.0, 1.0, "b"),
        (Measure("more", 1), 1.0, 1.0, None),
        (Measure("more", 1), None, 1.0, None),
        (Measure("less", -1, 0.5), 1.0, 1.4, None),
        (Measure("less", -1, 0.5), 1.0, 1.5, "a"),
    ],
)
def test_a_measure_chooses(
    measure: Measure, a: float | None, b: float | None, choice: str | None
) -> None:
    assert measure.choice(a, b) == choice


@pytest.mark.parametrize("probability", [0.2, 0.4, 0.41, 0.5, 0.59, 0.6, 0.9])
def test_the_judge_is_as_sure_here_as_elsewhere(probability: float) -> None:
    scores = 0.0, math.log(probability / (1 - probability))  # P(a has less rain) = sigmoid(b - a)
    decided = not bool(preferences.is_tie(probability))
    expected = ("a" if probability > 0.5 else "b") if decided else None
    assert MEASURES[blind.JUDGE].choice(*scores) == expected


def test_the_files_tell_nothing_and_weigh_little(pairs: Manifest, tmp_path: Path) -> None:
    pages.write_pairs(tmp_path, pairs)
    files = list(tmp_path.iterdir())
    names = {path.name for path in files} - {pages.SCRIPT}
    assert all(re.fullmatch(r"[0-9a-f]{12}\.webp", name) for name in names)
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    script = (tmp_path / pages.SCRIPT).read_text(encoding="utf-8")
    held = json.loads(script.removeprefix("globalThis.rainlensPairs = ").removesuffix(";\n"))
    sides = [pair[side]["picture"] for pair in held["pairs"] for side in "ab"]
    assert {*sides, *(pair["rainy"] for pair in held["pairs"])} == names


def test_the_page_gets_its_panel(pairs: Manifest, tmp_path: Path) -> None:
    shutil.copy(ROOT / "book" / "blind.md", tmp_path)
    pages.lay_out(tmp_path, pairs)
    page = (tmp_path / "blind.md").read_text(encoding="utf-8")
    assert SOURCE.count(pages.MARK) == page.count(pages.PANEL) == 1 and pages.MARK not in page
    assert (tmp_path / pages.FOLDER / pages.SCRIPT).is_file()


# --- verdicts


EXAMPLE = made_up(
    ({"psnr": 30, "e_b": 2}, {"psnr": 20, "e_b": 1}),  # PSNR: a, E_B: b
    ({"psnr": 10, "e_b": 5}, {"psnr": 20, "e_b": 5}),  # PSNR: b, E_B does not tell
    ({"psnr": 10}, {"psnr": 20, "e_b": 5}),  # PSNR: b, E_B is not known
)
ANSWERS = (
    Verdict("p02", "a", "b", "a"),
    Verdict("p01", "b", "a", "a"),
    Verdict("p03", "b", "a", NEITHER),
)


def test_agreement_counts_what_both_decided() -> None:
    found = agreement(Verdicts(EXAMPLE.digest, 7, ANSWERS), EXAMPLE)
    assert found.less == {"psnr": Share(2, 3), "e_b": Share(0, 1)}
    assert found.keep == {"psnr": Share(1, 2), "e_b": Share(0, 1)}
    assert found.differed == Share(1, 2)
    assert found.left == Share(1, 5)
    assert found.less["psnr"].fraction == preferences.wilson(2, 3)
    assert list(found.table["measure"]) == ["Smaller E_B", "Higher PSNR"]
    assert found.table["keep"][1].startswith("1 of 2: 0.50 [")


def test_no_answer_agrees_with_nothing() -> None:
    found = agreement(Verdicts(EXAMPLE.digest, 7, ()), EXAMPLE)
    assert found.less["psnr"] == Share(0, 0) and math.isnan(found.left.fraction.value)
    assert set(found.table["keep"]) == {"no pair"}


def test_verdicts_on_other_pairs_are_refused() -> None:
    other = Verdicts(EXAMPLE.digest, 7, (Verdict("p09", "a", "a", "a"),))
    for verdicts in (Verdicts("0" * 16, 7, ()), other):
        with pytest.raises(JudgingError, match="other pairs"):
            agreement(verdicts, EXAMPLE)


def test_a_file_of_verdicts_is_read(tmp_path: Path) -> None:
    file = tmp_path / "verdicts.json"
    file.write_text(json.dumps(told(Verdicts(EXAMPLE.digest, 7, ANSWERS))))
    read = read_verdicts(file)
    assert read == Verdicts(EXAMPLE.digest, 7, ANSWERS)
    assert read.table.to_dict("list") == {
        "pair": ["p02", "p01", "p03"],
        "first": ["a", "b", "b"],
        "less": ["b", "a", "a"],
        "keep": ["a", "a", NEITHER],
    }


GOOD = told(Verdicts(EXAMPLE.digest, 7, ANSWERS))
FIRST = GOOD["answers"][0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no JSON"),
        (b"\xff\xfe\x00", "is no JSON"),
        (b"[" * 200_000, "is no JSON"),
        (b"9" * 100_000, "is no JSON"),
        (b"[]", "holds no verdicts"),
        (b" " * 2_000_000, "is too large"),
        ({**GOOD, "format": 2}, "is not of format 1"),
        ({**GOOD, "pairs": "../../etc"}, "of which pairs"),
        ({**GOOD, "pairs": None}, "of which pairs"),
        ({**GOOD, "seed": 1.5}, "has no seed"),
        ({**GOOD, "seed": True}, "has no seed"),
        ({**GOOD, "seed": 2**32}, "has no seed"),
        ({**GOOD, "answers": {}}, "has no list of answers"),
        ({**GOOD, "answers": [FIRST] * 1001}, "has no list of answers"),
        ({**GOOD, "answers": [FIRST, FIRST]}, "answers a pair twice"),
        ({**GOOD, "answers": [FIRST, None]}, "has an answer 2 that is none"),
        ({**GOOD, "answers": [{**FIRST, "more": 1}]}, "has an answer 1 that is none"),
        ({**GOOD, "answers": [{**FIRST, "pair": "<script>"}]}, "has an answer 1 that is none"),
        ({**GOOD, "answers": [{**FIRST, "first": ["a"]}]}, "has an answer 1 that is none"),
        ({**GOOD, "answers": [{**FIRST, "less": "c"}]}, "has an answer 1 that is none"),
        ({**GOOD, "answers": [{**FIRST, "keep": {}}]}, "has an answer 1 that is none"),
    ],
)
def test_what_is_no_file_of_verdicts_is_told_in_a_sentence(
    content: Any, words: str, tmp_path: Path
) -> None:
    file = tmp_path / "verdicts.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(JudgingError) as raised:
        read_verdicts(file)
    sentence = str(raised.value)
    assert sentence.startswith(f"{file} ") and f"{words}" in sentence.split(";")[0]
    assert sentence.endswith("; save your answers again on the page \"You be the judge\", and give "
                             "that file.")  # fmt: skip


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no\nfile.json"):
        with pytest.raises(JudgingError, match="is no file; save your answers") as raised:
            read_verdicts(path)
        assert "\n" not in str(raised.value)


def test_the_code_on_the_page_runs(
    pairs: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", SOURCE, re.DOTALL)
    verdicts = Verdicts(pairs.digest, 1, (Verdict("p01", "a", "b", "b"),))
    (tmp_path / "rainlens-verdicts.json").write_text(json.dumps(told(verdicts)))
    monkeypatch.chdir(tmp_path)
    *before, last = code.strip().splitlines()
    names: dict[str, Any] = {}
    exec("\n".join(before), names)
    assert len(eval(last, names)) == len(pairs.measures)


# --- the page in a browser

PAGE = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>You be the judge</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="../_static/rainlens.css">
<style>:root {{ --pst-color-background: #fff }} body {{ margin: 0 auto; max-width: 700px;
padding: 0 16px; background: var(--pst-color-background); color: var(--pst-color-text-base) }}
</style></head><body><main class="bd-content bd-article"><h1>You be the judge</h1>{panel}
<button id="after">after</button></main></body></html>"""
NO_STORAGE = (
    "Object.defineProperty(window, 'localStorage', {get() { throw new Error('refused'); }})"
)
LOADED = (
    "return performance.getEntriesByType('resource')"
    ".filter((entry) => entry.name.endsWith('.webp')).length"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, pairs: Manifest) -> Path:
    """A small built book with the panel's page, and what it loads."""
    root = tmp_path_factory.mktemp("site")
    (root / "book").mkdir()
    pages.write_pairs(root / pages.FOLDER, pairs)
    for name in ("blind.js", "rainlens.css"):
        shutil.copy(ROOT / "book" / "_static" / name, root / "_static")
    (root / "book" / "blind.html").write_text(PAGE.format(panel=pages.PANEL), encoding="utf-8")
    lost = pages.PANEL.replace("pairs.js", "absent.js")
    (root / "book" / "lost.html").write_text(PAGE.format(panel=lost), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def browser(site: Path) -> Iterator[SimpleNamespace]:
    with browse(site) as found:
        yield found


class Judging:
    """What a reader does on the page."""

    def __init__(self, browser: SimpleNamespace, width: int = 1280) -> None:
        self.driver, self.address = browser.driver, f"{browser.address}/book/blind.html"
        set_screen(self.driver, width)
        self.open()
        self.run("localStorage.clear()")
        self.open()
        self.driver.get_log("browser")

    def open(self) -> None:
        self.driver.get(self.address)

    def run(self, script: str, *values: Any) -> Any:
        return self.driver.execute_script(script, *values)

    def button(self, text: str) -> Any:
        named = f"contains(normalize-space(), '{text}') or contains(@aria-label, '{text}')"
        return self.driver.find_element("xpath", f"//button[{named}]")

    def press(self, *keys: str) -> None:
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def start(self) -> "Judging":
        self.button("Start").click()
        return self

    def text(self, selector: str) -> str:
        return self.run("return document.querySelector(arguments[0]).textContent", selector)

    def saved(self) -> dict[str, Any]:
        return self.run("return document.querySelector('.rl-judge').rlJudge.panel.saved")

    def tap(self, node: Any) -> None:
        """Touch the middle of a button."""
        box = self.run(
            "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'});"
            "const {x, y, width, height} = arguments[0].getBoundingClientRect();"
            "return [x + width / 2, y + height / 2]",
            node,
        )
        touch(self.driver, [tuple(box)])

    def answer_all(self, seed: int = 0) -> None:
        """All questions by keys, at random."""
        from selenium.webdriver.common.keys import Keys

        keys = Keys.ARROW_LEFT, Keys.ARROW_RIGHT, Keys.ARROW_DOWN
        count = 2 * self.run("return rainlensPairs.pairs.length")
        self.press(*random.Random(seed).choices(keys, k=count))
        assert self.text("h2") == "What you chose"


@pytest.fixture
def judging(browser: SimpleNamespace) -> Judging:
    return Judging(browser)


def numbers(found: reader.Agreement) -> dict[str, Any]:
    """The same as the page has it."""

    def one(share: Share) -> dict[str, float | None]:
        estimate = share.fraction
        values = {name: getattr(estimate, name) for name in ("value", "low", "high")}
        known = {name: None if math.isnan(value) else value for name, value in values.items()}
        return {"count": share.count, "of": share.of, **known}

    return {
        **{q: {m: one(s) for m, s in getattr(found, q).items()} for q in ("less", "keep")},
        "differed": one(found.differed),
        "left": one(found.left),
    }


def flat(tree: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(tree, dict):
        return {path: tree}
    return {k: v for name, part in tree.items() for k, v in flat(part, f"{path}/{name}").items()}


def some_values(rng: random.Random) -> dict[str, float | None]:
    """Of all measures: many that are equal, some that are not known."""
    return {name: rng.choice([None, 0, 0.3, 0.7, rng.gauss(0, 1)]) for name in MEASURES}


def test_the_arithmetic_is_pythons(judging: Judging) -> None:
    rng = random.Random(0)
    for trial in range(20):
        values = [tuple(some_values(rng) for _ in "ab") for _ in range(trial)]
        them = made_up(*values)
        choices = reader.CHOICES if trial % 4 else ("a",)
        answers = tuple(
            Verdict(p.name, rng.choice("ab"), rng.choice(choices), rng.choice(choices))
            for p in rng.sample(them.pairs, k=rng.randint(0, trial))
        )
        verdicts = Verdicts(them.digest, trial, answers)
        script = "return document.querySelector('.rl-judge').rlJudge.agreement(...arguments)"
        said = judging.run(script, them.told(), told(verdicts)["answers"])
        expected = flat(numbers(agreement(verdicts, them)))
        assert flat(said) == pytest.approx(expected, abs=1e-9)
    assert len(expected) > 50


def test_order_and_sides_are_drawn_by_the_seed(judging: Judging) -> None:
    script = (
        "const {drawn} = document.querySelector('.rl-judge').rlJudge;"
        "return arguments[0].map((seed) => drawn([...Array(14).keys()], seed))"
    )
    found = judging.run(script, [*range(400), 0])
    assert found[0] == found[-1]
    assert all(sorted(one["pair"] for one in order) == [*range(14)] for order in found)
    left = sum(one["first"] == "a" for order in found for one in order) / (401 * 14)
    early = sum(order[0]["pair"] < 7 for order in found) / 401
    assert 0.47 < left < 0.53 and 0.4 < early < 0.6


def test_keys_do_everything_and_the_file_is_read(
    judging: Judging, pairs: Manifest, tmp_path: Path
) -> None:
    from selenium.webdriver.common.keys import Keys

    judging.press(Keys.TAB, Keys.ENTER)
    assert judging.text("h2") == "Which picture shows less rain?"
    assert judging.run("return document.activeElement.tagName") == "H2"
    assert judging.text(".rl-progress") == f"Pair 1 of {len(pairs.pairs)}, question 1 of 2"
    judging.press(Keys.ARROW_LEFT)
    assert judging.text("h2") == "Which picture would you keep?"
    judging.press(Keys.ARROW_DOWN, Keys.ARROW_RIGHT)
    first, second = judging.saved()["answers"]
    assert (first["less"], first["keep"]) == (first["first"], NEITHER)
    assert second["less"] != second["first"]
    judging.press(Keys.BACKSPACE, Keys.BACKSPACE, Keys.BACKSPACE, Keys.BACKSPACE)
    assert judging.saved()["answers"] == []
    judging.press(Keys.ARROW_UP)
    assert judging.button("Show the rainy").get_attribute("aria-pressed") == "true"
    judging.answer_all()

    options = {"behavior": "allow", "downloadPath": str(tmp_path)}
    judging.driver.execute_cdp_cmd("Browser.setDownloadBehavior", options)
    judging.press(Keys.TAB)
    judging.press(Keys.ENTER)
    file = tmp_path / "rainlens-verdicts.json"
    wait(file.exists)
    verdicts = read_verdicts(file)
    assert told(verdicts) == {**told(verdicts), **judging.saved()}
    found = agreement(verdicts, pairs)
    rows = judging.run(
        "return [...document.querySelectorAll('.rl-agreement tbody tr')]"
        ".map((row) => [...row.cells].map((cell) => cell.innerText))"
    )
    for (label, less, keep), name in zip(rows, pairs.measures, strict=True):
        assert label.replace("\n", "") == MEASURES[name].label.replace("_", "")
        for text, share in ((less, found.less[name]), (keep, found.keep[name])):
            assert text.startswith(f"{share.count} of {share.of}\n")
            assert f"({100 * share.fraction.low:.0f} to" in " ".join(text.split())
    assert complaints(judging.driver) == []


def test_fingers_do_everything_on_a_phone(browser: SimpleNamespace, pairs: Manifest) -> None:
    judging = Judging(browser, width=390)
    judging.tap(judging.button("Start"))
    buttons = judging.driver.find_elements("css selector", ".rl-judge button")
    assert len(buttons) == 5 and min(one.size["height"] for one in buttons) >= 44
    outputs = judging.driver.find_elements("css selector", ".rl-output")
    assert len({one.location["y"] for one in outputs}) == 1  # side by side
    judging.tap(judging.button("Show the rainy"))
    assert not outputs[0].is_displayed()
    judging.tap(judging.button("Show the rainy"))
    assert outputs[0].is_displayed()
    judging.tap(judging.button("B,"))
    judging.tap(judging.button("A,"))
    judging.tap(judging.button("Back"))
    (answer,) = judging.saved()["answers"]
    assert answer["less"] != answer["first"] and "keep" not in answer
    for _ in range(2 * len(pairs.pairs) - 1):
        judging.tap(judging.button("Cannot tell"))
    assert judging.text("h2") == "What you chose"
    assert judging.run("return document.documentElement.scrollWidth <= innerWidth")
    assert complaints(judging.driver) == []


def test_the_rainy_picture_goes_when_a_held_button_is_let_go(judging: Judging) -> None:
    from selenium.webdriver import ActionChains

    button = judging.start().button("Show the rainy")
    shown = "return !document.querySelector('.rl-rainy').hidden"
    ActionChains(judging.driver).click_and_hold(button).perform()
    assert judging.run(shown)
    ActionChains(judging.driver).pause(0.5).release().perform()
    assert not judging.run(shown)
    button.click()
    assert judging.run(shown)
    judging.button("A,").click()  # the next question begins with the outputs
    assert not judging.run(shown)


def test_nothing_is_given_away_before_the_end(judging: Judging, pairs: Manifest) -> None:
    judging.start()
    told_now = judging.run("return document.querySelector('.rl-judge').outerHTML")
    makers = {side.maker.split(",")[0] for pair in pairs.pairs for side in (pair.a, pair.b)}
    labels = {measure.label for measure in MEASURES.values()}
    assert [word for word in makers | labels if word in told_now] == []
    judging.answer_all()
    told_then = judging.text(".rl-judge")
    assert all(maker in told_then for maker in makers)


def test_a_screen_reader_hears_what_is_asked(judging: Judging) -> None:
    panel = judging.start().driver.find_element("css selector", ".rl-judge")
    names = [one.accessible_name for one in panel.find_elements("css selector", "button")]
    assert names == ["A, on the left", "B, on the right", "Cannot tell", "Show the rainy picture",
                     "Back"]  # fmt: skip
    pictures = panel.find_elements("css selector", "img.rl-output")
    alts = [one.accessible_name for one in pictures]
    assert alts == ["picture A of pair 1", "picture B of pair 1"]
    live = panel.find_element("css selector", "[role=status]")
    judging.button("A,").click()
    question = "Which picture would you keep?"
    assert live.get_attribute("textContent") == f"Pair 1 of 14, question 2 of 2. {question}"
    assert judging.run("return document.activeElement.textContent") == "← A"
    judging.button("Back").click()  # switched off now, it hands the focus on
    assert judging.run("return document.activeElement.tagName") == "H2"
    judging.answer_all()
    assert judging.run("return document.activeElement.textContent") == "What you chose"
    heads = panel.find_elements("css selector", "th")
    assert {one.get_attribute("scope") for one in heads} == {"col", "row"}


@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_violation_on_any_screen(browser: SimpleNamespace, width: int) -> None:
    judging = Judging(browser, width=width)
    for step in (lambda: None, judging.start, judging.answer_all):
        step()
        axe.prepare(judging.driver)
        for theme in ("light", "dark"):
            axe.use_theme(judging.driver, theme)
            assert axe.violations(judging.driver) == []


def test_answers_outlast_a_reload(judging: Judging) -> None:
    judging.start().button("A,").click()
    judging.button("B,").click()
    judging.button("Cannot tell").click()
    before = judging.saved()
    judging.open()
    assert "You have judged 1 of 14 pairs" in judging.text(".rl-judge")
    judging.button("Go on").click()
    assert judging.text(".rl-progress") == "Pair 2 of 14, question 2 of 2"
    assert judging.saved() == before
    judging.open()
    judging.button("Start again").click()
    assert judging.saved()["answers"] == [] and judging.saved()["seed"] != before["seed"]
    judging.answer_all()
    judging.open()
    assert judging.text("h2") == "What you chose"
    judging.button("Back to the last").click()
    assert judging.text(".rl-progress") == "Pair 14 of 14, question 2 of 2"


@pytest.mark.parametrize(
    "kept",
    [
        "{",
        "null",
        '{"pairs": "0", "seed": 1, "answers": []}',
        '{"pairs": DIGEST, "seed": -1, "answers": []}',
        '{"pairs": DIGEST, "seed": 1, "answers": [{"pair": "p99", "first": "a", "less": "a"}]}',
        '{"pairs": DIGEST, "seed": 1, "answers": {}}',
    ],
)
def test_what_is_kept_in_another_form_is_dropped(
    judging: Judging, pairs: Manifest, kept: str
) -> None:
    text = kept.replace("DIGEST", json.dumps(pairs.digest))
    judging.run("localStorage.setItem('rainlens-blind', arguments[0])", text)
    judging.open()
    assert "14 pairs, two questions each" in judging.text(".rl-judge")
    assert complaints(judging.driver) == []


def test_a_browser_that_keeps_nothing_is_no_obstacle(judging: Judging) -> None:
    command = "Page.addScriptToEvaluateOnNewDocument"
    script = judging.driver.execute_cdp_cmd(command, {"source": NO_STORAGE})
    try:
        judging.open()
        notice = judging.start().driver.find_element("css selector", ".rl-unkept")
        assert not notice.is_displayed()
        judging.button("A,").click()
        assert notice.is_displayed()
        judging.press("\ue003")
        judging.answer_all()
    finally:
        judging.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    assert complaints(judging.driver) == []


def test_pictures_load_as_they_are_needed(judging: Judging) -> None:
    assert judging.run(LOADED) == 0
    judging.start()
    wait(lambda: judging.run(LOADED) >= 5)
    assert judging.run(LOADED) == 5  # two outputs, their input, the next two outputs


def test_it_works_on_a_page_opened_as_a_file(browser: SimpleNamespace) -> None:
    judging = Judging(browser)
    judging.address = (browser.site / "book" / "blind.html").as_uri()
    judging.open()
    judging.run("localStorage.clear()")
    judging.open()
    judging.start()
    ready = "return [...document.querySelectorAll('.rl-output')].every((one) => one.naturalWidth)"
    wait(lambda: judging.run(ready))
    judging.answer_all()
    assert complaints(judging.driver) == []


def test_without_scripts_or_pairs_it_says_so(browser: SimpleNamespace) -> None:
    driver = browser.driver
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        driver.get(f"{browser.address}/book/blind.html")
        assert "need JavaScript" in driver.find_element("css selector", ".rl-judge").text
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    driver.get(f"{browser.address}/book/lost.html")
    assert "not recorded in this copy" in driver.find_element("css selector", ".rl-judge").text


def test_answers_of_other_pairs_are_told_apart(pairs: Manifest) -> None:
    fewer = replace(pairs, pairs=pairs.pairs[1:])
    assert fewer.digest != pairs.digest == manifest().digest
