"""The build on a machine as people have it: full disks, other builds, edited notebooks, kernels."""

import errno
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import jupytext
import nbformat
import pytest

import rainlens
from rainlens import cli
from rainlens.site import build, execution, sources, staging, stored
from rainlens.site.lock import locked
from rainlens.site.sources import BookError

ROOT = Path(__file__).resolve().parents[1]
CHAPTER = """\
# %% [markdown]
# # A chapter

# %% [markdown] tags=["colab"]
# A link.

# %% tags=["parameters"]
scale = "cpu"
recompute = False

# %%
print(6 * 7)
"""
GIT = ["git", "-c", "user.name=a reader", "-c", "user.email=reader@example.org"]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project with one chapter, which the package takes for its own."""
    root = tmp_path / "project"
    for folder in ("book/_static", "notebooks", "src/rainlens"):
        (root / folder).mkdir(parents=True)
    for name in ("_toc.yml", "_config.yml", "README.md", "notebooks/jupytext.toml"):
        shutil.copy(ROOT / name, root / name)
    (root / "notebooks/05_made_up.py").write_text(CHAPTER)
    notebook = jupytext.reads(CHAPTER, fmt="py:percent")
    nbformat.write(execution.tidy(notebook, "cpu"), root / "notebooks/05_made_up.ipynb")
    monkeypatch.setattr(rainlens, "__file__", str(root / "src/rainlens/__init__.py"))
    return root


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Chapters that were executed; nothing is, but they become notebooks, and no HTML is built."""
    done: list[Path] = []

    def execute(chapter: Path, target: Path, scale: str, recompute: bool = False) -> None:
        done.append(chapter)
        nbformat.write(execution.tidy(jupytext.read(chapter), scale), target)

    monkeypatch.setattr(build, "execute", execute)
    monkeypatch.setattr(build, "finish", lambda folder, scale: folder)
    for name in ("write_results", "write_overview"):
        monkeypatch.setattr(stored, name, lambda target, scale: None)
    return done


def is_one_sentence(text: str) -> bool:
    return text.endswith(".") and "\n" not in text and "Errno" not in text


# --- edited notebooks


def edit_notebook(root: Path, line: str = "mine = 1") -> Path:
    path = root / "notebooks/05_made_up.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].source += f"\n{line}"
    nbformat.write(notebook, path)
    return path


def edit_source(root: Path) -> None:
    path = root / "notebooks/05_made_up.py"
    path.write_text(f"{path.read_text()}more = 1\n")


def commit(root: Path) -> None:
    for words in (["init", "-q"], ["add", "--all"], ["commit", "-qm", "all"]):
        subprocess.run([*GIT, *words], cwd=root, check=True)


def test_an_edited_notebook_is_not_overwritten(
    checkout: Path, executed: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = edit_notebook(checkout)
    before = path.read_bytes(), (checkout / "notebooks/05_made_up.py").read_text()
    with pytest.raises(BookError) as caught:
        build.make("smoke", save=True)
    told = str(caught.value)
    assert told.startswith("notebooks/05_made_up.ipynb was changed, but not the source")
    assert "jupytext --sync" in told and "delete the notebook" in told
    assert before == (path.read_bytes(), (checkout / "notebooks/05_made_up.py").read_text())
    assert executed == []
    # Without --save nothing is overwritten, but the reader's change is not in the book either.
    build.make("smoke")
    assert "the book is built without the change" in capsys.readouterr().err
    path.unlink()
    build.make("smoke", save=True)
    assert "mine" not in path.read_text() and len(executed) == 2


@pytest.mark.parametrize("change", [lambda root: None, edit_source])
def test_a_committed_notebook_is_written_anew(
    checkout: Path,
    executed: list[Path],
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Path], None],
) -> None:
    commit(checkout)
    change(checkout)
    build.make("smoke", save=True)
    edit_source(checkout)  # between two builds, without a commit
    build.make("smoke", save=True)
    assert stored.edited(sources.chapters()) == [] and "changed" not in capsys.readouterr().err
    edit_notebook(checkout)
    assert len(stored.edited(sources.chapters())) == 1


def test_without_git_what_was_saved_is_known(checkout: Path, executed: list[Path]) -> None:
    build.make("smoke", save=True)
    edit_source(checkout)
    build.make("smoke", save=True)
    edit_notebook(checkout)
    with pytest.raises(BookError, match="was changed"):
        build.make("smoke", save=True)


def test_what_is_no_notebook_any_more_is_not_overwritten(
    checkout: Path, executed: list[Path]
) -> None:
    (checkout / "notebooks/05_made_up.ipynb").write_text("<<<<<<< a merge that failed")
    with pytest.raises(BookError, match="was changed"):
        build.make("smoke", save=True)


def sync(path: Path) -> None:
    command = [sys.executable, "-m", "jupytext", "--sync", str(path)]
    subprocess.run(command, check=True, capture_output=True)


def test_sync_takes_a_change_over_in_both_directions(checkout: Path) -> None:
    source, notebook = (checkout / f"notebooks/05_made_up{end}" for end in (".py", ".ipynb"))
    held = nbformat.read(notebook, as_version=4)
    held.cells[-1].outputs = [nbformat.v4.new_output("stream", name="stdout", text="42\n")]
    nbformat.write(held, notebook)
    os.utime(source, (1, 1))
    edit_notebook(checkout, "mine = 1")
    sync(notebook)
    assert source.read_text().endswith("print(6 * 7)\nmine = 1\n")
    assert stored.edited(sources.chapters()) == []
    os.utime(notebook, (1, 1))
    source.write_text(source.read_text().replace("# # A chapter", "# # A better chapter"))
    sync(source)
    held = nbformat.read(notebook, as_version=4)
    assert held.cells[0].source == "# A better chapter"
    assert held.cells[-1].outputs[0].text == "42\n"
    assert stored.edited(sources.chapters()) == []


