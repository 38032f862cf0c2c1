"""Key providers: whoever answers a KeyRequest. This is where a team plugs in its own licence server.

    provider = KeyChain([StaticKeys({key_id: key}), ClearKeyLicences(transport, clock), HlsKeys(transport, clock)])
    keys = await obtain_keys(provider, keys_needed(representation.protections))

A provider raises KeyUnavailable (retryable when asking again may help) or KeyExpired, and says no key, token or query
string, neither there nor in its repr. Providers are asked on the driver's loop; answers are kept in memory only.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol, cast

from cushion_player.clock import Clock
from cushion_player.crypt.keyring import ANY_KEY_ID, KEY_BYTES, KeyRing, named
from cushion_player.crypt.segments import KEY_SIZES
from cushion_player.errors import FetchError, KeyExpired, KeyUnavailable
from cushion_player.key_requests import CLEARKEY, COMMON, HLS_IDENTITY, KeyRequest
from cushion_player.public_url import public_url
from cushion_player.transport.base import ANSWER_LIMIT_S, FetchRequest, Transport, fetch_bytes

LICENCE_LIMIT_BYTES: Final = 64 * 1024
KEY_LIMIT_BYTES: Final = 1024
"""More than any key: what is longer is an error page."""
MAX_KEPT_KEYS: Final = 64
PROVIDER_LIMIT_S: Final = 30.0
"""For one provider's answer: playback waits for it."""


class KeyProvider(Protocol):
    """Who has keys."""

    async def get_keys(self, request: KeyRequest) -> Mapping[bytes, bytes]:
        """Keys by key id; ANY_KEY_ID stands for ids that are not known.

        Raises KeyUnavailable when it has none for this request, or KeyExpired.
        """
        ...


async def obtain_keys(provider: KeyProvider, requests: Iterable[KeyRequest]) -> KeyRing:
    """The answer to the first request that is answered; the driver may ask them all, best first.

    Raises the most telling error when none is: KeyExpired, else one that is worth a second try, else the first.
    """
    errors: list[KeyUnavailable] = []
    for request in requests:
        try:
            return KeyRing(await provider.get_keys(request))
        except KeyUnavailable as error:
            errors.append(error)
        except Exception as error:
            errors.append(_broken(error))
    raise _most_telling(errors)


class StaticKeys:
    """Keys that are known beforehand. An entry of ANY_KEY_ID answers for every id, and for requests without any."""

    def __init__(self, keys: Mapping[bytes, bytes]) -> None:
        self._keys = KeyRing(keys)

    def __repr__(self) -> str:
        return f"<StaticKeys {self._keys!r}>"

    async def get_keys(self, request: KeyRequest) -> KeyRing:
        """All that are asked for and known; all that are known when no id is. Raises KeyUnavailable when none is."""
        wanted = request.key_ids or tuple(self._keys)
        found = {key_id: self._keys[key_id] for key_id in (*wanted, ANY_KEY_ID) if key_id in self._keys}
        if not found:
            raise KeyUnavailable(f"no key for {', '.join(map(named, wanted)) or 'anything'}")
        return KeyRing(found)


