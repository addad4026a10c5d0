"""Experiments are values, equal seeds give equal records, and killed runs lose nothing."""

import json
import multiprocessing
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import pytest
import torch
from PIL import Image

import rainlens
from rainlens import (
    checkpoints,
    complexity,
    evaluation,
    images,
    models,
    running,
    scales,
    training,
)
from rainlens.checkpoints import Checkpoint
from rainlens.evaluation import TestSet
from rainlens.records import Record, RecordError, RecordStore, described, rebuilt, values
from rainlens.tasks import Session, restore
from rainlens.tasks.restore import Restore
from rainlens.tasks.survey import Survey
from rainlens.tasks.untrained import Untrained

pytestmark = pytest.mark.usefixtures("one_thread")
SMOKE = replace(scales.scale_named("smoke"), test_count=2)


@pytest.fixture
def store(tmp_path) -> RecordStore:
    return RecordStore(tmp_path / "records")


def tiny(**changes) -> Restore:
    """An experiment of a third of a second, on embedded photographs."""
    return SMOKE.experiment(**{"patches": 8, "iterations": 6, "measure_every": 4, **changes})


def as_text(record: Record) -> str:
    """All but the provenance; text, because nan differs from nan."""
    return json.dumps(record.results, sort_keys=True)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- values -------------------------------------------------------------------------------------

CHANGED = {
    "model": "cnn1d",
    "options": (("blocks", 3),),
    "backgrounds": "urban",
    "patches": 65,
    "patch_size": 127,
    "degradation": "large",
    "iterations": 250_001,
    "batch": 17,
    "learning_rate": 2.0000001e-4,
    "seed": 1,
    "measure_every": 999,
    "curves": (TestSet("unseen", "streaks", "embedded", 2),),
    "tests": (TestSet("unseen", "streaks", "embedded", 2),),
    "sharpness": "low",
    "snapshots": (0,),
    "own_patches": 3,
    "lossless": True,
    "warmup": 20,
    "keep_weights": True,
}


def test_every_field_changes_the_key():
    assert set(CHANGED) == {field.name for field in fields(Restore)}
    variants = [replace(Restore(), **{name: value}) for name, value in CHANGED.items()]
    keys = {experiment.key for experiment in (Restore(), *variants)}
    assert len(keys) == len(CHANGED) + 1
    assert len({experiment.name for experiment in variants}) == len(CHANGED)


def test_every_field_of_a_test_set_changes_the_key():
    test = TestSet("unseen", "streaks", "embedded", 2)
    changed = dict(name="x", degradation="small", backgrounds="urban", count=3, crop=64, keep=True)
    assert set(changed) == {field.name for field in fields(TestSet)}
    variants = [test, *(replace(test, **{name: value}) for name, value in changed.items())]
    assert len({Restore(tests=(variant,)).key for variant in variants}) == len(variants)


def test_key_is_independent_of_field_order():
    assert Restore(**CHANGED).key == Restore(**dict(reversed(CHANGED.items()))).key
    assert Restore(**CHANGED) == Restore(**dict(reversed(CHANGED.items())))


def test_engine_version_changes_the_key(monkeypatch):
    before = Restore().key
    monkeypatch.setattr(values, "ENGINE", values.ENGINE + 1)
    assert Restore().key != before


