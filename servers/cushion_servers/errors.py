"""Every error the backend raises on purpose. Each carries the problem code and HTTP status it is answered with.

Messages are one plain sentence for the person who asked. All of them survive pickling, because workers raise them too.
"""

from __future__ import annotations

from typing import ClassVar

from cushion_sdk.contracts import ProblemCode


class ServerError(Exception):
    """Base of all errors raised on purpose by the backend."""

    code: ClassVar[ProblemCode] = ProblemCode.INTERNAL
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False


class InvalidRequest(ServerError):
    """The request cannot be read or asks for something impossible."""

    code = ProblemCode.INVALID
    status = 400


class NotFound(ServerError):
    """There is no such title, position, job or object."""

    code = ProblemCode.NOT_FOUND
    status = 404


class BodyTooLarge(ServerError):
    """The request body is larger than this route takes."""

    code = ProblemCode.TOO_LARGE
    status = 413


class IngestError(ServerError):
    """The source cannot become a title: unreadable, not video, corrupt, or changed meanwhile."""

    code = ProblemCode.INVALID
    status = 422


class PackagingError(ServerError):
    """Our own encoder or packager produced something that must not be published."""


class StepCancelled(ServerError):
    """The backend is stopping; the step was dropped between two frames and will run again next time."""

    code = ProblemCode.UNAVAILABLE
    status = 503


class WorkerLost(ServerError):
    """A worker process died while it ran a step."""

    code = ProblemCode.UNAVAILABLE
    status = 503
    retryable = True


class StoreError(ServerError):
    """The object store could not do what was asked."""

    code = ProblemCode.UNAVAILABLE
    status = 503


class StoreFull(StoreError):
    """No space is left where objects are kept."""

    status = 507


class AddressUnavailable(ServerError):
    """The address to listen on is taken or not ours."""

    code = ProblemCode.CONFLICT
    status = 409


class AlreadyServed(ServerError):
    """Another running backend already serves this data directory."""

    code = ProblemCode.CONFLICT
    status = 409
