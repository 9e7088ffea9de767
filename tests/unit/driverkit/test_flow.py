"""The limits that a driver declares: what they may be, and what is said of wrong ones."""

from typing import Any

import pytest

from vextir_os.driverkit.decorator import MANIFEST, driver
from vextir_os.driverkit.flow import Flow, Rate
from vextir_os.errors import ManifestError, ManifestProblemsError
from vextir_os.events.event import Event
from vextir_os.registry.manifest_json import Index, decode_index, encode_index


def flow_of(**options: Any) -> Any:
    @driver("mail.send", capabilities=["mail.wanted"], **options)
    async def send(event: Event) -> None: ...

    return getattr(send, MANIFEST).flow


def test_a_driver_without_limits_has_none() -> None:
    assert flow_of() is None


@pytest.mark.parametrize(
    ("options", "flow"),
    [
        ({"concurrency": 10}, Flow(concurrency=10)),
        (
            {"concurrency": 1, "concurrency_key": "data.customer.id"},
            Flow(concurrency=1, concurrency_key="data.customer.id"),
        ),
        ({"throttle": "100/m"}, Flow(throttle=Rate(100, 60.0))),
        ({"throttle": "5/s", "throttle_key": "userid"}, Flow(throttle=Rate(5, 1.0), throttle_key="userid")),
        ({"throttle": "20/30s"}, Flow(throttle=Rate(20, 30.0))),
        ({"throttle": "1/500ms"}, Flow(throttle=Rate(1, 0.5))),
        ({"throttle": "1000/d"}, Flow(throttle=Rate(1000, 86_400.0))),
        ({"debounce": "5s"}, Flow(debounce_s=5.0, debounce_max_s=50.0)),
        (
            {"debounce": 2.5, "debounce_key": "subject", "debounce_max": "1m"},
            Flow(debounce_s=2.5, debounce_key="subject", debounce_max_s=60.0),
        ),
        ({"singleton": "skip"}, Flow(singleton="skip")),
        (
            {"singleton": "cancel_running", "singleton_key": "data.user"},
            Flow(singleton="cancel_running", singleton_key="data.user"),
        ),
    ],
)
def test_limits_are_read_as_people_write_them(options: dict[str, Any], flow: Flow) -> None:
    assert flow_of(**options) == flow


def test_the_index_carries_the_limits_of_drivers() -> None:
    @driver(
        "mail.send", capabilities=["mail.wanted"], concurrency=3, concurrency_key="data.a", throttle="5/s",
        debounce="1s", singleton="skip", singleton_key="tenantid",
    )  # fmt: skip
    async def send(event: Event) -> None: ...

    manifest = getattr(send, MANIFEST)
    index = Index(manifests=(manifest,), sources={f"drivers/{manifest.module.partition('.')[0]}": ""})
    [read] = decode_index(encode_index(index)).manifests
    assert read.flow == manifest.flow


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"concurrency": 0}, "concurrency 0 is not a whole number from 1 to 10000"),
        ({"concurrency": True}, "concurrency True is not a whole number from 1 to 10000"),
        ({"concurrency": "10"}, "concurrency '10' is not a whole number from 1 to 10000"),
        ({"concurency": 5}, "unknown option `concurency`. Did you mean `concurrency`?"),
        ({"throttle": "100"}, 'throttle \'100\' is no rate. Write throttle="100/m", "5/s" or "20/30s"'),
        ({"throttle": 100}, "throttle '100' is no rate"),
        ({"throttle": "0/m"}, "throttle '0/m' is not 1 to 10000 starts in 10 ms to 1 day"),
        ({"throttle": "5/0s"}, "throttle '5/0s' is not 1 to 10000 starts"),
        ({"throttle": "5/2d"}, "throttle '5/2d' is not 1 to 10000 starts"),
        ({"debounce": "soon"}, "debounce 'soon' is not a duration"),
        ({"debounce": 0}, "debounce 0 is not between 10 ms and 1 day"),
        ({"debounce": "5s", "debounce_max": "1s"}, "debounce_max '1s' is shorter than debounce '5s'"),
        ({"debounce_max": "1s"}, 'debounce_max is given without debounce. Write debounce="5s" too'),
        ({"singleton": "skp"}, "unknown singleton `skp`. Did you mean `skip`?"),
        ({"singleton": True}, "unknown singleton `True`. It is one of `skip`, `cancel_running`"),
        ({"concurrency_key": "data.a"}, "concurrency_key is given without concurrency"),
        ({"singleton_key": "data.a"}, "singleton_key is given without singleton"),
        (
            {"concurrency": 1, "concurrency_key": "customer"},
            "concurrency_key 'customer' names nothing of an event. Write a path such as `data.customer`",
        ),
        ({"throttle": "1/s", "throttle_key": "user_id"}, "names nothing of an event. Did you mean `userid`?"),
        ({"concurrency": 1, "concurrency_key": "data.a..b"}, "concurrency_key 'data.a..b' names nothing of an event"),
        ({"concurrency": 1, "concurrency_key": 7}, "concurrency_key '7' names nothing of an event"),
    ],
)
def test_a_wrong_limit_is_said_with_its_place(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ManifestError) as caught:
        flow_of(**options)
    assert message in str(caught.value)
    assert "driver `mail.send`" in str(caught.value)
    assert f"{__file__}:" in str(caught.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ManifestProblemsError) as caught:
        flow_of(concurrency=0, throttle="x", singleton="y")
    assert len(caught.value.problems) == 3