def test_key_is_the_same_in_another_process():
    # String hashes are salted anew in each process; keys must not be.
    code = "from rainlens.scales import *; print(SCALES['smoke'].experiment().name)"
    environment = {**os.environ, "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = str(Path(rainlens.__file__).parents[1])
    answer = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == scales.scale_named("smoke").experiment().name


def test_printing_is_code():
    for experiment in (Restore(), Restore(**CHANGED), tiny()):
        again = eval(repr(experiment), {"Restore": Restore, "TestSet": TestSet})
        assert again == experiment and hash(again) == hash(experiment)
        assert again.key == experiment.key


def rebuild(description: dict) -> Restore:
    """The experiment that a record's JSON describes."""
    held = dict(description)
    held["options"] = [(name, value) for name, value in held["options"]]
    for name in ("curves", "tests"):
        held[name] = [rebuilt(TestSet, test) for test in held[name]]
    return rebuilt(Restore, held)


def test_description_in_a_record_gives_the_experiment_back():
    for experiment in (Restore(**CHANGED), tiny()):
        assert rebuild(json.loads(json.dumps(described(experiment)))) == experiment


def test_records_that_come_with_the_book_are_whole_and_found():
    for folder in sorted(Path(rainlens.__file__).parents[2].glob("records/*/")):
        for record in RecordStore(folder):  # raises where one is damaged
            # Priors and semi-supervised networks are rebuilt by `test_pinned`.
            if record.name.startswith("derain-") and not (
                {"match", "unlabelled"} & record.experiment.keys()
            ):
                assert rebuild(record.experiment).name == record.name
            for names in record.pictures.values():
                assert all((folder / name).is_file() for name in names)


@pytest.mark.parametrize(
    "folder", ["/data/" + 200 * "x", "/my pictures/set [1]", "/b\u00e4ume/\U0001f327"]
)
def test_a_folder_of_any_name_gives_a_record_that_can_be_read_again(store, folder):
    experiment = tiny(backgrounds=folder)
    assert len(experiment.name) < 120 and experiment.name.isascii() and "[" not in experiment.name
    saved = store.save(Record(experiment.name, described(experiment), {}, {}))
    assert store.load(experiment.name) == saved and saved.experiment["backgrounds"] == folder
    assert experiment.name != tiny(backgrounds=folder + "y").name


def test_control_characters_in_a_folder_are_refused():
    with pytest.raises(ValueError, match="without control characters"):
        tiny(backgrounds="a\x1b[31mb")


@pytest.mark.parametrize(
    "bad",
    [{"degradation": "heavy"}, {"patches": 0}, {"iterations": 0}, {"batch": -1}, {"patch_size": 0}],
)
def test_impossible_values_are_named(bad):
    with pytest.raises(ValueError) as error:
        Restore(**bad)
    message = str(error.value)
    assert next(iter(bad)) in message and message.endswith(".") and "\n" not in message


def test_unknown_scale_is_named():
    with pytest.raises(ValueError, match="'tiny'.*smoke, cpu"):
        scales.scale_named("tiny")


@pytest.mark.parametrize("name", scales.SCALES)
def test_scales_build_experiments_whose_tests_follow_the_fields(name):
    scale = scales.scale_named(name)
    for kind in ("small", "large"):
        experiment = scale.experiment(degradation=kind, patches=8)
        assert experiment.patches == 8 and experiment.iterations == scale.iterations
        tests = {test.name: test for test in experiment.tests}
        assert tests["seen"].degradation == kind and tests["unseen"].degradation not in (
            "small",
            "large",
        )
        assert {test.name for test in experiment.curves} >= {"seen", "unseen"}
        assert all(test.backgrounds == "embedded" for test in tests.values() if test.keep)
    only = scale.experiment(tests=())
    assert only.tests == () and only.curves


# --- the same seed, the same record -------------------------------------------------------------


def test_same_seed_same_record_bit_for_bit(tmp_path):
    stores = [RecordStore(tmp_path / name) for name in "ab"]
    first, second = (tiny().compute(store, Session()) for store in stores)
    assert as_text(first) == as_text(second)
    pictures = [
        {Path(name).name: content for name, content in files(store.folder).items()}
        for store in stores
    ]
    names = [name for name in pictures[0] if name.endswith(".webp")]
    assert names and all(pictures[0][name] == pictures[1][name] for name in names)


def test_other_seed_other_record(store):
    records = [tiny(seed=seed).compute(store, Session()) for seed in (0, 1)]
    assert records[0].tests != records[1].tests
    assert records[0].curves["loss"][1:] != records[1].curves["loss"][1:]


def test_randomness_of_others_has_no_influence(store, tmp_path):
    torch.manual_seed(1)
    first = tiny().compute(store, Session())
    torch.manual_seed(2)
    state = torch.get_rng_state()
    second = tiny().compute(RecordStore(tmp_path / "other"), Session())
    assert as_text(first) == as_text(second)
    assert torch.equal(torch.get_rng_state(), state)  # and it has none on others


def test_a_record_says_what_was_measured(store):
    experiment = tiny(iterations=10)
    record = experiment.compute(store, Session())
    assert as_text(store.load(experiment.name)) == as_text(record)
    assert record.curves["iteration"] == [0, 4, 8, 10]
    assert all(len(curve) == 4 for curve in record.curves.values())
    for kind in ("seen", "unseen"):
        assert {f"{kind}/{m}" for m in ("e_r", "e_b", "gain", "psnr")} <= set(record.curves)
    for test in experiment.tests:
        for column in record.tests[test.name].values():
            assert len(column) == test.count
    kept = {test.name: test.count for test in experiment.tests if test.keep}
    assert {name: len(names) for name, names in record.pictures.items()} == kept
    assert record.provenance["threads"] == 1 and record.provenance["seconds"] > 0


def test_learning_lowers_the_loss(store):
    record = tiny(iterations=60, measure_every=30, learning_rate=3e-3).compute(store, Session())
    assert record.curves["loss"][-1] < 0.8 * record.curves["loss"][1]
    assert record.curves["seen/psnr"][-1] > record.curves["seen/psnr"][0]


# --- stopping and going on ----------------------------------------------------------------------


def test_resumed_run_equals_an_uninterrupted_one(tmp_path):
    whole = tiny().compute(RecordStore(tmp_path / "whole"), Session())
    store, stops = RecordStore(tmp_path / "parts"), 0
    while True:
        try:
            record = tiny().compute(store, Session(deadline=time.monotonic() - 1))
            break
        except training.TimeUp:  # one step is done in each call
            stops += 1
            assert store.checkpoint_path(tiny().name).is_file()
            assert store.load(tiny().name) is None
    assert stops == 5
    assert as_text(record) == as_text(whole)
    assert not store.checkpoint_path(tiny().name).exists()


def test_snapshots_are_outputs_of_a_shorter_run_and_survive_stops(tmp_path):
    experiment, store = tiny(snapshots=(0, 4)), RecordStore(tmp_path / "parts")
    while store.load(experiment.name) is None:
        try:
            record = experiment.compute(store, Session(deadline=time.monotonic() - 1))
        except training.TimeUp:
            assert store.load(experiment.name) is None
    whole = experiment.compute(RecordStore(tmp_path / "whole"), Session())
    assert as_text(record) == as_text(whole)
    assert not list((store.folder / ".unfinished").iterdir())
    # Iteration 0 is the untrained network, whatever came before or after.
    untrained = experiment.fresh_model().to(memory_format=torch.channels_last)
    test = experiment.test("shown_unseen")
    expected = evaluation.restore(untrained, evaluation.load(test)[0])
    kept = store.picture(record, restore.snapshot(test.name, 0), 0) / 255
    assert (kept - expected[0]).abs().mean() < 0.02  # WebP is lossy
    first, last = (store.picture(record, f"shown_unseen_at{step}", 1) for step in (0, 4))
    assert not torch.equal(first, last)


def test_snapshots_lie_within_the_run():
    with pytest.raises(ValueError, match="must be below 6"):
        tiny(snapshots=(6,))


def test_training_on_a_sharpness_class_takes_patches_of_it(store):
    low, high = (tiny(sharpness=kind) for kind in ("low", "high"))
    assert "embedded-low8" in low.name
    records = [e.compute(store, Session()) for e in (low, high)]
    assert records[0].curves["loss"] != records[1].curves["loss"]
    assert records[0].experiment["sharpness"] == "low"
    assert "sharpness" not in described(tiny())  # earlier keys stay as they were
    with pytest.raises(ValueError, match="sharpness is 'soft'"):
        tiny(sharpness="soft")


def test_a_survey_measures_the_patches_that_networks_are_trained_on(store):
    survey = Survey(backgrounds="embedded", patches=12, patch_size=32, seed=3)
    record = survey.compute(store, Session())
    values = record.tests["patches"]
    patches = images.patches("embedded", 12, 32, 3)
    assert values["sharpness"] == pytest.approx(complexity.sharpness(patches).tolist(), rel=1e-5)
    columns = [values[f"structure{k}"] for k in range(5)]
    variances = complexity.to_grey(patches).div(255).flatten(1).var(dim=1, correction=0)
    assert sum(torch.tensor(columns)).tolist() == pytest.approx((variances / 2).tolist(), rel=1e-3)
    assert set(values["picture"]) == {0, 1, 2}  # the three embedded training photographs
    assert running.run_within([survey, tiny(iterations=3)], store, minutes=0).left == 1


def test_a_filter_is_scored_like_a_network_and_trained_on_nothing(store):
    """The untouched picture has all of its rain; of no picture at all, nothing is right."""
    tests = tiny().tests
    untouched, none = (Untrained(model=name, tests=tests) for name in ("copy", "black"))
    records = {e.model: e.compute(store, Session()) for e in (untouched, none)}
    assert untouched.name.startswith("filter-copy-") and untouched.needs() == tiny().needs()
    copied, black = (records[name].tests["unseen"] for name in ("copy", "black"))
    assert copied["response"] == pytest.approx([1.0] * len(copied["response"]))
    assert copied["gain"] == pytest.approx([0.0] * len(copied["gain"]), abs=1e-6)
    assert copied["psnr"] == pytest.approx(copied["input_psnr"])
    clean = evaluation.load(tiny().test("unseen"))[1]
    brightness = [float(picture.double().square().mean().sqrt()) for picture in clean]
    assert black["response"] == pytest.approx([0.0] * len(clean), abs=1e-6)
    assert black["damage"] == pytest.approx(brightness, rel=1e-4)
    assert records["copy"].curves == {} and store.load(untouched.name) == records["copy"]


def test_filters_have_names_of_their_own():
    names = [experiment.name for experiment in SMOKE.filters().values()]
    assert len(set(names)) == len(names) == len(scales.FILTERS)
    assert any(name.startswith("filter-median-size5-") for name in names)


def test_sweeps_hold_all_counts_and_seeds_and_fewer_of_other_networks():
    setting = replace(
        SMOKE,
        patch_counts=(8, 16, 32),
        more_counts={"large": (24,)},
        coarse_counts=(8, 16, 32),
        coarse=dict(iterations=5),
        seeds=(0, 1, 2),
        coarse_seeds=(0, 1),
    )
    for rain, counts in (("medium", (8, 16, 32)), ("large", (8, 16, 24, 32))):
        part = setting.sweep(degradation=rain)
        assert [(e.patches, e.seed) for e in part] == [(n, s) for n in counts for s in (0, 1, 2)]
        assert {e.iterations for e in part} == {SMOKE.iterations}
    other = setting.sweep(True, model="unet", backgrounds="faces")
    assert [(e.patches, e.seed, e.backgrounds) for e in other] == [
        (n, s, "faces") for n in (8, 32) for s in (0, 1)
    ]
    larger = setting.sweep(True, options=setting.sizes["2x12"])
    assert [(e.patches, e.seed) for e in larger] == [(n, s) for n in (8, 16, 32) for s in (0, 1)]
    assert {e.iterations for e in (*other, *larger)} == {5}
    assert setting.sweep(True, options=setting.sizes["2x8"]) == setting.sweep(True)


def test_the_skeleton_of_a_sweep_comes_first():
    counts = (8, 16, 32, 64, 128, 256, 512, 1024)
    setting = replace(SMOKE, patch_counts=counts, seeds=(0, 1))
    ordered = running.skeleton_first([*setting.sweep(), SMOKE.toy(8, seed=1), Survey()])
    assert len(ordered) == 2 * len(counts) + 2
    networks = [e for e in ordered if isinstance(e, Restore)]
    assert [e.patches for e in networks[:3]] == [8, 1024, 64]
    assert sorted(e.patches for e in networks[3:5]) == [16, 256]
    assert [e.seed for e in networks] == [0] * 8 + [1] * 8
    assert isinstance(ordered[-1], Restore) and Survey() in ordered[:2]


@pytest.mark.parametrize("count", range(12))
def test_every_place_comes_once(count: int):
    assert sorted(running._outside_in(count)) == list(range(count))


def test_a_survey_without_its_pictures_falls_back_to_embedded_ones(monkeypatch, capsys):
    monkeypatch.delenv("RAINLENS_DATA", raising=False)
    stood_in = running.with_stand_ins([Survey(backgrounds="nowhere"), SMOKE.toy()], SMOKE)
    assert stood_in == [Survey(backgrounds="embedded"), SMOKE.toy()]
    assert "stand in" in capsys.readouterr().out


def stopped_after_a_step(experiment: Restore, store: RecordStore) -> Path:
    """The checkpoint of a run that was stopped."""
    with pytest.raises(training.TimeUp):
        experiment.compute(store, Session(deadline=time.monotonic() - 1))
    return store.checkpoint_path(experiment.name)


def test_a_damaged_checkpoint_is_set_aside_and_the_training_starts_anew(store, tmp_path):
    path = stopped_after_a_step(tiny(), store)
    whole = path.read_bytes()
    moments = random.Random(1)
    for place in [0, 30, *(moments.randrange(len(whole)) for _ in range(10)), len(whole) - 1]:
        damaged = whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1 :]
        path.write_bytes(damaged)
        with pytest.warns(UserWarning, match="is damaged or of an earlier version: it is kept as"):
            assert Checkpoint(path).load() is None
        assert [aside.read_bytes() for aside in path.parent.glob("*.aside")] == [damaged]
        next(path.parent.glob("*.aside")).unlink()
    path.write_bytes(damaged)
    with pytest.warns(UserWarning, match="starts anew"):
        record = tiny().compute(store, Session())
    assert as_text(record) == as_text(tiny().compute(RecordStore(tmp_path / "b"), Session()))


