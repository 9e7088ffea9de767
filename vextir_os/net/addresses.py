"""Which addresses a driver may reach: public ones, and hosts that the operator names. Pure.

Refused are loopback, private, link-local, CGNAT, multicast, unspecified and reserved addresses, and IPv6 that carries
an IPv4 address (mapped, NAT64, 6to4, Teredo). Whatever is named, services of a cloud that hand out secrets are refused.
"""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from vextir_os.errors import AddressRefusedError

Address = IPv4Address | IPv6Address

# Metadata of AWS, Azure and Google; Azure's wire server; metadata of AWS over IPv6.
_NEVER = frozenset(map(ip_address, ("169.254.169.254", "168.63.129.16", "169.254.170.2", "fd00:ec2::254")))
_CARRIERS = tuple(
    map(
        IPv6Network,
        ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"),
    )
)


def check_addresses(
    host: str, port: int, texts: Collection[str], allowed: Collection[str], never: Collection[str]
) -> None:
    """Refuse a host of which any address is one that may not be reached.

    Args:
        host: Its name, as it was asked for.
        port: Its port.
        texts: Its addresses; `fe80::1%eth0` with a zone is read as well.
        allowed: Hosts that the operator names, `crm.local` or `crm.local:8080`: their addresses may be private.
        never: Hosts that are refused, whatever is allowed.

    Raises:
        AddressRefusedError: It is refused.
    """
    name = plain(host)
    if name in never:
        raise _refused(host, "it hands out secrets of this machine")
    named = bool({name, f"{name}:{port}"} & {plain(one) for one in allowed})
    for text in texts:
        address = ip_address(text.partition("%")[0])
        why = _always(address, never) or ("" if named else _private(address))
        if why:
            raise _refused(host, why)


def plain(host: str) -> str:
    """Return a host as names are compared: lower case, without the dot at its end and without brackets."""
    return host.lower().rstrip(".").removeprefix("[").removesuffix("]")


def _always(address: Address, never: Collection[str]) -> str:
    inner = {address, _carried(address)}
    if inner & _NEVER or str(address) in never:
        return f"{address} hands out secrets of this machine"
    return ""


def _private(address: Address) -> str:
    if isinstance(address, IPv6Address) and any(address in network for network in _CARRIERS):
        return f"{address} carries an address of another kind"
    local = isinstance(address, IPv6Address) and address.is_site_local
    if local or not address.is_global or address.is_multicast or address.is_reserved:
        return f"{address} is no address of the open internet"
    return ""


def _carried(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address ends in where it carries one, else the address itself."""
    if isinstance(address, IPv6Address):
        if address.sixtofour is not None:
            return address.sixtofour
        if any(address in network for network in _CARRIERS):
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _refused(host: str, why: str) -> AddressRefusedError:
    hint = "If it is meant, the operator has to name it; see the driver's README"
    return AddressRefusedError(f"{host[:200]!r} may not be reached: {why}", hint=hint)
