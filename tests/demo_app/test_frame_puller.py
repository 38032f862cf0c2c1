"""How soon a puller comes again: at once when a picture is near, seldom when nothing has happened for long."""

from __future__ import annotations

from cushion_demo_app.frame_puller import FramePuller
from cushion_demo_app.qt import QtCore, QtWidgets
from cushion_player.outputs import VideoFrame
from cushion_player.testing.outputs import FakeFrameSource, make_frame


def wait_ms(puller: FramePuller) -> int:
    timer = puller.findChild(QtCore.QTimer)
    assert isinstance(timer, QtCore.QTimer)
    return timer.interval()


def test_a_source_without_a_frame_is_looked_at_often_at_first_and_then_seldom(
    application: QtWidgets.QApplication,
) -> None:
    puller = FramePuller(lambda _: None, application)
    source = FakeFrameSource()
    puller.attach(source)
    first_ms = wait_ms(puller)

    for _ in range(500):
        puller.pull()

    assert first_ms <= 5
    assert wait_ms(puller) >= 20
    puller.detach()
    puller.deleteLater()


def test_after_a_frame_a_source_is_looked_at_often_again(application: QtWidgets.QApplication) -> None:
    shown: list[VideoFrame] = []
    puller = FramePuller(shown.append, application)
    source = FakeFrameSource()
    puller.attach(source)
    for _ in range(500):
        puller.pull()
    source.add(make_frame(0))
    source.add(make_frame(10_000))
    source.position_us = 0

    puller.pull()
    near_ms = wait_ms(puller)
    source.position_us = 10_000
    puller.pull()

    assert [frame.time_us for frame in shown] == [0, 10_000]
    assert near_ms == 10
    assert wait_ms(puller) <= 5
    puller.detach()
    puller.deleteLater()


def test_a_frame_that_is_far_is_not_waited_for_in_one_go(application: QtWidgets.QApplication) -> None:
    puller = FramePuller(lambda _: None, application)
    source = FakeFrameSource([make_frame(5_000_000)])

    puller.attach(source)

    assert wait_ms(puller) <= 33  # a seek may come meanwhile
    puller.detach()
    puller.deleteLater()
