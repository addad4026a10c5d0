"""Files of weights: wrapped or not, strictly, in one sentence, and never executed."""

import argparse
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from rainlens import models
from rainlens.models.weights import WeightsError, load_weights


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return models.build("resnet", blocks=1, channels=2)


def prefixed(state: dict, prefix: str) -> dict:
    return {prefix + name: values for name, values in state.items()}


def loads(content: object, path: Path) -> bool:
    """Whether a file with this content gives a fresh network the weights of `network(1)`."""
    torch.save(content, path)
    model = network(2)
    load_weights(model, path)
    return same_weights(model, network(1))


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("key", [None, "state_dict", "params_ema", "params", "model"])
@pytest.mark.parametrize("prefix", ["", "module.", "model.", "net.", "module.net."])
def test_wrappers_and_prefixes_are_taken_off(tmp_path, key, prefix):
    state = prefixed(network(1).state_dict(), prefix)
    assert loads({key: state, "epoch": 3} if key else state, tmp_path / "a.pth")


def test_the_smoothed_weights_win_over_the_last_ones(tmp_path):
    right, wrong = network(1).state_dict(), network(5).state_dict()
    assert loads({"params": wrong, "params_ema": right}, tmp_path / "a.pt")
    assert loads({"model": wrong, "state_dict": {"model": right}}, tmp_path / "a.pt")


def test_a_network_keeps_a_prefix_of_its_own(tmp_path):
    inner, outer = nn.Linear(2, 2), nn.Module()
    outer.net = nn.Linear(2, 2)
    torch.save(prefixed(inner.state_dict(), "module.net."), tmp_path / "a.pth")
    load_weights(outer, tmp_path / "a.pth")
    assert same_weights(outer, inner)


def test_safetensors(tmp_path):
    state = {k: v.contiguous() for k, v in network(1).state_dict().items()}
    save_file(prefixed(state, "module."), tmp_path / "a.safetensors")
    model = network(2)
    load_weights(model, tmp_path / "a.safetensors")
    assert same_weights(model, network(1))


def test_missing_extra_and_other_shapes_are_named_in_one_sentence(tmp_path):
    state = network(1).state_dict()
    state["blocks.0.third.weight"] = state.pop("blocks.0.second.weight")
    state["tail.bias"] = torch.zeros(4)
    torch.save(state, tmp_path / "a.pth")
    model = network(2)
    with pytest.raises(WeightsError) as caught:
        load_weights(model, tmp_path / "a.pth")
    assert str(caught.value) == (
        f"{tmp_path}/a.pth does not fit ResNet: missing: blocks.0.second.weight; not in the "
        "network: blocks.0.third.weight; of another shape: tail.bias is (4,) instead of (3,)."
    )
    assert same_weights(model, network(2))


def test_a_long_list_of_names_is_cut(tmp_path):
    torch.save({"other": torch.zeros(1)}, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match=r"head.weight, head.bias, .* and 5 more; not in .*oth"):
        load_weights(network(), tmp_path / "a.pth")


class Bomb:
    """A pickle that makes a folder when it is read."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.target),)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("how", ["torch", "plain", "beside weights"])
def test_nothing_is_executed(tmp_path, how):
    bomb, path = Bomb(tmp_path / "exploded"), tmp_path / "bomb.pth"
    if how == "plain":
        path.write_bytes(pickle.dumps(bomb))
    else:
        torch.save(bomb if how == "torch" else {**network().state_dict(), "x": bomb}, path)
    with pytest.raises(WeightsError, match="could run code: .* torch.save"):
        load_weights(network(), path)
    assert not bomb.target.exists()
    if how == "plain":  # the bomb is a real one
        pickle.loads(path.read_bytes())
        assert bomb.target.exists()


def test_a_whole_network_or_its_options_are_refused_with_the_way_out(tmp_path):
    path = tmp_path / "a.pth"
    options = argparse.Namespace(lr=1)
    for content in (network(), {"state_dict": network().state_dict(), "args": options}):
        torch.save(content, path)
        with pytest.raises(WeightsError, match=r"torch.save\(network.state_dict\(\)"):
            load_weights(network(), path)


@pytest.mark.parametrize("content", [[1, 2], torch.zeros(3), {}, {"state_dict": {}}, {"a": 1}])
def test_files_without_a_state_dict_are_named(tmp_path, content):
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="a.pth holds no state dict; save one"):
        load_weights(network(), tmp_path / "a.pth")


def test_a_wrapper_that_holds_itself_comes_to_an_end(tmp_path):
    content: dict = {}
    content["model"] = content
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="no state dict"):
        load_weights(network(), tmp_path / "a.pth")


def test_broken_files_are_named(tmp_path):
    torch.save(network().state_dict(), tmp_path / "whole.pth")
    whole = (tmp_path / "whole.pth").read_bytes()
    contents = dict(cut=whole[: len(whole) // 2], empty=b"", page=b"<html>not found</html>")
    for name, content in contents.items():
        for suffix in (".pth", ".safetensors"):
            path = tmp_path / (name + suffix)
            path.write_bytes(content)
            with pytest.raises(WeightsError, match=f"{name}{suffix} cannot be read .* again"):
                load_weights(network(), path)


def test_missing_and_foreign_files_are_named(tmp_path):
    with pytest.raises(WeightsError, match="none.pth does not exist"):
        load_weights(network(), tmp_path / "none.pth")
    (tmp_path / "a.onnx").write_bytes(b"x")
    with pytest.raises(
        WeightsError, match="a.onnx is no file of weights by its name; known are .pth"
    ):
        load_weights(network(), tmp_path / "a.onnx")


@pytest.mark.filterwarnings("ignore:.*TorchScript archive")
def test_torchscript_is_refused_with_the_way_out(tmp_path):
    # What marks such an archive is a file in it, however it came about.
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        for name in ("version", "constants.pkl", "data.pkl"):
            archive.writestr(f"archive/{name}", "3\n")
    with pytest.raises(WeightsError, match="could run code: .* torch.save"):
        load_weights(network(), tmp_path / "a.pt")


def test_pickles_need_a_torch_that_reads_them_safely(tmp_path, monkeypatch):
    torch.save(network().state_dict(), tmp_path / "a.pth")
    monkeypatch.setattr(torch, "__version__", "2.5.1+cpu")
    with pytest.raises(WeightsError, match="2.5.1.*update torch to 2.6"):
        load_weights(network(), tmp_path / "a.pth")
