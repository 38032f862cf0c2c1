from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from cushion_player.errors import UnsupportedManifestFeature
from cushion_player.manifest import read
from cushion_player.model import (
    AdaptationSet,
    Address,
    Container,
    ContentKind,
    InitSegment,
    Key,
    Period,
    Presentation,
    Representation,
    Segment,
    Tiles,
)
from cushion_player.planning.addressing import PlaybackPlan, plan_playback
from cushion_player.timeline import TrackKind
from tests.player.manifest_files import URL, load

VIDEO, AUDIO = TrackKind.VIDEO, TrackKind.AUDIO


def rung(identity: str, bitrate_bps: int = 1000, codecs: str = "avc1.64001f", duration: int = 2000) -> Representation:
    segments = tuple(Segment(Address(f"{identity}/{n}"), n * duration, duration, n) for n in range(3))
    return Representation(
        identity,
        bitrate_bps=bitrate_bps,
        codecs=codecs,
        container=Container.MP4,
        timescale=1000,
        init=InitSegment(Address(f"{identity}/init")),
        segments=segments,
    )


def video(*rungs: Representation, identity: str = "v", roles: tuple[str, ...] = ()) -> AdaptationSet:
    return AdaptationSet(identity, ContentKind.VIDEO, rungs, roles=roles)


def audio(identity: str, language: str, *roles: str, codecs: str = "mp4a.40.2") -> AdaptationSet:
    return AdaptationSet(identity, ContentKind.AUDIO, (rung(identity, 96_000, codecs),), language, roles)


def plan(*sets: AdaptationSet, language: str | None = None) -> PlaybackPlan:
    period = Period("0", Fraction(0), Fraction(6), sets)
    return plan_playback(Presentation("dash", URL, False, Fraction(6), (period,)), language=language)


def key(of: PlaybackPlan, kind: TrackKind) -> str:
    track = of.timeline.first(kind)
    assert track is not None
    return track.key


def keys(of: PlaybackPlan, kind: TrackKind) -> list[str]:
    track = of.timeline.first(kind)
    return [rung.key for rung in track.rungs] if track is not None else []


def test_a_title_has_ascending_rungs_exact_sizes_and_addresses() -> None:
    planned = plan_playback(load("title.mpd"))
    track = planned.timeline.first(VIDEO)

    assert track is not None
    assert [item.key for item in track.rungs] == ["video/360p", "video/720p"]
    assert track.start_us == (0, 2_000_000, 4_000_000, 5_500_000)
    assert track.sizes_bytes == ((100_000, 400_000), (110_000, 450_000), (80_000, 300_000))
    audio_key = key(planned, AUDIO)
    assert planned.segment_address(track.key, 2, 1) == Address(URL + "720p/c3.m4s", (0, 299_999))
    assert planned.init_address(audio_key, 0, 0) == Address(URL + "audio/init-cc.mp4", (0, 699))
    assert planned.label(track.key, 2, 1) == "segment 2 of video/720p"
    assert planned.label(audio_key, 0, 0, "the key") == "the key of audio/en"


def test_dash_and_hls_of_one_title_give_one_timeline() -> None:
    dash, hls = plan_playback(load("title.mpd")), plan_playback(load("title.m3u8"))

    for ours, theirs in zip(dash.timeline.tracks, hls.timeline.tracks, strict=True):
        assert (ours.rungs, ours.start_us, ours.sizes_bytes) == (theirs.rungs, theirs.start_us, theirs.sizes_bytes)
    assert dash.timeline.duration_us == hls.timeline.duration_us == 5_504_000
    assert dash.segment_address(key(dash, AUDIO), 1, 0) == hls.segment_address(key(hls, AUDIO), 1, 0)


def test_offsets_are_known_in_dash_and_left_to_the_media_in_hls() -> None:
    dash, hls = plan_playback(load("templates.mpd")), plan_playback(load("title.m3u8"))

    assert dash.offset_us(key(dash, AUDIO), 0) == 10_000_000
    assert hls.offset_us(key(hls, VIDEO), 0) is None


def test_periods_of_one_encoding_are_played_in_one_go() -> None:
    planned = plan_playback(load("two_periods.mpd"))
    track = planned.timeline.first(VIDEO)

    assert track is not None
    assert track.start_us == (0, 2_000_000, 4_000_000, 6_000_000, 7_000_000)
    assert [planned.offset_us(track.key, index) for index in range(4)] == [0, 0, 0, 0]
    assert planned.segment_address(track.key, 3, 0).url == URL + "4.m4s"


