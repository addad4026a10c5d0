"""The explorer: what it is told of the records, and its page in a browser."""

import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from browser.chromium import browse, touch
from browser.lab_reader import Reader
from browser.toy_reader import wait
from content_policy import with_policy
from PIL import Image
from selenium.webdriver.common.keys import Keys

from rainlens import scales
from rainlens.records import RecordError
from rainlens.widgets import explorer
from rainlens.widgets.explorer import Packed

ROOT = Path(__file__).resolve().parents[1]
PAGE = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>The explorer</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="../_static/rainlens.css"><style>
html {{ --pst-color-background: #fff }} body {{ margin: 0 auto; max-width: 740px; padding: 0 16px }}
</style></head><body><article class="bd-article">{panel}</article></body></html>"""


class Explorer(Reader):
    """A reader of the explorer's page."""

    panel = "document.querySelector('.rl-explorer')"
    handle = "rlExplorer"

    def set(self, **settings):
        self.run(f"{self.panel}.rlExplorer.set(arguments[0])", settings)
        return self

    def shown(self) -> list[str]:
        return [node.text for node in self.driver.find_elements("css selector", ".rl-value")]


@pytest.fixture(scope="module")
def packed() -> Packed:
    found = explorer.pack(scales.scale_named("cpu"))
    assert found is not None
    return found


# --- what the page is told


def test_curves_are_means_over_seeds_of_what_the_records_hold(packed: Packed) -> None:
    setting = scales.scale_named("cpu")
    part = [e for e in setting.sweep(degradation="large") if e.patches == 64]
    assert len(part) == 3
    told = packed.told["ranges"]["large"]
    place = told["counts"].index(64)
    for test, measure in (("unseen", "e_b"), ("seen", "contrast")):
        seeds = [setting.store.load(e.name).curves[f"{test}/{measure}"] for e in part]
        by_hand = [sum(values) / 3 for values in zip(*seeds, strict=True)][1:]
        assert told[test][measure][place] == pytest.approx(by_hand, abs=5e-4)
    assert len(packed.told["steps"]) == len(told["unseen"]["e_r"][0])
    assert 0 not in packed.told["steps"]


def test_rejection_is_that_of_the_trained_networks(packed: Packed) -> None:
    setting = scales.scale_named("cpu")
    records = [
        setting.store.load(e.name) for e in setting.sweep(degradation="large") if e.patches == 64
    ]
    told = packed.told["ranges"]["large"]
    found = told["unseen"]["rejection"][told["counts"].index(64)]
    responses = [value for record in records for value in record.tests["unseen"]["response"]]
    assert found == pytest.approx(1 - sum(responses) / len(responses), abs=5e-4)


def test_every_picture_that_is_named_is_packed_and_no_other(packed: Packed) -> None:
    named: set[str] = set()
    for told in packed.told["ranges"].values():
        named |= {file for files in told["inputs"].values() for file in files}
        for output in told["outputs"]:
            named |= {f for kept in output.values() for files in kept.values() for f in files}
    assert named == set(packed.pictures)
    assert sum(map(len, packed.pictures.values())) < 1_500_000
    for data in packed.pictures.values():
        assert Image.open(io.BytesIO(data)).size == (192, 192)


def test_outputs_are_those_of_the_records_and_the_rain_differs_by_range(packed: Packed) -> None:
    store = scales.scale_named("cpu").store
    kept = packed.told["ranges"]["small"]["outputs"][0]["unseen"]
    [(step, files)] = kept.items()
    assert step == packed.told["steps"][-1]
    assert packed.pictures[files[0]] == (store.folder / files[0]).read_bytes()
    inputs = [told["inputs"] for told in packed.told["ranges"].values()]
    assert len({told["seen"][0] for told in inputs}) == len(inputs)
    assert {told["unseen"][0] for told in inputs} == {"unseen-0.webp"}


def test_a_damaged_picture_is_refused(packed: Packed, tmp_path: Path, monkeypatch) -> None:
    setting = scales.scale_named("cpu")
    (tmp_path / "cpu").mkdir()
    for experiment in setting.sweep(degradation="small"):
        for path in (ROOT / "records" / "cpu").glob(f"{experiment.name}*"):
            shutil.copy(path, tmp_path / "cpu")
    monkeypatch.setenv(scales.RECORDS_VARIABLE, str(tmp_path))
    found = explorer.pack(setting)
    assert list(found.told["ranges"]) == ["small"]  # all that is recorded there
    file = found.told["ranges"]["small"]["outputs"][0]["unseen"][3000][0]
    (tmp_path / "cpu" / file).write_bytes(b"no picture")
    with pytest.raises(RecordError, match="damaged"):
        explorer.pack(setting)


def test_without_records_the_page_says_so(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv(scales.RECORDS_VARIABLE, str(tmp_path))
    assert explorer.pack(scales.scale_named("cpu")) is None
    explorer.lay_out(tmp_path, None)
    assert explorer.NOTHING in explorer.panel(None) and "<script" not in explorer.panel(None)


def test_the_script_is_whole_and_asks_no_third_party(packed: Packed) -> None:
    text = explorer.script(packed.told)
    assert not re.search(r"^(import|export) ", text, re.MULTILINE)
    assert text.count("://") == text.count("http://www.w3.org/2000/svg") == 1
    assert len(text) < 60_000


def test_the_page_has_a_place_for_it_and_no_further_rights(packed: Packed) -> None:
    source = (ROOT / "book" / "explorer.md").read_text(encoding="utf-8")
    assert source.count(explorer.MARK) == 1
    theme = "<html><head></head><body></body></html>"
    assert "worker-src" not in with_policy(theme, theme, explorer.panel(packed), [])


# --- the page in a browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, packed: Packed) -> Iterator[SimpleNamespace]:
    root = tmp_path_factory.mktemp("site")
    explorer.lay_out(root, packed)
    shutil.copy(ROOT / "book" / "_static" / "rainlens.css", root / "_static")
    (root / "book").mkdir()
    page = PAGE.format(panel=explorer.panel(packed))
    (root / "book" / "explorer.html").write_text(page, encoding="utf-8")
    with browse(root) as found:
        yield found


@pytest.fixture
def reader(browser: SimpleNamespace) -> Explorer:
    return Explorer(browser, "explorer")


def test_numbers_are_those_of_twenty_random_places(reader: Explorer, packed: Packed) -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        name = str(random.choice(list(packed.told["ranges"])))
        told = packed.told["ranges"][name]
        n, step = int(random.integers(len(told["counts"]))), int(random.integers(12))
        test = str(random.choice(explorer.TESTS))
        state = reader.set(range=name, n=n, step=step, test=test).state()
        expected = [told[test][measure][n][step] for measure in explorer.MEASURES]
        assert [state[measure] for measure in explorer.MEASURES] == expected
        contrast, rejection, *others = reader.shown()
        digits = (2, 1, 1)
        assert [float(text.replace("−", "-")) for text in (contrast, *others)] == pytest.approx(
            [round(value, d) for value, d in zip(expected, digits, strict=True)], abs=0.051
        )
        assert (rejection == "–") == (step < 11)
    assert reader.errors() == []


def test_pictures_follow_and_say_what_they_are(reader: Explorer, packed: Packed) -> None:
    told = packed.told["ranges"]["large"]
    reader.set(range="large", n=1, step=0, test="seen", picture=1)
    images = reader.run(
        "return [...document.querySelectorAll('.rl-three img')].map((i) => [i.src, i.alt])"
    )
    files = [address.split("/")[-1] for address, _ in images]
    kept = told["outputs"][1]["seen"][3000][1]
    assert files == [told["inputs"]["seen"][1], kept, told["inputs"]["clean"][1]]
    assert "N = 64" in images[1][1] and "3000 steps" in images[1][1]
    assert "step 3,000" in reader.text(".rl-three figure:nth-child(2) figcaption")
    wait(lambda: reader.run(
        "return [...document.querySelectorAll('.rl-three img')].every((i) => i.naturalWidth)"
    ))  # fmt: skip


def test_rejection_is_shown_at_the_last_step(reader: Explorer, packed: Packed) -> None:
    told = packed.told["ranges"]["small"]
    reader.set(range="small", n=0, step=11)
    assert float(reader.shown()[1]) == pytest.approx(told["unseen"]["rejection"][0], abs=0.0051)
    reader.set(step=10)
    assert reader.shown()[1] == "–"


def test_it_can_be_used_by_keyboard(reader: Explorer) -> None:
    before = reader.state()
    steps = reader.find("input[aria-label=steps]")
    steps.send_keys(Keys.ARROW_LEFT)
    assert reader.state()["step"] == before["step"] - 1
    assert steps.get_attribute("aria-valuetext") == "2,750"
    reader.find("input[aria-label=backgrounds]").send_keys(Keys.END)
    assert reader.state()["count"] == 30_000
    reader.find("input[value=medium]").send_keys(Keys.ARROW_RIGHT)
    assert reader.state()["range"] == "large"
    wait(lambda: "large range, N = 30,000, step 2,750" in reader.text("[aria-live]"))


def test_another_range_keeps_the_nearest_number_of_backgrounds(reader: Explorer) -> None:
    reader.set(range="medium", n=2)
    assert reader.state()["count"] == 256
    assert reader.set(range="small").state()["count"] == 64
    assert reader.set(range="large", n=2).state()["count"] == 128


@pytest.mark.parametrize("width", [390, 1280])
def test_a_cell_can_be_chosen_by_pointing_at_it(
    browser: SimpleNamespace, packed: Packed, width: int
) -> None:
    reader = Explorer(browser, "explorer", width)
    reader.run("document.querySelector('.rl-cell').scrollIntoView({behavior: 'instant'})")
    place = reader.run(
        "const b = document.querySelectorAll('.rl-cell')[12 + 3].getBoundingClientRect();"
        "return [b.x + b.width / 2, b.y + b.height / 2]"
    )
    touch(reader.driver, [tuple(place)])
    wait(lambda: (reader.state()["n"], reader.state()["step"]) == (1, 3))
    assert reader.run("return document.documentElement.scrollWidth") <= width
    assert reader.errors() == []


def test_the_dot_is_where_the_numbers_say(reader: Explorer, packed: Packed) -> None:
    told = packed.told["ranges"]["medium"]["unseen"]

    def place(n: int, step: int) -> list[float]:
        reader.set(range="medium", n=n, step=step)
        return reader.run(
            "const d = document.querySelector('.rl-dot');"
            "return [Number(d.getAttribute('cx')), Number(d.getAttribute('cy'))]"
        )

    one, other, third = place(0, 0), place(0, 11), place(4, 5)
    x = [told["e_b"][0][0], told["e_b"][0][11], told["e_b"][4][5]]
    y = [told["contrast"][0][0], told["contrast"][0][11], told["contrast"][4][5]]
    for axis, values in ((0, x), (1, y)):
        slope = (other[axis] - one[axis]) / (values[1] - values[0])
        assert third[axis] == pytest.approx(one[axis] + slope * (values[2] - values[0]), abs=0.5)


def test_it_works_from_a_file(browser: SimpleNamespace) -> None:
    reader = Explorer(browser, (browser.site / "book" / "explorer.html").as_uri())
    reader.set(range="small", n=0)
    wait(lambda: reader.run(
        "return [...document.querySelectorAll('.rl-three img')].every((i) => i.naturalWidth)"
    ))  # fmt: skip
    assert reader.errors() == []
