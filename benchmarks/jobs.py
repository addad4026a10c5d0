"""What one measuring process does: `python benchmarks/jobs.py '{"kind": "rain", ...}'`.

The process sets itself up, prints "ready", waits for a line on its input (so that two processes
can start together), measures, and prints the result as JSON. Every job is a function below, named
by `kind`; its arguments are the other entries.
"""

from __future__ import annotations

import importlib
import itertools
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import baseline
import cv2
import numpy as np
import torch
from peak import peak
from torch import nn

from rainlens import complexity, evaluation, images, models, rain, scales
from rainlens.claims import balancing
from rainlens.records import RecordStore
from rainlens.tasks import Session, restore
from rainlens.tasks.restore import Restore
from rainlens.training import keep_memory, uses_bfloat16

PATCHES = 64
# Ends never before the stopwatch; nothing is tested.
ENDLESS = dict(
    backgrounds=images.EMBEDDED, iterations=1_000_000, measure_every=1_000_000, curves=(), tests=()
)
PASSES = 3  # forward, and backward to the weights and to the input: as many products each


class Enough(Exception):
    """There are steps enough to take the median of."""


@dataclass
class Stopwatch:
    """Collects durations until there are `least` of them and `seconds` have passed.

    The first `warm_up` are thrown away: memory and kernels are being set up.
    """

    seconds: float
    least: int
    warm_up: int = 2
    durations: list[float] = field(default_factory=list)

    def add(self, duration: float) -> None:
        """Raises Enough when there is nothing left to collect."""
        self.durations.append(duration)
        kept = self.durations[self.warm_up :]
        if len(kept) >= self.least and sum(kept) >= self.seconds:
            raise Enough

    def time(self, work: Callable[[], object]) -> None:
        """Repeats the work until there is enough."""
        try:
            while True:
                start = time.perf_counter()
                work()
                self.add(time.perf_counter() - start)
        except Enough:
            return

    @property
    def rate(self) -> float:
        """Repetitions a second, by the median."""
        return 1 / statistics.median(self.durations[self.warm_up :])


def rain_ours(range_name: str, size: int, batch: int, seconds: float, least: int) -> dict:
    """Layers a second of `rain.synthesize`, with the memory kept as it is in training."""
    keep_memory()
    source, watch = torch.Generator().manual_seed(0), Stopwatch(seconds, least)
    watch.time(lambda: rain.synthesize(batch, (size, size), rain.RANGES[range_name], source))
    return {"rate": batch * watch.rate}


def rain_opencv(range_name: str, size: int, batch: int, seconds: float, least: int) -> dict:
    """Layers a second of the same recipe in OpenCV, layer by layer."""
    rng, watch = np.random.default_rng(0), Stopwatch(seconds, least)
    chosen = rain.RANGES[range_name]

    def work() -> None:
        for _ in range(batch):
            baseline.rain_layer(size, rain.MARGIN, chosen, rng)

    watch.time(work)
    return {"rate": batch * watch.rate}


def training_ours(blocks: int, channels: int, size: int, seconds: float, least: int) -> dict:
    """Iterations a second of an experiment, as `rainlens run` computes it."""
    experiment = _experiment(blocks, channels, size)
    return {"rate": _rate(experiment, seconds, least), "gflop": _gflop(experiment)}


def training_network(model: str, seconds: float, least: int) -> dict:
    """Iterations a second of one of the networks of the `cpu` scale, and pictures in each.

    SPDNet and RCDNet are the light ones of chapter 9, the VQGAN is that of chapter 10's ablation.
    """
    setting = scales.scale_named("cpu")
    if model in balancing.OTHERS:
        chosen = balancing.cell(setting, model, PATCHES, "medium")
    elif model == "vqgan":
        chosen = setting.prior(arm="ablation", patches=PATCHES)
    else:
        chosen = setting.experiment(model=model, patches=PATCHES)
    return {"rate": _rate(replace(chosen, **ENDLESS), seconds, least), "batch": chosen.batch}


def picture(
    name: str, model: str, options: dict, size: tuple[int, int], seconds: float, least: int
) -> dict:
    """Pictures a second through an untrained network, as tests restore them, one at a time.

    memory: by how many MiB network and picture raise the peak of the process.
    """
    del name  # for the table
    before, watch = peak(), Stopwatch(seconds, least, warm_up=1)
    network = models.build(model, **options).to(memory_format=torch.channels_last)
    pictures = [torch.randint(256, (3, *size), dtype=torch.uint8)]
    watch.time(lambda: evaluation.restore(network, pictures))
    told = {"parameters": models.count_parameters(network), "memory": peak() - before}
    return {"rate": watch.rate, **told}


def complexity_ours(measure: str, size: int, seconds: float, least: int) -> dict:
    """Patches a second of a function of `complexity`."""
    patches, watch = _patches(size), Stopwatch(seconds, least)
    watch.time(lambda: getattr(complexity, measure)(patches))
    return {"rate": len(patches) * watch.rate}


