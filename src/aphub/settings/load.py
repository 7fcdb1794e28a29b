"""Read `hub.toml` and `config/`, and say all that is wrong with them at once: file, key, value, mend."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from aphub.domain.errors import AphubError
from aphub.domain.identifiers import near_duplicate
from aphub.plugins import Plugins
from aphub.settings.agreed import AgreementConfig
from aphub.settings.models import HubSettings, OrganisationConfig, ProviderConfig, Snapshot, WayConfig

SECRET = "secret:"  # noqa: S105 - the prefix of a reference, not a secret
_SHOWN = 40

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file, and what to do about it."""

    file: str
    key: str
    words: str
    mend: str = ""

    def __str__(self) -> str:
        """Say it in a line."""
        where = f"{self.file}, {self.key}" if self.key else self.file
        return f"{where}: {self.words}{' ' + self.mend if self.mend else ''}"


class ConfigurationError(AphubError):
    """The configuration cannot be used; every problem is named."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep all problems."""
        self.problems = tuple(problems)
        count = len(self.problems)
        super().__init__(
            f"There {'is a problem' if count == 1 else f'are {count} problems'} in the configuration.",
            "Nothing was changed.",
            " ".join(str(problem) for problem in self.problems),
        )


class _Environment(BaseSettings):
    """Keys of `hub.toml` that the environment overrides, such as APHUB_STORE__URL."""

    model_config = SettingsConfigDict(env_prefix="APHUB_", env_nested_delimiter="__", extra="ignore")

    store: dict[str, str] = {}
    callbacks: dict[str, str] = {}
    log_level: str | None = None
    log_format: str | None = None
    threads: int | None = None
    private_networks: tuple[str, ...] | None = None


def load_settings(home: Path) -> HubSettings:
    """Read the hub's own settings from `hub.toml` in its home folder, and from the environment.

    Raises:
        ConfigurationError: A key is unknown or its value does not fit.
    """
    problems: list[Problem] = []
    path = home / "hub.toml"
    content = (_read(path, path.name, problems) if path.exists() else None) or {}
    override = _Environment().model_dump(exclude_defaults=True)
    merged = {**content, **override}
    for part in ("store", "callbacks"):
        if part in override:
            merged[part] = {**content.get(part, {}), **override[part]}
    settings = _validated(HubSettings, merged, "hub.toml", problems)
    if settings is None or problems:
        raise ConfigurationError(problems)
    return settings


def load_config(folder: Path, plugins: Plugins) -> dict[str, Snapshot]:
    """Read a `config/` folder into one snapshot a provider.

    Raises:
        ConfigurationError: Anything is wrong; all of it is named, and no secret's value with it.
    """
    problems: list[Problem] = []
    providers = _models(folder, "providers", ProviderConfig, {}, problems)
    agreements = _models(folder, "agreements", AgreementConfig, {}, problems, versions=True)
    organisations = {
        **_models(folder, "schools", OrganisationConfig, {"kind": "school"}, problems),
        **_models(folder, "councils", OrganisationConfig, {"kind": "council"}, problems),
    }
    if not providers and not problems:
        problems.append(Problem("providers", "", "There is no provider yet.", "Add one file there."))
    snapshots = {}
    for slug, provider in providers.items():
        known = {
            name: organisation
            for name, organisation in organisations.items()
            if not organisation.known_to or slug in organisation.known_to
        }
        snapshot = Snapshot(provider=provider, organisations=known, agreements=agreements)
        problems += _provider_problems(snapshot, plugins)
        snapshots[slug] = snapshot
    if problems:
        raise ConfigurationError(problems)
    return snapshots


def _models(
    folder: Path,
    part: str,
    model: type[M],
    fixed: Mapping[str, Any],
    problems: list[Problem],
    *,
    versions: bool = False,
) -> dict[str, M]:
    found = {}
    for path in sorted((folder / part).glob("*.toml")):
        name = f"{part}/{path.name}"
        content = _read(path, name, problems)
        if content is None:
            continue
        if versions and "versions" not in content:
            content = {"title": content.pop("title", ""), "versions": [content]}
        value = _validated(model, {**content, **fixed, "slug": path.stem}, name, problems)
        if value is not None:
            found[path.stem] = value
    return found


def _read(path: Path, name: str, problems: list[Problem]) -> dict[str, Any] | None:
    """Read a file; None for one that cannot be read, of which nothing else is worth saying."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        problems.append(Problem(name, "", f"This is not TOML: {exc}.", "Mend the line it names."))
        return None


def _validated(model: type[M], content: Any, name: str, problems: list[Problem]) -> M | None:
    try:
        return model.model_validate(content)
    except ValidationError as exc:
        found = exc.errors()
        # What follows from another mistake in the same place is not said as well.
        inside = {str(error["loc"][0]) for error in found if len(error["loc"]) > 1}
        told = [
            error for error in found if error["type"] != "too_short" or str(error["loc"][-1]) not in inside
        ]
        problems += [_problem(name, error, model) for error in told]
        return None


_KINDS = {
    "bool": "Write true or false",
    "date": "This is no date. Write it like 2026-03-03, without quotes",
    "float": "Write a number",
    "int": "Write a whole number",
    "string": "Write a text in quotes",
    "time": "This is no time. Write it like 08:45:00, without quotes",
}
"""What is said of a value of the wrong kind, instead of a library's words."""


