"""The rain lab: what is laid out for its page, and the page in a browser."""

import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from browser.chromium import browse, touch
from browser.lab_reader import LAB, Reader
from browser.toy_reader import wait
from content_policy import with_policy
from PIL import Image
from safetensors.torch import load, save
from torch import nn

from rainlens import metrics, rain, scales
from rainlens.models import build
from rainlens.records import RecordError
from rainlens.widgets import rain_lab
from rainlens.widgets.bundling import TABLE, as_script, bundled, classic

ROOT = Path(__file__).resolve().parents[1]
COUNTS = (8, 64, 512)
SIZES = (64, 128)
MADE_UP = "large-64"
NETWORK = dict(blocks=8, channels=32)


@pytest.fixture(scope="module")
def weights() -> dict[str, bytes]:
    """The recorded networks, and one that is not trained; in half precision, as they all are."""
    torch.manual_seed(0)
    fresh = {name: value.half() for name, value in build("resnet", **NETWORK).state_dict().items()}
    return {**rain_lab.networks(scales.scale_named("cpu")), MADE_UP: save(fresh)}


@pytest.fixture(scope="module")
def methods(weights: dict[str, bytes]) -> dict[str, nn.Module]:
    """What the page offers, in PyTorch; an exact removal is no function of the rainy picture."""
    models: dict[str, nn.Module] = {"untouched": build("copy"), "median": build("median", size=5)}
    for name, data in weights.items():
        models[name] = build("resnet", **NETWORK)
        models[name].load_state_dict({key: value.float() for key, value in load(data).items()})
    return models


# --- what is laid out


def test_networks_that_are_recorded_are_taken_and_no_others(tmp_path: Path) -> None:
    setting = scales.scale_named("cpu")
    found = rain_lab.networks(setting)
    assert {"medium-8", "medium-512"} <= set(found)
    for kind in rain.RANGES:
        for count in COUNTS:
            path = setting.store.weights_path(setting.of_lab(count, kind).name)
            assert (f"{kind}-{count}" in found) == path.exists()
    assert all(tensor.dtype == torch.float16 for tensor in load(found["medium-8"]).values())


def test_a_damaged_network_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = scales.scale_named("cpu").of_lab(8, "medium").name
    (tmp_path / "cpu").mkdir()
    for path in (ROOT / "records" / "cpu").glob(f"{name}*"):
        shutil.copy(path, tmp_path / "cpu")
    monkeypatch.setenv(scales.RECORDS_VARIABLE, str(tmp_path))
    setting = scales.scale_named("cpu")
    assert list(rain_lab.networks(setting)) == ["medium-8"]
    path = setting.store.weights_path(name)
    path.write_bytes(path.read_bytes()[:-1] + b"\0\0")
    with pytest.raises(RecordError, match="damaged"):
        rain_lab.networks(setting)
    path.unlink()
    assert rain_lab.networks(setting) == {}


def test_pictures_are_small_and_of_one_size() -> None:
    for data in rain_lab.pictures().values():
        assert Image.open(io.BytesIO(data)).size == (256, 256)
        assert len(data) < 40_000


def test_every_file_has_its_twin_for_pages_opened_as_files(tmp_path: Path) -> None:
    rain_lab.lay_out(tmp_path, {"small-8": b"weights"}, COUNTS)
    folder = tmp_path / rain_lab.FOLDER
    data = {path.name for path in folder.iterdir() if path.suffix != ".js"}
    assert data == {"small-8.safetensors", "cat.webp", "coffee.webp", "astronaut.webp"}
    assert {path.name for path in folder.glob("*.js")} == {
        "rain_lab.js", *(f"{name}.js" for name in data)
    }  # fmt: skip
    assert as_script(b"weights", "small-8.safetensors", TABLE) == (
        folder / "small-8.safetensors.js"
    ).read_text(encoding="utf-8")


def test_the_script_is_whole_and_asks_no_third_party() -> None:
    text = rain_lab.script(["small-8"], ["cat"], COUNTS, SIZES)
    assert not re.search(r"^(import|export) ", text, re.MULTILINE)
    assert text.count("://") == text.count("http://www.w3.org/2000/svg") == 1
    assert '"name": "small-8", "range": "small", "count": 8' in text
    assert len(text) < 80_000


