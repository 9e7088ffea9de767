"""Records, the writes that the protocol allows to them, and what a driver is handed while it runs."""
