"""Every error the player raises on purpose. Foreign exceptions are translated here-wards once, at the adapter.

Messages say what was tried, where, and what was seen. `code` is stable and machine-readable.
"""

from __future__ import annotations

from typing import ClassVar

from cushion_player.public_url import public_url


class CushionError(Exception):
    """Base of all errors raised on purpose by Cushion."""

    code: ClassVar[str] = "error"
    retryable: bool = False
    attempts: tuple[str, ...] = ()
    """Every try, oldest first, where there was more than one."""


class UsageError(CushionError):
    """A command or call was given something that cannot be used."""

    code = "usage"


class ManifestError(CushionError):
    """A manifest could not become a presentation. `location` is a line, an element path or an address.

    Of an address the message shows what is not secret; `location` stays whole.
    """

    code = "manifest"

    def __init__(self, message: str, *, location: str = "") -> None:
        is_address = "://" in location or location[:5].lower() == "data:"
        shown = public_url(location) if is_address else location
        super().__init__(f"{message} (at {shown})" if location else message)
        self.location = location


class ManifestSyntaxError(ManifestError):
    """The text is not a manifest, or is broken beyond repair."""

    code = "manifest_syntax"


class UnsupportedManifestFeature(ManifestError):
    """The manifest is well formed, but needs something we do not do."""

    code = "manifest_unsupported"


class FetchError(CushionError):
    """Bytes did not arrive. `url` is what was asked for."""

    code = "fetch"

    def __init__(self, message: str, *, url: str = "", retryable: bool = False) -> None:
        super().__init__(message)
        self.url = url
        self.retryable = retryable


class FetchTimeout(FetchError):
    """No connection, no first byte, or a stalled body within the allowed time."""

    code = "fetch_timeout"

    def __init__(self, message: str, *, url: str = "") -> None:
        super().__init__(message, url=url, retryable=True)


class HttpStatusError(FetchError):
    """The server answered with an error status."""

    code = "http_status"

    def __init__(self, message: str, *, status: int, url: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, url=url, retryable=status in (408, 425, 429) or status >= 500)
        self.status = status
        self.retry_after_s = retry_after_s


class ConnectionLost(FetchError):
    """The connection was refused, reset, or ended before the announced length."""

    code = "connection_lost"

    def __init__(self, message: str, *, url: str = "") -> None:
        super().__init__(message, url=url, retryable=True)


class SegmentNotListed(FetchError):
    """A segment's address is not known: the playlist that has it must be read again, or does not have it any more."""

    code = "not_listed"

    def __init__(self, message: str, *, url: str = "") -> None:
        super().__init__(message, url=url, retryable=True)


class ResponseTooLarge(FetchError):
    """The body went past the caller's limit; reading stopped there."""

    code = "too_large"


class MediaError(CushionError):
    """The bytes arrived and cannot be played."""

    code = "media"


class DecodeError(MediaError):
    """A segment is truncated, corrupt, or the decoder refused it."""

    code = "decode"


class UnsupportedCodec(MediaError):
    """No decoder for this codec here."""

    code = "codec"


class NoSuchTrack(UnsupportedCodec):
    """The media carries nothing of the kind that was asked for: no sound, or no picture."""


class KeyUnavailable(MediaError):
    """The content is encrypted and its key is not to be had. Never says a key, a token or a query string.

    retryable: asking again later may help (the licence server was out of reach).
    """

    code = "key"

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


class KeyExpired(KeyUnavailable):
    """There was a key, and the right to use it has ended."""

    code = "key_expired"


class PlaybackError(CushionError):
    """Playback ended before its time. `attempts` lists what was tried, oldest first."""

    code = "playback"

    def __init__(self, message: str, *, attempts: tuple[str, ...] = (), cause_code: str = "playback") -> None:
        super().__init__(message)
        self.attempts = attempts
        self.cause_code = cause_code


class ServiceError(CushionError):
    """The backend refused or failed."""

    code = "service"


class NotAuthorised(ServiceError):
    """The backend does not know us, or does not allow this."""

    code = "not_authorised"


class NotFound(ServiceError):
    """The backend does not have it."""

    code = "not_found"


class ServiceUnavailable(ServiceError):
    """The backend is down or out of reach; later may work."""

    code = "service_unavailable"
    retryable = True


class JournalError(CushionError):
    """A journal is unreadable, of another version, or its replay differs."""

    code = "journal"
