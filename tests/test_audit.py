"""The report card: what is known beforehand gets the card it deserves, whichever way it is run."""

import json
import re
import struct
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path

import jsonschema
import matplotlib.pyplot as plt
import pytest
import torch
from browser import axe
from browser.chromium import open_browser, require_browser, serve, set_media, set_screen
from matplotlib.colors import to_hex
from torch import Tensor
from typer.testing import CliRunner

from rainlens import cli, images, models, running
from rainlens.audit import (
    AuditError,
    answers,
    commands,
    figures,
    maps,
    networks,
    probes,
    programs,
    recorded,
    report,
    rivals,
    scores,
)
from rainlens.audit import inputs as made
from rainlens.audit.card import Card
from rainlens.audit.kept import Kept
from rainlens.audit.networks import Wiring
from rainlens.audit.page import WORST, page
from rainlens.audit.recorded import Audited
from rainlens.images import PictureError
from rainlens.records import RecordStore
from rainlens.scales import SCALES

USUAL = Wiring()


@pytest.fixture(scope="module")
def inputs() -> made.Inputs:
    return made.make(limit=2, crop=96, sets=())  # whether Rain100 is at hand or not


def words(inputs: made.Inputs, outputs: dict[str, Tensor]) -> set[str]:
    return {one.word for one in scores.score(inputs, outputs)}


def truth(inputs: made.Inputs) -> dict[str, Tensor]:
    """The outputs of a network that takes out the rain exactly."""
    known = inputs.pictures()
    for kind in inputs.kinds:
        known |= dict(zip(kind.names(), kind.clean, strict=True))
    return known


# --- what is known beforehand


def test_a_network_that_does_nothing_leaves_all_rain(inputs):
    for one in scores.score(inputs, inputs.pictures()):
        assert one.word == scores.LEAVES
        for name in ("rejection", "gain", "contrast", "e_r", "damage"):
            assert one.estimates[name].value == pytest.approx(0, abs=1e-6)
        assert one.estimates["psnr"] == one.estimates["input_psnr"]


def test_an_oracle_removes_all_rain(inputs):
    for one in scores.score(inputs, truth(inputs)):
        assert one.word == scores.REMOVES
        for name in ("rejection", "gain", "contrast", "ssim"):
            assert one.estimates[name].value == pytest.approx(1, abs=1e-6)
        assert one.estimates["e_b"].value == 0 and one.estimates["psnr"].value == float("inf")


def test_a_black_picture_destroys_although_no_rain_is_left(inputs):
    black = {name: torch.zeros_like(picture) for name, picture in inputs.pictures().items()}
    for one in scores.score(inputs, black):
        assert one.word == scores.DESTROYS and one.estimates["rejection"].value == 1


