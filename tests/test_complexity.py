"""Sharpness and structural complexity against OpenCV, hand-computed cases and the definition."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from rainlens import complexity, images


def checkerboard(size: int, square: int) -> torch.Tensor:
    """Black and white squares, uint8 (1, 1, size, size)."""
    steps = torch.arange(size) // square
    return ((steps[:, None] + steps) % 2 * 255).byte()[None, None]


def photographs(size: int = 64) -> torch.Tensor:
    return images.patches(images.EMBEDDED, 20, size, seed=0)


def test_sharpness_equals_opencv():
    cv2 = pytest.importorskip("cv2")
    patches = photographs()
    for patch, ours in zip(patches, complexity.sharpness(patches), strict=True):
        grey = cv2.cvtColor(patch.permute(1, 2, 0).numpy(), cv2.COLOR_RGB2GRAY)
        theirs = cv2.Laplacian(grey, cv2.CV_64F).var()
        # OpenCV rounds the luma in fixed-point arithmetic: a level here and there differs.
        assert ours.item() == pytest.approx(theirs, rel=2e-3)


def test_sharpness_of_one_bright_pixel_by_hand():
    picture = torch.zeros(1, 1, 6, 6, dtype=torch.uint8)
    picture[..., 2, 3] = 100  # Laplacian: -400 there, 100 at its four neighbours, 0 in all
    assert complexity.sharpness(picture).item() == pytest.approx((400**2 + 4 * 100**2) / 36)


def test_blurring_lowers_sharpness():
    patches = photographs()
    soft = F.avg_pool2d(patches.float(), 3, 1, 1, count_include_pad=False).round().byte()
    assert (complexity.sharpness(soft) < complexity.sharpness(patches)).all()


def test_a_constant_picture_has_neither():
    flat = torch.full((2, 3, 32, 32), 77, dtype=torch.uint8)
    assert complexity.sharpness(flat).tolist() == [0, 0]
    assert complexity.structural_complexity(flat).abs().max() < 1e-12


@pytest.mark.parametrize("scale", [0, 1, 2])
def test_a_checkerboard_has_its_structure_at_one_scale(scale: int):
    profile = complexity.structural_complexity(checkerboard(32, 2**scale))[0]
    # Values 0 and 1: mean square 1/2, and 1/4 once a block holds as much of each.
    expected = torch.zeros(5, dtype=torch.double)
    expected[scale] = 1 / 8
    assert torch.allclose(profile, expected)


def test_the_profile_follows_the_definition_with_explicit_overlaps():
    patches = photographs(32)
    profile = complexity.structural_complexity(patches)
    fine = complexity.to_grey(patches)[:, None].double() / 255
    for k in range(5):
        coarse = F.avg_pool2d(fine, 2)
        raised = F.interpolate(coarse, scale_factor=2, mode="nearest")
        overlap = (fine * raised).mean((1, 2, 3))
        own = ((fine * fine).mean((1, 2, 3)) + (coarse * coarse).mean((1, 2, 3))) / 2
        assert torch.allclose(profile[:, k], (overlap - own).abs(), atol=1e-7)
        fine = coarse


def test_all_scales_together_are_half_the_variance():
    patches = photographs()
    total = complexity.structural_complexity(patches).sum(1)
    variance = np.var(complexity.to_grey(patches).double().flatten(1).numpy() / 255, axis=1)
    assert total.numpy() == pytest.approx(variance / 2, rel=1e-4)


def test_many_pictures_are_worked_on_in_parts(monkeypatch):
    patches = photographs()
    whole = complexity.sharpness(patches), complexity.structural_complexity(patches)
    monkeypatch.setattr(complexity, "AT_ONCE", 3)
    parts = complexity.sharpness(patches), complexity.structural_complexity(patches)
    assert all(torch.equal(a, b) for a, b in zip(whole, parts, strict=True))


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"pictures are torch.float32 \(1, 3, 8, 8\)"):
        complexity.sharpness(torch.zeros(1, 3, 8, 8))
    with pytest.raises(ValueError, match="scales is 4, but 24x16 pixels can be halved 3 times"):
        complexity.structural_complexity(torch.zeros(1, 1, 16, 24, dtype=torch.uint8), 4)
    with pytest.raises(ValueError, match="can be halved 0 times"):
        complexity.structural_complexity(torch.zeros(1, 1, 15, 15, dtype=torch.uint8))


# --- patches of a class


@pytest.mark.parametrize("kind", complexity.SHARPNESS_CLASSES)
def test_patches_of_a_class_are_the_first_such_crops(kind: str):
    few = complexity.patches_of_sharpness("embedded", 6, 32, 0, kind)
    low, high = complexity.SHARPNESS_CLASSES[kind]
    assert ((complexity.sharpness(few) >= low) & (complexity.sharpness(few) < high)).all()
    crops = images.patches("embedded", 256, 32, 0)
    expected = [c for c in crops if low <= complexity.sharpness(c[None]).item() < high]
    several = min(6, len(expected))
    assert several > 1 and torch.equal(few[:several], torch.stack(expected[:several]))


def test_a_class_without_patches_is_named(tmp_path):
    torch.manual_seed(0)
    for index in range(2):
        noise = torch.randint(0, 256, (64, 64, 3), dtype=torch.uint8)
        Image.fromarray(noise.numpy()).save(tmp_path / f"{index}.png")
    with pytest.raises(images.PictureError, match="of low sharpness"):
        complexity.patches_of_sharpness(str(tmp_path), 4, 32, 0, "low")
    with pytest.raises(ValueError, match="'soft'; it must be one of low, medium, high"):
        complexity.patches_of_sharpness(str(tmp_path), 4, 32, 0, "soft")
