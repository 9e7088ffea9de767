"""The event and what belongs to it: names, ids, labels, limits, JSON, wire forms, filters. Pure but for `ids.mint`.

What stands here is what most need; `codec`, `codec_http`, `filters` and `patterns` are imported by those who use them.
"""

from vextir_os.events.event import Category, Event, Payload, merge_labels
from vextir_os.events.identity import Principal

__all__ = ["Category", "Event", "Payload", "Principal", "merge_labels"]