def test_half_of_the_rain_is_partly_removed(inputs):
    half = {
        name: ((known.int() + inputs.pictures()[name].int()) // 2).byte()
        for name, known in truth(inputs).items()
    }
    assert words(inputs, half) == {scores.PARTLY}


def test_one_sentence_names_every_kind_under_its_word(inputs):
    mixed = inputs.pictures() | {
        name: picture for name, picture in truth(inputs).items() if name.startswith("streaks")
    }
    said = scores.sentence(scores.score(inputs, mixed))
    assert said.startswith("This network removes the embedded streaks; it leaves small-range rain,")


# --- maps of rain


def test_maps_know_the_network_that_does_nothing_and_the_oracle(inputs):
    cells = {kind.name for kind in inputs.cells}
    assert len(cells) == len(inputs.cells) == 50
    idle, known = inputs.pictures(), inputs.pictures()
    for kind in inputs.cells:
        known |= dict(zip(kind.names(), kind.clean, strict=True))
    assert set(scores.kept_out(inputs, idle).values()) == {0}
    assert list(scores.kept_out(inputs, known).values()) == pytest.approx([1] * 50)


def test_a_map_shows_that_an_opening_along_the_rows_takes_upright_thin_streaks(inputs):
    opening = models.build("opening", size=5)
    found = scores.kept_out(inputs, networks.outputs(opening, inputs.pictures(), USUAL))
    assert found["shape+0x1"] > 0.8 > found["shape+60x1"] > found["shape+60x9"]


# --- filters beside it


def test_a_median_is_told_for_what_it_is_and_the_oracle_has_no_rival(inputs):
    filters = rivals.scores_of_filters(inputs)
    median = filters["median 3"]
    found = rivals.best(median, filters)
    assert all(
        rival.rejection >= one.estimates["rejection"].value
        for one, rival in zip(median, found.values(), strict=True)
    )  # at least itself
    assert len(rivals.beaten(median, found)) == len(inputs.kinds)
    known = scores.score(inputs, truth(inputs))
    assert set(rivals.best(known, filters).values()) == {None}
    assert rivals.beaten(known, rivals.best(known, filters)) == []


# --- the same card whichever way


@pytest.mark.filterwarnings("ignore")  # of the exporters, about themselves
def test_the_same_weights_get_the_same_card_in_every_form(tmp_path, monkeypatch):
    """A built-in network, a callable, a command, ONNX, TorchScript, torch.export, a folder."""
    pytest.importorskip("onnxruntime"), pytest.importorskip("onnxscript")
    torch.manual_seed(0)
    model = models.build("prenet", rounds=6).eval()
    with torch.no_grad():
        model.conv[0].weight.mul_(0.1)  # not far from giving the picture back
    torch.save(model.state_dict(), tmp_path / "prenet.pth")
    example = torch.rand(1, 3, 64, 64)
    sides = {2: torch.export.Dim("h", min=32, max=512), 3: torch.export.Dim("w", min=32, max=512)}
    torch.onnx.export(
        model, (example,), str(tmp_path / "prenet.onnx"),
        dynamic_shapes=(sides,), dynamo=True, verbose=False,
    )  # fmt: skip
    exported = torch.export.export(model, (example,), dynamic_shapes=(sides,))
    torch.export.save(exported, tmp_path / "prenet.pt2")
    torch.jit.trace(model, example).save(str(tmp_path / "prenet.pt"))
    (tmp_path / "mine.py").write_text(
        "import sys, torch\nfrom pathlib import Path\nfrom rainlens import images, models\n"
        "network = models.build('prenet').eval()\n"
        f"network.load_state_dict(torch.load(r'{tmp_path / 'prenet.pth'}', weights_only=True))\n"
        "def derain(pictures):\n"
        "    with torch.inference_mode():\n        return network(pictures)\n"
        "if __name__ == '__main__':\n"
        "    for file in Path(sys.argv[1]).glob('*.png'):\n"
        "        out = derain(images.to_unit(images.load(file))[None])[0]\n"
        "        png = images.encode_png(images.to_bytes(out))\n"
        "        (Path(sys.argv[2]) / file.name).write_bytes(png)\n"
    )
    monkeypatch.chdir(tmp_path)
    ways = {
        "built in": ["--arch", "prenet", "--weights", "prenet.pth", "--keep", "kept"],
        "folder": ["--outputs", "kept"],
        "callable": ["--call", "mine:derain"],
        "command": ["--command", f"{sys.executable} mine.py {{input}} {{output}}"],
    }
    found = made.make(limit=2, crop=64)
    found = replace(found, kinds=found.kinds[:2], cells=())  # enough to tell networks apart
    made.export(found, tmp_path / "in")
    cards = {}
    for way, options in ways.items():
        result = CliRunner().invoke(cli.app, ["audit", "in", *options, "--out", f"{way}.json"])
        assert result.exit_code == 0, (way, result.output, result.exception)
        cards[way] = json.loads(Path(f"{way}.json").read_text(encoding="utf-8"))
        del cards[way]["network"], cards[way]["remarks"]
    assert cards["folder"] == cards["built in"] == cards["callable"] == cards["command"]
    some = dict(list(found.pictures().items())[:6])
    own = networks.outputs(model, some, USUAL)
    for network in (
        programs.of_onnx(tmp_path / "prenet.onnx"),
        programs.of_program(tmp_path / "prenet.pt2", trust=True),
        programs.of_program(tmp_path / "prenet.pt", trust=True),
    ):  # other kernels: a grey level here and there
        for name, output in networks.outputs(network, some, USUAL).items():
            assert (output.int() - own[name].int()).abs().max() <= 1


def test_inputs_read_back_are_those_that_were_made(inputs, tmp_path):
    made.export(inputs, tmp_path / "in")
    again = made.read(tmp_path / "in")
    assert [kind.title for kind in again.kinds] == [kind.title for kind in inputs.kinds]
    for name, picture in inputs.pictures().items():
        assert torch.equal(again.pictures()[name], picture)


# --- wrong wirings, each with its remedy


def wired(network: Callable[[Tensor], object], inputs: made.Inputs, wiring: Wiring = USUAL) -> str:
    kind = inputs.kinds[0]
    return " ".join(probes.probe(network, kind.clean[0], kind.degraded[0], wiring))


def test_a_network_of_0_to_255_is_told_its_range(inputs):
    def network(picture: Tensor) -> Tensor:
        return picture.clamp(min=16)  # as one that knows hardly any black

    said = wired(network, inputs)
    assert "use that" in said and "--range 0-255" in said
    assert "use that" not in wired(network, inputs, Wiring(range="0-255"))


def test_a_network_of_another_order_of_channels_is_told(inputs):
    # Right for pictures whose blue comes first: it knows that the last channel is red.
    means = inputs.kinds[0].clean[0].float().mean((1, 2)).flip(0) / 255

    def network(picture: Tensor) -> Tensor:
        own = picture.mean((2, 3), keepdim=True)
        return picture - own + means[:, None, None]

    assert "use --order bgr" in wired(network, inputs)
    assert "--order" not in wired(network, inputs, Wiring(order="bgr"))


def test_a_network_that_returns_the_rain_is_told(inputs):
    kind = inputs.kinds[0]
    rain = (kind.degraded[0].float() - kind.clean[0].float())[None] / 255

    def network(picture: Tensor) -> Tensor:
        with_rain = torch.allclose(picture[0] * 255, kind.degraded[0].float())
        return rain if with_rain else torch.zeros_like(picture)

    assert "use --residual" in wired(network, inputs)
    assert "--residual" not in wired(network, inputs, Wiring(residual=True))
    answer = networks.run(network, kind.degraded[0], Wiring(residual=True))
    assert torch.allclose(answer * 255, kind.clean[0].float(), atol=1e-3)


def test_random_and_constant_and_overshooting_networks_are_told(inputs):
    assert "came back different" in wired(lambda p: p + 0.01 * torch.randn_like(p), inputs)
    assert "ignores its input" in wired(torch.zeros_like, inputs)
    assert "they are clipped" in wired(lambda p: p * 1.5, inputs)
    assert wired(lambda p: p, inputs) == ""


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (lambda p: p * float("nan"), "not finite"),
        (lambda p: p[..., :-1], "--multiple K"),
        (lambda p: "a picture", "no tensor"),
    ],
)
def test_answers_that_are_no_pictures_end_in_a_sentence(inputs, network, said: str):
    with pytest.raises(AuditError, match=said):
        wired(network, inputs)


