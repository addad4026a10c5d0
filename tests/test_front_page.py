"""The front page: what the build makes of records, and the pictures to wipe in a browser."""

import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from browser.chromium import open_browser, require_browser, serve, set_media, set_screen, touch
from PIL import Image

import rainlens
from rainlens import claims, evaluation, scales
from rainlens.rain import RANGES
from rainlens.records import FORMAT, Record, RecordError, described
from rainlens.records.record import checksum
from rainlens.scales import RECORDS_VARIABLE, Scale
from rainlens.site import build, front_page, staging
from rainlens.tasks import Session
from rainlens.tasks.restore import Restore

ROOT = Path(__file__).resolve().parents[1]
PICTURES = [f"{test}.{kind}.webp" for test in front_page.KINDS for kind in ("rainy", "after")]
LARGEST = 250_000  # bytes of a picture
LOSSLESS = b"VP8L"  # what such a WebP file says of itself
WHOLE, MIDDLE = (451, 300), (192, 192)  # pixels of the photograph, and of what chapters show of it
SLIDERS = "return [...document.querySelectorAll('.rl-wipe')].map((one) => Number(one.value))"
LINES = (
    "return [...document.querySelectorAll('.rl-pair')].map((pair) => (pair.querySelector("
    "'.rl-line').getBoundingClientRect().x - pair.getBoundingClientRect().x) / pair.clientWidth)"
)


