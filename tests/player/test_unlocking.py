"""Keys on their way from a provider to what is fed: whole segments in the clear, key rings for decoders, no leaks."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from cushion_player.errors import KeyUnavailable
from cushion_player.key_requests import KeyRequest
from cushion_player.keys import KeyProvider, StaticKeys
from cushion_player.media.null_output import NullDecodeOutput
from cushion_player.notices import (
    PlaybackEnded,
    PlaybackFailed,
    RebufferEnded,
    SegmentLoaded,
    SegmentRetried,
    StallCause,
)
from cushion_player.outputs import MediaFormat, MediaSegment
from cushion_player.player import Player
from cushion_player.testing.clock import FakeClock
from cushion_player.testing.faults import Status
from cushion_player.testing.transport import FakeTransport
from cushion_player.timeline import TrackKind
from tests.player.boxes_writing import box, full, words
from tests.player.test_player import BASE, N_SEGMENTS, content

KEY = bytes(range(100, 116))
OTHER = bytes(range(200, 216))
KEY_ID = bytes(range(16))
SECOND = 1_000_000


class Recording(NullDecodeOutput):
    """Keeps what it is fed."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.formats: list[MediaFormat] = []
        self.segments: list[bytes] = []

    def switch_format(self, track: TrackKind, media_format: MediaFormat) -> None:
        self.formats.append(media_format)
        super().switch_format(track, media_format)

    def feed(self, track: TrackKind, segment: MediaSegment) -> None:
        self.segments.append(segment.data)
        super().feed(track, segment)


def encrypted(plain: bytes, key: bytes, number: int) -> bytes:
    padding = 16 - len(plain) % 16
    encryptor = Cipher(algorithms.AES(key), modes.CBC(number.to_bytes(16, "big"))).encryptor()
    return encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()


def plain(number: int) -> bytes:
    return b"\x47" + number.to_bytes(2, "big") * 500


def playlist_files() -> dict[str, bytes]:
    """Ten segments of AES-128, the second half under another key."""
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:2", "#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-MEDIA-SEQUENCE:7"]
    files = {f"{BASE}one.key": KEY, f"{BASE}two.key?token=s3cret": OTHER}
    for at in range(10):
        if at in (0, 5):
            uri = "one.key" if at == 0 else "two.key?token=s3cret"
            lines.append(f'#EXT-X-KEY:METHOD=AES-128,URI="{uri}"')
        lines += ["#EXTINF:2,", f"{at}.ts"]
        files[f"{BASE}{at}.ts"] = encrypted(plain(at), KEY if at < 5 else OTHER, 7 + at)
    files[f"{BASE}a.m3u8"] = "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode()
    return files


class Session:
    def __init__(self, files: Mapping[str, bytes], manifest: str, provider: KeyProvider | None = None) -> None:
        self.clock = FakeClock()
        self.origin = FakeTransport(self.clock, files, latency_us=20_000)
        self.output = Recording(self.clock)
        self.journal = io.StringIO()
        self.notices: list[object] = []
        self.player = Player(
            transport=self.origin,
            clock=self.clock,
            output=self.output,
            journal=self.journal,
            key_provider=provider,
        )
        self.player.subscribe(self.notices.append)
        self._manifest = manifest

    def run(self) -> PlaybackEnded | PlaybackFailed:
        async def play() -> PlaybackEnded | PlaybackFailed:
            async with self.player as player:
                await player.load(BASE + self._manifest)
                player.play()
                return await player.wait_finished()

        return self.clock.run(play())


def test_whole_segments_are_fed_in_the_clear_and_each_key_is_fetched_once(caplog: pytest.LogCaptureFixture) -> None:
    session = Session(playlist_files(), "a.m3u8")
    with caplog.at_level(logging.DEBUG):
        ended = session.run()

    fetched = [request.url for request in session.origin.requests if ".key" in request.url]
    said = session.journal.getvalue() + caplog.text + repr(session.notices)
    assert isinstance(ended, PlaybackEnded)
    assert sorted(set(session.output.segments)) == sorted(plain(at) for at in range(10))
    assert fetched == [f"{BASE}one.key", f"{BASE}two.key?token=s3cret"]
    for secret in (KEY.hex(), OTHER.hex(), repr(KEY), "s3cret"):
        assert secret not in said


