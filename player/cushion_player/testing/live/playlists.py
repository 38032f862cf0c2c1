"""The playlists of a live site at one moment (RFC 8216bis)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil

from cushion_player.testing.live.asset import LiveTrack
from cushion_player.testing.live.config import SECOND_US, Breaks, LiveConfig
from cushion_player.testing.live.mpd import iso_time
from cushion_player.testing.live.schedule import Schedule, Span

INTERSTITIAL_CLASS = "com.apple.hls.interstitial"
_PARTS_BEHIND_TARGETS = 3
"""Parts are listed up to this many target durations behind the end (4.4.4.9)."""
_SKIP_TARGETS = 6


def key_id(sequence: int, segments_per_key: int) -> int:
    """Which key a segment is encrypted with."""
    return sequence // segments_per_key


def iv_of(sequence: int) -> bytes:
    """The initialisation vector of a segment, which its playlist says."""
    return sequence.to_bytes(16, "big")


class PlaylistWriter:
    """Writes the playlists of one site."""

    def __init__(self, config: LiveConfig, schedule: Schedule) -> None:
        self._config = config
        self._schedule = schedule
        longest = max(
            Fraction(max(track.durations), track.timescale) for item in config.programmes for track in item.asset.tracks
        )
        self.target_s = max(1, ceil(longest - Fraction(1, 2)))  # durations are compared rounded (4.4.3.1)

    def master(self) -> bytes:
        """The multivariant playlist: the rungs of the first programme, once for each pathway."""
        config = self._config
        lines = ["#EXTM3U", "#EXT-X-VERSION:9", "#EXT-X-INDEPENDENT-SEGMENTS"]
        if config.steering is not None:
            url = config.steering.server_url or "steering.json"
            lines.append(f'#EXT-X-CONTENT-STEERING:SERVER-URI="{url}",PATHWAY-ID="{config.steering.at(0)[0]}"')
        asset = config.programmes[0].asset
        audio, video = asset.track("audio"), asset.track("video")
        places = [(pathway.name, pathway.base_url) for pathway in config.pathways] or [("", "")]
        for name, base in places:
            group = f"audio-{name}" if name else "audio"
            place = f',PATHWAY-ID="{name}"' if name else ""
            for index in range(len(audio.rungs)) if audio and video else ():
                assert audio is not None
                flags = "DEFAULT=YES,AUTOSELECT=YES" if index == 0 else "DEFAULT=NO,AUTOSELECT=YES"
                language = f',LANGUAGE="{audio.language}"' if audio.language else ""
                lines.append(
                    f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{group}",NAME="audio {index}",{flags}{language},'
                    f'STABLE-RENDITION-ID="a{index}",URI="{base}a{index}.m3u8"'
                )
            for index, rung in enumerate((video or asset.tracks[0]).rungs):
                beside = audio.rungs[0] if audio and video else None
                codecs = f"{rung.codecs},{beside.codecs}" if beside else rung.codecs
                total = rung.bitrate_bps + (beside.bitrate_bps if beside else 0)
                attributes = f'BANDWIDTH={total * 11 // 10},AVERAGE-BANDWIDTH={total},CODECS="{codecs}"'
                if rung.height_px:
                    attributes += f",RESOLUTION={rung.width_px}x{rung.height_px}"
                if beside:
                    attributes += f',AUDIO="{group}"'
                kind = "v" if video else "a"
                attributes += place
                attributes += f',STABLE-VARIANT-ID="{kind}{index}"'
                lines += [f"#EXT-X-STREAM-INF:{attributes}", f"{base}{kind}{index}.m3u8"]
        return _text(lines)

    # ------------------------------------------------------------------ media playlists

    def edge(self, kind: str, elapsed_us: int) -> tuple[int, int]:
        """(the segment that is being made, how many parts of it are there)."""
        stop = self._schedule.available(elapsed_us).stop
        if not self._is_in_parts or self._schedule.has_ended(elapsed_us):
            return stop, 0
        track = self._schedule.span_of(stop).asset.track(kind)
        return stop, self._schedule.chunks_available(elapsed_us, stop, track) if track is not None else 0

    @property
    def _is_in_parts(self) -> bool:
        return self._config.is_low_latency and not self._config.is_vod

    def media(self, kind: str, rung: int, elapsed_us: int, *, is_delta: bool = False) -> bytes:
        """The media playlist of a rung. is_delta: a delta update, where that is offered and there is enough to skip."""
        config, schedule, hls = self._config, self._schedule, self._config.hls
        listed = schedule.available(elapsed_us)
        span = schedule.span_of(listed.start)
        lines = ["#EXTM3U", "#EXT-X-VERSION:9", f"#EXT-X-TARGETDURATION:{self.target_s}"]
        if config.is_vod:
            lines.append("#EXT-X-PLAYLIST-TYPE:VOD")
        elif hls.playlist_type:
            lines.append(f"#EXT-X-PLAYLIST-TYPE:{hls.playlist_type}")
        lines += self._control(kind, span)
        lines.append(f"#EXT-X-MEDIA-SEQUENCE:{listed.start}")
        if span.number:
            lines.append(f"#EXT-X-DISCONTINUITY-SEQUENCE:{span.number}")
        skipped = self._n_skipped(listed, elapsed_us) if is_delta else 0
        if skipped:
            lines.append(f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}")
        if config.breaks is not None and listed and hls.has_program_time:
            lines += self._date_ranges(config.breaks, schedule.start_us(listed.start), elapsed_us)
        previous = schedule.span_of(listed.start + skipped - 1) if skipped else None
        for sequence in range(listed.start + skipped, listed.stop):
            span = schedule.span_of(sequence)
            lines += self._segment(span, sequence, kind, rung, previous, elapsed_us)
            previous = span
        if schedule.has_ended(elapsed_us):
            lines.append("#EXT-X-ENDLIST")
        else:
            lines += self._edge_parts(kind, rung, listed.stop, previous, elapsed_us)
            lines += self._reports(kind, rung, elapsed_us)
        return _text(lines)

    def _control(self, kind: str, span: Span) -> list[str]:
        hls, target_s = self._config.hls, self.target_s
        said: list[str] = []
        lines: list[str] = []
        track = span.asset.track(kind)
        if self._is_in_parts and track is not None:
            part_s = Fraction(track.chunk_ticks or max(track.durations), track.timescale)
            if hls.can_block:
                said.append("CAN-BLOCK-RELOAD=YES")
            said.append(f"PART-HOLD-BACK={float(3 * part_s):.3f}")
            lines.append(f"#EXT-X-PART-INF:PART-TARGET={float(part_s):.5f}")
        if hls.skip_until_s is not None:
            said.append(f"CAN-SKIP-UNTIL={max(hls.skip_until_s, _SKIP_TARGETS * target_s):.3f}")
        if hls.hold_back_s is not None:
            said.append(f"HOLD-BACK={max(hls.hold_back_s, 3 * target_s):.3f}")
        if said and not self._config.is_vod:
            lines.insert(0, f"#EXT-X-SERVER-CONTROL:{','.join(said)}")
        return lines

    def _n_skipped(self, listed: range, elapsed_us: int) -> int:
        if self._config.hls.skip_until_s is None or not listed:
            return 0
        until_us = round(max(self._config.hls.skip_until_s, _SKIP_TARGETS * self.target_s) * SECOND_US)
        newest_us = self._schedule.end_us(listed.stop - 1)
        return sum(1 for sequence in listed if self._schedule.end_us(sequence) < newest_us - until_us)

    def _segment(
        self, span: Span, sequence: int, kind: str, rung: int, previous: Span | None, elapsed_us: int
    ) -> list[str]:
        track, rung = _track(span, kind, rung)
        index = sequence - span.first
        lines = self._before(span, sequence, kind, rung, previous)
        if self._is_in_parts and self._has_parts(sequence, elapsed_us):
            lines += self._parts(span, track, sequence, f"{kind[0]}{rung}", track.n_chunks(index))
        seconds = Fraction(track.duration(index), track.timescale)
        return [*lines, f"#EXTINF:{float(seconds):.6f},", f"p{span.number}/{kind[0]}{rung}/{index + 1}.m4s"]

    def _before(self, span: Span, sequence: int, kind: str, rung: int, previous: Span | None) -> list[str]:
        """What must be said before a segment: a new stretch, its initialisation, its key, its time."""
        hls = self._config.hls
        lines: list[str] = []
        is_new = previous is None or previous.number != span.number
        if previous is not None and is_new:
            lines.append("#EXT-X-DISCONTINUITY")
        if is_new:
            if hls.segments_per_key and previous is not None:
                lines.append("#EXT-X-KEY:METHOD=NONE")  # the initialisation segment is in the clear
            lines.append(f'#EXT-X-MAP:URI="p{span.number}/{kind[0]}{rung}/init.mp4"')
        if hls.segments_per_key:
            key = key_id(sequence, hls.segments_per_key)
            lines.append(f'#EXT-X-KEY:METHOD=AES-128,URI="keys/{key}.key",IV=0x{iv_of(sequence).hex()}')
        if hls.has_program_time and (is_new or previous is None):
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{self._program_time(sequence)}")
        return lines

    def _program_time(self, sequence: int) -> str:
        return iso_time(self._config.start_us + self._schedule.start_us(sequence))

    def _has_parts(self, sequence: int, elapsed_us: int) -> bool:
        return self._schedule.end_us(sequence) > elapsed_us - _PARTS_BEHIND_TARGETS * self.target_s * SECOND_US

    def _parts(self, span: Span, track: LiveTrack, sequence: int, name: str, n_parts: int) -> Iterator[str]:
        index = sequence - span.first
        for part in range(n_parts):
            start, end = track.chunk_span(index, part)
            independent = ",INDEPENDENT=YES" if part == 0 or track.kind == "audio" else ""
            uri = f"p{span.number}/{name}/{index + 1}.{part}.m4s"
            yield f'#EXT-X-PART:DURATION={(end - start) / track.timescale:.5f},URI="{uri}"{independent}'

    def _edge_parts(self, kind: str, rung: int, stop: int, previous: Span | None, elapsed_us: int) -> list[str]:
        if not self._is_in_parts or stop == self._schedule.stop:
            return []
        span = self._schedule.span_of(stop)
        track, rung = _track(span, kind, rung)
        _, n_parts = self.edge(kind, elapsed_us)
        name = f"{kind[0]}{rung}"
        hint = f"p{span.number}/{name}/{stop - span.first + 1}.{n_parts}.m4s"
        return [
            *(self._before(span, stop, kind, rung, previous) if n_parts else ()),
            *self._parts(span, track, stop, name, n_parts),
            f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{hint}"',
        ]

    def _reports(self, kind: str, rung: int, elapsed_us: int) -> Iterator[str]:
        if not self._is_in_parts or not self._config.hls.has_reports:
            return
        for track in self._config.programmes[0].asset.tracks:
            stop, n_parts = self.edge(track.kind, elapsed_us)
            last = f"LAST-MSN={stop},LAST-PART={n_parts - 1}" if n_parts else self._last_whole(stop, track.kind)
            for index in range(len(track.rungs)):
                if (track.kind, index) != (kind, rung):
                    yield f'#EXT-X-RENDITION-REPORT:URI="{track.kind[0]}{index}.m3u8",{last}'

    def _last_whole(self, stop: int, kind: str) -> str:
        span = self._schedule.span_of(max(0, stop - 1))
        track = span.asset.track(kind)
        parts = track.n_chunks(max(0, stop - 1) - span.first) if track is not None else 1
        return f"LAST-MSN={max(0, stop - 1)},LAST-PART={parts - 1}"

    def _date_ranges(self, breaks: Breaks, from_us: int, elapsed_us: int) -> Iterator[str]:
        """Breaks from before the window's start (they may last into it) to 30 s ahead."""
        for number in breaks.between(from_us - breaks.duration_us + 1, elapsed_us + 30 * SECOND_US):
            yield date_range(breaks, number, self._config.start_us)