def laid_out(folder: Path, setting: Scale) -> str:
    """The front page, completed in `folder` as in a staged book."""
    book = folder / "book"
    shutil.copytree(ROOT / "book", book)
    front_page.lay_out(book, setting, "01_unseen_rain")
    return (book / "index.md").read_text(encoding="utf-8")


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "book/_static/front").iterdir()}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Laid out from the records that come with the book."""
    folder = tmp_path_factory.mktemp("stored")
    return SimpleNamespace(folder=folder, page=laid_out(folder, scales.SCALES["cpu"]))


def test_no_mark_is_left_and_each_stands_once_in_the_source(stored: SimpleNamespace) -> None:
    source = (ROOT / "book" / "index.md").read_text(encoding="utf-8")
    assert [source.count(mark) for mark in front_page.MARKS.values()] == [1, 1, 1, 1]
    assert "<!--" not in stored.page


def test_the_pictures_are_small_files_of_one_size(stored: SimpleNamespace) -> None:
    found = pictures(stored.folder)
    assert sorted(found) == sorted(PICTURES)
    assert max(map(len, found.values())) < LARGEST
    sizes = {Image.open(stored.folder / "book/_static/front" / name).size for name in found}
    own, _ = front_page.grid(scales.SCALES["cpu"])
    assert sizes == {WHOLE if is_recorded(own) else MIDDLE}


def is_recorded(experiment: Restore) -> bool:
    return scales.SCALES["cpu"].store.path(experiment.name).exists()


def test_the_outputs_are_those_of_the_record(stored: SimpleNamespace) -> None:
    setting = scales.SCALES["cpu"]
    own, _ = front_page.grid(setting)
    chapters = setting.experiment(degradation="small", patches=512, seed=0)
    record = setting.store.load((own if is_recorded(own) else chapters).name)
    for test in front_page.KINDS:
        output = setting.store.folder / record.pictures[test][front_page.PICTURE]
        assert pictures(stored.folder)[f"{test}.after.webp"] == output.read_bytes()
    share = record.tests["shown_unseen"]["contrast"][front_page.PICTURE]
    assert f"{100 * share:.0f} %" in stored.page
    assert "Scale <i>cpu</i>, seed 0" in stored.page


def test_the_counts_are_the_ledgers(stored: SimpleNamespace) -> None:
    verdicts = list(claims.table(scales.SCALES["cpu"])["verdict"])
    assert f"Of {len(verdicts)} claims" in stored.page
    for verdict in set(verdicts):
        assert f"<strong>{verdicts.count(verdict)}</strong> {verdict}</li>" in stored.page


def test_a_card_opens_the_first_chapter_in_colab(stored: SimpleNamespace) -> None:
    repository = rainlens.REPOSITORY.removeprefix("https://")
    address = f"https://colab.research.google.com/{repository.replace('.com', '')}"
    assert f'href="{address}/blob/main/notebooks/01_unseen_rain.ipynb"' in stored.page


def test_the_chapters_that_it_names_exist() -> None:
    for name in (front_page.CHAPTER_ON_RANGES, front_page.LEDGER):
        assert (ROOT / "notebooks" / f"{name}.py").exists()


@pytest.mark.parametrize("scale", ["smoke", "cpu"])
def test_without_records_it_shows_the_clean_photograph(
    scale: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RECORDS_VARIABLE, str(tmp_path / "none"))
    page = laid_out(tmp_path, scales.SCALES[scale])
    assert "No network of the scale" in page and "without rain" in page
    assert "takes away" not in page and "reproduce 0 and do not reproduce 0" in page
    assert ("only checks that the code runs" in page) == (scale == "smoke")
    found = pictures(tmp_path)
    # Under either rain lies the same photograph.
    assert found["shown_seen.after.webp"] == found["shown_unseen.after.webp"]


def made_up(setting: Scale, rain: str, count: int, removal: float) -> list[Record]:
    """Networks, one a seed, that do the same damage and remove so much, a little more each."""
    records = []
    for seed in setting.seeds:
        experiment = setting.experiment(degradation=rain, patches=count, seed=seed)
        more = removal + 0.01 * seed
        curves = {"unseen/contrast": [0, more, more], "unseen/e_b": [90, 20, 10]}
        records.append(Record(experiment.name, described(experiment), curves, {}))
    return records


@pytest.mark.parametrize(
    ("wider", "fewer", "words"),
    [
        (0.9, 0.3, ("removes more of Rain100L", "none")),
        (0.3, 0.6, ("removes less of Rain100L", "2")),
        (0.5, 0.5, ("does not clearly remove more of Rain100L", "none")),
    ],
)
def test_what_to_do_follows_from_the_records(
    wider: float,
    fewer: float,
    words: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(RECORDS_VARIABLE, str(tmp_path / "records"))
    setting = scales.SCALES["cpu"]
    least, most = setting.patch_counts[0], setting.patch_counts[-1]
    parts = [
        *made_up(setting, "medium", most, 0.5),
        *made_up(setting, "large", most, wider),
        *made_up(setting, "small", most, 0.9),
        *(record for name in RANGES for record in made_up(setting, name, least, fewer)),
    ]
    for record in parts[:-1]:
        setting.store.save(record)
    assert "What to do?" not in laid_out(tmp_path / "without", setting)
    setting.store.save(parts[-1])
    page = laid_out(tmp_path / "with", setting)
    assert f"<em>wider range of rain</em> {words[0]}, which it has not seen" in page
    assert f"<em>fewer pictures</em> clearly removes more under {words[1]} of the 3 ranges." in page


def test_its_own_experiments_are_those_of_the_chapters_but_for_the_tests() -> None:
    setting = scales.SCALES["cpu"]
    for own, rain in zip(front_page.grid(setting), ("small", "large"), strict=True):
        usual = setting.experiment(degradation=rain, patches=512, seed=0)
        assert replace(usual, tests=own.tests, curves=(), lossless=True) == own
        for test in own.tests:
            same = replace(usual.test(test.name), count=1, crop=None)
            assert test == same and test.keep


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Laid out from the page's own experiments, computed at the smallest scale."""
    folder, setting = tmp_path_factory.mktemp("whole"), scales.SCALES["smoke"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(RECORDS_VARIABLE, str(folder / "records"))
        usual = setting.experiment(degradation="large", patches=512, seed=0)
        own, wider = front_page.grid(setting)
        records = [e.compute(setting.store, Session()) for e in (own, wider, usual)]
        page = laid_out(folder, setting)
    return SimpleNamespace(folder=folder, page=page, records=records)


def test_its_own_record_gives_the_whole_photograph_as_it_is(whole: SimpleNamespace) -> None:
    own, _ = front_page.grid(scales.SCALES["smoke"])
    for test in front_page.KINDS:
        rainy, _ = evaluation.load(own.test(test))
        (name,) = whole.records[0].pictures[test]
        found = pictures(whole.folder)
        assert found[f"{test}.after.webp"] == (whole.folder / "records/smoke" / name).read_bytes()
        shown = Image.open(io.BytesIO(found[f"{test}.rainy.webp"]))
        assert shown.size == Image.open(io.BytesIO(found[f"{test}.after.webp"])).size == WHOLE
        assert np.array_equal(np.asarray(shown), rainy[0].permute(1, 2, 0).numpy())
    assert all(content[12:16] == LOSSLESS for content in found.values())
    assert max(map(len, found.values())) < LARGEST
    assert 'class="rl-compare rl-wide"' in whole.page and 'width="451" height="300"' in whole.page


def test_all_shares_are_of_what_is_shown(whole: SimpleNamespace) -> None:
    """Not of the middle of the photograph, which chapters are about."""
    own, wider, _ = whole.records
    for record, test in ((own, "shown_seen"), (own, "shown_unseen"), (wider, "shown_unseen")):
        assert front_page._share(record, test) in whole.page
    assert "takes away" in whole.page.split("<i>large</i>")[1]


def test_without_a_wider_record_of_its_own_it_is_silent_about_it(
    whole: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(whole.folder / "records", tmp_path / "records")
    (tmp_path / "records" / "smoke" / f"{whole.records[1].name}.json").unlink()
    monkeypatch.setenv(RECORDS_VARIABLE, str(tmp_path / "records"))
    assert "<i>large</i>" not in laid_out(tmp_path, scales.SCALES["smoke"])


@pytest.mark.parametrize(("unseen", "plain"), [(0.3, True), (0.7, False), (None, False)])
def test_it_says_no_more_than_the_record_shows(unseen: float | None, plain: bool) -> None:
    tests = {"shown_seen": {"contrast": [0.9]}, "shown_unseen": {"contrast": [unseen]}}
    record = Record("any", {}, {}, tests)
    assert ("leaves much of the rain" in front_page._lesson(record)) == plain


def test_a_record_without_its_pictures_counts_as_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = scales.SCALES["cpu"]
    source = setting.store.path(setting.experiment(degradation="small", patches=512).name)
    (tmp_path / "records" / "cpu").mkdir(parents=True)
    shutil.copy(source, tmp_path / "records" / "cpu")
    monkeypatch.setenv(RECORDS_VARIABLE, str(tmp_path / "records"))
    assert "No network of the scale" in laid_out(tmp_path, setting)


@pytest.mark.parametrize("name", ["../../secret.webp", "secret.webp", ""])
def test_a_record_cannot_publish_another_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RECORDS_VARIABLE, str(tmp_path / "records"))
    setting = scales.SCALES["smoke"]
    own, _ = front_page.grid(setting)
    tests = {test: {"contrast": [0.5]} for test in front_page.KINDS}
    hostile = Record(own.name, {}, {}, tests, dict.fromkeys(front_page.KINDS, [name]))
    body = {"format": FORMAT, **hostile.results, "provenance": {}}
    setting.store.folder.mkdir(parents=True)
    setting.store.path(own.name).write_text(json.dumps({**body, "sha256": checksum(body)}))
    for secret in (tmp_path / "secret.webp", setting.store.folder / "secret.webp"):
        secret.write_bytes(b"secret")
    with pytest.raises(RecordError, match="does not have the form of a record"):
        laid_out(tmp_path, setting)
    assert not list(tmp_path.rglob("front/*"))


def test_the_logos_differ_in_colour_alone() -> None:
    light, dark = (
        (ROOT / "book" / "_static" / f"logo-{theme}.svg").read_text() for theme in ("light", "dark")
    )
    colours = {"#0072B2": "#56B4E9", "#D55E00": "#F08C4A", "#1F2A33": "#E6E9EC"}
    for ours, theirs in colours.items():
        light = light.replace(ours, theirs)
    assert light == dark


# --- in a browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A book of the front page and the references alone, which builds in seconds."""
    require_browser()
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "book", folder / "book")
    (folder / "notebooks").mkdir()
    shutil.copy(ROOT / "_config.yml", folder)
    (folder / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nchapters: [{file: book/references}]\n"
    )
    staging.lay_out_front_page(folder, "cpu")
    site = build.build(folder).parent
    with serve(site) as (address, asked), open_browser() as driver:
        yield SimpleNamespace(driver=driver, address=address, asked=asked, site=site)


