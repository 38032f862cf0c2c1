"""Closed captions in the picture track: which services there are, and one of them as screens in display order."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from cushion_player.text.cea608 import Cea608Field
from cushion_player.text.cea708 import Cea708Service, DtvccAssembler
from cushion_player.text.cue import Cue, Screen
from cushion_player.text.sei import CcTriple, NalCodec, from_packet, nal_codec, nal_length_bytes

__all__ = [
    "SERVICES",
    "CaptionDecoder",
    "CcTriple",
    "NalCodec",
    "caption_service",
    "from_packet",
    "nal_codec",
    "nal_length_bytes",
]

SERVICES: Final = ("CC1", "CC2", "CC3", "CC4", *[f"SERVICE{number}" for number in range(1, 7)])
"""Channels of CEA-608 and services of CEA-708, by the names HLS has for them (INSTREAM-ID)."""


def caption_service(name: str) -> str | None:
    """A service by any of its names: `CC1`, `SERVICE1`, `1` (DASH's scheme for CEA-708); None for others."""
    name = name.strip().upper()
    if re.fullmatch(r"[1-6]", name):
        name = "SERVICE" + name
    return name if name in SERVICES else None


class CaptionDecoder:
    """Decodes one service. Give it the caption bytes of pictures in the order in which they are shown."""

    def __init__(self, service: str) -> None:
        """service: one of SERVICES."""
        assert service in SERVICES, "a service is one of SERVICES"
        self._number = int(service[-1])
        self._is_608 = service.startswith("CC")
        self.reset()

    def reset(self) -> None:
        """Forget everything: what comes next does not go on from what went before."""
        self._field = Cea608Field()
        self._packets = DtvccAssembler()
        self._service = Cea708Service()
        self._shown: tuple[tuple[object, ...], ...] = ()

    def feed(self, time_us: int, triples: Iterable[CcTriple]) -> Screen | None:
        """The bytes of the picture shown at `time_us`; a screen when they change what is on it."""
        if self._is_608:
            field = (self._number - 1) // 2
            pairs = [(first & 0x7F, second & 0x7F) for kind, first, second, _ in triples if kind == field]
            pairs = [pair for pair in pairs if pair != (0, 0)]
            for first, second in pairs:
                self._field.feed(first, second)
            return self._changed(time_us, self._field.channels[(self._number - 1) % 2].cues(time_us)) if pairs else None
        has_news = self._service.pass_time(time_us)
        for kind, first, second, is_valid in triples:
            if kind >= 2:
                for block in self._packets.feed(kind == 3, first, second, is_valid):
                    if block.service == self._number:
                        self._service.feed(time_us, block.data)
                        has_news = True
        return self._changed(time_us, self._service.cues(time_us)) if has_news else None

    def _changed(self, time_us: int, cues: tuple[Cue, ...]) -> Screen | None:
        contents = tuple([cue.content() for cue in cues])
        if contents == self._shown:
            return None
        self._shown = contents
        return Screen(time_us, cues)
