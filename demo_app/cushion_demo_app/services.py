"""The parts of the sdk a run of the app owns, and how a session is made of them."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from cushion_demo_app.audio_output import QtAudioOutput, open_audio_output
from cushion_demo_app.video_surface import VideoSurface
from cushion_demo_app.wishes import PlayRequest, Wishes
from cushion_player.clock import MonotonicClock
from cushion_player.outputs import AudioOutput, MediaOutput
from cushion_sdk.backend import BackendClient
from cushion_sdk.device import DeviceStores
from cushion_sdk.runtime import Runtime
from cushion_sdk.session_types import SessionOptions
from cushion_sdk.sync_session import SyncSession

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 6.0


class AppServices:
    """Open as a context manager; leaving it closes the stores, the connections and the thread."""

    def __init__(self, server_url: str | None, device_dir: Path, options: SessionOptions) -> None:
        """server_url: None plays bare URLs only. device_dir: where this device keeps what it must remember.

        options: what every session starts from.

        Raises UsageError when `server_url` is no http(s) URL.
        """
        self.clock = MonotonicClock()
        self.runtime = Runtime()
        self.backend = BackendClient(server_url) if server_url else None
        self._options = options
        self._device_dir = device_dir
        self._stores: DeviceStores | None = None
        self._output: MediaOutput | None = None
        self._devices: list[QtAudioOutput] = []
        """Open ones. Sessions drop theirs on the runtime's thread; the last reference must go on the Qt thread."""
        self.last_session: SyncSession | None = None
        self.sounds_real = False
        """Whether the last session had an audio device."""

    def __enter__(self) -> Self:
        self._stores = DeviceStores.open(self._device_dir)
        self.runtime.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.backend is not None:
            try:
                self.runtime.submit(self.backend.close()).result(CLOSE_TIMEOUT_S)
            except TimeoutError:
                log.warning("the backend's connections did not close in time")
        self.runtime.close()
        self.stores.close()

    @property
    def stores(self) -> DeviceStores:
        """This device's stores, while open."""
        assert self._stores is not None, "services are used inside their `with`"
        return self._stores

    def media_clock_us(self) -> int:
        """The media clock of the session opened last, in µs; -1 before there is one."""
        return self._output.stats().position_us if self._output is not None else -1

    def open_session(self, surface: VideoSurface, request: PlayRequest, wishes: Wishes) -> SyncSession:
        """A session whose picture is on `surface`. On the Qt thread."""
        from cushion_player.media.hardware import devices_of
        from cushion_player.media.null_audio import NullAudioOutput
        from cushion_player.media.output import DecodedOutput

        device = open_audio_output(self.clock)
        self._devices = [each for each in self._devices if not each.is_done]
        if device is not None:
            self._devices.append(device)
        self.sounds_real = device is not None
        audio: AudioOutput = device or NullAudioOutput(self.clock)
        chosen = replace(
            self._options,
            trace=None if wishes.link == "unshaped" else wishes.link,
            start_s=request.start_s,
            volume=wishes.loudness,
            max_height_px=wishes.height_cap_px or None,
        )
        screen = surface.lend()
        self._output = output = DecodedOutput(
            screen, audio, self.clock, devices=devices_of(chosen.hardware), text_renderer=screen
        )
        self.last_session = SyncSession(
            self.runtime,
            request.source,
            chosen,
            stores=self.stores,
            output=output,
            backend=self.backend,
            clock=self.clock,
        )
        return self.last_session
