"""The book's scripts: linted, their types checked, and their arithmetic held against Python's."""

import json
import math
import os
import re
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from rainlens import metrics, rain, signals, toy_evaluation
from rainlens.models import build, vqgan
from rainlens.models.autoencoder import Shape
from rainlens.models.cnn1d import Cnn1d
from rainlens.models.resnet import ResNet
from rainlens.training import Schedule
from rainlens.widgets import code_lab
from rainlens.widgets.toy import pack, unpack

ROOT = Path(__file__).resolve().parents[1]
TESTS = Path("tests/javascript")
SCRIPTS = ["src/rainlens/widgets", "book/_static", str(TESTS)]
deno = pytest.importorskip("deno", reason="Deno is not installed: pip install deno")


def run(*words: str, **environment: str) -> str:
    """What Deno says to the scripts of this checkout; fails with it where Deno does."""
    answer = subprocess.run(
        [deno.find_deno_bin(), words[0], "--config", str(TESTS / "deno.json"), *words[1:]],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1", **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout + answer.stderr


def network(folder: Path, name: str, about: dict[str, Any], **options: Any) -> dict[str, Any]:
    """A random network's file, an input, and what PyTorch says to it with the stored weights."""
    torch.manual_seed(len(name))
    model = Cnn1d(24, **options)
    for weights in model.parameters():
        weights.data *= 2  # or little of the input would come through five layers
    data = pack(model, about)
    (folder / f"{name}.safetensors").write_bytes(data)
    x = torch.linspace(-10, 10, 41)
    y = 30 * torch.randn(41)
    with torch.no_grad():
        output = unpack(data)[0](torch.stack((x, y))[None])[0, 1]
    told = {"x": x.tolist(), "y": y.tolist(), "output": output.tolist()}
    return {"name": name, "file": f"{name}.safetensors", **told}


def normals(seed: int, count: int) -> list[float]:
    """Mulberry32 and Box-Muller, in Python's unbounded numbers."""
    state = seed

    def uniform() -> float:
        nonlocal state
        state = (state + 0x6D2B79F5) % 2**32
        mixed = (state ^ state >> 15) * (state | 1) % 2**32
        mixed ^= (mixed + (mixed ^ mixed >> 7) * (mixed | 61)) % 2**32
        return ((mixed ^ mixed >> 14) + 0.5) / 2**32

    return [
        math.sqrt(-2 * math.log(uniform())) * math.cos(2 * math.pi * uniform())
        for _ in range(count)
    ]


def halves(folder: Path) -> None:
    """All finite numbers in half precision, and the same in single precision by `struct`."""
    every = [struct.pack("<H", bits) for bits in range(2**16) if bits >> 10 & 31 != 31]
    (folder / "halves.safetensors").write_bytes(
        save({"a": torch.frombuffer(bytearray(b"".join(every)), dtype=torch.float16)})
    )
    wide = [struct.pack("<f", *struct.unpack("<e", half)) for half in every]
    (folder / "halves.f32").write_bytes(b"".join(wide))


def lab(folder: Path) -> None:
    """What the rain lab computes: rain from noise, measures, filters and a network's output."""
    source = torch.Generator().manual_seed(0)
    rains = []
    for length, width, direction in ((5, 9, -70.0), (30, 1, 0.0), (41, 5, 33.0), (60, 7, 90.0)):
        noise = rain.sparse_noise(torch.tensor([300.0]), (80, 80), source)
        kernels = rain.motion_kernels(*(torch.tensor([one]) for one in (length, width, direction)))
        about = dict(length=length, width=width, direction=direction)
        layer = rain.smear(noise, kernels)[0]
        rains.append(
            {**about, "noise": noise.flatten().tolist(), "layer": layer.flatten().tolist()}
        )
    clean = torch.rand(1, 3, 16, 24, generator=source)
    rainy = rain.add_rain(clean, torch.rand(1, 1, 16, 24, generator=source).sub(0.5).relu())
    torch.manual_seed(0)
    model = ResNet(blocks=2, channels=8)
    (folder / "resnet.safetensors").write_bytes(save(model.state_dict()))
    with torch.no_grad():
        output, output_clean = model(rainy), model(clean)
    names = {"e_r": "eR", "e_b": "eB", "gain": "gain", "contrast": "contrast"}
    scores = metrics.score(output, rainy, clean, tuple(names))
    scores = {names[name]: value.item() for name, value in scores.items()}
    scores["response"] = metrics.rain_response(output, output_clean, rainy, clean).item()
    pictures = dict(
        clean=clean, rainy=rainy, output=output, outputClean=output_clean,
        median=build("median", size=5)(rainy),
    )  # fmt: skip
    told = {name: picture.flatten().tolist() for name, picture in pictures.items()}
    shown = {"rains": rains, "height": 16, "width": 24, "scores": scores, **told}
    (folder / "lab.json").write_text(json.dumps(shown), encoding="utf-8")


def codes(folder: Path) -> None:
    """What the code lab computes: the codes of latents, and what its decoder draws from them."""
    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        shape = Shape(16, (1, 2, 4), 1, 16, groups=4)
        patch.setitem(vqgan.CONFIGS, "tiny", vqgan.Config(shape, length=16, codes=32))
        model = vqgan.VQGAN("tiny")
    rows = model.quantize.embedding.weight
    with torch.no_grad():
        rows.copy_(0.3 * torch.randn_like(rows))
    data = code_lab.pack(model, model)
    (folder / "prior.bin").write_bytes(data)
    held = code_lab.unpack(data)
    model.load_state_dict({k: v for k, v in held.items() if k in model.state_dict()}, strict=False)
    with torch.no_grad():
        found = model.quantise(held["latent.rainy"][None]).codes
        drawn = model.decode(rows[5][None, :, None, None].expand(1, -1, 8, 8)).clamp(0, 1)
    assert found is not None
    near = (rows - rows[5]).square().sum(1).argsort()[1:7].tolist()
    shown = {"codes": found.flatten().tolist(), "tile": drawn.flatten().tolist(), "near": near}
    (folder / "codes.json").write_text(json.dumps(shown), encoding="utf-8")


def trainer(folder: Path) -> None:
    """Twenty steps of a toy network: its batches, and what PyTorch makes of them."""
    torch.manual_seed(0)
    model = Cnn1d(8)
    schedule = Schedule(20, 0.02, betas=(0.9, 0.999), weight_decay=0.3, warmup=5)
    optimizer = schedule.optimizer(model.parameters())

    def flat(tensors: list[torch.Tensor]) -> list[float]:
        return torch.cat([one.detach().flatten() for one in tensors]).tolist()

    weights = [flat([*model.parameters()])]
    batches = [
        signals.training_batch(signals.Cosine(4), 0, step, 4, points=40) for step in range(20)
    ]
    outputs, losses, gradients, rates = [], [], [], []
    for step, (noisy, clean) in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate(step)
        optimizer.zero_grad()
        output = model(noisy)
        loss = toy_evaluation.norm_loss(output, clean)
        loss.backward()
        optimizer.step()
        outputs.append(output.flatten().tolist())
        losses.append(loss.item())
        gradients.append(flat([one.grad for one in model.parameters() if one.grad is not None]))
        rates.append(schedule.rate(step))
        weights.append(flat([*model.parameters()]))
    x = torch.linspace(-10, 10, 81, dtype=torch.float64)
    told = dict(
        batches=[[part.flatten().tolist() for part in batch] for batch in batches], weights=weights,
        outputs=outputs[0], losses=losses, gradients=gradients[0], rates=rates,
        layers=[one.numel() for one in model.parameters()], x=x.tolist(),
        triangle=signals.foreign(x).tolist(),
        counts={c: sum(one.numel() for one in Cnn1d(c).parameters()) for c in (8, 16)},
        tests={
            name: [panel[1].mean, panel[1].spread, panel[0](x).tolist()]
            for name, panel in toy_evaluation.panels(2).items()
        },
    )  # fmt: skip
    (folder / "trainer.json").write_text(json.dumps(told), encoding="utf-8")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with weight files, and with what Python makes of the inputs in expected.json."""
    folder = tmp_path_factory.mktemp("expected")
    x = torch.linspace(-10, 10, 81, dtype=torch.float64)
    foreign = {"order": 8, "noise_mean": 10, "noise_std": 5}
    shown = {
        "networks": [
            network(folder, "zeros", {"order": 4}, scale=1.0),
            network(folder, "replicate", foreign, padding="replicate", slope=0.2, scale=1.0),
            network(folder, "scaled", {"order": 1}),
        ],
        "normals": [{"seed": seed, "values": normals(seed, 40)} for seed in (1, 2, 2**32 - 1)],
        "cosines": [
            {"order": order, "x": x.tolist(), "y": signals.Cosine(order)(x).tolist()}
            for order in (0.5, 1, 8, 12)
        ],
    }
    (folder / "expected.json").write_text(json.dumps(shown), encoding="utf-8")
    halves(folder)
    lab(folder)
    codes(folder)
    trainer(folder)
    return folder


def test_their_arithmetic_is_right(expected: Path) -> None:
    said = run(
        "test",
        "--no-check",
        "--allow-read",
        "--allow-env",
        str(TESTS),
        RAINLENS_EXPECTED=str(expected),
    )
    assert re.search(r"ok \| [1-9]\d* passed \| 0 failed", said), said


def test_their_names_and_types_fit() -> None:
    run("check", *SCRIPTS)


def test_they_are_linted() -> None:
    assert "Checked" in run("lint", *SCRIPTS)
