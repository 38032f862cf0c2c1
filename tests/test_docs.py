"""The documents point at what is there, and show commands and options that exist."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CUSHION = Path(sys.executable).with_name("cushion")
SKIP = {".venv", "node_modules", ".cushion"}
DOCUMENTS = sorted(path for path in ROOT.rglob("*.md") if not SKIP & set(path.relative_to(ROOT).parts))
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"^(?: {4,}|\$ )(?:\.venv/bin/)?cushion ([a-z]+)([^#\n]*)", re.MULTILINE)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def help_of(*command: str) -> str:
    done = subprocess.run([CUSHION, *command, "--help"], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout if done.returncode == 0 else ""


def shown_commands() -> list[tuple[str, str, str]]:
    """(document, command, the rest of its line) for every `cushion …` line in a code block."""
    return [
        (named(path), match.group(1), match.group(2))
        for path in DOCUMENTS
        for match in COMMAND.finditer(path.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_links_lead_somewhere(document: Path) -> None:
    targets = [match.group(1) for match in LINK.finditer(document.read_text(encoding="utf-8"))]

    missing = [target for target in targets if "://" not in target and not (document.parent / target).exists()]

    assert missing == []


@pytest.mark.parametrize(("document", "command", "rest"), shown_commands())
def test_shown_command_exists_with_its_options(document: str, command: str, rest: str) -> None:
    words = rest.split()
    family = words[:1] if command in ("sim", "traces") else []

    told = help_of(command, *family)

    assert told, f"{document} shows `cushion {command}`"
    for option in re.findall(r"(?<!\S)--[a-z-]+", rest):
        assert option in told, f"{document} shows {option} for `cushion {command}`"
