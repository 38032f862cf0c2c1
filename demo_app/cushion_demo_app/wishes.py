"""What a viewer asks for: what to play, and how. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cushion_demo_app.caption_look import CaptionLook
from cushion_player.engine.config import Limits
from cushion_sdk.contracts.catalog import Title


@dataclass(frozen=True, slots=True)
class PlayRequest:
    """What to play. `start_s` None: where the profile stopped. file: of subtitles that the session opens with."""

    source: str | Title
    name: str
    heights_px: tuple[int, ...] = ()
    start_s: float | None = None
    file: FileChoice | None = None

    @staticmethod
    def of_title(title: Title, start_s: float | None = None) -> PlayRequest:
        """A title of the catalog, with its ladder."""
        heights = tuple(rung.height_px for rung in title.ladder.video)
        return PlayRequest(title, title.name, heights, start_s)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the viewer chose, and keeps from title to title (but for the speed, the pinned quality and the loop)."""

    volume: float = 1.0
    muted: bool = False
    link: str = "unshaped"
    height_cap_px: int = 0
    speed: float = 1.0
    pinned_rung: int | None = None
    loops: bool = False
    text: CaptionLook = field(default_factory=CaptionLook)

    @property
    def loudness(self) -> float:
        """What the output is told: 0.0 to 1.0."""
        return 0.0 if self.muted else self.volume

    @property
    def limits(self) -> Limits:
        return Limits(max_height_px=self.height_cap_px or None, pinned_rung=self.pinned_rung)


# ---------------------------------------------------------------------- what menus and keys ask for


@dataclass(frozen=True, slots=True)
class QualityChoice:
    """A cap on the height (0: none), or one rung and no other."""

    height_cap_px: int = 0
    pinned_rung: int | None = None


@dataclass(frozen=True, slots=True)
class SoundChoice:
    key: str


@dataclass(frozen=True, slots=True)
class TextChoice:
    """Subtitles by their key, captions inside the picture by their service, or neither."""

    key: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True)
class FileChoice:
    """Subtitles of a file, later by so much; path None asks for one."""

    path: Path | None = None
    offset_s: float = 0.0


@dataclass(frozen=True, slots=True)
class NoFile:
    """The file's subtitles away again."""


@dataclass(frozen=True, slots=True)
class ShiftFile:
    """The file's subtitles later (or earlier) by so much more."""

    by_s: float


@dataclass(frozen=True, slots=True)
class LookChoice:
    """How text is to look."""

    look: CaptionLook


@dataclass(frozen=True, slots=True)
class SpeedChoice:
    speed: float


@dataclass(frozen=True, slots=True)
class LinkChoice:
    name: str


TextChange = TextChoice | FileChoice | NoFile | ShiftFile | LookChoice
Choice = QualityChoice | SoundChoice | TextChange | SpeedChoice | LinkChoice
