"""What a driver may see of the OS: the decorator, the manifest, the context and the result."""
