"""The event and what belongs to it: names, ids, labels, limits, JSON. Pure but for `ids.mint`."""
