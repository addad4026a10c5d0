"""The toy task's live panel: weight files, the notebook widget, and the page in a browser."""

import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import traitlets
from browser.chromium import browse, set_media, touch
from browser.toy_reader import PANEL, Reader, wait
from safetensors.torch import load, save

from rainlens.escaping import escaped
from rainlens.models.cnn1d import Cnn1d
from rainlens.widgets.bundling import bundled
from rainlens.widgets.toy import MODULE, ToyWidget, as_script, pack, static_panel, unpack

ORDERS = (1, 4, 8)
POINTS = 128


def network(order: float, steps: int = 30, **options: Any) -> Cnn1d:
    """A briefly trained network: enough that its outputs have the size of real ones."""
    torch.manual_seed(int(order))
    model = Cnn1d(**options)
    optimiser = torch.optim.Adam(model.parameters(), 2e-3)
    for _ in range(steps):
        ends = (torch.rand(4, 2) * 20 - 10).sort(1).values
        x = ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * torch.linspace(0, 1, POINTS)
        clean = torch.stack((x, 10 * torch.cos(order * math.pi / 10 * x)), 1)
        noisy = clean + torch.tensor([0.0, 1.0])[:, None] * torch.randn(clean.shape)
        loss = (model(noisy) - clean).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model.eval()


def answer(model: Cnn1d, x: list[float], y: list[float]) -> np.ndarray:
    """What PyTorch says to the points (x, y): the y channel of the output."""
    with torch.no_grad():
        return model(torch.tensor([[x, y]]))[0, 1].numpy()


@pytest.fixture(scope="module")
def models() -> Iterator[dict[int, Cnn1d]]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    # One network with the other padding and another slope, as the weight file's header allows.
    options = {1: {}, 4: {"padding": "replicate", "slope": 0.2}, 8: {"scale": 1.0}}
    yield {order: network(order, **options[order]) for order in ORDERS}
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def files(models: dict[int, Cnn1d]) -> dict[int, bytes]:
    return {order: pack(model, {"order": order}) for order, model in models.items()}


# --- weight files


def test_weights_survive_packing(models: dict[int, Cnn1d], files: dict[int, bytes]) -> None:
    x = torch.linspace(-10, 10, POINTS).tolist()
    y = (25 * torch.randn(POINTS, generator=torch.Generator().manual_seed(0))).tolist()
    for order, data in files.items():
        read, metadata = unpack(data)
        assert float(metadata["order"]) == order
        assert (metadata["noise_mean"], metadata["noise_std"]) == ("0.0", "1.0")
        assert np.abs(answer(read, x, y) - answer(models[order], x, y)).max() < 2e-2
        assert len(data) < 0.8e6


def test_pack_refuses_what_the_browser_cannot_run() -> None:
    with pytest.raises(ValueError, match="no 'order'"):
        pack(Cnn1d(8), {})
    with pytest.raises(ValueError, match="kernel is 5"):
        pack(Cnn1d(8, kernel=5), {"order": 1})
    model = Cnn1d(8)
    model.layers[2].weight.data[0, 0, 0] = 1e6
    with pytest.raises(ValueError, match="Layer 2"):
        pack(model, {"order": 1})


def test_unpack_refuses_other_bytes() -> None:
    for data in (b"", b"not weights at all", save({"a": torch.zeros(2)})):
        with pytest.raises(ValueError, match="pack"):
            unpack(data)
    good = pack(Cnn1d(8), {"order": 1})
    tensors = load(good)
    del tensors["conv3.bias"]
    metadata = {"order": "1", "slope": "0.01", "padding": "zeros"}
    with pytest.raises(ValueError, match="not those of a toy network"):
        unpack(save(tensors, metadata))


NAME = 'a"b.safetensors'


def test_static_panel_needs_weights_and_escapes_them() -> None:
    with pytest.raises(ValueError, match="weights_urls"):
        static_panel({})
    html = static_panel({1: NAME}).data
    assert f'data-weights-1="{escaped(NAME)}"' in html and NAME not in html
    assert "<noscript>" in html
    imported = static_panel({1: "a"}, "toy.js").data
    assert [page.count("figures above and below it") for page in (html, imported)] == [1, 2]
    assert html.count("</script>") == 1


