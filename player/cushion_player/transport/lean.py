"""httpx without its command line, whose imports (click, rich) would cost every start 40 ms of CPU.

Where its `cli` extra is missing httpx does without; here it is made to look missing while httpx is first imported.
"""

from __future__ import annotations

import sys

_COMMAND_LINE = "httpx._main"

if "httpx" not in sys.modules:
    sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment] # how Python marks a module as absent
    try:
        import httpx
    finally:
        del sys.modules[_COMMAND_LINE]
else:
    import httpx

__all__ = ["httpx"]