def test_a_record_of_other_pictures_is_not_taken_for_ones_own(store, tmp_path, monkeypatch):
    """Two people have a folder of one name; the second opens the first one's store."""
    theirs, ours = tmp_path / "theirs" / "natural", tmp_path / "ours" / "natural"
    for folder, shift in ((theirs, 0), (ours, 40)):
        folder.mkdir(parents=True)
        for place in range(4):
            grid = torch.arange(64 * 64 * 3).reshape(64, 64, 3) // (7 + place) + shift
            Image.fromarray((grid % 256).byte().numpy()).save(folder / f"p{place}.png")
    test = TestSet("seen", "medium", "natural", 1, crop=32)
    experiment = tiny(backgrounds="natural", patches=4, tests=(test,), curves=())
    monkeypatch.setenv("RAINLENS_DATA", str(theirs.parent))
    record = running.run_within([experiment], store, threads=1).records[0]
    assert set(record.data) == {"natural"} and len(record.data["natural"]) == 16
    assert running.run_within([experiment], store, threads=1).recorded == 1
    monkeypatch.setenv("RAINLENS_DATA", str(ours.parent))
    with pytest.raises(RecordError, match="other pictures than those that are called natural"):
        running.run_within([experiment], store, threads=1)
    again = running.run_within([experiment], store, threads=1, recompute=True).records[0]
    assert again.data != record.data


