"""How a build of the book was made, and where the records it reads were computed.

Both differ from build to build, so that they are told when the book is built: `lay_out` puts
tables in place of the marks in the staged `book/provenance.md`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import rainlens
from rainlens import origin, training
from rainlens.escaping import as_code, escaped
from rainlens.records import Record, RecordStore
from rainlens.scales import Scale
from rainlens.site.marks import fill

MARKS = {
    name: f"<!-- provenance: {name} -->"
    for name in ("this build", "the records", "where and when", "how to cite")
}
PACKAGES = ("jupyter-book", "sphinx", "myst-nb", "numpy", "scipy", "pandas", "matplotlib", "pillow")
KINDS = {
    "derain": "deraining networks",
    "toy": "toy networks",
    "survey": "surveys of pictures",
}
PAPERS = "hu2026revisiting", "gu2023slacking"
DIRTY = "-dirty"  # what git adds to a commit that was not all of the code
UNSAID = "not said"
LONGEST = 80  # letters of what a record says of a device or a commit


@dataclass(frozen=True)
class Share:
    """A part of the records: what they have in common, how many, how long they took together."""

    common: tuple[str, ...]
    count: int
    seconds: float


def shares(records: Iterable[Record], common: Callable[[Record], tuple[str, ...]]) -> list[Share]:
    """The records of which `common` tells the same, the most first."""
    groups: dict[tuple[str, ...], list[Record]] = {}
    for record in records:
        groups.setdefault(common(record), []).append(record)
    found = [Share(told, len(group), seconds(group)) for told, group in groups.items()]
    return sorted(found, key=lambda share: (-share.count, share.common))


def seconds(records: Iterable[Record]) -> float:
    """How long computing the records took, as if one had followed the other."""
    told = (record.provenance.get("seconds", 0.0) for record in records)
    return sum(length for length in told if isinstance(length, int | float))


def kind(record: Record) -> tuple[str]:
    """What was done for a record, in words; of a kind unknown here, the name's first part."""
    first = record.name.split("-")[0]
    return (KINDS.get(first, first),)


def place(record: Record) -> tuple[str, str, str]:
    """What a record was computed on: device, threads and version of torch."""
    device, threads, torch = (
        str(record.provenance.get(key, UNSAID)) for key in ("device", "threads", "torch")
    )
    return device, threads, torch


def commit(record: Record) -> tuple[str]:
    """The commit of the code that computed a record."""
    return (str(record.provenance.get("commit", UNSAID)),)


def is_dirty(record: Record) -> bool:
    """Whether the code had changes that no commit holds, so that it cannot be had again."""
    return str(record.provenance.get("commit")).endswith(DIRTY)


def size(store: RecordStore, records: Iterable[Record]) -> int:
    """The bytes of all files that the records consist of, as far as these are there."""
    files = [path for record in records for path in store.files(record)]
    return sum(path.stat().st_size for path in files if path.exists())


def lay_out(book: Path, setting: Scale, now: datetime | None = None) -> None:
    """Completes the page in the staged pages of `book`; `now` is the time of the build."""
    records = list(setting.store)
    parts = {
        "this build": _build(setting, now or datetime.now(UTC)),
        "the records": _records(setting, records),
        "where and when": _places(records),
        "how to cite": _citations(book / "references.bib"),
    }
    page = book / "provenance.md"
    fill(page, {MARKS[name]: part for name, part in parts.items()})


def _build(setting: Scale, now: datetime) -> str:
    here = origin.where(training.device())
    rows = [
        ("built", f"{now.astimezone(UTC):%Y-%m-%d %H:%M} UTC"),
        ("scale", f"{as_code(setting.name)}: {escaped(setting.about)}"),
        ("rainlens", f"{escaped(here['rainlens'])}, commit {as_code(here['commit'], LONGEST)}"),
        ("device", escaped(here["device"], LONGEST)),
        ("Python", escaped(here["python"])),
        ("torch", escaped(here["torch"])),
        *((name, escaped(_version(name))) for name in PACKAGES),
    ]
    return _table(("part", "which"), rows)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _records(setting: Scale, records: Sequence[Record]) -> str:
    if not records:
        return f"There is no record of the scale `{setting.name}` yet."
    total = seconds(records)
    table = _shares_table(("what was recorded",), shares(records, kind))
    return (
        f"The scale `{setting.name}` has {_number(len(records), 'record')}, with pictures and "
        f"weights {size(setting.store, records) / 1e6:.1f} MB. "
        f"Computing them took {total:,.0f} seconds in all, {_time(total)}, "
        f"counted as if one had followed the other.\n\n{table}"
    )


def _places(records: Sequence[Record]) -> str:
    if not records:
        return "Nothing has been computed yet."
    places = _shares_table(("device", "threads", "torch"), shares(records, place))
    commits = _shares_table(("commit of the code",), shares(records, commit), as_code)
    return f"{places}\n\n{commits}\n\n{_on_dirt(sum(map(is_dirty, records)))}"


def _on_dirt(count: int) -> str:
    if not count:
        return f"No commit ends in `{DIRTY}`: each record was computed by code that a commit holds."
    return (
        f"**{_number(count, 'record')} with a commit that ends in `{DIRTY}`**: the code had "
        "changes that this commit does not hold. Trust what follows from them less, until they "
        "have been computed again."
    )


def _citations(references: Path) -> str:
    entries = references.read_text(encoding="utf-8")
    found = [_book_entry(), *(_entry(entries, key) for key in PAPERS)]
    return "```bibtex\n" + "\n\n".join(found) + "\n```"


def _book_entry() -> str:
    return (
        "@misc{rainlens,\n"
        "  author       = {{the rainlens authors}},\n"
        "  title        = {rainlens: why restoration networks fail on degradations they have "
        "not seen},\n"
        "  year         = {2026},\n"
        f"  howpublished = {{{rainlens.REPOSITORY}}},\n"
        f"  note         = {{Version {rainlens.__version__}}}\n"
        "}"
    )


def _entry(entries: str, key: str) -> str:
    """One entry of a BibTeX file, as it stands there: up to the brace at a line's beginning."""
    found = re.search(rf"^@\w+{{{key},$.*?^}}$", entries, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError(f"The references have no entry {key}.")
    return found[0]


def _shares_table(
    head: Sequence[str], found: Iterable[Share], shown: Callable[[str, int], str] = escaped
) -> str:
    """A row a share; what the records say of themselves is only ever `shown` escaped."""
    rows = [
        (*(shown(told, LONGEST) for told in share.common), share.count, _time(share.seconds))
        for share in found
    ]
    return _table((*head, "records", "computed in"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _time(length: float) -> str:
    """Roughly how long so many seconds are, in the unit that says it in a few figures."""
    if length < 60:
        return f"{length:.0f} s"
    return f"{length / 60:.0f} min" if length < 3600 else f"{length / 3600:.1f} h"
