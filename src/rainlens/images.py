"""Clean pictures and patches.

A picture is a uint8 tensor (3, H, W), RGB. It comes from a folder of image files or from the
photographs that scikit-image carries, so that everything runs without a download. Each set of
pictures is divided once and for all into training and test pictures; N patches are fixed crops
of training pictures (2026 paper, Sec. 3.1.1).
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.resources import files as resource_files
from itertools import count as endless
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from rainlens import data
from rainlens.data import PictureError as PictureError
from rainlens.resources import PICTURE_BYTES, remember

EMBEDDED = "embedded"
# The colour photographs among scikit-image's bundled pictures. The rest are drawings, charts,
# microscope or telescope pictures, or grey.
EMBEDDED_TRAIN = ("astronaut.png", "motorcycle_left.png", "rocket.jpg")
EMBEDDED_TEST = ("chelsea.png", "coffee.png")
TEST_EVERY = 5  # in a folder, every fifth picture by name is kept for tests
LEAST_CONTRAST = 4.0  # standard deviation in grey levels; a patch below has no content
AHEAD, AHEAD_BYTES = 16, 64 << 20  # rounds for which a picture is cut at once, and their limit
ATTEMPTS = 20  # tries to find a patch with content in one picture


def load(path: str | os.PathLike[str]) -> Tensor:
    """One picture as uint8 (3, H, W), values 0 to 255, upright, transparent parts on white.

    Grey, palette, RGBA, CMYK and 16-bit files are converted; of an animation the first frame is
    taken. Raises `PictureError` for whatever cannot be used (`data.read_picture`).
    """
    return torch.from_numpy(data.read_picture(path)).permute(2, 0, 1).contiguous()


def names(backgrounds: str, split: str) -> list[Path]:
    """The files of a set (`embedded`, a set of `RAINLENS_DATA`, or a folder), sorted by name.

    split: "train" or "test". No file is in both, whatever the seed. Raises `PictureError` where
    the set is not there or has too few pictures to be divided.
    """
    if split not in ("train", "test"):
        raise PictureError(f"split is {split!r}; it must be 'train' or 'test'.")
    if backgrounds == EMBEDDED:
        kept = EMBEDDED_TRAIN if split == "train" else EMBEDDED_TEST
        return [_embedded_folder() / name for name in kept]
    _, found = _find(backgrounds)
    files = list(found.pictures)
    if len(files) < 2:
        passed_over = f" (passed over: {found.remark})" if found.remark else ""
        raise PictureError(
            f"{data.printable(backgrounds)} has {len(files)} picture(s){passed_over}; training "
            "and test need one each."
        )
    held_out = files[::TEST_EVERY]
    return held_out if split == "test" else [file for file in files if file not in set(held_out)]


def is_available(backgrounds: str) -> bool:
    """Whether the set can be read on this machine: it is whole, or one's own (`data.state`)."""
    return backgrounds == EMBEDDED or _locate(backgrounds) is not None


def find_folder(backgrounds: str) -> Path:
    """Where a set lies: below `RAINLENS_DATA` if it has that name, else the folder itself.

    Raises `PictureError` where it is not there, or neither whole nor one's own.
    """
    folder = _locate(backgrounds)
    if folder is not None:
        return folder
    if backgrounds in data.SETS:
        raise PictureError(data.refusal(data.state(backgrounds)))
    raise PictureError(
        f"There are no pictures named {backgrounds!r}: it is neither a folder nor one of the "
        f"sets {', '.join(data.SETS)}."
    )


def list_folder(folder: Path) -> list[Path]:
    """Picture files below a folder, sorted by their path, so that order is the same everywhere.

    What is passed over is said by `data.look_into`.
    """
    return list(data.look_into(folder).pictures)


def digest(backgrounds: str) -> str:
    """Sixteen hexadecimal digits that say which pictures a set consists of (`data.digest`).

    backgrounds: `embedded`, a set of `RAINLENS_DATA` (layers included), or a folder. Two sets of
    the same name have the same digest only where names, order and bytes of all files are equal.
    """
    if backgrounds == EMBEDDED:
        folder = _embedded_folder()
        return data.digest([folder / name for name in (*EMBEDDED_TRAIN, *EMBEDDED_TEST)], folder)
    folder, found = _find(backgrounds)
    return data.digest(found.pictures, folder)


def _find(backgrounds: str) -> tuple[Path, data.Listing]:
    """The folder of a set, and what of it is used."""
    folder = find_folder(backgrounds)
    is_set = backgrounds in data.SETS
    return folder, data.state(backgrounds).listing if is_set else data.look_into(folder)


def patches(backgrounds: str, count: int, size: int, seed: int) -> Tensor:
    """N fixed training patches, uint8 (N, 3, size, size): the first N of `crops`.

    So sets are nested: the first 8 of 64 are the 8 of the same seed. Raises `PictureError` where
    a picture is smaller than a patch.
    """
    return torch.stack(list(islice(crops(backgrounds, size, seed), count)))


def crops(backgrounds: str, size: int, seed: int, small: bool = False) -> Iterator[Tensor]:
    """Training crops without end: those of `numbered_crops`, alone."""
    return (crop for _, crop in numbered_crops(backgrounds, size, seed, small))


