"""A chat server that judges: asked blind and in both orders, and never believed without reason.

The server here is a fake one on 127.0.0.1. It sees pictures as a real one would, and answers as a
test tells it to: rightly, wrongly, in prose, not at all.
"""

import base64
import io
import json
import multiprocessing
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from typer.testing import CliRunner

from rainlens import cli
from rainlens.judging import asking, pairs, replies, summary
from rainlens.judging.pairs import JudgingError


class FakeServer(ThreadingHTTPServer):
    """Answers as `answer` says: (pictures as arrays, number of the request) -> (status, body)."""

    daemon_threads = True

    def __init__(self, answer: Callable[[list[np.ndarray], int], tuple[int, object]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer, self.asked = answer, []
        self.headers: list[dict[str, str]] = []
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    """Reads a question, keeps it, and sends what the server's `answer` gives."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body))
        self.server.headers.append(dict(self.headers))
        status, reply = self.server.answer(shown(body), len(self.server.asked))
        data = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
        self.send_response(status)
        if status in (301, 302, 307):
            self.send_header("Location", data.decode())
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing on the terminal."""


def pngs(body: dict) -> list[bytes]:
    parts = body["messages"][0]["content"]
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    return [base64.b64decode(url.removeprefix("data:image/png;base64,")) for url in urls]


def shown(body: dict) -> list[np.ndarray]:
    return [np.asarray(Image.open(io.BytesIO(png))).astype(float) for png in pngs(body)]


def say(words: str, **more: object) -> tuple[int, dict]:
    return 200, {"choices": [{"message": {"role": "assistant", "content": words}, **more}]}


def right(pictures: list[np.ndarray], _: int) -> tuple[int, dict]:
    """Rain is light: the darker picture has less."""
    return say("A" if pictures[0].mean() < pictures[1].mean() else "B")


def wrong(pictures: list[np.ndarray], number: int) -> tuple[int, dict]:
    return right(pictures[::-1], number)


@pytest.fixture
def serve() -> Iterator[Callable[..., FakeServer]]:
    servers: list[FakeServer] = []

    def start(answer: Callable) -> FakeServer:
        servers.append(FakeServer(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def only_this_machine(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every address that is connected to; anything but 127.0.0.1 fails the test."""
    addresses: list[tuple[str, int]] = []
    connect = socket.socket.connect

    def watched(self: socket.socket, address: tuple[str, int]) -> None:
        addresses.append(address)
        assert address[0] == "127.0.0.1", f"{address} was contacted"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", watched)
    monkeypatch.delenv(asking.KEY_VARIABLE, raising=False)
    return addresses


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six pairs; b has more rain, and 03 the other way round."""
    folder = tmp_path / "pairs"
    folder.mkdir()
    source = np.random.RandomState(0)
    for number in range(1, 7):
        clean = source.randint(0, 150, (12, 16, 3))
        rainy = clean + 100 * (source.uniform(size=(12, 16, 1)) < 0.3).astype(int)
        for side, picture in zip("ab" if number != 3 else "ba", (clean, rainy), strict=True):
            named = PngInfo()
            named.add_text("Title", "derained by network 7")
            file = folder / f"{number:02}_{side}.png"
            Image.fromarray(picture.astype(np.uint8)).save(file, pnginfo=named)
    return folder


def server_at(server: FakeServer, **more: object) -> asking.Server:
    return asking.Server(server.endpoint, "fake-7b", **{"timeout": 5, "pause": 0, **more})


def judge(folder: Path, server: asking.Server, file: Path) -> summary.Summary:
    found = pairs.find_pairs(folder)
    list(asking.ask(found, server, file))
    return summary.summarise(found, replies.read_answers(file), server.model)


def write_truth(folder: Path, **less: str) -> None:
    lines = [f"{name.removeprefix('p')},{side}" for name, side in less.items()]
    (folder / pairs.TRUTH).write_text("\n".join(["pair,less", *lines]) + "\n")


# --- what is asked -------------------------------------------------------------------------------


def test_the_question_is_blind_and_in_both_orders(serve, folder, tmp_path):
    server = serve(right)
    judge(folder, server_at(server), tmp_path / "answers.jsonl")
    assert len(server.asked) == 12
    assert {path for path, _ in server.asked} == {"/v1/chat/completions"}
    for _, body in server.asked:
        assert body["model"] == "fake-7b" and body["temperature"] == 0
        words = json.dumps(body)
        assert "_a.png" not in words and "01" not in body["messages"][0]["content"][0]["text"]
        for png in pngs(body):
            assert b"network 7" not in png and not Image.open(io.BytesIO(png)).info
    first, second = (shown(body) for _, body in server.asked[:2])
    assert (first[0] == second[1]).all() and (first[1] == second[0]).all()
    assert (first[0] == np.asarray(Image.open(folder / "01_a.png"))).all()


def test_a_key_is_sent_only_where_its_own_variable_is_set(serve, folder, tmp_path, monkeypatch):
    server = serve(right)
    monkeypatch.setenv("OPENAI_API_KEY", "for another server")
    judge(folder, server_at(server), tmp_path / "answers.jsonl")
    monkeypatch.setenv(asking.KEY_VARIABLE, "for this one")
    judge(folder, server_at(server), tmp_path / "more.jsonl")
    sent = [headers.get("Authorization") for headers in server.headers]
    assert sent == [None] * 12 + ["Bearer for this one"] * 12
    assert "for this one" not in (tmp_path / "more.jsonl").read_text()


@pytest.mark.parametrize(
    "endpoint",
    ["", "127.0.0.1:80", "ftp://host/v1", "http://", "http://me:word@host/v1", "http://h:x/v1"],
)
def test_endpoints_that_are_refused(endpoint, folder, tmp_path, only_this_machine):
    with pytest.raises(JudgingError, match="endpoint must be an address like"):
        list(asking.ask([], asking.Server(endpoint, "m"), tmp_path / "answers.jsonl"))
    assert not only_this_machine and not (tmp_path / "answers.jsonl").exists()


def test_full_addresses_are_left_as_they_are():
    full = "http://host/v1/chat/completions"
    for endpoint in ("http://host/v1", "http://host/v1/", full, full + "/"):
        assert asking.Server(endpoint, "m").address == full


def test_nothing_but_the_named_server_is_contacted(
    serve, folder, tmp_path, monkeypatch, only_this_machine
):
    server, other = serve(right), serve(right)
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, other.endpoint.removesuffix("/v1"))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    judge(folder, server_at(server), tmp_path / "answers.jsonl")
    assert {port for _, port in only_this_machine} == {server.server_port}
    moved = serve(lambda *_: (307, other.endpoint.encode() + b"/chat/completions"))
    with pytest.raises(JudgingError, match="rejected a question: HTTP 307"):
        judge(folder, server_at(moved), tmp_path / "moved.jsonl")
    assert not other.asked


# --- what is answered ----------------------------------------------------------------------------


def test_right_answers(serve, folder, tmp_path):
    found = judge(folder, server_at(serve(right)), tmp_path / "answers.jsonl")
    assert found.pairs == found.answered == 6
    assert found.outcomes == {"a": 10, "b": 2} and not found.failures
    assert (found.preference.wins, found.preference.losses) == (5, 1)
    assert found.first_chosen.value == 0.5  # no favourite place
    assert "the judge's validity was not tested" in found.verdict


def test_a_valid_judge_has_a_verdict(serve, folder, tmp_path):
    write_truth(folder, p03="b", p04="a")
    for number in (1, 2, 5, 6):  # more pairs whose truth nobody knows
        for side in "ab":
            file = Image.open(folder / f"{number:02}_{side}.png")
            file.transpose(Image.Transpose.ROTATE_180).save(folder / f"{number + 10}_{side}.png")
    found = judge(folder, server_at(serve(right)), tmp_path / "answers.jsonl")
    assert found.validity.passed and found.validity.pairs == 2
    assert (found.preference.wins, found.preference.losses) == (8, 0)
    assert found.verdict.startswith("a has less rain") and "judge is valid" in found.verdict


def test_wrong_answers_are_no_verdict(serve, folder, tmp_path):
    write_truth(folder, p03="b", p04="a")
    found = judge(folder, server_at(serve(wrong)), tmp_path / "answers.jsonl")
    assert found.validity.accuracy.value == 0
    assert found.verdict.startswith("No verdict: right on 0.00")
    assert "95% are needed" in found.verdict


def test_a_known_pair_without_an_answer_is_not_right(serve, folder, tmp_path):
    write_truth(folder, p01="a")

    def shy(pictures, number):
        return say("I cannot judge this.") if number <= 2 else right(pictures, number)

    found = judge(folder, server_at(serve(shy)), tmp_path / "answers.jsonl")
    assert found.answered == 5 and not found.validity.passed


def test_position_bias_is_found_and_is_no_preference(serve, folder, tmp_path):
    found = judge(folder, server_at(serve(lambda *_: say("A"))), tmp_path / "answers.jsonl")
    assert found.first_chosen.value == 1 and found.first_chosen.low > 0.7
    assert found.preference.ties == 6 and found.verdict.startswith("No verdict")
    assert "chosen in 1.00" in str(found)


def test_refusals_and_chatter_are_counted(serve, folder, tmp_path):
    def evasive(pictures, number):
        return (
            say("I'm sorry, but I can't compare these pictures."),
            say("", finish_reason="content_filter"),
            (200, {"choices": [{"message": {"content": None, "refusal": "No."}}]}),
            say("What a lovely garden! Both pictures have their charm."),
            right(pictures, number),
        )[min(number, 5) - 1]

    found = judge(folder, server_at(serve(evasive)), tmp_path / "answers.jsonl")
    assert found.outcomes["refused"] == 3 and found.outcomes["unparsable"] == 1
    assert found.answered == 4  # two pairs lack an answer
    assert "3 refused" in str(found) and "1 unparsable" in str(found)


def test_only_refusals_are_no_verdict(serve, folder, tmp_path):
    server = serve(lambda *_: say("I am unable to view images."))
    found = judge(folder, server_at(server), tmp_path / "answers.jsonl")
    assert found.outcomes == {"refused": 12} and np.isnan(found.first_chosen.value)
    assert found.verdict == "No verdict: 0 of 6 pairs were answered in both orders."


@pytest.mark.parametrize(
    ("reply", "letter"),
    [
        ("A", "A"),
        (" b.\n", "B"),
        ("**B**", "B"),
        ("(A)", "A"),
        ("Image A", "A"),
        ("The answer is: Image B.", "B"),
        ("Final answer: B", "B"),
        ("<think>Image A is wetter. So A? No:</think>\nB", "B"),
        ("Image B shows less rain than Image A.", "B"),
        ("The picture A has fewer rain streaks.", "A"),
        ("Both are rainy. Image A clearly has less rain", "A"),
        ("B\n\nThe streaks in image A are denser.", "B"),
        ("A or B", None),
        ("A. B.", None),
        ("", None),
        ("Neither", None),
        ("Image A has more rain.", None),
        ("Image A has less rain but more streaks.", None),
        ("Image A has less haze. Image B has less rain.", None),
        ("Image A has less rain in the sky. In image B the street is dry.", None),
        ("A close look shows nothing", None),
        ("B close to A", None),
    ],
)
def test_replies_are_read_without_guessing(reply, letter):
    assert replies.read_letter(reply) == letter
    # No place is favoured by the reading either: with A and B swapped it gives the other letter.
    swapped = re.sub(r"\b[AB]\b", lambda match: "AB"[match[0] == "A"], reply.replace("b.", "B."))
    assert replies.read_letter(swapped) == {"A": "B", "B": "A"}.get(letter)


@pytest.mark.parametrize("reply", ["I cannot help with that.", "I’m sorry.", "I can't view images"])
def test_refusals_are_known(reply):
    assert replies.is_refusal(reply) and replies.read_letter(reply) is None


# --- what goes wrong -----------------------------------------------------------------------------


def test_a_late_answer_is_a_time_out_and_is_asked_again_next_time(serve, folder, tmp_path):
    slow = [1, 2, 3]  # the first question, with both retries

    def late(pictures, number):
        if number in slow:
            time.sleep(0.4)
        return right(pictures, number)

    server, file = serve(late), tmp_path / "answers.jsonl"
    found = judge(folder, server_at(server, timeout=0.2), file)
    assert len(server.asked) == 3 + 11
    assert found.outcomes["failed"] == 1 and found.failures == {"time-out": 1}
    assert found.answered == 5 and "1 time-out" in str(found)
    found = judge(folder, server_at(server), file)
    assert len(server.asked) == 15 and found.answered == 6 and not found.failures


def test_a_broken_server_is_tried_again(serve, folder, tmp_path):
    def moody(pictures, number):
        return (500, {"error": "overloaded"}) if number % 2 else right(pictures, number)

    server = serve(moody)
    found = judge(folder, server_at(server), tmp_path / "answers.jsonl")
    assert found.answered == 6 and len(server.asked) == 24


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (500, {"error": "broken"}, "HTTP 500"),
        (429, {}, "HTTP 429"),
        (200, b"<html>", "no reply in it"),
        (200, {"choices": []}, "no reply in it"),
        (200, {"choices": [{"message": {"content": ""}}]}, "no reply in it"),
    ],
)
def test_a_server_that_stays_broken_ends_it_in_one_sentence(
    serve, folder, tmp_path, status, body, why
):
    server, file = serve(lambda *_: (status, body)), tmp_path / "answers.jsonl"
    with pytest.raises(JudgingError, match=rf"failed on 5 questions in a row \({why}\)"):
        judge(folder, server_at(server, retries=1), file)
    assert len(server.asked) == 10  # five questions, each twice
    assert [answer.failed for answer in replies.read_answers(file)] == [why] * 5
    found = summary.summarise(pairs.find_pairs(folder), replies.read_answers(file), "fake-7b")
    assert found.outcomes == {"failed": 5, "not asked": 7}
    assert found.verdict.startswith("No verdict: 0 of 6 pairs")


def test_no_server_at_all(folder, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    away = asking.Server(f"http://127.0.0.1:{port}/v1", "m", retries=0)
    with pytest.raises(JudgingError, match="no connection.*run it again"):
        judge(folder, away, tmp_path / "answers.jsonl")


def test_a_rejection_ends_it_at_once_with_the_servers_words(serve, folder, tmp_path):
    server = serve(lambda *_: (404, {"error": "model fake-7b not found"}))
    with pytest.raises(JudgingError, match="HTTP 404 .*model fake-7b not found"):
        judge(folder, server_at(server), tmp_path / "answers.jsonl")
    assert len(server.asked) == 1


# --- going on ------------------------------------------------------------------------------------


def test_what_is_answered_is_not_asked_again(serve, folder, tmp_path):
    server, file = serve(right), tmp_path / "deep" / "answers.jsonl"
    judge(folder, server_at(server), file)
    judge(folder, server_at(server), file)
    assert len(server.asked) == 12
    # Another model, and another picture under an old name, are new questions.
    judge(folder, asking.Server(server.endpoint, "other"), file)
    assert len(server.asked) == 24
    changed = Image.open(folder / "02_a.png").transpose(Image.Transpose.ROTATE_180)
    changed.save(folder / "02_a.png")
    found = judge(folder, server_at(server), file)
    assert len(server.asked) == 26 and found.outcomes == {"a": 10, "b": 2}


def test_two_equal_pictures_are_asked_about_in_both_orders(serve, folder, tmp_path):
    (folder / "01_b.png").write_bytes((folder / "01_a.png").read_bytes())
    found = judge(folder, server_at(serve(lambda *_: say("A"))), tmp_path / "answers.jsonl")
    assert found.outcomes == {"a": 6, "b": 6} and found.preference.ties == 6


def test_it_goes_on_after_a_kill(serve, folder, tmp_path):
    def steady(pictures, number):
        time.sleep(0.05)
        return right(pictures, number)

    server, file = serve(steady), tmp_path / "answers.jsonl"
    process = multiprocessing.get_context("fork").Process(
        target=judge, args=(folder, server_at(server), file)
    )
    process.start()
    while len(server.asked) < 4:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    kept = len(replies.read_answers(file))
    assert 3 <= kept < 12
    time.sleep(0.1)  # for what is still on its way to the server
    before = len(server.asked)
    found = judge(folder, server_at(server), file)
    assert len(server.asked) - before == 12 - kept
    assert found.answered == 6 and found.outcomes == {"a": 10, "b": 2}


@pytest.mark.parametrize("cut", [1, 2, 40])
def test_a_torn_last_line_is_set_aside(serve, folder, tmp_path, cut):
    server, file = serve(right), tmp_path / "answers.jsonl"
    judge(folder, server_at(server), file)
    whole = file.read_bytes()
    file.write_bytes(whole[:-cut])
    found = judge(folder, server_at(server), file)
    aside = tmp_path / "answers.jsonl.torn"
    if cut == 1:  # only the end of the line is gone
        assert len(server.asked) == 12 and not aside.exists() and file.read_bytes() == whole
    else:
        assert len(server.asked) == 13
        assert aside.read_bytes() == whole.splitlines()[-1][: 1 - cut] + b"\n"
    assert found.answered == 6


def test_a_line_damaged_elsewhere_is_named(serve, folder, tmp_path):
    server, file = serve(right), tmp_path / "answers.jsonl"
    judge(folder, server_at(server), file)
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:2], lines[2][:30], *lines[3:]]) + "\n")
    with pytest.raises(
        JudgingError, match="answers.jsonl is damaged in line 3; take that line out"
    ):
        judge(folder, server_at(server), file)