def test_the_timeline_begins_with_the_first_period() -> None:
    period = Period("0", Fraction(100), Fraction(6), (video(replace(rung("a"), time_offset=500)),))

    planned = plan_playback(Presentation("dash", URL, False, None, (period,)))

    assert planned.timeline.duration_us == 6_000_000
    assert planned.offset_us(key(planned, VIDEO), 0) == 500_000


def test_a_period_that_begins_inside_a_segment_begins_there() -> None:
    early = replace(rung("a"), segments=tuple(item._replace(start=item.start - 2500) for item in rung("a").segments))

    track = plan(video(early)).timeline.first(VIDEO)

    assert track is not None
    assert track.start_us == (0, 1_500_000, 3_500_000)


def test_the_main_set_and_avc_are_preferred() -> None:
    planned = plan(
        video(rung("alternate"), rung("more", 2000), identity="1", roles=("alternate",)),
        video(
            rung("hevc", 500, "hvc1.1.6.L93.B0"),
            rung("avc"),
            rung("av1", 400, "av01.0.04M.08"),
            identity="2",
            roles=("main",),
        ),
    )

    assert keys(planned, VIDEO) == ["video/avc"]


def test_what_there_is_is_played_without_avc() -> None:
    assert keys(plan(video(rung("hevc", codecs="hvc1.1.6.L93.B0"))), VIDEO) == ["video/hevc"]


@pytest.mark.parametrize(
    ("language", "expected"),
    [(None, "audio/de"), ("en", "audio/en-GB"), ("en-GB", "audio/en-GB"), ("fr", "audio/de")],
)
def test_audio_goes_by_language_then_default(language: str | None, expected: str) -> None:
    planned = plan(video(rung("v")), audio("1", "en-GB", "alternate"), audio("2", "de", "main"), language=language)

    assert keys(planned, AUDIO) == [expected]


def test_rungs_that_do_not_line_up_are_left_out_and_named() -> None:
    planned = plan(video(rung("a"), rung("b", 2000), rung("odd", 3000, duration=2100)))

    assert keys(planned, VIDEO) == ["video/a", "video/b"]
    assert [repair.what for repair in planned.repairs] == [
        "representation 'odd' was left out: its segments do not line up with the others"
    ]


def test_rungs_of_one_height_have_distinct_keys() -> None:
    planned = plan(video(replace(rung("a"), height_px=720), replace(rung("b", 2000), height_px=720)))

    assert keys(planned, VIDEO) == ["video/720p/a", "video/720p/b"]


def test_video_without_audio_and_audio_without_video_are_fine() -> None:
    assert [track.kind for track in plan(video(rung("v"))).timeline.tracks] == [VIDEO]
    assert [track.kind for track in plan(audio("a", "en")).timeline.tracks] == [AUDIO]


def test_the_sound_of_muxed_video_comes_with_it() -> None:
    muxed = replace(
        video(rung("hi", 2000, "avc1.64001f,mp4a.40.2"), rung("lo", 1000, "avc1.64001f,mp4a.40.2")), is_muxed=True
    )

    planned = plan(muxed)

    assert keys(planned, VIDEO) == ["video/lo", "video/hi"]
    assert planned.has_muxed_audio
    assert [track.kind for track in planned.timeline.tracks] == [VIDEO]


def test_audio_of_unknown_rate_is_assumed_and_noted() -> None:
    unknown = AdaptationSet("a", ContentKind.AUDIO, (rung("a", 0, "mp4a.40.2"),), "en")

    planned = plan(unknown)

    assert planned.timeline.tracks[0].rungs[0].bitrate_bps == 128_000
    assert planned.repairs[0].what == "audio/en: 128000 bit/s were assumed"


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ([video(replace(rung("v"), container=Container.UNKNOWN))], "unknown segments cannot be played"),
        ([video(replace(rung("v"), protection=("SAMPLE-AES-X",)))], "encrypted by SAMPLE-AES-X"),
        ([video(replace(rung("v"), segments=()))], "neither video nor audio"),
        ([], "no media"),
    ],
)
def test_what_cannot_be_played_is_said_in_a_sentence(sets: list[AdaptationSet], message: str) -> None:
    with pytest.raises(UnsupportedManifestFeature, match=message):
        plan(*sets)


