"""Files of weights: tensors come through to the bit, nothing in the file is executed."""

import argparse
import io
import os
import pickle
import re
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from rainlens import cli
from rainlens.models import checkpoint_files, checkpoint_reader
from rainlens.models.checkpoint_files import CheckpointError, convert, load_state
from rainlens.models.vqgan import VQGAN


class Callback:
    """What a trainer pickles with the weights; the class is on the machine of the trainer alone."""

    def __init__(self) -> None:
        self.best, self.monitor = torch.tensor(0.5), "val/rec_loss"


class Settings(dict):
    """A dictionary that a trainer calls its own."""


class Bomb:
    """Runs a command where it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch '{self.marker}'",)


def lightning(**weights: torch.Tensor) -> dict:
    """A file as Lightning writes it, with what weights_only=True refuses."""
    return {
        "epoch": 12,
        "callbacks": {Callback: Callback(), "early": {"wait": np.float64(3.0)}},
        "hyper_parameters": Settings(data=Path("/data"), lr=4.5e-6, also=argparse.Namespace(a=1)),
        "optimizer_states": [{"state": {0: {"exp_avg": torch.rand(5)}}}],
        "state_dict": OrderedDict(weights),
    }


def saved(content: object, path: Path) -> Path:
    torch.save(content, path)
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out.safetensors"


def test_a_trainer_s_file_gives_its_tensors_to_the_bit(tmp_path, target):
    base = torch.randn(6, 8)
    weights = {
        "encoder.weight": base,
        "parameter": nn.Parameter(torch.randn(3)),
        "half": torch.randn(4).half(),
        "bfloat": torch.randn(2, 2).bfloat16(),
        "double": torch.randn(2).double(),
        "steps": torch.tensor(7),
        "flags": torch.tensor([True, False]),
        "bytes": torch.tensor([1, 255], dtype=torch.uint8),
        "transposed": base.T,
        "slice": base[1:4, ::2],
        "expanded": torch.tensor([[2.0]]).expand(3, 4),
        "empty": torch.zeros(0, 4),
        "channels_last": torch.randn(1, 3, 4, 5).contiguous(memory_format=torch.channels_last),
    }
    loss = {"loss.discriminator.main.0.weight": torch.rand(3), "colorize": torch.rand(3, 2)}
    source = saved(lightning(**weights, **loss), tmp_path / "last.ckpt")
    with pytest.raises(CheckpointError, match=r"last.ckpt holds more than tensors.*data convert"):
        load_state(source)
    done = convert(source, target)
    assert done.kept == len(weights) and set(done.dropped) == set(loss)
    assert f"{__name__}.Callback" in done.stubs and f"{__name__}.Settings" in done.stubs
    found = load_state(target)
    assert found.keys() == weights.keys()
    for name, value in weights.items():
        assert found[name].dtype == value.dtype and torch.equal(found[name], value.detach()), name


def test_a_vqgan_is_taken_over_from_a_trainer_s_file(tmp_path, target):
    trained, model = VQGAN("A"), VQGAN("A")
    source = saved(lightning(**trained.state_dict()), tmp_path / "last.ckpt")
    convert(source, target)
    model.load(load_state(target))
    picture = torch.rand(1, 3, 8, 8)
    assert torch.equal(model.ceiling(picture), trained.ceiling(picture))


@pytest.mark.parametrize("wrapped", ["state_dict", "params_ema", "params", "model", None])
def test_plain_files_are_read_as_they_are(tmp_path, wrapped):
    state = {"a.weight": torch.rand(2), "loss.lin": torch.rand(3)}
    source = saved({wrapped: state} if wrapped else state, tmp_path / "plain.pth")
    found = load_state(source)
    assert found.keys() == {"a.weight"} and torch.equal(found["a.weight"], state["a.weight"])


# --- what must not happen ------------------------------------------------------------------------


def test_the_bomb_of_these_tests_does_go_off(tmp_path):
    marker = tmp_path / "marker"
    torch.load(saved({"x": Bomb(marker)}, tmp_path / "bomb.pt"), weights_only=False)
    assert marker.exists()


def test_a_bomb_among_the_callbacks_is_not_executed(tmp_path, target):
    marker = tmp_path / "marker"
    content = lightning(weight=torch.ones(2)) | {"callbacks": [Bomb(marker)]}
    done = convert(saved(content, tmp_path / "bomb.ckpt"), target)
    assert not marker.exists() and done.stubs == tuple(sorted(done.stubs))
    assert any(stub.endswith(".system") for stub in done.stubs)
    assert load_state(target)["weight"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("weights", r"its entry weight is of type \w+.system, not a tensor"),
        (
            "whole",
            r"it holds an object of type \w+.system, not weights: save the model's state_dict",
        ),
    ],
)
def test_a_bomb_in_the_place_of_weights_is_refused(tmp_path, target, place, why):
    marker = tmp_path / "marker"
    bomb = Bomb(marker)
    content = lightning(weight=bomb) if place == "weights" else bomb
    with pytest.raises(CheckpointError, match=f"bomb.ckpt was not converted: {why}"):
        convert(saved(content, tmp_path / "bomb.ckpt"), target)
    assert not marker.exists() and not target.exists()
    assert not list(tmp_path.glob(".*.tmp"))


def archive(path: Path, pickled: bytes, compression: int = zipfile.ZIP_STORED) -> Path:
    """An archive as torch.save writes it, with any pickle and one storage of four numbers."""
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("archive/data.pkl", pickled)
        file.writestr("archive/data/0", np.arange(4, dtype="<f4").tobytes())
    return path


class Storage:
    """Pickles as torch.save's reference to the archive's storage of that name."""

    def __init__(self, key: str) -> None:
        self.key = key


class Tensor:
    """Pickles as a tensor of the archive's storage with the numbers given."""

    def __init__(self, offset: object, size: tuple, stride: tuple, key: str = "0") -> None:
        self.parts = (Storage(key), offset, size, stride, False, OrderedDict())

    def __reduce__(self):
        return torch._utils._rebuild_tensor_v2, self.parts


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if isinstance(value, Storage):
            return ("storage", torch.FloatStorage, value.key, "cpu", 4)
        return None


