"""constraints.txt pins exactly what an installation brings: no more, no less, at the versions installed here.

`pins.py` checks it, a line a finding; `pins.py --write` writes constraints.txt anew from this environment, after
`scripts/install --dev`. Follows the requirements of the rooms (with all their extras), of requirements-dev.txt and of
the build backend.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
CONSTRAINTS = ROOT / "constraints.txt"
ROOMS = ("abr", "traces[cli]", "player", "sdk[cli]", "simulator[cli]", "servers", "demo-app")
BUILD_TOOLS = ("hatchling", "editables")
HEADER = """\
# Exact versions of everything an installation brings, for Python 3.11 to 3.14: one set of pins resolves on all of them.
# Ranges live in the rooms' pyproject.toml. Written by scripts/lib/pins.py --write, checked by scripts/check.
"""


def roots() -> Iterator[Requirement]:
    """What is asked for by name."""
    for room in ROOMS:
        yield Requirement(f"cushion-{room}")
    for name in BUILD_TOOLS:
        yield Requirement(name)
    for line in (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines():
        wanted = line.partition("#")[0].strip()
        if wanted:
            yield Requirement(wanted)


def needed() -> dict[str, str]:
    """Canonical name -> `name==version` of every distribution that the roots need here, ours left out.

    Raises PackageNotFoundError when one of them is not installed.
    """
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = list(roots())
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        package = distribution(name)
        if not name.startswith("cushion-"):
            found[name] = f"{package.name}=={package.version}"
        for extra in ("", *sorted(requirement.extras)):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for text in package.requires or ():
                further = Requirement(text)
                if further.marker is None or further.marker.evaluate({"extra": extra}):
                    waiting.append(further)
    return found


def pinned() -> dict[str, str]:
    """Canonical name -> line of constraints.txt."""
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    pins = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return {canonicalize_name(Requirement(pin).name): pin for pin in pins}


def main(arguments: list[str]) -> int:
    try:
        want = needed()
    except PackageNotFoundError as exc:
        sys.stdout.write(f"{exc.name} is needed and not installed: run scripts/install --dev\n")
        return 1
    if arguments == ["--write"]:
        lines = sorted(want.values(), key=str.lower)
        CONSTRAINTS.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
        return 0
    have = pinned()
    findings = [f"{want[name]} is installed, and not pinned so" for name in want if have.get(name) != want[name]]
    findings += [f"{have[name]} is pinned, and nothing needs it" for name in have if name not in want]
    for line in sorted(findings):
        sys.stdout.write(line + "\n")
    sys.stdout.write(f"{len(have)} pins, {len(findings)} findings\n")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
