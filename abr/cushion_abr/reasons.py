"""Why a rule decided as it did: small integer codes, because compiled rules return only integers."""

from __future__ import annotations

from typing import Final

FIXED: Final = 1
NO_SAMPLE: Final = 2
THROUGHPUT: Final = 3
RESERVOIR: Final = 4
UPPER_RESERVOIR: Final = 5
CUSHION_UP: Final = 6
CUSHION_DOWN: Final = 7
CUSHION_HOLD: Final = 8
STARTUP_UP: Final = 9
STARTUP_HOLD: Final = 10
UTILITY: Final = 11
UTILITY_WAIT: Final = 12
LIMITED: Final = 13
INSUFFICIENT_BUFFER: Final = 14
ABANDON_SLOW: Final = 15
REMEMBERED: Final = 16
START_THROUGHPUT: Final = 17
UNSUSTAINED: Final = 18
HOLD: Final = 19

TEXT: Final[dict[int, str]] = {
    FIXED: "fixed rung",
    NO_SAMPLE: "no throughput sample yet",
    THROUGHPUT: "highest rung below the safe throughput",
    RESERVOIR: "buffer inside the reservoir",
    UPPER_RESERVOIR: "buffer above the cushion",
    CUSHION_UP: "rate map allows a higher rung",
    CUSHION_DOWN: "rate map asks for a lower rung",
    CUSHION_HOLD: "rate map between the neighbouring rungs",
    STARTUP_UP: "buffer grows fast enough to step up",
    STARTUP_HOLD: "buffer grows too slowly to step up",
    UTILITY: "highest utility per bit at this buffer",
    UTILITY_WAIT: "buffer full for the best rung, wait",
    LIMITED: "capped by a limit",
    INSUFFICIENT_BUFFER: "buffer too short for a higher rung",
    ABANDON_SLOW: "download too slow for the buffer",
    REMEMBERED: "first segment soon at the throughput of last time",
    START_THROUGHPUT: "far below the measured throughput",
    UNSUSTAINED: "a higher rung would not be carried for long",
    HOLD: "the present rung is still carried",
}


def describe(reason: int) -> str:
    """The sentence for a reason code; unknown codes (rules of others) read as `rule reason N`."""
    return TEXT.get(reason, f"rule reason {reason}")
