"""Which drivers there are: found on disk, indexed ahead of time, routed by event type, imported at the first event."""