def test_modules_are_put_together_once_each(tmp_path: Path) -> None:
    texts = {
        "a.js": '// A.\n\nimport { b } from "./b.js";\nimport { c } from "./c.js";\nb(c);\n'
        "export { b };\n",
        "b.js": '// B.\n\nimport { c } from "./c.js";\nexport function b() {}\n',
        "c.js": "// C, of\n// two lines.\n\nconst c = 1;\n\nexport { c };\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    whole = bundled(tmp_path / "a.js")
    assert whole == "// A.\n\nconst c = 1;\nexport function b() {}\nb(c);\nexport { b };\n"
    script = classic(tmp_path / "a.js", "b();")
    assert "export" not in script and script.index("function b") < script.index("b();")


def test_the_page_has_a_place_for_it() -> None:
    source = (ROOT / "book" / "rain_lab.md").read_text(encoding="utf-8")
    assert source.count(rain_lab.MARK) == 1
    assert rain_lab.NO_SCRIPT in rain_lab.panel()


def test_the_page_alone_may_compute_in_a_worker() -> None:
    theme = "<html><head></head><body></body></html>"
    with_lab = with_policy(theme, theme, rain_lab.panel(), [])
    without = with_policy(theme, theme, "Text.", [])
    for right in ("worker-src 'self' blob:", "'wasm-unsafe-eval'"):
        assert right in with_lab and right not in without
    assert "'unsafe-eval'" not in with_lab


# --- the page in a browser

PAGE = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">{policy}
<meta name="viewport" content="width=device-width"><title>The rain lab</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="../_static/rainlens.css"><style>
html {{ --pst-color-background: #fff }} body {{ margin: 0 auto; max-width: 740px; padding: 0 16px }}
</style></head><body><button id="outside">outside</button><p style="height: {space}px"></p>
<article class="bd-article">{lab}</article></body></html>"""
NO_VECTORS = (
    '<meta http-equiv="Content-Security-Policy" content="script-src \'self\'; worker-src blob:">'
)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, weights: dict[str, bytes]) -> Path:
    """A small built book: a few pages with the lab, and what it needs."""
    root = tmp_path_factory.mktemp("site")
    rain_lab.lay_out(root, weights, COUNTS, SIZES)
    for name in ("rainlens.css", "compare.js"):
        shutil.copy(ROOT / "book" / "_static" / name, root / "_static")
    (root / "book").mkdir()
    kinds: dict[str, dict[str, Any]] = {
        "rain_lab": {}, "far": {"space": 4000}, "no_vectors": {"policy": NO_VECTORS}
    }  # fmt: skip
    for name, options in kinds.items():
        text = PAGE.format(lab=rain_lab.panel(), **{"space": 0, "policy": "", **options})
        (root / "book" / f"{name}.html").write_text(text, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def browser(pages: Path) -> Iterator[SimpleNamespace]:
    with browse(pages) as found:
        yield found


@pytest.fixture
def reader(browser: SimpleNamespace) -> Reader:
    return Reader(browser).until("ready").set(size=64)


def random_settings(random: np.random.Generator, method: str) -> dict[str, Any]:
    return {
        "method": method,
        "picture": str(random.choice(list(rain_lab.PICTURES))),
        "quantity": int(random.integers(5, 61)) * 10,
        "width": int(random.integers(5)) * 2 + 1,
        "length": int(random.integers(5, 61)),
        "direction": int(random.integers(-90, 91)),
        "weight": round(float(random.uniform(0.2, 1.5)), 2),
        "tinted": bool(random.integers(2)),
        "seed": int(random.integers(1, 1000)),
    }


def pictures(values: list[float]) -> torch.Tensor:
    return torch.tensor(values).reshape(1, 3, 64, 64)


def in_python(state: dict[str, Any]) -> torch.Tensor:
    """The rainy picture that the package makes of the page's noise and settings."""
    side = rain.fast_length(64 + rain.MARGIN)
    noise = torch.tensor(state["noise"]).reshape(1, side, side)
    kept = noise[noise > 0]
    assert kept.min() > rain.LEVELS - state["quantity"] / 100
    shape = (torch.tensor([state[name]]) for name in ("length", "width", "direction"))
    layer = rain.smear(noise, rain.motion_kernels(*shape))[:, None, :64, :64]
    tint = (1.0, 0.9, 0.8) if state["tinted"] else (1.0, 1.0, 1.0)
    parts = torch.cat([layer * (state["weight"] * part) for part in tint], 1)
    return rain.add_rain(pictures(state["clean"]), parts)


def test_rain_outputs_and_measures_equal_pytorch(
    reader: Reader, methods: dict[str, nn.Module], one_thread: None
) -> None:
    random = np.random.default_rng(0)
    names = [*methods, *(name for name in methods if "-" in name), "exact"]
    for turn in range(20):
        settings = random_settings(random, names[turn % len(names)])
        state = reader.set(**settings).state()
        assert {name: state[name] for name in settings} == settings
        clean, rainy = pictures(state["clean"]), pictures(state["rainy"])
        assert (rainy - in_python(state)).abs().max() < 1e-4
        model = methods.get(settings["method"])
        with torch.no_grad():
            output, dry = (clean, clean) if model is None else (model(rainy), model(clean))
        assert (pictures(state["output"]) - output).abs().max() < 0.1 / 255
        expected = {
            "eR": metrics.e_r(output, rainy, clean),
            "eB": metrics.e_b(output, rainy, clean),
            "gain": metrics.removal_gain(output, rainy, clean),
            "contrast": metrics.contrast_gain(output, rainy, clean),
            "response": metrics.rain_response(output, dry, rainy, clean),
        }
        expected = {name: value.item() for name, value in expected.items()}
        assert state["scores"] == pytest.approx(expected, rel=1e-3, abs=1e-3, nan_ok=True)
    assert reader.errors() == []


def test_the_shown_numbers_are_those(reader: Reader) -> None:
    scores = reader.set(method="medium-8").state()["scores"]
    shown = [node.text for node in reader.driver.find_elements("css selector", ".rl-value")]
    levels, slopes = shown[:2], shown[2:]
    assert levels == [f"{scores[name]:.1f}" for name in ("eR", "eB")]
    assert slopes == [f"{scores[name]:.2f}" for name in ("gain", "contrast", "response")]
    assert "streaks" in reader.text(".rl-verdict")


def test_nothing_is_loaded_before_it_is_seen_or_asked_for(browser: SimpleNamespace) -> None:
    reader = Reader(browser, "far").until("idle")
    assert not [path for path in browser.asked if path.endswith((".safetensors", ".webp"))]
    reader.run(f"{LAB}.scrollIntoView({{behavior: 'instant'}})")
    reader.until("ready")
    networks = [path for path in browser.asked if path.endswith(".safetensors")]
    assert len(networks) == 1
    reader.set(method="medium-8").set(picture="coffee").set(method="untouched")
    reader.set(method="medium-8", picture="cat")
    names = [path.split("/")[-1] for path in browser.asked if "/rain_lab/" in path]
    assert sorted(names) == sorted({*names})
    assert {"coffee.webp", "cat.webp", "medium-8.safetensors"} < {*names}
    assert not [path for path in browser.asked if path.endswith((".safetensors.js", ".webp.js"))]


def test_a_page_opened_as_a_file_works(browser: SimpleNamespace) -> None:
    reader = Reader(browser, (browser.site / "book" / "rain_lab.html").as_uri()).until("ready")
    reader.set(size=64, picture="coffee", method="medium-8")
    assert np.isfinite(reader.state()["scores"]["contrast"])
    assert browser.asked == [] and reader.errors() == []


def test_without_webassembly_the_same_comes_slower(browser: SimpleNamespace, pages: Path) -> None:
    settings = {"size": 64, "method": "medium-8", "seed": 5}
    with_it = Reader(browser).until("ready").set(**settings).state()
    slow = Reader(browser, "no_vectors").until("ready", 60).set(**settings).state()
    assert np.abs(np.subtract(slow["output"], with_it["output"])).max() < 1e-4
    assert (with_it["usesVectors"], slow["usesVectors"]) == (True, False)


def test_what_cannot_be_loaded_is_said_and_tried_again(
    browser: SimpleNamespace, pages: Path
) -> None:
    file = pages / rain_lab.FOLDER / "medium-8.safetensors"
    data = file.read_bytes()
    reader = Reader(browser).until("ready")
    file.unlink()
    reader.run(f"{LAB}.rlLab.set({{method: 'medium-8'}})")
    reader.until("error")
    assert reader.find(".rl-notice").get_attribute("role") == "alert"
    assert "medium-8.safetensors could not be loaded" in reader.text(".rl-notice")
    file.write_bytes(data[:1000])
    reader.button("Try again").click()
    wait(lambda: "damaged" in reader.text(".rl-notice"))
    file.write_bytes(data)
    reader.button("Try again").click()
    assert reader.until("ready").state()["method"] == "medium-8"


def test_ones_own_photograph_stays_here(
    browser: SimpleNamespace, reader: Reader, tmp_path: Path
) -> None:
    colours = np.zeros((90, 150, 3), dtype=np.uint8)
    colours[..., 0] = 200
    photograph, text = tmp_path / "mine.png", tmp_path / "text.png"
    Image.fromarray(colours).save(photograph)
    text.write_text("no picture")
    browser.asked.clear()
    reader.find("input[type=file]").send_keys(str(photograph))
    wait(lambda: reader.state()["picture"] == "own")
    clean = pictures(reader.until("ready").state()["clean"])
    assert clean[0].mean((1, 2)).tolist() == pytest.approx([200 / 255, 0, 0], abs=1e-3)
    reader.find("input[type=file]").send_keys(str(text))
    wait(lambda: "text.png is no picture" in reader.text(".rl-notice"))
    assert browser.asked == []


def test_the_map_fills_cell_by_cell_and_can_be_stopped(reader: Reader) -> None:
    reader.set(method="median", length=30)
    reader.button("Fill the map").click()
    wait(lambda: "Done" in reader.text(".rl-map .rl-row span"), 30)
    numbers = [float(text.replace("−", "-")) for text in reader.cells()]
    assert len(numbers) == 35 and max(numbers) < 1.2 and len(set(numbers)) > 10
    # Of other settings these numbers would be wrong.
    reader.set(quantity=400)
    assert set(reader.cells()) == {""}
    reader.set(method="medium-8")
    framed = reader.driver.find_elements("css selector", ".rl-map td.rl-trained")
    assert len(framed) == 9  # widths 5, 7, 9 and angles -30, 0, 30
    reader.button("Fill the map").click()
    wait(lambda: any(reader.cells()))
    reader.button("Stop").click()
    held = reader.cells()
    reader.set(size=128).set(size=64)
    assert reader.text(".rl-map .rl-row button") == "Fill the map"
    assert "" in held
    assert reader.errors() == []


def test_sliders_say_where_the_training_lies(reader: Reader) -> None:
    reader.set(method="medium-512", width=7, length=30, direction=0, quantity=250)
    assert "This rain is inside of what" in reader.text(".rl-place")
    angle = reader.find("input[aria-label=Angle]")
    assert angle.get_attribute("aria-valuetext") == "0°, trained on -30 to 30"
    reader.set(direction=45, width=3)
    assert "Outside of what this network was trained on: width, angle." in reader.text(".rl-place")
    reader.set(method="median")
    assert "trained on nothing" in reader.text(".rl-place")
    assert "trained" not in angle.get_attribute("aria-valuetext")
    reader.button("small").click()
    state = reader.until("ready").state()
    small = rain.RANGES["small"]
    assert state["width"] in small.width and abs(state["direction"]) <= small.direction[1]


def test_mouse_finger_and_keyboard_move_everything(reader: Reader) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    def press(*keys: str) -> None:
        ActionChains(reader.driver).send_keys(*keys).perform()

    def line() -> str:
        return reader.run(f"return {LAB}.querySelector('.rl-pair').style.getPropertyValue('--at')")

    reader.find("#outside").click()
    press(Keys.TAB, Keys.ARROW_LEFT)
    assert line() == "49%"
    press(Keys.TAB, Keys.ARROW_RIGHT)
    assert reader.state()["quantity"] == 260
    press(Keys.TAB, Keys.TAB, Keys.TAB, Keys.END)
    assert reader.state()["direction"] == 90
    reader.find("input[value=exact]").click()
    press(Keys.ARROW_LEFT)
    assert reader.until("ready").state()["method"] == "median"
    box = reader.run(
        f"const pair = {LAB}.querySelector('.rl-pair'); pair.scrollIntoView({{block: 'center'}});"
        "const {left, top, width, height} = pair.getBoundingClientRect();"
        "return {left, top, width, height}"
    )
    middle = box["top"] + box["height"] / 2
    touch(reader.driver, [(box["left"] + box["width"] * part, middle) for part in (0.5, 0.2)])
    assert line() == "20%"
    assert reader.errors() == []


def test_all_that_can_be_reached_has_a_name_and_a_ring(reader: Reader) -> None:
    wanted = {"Angle", "medium rain, N = 512", "cat", "your own …", "64 by 64 pixels",
              "Draw rain from the small range", "Fill the map", "E_R"}  # fmt: skip
    assert wanted <= set(reader.walk())


def test_a_screen_reader_hears_the_result_once(reader: Reader) -> None:
    reader.set(method="medium-8", direction=60)
    live = ".rl-lab [aria-live=polite]"
    wait(lambda: "Outside of what this network was trained on: angle" in reader.text(live))
    text = reader.text(live)
    assert "Network of medium rain, N = 8." in text and "contrast gain" in text


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_overflows(browser: SimpleNamespace, width: int) -> None:
    reader = Reader(browser, width=width).until("ready").set(size=64, method="median")
    reader.button("Fill the map").click()
    wait(lambda: "Done" in reader.text(".rl-map .rl-row span"), 30)
    sizes = reader.run(
        f"const lab = {LAB}, box = lab.getBoundingClientRect();"
        "const inside = [...lab.querySelectorAll('*:not(.rl-unseen, style)')]"
        ".map((n) => n.getBoundingClientRect()).filter((b) => b.width);"
        "const held = [...lab.querySelectorAll('.rl-choice, button, .rl-track, .rl-check')];"
        "return {page: document.documentElement.scrollWidth, left: box.left, right: box.right,"
        " reach: Math.max(...inside.map((b) => b.right)),"
        " start: Math.min(...inside.map((b) => b.left)),"
        " touch: Math.min(...held.map((n) => n.getBoundingClientRect().height))}"
    )
    assert sizes["page"] <= width
    assert sizes["left"] - 0.5 <= sizes["start"] and sizes["reach"] <= sizes["right"] + 0.5
    assert sizes["touch"] >= 38
    assert reader.errors() == []
