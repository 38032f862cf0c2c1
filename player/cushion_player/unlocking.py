"""The keys of one playback: asked for at a provider when the engine wants them, used when media is fed.

Keys live here and in the decoders, and nowhere else: no notice, journal, log line or repr holds one.
"""

from __future__ import annotations

from collections.abc import Mapping

from cushion_player.addressing import PlaybackPlan
from cushion_player.boxes import read_init, read_protection_headers
from cushion_player.crypt.keyring import NO_KEYS, KeyRing, only_key
from cushion_player.crypt.segments import decrypt_segment, is_left_to_samples
from cushion_player.errors import MediaError
from cushion_player.events import AcquireKey
from cushion_player.key_requests import KeyRequest, choose_key, keys_needed, request_for_key
from cushion_player.keys import KeyProvider, obtain_keys
from cushion_player.layout import Encryption
from cushion_player.model import Key

_HANDLERS = {"video": "vide", "audio": "soun"}


class Unlocking:
    """Key rings by the name the timeline gives their lock."""

    def __init__(self, provider: KeyProvider) -> None:
        self._provider = provider
        self._rings: dict[str, KeyRing] = {}
        self._init_rings: dict[Key, KeyRing] = {}
        """Of initialisation segments that have a key of their own: keys change after EXT-X-MAP, it does not."""

    async def acquire(self, effect: AcquireKey, plan: PlaybackPlan, init: bytes) -> None:
        """Get the keys for a segment. init: its initialisation segment, which may name them. Raises MediaError."""
        encryption = plan.encryption(effect.key, effect.index, effect.rung)
        requests = _requests(encryption, effect, init)
        place = effect.key, effect.index, effect.rung
        self._rings[plan.key_name(*place)] = await obtain_keys(self._provider, requests)
        init_key = choose_key(plan.init_keys(*place))
        if init_key is not None and init_key not in self._init_rings:
            self._init_rings[init_key] = await obtain_keys(self._provider, [request_for_key(init_key)])

    def ring(self, name: str) -> Mapping[bytes, bytes]:
        """The keys behind a name; none for "", the clear."""
        return self._rings.get(name, NO_KEYS)

    def opened(self, plan: PlaybackPlan, key: str, index: int, rung: int, data: bytes) -> bytes:
        """A segment with what whole-segment encryption took away. Samples stay as they are: decoders open those.

        Raises MediaError kinds.
        """
        hls_key = choose_key(plan.encryption(key, index, rung).keys)
        if hls_key is None or not data or is_left_to_samples(hls_key, data):
            return data
        ring = self.ring(plan.key_name(key, index, rung))
        return decrypt_segment(hls_key, only_key(ring), data, plan.sequence_number(key, index, rung))

    def opened_init(self, plan: PlaybackPlan, key: str, index: int, rung: int, data: bytes) -> bytes:
        """The same of an initialisation segment, which HLS may encrypt too. Raises MediaError kinds."""
        hls_key = choose_key(plan.init_keys(key, index, rung))
        if hls_key is None or not data or is_left_to_samples(hls_key, data):
            return data
        ring = self._init_rings.get(hls_key, NO_KEYS)
        return decrypt_segment(hls_key, only_key(ring), data, plan.sequence_number(key, index, rung))

    def clear(self) -> None:
        self._rings.clear()
        self._init_rings.clear()


def _requests(encryption: Encryption, effect: AcquireKey, init: bytes) -> tuple[KeyRequest, ...]:
    hls_key = choose_key(encryption.keys)
    if hls_key is not None:
        return (request_for_key(hls_key),)
    if not init:
        return keys_needed(encryption.protections)
    try:
        return keys_needed(
            encryption.protections, read_init(init, _HANDLERS.get(effect.track)), read_protection_headers(init)
        )
    except MediaError:  # the decoder will say what is wrong with it
        return keys_needed(encryption.protections)
