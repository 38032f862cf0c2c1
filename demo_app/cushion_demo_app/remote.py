"""What a viewer may ask of the session that plays: each wish becomes a verb, once it makes sense.

Here nothing is opened, closed or shown but passing words; `PlayerController` does that.
"""

from __future__ import annotations

from dataclasses import replace

from cushion_demo_app.caption_look import CaptionLook, next_size
from cushion_demo_app.menus import next_sound, next_speed, next_text
from cushion_demo_app.player_page import PlayerPage
from cushion_demo_app.presenting import SeekTarget, is_at_edge
from cushion_demo_app.preview import Peeking
from cushion_demo_app.qt import QtCore
from cushion_demo_app.session_port import SessionLike
from cushion_demo_app.subtitle_file import SubtitleFileChooser
from cushion_demo_app.wishes import (
    Choice,
    FileChoice,
    LinkChoice,
    LookChoice,
    NoFile,
    QualityChoice,
    ShiftFile,
    SoundChoice,
    SpeedChoice,
    TextChoice,
    Wishes,
)
from cushion_demo_app.wording import speed_text, track_name
from cushion_player.player import InterstitialSnapshot
from cushion_sdk.session_types import SessionSnapshot, SessionState

SCRUB_MS = 120
"""Between two places that are shown while the handle of the seek bar moves."""


