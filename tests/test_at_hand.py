"""What a chapter computes of a long grid while it is built: never what takes long."""

from dataclasses import replace

import pytest

from rainlens import scales
from rainlens.claims import other_tasks
from rainlens.records import Record, Trained, described
from rainlens.running import QUICK, at_hand

SETTING = scales.scale_named("smoke")


@pytest.fixture
def grid(tmp_path, monkeypatch):
    """A long training, what measures its outputs, and two filters, one of them recorded."""
    monkeypatch.setenv("RAINLENS_RECORDS", str(tmp_path))
    long = replace(other_tasks.resnets(SETTING, "denoise")[0], iterations=QUICK + 1)
    named = other_tasks.appraisals(SETTING, "denoise")
    appraised = replace(named["ResNet"], of=long, measures=("psnr",))
    return [long, appraised, *other_tasks.filters(SETTING, "denoise").values()]


def record(experiment) -> None:
    SETTING.store.save(Record(experiment.name, described(experiment), {}, {}))


def test_without_any_record_all_is_computed(grid):
    assert at_hand(grid, SETTING) == grid


def test_what_needs_a_long_training_is_left_out_with_it(grid):
    _, _, recorded, quick = grid
    record(recorded)
    assert at_hand(grid, SETTING) == [recorded, quick]


def test_what_measures_a_network_whose_weights_are_there_is_quick(grid):
    long, appraised, *filters = grid
    record(long)
    assert at_hand(grid, SETTING) == [long, *filters]  # a record alone holds no weights
    weights = Trained(long.fresh_model().state_dict(), {}, {"experiment": described(long)})
    SETTING.store.keep_trained(long.training_key, weights)
    assert at_hand(grid, SETTING) == [long, appraised, *filters]
