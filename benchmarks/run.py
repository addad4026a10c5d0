"""How fast rainlens is, and how fast it could be: `make bench`, or

    python benchmarks/run.py [--quick] [--seconds S] [--only QUESTION]... [--output FILE]

Prints tables in Markdown, and writes `benchmarks/results.json`, the tables beside it as
`results.md` (for the book), and the figures of the README. The questions:

rain        layers a second, against the same recipe in OpenCV
training    iterations a second, against the plain way (`baseline.py`)
matrix      which share of the processor's measured matrix rate the training reaches
networks    how long a training step of each network takes at the `cpu` scale
pictures    how long a picture takes each network, and how much memory
together    whether many small networks in one program are quicker (`together.py`)
sweep       a sweep with one worker and with two
scheduling  what an experiment costs besides its computing: here, in processes, on Ray
metrics     PSNR and SSIM against scikit-image, torchmetrics and piq
complexity  how long 10,000 patches take, against OpenCV
memory      how much a `cpu`-scale experiment needs
plan        what all networks of the papers' scale would take, of machines like this one
book        how long the book takes from its records

With --only, what the file holds of other questions is kept, and the machine named where it was
another one.

Rates are medians of repetitions in a fresh process. The whole run takes about twenty minutes and
wants an idle machine; --quick only shows that the code runs, and writes no file unless --output
names one.

Mind the version of OpenCV, which the last line names: how quickly it filters with long kernels has
changed from version to version. To compare with another one, install it aside and put it first:

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

import tables
from tqdm import tqdm

HERE = Path(__file__).parent
# Of the `cpu` scale; the priors; and those of others, in full and light as that scale has them.
NETWORKS: dict[str, tuple[str, dict]] = {
    "ResNet, 8 blocks of 32": ("resnet", dict(blocks=8, channels=32)),
    "UNet": ("unet", dict(width=24, depth=2)),
    "SwinIR": ("swinir", dict(img_size=64, embed_dim=32, groups=1, depth=2, num_heads=2)),
    "VQGAN, configuration A": ("vqgan", dict(config="A")),
    "TAEF2": ("taef2", {}),
    "PReNet": ("prenet", {}),
    "SPDNet, light": ("spdnet", dict(n_resblocks=1)),
    "SPDNet": ("spdnet", {}),
    "RCDNet, light": ("rcdnet", dict(stages=5)),
    "RCDNet": ("rcdnet", {}),
}
MARKS = "<!-- figures: written by make bench -->", "<!-- end of figures -->"
QUESTIONS = tuple(tables.TITLES)
COMPLEXITY = ("sharpness", "structural_complexity")
METRICS = {
    "PSNR": ("rainlens", "scikit-image", "torchmetrics", "piq"),
    "SSIM": ("rainlens", "scikit-image", "torchmetrics", "piq"),
    "SSIM of luma": ("rainlens", "scikit-image"),
}


@dataclass(frozen=True)
class Arrangement:
    """How the processor is used: so many processes of so many threads, side by side."""

    name: str
    processes: int
    threads: int


ONE = Arrangement("1 thread", 1, 1)
TWO = Arrangement("2 threads", 1, 2)
SIDE_BY_SIDE = Arrangement("2 processes of 1 thread", 2, 1)
WHOLE = Arrangement("the machine", 1, 2)


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
    further: tuple[str, ...] = ("spdnet", "rcdnet", "vqgan")  # slow: a step is timed, no memory
    single: tuple[str, ...] = tuple(NETWORKS)
    picture: tuple[int, int] = (321, 481)
    together: int = 4
    sweep: tuple[int, int] = (4, 200)  # networks, steps of each
    empty: int = 40  # experiments, to measure what scheduling costs
    metrics: tuple[str, ...] = tuple(METRICS)
    pictures: int = 100
    memory_steps: int = 200
    memory_scale: str = "cpu"
    plan_scale: str = "paper"
    book: bool = True

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
            names = (*self.models, *self.further)
            kinds = [{"kind": "training_network", "model": name} for name in names]
            found += [(way, job) for job in kinds for way in single]
        if "pictures" in questions:
            found += [(way, job) for job in self._pictures() for way in single]
        if "together" in questions:
            found += [(way, job) for job in self._together() for way in self.arrangements]
        if "metrics" in questions:
            found += [(way, job) for job in self._metrics() for way in single]
        if "complexity" in questions:
            found += [(way, job) for job in self._complexity() for way in single]
        return found + [(WHOLE, job) for question in questions for job in self._whole(question)]

    def _pictures(self) -> list[dict]:
        chosen = [(name, *NETWORKS[name]) for name in self.single]
        return [
            {"kind": "picture", "name": name, "model": m, "options": o, "size": self.picture}
            for name, m, o in chosen
        ]

    def _together(self) -> list[dict]:
        blocks, channels, size = self.networks[0]
        common = {"kind": "training_together", "count": self.together, "size": size}
        return [
            {**common, "way": way, "blocks": blocks, "channels": channels}
            for way in ("stacked", "grouped")
        ]

    def _metrics(self) -> list[dict]:
        return [
            {"kind": "metric", "measure": measure, "library": library, "count": self.pictures}
            for measure in self.metrics
            for library in METRICS[measure]
        ]

    def _whole(self, question: str) -> list[dict]:
        """Jobs that use the machine as they like, and take as long as they take."""
        if question == "sweep":
            count, iterations = self.sweep
            common = {"kind": "sweep", "count": count, "iterations": iterations}
            return [{**common, "workers": w, "each": t} for w, t in ((1, 2), (2, 1))]
        if question == "scheduling":
            ways = ("here", "processes", "ray")
            return [{"kind": "overhead", "way": way, "count": self.empty} for way in ways]
        if question == "memory":
            steps, scale = self.memory_steps, self.memory_scale
            common = {"kind": "memory", "iterations": steps, "scale": scale}
            return [{**common, "model": model} for model in self.models]
        if question == "plan":
            return [{"kind": "plan", "scale": self.plan_scale}]
        if question == "book" and self.book:
            return [{"kind": "book", "scale": "cpu"}]
        return []

    def _complexity(self) -> list[dict]:
        common = {"size": self.rain_size}
        return [
            {"kind": kind, "measure": measure, **common}
            for measure, kind in product(COMPLEXITY, ("complexity_ours", "complexity_opencv"))
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
    further=(),
    single=("ResNet, 8 blocks of 32",),
    picture=(32, 48),
    together=2,
    sweep=(2, 4),
    empty=4,
    metrics=("SSIM",),
    pictures=4,
    memory_steps=4,
    memory_scale="smoke",
    plan_scale="smoke",
    book=False,  # CI builds it anyway
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
    added = {"rate": sum(result["rate"] for result in results)} if "rate" in results[0] else {}
    return {**results[0], **added}


def machine() -> dict:
    """What the numbers depend on."""
    import cv2
    import torch

    from rainlens.training import cores

    try:
        known = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        known = set()
    return {
        "cores": cores(),
        "processor": platform.machine(),
        "flags": [flag for flag in tables.FLAGS if flag in known],
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "opencv": cv2.__version__,
    }


def _network(sizes: tuple[int, int, int]) -> dict[str, int]:
    return dict(zip(("blocks", "channels", "size"), sizes, strict=True))


def kept(output: Path, about: dict, measured: set[str]) -> list[dict]:
    """What an earlier run wrote about other kinds of jobs, with its machine if that was another."""
    earlier = json.loads(output.read_text(encoding="utf-8")) if output.exists() else {}
    entries = [entry for entry in earlier.get("measured", ()) if entry["kind"] not in measured]
    if earlier.get("machine") == about:
        return entries
    return [{"machine": earlier["machine"], **entry} for entry in entries]


def write(output: Path, about: dict, measured: list[dict]) -> None:
    """The results; where they are the project's own, also the book's tables and the README's."""
    told = json.dumps({"machine": about, "measured": measured}, indent=1)
    output.write_text(f"{told}\n", encoding="utf-8")
    if output.resolve() == (HERE / "results.json").resolve():
        told = f"{tables.sentence(about)}\n\n{tables.Tables(measured).markdown(QUESTIONS)}\n"
        output.with_suffix(".md").write_text(told, encoding="utf-8")
        readme = HERE.parent / "README.md"
        text = put(readme.read_text(encoding="utf-8"), tables.readme(measured))
        readme.write_text(text, encoding="utf-8")


def put(readme: str, figures: str) -> str:
    """The README with other figures between its two marks."""
    before, rest = readme.split(MARKS[0])
    return f"{before}{MARKS[0]}\n{figures}\n{MARKS[1]}{rest.split(MARKS[1])[1]}"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How fast rainlens is, and could be.")
    parser.add_argument("--only", choices=QUESTIONS, nargs="+", help="answer some questions")
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
    questions = options.only or QUESTIONS
    measured = []
    with tqdm(plan.jobs(questions), unit="job", file=sys.stderr) as bar:
        for way, job in bar:
            bar.set_description(f"{job['kind']}, {way.name}")
            effort = {} if way is WHOLE else plan.effort
            measured.append({**job, "arrangement": way.name, **measure(way, {**job, **effort})})
    about = machine()
    print(f"\n{tables.Tables(measured).markdown(questions)}\n\n{tables.sentence(about)}")
    output = options.output or (None if options.quick else HERE / "results.json")
    if output:
        earlier = kept(output, about, {entry["kind"] for entry in measured})
        write(output, about, [*earlier, *measured])


if __name__ == "__main__":
    main()
