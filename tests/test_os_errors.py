"""What the disk refuses is told in one sentence: the place, what is wrong, what to do."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rainlens import os_errors
from rainlens.os_errors import from_text, sentence


@pytest.mark.parametrize(
    ("number", "what", "remedy"),
    [
        (errno.ENOSPC, "no space left", "free some"),
        (errno.EROFS, "can only be read", "one that can be written"),
        (errno.EACCES, "you lack the right", "folder of your own"),
        (errno.ENOENT, "does not exist", "check the path"),
        (errno.EISDIR, "a folder where a file should be", "move it away"),
        (errno.ENAMETOOLONG, "too long", "shorter path"),
        (errno.EIO, "reports a fault", "have it checked"),
        (errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT), "see to that"),
    ],
)
def test_each_has_its_place_its_fault_and_its_remedy(number: int, what: str, remedy: str) -> None:
    for told in (
        sentence(OSError(number, os.strerror(number), "/some/where")),
        sentence(OSError(number, os.strerror(number)), Path("/some/where")),
    ):
        assert told.startswith("/some/where: ") and what in told and remedy in told
        assert told.endswith(".") and "\n" not in told and told.count(". ") == 0


def test_real_refusals_name_what_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    (tmp_path / "folder" / "full").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "link")
    for action, place, what in (
        (lambda: (tmp_path / "taken" / "a" / "b").mkdir(parents=True), "taken", "a file where"),
        (lambda: (tmp_path / "taken").mkdir(exist_ok=True), "taken", "a file where"),
        (lambda: (tmp_path / "folder").write_text(""), "folder", "a folder where"),
        (lambda: os.replace(tmp_path / "taken", tmp_path / "folder"), "folder", "a folder where"),
        (lambda: (tmp_path / "gone").read_text(), "gone", "does not exist"),
        (lambda: (tmp_path / "link").read_text(), "link", "leads in a circle"),
        (lambda: (tmp_path / ("n" * 300)).write_text(""), "n" * 300, "too long"),
    ):
        with pytest.raises(OSError) as caught:
            action()
        told = sentence(caught.value)
        assert told.startswith(f"{tmp_path / place}: it") and what in told


def test_a_folder_that_cannot_be_copied_is_told_by_one_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    for name in "ab":
        (tmp_path / "from" / name).symlink_to(tmp_path / "gone")
    with pytest.raises(shutil.Error) as caught:
        shutil.copytree(tmp_path / "from", tmp_path / "to")
    told = sentence(caught.value)
    assert "does not exist" in told and told.count("\n") == 0 and "[" not in told


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_what_another_process_printed_is_understood() -> None:
    code = "open('/dev/full', 'w').write('x' * 9999)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr
    assert "no space left" in sentence(from_text(said), Path("/here"))
    code = "open('/no/such/file')"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr
    assert sentence(from_text(said)) == "/no/such/file: it does not exist; check the path."
    assert from_text("ValueError: nothing of the kind") is None


def test_a_name_cannot_act_on_the_terminal() -> None:
    told = sentence(OSError(errno.ENOENT, "", "/a\x1b[31m\nb"))
    assert told.startswith(r"/a\x1b[31m\nb: ")


def test_an_error_without_a_number_keeps_its_words() -> None:
    assert sentence(OSError("odd")) == "odd; see to that, and run it again."
    assert os_errors.sentence(OSError("odd"), Path("x")).startswith("x: odd; ")
