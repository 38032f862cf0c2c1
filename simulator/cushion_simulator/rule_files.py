"""A rule from a Python file: for trying one out before it has a package."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from cushion_abr.registry import RuleShapeError, register


def register_rule_file(path: Path) -> str:
    """Run the file as a module and register it under its name without `.py`, which is returned.

    Raises RuleShapeError when the file is missing, does not run, or is not a rule.
    """
    if not path.is_file():
        raise RuleShapeError(f"no rule file {path}")
    name = path.stem
    spec = importlib.util.spec_from_file_location(f"cushion_rule_{name}", path)
    if spec is None or spec.loader is None:
        raise RuleShapeError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a stranger's file may raise
        raise RuleShapeError(f"{path}: does not run: {type(error).__name__}: {error}") from error
    register(name, module)
    return name
