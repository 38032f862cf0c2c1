"""What happens at a time of the presentation beside picture and sound: events of every format as one typed value. Pure.

`listing` finds them in presentations and segments; the engine is told when they begin and end, and says when the
position is there.
"""

from cushion_player.timed.event import EventSource, TimedEvent
from cushion_player.timed.id3 import Id3Frame, read_id3
from cushion_player.timed.mark import EventMark
from cushion_player.timed.scte35 import SegmentationDescriptor, SpliceCommand, SpliceInfo, read_splice_info

__all__ = [
    "EventMark",
    "EventSource",
    "Id3Frame",
    "SegmentationDescriptor",
    "SpliceCommand",
    "SpliceInfo",
    "TimedEvent",
    "read_id3",
    "read_splice_info",
]
