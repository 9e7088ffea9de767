"""Planted faults in calls to other hosts, in drivers made of documents, and in what is written anew. Data only."""

from tests.sabotage.planted import Planted

ADDRESSES, CLIENT = "unit/net/test_addresses.py", "unit/net/test_client.py"
HOSTILE, DOCUMENTS = "unit/scaffold/test_openapi_hostile.py", "unit/scaffold/test_openapi.py"
DRIVEN = "scenario/test_openapi_driver.py"

OF_OUTSIDE = (
    Planted(
        "nobody looks at the address of another host",
        "net/client.py",
        "    check_addresses(host, port, addresses, allowed, {plain(identity)} if identity else ())\n",
        "",
        (CLIENT, "this_machine_is_refused"),
    ),
    Planted(
        "only the first address of a host is looked at",
        "net/addresses.py",
        "    for text in texts:\n",
        "    for text in list(texts)[:1]:\n",
        (ADDRESSES, "one_refused_address"),
    ),
    Planted(
        "a host that is named may hand out secrets",
        "net/addresses.py",
        'why = _always(address, never) or ("" if named else _private(address))',
        'why = "" if named else _private(address)',
        (ADDRESSES, "though_its_name_is_allowed"),
    ),
    Planted(
        "the name is resolved once more for the call",
        "net/client.py",
        "                url.copy_with(host=address),\n",
        "                url,\n",
        (CLIENT, "resolved_once"),
    ),
    Planted(
        "a redirect takes secrets to another host",
        "net/client.py",
        "headers=hop.headers if same else {}",
        "headers=hop.headers",
        (CLIENT, "takes_no_header_along"),
    ),
    Planted(
        "a quote of a document ends a literal",
        "scaffold/openapi/naming.py",
        "    quoted = ascii(text)\n",
        "    quoted = f\"'{text}'\"\n",
        (HOSTILE, "no_text_of_a_document"),
    ),
    Planted(
        "prose of a document may hold anything",
        "scaffold/openapi/naming.py",
        '_NO_PROSE.sub(" ", plain.replace("\'", ""))',
        "plain",
        (HOSTILE, "no_text_of_a_document"),
    ),
    Planted(
        "a document may have any number of operations",
        "scaffold/openapi/operations.py",
        "        if number == ALL:\n",
        "        if number == -1:\n",
        (HOSTILE, "very_many_operations"),
    ),
    Planted(
        "a call that cannot be undone is tried again",
        "scaffold/openapi/driver.py",
        '    if operation.effect == "irreversible":\n',
        '    if operation.effect == "unknown":\n',
        (DRIVEN, "not_repeated_by_itself"),
    ),
    Planted(
        "a part of a path leads to another one",
        "scaffold/templates/openapi/client.py.tmpl",
        'return quote(text, safe="")',
        "return text",
        (DRIVEN, "stays_one_part"),
    ),
    Planted(
        "a host that only the document names may be this machine",
        "scaffold/templates/openapi/client.py.tmpl",
        "allowed=_named(own),",
        "allowed=_named(url),",
        (DRIVEN, "cannot_send_a_driver"),
    ),
    Planted(
        "a new file is written over one that is there",
        "scaffold/writing.py",
        "    if taken:\n",
        "    if taken and False:\n",
        ("unit/scaffold/test_writing.py", "never_written_over"),
    ),
)
