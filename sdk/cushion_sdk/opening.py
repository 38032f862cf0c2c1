"""The pieces a session is opened from: what to play, over which link, by which player, into which journal."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TextIO
from urllib.parse import urlsplit, urlunsplit

from cushion_player import notices
from cushion_player.clock import Clock
from cushion_player.engine import EngineConfig, Limits, Loop, TrackSelection
from cushion_player.errors import UsageError
from cushion_player.outputs import MediaOutput
from cushion_player.timeline import Track
from cushion_player.transport.base import Transport
from cushion_sdk.backend import Backend
from cushion_sdk.contracts.catalog import Title
from cushion_sdk.session_types import SessionOptions
from cushion_traces.link import Link

if TYPE_CHECKING:
    from cushion_player.model import Presentation
    from cushion_player.player import PlayerSnapshot
    from cushion_player.text import Cue

log = logging.getLogger(__name__)

UNSHAPED = "unshaped"


class PlayerPort(Protocol):
    """What a session needs of a player; `cushion_player.player.Player` is one."""

    async def __aenter__(self) -> PlayerPort: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None, /
    ) -> bool | None: ...
    async def load(self, url: str, start_us: int = 0, *, live_start_us: int | None = None) -> Presentation: ...
    def play(self) -> None: ...
    def pause(self) -> None: ...
    def seek(self, position_us: int) -> None: ...
    def seek_to_live(self) -> None: ...
    def set_rate(self, rate: float) -> None: ...
    def set_limits(self, limits: Limits) -> None: ...
    def select_tracks(self, selection: TrackSelection) -> None: ...
    def set_loop(self, loop: Loop | None) -> None: ...
    def step(self, frames: int) -> None: ...
    def set_scrubbing(self, is_on: bool) -> None: ...
    def skip_interstitial(self) -> None: ...
    @property
    def tracks(self) -> tuple[Track, ...]: ...
    def set_volume(self, volume: float) -> None: ...
    def set_subtitles(self, cues: tuple[Cue, ...]) -> None: ...
    def select_captions(self, service: str | None) -> None: ...
    def subscribe(self, callback: Callable[[notices.Notice], None]) -> None: ...
    def follow_presentation(self, callback: Callable[[Presentation, Fraction], None]) -> None: ...
    def snapshot(self) -> PlayerSnapshot: ...
    async def wait_finished(self) -> notices.PlaybackEnded | notices.PlaybackFailed: ...


class MakePlayer(Protocol):
    """Makes the player of a session, from the session's own parts."""

    def __call__(
        self,
        options: SessionOptions,
        *,
        transport: Transport,
        clock: Clock,
        output: MediaOutput,
        journal: TextIO | None,
    ) -> PlayerPort: ...


def default_player(
    options: SessionOptions, *, transport: Transport, clock: Clock, output: MediaOutput, journal: TextIO | None
) -> PlayerPort:
    """The engine's wall-clock driver. Raises UsageError for a rule or parameters that do not exist."""
    from cushion_abr.registry import get_rule
    from cushion_player.interstitials.programme_player import ProgrammePlayer
    from cushion_player.player import Player

    try:
        get_rule(options.rule).make_params(options.rule_params)
    except ValueError as exc:
        raise UsageError(str(exc)) from exc

    def make(output: MediaOutput, journal: TextIO | None = None, other_urls: tuple[str, ...] = ()) -> Player:
        return Player(
            transport=transport,
            clock=clock,
            output=output,
            config=EngineConfig(buffer_goal_us=round(options.buffer_goal_s * 1e6)),
            rule=options.rule,
            rule_params=options.rule_params,
            journal=journal,
            seed=options.seed or 0,
            audio_language=options.audio_language,
            key_provider=options.key_provider,
            other_urls=other_urls,
        )

    if not options.plays_interstitials:
        return make(output, journal, options.other_urls)
    return ProgrammePlayer(
        make_main=lambda handle: make(handle, journal, options.other_urls),
        make_asset=make,
        output=output,
        transport=transport,
        clock=clock,
    )


