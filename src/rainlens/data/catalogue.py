"""The data sets: what they are, where they lie, and which originals the registry lists.

`RAINLENS_DATA` names the folder that holds them, one sub-folder for each set. `registry.csv` lists
the files as their authors publish them, each pinned to a commit, with its SHA-256 checksum.
"""

from __future__ import annotations

import csv
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pooch

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
            name="real_rain147",
            what="real rainy photographs without ground truth, as most deraining papers show them",
            count=147,
            licence="rights in the photographs unknown: to measure and to look at on your own "
            "machine only",
            credit="the copy kept with Yasarla et al., Syn2Real, CVPR 2020",
            source="https://github.com/rajeevyasarla/Syn2Real (code: MIT)",
            folders=("real_rain147",),
        ),
        DataSet(
            name="weights",
            what="published weights: PReNet, PRN, a tiny autoencoder, LPIPS, NIQE and BRISQUE",
            count=13,
            licence="PReNet: no licence stated; autoencoder: MIT; LPIPS: BSD-2-Clause; "
            "SqueezeNet: BSD; NIQE: Apache-2.0; BRISQUE: permissive notice, with citation",
            credit="Ren et al. 2019 (PReNet); madebyollin/taesd; Zhang et al. 2018 (LPIPS); "
            "Iandola et al. 2016 (SqueezeNet); Mittal et al. 2013 (NIQE), file of BasicSR; "
            "Mittal et al. 2012 (BRISQUE)",
            source="https://github.com/csdwren/PReNet and four more, see registry.csv",
            folders=("weights",),
            by_hand=(
                (
                    "squeezenet1_1_features.mat",
                    "1bb1685c050e78053830d0c70a813479952e0c6fa5f334118cd0a93fb8acd166",
                ),
            ),
        ),
        DataSet(
            name="iqa_calibration",
            what="five picture pairs, and what official programs measure on them",
            count=11,
            licence="no terms stated for the pictures: for tests on your own machine only",
            credit="Chen and Mo, IQA-PyTorch; pictures of TID2013, Ponomarenko et al. 2015",
            source="https://github.com/chaofengc/IQA-PyTorch",
            folders=("iqa_calibration/ref", "iqa_calibration/dist"),
            by_hand=(
                (
                    "official_values.csv",
                    "92bea67a2009ce565c81d43f7d66bf39b73ecf43d3f8d91cf0d6f82ba8616b02",
                ),
            ),
        ),
    )
}


def data_root(must_exist: bool = True) -> Path | None:
    """The folder that RAINLENS_DATA names, or None where the variable is unset or empty.

    must_exist: for those who read; whoever is about to fill the folder makes it.

    Raises:
        DataError: the variable names something that is not a folder.
    """
    value = os.environ.get(VARIABLE, "").strip()
    if not value:
        return None
    try:
        root = Path(value).expanduser().resolve()
        sound = root.is_dir() or not (must_exist or root.exists())
    except (OSError, RuntimeError, ValueError):  # no such user, links in a circle, a zero byte
        sound = False
    if not sound:
        raise DataError(
            f"{VARIABLE} names {value}, which is not a folder: create it, fill it with "
            "`rainlens data fetch`, correct the variable, or unset it."
        )
    return root


def default_root() -> Path:
    """Where `fetch` puts the data when RAINLENS_DATA is unset: the user's cache folder."""
    return Path(pooch.os_cache("rainlens"))


def root_message(root: Path) -> str:
    """One sentence that tells the user how to make rainlens read the data in `root`."""
    return f'To make rainlens read the data in {root}: export {VARIABLE}="{root}"'


def entry_named(name: str) -> DataSet:
    """The set of that name. Raises DataError naming those there are."""
    if name not in SETS:
        raise DataError(f"There is no data set '{name}': choose from {', '.join(SETS)}.")
    return SETS[name]


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


@cache
def packaged_registry() -> tuple[Original, ...]:
    """The rows of the package's own registry."""
    return tuple(read_registry())


def _original(path: Path, row: dict[str, str]) -> Original:
    try:
        # What follows a slash is a folder of the set, as in weights/brisque.
        name = row["set"].partition("/")[0]
        original = Original(name, int(row["bytes"]), row["sha256"].lower(), row["url"])
        sound = re.fullmatch("[0-9a-f]{64}", original.sha256) and original.set in SETS
    except (KeyError, TypeError, ValueError, AttributeError):
        sound = None
    # A path that climbs out of the download folder must never be followed.
    if not sound or ".." in original.path.split("/"):
        raise DataError(f"The registry {path} has a row that cannot be used: {dict(row)}.")
    return original
