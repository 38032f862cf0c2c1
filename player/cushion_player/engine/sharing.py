"""What the downloads of one playback took of the link while one of them was under way.

Sound and picture come side by side: by its own bytes alone a download would take the link for half of what it is.
"""

from __future__ import annotations

from cushion_abr.contract import Sample
from cushion_player.engine.request import Request


class LinkShare:
    """Counts all media bytes that arrived."""

    def __init__(self) -> None:
        self._total_bytes = 0

    def begin(self, request: Request) -> None:
        """A download starts now."""
        request.link_bytes_before = self._total_bytes

    def arrived(self, request: Request, received_bytes: int, first_byte_us: int) -> None:
        """So much of it has come in all."""
        self._total_bytes += max(0, received_bytes - request.received_bytes)
        request.received_bytes = received_bytes
        request.first_byte_us = first_byte_us

    def sample(self, kind: int, request: Request, now: int) -> Sample:
        """What a rule is told of a download that ends now."""
        own_bytes = request.received_bytes - request.resumed_bytes
        others = self.other_bytes(request, now)
        times = request.request_us, request.first_byte_us, now
        return Sample(kind, request.rung, own_bytes, *times, others, request.came_from)

    def other_bytes(self, request: Request, now: int) -> int:
        """What the others have brought during a download's body so far.

        It is spread evenly over the download's time, for they may have brought some of it before the body.
        """
        own_bytes = request.received_bytes - request.resumed_bytes
        others = max(0, self._total_bytes - request.link_bytes_before - own_bytes)
        elapsed_us = max(1, now - request.request_us)
        body_us = min(max(0, now - request.first_byte_us), elapsed_us)
        return others * body_us // elapsed_us
