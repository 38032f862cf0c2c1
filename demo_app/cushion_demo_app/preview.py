"""The small picture above the seek bar, while somebody points at a time."""

from __future__ import annotations

from concurrent.futures import CancelledError, Future
from typing import Protocol

from cushion_demo_app import theme
from cushion_demo_app.qt import QtCore, QtGui, QtWidgets
from cushion_sdk.thumbnails import ThumbnailPicture

PICTURE_PX = QtCore.QSize(240, 136)
"""The most it takes."""
_FRAME_PX = 3


class HasThumbnails(Protocol):
    """A session, as far as this needs it."""

    def thumbnail(self, position_s: float) -> Future[ThumbnailPicture | None]: ...


class ThumbnailPreview(QtWidgets.QWidget):
    """Shows an image with a thin frame; clicks go through it."""

    def __init__(self, parent: QtWidgets.QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("Preview")
        self._image = QtGui.QImage()
        self.hide()

    @property
    def image(self) -> QtGui.QImage:
        """What it shows."""
        return self._image

    def show_image(self, image: QtGui.QImage, middle_x: float, bottom: int) -> None:
        """Stand on `bottom`, around `middle_x`, inside the parent."""
        self._image = image
        size = image.size().scaled(PICTURE_PX, QtCore.Qt.AspectRatioMode.KeepAspectRatio)
        self.resize(size.width() + 2 * _FRAME_PX, size.height() + 2 * _FRAME_PX)
        parent = self.parentWidget()
        assert parent is not None
        room = parent.width()
        left = min(max(round(middle_x - self.width() / 2), 4), max(4, room - self.width() - 4))
        self.move(left, bottom - self.height())
        self.show()
        self.raise_()
        self.update()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), theme.colour(theme.TEXT))
        inside = self.rect().adjusted(_FRAME_PX, _FRAME_PX, -_FRAME_PX, -_FRAME_PX)
        painter.drawImage(inside, self._image)
        painter.end()


class Peeking(QtCore.QObject):
    """Asks a session for the picture of the time that is pointed at, one at a time, the newest wish only."""

    found = QtCore.Signal(object, float)
    """A QImage for the time that is looked at, or None."""
    _answered = QtCore.Signal(object)

    def __init__(self, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        self._session: HasThumbnails | None = None
        self._wanted_s: float | None = None
        self._asked_s = 0.0
        self._asking: Future[ThumbnailPicture | None] | None = None
        self._last: ThumbnailPicture | None = None
        self._sheet: tuple[bytes, QtGui.QImage] = (b"", QtGui.QImage())
        """The encoded image decoded last, and what came out: one sheet has many thumbnails."""
        self._answered.connect(self._take, QtCore.Qt.ConnectionType.QueuedConnection)

    def follow(self, session: HasThumbnails | None) -> None:
        """Another session, or none."""
        self._session = session
        self._wanted_s = self._last = self._asking = None
        self._sheet = (b"", QtGui.QImage())

    def look_at(self, time_s: float) -> None:
        """The picture for this time, please."""
        self._wanted_s = time_s
        if self._last is not None and self._last.start_s <= time_s < self._last.end_s:
            self.found.emit(self._cut(self._last), time_s)
        elif self._asking is None:
            self._ask(time_s)

    def look_away(self) -> None:
        """Nobody looks any more."""
        self._wanted_s = None

    def _ask(self, time_s: float) -> None:
        if self._session is not None:
            self._asked_s = time_s
            self._asking = self._session.thumbnail(time_s)
            self._asking.add_done_callback(self._answered.emit)

    def _take(self, answer: Future[ThumbnailPicture | None]) -> None:
        if answer is not self._asking:
            return
        self._asking = None
        try:
            picture = answer.result()
        except CancelledError:  # the session has closed
            return
        self._last = picture or self._last
        wanted_s = self._wanted_s
        if wanted_s is None:
            return
        if picture is not None and picture.start_s <= wanted_s < picture.end_s:
            self.found.emit(self._cut(picture), wanted_s)
        elif wanted_s != self._asked_s:
            self._ask(wanted_s)
        else:
            self.found.emit(None, wanted_s)

    def _cut(self, picture: ThumbnailPicture) -> QtGui.QImage | None:
        """The picture out of its sheet; None when it is no image."""
        data, sheet = self._sheet
        if data is not picture.data:
            sheet = QtGui.QImage.fromData(picture.data)
            self._sheet = (picture.data, sheet)
        if sheet.isNull():
            return None
        if picture.crop is None:
            return sheet
        return sheet.copy(QtCore.QRect(*picture.crop.in_pixels(sheet.width(), sheet.height())))