def test_live_is_said_to_be_not_playable_yet() -> None:
    live = read("#EXTM3U\n#EXTINF:4,\na.mp4\n", URL + "a.m3u8").presentation

    with pytest.raises(UnsupportedManifestFeature, match="planned by the time of day"):
        plan_playback(live)


def test_a_discontinuity_begins_a_stretch_with_its_own_initialisation_segment() -> None:
    segments = rung("v").segments
    other = InitSegment(Address("v/other"))
    broken = replace(rung("v"), segments=(*segments[:2], segments[2]._replace(discontinuity=1, init=other)))

    planned = plan(video(broken))
    (track,) = planned.timeline.tracks

    assert [(stretch.first_index, stretch.discontinuity) for stretch in track.stretches] == [(0, 0), (2, 1)]
    assert [planned.init_address(track.key, index, 0) for index in (1, 2)] == [Address("v/init"), Address("v/other")]
    assert planned.init_name(track.key, 1, 0) != planned.init_name(track.key, 2, 0)


def two_periods(first: tuple[AdaptationSet, ...], second: tuple[AdaptationSet, ...]) -> PlaybackPlan:
    periods = (Period("0", Fraction(0), Fraction(6), first), Period("1", Fraction(6), Fraction(6), second))
    return plan_playback(Presentation("dash", URL, False, Fraction(12), periods))


def test_periods_with_different_encodings_are_stretches_of_one_track() -> None:
    planned = two_periods(
        (video(rung("a"), rung("b", 2000)), audio("s", "en")), (video(rung("c", 500)), audio("s", "en"))
    )
    track = planned.timeline.first(VIDEO)

    assert track is not None
    assert [[item.key for item in stretch.rungs] for stretch in track.stretches] == [
        ["video/a", "video/b"],
        ["video/c"],
    ]
    assert planned.segment_address(track.key, 4, 0) == Address("c/1")
    assert planned.timeline.duration_us == 12_000_000


def test_a_period_without_audio_is_played_on_in_silence() -> None:
    planned = two_periods((video(rung("a")), audio("s", "en")), (video(rung("a")),))
    sound = planned.timeline.first(AUDIO)

    assert sound is not None
    assert (sound.blanks, sound.gaps) == (frozenset({3}), frozenset())
    assert sound.end_us() == 12_000_000


def hole(of: Representation) -> Representation:
    """Its second segment left out."""
    return replace(of, segments=(of.segments[0], of.segments[2]))


def test_what_no_track_plays_is_a_gap_and_what_one_lacks_is_not() -> None:
    both = plan(
        video(hole(rung("v"))), replace(audio("s", "en"), representations=(hole(rung("s", 96_000, "mp4a.40.2")),))
    )
    one = plan(video(hole(rung("v"))), audio("s", "en"))

    assert [track.gaps for track in both.timeline.tracks] == [frozenset({1}), frozenset({1})]
    assert [(track.gaps, track.blanks) for track in one.timeline.tracks] == [
        (frozenset(), frozenset({1})),
        (frozenset(), frozenset()),
    ]


def test_every_language_is_a_track_and_every_period_has_the_most_alike() -> None:
    planned = two_periods(
        (video(rung("v")), audio("1", "en"), audio("2", "fr")), (video(rung("v")), audio("3", "fr"), audio("4", "de"))
    )
    sound = [track for track in planned.timeline.tracks if track.kind is AUDIO]

    assert [track.language for track in sound] == ["en", "fr", "de"]
    assert planned.segment_address("audio/2", 3, 0) == Address("3/0")


def test_segments_under_one_key_are_one_stretch_and_another_key_begins_one() -> None:
    segments = rung("v").segments
    under = [Key("AES-128", "https://k/1", bytes(16)), Key("AES-128", "https://k/1", bytes(15) + b"1")]
    keyed = (*(item._replace(keys=(key,)) for item, key in zip(segments, under, strict=False)), segments[2])

    planned = plan(video(replace(rung("v"), segments=keyed, protection=("AES-128",))))
    (track,) = planned.timeline.tracks

    assert [stretch.keys for stretch in track.stretches] == [("key 0",), ()]
    assert planned.encryption(track.key, 1, 0).keys == (under[1],)


def test_sets_that_must_be_left_alone_and_thumbnails_are_never_played() -> None:
    unknown = replace(rung("a", 9000), excluded="essential property urn:x")
    thumbnails = replace(rung("b", 8000), tiles=Tiles(10, 1))

    planned = plan(video(unknown, thumbnails, rung("c")))

    assert keys(planned, VIDEO) == ["video/c"]
