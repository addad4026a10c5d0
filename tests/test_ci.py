"""What a change has to pass: the script, its gates, and the workflows that run them."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from conftest import LONGEST

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / ".ci" / "browser"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
DRIVER = "chromedriver"


def get_browser(
    folder: Path, *, root: bool = True, works_at: int = 0, optional: str = ""
) -> tuple[int, str, int]:
    """Runs the script among stand-ins for commands; an installation works at that try, or never.

    Its exit status, what it said, and how often it tried to install.
    """
    tries, tools = folder / "tries", folder / "tools"
    tools.mkdir()
    tries.touch()
    installed = f'cp "{tools}/id" "{tools}/chromium"; cp "{tools}/id" "{tools}/{DRIVER}"'
    bodies = {
        "id": f"echo {0 if root else 1000}",
        "sleep": "",
        "timeout": 'shift; exec "$@"',
        "apt-get": f'case "$*" in *install*) echo try >> "{tries}"; '
        f'[ "$(grep -c try "{tries}")" = {works_at} ] || exit 1; {installed};; esac',
    }
    for name, body in bodies.items():
        (tools / name).write_text(f"#!/bin/bash\n{body}\n")
        (tools / name).chmod(0o755)
    for name in ("grep", "cp", "bash"):
        (tools / name).symlink_to(shutil.which(name))
    environment = {"PATH": str(tools), "RAINLENS_BROWSER": optional}
    answer = subprocess.run(
        [shutil.which("bash"), str(SCRIPT)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return answer.returncode, answer.stdout + answer.stderr, len(tries.read_text().split())


@pytest.mark.parametrize("works_at", [1, 2, 3])
def test_it_tries_up_to_three_times(tmp_path: Path, works_at: int) -> None:
    status, said, installs = get_browser(tmp_path, works_at=works_at)
    assert status == 0 and "installed chromium" in said
    assert installs == works_at


def test_it_fails_and_says_so(tmp_path: Path) -> None:
    status, said, installs = get_browser(tmp_path)
    assert status == 1 and installs == 3
    assert "Chromium could not be installed, so the tests of the pages would be skipped" in said


def test_without_the_right_to_install_it_fails_at_once(tmp_path: Path) -> None:
    status, said, installs = get_browser(tmp_path, root=False)
    assert status == 1 and installs == 0
    assert "RAINLENS_BROWSER=optional" in said


@pytest.mark.parametrize("root", [True, False])
def test_it_can_be_told_to_go_on_without(tmp_path: Path, root: bool) -> None:
    status, said, _ = get_browser(tmp_path, root=root, optional="optional")
    assert status == 0 and "will be skipped" in said


def gates() -> list[str]:
    (listed,) = re.findall(r"^gates=\(([a-z ]+)\)$", text_of_run(), re.MULTILINE)
    return listed.split()


def text_of_run() -> str:
    return SCRIPT.with_name("run").read_text(encoding="utf-8")


def test_ci_stops_where_it_fails() -> None:
    text = text_of_run()
    assert 'step "browser" timeout 1500 bash .ci/browser\n' in text and "set -e" in text
    assert os.access(SCRIPT, os.X_OK)


def run_ci(folder: Path, *asked: str, fails: str = "") -> tuple[int, list[str], str]:
    """Runs .ci/run in a repository where commands only note that they were called.

    Its exit status, the commands, and what it said. The command that holds `fails` fails.
    """
    tools, calls = folder / "tools", folder / "calls"
    shutil.copytree(ROOT / ".ci", folder / "checkout/.ci", ignore=shutil.ignore_patterns("__py*"))
    (folder / "checkout/.venv/bin").mkdir(parents=True)
    tools.mkdir()
    note = f"""#!/bin/bash
