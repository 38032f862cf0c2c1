"""What time it is, as a live presentation's source of time says: UTCTiming, else the Date header, else our own clock.

Source: ISO/IEC 23009-1 5.8.4.11. A time that was cut to whole seconds (Date) is taken as it stands: we are then a
little late rather than early.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from fractions import Fraction

from cushion_player.clock import Clock, wall_ms
from cushion_player.errors import CushionError
from cushion_player.manifest.dash_clock import http_date, server_time
from cushion_player.model import US_PER_S, Presentation, UtcTiming
from cushion_player.transport.base import FetchRequest, FetchTimeouts, Transport, fetch_bytes

log = logging.getLogger(__name__)

RESYNC_US = 600 * 1_000_000
"""Machines' clocks drift by some ms in this time."""
TIME_LIMIT_BYTES = 4096
TIMEOUTS = FetchTimeouts(connect_s=3.0, first_byte_s=3.0, stall_s=3.0)
SOURCE_LIMIT_S = 3.0
LIMIT_S = 8.0
"""For all sources of time together; a presentation waits for them before it begins, and at its refreshes."""
AGAIN_US = 60 * 1_000_000
"""Sources that did not answer are left alone for so long: every refresh would wait for them."""


class ClockSync:
    """What to add to a clock for µs since 1970 UTC."""

    def __init__(self, transport: Transport, clock: Clock, wall_us: Callable[[], int] | None = None) -> None:
        """wall_us: the machine's own time of day, for where nobody else tells it."""
        self._transport = transport
        self._clock = clock
        now_us = wall_us() if wall_us is not None else wall_ms() * 1000
        self.utc_offset_us = now_us - clock.now_us()
        self.source = "the machine's clock"
        """Where the time is from, in words."""
        self._synced_us: int | None = None
        self._failed_us: int | None = None

    def note_date(self, date: str, at_us: int) -> None:
        """A Date header that came at `at_us`; only for want of anything better."""
        said = http_date(date)
        if said is not None and self._synced_us is None:
            self.utc_offset_us = round(said * US_PER_S) - at_us
            self.source = "the Date header"

    async def sync(self, presentation: Presentation) -> None:
        """Ask the first source of time that answers; what was known stays when none does."""
        now_us = self._clock.now_us()
        if self._synced_us is not None and now_us - self._synced_us < RESYNC_US:
            return
        if self._failed_us is not None and now_us - self._failed_us < AGAIN_US:
            return
        try:
            async with asyncio.timeout(LIMIT_S):
                has_answered = await self._ask_all(presentation)
        except TimeoutError:
            log.info("no time within %g s", LIMIT_S)
            has_answered = False
        self._failed_us = None if has_answered else self._clock.now_us()

    async def _ask_all(self, presentation: Presentation) -> bool:
        """Whether one of the sources has told the time."""
        for timing in presentation.utc_timings:
            if not timing.is_supported:
                continue
            for url in timing.value.split() if timing.method != "direct" else [""]:
                try:
                    said, at_us = await self._ask(timing, url)
                except CushionError as exc:
                    log.info("no time from %s: %s", timing.scheme, exc)
                    continue
                self.utc_offset_us = round(said * US_PER_S) - at_us
                self.source = f"UTCTiming {timing.method}"
                self._synced_us = self._clock.now_us()
                return True
        return False

    async def _ask(self, timing: UtcTiming, url: str) -> tuple[Fraction, int]:
        """The time, and when it was that by our clock: in the middle of the request."""
        if timing.method == "direct":
            return server_time(timing), self._clock.now_us()
        request = FetchRequest(url, label="the time", timeouts=TIMEOUTS)
        asked_us = self._clock.now_us()
        if timing.method == "head":  # whoever answers HEAD answers GET; the body is left alone
            async with self._transport.stream(request) as response:
                return server_time(timing, date=response.headers.get("date", "")), self._clock.now_us()
        fetched = await fetch_bytes(
            self._transport, request, self._clock, limit_bytes=TIME_LIMIT_BYTES, limit_s=SOURCE_LIMIT_S
        )
        return server_time(timing, fetched.body), (asked_us + fetched.first_byte_us) // 2