def test_kept_weights_of_other_pictures_are_not_read(store, monkeypatch):
    experiment = tiny()
    experiment.compute(store, Session())
    store.path(experiment.name).unlink()
    monkeypatch.setattr(images, "digest", lambda name: "of other pictures")
    assert experiment.compute(store, Session()).provenance["weights"] == "trained"
    store.path(experiment.name).unlink()
    assert experiment.compute(store, Session()).provenance["weights"] == "read"


def leftover_of(experiment: Restore, store: RecordStore) -> Path:
    """A record, and the checkpoint that a run killed right after it has left."""
    path = stopped_after_a_step(experiment, store)
    content = path.read_bytes()
    experiment.compute(store, Session())
    path.write_bytes(content)
    os.utime(path, (1, 1))
    return path


def test_recompute_does_not_go_on_from_what_a_finished_run_left(store):
    leftover_of(tiny(), store)
    (record,) = running.run_within([tiny()], store, threads=1, recompute=True).records
    assert "legs" not in record.provenance


def test_what_a_finished_run_left_is_cleared_away(store):
    path = leftover_of(tiny(), store)
    running.run_within([tiny()], store, threads=1)
    assert not path.exists()


def test_recompute_that_was_stopped_goes_on(store):
    tiny().compute(store, Session())
    os.utime(store.path(tiny().name), (1, 1))
    running.run_within([tiny()], store, threads=1, recompute=True, minutes=0)
    assert store.checkpoint_path(tiny().name).exists()
    (record,) = running.run_within([tiny()], store, threads=1, recompute=True).records
    assert len(record.provenance["legs"]) == 2


