"""What an import costs: servers pass through cushion_sdk on their way to the contracts, embedders import names."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import cushion_sdk

HEAVY = ("httpx", "av", "numpy", "PySide6", "typer", "rich", "sqlite3")


def loaded_by(statement: str) -> set[str]:
    program = f"{statement}\nimport json, sys; print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "statement", ["import cushion_sdk", "import cushion_sdk.contracts", "import cushion_sdk.contracts.cmcd"]
)
def test_the_contracts_bring_nothing_heavy_along(statement: str) -> None:
    assert loaded_by(statement) == set()


def test_the_commands_bring_nothing_heavy_along() -> None:
    modules = ", ".join(f"cushion_sdk.cli.{name}" for name in ("root", "play", "inspect", "film", "replay"))

    assert loaded_by(f"import {modules}") == {"typer"}


def test_every_public_name_is_there_on_first_use() -> None:
    for name in cushion_sdk.__all__:
        assert getattr(cushion_sdk, name) is not None
    assert set(cushion_sdk.__all__) <= set(dir(cushion_sdk))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = cushion_sdk.nonsense