def test_the_picture_is_found_in_lists_and_its_size_is_made_to_fit(inputs):
    picture = inputs.kinds[0].clean[0][:, :90, :70]

    def network(given: Tensor) -> tuple[None, list[Tensor]]:
        assert given.shape[-2] % 16 == given.shape[-1] % 16 == 0
        return None, [given]

    answer = networks.run(network, picture, Wiring(output=1, multiple=16))
    assert torch.allclose(answer * 255, picture.float(), atol=1e-3)
    with pytest.raises(AuditError, match="returns 2 things, so there is no --output 2"):
        networks.run(network, picture, Wiring(output=2, multiple=16))


# --- weights


def test_weights_of_another_network_are_refused_with_names(tmp_path):
    small, other = models.build("prenet"), models.build("resnet", blocks=1, channels=4)
    file = tmp_path / "weights.pth"
    torch.save(small.state_dict(), file)
    assert networks.of_architecture("prenet", file).training is False
    torch.save(other.state_dict(), file)
    told = "does not fit PReNet: missing: .*; not in the network: .*"
    with pytest.raises(AuditError, match=told):
        networks.of_architecture("prenet", file)
    torch.save(models.build("resnet", blocks=1, channels=8).state_dict(), file)
    with pytest.raises(AuditError, match="of another shape"):
        networks.of_architecture("resnet", file, blocks=1, channels=4)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("evil.pth", "bomb", "something other than tensors"),
        ("whole.pth", "model", r"save the weights alone, with torch\.save\(network\.state_dict"),
        ("broken.pth", b"no weights", "cannot be read as a file that torch saved"),
        ("there_is_none.pth", None, "does not exist"),
    ],
)
def test_a_file_that_is_more_than_weights_is_not_run(tmp_path, monkeypatch, name, content, said):
    monkeypatch.chdir(tmp_path)
    if content == "bomb":
        torch.save({"state_dict": Bomb(tmp_path / "went_off")}, name)
    elif content == "model":
        torch.save(models.build("resnet", blocks=1, channels=4), name)
    elif content is not None:
        Path(name).write_bytes(content)
    options = ["audit", "--arch", "prenet", "--weights", name, "--limit", "2", "--crop", "64"]
    result = CliRunner().invoke(cli.app, options)
    assert isinstance(result.exception, RuntimeError) and re.search(said, str(result.exception))
    assert not (tmp_path / "went_off").exists()


class Bomb:
    """Unpickling it writes a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return (Path.touch, (self.target,))


# --- files of other kinds


@pytest.mark.filterwarnings("ignore:`torch.jit.load` is deprecated")
def test_a_program_is_opened_only_where_it_is_trusted(tmp_path):
    file = tmp_path / "network.pt"
    file.write_bytes(b"no program")
    with pytest.raises(AuditError, match="loading it can run anything.*--trust"):
        programs.of_program(file, trust=False)
    with pytest.raises(AuditError, match=r"is no TorchScript or \.pt2 file"):
        programs.of_program(file, trust=True)
    with pytest.raises(AuditError, match="does not exist"):
        programs.of_program(tmp_path / "other.pt2", trust=True)


def onnx_identity(path: Path, sides: tuple[object, object], inputs: int = 1) -> Path:
    """A network of one layer that gives its first picture back."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    shape = [1, 3, *sides]
    given = [
        helper.make_tensor_value_info(f"x{i}", TensorProto.FLOAT, shape) for i in range(inputs)
    ]
    back = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)
    graph = helper.make_graph([helper.make_node("Identity", ["x0"], ["y"])], "g", given, [back])
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=opset), path)
    return path


