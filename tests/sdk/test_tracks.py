"""Languages and subtitles of a session, and what else a viewer may do while it plays."""

from __future__ import annotations

import asyncio

import pytest

from cushion_player import manifest
from cushion_player.engine import Limits
from cushion_player.errors import UsageError
from cushion_player.testing.transport import FakeTransport
from cushion_player.timeline import Track, TrackKind, TrackRung
from cushion_sdk.session_events import LoopedBack, RungShown, SeekEnded, SessionEvent, TrackSwitched
from cushion_sdk.session_types import SessionOptions, SessionSnapshot, SessionState
from cushion_sdk.tracks import RungCap, choose_text, list_captions
from tests.sdk.conftest import MPD_URL, N_SEGMENTS, Living, files, media

SECOND = 1_000_000
SETS = (
    ("audio", "en", "audio/mp4", "mp4a.40.2", "main"),
    ("audio", "de", "audio/mp4", "mp4a.40.2", "dub"),
    ("text", "en", "application/mp4", "wvtt", "subtitle"),
    ("text", "de", "application/mp4", "wvtt", "forced-subtitle"),
)


def with_languages() -> dict[str, bytes]:
    """The small title with two languages, subtitles, and forced subtitles."""
    served = files()
    base = MPD_URL.rpartition("/")[0]
    sets = ""
    for number, (kind, language, mime, codecs, role) in enumerate(SETS):
        name = f"{kind}{number}"
        segments = "".join(f'<SegmentURL media="{name}/{index}.m4s"/>' for index in range(N_SEGMENTS))
        sets += (
            f'<AdaptationSet id="{name}" contentType="{kind}" mimeType="{mime}" lang="{language}">'
            f'<Role schemeIdUri="urn:mpeg:dash:role:2011" value="{role}"/>'
            f'<Representation id="{name}" bandwidth="96000" codecs="{codecs}"><SegmentList timescale="1" duration="2">'
            f'<Initialization sourceURL="{name}/init.mp4"/>{segments}</SegmentList></Representation></AdaptationSet>'
        )
        served[f"{base}/{name}/init.mp4"] = bytes(700)
        for index in range(N_SEGMENTS):
            served[f"{base}/{name}/{index}.m4s"] = media(24_000 if kind == "audio" else 200)
    served[MPD_URL] = served[MPD_URL].replace(b"</Period>", sets.encode() + b"</Period>")
    return served


@pytest.fixture
def abroad(living: Living) -> Living:
    living.origin = FakeTransport(living.clock, with_languages(), latency_us=20_000)
    return living


def selected(living: Living, options: SessionOptions) -> set[str]:
    async def play() -> set[str]:
        async with living.session(MPD_URL, options) as session:
            session.play()
            await living.sleep(3)
            return {track.key for track in session.snapshot().tracks if track.is_selected}

    return living.clock.run(play())


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        (SessionOptions(), {"audio/audio0"}),
        (SessionOptions(audio_language="de"), {"audio/audio1", "text/text3"}),
        (SessionOptions(audio_language="de", text_language="en"), {"audio/audio1", "text/text2"}),
        (SessionOptions(text_language="fr"), {"audio/audio0"}),
    ],
)
def test_a_session_begins_with_the_languages_asked_for(abroad: Living, options: SessionOptions, keys: set[str]) -> None:
    assert selected(abroad, options) == keys


def test_languages_change_while_it_plays_and_the_session_tells(abroad: Living) -> None:
    async def play() -> tuple[list[SessionEvent], float]:
        async with abroad.session(MPD_URL) as session:
            events = session.events()
            session.play()
            await abroad.sleep(5)
            session.select_audio("audio/audio1")
            session.select_text("text/text2")
            await abroad.sleep(5)
            session.select_text(None)
            await abroad.sleep(1)
            summary = session.summary()
        return [event async for event in events], summary.rebuffer_s

    events, rebuffer_s = abroad.clock.run(play())

    switched = [(event.kind, event.key) for event in events if isinstance(event, TrackSwitched)]
    assert switched == [
        (TrackKind.TEXT, "text/text2"),
        (TrackKind.AUDIO, "audio/audio1"),
        (TrackKind.TEXT, ""),
    ]
    assert rebuffer_s == 0


def test_a_track_that_is_not_there_is_refused_by_name(abroad: Living) -> None:
    async def play() -> None:
        async with abroad.session(MPD_URL) as session:
            with pytest.raises(UsageError, match="there is no audio track 'text/text2'; there are: audio/audio0"):
                session.select_audio("text/text2")

    abroad.clock.run(play())


def test_a_session_loops_steps_and_scrubs(living: Living) -> None:
    async def play() -> tuple[list[SessionEvent], float, SessionState]:
        async with living.session(MPD_URL) as session:
            events = session.events()
            session.set_loop(2.0, 4.0)
            session.play()
            await living.sleep(8)
            session.end_loop()
            session.step(3)
            await living.sleep(1)
            stepped_s = session.snapshot().position_s
            session.set_scrubbing(True)
            session.seek(31.0)
            await living.sleep(1)
            session.set_scrubbing(False)
            session.play()
            await living.sleep(2)
            state = session.snapshot().state
        return [event async for event in events], stepped_s, state

    events, stepped_s, state = living.clock.run(play())

    loops = [event for event in events if isinstance(event, LoopedBack)]
    assert len(loops) >= 2
    assert all((loop.from_s, loop.to_s) == (4.0, 2.0) for loop in loops)
    assert 2.0 < stepped_s < 4.2
    assert stepped_s % (1 / 30) == pytest.approx(1 / 60, abs=1e-3)
    assert [event.position_s for event in events if isinstance(event, SeekEnded)][-1] == 31.0
    assert state is SessionState.PLAYING
    assert any(isinstance(event, RungShown) for event in events)


