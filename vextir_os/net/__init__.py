"""The way to other hosts: http and https, to addresses that were checked, within limits."""

from vextir_os.net.client import Answer, request

__all__ = ["Answer", "request"]