def open_page(browser: SimpleNamespace, width: int = 1280) -> None:
    set_screen(browser.driver, width)
    set_media(browser.driver)
    browser.driver.get(f"{browser.address}/book/index.html")


def box(driver, index: int = 0) -> dict[str, float]:
    return driver.execute_script(
        "const pair = document.querySelectorAll('.rl-pair')[arguments[0]];"
        "pair.scrollIntoView({block: 'center', behavior: 'instant'});"
        "const {left, top, width, height} = pair.getBoundingClientRect();"
        "return {left, top, width, height}",
        index,
    )


@pytest.mark.parametrize("screen", [(1280, 900), (390, 844)])
def test_the_way_to_chapter_1_is_on_the_first_screen(
    browser: SimpleNamespace, screen: tuple[int, int]
) -> None:
    width, height = screen
    set_screen(browser.driver, width, height)
    browser.driver.get(f"{browser.address}/book/index.html")
    link = browser.driver.find_element("link text", front_page.START)
    assert link.get_attribute("href").endswith("/notebooks/01_unseen_rain.html")
    assert link.rect["y"] + link.rect["height"] < height and link.rect["height"] > 30


def test_arrow_keys_move_both_lines(browser: SimpleNamespace) -> None:
    from selenium.webdriver.common.keys import Keys

    open_page(browser)
    driver = browser.driver
    assert driver.execute_script(SLIDERS) == [50, 50]
    slider = driver.find_element("css selector", ".rl-wipe")
    slider.send_keys(Keys.ARROW_LEFT * 3)
    assert driver.execute_script(SLIDERS) == [47, 47]
    assert driver.execute_script(LINES) == pytest.approx([0.47, 0.47], abs=0.01)
    assert slider.get_attribute("aria-valuetext") == "47 % rainy, 53 % output"
    slider.send_keys(Keys.HOME)
    assert driver.execute_script(SLIDERS) == [0, 0]


