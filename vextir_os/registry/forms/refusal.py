"""How validators of the models of YAML forms say what is wrong. Imports pydantic: only the models import it."""

from pydantic_core import PydanticCustomError

from vextir_os.registry.forms.fitting import PROBLEM


def refusal(what: str, hint: str = "") -> PydanticCustomError:
    """Return the error for a value: `` `timeout` `-5` `` + what, and what to do."""
    return PydanticCustomError(PROBLEM, "{what}", {"what": what, "hint": hint})