def _problem(name: str, error: Any, model: type[BaseModel]) -> Problem:
    key = ".".join(str(part) for part in error["loc"])
    kind = error["type"]
    if kind == "extra_forbidden":
        near = near_duplicate(str(error["loc"][-1]), list(model.model_fields))
        mend = f"Did you mean '{near}'?" if near else "Remove it, or check its spelling in the documentation."
        return Problem(name, key, "We do not know this key.", mend)
    if kind == "missing":
        field = model.model_fields.get(str(error["loc"][0]))
        meaning = f" ({field.description})" if field and field.description else ""
        return Problem(name, key, f"This key is needed{meaning}.", "Add it.")
    words = _KINDS.get(kind.partition("_")[0], error["msg"].removeprefix("Value error, "))
    shown = "" if _holds_secret(model, error["loc"]) else _shown(error["input"])
    return Problem(name, key, f"{shown}{words}.".replace("..", "."), "Change the value.")


def _holds_secret(model: type[BaseModel], location: Sequence[Any]) -> bool:
    """Say whether a value was typed where a secret belongs."""
    field = model.model_fields.get(str(location[0])) if location else None
    return field is not None and "SecretStr" in str(field.annotation)


def _shown(value: Any) -> str:
    """Show a value that is wrong, but never one that could be a secret."""
    if isinstance(value, SecretStr) or not isinstance(value, (str, int, float, bool)):
        return ""
    return f"'{str(value)[:_SHOWN]}': "


def _provider_problems(snapshot: Snapshot, plugins: Plugins) -> list[Problem]:
    provider = snapshot.provider
    file = f"providers/{provider.slug}.toml"
    problems: list[Problem] = []
    for name, connection in provider.connections.items():
        adapter = plugins.adapters.get(connection.adapter)
        key = f"connections.{name}"
        if adapter is None:
            problems.append(_not_installed(file, key, "adapter", connection.adapter, plugins.adapters))
            continue
        problems += _settings_problems(adapter.connection_class, connection.settings(), file, key)
    for name, feed in provider.feeds.items():
        source = plugins.sources.get(feed.source)
        if source is None:
            problems.append(_not_installed(file, f"feeds.{name}", "source", feed.source, plugins.sources))
        else:
            problems += _settings_problems(source.settings_class, feed.settings(), file, f"feeds.{name}")
    if provider.office is not None:
        problems += _way_problems(snapshot, provider.office, plugins, file, "office")
        problems += _office_problems(snapshot, provider.office, plugins, file)
    for organisation in snapshot.organisations.values():
        for channel in organisation.channels:
            where = f"{organisation.kind}s/{organisation.slug}.toml", f"channels.{channel.name}"
            problems += _way_problems(snapshot, channel, plugins, *where)
    problems += _agreement_problems(snapshot, plugins)
    return problems


def _way_problems(snapshot: Snapshot, way: WayConfig, plugins: Plugins, file: str, key: str) -> list[Problem]:
    connection = snapshot.provider.connections.get(way.connection)
    if connection is None:
        words = f"'{way.connection}' is no connection of {snapshot.provider.slug}."
        near = near_duplicate(way.connection, list(snapshot.provider.connections))
        mend = f"Did you mean '{near}'?" if near else "Add it to the provider's file under [connections]."
        return [Problem(file, f"{key}.connection", words, mend)]
    adapter = plugins.adapters.get(connection.adapter)
    return _settings_problems(adapter.route_class, way.route(), file, key) if adapter is not None else []


def _office_problems(snapshot: Snapshot, way: WayConfig, plugins: Plugins, file: str) -> list[Problem]:
    """Refuse a way to our own office that carries nothing but reports."""
    connection = snapshot.provider.connections.get(way.connection)
    adapter = plugins.adapters.get(connection.adapter) if connection is not None else None
    if adapter is None or adapter.takes_notices:
        return []
    words = f"'{way.connection}' carries reports only, and our office is sent none."
    return [Problem(file, "office.connection", words, "Name a connection that sends mail.")]


def _settings_problems(
    model: type[BaseModel], settings: dict[str, Any], file: str, key: str
) -> list[Problem]:
    problems: list[Problem] = []
    _validated(model, settings, file, problems)
    for name, field in model.model_fields.items():
        value = settings.get(name)
        if "SecretStr" in str(field.annotation) and value and not str(value).startswith(SECRET):
            words = "A secret must not stand in a file."
            mend = f'Run: aphub secret set NAME, and write {name} = "{SECRET}NAME" here.'
            problems.append(Problem(file, name, words, mend))
    return [Problem(one.file, f"{key}.{one.key}", one.words, one.mend) for one in problems]


def _agreement_problems(snapshot: Snapshot, plugins: Plugins) -> list[Problem]:
    """Refuse an agreement that could only write into a register: urgent news has no code to write."""
    problems = []
    for slug, agreement in snapshot.agreements.items():
        for number, terms in enumerate(agreement.versions):
            adapters = {
                plugins.adapters.get(snapshot.provider.connections[channel.connection].adapter)
                for organisation in snapshot.organisations.values()
                for channel in organisation.channels
                if channel.name in terms.channels and channel.connection in snapshot.provider.connections
            } - {None}
            if adapters and all(adapter is not None and adapter.writes_register for adapter in adapters):
                words = "These channels only write into a register, and urgent news has no code to write."
                key = f"versions.{number}.channels"
                mend = "Add a channel that a person reads, such as email."
                problems.append(Problem(f"agreements/{slug}.toml", key, words, mend))
    return problems


def _not_installed(file: str, key: str, what: str, name: str, there: Iterable[str]) -> Problem:
    names = ", ".join(sorted(there)) or "none"
    return Problem(
        file, f"{key}.{what}", f"No {what} called '{name}' is installed (there: {names}).", "Install it."
    )