def test_a_checkpoint_of_other_pictures_is_not_gone_on_with(store, monkeypatch):
    stopped_after_a_step(tiny(), store)
    monkeypatch.setattr(images, "digest", lambda name: "of other pictures")
    with pytest.warns(UserWarning, match="of another experiment or of other pictures"):
        record = tiny().compute(store, Session())
    assert record.data == {"embedded": "of other pictures"}


@pytest.mark.parametrize("error", [PermissionError(13, "no"), OSError(5, "io"), MemoryError()])
def test_a_checkpoint_that_cannot_be_read_now_is_left_alone(store, monkeypatch, error):
    path = stopped_after_a_step(tiny(), store)
    before = path.read_bytes()

    def fail(self: Path) -> bytes:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", fail)
        with pytest.raises(RecordError, match="cannot be read"):
            Checkpoint(path).load()
    assert path.read_bytes() == before


def test_a_checkpoint_that_cannot_be_written_is_done_without(store, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "write_whole", full)
    with pytest.warns(UserWarning, match="could not be written .No space") as told:
        record = tiny().compute(store, Session(save_every=0))
    assert len(told) == 1 and record.curves["iteration"][-1] == 6


def test_an_optimiser_state_of_another_shape_is_refused():
    model = tiny().fresh_model()
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    held = torch.optim.Adam(model.parameters(), fused=True)
    model(torch.zeros(1, 3, 16, 16)).sum().backward()
    held.step()
    state = held.state_dict()
    checkpoints.check_shapes(optimizer, state)
    state["state"][0]["exp_avg"] = torch.zeros(2)
    with pytest.raises(ValueError, match="exp_avg has shape"):
        checkpoints.check_shapes(optimizer, state)


def test_every_leg_of_a_run_is_recorded(store):
    experiment = tiny()
    stopped_after_a_step(experiment, store)
    torch.set_num_threads(2)
    record = experiment.compute(store, Session())
    assert record.provenance["threads"] == "1, then 2"
    assert [leg["threads"] for leg in record.provenance["legs"]] == [1, 2]
    seconds = [leg["seconds"] for leg in record.provenance["legs"]]
    assert record.provenance["seconds"] == pytest.approx(sum(seconds), abs=0.11)


# --- training and looking are two things --------------------------------------------------------


def no_training(*_: object, **__: object) -> None:
    raise AssertionError("a network was trained")


def test_a_further_test_set_trains_nothing(store, monkeypatch):
    first = tiny()
    trained = first.compute(store, Session())
    more = TestSet("more", "large", "embedded", 2, crop=64)
    second = replace(first, tests=(*first.tests, more), own_patches=2, lossless=True)
    assert second.key != first.key and second.training_key == first.training_key
    monkeypatch.setattr(training, "fit", no_training)
    outcome = running.run_within([first, second], store, threads=1)
    assert (outcome.trained, outcome.read, outcome.recorded) == (0, 1, 1)
    looked = outcome.records[1]
    assert looked.tests["unseen"] == trained.tests["unseen"] and "more" in looked.tests
    assert looked.curves == trained.curves
    assert looked.provenance["training"]["seconds"] == trained.provenance["seconds"]
    with pytest.raises(AssertionError, match="was trained"):
        replace(second, learning_rate=1.0).compute(store, Session())


def test_of_two_that_train_the_same_network_one_trains_it(store):
    closer = tiny()
    other = replace(closer, curves=(), own_patches=2)
    outcome = running.run_within([other, closer], store, threads=1)
    assert (outcome.trained, outcome.read) == (1, 1)
    assert outcome.records[1].provenance["weights"] == "trained"


def test_so_it_is_in_processes(store):
    closer = tiny()
    grid = [replace(closer, curves=(), own_patches=2), closer, tiny(seed=1)]
    outcome = running.run_within(grid, store, workers=2, threads=1)
    assert (outcome.trained, outcome.read, outcome.left) == (2, 1, 0)


