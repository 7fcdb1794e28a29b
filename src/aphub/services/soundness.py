"""What is wrong with ways before anything goes by them: secrets that are not stored, keys and certificates that do not serve.

Nothing here talks to a far side; that is what `check` is for. What is found is said by `apply`, and stops nothing: reports
go by the next way, or wait, and say that they are late.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import SecretStr, ValidationError

from aphub.domain.errors import AphubError
from aphub.plugins import Plugins
from aphub.services.routes import Route, Routes
from aphub.settings.load import SECRET
from aphub.settings.models import Snapshot

SHOWN = 3
"""How many of the schools behind a connection are named; a mail server has them all."""
Secret = Callable[[str], SecretStr]


@dataclass(frozen=True, slots=True)
class Unsound:
    """One thing that is wrong: with what, which setting, and what to do, in one sentence or two."""

    about: str
    words: str


def filled(value: Any, secret: Secret) -> Any:
    """Give settings with each `secret:NAME` replaced by the secret of that name, however deep it stands.

    Raises:
        AphubError: One is not stored.
    """
    if isinstance(value, str) and value.startswith(SECRET):
        return secret(value.removeprefix(SECRET))
    if isinstance(value, Mapping):
        return {key: filled(one, secret) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(filled(one, secret) for one in value)
    return value


def references(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Name each setting that refers to a secret, and the secret."""
    if isinstance(value, str) and value.startswith(SECRET):
        yield where, value.removeprefix(SECRET)
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from references(one, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list | tuple):
        for number, one in enumerate(value):
            yield from references(one, f"{where}.{number}")


def unsound(
    config: Snapshot,
    plugins: Plugins,
    secret: Secret,
    ends: Mapping[str, date | None],
    now: datetime,
    *,
    can_be_called: bool,
) -> Iterator[Unsound]:
    """Say what is wrong with a provider's connections and ways; `ends` says until when secrets are good."""
    ways = Routes(config, plugins).everything()
    for name, connection in config.provider.connections.items():
        adapter = plugins.adapters.get(connection.adapter)
        if adapter is None:
            continue
        about = f"connection {name}"
        carries = _carries([way for way in ways if way.connection == name])
        missing = False
        for setting, wanted in references(connection.settings()):
            try:
                secret(wanted)
            except AphubError:
                missing = True
                words = f"its {setting}, the secret '{wanted}', is not stored. Run: aphub secret set {wanted}"
                yield Unsound(about, f"{words}{carries}")
                continue
            end = ends.get(wanted)
            if end is not None and end <= now.date():
                words = f"its {setting}, the secret '{wanted}', ended on {end:%d/%m/%Y}. Get a new one, then run: "
                yield Unsound(about, f"{words}aphub secret set {wanted}{carries}")
        if missing:
            continue
        for words in _complaints(adapter.connection_class, filled(connection.settings(), secret), now):
            yield Unsound(about, f"{words}{carries}")
    for way in ways:
        about = f"{way.organisation} {way.channel}"
        whys = (*way.settings.complaints(now), way.settings.lacks(way.connection_settings, now))
        yield from (Unsound(about, words) for words in whys if words)
        if way.connection_settings.wants_calls() and not can_be_called:
            yield Unsound(about, "their system is to call us back, and [callbacks] is missing in hub.toml")


def _complaints(model: type[Any], settings: dict[str, Any], now: datetime) -> tuple[str, ...]:
    """Look at settings with their secrets in them; no word of a secret is repeated."""
    try:
        found: tuple[str, ...] = model(**settings).complaints(now)
    except ValidationError as exc:
        return tuple(
            f"{'.'.join(str(part) for part in error['loc']) or 'its settings'}: "
            f"{error['msg'].removeprefix('Value error, ')}"
            for error in exc.errors(include_input=False, include_url=False)
        )
    return found


def _carries(ways: list[Route]) -> str:
    """Name the ways that a connection carries, a few of them."""
    named = [f"{way.organisation} {way.channel}" for way in ways]
    if not named:
        return ""
    more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    return f". It carries {', '.join(named[:SHOWN])}{more}"
