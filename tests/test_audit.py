"""The report card: what is known beforehand gets the card it deserves, whichever way it is run."""

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from rainlens import cli, images, models
from rainlens.audit import AuditError, answers, commands, networks, probes, rivals, scores
from rainlens.audit import inputs as made
from rainlens.audit.card import Card
from rainlens.audit.networks import Wiring
from rainlens.audit.page import WORST, page
from rainlens.images import PictureError

USUAL = Wiring()


@pytest.fixture(scope="module")
def inputs() -> made.Inputs:
    return made.make(limit=2, crop=96)


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


def test_every_way_gives_the_same_card(inputs, tmp_path, monkeypatch):
    folder, back = tmp_path / "in", tmp_path / "out"
    made.export(inputs, folder)
    model = models.build("median", size=3)
    outputs = networks.outputs(model, inputs.pictures(), Wiring())
    back.mkdir()
    for name, picture in outputs.items():
        (back / f"{name}.png").write_bytes(images.encode_png(picture))
    program = tmp_path / "my_median.py"
    program.write_text(
        "import sys\nfrom pathlib import Path\n"
        "from rainlens import images, models\n"
        "def derain(pictures):\n    return models.build('median', size=3)(pictures)\n"
        "def main(given, back):\n"
        "    for file in Path(given).glob('*.png'):\n"
        "        out = derain(images.to_unit(images.load(file))[None])[0]\n"
        "        (Path(back) / file.name).write_bytes(images.encode_png(images.to_bytes(out)))\n"
        "if __name__ == '__main__':\n    main(*sys.argv[1:])\n"
    )
    monkeypatch.chdir(tmp_path)
    ways = {
        "folder": ["--outputs", str(back)],
        "callable": ["--call", "my_median:derain"],
        "command": ["--command", f"{sys.executable} my_median.py {{input}} {{output}}"],
    }
    cards = {}
    for way, options in ways.items():
        out = tmp_path / f"{way}.json"
        result = CliRunner().invoke(cli.app, ["audit", str(folder), *options, "--out", str(out)])
        assert result.exit_code == 0, result.output
        cards[way] = json.loads(out.read_text())
        assert cards[way].pop("network") == options[1]
    assert cards["folder"] == cards["callable"] == cards["command"]


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
    with pytest.raises(AuditError, match=r"is not for prenet: it lacks .* and has .* too many"):
        networks.of_architecture("prenet", file)
    torch.save(models.build("resnet", blocks=1, channels=8).state_dict(), file)
    with pytest.raises(AuditError, match="of another size"):
        networks.of_architecture("resnet", file, blocks=1, channels=4)


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
        assert html.count(f">{one.kind.title}</th>") == 1


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
        (["--arch", "prenet"], "needs its --weights"),
        (["--call", "no_such_module:f"], "cannot be imported"),
        (["--call", "json:no_such_name"], "has no no_such_name"),
        (["--call", "json"], "names no function"),
    ],
)
def test_a_network_that_is_not_there_ends_in_a_sentence(options, said: str):
    result = CliRunner().invoke(cli.app, ["audit", *options, "--limit", "2", "--crop", "64"])
    assert isinstance(result.exception, AuditError) and said in str(result.exception)