def test_a_record_whose_weights_are_gone_is_still_evidence(store):
    experiment = tiny()
    record = experiment.compute(store, Session())
    store.trained_path(experiment.training_key).unlink()
    outcome = running.run_within([experiment], store, threads=1)
    assert outcome.recorded == 1 and outcome.records == [record]


def test_outputs_along_the_way_cannot_be_had_from_weights(store):
    experiment = tiny()
    experiment.compute(store, Session())
    record = replace(experiment, snapshots=(4,)).compute(store, Session())
    assert record.provenance["weights"] == "trained"


def test_recompute_trains_although_weights_are_kept(store):
    grid = [tiny()]
    running.run_within(grid, store, threads=1)
    assert running.run_within(grid, store, threads=1, recompute=True).trained == 1


def grid_of(count: int) -> list[Restore]:
    return [tiny(seed=seed, iterations=3) for seed in range(count)]


def test_run_within_leaves_what_does_not_fit_and_goes_on(store):
    grid = grid_of(3)
    progress = running.run_within(grid, store, minutes=0, threads=1)
    assert progress.records == [None] * 3 and progress.left == 3 and progress.computed == 0
    calls = 0
    while progress.left == 3:  # a step a call, kept from call to call
        progress = running.run_within(grid, store, minutes=0, threads=1)
        assert not progress.failures
        calls += 1
    assert calls == 2
    assert progress.left == 2 and progress.computed == 1 and progress.expected_seconds > 0
    assert [record is None for record in progress.records] == [False, True, True]
    progress = running.run_within(grid, store, threads=1)
    assert progress.left == 0 and progress.computed == 2
    assert [record.name for record in progress.records] == [e.name for e in grid]
    again = running.run_within(grid, store, threads=1)
    assert again.computed == 0
    assert list(map(as_text, again.records)) == list(map(as_text, progress.records))


def test_workers_give_what_one_process_gives(tmp_path):
    one, two = RecordStore(tmp_path / "one"), RecordStore(tmp_path / "two")
    grid = [*grid_of(3), grid_of(1)[0]]  # one twice: it is computed once
    alone = running.run_within(grid, one, threads=1)
    together = running.run_within(grid, two, workers=2, threads=1)
    assert alone.computed == together.computed == 3 and together.left == 0
    assert list(map(as_text, together.records)) == list(map(as_text, alone.records))


def test_workers_keep_the_time_budget(store):
    progress = running.run_within(grid_of(3), store, minutes=0, workers=2, threads=1)
    assert progress.left == 3


def test_threads_are_put_back(store):
    running.run_within([tiny(iterations=1, curves=(), tests=())], store, threads=2)
    assert torch.get_num_threads() == 1


def test_recompute_computes_again(store):
    grid = grid_of(2)
    first = running.run_within(grid, store, threads=1)
    before = files(store.folder)
    path = store.path(grid[0].name)
    os.utime(path, (1, 1))
    again = running.run_within(grid, store, recompute=True, threads=1)
    assert again.computed == 2 and path.stat().st_mtime > 1
    assert list(map(as_text, again.records)) == list(map(as_text, first.records))
    assert set(files(store.folder)) == set(before)


@pytest.mark.parametrize("workers", [1, 2])
def test_damaged_record_is_refused_not_computed_over(store, workers):
    grid = grid_of(2)
    store.folder.mkdir()
    path = store.path(grid[1].name)
    path.write_text('{"half a rec')
    before = files(store.folder)
    with pytest.raises(RecordError, match=path.name):
        running.run_within(grid, store, workers=workers, threads=1)
    assert files(store.folder) == before


def test_what_fails_is_listed_and_the_rest_goes_on(store):
    grid = [replace(tiny(), backgrounds="no_such_set"), *grid_of(2)]
    for workers in (1, 2):
        outcome = running.run_within(grid, store, workers=workers, threads=1, recompute=True)
        assert [failure.name for failure in outcome.failures] == [grid[0].name]
        assert "no_such_set" in outcome.failures[0].reason
        assert outcome.computed == 2 and outcome.left == 1


# --- without the real pictures ------------------------------------------------------------------


@pytest.fixture
def without_data(tmp_path, monkeypatch):
    """A scale on real pictures, an empty folder of records, and no RAINLENS_DATA."""
    monkeypatch.delenv("RAINLENS_DATA", raising=False)
    monkeypatch.setenv("RAINLENS_RECORDS", str(tmp_path / "records"))
    return replace(SMOKE, backgrounds="natural", iterations=2)


def record_of(experiment: Restore) -> Record:
    description = json.loads(json.dumps(described(experiment)))
    return Record(experiment.name, description, {}, {}, provenance={"seconds": 1.0})


def natural_grid(scale) -> list[Restore]:
    return [scale.experiment(patches=count) for count in (8, 16)]


