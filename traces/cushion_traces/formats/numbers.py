"""Decimal numbers of trace files to whole µs and bit/s, and back without loss."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from cushion_traces.trace import TraceError

LIMIT = 2**62
"""Beyond this the link arithmetic would not fit 64 bits anyway."""


def scaled(text: str, factor: int, what: str, location: str) -> int:
    """`text` (a finite decimal number) times `factor`, rounded half to even. Raises TraceError."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise TraceError(f"{what} is not a number: {text[:40]!r}", location=location) from None
    if not number.is_finite() or number.adjusted() > 18 or abs(number) * factor > LIMIT:
        raise TraceError(f"{what} is not a usable number: {text[:40]!r}", location=location)
    return int((number * factor).to_integral_value())


def unscaled(value: int, factor: int) -> str:
    """The shortest decimal text t with t times `factor` (a power of ten) equal to `value` exactly."""
    whole, rest = divmod(value, factor)
    if not rest:
        return str(whole)
    digits = len(str(factor)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0")
