"""Running the OS in one process on this machine."""