def test_stand_ins_replace_the_whole_grid(without_data, capsys):
    grid = natural_grid(without_data)
    assert {test.degradation for test in grid[0].tests} >= {"rain100l", "rain100h"}
    without_data.store.save(record_of(grid[0]))  # one of two is recorded: still all are replaced
    records = running.run(grid, without_data)
    assert [record.experiment["backgrounds"] for record in records] == ["embedded"] * 2
    assert [record.experiment["patches"] for record in records] == [8, 16]
    said = capsys.readouterr().out.strip()
    assert "RAINLENS_DATA" in said and "\n" not in said
    for record in records:
        used = json.dumps(record.experiment)
        assert "natural" not in used and "rain100" not in used


def test_records_are_read_where_the_pictures_are_not(without_data, capsys):
    grid = natural_grid(without_data)
    for experiment in grid:
        without_data.store.save(record_of(experiment))
    records = running.run(grid, without_data)
    assert [record.name for record in records] == [experiment.name for experiment in grid]
    assert capsys.readouterr().out == ""
    assert running.with_stand_ins(grid, without_data, recompute=True) != grid


def test_pictures_without_test_rain_are_not_enough(without_data, tmp_path, monkeypatch):
    natural = tmp_path / "data" / "natural"
    natural.mkdir(parents=True)
    (natural / "one.jpg").write_bytes(b"x")
    monkeypatch.setenv("RAINLENS_DATA", str(tmp_path / "data"))
    grid = natural_grid(without_data)
    assert not running.can_compute(grid[0])
    assert all(e.backgrounds == "embedded" for e in running.with_stand_ins(grid, without_data))


def test_embedded_grids_need_nothing(without_data, capsys):
    grid = grid_of(2)
    assert running.can_compute(grid[0])
    assert running.with_stand_ins(grid, without_data) == grid
    assert capsys.readouterr().out == ""


# --- kill -9 ------------------------------------------------------------------------------------

KILLS = int(os.environ.get("RAINLENS_KILLS", "6"))


def run_to_the_end(grid: Sequence[Restore], folder: Path) -> None:
    """What is killed: a run that saves its state after every step."""
    sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - no progress bars in the report
    torch.set_num_threads(1)
    running.run_within(grid, RecordStore(folder), threads=1, save_every=0.0)


def start(grid: Sequence[Restore], folder: Path) -> multiprocessing.Process:
    # The fork server has torch loaded, also what an optimiser would load of it, so that the time is
    # spent in runs, not in imports.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "torch._dynamo", "rainlens.running"])
    process = context.Process(target=run_to_the_end, args=(grid, folder))
    process.start()
    return process


def finished(folder: Path) -> dict[str, str]:
    """Records by name; raises RecordError where one is damaged."""
    return {record.name: as_text(record) for record in RecordStore(folder)}


def has_checkpoint(grid: Sequence[Restore], folder: Path) -> bool:
    return any(RecordStore(folder).checkpoint_path(e.name).exists() for e in grid)


def test_sigkill_at_random_moments(tmp_path):
    grid = [tiny(seed=seed, iterations=12) for seed in range(4)]
    undisturbed = tmp_path / "undisturbed"
    start(grid[:1], tmp_path / "warm").join()
    began = time.monotonic()
    start(grid, undisturbed).join()
    seconds = time.monotonic() - began
    expected = finished(undisturbed)
    assert set(expected) == {experiment.name for experiment in grid}

    moments = random.Random(0)
    kills = went_on = tours = 0
    while kills < KILLS:
        tours += 1
        folder, before = tmp_path / f"killed{tours}", {}
        while len(before) < len(grid) and kills < KILLS:
            process = start(grid, folder)
            if kills == 0:  # at least this one leaves a checkpoint
                assert wait_until(partial(has_checkpoint, grid, folder), 60)
            else:
                process.join(moments.uniform(0, 0.8 * seconds))
            if process.exitcode is None:
                process.kill()
                kills += 1
            process.join()
            after = finished(folder)
            assert before.items() <= after.items()  # nothing finished was lost or changed
            went_on += has_checkpoint(grid, folder)
            before = after
        process = start(grid, folder)
        process.join()
        assert process.exitcode == 0
        assert finished(folder) == expected
        pictures = sorted(path.name for path in folder.glob("*.webp"))
        assert pictures == sorted(path.name for path in undisturbed.glob("*.webp"))
        for name in pictures:
            assert (folder / name).read_bytes() == (undisturbed / name).read_bytes()
        assert not list(folder.glob(".unfinished/*.pt"))
    assert went_on > 0  # some runs did pick up from a checkpoint


