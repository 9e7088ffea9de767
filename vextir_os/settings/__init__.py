"""Settings: read once from the project's file and the environment, checked as a whole, handed down as one value."""

from vextir_os.settings.model import STDERR, Settings
from vextir_os.settings.sources import load_settings

__all__ = ["STDERR", "Settings", "load_settings"]
