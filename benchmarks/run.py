"""How fast rainlens is, and how fast it could be: `make bench`, or

    python benchmarks/run.py [--quick] [--seconds S] [--only QUESTION] [--output FILE]

Prints tables in Markdown and writes `benchmarks/results.json`. The questions:

rain        layers a second, against the same recipe in OpenCV
training    iterations a second, against the plain way (`baseline.py`)
matrix      which share of the processor's measured matrix rate the training reaches
networks    how long a training step of each network takes at the `cpu` scale
complexity  how long 10,000 patches take, against OpenCV

With --only, what the file holds of other questions is kept, if the machine is the same.

Every number is the median of repetitions in a fresh process. The whole run takes about a quarter
of an hour and wants an idle machine; --quick only shows that the code runs, and writes no file
unless --output names one.

Mind the version of OpenCV, which the last line names: version 5 filters with long kernels about
nine times as fast as version 4. To compare with another version, install it aside and put it first:

    pip install --no-deps --target opencv4 "opencv-python-headless<5"
    PYTHONPATH=opencv4 python benchmarks/run.py --only rain --output opencv4.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from tqdm import tqdm

HERE = Path(__file__).parent
QUESTIONS = ("rain", "training", "matrix", "networks", "complexity")
MEASURES = ("sharpness", "structural_complexity")
FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


@dataclass(frozen=True)
class Arrangement:
    """How the processor is used: so many processes of so many threads, side by side."""

    name: str
    processes: int
    threads: int


ONE = Arrangement("1 thread", 1, 1)
TWO = Arrangement("2 threads", 1, 2)
SIDE_BY_SIDE = Arrangement("2 processes of 1 thread", 2, 1)


@dataclass(frozen=True)
class Plan:
    """What is measured, and how long: at least `seconds` and `least` repetitions each."""

    seconds: float = 10
    least: int = 3
    ranges: tuple[str, ...] = ("small", "medium", "large")
    networks: tuple[tuple[int, int, int], ...] = ((8, 32, 64), (16, 64, 64), (16, 64, 128))
    # In float32, the largest network takes seconds a step: the plain way is measured without it.
    plain_networks: tuple[tuple[int, int, int], ...] = ((8, 32, 64), (16, 64, 64))
    rain_size: int = 128
    rain_batch: int = 16
    sides: tuple[int, ...] = (1024, 2048, 4096)
    workers: tuple[int, ...] = (1, 2)
    arrangements: tuple[Arrangement, ...] = (ONE, TWO, SIDE_BY_SIDE)
    models: tuple[str, ...] = ("resnet", "unet", "swinir")

    @property
    def effort(self) -> dict[str, float]:
        return {"seconds": self.seconds, "least": self.least}

    def jobs(self, questions: Sequence[str]) -> list[tuple[Arrangement, dict]]:
        """Every measurement: the arrangement and the job of `jobs.py`."""
        found: list[tuple[Arrangement, dict]] = []
        single = [way for way in self.arrangements if way.processes == 1]
        if "rain" in questions:
            found += [(way, job) for job in self._rain() for way in single]
        if "training" in questions:
            found += [(way, job) for job in self._plain() for way in single]
        if "training" in questions or "matrix" in questions:
            found += [(way, job) for job in self._ours() for way in self.arrangements]
        if "matrix" in questions:
            job = {"kind": "matrix", "sides": self.sides}
            found += [(way, job) for way in self.arrangements]
        if "networks" in questions:
            kinds = [{"kind": "training_network", "model": model} for model in self.models]
            found += [(way, job) for job in kinds for way in single]
        if "complexity" in questions:
            found += [(way, job) for job in self._complexity() for way in single]
        return found

    def _complexity(self) -> list[dict]:
        common = {"size": self.rain_size}
        return [
            {"kind": kind, "measure": measure, **common}
            for measure, kind in product(MEASURES, ("complexity_ours", "complexity_opencv"))
        ]

    def _rain(self) -> list[dict]:
        common = {"size": self.rain_size, "batch": self.rain_batch}
        return [
            {"kind": kind, "range_name": name, **common}
            for name, kind in product(self.ranges, ("rain_ours", "rain_opencv"))
        ]

    def _ours(self) -> list[dict]:
        return [{"kind": "training_ours", **_network(sizes)} for sizes in self.networks]

    def _plain(self) -> list[dict]:
        return [
            {"kind": "training_plain", **_network(sizes), "workers": workers}
            for sizes, workers in product(self.plain_networks, self.workers)
        ]


QUICK = Plan(
    seconds=0,
    least=2,
    ranges=("medium",),
    networks=((2, 8, 32),),
    plain_networks=((2, 8, 32),),
    sides=(512,),
    workers=(1,),
    arrangements=(ONE, SIDE_BY_SIDE),
    models=("swinir",),
)


def measure(way: Arrangement, job: dict) -> dict:
    """Runs a job in fresh processes, side by side where there are several; adds up their rates."""
    text = json.dumps({**job, "threads": way.threads})
    # No GPU: this is about processors, and both sides must run on the same.
    environment = {**os.environ, "OMP_NUM_THREADS": str(way.threads), "CUDA_VISIBLE_DEVICES": ""}
    processes = [
        subprocess.Popen(
            [sys.executable, str(HERE / "jobs.py"), text],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        for _ in range(way.processes)
    ]
    try:
        for process in processes:
            process.stdout.readline()  # "ready"
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        results = [json.loads(process.stdout.readline()) for process in processes]
    except (BrokenPipeError, json.JSONDecodeError):
        sys.exit(f"The job {text} failed; its error stands above.")
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    return {**results[0], "rate": sum(result["rate"] for result in results)}


def machine() -> dict:
    """What the numbers depend on."""
    import cv2
    import torch

    from rainlens.training import cores

    try:
        known = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        known = set()
    return {
        "cores": cores(),
        "processor": platform.machine(),
        "flags": [flag for flag in FLAGS if flag in known],
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "opencv": cv2.__version__,
    }


class Results:
    """Measurements, and the tables made of them."""

    def __init__(self, plan: Plan, measured: list[dict]) -> None:
        self.plan, self.measured = plan, measured

    def find(self, way: Arrangement, **wanted: object) -> list[dict]:
        """The measurements of an arrangement that have these entries."""
        return [
            entry
            for entry in self.measured
            if entry["arrangement"] == way.name and wanted.items() <= entry.items()
        ]

    def rain(self) -> list[list[str]]:
        head = ["rain", "threads", "rainlens, layers/s", "OpenCV, layers/s", "ratio"]
        rows = [head]
        for name, way in product(self.plan.ranges, (ONE, TWO)):
            ours = self.find(way, kind="rain_ours", range_name=name)
            opencv = self.find(way, kind="rain_opencv", range_name=name)
            if ours and opencv:
                rates = ours[0]["rate"], opencv[0]["rate"]
                rows.append([name, str(way.threads), *map(_digits, rates), _ratio(*rates)])
        return rows

    def training(self) -> list[list[str]]:
        head = ["ResNet", "patches", "threads", "rainlens, it/s", "plain, it/s"]
        rows = [[*head, "loader processes", "ratio"]]
        for sizes, way in product(self.plan.networks, (ONE, TWO)):
            ours = self.find(way, kind="training_ours", **_network(sizes))
            plain = self.find(way, kind="training_plain", **_network(sizes))
            if ours and plain:
                # The plain way is given the number of loader processes that suits it best.
                best = max(plain, key=lambda entry: entry["rate"])
                rates = ours[0]["rate"], best["rate"]
                rows.append(
                    [*_labels(sizes), str(way.threads), *map(_digits, rates)]
                    + [str(best["workers"]), _ratio(*rates)]
                )
        return rows

    def matrix(self) -> list[list[str]]:
        head = ["ResNet", "patches", "arrangement", "it/s", "Gflop/s", "matrix product, Gflop/s"]
        rows = [[*head, "share"]]
        for sizes, way in product(self.plan.networks, self.plan.arrangements):
            ours = self.find(way, kind="training_ours", **_network(sizes))
            limit = self.find(way, kind="matrix")
            if ours and limit:
                reached, most = ours[0]["rate"] * ours[0]["gflop"], limit[0]["rate"]
                numbers = map(_digits, (ours[0]["rate"], reached, most))
                rows.append([*_labels(sizes), way.name, *numbers, f"{reached / most:.0%}"])
        return rows

    def networks(self) -> list[list[str]]:
        rows = [["network of the cpu scale", "threads", "steps/s", "milliseconds a step"]]
        for model, way in product(self.plan.models, (ONE, TWO)):
            for entry in self.find(way, kind="training_network", model=model):
                rate = entry["rate"]
                rows.append([model, str(way.threads), _digits(rate), _digits(1000 / rate)])
        return rows

    def complexity(self) -> list[list[str]]:
        head = ["measure", "threads", "seconds for 10,000 patches", "OpenCV, seconds"]
        rows = [[*head, "ratio"]]
        for measure, way in product(MEASURES, (ONE, TWO)):
            ours = self.find(way, kind="complexity_ours", measure=measure)
            opencv = self.find(way, kind="complexity_opencv", measure=measure)
            if ours and opencv:
                rates = ours[0]["rate"], opencv[0]["rate"]
                seconds = (_digits(10_000 / rate) for rate in rates)
                rows.append([measure, str(way.threads), *seconds, _ratio(*rates)])
        return rows


def table(rows: list[list[str]]) -> str:
    """Rows, the first of them the head, as a Markdown table."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _network(sizes: tuple[int, int, int]) -> dict[str, int]:
    return dict(zip(("blocks", "channels", "size"), sizes, strict=True))


