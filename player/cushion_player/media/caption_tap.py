"""Captions that the picture track carries: taken from coded pictures on their way to the decoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cushion_player.media.demux import Stretch
from cushion_player.text import CaptionDecoder, Screen, from_packet, nal_codec, nal_length_bytes


class CaptionTap:
    """Lives on the video decoder's thread; hands screens on with the number of the jump they belong to."""

    def __init__(self, service: str, deliver: Callable[[int, Sequence[Screen]], None], generation: int) -> None:
        """service: one of cushion_player.text.SERVICES. deliver: called on the decoder's thread."""
        self.generation = generation
        """Raised on the loop at each jump; what was decoded before it is told with the older number."""
        self._decoder = CaptionDecoder(service)
        self._deliver = deliver
        self._current = generation

    def reset(self) -> None:
        """What comes next does not continue what came last."""
        self._current = self.generation
        self._decoder.reset()

    def take(self, stretch: Stretch, offset_us: int) -> None:
        """Decode the captions of these pictures, in the order in which they are shown."""
        codec = nal_codec(stretch.config.codec)
        if codec is None:
            return
        length_bytes = nal_length_bytes(stretch.config.extradata, codec)
        found = [
            (frame.pts_us - offset_us, triples)
            for frame in stretch.frames
            if (triples := from_packet(memoryview(frame.data), codec, length_bytes))
        ]
        found.sort(key=lambda item: item[0])
        screens = [screen for time_us, triples in found if (screen := self._decoder.feed(time_us, triples)) is not None]
        if screens:
            self._deliver(self._current, screens)