def children_of(pid: int) -> list[int]:
    """Processes on Linux whose parent is pid and that are worker processes of Python's."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == pid and b"spawn_main" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:  # it ended while we looked
            continue
    return found


def is_running(pid: int) -> bool:
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
            != "Z"
        )
    except OSError:
        return False


def wait_until(condition, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_workers_end_with_a_killed_run(tmp_path):
    long = [tiny(seed=seed, iterations=10**6, measure_every=10**6) for seed in (0, 1)]
    store = RecordStore(tmp_path / "records")
    (tmp_path / "run.py").write_text(
        "from rainlens.evaluation import TestSet\n"
        "from rainlens.records import RecordStore\n"
        "from rainlens.running import run_within\n"
        "from rainlens.tasks.restore import Restore\n"
        f"grid = {[tiny(), *long]!r}\n"
        "if __name__ == '__main__':\n"
        f"    run_within(grid, RecordStore({str(store.folder)!r}), workers=2, threads=1)\n"
    )
    source = str(Path(rainlens.__file__).parents[1])
    run = subprocess.Popen(
        [sys.executable, str(tmp_path / "run.py")],
        env={**os.environ, "PYTHONPATH": source, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
    )
    workers: list[int] = []
    try:
        assert wait_until(store.path(tiny().name).exists, 60)  # both are at work
        workers = children_of(run.pid)
        assert len(workers) == 2
        run.kill()
        run.wait()
        assert wait_until(lambda: not any(map(is_running, workers)), 15)
    finally:
        run.kill()
        for pid in filter(is_running, workers):
            os.kill(pid, 9)


def test_a_test_set_is_found_by_its_name():
    experiment = SMOKE.experiment(degradation="small", patches=8)
    assert experiment.test("unseen").name == "unseen"
    with pytest.raises(ValueError, match="no test set 'sunny'; there are: unseen, "):
        experiment.test("sunny")


class Untouched(torch.nn.Module):
    """Returns its input."""

    def __init__(self) -> None:
        super().__init__()
        self.idle = torch.nn.Parameter(torch.zeros(1))

    def forward(self, rainy: torch.Tensor) -> torch.Tensor:
        return rainy


def test_records_know_how_rainy_the_input_was():
    """Of a set that a network leaves alone, the input's PSNR is the output's."""
    test = SMOKE.experiment(degradation="small", patches=8).test("unseen")
    scores, _ = evaluation.evaluate(Untouched(), *evaluation.load(test))
    assert scores["input_psnr"] == pytest.approx(scores["psnr"])
    assert all(0 < share < 1 for share in scores["coverage"])
    assert min(scores["exact_e_r"]) > 10 and max(scores["e_r"]) < 1e-3


def test_training_patches_are_tested_under_the_same_rain_as_new_pictures(store):
    experiment = tiny(own_patches=3)
    record = experiment.compute(store, Session())
    names = [test.name for test in experiment.tests]
    assert set(record.tests) == {*names, *map(restore.own, names)}
    assert experiment.curves == ()

    unseen = experiment.test("unseen")
    rainy, clean = restore.own_pair(experiment, unseen)
    patches = images.patches(images.EMBEDDED, 8, experiment.patch_size, experiment.seed)
    assert [p.tolist() for p in clean] == [patches[i % 3].tolist() for i in range(unseen.count)]
    # Where neither sum is clipped, what was added is the same.
    new_rainy, new_clean = evaluation.load(unseen)
    assert len(new_clean) == len(clean)
    for ours, plain, theirs, new in zip(rainy, clean, new_rainy, new_clean, strict=True):
        whole = (ours < 255) & (theirs < 255)
        assert torch.equal((ours - plain)[whole], (theirs - new)[whole])

    shown = restore.own("shown_unseen")
    output = store.picture(record, shown, 0)
    assert output.shape == (3, experiment.patch_size, experiment.patch_size)


def test_own_patches_are_the_same_for_every_number_of_backgrounds():
    few, many = (tiny(patches=n, own_patches=3) for n in (8, 64))
    pairs = [restore.own_pair(e, e.test("unseen")) for e in (few, many)]
    assert [[p.tolist() for p in part] for part in pairs[0]] == [
        [p.tolist() for p in part] for part in pairs[1]
    ]
    with pytest.raises(ValueError, match="own_patches is 9; it must be from 1 to 8"):
        tiny(own_patches=9)


def test_a_stand_in_is_tested_on_its_own_patches_too():
    real = scales.scale_named("cpu").experiment(patches=8, own_patches=8)
    embedded = real.stand_in()
    assert embedded.backgrounds == images.EMBEDDED and embedded.own_patches == 8
    assert {test.crop for test in embedded.tests} == {real.patch_size}
    assert {test.degradation for test in embedded.tests} == {"streaks", "medium"}


def test_other_categories_are_tested_on_their_own_kind_and_on_natural_pictures():
    cpu = scales.scale_named("cpu")
    faces, natural = cpu.experiment(backgrounds="faces"), cpu.experiment()
    assert faces.test("unseen").backgrounds == "faces" and faces.test("unseen").crop == 192
    # The same pictures and rain as those that natural training is tested on.
    assert replace(faces.test("transfer"), name="unseen") == natural.test("unseen")
    assert faces.test("shown_unseen").backgrounds == "faces"  # may be shown
    assert cpu.experiment(backgrounds="urban").test("shown_unseen").backgrounds == "embedded"


@pytest.mark.parametrize("scale", scales.SCALES)
def test_each_scale_has_all_networks(scale: str):
    for model in ("resnet", "unet", "swinir"):
        experiment = scales.scale_named(scale).experiment(model=model)
        network = models.build(model, **dict(experiment.options))
        assert models.count_parameters(network) > 500