def complexity_opencv(measure: str, size: int, seconds: float, least: int) -> dict:
    """The same in OpenCV, patch by patch."""
    pictures = [np.ascontiguousarray(p.permute(1, 2, 0).numpy()) for p in _patches(size)]
    work, watch = getattr(baseline, measure), Stopwatch(seconds, least)
    watch.time(lambda: [work(picture) for picture in pictures])
    return {"rate": len(pictures) * watch.rate}


def training_plain(
    blocks: int, channels: int, size: int, workers: int, seconds: float, least: int
) -> dict:
    """Iterations a second of the same network on the same patches, trained the plain way."""
    experiment = _experiment(blocks, channels, size)
    watch = Stopwatch(seconds, least)
    patches = images.patches(experiment.backgrounds, experiment.patches, size, experiment.seed)
    data = baseline.RainyPatches(patches, rain.MARGIN, rain.RANGES[experiment.degradation])
    model = models.build(experiment.model, **dict(experiment.options))
    try:
        baseline.train(model, data, experiment.batch, workers, watch.add)
    except Enough:
        pass
    return {"rate": watch.rate}


def training_together(
    way: str, count: int, blocks: int, channels: int, size: int, seconds: float, least: int
) -> dict:
    """Steps of one network a second where `count` of them learn in one program."""
    import together

    networks = together.WAYS[way](count, blocks=blocks, channels=channels)
    experiment, watch = _experiment(blocks, channels, size), Stopwatch(seconds, least)
    draw, step = restore.training_batches(experiment, torch.device("cpu")), itertools.count()
    keep_memory()

    def work() -> None:
        batches = [draw(next(step)) for _ in range(count)]
        networks.step(*(torch.stack(part) for part in zip(*batches, strict=True)))

    watch.time(work)
    return {"rate": count * watch.rate}


def metric(measure: str, library: str, count: int, seconds: float, least: int) -> dict:
    """Pictures a second: one after another, as a record scores them, each library at its best."""
    import libraries

    pictures, work = libraries.pictures(count), libraries.MEASURES[measure, library]
    keep_memory()  # as it is while experiments run
    ready, watch = [libraries.READY[library](*pair) for pair in pictures], Stopwatch(seconds, least)
    watch.time(lambda: [work(*pair) for pair in ready])
    return {"rate": len(pictures) * watch.rate}


def matrix(sides: list[int], seconds: float, least: int) -> dict:
    """The best rate of a product of square matrices, in Gflop/s, in the type training uses."""
    dtype = torch.bfloat16 if uses_bfloat16("cpu") else torch.float32
    rates = {}
    for side in sides:
        a, b = torch.randn(2, side, side).to(dtype)
        out, watch = torch.empty(side, side, dtype=dtype), Stopwatch(seconds, least)
        watch.time(lambda a=a, b=b, out=out: torch.mm(a, b, out=out))
        rates[side] = 2 * side**3 * watch.rate / 1e9
    return {"rate": max(rates.values()), "by_side": rates}


def _rate(experiment: Restore, seconds: float, least: int) -> float:
    """Iterations a second, from the third on."""
    watch, last = Stopwatch(seconds, least), math.nan

    def progress(steps: int) -> None:
        nonlocal last
        now = time.perf_counter()
        if steps:  # 0 announces the start
            watch.add(now - last)
        last = now

    with tempfile.TemporaryDirectory() as folder:
        try:
            experiment.compute(RecordStore(folder), Session(progress=progress))
        except Enough:
            pass
    return watch.rate


def _experiment(blocks: int, channels: int, size: int) -> Restore:
    options = (("blocks", blocks), ("channels", channels))
    return Restore(options=options, patches=PATCHES, patch_size=size, **ENDLESS)


def _patches(size: int) -> torch.Tensor:
    """1,024 patches, the embedded ones over and over: what is in them does not matter here."""
    return images.patches(images.EMBEDDED, PATCHES, size, 0).repeat(1024 // PATCHES, 1, 1, 1)


def _gflop(experiment: Restore) -> float:
    """Operations of one iteration: two a multiply-add of the convolutions, in three passes."""
    products = 0

    def count(layer: nn.Conv2d, inputs: tuple, output: torch.Tensor) -> None:
        nonlocal products
        products += layer.weight.numel() * output.shape[-2] * output.shape[-1]

    model = models.build(experiment.model, **dict(experiment.options))
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)
    with torch.inference_mode():
        model(torch.zeros(1, 3, experiment.patch_size, experiment.patch_size))
    return 2 * PASSES * products * experiment.batch / 1e9


JOBS = {
    job.__name__: job
    for job in (
        rain_ours,
        rain_opencv,
        training_ours,
        training_plain,
        training_network,
        picture,
        matrix,
        complexity_ours,
        complexity_opencv,
        training_together,
        metric,
    )
}


def main() -> None:
    job = json.loads(sys.argv[1])
    threads = job.pop("threads")
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    kind = job.pop("kind")
    # The others load the builder of the book, which takes seconds.
    work = JOBS.get(kind) or getattr(importlib.import_module("runs"), kind)
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(work(**job)), flush=True)


if __name__ == "__main__":
    main()