def test_an_initialisation_segment_is_opened_with_the_key_it_was_announced_under() -> None:
    files = playlist_files()
    text = files[f"{BASE}a.m3u8"].decode()
    files[f"{BASE}head.ts"] = encrypted(b"\x47the tables", KEY, 99)
    vector = f'one.key",IV=0x{99:032x}\n#EXT-X-MAP:URI="head.ts"\n#EXT-X-KEY:METHOD=AES-128,URI="one.key"'
    files[f"{BASE}a.m3u8"] = text.replace('one.key"', vector).encode()
    session = Session(files, "a.m3u8")

    ended = session.run()

    assert isinstance(ended, PlaybackEnded)
    assert {media_format.init for media_format in session.output.formats} == {b"\x47the tables"}
    assert sorted(set(session.output.segments)) == sorted(plain(at) for at in range(10))


def test_a_key_known_beforehand_opens_whole_segments_though_its_id_is_not_said() -> None:
    files = {url: body for url, body in playlist_files().items() if ".key" not in url}
    text = files[f"{BASE}a.m3u8"].decode()
    files[f"{BASE}a.m3u8"] = (text.partition('#EXT-X-KEY:METHOD=AES-128,URI="two')[0] + "#EXT-X-ENDLIST\n").encode()
    session = Session(files, "a.m3u8", StaticKeys({KEY_ID: KEY}))

    ended = session.run()

    assert isinstance(ended, PlaybackEnded)
    assert sorted(set(session.output.segments)) == [plain(at) for at in range(5)]


def test_a_key_that_comes_late_is_a_stall_for_want_of_a_key() -> None:
    session = Session(playlist_files(), "a.m3u8")
    busy = Status(503)
    session.origin.faults.once(f"{BASE}two.key*", *[busy] * 5)

    ended = session.run()

    stalls = [notice for notice in session.notices if isinstance(notice, RebufferEnded)]
    assert isinstance(ended, PlaybackEnded)
    assert {stall.cause for stall in stalls} == {StallCause.KEY}


def test_a_key_that_is_refused_ends_playback_with_its_code_where_it_is_needed() -> None:
    files = playlist_files()
    del files[f"{BASE}two.key?token=s3cret"]
    session = Session(files, "a.m3u8")

    failed = session.run()

    assert isinstance(failed, PlaybackFailed)
    assert (failed.code, failed.position_us) == ("key", 10 * SECOND)
    assert "s3cret" not in repr(failed)


def dash_files() -> dict[str, bytes]:
    files = content(audio=False)
    protection = (
        '<ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011" value="cenc" '
        'xmlns:cenc="urn:mpeg:cenc:2013" cenc:default_KID="00010203-0405-0607-0809-0a0b0c0d0e0f"/>'
    )
    manifest = files[f"{BASE}a.mpd"].decode()
    files[f"{BASE}a.mpd"] = manifest.replace('mimeType="video/mp4">', f'mimeType="video/mp4">{protection}').encode()
    return files


def test_the_keys_of_common_encryption_go_to_the_decoder_with_the_format() -> None:
    session = Session(dash_files(), "a.mpd", StaticKeys({KEY_ID: KEY}))

    ended = session.run()

    assert isinstance(ended, PlaybackEnded)
    assert all(dict(media_format.keys) == {KEY_ID: KEY} for media_format in session.output.formats)
    assert KEY.hex() not in session.journal.getvalue() + repr(session.output.formats)


def test_without_anybody_who_has_the_key_playback_fails_and_names_the_key_id() -> None:
    failed = Session(dash_files(), "a.mpd").run()

    assert isinstance(failed, PlaybackFailed)
    assert failed.code == "key"
    assert failed.position_us == 0


