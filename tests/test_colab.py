"""The first cell of the chapters, run as Colab would, with a repository on this machine."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import jupytext
import nbformat
import pytest
import yaml

import rainlens
from rainlens.site import colab

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "notebooks").glob("*.py"))
TAG = f"v{rainlens.__version__}"
COLABS_OWN = {"torch", "torchvision", "numpy", "matplotlib"}
GIT = ["git", "-c", "user.name=a reader", "-c", "user.email=reader@example.org"]
# What a chapter does next: it imports the package.
THEN = "\nimport rainlens.inside\nprint(rainlens.inside.STATE)"


def git(folder: Path, *words: str) -> None:
    subprocess.run([*GIT, *words], cwd=folder, check=True, capture_output=True)


def commit(remote: Path, state: str) -> None:
    (remote / "src/rainlens/inside.py").write_text(f"STATE = {state!r}\n")
    git(remote, "add", "--all")
    git(remote, "commit", "-m", state)


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A repository like this one, with a tiny package, and requirements that ask for nothing."""
    folder = tmp_path / "remote"
    (folder / "src/rainlens").mkdir(parents=True)
    (folder / "src/rainlens/__init__.py").touch()
    (folder / "requirements-colab.txt").write_text("# nothing\n")
    git(folder, "init", "--initial-branch", "main")
    commit(folder, "released")
    git(folder, "tag", TAG)
    commit(folder, "newest")
    return folder


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    folder = tmp_path / "content"
    folder.mkdir()
    return folder


def run(
    workplace: Path, remote: Path, code: str = colab.first_cell() + THEN
) -> subprocess.CompletedProcess:
    """Runs code in `workplace` with a Python that sees no installed packages, as `-S` asks."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {colab.VARIABLE: remote.as_uri(), "PIP_NO_INDEX": "1"}
    command = [sys.executable, "-S", "-c", code]
    return subprocess.run(
        command, cwd=workplace, env=environment, capture_output=True, text=True, check=False
    )


def test_the_version_of_the_book_is_fetched_quietly(workplace: Path, remote: Path):
    answer = run(workplace, remote)
    assert (answer.stdout, answer.stderr) == ("released\n", "")
    log = subprocess.check_output(["git", "log", "--oneline"], cwd=workplace / "rainlens")
    assert len(log.splitlines()) == 1


def test_running_the_cell_twice_is_like_once(workplace: Path, remote: Path):
    answer = run(workplace, remote, 2 * f"{colab.first_cell()}\n" + THEN)
    assert (answer.stdout, answer.stderr) == ("released\n", "")


def test_a_restarted_kernel_takes_what_is_there(workplace: Path, remote: Path):
    """The folder `rainlens` must not pass for the package, and nothing is fetched again."""
    run(workplace, remote)
    answer = run(workplace, remote.with_name("gone"))
    assert (answer.stdout, answer.stderr) == ("released\n", "")


def test_without_a_tag_the_newest_state_is_fetched(workplace: Path, remote: Path):
    git(remote, "tag", "--delete", TAG)
    answer = run(workplace, remote)
    told, state = answer.stdout.splitlines()
    assert TAG in told and "newest" in told
    assert (state, answer.stderr) == ("newest", "")


def says(answer: subprocess.CompletedProcess, pattern: str) -> bool:
    """Whether the cell failed with one sentence of that pattern."""
    last = answer.stderr.strip().splitlines()[-1]
    return answer.returncode != 0 and bool(re.match(f"RuntimeError: {pattern}", last))


def test_a_missing_repository_is_named_in_one_sentence(workplace: Path, remote: Path):
    answer = run(workplace, remote.with_name("gone"))
    assert says(answer, "git ls-remote .*gone.* failed: .*fatal"), answer.stderr
    assert list(workplace.iterdir()) == []


def test_without_git_the_cell_says_so(workplace: Path, remote: Path, monkeypatch):
    monkeypatch.setenv("PATH", str(workplace))
    answer = run(workplace, remote)
    assert says(answer, "git .* failed: .*git.*not found"), answer.stderr


def test_a_failed_installation_is_named_and_can_be_repeated(workplace: Path, remote: Path):
    asked = workplace / "rainlens/requirements-colab.txt"
    run(workplace, remote)
    asked.write_text("rainlens-asks-for-this\n")
    answer = run(workplace, remote)
    assert says(answer, ".*pip.* failed: .*rainlens-asks-for"), answer.stderr
    asked.write_text("# nothing\n")
    assert run(workplace, remote).stdout == "released\n"


def test_where_the_package_is_there_nothing_happens(workplace: Path, monkeypatch):
    monkeypatch.setattr(subprocess, "getstatusoutput", lambda command: pytest.fail(command))
    monkeypatch.chdir(workplace)
    path = list(sys.path)
    exec(colab.first_cell(), {})
    assert sys.path == path
    assert list(workplace.iterdir()) == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_each_chapter_has_the_cell_below_its_title(source: Path):
    notebook = source.with_suffix(".ipynb")
    for version in (jupytext.read(source), nbformat.read(notebook, as_version=4)):
        title, link, cell = version.cells[:3]
        assert title.cell_type == "markdown" and title.source.startswith("# ")
        assert link.source == colab.link(source.stem), "run `rainlens book --save`"
        assert cell.source == colab.first_cell(), "run `rainlens book --save`"
        assert cell.metadata["tags"] == colab.TAGS


def test_an_older_cell_is_replaced(tmp_path: Path):
    for source in SOURCES:
        chapter, text = tmp_path / source.name, source.read_text(encoding="utf-8")
        bare = text.replace(f"{colab.first_cell()}\n\n", "").replace(f"{colab._HEAD}\n", "")
        bare = bare.replace(f"{colab._LINK_HEAD}\n# {colab.link(source.stem)}\n\n", "")
        older = text.replace(TAG, "v0.0.1")
        assert len({text, bare, older}) == 3
        for before in (text, bare, older):
            chapter.write_text(before, encoding="utf-8")
            colab.put_first_cell(chapter)
            assert chapter.read_text(encoding="utf-8") == text


def test_the_address_stands_in_one_place():
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert config["repository"]["url"] == rainlens.REPOSITORY
    assert citation["repository-code"] == rainlens.REPOSITORY
    package = sorted((ROOT / "src").rglob("*.py"))
    texts = {p: p.read_text(encoding="utf-8").replace(colab.first_cell(), "") for p in SOURCES}
    texts = {path: text.replace(colab.link(path.stem), "") for path, text in texts.items()}
    texts |= {p: p.read_text(encoding="utf-8") for p in package if p.parent.name != "src"}
    address = rainlens.REPOSITORY.removeprefix("https://")
    holding = [path.relative_to(ROOT).as_posix() for path, text in texts.items() if address in text]
    assert holding == ["src/rainlens/__init__.py"]


def test_what_colab_has_is_not_installed_again():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "requirements-colab.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if not line.startswith("#")]
    assert set(wanted) <= set(project["dependencies"])
    names = {re.match(r"[\w-]+", line).group() for line in wanted}
    assert len(names) == len(wanted) and not names & COLABS_OWN