# --- several builds


def test_a_second_build_says_who_is_at_work(checkout: Path, executed: list[Path]) -> None:
    with locked(checkout / "_build/smoke.lock", "is at work"):
        with pytest.raises(BookError) as caught:
            build.make("smoke")
        build.make("cpu")  # in another folder
    told = str(caught.value)
    assert f"Another build (process {os.getpid()}) is at work in" in told and is_one_sentence(told)
    build.make("smoke")
    assert len(executed) == 2


def test_two_builds_do_not_save_at_the_same_time(checkout: Path, executed: list[Path]) -> None:
    with locked(checkout / "_build/saved.lock", "saves its notebooks"):
        with pytest.raises(BookError, match="saves its notebooks"):
            build.make("smoke", save=True)
        build.make("smoke")


def hold(path: Path, told: Connection) -> None:
    with locked(path, "waits"):
        told.send("held")
        time.sleep(60)


def test_a_build_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "one.lock"
    ready, held = multiprocessing.Pipe(duplex=False)
    other = multiprocessing.get_context("fork").Process(target=hold, args=(path, held))
    other.start()
    assert ready.recv() == "held"
    with pytest.raises(BookError, match=f"process {other.pid}"), locked(path, "waits"):
        pass
    other.kill()
    other.join()
    with locked(path, "waits"):
        assert path.read_text() == str(os.getpid())


# --- what the disk refuses


def test_a_file_where_the_build_has_its_folder(checkout: Path, executed: list[Path]) -> None:
    (checkout / "_build").write_text("")
    with pytest.raises(BookError) as caught:
        build.make("smoke")
    told = str(caught.value)
    assert told.startswith(f"{checkout / '_build'}: it is a file where a folder should be")
    assert is_one_sentence(told)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_refusal_while_building_is_one_sentence(
    checkout: Path, executed: list[Path], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(folder: Path, scale: str) -> Path:
        raise OSError(number, os.strerror(number))  # of a write, which names no file

    monkeypatch.setattr(build, "finish", refuse)
    with pytest.raises(BookError) as caught:
        build.make("smoke")
    assert str(caught.value).startswith(f"{checkout / '_build'}: ")
    assert is_one_sentence(str(caught.value))


def test_the_builder_may_be_refused_or_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(BookError, match="jupyter-book is missing; install it: pip"):
        build.build(tmp_path)
    program = tmp_path / "jupyter-book"
    said = "OSError: [Errno 28] No space left on device: '/x/y.html'"
    program.write_text(f'#!/bin/sh\necho "Traceback" >&2\necho "{said}" >&2\nexit 2\n')
    program.chmod(0o755)
    with pytest.raises(BookError) as caught:
        build.build(tmp_path)
    assert str(caught.value).startswith("/x/y.html: there is no space left")


def test_the_command_line_tells_a_refusal_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/some/where")

    monkeypatch.setattr(cli.claims, "table", refuse)
    monkeypatch.setattr("sys.argv", ["rainlens", "claims"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    said = capsys.readouterr().err
    assert stop.value.code == 1 and said.count("\n") == 1
    assert said.startswith("rainlens: /some/where: you lack the right to it; ")


# --- the kernel


def execute(folder: Path, code: str) -> nbformat.NotebookNode:
    """The notebook of a chapter with one more cell, run by papermill."""
    chapter = folder / "05_made_up.py"
    chapter.write_text(f"{CHAPTER}\n# %%\n{code}\n")
    execution.execute(chapter, folder / "out.ipynb", "smoke")
    return nbformat.read(folder / "out.ipynb", as_version=4)


def test_the_kernel_is_the_python_that_runs_this(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the user's folders call `python3`, and wherever PYTHONPATH leads from here."""
    kernel = tmp_path / "jupyter/kernels/python3"
    kernel.mkdir(parents=True)
    other = {"argv": ["/bin/false", "{connection_file}"], "display_name": "x", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(other))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    monkeypatch.setenv("PYTHONPATH", "src")
    monkeypatch.chdir(ROOT)
    code = "import sys, rainlens\nprint(sys.executable, rainlens.__file__)"
    notebook = execute(tmp_path, code)
    assert notebook.cells[-1].outputs[0].text.split() == [sys.executable, rainlens.__file__]
    assert notebook.metadata.kernelspec.name == "python3"


def test_a_refusal_in_a_cell_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(BookError) as caught:
        execute(tmp_path, f"open({str(tmp_path / 'taken' / 'x')!r}, 'w')")
    told = str(caught.value)
    assert f"cell 4: {tmp_path / 'taken'}: it is a file where a folder should be; move it" in told
    assert is_one_sentence(told)


def test_a_kernel_that_was_killed_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BookError) as caught:
        execute(tmp_path, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert "ended from outside" in str(caught.value) and is_one_sentence(str(caught.value))


def test_a_python_without_kernels_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "find_spec", lambda name: None)
    with pytest.raises(BookError, match=r"has no ipykernel.*pip install 'rainlens\[book\]'"):
        execute(tmp_path, "")


def test_a_stage_starts_empty(checkout: Path) -> None:
    first = staging.stage("smoke")
    (first / "notebooks/old.ipynb").touch()
    (first / "book/old.md").touch()
    kept = first / "_build/html/index.html"
    kept.parent.mkdir(parents=True)
    kept.touch()
    assert staging.stage("smoke") == first and kept.exists()
    assert list((first / "notebooks").iterdir()) == [] and not (first / "book/old.md").exists()