def pickled(tensor: Tensor) -> bytes:
    target = io.BytesIO()
    Pickler(target, protocol=2).dump({"w": tensor})
    return target.getvalue()


@pytest.mark.parametrize(
    ("tensor", "why"),
    [
        (Tensor(0, (5,), (1,)), "reaches beyond its storage"),
        (Tensor(3, (2,), (1,)), "reaches beyond its storage"),
        (Tensor(0, (2, 2), (3, 1)), "reaches beyond its storage"),
        (Tensor(-1, (2,), (1,)), "its tensor w is malformed"),
        (Tensor(3, (2,), (-1,)), "its tensor w is malformed"),
        (Tensor(0, (2,), (1, 1)), "its tensor w is malformed"),
        (Tensor(0, (2.5,), (1,)), "its tensor w is malformed"),
        (Tensor(0, (1 << 20, 1 << 20), (0, 0)), r"its weights take 4398\d*.\d GB"),
        (Tensor(0, (2,), (1,), key="../../secret"), r"it is damaged \(KeyError\)"),
    ],
)
def test_a_tensor_cannot_reach_where_it_should_not(tmp_path, target, tensor, why):
    with pytest.raises(CheckpointError, match=why):
        convert(archive(tmp_path / "x.ckpt", pickled(tensor)), target)
    assert not target.exists()


def test_a_tensor_within_its_storage_is_read(tmp_path, target):
    convert(archive(tmp_path / "x.ckpt", pickled(Tensor(1, (2,), (2,)))), target)
    assert load_state(target)["w"].tolist() == [1, 3]


