"""The downloader against a server in a thread, the conversions against hand-made pictures."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from rainlens import cli, data
from rainlens.data.convert import expected
from rainlens.data.download import retry_after

# The functions of the same names hide these modules.
catalogue, convert, fetching, state = (
    import_module(f"rainlens.data.{name}") for name in ("catalogue", "convert", "fetch", "state")
)

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Server:
    """Serves `files` (path -> bytes) and counts the requests for each."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.truncated: set[str] = set()
        self.slow: set[str] = set()  # a byte now and then
        self.padded: set[str] = set()  # never ends, and does not say how long it is
        self.status: dict[str, list[int]] = {}
        self.headers: dict[str, dict[str, str]] = {}  # of answers that are no file
        self.requests: Counter[str] = Counter()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _handler(server) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = unquote(self.path).lstrip("/")
                server.requests[path] += 1
                if server.status.get(path):
                    self.send_response(server.status[path].pop(0))
                    for name, value in server.headers.get(path, {}).items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                elif path not in server.files:
                    self.send_error(404)
                elif path in server.slow:
                    self._drip(server.files[path])
                elif path in server.padded:
                    self._pour(server.files[path])
                else:
                    self._send(server.files[path], path in server.truncated)

            def _drip(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(OSError):
                    for byte in body:
                        self.wfile.write(bytes([byte]))
                        self.wfile.flush()
                        time.sleep(0.05)

            def _pour(self, body: bytes) -> None:
                self.send_response(200)
                self.end_headers()
                with suppress(OSError):
                    for _ in range(2000):
                        self.wfile.write(body + bytes(50_000))

            def _send(self, body: bytes, truncated: bool) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if truncated else body)

            def log_message(self, *args: object) -> None:
                pass

        return Handler