def test_an_onnx_file_is_run_or_told_what_is_wrong(tmp_path):
    pytest.importorskip("onnxruntime")
    picture = torch.rand(1, 3, 40, 48)
    free = programs.of_onnx(onnx_identity(tmp_path / "free.onnx", ("h", "w")))
    assert torch.equal(free(picture)[0], picture)
    fixed = programs.of_onnx(onnx_identity(tmp_path / "fixed.onnx", (32, 32)))
    with pytest.raises(AuditError, match="pictures of 32x32 only: export it with dynamic"):
        fixed(picture)
    with pytest.raises(AuditError, match="takes x0: .*, x1: .*; a network of one picture"):
        programs.of_onnx(onnx_identity(tmp_path / "two.onnx", ("h", "w"), inputs=2))
    (tmp_path / "broken.onnx").write_bytes(b"no network")
    with pytest.raises(AuditError, match="cannot be read as an ONNX network"):
        programs.of_onnx(tmp_path / "broken.onnx")
    with pytest.raises(AuditError, match="does not exist"):
        programs.of_onnx(tmp_path / "none.onnx")


def test_without_onnxruntime_the_way_to_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(AuditError, match=r"pip install 'rainlens\[onnx\]'"):
        programs.of_onnx(tmp_path / "network.onnx")


# --- large pictures


def test_tiles_put_a_picture_together_without_a_seam(inputs):
    picture = torch.randint(256, (3, 150, 110), generator=torch.Generator().manual_seed(0)).byte()
    seen = []

    def network(given: Tensor) -> Tensor:
        seen.append(given.shape[-2:])
        return torch.nn.functional.avg_pool2d(given, 3, 1, 1, count_include_pad=False)

    whole = networks.run(network, picture, USUAL)
    tiled = networks.run(network, picture, Wiring(tile=64, multiple=8))
    assert max(max(size) for size in seen[1:]) == 64 and len(seen) == 1 + 3 * 2
    inside = ..., slice(1, -1), slice(1, -1)  # at the borders, mirroring makes a difference
    assert (whole[inside] - tiled[inside]).abs().max() < 0.05
    copied = networks.run(lambda given: given, picture, Wiring(tile=40))
    assert torch.allclose(copied * 255, picture.float(), atol=1e-3)
    with pytest.raises(ValueError, match="at least 32"):
        Wiring(tile=8)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("not enough memory"),
    ],
)
def test_a_network_that_needs_too_much_memory_is_told_of_tiles(inputs, error):
    def network(given: Tensor) -> Tensor:
        raise error

    with pytest.raises(AuditError, match="96x96 pixels; give it fewer at a time: --tile 48"):
        wired(network, inputs)


def test_other_errors_of_a_network_are_its_own(inputs):
    def network(given: Tensor) -> Tensor:
        raise RuntimeError("expected 4 channels")

    with pytest.raises(RuntimeError, match="expected 4 channels"):
        wired(network, inputs)


def test_values_that_are_not_finite_are_noticed_in_every_picture(inputs):
    dark = inputs.kinds[3].degraded[0].float().mean() / 255 - 1e-4

    def network(given: Tensor) -> Tensor:
        return given / (given.mean() - dark).clamp(min=0).ceil()  # nan for some pictures alone

    with pytest.raises(AuditError, match="not finite .* for some of the pictures"):
        networks.outputs(network, inputs.pictures(), USUAL)


def test_no_tile_grows_when_it_is_mirrored_to_a_multiple():
    sizes = []

    def network(given: Tensor) -> Tensor:
        sizes.append(max(given.shape[-2:]))
        return given

    picture = torch.randint(256, (3, 130, 192), generator=torch.Generator().manual_seed(0)).byte()
    answer = networks.run(network, picture, Wiring(tile=100, multiple=48))
    assert max(sizes) <= 100 and torch.allclose(answer * 255, picture.float(), atol=1e-3)


def test_a_damaged_record_does_not_cost_the_card(inputs, tmp_path, monkeypatch):
    monkeypatch.setenv("RAINLENS_RECORDS", str(tmp_path))
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "audit-broken-0123456789.json").write_text("{}")
    found = report.of_outputs(inputs.pictures(), "a copy", inputs)
    assert found.card.nearest is None and "It was not compared" in found.card.remarks[-1]


# --- stopped and resumed


