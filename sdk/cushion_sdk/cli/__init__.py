"""The command `cushion`. Needs the extra: pip install cushion-sdk[cli]."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the console script. Ctrl-C during the imports ends it without a word, too."""
    try:
        _main()
    except KeyboardInterrupt:
        sys.exit(130)


def _main() -> None:
    try:
        from cushion_sdk.cli.root import run
    except ModuleNotFoundError as exc:
        if exc.name not in ("typer", "rich"):
            raise
        sys.stderr.write("cushion: the command needs more packages: pip install 'cushion-sdk[cli]'\n")
        sys.exit(1)
    sys.exit(run(sys.argv[1:]))
