"""Folders as people have them: whose pictures they are, what is passed over, and a digest."""

import os
import shutil
import socket
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rainlens import data, images
from rainlens.data import files, pictures
from rainlens.data.convert import expected
from rainlens.data.state import _RIGHT_SIZES


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder that RAINLENS_DATA names."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv(data.VARIABLE, str(folder))
    return folder


def draw(path: Path, seed: int = 0, size: int = 24) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def pretend(root: Path, name: str, leave_out: int = 0) -> list[Path]:
    """A set with the names and sizes that the registry lists, and nothing in its files."""
    names = expected(data.SETS[name], data.read_registry())
    made = []
    for target, known in list(names.items())[: len(names) - leave_out]:
        path = root / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.truncate(path, known.bytes or 1)
        made.append(path)
    return made


def names_in(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in images.list_folder(folder)]


# --- what of a folder is a picture --------------------------------------------------------------


def test_hidden_parts_thumbnails_and_leftovers_of_archives_are_passed_over(tmp_path):
    folder = tmp_path / ".cache" / "photos"  # a hidden folder above is no matter
    kept = ["IMG_1.JPG", "IMG_2.png", "trip/IMG_3.jpeg", "trip/album.jpg/IMG_4.png"]
    litter = ["@eaDir/IMG_1.JPG/SYNOPHOTO_THUMB_M.jpg", ".thumbnails/1.jpg", "._IMG_1.JPG"]
    litter += ["__MACOSX/IMG_1.jpg", ".ipynb_checkpoints/IMG_2.png", "trip/.@__thumb/IMG_3.jpeg"]
    litter += ["#recycle/old.png", "Thumbnails/1.png", "$RECYCLE.BIN/2.png", "trip/.Trash/3.png"]
    for number, name in enumerate(kept + litter):
        draw(folder / name, number)
    for name in ("Thumbs.db", ".DS_Store", "desktop.ini", "licence.txt"):
        (folder / name).write_bytes(b"no picture")
    assert names_in(folder) == sorted(kept, key=lambda name: Path(name).parts)
    remark = data.look_into(folder).remark
    assert "6 hidden (.DS_Store)" in remark and "1 .txt (licence.txt)" in remark
    assert "5 with thumbnails or leftovers (#recycle)" in remark


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")
def test_what_is_no_file_is_passed_over_and_never_opened(tmp_path, monkeypatch):
    draw(tmp_path / "a.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "gone.png")
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.png")
        found = data.look_into(tmp_path)
    assert [path.name for path in found.pictures] == ["a.png"]
    assert "1 pointing to nothing (nowhere.png)" in found.remark
    assert "2 not a file (pipe.png)" in found.remark
    with pytest.raises(images.PictureError, match="a pipe, socket or device, not a picture file"):
        images.load(tmp_path / "pipe.png")  # to open it would wait for ever


def test_links_to_folders_are_followed_and_loops_are_not(tmp_path):
    folder, elsewhere = tmp_path / "set", tmp_path / "elsewhere"
    draw(folder / "b" / "1.png")
    draw(elsewhere / "2.png")
    (folder / "linked").symlink_to(elsewhere)
    (folder / "b" / "loop").symlink_to(folder)
    (folder / "self").symlink_to(folder / "self")
    # A second way to a folder would put one picture into training and test.
    (folder / "z_again").symlink_to(elsewhere)
    assert names_in(folder) == ["b/1.png", "linked/2.png"]
    assert "2 linked a second time" in data.look_into(folder).remark
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert names_in(link) == ["b/1.png", "linked/2.png"]


def test_formats_that_cannot_be_read_here_are_named(tmp_path, monkeypatch):
    for name in ("IMG_1.HEIC", "IMG_2.heic", "3.avif", "raw.CR2", "no_suffix"):
        (tmp_path / name).write_bytes(b"x")
    monkeypatch.setattr(files, "formats", lambda: ("JPEG", "PNG"))
    found = data.look_into(tmp_path)
    assert not found.pictures
    assert "2 .heic (IMG_1.HEIC; to read HEIC, install the package pillow-heif" in found.remark
    assert "1 .avif (3.avif; to read AVIF, update Pillow" in found.remark
    assert "1 .cr2 (raw.CR2)" in found.remark and "1 without a suffix" in found.remark
    with pytest.raises(images.PictureError, match=r"0 picture.*passed over: .*pillow-heif"):
        images.names(str(tmp_path), "train")


def test_where_pillow_can_heic_and_avif_are_read(tmp_path):
    for suffix, name in ((".avif", "AVIF"), (".heic", "HEIF")):
        if name in data.formats():
            draw(tmp_path / f"a{suffix}")
            assert names_in(tmp_path) == [f"a{suffix}"]
            assert images.load(tmp_path / f"a{suffix}").shape == (3, 24, 24)
            (tmp_path / f"a{suffix}").unlink()


def test_a_heic_picture_called_jpg_is_recognised(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "formats", lambda: ("JPEG", "PNG"))
    (tmp_path / "IMG_1.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(99))
    with pytest.raises(images.PictureError, match="is a picture in HEIF; to read HEIC, install"):
        images.load(tmp_path / "IMG_1.jpg")


def test_names_that_are_no_text_can_be_said(tmp_path, monkeypatch):
    strange = os.fsdecode(b"ban\xe9\n.png")
    (tmp_path / strange).write_bytes(b"")
    with pytest.raises(images.PictureError) as error:
        images.load(tmp_path / strange)
    assert r"ban\udce9\n.png is empty" in str(error.value)
    str(error.value).encode()  # what cannot be encoded cannot be printed
    assert len(images.digest(str(tmp_path))) == 16
    with pytest.raises(images.PictureError, match="There are no pictures"):
        images.find_folder("x" * 500)


# --- whose pictures they are --------------------------------------------------------------------


def test_a_folder_of_other_names_is_ones_own(root):
    for number in range(12):
        draw(root / "natural" / f"IMG_{number}.JPG", number)
    found = data.state("natural")
    assert (found.kind, found.found) == ("own", 12)
    assert images.is_available("natural") and len(images.names("natural", "train")) == 9
    assert data.listing().present["natural"] == "own: 12 pictures"
    row = data.check().loc["natural"]
    assert row.complete and not row.faulty and row.note == "your own, 12 pictures"


def test_half_a_registered_set_is_refused_until_it_is_whole_or_declared(root):
    made = pretend(root, "natural", leave_out=3)
    assert data.state("natural").kind == "unfit" and not images.is_available("natural")
    assert data.listing().present["natural"] == "406 of 409"
    with pytest.raises(images.PictureError) as error:
        images.names("natural", "train")
    message = str(error.value)
    assert "3 files are missing (natural/" in message and "named OWN in natural/" in message
    assert "`rainlens data fetch natural`" in message
    (root / "natural" / "OWN").touch()
    assert data.state("natural").kind == "own" and len(images.names("natural", "test")) == 82
    (root / "natural" / "OWN").unlink()
    pretend(root, "natural")
    assert data.state("natural").kind == "registered" and images.is_available("natural")
    # Names alone do not make a set: a copy that broke off is shorter.
    os.truncate(made[7], 99)
    _RIGHT_SIZES.clear()  # sizes are looked at once in a process
    with pytest.raises(images.PictureError, match="1 file has another size than registered"):
        images.find_folder("natural")


def test_a_doubled_file_is_refused_by_name(root):
    pretend(root, "rain100l")
    assert images.is_available("rain100l")
    shutil.copy(root / "rain100l/clean/003.png", root / "rain100l/clean/003 (1).png")
    with pytest.raises(images.PictureError, match=r"1 file is not of the set .*003 \(1\)\.png"):
        images.find_folder("rain100l")
    assert data.listing().present["rain100l"] == "200 of 200, and 1 not of the set"
    assert data.check().faulty["rain100l"]


def test_own_layers_without_pictures_are_named(root):
    draw(root / "rain100l" / "rain" / "a.png")
    with pytest.raises(images.PictureError, match=r"there are no pictures in rain100l/clean/; put"):
        images.find_folder("rain100l")


def test_own_pictures_that_cannot_be_read_are_named_by_the_check(root):
    for number in range(3):
        draw(root / "faces" / f"{number}.png", number)
    (root / "faces" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    Image.fromarray(np.zeros((9, 9), np.float32)).save(root / "faces" / "depth.tif")
    row = data.check().loc["faces"]
    assert row.faulty and row.damaged == 2 and row.examples == "faces/broken.jpg, faces/depth.tif"


def test_a_set_that_is_not_there_says_what_was_passed_over(root):
    (root / "natural").mkdir()
    (root / "natural" / "raw.cr2").write_bytes(b"x")
    with pytest.raises(images.PictureError, match=r"passed over there: 1 \.cr2"):
        images.names("natural", "train")
    assert data.listing().present["natural"] == "no, passed over: 1 .cr2 (raw.cr2)"
    with pytest.raises(images.PictureError, match="in real_rain/, or put some there"):
        images.find_folder("real_rain")


# --- one line about any mixture -----------------------------------------------------------------

NEEDED = {"natural", "rain100l", "embedded"}


def test_line_says_nothing_where_all_is_as_registered(root):
    pretend(root, "natural")
    pretend(root, "rain100l")
    assert data.on_hand_line(NEEDED) == ""


def test_line_names_own_registered_missing_and_unfit_sets(root):
    draw(root / "natural" / "a.png")
    draw(root / "natural" / ".b.png")
    pretend(root, "rain100l")
    line = data.on_hand_line(NEEDED)
    assert line == (
        "Pictures: natural is your own (1 picture, passed over: 1 hidden (.b.png)); rain100l is "
        "the registered set."
    )
    pretend(root, "comics", leave_out=1)
    line = data.on_hand_line(NEEDED | {"comics", "faces", "urban"})
    assert "natural is your own" in line and "faces and urban are missing" in line
    assert "comics is not fit to be used (1 file is missing (comics/" in line
    assert "The embedded photographs stand in for all of them" in line
    assert "`rainlens data fetch faces comics urban` gets what is missing" in line
    assert "not on this machine" not in line and "\n" not in line


def test_line_without_a_data_folder(monkeypatch):
    monkeypatch.delenv(data.VARIABLE, raising=False)
    line = data.on_hand_line(NEEDED)
    assert "natural and rain100l are missing, because RAINLENS_DATA is not set" in line
    assert data.on_hand_line({"embedded"}) == ""


def test_line_says_what_is_left_aside_where_only_embedded_photographs_are_used(root):
    draw(root / "natural" / "a.png")
    pretend(root, "comics")
    assert data.on_hand_line({"embedded"}) == (
        "Pictures: only the embedded photographs are used at this scale; your own natural "
        "(1 picture) is left aside."
    )


def test_line_about_a_folder(root, tmp_path):
    draw(tmp_path / "mine" / "a.png")
    line = data.on_hand_line({str(tmp_path / "mine")})
    assert line == f"Pictures: the folder {tmp_path / 'mine'} is your own (1 picture)."


# --- which files they are -----------------------------------------------------------------------


def test_digest_tells_two_folders_of_one_name_apart(tmp_path, monkeypatch):
    digests = {}
    for who, seed in (("a", 1), ("b", 2), ("copy of a", 1)):
        for number in range(4):
            draw(tmp_path / who / "natural" / f"p{number}.png", 10 * seed + number)
        monkeypatch.setenv(data.VARIABLE, str(tmp_path / who))
        digests[who] = images.digest("natural")
    assert digests["a"] == digests["copy of a"] != digests["b"]
    assert len(digests["a"]) == 16 and int(digests["a"], 16)


def test_digest_sees_names_order_and_every_byte(tmp_path):
    folder = tmp_path / "set"
    for number in range(3):
        draw(folder / f"{number}.png", number)
    seen = [images.digest(str(folder))]
    (folder / "notes.txt").write_text("not used")
    assert images.digest(str(folder)) == seen[0]
    (folder / "0.png").rename(folder / "7.png")
    seen.append(images.digest(str(folder)))
    draw(folder / "3.png", 3)
    seen.append(images.digest(str(folder)))
    content = bytearray((folder / "3.png").read_bytes())
    content[-1] ^= 1
    (folder / "3.png").write_bytes(content)  # the same name and size, one bit
    seen.append(images.digest(str(folder)))
    assert len(set(seen)) == 4


def test_digest_counts_layers_and_is_known_for_the_embedded_photographs(root):
    draw(root / "rain100l/clean/x.png", 1)
    draw(root / "rain100l/rain/x.png", 2)
    first = images.digest("rain100l")
    draw(root / "rain100l/rain/x.png", 3)
    assert images.digest("rain100l") != first
    assert images.digest("embedded") == images.digest("embedded") != first


def test_digest_of_many_files_is_quick_the_second_time(tmp_path):
    for number in range(2500):
        (tmp_path / f"{number}.png").write_bytes(number.to_bytes(2, "big"))
    first = images.digest(str(tmp_path))
    start = time.perf_counter()
    assert images.digest(str(tmp_path)) == first
    assert time.perf_counter() - start < 1


def test_digest_of_a_file_that_cannot_be_read_is_one_sentence(tmp_path):
    with pytest.raises(data.DataError, match=r"gone\.png cannot be read .*; check the file\.$"):
        data.digest([tmp_path / "gone.png"], tmp_path)
