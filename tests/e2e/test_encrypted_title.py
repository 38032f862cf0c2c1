"""Encrypted titles play through the whole player: the right pictures at their times, and the sound with them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from benchmarks.encrypted import KEY, KEY_ID, PackagerMissing, package, packager
from cushion_player.keys import KeyProvider, StaticKeys
from tests.e2e.conftest import FILM
from tests.e2e.playing import watch_url

OPTIONS = ("--hls_key_uri", "key.bin", "--generate_static_live_mpd")
LATE_IN_TS = 3
"""Frames: the packager lets the clock of a transport stream begin at 100 ms, too little for a player to take it off."""
CASES = {
    "DASH, cenc": ("cenc", "mp4", "manifest.mpd"),
    "DASH, cbcs": ("cbcs", "mp4", "manifest.mpd"),
    "HLS, SAMPLE-AES in fragmented MP4": ("cbcs", "mp4", "master.m3u8"),
    "HLS, SAMPLE-AES in MPEG-TS and packed AAC": ("cbcs", "ts", "master.m3u8"),
    "HLS, AES-128": ("aes-128", "ts", "master.m3u8"),
}


def make_title(film: Path, folder: Path, scheme: str, container: str) -> None:
    try:
        packager()
    except PackagerMissing as error:
        pytest.skip(str(error))
    by_packager = "" if scheme == "aes-128" else scheme
    package(film, folder, scheme=by_packager, container=container, options=OPTIONS)
    (folder / "key.bin").write_bytes(KEY)
    if not by_packager:
        for playlist in (folder / "video.m3u8", folder / "audio.m3u8"):
            encrypt_whole(playlist)


def encrypt_whole(playlist: Path) -> None:
    """Its segments by AES-128, the media sequence number as vector."""
    text = playlist.read_text()
    for number, name in enumerate(re.findall(r"^\w+-\d+\.(?:ts|aac)$", text, re.MULTILINE)):
        data = (playlist.parent / name).read_bytes()
        padding = 16 - len(data) % 16
        encryptor = Cipher(AES(KEY), CBC(number.to_bytes(16, "big"))).encryptor()
        encrypted = encryptor.update(data + bytes([padding]) * padding) + encryptor.finalize()
        (playlist.parent / name).write_bytes(encrypted)
    playlist.write_text(text.replace("#EXTINF", '#EXT-X-KEY:METHOD=AES-128,URI="key.bin"\n#EXTINF', 1))


async def test_keys_that_rotate_are_asked_for_on_the_way(film_file: Path, tmp_path: Path) -> None:
    options = (*OPTIONS, "--crypto_period_duration", "2")
    try:
        package(film_file, tmp_path, scheme="cenc", options=options)
    except PackagerMissing as error:
        pytest.skip(str(error))
    # The packager turns key id and key by one byte a period.
    provider = StaticKeys({KEY_ID[turn:] + KEY_ID[:turn]: KEY[turn:] + KEY[:turn] for turn in range(16)})

    watched = await watch_url((tmp_path / "manifest.mpd").as_uri(), seconds=1.5, start_s=3.2, key_provider=provider)

    codes = [(frame.time_us, frame.code) for frame in watched.frames]
    assert len(codes) >= 30
    assert [code for _, code in codes] == [round(time_us / 1e6 * FILM.frame_rate) for time_us, _ in codes]
    assert watched.output is not None
    assert watched.output.frames_corrupt == 0


@pytest.mark.parametrize("case", CASES)
async def test_every_picture_of_an_encrypted_title_is_right(case: str, film_file: Path, tmp_path: Path) -> None:
    scheme, container, manifest = CASES[case]
    make_title(film_file, tmp_path, scheme, container)
    provider: KeyProvider | None = StaticKeys({KEY_ID: KEY}) if manifest.endswith("mpd") else None

    watched = await watch_url((tmp_path / manifest).as_uri(), seconds=1.5, start_s=3.2, key_provider=provider)

    late = LATE_IN_TS if container == "ts" else 0
    codes = [(frame.time_us, frame.code) for frame in watched.frames]
    assert len(codes) >= 30
    assert [code for _, code in codes] == [round(time_us / 1e6 * FILM.frame_rate) - late for time_us, _ in codes]
    assert len(watched.beep_times_us()) >= 1
    assert watched.output is not None
    assert watched.output.frames_corrupt == 0
