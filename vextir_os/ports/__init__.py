"""What the OS needs from the outside, as protocols. Adapters implement them; nothing here does any work."""
