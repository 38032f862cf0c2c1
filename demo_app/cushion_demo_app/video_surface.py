"""The picture: a widget that pulls due frames and shows them, letterboxed, with the text that belongs over it.

It paints them with the CPU: scaling and colour conversion happen in one swscale pass straight to the size on screen,
and the result is painted from the very buffer swscale wrote. Without a graphics card that is 7 to 10 times cheaper than
any path over one, and it is the one that can be photographed off screen. Where there is a card, `use_gpu` hands the
frames to it; when it fails, the CPU paints on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cushion_demo_app.caption_look import CaptionLook
from cushion_demo_app.caption_painter import CaptionPainter
from cushion_demo_app.frame_puller import FramePuller
from cushion_demo_app.geometry import Box, letterbox
from cushion_demo_app.gpu_picture import GpuFailed, GpuPicture, Picture
from cushion_demo_app.qt import QtCore, QtGui, QtWidgets
from cushion_player.outputs import FrameSource, VideoFrame
from cushion_player.text import Cue

log = logging.getLogger(__name__)

ToBgra = Callable[[VideoFrame, int, int], NDArray[np.uint8]]
"""(frame, width, height) -> (height, width, 4) uint8 BGRA; rows may lie further apart than 4 × width."""


def swscale_conversion() -> ToBgra:
    """The player's own conversion, one converter with its tables kept (imported on first use: it loads PyAV)."""
    from cushion_player.media.pixels import PixelConverter

    return PixelConverter().to_bgra


def borrow_as_image(pixels: NDArray[np.uint8]) -> QtGui.QImage:
    """An image over the array's own memory: the array must live as long as the image does."""
    height, width, _ = pixels.shape
    row_bytes = pixels.strides[0]
    flat = pixels
    if not pixels.flags.c_contiguous:
        flat = np.lib.stride_tricks.as_strided(pixels, ((height - 1) * row_bytes + width * 4,), (1,))
    return QtGui.QImage(flat.data, width, height, row_bytes, QtGui.QImage.Format.Format_RGB32)


class SurfaceLease:
    """One session's right to a surface. A session that closes late cannot take the picture from the one after it."""

    def __init__(self, surface: VideoSurface) -> None:
        self._surface = surface

    def attach(self, source: FrameSource) -> None:
        if self._surface.lease is self:
            self._surface.attach(source)

    def detach(self) -> None:
        if self._surface.lease is self:
            self._surface.detach()

    def show(self, cues: tuple[Cue, ...]) -> None:
        """A TextRenderer, too."""
        if self._surface.lease is self:
            self._surface.cues_changed.emit(cues)


class _CaptionOverlay(QtWidgets.QWidget):
    """The text over a picture that somebody else draws; clicks go through it."""

    def __init__(self, surface: VideoSurface) -> None:
        super().__init__(surface)
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._surface = surface

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        self._surface.paint_captions(painter)
        painter.end()


