"""Resume: where a profile stopped watching.

PUT /v1/profiles/{profile_id}/positions/{title_id} PositionReport -> Position (what now holds)
GET /v1/profiles/{profile_id}/positions/{title_id} -> Position (404 when never watched)
GET /v1/profiles/{profile_id}/positions -> PositionPage, newest first

A report replaces the stored one when it is newer by `beats`; an older one changes nothing and is answered with what
holds.
"""

from __future__ import annotations

import msgspec

DEFAULT_PROFILE_ID = "default"


class PositionReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one device says. (session_id, sequence) names the report; sequence rises by one a report in a session."""

    device_id: str
    session_id: str
    session_started_ms: int
    sequence: int
    position_s: float
    duration_s: float
    reported_ms: int


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for (profile, title)."""

    profile_id: str
    title_id: str
    report: PositionReport


class PositionPage(msgspec.Struct, frozen=True, kw_only=True):
    positions: list[Position]


def beats(new: PositionReport, old: PositionReport) -> bool:
    """Whether `new` replaces `old`: a later session wins; within a session the higher sequence; ties change nothing."""
    if new.session_id == old.session_id:
        return new.sequence > old.sequence
    return (new.session_started_ms, new.session_id) > (old.session_started_ms, old.session_id)
