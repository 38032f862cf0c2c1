"""The picture drawn by a graphics card: a Qt Quick video output in a widget, so that other widgets can lie over it.

A QVideoWidget would be a window of its own on most platforms, and nothing of ours could be painted over that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from cushion_demo_app.geometry import Box
from cushion_demo_app.qt import QtCore, QtGui, QtWidgets, load_quick
from cushion_demo_app.video_sink import QtFrames
from cushion_player.outputs import VideoFrame

_QML = Path(__file__).with_name("video_output.qml")


class GpuFailed(RuntimeError):
    """The card cannot draw, or not any more; says why."""


class Picture(Protocol):
    """What a VideoSurface hands frames to when it does not paint them itself. Methods raise GpuFailed."""

    def show_frame(self, frame: VideoFrame) -> None: ...
    def place(self, box: Box) -> None: ...
    def clear(self) -> None: ...
    def remove(self) -> None:
        """Be gone; nothing else is called afterwards."""
        ...


class GpuPicture:
    """Lies in a parent widget, where it is placed; clicks go through it.

    Raises GpuFailed where there is no Qt Quick.
    """

    def __init__(self, parent: QtWidgets.QWidget) -> None:
        quick = load_quick()
        if quick is None:
            raise GpuFailed("Qt Quick cannot be loaded")
        try:
            self._frames = QtFrames()
        except RuntimeError as exc:
            raise GpuFailed(str(exc)) from exc
        self._broken = ""
        self._widget: Any = quick.QQuickWidget(parent)  # untyped: it is loaded on demand
        self._widget.setResizeMode(quick.QQuickWidget.ResizeMode.SizeRootObjectToView)
        self._widget.setClearColor(QtGui.QColor("black"))
        self._widget.setAttribute(QtCore.Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._widget.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        self._widget.sceneGraphError.connect(self._note_error)
        self._widget.setSource(QtCore.QUrl.fromLocalFile(str(_QML)))
        item = self._widget.rootObject()
        if item is None:
            why = "; ".join(error.toString() for error in self._widget.errors())
            self.remove()
            raise GpuFailed(f"the video output cannot be made: {why}")
        self._sink: Any = item.property("videoSink")
        self._is_software = type(self._widget.quickWindow().rendererInterface().graphicsApi()).Software
        self._widget.show()

    def show_frame(self, frame: VideoFrame) -> None:
        """Next on the screen."""
        if self._broken:
            raise GpuFailed(self._broken)
        if self._widget.quickWindow().rendererInterface().graphicsApi() == self._is_software:
            raise GpuFailed("Qt Quick draws without a card here, and no video")
        try:
            self._sink.setVideoFrame(self._frames.make(frame))
        except (RuntimeError, ValueError, MemoryError) as exc:
            raise GpuFailed(f"a frame cannot be handed over: {exc}") from exc

    def place(self, box: Box) -> None:
        self._widget.setGeometry(*box)

    def clear(self) -> None:
        """Black."""
        self._sink.setVideoFrame(self._frames.nothing())

    def remove(self) -> None:
        self._widget.hide()
        self._widget.deleteLater()

    def _note_error(self, _kind: object, message: str) -> None:
        self._broken = message or "the scene graph failed"
