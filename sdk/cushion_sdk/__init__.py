"""The embeddable client: sessions, telemetry, resume, contracts, and the cushion command.

Names are imported on first use (PEP 562), because servers pass through here on their way to `cushion_sdk.contracts`
and must not pay for a player.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cushion_player.errors import CushionError
    from cushion_sdk.backend import BackendClient
    from cushion_sdk.device import DeviceStores
    from cushion_sdk.runtime import Runtime
    from cushion_sdk.session import PlaybackSession, open_session
    from cushion_sdk.session_events import SessionEvent
    from cushion_sdk.session_types import SessionOptions, SessionSnapshot, SessionState, SessionSummary
    from cushion_sdk.sync_session import SyncSession

_HOMES = {
    "BackendClient": "cushion_sdk.backend",
    "CushionError": "cushion_player.errors",
    "DeviceStores": "cushion_sdk.device",
    "PlaybackSession": "cushion_sdk.session",
    "Runtime": "cushion_sdk.runtime",
    "SessionEvent": "cushion_sdk.session_events",
    "SessionOptions": "cushion_sdk.session_types",
    "SessionSnapshot": "cushion_sdk.session_types",
    "SessionState": "cushion_sdk.session_types",
    "SessionSummary": "cushion_sdk.session_types",
    "SyncSession": "cushion_sdk.sync_session",
    "open_session": "cushion_sdk.session",
}

__all__ = [
    "BackendClient",
    "CushionError",
    "DeviceStores",
    "PlaybackSession",
    "Runtime",
    "SessionEvent",
    "SessionOptions",
    "SessionSnapshot",
    "SessionState",
    "SessionSummary",
    "SyncSession",
    "open_session",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
