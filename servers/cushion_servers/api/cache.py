"""A memory cache with a byte budget: the least recently used object goes first."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple


class CachedObject(NamedTuple):
    """An object's bytes and the tag they were read under."""

    data: bytes
    tag: str


class ByteBudgetCache:
    """Objects by name, together never larger than the budget; one that alone takes over a quarter of it is not kept."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget_bytes = budget_bytes
        self._objects: OrderedDict[str, CachedObject] = OrderedDict()
        self.size_bytes = 0

    def get(self, name: str) -> CachedObject | None:
        found = self._objects.get(name)
        if found is not None:
            self._objects.move_to_end(name)
        return found

    def put(self, name: str, item: CachedObject) -> None:
        old = self._objects.pop(name, None)
        if old is not None:
            self.size_bytes -= len(old.data)
        if len(item.data) > self._budget_bytes // 4:
            return
        self._objects[name] = item
        self.size_bytes += len(item.data)
        while self.size_bytes > self._budget_bytes:
            _, gone = self._objects.popitem(last=False)
            self.size_bytes -= len(gone.data)

    def __len__(self) -> int:
        return len(self._objects)
