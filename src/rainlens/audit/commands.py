"""A network behind a command line: run once on a folder of inputs, with a limit on time."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import threading
from pathlib import Path

from rainlens import data
from rainlens.audit.inputs import AuditError

KEPT = 1 << 16  # bytes of what a command said last
SHOWN = 300  # letters of its last line in a message
SECONDS_TO_READ = 5.0  # for the rest of what an ended process said


def run(command: str, inputs: Path, outputs: Path, seconds: float, log: Path) -> None:
    """Runs the command with {input} and {output} replaced; the last of what it says goes to `log`.

    No shell sees it. Raises AuditError where it has no {input} or {output}, cannot be started,
    fails, or takes longer than `seconds`; then it is ended with all that it started.
    """
    for mark in ("{input}", "{output}"):
        if mark not in command:
            raise AuditError(f"--command has no {mark}; write {mark} where that folder belongs.")
    try:
        words = [w.format(input=inputs, output=outputs) for w in shlex.split(command)]
    except (ValueError, KeyError, IndexError) as error:
        raise AuditError(f"--command cannot be read: {error}.") from error
    outputs.mkdir(parents=True, exist_ok=True)
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise AuditError(f"{words[0]} cannot be started: {error.strerror}.") from error
    said = _Said(process)
    try:
        status = process.wait(timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise AuditError(
            f"The command took longer than {seconds:g} s and was ended; give it more with "
            f"--seconds. {said.ended(log)}"
        ) from error
    told = said.ended(log)
    if status:
        raise AuditError(f"The command ended with status {status}. {told}")


class _Said:
    """The last of what a process says; one that talks without end must not fill the disk."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process, self.last = process, b""
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        while chunk := os.read(self.process.stdout.fileno(), KEPT):
            self.last = (self.last + chunk)[-KEPT:]

    def ended(self, log: Path) -> str:
        """Ends the process and its children; writes what was said to `log`, and tells the last."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.reader.join(timeout=SECONDS_TO_READ)
        if not self.reader.is_alive() and self.process.stdout is not None:
            self.process.stdout.close()
        log.write_bytes(self.last)
        lines = self.last.decode(errors="replace").strip().splitlines()
        told = f"It last said: {data.printable(lines[-1][-SHOWN:])}. " if lines else ""
        return f"{told}More of it is in {data.printable(log)}."
