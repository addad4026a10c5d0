"""From a picture file to pixels: only the listed formats, never black, never without end."""

from __future__ import annotations

import os
import stat
import warnings
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

# Suffix, in lower case -> Pillow's name of the format.
FORMAT_OF = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".gif": "GIF",
    ".avif": "AVIF",
    ".heic": "HEIF",
    ".heif": "HEIF",
}
ADVICE = {  # for formats that Pillow reads only sometimes
    "AVIF": "to read AVIF, update Pillow to 11.3 or convert the pictures to PNG",
    "HEIF": "to read HEIC, install the package pillow-heif or convert the pictures to JPEG",
}
MAX_PIXELS = 100_000_000  # larger pictures are taken for decompression bombs
MAX_SCANS = 25  # passes of a progressive JPEG over MAX_PIXELS, more over fewer: about 6 seconds
FULL = 1 << 16  # levels of 16 bits


class PictureError(ValueError):
    """A picture cannot be used; the message says which and what to do."""


@cache
def formats() -> tuple[str, ...]:
    """Those of the listed formats that Pillow can read here; no other is ever opened."""
    with suppress(ImportError):  # it is no dependency, but whoever has it can read HEIC
        import_module("pillow_heif").register_heif_opener()
    Image.init()
    return tuple(name for name in dict.fromkeys(FORMAT_OF.values()) if name in Image.OPEN)


def printable(path: str | os.PathLike[str]) -> str:
    """A path for a sentence: control characters and bytes that are no text become escapes."""
    text = os.fspath(path)
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def open_picture(path: str | os.PathLike[str]) -> Image.Image:
    """The picture in a file, not decoded yet.

    Whatever the file is called, it is opened only as one of `formats`: others of Pillow's start
    programs (EPS) or read further files. Raises what Pillow raises.
    """
    with warnings.catch_warnings():
        # `read_picture` has a limit of its own, which is the one that counts.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(path, formats=formats())


def read_picture(path: str | os.PathLike[str]) -> np.ndarray:
    """The pixels of a file as a person sees them, (H, W, 3), uint8, RGB.

    Upright, transparent parts on white, of an animation the first frame. Grey, palette, CMYK and
    16-bit pictures are converted.

    Raises:
        PictureError: the file is missing, empty, no file, damaged, too large, or no picture of
            the listed formats; or its levels have no range that one could know (32 bits, floating
            point, 16 bits of which less than a quarter is used).
    """
    path = Path(path)
    _require_content(path)
    try:
        with open_picture(path) as picture:
            _require_bounded(path, picture)
            return _pixels(path, picture)
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureError(_too_large(path)) from error
    except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError, struct.error, ...
        raise PictureError(f"{printable(path)} {_complaint(path, error)}.") from error


def _require_content(path: Path) -> None:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise PictureError(f"{printable(path)} does not exist; check the path.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PictureError(f"{printable(path)} cannot be opened ({reason}); check it.") from error
    if not stat.S_ISREG(status.st_mode):  # to open a pipe would wait for ever
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe, socket or device"
        raise PictureError(f"{printable(path)} is {kind}, not a picture file; choose another.")
    if status.st_size == 0:
        raise PictureError(f"{printable(path)} is empty (0 bytes); fetch or copy it again.")


def _require_bounded(path: Path, picture: Image.Image) -> None:
    """That the picture, not decoded yet, will take neither all memory nor minutes."""
    pixels = picture.width * picture.height
    if pixels > MAX_PIXELS:
        raise PictureError(_too_large(path))
    if picture.format in ("JPEG", "MPO"):
        # Each scan goes over the whole picture, and one of a few bytes is enough for that.
        scans = path.read_bytes().count(b"\xff\xda")
        if scans * pixels > MAX_SCANS * MAX_PIXELS:
            raise PictureError(
                f"{printable(path)} is a JPEG of {scans:,} passes, which would take minutes to "
                "decode; save it anew or leave it out."
            )


def _too_large(path: Path) -> str:
    return f"{printable(path)} has more than {MAX_PIXELS:,} pixels; shrink it or leave it out."


def _complaint(path: Path, error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "needs more memory than there is; shrink it or leave it out"
    if not isinstance(error, UnidentifiedImageError):
        return f"cannot be read as a picture ({printable(str(error))}); remove or replace it"
    inside = _container(path)
    if inside and inside not in formats():
        return f"is a picture in {inside}; {ADVICE[inside]}"
    return f"is none of the pictures that are read ({', '.join(formats())}); remove or replace it"


def _container(path: Path) -> str | None:
    """HEIF or AVIF, whatever the file is called: phones give such files other names."""
    with open(path, "rb") as file:
        start = file.read(12)
    if start[4:8] != b"ftyp":
        return None
    return "AVIF" if start[8:12] in (b"avif", b"avis") else "HEIF"


def _pixels(path: Path, picture: Image.Image) -> np.ndarray:
    picture.seek(0)
    stored = _stored_as(picture)
    deep = ";16" in stored
    if picture.mode == "F" or (picture.mode == "I" and stored not in ("I;16", "I;16B", "I;16L")):
        kind = "floating-point" if picture.mode == "F" else "32-bit or signed"
        raise PictureError(
            f"{printable(path)} has {kind} levels, and no file says which of them is white; "
            "save it with 8 or 16 bits."
        )
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I"):
        grey = np.asarray(picture)
        _require_range(path, int(grey.max()), FULL if deep else 1 << 12)
        picture = Image.fromarray(_to_eight_bits(FULL if deep else 1 << 12)[grey])
    elif deep and picture.mode in ("LA", "RGB", "RGBA"):  # Pillow has kept the upper 8 bits
        _require_range(path, 256 * _brightest(picture), FULL)
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = on_white(picture)
    return np.array(picture.convert("RGB"))


def _stored_as(picture: Image.Image) -> str:
    """Pillow's name for how levels lie in the file, such as RGB;16B; empty where it has none."""
    tiles = getattr(picture, "tile", None)
    if not tiles:
        return ""
    how = tiles[0][3]
    return str(how[0] if isinstance(how, tuple) and how else how)


def _to_eight_bits(levels: int) -> np.ndarray:
    """Table from 0 .. levels - 1 to 0 .. 255, rounded to the nearest, uint8."""
    return (np.arange(levels) * (255 / (levels - 1))).round().astype(np.uint8)


def _require_range(path: Path, brightest: int, levels: int) -> None:
    if brightest < levels // 4:
        raise PictureError(
            f"{printable(path)} uses {brightest:,} of its {levels:,} levels and would be all but "
            "black; scale it to its full range or save it with 8 bits."
        )


def _brightest(picture: Image.Image) -> int:
    # Of a picture with several bands, Pillow gives a pair each.
    extrema = cast("tuple[tuple[int, int], ...]", picture.getextrema())
    bands = zip(picture.getbands(), extrema, strict=True)
    return max(high for name, (_, high) in bands if name != "A")


def on_white(picture: Image.Image) -> Image.Image:
    """An RGB picture: `picture` (any mode, with or without transparency) laid over white."""
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")
