"""The command `cushion`. Needs the extra: pip install cushion-sdk[cli]."""

from __future__ import annotations

import gc
import os
import sys

_YOUNG_OBJECTS = 20_000
"""A start makes a hundred thousand objects and hardly any garbage; looking among them every 700 costs a tenth of it."""


def main() -> None:
    """Entry point of the console script. Ctrl-C during the imports ends it without a word, too."""
    try:
        _main()
    except KeyboardInterrupt:
        sys.exit(130)


def _main() -> None:
    gc.set_threshold(_YOUNG_OBJECTS, 10, 10)
    # numpy's linear algebra, which no command needs, would start threads that spin for 50 ms.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from cushion_sdk.cli.root import run
    except ModuleNotFoundError as exc:
        if exc.name not in ("typer", "rich"):
            raise
        sys.stderr.write("cushion: the command needs more packages: pip install 'cushion-sdk[cli]'\n")
        sys.exit(1)
    sys.exit(run(sys.argv[1:]))
