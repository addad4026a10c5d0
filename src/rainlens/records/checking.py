"""Reading all of a store: what is damaged, what no checksum covers (`rainlens records check`)."""

from __future__ import annotations

from dataclasses import dataclass, field

from rainlens.records.record import Record, RecordError
from rainlens.records.store import RecordStore


@dataclass
class Checked:
    """What was found in a store.

    whole: how many records are whole. uncovered: names of those whose pictures or weights no
    checksum covers; the first records were written so. damaged: what is wrong, a sentence each.
    """

    whole: int = 0
    uncovered: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)

    def told(self) -> str:
        """All of it, in a few lines."""
        lines = [f"{self.whole} records are whole, {len(self.damaged)} are damaged."]
        if self.uncovered:
            lines.append(
                f"Of {len(self.uncovered)} the pictures or weights are under no checksum, as they "
                f"were written before there was one: {self.uncovered[0]} is the first."
            )
        return "\n".join([*lines, *self.damaged])


def check(store: RecordStore) -> Checked:
    """Reads every record of a store and every file that belongs to one."""
    found = Checked()
    for path in sorted(store.folder.glob("*.json")):
        try:
            record = store.load(path.stem)
            if record is not None:
                _check_files(store, record, found)
        except RecordError as error:
            found.damaged.append(str(error))
    return found


def _check_files(store: RecordStore, record: Record, found: Checked) -> None:
    files = [path.name for path in store.files(record)[:-1]]
    for name in files:
        if name in record.sums:
            store.verify(record, name)
        elif not (store.folder / name).exists():
            raise RecordError(f"{store.folder / name} is missing; restore it from version control.")
    if set(files) - set(record.sums):
        found.uncovered.append(record.name)
    found.whole += 1
