"""The import contracts hold, and each of them truly fails when somebody breaks it."""

from __future__ import annotations

import functools
import subprocess
import sys
from copy import deepcopy
from typing import Any

import grimp
import pytest
from importlinter.api import read_configuration
from importlinter.application import use_cases
from importlinter.domain.contract import registry

CONFIGURATION = "pyproject.toml"

BREAKS: dict[str, tuple[str, str]] = {
    "rooms": ("cushion_player.engine", "cushion_sdk.contracts"),
    "app-not-simulator": ("cushion_demo_app", "cushion_simulator"),
    "servers-only-contracts": ("cushion_servers", "cushion_sdk"),
    "nobody-imports-servers": ("cushion_sdk", "cushion_servers"),
    "pure-core": ("cushion_player.engine", "asyncio"),
    "pure-core-no-adapters": ("cushion_player.buffer", "cushion_player.transport.base"),
    "wire-types-alone": ("cushion_sdk.contracts.catalog", "cushion_player.errors"),
    "one-clock": ("cushion_player.transport.base", "time"),
    "no-hidden-chance": ("cushion_abr.contract", "random"),
    "qt-in-one-place": ("cushion_player.outputs", "PySide6"),
    "qt-through-one-door": ("cushion_demo_app", "PySide6"),
    "av-in-two-places": ("cushion_player.boxes", "av"),
    "ciphers-in-one-place": ("cushion_player.crypt.cenc", "cryptography"),
    "numba-in-one-place": ("cushion_abr.contract", "numba"),
}
"""Contract id -> an import (who, of what) that it exists to forbid."""

MORE_BREAKS = [
    ("rooms", "cushion_sdk", "cushion_simulator"),
    ("rooms", "cushion_simulator", "cushion_sdk"),
    ("rooms", "cushion_abr.contract", "cushion_traces.link"),
    ("rooms", "cushion_traces.link", "cushion_player.clock"),
    ("servers-only-contracts", "cushion_servers", "cushion_player.errors"),
    ("pure-core", "cushion_traces.link", "time"),
    ("pure-core", "cushion_sdk.contracts.resume", "sqlite3"),
    ("pure-core", "cushion_player.timeline", "os"),
    ("pure-core", "cushion_player.text.cue", "time"),
    ("pure-core-no-adapters", "cushion_player.text.captions", "cushion_player.media.decode"),
    ("wire-types-alone", "cushion_sdk.contracts.resume", "numpy"),
    ("av-in-two-places", "cushion_demo_app", "av"),
    ("av-in-two-places", "cushion_servers", "av"),
    ("ciphers-in-one-place", "cushion_player.media.decode", "cryptography"),
    ("pure-core", "cushion_player.crypt.segments", "asyncio"),
    ("pure-core", "cushion_player.key_requests", "asyncio"),
    ("pure-core-no-adapters", "cushion_player.key_requests", "cushion_player.keys"),
    ("pure-core-no-adapters", "cushion_player.crypt", "cushion_player.transport.base"),
    ("numba-in-one-place", "cushion_player.engine", "numba"),
]


@functools.cache
def configuration() -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Session options, and the contracts' options by id."""
    read = read_configuration(CONFIGURATION)
    use_cases._register_contract_types(use_cases.read_user_options(CONFIGURATION))
    return read["session_options"], {options["id"]: options for options in read["contracts_options"]}


@functools.cache
def graph() -> grimp.ImportGraph:
    """Who imports whom in the rooms as they are on disk."""
    session, _ = configuration()
    first, *others = session["root_packages"]
    return grimp.build_graph(first, *others, include_external_packages=True, cache_dir=None)


def is_kept(contract_id: str, imports: grimp.ImportGraph) -> bool:
    session, contracts = configuration()
    options = contracts[contract_id]
    contract = registry.get_contract_class(options["type"])(
        name=options["name"], session_options=session, contract_options=options
    )
    return contract.check(deepcopy(imports), verbose=False).kept


def with_import(importer: str, imported: str) -> grimp.ImportGraph:
    """The real graph with one import more."""
    changed = deepcopy(graph())
    assert importer in changed.modules, f"{importer} is no module of ours"
    if imported not in changed.modules:
        changed.add_module(imported, is_squashed=True)
    changed.add_import(importer=importer, imported=imported)
    return changed


@pytest.mark.parametrize("contract_id", sorted(configuration()[1]))
def test_contract_holds_in_the_code_as_it_is(contract_id: str) -> None:
    assert is_kept(contract_id, graph())


def test_every_contract_has_an_import_that_breaks_it() -> None:
    assert set(BREAKS) == set(configuration()[1])


@pytest.mark.parametrize(
    ("contract_id", "importer", "imported"),
    [*((name, *pair) for name, pair in sorted(BREAKS.items())), *MORE_BREAKS],
)
def test_contract_fails_when_a_forbidden_import_is_added(contract_id: str, importer: str, imported: str) -> None:
    broken = with_import(importer, imported)

    assert not is_kept(contract_id, broken)


def test_every_room_ships_its_types() -> None:
    session, _ = configuration()

    for package in session["root_packages"]:
        module = __import__(package)
        assert module.__file__ is not None
        assert module.__file__.endswith("__init__.py")
        typed = module.__file__.replace("__init__.py", "py.typed")
        with open(typed, encoding="utf-8"):
            pass


@pytest.mark.parametrize("module", ["cushion_player.events", "cushion_player.outputs", "cushion_sdk.resume"])
def test_module_can_be_imported_first(module: str) -> None:
    """What everybody imports has no circle behind it, whatever the order."""
    done = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
