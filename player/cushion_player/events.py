"""What the engine says: effects (the driver obeys) and notices (the world listens), in the order they were decided."""

from __future__ import annotations

from cushion_player.effects import Effect
from cushion_player.notices import Notice

Event = Effect | Notice
