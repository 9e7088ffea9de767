"""The event and what belongs to it: names, ids, labels, limits, JSON, wire forms, filters. Pure but for `ids.mint`."""

from vextir_os.events.codec import decode, decode_one, encode
from vextir_os.events.codec_http import decode_http
from vextir_os.events.event import Category, Event, Payload, merge_labels
from vextir_os.events.filters import EventFilter, event_row
from vextir_os.events.identity import Principal, Signer
from vextir_os.events.patterns import PatternTrie, matches

__all__ = [
    "Category",
    "Event",
    "EventFilter",
    "PatternTrie",
    "Payload",
    "Principal",
    "Signer",
    "decode",
    "decode_http",
    "decode_one",
    "encode",
    "event_row",
    "matches",
    "merge_labels",
]