class World:
    """A server, a registry of what it holds, and an empty data folder."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.server, self.root, self.registry = server, folder / "data", folder / "registry.csv"
        self.rows: list[tuple[str, int, str, str]] = []

    def add(self, name: str, path: str, body: bytes, sha256: str | None = None) -> str:
        """Put a file on the server and into the registry; returns its path there."""
        path = f"someone/{name}/{COMMIT}/{path}"
        self.server.files[path] = body
        digest = sha256 or hashlib.sha256(body).hexdigest()
        self.rows.append((name, len(body), digest, f"{self.server.url}/{quote(path)}"))
        return path

    def write(self) -> None:
        with open(self.registry, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("set", "bytes", "sha256", "url"))
            writer.writerows(self.rows)

    def fetch(self, *names: str, **options: object):
        self.write()
        options = {"attempts": 3, "wait": 0.001, "timeout": 5.0} | options
        return data.fetch(names, self.root, progress=False, registry=self.registry, **options)

    def check(self):
        self.write()
        return data.check(self.root, registry=self.registry)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", data.VARIABLE):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    yield World(tmp_path, server)
    server.close()


def noise(*shape: int, seed: int = 0, high: int = 256) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, high, shape, dtype=np.uint8)


def smooth(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 // width, y * 255 // height, (x + y) % 64 + 60], -1).astype(np.uint8)


def encoded(pixels: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def all_files(root: Path) -> set[str]:
    return {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}


# ------------------------------------------------------------------ the downloader


def test_good_file_is_copied_and_not_requested_again(world: World) -> None:
    body = encoded(noise(8, 8, 3), "JPEG")
    path = world.add("natural", "images/test/12.jpg", body)
    first, second = world.fetch("natural"), world.fetch("natural")
    assert (world.root / "natural/12.jpg").read_bytes() == body
    assert (world.root / "originals/natural/images/test/12.jpg").read_bytes() == body
    assert tuple(first.loc["natural"]) == (1, 0) and tuple(second.loc["natural"]) == (0, 1)
    assert world.server.requests == {path: 1}


def test_wrong_checksum_is_refused_and_the_others_are_made(world: World) -> None:
    bad = world.add("natural", "bad.jpg", b"not what was registered", sha256="0" * 64)
    world.add("natural", "good.jpg", encoded(noise(8, 8, 3), "JPEG"))
    with pytest.raises(data.DataError, match=r"^1 file .*natural/bad\.jpg \(wrong checksum\)"):
        world.fetch("natural")
    assert world.server.requests[bad] == 3
    assert all_files(world.root) == {"natural/good.jpg", "originals/natural/good.jpg"}


def test_truncated_transfer_is_no_file_until_it_is_whole(world: World) -> None:
    path = world.add("natural", "1.jpg", encoded(noise(64, 64, 3), "JPEG"))
    world.server.truncated.add(path)
    with pytest.raises(data.DataError, match="broke off.*running the same command again"):
        world.fetch("natural")
    assert world.server.requests[path] == 3 and all_files(world.root) == set()
    world.server.truncated.clear()
    world.fetch("natural")
    assert (world.root / "natural/1.jpg").read_bytes() == world.server.files[path]


def test_busy_server_is_asked_again_and_missing_file_is_not(world: World) -> None:
    busy = world.add("natural", "busy.jpg", encoded(noise(8, 8, 3), "JPEG"))
    gone = world.add("natural", "gone.jpg", encoded(noise(8, 8, 3), "JPEG"))
    world.server.status = {busy: [503, 429], gone: [404] * 9}
    with pytest.raises(data.DataError, match=r"gone\.jpg \(the server answered 404\)"):
        world.fetch("natural")
    assert world.server.requests == {busy: 3, gone: 1}
    assert (world.root / "natural/busy.jpg").exists()


def test_server_that_dies_is_given_up_with_one_message(world: World) -> None:
    for number in range(20):
        path = world.add("natural", f"{number}.jpg", b"x")
        world.server.status[path] = [] if number == 0 else [500] * 9
    with pytest.raises(data.DataError) as caught:
        world.fetch("natural")
    message = str(caught.value)
    assert message.startswith("5 files could not be had") and "14 more were not tried" in message
    assert "answered 500" in message and message.endswith("continues.")


def test_offline_is_said_at_once_and_claims_nothing(world: World) -> None:
    for number in range(20):
        world.add("natural", f"{number}.jpg", encoded(noise(8, 8, 3, seed=number), "JPEG"))
    world.server.close()
    start = time.monotonic()
    with pytest.raises(data.DataError) as caught:
        world.fetch("natural", wait=0.2, attempts=9)
    assert time.monotonic() - start < 2
    message = str(caught.value)
    assert message.startswith("There is no connection to 127.0.0.1, so 20 files could not be had")
    assert "in place" not in message and message.endswith("0 files are there and kept.")
    assert all_files(world.root) == set()


def test_a_whole_set_needs_no_connection(world: World) -> None:
    world.add("natural", "1.jpg", encoded(noise(8, 8, 3), "JPEG"))
    world.fetch("natural")
    world.server.close()
    assert tuple(world.fetch("natural").loc["natural"]) == (0, 1)


def test_one_dead_server_does_not_stop_another(world: World) -> None:
    for number in range(9):
        world.rows.append(("natural", 1, "0" * 64, f"http://localhost:1/{COMMIT}/{number}.jpg"))
    body = encoded(noise(8, 8, 3), "JPEG")
    world.add("natural", "a.jpg", body)  # comes first, so that we are not offline
    world.rows.insert(0, world.rows.pop())
    world.add("natural", "z.jpg", body)
    with pytest.raises(data.DataError, match="5 files could not be had.*4 more were not tried"):
        world.fetch("natural", attempts=1)
    assert (world.root / "natural/z.jpg").read_bytes() == body


def test_transfer_ends_at_the_registered_size(world: World) -> None:
    path = world.add("natural", "1.jpg", encoded(noise(8, 8, 3), "JPEG"))
    world.server.padded.add(path)
    with pytest.raises(data.DataError, match=r"sends more than [\d,]+ bytes"):
        world.fetch("natural", attempts=1)
    assert all_files(world.root) == set()
    world.server.padded.clear()
    world.server.files[path] += b"more"
    with pytest.raises(data.DataError, match=r"sends [\d,]+ bytes and not"):
        world.fetch("natural", attempts=1)
    assert all_files(world.root) == set()


def test_transfer_ends_after_its_time(world: World) -> None:
    path = world.add("natural", "1.jpg", encoded(noise(64, 64, 3), "JPEG"))
    world.server.slow.add(path)
    start = time.monotonic()
    with pytest.raises(data.DataError, match="took more than 0.3 s"):
        world.fetch("natural", attempts=2, total=0.3)
    assert time.monotonic() - start < 3  # a byte each 0.05 s would have taken minutes
    assert all_files(world.root) == set()


@pytest.mark.parametrize("address", ["ftp://mirror.example/1.jpg", "file:///etc/passwd"])
def test_redirect_to_another_scheme_is_called_so(world: World, address: str) -> None:
    path = world.add("natural", "1.jpg", encoded(noise(8, 8, 3), "JPEG"))
    world.server.status[path], world.server.headers[path] = [302] * 9, {"Location": address}
    scheme = address.partition(":")[0]
    with pytest.raises(data.DataError, match=f"redirects to {scheme}://.*, not http"):
        world.fetch("natural")
    assert world.server.requests[path] == 1


def test_redirects_within_the_scheme_are_followed_but_not_for_ever(world: World) -> None:
    path = world.add("natural", "1.jpg", encoded(noise(8, 8, 3), "JPEG"))
    world.server.status[path] = [302]
    world.server.headers[path] = {"Location": f"/{quote(path)}?moved"}
    world.server.files[f"{path}?moved"] = world.server.files[path]
    world.fetch("natural")
    assert (world.root / "natural/1.jpg").read_bytes() == world.server.files[path]
    loop = world.add("natural", "2.jpg", b"x")
    world.server.status[loop], world.server.headers[loop] = [302] * 99, {"Location": "?"}
    with pytest.raises(data.DataError, match="redirects without end"):
        world.fetch("natural")


def in_an_hour() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)


@pytest.mark.parametrize(
    ("wish", "seconds"),
    [("7", 7), ("1.5", 1.5), ("-3", 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0), ("in an hour", 3600)]
    + [(garbage, None) for garbage in ("", "soon", "\u00b2", "nan", "inf", "9" * 999, "32 Foo 0")],
)
def test_retry_after_of_any_form(wish: str, seconds: float | None) -> None:
    found = retry_after(in_an_hour() if wish == "in an hour" else wish)
    assert found is None if seconds is None else found == pytest.approx(seconds, abs=60)


@pytest.mark.parametrize("wish", ["0", "soon", "\u00b2".encode().decode("latin-1")])
def test_wish_of_a_busy_server_is_no_trouble(world: World, wish: str) -> None:
    path = world.add("natural", "1.jpg", encoded(noise(8, 8, 3), "JPEG"))
    world.server.status[path], world.server.headers[path] = [503], {"Retry-After": wish}
    world.fetch("natural")
    assert world.server.requests[path] == 2


def test_a_server_that_wants_an_hour_is_not_waited_for(world: World) -> None:
    path = world.add("natural", "1.jpg", encoded(noise(8, 8, 3), "JPEG"))
    world.server.status[path] = [429] * 9
    world.server.headers[path] = {"Retry-After": in_an_hour()}
    with pytest.raises(data.DataError, match=r"answered 429 and asks to wait 3,[56]\d\d s"):
        world.fetch("natural")
    assert world.server.requests[path] == 1


def test_leftovers_of_a_killed_run_are_cleared_and_live_ones_are_not(world: World) -> None:
    world.add("natural", "1.jpg", encoded(noise(8, 8, 3), "JPEG"))
    for folder in ("natural", "originals/natural"):
        (world.root / folder).mkdir(parents=True)
        for name, age in ((".1.jpg.0a1b2c3d.part", 999), (".2.jpg.4e5f6a7b.part", 1)):
            (world.root / folder / name).write_bytes(b"half")
            moment = time.time() - age
            os.utime(world.root / folder / name, (moment, moment))
    world.fetch("natural")
    left = {name for name in all_files(world.root) if name.endswith(".part")}
    assert left == {"natural/.2.jpg.4e5f6a7b.part", "originals/natural/.2.jpg.4e5f6a7b.part"}


def test_own_pictures_are_never_filled_up(world: World) -> None:
    world.add("natural", "1.jpg", encoded(noise(8, 8, 3), "JPEG"))
    world.add("faces", "2.jpg", encoded(noise(8, 8, 3), "JPEG"))
    (world.root / "natural").mkdir(parents=True)
    (world.root / "natural/holiday.png").write_bytes(encoded(noise(8, 8, 3)))
    with pytest.raises(data.DataError, match="natural holds pictures of your own"):
        world.fetch("natural")
    assert list(world.fetch().index) == ["faces"]
    assert all_files(world.root / "natural") == {"holiday.png"}


def test_interrupted_run_keeps_what_it_has(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [
        world.add("natural", f"{n}.jpg", encoded(noise(8, 8, 3, seed=n), "JPEG")) for n in range(6)
    ]
    original_make = fetching._make

    def stop_at_the_fourth(job, sources, target) -> None:
        if target.name == "3.jpg":
            raise KeyboardInterrupt
        original_make(job, sources, target)

    monkeypatch.setattr(fetching, "_make", stop_at_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        world.fetch("natural")
    monkeypatch.setattr(fetching, "_make", original_make)
    assert tuple(world.fetch("natural").loc["natural"]) == (3, 3)
    assert world.server.requests == dict.fromkeys(paths, 1)


def test_interrupt_in_a_conversion_leaves_no_half_file(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add("natural", "1.jpg", encoded(noise(8, 8, 3), "JPEG"))

    def half(source: Path, target: Path) -> None:
        Path(target).write_bytes(Path(source).read_bytes()[:50])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(convert.shutil, "copyfile", half)
        world.fetch("natural")
    assert all_files(world.root) == {"originals/natural/1.jpg"}
    assert tuple(world.fetch("natural").loc["natural"]) == (1, 0)


def test_deleted_originals_are_not_fetched_again_but_damage_is_mended(world: World) -> None:
    path = world.add("natural", "1.jpg", encoded(noise(8, 8, 3), "JPEG"))
    world.fetch("natural")
    (world.root / "originals/natural/1.jpg").unlink()
    world.fetch("natural")
    assert world.server.requests[path] == 1
    (world.root / "natural/1.jpg").write_bytes(b"damaged")
    world.fetch("natural")
    assert (world.root / "natural/1.jpg").read_bytes() == world.server.files[path]


def test_full_disk_is_one_sentence(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add("natural", "1.jpg", encoded(noise(8, 8, 3), "JPEG"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(convert.shutil, "copyfile", full)
    with pytest.raises(data.DataError, match="cannot be written .No space left on device"):
        world.fetch("natural")


def test_data_folder_that_is_a_file_is_one_sentence(world: World) -> None:
    world.add("natural", "1.jpg", encoded(noise(8, 8, 3), "JPEG"))
    world.root.write_text("a file")
    with pytest.raises(data.DataError, match="choose another folder"):
        world.fetch("natural")


def test_sets_that_cannot_be_fetched_are_named(world: World) -> None:
    world.add("natural", "1.jpg", encoded(noise(8, 8, 3), "JPEG"))
    with pytest.raises(data.DataError, match="real_rain cannot be downloaded"):
        world.fetch("real_rain")
    with pytest.raises(data.DataError, match="no data set 'celeba': choose from natural, faces"):
        world.fetch("celeba")


def test_no_names_means_all_that_is_listed(world: World) -> None:
    world.add("faces", "images/A1.jpg", encoded(noise(8, 8, 3), "JPEG"))
    world.add("natural", "1.jpg", encoded(noise(8, 8, 3), "JPEG"))
    assert list(world.fetch().index) == ["natural", "faces"]


# ------------------------------------------------------------------ conversions


def test_comic_is_laid_on_white(world: World) -> None:
    rgba = np.dstack([smooth(48, 40), np.zeros((48, 40), np.uint8)])
    rgba[:, 10:30, 3], rgba[:, 30:, 3] = 128, 255
    world.add("comics", "page_E05P01.png", encoded(rgba))
    world.fetch("comics")
    alpha = rgba[..., 3:].astype(float) / 255
    by_hand = np.rint(rgba[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    assert np.abs(np.asarray(data.on_white(Image.fromarray(rgba))) - by_hand.astype(int)).max() <= 1
    made = world.root / "comics/page_E05P01.jpg"
    error = read(made).astype(int) - by_hand
    assert np.abs(error[:, :8]).max() <= 2 and np.sqrt((error**2).mean()) < 4
    reference = Image.open(io.BytesIO(encoded(by_hand, "JPEG", quality=93, subsampling=0)))
    with Image.open(made) as image:
        assert image.format == "JPEG" and image.quantization == reference.quantization
        assert image.layer == reference.layer


@pytest.mark.parametrize(
    ("name", "path", "target", "size", "expected"),
    [
        ("urban", "img_001.png", "urban/img_001.jpg", (1024, 680), (771, 512)),
        ("urban", "img_002.png", "urban/img_002.jpg", (768, 1024), (512, 683)),
        ("photos", "n1_potter's.JPEG", "photos/imagene_n1_potter's.jpg", (500, 375), (341, 256)),
        ("photos", "n2.JPEG", "photos/imagene_n2.jpg", (320, 221), (320, 221)),
    ],
)
def test_short_side(
    world: World,
    name: str,
    path: str,
    target: str,
    size: tuple[int, int],
    expected: tuple[int, int],
) -> None:
    width, height = size
    body = encoded(smooth(height, width), "PNG" if path.endswith("png") else "JPEG")
    world.add(name, path, body)
    world.fetch(name)
    with Image.open(world.root / target) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", expected)
    # The red channel is a ramp from left to right: shrunk, it is the same ramp.
    red = read(world.root / target)[..., 0].astype(float).mean(axis=0)
    ramp = (np.arange(expected[0]) + 0.5) / expected[0] * 255
    assert np.abs(red - ramp)[5:-5].max() < 2.5


def test_grey_photograph_becomes_rgb(world: World) -> None:
    world.add("photos", "n3.JPEG", encoded(smooth(300, 300)[..., 0], "JPEG"))
    world.fetch("photos")
    pixels = read(world.root / "photos/imagene_n3.jpg")
    assert pixels.shape == (256, 256, 3) and np.ptp(pixels, axis=2).max() <= 1


def rainy_pair(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A clean picture, a grey layer with saturated places, and their sum, cut at 255."""
    clean, layer = noise(20, 30, 3, seed=seed), noise(20, 30, seed=seed + 1, high=180)
    total = clean.astype(int) + layer[..., None]
    return clean, layer, np.minimum(total, 255).astype(np.uint8)