class ClearKeyLicences:
    """Keys by the ClearKey licence protocol (W3C Encrypted Media Extensions 9.1): JSON there and back.

    url: the licence server, when the manifest does not say or is not to be followed. headers: sent along, for tokens.
    A data: URL is the licence itself.
    """

    def __init__(
        self, transport: Transport, clock: Clock, *, url: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._url = url
        self._headers = {"content-type": "application/json", **(headers or {})}

    def __repr__(self) -> str:
        return f"<ClearKeyLicences {public_url(self._url)}>"

    async def get_keys(self, request: KeyRequest) -> KeyRing:
        """Ask for all key ids at once. Raises KeyUnavailable."""
        url = self._url or request.uri
        if request.system not in (CLEARKEY, *([COMMON] if self._url else [])):
            raise KeyUnavailable(f"no ClearKey licence for {request.system}")
        if not url:
            raise KeyUnavailable("no ClearKey licence: nobody says where to ask")
        body = None if url[:5].lower() == "data:" else licence_request(request.key_ids)
        answer = await _fetch(
            self._transport, self._clock, url, "ClearKey licence", self._headers, LICENCE_LIMIT_BYTES, body
        )
        keys = read_licence(answer)
        missing = [key_id for key_id in request.key_ids if key_id not in keys]
        if missing and len(missing) == len(request.key_ids):
            raise KeyUnavailable(f"the ClearKey licence has no key for {', '.join(map(named, missing))}")
        return keys


def licence_request(key_ids: Sequence[bytes]) -> bytes:
    """The body of a ClearKey licence request."""
    return json.dumps({"kids": [_encode(key_id) for key_id in key_ids], "type": "temporary"}).encode()


def read_licence(answer: bytes) -> KeyRing:
    """The keys of a ClearKey licence (a JSON Web Key set). Raises KeyUnavailable when it is none, or has no key."""
    try:
        document: object = json.loads(answer)
    except (ValueError, RecursionError):
        # Not chained: what json raises carries the whole text, keys and all.
        raise KeyUnavailable("the ClearKey licence is no JSON") from None
    keys: dict[bytes, bytes] = {}
    listed = cast("dict[object, object]", document).get("keys") if isinstance(document, dict) else None
    for item in cast("list[object]", listed) if isinstance(listed, list) else []:
        fields = cast("dict[object, object]", item) if isinstance(item, dict) else {}
        key_id, key = _decode(fields.get("kid")), _decode(fields.get("k"))
        if len(key_id) == len(key) == KEY_BYTES and fields.get("kty", "oct") == "oct":
            keys[key_id] = key
    if not keys:
        raise KeyUnavailable("the ClearKey licence has no keys")
    return KeyRing(keys)


class HlsKeys:
    """Keys of HLS playlists (KEYFORMAT identity): the URI leads to the bare key. Keys are kept by their URI.

    headers: sent along, for tokens.
    """

    def __init__(self, transport: Transport, clock: Clock, *, headers: Mapping[str, str] | None = None) -> None:
        self._transport = transport
        self._clock = clock
        self._headers = dict(headers or {})
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._turns: dict[str, asyncio.Lock] = {}

    def __repr__(self) -> str:
        return f"<HlsKeys, {len(self._kept)} kept>"

    async def get_keys(self, request: KeyRequest) -> KeyRing:
        """The key behind the URI, for all key ids. Raises KeyUnavailable."""
        uri = request.uri
        if request.system != HLS_IDENTITY:
            raise KeyUnavailable(f"no HLS key for {request.system}")
        if not uri:
            raise KeyUnavailable("the playlist gives no URI for its key")
        turn = self._turns.setdefault(uri, asyncio.Lock())
        try:
            async with turn:  # several tracks ask for the same key at once; one request is enough
                key = self._kept.get(uri) or await self._fetch_key(uri, KEY_SIZES.get(request.method, KEY_BYTES))
                self._kept[uri] = key
                self._kept.move_to_end(uri)
        finally:
            if not turn.locked():
                self._turns.pop(uri, None)
        while len(self._kept) > MAX_KEPT_KEYS:
            self._kept.popitem(last=False)
        return KeyRing(dict.fromkeys(request.key_ids or (ANY_KEY_ID,), key))

    async def _fetch_key(self, uri: str, size: int) -> bytes:
        key = await _fetch(self._transport, self._clock, uri, "HLS key", self._headers, KEY_LIMIT_BYTES)
        if len(key) != size:
            raise KeyUnavailable(f"HLS key: {len(key)} bytes instead of {size} ({public_url(uri)})")
        return key


class KeyChain:
    """Several providers, asked in order until one has the keys; one that breaks or is silent has none."""

    def __init__(self, providers: Iterable[KeyProvider]) -> None:
        self._providers = tuple(providers)

    def __repr__(self) -> str:
        return f"<KeyChain {self._providers!r}>"

    async def get_keys(self, request: KeyRequest) -> Mapping[bytes, bytes]:
        """The first answer. Raises the most telling error when there is none (see obtain_keys)."""
        errors: list[KeyUnavailable] = []
        for provider in self._providers:
            try:
                async with asyncio.timeout(PROVIDER_LIMIT_S):
                    return await provider.get_keys(request)
            except KeyUnavailable as error:
                errors.append(error)
            except TimeoutError:
                errors.append(KeyUnavailable(f"no keys within {PROVIDER_LIMIT_S:g} s", retryable=True))
            except Exception as error:
                errors.append(_broken(error))
        raise _most_telling(errors)


def _broken(error: Exception) -> KeyUnavailable:
    """What a plug-in of somebody else raised: its words might hold a key, so only its kind is told."""
    return KeyUnavailable(f"the key provider failed: {type(error).__name__}")


def _most_telling(errors: Sequence[KeyUnavailable]) -> KeyUnavailable:
    expired = [error for error in errors if isinstance(error, KeyExpired)]
    retryable = [error for error in errors if error.retryable]
    ranked = [*expired, *retryable, *errors]
    return ranked[0] if ranked else KeyUnavailable("nobody here has keys")


async def _fetch(
    transport: Transport,
    clock: Clock,
    url: str,
    label: str,
    headers: Mapping[str, str],
    limit_bytes: int,
    body: bytes | None = None,
) -> bytes:
    """A whole answer. Raises KeyUnavailable."""
    request = FetchRequest(url, headers=headers, label=label, body=body)
    try:
        return (await fetch_bytes(transport, request, clock, limit_bytes=limit_bytes, limit_s=ANSWER_LIMIT_S)).body
    except FetchError as error:
        raise KeyUnavailable(str(error), retryable=error.retryable) from error


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: object) -> bytes:
    """base64url without padding (RFC 7515 2); b"" when it is none."""
    if not isinstance(text, str):
        return b""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
