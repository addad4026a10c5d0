"""Runs alone: reads a PyTorch file without executing anything in it, writes safetensors.

`python -I checkpoint_reader.py SOURCE TARGET` is started by `checkpoint_files.convert` and answers
with one line of JSON. It imports neither torch nor the package: whatever a pickle asks for, there
is nothing here for it to call. Tensors, dictionaries and numbers come through; anything else is
replaced by an object that does nothing.
"""

import json
import math
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

MEMORY = 8 << 30  # bytes of address space that this process may take
LARGEST = 2 << 30  # bytes of weights; the largest published VQGAN has 0.3 GB
SECONDS = 300  # of processor time
UNWRAPPED = ("state_dict", "params_ema", "params", "model")  # where trainers keep the weights
# Storage class -> name in safetensors, bytes of one value.
TYPES = {
    "DoubleStorage": ("F64", 8),
    "FloatStorage": ("F32", 4),
    "HalfStorage": ("F16", 2),
    "BFloat16Storage": ("BF16", 2),
    "LongStorage": ("I64", 8),
    "IntStorage": ("I32", 4),
    "ShortStorage": ("I16", 2),
    "CharStorage": ("I8", 1),
    "ByteStorage": ("U8", 1),
    "BoolStorage": ("BOOL", 1),
}


class Refused(Exception):
    """The file is not converted; the message says why."""


class Storage(NamedTuple):
    """A block of values in the archive, not read yet."""

    kind: str
    key: str


