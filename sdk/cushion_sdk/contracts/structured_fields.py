"""Structured Field Values (RFC 8941) as far as CMCD uses them: dictionaries of items and inner lists.

What belongs here: text to values and back, strictly. What does not: what any key means (contracts.cmcd).
Limits keep a hostile text cheap: 256 members, 64 items a list, 16 parameters an item.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


class StructuredFieldError(ValueError):
    """The text is not a structured field dictionary, or a value cannot be written as one."""


class Token(str):
    """A bare word, written without quotes."""

    __slots__ = ()


BareItem: TypeAlias = int | float | bool | str | bytes
"""Token is a str; True and False are written ?1 and ?0 (True is left out behind a key)."""


@dataclass(frozen=True, slots=True)
class Item:
    """A bare value with parameters."""

    value: BareItem
    params: Mapping[str, BareItem] = field(default_factory=dict)


Member: TypeAlias = Item | tuple[Item, ...]
"""A dictionary's value: one item, or an inner list (its own parameters are not kept)."""

MAX_MEMBERS = 256
MAX_LIST_ITEMS = 64
MAX_PARAMS = 16
MAX_INTEGER = 999_999_999_999_999

_KEY = re.compile(r"[a-z*][a-z0-9_\-.*]*")
_TOKEN = re.compile(r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*")
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,3})?(?![0-9.])")
_STRING = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_BYTES = re.compile(r":([A-Za-z0-9+/=]*):")
_SPACE = re.compile(r"[ \t]*")


def parse_dictionary(text: str) -> dict[str, Member]:
    """Read a dictionary. A key given twice keeps its last value, in its last place.

    Raises StructuredFieldError with the character position.
    """
    reader = _Reader(text)
    return reader.dictionary()


def write_dictionary(members: Mapping[str, Member]) -> str:
    """Write a dictionary without white space, in the order given. Raises StructuredFieldError."""
    parts: list[str] = []
    for key, member in members.items():
        _check(_KEY.fullmatch(key) is not None, f"{key!r} is not a key")
        if isinstance(member, Item) and member.value is True:
            parts.append(key + _write_params(member.params))
        else:
            parts.append(f"{key}={_write_member(member)}")
    return ",".join(parts)


def _write_member(member: Member) -> str:
    if isinstance(member, Item):
        return _write_item(member)
    return "(" + " ".join(_write_item(item) for item in member) + ")"


def _write_item(item: Item) -> str:
    return _write_bare(item.value) + _write_params(item.params)


def _write_params(params: Mapping[str, BareItem]) -> str:
    parts: list[str] = []
    for key, value in params.items():
        _check(_KEY.fullmatch(key) is not None, f"{key!r} is not a key")
        parts.append(f";{key}" if value is True else f";{key}={_write_bare(value)}")
    return "".join(parts)


def _write_bare(value: BareItem) -> str:
    if isinstance(value, bool):
        return "?1" if value else "?0"
    if isinstance(value, int):
        _check(abs(value) <= MAX_INTEGER, f"{value} has more than 15 digits")
        return str(value)
    if isinstance(value, float):
        return _write_decimal(value)
    if isinstance(value, Token):
        _check(_TOKEN.fullmatch(value) is not None, f"{value!r} is not a token")
        return str(value)
    if isinstance(value, str):
        _check(all(" " <= char <= "~" for char in value), f"{value!r} is not printable ASCII")
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return f":{base64.b64encode(value).decode('ascii')}:"


def _write_decimal(value: float) -> str:
    _check(value == value and abs(value) < 1e12, f"{value} is not a decimal of at most 12 digits")
    text = f"{value:.3f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def _check(condition: bool, problem: str) -> None:
    if not condition:
        raise StructuredFieldError(problem)


class _Reader:
    """A cursor over the text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def dictionary(self) -> dict[str, Member]:
        members: dict[str, Member] = {}
        self._match(_SPACE)
        if self._at == len(self._text):
            return members
        while True:
            key = self._need(_KEY, "a key")[0]
            members.pop(key, None)
            members[key] = self._member() if self._take("=") else Item(True, self._params())
            if len(members) > MAX_MEMBERS:
                raise self._error(f"more than {MAX_MEMBERS} members")
            self._match(_SPACE)
            if self._at == len(self._text):
                return members
            if not self._take(","):
                raise self._error("expected a comma")
            self._match(_SPACE)

    def _member(self) -> Member:
        return self._inner_list() if self._take("(") else self._item()

    def _inner_list(self) -> tuple[Item, ...]:
        items: list[Item] = []
        while True:
            spaced = self._match(_SPACE)
            if self._take(")"):
                self._params()
                return tuple(items)
            if items and not (spaced and spaced[0]):
                raise self._error("expected a space")
            items.append(self._item())
            if len(items) > MAX_LIST_ITEMS:
                raise self._error(f"more than {MAX_LIST_ITEMS} items")

    def _item(self) -> Item:
        value = self._bare()
        return Item(value, self._params())

    def _params(self) -> dict[str, BareItem]:
        params: dict[str, BareItem] = {}
        while self._take(";"):
            self._match(_SPACE)
            key = self._need(_KEY, "a parameter")[0]
            params[key] = self._bare() if self._take("=") else True
            if len(params) > MAX_PARAMS:
                raise self._error(f"more than {MAX_PARAMS} parameters")
        return params

    def _bare(self) -> BareItem:
        if number := self._match(_NUMBER):
            return self._number(number[0])
        if string := self._match(_STRING):
            return re.sub(r'\\(["\\])', r"\1", string[1])
        if token := self._match(_TOKEN):
            return Token(token[0])
        if self._take("?"):
            if self._take("1"):
                return True
            if self._take("0"):
                return False
        if encoded := self._match(_BYTES):
            try:
                return base64.b64decode(encoded[1], validate=True)
            except binascii.Error as exc:
                raise self._error("not base64") from exc
        raise self._error("expected a value")

    def _number(self, text: str) -> int | float:
        whole, point, _ = text.partition(".")
        if not point:
            return int(text)
        if len(whole.lstrip("-")) > 12:
            raise self._error("a decimal has at most 12 digits before the point")
        return float(text)

    def _take(self, char: str) -> bool:
        if self._text.startswith(char, self._at):
            self._at += 1
            return True
        return False

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found:
            self._at = found.end()
        return found

    def _need(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        found = self._match(pattern)
        if found is None:
            raise self._error(f"expected {what}")
        return found

    def _error(self, problem: str) -> StructuredFieldError:
        return StructuredFieldError(f"{problem} at character {self._at + 1}")
