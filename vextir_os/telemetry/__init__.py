"""What an operator sees: metrics, log lines, traces. Hangs on the observers; no event waits for any of it."""
