"""Which transport serves which URL scheme, and which schemes a presentation may reach at all."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from cushion_player.errors import UsageError
from cushion_player.transport import wording
from cushion_player.transport.base import FetchRequest, FetchResponse, Transport


class DispatchTransport:
    """Hands each request to the transport of its URL's scheme, and closes them all."""

    def __init__(self, by_scheme: Mapping[str, Transport]) -> None:
        self._by_scheme = dict(by_scheme)

    @asynccontextmanager
    async def stream(self, request: FetchRequest) -> AsyncGenerator[FetchResponse, None]:
        """See Transport.stream. Raises FetchError for a scheme that nobody serves here."""
        try:
            scheme = urlsplit(request.url).scheme
        except ValueError as error:
            raise wording.failed(request, f"not a usable URL: {error}") from error
        transport = self._by_scheme.get(scheme)
        if transport is None:
            served = ", ".join(sorted(self._by_scheme))
            raise wording.failed(request, f"{scheme or 'relative'} URLs cannot be fetched here, only {served}")
        async with transport.stream(request) as response:
            yield response

    async def close(self) -> None:
        for transport in dict.fromkeys(self._by_scheme.values()):
            await transport.close()


def transport_for(url: str) -> DispatchTransport:
    """The transport for a presentation found at `url`.

    From disk it may refer to disk and web; from the web only to the web, so that no manifest of a stranger reads
    local files. Raises UsageError when `url` is neither http(s) nor file.
    """
    from cushion_player.transport.file import DataTransport, FileTransport
    from cushion_player.transport.http import HttpTransport

    scheme = urlsplit(url).scheme
    if scheme not in ("http", "https", "file"):
        raise UsageError(f"cannot play from {wording.public_url(url)!r}: need an http, https or file URL")
    http = HttpTransport()
    by_scheme: dict[str, Transport] = {"http": http, "https": http, "data": DataTransport()}
    if scheme == "file":
        by_scheme["file"] = FileTransport()
    return DispatchTransport(by_scheme)
