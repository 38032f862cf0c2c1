"""Subtitles of a file: which one is shown, how much later, and the dialogue that asks for one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from pathlib import Path

from cushion_demo_app.menus import SubtitleFile
from cushion_demo_app.player_page import PlayerPage
from cushion_demo_app.qt import QtCore, QtWidgets
from cushion_demo_app.session_port import SessionLike
from cushion_demo_app.wishes import FileChoice, NoFile, ShiftFile
from cushion_player.errors import CushionError

PATTERNS = "Subtitles (*.srt *.vtt *.ttml *.dfxp *.xml);;All files (*)"


class SubtitleFileChooser(QtCore.QObject):
    """The file of one session at a time."""

    _answered = QtCore.Signal(object)

    def __init__(self, page: PlayerPage, changed: Callable[[], None]) -> None:
        """changed: called when another file is shown, or none."""
        super().__init__(page)
        self._page = page
        self._changed = changed
        self._session: SessionLike | None = None
        self._asking: Future[None] | None = None
        self._asked: SubtitleFile | None = None
        self._dialogue: QtWidgets.QFileDialog | None = None
        self.shown: SubtitleFile | None = None
        self._answered.connect(self._take, QtCore.Qt.ConnectionType.QueuedConnection)

    def follow(self, session: SessionLike | None, opened_with: FileChoice | None = None) -> None:
        """Another session, or none, and the file that it shows from the start."""
        self._session = session
        self.shown = self._asked = self._asking = None
        if opened_with is not None and opened_with.path is not None:
            self.shown = SubtitleFile(opened_with.path, opened_with.offset_s)
        if self._dialogue is not None:
            self._dialogue.close()

    def choose(self, choice: FileChoice | ShiftFile | NoFile) -> None:
        """Show a file, ask for one, move the one that is shown, or show none."""
        if self._session is None:
            return
        match choice:
            case FileChoice(None):
                self._ask_for_one()
            case FileChoice(Path() as path, offset_s):
                self._show(SubtitleFile(path, offset_s))
            case ShiftFile(by_s):
                latest = self._asked if self._asking is not None else self.shown
                if latest is not None:
                    self._show(replace(latest, offset_s=round(latest.offset_s + by_s, 3)))
                else:
                    self._page.say("No subtitle file")
            case _:
                self._session.show_subtitle_file(None)
                self.shown = self._asked = self._asking = None
                self._changed()

    def _ask_for_one(self) -> None:
        """A dialogue that does not stop the picture."""
        self._dialogue = dialogue = QtWidgets.QFileDialog(self._page, "Subtitles of a file", "", PATTERNS)
        dialogue.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        dialogue.fileSelected.connect(self._selected)
        dialogue.finished.connect(self._closed)
        dialogue.open()

    def _selected(self, name: str) -> None:
        self._show(SubtitleFile(Path(name)))

    def _closed(self) -> None:
        self._dialogue = None

    def _show(self, file: SubtitleFile) -> None:
        if self._session is None:
            return
        self._asked = file
        self._asking = self._session.show_subtitle_file(file.path, file.offset_s)
        self._asking.add_done_callback(self._answered.emit)

    def _take(self, answer: Future[None]) -> None:
        if answer is not self._asking:
            return
        self._asking = None
        try:
            answer.result()
        except CancelledError:
            return
        except CushionError as exc:
            self._page.say(str(exc))
            return
        is_moved = self.shown is not None and self._asked is not None and self.shown.path == self._asked.path
        self.shown = self._asked
        if self.shown is not None:
            self._page.say(f"{self.shown.offset_s:+.1f} s" if is_moved else f"Subtitles: {self.shown.path.name}")
        self._changed()
