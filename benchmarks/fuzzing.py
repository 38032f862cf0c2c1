"""How a fuzzer of bytes is run (atheris): its first inputs, its words, its limits, where it leaves what it found."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

MEMORY_LIMIT_MB = 1024
ARTIFACTS = Path("out/fuzz")


def fuzz(
    one_input: Callable[[bytes], None],
    seconds: int,
    *,
    seeds: Iterable[bytes],
    words: str,
    max_input_bytes: int,
    artifacts: str = "",
) -> None:
    """Never returns: the fuzzer ends the process, with status 0 when nothing broke.

    words: what inputs are made of, separated by spaces: hints. artifacts: what the names of inputs that broke
    something begin with.
    """
    atheris: Any = import_module("atheris")  # not installed everywhere, and without types
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="cushion-fuzz-"))
    corpus = folder / "corpus"
    corpus.mkdir()
    for index, seed in enumerate(seeds):
        (corpus / f"seed-{index}").write_bytes(seed)
    dictionary = folder / "words"
    dictionary.write_text("".join(f'"{_escaped(word)}"\n' for word in words.split()), encoding="ascii")
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={max_input_bytes}",
        f"-rss_limit_mb={MEMORY_LIMIT_MB}",
        "-timeout=10",
        "-print_final_stats=1",
        f"-dict={dictionary}",
        f"-artifact_prefix={ARTIFACTS}/{artifacts}",
        str(corpus),
    ]
    atheris.Setup([sys.argv[0], *options], one_input)
    atheris.Fuzz()


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace('"', '\\"')
