"""Manifests: text in, presentation out. No I/O: what must still be fetched comes back as needs.

    result = read(text, url)
    while result.needs:                       # drivers fetch, in any order
        need = result.needs[0]
        result = resolve(result, need, body, final_url)   # or drop(result, need, "HTTP 404")
    result.presentation

and while it is live, with what `reload_url` leads to:

    refreshed = refresh(presentation, text, final_url)    # refreshed.needs as above

Only ManifestError kinds are raised, each with its place. What is tolerated is listed in `presentation.repairs`.
The reader of a format is imported with its first manifest, or by `prepare` before it: a start should not pay for the
other one.
"""

from __future__ import annotations

from fractions import Fraction
from importlib import import_module

from cushion_player.errors import ManifestError, ManifestSyntaxError
from cushion_player.manifest.guard import Notation, check_text
from cushion_player.manifest.reading import Change, Need, NeedKind, ReadResult, Refresh
from cushion_player.manifest.reading import drop as _drop
from cushion_player.model import Presentation

__all__ = [
    "Change",
    "Need",
    "NeedKind",
    "ReadResult",
    "Refresh",
    "drop",
    "later_needs",
    "prepare",
    "read",
    "refresh",
    "reload_url",
    "resolve",
]


def prepare(url: str) -> None:
    """Load the reader of what is likely at this address, so that it is there when the manifest is."""
    path = url.partition("?")[0].partition("#")[0].lower()
    for suffix, module in ((".mpd", "dash"), (".m3u8", "hls")):
        if path.endswith(suffix):
            import_module(f"{__name__}.{module}")


def read(text: str | bytes, url: str) -> ReadResult:
    """Read a manifest. `url` is where it came from (after redirects), the base of what it refers to.

    Raises ManifestSyntaxError when it is no manifest or broken beyond repair, UnsupportedManifestFeature when it
    needs what we do not do.
    """
    notation, clean = check_text(text, url)
    if notation is Notation.HLS:
        from cushion_player.manifest import hls

        return hls.read(clean, url, text)
    from cushion_player.manifest import dash

    return dash.read(clean, url, text)


def resolve(result: ReadResult, need: Need, body: bytes, url: str) -> ReadResult:
    """Go on with what was fetched for a need. `url` is where the body came from, after redirects.

    need: one of `result.needs`, or of `later_needs(result.presentation)`.
    Raises ManifestError kinds when the body does not do; `drop` then goes on without it.
    """
    if need not in result.needs and need not in later_needs(result.presentation):
        raise ManifestError(f"{need.label} is not needed", location=need.url)
    if need.kind in (NeedKind.PLAYLIST, NeedKind.ASSETS):
        from cushion_player.manifest import hls

        return hls.resolve(result, need, body, url)
    from cushion_player.manifest import dash

    return dash.resolve(result, need, body, url)


def drop(result: ReadResult, need: Need, reason: str) -> ReadResult:
    """Go on without what was needed; the repairs say so.

    Raises ManifestError with `reason` when no video and audio would be left.
    """
    if need.kind is not NeedKind.XLINK:
        return _drop(result, need, reason)
    from cushion_player.manifest import dash

    return dash.forgo(result, need, reason)


def later_needs(presentation: Presentation) -> tuple[Need, ...]:
    """What a complete presentation may still be extended by when it is wanted: remote elements of an MPD; text, images,
    I-frames of HLS."""
    if presentation.kind == "hls":
        from cushion_player.manifest import hls

        return hls.later_needs(presentation)
    from cushion_player.manifest import dash

    return dash.later_needs(presentation)


def refresh(previous: Presentation, text: str | bytes, url: str, *, representation: str = "") -> Refresh:
    """The presentation after a reload: a newer MPD, an MPD patch, or a media playlist.

    representation: the id of the one a media playlist belongs to; "" finds it by its URL.
    The very same presentation comes back, at the cost of a comparison, when the text has not changed. Where the needs
    hold a NeedKind.MANIFEST, a patch did not fit: read the whole manifest again, with `refresh`.
    Raises ManifestError kinds.
    """
    if previous.kind == "hls":
        from cushion_player.manifest import hls_refresh

        return hls_refresh.refresh(previous, text, url, representation)
    from cushion_player.manifest import dash_refresh

    if dash_refresh.is_unchanged(previous, text):
        return Refresh(previous)
    notation, clean = check_text(text, url)
    if notation is Notation.HLS:
        raise ManifestSyntaxError("this is a playlist, not an MPD", location=url)
    return dash_refresh.refresh(previous, clean, url, text)


def reload_url(presentation: Presentation, representation: str = "", *, now: Fraction | None = None) -> str:
    """Where the next version is to be had; "" when there is none to come.

    representation: whose media playlist (HLS). now: seconds since 1970 UTC, to tell whether a patch location lasts.
    """
    if presentation.kind == "hls":
        found = next(
            item
            for period in presentation.periods
            for adaptation_set in period.adaptation_sets
            for item in adaptation_set.representations
            if item.id == representation
        )
        from cushion_player.manifest import hls_refresh

        return hls_refresh.reload_url(found)
    if not presentation.is_live:
        return ""
    from cushion_player.manifest import dash_refresh

    return dash_refresh.reload_url(presentation, now)
