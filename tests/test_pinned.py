"""The past is pinned: names that were ever committed, and the numbers of a small run of each kind.

A name holds a hash of all that decides a record. Should it change, every record under the old
name would be computed anew; should the numbers change under one name, old and new evidence would
be mixed. Whoever wants other numbers raises `ENGINE` and writes `golden.json` anew:
`python tests/test_pinned.py`.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from rainlens import running, scales, training
from rainlens.audit.recorded import Audited
from rainlens.claims import balancing, quality
from rainlens.evaluation import TestSet
from rainlens.records import RecordStore, described, rebuilt
from rainlens.tasks import Experiment
from rainlens.tasks.appraise import Appraised
from rainlens.tasks.codebook import Codebook
from rainlens.tasks.fine_tune import FineTuned, Published, Unchanged
from rainlens.tasks.judge import Judge
from rainlens.tasks.published import Repeated
from rainlens.tasks.restore import Restore
from rainlens.tasks.semi import SemiSupervised
from rainlens.tasks.survey import Survey
from rainlens.tasks.toy import Toy
from rainlens.tasks.untrained import Untrained

HERE = Path(__file__).parent
PINNED = [json.loads(line) for line in (HERE / "pinned.jsonl").read_text().splitlines()]
GOLDEN = HERE / "golden.json"
# Kernels of other processors and versions of torch add up in another order. In float32 a few
# steps carry that no further; a changed recipe moves the numbers by percents.
TOLERANCE = 2e-3


KINDS: dict[str, type[Experiment]] = {
    **{"derain": Restore, "denoise": Restore, "deblur": Restore},
    **{"toy": Toy, "survey": Survey, "filter": Untrained, "audit": Audited},
    **{"published": Repeated, "codebook": Codebook, "prior": Unchanged},
    **{"judge": Judge, "quality": Appraised},
}


def experiment_of(name: str, description: dict) -> Experiment:
    """The experiment that a record's JSON describes."""
    kind, values = name.split("-")[0], dict(description)
    chosen = FineTuned if "match" in values else KINDS[kind]
    chosen = SemiSupervised if "unlabelled" in values else chosen
    if "of" in values:
        values["of"] = experiment_of("derain", values["of"])
    if "judge" in values:
        values["judge"] = experiment_of("judge", values["judge"])
    if "start" in values:
        start = values["start"]
        own = "iterations" in start
        values["start"] = experiment_of("codebook", start) if own else rebuilt(Published, start)
    if "test" in values:
        values["test"] = rebuilt(TestSet, values["test"])
    if "options" in values:
        values["options"] = [(option, value) for option, value in values["options"]]
    if chosen is not Survey:
        for tests in values.keys() & {"curves", "tests"}:
            values[tests] = [rebuilt(TestSet, test) for test in values[tests]]
    return rebuilt(chosen, values)


def test_all_kinds_are_read_back():
    setting = scales.scale_named("cpu")
    every = [
        *(setting.codebook(), setting.unchanged(), setting.prior(), setting.prior("taef2")),
        *(setting.prior(arm="ablation"), quality.judge_of_rain(setting), setting.toy()),
        *quality.networks(setting),
        *quality.filters(setting),
        *balancing.wanted(setting),
    ]
    for experiment in every:
        told = json.loads(json.dumps(described(experiment)))
        assert experiment_of(experiment.name, told) == experiment


def test_all_kinds_are_pinned():
    kinds = [row["name"].split("-")[0] for row in PINNED]
    first = {"derain": 124, "survey": 8, "toy": 23}  # those of the first commit that pinned them
    assert all(kinds.count(kind) >= count for kind, count in first.items())


@pytest.mark.parametrize("row", PINNED, ids=lambda row: row["name"])
def test_names_that_were_ever_committed_stay(row):
    assert experiment_of(row["name"], row["experiment"]).name == row["name"]


def test_committed_records_carry_pinned_names():
    names = {row["name"] for row in PINNED}
    for folder in HERE.parent.glob("records/*/"):
        if folder.name == "smoke":  # never committed
            continue
        assert {path.stem for path in folder.glob("*.json")} <= names, "add them to pinned.jsonl"


# --- golden runs --------------------------------------------------------------------------------


def golden_grid() -> dict[str, Restore | Toy | Survey]:
    """One small experiment of each kind, on the embedded photographs."""
    smoke = scales.scale_named("smoke")
    derain = smoke.experiment(patches=8, iterations=6, measure_every=3, seed=1)
    return {
        "derain": derain,
        "unet": smoke.experiment(model="unet", patches=8, iterations=3, measure_every=3),
        "swinir": smoke.experiment(model="swinir", patches=8, iterations=3, measure_every=3),
        "toy": smoke.toy(4, iterations=6, measure_every=3, keep_weights=False),
        "survey": Survey(backgrounds="embedded", patches=6, patch_size=32),
    }


def golden_run(folder: Path, kind: str) -> dict[str, dict]:
    """What a golden experiment measures, on one thread and in float32."""
    experiment = golden_grid()[kind]
    record = running.run_within([experiment], RecordStore(folder), threads=1).records[0]
    return {"name": record.name, "curves": record.curves, "tests": record.tests}


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("kind", golden_grid())
def test_golden_runs_give_the_numbers_that_they_gave(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "uses_bfloat16", lambda device_type: False)
    want, got = json.loads(GOLDEN.read_text())[kind], golden_run(tmp_path, kind)
    assert got["name"] == want["name"], "the name changed: see test_names_that_were_ever_committed"
    columns = {f"curve {name}": (v, got["curves"][name]) for name, v in want["curves"].items()}
    for test, measures in want["tests"].items():
        columns |= {f"{test} {m}": (v, got["tests"][test][m]) for m, v in measures.items()}
    for place, (old, new) in columns.items():
        moved = f"{place} moved: is ENGINE to be raised?"
        old, new = (np.array(values, dtype=float) for values in (old, new))  # None is nan
        assert new == pytest.approx(old, rel=TOLERANCE, abs=1e-4, nan_ok=True), moved


def main() -> None:
    """Writes the numbers of the golden runs anew."""
    import tempfile

    training.uses_bfloat16 = lambda device_type: False
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        runs = {kind: golden_run(Path(folder), kind) for kind in golden_grid()}
    GOLDEN.write_text(json.dumps(runs, indent=1) + "\n")


if __name__ == "__main__":
    main()