def numbered_crops(
    backgrounds: str, size: int, seed: int, small: bool = False
) -> Iterator[tuple[int, Tensor]]:
    """(number of the picture, crop), uint8 (3, size, size), in an order fixed by the seed.

    Without end. Each round takes one crop of every picture, so that any number of crops comes from
    as many different pictures as there are. Crops without content (standard deviation below 4
    grey levels) are passed over, and so are pictures smaller than a crop where `small` allows
    them. Raises `PictureError` where one is there and it does not, or no picture has content.
    """
    files = names(backgrounds, "train")
    empty: set[int] = set()
    for number, crop in _turns(files, size, seed, small):
        if crop is not None:
            empty.clear()
            yield number, crop
            continue
        empty.add(number)
        if len(empty) == len(files):
            raise PictureError(
                f"No picture of {backgrounds} has a {size}x{size} crop with content."
            )


def _turns(
    files: Sequence[Path], size: int, seed: int, small: bool
) -> Iterator[tuple[int, Tensor | None]]:
    """(number of the picture, its crop or None where there is no content), turn by turn."""
    order = np.random.default_rng([seed, 0]).permutation(len(files))
    # Memory may not hold all pictures: one that is read is cut for several rounds at once.
    rounds = min(AHEAD, max(1, AHEAD_BYTES // (len(files) * 3 * size**2)))
    ready: dict[int, Tensor | None] = {}
    for turn in endless():
        number = int(order[turn % len(files)])
        if turn not in ready:
            picture = load_cached(files[number])
            if small and min(picture.shape[-2:]) < size:
                yield number, None
                continue
            _require_size(picture, size, files[number], files)
            for later in range(turn, turn + rounds * len(files), len(files)):
                # A generator of its own for each turn: what came before does not matter.
                rng = np.random.default_rng([seed, 1, later])
                ready[later] = _crop_with_content(picture, size, rng)
        yield number, ready.pop(turn)


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
        file = files[turn % len(files)]
        picture = load_cached(file)
        _require_size(picture, crop, file, files)
        # A copy: a view would keep the whole picture in memory.
        first = centre(picture, crop).clone() if turn < len(files) else None
        chosen.append(_random_crop(picture, crop, rng) if first is None else first)
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


def encode_png(picture: Tensor) -> bytes:
    """uint8 (3, H, W) -> a PNG file, which keeps every value."""
    target = io.BytesIO()
    Image.fromarray(picture.permute(1, 2, 0).numpy()).save(target, "PNG")
    return target.getvalue()


def encode_webp(picture: Tensor, lossless: bool = False) -> bytes:
    """uint8 (3, H, W) -> a WebP file of high quality: to be looked at, not measured.

    lossless: every value is kept, in a file of about four times the size.
    """
    target = io.BytesIO()
    # Lossless, quality says how hard to try for a small file.
    options = dict(lossless=True, quality=100) if lossless else dict(quality=90)
    Image.fromarray(picture.permute(1, 2, 0).numpy()).save(target, "WEBP", method=4, **options)
    return target.getvalue()


def _version(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:  # `load` will say it better
        return None
    return status.st_size, status.st_mtime_ns


def _weight(picture: Tensor) -> int:
    return picture.nbytes


@remember(PICTURE_BYTES, weigh=_weight, version=_version)
def load_cached(path: Path) -> Tensor:
    """`load`, remembering the latest pictures within bounds; do not change the tensor."""
    return load(path)


def _embedded_folder() -> Path:
    return Path(str(resource_files("skimage") / "data"))


def _locate(backgrounds: str) -> Path | None:
    if backgrounds in data.SETS:
        return data.set_folder(backgrounds)
    # Not `Path.is_dir`, for which a name that is too long is an error.
    return Path(backgrounds) if os.path.isdir(backgrounds) else None


def _crop_with_content(picture: Tensor, size: int, rng: np.random.Generator) -> Tensor | None:
    for _ in range(ATTEMPTS):
        crop = _random_crop(picture, size, rng)
        if crop.float().std() >= LEAST_CONTRAST:
            return crop
    return None


def _random_crop(picture: Tensor, size: int, rng: np.random.Generator) -> Tensor:
    height, width = picture.shape[-2:]
    top, left = rng.integers(height - size + 1), rng.integers(width - size + 1)
    return picture[..., top : top + size, left : left + size].clone()


def _require_size(picture: Tensor, size: int, file: Path, files: Sequence[Path]) -> None:
    height, width = picture.shape[-2:]
    if min(height, width) < size:
        raise PictureError(
            f"{data.printable(file)} is {width}x{height} pixels, smaller than a patch of "
            f"{size}x{size}{_others_below(size, file, files)}; remove it or choose a smaller patch "
            "size."
        )


def _others_below(size: int, file: Path, files: Sequence[Path]) -> str:
    """Which of the files beside this one are too small as well, read from their headers alone."""
    small = []
    for other in files:
        with suppress(Exception), data.open_picture(other) as picture:
            if min(picture.size) < size and other != file:
                small.append(data.printable(other.name))
    if not small:
        return ""
    more = f" and {len(small) - 3} more" if len(small) > 3 else ""
    return f", and so are {', '.join(small[:3])}{more}"


def group_by_size(pictures: Sequence[Tensor]) -> list[list[int]]:
    """Indices of pictures grouped by size, in order, so that each group can be one batch."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, picture in enumerate(pictures):
        groups.setdefault(tuple(picture.shape), []).append(index)
    return list(groups.values())