def test_module_asks_no_third_party() -> None:
    source = bundled(MODULE)
    assert [line for line in source.splitlines() if line.startswith("import ")] == []
    # The one address is the name of the SVG vocabulary, which is never requested.
    assert source.count("://") == source.count("http://www.w3.org/2000/svg") == 1


# --- the notebook widget


def test_widget_holds_weights_and_checks_settings(files: dict[int, bytes]) -> None:
    widget = ToyWidget(files, order=8.0)
    assert widget.network == 1 and widget.order == 8
    assert widget.weights["4"] == files[4]
    widget.network = 4
    with pytest.raises(traitlets.TraitError, match="weights were given for 1, 4, 8"):
        widget.network = 3
    with pytest.raises(traitlets.TraitError):
        widget.noise_std = -1.0
    with pytest.raises(ValueError, match="weights is empty"):
        ToyWidget({})
    with pytest.raises(ValueError, match="pack"):
        ToyWidget({1: b"nonsense"})


# --- the page in a browser

PAGE = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>toy</title>
<link rel="icon" href="data:,"><style>body {{ margin: 0 auto; max-width: 760px; padding: 0 16px }}
</style></head><body><button id="outside">outside</button><p style="height: {space}px"></p>
{panel}<p style="height: 600px">after</p></body></html>"""


def page(panel: str, space: int = 0) -> str:
    return PAGE.format(panel=panel, space=space)


def urls(prefix: str = "../_static/toy/") -> dict[int, str]:
    return {order: f"{prefix}toy_o{order}.safetensors" for order in ORDERS}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, files: dict[int, bytes]) -> Path:
    """A small built book: one page in notebooks/, weights and module in _static/toy/."""
    root = tmp_path_factory.mktemp("site")
    static = root / "_static" / "toy"
    static.mkdir(parents=True)
    for order, data in files.items():
        (static / f"toy_o{order}.safetensors").write_bytes(data)
    (static / "toy.js").write_text(bundled(MODULE), encoding="utf-8")
    pages = {
        "near": page(static_panel(urls()).data),
        "far": page(static_panel(urls()).data, space=4000),
        "import": page(static_panel(urls(), "../_static/toy/toy.js").data),
        "no-module": page(static_panel(urls(), "../_static/toy/absent.js").data),
        "missing": page(static_panel({1: "../_static/toy/late.safetensors"}).data),
        "damaged": page(static_panel({1: "damaged.bin"}).data),
        "blank": page('<div id="host"></div>'),
    }
    (root / "notebooks").mkdir()
    (root / "notebooks" / "damaged.bin").write_bytes(files[1][:5000])
    for name, text in pages.items():
        (root / "notebooks" / f"{name}.html").write_text(text, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def browser(site: Path) -> Iterator[SimpleNamespace]:
    with browse(site) as found:
        yield found


@pytest.fixture
def reader(browser: SimpleNamespace) -> Reader:
    return Reader(browser).until("ready")


def test_outputs_equal_pytorch(reader: Reader, models: dict[int, Cnn1d]) -> None:
    random = np.random.default_rng(0)
    for trial in range(20):
        reader.set(
            network=ORDERS[trial % 3],
            order=float(random.uniform(0.5, 12)),
            mean=float(random.uniform(-15, 15)),
            spread=float(random.uniform(0, 8)),
            seed=trial,
        )
        state = reader.state()
        expected = answer(models[state["network"]], state["x"], state["input"])
        assert np.abs(np.array(state["output"]) - expected).max() < 1e-2
        assert state["mse"] == pytest.approx(np.square(expected - state["truth"]).mean(), rel=1e-2)
    assert np.abs(expected).max() > 3
    assert reader.errors() == []


def test_signal_noise_and_errors_are_what_they_say(reader: Reader) -> None:
    reader.set(network=4, order=8, mean=10, spread=5, seed=3)
    state = reader.state()
    x = np.linspace(-10, 10, POINTS)
    truth, trained = 10 * np.cos(8 * np.pi * x / 10), 10 * np.cos(4 * np.pi * x / 10)
    assert np.allclose(state["truth"], truth, atol=1e-4)
    noise = (np.array(state["input"]) - truth - 10) / 5
    assert abs(noise.mean()) < 0.3 and 0.8 < noise.std() < 1.2
    output = np.array(state["output"])
    assert state["mseTraining"] == pytest.approx(np.square(output - trained).mean(), rel=1e-4)
    shown = [float(node.text) for node in reader.driver.find_elements("css selector", ".rl-value")]
    expected = [state["mse"], state["mseTraining"], state["mseInput"]]
    assert shown == pytest.approx(expected, rel=0.01, abs=0.06)
    reader.set(seed=4).set(seed=3)
    assert reader.state()["input"] == state["input"]


def test_noise_is_standard_normal(browser: SimpleNamespace) -> None:
    reader = Reader(browser, "blank")
    draws = reader.driver.execute_async_script(
        "const done = arguments[0]; import('../_static/toy/toy.js')"
        ".then((toy) => done([1, 2].map((seed) => Array.from(toy.normals(seed, 20000)))))"
    )
    first, second = np.array(draws)
    quantiles = np.quantile(first, [0.025, 0.16, 0.5, 0.84, 0.975])
    assert quantiles == pytest.approx([-1.96, -0.994, 0, 0.994, 1.96], abs=0.06)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.03


def test_every_control_changes_the_picture(reader: Reader) -> None:
    from selenium.webdriver.common.keys import Keys

    slider = {
        label: f"input[aria-label='{label}']"
        for label in ("Cosine order", "Noise mean", "Noise spread")
    }
    acts: list[tuple[Callable[[], Any], set[str]]] = [
        (lambda: reader.pick(8), {"rl-output", "rl-band"}),
        (lambda: reader.find(slider["Cosine order"]).send_keys(Keys.ARROW_RIGHT),
         {"rl-truth", "rl-dots", "rl-output"}),
        (lambda: reader.find(slider["Noise mean"]).send_keys(Keys.ARROW_RIGHT),
         {"rl-dots", "rl-output"}),
        (lambda: reader.find(slider["Noise spread"]).send_keys(Keys.ARROW_RIGHT),
         {"rl-dots", "rl-output"}),
        (lambda: reader.button("New noise").click(), {"rl-dots", "rl-output"}),
        *[(lambda name=name: reader.pick(name), {"rl-truth", "rl-dots", "rl-output"})
          for name in ("line", "step", "triangle", "sawtooth", "zero")],
        (lambda: reader.button("As in training").click(), {"rl-truth", "rl-dots", "rl-output"}),
    ]  # fmt: skip
    before = reader.picture()
    for act, parts in acts:
        act()
        reader.until("ready")
        after = reader.picture()
        assert all(after[part] and after[part] != before[part] for part in parts)
        before = after
    state = reader.state()
    settings = {name: state[name] for name in ("network", "order", "mean", "spread")}
    assert settings == {"network": 8, "order": 8, "mean": 0, "spread": 1}
    assert reader.errors() == []


def test_drawing_with_the_mouse(reader: Reader, models: dict[int, Cnn1d]) -> None:
    before = reader.state()
    reader.drag([(-8, 6), (0, -6), (6, -6)])
    state = reader.state()
    x, truth = np.array(state["x"]), np.array(state["truth"])
    assert state["shape"] == "drawing"
    drawn = np.interp(x, [-8, 0, 6], [6, -6, -6])
    inside = (x > -7.5) & (x < 5.5)
    assert np.abs(truth - drawn)[inside].max() < 0.6
    assert np.array_equal(truth[x > 6.5], np.array(before["truth"])[x > 6.5])
    expected = answer(models[1], state["x"], state["input"])
    assert np.abs(np.array(state["output"]) - expected).max() < 1e-2
    clear = reader.button("Clear drawing")
    assert clear.get_attribute("aria-disabled") == "false"
    clear.click()
    assert reader.state()["truth"] == before["truth"]
    assert reader.errors() == []


def test_drawing_with_a_finger_and_scrolling_past(browser: SimpleNamespace) -> None:
    reader = Reader(browser, width=390).until("ready")
    before = reader.state()
    touch(reader.driver, [reader.plot_point(*point) for point in ((-9, 0), (-2, 8), (8, 8))])
    state = reader.state()
    assert state["shape"] == "drawing"
    x, truth = np.array(state["x"]), np.array(state["truth"])
    assert np.abs(truth[(x > 0) & (x < 7.5)] - 8).max() < 0.8
    reader.button("Clear drawing").click()
    # A finger that moves up scrolls the page, even from the plot, and leaves the signal alone.
    left, top = reader.plot_point(0, -5)
    scrolled = reader.run("return scrollY")
    touch(reader.driver, [(left, top), (left + 2, top - 240)], steps=12)
    wait(lambda: reader.run("return scrollY") > scrolled + 50)
    assert reader.state()["truth"] == before["truth"]
    assert reader.errors() == []


def focused(reader: Reader) -> str:
    return reader.run(
        "const node = document.activeElement;"
        "return node.getAttribute('aria-label') ?? (node.value || node.textContent)"
    )


def test_keyboard_reaches_everything(reader: Reader) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    def press(*keys: str) -> None:
        ActionChains(reader.driver).send_keys(*keys).perform()

    reader.find("#outside").click()
    seen = []
    for _ in range(8):
        press(Keys.TAB)
        seen.append(focused(reader))
        ring = reader.run(
            "const n = document.activeElement, s = n.matches('.rl-choice input')"
            " ? n.nextElementSibling : n; return getComputedStyle(s).outlineWidth"
        )
        assert ring == "3px"
    assert seen == ["1", "Cosine order", "Noise mean", "Noise spread", "cosine", "Clear drawing",
                    "New noise", "As in training"]  # fmt: skip
    reader.find("#outside").click()
    press(Keys.TAB, Keys.ARROW_RIGHT)
    reader.until("ready")
    assert reader.state()["network"] == 4
    press(Keys.TAB, Keys.END)
    assert reader.state()["order"] == 12
    press(Keys.TAB, Keys.TAB, Keys.TAB, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert reader.state()["shape"] == "step"
    press(Keys.TAB, Keys.TAB, Keys.SPACE)
    assert reader.state()["seed"] == 2


def test_screen_reader_hears_names_and_results(reader: Reader) -> None:
    for node in reader.driver.find_elements("css selector", ".rl-toy input, .rl-toy button"):
        assert node.accessible_name
    plot = reader.find(".rl-plot")
    assert plot.aria_role in ("img", "image")
    reader.set(order=8, mean=10, spread=5)
    live = reader.find(".rl-toy [aria-live=polite]")
    text = wait(lambda: live.get_attribute("textContent"))
    wait(lambda: "order 8, noise mean 10, spread 5" in live.get_attribute("textContent"))
    text = live.get_attribute("textContent")
    assert "Network trained on order 1" in text and "Foreign signal, foreign noise" in text
    assert "Mean squared error to the truth" in text
    assert plot.get_attribute("aria-label") == text


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_overflows(browser: SimpleNamespace, width: int) -> None:
    reader = Reader(browser, width=width).until("ready")
    reader.set(network=8, order=12, mean=-15, spread=8)
    reader.picture()
    sizes = reader.run(
        f"const panel = {PANEL}, box = panel.getBoundingClientRect();"
        "const all = [...panel.querySelectorAll('.rl-body *:not(.rl-unseen):not(.rl-plot *)')]"
        ".map((n) => n.getBoundingClientRect()).filter((b) => b.width);"
        "const texts = [...panel.querySelectorAll('.rl-plot text')]"
        ".map((n) => n.getBoundingClientRect()).filter((b) => b.width);"
        "const touch = [...panel.querySelectorAll('input, button')]"
        ".map((n) => n.getBoundingClientRect()).map((b) => Math.min(b.width, b.height));"
        "return {page: document.documentElement.scrollWidth, left: box.left, right: box.right,"
        " reach: Math.max(...[...all, ...texts].map((b) => b.right)),"
        " start: Math.min(...[...all, ...texts].map((b) => b.left)), touch}"
    )
    assert sizes["page"] <= width
    assert sizes["reach"] <= sizes["right"] + 0.5
    assert sizes["start"] >= sizes["left"] - 0.5
    assert min(sizes["touch"]) >= 40
    assert reader.errors() == []


def luminance(colour: str) -> float:
    parts = [float(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def contrast(one: str, two: str) -> float:
    """The contrast ratio of WCAG 2, 1 to 21."""
    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


def test_both_themes_are_legible(reader: Reader) -> None:
    pages = {}
    for theme in ("light", "dark"):
        reader.run("document.documentElement.dataset.theme = arguments[0]", theme)
        wait(lambda theme=theme: reader.run(f"return {PANEL}.dataset.rlTheme") == theme)
        time.sleep(0.2)
        colours = reader.run(
            f"const css = (s) => getComputedStyle({PANEL}.querySelector(s));"
            f"return {{page: getComputedStyle({PANEL}).backgroundColor,"
            " texts: [css('.rl-verdict').color, css('.rl-name').color, css('.rl-of').color,"
            "  css('.rl-hint').fill, css('.rl-axis').fill, css('text.rl-of-band').fill,"
            "  css('text.rl-of-output').fill],"
            " lines: [css('.rl-output').stroke, css('.rl-truth').stroke, css('.rl-dots').stroke]}"
        )
        pages[theme] = colours["page"]
        assert min(contrast(text, colours["page"]) for text in colours["texts"]) >= 4.5
        assert min(contrast(line, colours["page"]) for line in colours["lines"]) >= 3
    assert luminance(pages["light"]) > 0.9 and luminance(pages["dark"]) < 0.05
    reader.run("delete document.documentElement.dataset.theme")
    set_media(reader.driver, prefers_color_scheme="dark", prefers_reduced_motion="reduce")
    wait(lambda: reader.run(f"return {PANEL}.dataset.rlTheme") == "dark")
    set_media(reader.driver, prefers_color_scheme="light", prefers_reduced_motion="reduce")
    wait(lambda: reader.run(f"return {PANEL}.dataset.rlTheme") == "light")


def test_the_axis_glides_unless_motion_is_unwelcome(reader: Reader) -> None:
    def grids(**media: str) -> int:
        """How many positions of the grid are seen while the noise mean jumps."""
        set_media(reader.driver, **media)
        reader.set(mean=0)
        time.sleep(0.4)
        return reader.driver.execute_async_script(
            f"const done = arguments[0], seen = new Set(), toy = {PANEL}.rlToy;"
            f"const grid = {PANEL}.querySelector('.rl-grid'); toy.set({{mean: 15}}); let left = 30;"
            "const look = () => { seen.add(grid.getAttribute('d'));"
            " left-- ? requestAnimationFrame(look) : done(seen.size); }; look();"
        )

    assert grids(prefers_reduced_motion="reduce") == 2
    assert grids(prefers_reduced_motion="no-preference") > 3


def test_the_page_around_keeps_its_style(browser: SimpleNamespace) -> None:
    reader = Reader(browser, "blank")
    look = (
        "return JSON.stringify(Object.fromEntries([...getComputedStyle("
        "document.querySelector('#outside'))].map((n) => [n, getComputedStyle("
        "document.querySelector('#outside'))[n]])))"
    )
    before = json.loads(reader.run(look))
    reader.driver.execute_async_script(
        "const done = arguments[0]; import('../_static/toy/toy.js').then((toy) => {"
        "toy.mount(document.querySelector('#host'), {weights: {1: '../_static/toy/"
        "toy_o1.safetensors'}}); done(); })"
    )
    assert json.loads(reader.run(look)) == before
    selectors = reader.run(
        "return [...document.querySelector('#host style').sheet.cssRules].flatMap((rule) =>"
        " rule.cssRules?.length ? [...rule.cssRules] : [rule]).map((r) => r.selectorText)"
        ".filter(Boolean).flatMap((s) => s.split(','))"
    )
    assert len(selectors) > 40
    assert all(selector.strip().startswith(".rl-toy") for selector in selectors)


def test_the_plot_has_a_name_before_it_is_drawn(browser: SimpleNamespace) -> None:
    reader = Reader(browser, "far")
    plot = wait(lambda: reader.driver.find_elements("css selector", ".rl-plot"))[0]
    assert plot.accessible_name == "Plot of the signals, not drawn yet"


def test_weights_load_when_seen_and_when_chosen(browser: SimpleNamespace) -> None:
    browser.asked.clear()
    reader = Reader(browser, "far")
    time.sleep(0.3)
    assert [path for path in browser.asked if "safetensors" in path] == []
    reader.run(f"{PANEL}.scrollIntoView({{behavior: 'instant'}})")
    reader.until("ready")
    reader.pick(8)
    wait(lambda: reader.state()["status"] == "ready" and reader.state()["network"] == 8)
    reader.pick(1)
    reader.until("ready")
    weights = [path for path in browser.asked if "safetensors" in path]
    assert weights == [f"/_static/toy/toy_o{order}.safetensors" for order in (1, 8)]


def test_a_missing_file_is_told_and_can_be_retried(
    browser: SimpleNamespace, files: dict[int, bytes]
) -> None:
    late = browser.site / "_static" / "toy" / "late.safetensors"
    late.unlink(missing_ok=True)
    reader = Reader(browser, "missing").until("error")
    notice = reader.find(".rl-notice")
    assert "late.safetensors could not be loaded (the server answered 404)" in notice.text
    assert notice.get_attribute("role") == "alert"
    assert reader.state()["output"] is None
    late.write_bytes(files[1])
    reader.button("Try again").click()
    reader.until("ready")
    assert not notice.is_displayed()
    assert len(reader.state()["output"]) == POINTS


def test_a_damaged_file_is_told(browser: SimpleNamespace) -> None:
    reader = Reader(browser, "damaged").until("error")
    assert "damaged.bin is damaged" in reader.find(".rl-notice").text


def test_page_can_import_the_module(browser: SimpleNamespace) -> None:
    reader = Reader(browser, "import").until("ready")
    assert len(reader.state()["output"]) == POINTS
    assert reader.errors() == []
    reader = Reader(browser, "no-module")
    wait(lambda: "could not be loaded" in reader.find(".rl-toy").text)
    assert reader.find("#outside").is_displayed()


def test_page_opened_as_a_file(browser: SimpleNamespace, files: dict[int, bytes]) -> None:
    driver, static = browser.driver, browser.site / "_static" / "toy"
    twin = static / "toy_o1.safetensors.js"
    twin.write_text(as_script(files[1], "toy_o1.safetensors"), encoding="ascii")
    reader = Reader(browser, "blank")
    driver.get((browser.site / "notebooks" / "near.html").as_uri())
    reader.until("ready")
    assert len(reader.state()["output"]) == POINTS
    # Without its script twin a network cannot be read from a file: the panel says so, once.
    reader.pick(4)
    reader.until("error")
    assert "opened as a file" in reader.find(".rl-notice").text
    twin.unlink()
    with pytest.raises(ValueError, match="pack"):
        as_script(b"nonsense", "toy.safetensors")


HOST = """const done = arguments[0];
const bytes = (url) => fetch(url).then((r) => r.arrayBuffer()).then((b) => new DataView(b));
Promise.all([import('../_static/toy/toy.js'), bytes('../_static/toy/toy_o1.safetensors'),
  bytes('../_static/toy/toy_o8.safetensors')]).then(([toy, one, eight]) => {
  const traits = {weights: {1: one, 8: eight}, points: 128, network: 8, order: 8, noise_mean: 0,
    noise_std: 1, seed: 1};
  const handlers = {};
  window.model = {
    traits, saved: 0, get: (name) => traits[name],
    set: (name, value) => { if (traits[name] !== value) {
      traits[name] = value; handlers[`change:${name}`]?.(); } },
    save_changes: () => { window.model.saved++; }, on: (name, f) => { handlers[name] = f; },
  };
  const el = document.querySelector('#host').attachShadow({mode: 'open'});
  window.stop = toy.default.render({model: window.model, el});
  window.panel = el.querySelector('.rl-toy');
  done();
});"""


def test_notebook_host_in_a_shadow_root(browser: SimpleNamespace, models: dict) -> None:
    """anywidget's contract, played by a model of our own: buffers in, settings both ways."""
    reader = Reader(browser, "blank")
    reader.driver.execute_async_script(HOST)
    wait(lambda: reader.run("return panel.dataset.rlStatus") == "ready")
    state = reader.run("return panel.rlToy.state()")
    assert (state["network"], state["order"]) == (8, 8)
    expected = answer(models[8], state["x"], state["input"])
    assert np.abs(np.array(state["output"]) - expected).max() < 1e-2
    reader.run("model.set('noise_mean', 10)")
    assert reader.run("return panel.rlToy.state().mean") == 10
    assert reader.run("return model.saved") == 0
    reader.run("panel.rlToy.set({network: 1, spread: 5})")
    wait(lambda: reader.run("return panel.dataset.rlStatus") == "ready")
    assert reader.run("return [model.traits.network, model.traits.noise_std]") == [1, 5]
    assert reader.run("return model.saved") == 1
    assert reader.run("return getComputedStyle(panel.querySelector('.rl-output')).strokeWidth") \
        == "3px"  # fmt: skip
    reader.run("stop()")
    assert reader.errors() == []
