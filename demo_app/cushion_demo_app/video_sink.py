"""The picture by way of the graphics card: planes go into Qt's video frames as they are, and shaders do the rest.

Who draws is chosen here too; `gpu_picture` has the widget.

For machines with a card: without one Qt does the same on the processor, at seven to ten times the cost of
`video_surface`. What a card would be given can be tested without one, by Qt's own conversion of the frame.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cushion_demo_app.qt import QtCore, QtGui, load_multimedia
from cushion_player.errors import UsageError
from cushion_player.outputs import DynamicRange, VideoFrame

if TYPE_CHECKING:
    from cushion_player.media.planes import Planes

_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader")
AUTO, RASTER, GPU = "auto", "raster", "gpu"


def gl_renderer() -> str:
    """What draws OpenGL here (GL_RENDERER); "" when nothing does. On the Qt thread, before any Qt Quick is made."""
    if sys.platform == "linux" and not _has_card():
        return ""  # loading OpenGL only to hear that the processor would draw costs a start 50 ms
    surface = QtGui.QOffscreenSurface()
    surface.create()
    context = QtGui.QOpenGLContext()
    if not surface.isValid() or not context.create() or not context.makeCurrent(surface):
        return ""
    try:
        gl_get_string = 0x1F01  # GL_RENDERER
        return str(context.functions().glGetString(gl_get_string) or "")
    finally:
        context.doneCurrent()


def _has_card() -> bool:
    """Whether Linux has a device that could draw: a DRM one, Nvidia's own, or that of WSL."""
    return any(Path("/dev").glob("dri/renderD*")) or any(Path("/dev", name).exists() for name in ("nvidia0", "dxg"))


def check_renderer(wish: str) -> None:
    """Raises UsageError for an unknown one."""
    if wish not in (AUTO, RASTER, GPU):
        raise UsageError(f"the renderer is {AUTO}, {RASTER} or {GPU}, not {wish!r}")


def choose_renderer(wish: str, renderer_name: Callable[[], str] = gl_renderer) -> str:
    """RASTER or GPU: what was wished for, or by what draws here. Raises UsageError for an unknown wish."""
    check_renderer(wish)
    if wish in (RASTER, GPU):
        return wish
    name = renderer_name().lower()
    return GPU if name and not any(word in name for word in _SOFTWARE) else RASTER


class QtFrames:
    """Makes QVideoFrames of decoded pictures. Raises RuntimeError where QtMultimedia cannot be loaded."""

    def __init__(self) -> None:
        multimedia = load_multimedia()
        if multimedia is None:
            raise RuntimeError("QtMultimedia cannot be loaded here")
        self._qt: Any = multimedia  # untyped: it is loaded on demand

    def make(self, frame: VideoFrame) -> Any:
        """A QVideoFrame with the picture's planes, colours, turning and time."""
        from cushion_player.media.planes import planes_of

        planes = planes_of(frame)
        if planes is None:
            return self._converted(frame)
        made = self._qt.QVideoFrame(self._format(frame, planes))
        self._fill(made, list(planes.rows))
        self._finish(made, frame, frame.look.rotation_deg)
        return made

    def nothing(self) -> Any:
        """A frame that clears the screen."""
        return self._qt.QVideoFrame()

    def _format(self, frame: VideoFrame, planes: Planes) -> Any:
        from cushion_player.media.planes import Matrix, PlaneLayout

        kind = self._qt.QVideoFrameFormat
        pixels = {
            PlaneLayout.I420: kind.PixelFormat.Format_YUV420P,
            PlaneLayout.I420P10: kind.PixelFormat.Format_YUV420P10,
            PlaneLayout.NV12: kind.PixelFormat.Format_NV12,
            PlaneLayout.P010: kind.PixelFormat.Format_P010,
        }
        spaces = {
            Matrix.BT601: kind.ColorSpace.ColorSpace_BT601,
            Matrix.BT709: kind.ColorSpace.ColorSpace_BT709,
            Matrix.BT2020: kind.ColorSpace.ColorSpace_BT2020,
        }
        transfers = {
            DynamicRange.SDR: kind.ColorTransfer.ColorTransfer_BT709,
            DynamicRange.PQ: kind.ColorTransfer.ColorTransfer_ST2084,
            DynamicRange.HLG: kind.ColorTransfer.ColorTransfer_STD_B67,
        }
        made = kind(QtCore.QSize(frame.width_px, frame.height_px), pixels[planes.layout])
        made.setColorSpace(spaces[planes.matrix])
        made.setColorRange(
            kind.ColorRange.ColorRange_Full if planes.is_full_range else kind.ColorRange.ColorRange_Video
        )
        made.setColorTransfer(transfers[frame.look.dynamic_range])
        if frame.look.peak_nits:
            made.setMaxLuminance(float(frame.look.peak_nits))
        return made

    def _fill(self, made: Any, planes: list[np.ndarray[Any, np.dtype[np.uint8]]]) -> None:
        """Copy row by row: Qt's rows may be longer than ours."""
        if not made.map(self._qt.QVideoFrame.MapMode.WriteOnly):
            raise RuntimeError("Qt's video frame cannot be written")
        try:
            for index, rows in enumerate(planes):
                stride = made.bytesPerLine(index)
                target = np.frombuffer(made.bits(index), dtype=np.uint8)[: stride * len(rows)]
                target.reshape(len(rows), stride)[:, : rows.shape[1]] = rows
        finally:
            made.unmap()

    def _converted(self, frame: VideoFrame) -> Any:
        from cushion_player.media.pixels import frame_to_bgra

        width_px, height_px = frame.shape_px
        pixels = frame_to_bgra(frame, width_px, height_px)
        kind = self._qt.QVideoFrameFormat
        made = self._qt.QVideoFrame(kind(QtCore.QSize(width_px, height_px), kind.PixelFormat.Format_BGRX8888))
        self._fill(made, [np.ascontiguousarray(pixels).reshape(height_px, width_px * 4)])
        self._finish(made, frame, 0)
        return made

    def _finish(self, made: Any, frame: VideoFrame, rotation_deg: int) -> None:
        turns = self._qt.QtVideo.Rotation
        named = {90: turns.Clockwise90, 180: turns.Clockwise180, 270: turns.Clockwise270}
        if rotation_deg in named:
            made.setRotation(named[rotation_deg])
        made.setStartTime(frame.time_us)
        made.setEndTime(frame.time_us + frame.duration_us)
