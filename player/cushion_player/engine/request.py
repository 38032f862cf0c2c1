"""A segment on its way, and what is remembered of the tries that failed. Values that change, no decisions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from cushion_abr.contract import SOURCE_NETWORK
from cushion_player.notices import Attempt


@dataclass(slots=True)
class Request:
    """A segment in flight."""

    request_id: int
    index: int
    rung: int
    request_us: int
    received_bytes: int = 0
    first_byte_us: int = 0
    is_second_choice: bool = False
    """True when it replaces an abandoned request: a segment is abandoned at most once."""
    is_replacement: bool = False
    """True when the segment is buffered already, at a lower rung."""
    is_probe: bool = False
    """True when it is not the next segment: that one is late, and it is looked whether newer ones are there."""
    source: str = ""
    resumed_bytes: int = 0
    """Of `received_bytes`, what an earlier request had brought."""
    link_bytes_before: int = 0
    """What all downloads had brought when this one began."""
    heard_us: int = 0
    """When something last came of it, or it was made."""
    looked_us: int = 0
    arrived_us: int = 0
    """When all of it was there, where it has to wait for keys after that; 0 else."""
    came_from: int = SOURCE_NETWORK
    busy_us: int = 0
    """How long the link was busy with its chunks, after the first bytes of each."""
    busy_bytes: int = 0
    """What came of it meanwhile."""
    busy_other_bytes: int = 0
    """What came of other requests meanwhile."""


class Kept(NamedTuple):
    """What a failed request has brought of the segment that is next."""

    request_id: int
    rung: int
    size_bytes: int


@dataclass(slots=True)
class Retries:
    """Failures of the segment that is next."""

    at_us: int | None = None
    """Not to be tried before."""
    stay_at: int | None = None
    """The rung to try again at: another source has it, or part of it is there."""
    probe_index: int | None = None
    """A newer segment to ask for first."""
    dead_rungs: set[int] = field(default_factory=set)
    ceiling: int | None = None
    """The highest rung to be tried, while a lower one is left."""
    tried: dict[int, set[str]] = field(default_factory=dict)
    """By rung, the sources that failed since every source had its turn."""
    rounds: Counter[int] = field(default_factory=Counter)
    """By rung, how often every source has failed."""
    transient_rounds: int = 0
    dry_us: int | None = None
    """Since when nothing is left to play."""
    kept: Kept | None = None
    is_spoilt: bool = False
    """Whether it came spoilt: the next time it is taken as it is."""
    cut: bool = False
    """Whether a silent request was given up before its time-out."""
    log: list[Attempt] = field(default_factory=list)
    last_code: str = ""
