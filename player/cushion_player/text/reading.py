"""What all readers of text need: bytes to characters, limits, and how a refusal reads."""

from __future__ import annotations

from typing import Final

from cushion_player.errors import DecodeError

MAX_BYTES: Final = 16 * 1024 * 1024
"""A feature film's subtitles are 0.2 MB."""


def decode_text(data: bytes | str, what: str, *, is_utf8: bool = False) -> str:
    """Characters with `\\n` as the only line end, without byte order mark.

    UTF-8, UTF-16 with its mark or without (by its zero bytes), else Latin-1, which takes any byte.
    is_utf8: a format that is nothing else; a byte that is not is replaced.
    Raises DecodeError when it is too long.
    """
    if len(data) > MAX_BYTES:
        raise DecodeError(f"{what} of more than {MAX_BYTES >> 20} MiB is not read")
    text = data if isinstance(data, str) else _characters(bytes(data), is_utf8)
    text = text.removeprefix("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\0", "\ufffd")


def _characters(data: bytes, is_utf8: bool) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    head = data[:512]
    if head.count(0) > len(head) // 4:
        is_big = head[0::2].count(0) > head[1::2].count(0)
        return data.decode("utf-16-be" if is_big else "utf-16-le", "replace")
    try:
        return data.decode("utf-8", "replace" if is_utf8 else "strict")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace") if _is_windows(data) else data.decode("latin-1")


def _is_windows(data: bytes) -> bool:
    """Whether bytes stand where Latin-1 has control characters: then it is its Windows form."""
    return any(0x80 <= byte < 0xA0 and byte != 0x85 for byte in data)


def first_line(text: str) -> str:
    """The beginning, for a message."""
    return repr(text[:200].split("\n", 1)[0][:40])
