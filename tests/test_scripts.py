"""The scripts say what they do, refuse plainly, and find what must not be committed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ["install", "demo", "test", "check", "bench", "fuzz"]


def run(*command: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def bare_checkout(tmp_path: Path) -> Path:
    """The scripts and what they read, without an installation."""
    for name in ("scripts", ".ci"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in [ROOT / "constraints.txt", ROOT / "requirements-dev.txt", *ROOT.glob("*/pyproject.toml")]:
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(path, target)
    return tmp_path


def path_with(folder: Path, **programs: str) -> dict[str, str]:
    """An environment in which these programs come first on the PATH; each is a shell script's body."""
    folder.mkdir()
    for name, body in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder)}


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name != "demo"])
def test_script_explains_itself_without_an_installation(bare_checkout: Path, name: str) -> None:
    said = run("bash", f"scripts/{name}", "--help", cwd=bare_checkout)

    assert said.returncode == 0
    assert said.stdout.startswith(f"scripts/{name} ")
    assert not (bare_checkout / ".venv").exists()


@pytest.mark.parametrize("path", [*(f"scripts/{name}" for name in SCRIPTS), ".ci/run"])
def test_script_is_executable_and_parses(path: str) -> None:
    assert os.access(ROOT / path, os.X_OK)
    assert run("bash", "-n", path).returncode == 0


@pytest.mark.parametrize(
    ("name", "argument"), [("install", "--no-such"), ("check", "no-such"), ("bench", "no-such"), ("fuzz", "long")]
)
def test_script_refuses_what_it_does_not_know(bare_checkout: Path, name: str, argument: str) -> None:
    said = run("bash", f"scripts/{name}", argument, cwd=bare_checkout)

    assert said.returncode != 0
    assert argument in said.stderr
    assert not (bare_checkout / ".venv").exists()


def test_install_names_the_python_it_needs(bare_checkout: Path, tmp_path: Path) -> None:
    too_old = 'case "$1" in --version) echo Python 3.9.2;; *) exit 1;; esac'
    names = ("python", "python3", "python3.11", "python3.12", "python3.13", "python3.14")
    env = path_with(tmp_path / "old", **dict.fromkeys(names, too_old))

    said = run("bash", "scripts/install", cwd=bare_checkout, env=env)

    assert said.returncode != 0
    assert "Cushion needs Python 3.11 to 3.14, and found Python 3.9.2" in said.stderr
    assert not (bare_checkout / ".venv").exists()


def test_install_shows_the_end_of_what_failed(bare_checkout: Path, tmp_path: Path) -> None:
    refusing = f'case "$1" in -m) echo "no space left on device"; exit 3;; *) exec {sys.executable} "$@";; esac'
    env = path_with(tmp_path / "full", python3=refusing)

    said = run("bash", "scripts/install", cwd=bare_checkout, env=env)

    assert said.returncode != 0
    assert "virtual environment: failed" in said.stderr
    assert "no space left on device" in said.stderr


def test_committed_check_finds_lock_files_hosts_and_machine_paths(bare_checkout: Path) -> None:
    run("git", "init", "-q", cwd=bare_checkout)
    (bare_checkout / "uv.lock").write_text("")
    (bare_checkout / "notes.md").write_text("see /ho" + "me/somebody/notes\n")
    (bare_checkout / "requirements-dev.txt").write_text("--extra-index-url https" + "://packages.example\n")

    said = run(sys.executable, "scripts/lib/committed.py", cwd=bare_checkout)

    assert said.returncode == 1
    for finding in ("uv.lock: lock files", "notes.md: names a path", "requirements-dev.txt: pins to a place"):
        assert finding in said.stdout


def test_nothing_is_held_that_must_not_be() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")

    said = run(sys.executable, "scripts/lib/committed.py")

    assert said.returncode == 0, said.stdout
