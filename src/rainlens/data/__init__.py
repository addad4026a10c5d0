"""The data sets: what they are, where they lie, how to get them and how to check them.

`RAINLENS_DATA` names the folder that holds them, one sub-folder for each set. `fetch` fills such
a folder: it downloads the originals that `registry.csv` lists, compares each with its SHA-256
checksum, and converts it to the file that the experiments read. `check` looks at what is there.
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd
import pooch
import requests
from PIL import Image
from tqdm import tqdm

VARIABLE = "RAINLENS_DATA"
REGISTRY = Path(__file__).with_name("registry.csv")


class DataError(RuntimeError):
    """Data that is missing, unknown or cannot be had; the message is one sentence."""


@dataclass(frozen=True)
class DataSet:
    """What a person needs to know about one data set.

    `count` is the number of files in the converted layout and `folders` are their places under
    the data folder. `shown` says whether the book may print its pictures. `by_hand` maps files
    that have no registered original to their SHA-256 checksum. `needs` names sets without which
    this one is of no use.
    """

    name: str
    what: str
    count: int
    licence: str
    credit: str
    source: str
    folders: tuple[str, ...]
    shown: bool = False
    by_hand: tuple[tuple[str, str], ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """The set's own folder under the data folder."""
        return self.name


_RAIN100 = "Yang et al., Deep joint rain detection and removal from a single image, CVPR 2017"
_UNKNOWN = "licence unknown: for measurements only, never redistributed"

SETS: dict[str, DataSet] = {
    entry.name: entry
    for entry in (
        DataSet(
            name="natural",
            what="BSDS500 photographs, 481x321, without the 91 scenes of the Rain100 test sets",
            count=409,
            licence="research use, with citation",
            credit="Arbelaez et al., Contour detection and hierarchical image segmentation, "
            "PAMI 2011",
            source="https://github.com/BIDS/BSDS500",
            folders=("natural",),
        ),
        DataSet(
            name="faces",
            what="official portraits of members of the US Congress",
            count=444,
            licence="public domain, by the collection's own notes (works of the US government)",
            credit="Official portraits, US Congress",
            source="https://github.com/vharnathka/cse151a",
            folders=("faces",),
            shown=True,
        ),
        DataSet(
            name="comics",
            what="Pepper&Carrot pages without text, on white",
            count=29,
            licence="CC BY 4.0, https://creativecommons.org/licenses/by/4.0/",
            credit="Pepper&Carrot by David Revoy, www.peppercarrot.com, CC BY 4.0, converted to "
            "JPEG",
            source="https://github.com/Deevad (peppercarrot_ep05, ep06, ep08, ep11)",
            folders=("comics",),
            shown=True,
        ),
        DataSet(
            name="urban",
            what="Urban100 photographs of buildings, short side 512",
            count=100,
            licence="Creative Commons photographs from Flickr",
            credit="Huang et al., Single image super-resolution from transformed self-exemplars, "
            "CVPR 2015",
            source="https://github.com/majedelhelou/denoising_datasets",
            folders=("urban",),
        ),
        DataSet(
            name="photos",
            what="ImageNet photographs, one of each class, short side at most 256",
            count=1000,
            licence="research use",
            credit="Deng et al., ImageNet: a large-scale hierarchical image database, CVPR 2009",
            source="https://github.com/EliSchwartz/imagenet-sample-images",
            folders=("photos",),
        ),
        DataSet(
            name="rain100l",
            what="Rain100L test set (light rain): clean pictures and grey rain layers",
            count=200,
            licence=_UNKNOWN,
            credit=_RAIN100,
            source="https://github.com/ytpeng-aimlab/Rain2Avoid-Self-Supervised-Single-Image-"
            "Deraining-with-Non-local-Stochastic-Sampling",
            folders=("rain100l/clean", "rain100l/rain"),
        ),
        DataSet(
            name="rain100h",
            what="Rain100H test set (heavy rain): grey rain layers over Rain100L's clean pictures",
            count=100,
            licence=_UNKNOWN,
            credit=_RAIN100,
            source="https://github.com/kuijiang94/MSPFN",
            folders=("rain100h/rain",),
            needs=("rain100l",),
        ),
        DataSet(
            name="real_rain",
            what="real rainy photographs with visible streaks, squashed to 512x512",
            count=39,
            licence=_UNKNOWN,
            credit="a public weather-classification set",
            source="not downloadable: any rainy photographs of your own serve",
            folders=("real_rain",),
        ),
        DataSet(
            name="weights",
            what="published weights: PReNet, PRN, a tiny autoencoder, LPIPS and NIQE parameters",
            count=11,
            licence="PReNet: no licence stated; autoencoder: MIT; LPIPS: BSD-2-Clause; "
            "SqueezeNet: BSD; NIQE: Apache-2.0",
            credit="Ren et al. 2019 (PReNet); madebyollin/taesd; Zhang et al. 2018 (LPIPS); "
            "Iandola et al. 2016 (SqueezeNet); Mittal et al. 2013 (NIQE), file of BasicSR",
            source="https://github.com/csdwren/PReNet and three more, see registry.csv",
            folders=("weights",),
            by_hand=(
                (
                    "squeezenet1_1_features.mat",
                    "1bb1685c050e78053830d0c70a813479952e0c6fa5f334118cd0a93fb8acd166",
                ),
            ),
        ),
    )
}


