"""How times, rates, qualities and problems read on screen. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from cushion_sdk.tracks import TrackInfo

_UNANSWERED = frozenset({"connection_lost", "fetch", "fetch_timeout", "service_unavailable"})
_REFUSED = frozenset({"http_status", "not_authorised", "not_found", "service", "too_large"})
_UNREADABLE = frozenset({"manifest", "manifest_syntax", "manifest_unsupported"})
_UNDECODABLE = frozenset({"codec", "decode", "media"})


class ProblemText(NamedTuple):
    """What happened, and what to do about it."""

    headline: str
    advice: str


def problem_text(code: str, *, has_played: bool) -> ProblemText:
    """A failure in plain words. `code`: of cushion_player.errors. `has_played`: there is a position that was saved."""
    saved = "Your position is saved. " if has_played else ""
    if code in _UNANSWERED:
        happened = "The server stopped answering" if has_played else "The server does not answer"
        return ProblemText(happened, f"{saved}Try again in a moment.")
    if code in _REFUSED:
        what = "the next part of this title" if has_played else "this title"
        return ProblemText(f"The server did not hand out {what}", f"{saved}It may help to try again.")
    if code in _UNREADABLE:
        return ProblemText("This title cannot be read", "Its description is not one this player understands.")
    if code in _UNDECODABLE:
        return ProblemText("This title cannot be decoded here", f"{saved}Picture or sound is damaged or unknown.")
    return ProblemText("This title cannot be played right now", f"{saved}It may help to try again.")


def clock_text(seconds: float) -> str:
    """`0:42`, `12:05`, `1:02:03`; negative times read as 0:00."""
    whole = max(0, int(seconds))
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def spoken_time(seconds: float) -> str:
    """For screen readers: `1 minute 5 seconds`."""
    minutes, second = divmod(max(0, int(seconds)), 60)
    seconds_text = f"{second} second{'' if second == 1 else 's'}"
    return f"{minutes} minute{'' if minutes == 1 else 's'} {seconds_text}" if minutes else seconds_text


def duration_text(seconds: float) -> str:
    """A title's length on a card: `45 s`, `1 min`, `1 h 12 min`."""
    if seconds < 59.5:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours} h {minute} min" if hours else f"{minutes} min"


def rate_text(bps: float) -> str:
    """`2.4 Mb/s`, `800 kb/s`, `–` when unknown (0)."""
    if bps <= 0:
        return "–"
    if bps >= 999_500:
        return f"{bps / 1_000_000:.1f} Mb/s"
    return f"{bps / 1000:.0f} kb/s"


def speed_text(rate: float) -> str:
    """`1×`, `1.25×`."""
    return f"{rate:g}×"


def ladder_badge(heights_px: list[int], rung_count: int) -> str:
    """`720p · 4 qualities`; empty for a title without video."""
    if not heights_px:
        return ""
    qualities = f"{rung_count} qualities" if rung_count != 1 else "1 quality"
    return f"{max(heights_px)}p · {qualities}"


def initials(name: str) -> str:
    """Up to two letters that stand for a title without a poster."""
    words = [word for word in name.replace("-", " ").replace("_", " ").split() if word[0].isalnum()]
    return "".join(word[0].upper() for word in words[:2]) or "▶"


def track_name(track: TrackInfo) -> str:
    """What to call a track of sound or subtitles: its label, or its language, and what it is for."""
    name = track.label or track.language or "without a name"
    purposes: list[str] = [word for word in ("caption", "description", "commentary") if word in track.roles]
    purposes += ["forced"] if track.is_forced else []
    return f"{name} ({', '.join(purposes)})" if purposes and not track.label else name


_LINK_TEXTS = {
    "unshaped": "Real link",
    "constant": "Constant link",
    "step": "Step link",
    "3g": "3G link",
    "4g": "4G link",
}


def link_text(name: str) -> str:
    """What to call a link that is played over."""
    return _LINK_TEXTS.get(name, name.rsplit("/", 1)[-1])


def tried_lines(attempts: Sequence[str]) -> list[str]:
    """What was tried in vain, in order: the same again is counted instead of repeated."""
    lines: list[str] = []
    for attempt, same in groupby(attempts):
        times = sum(1 for _ in same)
        lines.append(f"{attempt} ({times} times)" if times > 1 else attempt)
    return lines


def break_text(number: int, n_assets: int, left_s: float) -> str:
    """What plays in between: `1 of 2 · 0:12 left`."""
    which = f"{number + 1} of {n_assets} · " if n_assets > 1 else ""
    return f"{which}{clock_text(left_s)} left"