def date_range(breaks: Breaks, number: int, start_us: int) -> str:
    """One break as EXT-X-DATERANGE: an interstitial where there is something to play, else SCTE 35 alone."""
    attributes = [
        f'ID="break-{number}"',
        f'START-DATE="{iso_time(start_us + breaks.time_us(number))}"',
        f"DURATION={breaks.duration_us / SECOND_US:.3f}",
        f"SCTE35-OUT=0x{breaks.scte35.hex().upper()}",
    ]
    if breaks.asset_urls:
        attributes.insert(1, f'CLASS="{INTERSTITIAL_CLASS}"')
        if breaks.is_list:
            attributes.append(f'X-ASSET-LIST="assets/{number}.json"')
        else:
            attributes.append(f'X-ASSET-URI="{breaks.asset_urls[0]}"')
        resume_s = breaks.resume_offset_s if breaks.replaces else 0.0
        if resume_s is not None:
            attributes.append(f"X-RESUME-OFFSET={resume_s:.3f}")
        if breaks.playout_limit_s is not None:
            attributes.append(f"X-PLAYOUT-LIMIT={breaks.playout_limit_s:.3f}")
        for name, words in (("X-RESTRICT", breaks.restrict), ("X-SNAP", breaks.snap), ("CUE", breaks.cue)):
            if words:
                attributes.append(f'{name}="{",".join(words)}"')
    return f"#EXT-X-DATERANGE:{','.join(attributes)}"


def _track(span: Span, kind: str, rung: int) -> tuple[LiveTrack, int]:
    """The track of a kind in a period, and the rung that stands for `rung` there."""
    track = span.asset.track(kind)
    assert track is not None, f"every programme must have {kind}"
    return track, min(rung, len(track.rungs) - 1)


def _text(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()
