"""Who a policy is about: globs over users and drivers. Pure.

`*` alone is everybody. `ann` is the user ann, `agent:*` a kind and an id, `role:support` whoever has the role. In ids
`*` is any run of characters, dots included.
"""

from dataclasses import dataclass
from typing import get_args

from vextir_os.driverkit.manifest import DriverKind
from vextir_os.errors import ActionError, did_you_mean, shown
from vextir_os.events.identity import Principal, PrincipalKind
from vextir_os.policy.globs import matches_text

ANYBODY = "*"
USER_KINDS: tuple[str, ...] = (*get_args(PrincipalKind), "role")
DRIVER_KINDS: tuple[str, ...] = get_args(DriverKind)
SELECTOR_CHARS = 256
"""Characters of one selector, at most."""


@dataclass(frozen=True, slots=True)
class UserPattern:
    """Some principals. `kind` is a principal's kind, or `role`."""

    kind: str
    glob: str

    def matches(self, principal: Principal) -> bool:
        """Whether the principal is one of them."""
        if self.kind == "role":
            return self.glob in principal.roles or any(matches_text(self.glob, role) for role in principal.roles)
        return principal.kind == self.kind and matches_text(self.glob, principal.id)


@dataclass(frozen=True, slots=True)
class DriverPattern:
    """Some drivers; an empty `kind` is every kind."""

    kind: str
    glob: str

    def matches(self, driver: str, kind: str) -> bool:
        """Whether a driver, given by id and kind, is one of them."""
        return self.kind in ("", kind) and matches_text(self.glob, driver)


def parse_user(text: str) -> UserPattern | None:
    """Parse `ann`, `user:ann*`, `agent:*`, `system:sweep`, `role:support`; `*` gives None: everybody.

    A name without a kind is a user; an agent of the same name is none.

    Raises:
        ActionError: The text is empty, too long, or its kind is unknown.
    """
    kind, glob = _parse(text, "user", USER_KINDS)
    return None if text == ANYBODY else UserPattern(kind or "user", glob)


def parse_driver(text: str) -> DriverPattern | None:
    """Parse `research.agent`, `research.*`, `agent:*`; `*` gives None: any driver, and no driver at all.

    Raises:
        ActionError: The text is empty, too long, or its kind is unknown.
    """
    kind, glob = _parse(text, "driver", DRIVER_KINDS)
    return None if text == ANYBODY else DriverPattern(kind, glob)


def parse_tenant(text: str) -> str | None:
    """Parse `acme` or `eu-*`; `*` gives None: every tenant.

    Raises:
        ActionError: The text is empty, too long, or holds a colon.
    """
    _parse(text, "tenant", ())
    return None if text == ANYBODY else text


def _parse(text: str, what: str, kinds: tuple[str, ...]) -> tuple[str, str]:
    kind, colon, glob = text.partition(":") if ":" in text else ("", "", text)
    if not glob or len(text) > SELECTOR_CHARS or not text.isprintable() or text != text.strip():
        raise ActionError(
            f"{what} {shown(text)} is not a name of 1 to {SELECTOR_CHARS} visible characters",
            hint="Write a name, `*` stands for any characters",
        )
    if colon and kind not in kinds:
        known = f"The kinds are: {', '.join(kinds)}" if kinds else f"Write the {what}'s name alone"
        raise ActionError(
            f"unknown kind {shown(kind)} in {what} {shown(text)}", hint=did_you_mean(kind, kinds) or known
        )
    return kind, glob