def _labels(sizes: tuple[int, int, int]) -> list[str]:
    blocks, channels, size = sizes
    return [f"{blocks}x{channels}", f"{size}x{size}"]


def _digits(value: float) -> str:
    """Three significant digits, without an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _ratio(ours: float, other: float) -> str:
    return f"{ours / other:.1f}"


def _others(output: Path, about: dict, measured: set[str]) -> list[dict]:
    """What an earlier run on this machine wrote about other kinds of jobs."""
    earlier = json.loads(output.read_text()) if output.exists() else {}
    if earlier.get("machine") != about:
        return []
    return [entry for entry in earlier["measured"] if entry["kind"] not in measured]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How fast rainlens is, and could be.")
    parser.add_argument("--only", choices=QUESTIONS, help="answer one question")
    parser.add_argument("--quick", action="store_true", help="show that the code runs, no more")
    parser.add_argument(
        "--seconds", type=float, default=Plan.seconds, help="how long each number is measured"
    )
    parser.add_argument(
        "--output", type=Path, help="where to write (benchmarks/results.json unless --quick)"
    )
    return parser.parse_args()


def main() -> None:
    options = parse()
    plan = QUICK if options.quick else Plan(seconds=options.seconds)
    questions = (options.only,) if options.only else QUESTIONS
    measured = []
    with tqdm(plan.jobs(questions), unit="job", file=sys.stderr) as bar:
        for way, job in bar:
            bar.set_description(f"{job['kind']}, {way.name}")
            result = measure(way, {**job, **plan.effort})
            measured.append({**job, "arrangement": way.name, **result})
    results = Results(plan, measured)
    for question in questions:
        print(f"\n{table(getattr(results, question)())}")
    about = machine()
    print(f"\nMachine: {', '.join(f'{name} {value}' for name, value in about.items())}")
    output = options.output or (None if options.quick else HERE / "results.json")
    if output:
        kept = _others(output, about, {entry["kind"] for entry in measured})
        content = {"machine": about, "plan": plan.effort, "measured": [*kept, *measured]}
        output.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