def test_rain_layer_is_exact_where_a_channel_shows_it() -> None:
    clean, layer, rainy = rainy_pair(3)
    found = data.rain_layer(rainy, clean)
    seen = rainy.min(axis=2) < 255
    assert np.array_equal(found[seen], layer[seen]) and (~seen).any()
    assert (found <= layer).all()
    assert np.array_equal(np.minimum(clean.astype(int) + found[..., None], 255), rainy)


def test_rain_layer_refuses_other_pairs() -> None:
    clean, _, rainy = rainy_pair(3)
    with pytest.raises(ValueError, match="clean plus grey rain"):
        data.rain_layer(rainy, clean[::-1])
    with pytest.raises(ValueError, match="the clean one"):
        data.rain_layer(rainy, clean[:-1])


def test_rain100_pairs_are_converted(world: World) -> None:
    for name, wet, dry in (("rain100l", "input", "target"), ("rain100h", "inputcrop", "cleancrop")):
        for number in (1, 10):
            clean, _, rainy = rainy_pair(number if name == "rain100l" else number + 50)
            world.add(name, f"data(x)/{wet}/{number}.png", encoded(rainy))
            world.add(name, f"data(x)/{dry}/{number}.png", encoded(clean))
    # The heavy set is of no use without the light one's clean pictures: both come.
    assert list(world.fetch("rain100h").made) == [4, 2]
    assert set(world.server.requests.values()) == {1}
    for number in (1, 10):
        clean, _, rainy = rainy_pair(number)
        folder = world.root / "rain100l"
        stored, layer = (read(folder / kind / f"{number:03}.png") for kind in ("clean", "rain"))
        assert np.array_equal(stored, clean) and layer.shape == (20, 30)
        assert np.array_equal(np.minimum(stored.astype(int) + layer[..., None], 255), rainy)
        clean, _, rainy = rainy_pair(number + 50)
        layer = read(world.root / f"rain100h/rain/{number:03}.png")
        assert np.array_equal(np.minimum(clean.astype(int) + layer[..., None], 255), rainy)
    assert not (world.root / "rain100h/clean").exists()


