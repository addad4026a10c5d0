"""What stands before the tests in CI: a missing browser must not pass unseen."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / ".ci" / "browser"
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


def test_ci_stops_where_it_fails() -> None:
    text = SCRIPT.with_name("run").read_text(encoding="utf-8")
    assert 'step "browser" timeout 1500 bash .ci/browser\n' in text and "set -e" in text
    assert os.access(SCRIPT, os.X_OK)
