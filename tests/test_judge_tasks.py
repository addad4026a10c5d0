"""The judge of rain as an experiment, and what measures of quality say, as records."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from rainlens import evaluation, images, metrics, preferences, running
from rainlens.evaluation import TestSet
from rainlens.records import RecordStore
from rainlens.tasks import judge
from rainlens.tasks.appraise import Appraised
from rainlens.tasks.judge import Judge

GATE = TestSet("gate", "streaks", images.EMBEDDED, count=2, crop=64)
SMALL = Judge(
    backgrounds=images.EMBEDDED, patches=64, patch_size=48, iterations=240, batch=8,
    learning_rate=3e-3, warmup=0, measure_every=120, tests=(GATE,),
)  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> RecordStore:
    store = RecordStore(tmp_path_factory.mktemp("judges"))
    assert not running.run_within([SMALL], store, threads=1).failures
    return store


def test_a_short_training_tells_more_rain_from_less(store):
    record = store.load(SMALL.name)
    held = record.tests["gate"]
    assert len(held) == 3 * len(judge.STEPS) and all(len(v) == 2 for v in held.values())
    wet = np.array([held[f"rain{amount:.2f}"] for amount in judge.STEPS])  # (amounts, pictures)
    first, second = np.triu_indices(len(judge.STEPS), 1)
    amounts = np.repeat(np.array(judge.STEPS)[:, None], 2, 1)
    p = 1 / (1 + np.exp(wet[first] - wet[second]))
    found = preferences.validity(p.ravel(), amounts[first].ravel(), amounts[second].ravel())
    assert found.pairs == 2 * 11  # of 15 pairs of amounts, eleven lie 0.3 apart
    assert found.accuracy.value > 0.8
    assert record.curves["loss"][-1] < record.curves["loss"][1]


def test_weights_that_were_handed_on_judge_alike(store):
    model = judge.trained(SMALL, store)
    again = judge.scores_by_amount(model, GATE)
    held = store.load(SMALL.name).tests["gate"]
    for name, values in held.items():
        assert again[name] == pytest.approx(values, abs=0.02)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 1.7])
def test_the_blur_is_that_of_scipy(sigma):
    picture = torch.rand(1, 3, 40, 44, generator=torch.Generator().manual_seed(0))
    ours = judge.blur(picture, torch.tensor([sigma]))[0].numpy()
    for channel, found in zip(picture[0].numpy(), ours, strict=True):
        expected = ndimage.gaussian_filter(channel, sigma, mode="mirror", radius=6)
        assert np.abs(found - expected).max() < 1e-5


def test_pairs_hold_rain_that_differs_or_is_equal_and_every_second_picture_is_spoiled():
    draw = judge.pairs(SMALL, torch.device("cpu"))
    rainier, equal_share = [], []
    for step in range(40):
        less, more, equal = draw(step)
        assert less.shape == more.shape == (8, 3, 48, 48) and less.min() >= 0 and more.max() <= 1
        rainier += (more.mean((1, 2, 3)) > less.mean((1, 2, 3)))[~equal].tolist()
        equal_share += equal.tolist()
    assert np.mean(rainier) > 0.7  # a change of light may turn it round
    assert 0.15 < np.mean(equal_share) < 0.35
    assert all(torch.equal(a, b) for a, b in zip(draw(3), draw(3), strict=True))
    flat = torch.full((400, 3, 16, 16), 0.5)
    spoiled = judge.damaged(flat, torch.Generator().manual_seed(0))
    brighter = (spoiled.mean((1, 2, 3)) - 0.5).abs() > 1e-4
    assert 0.18 < brighter.float().mean() < 0.32  # a blur leaves a flat picture as it is


def test_a_sure_judge_of_equal_pairs_pays_whichever_it_prefers(monkeypatch):
    picture = torch.rand(2, 3, 48, 48)
    equal = torch.tensor([True, True])
    monkeypatch.setattr(judge, "pairs", lambda *_: lambda step: (picture, picture, equal))
    held = {}

    class Sure(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(()))

        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            held["calls"] = held.get("calls", 0) + 1
            return self.weight + (5.0 if held["calls"] % 2 else -5.0)

    curves = SMALL.fit(Sure(), lambda model: {})
    assert curves["loss"][-1] == pytest.approx(np.log1p(np.exp(10)), rel=1e-6)


# --- measures of quality


def test_what_measures_say_of_a_filter_and_of_the_input(tmp_path, store):
    test = TestSet("unseen", "streaks", images.EMBEDDED, count=2, crop=192)
    one = Appraised(
        title="a median", model="median", options=(("size", 3),), test=test, judge=SMALL,
        measures=("psnr", "ssim"),
    )  # fmt: skip
    record = running.run_within([one], store, threads=1).records[0]
    held = record.tests["unseen"]
    assert {"judge", "input_judge", "ssim", "input_ssim"} <= set(held)
    assert {"e_r", "response", "psnr", "ssim", "damage", "input_psnr"} <= set(held)
    rainy, clean = evaluation.load(test)
    model = judge.trained(SMALL, store)
    with torch.inference_mode():
        score = model(images.to_unit(rainy[1])[None]).item()
    assert held["input_judge"][1] == pytest.approx(score, abs=1e-4)
    output = evaluation.restore(one.network(store), rainy)[0]
    output = images.to_unit(images.to_bytes(output))  # as a file holds it
    told = metrics.psnr_rgb(output[None], images.to_unit(clean[0])[None]).item()
    assert held["psnr"][0] == pytest.approx(told, abs=1e-4)


def test_appraisals_need_what_they_look_with():
    test = TestSet("unseen", "rain100l", "rain100l", count=4)
    one = Appraised(title="x", model="median", test=test, judge=Judge())
    assert one.needs() == {"weights", "rain100l", "natural"}
    assert one.first() == (Judge(),)
    assert one.stand_in().needs() == {images.EMBEDDED}


def test_measures_that_need_files_are_taken_where_these_are(tmp_path):
    if not images.is_available("weights"):
        pytest.skip("needs weights in RAINLENS_DATA")
    test = TestSet("unseen", "streaks", images.EMBEDDED, count=1, crop=224)
    one = Appraised(title="a copy", model="copy", test=test)
    held = running.run_within([one], RecordStore(tmp_path), threads=1).records[0].tests["unseen"]
    for name in one.measures:
        assert held[name] == pytest.approx(held[f"input_{name}"], rel=1e-4)