def test_unpaired_rain_picture_is_refused(world: World) -> None:
    world.add("rain100l", "input/1.png", b"x")
    with pytest.raises(data.DataError, match="rain100l pictures without a partner"):
        world.fetch("rain100l")


def test_failed_conversion_names_the_file(world: World) -> None:
    world.add("comics", "page.png", b"a web page, not a picture")
    with pytest.raises(data.DataError, match=r"comics/page\.jpg \(conversion failed"):
        world.fetch("comics")
    assert all_files(world.root) == {"originals/comics/page.png"}


def test_weights_find_their_places(world: World) -> None:
    places = {
        "logs/Rain100H/PRN6/net_latest.pth": "prenet/PRN6_Rain100H.pth",
        "logs/Rain100L/PReNet6/net_latest.pth": "prenet/PReNet6_Rain100L.pth",
        "lpips/weights/v0.1/alex.pth": "lpips_v0.1/alex.pth",
        "taef2_encoder.pth": "taef2/taef2_encoder.pth",
        "basicsr/metrics/niqe_pris_params.npz": "niqe_pris_params.npz",
        "MATLAB/allmodel": "brisque/allmodel",
    }
    unused = [world.add("weights", f"logs/Rain100L/{n}/net_latest.pth", b"u") for n in ("PRN6_r",)]
    for source in places:
        world.add("weights", source, source.encode())
    world.fetch("weights")
    for source, target in places.items():
        assert (world.root / "weights" / target).read_bytes() == source.encode()
    assert world.server.requests[unused[0]] == 0


