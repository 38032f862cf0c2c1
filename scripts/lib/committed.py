"""Look through what git holds for what must never be there: lock files, hosts of registries, paths of a machine.

Run from anywhere: `python scripts/lib/committed.py`. Prints one line a finding; exit status 1 when there is one.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ITSELF = "scripts/lib/committed.py"
LIMIT_BYTES = 1024 * 1024

FORBIDDEN_NAMES = frozenset(
    {
        "uv.lock",
        "poetry.lock",
        "Pipfile.lock",
        "package-lock.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "npm-shrinkwrap.json",
    }
)
"""Lock files name the hosts they were made from."""

MACHINE_PATH = re.compile(r"(?<![\w.$}])/(?:work|root|(?:home|Users)/(?!me/|you/)\w+)/")
"""A path that exists on one machine only; /home/me and /home/you are examples."""

HOST = re.compile(
    r"--(?:extra-)?index-url|--find-links|--trusted-host|@ (?:file|git\+|https?):|https?://|^-e ", re.MULTILINE
)
"""What would tie pins to a place; looked for in the files that pin."""

PIN_FILES = re.compile(r"(?:^|/)(?:constraints\S*\.txt|requirements\S*\.txt|package\.json|\.npmrc|pip\.conf)$")


def held_files() -> list[str]:
    """Every path in git's index, plus new files that are not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return [name for name in listed.stdout.decode().split("\0") if name]


def findings_in(name: str) -> list[str]:
    """What is wrong with one file, a sentence each."""
    path = ROOT / name
    if path.name in FORBIDDEN_NAMES:
        return ["lock files name hosts and are not committed"]
    if not path.is_file() or name == ITSELF:
        return []
    data = path.read_bytes()
    found: list[str] = []
    if len(data) > LIMIT_BYTES:
        found.append(f"{len(data)} bytes; generate it or fetch it instead")
    if b"\0" in data:
        return found
    text = data.decode("utf-8", errors="replace")
    found += [f"names a path of one machine: {match.group()}" for match in MACHINE_PATH.finditer(text)]
    if PIN_FILES.search(name):
        found += [f"pins to a place: {match.group().strip()}" for match in HOST.finditer(text)]
    return found


def main() -> int:
    names = held_files()
    found = [f"{name}: {finding}" for name in names for finding in findings_in(name)]
    for line in found:
        sys.stdout.write(line + "\n")
    sys.stdout.write(f"{len(names)} files looked through, {len(found)} findings\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
