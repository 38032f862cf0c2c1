"""The text of a WebVTT cue (sections 4.2.2 and 6.4): tags, entities, ruby, times within."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from typing import Final, NamedTuple

from cushion_player.text.cue import PLAIN, Span, Style
from cushion_player.text.vtt_style import Element, Rule, default_class_changes, styled

MAX_DEPTH: Final = 32
"""Tags nested deeper change nothing more."""
TIMESTAMP: Final = r"(?:([0-9]{1,6}):)?([0-9]{1,2}):([0-9]{1,2})[.,]([0-9]{1,9})"
_TOKEN: Final = re.compile(r"<([^<>]*)>?")
_TIME: Final = re.compile(TIMESTAMP)
_TAG: Final = re.compile(r"(/?)([A-Za-z]*)((?:\.[^\s.]*)*)(?:\s+(.*))?", re.DOTALL)
_KNOWN: Final = frozenset({"b", "i", "u", "c", "v", "lang", "ruby", "rt"})


class _Open(NamedTuple):
    """An open tag and what holds inside it."""

    tag: str
    style: Style
    voice: str
    language: str


def clock_us(hours: str | None, minutes: str, seconds: str, fraction: str) -> int:
    """A time in µs from the groups of TIMESTAMP."""
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1_000_000 + int(fraction[:6].ljust(6, "0"))


def read_cue_text(text: str, rules: Sequence[Rule] = (), cue_id: str = "") -> tuple[Span, ...]:
    """The runs of a cue's text. Tags that are not known are passed over, their content stays."""
    base = styled(PLAIN, Element(id=cue_id), rules) if rules else PLAIN
    if "<" not in text:
        return (Span(unescape(text) if "&" in text else text, base),)
    return _Reader(rules, base).read(text)


class _Reader:
    def __init__(self, rules: Sequence[Rule], base: Style) -> None:
        self.rules = rules
        self.spans: list[Span] = []
        self.stack = [_Open("", base, "", "")]
        self.after_us: int | None = None
        self.ruby_from = 0
        """Index of the first span that the next ruby text belongs to."""
        self.ruby_text: list[str] | None = None

    def read(self, text: str) -> tuple[Span, ...]:
        at = 0
        for token in _TOKEN.finditer(text):
            self.add(text[at : token.start()])
            at = token.end()
            self.tag(token[1])
        self.add(text[at:])
        self.end_ruby_text()
        return tuple(self.spans)

    def add(self, text: str) -> None:
        if not text:
            return
        if "&" in text:
            text = unescape(text)
        if self.ruby_text is not None:
            self.ruby_text.append(text)
            return
        _, style, voice, language = self.stack[-1]
        self.spans.append(Span(text, style, "", voice, language, self.after_us))

    def tag(self, inside: str) -> None:
        time = _TIME.fullmatch(inside)
        if time is not None:
            self.after_us = clock_us(*time.groups())
            return
        found = _TAG.fullmatch(inside)
        if found is None or found[2] not in _KNOWN:
            return
        if found[1]:
            self.close(found[2])
        elif len(self.stack) <= MAX_DEPTH:
            self.open(found[2], found[3], unescape(found[4] or "").strip())

    def open(self, tag: str, dotted: str, annotation: str) -> None:
        if tag == "rt":
            if any(each.tag == "ruby" for each in self.stack):
                self.ruby_text = []
                self.stack.append(self.stack[-1]._replace(tag="rt"))
            return
        outer = self.stack[-1]
        classes = tuple([name for name in dotted.split(".") if name])
        voice = annotation if tag == "v" else outer.voice
        language = annotation if tag == "lang" else outer.language
        style = outer.style._replace(
            bold=outer.style.bold or tag == "b",
            italic=outer.style.italic or tag == "i",
            underline=outer.style.underline or tag == "u",
        )
        changes = default_class_changes(classes)
        if changes:
            style = style._replace(**changes)
        if self.rules:
            style = styled(style, Element(tag, classes, "", voice, language), self.rules)
        if tag == "ruby":
            self.ruby_from = len(self.spans)
        self.stack.append(_Open(tag, style, voice, language))

    def close(self, tag: str) -> None:
        """An end tag closes what is open innermost; `</ruby>` also an open `<rt>`."""
        if self.stack[-1].tag == "rt" and tag in ("rt", "ruby"):
            self.end_ruby_text()
            self.stack.pop()
        if tag != "rt" and self.stack[-1].tag == tag:
            self.stack.pop()

    def end_ruby_text(self) -> None:
        if self.ruby_text is None:
            return
        text, self.ruby_text = "".join(self.ruby_text), None
        spans = self.spans
        if spans[self.ruby_from :]:
            whole = "".join([span.text for span in spans[self.ruby_from :]])
            spans[self.ruby_from :] = [spans[self.ruby_from]._replace(text=whole, ruby=text)]
        self.ruby_from = len(spans)