def test_calibration_pairs_lose_nothing(world: World) -> None:
    pictures = {kind: noise(9, 12, 3, seed=len(kind)) for kind in ("ref", "dist")}
    for kind, pixels in pictures.items():
        world.add("iqa_calibration", f"ResultsCalibra/{kind}_dir/I03.bmp", encoded(pixels, "BMP"))
    world.fetch("iqa_calibration")
    for kind, pixels in pictures.items():
        assert np.array_equal(read(world.root / f"iqa_calibration/{kind}/I03.png"), pixels)


def test_a_registered_set_may_name_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "registry.csv"
    address = f"http://x/a/b/{COMMIT}/MATLAB/allrange"
    path.write_text(f"set,bytes,sha256,url\nweights/brisque,1,{'0' * 64},{address}\n")
    found = expected(data.SETS["weights"], data.read_registry(path))
    assert {name: known.sha256 for name, known in found.items()} == {
        "weights/brisque/allrange": "0" * 64,
        "weights/squeezenet1_1_features.mat": data.SETS["weights"].by_hand[0][1],
    }


# ------------------------------------------------------------------ the documented commands


@pytest.fixture
def documented(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A bare machine whose package lists a few files of the sets that the book fetches."""
    world.add("natural", "1.jpg", encoded(noise(8, 8, 3), "JPEG"))
    for name, wet, dry in (("rain100l", "input", "target"), ("rain100h", "inputcrop", "cleancrop")):
        clean, _, rainy = rainy_pair(5)
        world.add(name, f"{wet}/1.png", encoded(rainy))
        world.add(name, f"{dry}/1.png", encoded(clean))
    world.add("faces", "2.jpg", encoded(noise(8, 8, 3), "JPEG"))  # never asked for
    world.write()
    monkeypatch.setattr(catalogue, "REGISTRY", world.registry)
    monkeypatch.setenv(data.VARIABLE, str(world.root))
    packaged = (catalogue.packaged_registry, state._registered)
    for cached in packaged:
        cached.cache_clear()
    yield world
    for cached in packaged:
        cached.cache_clear()


def commands() -> list[list[str]]:
    """Those of the page about data, in their order, without `rainlens`."""
    page = Path(__file__).resolve().parents[1] / "book" / "data.md"
    block = page.read_text(encoding="utf-8").partition("```bash")[2].partition("```")[0]
    return [line.split()[1:] for line in block.splitlines() if line.startswith("rainlens ")]


def run(command: list[str]) -> tuple[int, str]:
    """Exit status and all that is printed, as `main` would have it."""
    result = CliRunner().invoke(cli.app, command)
    error = f"rainlens: {result.exception}" if isinstance(result.exception, data.DataError) else ""
    assert error or result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output + error


def test_the_documented_commands_work_in_their_order_on_a_bare_machine(documented: World) -> None:
    assert [command[1] for command in commands()] == ["list", "fetch", "check"]
    assert not documented.root.exists()
    answers = [run(command) for command in commands()]
    assert [status for status, _ in answers] == [0, 0, 0]
    assert "which `rainlens data fetch` will make and fill" in answers[0][1]
    assert "faces" in answers[2][1]  # not fetched, which is no fault
    assert not (documented.root / "faces").exists()
    assert run(["data", "list"])[1].endswith(f"RAINLENS_DATA is {documented.root}.\n")


def test_the_advice_of_list_can_be_followed(
    documented: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(documented.root))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv(data.VARIABLE)
    advice = run(["data", "list"])[1].splitlines()[-1]
    monkeypatch.setenv(data.VARIABLE, re.search('export RAINLENS_DATA="(.*)"', advice)[1])
    assert run(["data", "list"])[0] == 0 and run(["data", "fetch", "natural"])[0] == 0
    assert data.set_folder("natural") is not None


def test_the_commands_on_a_machine_without_network(documented: World) -> None:
    documented.server.close()
    (_, _), (fetched, told), (checked, found) = [run(command) for command in commands()]
    assert fetched == 1 and "There is no connection to 127.0.0.1" in told and "place" not in told
    assert checked == 1 and "None of the sets is here" in found or "no data folder" in found


def test_the_check_fails_for_what_is_there_and_not_whole(documented: World) -> None:
    for command in commands():
        run(command)
    (documented.root / "rain100l/rain/001.png").unlink()
    status, told = run(["data", "check"])
    assert status == 1 and "These sets are not as they should be: rain100l;" in told


# ------------------------------------------------------------------ the check


def test_check_names_what_is_missing_damaged_and_extra(world: World) -> None:
    for number in range(4):
        world.add("natural", f"{number}.jpg", encoded(noise(8, 8, 3, seed=number), "JPEG"))
    world.add("comics", "a.png", encoded(noise(16, 16, 3)))
    world.add("comics", "b.png", encoded(noise(16, 16, 3)))
    world.fetch()
    assert world.check().complete[["natural", "comics"]].all()
    folder = world.root / "natural"
    (folder / "0.jpg").unlink()
    (folder / "1.jpg").write_bytes(b"")
    (folder / "2.jpg").write_bytes(encoded(noise(8, 8, 3, seed=99), "JPEG"))
    (folder / "stranger.png").write_bytes(encoded(noise(8, 8, 3)))
    (folder / ".3.jpg.77.part").write_bytes(b"hidden files are left alone")
    page = world.root / "comics/a.jpg"
    page.write_bytes(page.read_bytes()[:-200])
    table = world.check()
    row = table.loc["natural"]
    assert not row.complete
    assert (row.expected, row.missing, row.damaged, row.extra) == (4, 1, 2, 1)
    assert row.examples == "natural/1.jpg, natural/2.jpg, natural/0.jpg, natural/stranger.png"
    assert table.loc["comics", "examples"] == "comics/a.jpg" and table.damaged["comics"] == 1


def test_check_of_what_no_download_brings(world: World) -> None:
    world.add("weights", "taef2_encoder.pth", b"weights")
    world.fetch()
    table = world.check()
    assert not table.complete["weights"] and "squeezenet1_1" in table.note["weights"]
    assert not table.complete["real_rain"] and table.missing["real_rain"] == 39
    (world.root / "real_rain").mkdir()
    for number in range(39):
        (world.root / f"real_rain/{number}.jpg").write_bytes(encoded(noise(8, 8, 3), "JPEG"))
    assert world.check().complete["real_rain"]
    (world.root / "real_rain/0.jpg").write_bytes(b"")
    assert world.check().damaged["real_rain"] == 1


def test_check_of_no_folder(tmp_path: Path) -> None:
    with pytest.raises(data.DataError, match="no data folder .*fetch the data first"):
        data.check(tmp_path / "nowhere")


# ------------------------------------------------------------------ folders and the registry


def test_root_is_what_the_variable_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(data.VARIABLE, "~")
    assert data.data_root() == tmp_path.resolve()
    monkeypatch.setenv(data.VARIABLE, "~/nowhere")
    with pytest.raises(data.DataError, match="RAINLENS_DATA names ~/nowhere, which is not a fold"):
        data.data_root()
    # Whoever fills the folder makes it; a file in its place is an error for them, too.
    assert data.data_root(must_exist=False) == tmp_path.resolve() / "nowhere"
    assert set(data.listing().present) == {"no"}
    (tmp_path / "nowhere").touch()
    with pytest.raises(data.DataError, match="which is not a folder"):
        data.data_root(must_exist=False)
    monkeypatch.delenv(data.VARIABLE)
    assert data.data_root() is None and data.set_folder("natural") is None
    assert data.default_root().name == "rainlens"
    assert str(data.default_root()) in data.root_message(data.default_root())


def test_set_folder_needs_all_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(data.VARIABLE, str(tmp_path))
    (tmp_path / "rain100l/clean").mkdir(parents=True)
    (tmp_path / "rain100l/clean/001.png").write_bytes(b"x")
    assert data.set_folder("rain100l") is None
    (tmp_path / "rain100l/rain").mkdir()
    (tmp_path / "rain100l/rain/001.png").write_bytes(b"x")
    assert data.set_folder("rain100l") is None  # two of two hundred
    assert data.listing().present["rain100l"] == "2 of 200"
    (tmp_path / "rain100l/OWN").touch()
    assert data.set_folder("rain100l") == tmp_path.resolve() / "rain100l"
    assert data.listing().present["rain100l"] == "own: 2 pictures"
    with pytest.raises(data.DataError, match="no data set 'rain'"):
        data.set_folder("rain")


@pytest.mark.parametrize(
    "row",
    ["natural,1,abc,http://x/a.jpg", "natural,one," + "0" * 64 + ",http://x/a.jpg", "natural,1"],
)
def test_bad_registry_row_is_named(tmp_path: Path, row: str) -> None:
    path = tmp_path / "registry.csv"
    path.write_text(f"set,bytes,sha256,url\n{row}\n")
    with pytest.raises(data.DataError, match=r"registry\.csv has a row that cannot be used"):
        data.read_registry(path)


def test_registry_paths_never_climb(tmp_path: Path) -> None:
    path = tmp_path / "registry.csv"
    address = f"http://x/a/b/{COMMIT}/%2e%2e/%2e%2e/evil.jpg"
    path.write_text(f"set,bytes,sha256,url\nnatural,1,{'0' * 64},{address}\n")
    with pytest.raises(data.DataError, match="cannot be used"):
        data.read_registry(path)
    with pytest.raises(data.DataError, match="cannot be read"):
        data.read_registry(tmp_path / "none.csv")


def test_packaged_registry_agrees_with_the_sets() -> None:
    registry = data.read_registry()
    # Each original is pinned: a commit in its address, or it could change under us.
    assert all(re.search("/[0-9a-f]{40}/", row.url) for row in registry)
    places = [(row.set, row.path) for row in registry]
    assert len(set(places)) == len(places)
    for name, entry in data.SETS.items():
        targets = list(expected(entry, registry))
        assert len(set(targets)) == len(targets)
        assert len(targets) == (0 if name == "real_rain" else entry.count)
        assert all(target.startswith(f"{entry.folder}/") for target in targets)
    assert {name for name, entry in data.SETS.items() if entry.shown} == {"comics", "faces"}


def test_the_page_about_data_has_the_numbers_of_the_catalogue() -> None:
    page = Path(__file__).resolve().parents[1] / "book" / "data.md"
    rows = re.findall(r"^\| `(\w+)/` \|.*\| (\d+) \| ([\d-]+) \|$", page.read_text("utf-8"), re.M)
    assert [name for name, _, _ in rows] == list(data.SETS)
    for (name, count, megabytes), row in zip(rows, data.listing().itertuples(), strict=True):
        assert (name, int(count)) == (row.Index, row.files)
        assert megabytes == ("-" if np.isnan(row.megabytes) else f"{row.megabytes:.0f}")


def test_natural_and_rain100_backgrounds_share_bsds500() -> None:
    # BSDS500 has 500 photographs; 91 of them are Rain100 backgrounds and must stay out.
    names = [row.path for row in data.read_registry() if row.set == "natural"]
    assert len({Path(name).name for name in names}) == 500 - 91


def test_listing_needs_no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(data.VARIABLE, raising=False)
    table = data.listing()
    assert list(table.index) == list(data.SETS) and set(table.present) == {"no"}
    assert table.megabytes["natural"] == pytest.approx(30.427082)
    assert np.isnan(table.megabytes["real_rain"])


# ------------------------------------------------------------------ the real data, where they are


@pytest.mark.skipif(not os.environ.get(data.VARIABLE), reason="RAINLENS_DATA is not set")
def test_real_data_are_complete() -> None:
    table = data.check()
    assert table.complete.all(), table[~table.complete].to_string()
    # No registry says which pictures real_rain should have: they are counted.
    assert set(data.listing().present) == {"yes", "39 pictures"}


@pytest.mark.skipif(not os.environ.get(data.VARIABLE), reason="RAINLENS_DATA is not set")
@pytest.mark.parametrize("name", ["rain100l", "rain100h"])
def test_real_layers_are_what_the_rule_derives(name: str) -> None:
    root = data.data_root()
    for number in (1, 42):
        source = root / f"rain100l/clean/{number:03}.png"
        clean, layer = read(source), read(root / f"{name}/rain/{number:03}.png")
        rainy = np.minimum(clean.astype(int) + layer[..., None], 255).astype(np.uint8)
        assert np.array_equal(data.rain_layer(rainy, clean), layer)
