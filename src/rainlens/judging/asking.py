"""Asking: the only place that sends anything, and only to the server that the user names."""

from __future__ import annotations

import base64
import io
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import urlsplit

import numpy as np
import requests
from PIL import Image

from rainlens.judging.pairs import (
    INTRODUCTION,
    QUESTION,
    JudgingError,
    Pair,
    key_of,
    pixels,
    questions,
)
from rainlens.judging.replies import Answer, read_answers

KEY_VARIABLE = "RAINLENS_JUDGE_KEY"  # an own name: no key meant for another server is sent
MOST_FAILURES = 5  # questions in a row; then the server is taken to be away


@dataclass(frozen=True)
class Server:
    """Who is asked. timeout, pause: seconds; retries: after the first try, each pause doubled."""

    endpoint: str
    model: str
    timeout: float = 60.0
    retries: int = 2
    pause: float = 1.0

    @property
    def address(self) -> str:
        """Where questions go. Raises JudgingError where the endpoint is no plain http address."""
        try:
            parts = urlsplit(self.endpoint)
            plain = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:  # no number behind the colon, an open bracket, ...
            plain = False
        if not plain or parts.username or parts.query or parts.fragment:
            raise JudgingError(
                "The endpoint must be an address like http://127.0.0.1:8000/v1, with nothing "
                f"before the host or behind the path; a password goes into {KEY_VARIABLE}."
            )
        base = self.endpoint.rstrip("/")
        return base if base.endswith("/chat/completions") else f"{base}/chat/completions"


class Came(TypedDict, total=False):
    """What came of a question, as fields of `Answer`: a reply, or why there is none."""

    reply: str
    refused: bool
    failed: str


def ask(pairs: Sequence[Pair], server: Server, file: Path) -> Iterator[Answer]:
    """Ask every pair in both orders; append each answer to file as it comes, and yield it.

    Questions that the file has an answer to are not asked again; failed ones are. Raises
    JudgingError where the server rejects the question or is away, or the file is damaged.
    """
    address, failures = server.address, 0
    kept = {answer.key for answer in read_answers(file) if not answer.failed}
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as out, requests.Session() as session:
        session.trust_env = False  # no proxy, no .netrc: nothing but the named server
        for pair, first in questions(pairs):
            shown = pixels(pair, first)
            key = key_of(shown, first, server.model)
            if key in kept:
                continue
            start = time.monotonic()
            came = _post(session, address, question(shown, server.model), server)
            seconds = round(time.monotonic() - start, 3)
            answer = Answer(pair.name, first, key, server.model, server.endpoint, seconds, **came)
            out.write(json.dumps(asdict(answer)) + "\n")
            out.flush()
            yield answer
            failures = failures + 1 if answer.failed else 0
            if failures == MOST_FAILURES:
                raise JudgingError(
                    f"{address} failed on {failures} questions in a row ({answer.failed}); "
                    f"answers are kept in {file}. See to the server and run it again."
                )


def question(shown: tuple[np.ndarray, np.ndarray], model: str) -> dict[str, Any]:
    """The body of the request about two pictures, uint8 (H, W, 3); the first is Image A."""
    content: list[dict[str, object]] = [{"type": "text", "text": INTRODUCTION}]
    for letter, picture in zip("AB", shown, strict=True):
        content += [
            {"type": "text", "text": f"Image {letter}:"},
            {"type": "image_url", "image_url": {"url": _data_url(picture)}},
        ]
    content.append({"type": "text", "text": QUESTION})
    return {
        "model": model,
        "temperature": 0,
        "messages": [{"role": "user", "content": content}],
    }


def _data_url(picture: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _post(session: requests.Session, address: str, body: dict[str, Any], server: Server) -> Came:
    """The reply, or why there is none after all tries."""
    came = Came()
    for attempt in range(server.retries + 1):
        if attempt:
            time.sleep(server.pause * 2 ** (attempt - 1))
        came = _try(session, address, body, server.timeout)
        if "failed" not in came:
            break
    return came


def _try(session: requests.Session, address: str, body: dict[str, Any], timeout: float) -> Came:
    """What one request brought. Raises JudgingError for a rejection."""
    key = os.environ.get(KEY_VARIABLE, "").strip()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        response = session.post(
            address, json=body, headers=headers, timeout=timeout, allow_redirects=False
        )
    except requests.Timeout:
        return {"failed": "time-out"}
    except requests.RequestException:
        return {"failed": "no connection"}
    code = response.status_code
    if code == 429 or code >= 500:  # busy or broken: may be better next time
        return {"failed": f"HTTP {code}"}
    if code != 200:
        raise JudgingError(f"{address} rejected a question: HTTP {code} {response.text[:200]}")
    return _reply(response) or {"failed": "no reply in it"}


def _reply(response: requests.Response) -> Came | None:
    """The judge's words, and whether the server calls them a refusal; None where there are none."""
    try:
        choice = response.json()["choices"][0]
        message = choice["message"]
        words, refusal = message.get("content") or "", message.get("refusal") or ""
        refused = bool(refusal) or choice.get("finish_reason") == "content_filter"
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None
    if not isinstance(words, str) or not (words or refused):
        return None
    return {"reply": words or str(refusal), "refused": refused}