@dataclass(frozen=True, slots=True)
class Source:
    """What to play. `is_catalog`: the backend knows it by `title_id`, so that its position is shared."""

    url: str
    title_id: str
    name: str
    is_catalog: bool
    frame_rate: float | None = None


def find_source(source: str | Title, options: SessionOptions, backend: Backend | None) -> Source:
    """A title of the catalog, or any URL. Raises UsageError for a title without the backend that serves it,
    and for what is no URL."""
    if isinstance(source, Title):
        if backend is None:
            raise UsageError(f"{source.name!r} is a title of a catalog: a backend is needed to play it")
        return Source(
            url=backend.media_url(source.hls_path if options.manifest_format == "hls" else source.dash_path),
            title_id=source.title_id,
            name=source.name,
            is_catalog=True,
            frame_rate=frame_rate(source.ladder.frame_rate),
        )
    try:
        return Source(url=source, title_id=title_id_of_url(source), name=_last_part(source), is_catalog=False)
    except ValueError as exc:
        raise UsageError(f"{source!r} is not a URL: {exc}") from exc


def title_id_of_url(url: str) -> str:
    """The name under which a device keeps the position of a bare URL; queries (tokens) and fragments do not count."""
    parts = urlsplit(url)
    plain = urlunsplit((parts.scheme.lower(), parts.netloc.rpartition("@")[2].lower(), parts.path, "", ""))
    return f"url-{hashlib.sha256(plain.encode()).hexdigest()[:32]}"


def _last_part(url: str) -> str:
    parts = urlsplit(url)
    return next((part for part in reversed(parts.path.split("/")) if part), parts.netloc or url)


def frame_rate(text: str) -> float | None:
    """`30000/1001` as a number; None for what is not a positive rate."""
    try:
        rate = float(Fraction(text))
    except (ValueError, ZeroDivisionError):
        return None
    return rate if rate > 0 else None


def trace_link(trace: str | Path | None) -> Link | None:
    """The link of that name or file; None for the network as it is. Raises UsageError."""
    from cushion_traces.named import link_for

    try:
        return link_for(str(trace or UNSHAPED))
    except (ValueError, OSError) as exc:
        raise UsageError(f"trace {str(trace)!r}: {exc}") from exc


def bitrates_and_frame_rate(presentation: Presentation) -> tuple[tuple[int, ...], float | None]:
    """The first video set's bitrates, lowest first, and the frame rate that all of its rungs share (None otherwise)."""
    for period in presentation.periods:
        for each in period.adaptation_sets:
            if each.kind.value == "video":
                rates = {representation.frame_rate for representation in each.representations}
                shared = rates.pop() if len(rates) == 1 else None
                bitrates = tuple(sorted(representation.bitrate_bps for representation in each.representations))
                return bitrates, float(shared) if shared else None
    return (), None


class JournalFile(io.TextIOWrapper):
    """A text file that never stops playback: when the disk is full it says so once, and stops writing."""

    def __init__(self, path: Path) -> None:
        """Raises UsageError when the file cannot be made."""
        try:
            raw = path.open("wb")
        except OSError as exc:
            raise UsageError(f"the journal {path} cannot be written: {exc.strerror or exc}") from exc
        super().__init__(raw, encoding="utf-8", newline="\n")
        self._path = path
        self._is_broken = False

    def write(self, text: str, /) -> int:
        if not self._is_broken:
            try:
                return super().write(text)
            except OSError as exc:
                self._give_up(exc)
        return len(text)

    def close(self) -> None:
        try:
            super().close()
        except OSError as exc:
            self._give_up(exc)

    def _give_up(self, error: OSError) -> None:
        if not self._is_broken:
            self._is_broken = True
            log.warning("the journal %s ends here: %s", self._path, error.strerror or error)


@contextmanager
def single_error() -> Generator[None]:
    """Let a lone error out of the task groups that wrapped it, so that callers catch it by its type."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        if error is group:
            raise
        raise error from error.__cause__
