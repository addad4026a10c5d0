"""MUSIQ and MANIQA are there where the reader has pyiqa, and nowhere else."""

import importlib.util
import sys
import types

import pytest
import torch

from rainlens.quality import optional


@pytest.fixture
def fake(monkeypatch):
    """A pyiqa whose measure is ten times the mean of a picture; and what was asked of it."""
    asked = []

    def create_metric(name: str, device: torch.device):
        asked.append(name)
        return lambda pictures: 10 * pictures.mean((1, 2, 3), keepdim=True)[:, :, 0, 0]

    module = types.ModuleType("pyiqa")
    module.create_metric = create_metric
    module.__spec__ = importlib.util.spec_from_loader("pyiqa", None)
    monkeypatch.setitem(sys.modules, "pyiqa", module)
    optional._metric.cache_clear()
    yield asked
    optional._metric.cache_clear()


def test_without_pyiqa_there_are_none(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert optional.optional() == {}


def test_with_pyiqa_each_picture_gets_its_score(fake):
    found = optional.optional()
    assert [measure.label for measure in found.values()] == ["MUSIQ", "MANIQA"]
    assert not fake  # no weights before a measure is used
    pictures = torch.stack([torch.full((3, 8, 8), level) for level in (0.1, 0.7)])
    score = found["musiq"].function(pictures, pictures)
    assert score.dtype == torch.float64 and score.tolist() == pytest.approx([1.0, 7.0])
    assert fake == ["musiq"]
    found["musiq"].function(pictures, pictures)
    assert fake == ["musiq"]  # loaded once
