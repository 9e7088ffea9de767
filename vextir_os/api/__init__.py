"""The HTTP face: one ASGI app over a kernel. Importing this package imports no web framework; its modules do."""