def test_other_kinds_of_files_are_refused_with_the_reason(tmp_path, target):
    text, empty = tmp_path / "a.ckpt", pickle.dumps({})
    text.write_text("not weights")
    legacy = tmp_path / "legacy.ckpt"
    torch.save({"w": torch.ones(1)}, legacy, _use_new_zipfile_serialization=False)
    script = tmp_path / "script.pt"
    with zipfile.ZipFile(archive(script, empty), "a") as file:
        file.writestr("archive/constants.pkl", empty)
    cases = {
        text: "no archive of PyTorch 1.6 or later",
        legacy: "no archive of PyTorch 1.6 or later",
        script: "TorchScript, which is code",
        archive(tmp_path / "b.ckpt", empty): "it holds no weights",
        archive(tmp_path / "c.ckpt", empty, zipfile.ZIP_DEFLATED): "its archive is compressed",
        archive(tmp_path / "d.ckpt", b"\x80\x02}("): r"it is damaged \(",
        archive(
            tmp_path / "e.ckpt", pickle.dumps({3: 4})
        ): "its entry 3 is of type int, not a tensor",
        tmp_path / "none.ckpt": "does not exist",
    }
    for source, why in cases.items():
        with pytest.raises(CheckpointError, match=why):
            convert(source, target)
        assert not target.exists()


def test_a_file_that_asks_for_all_memory_ends_in_a_sentence(tmp_path, target):
    # PUT with the largest number makes the unpickler's table of memories as large.
    huge = b"\x80\x02}r\xf0\xff\xff\xff."
    with pytest.raises(CheckpointError, match="was not converted: .*(memory|damaged)"):
        convert(archive(tmp_path / "x.ckpt", huge), target)


def test_a_conversion_ends_in_time(tmp_path, target, monkeypatch):
    slow = tmp_path / "slow.py"
    slow.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(checkpoint_reader, "__file__", str(slow))
    source = saved({"w": torch.ones(1)}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match="it took more than 0.2 s"):
        convert(source, target, seconds=0.2)
    slow.write_text("import os; os.abort()")
    with pytest.raises(CheckpointError, match="needs too much memory or time"):
        convert(source, target)
    assert not list(tmp_path.glob(".*.tmp"))


def test_names_from_the_file_are_made_harmless():
    assert checkpoint_reader.printable("a\x1b[31m\n<b>é") == "a?[31m?<b>?"
    assert len(checkpoint_reader.printable("x" * 10_000)) == 80


def test_damaged_weights_are_named(tmp_path):
    damaged = tmp_path / "x.safetensors"
    damaged.write_bytes(b"\x00" * 40)
    with pytest.raises(CheckpointError, match=r"x.safetensors is damaged \(SafetensorError\)"):
        load_state(damaged)
    with pytest.raises(CheckpointError, match="its entry epoch is not a tensor"):
        load_state(saved({"w": torch.ones(1), "epoch": 3}, tmp_path / "x.pth"))


# --- the command ---------------------------------------------------------------------------------


def test_the_command_writes_beside_the_file_and_not_over_another(tmp_path):
    source = saved(lightning(w=torch.ones(2), **{"loss.x": torch.ones(1)}), tmp_path / "last.ckpt")
    result = CliRunner().invoke(cli.app, ["data", "convert", str(source)])
    assert result.exit_code == 0, result.output
    assert "last.safetensors: 1 tensors; left out: 1 of the training loss" in result.output
    assert "not loaded: _codecs.encode, argparse.Namespace, " in result.output
    assert re.search(r" and \d more\.", result.output)
    assert load_state(tmp_path / "last.safetensors")["w"].tolist() == [1, 1]
    again = CliRunner().invoke(cli.app, ["data", "convert", str(source)])
    assert isinstance(again.exception, checkpoint_files.CheckpointError)
    assert "exists already" in str(again.exception)
