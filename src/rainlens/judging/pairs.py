"""Pairs of pictures, and the questions that are asked about them: each pair in both orders."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rainlens import images

INTRODUCTION = (
    "You will see two pictures of the same scene, Image A and Image B. Each may show rain, or what "
    "a program for removing rain left of it."
)
QUESTION = (
    "Which picture has less rain: fewer or fainter rain streaks? Look at the rain alone, not at "
    "how sharp, bright or pleasing the picture is. Answer with one letter, A or B, nothing else."
)
TRUTH = "truth.csv"


class JudgingError(ValueError):
    """A judge cannot be asked or its answers not be read; the message says what to do."""


@dataclass(frozen=True)
class Pair:
    """Two pictures of one scene. less: which has less rain where that is known, "a" or "b"."""

    name: str
    a: Path
    b: Path
    less: str | None = None


def find_pairs(folder: Path) -> list[Pair]:
    """The pairs NAME_a.png, NAME_b.png of a folder, by name.

    `truth.csv` in the folder, with columns pair and less (a or b), tells for control pairs which
    has less rain; it is never sent. Raises JudgingError where there are no pairs, a picture has no
    partner, or the truth names something else.
    """
    if not folder.is_dir():
        raise JudgingError(f"{folder} is no folder; give one with pairs 01_a.png, 01_b.png, ...")
    found = {side: {f.stem[:-2]: f for f in folder.glob(f"*_{side}.png")} for side in "ab"}
    alone = sorted(found["a"].keys() ^ found["b"].keys())
    if alone:
        raise JudgingError(f"{folder} has only one picture of pair {alone[0]!r}; add the other.")
    if not found["a"]:
        raise JudgingError(f"{folder} has no pairs; name them 01_a.png, 01_b.png, 02_a.png, ...")
    truth = _read_truth(folder / TRUTH, found["a"].keys())
    return [Pair(n, found["a"][n], found["b"][n], truth.get(n)) for n in sorted(found["a"])]


def _read_truth(path: Path, names: Collection[str]) -> dict[str, str]:
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        # What a person wrote may lack a column.
        truth: dict[Any, Any] = {r.get("pair"): r.get("less") for r in csv.DictReader(file)}
    for name, less in truth.items():
        if name not in names or less not in ("a", "b"):
            raise JudgingError(
                f"{path} says {less!r} of pair {name!r}; it must have columns pair and less, with "
                "pairs of the folder and a or b."
            )
    return truth


def questions(pairs: Sequence[Pair]) -> Iterator[tuple[Pair, str]]:
    """Each pair twice, with the picture that is shown first, "a" or "b"."""
    return ((pair, first) for pair in pairs for first in "ab")


def pixels(pair: Pair, first: str) -> tuple[np.ndarray, np.ndarray]:
    """Both pictures in the order they are shown, uint8 (H, W, 3): of the files, pixels alone.

    Raises JudgingError where their sizes differ, PictureError where one cannot be read.
    """
    a, b = (images.load(path).permute(1, 2, 0).numpy() for path in (pair.a, pair.b))
    if a.shape != b.shape:
        raise JudgingError(
            f"Pair {pair.name!r} has pictures of {a.shape[1]}x{a.shape[0]} and "
            f"{b.shape[1]}x{b.shape[0]} pixels; they must be of one scene and size."
        )
    return (a, b) if first == "a" else (b, a)


def key_of(shown: tuple[np.ndarray, np.ndarray], first: str, model: str) -> str:
    """Of everything that decides the answer: the pictures in their order, the words, the model.

    first is in it, too, so that two equal pictures are asked about in both orders.
    """
    words = (model, INTRODUCTION, QUESTION, first, str(shown[0].shape))
    parts = [word.encode() for word in words] + [picture.tobytes() for picture in shown]
    digests = b"".join(hashlib.sha256(part).digest() for part in parts)
    return hashlib.sha256(digests).hexdigest()[:16]
