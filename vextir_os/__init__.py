"""Vextir OS: an event-processing operating system for AI agents.

Importing this package imports no cloud, model or web SDK and no driver.
"""

__version__ = "0.1.0"