@pytest.mark.parametrize("width", [390, 1280])
def test_the_mouse_drags_the_line(browser: SimpleNamespace, width: int) -> None:
    from selenium.webdriver import ActionChains

    open_page(browser, width)
    place = box(browser.driver, 1)
    middle = place["top"] + place["height"] / 2
    chain = ActionChains(browser.driver, duration=30)
    mouse = chain.w3c_actions.pointer_action
    mouse.move_to_location(round(place["left"] + place["width"] / 2), round(middle))
    mouse.pointer_down()
    mouse.move_to_location(round(place["left"] + 0.8 * place["width"]), round(middle))
    mouse.pointer_up()
    chain.perform()
    assert browser.driver.execute_script(SLIDERS) == pytest.approx([80, 80], abs=1)


def test_a_finger_drags_the_line(browser: SimpleNamespace) -> None:
    open_page(browser, 390)
    place = box(browser.driver)
    middle = place["top"] + place["height"] / 2
    ends = [place["left"] + share * place["width"] for share in (0.5, 0.2)]
    touch(browser.driver, [(end, middle) for end in ends])
    assert browser.driver.execute_script(SLIDERS) == pytest.approx([20, 20], abs=3)


def test_the_sliders_have_names_and_only_this_page_loads_them(browser: SimpleNamespace) -> None:
    open_page(browser)
    sliders = browser.driver.find_elements("css selector", ".rl-wipe")
    names = [slider.get_attribute("aria-label") for slider in sliders]
    assert len(set(names)) == 2 and all(names)
    assert any("compare.js" in path for path in browser.asked)
    browser.asked.clear()
    browser.driver.get(f"{browser.address}/book/references.html")
    assert not any("compare.js" in path for path in browser.asked)


def test_the_wipe_works_in_a_page_opened_as_a_file(browser: SimpleNamespace) -> None:
    browser.driver.get((browser.site / "book" / "index.html").as_uri())
    assert browser.driver.execute_script(SLIDERS) == pytest.approx([50, 50], abs=3)


def test_without_scripts_the_pictures_stand_side_by_side(browser: SimpleNamespace) -> None:
    driver = browser.driver
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        open_page(browser)
        sides = driver.find_elements("css selector", ".rl-side img")
        boxes = [side.rect for side in sides]
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert len(boxes) == 4 and all(one["width"] > 100 for one in boxes)
    for first, second in (boxes[:2], boxes[2:]):
        assert second["x"] >= first["x"] + first["width"] and first["y"] == second["y"]


def test_the_picture_of_the_readme_shows_two_pairs(tmp_path) -> None:
    setting = scales.SCALES["cpu"]
    picture = Image.open(io.BytesIO(front_page.overview(setting)))
    assert picture.format == "WEBP" and picture.width > 3 * picture.height
    assert (ROOT / "book" / "_static" / "overview.webp").stat().st_size < 200e3


def test_the_picture_of_shared_links_is_that_of_the_readme() -> None:
    overview = (ROOT / "book" / "_static" / "overview.webp").read_bytes()
    picture = Image.open(io.BytesIO(front_page.preview(overview)))
    assert picture.format == "JPEG" and picture.size == (1200, 630)
    assert picture.getpixel((5, 5)) > (250, 250, 250)  # nothing is cut off
