"""Content keys by key id, which show themselves to code and not to logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cushion_player.errors import KeyUnavailable

ANY_KEY_ID: Final = b""
"""Stands for every key id without an entry of its own: HLS gives a key and no id."""
KEY_BYTES: Final = 16
LONG_KEY_BYTES: Final = 32


class KeyRing(Mapping[bytes, bytes]):
    """Keys of 16 bytes (32 for AES-256) by key id of 16 bytes, or ANY_KEY_ID. Its repr names the ids, never a key."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Mapping[bytes, bytes] | None = None) -> None:
        """Raises KeyUnavailable when a key is of another length."""
        self._keys: dict[bytes, bytes] = {}
        self.add(keys or {})

    def add(self, keys: Mapping[bytes, bytes]) -> None:
        """Take more keys on, also while decoders use the ring: keys rotate. Raises KeyUnavailable as above."""
        for key_id, key in keys.items():
            if len(key) not in (KEY_BYTES, LONG_KEY_BYTES):
                raise KeyUnavailable(f"the key of {named(key_id)} has {len(key)} bytes: no key of AES")
            self._keys[bytes(key_id)] = bytes(key)

    def __getitem__(self, key_id: bytes) -> bytes:
        return self._keys[key_id]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"<KeyRing of {', '.join(named(key_id) for key_id in tuple(self._keys)) or 'nothing'}>"


NO_KEYS: Final = KeyRing()


def find_key(keys: Mapping[bytes, bytes], key_id: bytes) -> bytes:
    """The key of `key_id`. Raises KeyUnavailable, naming the id."""
    key = keys.get(key_id) or keys.get(ANY_KEY_ID)
    if key is None:
        raise KeyUnavailable(f"no key for {named(key_id)}")
    if len(key) != KEY_BYTES:
        raise KeyUnavailable(f"the key of {named(key_id)} has {len(key)} bytes instead of {KEY_BYTES}")
    return key


def only_key(keys: Mapping[bytes, bytes]) -> bytes:
    """The key where none is named: that for any id, or the only one there is. Raises KeyUnavailable."""
    key = keys.get(ANY_KEY_ID) or (next(iter(keys.values())) if len(keys) == 1 else None)
    if key is None:
        raise KeyUnavailable(f"{len(keys) or 'no'} keys, and nothing says which")
    return key


def named(key_id: bytes) -> str:
    """A key id for people; it is no secret."""
    return f"key id {key_id.hex()}" if key_id else "any key id"