class View(NamedTuple):
    """A tensor: which values of a storage, in which order."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class Stub:
    """Stands for an object of a class that is not loaded; takes whatever the pickle does to it."""

    def __new__(cls, *args: Any, **options: Any) -> "Stub":
        return object.__new__(cls)

    def __init__(self, *args: Any, **options: Any) -> None:
        pass

    def __call__(self, *args: Any, **options: Any) -> "Stub":
        return self

    def _ignore(self, *args: Any) -> None:
        pass

    __setstate__ = __setitem__ = append = extend = add = _ignore


class TensorUnpickler(pickle.Unpickler):
    """Resolves names to the few things below, and all others to a new subclass of Stub."""

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self.stubs: dict[str, type[Stub]] = {}

    def find_class(self, module: str, name: str) -> Any:
        """What stands for module.name; nothing is imported."""
        if module == "torch" and name in TYPES:
            return name
        known = KNOWN.get((module, name))
        if known is not None:
            return known
        full = printable(f"{module}.{name}")
        return self.stubs.setdefault(full, type(full, (Stub,), {}))

    def persistent_load(self, pid: Any) -> Storage:
        """A storage, as torch.save refers to it: ("storage", class, file, device, length)."""
        if not (isinstance(pid, tuple) and len(pid) == 5 and pid[0] == "storage"):
            raise Refused("it refers to something that is no tensor's storage")
        return Storage(pid[1], pid[2])


def rebuild_tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> View:
    """In the place of torch._utils._rebuild_tensor_v2."""
    return View(storage, offset, size, stride)


def rebuild_parameter(view: Any, *_: Any) -> Any:
    """In the place of torch._utils._rebuild_parameter."""
    return view


KNOWN = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): rebuild_parameter,
}


def convert(source: str, target: str) -> dict[str, Any]:
    """Writes the weights in `source` to `target`; tells names and what was left out."""
    with open_archive(source) as archive:
        root = find_root(archive)
        with archive.open(root + "data.pkl") as file:
            unpickler = TensorUnpickler(file)
            whole = unpickler.load()
        state = find_state(whole)
        kept = {name: view for name, view in state.items() if not is_dropped(name)}
        header = describe(kept)
        with open(target, "wb") as file:
            file.write(struct.pack("<Q", len(header)) + header)
            for view in kept.values():
                file.write(values(archive, root, view).tobytes())
    dropped = [printable(name) for name in state if name not in kept]
    return {"kept": len(kept), "dropped": dropped, "stubs": sorted(unpickler.stubs)}


def open_archive(source: str) -> zipfile.ZipFile:
    """The file as the archive that torch.save writes since version 1.6."""
    if not zipfile.is_zipfile(source):
        raise Refused(
            "it is no archive of PyTorch 1.6 or later: load it there, where you trust it, and "
            "save its state_dict again"
        )
    archive = zipfile.ZipFile(source)
    if any(name.endswith("/constants.pkl") for name in archive.namelist()):
        raise Refused("it is TorchScript, which is code: save the model's state_dict() instead")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
        raise Refused("its archive is compressed, which torch.save never does")
    return archive


def find_root(archive: zipfile.ZipFile) -> str:
    """The folder in the archive that holds data.pkl, with its slash."""
    found = [name for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(found) != 1:
        raise Refused("its archive is not one of torch.save")
    root = found[0].removesuffix("data.pkl")
    if root + "byteorder" in archive.namelist() and archive.read(root + "byteorder") != b"little":
        raise Refused("its numbers have the byte order of another kind of machine")
    return root


def find_state(whole: Any) -> dict[str, Any]:
    """The dictionary of weights: the whole, or what a trainer wrapped."""
    if not isinstance(whole, dict):
        raise Refused(
            f"it holds an object {told(whole)}, not weights: save the model's state_dict() instead"
        )
    for key in UNWRAPPED:
        if isinstance(whole.get(key), dict):
            return whole[key]
    return whole


def is_dropped(name: Any) -> bool:
    """Whether a weight is of the training loss (LPIPS, discriminator), not of the network."""
    return isinstance(name, str) and (name.startswith("loss.") or name == "colorize")


def describe(kept: dict[str, Any]) -> bytes:
    """The header of the safetensors file; refuses all that is not a tensor within bounds."""
    entries, end = {}, 0
    for name, view in kept.items():
        if not isinstance(name, str) or not isinstance(view, View):
            raise Refused(f"its entry {printable(str(name))} is {told(view)}, not a tensor")
        check(name, view)
        kind, width = TYPES[view.storage.kind]
        start, end = end, end + width * math.prod(view.size)
        entries[name] = {"dtype": kind, "shape": view.size, "data_offsets": [start, end]}
    if not entries:
        raise Refused("it holds no weights")
    if end > LARGEST:
        raise Refused(f"its weights take {end / 1e9:.1f} GB, more than {LARGEST / 1e9:.1f}")
    header = json.dumps(entries).encode()
    return header + b" " * (-len(header) % 8)


def check(name: str, view: View) -> None:
    """Refuses a tensor that is not what torch.save writes."""
    lengths = (view.size, view.stride)
    sound = isinstance(view.storage, Storage) and view.storage.kind in TYPES
    sound = sound and all(isinstance(part, tuple) for part in lengths)
    sound = sound and len(view.size) == len(view.stride)
    numbers = (view.offset, *view.size, *view.stride) if sound else ()
    if not sound or not all(type(number) is int and number >= 0 for number in numbers):
        raise Refused(f"its tensor {printable(name)} is malformed")


def values(archive: zipfile.ZipFile, root: str, view: View) -> np.ndarray:
    """The tensor's values as unsigned integers of its width, in order."""
    width = TYPES[view.storage.kind][1]
    block = np.frombuffer(archive.read(f"{root}data/{view.storage.key}"), f"<u{width}")
    steps = zip(view.size, view.stride, strict=True)
    last = view.offset + sum((count - 1) * step for count, step in steps)
    if 0 in view.size:
        return block[:0]
    if last >= len(block):
        raise Refused("a tensor reaches beyond its storage")
    strides = [width * step for step in view.stride]
    return np.lib.stride_tricks.as_strided(block[view.offset :], view.size, strides)


def told(value: Any) -> str:
    """What an object is, for a message: of a stub, what it stands for."""
    kind = value if isinstance(value, type) else type(value)
    return f"of type {printable(kind.__name__)}"


def printable(text: str) -> str:
    """Text from the file, made harmless and short."""
    return "".join(c if c.isprintable() and c.isascii() else "?" for c in text[:80])


def limit() -> None:
    """Bounds memory, time and the size of what is written, where the system can."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_FSIZE, (2 * LARGEST, 2 * LARGEST))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def main() -> int:
    """Answers with {"kept": ...} or {"refused": why}; never with a traceback."""
    limit()
    try:
        print(json.dumps(convert(*sys.argv[1:])))
        return 0
    except Refused as error:
        reason = str(error)
    except MemoryError:
        reason = "it needs too much memory"
    except Exception as error:  # a damaged or hostile pickle can raise anything
        reason = f"it is damaged ({type(error).__name__})"
    print(json.dumps({"refused": reason}))
    return 1


if __name__ == "__main__":
    sys.exit(main())
