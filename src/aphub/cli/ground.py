"""What every verb stands on: the hub in its folder, and the provider whose desk is meant."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from aphub.hub import Hub
    from aphub.services.desk import Desk

_DAYS = ("%Y-%m-%d", "%d/%m/%Y", "%d/%m/%y", "%d %B %Y", "%d %b %Y")


class Day(click.ParamType[datetime]):
    """A day as people in England write it: 2026-03-03, 03/03/2026, 3 March 2026; the day comes first."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it, or say how to write it."""
        if isinstance(value, datetime):
            return value
        for form in _DAYS:
            with suppress(ValueError):
                return datetime.strptime(value.strip(), form)  # noqa: DTZ007 - a calendar day has no zone
        return self.fail(f"'{value}' is no day. Write it like 2026-03-03 or 3 March 2026.", param, ctx)


DAY = Day()
F = TypeVar("F", bound=Callable[..., Any])

DONE, NEEDS_A_PERSON, USED_WRONGLY = 0, 1, 2
"""The exit status: whose turn it is."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The hub's folder and the provider, as given before the verb."""

    home: Path
    provider: str

    @contextmanager
    def hub(self, *, says_all: bool = False) -> Iterator["Hub"]:
        """Open the hub; a played day's too, at its own time, so that people can look around in it.

        Log lines for engineers come from what `says_all`; other verbs answer in their own words, and log trouble only.
        """
        from aphub import logs  # noqa: PLC0415 - the whole house: only for verbs that need it
        from aphub.hub import open_hub  # noqa: PLC0415 - likewise

        hub = open_hub(self.home, allow_simulated=True)
        if not says_all and hub.settings.log_level == "info":
            logs.set_up("warning", as_json=hub.settings.log_format == "json")
        try:
            yield hub
        finally:
            hub.close()

    @contextmanager
    def desk(self) -> Iterator["Desk"]:
        """Open the hub at the desk of the provider that was named, or of the only one."""
        with self.hub() as hub:
            yield hub.desk(self.provider)

    @contextmanager
    def desks(self) -> Iterator[list["Desk"]]:
        """Open the hub at every provider's desk, or at the one that was named."""
        with self.hub() as hub:
            yield [hub.desk(self.provider)] if self.provider else hub.desks()

    @contextmanager
    def desk_of(self, reference: str) -> Iterator["Desk"]:
        """Open the hub at the desk of the provider that was named, or whose reference this is."""
        from aphub.domain.errors import AphubError  # noqa: PLC0415 - likewise
        from aphub.services.whose import desk_with  # noqa: PLC0415 - the whole house: only for verbs that need it

        with self.hub() as hub:
            if self.provider:
                yield hub.desk(self.provider)
                return
            desks = hub.desks()
            found = desk_with(desks, reference)
            if found is None and len(desks) > 1:
                raise AphubError(
                    "None of the providers here has anything by this reference.",
                    "",
                    f"Check it, or name the provider: --provider {desks[0].slug}",
                )
            yield found or hub.desk()


def by_option(*, needed: bool = False) -> Callable[[F], F]:
    """Give a verb `--by`: whose word it is. Where two people are needed, the name must be typed."""
    words = "Your name, and role after a comma."
    if needed:
        return click.option("--by", metavar="NAME", help=words, callback=_whose_word)
    return click.option(
        "--by",
        default=_signed_in_as,
        envvar="APHUB_BY",
        metavar="NAME",
        help=f"{words} Default: who is signed in.",
    )


def _whose_word(ctx: click.Context, _: click.Parameter, value: str | None) -> str:
    """Ask for a name where nothing but a name will do."""
    if value is None and not ctx.resilient_parsing:
        raise click.UsageError('We need the name of whoever does this. Add: --by "Your name, role"', ctx)
    return value or ""


def _signed_in_as() -> str:
    """Name whoever is signed in on this machine."""
    import getpass  # noqa: PLC0415 - it is slow to load, and few verbs ask

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
