"""Which break is due: by playing up to it, by beginning or ending, or by jumping over it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cushion_player.interstitials.breaks import Break


@dataclass(frozen=True, slots=True)
class Due:
    """A break to play now, and where to go afterwards when that is not what the break says."""

    item: Break
    then_us: int | None = None
    reason: str = ""


class BreakSchedule:
    """The breaks of one playback and which of them were played."""

    def __init__(self) -> None:
        self._breaks: dict[str, Break] = {}
        self._played: set[str] = set()

    def add(self, breaks: Iterable[Break]) -> tuple[Break, ...]:
        """List breaks; returns those that are new. One of a known id takes the place of the old one until it played."""
        fresh: list[Break] = []
        for item in breaks:
            if item.id not in self._breaks:
                fresh.append(item)
            if item.id not in self._played:
                self._breaks[item.id] = item
        return tuple(fresh)

    def at_beginning(self) -> Due | None:
        """What plays before anything else."""
        return self._due(item for item in self._ordered() if item.is_preroll and item.id not in self._played)

    def at_end(self) -> Due | None:
        """What plays after everything else."""
        return self._due(item for item in self._ordered() if item.is_postroll and item.id not in self._played)

    def at_mark(self, identity: str) -> Due | None:
        """Playback came to the start of a break."""
        item = self._breaks.get(identity)
        return Due(item, reason="playback came to it") if item is not None and self._may_play(item) else None

    def on_seek(self, from_us: int, to_us: int) -> Due | None:
        """A jump: forward over breaks that must not be jumped over, the last of them plays first."""
        if to_us <= from_us:
            return None
        crossed = [
            item
            for item in self._ordered()
            if from_us < item.start_us <= to_us
            and not item.may_jump
            and item.id not in self._played
            and not (item.is_preroll or item.is_postroll)
        ]
        if not crossed:
            return None
        item = crossed[-1]
        resume_us = item.resume_us(item.duration_us or 0)
        return Due(item, then_us=max(to_us, resume_us), reason="it must not be jumped over")

    def coming(self, position_us: int, within_us: int) -> Break | None:
        """The next break, when it is that near."""
        near = [
            item
            for item in self._ordered()
            if position_us < item.start_us <= position_us + within_us and self._may_play(item)
        ]
        return near[0] if near else None

    def played(self, item: Break) -> None:
        """It was played, or tried in vain: a break without anything in it must not come again at once."""
        self._played.add(item.id)

    def _may_play(self, item: Break) -> bool:
        if item.is_preroll or item.is_postroll:
            return False
        return not (item.plays_once and item.id in self._played)

    def _ordered(self) -> list[Break]:
        return sorted(self._breaks.values(), key=lambda item: item.start_us)

    @staticmethod
    def _due(items: Iterable[Break]) -> Due | None:
        first = next(iter(items), None)
        return Due(first, reason="it comes first" if first.is_preroll else "it comes last") if first else None
