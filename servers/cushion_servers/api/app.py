"""One ASGI application: the hot paths go straight to their own, the rest to the API."""

from __future__ import annotations

from cushion_servers.api.asgi import Receive, Scope, Send
from cushion_servers.api.edge import MEDIA_PREFIX, Edge
from cushion_servers.api.routes import build_api
from cushion_servers.api.telemetry import TELEMETRY_PATH, TelemetryIntake
from cushion_servers.backend import Backend


class BackendApp:
    """What uvicorn serves. It has no lifespan of its own: the backend is open before and closed after."""

    def __init__(self, backend: Backend) -> None:
        self.edge = Edge(backend.store, backend.config.cache_bytes)
        self._telemetry, self._api = TelemetryIntake(backend), build_api(backend)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        elif scope["path"].startswith(MEDIA_PREFIX):
            await self.edge(scope, receive, send)
        elif scope["path"] == TELEMETRY_PATH:
            await self._telemetry(scope, receive, send)
        else:
            await self._api(scope, receive, send)  # type: ignore[arg-type]  # Litestar types scopes by its own classes
