"""From an experiment to its key: a hash of all that decides its record, and of nothing else."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

ENGINE = 1  # raised whenever the same experiment would give other numbers


def stored(name: str | None = None, kept: bool = False) -> dict[str, Any]:
    """Metadata of a field that stands in records under another name, or is kept when it is None."""
    return {"name": name, "kept": kept}


def described(value: Any) -> Any:
    """A frozen value as a record holds it: JSON, without the fields that are None, at any depth.

    So a field that comes later, with None as its default, leaves the keys of earlier experiments
    as they are.
    """
    if is_dataclass(value) and not isinstance(value, type):
        held = {f: getattr(value, f.name) for f in fields(value)}
        return {
            f.metadata.get("name") or f.name: described(item)
            for f, item in held.items()
            if item is not None or f.metadata.get("kept")
        }
    if isinstance(value, (list, tuple)):
        return [described(item) for item in value]
    return value


def rebuilt(kind: type[T], description: Mapping[str, Any]) -> T:
    """The value of a dataclass that `described` gave, of plain fields; lists become tuples."""
    names = {f.metadata.get("name") or f.name: f.name for f in fields(kind)}
    held = {names[told]: value for told, value in description.items()}
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in held.items()})


def slug(text: str, longest: int = 60) -> str:
    """A part of a record's name: letters, digits and a few signs, not too many."""
    return re.sub(r"[^\w+.=@-]+", "_", text, flags=re.ASCII).strip(".")[:longest]


def key_of(task: str, description: Mapping[str, Any], engine: int | None = None) -> str:
    """Ten hexadecimal digits of a hash of everything, engine version included."""
    # Deraining came first, and its keys were made without the name of the task.
    named = {} if task == "derain" else {"task": task}
    return digest({"engine": ENGINE if engine is None else engine, **named, **description}, 10)


def training_key_of(task: str, description: Mapping[str, Any]) -> str:
    """The same, longer, of a description that holds only what decides the trained weights."""
    return digest({"engine": ENGINE, "training": task, **description}, 16)


def digest(value: Mapping[str, Any], digits: int) -> str:
    """So many hexadecimal digits of the SHA-256 of some JSON, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:digits]
