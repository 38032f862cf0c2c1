"""Public fakes for the backend's ports: a store in memory that can run full, and a runner that counts."""

from __future__ import annotations

import errno
import hashlib
import os

from cushion_servers.errors import NotFound, WorkerLost
from cushion_servers.store import ObjectInfo, ObjectStore
from cushion_servers.transcode.pool import InlineStepRunner
from cushion_servers.transcode.steps import Step, StepResult


class MemoryStore:
    """Objects in a dictionary. With `capacity_bytes` it fails as a full disk does: OSError ENOSPC, nothing stored."""

    def __init__(self, capacity_bytes: int | None = None) -> None:
        self.objects: dict[str, bytes] = {}
        self.capacity_bytes = capacity_bytes

    def put_if_absent(self, name: str, data: bytes) -> bool:
        if name in self.objects:
            return False
        self.put(name, data)
        return True

    def put(self, name: str, data: bytes) -> None:
        held = sum(len(each) for key, each in self.objects.items() if key != name)
        if self.capacity_bytes is not None and held + len(data) > self.capacity_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.objects[name] = data

    def get(self, name: str) -> bytes:
        try:
            return self.objects[name]
        except KeyError as exc:
            raise NotFound(f"There is no object named {name!r}.") from exc

    def info(self, name: str) -> ObjectInfo:
        data = self.get(name)
        return ObjectInfo(len(data), hashlib.sha256(data).hexdigest()[:16])

    def exists(self, name: str) -> bool:
        return name in self.objects


class CountingRunner:
    """Runs steps inline and keeps their names; loses its worker on the first `lose` steps that are no probe."""

    def __init__(self, store: ObjectStore, lose: int = 0) -> None:
        self._inner = InlineStepRunner(store)
        self._lose = lose
        self.ran: list[str] = []

    async def run(self, step: Step, priority: int = 0) -> StepResult:
        self.ran.append(step.name)
        if self._lose > 0 and step.name != "probe":
            self._lose -= 1
            raise WorkerLost(f"The worker that ran {step.name!r} died.")
        return await self._inner.run(step, priority)

    async def close(self) -> None:
        await self._inner.close()
