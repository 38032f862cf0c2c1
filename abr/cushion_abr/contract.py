"""The contract between a rule and whoever calls it: the engine, or a compiled batch loop.

A rule is a module of plain functions on the NamedTuples below and float64 arrays:

    class Params(NamedTuple)                              float fields only, defaults that work
    LOOKAHEAD: int                                        how many coming segments `decide` wants to see
    init(params, ladder, seed) -> state                   the only place that allocates; float64[:]
    observe(sample, state) -> None                        all estimator work
    decide(ladder, sizes_bits, situation, params, state) -> Decision
    abandon(ladder, progress, params, state) -> int       optional: the rung to fetch instead, or -1
    RANGES: dict[str, tuple[float, float]]                optional: what each parameter may be, checked when bound

Inside `observe` and `decide`: no allocation, no objects, no exceptions, no globals that change,
guarded divisors; every Decision field is an int. The same functions run in the live player as Python
and, compiled, in the simulator, so both must see the same arithmetic.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]
Int64Array = NDArray[np.int64]

# Situation.phase
PHASE_STARTUP = 0
PHASE_STEADY = 1
PHASE_REBUFFER = 2
PHASE_SEEK = 3

# Sample.kind
SAMPLE_DOWNLOAD = 0
SAMPLE_ABANDONED = 1
SAMPLE_SEEK = 2
"""The playback position jumped; the other fields are 0 except `end_us`, which is the time of the seek."""


# Sample.source
SOURCE_NETWORK = 0
SOURCE_CACHE = 1
SOURCE_LOCAL = 2
"""From a file or memory: like a cache hit, no measurement of a network."""


class Ladder(NamedTuple):
    """The rungs of one adaptation set, lowest first. Build it with `make_ladder`, which validates."""

    bitrate_bps: Float64Array
    """(n_rungs,) float64, ascending, positive, C-contiguous: declared video bitrates in bit/s."""
    version: int
    """Changes whenever the ladder does; rules keep ladder-dependent tables per version."""


class Situation(NamedTuple):
    """What the player knows when it asks for the next segment. All int64 but `rate`."""

    now_us: int
    buffer_us: int
    """Media ahead of the playback position, in µs of media time."""
    buffer_max_us: int
    """The buffer goal: the engine does not request beyond it."""
    segment_us: int
    """Duration of the segment to be requested."""
    index: int  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]  # hides tuple.index
    """Index of the segment to be requested, counted from the start of the presentation."""
    n_left: int
    """Segments left to request, this one included."""
    last_rung: int
    """The rung of the previous segment, -1 when there was none."""
    max_rung: int
    """The highest rung allowed now (limits, viewport, decoder)."""
    phase: int
    """PHASE_STARTUP, PHASE_STEADY, PHASE_REBUFFER or PHASE_SEEK."""
    live_latency_us: int
    """Distance to the live edge, 0 for video on demand."""
    rate: float
    """Playback rate, 1.0 normal."""
    sizes_exact: int
    """1 when `sizes_bits` are real sizes, 0 when nominal bitrate × duration."""


class Sample(NamedTuple):
    """One finished (or abandoned) download, as `observe` sees it. All int64."""

    kind: int
    rung: int
    bytes: int
    request_us: int
    first_byte_us: int
    end_us: int
    other_bytes: int = 0
    """What other downloads of this player (the sound, say) took of the link between first byte and end."""
    source: int = SOURCE_NETWORK
    """SOURCE_NETWORK, SOURCE_CACHE or SOURCE_LOCAL, as whoever fetched it knows; not guessed from its speed."""


class Progress(NamedTuple):
    """A download still in flight, as `abandon` sees it. All int64."""

    rung: int
    segment_us: int
    total_bytes: int
    """Size of the segment at this rung; the expected size when unknown."""
    received_bytes: int
    request_us: int
    first_byte_us: int
    now_us: int
    buffer_us: int
    sizes_exact: int
    other_bytes: int = 0
    """What other downloads of this player took of the link between first byte and now."""


class Decision(NamedTuple):
    """What to do next: fetch `rung` after `wait_us`. All int64; `reason` is a code of `cushion_abr.reasons`."""

    rung: int
    wait_us: int
    reason: int


class RuleModule(Protocol):
    """The shape of a rule module; `Params` is checked where the rule is bound."""

    LOOKAHEAD: int

    @staticmethod
    def init(params: NamedTuple, ladder: Ladder, seed: int, /) -> Float64Array: ...
    @staticmethod
    def observe(sample: Sample, state: Float64Array, /) -> None: ...
    @staticmethod
    def decide(
        ladder: Ladder, sizes_bits: Int64Array, situation: Situation, params: NamedTuple, state: Float64Array, /
    ) -> Decision: ...


def make_ladder(bitrates_bps: list[float] | Float64Array, version: int = 0) -> Ladder:
    """Build a validated ladder.

    Raises LadderError when it is empty, not ascending, or holds a rate that is not positive and finite.
    """
    rates = np.ascontiguousarray(bitrates_bps, dtype=np.float64)
    if rates.ndim != 1 or rates.size == 0:
        raise LadderError(f"a ladder needs at least one rung, got shape {rates.shape}")
    if not np.all(np.isfinite(rates)) or np.any(rates <= 0):
        raise LadderError(f"ladder bitrates must be positive and finite, got {rates.tolist()}")
    if np.any(np.diff(rates) < 0):
        raise LadderError(f"ladder bitrates must ascend, got {rates.tolist()}")
    rates.setflags(write=False)
    return Ladder(rates, version)


class LadderError(ValueError):
    """A ladder that cannot be one: empty, unsorted, or with impossible rates."""
