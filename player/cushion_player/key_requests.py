"""Which keys encrypted media needs, asked in the words of its key systems. Pure; cushion_player.keys answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cushion_player.boxes import InitInfo, ProtectionHeader, read_protection_headers
from cushion_player.boxes.pssh import CLEARKEY_SYSTEM, COMMON_SYSTEM
from cushion_player.errors import DecodeError
from cushion_player.model import Key, Protection
from cushion_player.public_url import public_url

CLEARKEY: Final = "clearkey"
"""Keys by the licence protocol of W3C Encrypted Media Extensions."""
HLS_IDENTITY: Final = "hls-identity"
"""The bare key is what the URI leads to (EXT-X-KEY with KEYFORMAT identity)."""
COMMON: Final = "urn:mpeg:dash:mp4protection:2011"
"""Only key ids are known: whoever has keys by key id can answer."""
NO_KEY_ID: Final = bytes(16)
"""In an initialisation segment: the keys rotate, and segments will name them."""
_CLEARKEY_NAMES: Final = (f"urn:uuid:{CLEARKEY_SYSTEM}", "org.w3.clearkey", "http://dashif.org/guidelines/clearkey")
_COMMON_NAMES: Final = (f"urn:uuid:{COMMON_SYSTEM}", COMMON)
_ORDER: Final = (HLS_IDENTITY, CLEARKEY, COMMON)
"""What is asked first: what we can answer ourselves."""


@dataclass(frozen=True, slots=True, repr=False)
class KeyRequest:
    """A question for keys, to one key system.

    system: CLEARKEY, HLS_IDENTITY, COMMON, or the system as the manifest names it (`urn:uuid:…`, lower case).
    key_ids: 16 bytes each; () when they are not known. uri: where to ask, "" when the manifest does not say; may hold a
    token. pssh: whole boxes. method: `cenc`, `cbcs` …, or an HLS method; "" when not known.
    """

    system: str
    method: str = ""
    key_ids: tuple[bytes, ...] = ()
    uri: str = field(default="", repr=False)
    pssh: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        ids = ", ".join(key_id.hex() for key_id in self.key_ids)
        return f"<KeyRequest {self.system} {self.method} [{ids}] {public_url(self.uri)}>"


def keys_needed(
    protections: Iterable[Protection], init: InitInfo | None = None, headers: Sequence[ProtectionHeader] = ()
) -> tuple[KeyRequest, ...]:
    """The ways to get the keys of a representation, best first: any one of them that is answered is enough.

    init, headers: what its initialisation segment says, when it is there already (key ids, pssh boxes).
    () when it is in the clear.
    """
    offered = tuple(protections)
    found = init.encryption if init is not None else None
    named = [bytes.fromhex(key_id) for item in offered for key_id in item.key_ids]
    common = [item for item in offered if _system(item) == COMMON]
    method = found.cipher.scheme if found is not None else next((item.value for item in common if item.value), "")
    if found is not None:
        ciphers = (found.cipher, *found.groups)
        named += [cipher.key_id for cipher in ciphers if cipher.is_protected]
    boxes: dict[str, list[bytes]] = {}
    for header in headers:
        boxes.setdefault(_named(f"urn:uuid:{header.system}"), []).append(header.box)
        named += header.key_ids
    named = [key_id for key_id in named if key_id != NO_KEY_ID]
    ways: dict[tuple[str, str], KeyRequest] = {}
    for item in offered:
        system = _system(item)
        pssh = tuple(dict.fromkeys((*item.pssh, *boxes.get(system, ()))))
        own = [*named, *_ids_in(item.pssh)]
        for uri in item.licence_urls or (item.uri,):
            request = KeyRequest(system, _method(item) or method, tuple(dict.fromkeys(own)), uri, pssh)
            ways.setdefault((system, uri), request)
    for system, more in boxes.items():
        if not any(way.system == system for way in ways.values()):
            ways[system, ""] = KeyRequest(system, method, tuple(dict.fromkeys(named)), "", tuple(more))
    if named and not any(way.system == COMMON for way in ways.values()):
        ways[COMMON, ""] = KeyRequest(COMMON, method, tuple(dict.fromkeys(named)))
    return tuple(sorted(ways.values(), key=_preference))


def request_for_key(key: Key) -> KeyRequest:
    """The question for one HLS key in force over a segment."""
    return KeyRequest(_named(key.key_format), key.method, (), key.uri)


def choose_key(keys: Sequence[Key]) -> Key | None:
    """Of the keys in force over a segment, each of a key system of its own, the one to ask for; None in the clear."""
    encrypting = [key for key in keys if key.method != "NONE"]
    return min(encrypting, key=lambda key: _preference(request_for_key(key)), default=None)


def _preference(request: KeyRequest) -> int:
    return _ORDER.index(request.system) if request.system in _ORDER else len(_ORDER)


def _system(item: Protection) -> str:
    return _named(item.key_format or item.scheme)


def _method(item: Protection) -> str:
    """Of an HLS key, its method; DASH names its systems there."""
    return item.scheme if item.key_format else ""


def _named(name: str) -> str:
    lowered = name.lower()
    if lowered == "identity":
        return HLS_IDENTITY
    if lowered in _CLEARKEY_NAMES:
        return CLEARKEY
    return COMMON if lowered in _COMMON_NAMES else lowered


def _ids_in(boxes: Sequence[bytes]) -> list[bytes]:
    """Key ids that pssh boxes of a manifest name; of a broken box none."""
    found: list[bytes] = []
    for box in boxes:
        try:
            found += [key_id for header in read_protection_headers(box) for key_id in header.key_ids]
        except DecodeError:
            continue
    return found
