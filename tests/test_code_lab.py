"""The code lab: the file that it loads, and its panel in a browser."""

import copy
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from browser import axe
from browser.chromium import browse, touch
from browser.lab_reader import PAGE
from browser.lab_reader import Reader as LabReader
from browser.toy_reader import wait
from content_policy import complaints, with_policy
from safetensors.torch import save
from torch import Tensor

from rainlens import images, metrics, scales
from rainlens.models import vqgan
from rainlens.models.autoencoder import Shape
from rainlens.models.vqgan import VQGAN, Config
from rainlens.site import staging
from rainlens.tasks import codebook
from rainlens.widgets import code_lab
from rainlens.widgets.bundling import bundled, classic

ROOT = Path(__file__).resolve().parents[1]
SOURCES = {
    "clean": ("clean", "clean"),
    "before": ("rainy", "clean"),
    "after": ("tuned_rainy", "tuned_clean"),
}
MOST_BYTES = 1_500_000  # a chapter with its theme and figures may load 3 MB
GREY_LEVEL = 1 / 255


def prior(config: str = "A", **options: Any) -> VQGAN:
    """A prior that is not trained; its latents are spread over the rows of its book."""
    torch.manual_seed(0)
    model = VQGAN(config, **options).eval()
    with torch.no_grad(), torch.random.fork_rng():
        latent = model.encode(images.to_unit(code_lab.pair().clean))[0].flatten(1).T
        rows = model.quantize.embedding.weight
        rows.copy_(latent[torch.arange(len(rows)) * len(latent) // len(rows)])
        model.decoder.conv_out.weight.mul_(4)  # or the picture would be nearly grey
    return model


def fine_tuned(model: VQGAN) -> VQGAN:
    """The same with another encoder."""
    found = copy.deepcopy(model)
    torch.manual_seed(1)
    with torch.no_grad():
        for weights in found.encoder.parameters():
            weights.mul_(1 + 0.2 * torch.randn_like(weights))
    return found


@pytest.fixture(scope="module")
def small() -> Iterator[VQGAN]:
    """A prior with few channels, so that a browser decodes it at once."""
    with pytest.MonkeyPatch.context() as patch:
        tiny = Config(Shape(16, (1, 2, 4), 1, 16, groups=4), length=16, codes=64)
        patch.setitem(vqgan.CONFIGS, "tiny", tiny)
        yield prior("tiny")


@pytest.fixture(scope="module")
def file(small: VQGAN) -> bytes:
    return code_lab.pack(small, fine_tuned(small))


def in_file(model: VQGAN, data: bytes) -> VQGAN:
    """The network with the decoder and the book of a file."""
    found, held = copy.deepcopy(model), code_lab.unpack(data)
    mine = {name: held[name] for name in found.state_dict() if name in held}
    assert sorted(mine) == sorted(
        name for name in found.state_dict() if name.startswith(("quantize.emb", "post", "decoder"))
    )
    found.load_state_dict(mine, strict=False)
    return found


@torch.no_grad()
def decoded(model: VQGAN, latent: Tensor, quantised: bool = True) -> Tensor:
    """What PyTorch makes of a latent (C, h, w): (1, 3, H, W), clipped."""
    values = model.quantise(latent[None]).values if quantised else latent[None]
    return model.decode(values).clamp(0, 1)


# --- the file


def test_a_file_is_small_and_holds_the_decoder_in_steps() -> None:
    model = prior()
    data = code_lab.pack(model, fine_tuned(model))
    assert len(data) < MOST_BYTES
    rounded = in_file(model, data)
    for name, kernel in model.decoder.named_parameters():
        held = rounded.decoder.get_parameter(name)
        if kernel.ndim < 4:
            assert torch.equal(held, kernel)
        else:
            step = kernel.abs().amax((1, 2, 3), keepdim=True) / code_lab.KERNEL_STEPS
            assert ((held - kernel).abs() <= 0.501 * step).all()


def test_the_recorded_prior_loses_little(one_thread: None) -> None:
    setting = scales.scale_named("cpu")
    if not setting.store.weights_path(setting.codebook().name).exists():
        pytest.skip("the code book is not recorded yet")
    model = codebook.trained(setting.codebook(), setting.store)
    data = code_lab.pack(model, fine_tuned(model))
    assert len(data) < MOST_BYTES
    held, rounded = code_lab.unpack(data), in_file(model, data)
    for name in ("latent.clean", "latent.rainy"):
        assert metrics.damage(decoded(rounded, held[name]), decoded(model, held[name])) < 2


def test_latents_and_pictures_are_those_of_the_networks(small: VQGAN, file: bytes) -> None:
    held, pair = code_lab.unpack(file), code_lab.pair()
    assert torch.equal(held["clean"], pair.clean[0].float())
    assert torch.equal(held["rainy"], pair.rainy[0].float())
    assert (pair.rainy >= pair.clean).all()
    added = pair.rainy.float() - pair.clean.float()
    assert 0.02 < (added > 10).float().mean() < 0.5
    with torch.no_grad():
        latents = fine_tuned(small).encode(images.to_unit(pair.rainy))
    step = latents[0].abs().amax((1, 2), keepdim=True) / code_lab.LATENT_STEPS
    assert ((held["latent.tuned_rainy"] - latents[0]).abs() <= 0.501 * step).all()


def test_what_the_browser_cannot_run_is_refused(small: VQGAN) -> None:
    other = copy.deepcopy(small)
    other.decoder.conv_in.bias.data += 1
    with pytest.raises(ValueError, match=r"decoder\.conv_in\.bias differs"):
        code_lab.pack(small, other)
    with pytest.raises(ValueError, match="no code book"):
        code_lab.pack(VQGAN("tiny", quantised=False), small)
    with pytest.raises(ValueError, match="12 codes a side"):
        code_lab.pack(VQGAN("F", codes=8), VQGAN("F", codes=8))
    for data in (b"", b"nonsense", save({"a": torch.zeros(2)})):
        with pytest.raises(ValueError, match="no file of the code lab"):
            code_lab.unpack(data)


# --- a notebook, and what is laid out for a page


def test_the_notebook_gets_the_file_and_a_page_its_place(small: VQGAN, file: bytes) -> None:
    lab = code_lab.panel(small, fine_tuned(small))
    assert lab.data == file and lab.told["file"] == code_lab.FILE
    data, _ = lab._repr_mimebundle_()
    assert data["text/html"] == code_lab.static_panel()
    assert "application/vnd.jupyter.widget-view+json" in data
    with pytest.raises(ValueError, match="pack"):
        code_lab.CodeLab(b"nonsense")


def test_scripts_are_whole_and_ask_no_third_party() -> None:
    page = code_lab.script()
    assert not re.search(r"^(import|export) ", page, re.MULTILINE)
    for text in (page, bundled(code_lab.MODULE)):
        assert text.count("://") == text.count("http://www.w3.org/2000/svg") == 1
    assert len(page) < 80_000


def test_a_page_with_the_lab_may_compute_in_a_worker() -> None:
    theme = "<html><head></head><body></body></html>"
    page = with_policy(theme, theme, code_lab.static_panel(), [])
    assert "worker-src 'self' blob:" in page and "'wasm-unsafe-eval'" in page
    assert complaints(code_lab.static_panel()) == []


def test_a_book_without_a_fine_tuned_prior_has_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(scales.RECORDS_VARIABLE, str(tmp_path / "records"))
    staging.lay_out_code_lab(tmp_path, "smoke")
    assert not (tmp_path / "book").exists()


# --- the panel in a browser

IN_A_NOTEBOOK = """<div id="host"></div><script type="module">
import lab from "../_static/code_lab/module.js";
const bytes = await (await fetch("../_static/code_lab/prior.bin")).arrayBuffer();
const traits = {data: new DataView(bytes), told: {worker: await (await fetch(
  "../_static/code_lab/worker.js")).text(), folder: "nowhere", file: "none"}};
lab.render({model: {get: (name) => traits[name]}, el: document.querySelector("#host")});
</script>"""


class Reader(LabReader):
    """What a reader does on a page with the code lab."""

    panel = "document.querySelector('.rl-codes')"
    handle = "rlCodes"

    def put(self, code: int | None) -> "Reader":
        self.run(f"{self.panel}.{self.handle}.put(arguments[0])", code)
        return self.until("ready")

    def open_whole(self) -> "Reader":
        """Until the palette is complete, too."""
        self.until("ready", 40)
        wait(lambda: len(self.state()["tiles"]) >= 10, 40)
        return self

    def cell(self, row: int, column: int) -> tuple[float, float]:
        """Where the middle of a cell of the output lies in the window."""
        box = self.run(
            f"const field = {self.panel}.querySelector('[role=application]');"
            "field.scrollIntoView({block: 'center', behavior: 'instant'});"
            "const {left, top, width, height} = field.getBoundingClientRect();"
            "return {left, top, width, height}"
        )
        return (
            box["left"] + box["width"] * (column + 0.5) / 24,
            box["top"] + box["height"] * (row + 0.5) / 24,
        )


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, file: bytes) -> Path:
    """A small built book with the lab."""
    root = tmp_path_factory.mktemp("site")
    code_lab.lay_out(root, file)
    folder = root / code_lab.FOLDER
    (folder / "module.js").write_text(bundled(code_lab.MODULE), encoding="utf-8")
    (folder / "worker.js").write_text(classic(code_lab.WORKER), encoding="utf-8")
    shutil.copy(ROOT / "book" / "_static" / "rainlens.css", root / "_static")
    (root / "book").mkdir()
    for name, lab, space in (
        ("codes", code_lab.static_panel(), 0),
        ("far", code_lab.static_panel(), 4000),
        ("notebook", IN_A_NOTEBOOK, 0),
    ):
        text = PAGE.format(title="The code lab", lab=lab, space=space)
        if lab != IN_A_NOTEBOOK:  # as on the book's pages, scripts do what their policy allows
            text = with_policy(
                text, PAGE.format(title="The code lab", lab="", space=space), lab, []
            )
        (root / "book" / f"{name}.html").write_text(text, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def browser(pages: Path) -> Iterator[SimpleNamespace]:
    with browse(pages) as found:
        yield found


@pytest.fixture
def reader(browser: SimpleNamespace) -> Reader:
    reader = Reader(browser, "codes")
    reader.open_whole()
    return reader


def picture(values: list[float]) -> Tensor:
    return torch.tensor(values).reshape(1, 3, code_lab.SIDE, code_lab.SIDE)


def test_codes_outputs_and_measures_equal_pytorch(
    reader: Reader, small: VQGAN, file: bytes, one_thread: None
) -> None:
    model, held = in_file(small, file), code_lab.unpack(file)
    clean, rainy = (held[name][None] / 255 for name in ("clean", "rainy"))
    for quantiser in ("on", "off"):
        for source, (latent, dry) in SOURCES.items():
            state = reader.set(source=source, quantiser=quantiser).state()
            values = held[f"latent.{latent}"]
            codes = model.quantise(values[None]).codes
            assert codes is not None and len(codes.unique()) > 10
            assert state["codes"][latent] == codes.flatten().tolist()
            output, dry_output = (
                decoded(model, held[f"latent.{name}"], quantiser == "on") for name in (latent, dry)
            )
            assert (picture(state["output"]) - output).abs().max() < 0.1 * GREY_LEVEL
            assert output.std() > 0.05
            difference = metrics.damage(output, clean).item()
            assert state["difference"] == pytest.approx(difference, rel=1e-4)
            if latent != dry:
                response = metrics.rain_response(output, dry_output, rainy, clean).item()
                assert state["response"] == pytest.approx(response, rel=1e-3, abs=1e-4)
                assert response != 0
    assert reader.errors() == []


def test_it_says_how_many_codes_change_and_shows_which(reader: Reader) -> None:
    codes = reader.state()["codes"]
    before, after = (
        sum(a != b for a, b in zip(codes[wet], codes[dry], strict=True))
        for wet, dry in (SOURCES["before"], SOURCES["after"])
    )
    assert 0 < before < 576
    sentence = f"Rain changes {before} of the 576 codes that the encoder chooses as it was, and "
    assert f"{sentence}{after} after fine-tuning." in reader.text(".rl-codes fieldset + fieldset")
    dark = reader.set(marks=True, source="before").run(
        f"const c = {reader.panel}.querySelector('.rl-marks');"
        "const {data} = c.getContext('2d').getImageData(0, 0, 24, 24);"
        "return [!c.hidden, data.filter((value, i) => i % 4 === 3 && value > 0).length]"
    )
    assert dark == [True, 576 - before]


def test_a_code_put_into_a_cell_changes_the_picture_there(
    reader: Reader, small: VQGAN, file: bytes
) -> None:
    model, row, column = in_file(small, file), 6, 17
    before = reader.set(place=row * 24 + column).state()
    codes = torch.tensor(before["codes"]["rainy"])
    other = next(code for code in before["drawn"] if code != before["ownCode"])
    state = reader.put(other).state()
    assert (state["edits"], state["code"]) == ([[row * 24 + column, other]], other)
    assert state["response"] is None
    codes[row * 24 + column] = other
    with torch.no_grad():
        grid = model.quantize.embedding(codes).T.reshape(1, -1, 24, 24)
        expected = model.decode(grid).clamp(0, 1)
    assert (picture(state["output"]) - expected).abs().max() < 0.1 * GREY_LEVEL
    change = (picture(state["output"]) - picture(before["output"])).abs()[0].sum(0)
    near = change[4 * row - 8 : 4 * row + 12, 4 * column - 8 : 4 * column + 12]
    assert near.mean() > 5 * change.mean() > 0
    reader.button("back").click()
    assert reader.until("ready").state()["output"] == before["output"]
    reader.put(other).button("reset all cells").click()
    assert reader.until("ready").state()["edits"] == []


def test_the_palette_has_the_rows_most_alike_and_tiles_of_their_own(
    reader: Reader, small: VQGAN, file: bytes
) -> None:
    model, state = in_file(small, file), reader.state()
    rows = model.quantize.embedding.weight
    order = (rows - rows[state["ownCode"]]).square().sum(1).argsort()
    assert {*state["near"]} == {*order[1:7].tolist()}
    assert len(state["drawn"]) == 4 and {*state["near"], *state["drawn"]} <= {*state["tiles"]}
    code = state["near"][0]
    shown = reader.run(
        f"const c = {reader.panel}.querySelector('.rl-tile canvas');"
        "return [...c.getContext('2d').getImageData(0, 0, 32, 32).data]"
    )
    with torch.no_grad():
        alone = model.decode(rows[code][None, :, None, None].expand(1, -1, 8, 8)).clamp(0, 1)
    pixels = torch.tensor(shown).reshape(32, 32, 4)[..., :3].permute(2, 0, 1)
    assert (pixels - 255 * alone[0]).abs().max() <= 1
    reader.button("draw again").click()
    assert reader.state()["drawn"] != state["drawn"]


def test_without_a_quantiser_there_are_no_codes_to_change(reader: Reader) -> None:
    place = reader.state()["place"]
    reader.put(reader.state()["drawn"][0])
    reader.set(quantiser="off")
    assert "There are no codes to change" in reader.text(".rl-codes fieldset + fieldset")
    assert not reader.find(".rl-tile").is_enabled()
    reader.put(1)
    reader.set(quantiser="on")
    assert [at for at, _ in reader.state()["edits"]] == [place]


def test_mouse_finger_and_keyboard_reach_a_cell(reader: Reader) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    chain = ActionChains(reader.driver)
    chain.w3c_actions.pointer_action.move_to_location(*map(round, reader.cell(3, 5)))
    chain.click().perform()
    assert reader.state()["place"] == 3 * 24 + 5
    touch(reader.driver, [reader.cell(20, 11)])
    wait(lambda: reader.state()["place"] == 20 * 24 + 11)
    reader.button("→").click()
    assert reader.state()["place"] == 20 * 24 + 12
    reader.set(place=0)
    reader.run(f"{reader.panel}.querySelector('.rl-check input').focus()")
    reader.press(Keys.TAB, Keys.ARROW_DOWN, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert reader.state()["place"] == 25
    reader.press(Keys.ARROW_UP, Keys.ARROW_UP)
    assert reader.state()["place"] == 1
    wait(lambda: "Row 1, column 2: code" in reader.text(".rl-codes [aria-live=polite]"))
    assert reader.errors() == []


def test_all_can_be_done_by_keyboard_and_has_a_name_and_a_ring(reader: Reader) -> None:
    from selenium.webdriver.common.keys import Keys

    seen = list(reader.walk())
    code = reader.state()["drawn"][0]
    assert {"rainy picture, as it was", "on", "One cell left", f"Put code {code} here"} <= {*seen}
    reader.run(f"{reader.panel}.querySelectorAll('.rl-tile')[6].focus()")
    reader.press(Keys.ENTER)
    assert reader.until("ready").state()["code"] == code


def test_a_screen_reader_hears_the_result(reader: Reader) -> None:
    reader.set(source="after")
    live = ".rl-codes [aria-live=polite]"
    wait(lambda: "Latent of the rainy picture, after fine-tuning" in reader.text(live))
    assert "grey levels, rain response" in reader.text(live)


def test_nothing_is_loaded_before_it_is_seen(browser: SimpleNamespace) -> None:
    reader = Reader(browser, "far")
    reader.until("idle")
    assert not [path for path in browser.asked if code_lab.FILE in path]
    reader.run(f"{reader.panel}.scrollIntoView({{behavior: 'instant'}})")
    reader.until("ready")
    assert [path for path in browser.asked if code_lab.FILE in path] == [
        f"/{code_lab.FOLDER}/{code_lab.FILE}"
    ]


def test_pages_opened_as_files_and_notebooks_show_the_same(
    browser: SimpleNamespace, reader: Reader
) -> None:
    output = reader.state()["output"]
    browser.asked.clear()
    local = Reader(browser, (browser.site / "book" / "codes.html").as_uri())
    assert local.until("ready").state()["output"] == output
    assert browser.asked == [] and local.errors() == []
    held = Reader(browser, "notebook").until("ready")
    assert held.state()["output"] == output


def test_what_cannot_be_loaded_is_said_and_tried_again(browser: SimpleNamespace) -> None:
    file = browser.site / code_lab.FOLDER / code_lab.FILE
    data = file.read_bytes()
    file.unlink()
    reader = Reader(browser, "codes")
    reader.until("error")
    assert f"{code_lab.FILE} could not be loaded" in reader.text(".rl-notice")
    file.write_bytes(b"nonsense")
    reader.button("Try again").click()
    wait(lambda: "damaged" in reader.text(".rl-notice"))
    file.write_bytes(data)
    reader.button("Try again").click()
    reader.until("ready")


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_overflows_and_axe_finds_no_fault(browser: SimpleNamespace, width: int) -> None:
    reader = Reader(browser, "codes", width)
    reader.open_whole()
    reader.assert_it_fits(width)
    reader.put(reader.state()["drawn"][0])
    axe.prepare(reader.driver)
    for theme in ("light", "dark"):
        axe.use_theme(reader.driver, theme)
        assert axe.violations(reader.driver) == []
    assert reader.errors() == []