# ---------------------------------------------------------------- where the data lie


def data_root() -> Path | None:
    """The folder that RAINLENS_DATA names, or None where the variable is unset or empty.

    Raises:
        DataError: the variable names something that is not a folder.
    """
    value = os.environ.get(VARIABLE, "").strip()
    if not value:
        return None
    root = Path(value).expanduser().resolve()
    if not root.is_dir():
        raise DataError(
            f"{VARIABLE} names {value}, which is not a folder: create it, correct the variable, "
            "or unset it."
        )
    return root


def default_root() -> Path:
    """Where `fetch` puts the data when RAINLENS_DATA is unset: the user's cache folder."""
    return Path(pooch.os_cache("rainlens"))


def root_message(root: Path) -> str:
    """One sentence that tells the user how to make rainlens read the data in `root`."""
    return f'Set {VARIABLE} to use these data, for example: export {VARIABLE}="{root}"'


def set_folder(name: str) -> Path | None:
    """The folder of the set `name`, or None where the set is not there.

    A set is there when each of its folders holds a file; `check` says whether it is complete.

    Raises:
        DataError: there is no set of that name, or RAINLENS_DATA names no folder.
    """
    entry, root = _entry(name), data_root()
    if root is None or not all(_visible_files(root / part) for part in entry.folders):
        return None
    return root / entry.folder


def _entry(name: str) -> DataSet:
    if name not in SETS:
        raise DataError(f"There is no data set '{name}': choose from {', '.join(SETS)}.")
    return SETS[name]


def _visible_files(folder: Path) -> list[Path]:
    """The files under `folder`, hidden ones (such as unfinished ones) left out, in order."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if not path.name.startswith("."))


# ---------------------------------------------------------------- what the registry lists


@dataclass(frozen=True)
class Original:
    """One row of the registry: a file as its authors publish it, pinned to a commit."""

    set: str
    bytes: int
    sha256: str
    url: str

    @property
    def path(self) -> str:
        """The file's path inside its repository (what follows the commit in the address)."""
        whole = unquote(urlsplit(self.url).path).strip("/")
        return re.split(r"(?:^|/)[0-9a-f]{40}/", whole, maxsplit=1)[-1]


def read_registry(path: Path | None = None) -> list[Original]:
    """The rows of a registry (columns set, bytes, sha256, url); by default the package's own.

    Raises:
        DataError: the file cannot be read, or a row is not one.
    """
    path = REGISTRY if path is None else Path(path)
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return [_original(path, row) for row in csv.DictReader(file)]
    except OSError as error:
        raise DataError(f"The registry {path} cannot be read: {error.strerror}.") from error


def _original(path: Path, row: dict[str, str]) -> Original:
    try:
        original = Original(row["set"], int(row["bytes"]), row["sha256"].lower(), row["url"])
        sound = re.fullmatch("[0-9a-f]{64}", original.sha256) and original.set in SETS
    except (KeyError, TypeError, ValueError, AttributeError):
        sound = None
    # A path that climbs out of the download folder must never be followed.
    if not sound or ".." in original.path.split("/"):
        raise DataError(f"The registry {path} has a row that cannot be used: {dict(row)}.")
    return original


# ---------------------------------------------------------------- conversions

Maker = Callable[[Sequence[Path], Path], None]


def _copy(sources: Sequence[Path], target: Path) -> None:
    shutil.copyfile(sources[0], target)


