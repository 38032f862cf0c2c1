"""The keys of one playback: asked for at a provider when the engine wants them, used when media is fed.

Keys live here and in the decoders, and nowhere else: no notice, journal, log line or repr holds one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from cushion_player.boxes import InitInfo, read_init, read_protection_headers, read_rotated_key_ids
from cushion_player.crypt.keyring import NO_KEYS, KeyRing, only_key
from cushion_player.crypt.segments import decrypt_segment, is_left_to_samples
from cushion_player.effects import AcquireKey, FetchSegment
from cushion_player.errors import DecodeError, MediaError
from cushion_player.key_requests import COMMON, NO_KEY_ID, KeyRequest, choose_key, keys_needed, request_for_key
from cushion_player.keys import KeyProvider, obtain_keys
from cushion_player.model import Key
from cushion_player.planning.addressing import PlaybackPlan
from cushion_player.planning.layout import Encryption

_HANDLERS = {"video": "vide", "audio": "soun"}


@dataclass(frozen=True, slots=True)
class Sealed:
    """Bytes as they came, and what they are encrypted with as a whole: a live playlist soon forgets that.

    key: None in the clear. number: the media sequence number, which stands for a vector that is not given.
    """

    data: bytes = field(default=b"", repr=False)
    key: Key | None = None
    number: int = 0


class Locks(NamedTuple):
    """The keys that a segment and its initialisation segment are encrypted with, as one playlist names them (HLS)."""

    segment: tuple[Key, ...]
    init: tuple[Key, ...] = ()


class Unlocking:
    """Key rings by the name the timeline gives their lock."""

    def __init__(self, provider: KeyProvider) -> None:
        self._provider = provider
        self._rings: dict[str, KeyRing] = {}
        self._init_rings: dict[Key, KeyRing] = {}
        """Of initialisation segments that have a key of their own: keys change after EXT-X-MAP, it does not."""

    async def acquire(self, effect: AcquireKey, plan: PlaybackPlan, init: bytes, locks: Locks | None = None) -> None:
        """Get the keys for a segment. init: its initialisation segment, which may name them. Raises MediaError.

        locks: the same keys, as another source names them.
        """
        place = effect.key, effect.index, effect.rung
        encryption = plan.encryption(*place) if locks is None else Encryption(locks.segment)
        found = _read_encrypted(init, effect) if not encryption.keys else None
        requests = _requests(encryption, found, init)
        if found is not None and _is_rotating(found) and not any(request.key_ids for request in requests):
            keys = NO_KEYS  # `follow` will bring them
        else:
            keys = await obtain_keys(self._provider, requests)
        init_key = choose_key(plan.init_keys(*place))
        if init_key is not None and init_key not in self._init_rings:
            asked = choose_key(locks.init) if locks is not None else init_key
            self._init_rings[init_key] = await obtain_keys(self._provider, [request_for_key(asked or init_key)])
        # Tracks may share a name: decoders that have the ring already must see what is added.
        self._rings.setdefault(plan.key_name(*place), KeyRing()).add(keys)

    def may_follow(self, effect: FetchSegment, plan: PlaybackPlan) -> bool:
        """Whether a segment may name keys: not in the clear, nor with one key for whatever the id is (HLS)."""
        encryption = plan.encryption(effect.key, effect.index, effect.rung)
        return bool(encryption.protections) and not encryption.keys

    async def follow(self, effect: FetchSegment, plan: PlaybackPlan, data: bytes) -> None:
        """Get the keys that a segment names itself and that nobody had before: keys rotate. Raises MediaError."""
        place = effect.key, effect.index, effect.rung
        encryption = plan.encryption(*place)
        if not self.may_follow(effect, plan):
            return
        ring = self._rings.setdefault(plan.key_name(*place), KeyRing())  # the segment may be here before its keys
        try:
            missing = tuple(key_id for key_id in read_rotated_key_ids(data) if key_id not in ring)
            if not missing:
                return
            headers = read_protection_headers(data)
        except DecodeError:  # the decoder will say what is wrong with it
            return
        ways = keys_needed(encryption.protections, None, headers) or (KeyRequest(COMMON),)
        ring.add(await obtain_keys(self._provider, [replace(way, key_ids=missing) for way in ways]))

    def ring(self, name: str) -> Mapping[bytes, bytes]:
        """The keys behind a name; none for "", the clear."""
        return self._rings.get(name, NO_KEYS)

    def opened(self, sealed: Sealed, ring: Mapping[bytes, bytes]) -> bytes:
        """A segment without its whole-segment encryption. Samples stay as they are: decoders open those.

        ring: the keys of the segment. Raises MediaError kinds.
        """
        key, data = sealed.key, sealed.data
        if key is None or not data or is_left_to_samples(key, data):
            return data
        return decrypt_segment(key, only_key(ring), data, sealed.number)

    def opened_init(self, sealed: Sealed) -> bytes:
        """The same of an initialisation segment, which HLS may encrypt too. Raises MediaError kinds."""
        return self.opened(sealed, NO_KEYS if sealed.key is None else self._init_rings.get(sealed.key, NO_KEYS))

    def clear(self) -> None:
        self._rings.clear()
        self._init_rings.clear()


def _requests(encryption: Encryption, found: InitInfo | None, init: bytes) -> tuple[KeyRequest, ...]:
    hls_key = choose_key(encryption.keys)
    if hls_key is not None:
        return (request_for_key(hls_key),)
    if found is None:
        return keys_needed(encryption.protections)
    return keys_needed(encryption.protections, found, read_protection_headers(init))


def _read_encrypted(init: bytes, effect: AcquireKey) -> InitInfo | None:
    """What an initialisation segment says; None when it is not there, or broken (the decoder will say so)."""
    try:
        read_protection_headers(init)
        return read_init(init, _HANDLERS.get(effect.track)) if init else None
    except MediaError:
        return None


def _is_rotating(info: InitInfo) -> bool:
    """Whether the track's segments are to name their keys."""
    return info.encryption is not None and info.encryption.cipher.key_id == NO_KEY_ID
