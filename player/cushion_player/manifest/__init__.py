"""Manifests: text in, presentation out. No I/O: what must still be fetched comes back as needs.

    result = read(text, url)
    while result.needs:                       # drivers fetch, in any order
        need = result.needs[0]
        result = resolve(result, need, body, final_url)   # or drop(result, need, "HTTP 404")
    result.presentation

Only ManifestError kinds are raised, each with its place. What is tolerated is listed in `presentation.repairs`.
"""

from __future__ import annotations

from cushion_player.errors import ManifestError
from cushion_player.manifest import dash, hls
from cushion_player.manifest.guard import Notation, check_text
from cushion_player.manifest.reading import Need, NeedKind, ReadResult, drop

__all__ = ["Need", "NeedKind", "ReadResult", "drop", "read", "resolve"]


def read(text: str | bytes, url: str) -> ReadResult:
    """Read a manifest. `url` is where it came from (after redirects), the base of what it refers to.

    Raises ManifestSyntaxError when it is no manifest or broken beyond repair, UnsupportedManifestFeature when it
    needs what we do not do.
    """
    notation, clean = check_text(text, url)
    return hls.read(clean, url, text) if notation is Notation.HLS else dash.read(clean, url)


def resolve(result: ReadResult, need: Need, body: bytes, url: str) -> ReadResult:
    """Go on with what was fetched for one of `result.needs`. `url` is where the body came from, after redirects.

    Raises ManifestError kinds when the body does not do; `drop` then goes on without it.
    """
    if need not in result.needs:
        raise ManifestError(f"{need.label} is not needed", location=need.url)
    if need.kind in (NeedKind.PLAYLIST, NeedKind.ASSETS):
        return hls.resolve(result, need, body, url)
    return dash.resolve(result, need, body, url)
