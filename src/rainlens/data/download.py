"""One original from its server: of the registered size and checksum, in time, or not at all."""

from __future__ import annotations

import hashlib
import math
import os
import secrets
import ssl
import threading
import time
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import NewConnectionError, ReadTimeoutError

from rainlens.data.catalogue import Original
from rainlens.data.pictures import printable

LONGEST_PAUSE = 120.0  # seconds; a server that asks for more is not waited for
LEFTOVER_AFTER = 120.0  # seconds since a partial file last grew: nobody is at it any more
_PERMANENT = frozenset({400, 401, 403, 404, 410, 451})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_TO_CONNECT = 10.0  # seconds for a connection to come about
_CHUNK = 1 << 16
# Errors of requests are OSErrors, too; what is none of these is the disk's.
_OF_THE_NETWORK = (requests.RequestException, ConnectionError, TimeoutError, ssl.SSLError)


class DownloadError(Exception):
    """An original could not be had; the message says why in a few words.

    final: asking again is of no use. unreachable: the server is to blame, not the file.
    offline: there was no connection at all. pause: seconds for which the server asks.
    """

    def __init__(
        self,
        reason: str,
        *,
        final: bool = False,
        unreachable: bool = False,
        offline: bool = False,
        pause: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.final, self.unreachable, self.offline = final, unreachable, offline
        self.pause = pause


def download(
    original: Original, place: Path, session: requests.Session, timeout: float, total: float
) -> None:
    """Fetch an original to `place`, in one attempt.

    timeout: seconds without a byte; total: seconds for the whole transfer, after which the
    attempt ends whatever the server does. The file gets its name only when it is whole. After an
    error the session is not to be used again.

    Raises:
        DownloadError: it could not be had.
        OSError: the disk cannot be written.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    part = partial(place)
    transfer = _Transfer(original, part, session, timeout)
    transfer.start()
    try:
        transfer.join(total)
        if transfer.is_alive():
            raise DownloadError(f"the transfer took more than {total:g} s", unreachable=True)
        if transfer.error is not None:
            raise transfer.error
        os.replace(part, place)
    finally:
        transfer.abandoned.set()
        part.unlink(missing_ok=True)


def partial(target: Path) -> Path:
    """A name beside `target` for its unfinished form: hidden, and nobody else's."""
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")


def clear_leftovers(folder: Path) -> None:
    """Remove partial files that a killed run left below a folder."""
    for part in folder.rglob(".*.part"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > LEFTOVER_AFTER:
                part.unlink()


class _Transfer(threading.Thread):
    """The transfer, in a thread, so that nothing keeps us waiting: not a server that sends a byte
    now and then, nor a name server that never answers."""

    def __init__(
        self, original: Original, part: Path, session: requests.Session, timeout: float
    ) -> None:
        super().__init__(daemon=True)
        self.original, self.part = original, part
        self.session, self.timeout = session, timeout
        self.abandoned = threading.Event()
        self.error: Exception | None = None

    def run(self) -> None:
        """Leaves a whole file, or an error and none."""
        try:
            with _answer(self.session, self.original, self.timeout) as answer:
                self._store(answer)
        except Exception as error:
            self.error = _explained(error)

    def _store(self, answer: requests.Response) -> None:
        checksum, size = hashlib.sha256(), 0
        if self.abandoned.is_set():
            return
        with open(self.part, "wb", buffering=0) as file:
            for chunk in answer.iter_content(_CHUNK):
                if self.abandoned.is_set():
                    return
                size += len(chunk)
                if size > self.original.bytes:
                    raise _wrong_size(self.original, f"more than {self.original.bytes:,}")
                checksum.update(chunk)
                file.write(chunk)
        if size < self.original.bytes:
            raise DownloadError(f"the transfer broke off after {size:,} bytes")
        if checksum.hexdigest() != self.original.sha256:
            raise DownloadError("wrong checksum")


def _wrong_size(original: Original, sent: str) -> DownloadError:
    return DownloadError(f"the server sends {sent} bytes and not {original.bytes:,}")


def _answer(session: requests.Session, original: Original, timeout: float) -> requests.Response:
    """The server's answer with the file, redirects followed, before its content is read."""
    address, scheme = original.url, urlsplit(original.url).scheme
    for _ in range(_MOST_REDIRECTS + 1):
        answer = session.get(
            address,
            stream=True,
            timeout=(min(timeout, _TO_CONNECT), timeout),
            allow_redirects=False,
            headers={"Accept-Encoding": "identity"},  # so that the size is the registered one
        )
        if answer.status_code not in _REDIRECTS:
            _require_good(answer, original)
            return answer
        answer.close()
        address = urljoin(address, answer.headers.get("Location", ""))
        there = urlsplit(address)
        if there.scheme not in ("https", scheme):
            shown = printable(f"{there.scheme}://{there.hostname or ''}")
            raise DownloadError(f"the server redirects to {shown}, not {scheme}", final=True)
    raise DownloadError("the server redirects without end", final=True)


def _require_good(answer: requests.Response, original: Original) -> None:
    status, length = answer.status_code, answer.headers.get("Content-Length", "")
    if status != 200:
        pause = retry_after(answer.headers.get("Retry-After", ""))
        wish = f" and asks to wait {pause:,.0f} s" if pause and pause > LONGEST_PAUSE else ""
        raise DownloadError(
            f"the server answered {status}{wish}",
            final=status in _PERMANENT or bool(wish),
            unreachable=status == 429 or status >= 500,
            pause=pause,
        )
    packed = answer.headers.get("Content-Encoding", "identity") != "identity"
    if not packed and length.isascii() and length.isdigit() and int(length) != original.bytes:
        raise _wrong_size(original, f"{int(length):,}")


def retry_after(wish: str) -> float | None:
    """Seconds for which a server asks, as a number or as a date (RFC 9110, section 10.2.3).

    None where it is neither; 0 for a date that has passed.
    """
    try:
        seconds = float(wish) if wish.isascii() else math.nan
    except ValueError:
        seconds = _seconds_until(wish)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_until(date: str) -> float:
    try:
        moment = parsedate_to_datetime(date)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.timestamp() - time.time()
    except (ValueError, TypeError, OverflowError, IndexError):
        return math.nan


def _explained(error: Exception) -> Exception:
    """A DownloadError for whatever the network did; errors of the disk stay as they are."""
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", None)
    if isinstance(error, requests.exceptions.SSLError):
        return DownloadError("the server's certificate is not accepted", unreachable=True)
    if isinstance(error, requests.exceptions.ProxyError):
        return DownloadError("no connection to the proxy", unreachable=True, offline=True)
    if isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError):
        return DownloadError("no connection to the server", unreachable=True, offline=True)
    if isinstance(error, requests.Timeout) or isinstance(cause, ReadTimeoutError):
        return DownloadError("the server did not answer in time", unreachable=True)
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return DownloadError("the transfer broke off")
    if isinstance(error, requests.ConnectionError):
        return DownloadError("the connection broke off", unreachable=True)
    if isinstance(error, DownloadError | OSError) and not isinstance(error, _OF_THE_NETWORK):
        return error
    return DownloadError(printable(f"{type(error).__name__}: {error}"), final=True)
