"""Traces from and to files: the only module here that touches a disk."""

from __future__ import annotations

from pathlib import Path

from cushion_traces.formats import read, write
from cushion_traces.trace import Trace, TraceError

LIMIT_BYTES = 64 * 1024 * 1024


def read_trace(path: Path) -> Trace:
    """Read a trace file in any known format. Raises TraceError, which names the file and the place in it."""
    try:
        if path.stat().st_size > LIMIT_BYTES:
            raise TraceError(f"{path}: larger than {LIMIT_BYTES} bytes, so hardly a trace")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise TraceError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise TraceError(f"{path}: not text", location=f"byte {error.start}") from error
    try:
        return read(text)
    except TraceError as error:
        raise TraceError(f"{path}: {error}") from error


def write_trace(trace: Trace, path: Path, format_name: str) -> None:
    """Write a trace file. Raises TraceError when the format is unknown or the file cannot be written."""
    text = write(trace, format_name)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise TraceError(f"{path}: cannot be written: {error.strerror or error}") from error
