"""A record: what an experiment showed, and how it stands in a file.

A record may come from elsewhere. It is data, never a path or markup: what is read has to have the
form that is written here, its name has to fit its experiment, and its files are called after it.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from rainlens.records.values import key_of

FORMAT = 1
ADVICE = "restore it from version control, or delete it to compute it again"
NAME = re.compile(r"[a-z0-9]+-[\w+.=@-]{1,160}-[0-9a-f]{10}", re.ASCII)
PART = re.compile(r"[\w+-]{1,60}", re.ASCII)  # of a file's name: a test set
COLUMN = re.compile(r"[\w/+. -]{1,80}", re.ASCII)  # a curve or a measure
SUM = re.compile(r"[0-9a-f]{64}")
LONGEST = 1000  # characters of a string in a record
DEEPEST = 8  # nested lists and objects


Series = Mapping[str, Sequence[float | None]]  # columns by name


class RecordError(RuntimeError):
    """A record cannot be used; the message says which and what to do."""


@dataclass(frozen=True)
class Record:
    """What an experiment showed.

    task: the kind of experiment; the first records did not name it, their names begin with it.
    experiment: all that decides the outcome, as JSON. curves: training curves by name.
    tests: test set -> measure -> one value a picture, None where it is undefined or infinite (JSON
    knows no other word for it; NumPy reads it as nan). pictures: test set -> file names of the
    outputs, in the order of the set. provenance: versions, device, seconds, commit. data: set of
    pictures -> digest of the files that it was computed from. sums: file -> SHA-256 of the
    pictures and weights that belong to it; the first records did not have these two.
    """

    name: str
    experiment: dict[str, Any]
    curves: Series
    tests: Mapping[str, Series]
    pictures: dict[str, list[str]] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    task: str = ""
    data: dict[str, str] = field(default_factory=dict)
    sums: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.task:
            object.__setattr__(self, "task", self.name.split("-")[0])

    @property
    def results(self) -> dict[str, Any]:
        """What was found, without where and when: equal for equal runs."""
        return {
            "task": self.task,
            "name": self.name,
            "experiment": self.experiment,
            "curves": self.curves,
            "tests": self.tests,
            "pictures": self.pictures,
        }

    @property
    def files(self) -> list[str]:
        """Names of the pictures and weights that belong to it, as far as it says so."""
        pictures = (name for names in self.pictures.values() for name in names)
        return list(dict.fromkeys([*pictures, *self.sums]))


def picture_name(record: str, test: str, index: int) -> str:
    """What the file of a kept output is called."""
    return f"{record}.{test}.{index}.webp"


def weights_name(record: str) -> str:
    """What the file of the weights that belong to a record is called."""
    return f"{record}.safetensors"


def to_bytes(record: Record) -> bytes:
    """The content of a record's file; numbers have seven significant digits."""
    body = {"format": FORMAT, **_content(record)}
    told = {**body, "sha256": checksum(body)}
    return json.dumps(told, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def _content(record: Record) -> dict[str, Any]:
    return {
        **record.results,
        "curves": rounded(record.curves),
        "tests": rounded(record.tests),
        "provenance": rounded(record.provenance),
        "data": record.data,
        "sums": record.sums,
    }


def parse(path: Path, content: bytes) -> Record:
    """The record in the content of a file.

    Raises RecordError where it is damaged, of another format or form, or goes by another name.
    """
    try:
        body = json.loads(content)
        told = body.pop("sha256")
        version = body.pop("format")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise RecordError(f"{path} is damaged ({type(error).__name__}); {ADVICE}.") from error
    if version != FORMAT:
        raise RecordError(
            f"{path} has format {str(version)[:20]!r}, this version reads {FORMAT}; {ADVICE}."
        )
    if told != checksum({"format": version, **body}):
        raise RecordError(f"{path} is damaged (its checksum does not fit); {ADVICE}.")
    record = _Form(path).record(body)
    if record.name != path.stem:
        raise RecordError(f"{path} holds the record {record.name}; give it that name again.")
    return record


def checksum(body: Mapping[str, Any]) -> str:
    """SHA-256 of some JSON, whatever the order of its keys."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def rounded(value: Any) -> Any:
    """JSON with floats of seven significant digits; those that are not finite become None."""
    if isinstance(value, float):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item) for item in value]
    return value


class _Form:
    """Checks that what was read has the form of a record."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def record(self, body: Mapping[str, Any]) -> Record:
        """The record, if everything about it is as it should be."""
        known = Record.__dataclass_fields__
        lacking = {"name", "experiment", "curves", "tests", "pictures", "provenance"} - set(body)
        if lacking or set(body) - set(known):
            self.refuse(f"fields {sorted({*lacking, *(set(body) - set(known))})} are wrong")
        self.text(body["name"], NAME, "its name")
        for name in set(body) - {"name", "task"}:
            self.table(body[name], name)
        for part in ("experiment", "provenance"):
            self.plain(body[part], part)
        for name, column in body["curves"].items():
            self.column(name, column)
        for test, measures in body["tests"].items():
            self.text(test, PART, "a test set")
            for name, column in self.table(measures, test).items():
                self.column(name, column)
        record = Record(**body)
        self.task_and_key(record)
        self.file_names(record)
        return record

    def task_and_key(self, record: Record) -> None:
        """The name has to begin with the task and to end in the key of the experiment."""
        engine = record.provenance.get("engine")
        if record.task != record.name.split("-")[0]:
            self.refuse(f"its task is {str(record.task)[:20]!r}")
        if record.name[-10:] != key_of(record.task, record.experiment, engine):
            self.refuse("its name is not that of its experiment")

    def file_names(self, record: Record) -> None:
        """Pictures and weights are called after their record, so that none is a path."""
        for test, names in record.pictures.items():
            self.text(test, PART, "a test set")
            if not isinstance(names, list):
                self.refuse("its pictures are no list")
            if names != [picture_name(record.name, test, i) for i in range(len(names))]:
                self.refuse(f"the pictures of {test} are not called after it")
        own = {name for names in record.pictures.values() for name in names}
        for name, told in record.sums.items():
            if name not in own and name != weights_name(record.name):
                self.refuse("it lists a file that is not called after it")
            self.text(told, SUM, "a checksum")
        for name, told in record.data.items():
            self.plain([name, told], "data")

    def column(self, name: str, column: Any) -> None:
        """A curve or a measure: a list of finite numbers and nulls."""
        self.text(name, COLUMN, "a curve or measure")
        if not isinstance(column, list) or not all(map(_is_number, column)):
            self.refuse(f"{name} is no list of finite numbers")

    def table(self, value: Any, what: str) -> dict[str, Any]:
        """An object."""
        if not isinstance(value, dict):
            self.refuse(f"{what} is no object")
        return value

    def plain(self, value: Any, what: str, depth: int = 0) -> None:
        """JSON of short printable strings and finite numbers, not too deep."""
        if depth > DEEPEST:
            self.refuse(f"{what} is nested too deeply")
        if isinstance(value, dict):
            value = [*value.keys(), *value.values()]
        if isinstance(value, list):
            for item in value:
                self.plain(item, what, depth + 1)
        elif isinstance(value, str):
            if len(value) > LONGEST or not value.isprintable():
                self.refuse(f"{what} holds a string that is too long or cannot be printed")
        elif not (_is_number(value) or isinstance(value, bool)):
            self.refuse(f"{what} holds a number that is not finite")

    def text(self, value: Any, form: re.Pattern[str], what: str) -> None:
        """A string of a certain form."""
        if not isinstance(value, str) or not form.fullmatch(value):
            self.refuse(f"{what} is {str(value)[:40]!r}")

    def refuse(self, why: str) -> NoReturn:
        """Raises RecordError."""
        raise RecordError(f"{self.path} does not have the form of a record ({why}); {ADVICE}.")


def _is_number(value: Any) -> bool:
    """A finite number or null; true and false are none."""
    if value is None:
        return True
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
