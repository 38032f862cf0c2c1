"""Key providers over a scripted transport, and that no key or token shows anywhere."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import traceback
from collections.abc import Mapping
from typing import Any

import pytest

from cushion_player.crypt import KeyRing, SampleDecryptor, decrypt_segment
from cushion_player.crypt.keyring import ANY_KEY_ID, only_key
from cushion_player.errors import KeyExpired, KeyUnavailable
from cushion_player.key_requests import CLEARKEY, COMMON, HLS_IDENTITY, KeyRequest
from cushion_player.keys import (
    MAX_KEPT_KEYS,
    ClearKeyLicences,
    HlsKeys,
    KeyChain,
    KeyProvider,
    StaticKeys,
    obtain_keys,
    read_licence,
)
from cushion_player.model import Container, Key, Protection
from cushion_player.outputs import MediaFormat
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.faults import Disconnect, Status
from cushion_player.testing.transport import FakeTransport
from cushion_player.transport.base import FetchRequest
from cushion_player.transport.dispatch import DispatchTransport
from cushion_player.transport.file import DataTransport
from tests.player.encrypting import KEY, KEY_ID

OTHER_ID, OTHER_KEY = bytes(range(16)), bytes(range(100, 116))
LICENCES = "https://keys.example/licence?token=sesame"
KEY_URL = "https://keys.example/key?token=sesame"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def licence(keys: Mapping[bytes, bytes], **more: object) -> bytes:
    listed = [{"kty": "oct", "kid": base64url(key_id), "k": base64url(key)} for key_id, key in keys.items()]
    return json.dumps({"keys": listed, "type": "temporary", **more}).encode()


def clearkey(*key_ids: bytes, uri: str = LICENCES) -> KeyRequest:
    return KeyRequest(CLEARKEY, "cenc", key_ids, uri)


def hls(uri: str = KEY_URL, method: str = "AES-128", key_ids: tuple[bytes, ...] = ()) -> KeyRequest:
    return KeyRequest(HLS_IDENTITY, method, key_ids, uri)


# --------------------------------------------------------------------------- keys known beforehand


async def test_static_keys_answer_what_is_asked_and_known() -> None:
    provider = StaticKeys({KEY_ID: KEY, OTHER_ID: OTHER_KEY})

    assert await provider.get_keys(KeyRequest(COMMON, "cenc", (KEY_ID, bytes(16)))) == {KEY_ID: KEY}
    assert await provider.get_keys(KeyRequest(HLS_IDENTITY)) == {KEY_ID: KEY, OTHER_ID: OTHER_KEY}
    with pytest.raises(KeyUnavailable, match=f"no key for key id {'00' * 16}"):
        await provider.get_keys(KeyRequest(COMMON, "cenc", (bytes(16),)))


async def test_a_static_key_for_any_id_answers_all() -> None:
    found = await StaticKeys({ANY_KEY_ID: KEY}).get_keys(KeyRequest(COMMON, "cenc", (KEY_ID,)))

    assert found == {ANY_KEY_ID: KEY}


def test_a_key_of_no_length_of_aes_is_refused() -> None:
    with pytest.raises(KeyUnavailable, match="has 15 bytes: no key of AES"):
        StaticKeys({KEY_ID: KEY[:15]})


def test_a_ring_takes_more_keys_on_while_a_decoder_uses_it() -> None:
    ring = KeyRing({KEY_ID: KEY})
    view: Mapping[bytes, bytes] = ring

    ring.add({OTHER_ID: OTHER_KEY})

    assert view == {KEY_ID: KEY, OTHER_ID: OTHER_KEY}
    with pytest.raises(KeyUnavailable):
        ring.add({bytes(16): b"short"})
    assert len(view) == 2


def test_the_key_for_what_has_no_id_is_the_only_one_or_the_one_for_any() -> None:
    assert only_key(KeyRing({KEY_ID: KEY})) == KEY
    assert only_key(KeyRing({KEY_ID: KEY, ANY_KEY_ID: OTHER_KEY})) == OTHER_KEY
    for keys, message in (({}, "no keys"), ({KEY_ID: KEY, OTHER_ID: OTHER_KEY}, "2 keys, and nothing says which")):
        with pytest.raises(KeyUnavailable, match=message):
            only_key(KeyRing(keys))


# --------------------------------------------------------------------------- ClearKey licences


async def test_licence_is_asked_for_by_post_with_all_key_ids() -> None:
    asked: list[FetchRequest] = []

    def serve(request: FetchRequest) -> bytes:
        asked.append(request)
        return licence({KEY_ID: KEY, OTHER_ID: OTHER_KEY})

    clock = FakeClock()
    provider = ClearKeyLicences(FakeTransport(clock, {LICENCES: serve}), clock, headers={"authorization": "Bearer x"})

    assert await provider.get_keys(clearkey(KEY_ID, OTHER_ID)) == {KEY_ID: KEY, OTHER_ID: OTHER_KEY}
    (request,) = asked
    assert request.body is not None
    assert json.loads(request.body) == {"kids": [base64url(KEY_ID), base64url(OTHER_ID)], "type": "temporary"}
    assert request.headers == {"content-type": "application/json", "authorization": "Bearer x"}


async def test_a_configured_licence_server_answers_for_bare_key_ids_too() -> None:
    clock = FakeClock()
    provider = ClearKeyLicences(FakeTransport(clock, {LICENCES: licence({KEY_ID: KEY})}), clock, url=LICENCES)

    assert await provider.get_keys(KeyRequest(COMMON, "cenc", (KEY_ID,))) == {KEY_ID: KEY}
    assert await provider.get_keys(clearkey(KEY_ID, uri="https://elsewhere.example/")) == {KEY_ID: KEY}


async def test_licence_in_a_data_url() -> None:
    url = f"data:application/json;base64,{base64.b64encode(licence({KEY_ID: KEY})).decode()}"
    provider = ClearKeyLicences(DispatchTransport({"data": DataTransport()}), FakeClock())

    assert await provider.get_keys(clearkey(KEY_ID, uri=url)) == {KEY_ID: KEY}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"<html>", "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b"[" * 60_000, "is no JSON"),
        (b" " * 70_000, "more than 65536 bytes"),
        (b"[]", "has no keys"),
        (b'{"keys": 5}', "has no keys"),
        (b'{"keys": [5, {"kid": 1, "k": null}, {"kid": "AAAA", "k": "AAAA"}, {"kid": "*", "k": "*"}]}', "has no keys"),
        (licence({OTHER_ID: OTHER_KEY}), "has no key for key id 0011"),
    ],
)
async def test_a_licence_without_the_keys_is_refused(answer: bytes, message: str) -> None:
    clock = FakeClock()
    provider = ClearKeyLicences(FakeTransport(clock, {LICENCES: answer}), clock)

    with pytest.raises(KeyUnavailable, match=message) as caught:
        await provider.get_keys(clearkey(KEY_ID))
    assert not caught.value.retryable


async def test_whom_nobody_told_where_to_ask_asks_nobody() -> None:
    clock = FakeClock()
    provider = ClearKeyLicences(FakeTransport(clock, {}), clock)

    with pytest.raises(KeyUnavailable, match="nobody says where to ask"):
        await provider.get_keys(clearkey(KEY_ID, uri=""))
    with pytest.raises(KeyUnavailable, match="no ClearKey licence for hls-identity"):
        await provider.get_keys(hls())


# --------------------------------------------------------------------------- HLS keys


async def test_hls_key_is_fetched_once_for_all_who_ask() -> None:
    clock = FakeClock()
    transport = FakeTransport(clock, {KEY_URL: KEY})
    provider = HlsKeys(transport, clock)

    found = await asyncio.gather(*(provider.get_keys(hls()) for _ in range(3)))
    with_ids = await provider.get_keys(hls(method="SAMPLE-AES", key_ids=(KEY_ID,)))

    assert found == [{ANY_KEY_ID: KEY}] * 3
    assert with_ids == {KEY_ID: KEY}
    assert len(transport.requests) == 1


async def test_hls_key_in_a_data_url() -> None:
    url = f"data:text/plain;base64,{base64.b64encode(KEY).decode()}"
    provider = HlsKeys(DispatchTransport({"data": DataTransport()}), FakeClock())

    assert await provider.get_keys(hls(url)) == {ANY_KEY_ID: KEY}


async def test_long_keys_are_for_the_method_that_has_them() -> None:
    clock = FakeClock()
    provider = HlsKeys(FakeTransport(clock, {KEY_URL: KEY * 2}), clock)

    assert await provider.get_keys(hls(method="AES-256")) == {ANY_KEY_ID: KEY * 2}
    for method in ("AES-128", "SAMPLE-AES"):
        with pytest.raises(KeyUnavailable, match=r"32 bytes instead of 16 \(https://keys.example/key\)"):
            await HlsKeys(FakeTransport(clock, {KEY_URL: KEY * 2}), clock).get_keys(hls(method=method))


async def test_kept_keys_have_a_limit_and_the_oldest_goes() -> None:
    clock = FakeClock()
    urls = [f"https://keys.example/{number}" for number in range(MAX_KEPT_KEYS + 1)]
    transport = FakeTransport(clock, dict.fromkeys(urls, KEY))
    provider = HlsKeys(transport, clock)

    for url in urls:
        await provider.get_keys(hls(url))
    await provider.get_keys(hls(urls[-1]))
    assert len(transport.requests) == len(urls)
    await provider.get_keys(hls(urls[0]))
    assert len(transport.requests) == len(urls) + 1


@pytest.mark.parametrize(
    ("fault", "retryable"), [(Status(403), False), (Status(404), False), (Status(503), True), (Disconnect(), True)]
)
async def test_asking_again_is_worth_it_as_for_any_request(fault: Any, retryable: bool) -> None:
    clock = FakeClock()
    transport = FakeTransport(clock, {KEY_URL: KEY})
    transport.faults.once("/key", fault)
    provider = HlsKeys(transport, clock)

    with pytest.raises(KeyUnavailable, match="HLS key: ") as caught:
        await provider.get_keys(hls())
    assert caught.value.retryable is retryable
    assert await provider.get_keys(hls()) == {ANY_KEY_ID: KEY}


# --------------------------------------------------------------------------- several


class Failing:
    def __init__(self, error: Exception) -> None:
        self.error = error

    async def get_keys(self, request: KeyRequest) -> Mapping[bytes, bytes]:
        raise self.error


async def test_a_chain_asks_until_somebody_has_the_keys() -> None:
    provider: KeyProvider = KeyChain([StaticKeys({}), StaticKeys({OTHER_ID: KEY}), StaticKeys({KEY_ID: KEY})])

    assert await provider.get_keys(KeyRequest(COMMON, "cenc", (KEY_ID,))) == {KEY_ID: KEY}


async def test_the_most_telling_error_is_raised() -> None:
    first, again, over = KeyUnavailable("first"), KeyUnavailable("again", retryable=True), KeyExpired("over")
    request = KeyRequest(COMMON)

    with pytest.raises(KeyExpired, match="over"):
        await KeyChain([Failing(first), Failing(again), Failing(over)]).get_keys(request)
    with pytest.raises(KeyUnavailable, match="again"):
        await KeyChain([Failing(first), Failing(again)]).get_keys(request)
    with pytest.raises(KeyUnavailable, match="nobody here has keys"):
        await KeyChain([]).get_keys(request)


async def test_the_first_way_that_is_answered_is_enough() -> None:
    ways = [KeyRequest("urn:uuid:x", "cenc", (OTHER_ID,)), KeyRequest(COMMON, "cenc", (KEY_ID,))]

    assert await obtain_keys(StaticKeys({KEY_ID: KEY}), ways) == {KEY_ID: KEY}
    with pytest.raises(KeyUnavailable, match="nobody here has keys"):
        await obtain_keys(StaticKeys({KEY_ID: KEY}), [])


async def test_a_plug_in_that_breaks_is_told_by_kind_alone() -> None:
    with pytest.raises(KeyUnavailable, match=r"^the key provider failed: ValueError$") as caught:
        await obtain_keys(Failing(ValueError(KEY.hex())), [KeyRequest(COMMON)])
    assert KEY.hex() not in "".join(traceback.format_exception(caught.value))


# --------------------------------------------------------------------------- secrets


def shown_forms(secret: bytes) -> list[str]:
    forms = [repr(secret)[2:-1], secret.hex(), base64.b64encode(secret).decode().rstrip("="), base64url(secret)]
    return [*forms, str(list(secret))[1:-1]]


async def test_no_key_or_token_shows_in_what_is_logged_raised_or_represented(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    clock = FakeClock()
    data_url = f"data:text/plain;base64,{base64.b64encode(KEY).decode()}"
    content = {LICENCES: licence({KEY_ID: KEY}), KEY_URL: KEY + b"?", "https://k.example/?token=sesame": KEY[:9]}
    transport = FakeTransport(clock, content)
    headers = {"authorization": "Bearer sesame"}
    static, licences = StaticKeys({KEY_ID: KEY}), ClearKeyLicences(transport, clock, url=LICENCES, headers=headers)
    keys = HlsKeys(transport, clock, headers=headers)
    ring = await licences.get_keys(clearkey(KEY_ID))
    key = Key("AES-128", data_url)
    shown: list[str] = []
    for value in (
        *(static, licences, keys, KeyChain([static, licences, keys]), ring, {"a": ring}, SampleDecryptor(ring)),
        *(hls(), hls(data_url), clearkey(KEY_ID), key, (key,), MediaFormat(0, Container.MP4, b"", keys=ring)),
        Protection("AES-128", uri=data_url, licence_urls=(LICENCES,), body=LICENCES),
        FetchRequest(LICENCES, headers=headers, body=KEY),
        FetchRequest(data_url),
    ):
        shown += [repr(value), str(value), f"{value}"]
        logging.getLogger("cushion_player.keys").info("%s %r", value, value)

    async def fail(provider: KeyProvider, request: KeyRequest) -> None:
        with pytest.raises(KeyUnavailable) as caught:
            await provider.get_keys(request)
        shown.extend(traceback.format_exception(caught.value))
        shown.append(repr(caught.value))

    broken = f"data:text/plain;base64,{base64.b64encode(KEY).decode()}*"
    await fail(keys, hls())
    await fail(keys, hls("https://k.example/?token=sesame"))
    await fail(keys, hls("https://nowhere.example/?token=sesame"))
    await fail(keys, hls(data_url))
    await fail(HlsKeys(DispatchTransport({"data": DataTransport()}), clock), hls(broken))
    await fail(HlsKeys(DispatchTransport({"data": DataTransport()}), clock), hls(data_url, "AES-256"))
    await fail(static, KeyRequest(COMMON, "cenc", (bytes(16),)))
    for wrong in (KEY[:12], KEY + b"\0"):
        with pytest.raises(KeyUnavailable) as caught:
            decrypt_segment(Key("AES-128", data_url), wrong, bytes(16), 1)
        shown += traceback.format_exception(caught.value)
        with pytest.raises(KeyUnavailable) as caught:
            KeyRing({KEY_ID: wrong})
        shown += traceback.format_exception(caught.value)
    with pytest.raises(KeyUnavailable) as caught:
        read_licence(licence({KEY_ID: KEY})[:-3])
    shown += traceback.format_exception(caught.value)
    assert caught.value.__cause__ is None

    text = "\n".join([*shown, caplog.text])
    found = [form for secret in (KEY, KEY[:9], b"sesame") for form in shown_forms(secret) if form in text]
    assert found == []
    assert "sesame" not in text
    assert KEY_ID.hex() in text


class Unanswering:
    """A plug-in that never answers, or breaks."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    async def get_keys(self, request: KeyRequest) -> Mapping[bytes, bytes]:
        if self._error is not None:
            raise self._error
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


@pytest.mark.parametrize("error", [None, RuntimeError("sesame"), TimeoutError()])
def test_who_comes_behind_a_plug_in_that_is_silent_or_breaks_is_asked_all_the_same(error: Exception | None) -> None:
    clock = FakeClock()
    chain = KeyChain([Unanswering(error), StaticKeys({KEY_ID: KEY})])

    keys = clock.run(obtain_keys(chain, [KeyRequest(COMMON, "cenc", (KEY_ID,))]))

    assert keys == {KEY_ID: KEY}
    assert clock.now_us() <= 30_000_000