def test_a_loop_that_ends_before_it_starts_is_refused(living: Living) -> None:
    async def play() -> None:
        async with living.session(MPD_URL) as session:
            with pytest.raises(ValueError, match="a loop ends after it starts"):
                session.set_loop(4.0, 2.0)
            await asyncio.sleep(0)

    living.clock.run(play())


def test_forced_subtitles_go_with_the_sound() -> None:
    rungs = (TrackRung("x", 1),)
    german = Track(TrackKind.AUDIO, "a", "de-AT", rungs, (0, 1))
    forced = Track(TrackKind.TEXT, "f", "de", rungs, (0, 1), is_forced=True)
    full = Track(TrackKind.TEXT, "t", "de", rungs, (0, 1))

    assert choose_text((german, forced, full), None) == ""
    assert choose_text((Track(TrackKind.AUDIO, "a", "de", rungs, (0, 1)), forced, full), None) == "f"
    assert choose_text((german, forced, full), "de") == "t"


def test_there_is_nothing_to_skip_where_nothing_plays_in_between(living: Living) -> None:
    async def play() -> None:
        async with living.session(MPD_URL) as session:
            session.play()
            await living.sleep(1)
            with pytest.raises(UsageError, match="no interstitial plays now"):
                session.skip_interstitial()

    living.clock.run(play())


def test_qualities_are_listed_lowest_first_and_can_be_pinned(living: Living) -> None:
    async def play() -> tuple[SessionSnapshot, SessionSnapshot]:
        async with living.session(MPD_URL) as session:
            before = session.snapshot()
            session.set_limits(Limits(pinned_rung=1))
            session.play()
            await living.sleep(20)
            return before, session.snapshot()

    before, after = living.clock.run(play())

    assert [(each.rung, each.height_px, each.bitrate_bps) for each in before.rungs] == [
        (0, 240, 400_000),
        (1, 480, 1_200_000),
        (2, 720, 3_000_000),
    ]
    assert (after.rung, after.height_px) == (1, 480)


def test_a_cap_of_the_player_is_in_the_snapshot_until_it_is_lifted(living: Living) -> None:
    async def play() -> list[RungCap | None]:
        caps: list[RungCap | None] = []
        async with living.session(MPD_URL) as session:
            session.set_limits(Limits(pinned_rung=2))
            session.play()
            await living.sleep(3)
            listener = living.outputs[-1]._listener
            assert listener is not None
            caps.append(session.snapshot().cap)
            listener.on_frames_dropped(30)
            caps.append(session.snapshot().cap)
            await living.sleep(50)
            session.seek(0.0)
            await living.sleep(15)
            caps.append(session.snapshot().cap)
        return caps

    before, during, after = living.clock.run(play())

    assert (before, after) == (None, None)
    assert during is not None
    assert (during.rung, during.height_px) == (1, 480)
    assert "30 frames were dropped" in during.reason


def test_a_failure_lists_what_was_tried(living: Living) -> None:
    for url in [url for url in living.origin.content if "/v" in url and url.endswith("/0.m4s")]:
        del living.origin.content[url]

    async def play() -> SessionSnapshot:
        async with living.session(MPD_URL) as session:
            session.play()
            await session.wait_finished()
            return session.snapshot()

    now = living.clock.run(play())

    assert now.state is SessionState.FAILED
    assert len(now.attempts) >= 3
    assert all("HTTP 404" in attempt for attempt in now.attempts)


@pytest.mark.parametrize(
    ("scheme", "value", "found"),
    [
        ("608", "CC1=eng;CC3=swe", [("CC1", "eng"), ("CC3", "swe")]),
        ("608", "eng;spa", [("CC1", "eng"), ("CC3", "spa")]),
        ("608", "", [("CC1", "")]),
        ("708", "1=lang:eng;2=lang:deu,war:1", [("SERVICE1", "eng"), ("SERVICE2", "deu")]),
        ("708", "7=lang:eng;x=lang:deu", []),
    ],
)
def test_captions_inside_the_picture_are_listed(scheme: str, value: str, found: list[tuple[str, str]]) -> None:
    page = files()[MPD_URL].replace(
        b'mimeType="video/mp4">',
        b'mimeType="video/mp4"><Accessibility schemeIdUri="urn:scte:dash:cc:cea-%s:2015" value="%s"/>'
        % (scheme.encode(), value.encode()),
    )
    presentation = manifest.read(page, MPD_URL).presentation

    assert [(each.service, each.language) for each in list_captions(presentation)] == found


def test_captions_are_chosen_while_a_session_plays(living: Living) -> None:
    async def play() -> list[str]:
        shown: list[str] = []
        async with living.session(MPD_URL, SessionOptions(captions="CC1")) as session:
            for service in ("2", None):
                shown.append(session.snapshot().captions_shown)
                session.select_captions(service)
            with pytest.raises(UsageError):
                session.select_captions("CC9")
            return [*shown, session.snapshot().captions_shown]

    assert living.clock.run(play()) == ["CC1", "SERVICE2", ""]
