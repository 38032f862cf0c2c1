"""What manifests and initialisation segments say of their keys, as questions to key systems."""

from __future__ import annotations

from uuid import UUID

from cushion_player.boxes import read_init, read_protection_headers
from cushion_player.boxes.pssh import CLEARKEY_SYSTEM
from cushion_player.key_requests import (
    CLEARKEY,
    COMMON,
    HLS_IDENTITY,
    NO_KEY_ID,
    KeyRequest,
    choose_key,
    keys_needed,
    request_for_key,
)
from cushion_player.manifest import read
from cushion_player.model import Key, Protection
from tests.player.boxes_media import make_video
from tests.player.boxes_writing import full, words
from tests.player.encrypting import KEY_ID, Recipe, encrypt_init

WIDEVINE = "urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"
OTHER_ID = bytes(range(16))
DASH = (
    Protection(COMMON, "cbcs", key_ids=(KEY_ID.hex(),)),
    Protection(WIDEVINE, pssh=(full(b"pssh", 0, 0, UUID(WIDEVINE).bytes, words(2), b"wv"),)),
    Protection(f"urn:uuid:{CLEARKEY_SYSTEM}", licence_urls=("https://keys.example/a?t=1", "https://keys.example/b")),
)


def test_media_in_the_clear_needs_no_key() -> None:
    assert keys_needed(()) == ()
    assert keys_needed((), read_init(make_video().init)) == ()


def test_each_system_and_licence_server_of_a_dash_representation_is_a_way() -> None:
    ways = keys_needed(DASH)

    assert [(way.system, way.uri) for way in ways] == [
        (CLEARKEY, "https://keys.example/a?t=1"),
        (CLEARKEY, "https://keys.example/b"),
        (COMMON, ""),
        (WIDEVINE, ""),
    ]
    assert {way.key_ids for way in ways} == {(KEY_ID,)}
    assert {way.method for way in ways} == {"cbcs"}
    assert ways[3].pssh == DASH[1].pssh


def test_what_the_manifest_leaves_out_comes_from_the_initialisation_segment() -> None:
    box = full(b"pssh", 1, 0, CLEARKEY_SYSTEM.bytes, words(1), OTHER_ID, words(0))
    init = read_init(encrypt_init(make_video().init, Recipe("cenc")))

    ways = keys_needed((), init, read_protection_headers(box))

    assert ways == (
        KeyRequest(CLEARKEY, "cenc", (KEY_ID, OTHER_ID), "", (box,)),
        KeyRequest(COMMON, "cenc", (KEY_ID, OTHER_ID)),
    )


def test_a_key_id_of_zeros_is_none_the_keys_rotate() -> None:
    init = read_init(encrypt_init(make_video().init, Recipe("cenc", key_id=NO_KEY_ID)))
    protection = Protection(COMMON, "cenc", key_ids=(NO_KEY_ID.hex(),))

    assert keys_needed([protection], init) == (KeyRequest(COMMON, "cenc"),)


def test_key_ids_of_a_pssh_in_the_manifest_are_asked_for() -> None:
    box = full(b"pssh", 1, 0, UUID(WIDEVINE).bytes, words(1), OTHER_ID, words(0))

    (way,) = keys_needed([Protection(WIDEVINE, pssh=(box, box[:-9]))])

    assert way.key_ids == (OTHER_ID,)


def test_keys_of_an_hls_playlist_are_asked_for_where_it_says() -> None:
    text = f"""#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://abc",KEYFORMAT="com.apple.streamingkeydelivery"
#EXT-X-KEY:METHOD=SAMPLE-AES,URI="key.bin?token=1",IV=0x{bytes(16).hex()}
#EXTINF:4,
a.ts
#EXT-X-KEY:METHOD=NONE
#EXTINF:4,
b.ts
#EXT-X-ENDLIST
"""
    presentation = read(text, "https://cdn.example/live/v.m3u8").presentation
    assert presentation is not None
    (representation,) = (
        item for period in presentation.periods for found in period.adaptation_sets for item in found.representations
    )

    first, second = representation.segments
    key = choose_key(first.keys)

    assert key is not None
    assert request_for_key(key).uri == "https://cdn.example/live/key.bin?token=1"
    assert choose_key(second.keys) is None
    assert [way.system for way in keys_needed(representation.protections)] == [
        HLS_IDENTITY,
        "com.apple.streamingkeydelivery",
    ]


def test_the_key_we_can_ask_for_is_chosen_among_those_in_force() -> None:
    fairplay = Key("SAMPLE-AES", "skd://abc", key_format="com.apple.streamingkeydelivery")
    identity = Key("SAMPLE-AES", "https://keys.example/k?token=1")
    clearkey = Key("SAMPLE-AES-CTR", "https://keys.example/l", key_format=f"urn:uuid:{CLEARKEY_SYSTEM}")

    assert choose_key((fairplay, clearkey, identity)) is identity
    assert choose_key((fairplay, clearkey)) is clearkey
    assert choose_key((fairplay,)) is fairplay
    assert choose_key(()) is None
    assert choose_key((Key("NONE"),)) is None
    assert request_for_key(identity) == KeyRequest(HLS_IDENTITY, "SAMPLE-AES", (), "https://keys.example/k?token=1")
    assert request_for_key(fairplay).system == "com.apple.streamingkeydelivery"


def test_hls_protections_are_ways_too() -> None:
    found = Protection("AES-128", key_format="identity", uri="https://keys.example/k")

    assert keys_needed([found]) == (KeyRequest(HLS_IDENTITY, "AES-128", (), "https://keys.example/k"),)