class Remote(QtCore.QObject):
    """The verbs of one page, for one session at a time."""

    wishes_changed = QtCore.Signal(object)

    def __init__(self, page: PlayerPage, wishes: Wishes) -> None:
        super().__init__(page)
        self.page = page
        self.wishes = wishes
        self._session: SessionLike | None = None
        self._wants_to_play = True
        self._problem_shown = False
        """Playback has failed and the page says so: nothing can be asked of it any more."""
        self._target = SeekTarget()
        self._file = SubtitleFileChooser(page, self.poll)
        self._peeking = Peeking(self)
        self._scrub_to_s: float | None = None
        self._scrub_timer = QtCore.QTimer(self)
        """Runs while the viewer scrubs."""
        self._scrub_timer.setInterval(SCRUB_MS)
        self._scrub_timer.timeout.connect(self._scrub_on)
        page.surface.style_captions(wishes.text)
        self._connect_verbs()

    def _connect_verbs(self) -> None:
        page = self.page
        page.play_toggled.connect(self.toggle_play)
        page.seek_requested.connect(self.seek)
        page.seek_by_requested.connect(self.seek_by)
        page.seek_to_share_requested.connect(self.seek_to_share)
        page.live_requested.connect(self.go_live)
        page.skip_requested.connect(self.skip)
        page.step_requested.connect(self.step)
        page.mute_toggled.connect(self.toggle_mute)
        page.volume_requested.connect(self.set_volume)
        page.volume_by_requested.connect(self.change_volume)
        page.chosen.connect(self.choose)
        page.speed_step_requested.connect(self.step_speed)
        page.text_size_step_requested.connect(self.step_text_size)
        page.loop_toggled.connect(self.toggle_loop)
        page.next_subtitles_requested.connect(self.next_subtitles)
        page.next_sound_requested.connect(self.next_sound)
        page.control_bar.seek_bar.dragged.connect(self.scrub)
        page.control_bar.seek_bar.looked_at.connect(self._look_at)
        page.control_bar.seek_bar.looked_away.connect(self._look_away)
        self._peeking.found.connect(page.show_preview)

    def poll(self) -> None:
        """Read the session and show it."""
        raise NotImplementedError

    def _follow(self, session: SessionLike | None, file: FileChoice | None = None) -> None:
        """What plays from now on, or None, and the file of subtitles it was opened with."""
        self._session = session
        self._scrub_timer.stop()
        self._target.forget()
        self._problem_shown = False
        self._file.follow(session, file)
        self._peeking.follow(session)

    def toggle_play(self) -> None:
        if self._session is None or self._problem_shown:
            return
        if self._session.snapshot().state is SessionState.ENDED:
            self._wants_to_play = True
            self.seek(0.0)
        else:
            self._wants_to_play = not self._wants_to_play
        if self._wants_to_play:
            self._session.play()
        else:
            self._session.pause()
        self.poll()

    def seek(self, position_s: float) -> None:
        """Go to a time; kept inside the title, or inside the window of a live one."""
        now = self._now()
        if self._session is None or now is None or not self._may_move(now.interstitial):
            return
        if now.is_live:
            target_s = max(now.window_start_s, min(position_s, now.window_end_s))
        else:
            target_s = max(0.0, min(position_s, now.duration_s) if now.duration_s else position_s)
        self._target.set(target_s)
        self._session.seek(target_s)
        if self._scrub_timer.isActive():
            self._end_scrubbing()
        self.poll()

    def scrub(self, position_s: float) -> None:
        """The handle of the bar is on its way: show what is there, a few times a second, until a seek ends it."""
        now = self._now()
        if self._session is None or now is None or now.interstitial is not None:
            return
        self._scrub_to_s = position_s
        if not self._scrub_timer.isActive():
            self._session.set_scrubbing(True)
            self._scrub_timer.start()
            self._scrub_on()

    def _scrub_on(self) -> None:
        """The newest place only; nothing while the handle rests."""
        target_s, self._scrub_to_s = self._scrub_to_s, None
        if self._session is not None and target_s is not None:
            self._session.seek(target_s)

    def _end_scrubbing(self) -> None:
        self._scrub_timer.stop()
        self._scrub_to_s = None
        if self._session is not None:
            self._session.set_scrubbing(False)

    def seek_by(self, seconds: float) -> None:
        """Go on or back from where we are, or from where we are just going."""
        now = self._now()
        if now is None:
            return
        if now.is_live and seconds > 0 and is_at_edge(now) and not self._target.is_set:
            self.page.say("Live")
            return
        if self._may_move(now.interstitial):
            self.page.say(f"{seconds:+g} s")
            self.seek(self._target.shown_position(now) + seconds)

    def seek_to_share(self, share: float) -> None:
        """Go to a share of the title, 0 to 1; of a live one, of its window, and 1 is live."""
        now = self._now()
        if now is None:
            return
        if now.is_live and share >= 1.0:
            self.go_live()
        elif now.is_live:
            self.seek(now.window_start_s + (now.window_end_s - now.window_start_s) * share)
        else:
            self.seek(now.duration_s * share)

    def go_live(self) -> None:
        """Near to the live edge, and on from there."""
        now = self._now()
        if self._session is None or now is None or not now.is_live or not self._may_move(now.interstitial):
            return
        self._target.forget()
        self._session.seek_to_live()
        if not self._wants_to_play:
            self.toggle_play()
        self.page.say("Live")

    def skip(self) -> None:
        """Leave what plays in between, when it allows that."""
        now = self._now()
        if self._session is None or now is None or now.interstitial is None:
            return
        if now.interstitial.may_skip:
            self._session.skip_interstitial()
        else:
            self.page.say("This cannot be skipped")

    def step(self, frames: int) -> None:
        """Pause, and show a picture further on or back."""
        if self._session is None or self._problem_shown:
            return
        self._wants_to_play = False
        self._target.forget()
        self._session.step(frames)
        self.poll()

    def toggle_mute(self) -> None:
        self._wish(muted=not self.wishes.muted)
        self.page.say("Sound off" if self.wishes.muted else "Sound on")

    def set_volume(self, volume: float) -> None:
        self._wish(volume=max(0.0, min(1.0, volume)), muted=False)

    def change_volume(self, by: float) -> None:
        self.set_volume(self.wishes.volume + by)
        self.page.say(f"Volume {round(self.wishes.volume * 100)} %")

    def step_speed(self, step: int) -> None:
        """One faster (1) or slower (-1)."""
        self._wish(speed=next_speed(self.wishes.speed, step))
        self.page.say(speed_text(self.wishes.speed))

    def step_text_size(self, step: int) -> None:
        """Subtitles one size larger (1) or smaller (-1)."""
        self._wish(text=replace(self.wishes.text, size=next_size(self.wishes.text.size, step)))
        self.page.say(f"Subtitles {round(self.wishes.text.size * 100)} %")

    def toggle_loop(self) -> None:
        """Play the title over and over, or to its end."""
        if self._session is None:
            return
        self._wish(loops=not self.wishes.loops)
        if self.wishes.loops:
            self._session.set_loop()
        else:
            self._session.end_loop()
        self.page.say("Over and over" if self.wishes.loops else "To the end")

    def choose(self, choice: Choice) -> None:
        """What was chosen in a menu."""
        session = self._session
        match choice:
            case QualityChoice(height_cap_px, pinned_rung):
                self._wish(height_cap_px=height_cap_px, pinned_rung=pinned_rung)
            case LookChoice(look):
                self._wish(text=look)
            case SpeedChoice(speed):
                self._wish(speed=speed)
            case LinkChoice(name):
                self._wish(link=name)
            case FileChoice() | ShiftFile() | NoFile():
                self._file.choose(choice)
            case SoundChoice(key) if session is not None:
                session.select_audio(key)
            case TextChoice(key, service) if session is not None:
                session.select_captions(service or None)
                session.select_text(key or None)
            case _:
                pass
        self.poll()

    def next_subtitles(self) -> None:
        """The next subtitles of the title; after the last, none. Where it has none, those of a file are put away."""
        now = self._now()
        if self._session is None or now is None:
            return
        choice = next_text(now)
        if choice is None and self._file.shown is not None:
            self._file.choose(NoFile())
            self.page.say("Subtitles off")
            return
        if choice is None:
            self.page.say("No subtitles")
            return
        self._session.select_text(choice.key or None)
        name = next((track_name(track) for track in now.tracks if track.key == choice.key), "")
        self.page.say(f"Subtitles: {name}" if name else "Subtitles off")

    def next_sound(self) -> None:
        """The next language or commentary; after the last, the first."""
        now = self._now()
        if self._session is None or now is None:
            return
        choice = next_sound(now)
        if choice is None:
            self.page.say("No other sound")
            return
        self._session.select_audio(choice.key)
        name = next((track_name(track) for track in now.tracks if track.key == choice.key), "")
        self.page.say(f"Sound: {name}")

    def _now(self) -> SessionSnapshot | None:
        """What plays, while it can still be told something."""
        return self._session.snapshot() if self._session is not None and not self._problem_shown else None

    def _may_move(self, between: InterstitialSnapshot | None) -> bool:
        """Whether a seek may leave what plays in between."""
        if between is None or between.may_skip:
            return True
        self.page.say("This cannot be skipped")
        return False

    def _look_at(self, time_s: float) -> None:
        now = self._now()
        if now is not None and now.has_thumbnails and now.interstitial is None:
            self._peeking.look_at(time_s)

    def _look_away(self) -> None:
        self._peeking.look_away()
        self.page.preview.hide()

    def _wish(self, **changes: float | bool | str | CaptionLook | None) -> None:
        before = self.wishes
        self.wishes = now = replace(before, **changes)  # type: ignore[arg-type]  # each caller passes its own field
        self.page.surface.style_captions(now.text)
        if self._session is not None:
            if now.loudness != before.loudness:
                self._session.set_volume(now.loudness)
            if now.limits != before.limits:
                self._session.set_limits(now.limits)
            if now.link != before.link:
                self._session.set_trace(now.link)
            if now.speed != before.speed:
                self._session.set_rate(now.speed)
            self.poll()
        self.wishes_changed.emit(now)