class VideoSurface(QtWidgets.QWidget):
    """A `VideoRenderer` on the Qt thread. `attach` and `detach` may be called from any thread."""

    frame_shown = QtCore.Signal()
    """A new frame was taken and will be painted."""
    clicked = QtCore.Signal()
    double_clicked = QtCore.Signal()
    cues_changed = QtCore.Signal(object)
    """From any thread: the cues to show from now on."""

    def __init__(self, parent: QtWidgets.QWidget | None = None, convert: ToBgra | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Picture")
        self.setMouseTracking(True)
        self._convert = convert
        self.lease: SurfaceLease | None = None
        self._frame: VideoFrame | None = None
        self._pixels: NDArray[np.uint8] | None = None
        self._image: QtGui.QImage | None = None
        self._image_of: tuple[VideoFrame, int, int] | None = None
        self._puller = FramePuller(self._take, self)
        self._captions = CaptionPainter()
        self._covered_px = 0
        self._gpu: Picture | None = None
        self._overlay: _CaptionOverlay | None = None
        self.cues_changed.connect(self.show_cues)

    # ------------------------------------------------------------------ VideoRenderer

    def attach(self, source: FrameSource) -> None:
        """Start pulling from `source`, on the Qt thread."""
        self._puller.attach(source)

    def detach(self) -> None:
        """Stop pulling; the last picture stays until `clear`."""
        self._puller.detach()

    # ------------------------------------------------------------------ what others may ask

    def lend(self) -> SurfaceLease:
        """A renderer for one session; the lease before it ends here."""
        self.lease = SurfaceLease(self)
        self.detach()
        self.clear()
        return self.lease

    def use_gpu(self, make: Callable[[QtWidgets.QWidget], Picture] = GpuPicture) -> bool:
        """Have a graphics card draw from now on; False, and a line in the log, when it cannot.

        Before the window is shown: a window in use would be made anew.
        """
        try:
            self._gpu = make(self)
        except GpuFailed as exc:
            self._fall_back(exc)
            return False
        self._overlay = _CaptionOverlay(self)
        self._overlay.show()
        self._place()
        return True

    @property
    def is_on_gpu(self) -> bool:
        """Whether a graphics card draws the picture."""
        return self._gpu is not None

    @property
    def last_frame(self) -> VideoFrame | None:
        """The frame on screen."""
        return self._frame

    def picture_box(self) -> Box:
        """Where the picture lies in this widget, in device-independent pixels."""
        if self._frame is None:
            return Box(0, 0, 0, 0)
        return letterbox(*self._frame.shape_px, self.width(), self.height())

    @property
    def cues(self) -> tuple[Cue, ...]:
        """The text on screen."""
        return self._captions.cues

    def show_cues(self, cues: tuple[Cue, ...]) -> None:
        """Text over the picture, from now on; on the Qt thread."""
        self._captions.show(cues)
        self._update_captions()

    def style_captions(self, look: CaptionLook) -> None:
        """How the viewer wants text to look."""
        self._captions.style(look)
        self._update_captions()

    def cover_bottom(self, height_px: int) -> None:
        """Something lies over so much of the bottom: text keeps above it."""
        if height_px != self._covered_px:
            self._covered_px = height_px
            self._update_captions()

    def clear(self) -> None:
        """Back to black."""
        self._captions.show(())
        self._frame = None
        self._forget_image()
        if self._gpu is not None:
            self._gpu.clear()
        self._place()
        self._update_captions()
        self.update()

    # ------------------------------------------------------------------ pulling

    def pull(self) -> None:
        """Look for a frame that is due now."""
        self._puller.pull()

    def _take(self, frame: VideoFrame) -> None:
        before, self._frame = self._frame, frame
        if self._gpu is not None:
            try:
                self._gpu.show_frame(frame)
            except GpuFailed as exc:
                self._fall_back(exc)
        if self._gpu is None:
            self.update()
        elif before is None or before.shape_px != frame.shape_px:
            self._place()
        self.frame_shown.emit()

    def _fall_back(self, why: GpuFailed) -> None:
        """Paint with the CPU from now on."""
        log.warning("the graphics card does not draw the picture, the processor does: %s", why)
        if self._gpu is not None:
            self._gpu.remove()
            self._gpu = None
        if self._overlay is not None:
            self._overlay.hide()
            self._overlay.deleteLater()
            self._overlay = None
        self.update()

    def _place(self) -> None:
        """The card's picture where the letterbox has it, its captions over all of this widget."""
        if self._gpu is None:
            return
        box = self.picture_box()
        self._gpu.place(box if box.width else Box(0, 0, self.width(), self.height()))
        if self._overlay is not None:
            self._overlay.setGeometry(self.rect())
            self._overlay.raise_()
        self.update()

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        self._place()

    # ------------------------------------------------------------------ painting

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        box = self.picture_box()
        if self._frame is None or not box.width or self._gpu is not None:
            painter.fillRect(self.rect(), QtCore.Qt.GlobalColor.black)
        else:
            self._fill_around(painter, box)
            image = self._image_for(self._frame, box)
            painter.drawImage(QtCore.QRect(*box), image)
            self.paint_captions(painter)
        painter.end()

    def paint_captions(self, painter: QtGui.QPainter) -> None:
        """The text, in coordinates of this widget."""
        if self._frame is not None:
            box = self.picture_box()
            below_px = self.height() - box.y - box.height
            self._captions.paint(painter, box, max(0, self._covered_px - below_px))

    def _update_captions(self) -> None:
        if self._overlay is not None:
            self._overlay.update()
        else:
            self.update()

    def _fill_around(self, painter: QtGui.QPainter, box: Box) -> None:
        black = QtCore.Qt.GlobalColor.black
        if box.y:
            painter.fillRect(0, 0, self.width(), box.y, black)
            painter.fillRect(0, box.y + box.height, self.width(), self.height() - box.y - box.height, black)
        if box.x:
            painter.fillRect(0, box.y, box.x, box.height, black)
            painter.fillRect(box.x + box.width, box.y, self.width() - box.x - box.width, box.height, black)

    def _image_for(self, frame: VideoFrame, box: Box) -> QtGui.QImage:
        ratio = self.devicePixelRatioF()
        width, height = max(1, round(box.width * ratio)), max(1, round(box.height * ratio))
        made_of = self._image_of
        if self._image is None or made_of is None or made_of[0] is not frame or made_of[1:] != (width, height):
            self._forget_image()
            if self._convert is None:
                self._convert = swscale_conversion()
            self._pixels = self._convert(frame, width, height)
            self._image = borrow_as_image(self._pixels)
            self._image_of = (frame, width, height)
        return self._image

    def _forget_image(self) -> None:
        self._image = None
        self._image_of = None
        self._pixels = None

    # ------------------------------------------------------------------ mouse

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        if event.button() is QtCore.Qt.MouseButton.LeftButton:
            self.clicked.emit()

    def mouseDoubleClickEvent(self, event: QtGui.QMouseEvent) -> None:
        if event.button() is QtCore.Qt.MouseButton.LeftButton:
            self.double_clicked.emit()
