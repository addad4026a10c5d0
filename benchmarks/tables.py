"""What was measured, as tables in Markdown: for the terminal, for the book, for the README."""

from __future__ import annotations

from collections.abc import Sequence

Rows = list[list[str]]
FLAGS = {"amx_bf16": "AMX", "avx512_bf16": "AVX-512 BF16", "avx512f": "AVX-512", "avx2": "AVX2"}
TITLES = {
    "rain": "Synthesising rain: layers of 128x128 a second",
    "training": "Training against the plain way: float32, a data-loader, rain by OpenCV",
    "matrix": "Training against the processor's matrix rate in bfloat16",
    "networks": "A training step of each network",
    "pictures": "One picture of 481x321 through each network",
    "together": "Four ResNets 8x32 on 64x64 patches: steps of one network a second",
    "sweep": "A sweep of ResNets 8x32",
    "scheduling": "What scheduling costs an experiment, computing aside",
    "metrics": "Measures: milliseconds for a picture of 481x321, RGB",
    "complexity": "Complexity of 10,000 patches of 128x128",
    "memory": "Memory of one experiment of the cpu scale",
    "plan": "The papers' scale, on machines like this one: training alone",
    "book": "The book from its records",
}

NAMES = {"spdnet": "spdnet, light", "rcdnet": "rcdnet, light", "vqgan": "vqgan, from scratch"}


class Tables:
    """Tables made of the entries that `run.py` has measured; entries that lack are left out."""

    def __init__(self, measured: Sequence[dict]) -> None:
        self.measured = measured
        self.others: list[dict] = []  # machines of what was found, where they are not the last one

    def markdown(self, questions: Sequence[str]) -> str:
        """The tables of these questions, each under its title, and its machine if it was another.

        That of most numbers is named once, by `sentence`, where the tables are shown.
        """
        parts = []
        for question in questions:
            self.others = []
            rows = getattr(self, question)()
            if len(rows) > 1:
                machines = dict.fromkeys(map(sentence, self.others))
                parts += [f"**{TITLES[question]}**", table(rows), *machines]
        return "\n\n".join(parts)

    def find(self, **wanted: object) -> list[dict]:
        """The measurements that have these entries."""
        found = [entry for entry in self.measured if wanted.items() <= entry.items()]
        self.others += [entry["machine"] for entry in found if "machine" in entry]
        return found

    def rain(self) -> Rows:
        """Ours against OpenCV."""
        rows = [["rain", "threads", "rainlens", "OpenCV", "ratio"]]
        for ours in self.find(kind="rain_ours"):
            wanted = {"arrangement": ours["arrangement"], "range_name": ours["range_name"]}
            for other in self.find(kind="rain_opencv", **wanted):
                rates = ours["rate"], other["rate"]
                rows.append(
                    [ours["range_name"], _threads(ours), *map(digits, rates), _ratio(*rates)]
                )
        return rows

    def training(self) -> Rows:
        """Ours against the plain way, and against the most that the processor could do."""
        head = ["ResNet", "patches", "threads", "rainlens, steps/s", "plain, steps/s", "ratio"]
        rows = [[*head, "ratio at the full matrix rate"]]
        for ours in self.find(kind="training_ours"):
            same = {**_sizes(ours), "arrangement": ours["arrangement"]}
            plain = self.find(kind="training_plain", **same)
            limit = self.find(kind="matrix", arrangement=ours["arrangement"])
            if plain and limit:
                # The plain way is given the number of loader processes that suits it best.
                best = max(entry["rate"] for entry in plain)
                most = limit[0]["rate"] / ours["gflop"]
                numbers = digits(ours["rate"]), digits(best), _ratio(ours["rate"], best)
                rows.append([*_labels(ours), _threads(ours), *numbers, _ratio(most, best)])
        return rows

    def matrix(self) -> Rows:
        """Which share of the rate of a large matrix product a training step reaches."""
        head = ["ResNet", "patches", "arrangement", "Gflop/s", "matrix product, Gflop/s", "share"]
        rows = [head]
        for ours in self.find(kind="training_ours"):
            for limit in self.find(kind="matrix", arrangement=ours["arrangement"]):
                reached, most = ours["rate"] * ours["gflop"], limit["rate"]
                share = f"{reached / most:.0%}"
                numbers = digits(reached), digits(most), share
                rows.append([*_labels(ours), ours["arrangement"], *numbers])
        return rows

    def networks(self) -> Rows:
        """A step of each network of the cpu scale."""
        rows = [["network of the cpu scale", "threads", "pictures a step", "milliseconds a step"]]
        for entry in self.find(kind="training_network"):
            numbers = str(entry["batch"]), digits(1000 / entry["rate"])
            rows.append([NAMES.get(entry["model"], entry["model"]), _threads(entry), *numbers])
        return rows

    def pictures(self) -> Rows:
        """Size, time and memory of each network, in one row for all numbers of threads."""
        entries = self.find(kind="picture")
        ways = list(dict.fromkeys(entry["arrangement"] for entry in entries))
        times = [f"milliseconds, {way}" for way in ways]
        rows = [["network", "parameters", *times, "memory, MiB"]]
        for name in dict.fromkeys(entry["name"] for entry in entries):
            found = {entry["arrangement"]: entry for entry in self.find(kind="picture", name=name)}
            first = found[ways[0]]
            numbers = [digits(1000 / found[way]["rate"]) if way in found else "" for way in ways]
            rows.append([name, f"{first['parameters']:,}", *numbers, digits(first["memory"])])
        return rows

    def together(self) -> Rows:
        """Many networks in one program, and one after another."""
        rows = [["way", "arrangement", "steps/s"]]
        for entry in self.find(kind="training_ours", blocks=8, channels=32, size=64):
            rows.append(["one network a process", entry["arrangement"], digits(entry["rate"])])
        names = {"stacked": "weights stacked, vmap", "grouped": "channels side by side, groups"}
        for entry in self.find(kind="training_together"):
            name = f"{entry['count']} in one program: {names[entry['way']]}"
            rows.append([name, entry["arrangement"], digits(entry["rate"])])
        return rows

    def sweep(self) -> Rows:
        """One after another, and two at a time."""
        rows = [["how", "networks", "steps each", "seconds"]]
        for entry in self.find(kind="sweep"):
            threads = f"{entry['each']} thread{'s' * (entry['each'] > 1)} each"
            how = f"`--workers {entry['workers']}`, {threads}"
            counts = str(entry["count"]), str(entry["iterations"])
            rows.append([how, *counts, digits(entry["seconds"])])
        return rows

    def scheduling(self) -> Rows:
        """Empty experiments."""
        names = {
            "here": "this process",
            "processes": "two processes",
            "ray": "a Ray cluster of two nodes, on this machine",
        }
        rows = [["where", "first result after, s", "a further one, ms"]]
        for entry in self.find(kind="overhead"):
            numbers = digits(entry["first"]), digits(1000 * entry["further"])
            rows.append([names[entry["way"]], *numbers])
        return rows

    def metrics(self) -> Rows:
        """Ours against the libraries."""
        libraries = ("scikit-image", "torchmetrics", "piq")
        rows = [["measure", "threads", "rainlens", *libraries]]
        for ours in self.find(kind="metric", library="rainlens"):
            same = {"kind": "metric", "measure": ours["measure"]}
            others = [
                self.find(library=name, arrangement=ours["arrangement"], **same)
                for name in libraries
            ]
            told = [digits(1000 / found[0]["rate"]) if found else "" for found in others]
            rows.append([ours["measure"], _threads(ours), digits(1000 / ours["rate"]), *told])
        return rows

    def complexity(self) -> Rows:
        """Ours against OpenCV."""
        rows = [["measure", "threads", "rainlens, seconds", "OpenCV, seconds", "ratio"]]
        for ours in self.find(kind="complexity_ours"):
            same = {"measure": ours["measure"], "arrangement": ours["arrangement"]}
            for other in self.find(kind="complexity_opencv", **same):
                rates = ours["rate"], other["rate"]
                seconds = (digits(10_000 / rate) for rate in rates)
                name = ours["measure"].replace("_", " ")
                rows.append([name, _threads(ours), *seconds, _ratio(*rates)])
        return rows

    def memory(self) -> Rows:
        """Peaks of a process."""
        head = ["network", "training, MiB", "more in its second half, MiB"]
        rows = [[*head, "with its tests, MiB"]]
        for entry in self.find(kind="memory"):
            numbers = (f"{entry[name]:.0f}" for name in ("training", "growth", "whole"))
            rows.append([entry["model"], *numbers])
        return rows

    def plan(self) -> Rows:
        """Kinds of networks, then all of them on 1, 8 and 64 machines."""
        rows = [["networks", "how many", "seconds a step", "measured with", "hours"]]
        for entry in self.find(kind="plan"):
            for row in entry["rows"]:
                step, batch = row["s/step"], row["measured at batch"]
                told = [digits(step), f"{batch} pictures"] if step else ["", ""]
                rows.append([row["what"], f"{row['networks']:,}", *told, digits(row["hours"])])
        return rows

    def book(self) -> Rows:
        """Chapters and pages."""
        rows = [["part", "seconds"]]
        for entry in self.find(kind="book"):
            rows.append(["executing the chapters", digits(entry["chapters"])])
            rows.append(["building the pages", digits(entry["pages"])])
        return rows


