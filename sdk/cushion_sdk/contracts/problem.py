"""How the backend says no: RFC 9457 problem details with a stable code."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class ProblemCode(StrEnum):
    NOT_FOUND = "not_found"
    INVALID = "invalid"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Body of every error answer, `application/problem+json`."""

    status: int
    code: ProblemCode
    title: str
    detail: str = ""
