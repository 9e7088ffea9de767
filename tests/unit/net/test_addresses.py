"""Which addresses may be reached: every way that people have found around such a check is refused here."""

import pytest

from vextir_os.errors import AddressRefusedError
from vextir_os.net.addresses import check_addresses

PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "172.32.0.1", "100.128.0.1"]
PRIVATE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.1", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.1.1", "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1",
    "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "2001:db8::1", "100::1",
]  # fmt: skip
CARRIED = [
    "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "::ffff:0:127.0.0.1",
]  # fmt: skip
SECRETS = [
    "169.254.169.254", "168.63.129.16", "169.254.170.2", "fd00:ec2::254", "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_open_internet_may_be_reached(address: str) -> None:
    check_addresses("example.com", 443, [address], (), ())


@pytest.mark.parametrize("address", [*PRIVATE, *CARRIED, *SECRETS])
def test_any_other_address_is_refused(address: str) -> None:
    with pytest.raises(AddressRefusedError, match=r"'example\.com' may not be reached: .*operator has to name it"):
        check_addresses("example.com", 443, [address], (), ())


def test_one_refused_address_among_others_refuses_the_host() -> None:
    with pytest.raises(AddressRefusedError, match=r"10\.0\.0\.1 is no address of the open internet"):
        check_addresses("example.com", 443, ["93.184.216.34", "10.0.0.1"], (), ())


@pytest.mark.parametrize("allowed", ["crm.local", "CRM.local.", "crm.local:8080"])
def test_a_host_that_the_operator_names_may_be_private(allowed: str) -> None:
    check_addresses("crm.local", 8080, ["10.0.0.1", "::1"], [allowed], ())


@pytest.mark.parametrize("allowed", ["crm.local:80", "local", "*.local", "10.0.0.1", "crm.local.evil", ""])
def test_another_name_or_port_does_not_count(allowed: str) -> None:
    with pytest.raises(AddressRefusedError):
        check_addresses("crm.local", 8080, ["10.0.0.1"], [allowed], ())


@pytest.mark.parametrize("address", SECRETS)
def test_what_hands_out_secrets_is_refused_though_its_name_is_allowed(address: str) -> None:
    with pytest.raises(AddressRefusedError, match="hands out secrets of this machine"):
        check_addresses("crm.local", 80, [address], ["crm.local"], ())


@pytest.mark.parametrize(("host", "address"), [("identity.local", "127.0.0.1"), ("other.local", "127.0.0.9")])
def test_the_host_of_the_identity_endpoint_is_refused_by_name_and_by_address(host: str, address: str) -> None:
    with pytest.raises(AddressRefusedError, match="hands out secrets"):
        check_addresses(host, 80, [address], [host], {"identity.local", "127.0.0.9"})
