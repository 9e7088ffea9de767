"""Our envelope against the reference implementation of CloudEvents in Python, in both directions."""

import json
from datetime import timedelta
from typing import Any

from cloudevents.core.bindings import http
from cloudevents.core.bindings.amqp import AMQPMessage, from_structured_event, to_binary_event
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.events.strategies import events, extensions, json_values, names, prose, times, types
from vextir_os.events.codec import decode, encode, to_dict
from vextir_os.events.codec_http import decode_http
from vextir_os.events.event import Event

objects = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), json_values, max_size=4)
foreign = st.builds(
    lambda required, optional, further: {**further, **required, **optional},
    st.fixed_dictionaries({"id": names, "source": names, "type": types, "time": times}),
    st.fixed_dictionaries({}, optional={"subject": prose, "dataschema": names, "userid": names}),
    extensions,
)


def expected(attributes: dict[str, Any], **more: Any) -> Event:
    own = {"id", "source", "type", "time", "subject", "dataschema", "userid"}
    further = {name: value for name, value in attributes.items() if name not in own}
    return Event(**{name: attributes[name] for name in own if name in attributes}, extensions=further, **more)


@given(events)
def test_what_we_write_it_reads_with_the_same_attributes_and_data(event: Event) -> None:
    found = JSONFormat().read(CloudEvent, encode(event))

    wanted = to_dict(event)
    assert found.get_data() == wanted.pop("data", None)
    attributes = found.get_attributes()
    if event.time is None:
        # It makes up a time of its own where there is none.
        attributes.pop("time")
    else:
        wanted["time"] = event.time
    assert attributes == wanted


@given(foreign, objects)
def test_what_it_writes_as_structured_http_we_read(attributes: dict[str, Any], data: dict[str, Any]) -> None:
    message = http.to_structured_event(CloudEvent({**attributes, "specversion": "1.0"}, data))

    assert decode_http(message.headers["content-type"], message.headers, message.body) == [
        expected(attributes, data=data)
    ]


@given(foreign, objects)
def test_what_it_writes_as_binary_http_we_read(attributes: dict[str, Any], data: dict[str, Any]) -> None:
    content_type = "application/json"
    message = http.to_binary_event(
        CloudEvent({**attributes, "specversion": "1.0", "datacontenttype": content_type}, data)
    )

    [event] = decode_http(content_type, message.headers, message.body)

    # In headers every value is text.
    in_text = {name: str(value) if type(value) in (int, bool) else value for name, value in attributes.items()}
    assert event == expected(in_text, data=data, datacontenttype=content_type)


@given(foreign, objects)
def test_what_it_writes_as_binary_amqp_we_read_as_a_queue_message(
    attributes: dict[str, Any], data: dict[str, Any]
) -> None:
    content_type = "application/json"
    message = to_binary_event(CloudEvent({**attributes, "specversion": "1.0", "datacontenttype": content_type}, data))

    [event] = decode(message.application_data, properties=message.application_properties, content_type=content_type)

    # An AMQP timestamp counts milliseconds.
    assert event.time is not None
    assert abs(event.time - attributes["time"]) <= timedelta(milliseconds=1)
    assert event == expected({**attributes, "time": event.time}, data=data, datacontenttype=content_type)


@given(events)
def test_what_we_put_on_the_queue_it_reads_as_structured_amqp(event: Event) -> None:
    message = AMQPMessage(
        properties={"content-type": "application/cloudevents+json"},
        application_properties={},
        application_data=encode(event),
    )

    found = from_structured_event(message)

    assert (found.get_id(), found.get_source(), found.get_type()) == (event.id, event.source, event.type)
    assert json.dumps(found.get_data()) == json.dumps(event.data)