def on_white(image: Image.Image) -> Image.Image:
    """An RGB picture: `image` (any mode, with or without transparency) laid over white."""
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")


def shrink(image: Image.Image, short_side: int) -> Image.Image:
    """`image` scaled so that its short side is `short_side` pixels; never enlarged."""
    scale = short_side / min(image.size)
    if scale >= 1:
        return image
    width, height = (round(side * scale) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def rain_layer(rainy: np.ndarray, clean: np.ndarray) -> np.ndarray:
    """The grey rain layer R of a Rain100 pair, for which `rainy = min(clean + R, 255)`.

    Where a channel is saturated it hides a part of the rain. The largest difference over the
    channels is the smallest layer that explains the pair.

    Args:
        rainy: (H, W, 3), uint8.
        clean: (H, W, 3), uint8.

    Returns:
        (H, W), uint8.

    Raises:
        ValueError: the shapes differ, or more than one pixel in a thousand is not clean plus
            grey rain.
    """
    if rainy.shape != clean.shape:
        raise ValueError(f"the rainy picture is {rainy.shape} and the clean one {clean.shape}")
    layer = (rainy.astype(np.int16) - clean).max(axis=2).clip(min=0)
    again = np.minimum(clean + layer[..., None], 255)
    wrong = (again != rainy).any(axis=2).mean()
    if wrong > 0.001:
        raise ValueError(f"{wrong:.1%} of the pixels are not clean plus grey rain")
    return layer.astype(np.uint8)


def _comic(sources: Sequence[Path], target: Path) -> None:
    with Image.open(sources[0]) as image:
        on_white(image).save(target, "JPEG", quality=93, subsampling=0)


def _shrunk(
    sources: Sequence[Path], target: Path, short_side: int, quality: int, subsampling: int
) -> None:
    with Image.open(sources[0]) as image:
        small = shrink(image.convert("RGB"), short_side)
    small.save(target, "JPEG", quality=quality, subsampling=subsampling)


def _pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def _clean_png(sources: Sequence[Path], target: Path) -> None:
    Image.fromarray(_pixels(sources[0])).save(target, "PNG", optimize=True)


def _rain_png(sources: Sequence[Path], target: Path) -> None:
    layer = rain_layer(_pixels(sources[0]), _pixels(sources[1]))
    Image.fromarray(layer).save(target, "PNG", optimize=True)


_MAKERS: dict[str, Maker] = {
    "natural": _copy,
    "faces": _copy,
    "comics": _comic,
    "urban": partial(_shrunk, short_side=512, quality=93, subsampling=0),
    "photos": partial(_shrunk, short_side=256, quality=88, subsampling=2),
    "weights": _copy,
}


# ---------------------------------------------------------------- from originals to targets


@dataclass(frozen=True)
class _Job:
    """One file of the layout: where it goes (under the root), from what, and how."""

    target: str
    sources: tuple[Original, ...]
    make: Maker

    @property
    def sha256(self) -> str | None:
        """The checksum that the target must have, known where it is a copy."""
        return self.sources[0].sha256 if self.make is _copy else None


def _jobs(name: str, registry: Iterable[Original]) -> list[_Job]:
    """All files of one set that can be made from the registry, in order."""
    rows = [row for row in registry if row.set == name]
    if name.startswith("rain100"):
        return _rain100_jobs(name, rows)
    named = ((_target(name, row.path), row) for row in rows)
    return [_Job(target, (row,), _MAKERS[name]) for target, row in named if target]


# The registry also lists PReNet's recursive and real-rain variants, which nothing here reads.
_WEIGHT_PLACES = (
    (r"logs/(Rain100[LH])/(PRN6|PReNet6)/net_latest\.pth", r"weights/prenet/\2_\1.pth"),
    (r"lpips/weights/v0\.1/(\w+\.pth)", r"weights/lpips_v0.1/\1"),
    (r"(taef2_(?:en|de)coder\.pth)", r"weights/taef2/\1"),
    (r"basicsr/metrics/(niqe_pris_params\.npz)", r"weights/\1"),
)


def _target(name: str, path: str) -> str | None:
    """Where the original at `path` of its repository goes; None where it is not used."""
    if name == "weights":
        places = ((re.fullmatch(was, path), becomes) for was, becomes in _WEIGHT_PLACES)
        return next((match.expand(becomes) for match, becomes in places if match), None)
    stem = Path(path).stem
    # Records name the photographs by these stems: keep the prefix as it is.
    return f"{name}/imagene_{stem}.jpg" if name == "photos" else f"{name}/{stem}.jpg"


def _rain100_jobs(name: str, rows: Iterable[Original]) -> list[_Job]:
    clean, rainy = {}, {}
    for row in rows:
        kind, number = Path(row.path).parent.name, int(Path(row.path).stem)
        (clean if kind in ("target", "cleancrop") else rainy)[number] = row
    if clean.keys() != rainy.keys():
        raise DataError(f"The registry lists {name} pictures without a partner.")
    pairs = [(f"{n:03}.png", rainy[n], clean[n]) for n in sorted(clean)]
    jobs = [_Job(f"{name}/rain/{file}", (wet, dry), _rain_png) for file, wet, dry in pairs]
    if name == "rain100l":
        jobs += [_Job(f"{name}/clean/{file}", (dry,), _clean_png) for file, _, dry in pairs]
    return jobs


# ---------------------------------------------------------------- is a file sound?


def _file_sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sound(path: Path, sha256: str | None = None) -> bool:
    """Whether the file has the checksum, or, where none is given, decodes as a picture."""
    try:
        if sha256 is not None:
            return _file_sha256(path) == sha256
        with Image.open(path) as image:
            image.load()
        return True
    # Pillow raises many kinds of error on damaged files, SyntaxError among them.
    except Exception:
        return False


# ---------------------------------------------------------------- fetch

# After so many files in a row that no server would serve, the rest is not tried.
_GIVE_UP_AFTER = 5
_LONGEST_WAIT = 120.0
_PERMANENT = frozenset({400, 401, 403, 404, 410, 451})


class _NotHad(Exception):
    """An original could not be had; `unreachable` where the server is to blame, not the file."""

    def __init__(self, reason: str, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.unreachable = unreachable


@dataclass
class _Fetcher:
    """Carries jobs out, and remembers those that failed."""

    root: Path
    attempts: int
    wait: float
    timeout: float
    failed: list[tuple[str, str]] = field(default_factory=list)
    untried: int = 0
    silent: int = 0

    def run(self, job: _Job) -> bool:
        """Make one file; False where it failed or was not tried any more."""
        if self.silent >= _GIVE_UP_AFTER:
            self.untried += 1
            return False
        try:
            _make(job, [self._get(source) for source in job.sources], self.root / job.target)
        except _NotHad as error:
            self.silent = self.silent + 1 if error.unreachable else 0
            self.failed.append((job.target, str(error)))
            return False
        self.silent = 0
        return True

    def _get(self, original: Original) -> Path:
        """The original's path on disk; downloaded if need be, tried several times."""
        for attempt in range(self.attempts):
            try:
                return self._download(original)
            except (requests.RequestException, ValueError) as error:
                reason, pause = _reason(error), _pause(error, self.wait * 2**attempt)
                unreachable = _is_unreachable(error)
            if pause is None:
                break
            if attempt + 1 < self.attempts:
                time.sleep(pause)
        raise _NotHad(reason, unreachable)

    def _download(self, original: Original) -> Path:
        # pooch compares the checksum before it gives a file its name, and leaves a file that
        # already has the right one alone.
        place = self.root / "originals" / original.set / original.path
        pooch.retrieve(
            original.url,
            known_hash=f"sha256:{original.sha256}",
            fname=place.name,
            path=place.parent,
            downloader=pooch.HTTPDownloader(chunk_size=2**16, timeout=self.timeout),
        )
        return place


def _status(error: Exception) -> int | None:
    response = getattr(error, "response", None)
    return None if response is None else response.status_code


def _is_unreachable(error: Exception) -> bool:
    """Whether other files of the same server would fail alike."""
    status = _status(error)
    if status is not None:
        return status == 429 or status >= 500
    return isinstance(error, requests.ConnectionError | requests.Timeout)


def _reason(error: Exception) -> str:
    """Why a download failed, in a few words."""
    if status := _status(error):
        return f"the server answered {status}"
    if isinstance(error, requests.Timeout):
        return "the server did not answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the transfer broke off"
    if isinstance(error, requests.ConnectionError):
        return "no connection to the server"
    return "wrong checksum" if isinstance(error, ValueError) else type(error).__name__


def _pause(error: Exception, usual: float) -> float | None:
    """Seconds to wait before the next attempt; None where another one is of no use."""
    if _status(error) in _PERMANENT:
        return None
    response = getattr(error, "response", None)
    asked = "" if response is None else response.headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_WAIT) if asked.isdigit() else usual


def _make(job: _Job, sources: Sequence[Path], target: Path) -> None:
    """Convert into a hidden file and rename it, so that no half-written target is ever seen."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        job.make(sources, part)
        os.replace(part, target)
    except (OSError, ValueError, SyntaxError) as error:
        # Errors of the file system carry a number, those of Pillow about a picture do not.
        if getattr(error, "errno", None) is not None:
            raise
        raise _NotHad(f"conversion failed: {error}") from error
    finally:
        part.unlink(missing_ok=True)


def fetch(
    names: Iterable[str] = (),
    root: Path | None = None,
    progress: bool = True,
    *,
    registry: Path | None = None,
    attempts: int = 4,
    wait: float = 1.0,
    timeout: float = 30.0,
) -> pd.DataFrame:
    """Download and convert sets; files that are there and sound are left alone.

    A file of the layout is made as soon as its originals are there, so a run that is stopped
    loses at most the file under way, and the next run continues. The originals stay in
    `root/originals`; they may be deleted once the sets are complete.

    Args:
        names: sets to fetch; none means all that can be downloaded. A set brings those it needs.
        root: the data folder; by default RAINLENS_DATA, else `default_root()`.
        progress: draw one progress bar a set.
        registry: a CSV file to use in place of the package's own.
        attempts: how often each download is tried.
        wait: seconds before the second attempt; doubled before each further one.
        timeout: seconds without a byte after which an attempt is given up.

    Returns:
        One row a set: files made, files kept as they were.

    Raises:
        DataError: a name is unknown, the set cannot be downloaded, the disk cannot be written,
            or, after all else was done, some files could not be had.
    """
    rows = read_registry(registry)
    plan = {name: _jobs(name, rows) for name in _with_needs(names, rows)}
    root = (data_root() or default_root()) if root is None else Path(root).expanduser()
    pooch.get_logger().setLevel("WARNING")
    fetcher = _Fetcher(root.resolve(), attempts, wait, timeout)
    try:
        table = [_fetch_set(fetcher, name, jobs, progress) for name, jobs in plan.items()]
    except OSError as error:
        raise DataError(
            f"The data folder {root} cannot be written ({error.strerror or error}): free some "
            "space or choose another folder, then run the same command again."
        ) from error
    _complain(fetcher)
    return pd.DataFrame(table, columns=["set", "made", "kept"]).set_index("set")


def _with_needs(names: Iterable[str], rows: Iterable[Original]) -> list[str]:
    """The sets to fetch, each once, in the order of SETS."""
    listed = {row.set for row in rows}
    asked = [_entry(name) for name in names]
    for entry in asked:
        if entry.name not in listed:
            raise DataError(
                f"{entry.name} cannot be downloaded, because no lasting address of its files is "
                f"known: put pictures of your own into its folder '{entry.folder}'."
            )
    wanted = {name for entry in asked for name in (entry.name, *entry.needs)} or listed
    return [name for name in SETS if name in wanted]


def _fetch_set(
    fetcher: _Fetcher, name: str, jobs: Sequence[_Job], progress: bool
) -> tuple[str, int, int]:
    made = kept = 0
    for job in tqdm(jobs, desc=name, unit="file", disable=not progress):
        if _sound(fetcher.root / job.target, job.sha256):
            kept += 1
        else:
            made += fetcher.run(job)
    return name, made, kept


def _complain(fetcher: _Fetcher) -> None:
    """Raise one message about all that failed, if anything did."""
    if not fetcher.failed:
        return
    shown = ", ".join(f"{target} ({reason})" for target, reason in fetcher.failed[:10])
    more = f" and {len(fetcher.failed) - 10} more" if len(fetcher.failed) > 10 else ""
    untried = (
        f", and {fetcher.untried} more were not tried because the server serves nothing"
        if fetcher.untried
        else ""
    )
    raise DataError(
        f"{_files(len(fetcher.failed))} could not be had: {shown}{more}{untried}; "
        "all others are in place, and running the same command again continues."
    )


def _files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"


# ---------------------------------------------------------------- listing and check


def _expected(entry: DataSet, registry: Iterable[Original]) -> dict[str, str | None]:
    """Path under the root -> checksum (None: a picture) of all files that the set should have."""
    files: dict[str, str | None] = {job.target: job.sha256 for job in _jobs(entry.name, registry)}
    return files | {f"{entry.folder}/{file}": sha256 for file, sha256 in entry.by_hand}


def listing(root: Path | None = None) -> pd.DataFrame:
    """All sets at a glance, without reading the files.

    Args:
        root: the data folder; by default RAINLENS_DATA.

    Returns:
        Indexed by `set`: `what`, `files` expected, `megabytes` of the originals to download
        (10^6 bytes, NaN where there are none), `licence`, `present` ("yes", "no" or
        "<found> of <expected>").

    Raises:
        DataError: RAINLENS_DATA names no folder.
    """
    root, rows = data_root() if root is None else Path(root), read_registry()
    table = [
        (e.name, e.what, e.count, _megabytes(e, rows), e.licence, _present(e, rows, root))
        for e in SETS.values()
    ]
    columns = ["set", "what", "files", "megabytes", "licence", "present"]
    return pd.DataFrame(table, columns=columns).set_index("set")


def _megabytes(entry: DataSet, registry: Iterable[Original]) -> float:
    used = {source for job in _jobs(entry.name, registry) for source in job.sources}
    return sum(source.bytes for source in used) / 1e6 if used else float("nan")


def _present(entry: DataSet, registry: Iterable[Original], root: Path | None) -> str:
    if root is None:
        return "no"
    names = _expected(entry, registry)
    if names:
        found = sum((root / name).is_file() for name in names)
    else:
        found = len(_pictures(root, entry))
    if found == 0:
        return "no"
    return "yes" if found >= entry.count else f"{found} of {entry.count}"


def _pictures(root: Path, entry: DataSet) -> list[str]:
    """Paths under the root of the pictures in a set's folders, hidden files left out."""
    files = [path for part in entry.folders for path in _visible_files(root / part)]
    pictures = (path for path in files if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    return [path.relative_to(root).as_posix() for path in pictures]


def check(root: Path | None = None, *, registry: Path | None = None) -> pd.DataFrame:
    """Look at every file of every set.

    Copied files must have the checksum of the registry; converted ones must decode. Pictures
    that do not belong to a set count as `extra`, because the experiments would read them.

    Args:
        root: the data folder; by default RAINLENS_DATA, else `default_root()`.
        registry: a CSV file to use in place of the package's own.

    Returns:
        Indexed by `set`: `complete` (bool), the counts `expected`, `missing`, `damaged` and
        `extra`, `examples` (names of a few of these files), and `note`.

    Raises:
        DataError: there is no such folder.
    """
    root = (data_root() or default_root()) if root is None else Path(root).expanduser()
    if not root.is_dir():
        raise DataError(f"There is no data folder {root}: fetch the data first.")
    rows = read_registry(registry)
    table = [_check_set(entry, rows, root) for entry in SETS.values()]
    return pd.DataFrame(table).set_index("set")


def _check_set(entry: DataSet, rows: Iterable[Original], root: Path) -> dict[str, object]:
    pictures = _pictures(root, entry)
    # A set without registered originals is whatever pictures the user put there.
    listed = _expected(entry, rows)
    names = listed or dict.fromkeys(pictures)
    missing = [name for name in names if not (root / name).is_file()]
    there = [name for name in names if name not in missing]
    damaged = [name for name in there if not _sound(root / name, names[name])]
    extra = [name for name in pictures if name not in names]
    short = 0 if listed else max(entry.count - len(pictures), 0)
    return {
        "set": entry.name,
        "complete": not (missing or damaged or extra or short) and bool(names),
        "expected": len(listed) or entry.count,
        "missing": len(missing) + short,
        "damaged": len(damaged),
        "extra": len(extra),
        "examples": ", ".join(damaged[:3] + missing[:3] + extra[:3]),
        "note": _note(entry, listed, missing),
    }


def _note(entry: DataSet, listed: dict[str, str | None], missing: Sequence[str]) -> str:
    """What no download can mend."""
    by_hand = [file for file, _ in entry.by_hand if f"{entry.folder}/{file}" in missing]
    if by_hand:
        return f"cannot be downloaded: {', '.join(by_hand)}"
    return "" if listed else "cannot be downloaded: pictures of your own"


def digest(name: str) -> str:
    """Stands in until the rooms are split."""
    return name
