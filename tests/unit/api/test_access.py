from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from vextir_os.api.access import LOOPBACK, door, refusal

KEY = "0123456789abcdef" * 4
DOOR = door(KEY, ["vextir.example.com"])
TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=80)
VALUE = st.one_of(TEXT, st.sampled_from(["localhost", "localhost:1", "http://localhost:1", KEY, f"Bearer {KEY}"]))


def headers(**values: str) -> Headers:
    return Headers(raw=[(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in values.items()])


@given(host=VALUE)
def test_no_host_but_those_of_the_door_is_answered_to(host: str) -> None:
    name = host.lower().rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host.lower()
    problem = refusal(DOOR, headers(host=host, x_api_key=KEY), scheme="http", with_key=True)
    assert problem is None or problem.status in {400, 421}
    assert (problem is None) <= (name in {*LOOPBACK, "vextir.example.com"})


@given(origin=VALUE)
def test_no_origin_but_the_own_one_is_let_in(origin: str) -> None:
    problem = refusal(DOOR, headers(host="localhost:1", origin=origin, x_api_key=KEY), scheme="http", with_key=True)
    assert (problem is None) == (origin.lower() == "http://localhost:1")
    assert problem is None or problem.status == 403


@given(key=VALUE)
def test_no_key_but_the_right_one_is_let_in(key: str) -> None:
    for given_key in (headers(host="localhost", x_api_key=key), headers(host="localhost", authorization=key)):
        problem = refusal(DOOR, given_key, scheme="http", with_key=True)
        right = given_key.get("x-api-key") == KEY or given_key.get("authorization", "").split()[:2] in (
            ["Bearer", KEY],
        )
        assert (problem is None) <= right
        assert problem is None or (problem.status, problem.headers["WWW-Authenticate"]) == (
            401,
            'Bearer realm="vextir"',
        )


def test_a_door_does_not_show_its_key() -> None:
    assert KEY not in repr(DOOR)
    assert "digest" not in repr(DOOR)