def test_what_was_kept_is_not_run_again(inputs, tmp_path):
    calls = []

    def network(given: Tensor) -> Tensor:
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return given * 0.5

    pictures, told = dict(list(inputs.pictures().items())[:6]), {"name": "half"}
    with pytest.raises(KeyboardInterrupt):
        networks.outputs(network, pictures, USUAL, kept=Kept(tmp_path / "kept", told))
    again = networks.outputs(network, pictures, USUAL, kept=Kept(tmp_path / "kept", told))
    assert len(calls) == 4 + 3
    fresh = networks.outputs(lambda given: given * 0.5, pictures, USUAL)
    assert all(torch.equal(again[name], fresh[name]) for name in pictures)
    other = {name: picture.flip(-1) for name, picture in pictures.items()}
    networks.outputs(network, other, USUAL, kept=Kept(tmp_path / "kept", told))
    assert len(calls) == 7 + 6  # other pictures under the same names
    (tmp_path / "kept" / "clean-00.png").write_bytes(images.encode_png(pictures["clean-00"]))
    (tmp_path / "kept" / "clean-01.png").write_bytes(b"no picture")
    networks.outputs(network, other, USUAL, kept=Kept(tmp_path / "kept", told))
    assert len(calls) == 13 + 2  # what was kept, but is not that any more
    with pytest.raises(AuditError, match="outputs of another network"):
        Kept(tmp_path / "kept", {"name": "third"})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("")
    with pytest.raises(AuditError, match="holds other things"):
        Kept(tmp_path / "mine", told)


def test_a_network_is_known_by_its_weights_and_its_wiring(tmp_path):
    file = tmp_path / "weights"
    file.write_bytes(b"1")
    first = networks.identity("prn", file, USUAL)
    assert first == networks.identity("prn", file, Wiring())
    assert first != networks.identity("prn", file, Wiring(tile=64))
    file.write_bytes(b"2")
    assert first != networks.identity("prn", file, USUAL)


# --- noise and blur


@pytest.mark.parametrize("task", ["denoise", "deblur"])
def test_noise_and_blur_get_the_same_words(task, tmp_path):
    found = made.make(limit=2, crop=64, task=task)
    assert {kind.task for kind in found.kinds} == {task} and not found.cells
    assert words(found, found.pictures()) == {scores.LEAVES}
    assert words(found, truth(found)) == {scores.REMOVES}
    black = {name: torch.zeros_like(picture) for name, picture in found.pictures().items()}
    assert words(found, black) == {scores.DESTROYS}
    made.export(found, tmp_path / "in")
    assert made.read(tmp_path / "in").digest() == found.digest()