# --- the folder, and the command -----------------------------------------------------------------


def test_bad_folders_get_one_sentence(folder, tmp_path):
    with pytest.raises(JudgingError, match="nowhere is no folder"):
        pairs.find_pairs(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(JudgingError, match="empty has no pairs; name them 01_a.png"):
        pairs.find_pairs(tmp_path / "empty")
    write_truth(folder, p09="a")
    with pytest.raises(JudgingError, match="truth.csv says 'a' of pair '09'"):
        pairs.find_pairs(folder)
    write_truth(folder, p01="left")
    with pytest.raises(JudgingError, match="says 'left' of pair '01'; it must have columns"):
        pairs.find_pairs(folder)
    (folder / pairs.TRUTH).unlink()
    Image.new("RGB", (5, 5)).save(folder / "02_a.png")
    with pytest.raises(JudgingError, match="Pair '02' has pictures of 5x5 and 16x12 pixels"):
        pairs.pixels(pairs.find_pairs(folder)[1], "a")
    (folder / "02_a.png").unlink()
    with pytest.raises(JudgingError, match="only one picture of pair '02'; add the other"):
        pairs.find_pairs(folder)


def test_the_command(serve, folder, tmp_path):
    server, file = serve(right), tmp_path / "answers.jsonl"
    words = ["judge", "--model", "fake-7b", "--pairs", str(folder), "--out", str(file)]
    nobody = CliRunner().invoke(cli.app, words)
    assert nobody.exit_code == 2 and not server.asked  # nothing is sent without an address
    done = CliRunner().invoke(cli.app, [*words, "--endpoint", server.endpoint])
    assert done.exit_code == 0, done.output
    assert "6 pairs, each asked in both orders: 10 a, 2 b." in done.output
    assert "chosen in 0.50" in done.output and "a wins 0.83" in done.output
    assert len(file.read_text().splitlines()) == 12


def test_the_command_ends_in_one_sentence(serve, folder, tmp_path, monkeypatch, capsys):
    server = serve(lambda *_: (401, {"error": "no key"}))
    words = ["--endpoint", server.endpoint, "--model", "m", "--pairs", str(folder)]
    monkeypatch.setattr("sys.argv", ["rainlens", "judge", *words, "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 1
    assert 'rejected a question: HTTP 401 {"error": "no key"}' in capsys.readouterr().err
