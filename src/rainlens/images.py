"""Clean pictures and patches.

A picture is a uint8 tensor (3, H, W), RGB. It comes from a folder of image files or from the
photographs that scikit-image carries, so that everything runs without a download. Each set of
pictures is divided once and for all into training and test pictures; N patches are fixed crops
of training pictures (2026 paper, Sec. 3.1.1).
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib import resources
from itertools import count as endless
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from rainlens import data

EMBEDDED = "embedded"
# The colour photographs among scikit-image's bundled pictures. The rest are drawings, charts,
# microscope or telescope pictures, or grey.
EMBEDDED_TRAIN = ("astronaut.png", "motorcycle_left.png", "rocket.jpg")
EMBEDDED_TEST = ("chelsea.png", "coffee.png")
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
TEST_EVERY = 5  # in a folder, every fifth picture by name is kept for tests
MAX_PIXELS = 100_000_000  # larger pictures are taken for decompression bombs
LEAST_CONTRAST = 4.0  # standard deviation in grey levels; a patch below has no content
ATTEMPTS = 20  # tries to find a patch with content in one picture


class PictureError(ValueError):
    """A picture cannot be used; the message says which and what to do."""


def load(path: str | os.PathLike[str]) -> Tensor:
    """One picture as uint8 (3, H, W), values 0 to 255, upright, transparent parts on white.

    Grey, palette, RGBA, CMYK and 16-bit files are converted; of an animation the first frame is
    taken. Raises `PictureError` for files that are missing, empty, truncated, not pictures, or
    of more than 100 million pixels.
    """
    path = Path(path)
    if not path.is_file():
        raise PictureError(f"{path} does not exist; check the path.")
    if path.stat().st_size == 0:
        raise PictureError(f"{path} is empty (0 bytes); fetch or copy it again.")
    try:
        with warnings.catch_warnings():
            # Our own limit below is the one that counts, not Pillow's warning.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise PictureError(_too_large(path))
                return _to_tensor(picture)
    except Image.DecompressionBombError as error:
        raise PictureError(_too_large(path)) from error
    except PictureError:
        raise
    except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError, struct.error, ...
        raise PictureError(
            f"{path} cannot be read as a picture ({error}); remove or replace it."
        ) from error


def names(backgrounds: str, split: str) -> list[Path]:
    """The files of a set (`embedded`, a set of `RAINLENS_DATA`, or a folder), sorted by name.

    split: "train" or "test". No file is in both, whatever the seed. Raises `PictureError` where
    the set is not there or has too few pictures to be divided.
    """
    if split not in ("train", "test"):
        raise PictureError(f"split is {split!r}; it must be 'train' or 'test'.")
    if backgrounds == EMBEDDED:
        folder = Path(str(resources.files("skimage") / "data"))
        return [folder / name for name in (EMBEDDED_TRAIN if split == "train" else EMBEDDED_TEST)]
    files = list_folder(find_folder(backgrounds))
    if len(files) < 2:
        raise PictureError(
            f"{backgrounds} has {len(files)} picture(s); training and test need one each."
        )
    held_out = files[::TEST_EVERY]
    return held_out if split == "test" else [file for file in files if file not in set(held_out)]


def is_available(backgrounds: str) -> bool:
    """Whether the set can be read on this machine."""
    return backgrounds == EMBEDDED or _locate(backgrounds) is not None


def find_folder(backgrounds: str) -> Path:
    """Where a set lies: below `RAINLENS_DATA` if it has that name, else the folder itself."""
    folder = _locate(backgrounds)
    if folder is None:
        raise PictureError(
            f"There are no pictures named {backgrounds!r}: set RAINLENS_DATA to a folder that has "
            f"them, or fetch them with `rainlens data fetch {backgrounds}`."
        )
    return folder


def list_folder(folder: Path) -> list[Path]:
    """Picture files below a folder, sorted by their path, so that order is the same everywhere."""
    found = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES]
    return sorted(path for path in found if not path.name.startswith("."))


def patches(backgrounds: str, count: int, size: int, seed: int) -> Tensor:
    """N fixed training patches, uint8 (N, 3, size, size): the first N of `crops`.

    So sets are nested: the first 8 of 64 are the 8 of the same seed. Raises `PictureError` where
    a picture is smaller than a patch.
    """
    return torch.stack(list(islice(crops(backgrounds, size, seed), count)))


def crops(backgrounds: str, size: int, seed: int) -> Iterator[Tensor]:
    """Training crops without end: those of `numbered_crops`, alone."""
    return (crop for _, crop in numbered_crops(backgrounds, size, seed))


def numbered_crops(backgrounds: str, size: int, seed: int) -> Iterator[tuple[int, Tensor]]:
    """(number of the picture, crop), uint8 (3, size, size), in an order fixed by the seed.

    Without end. Each round takes one crop of every picture, so that any number of crops comes from
    as many different pictures as there are. Crops without content (standard deviation below 4
    grey levels) are passed over. Raises `PictureError` where a picture is smaller than a crop, or
    where no picture has content.
    """
    files = names(backgrounds, "train")
    order = np.random.default_rng([seed, 0]).permutation(len(files))
    empty: set[Path] = set()
    for turn in endless():
        number = int(order[turn % len(files)])
        file = files[number]
        # A generator of its own for each turn: what came before has no influence on this crop.
        crop = _crop_with_content(file, size, np.random.default_rng([seed, 1, turn]))
        if crop is not None:
            empty.clear()
            yield number, crop
            continue
        empty.add(file)
        if len(empty) == len(files):
            raise PictureError(
                f"No picture of {backgrounds} has a {size}x{size} crop with content."
            )


def test_pictures(backgrounds: str, count: int, crop: int | None = None) -> list[Tensor]:
    """The first `count` test pictures, uint8 (3, H, W), or their centres of crop x crop pixels.

    Where the set has fewer, further crops of the same pictures follow, at fixed places.
    """
    files = names(backgrounds, "test")
    if crop is None:
        return [load_cached(file) for file in files[:count]]
    rng = np.random.default_rng(0)
    chosen = []
    for turn in range(count):
        picture = load_cached(files[turn % len(files)])
        if turn < len(files):
            chosen.append(centre(picture, crop))
        else:
            chosen.append(_random_crop(picture, crop, rng, files[turn % len(files)]))
    return chosen


def centre(picture: Tensor, crop: int) -> Tensor:
    """The middle crop x crop pixels of (..., H, W), or what there is of them."""
    height, width = picture.shape[-2:]
    top, left = max(0, (height - crop) // 2), max(0, (width - crop) // 2)
    return picture[..., top : top + crop, left : left + crop]


def to_unit(pictures: Tensor) -> Tensor:
    """uint8 0 to 255 -> float32 0 to 1."""
    return pictures.float() / 255


def to_bytes(pictures: Tensor) -> Tensor:
    """float 0 to 1 -> uint8 0 to 255, rounded to the nearest, values outside clipped."""
    return pictures.float().clamp(0, 1).mul(255).round().byte()


def encode_webp(picture: Tensor, lossless: bool = False) -> bytes:
    """uint8 (3, H, W) -> a WebP file of high quality: to be looked at, not measured.

    lossless: every value is kept, in a file of about four times the size.
    """
    target = io.BytesIO()
    # Lossless, quality says how hard to try for a small file.
    options = dict(lossless=True, quality=100) if lossless else dict(quality=90)
    Image.fromarray(picture.permute(1, 2, 0).numpy()).save(target, "WEBP", method=4, **options)
    return target.getvalue()


@lru_cache(maxsize=512)
def load_cached(path: Path) -> Tensor:
    """`load`, remembering the last 512 pictures; do not change the tensor."""
    return load(path)


def _to_tensor(picture: Image.Image) -> Tensor:
    picture.seek(0)
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I"):  # 16 bits a pixel: Pillow would clip, not scale
        grey = np.asarray(picture).astype(np.float64)
        picture = Image.fromarray((grey / 257).round().clip(0, 255).astype(np.uint8))
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    pixels = np.array(picture.convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()


def _too_large(path: Path) -> str:
    return f"{path} has more than {MAX_PIXELS:,} pixels; shrink it or leave it out."


def _locate(backgrounds: str) -> Path | None:
    folder = data.set_folder(backgrounds) if backgrounds in data.SETS else Path(backgrounds)
    return folder if folder is not None and folder.is_dir() else None


def _crop_with_content(file: Path, size: int, rng: np.random.Generator) -> Tensor | None:
    picture = load_cached(file)
    for _ in range(ATTEMPTS):
        crop = _random_crop(picture, size, rng, file)
        if crop.float().std() >= LEAST_CONTRAST:
            return crop
    return None


def _random_crop(picture: Tensor, size: int, rng: np.random.Generator, file: Path) -> Tensor:
    height, width = picture.shape[-2:]
    if min(height, width) < size:
        raise PictureError(
            f"{file} is {width}x{height} pixels, smaller than a patch of {size}x{size}; "
            "remove it or choose a smaller patch size."
        )
    top, left = rng.integers(height - size + 1), rng.integers(width - size + 1)
    return picture[..., top : top + size, left : left + size].clone()


def group_by_size(pictures: Sequence[Tensor]) -> list[list[int]]:
    """Indices of pictures grouped by size, in order, so that each group can be one batch."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, picture in enumerate(pictures):
        groups.setdefault(tuple(picture.shape), []).append(index)
    return list(groups.values())
