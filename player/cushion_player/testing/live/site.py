"""A live service as a pure function of path, query and time.

site = LiveSite(LiveConfig((Programme(made_up_asset()),)))
site.response("/live.mpd", "", now_us)       # µs since 1970 UTC

/live.mpd  /patch.mpp?from=…                 DASH
/live.m3u8  /v0.m3u8  /a0.m3u8               HLS: all variants; one rung
/p0/v0/init.mp4                              period 0, video rung 0
/p0/v0/7.m4s  /p0/v0/t540000.m4s             its seventh segment; the one at media time 540000
/p0/v0/7.2.m4s                               the third part of it
/keys/0.key  /steering.json  /assets/0.json  /time/iso.txt
"""

from __future__ import annotations

import hashlib
import json
import re
from urllib.parse import parse_qs

from cushion_player.testing.answers import Answer, NotYet, media_type_of
from cushion_player.testing.live import boxes
from cushion_player.testing.live.asset import LiveTrack
from cushion_player.testing.live.config import SECOND_US, LiveConfig
from cushion_player.testing.live.mpd import SCTE35_BINARY, MpdWriter, iso_time, time_offset
from cushion_player.testing.live.mpd_patch import make_patch
from cushion_player.testing.live.playlists import PlaylistWriter, iv_of, key_id
from cushion_player.testing.live.schedule import Schedule, Span

_MEDIA_PLAYLIST = re.compile(r"/([av])(\d+)\.m3u8")
_INIT = re.compile(r"/p(\d+)/([av])(\d+)/init\.mp4")
_SEGMENT = re.compile(r"/p(\d+)/([av])(\d+)/(?:t(?P<time>\d+)|(?P<number>\d+)(?:\.(?P<part>\d+))?)\.m4s")
_KEY = re.compile(r"/keys/(\d+)\.key")
_ASSETS = re.compile(r"/assets/(\d+)\.json")
_KINDS = {"v": "video", "a": "audio"}
_MISSING = Answer(404)
_MAX_AHEAD = 2
"""A reload may wait for a segment so many after the last (RFC 8216bis 6.2.5.2); later ones are a mistake."""


def key_bytes(number: int) -> bytes:
    """The AES-128 key of that number."""
    return hashlib.sha256(f"key {number}".encode()).digest()[:16]


