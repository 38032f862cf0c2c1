"""One piece of a text track, whatever it is wrapped in: read to cues, then put on the timeline."""

from __future__ import annotations

from dataclasses import dataclass

from cushion_player.text.cue import Cue, shifted
from cushion_player.text.external import read_subtitles
from cushion_player.text.mp4 import TextInit, read_text_segment
from cushion_player.text.reading import decode_text
from cushion_player.text.vtt import TimestampMap, is_vtt, read_vtt


@dataclass(frozen=True, slots=True)
class TextPiece:
    """Cues as they were written.

    is_media_time: their times are those of the media (MP4); else they are what the file says, with `timestamp_map`
    where it is a segment of HLS that has one.
    """

    cues: tuple[Cue, ...]
    is_media_time: bool
    timestamp_map: TimestampMap | None = None

    def placed(self, start_us: int, end_us: int, offset_us: int, *, is_told: bool) -> list[Cue]:
        """The cues on the timeline, for a segment over [start_us, end_us).

        offset_us: media time less timeline time. is_told: the manifest says so (DASH); it holds for files then too.
        Where a file of HLS says nothing, RFC 8216 takes its times for media time; most packagers write, and most
        players read, times of the presentation. What lies in the segment's time is meant.
        """
        if self.timestamp_map is not None and not is_told:
            return shifted(self.cues, self.timestamp_map.shift_us(offset_us, start_us))
        if self.is_media_time or is_told:
            return shifted(self.cues, -offset_us)
        for shift_us in (0, -offset_us):
            if any(start_us < cue.end_us + shift_us and cue.start_us + shift_us < end_us for cue in self.cues):
                return shifted(self.cues, shift_us)
        return list(self.cues)


def read_piece(data: bytes, init: TextInit | None) -> TextPiece:
    """A segment: MP4 with its `init`, else a WebVTT, TTML or SubRip file. Raises DecodeError."""
    if init is not None:
        return TextPiece(tuple(read_text_segment(data, init, 0)), is_media_time=True)
    if is_vtt(decode_text(data[:64], "a segment", is_utf8=True)):
        document = read_vtt(data)
        return TextPiece(document.cues, False, document.timestamp_map)
    return TextPiece(read_subtitles(data), is_media_time=False)
