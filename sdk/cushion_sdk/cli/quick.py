"""Plain command lines, read without typer's machinery, whose imports cost more CPU than a second of playing.

Only what is beyond doubt is read here: long options with a value of their own word, flags, positional arguments, of
simple types and inside their bounds. Anything else, an error and a call for help above all, is left to typer.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo, OptionInfo, ParameterInfo

_PLAIN: dict[object, Callable[[str], object]] = {str: str, float: float, int: int, Path: Path}
_HARMLESS = frozenset(
    {"default", "envvar", "param_decls", "help", "metavar", "min", "max", "rich_help_panel", "show_default"}
)
"""What typer may be told of a parameter without changing how a word is read here; of variables, none may be set."""


class _NotPlain(Exception):
    """Raised for whatever typer had better see."""


def bind(command: Callable[..., object], args: Sequence[str]) -> Callable[[], object] | None:
    """A call of `command` with these words as its arguments; None when typer should look at them."""
    try:
        values = _read(command, args)
    except (_NotPlain, ValueError):
        return None
    return lambda: command(**values)


def _read(command: Callable[..., object], args: Sequence[str]) -> dict[str, object]:
    positional: list[tuple[str, Callable[[str], object]]] = []
    options: dict[str, tuple[str, Callable[[str], object]]] = {}
    flags: dict[str, str] = {}
    values: dict[str, object] = {}
    hints = get_type_hints(command, include_extras=True)
    for name, parameter in inspect.signature(command).parameters.items():
        kind, info = _split(hints[name])
        if parameter.default is not parameter.empty:
            values[name] = parameter.default
        if isinstance(info, ArgumentInfo):
            positional.append((name, _reader(kind, info)))
            continue
        declared = [word for word in cast("OptionInfo", info).param_decls or () if word.startswith("--")]
        for word in declared or [f"--{name.replace('_', '-')}"]:
            if kind is bool:
                flags[word] = name
            else:
                options[word] = name, _reader(kind, info)
    words = iter(args)
    waiting = iter(positional)
    for word in words:
        if word in flags:
            values[flags[word]] = True
        elif word in options:
            name, read = options[word]
            values[name] = read(_plain(next(words, "-")))
        else:
            name, read = next(waiting, ("", _refuse))
            values[name] = read(_plain(word))
    if len(values) != len(hints) - ("return" in hints):
        raise _NotPlain
    return values


def _split(hint: object) -> tuple[object, ParameterInfo]:
    """The type a parameter has when given, and what typer was told of it."""
    if get_origin(hint) is not Annotated:
        raise _NotPlain
    kind, *extras = get_args(hint)
    infos = [extra for extra in extras if isinstance(extra, ArgumentInfo | OptionInfo)]
    if len(infos) != 1 or not _is_plain(infos[0]):
        raise _NotPlain
    if get_origin(kind) in (Union, UnionType):
        kinds = [part for part in get_args(kind) if part is not NoneType]
        kind = kinds[0] if len(kinds) == 1 else None
    return kind, infos[0]


def _is_plain(info: ParameterInfo) -> bool:
    """Whether typer was told nothing that changes what a word means."""
    variables = [info.envvar] if isinstance(info.envvar, str) else info.envvar or []
    if any(name in os.environ for name in variables):
        return False
    usual = vars(type(info)(default=...))
    return all(name in _HARMLESS or value == usual.get(name) for name, value in vars(info).items())


def _reader(kind: object, info: ParameterInfo) -> Callable[[str], object]:
    convert = _PLAIN.get(kind)
    if convert is None:
        return _refuse
    low, high = info.min, info.max

    def read(word: str) -> object:
        value: Any = convert(word)
        if (low is not None and not value >= low) or (high is not None and not value <= high):
            raise _NotPlain
        return value

    return read


def _plain(word: str) -> str:
    if word.startswith("-"):
        raise _NotPlain
    return word


def _refuse(_: str) -> object:
    raise _NotPlain
