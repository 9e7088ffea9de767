"""The ports, implemented: one package per technology. Nothing here knows another adapter."""