class Slow:
    """A licence server of somebody's own."""

    def __init__(self) -> None:
        self.asked: list[KeyRequest] = []
        self.clock: FakeClock | None = None

    async def get_keys(self, request: KeyRequest) -> Mapping[bytes, bytes]:
        self.asked.append(request)
        assert self.clock is not None
        await self.clock.sleep_until(self.clock.now_us() + 3 * SECOND)
        if len(self.asked) == 1:
            raise KeyUnavailable("the licence server is busy", retryable=True)
        return {KEY_ID: KEY}


def test_a_provider_of_ones_own_is_asked_again_when_it_says_that_may_help() -> None:
    provider = Slow()
    session = Session(dash_files(), "a.mpd", provider)
    provider.clock = session.clock

    ended = session.run()

    assert isinstance(ended, PlaybackEnded)
    assert [request.key_ids for request in provider.asked] == [(KEY_ID,)] * 2
    assert len(session.output.segments) >= N_SEGMENTS


class Rotating:
    """A licence server that knows any key id."""

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, ...]] = []

    async def get_keys(self, request: KeyRequest) -> Mapping[bytes, bytes]:
        self.asked.append(request.key_ids)
        return {key_id: key_id[::-1] for key_id in request.key_ids}


def rotating_files() -> dict[str, bytes]:
    """Every third segment names another key in its own groups of samples."""
    files = dash_files()
    for url in files:
        if url.endswith(".m4s"):
            number = int(url.rpartition("/")[2].partition(".")[0])
            group = bytes([0, 0, 1, 8]) + bytes([number // 3]) * 16
            sgpd = full(b"sgpd", 1, 0, b"seig", words(20, 1), group)
            head = box(b"moof", box(b"traf", sgpd))
            files[url] = head + box(b"mdat", files[url][len(head) + 8 :])
    return files


def test_keys_that_segments_name_themselves_are_asked_for_once_and_join_the_ring() -> None:
    provider = Rotating()
    session = Session(rotating_files(), "a.mpd", provider)

    ended = session.run()

    wanted = [bytes([number]) * 16 for number in range((N_SEGMENTS + 2) // 3)]
    assert isinstance(ended, PlaybackEnded)
    assert provider.asked == [(KEY_ID,), *((key_id,) for key_id in wanted)]
    assert dict(session.output.formats[-1].keys) == {key_id: key_id[::-1] for key_id in (KEY_ID, *wanted)}


def test_a_rotated_key_that_nobody_has_ends_playback_with_its_code() -> None:
    failed = Session(rotating_files(), "a.mpd", StaticKeys({KEY_ID: KEY, bytes(16): KEY})).run()

    assert isinstance(failed, PlaybackFailed)
    assert failed.code == "key"
    assert f"no key for key id {'01' * 16}" in repr(failed)


class SlowRotating(Rotating):
    """Answers after four seconds of `clock`."""

    clock: FakeClock

    async def get_keys(self, request: KeyRequest) -> Mapping[bytes, bytes]:
        await self.clock.sleep_until(self.clock.now_us() + 4_000_000)
        return await super().get_keys(request)


def test_a_slow_licence_server_is_not_taken_for_a_slow_link() -> None:
    provider = SlowRotating()
    slow, fast = Session(rotating_files(), "a.mpd", provider), Session(rotating_files(), "a.mpd", Rotating())
    provider.clock = slow.clock
    ended = slow.run()
    fast.run()

    def downloads(session: Session) -> dict[int, int]:
        loaded = (notice for notice in session.notices if isinstance(notice, SegmentLoaded))
        return {notice.index: notice.end_us - notice.request_us for notice in loaded}

    assert isinstance(ended, PlaybackEnded)
    assert downloads(slow) == downloads(fast)
    assert not any(isinstance(notice, SegmentRetried) for notice in slow.notices)
    asked = [request.url for request in slow.origin.requests if request.url.endswith(".m4s")]
    assert len(asked) == len(set(asked)) == N_SEGMENTS
