"""What may set a declared agent off, and the event type by which the OS hears of it. Data and pure functions.

A trigger that fires becomes the event `agent.<slug>.<kind>` with what it brought as data; whoever asks the agent
directly publishes `agent.<slug>`. Neither depends on the trigger's arguments, which may come from the environment.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from vextir_os.errors import did_you_mean, shown

_SUFFIX = "_trigger"


class Known(NamedTuple):
    """A trigger: what it cannot do without, and what we know it to take beside that."""

    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


_BUS = ("connection", "cardinality", "is_sessions_enabled")
TRIGGERS: Mapping[str, Known] = {
    "http_trigger": Known(("route",), ("methods", "http_auth", "auth_level")),
    "timer_trigger": Known(("schedule",), ("run_on_startup", "use_monitor")),
    "queue_trigger": Known(("queue_name", "connection")),
    "blob_trigger": Known(("path", "connection"), ("source",)),
    "service_bus_queue_trigger": Known(("queue_name", "connection"), _BUS[1:]),
    "service_bus_topic_trigger": Known(("topic_name", "subscription_name", "connection"), _BUS[1:]),
    "event_grid_trigger": Known(),
    "event_hub_message_trigger": Known(("event_hub_name", "connection"), ("cardinality", "consumer_group")),
    "cosmos_db_trigger": Known(("database_name", "container_name", "connection")),
    "sql_trigger": Known(("table_name", "connection_string_setting")),
    "mysql_trigger": Known(("table_name", "connection_string_setting")),
    "kafka_trigger": Known(("topic", "broker_list")),
    "dapr_service_invocation_trigger": Known(("method_name",)),
    "dapr_binding_trigger": Known(("binding_name",)),
    "dapr_topic_trigger": Known(("pub_sub_name", "topic")),
    "generic_trigger": Known(("type",)),
    "connector_trigger": Known(),
}
"""Every trigger that an agent may have."""

REFUSED = (
    "route", "schedule", "activity_trigger", "orchestration_trigger", "entity_trigger", "warm_up_trigger",
    "assistant_skill_trigger", "mcp_tool_trigger", "mcp_resource_trigger", "mcp_prompt_trigger",
)  # fmt: skip
"""Triggers that the runtime of others has and that no agent can be set off by."""


class TriggerProblem(NamedTuple):
    """What is wrong, what to do, and where below `trigger` it stands."""

    what: str
    hint: str
    path: tuple[str, ...] = ()


def capabilities_of(slug: str, trigger: str) -> tuple[str, ...]:
    """Return the event types that an agent handles."""
    asked = f"agent.{slug.lower()}"
    return (asked, f"{asked}.{trigger.removesuffix(_SUFFIX)}") if trigger else (asked,)


def trigger_problems(kind: str, args: Mapping[str, Any], written: str) -> Iterator[TriggerProblem]:
    """Yield what is wrong with a trigger, as it is with the environment of today.

    Args:
        kind: Its type.
        args: What it is told.
        written: Its type as the file has it, for messages.
    """
    known = TRIGGERS.get(kind)
    if known is None:
        yield _unknown(kind, shown(written))
        return
    if "arg_name" in args:
        yield TriggerProblem("`arg_name` is not the author's to set", "Remove it", ("args", "arg_name"))
    for name in known.needs:
        if name in args:
            if not isinstance(args[name], str) or not args[name].strip():
                yield TriggerProblem(f"`{name}` of a {kind} is no text", "", ("args", name))
            continue
        near = did_you_mean(name, [given for given in args if given not in known.takes])
        hint = f"Rename {near.removeprefix('Did you mean ').removesuffix('?')}" if near else f"Write `{name}: …`"
        yield TriggerProblem(f"a {kind} needs `{name}`", hint, ("args",))
    schedule = args.get("schedule")
    if kind == "timer_trigger" and isinstance(schedule, str) and len(schedule.split()) not in (5, 6):
        hint = "Write five or six fields: `0 9 * * MON-FRI`"
        yield TriggerProblem("`schedule` is no cron expression", hint, ("args", "schedule"))


def _unknown(kind: str, written: str) -> TriggerProblem:
    known = ", ".join(TRIGGERS)
    if kind in REFUSED or "." in kind:
        return TriggerProblem(f"an agent cannot be set off by {written}", f"There are: {known}", ("type",))
    hint = did_you_mean(kind, TRIGGERS) or f"There are: {known}"
    return TriggerProblem(f"unknown trigger {written}", hint, ("type",))
