"""Names of OpenTelemetry's messaging conventions, in one place: they are still in development.

Source: opentelemetry.io/docs/specs/semconv/messaging, version 1.44.0; opentelemetry.io/docs/specs/semconv/cloudevents.
"""

SCHEMA_URL = "https://opentelemetry.io/schemas/1.44.0"

SYSTEM = "messaging.system"
OPERATION_NAME = "messaging.operation.name"
OPERATION_TYPE = "messaging.operation.type"
DESTINATION = "messaging.destination.name"
MESSAGE_ID = "messaging.message.id"
CONVERSATION = "messaging.message.conversation_id"
BODY_SIZE = "messaging.message.body.size"
BATCH_COUNT = "messaging.batch.message_count"
ERROR_TYPE = "error.type"

EVENT_ID = "cloudevents.event_id"
EVENT_SOURCE = "cloudevents.event_source"
EVENT_TYPE = "cloudevents.event_type"
EVENT_SUBJECT = "cloudevents.event_subject"
SPEC_VERSION = "cloudevents.event_spec_version"

VEXTIR = "vextir"
"""The messaging system of the local queue."""

DRIVER = "vextir.driver"
STATE = "vextir.run.state"
ATTEMPT = "vextir.run.attempt"
RERUN = "vextir.run.rerun"
TENANT = "vextir.tenant"
EMITTED = "vextir.run.emitted"