def test_a_median_takes_salt_and_pepper_and_the_page_says_noise(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["--arch", "median", "--task", "denoise", "--limit", "2", "--crop", "96"]
    required = ["--require", "salt_and_pepper: removes"]
    result = CliRunner().invoke(cli.app, ["audit", *options, *required])
    assert result.exit_code == 0, (result.output, result.exception)
    html = re.sub(r"rainlens|data:\S+", "", Path("card.html").read_text(encoding="utf-8"))
    assert "Pictures without noise" in html and "rain" not in html


# --- the book's own cards


def tiny(**changes) -> Audited:
    fields = dict(title="a median", model="median", limit=2, crop=64, sets=())
    return Audited(**{**fields, **changes})


def test_a_recorded_card_says_what_a_fresh_one_says(tmp_path):
    found, store = made.make(limit=2, crop=64, sets=()), RecordStore(tmp_path)
    outcome = running.run_within([tiny()], store, threads=1)
    (record,) = outcome.records
    median = networks.outputs(models.build("median"), found.pictures(), USUAL)
    fresh = scores.score(found, median)
    again = recorded.scored(record)
    assert scores.sentence(fresh) == scores.sentence(again)
    assert recorded.cells(record) == pytest.approx(scores.kept_out(found, median), rel=1e-6)
    assert len(record.pictures["streaks"]) == recorded.KEPT
    assert recorded.nearest(fresh, found, store).title == "a median"
    assert recorded.nearest(fresh, found, store).distance == pytest.approx(0, abs=1e-6)
    assert recorded.nearest(fresh, found, store, without="a median") is None
    other = made.make(limit=2, crop=64, seed=1, sets=())  # other pictures cannot be compared
    assert recorded.nearest(fresh, other, store) is None


def test_the_nearest_card_is_the_likeliest(tmp_path):
    grid = [tiny(), tiny(title="a copy", model="copy"), tiny(title="black", model="black")]
    store, found = RecordStore(tmp_path), made.make(limit=2, crop=64, sets=())
    running.run_within(grid, store, threads=1)
    dark = {n: (p.float() * 0.1).byte() for n, p in found.pictures().items()}
    for outputs, expected in ((found.pictures(), "a copy"), (dark, "black")):
        near = recorded.nearest(scores.score(found, outputs), found, store)
        assert near.title == expected
        card = Card("mine", scores.score(found, outputs), nearest=near)
        same = near.distance < 0.005  # the copy is found again
        told = "has the scores of a copy," if same else f"nearest to that of {expected}, which "
        assert told in card.likeness and same == (expected == "a copy")


def test_a_network_of_the_book_is_trained_before_it_is_audited(tmp_path):
    own = SCALES["smoke"].experiment(patches=8, iterations=1)
    one = tiny(title="ours", model=None, of=own)
    outcome = running.run_within([one], RecordStore(tmp_path), threads=1)
    assert outcome.trained == 1 and not outcome.failures
    whole = tiny(title="PRN", model="prn", weights="prenet/PRN6_Rain100L.pth", sets=("rain100l",))
    assert whole.needs() == {"rain100l", "weights"}
    assert whole.stand_in().needs() == set() and "untrained" in whole.stand_in().title


# --- folders


def written(inputs: made.Inputs, folder: Path) -> Path:
    folder.mkdir()
    for name, picture in inputs.pictures().items():
        (folder / f"{name}.png").write_bytes(images.encode_png(picture))
    return folder


def test_missing_outputs_are_counted_and_other_names_explained(inputs, tmp_path):
    folder, wanted = written(inputs, tmp_path / "out"), inputs.pictures()
    for file in folder.glob("large-*"):
        file.rename(file.with_stem(f"{file.stem}_derained"))
    # 5 kinds and 50 cells of maps with 2 pictures each, and these without rain, at two sizes.
    with pytest.raises(AuditError, match=r"2 of 114 outputs are missing .*large-00\.png"):
        answers.read(folder, wanted)
    with pytest.raises(AuditError, match="There is large-00_derained instead"):
        answers.read(folder, wanted)


def test_outputs_of_another_size_or_twice_or_broken_end_in_a_sentence(inputs, tmp_path):
    folder, wanted = written(inputs, tmp_path / "out"), inputs.pictures()
    (folder / "clean-00.png").write_bytes(images.encode_png(torch.zeros(3, 8, 8).byte()))
    with pytest.raises(AuditError, match=r"has 8x8 pixels, its input 96x96"):
        answers.read(folder, wanted)
    (folder / "clean-00.png").write_bytes(b"no picture")
    with pytest.raises(PictureError, match=r"clean-00\.png"):
        answers.read(folder, wanted)
    (folder / "clean-00.bmp").write_bytes(b"BM")
    with pytest.raises(AuditError, match="holds both"):
        answers.read(folder, wanted)


def test_inputs_that_were_written_over_are_noticed(inputs, tmp_path):
    folder = tmp_path / "in"
    made.export(inputs, folder)
    (folder / "streaks-00.png").write_bytes(images.encode_png(torch.zeros(3, 96, 96).byte()))
    with pytest.raises(AuditError, match="is not what was exported"):
        made.read(folder)
    with pytest.raises(AuditError, match="is not empty"):
        made.export(inputs, folder)
    (folder / made.MANIFEST).write_text('{"format": 1}')
    with pytest.raises(AuditError, match="is damaged"):
        made.read(folder)
    with pytest.raises(AuditError, match="rainlens audit export"):
        made.read(tmp_path)


def png_of(width: int, height: int) -> bytes:
    """A PNG file whose header promises a picture of that size, and holds nothing of it."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + content + chunk(b"IEND", b"")


def test_a_picture_that_is_a_bomb_ends_in_a_sentence(inputs, tmp_path):
    folder, wanted = written(inputs, tmp_path / "out"), inputs.pictures()
    (folder / "clean-00.png").write_bytes(png_of(100_000, 100_000))
    start = time.monotonic()
    with pytest.raises(PictureError, match=r"clean-00\.png"):
        answers.read(folder, wanted)
    assert time.monotonic() - start < 20


@pytest.mark.parametrize("name", ["../../outside", "/etc/hostname", "a\nb", "x" * 300])
def test_a_manifest_with_a_hostile_name_reads_nothing_elsewhere(inputs, tmp_path, name):
    folder = tmp_path / "in"
    made.export(inputs, folder)
    (tmp_path / "outside.png").write_bytes(images.encode_png(torch.zeros(3, 8, 8).byte()))
    manifest = json.loads((folder / made.MANIFEST).read_text(encoding="utf-8"))
    manifest["pictures"][name] = manifest["pictures"].pop("clean-00")
    (folder / made.MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises((AuditError, PictureError)) as told:
        made.read(folder)
    assert "\n" not in str(told.value)


def test_a_manifest_cannot_name_what_the_card_says(inputs, tmp_path):
    folder = tmp_path / "in"
    made.export(inputs, folder)
    manifest = json.loads((folder / made.MANIFEST).read_text(encoding="utf-8"))
    manifest["kinds"][0] |= {"title": "<b>all rain there is</b>", "task": "deblur"}
    (folder / made.MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    kind = made.read(folder).kinds[0]
    assert (kind.title, kind.task) == ("small-range rain", "derain")
    for damage in ([], [{"name": "snow", "clean": ["clean-00"]}], [{"name": "small", "clean": []}]):
        manifest["kinds"] = damage
        (folder / made.MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
        with pytest.raises(AuditError, match="is damaged|names no pictures"):
            made.read(folder)


def test_hostile_names_among_the_outputs_do_no_harm(inputs, tmp_path):
    folder, wanted = written(inputs, tmp_path / "out"), inputs.pictures()
    for name in ("<script>alert(1)<", "-rf", "\x1b[31mred"):
        (folder / f"{name}.png").write_bytes(images.encode_png(torch.zeros(3, 8, 8).byte()))
    (folder / "loop.png").symlink_to(folder / "loop.png")
    assert answers.read(folder, wanted).keys() == wanted.keys()
    (folder / "clean-00.png").rename(folder / "clean-00\x1b[31m.png")
    with pytest.raises(AuditError) as told:
        answers.read(folder, wanted)
    assert "\x1b" not in str(told.value) and "clean-00" in str(told.value)


# --- commands


def ran(program: str, tmp_path: Path, seconds: float = 20) -> None:
    commands.run(
        f"{sys.executable} -c '{program}' {{input}} {{output}}",
        tmp_path / "in", tmp_path / "out", seconds, tmp_path / "said.log",
    )  # fmt: skip


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path):
    program = (
        "import subprocess, sys, time; "
        'subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]); '
        'print("hanging", flush=True); time.sleep(60)'
    )
    start = time.monotonic()
    with pytest.raises(AuditError, match=r"longer than 3 s and was ended.*last said: hanging"):
        ran(program, tmp_path, seconds=3)
    assert time.monotonic() - start < 30


def test_of_a_command_that_talks_without_end_the_last_is_kept(tmp_path):
    program = (
        'import sys; [sys.stdout.write("x" * 99 + chr(10)) for _ in range(100000)]; sys.exit(3)'
    )
    with pytest.raises(AuditError, match="ended with status 3"):
        ran(program, tmp_path)
    assert 0 < (tmp_path / "said.log").stat().st_size <= commands.KEPT


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("python test.py", r"has no \{input\}"),
        ("nothing-of-that-name {input} {output}", "cannot be started"),
        ("python 'test.py {input} {output}", "cannot be read"),
        ("python {other} {input} {output}", "cannot be read"),
    ],
)
def test_a_command_that_cannot_be_run_ends_in_a_sentence(tmp_path, command: str, said: str):
    with pytest.raises(AuditError, match=said):
        commands.run(command, tmp_path, tmp_path / "out", 5, tmp_path / "log")


# --- the card


def test_requirements_decide_the_exit_status(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["audit", "--arch", "copy", "--limit", "2", "--crop", "64", "--require"]
    result = CliRunner().invoke(cli.app, [*options, "streaks: leaves"])
    assert result.exit_code == 0 and "leaves small-range rain" in result.output
    result = CliRunner().invoke(cli.app, [*options, "streaks: removes"])
    assert result.exit_code == 1 and "the network leaves it" in result.output
    for wrong, said in (("snow: removes", "names no kind"), ("streaks: eats", "no word")):
        result = CliRunner().invoke(cli.app, [*options, wrong])
        assert isinstance(result.exception, AuditError) and said in str(result.exception)


def test_json_holds_every_picture_and_no_number_that_json_does_not_know(inputs, tmp_path):
    card = Card("an oracle", scores.score(inputs, truth(inputs)))
    card.save(tmp_path / "card.json")
    held = json.loads((tmp_path / "card.json").read_text())
    for kind in held["kinds"]:
        assert kind["pictures"] == 2 and kind["word"] == "removes"
        assert kind["measures"]["psnr"]["values"] == [None, None]  # infinite
        assert kind["measures"]["rejection"]["values"] == pytest.approx([1, 1])


def test_json_keeps_to_its_schema(inputs, tmp_path):
    text = resources.files("rainlens.audit").joinpath("card.schema.json").read_text("utf-8")
    schema = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(schema)
    outputs = truth(inputs)
    found = scores.score(inputs, outputs)
    filters = rivals.best(found, rivals.scores_of_filters(inputs))
    near = recorded.Nearest("another", 0.1, "This network leaves rain.")
    whole = Card("mine", found, ["odd"], scores.kept_out(inputs, outputs), filters, near)
    for card in (whole, Card("mine", found)):
        jsonschema.validate(card.as_json(), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**whole.as_json(), "score": 1}, schema)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_passes_the_gates(inputs, tmp_path, theme: str, width: int):
    require_browser()
    outputs = inputs.pictures()
    found = scores.score(inputs, outputs)
    cells = scores.kept_out(inputs, outputs)
    card = Card("a copy", found, ["One remark."], cells, {}, recorded.Nearest("x", 0.0, "It."))
    (tmp_path / "index.html").write_text(page(card, inputs, outputs), encoding="utf-8")
    with serve(tmp_path) as (address, asked), open_browser() as driver:
        set_screen(driver, width)
        set_media(driver, prefers_color_scheme=theme)
        driver.get(f"{address}/index.html")
        axe.prepare(driver)
        assert axe.violations(driver) == []
        wide = driver.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width
        assert {path for path in asked if "favicon" not in path} <= {"/index.html"}


def test_on_paper_the_table_is_a_table_and_its_words_are_black(inputs, tmp_path):
    """Browsers print no backgrounds, so that white words on colours would be lost."""
    require_browser()
    card = Card("a copy", scores.score(inputs, inputs.pictures()))
    file = tmp_path / "card.html"
    file.write_text(page(card, inputs, inputs.pictures()), encoding="utf-8")
    with open_browser() as driver:
        set_screen(driver, 600)  # narrower than the screens that get a list
        set_media(driver, "print")
        driver.get(file.as_uri())
        asked = "const of = (s) => getComputedStyle(document.querySelector(s)); return "
        colour = driver.execute_script(f"{asked} of('.word').color")
        assert colour == "rgb(0, 0, 0)"
        assert driver.execute_script(f"{asked} of('thead').display") == "table-header-group"


def test_the_page_asks_for_nothing_from_outside_and_escapes_names(inputs):
    outputs = inputs.pictures()
    hostile = Card("<script>alert(1)</script>", scores.score(inputs, outputs), ["<b>odd</b>"])
    html = page(hostile, inputs, outputs)
    assert "<script>alert" not in html and "<b>odd</b>" not in html
    assert "$" not in html and "http" not in html.replace("http-equiv", "")
    addresses = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert len(addresses) == 2 * WORST
    assert all(address.startswith("data:image/webp;base64,") for address in addresses)
    for one in hostile.scored:
        assert html.count(f">{one.kind.title} <small>(2 pictures)</small></th>") == 1


def test_real_rain_gets_pictures_of_its_change_and_no_score(tmp_path):
    folder = tmp_path / "real"
    folder.mkdir()
    (folder / "street.png").write_bytes(images.encode_png(torch.full((3, 80, 90), 100).byte()))
    inputs = made.make(limit=2, crop=64, real=folder)
    made.export(inputs, tmp_path / "in")
    again = made.read(tmp_path / "in")
    (picture,) = again.real
    assert picture.shape == (3, 80, 90)
    outputs = again.pictures() | {"real-00": picture - 10}
    card = Card("darker", scores.score(again, outputs))
    html = page(card, again, outputs)
    assert "real rain, picture 1: Changed by 10.0." in html and "There is no score" in html
    assert "real" not in json.dumps(card.as_json())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "exactly one way"),
        (["--arch", "copy", "--call", "a:b"], "exactly one way"),
        (["--outputs", "there"], "Outputs need their inputs"),
        (["in", "--outputs", "out", "--residual"], "--outputs gives files"),
        (["--command", "run {input} {output}", "--order", "bgr"], "--command gives files"),
        (["--arch", "prenet"], "needs its --weights"),
        (["--arch", "restormer"], "There is no --arch restormer"),
        (["--call", "json:loads", "--weights", "w.pth"], "give --arch, too"),
        (["--call", "json:loads", "--keep", "kept"], "--keep knows networks by their files"),
        (["--arch", "copy", "--tile", "8"], "it must be 0, or at least 32"),
        (["--arch", "copy", "--tile", "40", "--multiple", "64"], "or at least 64"),
        (["--arch", "copy", "--out", "card.html"], "give a .json file"),
        (["--arch", "copy", "--out", "no_such_folder/card.json"], "a folder that exists"),
        (["--call", "no_such_module:f"], "cannot be imported"),
        (["--call", "json:no_such_name"], "has no no_such_name"),
        (["--call", "json"], "names no function"),
    ],
)
def test_a_network_that_is_not_there_ends_in_a_sentence(options, said: str):
    result = CliRunner().invoke(cli.app, ["audit", *options, "--limit", "2", "--crop", "64"])
    assert isinstance(result.exception, AuditError) and said in str(result.exception)


# --- charts of several cards


def test_the_chart_of_words_has_a_cell_for_each_card_and_kind(inputs):
    cards = {"copy": scores.score(inputs, inputs.pictures()), "oracle": None}
    cards["oracle"] = scores.score(inputs, truth(inputs))
    figure = figures.words(cards)
    (axes,) = figure.axes
    cells = [patch for patch in axes.patches if patch.get_width() == 0.96]
    assert len(cells) == 2 * len(inputs.kinds)
    colours = [to_hex(cell.get_facecolor()) for cell in cells]
    half = len(inputs.kinds)
    assert set(colours[:half]) == {figures.COLOURS[scores.LEAVES]}
    assert set(colours[half:]) == {figures.COLOURS[scores.REMOVES]}
    assert [text.get_text() for text in axes.texts] == ["0.00"] * half + ["1.00"] * half
    plt.close(figure)


def test_the_chart_of_maps_has_each_share_in_its_place(inputs):
    names = [name for one in maps.MAPS for name, _ in one.cells()]
    shares = {name: place / 100 for place, name in enumerate(names)}
    figure = figures.maps({"a network": shares})
    first, second = figure.axes
    assert [text.get_text() for text in first.texts] == [
        f"{place / 100:.2f}" for place in range(25)
    ]
    # Row by row: the first of the second row is the sixth of all.
    assert first.texts[5].get_position() == (0, 1)
    assert second.texts[0].get_text() == "0.25"
    plt.close(figure)
