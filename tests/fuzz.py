"""Damages every kind of file that the project reads, at random, and looks what happens.

    python tests/fuzz.py --seconds 60            # as in CI: a fixed seed
    python tests/fuzz.py --mutants 10000 --seed 7

A mutant has to be refused in one sentence by an error of the project, be set aside, or mean
exactly what the whole file means. A traceback of another kind, a hang, or a value that changed
without a word ends the run with the mutant kept for a look.
"""

from __future__ import annotations

import argparse
import io
import random
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from rainlens import images, records
from rainlens.checkpoints import Checkpoint
from rainlens.images import PictureError
from rainlens.records import Record, RecordError, RecordStore, Trained, key_of

LONGEST = 20  # seconds that reading a mutant may take
EXPERIMENT = {"model": "resnet", "seed": 0}
NAME = f"derain-fuzz-{key_of('derain', EXPERIMENT)}"


@dataclass(frozen=True)
class Kind:
    """A kind of file: its whole content, and read(path), which gives something comparable.

    refusals: errors that are an answer. exact: whether a mutant that is read must mean the same.
    """

    name: str
    file: str
    whole: bytes
    read: Callable[[Path], Any]
    refusals: tuple[type[Exception], ...]
    exact: bool = True


def kinds(folder: Path) -> list[Kind]:
    """All kinds, each with a small file made in `folder`."""
    store = RecordStore(folder / "store")
    picture = torch.randint(0, 255, (3, 24, 32), generator=torch.Generator().manual_seed(0)).byte()
    curves = {"iteration": [0, 1], "loss": [None, 0.25]}
    record = Record(NAME, EXPERIMENT, curves, {"unseen": {"gain": [0.5]}})
    weights = {"w": torch.arange(12.0)}
    record = store.save(record, {"shown": [picture]}, weights=weights)
    store.keep_trained("0123456789abcdef", Trained(weights, curves, {"experiment": EXPERIMENT}))
    records.pack(store, "smoke", folder / "all.tar.gz")
    checkpoint = Checkpoint(folder / "run.pt", owner={"experiment": NAME})
    checkpoint.save({"done": 3, "model": weights, "curves": curves})
    found = [
        Kind("record", f"{NAME}.json", store.path(NAME).read_bytes(), _record, (RecordError,)),
        Kind(
            "weights",
            "0123456789abcdef.safetensors",
            store.trained_path("0123456789abcdef").read_bytes(),
            _weights,
            (RecordError,),
        ),
        Kind("checkpoint", "run.pt", (folder / "run.pt").read_bytes(), _state, (RecordError,)),
        Kind("archive", "x.tar.gz", (folder / "all.tar.gz").read_bytes(), _merged, (RecordError,)),
    ]
    for form in ("PNG", "JPEG", "WEBP", "BMP"):
        target = io.BytesIO()
        Image.fromarray(picture.permute(1, 2, 0).numpy()).save(target, form)
        read = Kind(
            f"picture ({form})",
            f"p.{form.lower()}",
            target.getvalue(),
            lambda path: images.load(path).shape[0],
            (PictureError,),
            exact=False,  # a picture without a checksum may be another picture
        )
        found.append(read)
    return found


def _record(path: Path) -> Any:
    return records.RecordStore(path.parent).load(path.stem)


def _weights(path: Path) -> Any:
    from rainlens.records.weights import load_trained

    kept = load_trained(path)
    return {name: value.tolist() for name, value in kept.weights.items()}, kept.curves, kept.about


def _state(path: Path) -> Any:
    """What a checkpoint holds; None where it was set aside."""
    state = Checkpoint(path, owner={"experiment": NAME}).load()
    for aside in path.parent.glob("*.aside"):
        aside.unlink()
    if state is None:
        return None
    return {"done": state["done"], "w": state["model"]["w"].tolist(), "curves": state["curves"]}


def _merged(path: Path) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        merged = records.merge(path, lambda scale: RecordStore(Path(folder) / "store"))
        held = {p.name: p.read_bytes() for p in sorted((Path(folder) / "store").iterdir())}
        return merged.added, held


def mutant(whole: bytes, source: random.Random) -> bytes:
    """The content with one damage: bits, bytes, a cut, a hole, a repeat, or a foreign piece."""
    content = bytearray(whole)
    place = source.randrange(len(content))
    length = source.choice((1, 2, 16, 200))
    piece = slice(place, place + length)
    ways: list[Callable[[], None]] = [
        lambda: content.__setitem__(place, content[place] ^ (1 << source.randrange(8))),
        lambda: content.__setitem__(piece, source.randbytes(len(content[piece]))),
        lambda: content.__delitem__(slice(place, None)),
        lambda: content.__delitem__(piece),
        lambda: content.__setitem__(slice(place, place), content[piece] * source.choice((1, 50))),
        lambda: content.__setitem__(slice(place, place), source.choice(ODD)),
        lambda: content.__setitem__(piece, b"\0" * length),
    ]
    source.choice(ways)()
    return bytes(content)


ODD = (b"NaN", b"1e999", b"[" * 3000, b"<script>", b"../../x", "\u202e".encode(), b"\xff\xfe")


@contextmanager
def time_limit(seconds: int) -> Any:
    """Raises TimeoutError in a block that takes longer."""

    def late(*_: object) -> None:
        raise TimeoutError(f"it takes longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def judge(kind: Kind, content: bytes, folder: Path, expected: Any) -> str | None:
    """What is wrong with how a mutant is taken, or None."""
    path = folder / kind.file
    path.write_bytes(content)
    try:
        with time_limit(LONGEST):
            found = kind.read(path)
    except kind.refusals as error:
        told = str(error)
        return None if told.endswith(".") and len(told) < 2000 else f"not a sentence: {told!r}"
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    finally:
        path.unlink(missing_ok=True)
    if kind.exact and found is not None and found != expected:
        return "it was read as something else"
    return None


def main() -> int:
    """Runs until the time or the number of mutants is reached."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--seconds", type=float, default=float("inf"))
    words.add_argument("--mutants", type=int, default=10**9)
    words.add_argument("--seed", type=int, default=0)
    given = words.parse_args()
    if given.seconds == float("inf") and given.mutants == 10**9:
        given.mutants = 10_000
    warnings.simplefilter("ignore")
    source, end, count = random.Random(given.seed), time.monotonic() + given.seconds, 0
    np.seterr(all="ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = kinds(folder)
        place = folder / "mutants"
        place.mkdir()
        expected = {}
        for kind in made:
            (place / kind.file).write_bytes(kind.whole)
            expected[kind.name] = kind.read(place / kind.file)
        while time.monotonic() < end and count < given.mutants:
            kind = made[count % len(made)]
            content = mutant(kind.whole, source)
            wrong = judge(kind, content, place, expected[kind.name])
            count += 1
            if wrong:
                kept = Path(tempfile.gettempdir()) / f"mutant{count}-{kind.file}"
                kept.write_bytes(content)
                print(f"{kind.name}, mutant {count} of seed {given.seed}: {wrong} ({kept})")
                return 1
    print(f"{count} mutants of {len(made)} kinds of files: none was taken for what it is not.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
