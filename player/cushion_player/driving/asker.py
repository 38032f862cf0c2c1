"""Asks for manifests and their parts until they are there: again by the class of a failure, and at every address.

What belongs here: small documents, before an engine can decide and beside it. Segments are the engine's to ask for.
The figures are the engine's (`engine.retry`), and so is the order: another address before a later try.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from cushion_player.clock import Clock
from cushion_player.engine.retry import TRANSIENT, Jitter, RetryPolicy, RetryRule, classify, delay_us
from cushion_player.errors import CushionError, FetchError, HttpStatusError, ManifestError
from cushion_player.transport.base import (
    ANSWER_LIMIT_S,
    MANIFEST_LIMIT_BYTES,
    FetchRequest,
    FetchResult,
    Transport,
    fetch_bytes,
)

T = TypeVar("T")

MAX_ADDRESSES = 16
"""Of one document; others are not tried."""


class Asker:
    """Fetches documents for one playback."""

    def __init__(self, transport: Transport, clock: Clock, policy: RetryPolicy | None = None, seed: int = 0) -> None:
        """seed: of the jitter between tries."""
        self._transport = transport
        self._clock = clock
        self._policy = policy or RetryPolicy()
        self._jitter = Jitter(seed)

    def telling(self, on_bytes: Callable[[int], None]) -> Asker:
        """Another one like this, of which `on_bytes` hears how many bytes come, each time."""
        from cushion_player.transport.counted import CountedTransport  # for live titles alone

        other = Asker(CountedTransport(self._transport, on_bytes), self._clock, self._policy)
        other._jitter = self._jitter
        return other

    async def ask(
        self,
        request: FetchRequest,
        read: Callable[[FetchResult, str], T],
        *,
        others: Sequence[str] = (),
        is_once: bool = False,
        limit_bytes: int = MANIFEST_LIMIT_BYTES,
        limit_s: float | None = None,
        tried: list[str] | None = None,
    ) -> T:
        """What `read` makes of the document and the address it was asked for at.

        A body that it refuses (ManifestError) is asked for elsewhere.
        others: further addresses that have it, in the order in which they are tried. is_once: ask each address once,
        because the caller asks again. limit_s: for all of an answer; None is the wait for its first byte and
        ANSWER_LIMIT_S. tried: gathers one sentence for each failed try, also for who stops waiting.
        Raises the last try's error (FetchError and ManifestError kinds); its `attempts` lists them all.
        """
        tried = [] if tried is None else tried
        urls = list(dict.fromkeys((request.url, *others)))[:MAX_ADDRESSES]
        last: FetchError | ManifestError | None = None
        number = 0
        while True:
            number += 1
            wait_us = 0
            for url in tuple(urls):
                try:
                    return read(await self._fetch(replace(request, url=url), limit_bytes, limit_s), url)
                except (FetchError, ManifestError) as exc:
                    tried.append(str(exc))
                    last, retry_after_us = exc, _retry_after_us(exc)
                    rule = self._rule(exc, retry_after_us)
                    if rule is None or number >= rule.attempts or is_once:
                        urls.remove(url)
                    else:
                        wait_us = max(
                            wait_us, delay_us(self._policy, rule, number, retry_after_us, self._jitter.draw())
                        )
            if not urls:
                assert last is not None, "there is at least one address"
                list_attempts(last, tried)
                raise last
            await self._clock.sleep_until(self._clock.now_us() + wait_us)

    async def _fetch(self, request: FetchRequest, limit_bytes: int, limit_s: float | None) -> FetchResult:
        limit_s = request.timeouts.first_byte_s + ANSWER_LIMIT_S if limit_s is None else limit_s
        return await fetch_bytes(self._transport, request, self._clock, limit_bytes=limit_bytes, limit_s=limit_s)

    def _rule(self, error: CushionError, retry_after_us: int) -> RetryRule | None:
        """How often to try again after an error; None where time does not heal it."""
        status = error.status if isinstance(error, HttpStatusError) else 0
        kind = classify(error.code, status, retryable=error.retryable, retry_after_us=retry_after_us)
        return self._policy.rule(kind) if kind in TRANSIENT else None


def _retry_after_us(error: CushionError) -> int:
    return round((error.retry_after_s or 0.0) * 1e6) if isinstance(error, HttpStatusError) else 0


def list_attempts(error: CushionError, tried: Sequence[str]) -> None:
    """Make an error list all tries, each sentence once; a single one is told already."""
    if tried and (len(tried) > 1 or tried[0] != str(error)):
        error.attempts = tuple(tried)
        error.args = (told(tried if str(error) in tried else (str(error), *tried)),)


def told(tried: Sequence[str]) -> str:
    """Sentences as one, each once, with how often."""
    counted = Counter(tried)
    return "; ".join(f"{sentence}, {count} times" if count > 1 else sentence for sentence, count in counted.items())