def table(rows: Rows) -> str:
    """Rows, the first of them the head, as a Markdown table."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def sentence(machine: dict) -> str:
    """The machine, in words."""
    fastest = next((name for flag, name in FLAGS.items() if flag in machine["flags"]), "no AVX2")
    versions = ", ".join(f"{name} {machine[name.lower()]}" for name in ("Python", "torch"))
    return (
        f"Measured on {machine['cores']} {machine['processor']} cores with {fastest} "
        f"({machine['system']}, {versions}, OpenCV {machine['opencv']})."
    )


def digits(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{float(f'{value:.3g}'):g}" if value >= 1e-4 else f"{value:.1g}"


def _ratio(ours: float, other: float) -> str:
    return f"{ours / other:.1f}"


def _threads(entry: dict) -> str:
    return entry["arrangement"].split()[0]


def _sizes(entry: dict) -> dict[str, int]:
    return {name: entry[name] for name in ("blocks", "channels", "size")}


def _labels(entry: dict) -> list[str]:
    return [f"{entry['blocks']}x{entry['channels']}", f"{entry['size']}x{entry['size']}"]


def readme(measured: Sequence[dict]) -> str:
    """The sentence of the README, with links to the rest."""
    row = next(row for row in Tables(measured).training() if row[:3] == ["16x64", "64x64", "2"])
    return (
        f"**How fast?** A ResNet 16x64 trains {row[5]} times as fast as in a plain loop: "
        "[why](book/speed.md), and\n[all measurements](benchmarks/results.md)."
    )
