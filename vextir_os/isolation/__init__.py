"""How a driver that is not `inline` runs: on a thread of its own, or in a process that the OS limits and can end."""
