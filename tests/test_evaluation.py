"""Rain layers go to the pictures of their names, and test sets stay within memory."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from rainlens import data, evaluation, images
from rainlens.evaluation import TestSet, pair_by_name

PICTURE = 24


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Rain100L of one's own, of five pictures whose grey level and rain are their number."""
    monkeypatch.setenv(data.VARIABLE, str(tmp_path))
    for number in range(1, 6):
        put(tmp_path / f"rain100l/clean/norain-{number:03}.png", 10 * number)
        put(tmp_path / f"rain100l/rain/rain-{number}.png", number)
    evaluation.load.cache_clear()
    return tmp_path


def put(path: Path, level: int, size: int = PICTURE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((size, size, 3), level, np.uint8)).save(path)


def own(count: int = 9, crop: int | None = None, rain: str = "rain100l") -> TestSet:
    return TestSet("unseen", rain, "rain100l", count, crop=crop)


def levels(pictures: list[torch.Tensor]) -> list[int]:
    return [int(picture.unique()) for picture in pictures]


def test_layers_pair_with_pictures_by_number(root):
    rainy, clean = evaluation.load(own())
    assert levels(clean) == [10, 20, 30, 40, 50] and levels(rainy) == [11, 22, 33, 44, 55]


def test_a_lost_layer_is_named_and_shifts_nothing(root):
    (root / "rain100l/rain/rain-2.png").unlink()
    with pytest.raises(images.PictureError, match="one to one") as error:
        evaluation.load(own())
    assert "partner of its name" in str(error.value)


def test_a_lost_picture_among_registered_names_is_named(root):
    pictures = [Path(f"clean/{n:03}.png") for n in (1, 3, 4)]
    layers = [Path(f"rain/{n:03}.png") for n in (1, 2, 3, 4)]
    with pytest.raises(images.PictureError, match=r"rain/002\.png has no partner"):
        pair_by_name(pictures, layers)
    assert pair_by_name(pictures, [layers[i] for i in (3, 0, 2)]) == list(
        zip(pictures, [layers[i] for i in (0, 2, 3)], strict=True)
    )


def test_a_doubled_picture_is_named(root):
    pictures = [Path(f"clean/{name}.png") for name in ("001", "003", "003 (1)")]
    layers = [Path(f"rain/{name}.png") for name in ("001", "003")]
    with pytest.raises(images.PictureError, match=r"clean/003 \(1\)\.png has no partner"):
        pair_by_name(pictures, layers)


def test_a_layer_of_another_size_is_named(root):
    put(root / "rain100l/rain/rain-3.png", 3, size=PICTURE + 1)
    with pytest.raises(images.PictureError, match=r"rain-3\.png and .*-003\.png differ in size"):
        evaluation.load(own())


def test_heavy_layers_pair_by_name_as_well(root):
    for number in (5, 4, 3, 2, 1):
        put(root / f"rain100h/rain/norain-{number:03}.png", 100 + number)
    assert levels(evaluation.load(own(rain="rain100h"))[0]) == [111, 122, 133, 144, 155]


def test_crops_are_of_the_same_place_and_hold_no_more_than_themselves(root):
    gradient = np.arange(PICTURE * PICTURE, dtype=np.uint16).reshape(PICTURE, PICTURE) % 100
    for part in ("clean/norain-001.png", "rain/rain-1.png"):
        Image.fromarray(np.stack([gradient.astype(np.uint8)] * 3, -1)).save(
            root / "rain100l" / part
        )
    (rainy, *_), (clean, *_) = evaluation.load(own(crop=8))
    assert torch.equal(rainy, 2 * clean) and clean.shape == (3, 8, 8)
    assert clean.untyped_storage().nbytes() == clean.numel()


def test_another_data_folder_is_another_set(root, monkeypatch, tmp_path):
    before = levels(evaluation.load(own())[1])
    other = tmp_path / "other"
    put(other / "rain100l/clean/a1.png", 99)
    put(other / "rain100l/rain/b1.png", 1)
    monkeypatch.setenv(data.VARIABLE, str(other))
    assert levels(evaluation.load(own())[1]) == [99] != before


def test_half_fetched_rain_is_refused_by_name(root):
    for part in ("clean", "rain"):
        for number in range(1, 4):
            put(root / f"rain100l/{part}/{number:03}.png", number)
    with pytest.raises(images.PictureError, match="rain100l in .* is not fit to be used"):
        evaluation.load(own())


def test_test_sets_are_remembered_within_bounds(root, monkeypatch):
    monkeypatch.setattr(evaluation.load, "_limit", 2 * 2 * 3 * PICTURE**2)
    for count in (1, 2, 3, 1):
        evaluation.load(own(count))
    assert evaluation.load.cache_info().bytes <= 2 * 2 * 3 * PICTURE**2
