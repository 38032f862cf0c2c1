"""Import each light module in a fresh interpreter and see that it loads nothing heavy.

The import contracts in pyproject.toml say who may name whom; this says what an import costs in truth, through
packages' __init__ modules and third parties too. Prints one line a finding; exit status 1 when there is one.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

HEAVY = frozenset({"httpx", "av", "PySide6", "litestar", "uvicorn", "sqlalchemy", "obstore", "numba", "matplotlib"})

LIGHT: dict[str, frozenset[str]] = {
    # Servers load the sdk's package on the way to the wire types, and device teams read them alone.
    "cushion_sdk": HEAVY | {"numpy", "msgspec", "asyncio", "typer", "rich"},
    "cushion_sdk.contracts": HEAVY | {"numpy", "asyncio", "typer", "rich", "sqlite3", "cushion_player", "cushion_abr"},
    "cushion_abr": HEAVY | {"asyncio", "cushion_player", "cushion_traces"},
    "cushion_traces": HEAVY | {"asyncio", "cushion_player", "cushion_abr"},
    "cushion_player.engine": HEAVY | {"asyncio"},
}
"""Module -> what importing it must not bring into sys.modules."""

COMMANDS = HEAVY | {"numpy"}
"""What no module behind a `cushion.commands` entry point may load: `cushion --help` loads them all."""


def loads(module: str, forbidden: frozenset[str]) -> list[str]:
    """Which of `forbidden` a fresh interpreter holds after importing `module`; the error's last line if it cannot."""
    code = f"import sys, {module}; print(*sorted({set(forbidden)!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        return [result.stderr.strip().rsplit("\n", 1)[-1]]
    return result.stdout.split()


def main() -> int:
    wanted = dict(LIGHT)
    for command in entry_points(group="cushion.commands"):
        wanted.setdefault(command.module, COMMANDS)
    found = [f"importing {module} loads {name}" for module in sorted(wanted) for name in loads(module, wanted[module])]
    for line in found:
        sys.stdout.write(line + "\n")
    sys.stdout.write(f"{len(wanted)} light modules imported, {len(found)} findings\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