[ "$PYTHONUTF8" = 1 ] || exit 9
echo "$*" >> "{calls}"
[[ -z "{fails}" || "$*" != *"{fails}"* ]]
"""
    (tools / "timeout").write_text(note, encoding="utf-8")
    (tools / "timeout").chmod(0o755)
    (folder / "checkout/.gitignore").write_text("*\n", encoding="utf-8")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "empty"]):
        subprocess.run([*git, *words], cwd=folder / "checkout", check=True)
    answer = subprocess.run(
        [shutil.which("bash"), ".ci/run", *asked],
        cwd=folder / "checkout",
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    called = calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []
    return answer.returncode, called, answer.stdout + answer.stderr


def test_all_gates_are_run_unless_some_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    (tmp_path / "some").mkdir()
    status, called, said = run_ci(tmp_path / "all")
    assert status == 0 and "All of it passed" in said
    for last in ("make lint", "make test", "colab.py", "make book", "RECOMPUTE=1", "--quick"):
        assert [line for line in called if line.endswith(last)], last
    status, called, _ = run_ci(tmp_path / "some", "lint", "chapters")
    assert status == 0
    # The first word is how long it may take.
    assert [line.split(maxsplit=1)[1] for line in called] == [
        "make install-test",
        "make lint",
        "make install",
        ".venv/bin/python .ci/colab.py",
    ]


def test_the_book_is_built_before_anything_for_the_tests_is_installed(tmp_path: Path) -> None:
    _, called, _ = run_ci(tmp_path)
    installed = next(i for i, line in enumerate(called) if line.endswith("make install-test"))
    assert [i for i, line in enumerate(called) if line.endswith("make book")] < [installed]


def test_a_gate_that_fails_is_the_last(tmp_path: Path) -> None:
    status, called, said = run_ci(tmp_path, fails="make lint")
    assert status != 0 and called[-1].endswith("make lint")
    assert "== lint: FAILED" in said and "passed" not in said


def test_make_reads_and_writes_utf_8_in_every_locale() -> None:
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    rule = "--eval=told: ; @echo $$PYTHONUTF8"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUTF8"}
    told = subprocess.check_output(["make", "-s", rule, "told"], cwd=ROOT, env=environment)
    assert told == b"1\n"


def test_the_files_that_come_first_exist() -> None:
    assert [name for name in LONGEST if not (ROOT / f"tests/test_{name}.py").exists()] == []


def test_an_unknown_gate_is_named(tmp_path: Path) -> None:
    status, called, said = run_ci(tmp_path, "lint", "lnit")
    assert (status, called) == (2, [])
    assert said == f"There is no gate lnit; there are: {' '.join(gates())}.\n"


def workflow(name: str) -> dict:
    return yaml.safe_load((ROOT / ".github/workflows" / name).read_text(encoding="utf-8"))


def test_the_workflow_runs_every_gate_and_the_tests_on_every_python() -> None:
    (job,) = workflow("ci.yml")["jobs"].values()
    matrix = job["strategy"]["matrix"]
    assert job["steps"][-1]["run"] == "bash .ci/run ${{ matrix.gate }}"
    assert sorted(matrix["gate"]) == sorted(gates())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [f">={version}" for version in matrix["python"]] == [project["requires-python"]]
    assert {entry["gate"] for entry in matrix["include"]} == {"tests"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(path: Path) -> None:
    used = re.findall(r"uses: *(\S+)", path.read_text(encoding="utf-8"))
    assert used and not [name for name in used if not re.search(r"@[0-9a-f]{40}$", name)]


@pytest.mark.parametrize("name", ["bug", "finding", "question"])
def test_issue_forms_ask_for_something(name: str) -> None:
    path = ROOT / ".github/ISSUE_TEMPLATE" / f"{name}.yml"
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert form["name"] and form["description"]
    fields = {field["id"]: field for field in form["body"]}
    assert len(fields) == len(form["body"])
    assert any(field["validations"]["required"] for field in fields.values())
    assert all(field["attributes"]["label"] for field in fields.values())


def test_scripts_survive_a_clone_with_the_ends_of_line_of_windows(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("this is no git checkout")
    names = [".gitattributes", ".ci/run", ".ci/browser", "Makefile", "src/rainlens/widgets/toy.js"]
    checkout = ["git", "-c", "core.autocrlf=true", "checkout-index", f"--prefix={tmp_path}/"]
    subprocess.run([*checkout, *names], cwd=ROOT, check=True)
    assert [name for name in names if b"\r" in (tmp_path / name).read_bytes()] == []