class LiveSite:
    """See above. Keeps nothing between requests but what can be computed again."""

    def __init__(self, config: LiveConfig) -> None:
        self.config = config
        self.schedule = Schedule(config)
        self._mpd = MpdWriter(config, self.schedule)
        self._playlists = PlaylistWriter(config, self.schedule)

    def response(self, path: str, query: str, now_us: int) -> Answer | NotYet:
        """The answer to GET `path`?`query` at `now_us` (µs since 1970 UTC). Nothing is there before the start."""
        elapsed_us = now_us - self.config.start_us
        if self.config.is_vod:
            elapsed_us = self.schedule.length_us() or 0
        if elapsed_us < 0:
            return _MISSING
        fields = parse_qs(query)
        answer: Answer | NotYet | bytes | None = self._text(path, fields, now_us)
        if answer is None and (match := _MEDIA_PLAYLIST.fullmatch(path)):
            answer = self._media_playlist(_KINDS[match[1]], int(match[2]), fields, elapsed_us)
        if answer is None and (match := _INIT.fullmatch(path)):
            answer = self._init(int(match[1]), _KINDS[match[2]], int(match[3]))
        if answer is None and (match := _SEGMENT.fullmatch(path)):
            answer = self._segment(match, elapsed_us)
        if isinstance(answer, bytes):
            return Answer(200, answer, media_type_of(path))
        return answer or _MISSING

    def _text(self, path: str, fields: dict[str, list[str]], now_us: int) -> Answer | bytes | None:
        config = self.config
        match path:
            case "/live.mpd":
                return self._mpd.text(now_us)
            case "/patch.mpp":
                return self._patch(fields, now_us)
            case "/live.m3u8":
                return self._playlists.master()
            case "/time/iso.txt" | "/time/xsdate.txt" | "/time/head.txt":
                return iso_time(now_us).encode()
            case "/steering.json" if config.steering is not None:
                return self._steering(now_us - config.start_us)
            case _:
                pass
        if (match := _KEY.fullmatch(path)) and config.hls.segments_per_key:
            return key_bytes(int(match[1]))
        if (match := _ASSETS.fullmatch(path)) and config.breaks is not None:
            assets = [{"URI": url, "DURATION": config.breaks.asset_s} for url in config.breaks.asset_urls]
            return json.dumps({"ASSETS": assets}).encode()
        return None

    # ------------------------------------------------------------------ manifests

    def _patch(self, fields: dict[str, list[str]], now_us: int) -> Answer | bytes:
        """From the edition that is named, while its patches last."""
        said = fields.get("from", [""])[0]
        if not said.isdecimal() or not self.config.dash.has_patch:
            return _MISSING
        from_us, edition_us = int(said), self._mpd.edition_us(now_us)
        if from_us > edition_us or from_us != self._mpd.edition_us(from_us):
            return _MISSING
        if now_us > from_us + self.config.dash.patch_ttl_s * SECOND_US:
            return Answer(410)
        return make_patch(self._mpd.tree(from_us, now_us), self._mpd.tree(edition_us, now_us))

    def _media_playlist(
        self, kind: str, rung: int, fields: dict[str, list[str]], elapsed_us: int
    ) -> Answer | NotYet | bytes:
        track = self.config.programmes[0].asset.track(kind)
        if track is None or rung >= len(track.rungs):
            return _MISSING
        wanted, part = fields.get("_HLS_msn", [""])[0], fields.get("_HLS_part", [""])[0]
        if (wanted and not wanted.isdecimal()) or (part and not (part.isdecimal() and wanted)):
            return Answer(400)
        if wanted and not self.schedule.has_ended(elapsed_us):
            ready_us = self._ready_us(kind, int(wanted), int(part) if part else None)
            if int(wanted) > self.schedule.available(elapsed_us).stop + _MAX_AHEAD:
                return Answer(400)
            if ready_us > elapsed_us:
                return NotYet(self.config.start_us + ready_us)
        elif not self.schedule.available(elapsed_us):
            return NotYet(self.config.start_us + self._ready_us(kind, 0, 0))
        is_delta = fields.get("_HLS_skip", [""])[0] in ("YES", "v2")
        return self._playlists.media(kind, rung, elapsed_us, is_delta=is_delta)

    def _ready_us(self, kind: str, sequence: int, part: int | None) -> int:
        """When a playlist holds a segment (part None) or a part of it; after the last part comes the next segment."""
        stop = self.schedule.stop
        if stop is not None and sequence >= stop:
            return self.schedule.end_us(stop - 1)
        span = self.schedule.span_of(sequence)
        track = span.asset.track(kind)
        if part is None or track is None or not self.config.is_low_latency:
            return self.schedule.end_us(sequence)
        if part >= track.n_chunks(sequence - span.first):
            return self._ready_us(kind, sequence + 1, 0)
        return self.schedule.chunk_ready_us(sequence, track, part)

    def _steering(self, elapsed_us: int) -> bytes:
        steering = self.config.steering
        assert steering is not None
        said: dict[str, object] = {
            "VERSION": 1,
            "TTL": steering.ttl_s,
            "RELOAD-URI": "steering.json",
            "PATHWAY-PRIORITY": list(steering.at(elapsed_us)),
        }
        if steering.clones:
            said["PATHWAY-CLONES"] = [
                {"BASE-ID": clone.base_id, "ID": clone.id, "URI-REPLACEMENT": {"HOST": clone.host}}
                for clone in steering.clones
            ]
        return json.dumps(said).encode()

    # ------------------------------------------------------------------ media

    def _track(self, number: int, kind: str, rung: int) -> tuple[Span, LiveTrack] | None:
        span = self.schedule.span(number)
        track = span.asset.track(kind) if span is not None else None
        return (span, track) if span is not None and track is not None and rung < len(track.rungs) else None

    def _init(self, number: int, kind: str, rung: int) -> bytes | None:
        found = self._track(number, kind, rung)
        return found[1].rungs[rung].init if found else None

    def _segment(self, match: re.Match[str], elapsed_us: int) -> Answer | NotYet | None:
        rung = int(match[3])
        found = self._track(int(match[1]), _KINDS[match[2]], rung)
        if found is None:
            return None
        span, track = found
        index = _index_at(span, track, int(match["time"])) if match["time"] else int(match["number"]) - 1
        sequence = span.first + index
        if index < 0 or not self._is_kept(span, sequence, elapsed_us):
            return None
        pieces = self._pieces(span, track, rung, index)
        ready = [self.schedule.chunk_ready_us(sequence, track, chunk) for chunk in range(len(pieces))]
        if match["part"]:
            return self._part(pieces, ready, int(match["part"]), elapsed_us)
        if ready[-1] > elapsed_us and (not self.config.is_low_latency or ready[0] > elapsed_us):
            return None
        body = b"".join(pieces)
        hls = self.config.hls
        if hls.segments_per_key and hls.cipher is not None:
            key = key_bytes(key_id(sequence, hls.segments_per_key))
            return Answer(200, hls.cipher(key, iv_of(sequence), body), "video/iso.segment")
        arrivals: list[tuple[int, int]] = []
        end = 0
        for piece, ready_us in zip(pieces, ready, strict=True):
            end += len(piece)
            arrivals.append((end, self.config.start_us + ready_us))
        return Answer(200, body, "video/iso.segment", arrivals=tuple(arrivals) if ready[-1] > elapsed_us else ())

    def _is_kept(self, span: Span, sequence: int, elapsed_us: int) -> bool:
        """Whether a segment is of this period and event, and not older than the window and one segment."""
        stop = self.schedule.stop
        if (span.stop is not None and sequence >= span.stop) or (stop is not None and sequence >= stop):
            return False
        is_archive = self.config.dash.ends_as == "static" and self.schedule.has_ended(elapsed_us)
        if self.config.window_us is None or self.config.is_vod or is_archive:
            return True
        longest_us = self.schedule.end_us(sequence) - self.schedule.start_us(sequence)
        last_us = min(elapsed_us, self.schedule.length_us() or elapsed_us)
        return self.schedule.end_us(sequence) + self.config.window_us + longest_us >= last_us

    def _part(self, pieces: list[bytes], ready: list[int], part: int, elapsed_us: int) -> Answer | NotYet | None:
        """A part that is hinted at is waited for; one further ahead is not there."""
        if part >= len(pieces) or not self.config.is_low_latency:
            return None
        if ready[part] <= elapsed_us:
            return Answer(200, pieces[part], "video/iso.segment")
        previous_us = ready[part - 1] if part else ready[0] - (ready[-1] - ready[0]) // max(1, len(ready) - 1)
        return NotYet(self.config.start_us + ready[part]) if previous_us <= elapsed_us else None

    def _pieces(self, span: Span, track: LiveTrack, rung: int, index: int) -> list[bytes]:
        """A segment's chunks at their place in time, with what is said beside them."""
        start = time_offset(span, track) + track.start(index)
        chunks = track.chunk_times(rung, index)
        first = (span.first + index) * max(1, len(chunks)) + 1
        pieces = [boxes.stamped(chunk, start + offset, first + number) for number, (chunk, offset) in enumerate(chunks)]
        dash = self.config.dash
        if dash.has_reference_time:
            began_us = self.config.start_us + (start * SECOND_US) // track.timescale
            pieces[0] = boxes.make_prft(began_us, start) + pieces[0]
        if dash.has_inband_events and self.config.breaks is not None and track.kind == "video":
            pieces[0] = self._emsgs(track, start, index) + pieces[0]
        return pieces

    def _emsgs(self, track: LiveTrack, start: int, index: int) -> bytes:
        """The breaks that begin while this segment plays, announced in it."""
        breaks = self.config.breaks
        assert breaks is not None
        start_us = start * SECOND_US // track.timescale
        end_us = (start + track.duration(index)) * SECOND_US // track.timescale
        return b"".join(
            boxes.make_emsg(
                SCTE35_BINARY,
                "1",
                track.timescale,
                breaks.time_us(number) * track.timescale // SECOND_US,
                breaks.duration_us * track.timescale // SECOND_US,
                number,
                breaks.scte35,
            )
            for number in breaks.between(start_us, end_us)
        )


def _index_at(span: Span, track: LiveTrack, time: int) -> int:
    """The segment that begins at a media time, -1 when none does."""
    ticks = time - time_offset(span, track)
    loop, within = divmod(ticks, track.total)
    index = loop * len(track.durations)
    for duration in track.durations:
        if within <= 0:
            break
        within -= duration
        index += 1
    return index if within == 0 and ticks >= 0 else -1
