"""The one place that builds concrete things and hands them to the services."""

import os
import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from aphub import __version__, logs
from aphub.api.adapters import (
    AnyAdapter,
)
from aphub.api.callbacks import NoCallbacks
from aphub.api.http_client import http_client
from aphub.api.lent import Tools
from aphub.api.reach import Reach
from aphub.clock import Clock, PlayedClock, SystemClock
from aphub.domain.errors import AphubError
from aphub.domain.identifiers import REFERENCE_BYTES, public_references
from aphub.plugins import Plugins, load
from aphub.sealing import MasterKey, MasterKeyError
from aphub.services import documents
from aphub.services.asking import newest_call
from aphub.services.callbacks import Addresses
from aphub.services.desk import Desk, no_boundary
from aphub.services.far_ids import FarIds
from aphub.services.moved import tell_old_addresses
from aphub.services.publish import (
    Change,
    add_provider,
    changes_of,
    newest_number,
    provider_numbers,
    publish,
    refuse_closed,
    snapshot_text,
)
from aphub.services.routes import Route, Routes
from aphub.services.soundness import Unsound, filled, unsound
from aphub.settings.load import load_config, load_settings
from aphub.settings.models import HubSettings, Snapshot
from aphub.store import leaving
from aphub.store.engine import Store, home_url, open_store, recall, remember
from aphub.store.keys import KeyStore, master_key, open_keys
from aphub.store.upgrading import Upgrade, upgrade

SIMULATED = "simulated"
INSTALLATION = "installation"
"""The fact that names this hub among all others: a part of its ledgers' names."""
NOT_USABLE = "Not usable: "
"""How a change begins that says what is wrong with a way."""
PLAYED_NOW = "played_now"
"""The fact that holds a played day's own time, so that whoever opens its store later finds it standing there."""


class NoHubError(AphubError):
    """There is no hub where we were told to look."""


class SimulatedStoreError(AphubError):
    """A played day's store must not be used for real."""


class Hub:
    """One hub with its store, keys, plugins and providers, opened from its home folder."""

    def __init__(
        self,
        home: Path,
        *,
        settings: HubSettings,
        store: Store,
        keys: KeyStore,
        plugins: Plugins,
        clock: Clock,
        installation: str,
    ) -> None:
        """Keep the parts; desks are built when asked for."""
        self.home = home
        self.settings = settings
        self.store = store
        self.keys = keys
        self.plugins = plugins
        self.clock = clock
        self.installation = installation
        self.reach = Reach.to(*settings.private_networks)
        self.wake = threading.Event()
        self.boundary: Callable[[str], None] = no_boundary
        self._desks: dict[str, Desk] = {}
        self._lock = threading.Lock()

    @property
    def config_folder(self) -> Path:
        """Where the configuration files are."""
        return self.home / "config"

    def announce(self, _lane: str) -> None:
        """Wake whoever delivers; the rows stay the truth about what waits."""
        self.wake.set()

    def desks(self) -> list[Desk]:
        """Give a desk for every provider whose configuration is published, with its newest snapshot."""
        with self._lock, self.store.reading() as connection:
            for slug, provider_id in provider_numbers(connection).items():
                number = newest_number(connection, provider_id)
                if number is None:
                    self._desks.pop(slug, None)
                    continue
                known = self._desks.get(slug)
                if known is None or known.snapshot != number or known.routes.are_stale():
                    # Read only now: a large provider's has megabytes, and we are asked several times a second.
                    config = Snapshot.model_validate_json(snapshot_text(connection, provider_id, number))
                    self._desks[slug] = self._desk(provider_id, config, number)
            return list(self._desks.values())

    def serving(self) -> list[Desk]:
        """Give a desk for every provider that is served: not for one that has left, also where it is not emptied yet."""
        with self.store.reading() as connection:
            gone = leaving.closed(connection)
        return [desk for desk in self.desks() if desk.slug not in gone]

    def desk(self, slug: str = "") -> Desk:
        """Give one provider's desk; without a name, the only one there is.

        Raises:
            AphubError: There is no such provider, or several and none was named.
        """
        desks = {desk.slug: desk for desk in self.desks()}
        if not desks:
            raise AphubError("Nothing is published yet.", "", "Run: aphub apply")
        if slug in desks or (not slug and len(desks) == 1):
            return desks[slug or next(iter(desks))]
        mend = f"Choose one of: {', '.join(sorted(desks))}."
        if slug:
            raise AphubError(f"There is no provider called '{slug}' here.", "", mend)
        raise AphubError("We do not know which provider you mean.", "", f"Add --provider. {mend}")

    def plan(self) -> tuple[dict[str, Snapshot], list[Change]]:
        """Read the configuration and say what publishing it would change, and which ways have ceased to work.

        Raises:
            ConfigurationError: Anything is wrong with it.
        """
        snapshots = load_config(self.config_folder, self.plugins)
        with self.store.reading() as connection:
            refuse_closed(connection, snapshots)
        now = {desk.slug: desk.config for desk in self.desks()}
        said = [one for slug, new in snapshots.items() for one in changes_of(slug, now.get(slug), new)]
        said += [
            Change(slug, one.about, f"{NOT_USABLE}{one.words}.")
            for slug, new in snapshots.items()
            for one in self.unsound(new)
        ]
        return snapshots, said

    def unsound(self, config: Snapshot) -> list[Unsound]:
        """Say what is wrong with the ways of a configuration, before anything goes by them."""
        ends, callable_ = dict(self.keys.secret_names()), self.settings.callbacks is not None
        now, secret = self.clock.now(), self.keys.secret
        return list(unsound(config, self.plugins, secret, ends, now, can_be_called=callable_))

    def apply(self, by: str) -> dict[str, int]:
        """Publish the configuration; give each provider's snapshot number."""
        snapshots, _ = self.plan()
        before = {desk.slug: desk for desk in self.desks()}
        published = {}
        for slug, config in snapshots.items():
            with self.store.transaction() as connection:
                numbers = provider_numbers(connection)
                number = numbers.get(slug) or add_provider(connection, slug, self.clock.now())
            published[slug] = publish(self._desk(number, config, 0), by)
        for desk in self.desks():
            if desk.slug in before:
                tell_old_addresses(self, before[desk.slug], desk)
        return published

    def adapter(self, desk: Desk, route: Route) -> AnyAdapter:
        """Build the adapter of a lane, its secrets looked up by reference; it is not opened yet.

        Raises:
            AphubError: A secret is not stored, or a file that the settings name is not what was published.
        """
        connection = desk.config.provider.connections[route.connection]
        settings = route.adapter.connection_class(**filled(connection.settings(), desk.vault.secret))
        if settings.elsewhere() != route.connection_settings.elsewhere():
            raise AphubError(
                f"A file that the connection '{route.connection}' names was changed and not published.",
                "Nothing was sent.",
                "Look at the file, then run: aphub apply",
            )
        return route.adapter(settings, self.tools(desk))

    def tools(self, desk: Desk) -> Tools:
        """Give what the hub lends to an adapter of this provider."""
        called = self.settings.callbacks
        return Tools(
            http=self._http,
            now=self.clock.now,
            reach=self.reach,
            memory=FarIds(desk),
            phone=lambda delivery: newest_call(desk, delivery),
            callbacks=Addresses(desk, called.public_url) if called else NoCallbacks(),
        )

    def file(self, path: Path | str) -> Path:
        """Give a path relative to the hub's home."""
        return self.home / path

    def close(self) -> None:
        """Close store and keys."""
        self.store.close()
        self.keys.close()

    def _desk(self, provider_id: int, config: Snapshot, number: int) -> Desk:
        return Desk(
            provider_id=provider_id,
            slug=config.provider.slug,
            store=self.store,
            vault=self.keys.vault(provider_id),
            clock=self.clock,
            plugins=self.plugins,
            config=config,
            snapshot=number,
            routes=Routes(config, self.plugins),
            announce=self.announce,
            boundary=lambda name: self.boundary(name),  # noqa: PLW0108 - the tests set it after desks exist
            home=self.home,
            installation=self.installation,
        )

    def _http(self, **options: Any) -> httpx.Client:
        """Build a client under our own name that goes only where the operator lets it go."""
        headers = {"User-Agent": f"aphub/{__version__}", **options.pop("headers", {})}
        return http_client(self.reach, headers=headers, **options)


def built_in() -> list[tuple[str, object]]:
    """Name the abilities that come with the hub; they use the same hooks as any plugin."""
    return [("mail-documents", documents)]


def create_hub(home: Path, master: MasterKey, *, simulated: bool = False) -> None:
    """Make a new hub in `home`: folders, master key file, database and key store.

    Raises:
        AphubError: There is a hub already, or a file is in the way.
    """
    home.mkdir(parents=True, exist_ok=True)
    settings = load_settings(home)
    key_file = home / settings.store.master_key
    key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        master.write_new_file(key_file)
    except MasterKeyError as exc:
        raise AphubError(
            f"There is a hub in {home} already.", "It was left as it is.", "Choose another folder."
        ) from exc
    for part in ("providers", "schools", "councils", "agreements"):
        (home / "config" / part).mkdir(parents=True, exist_ok=True)
    store = open_store(home_url(home, settings.store.url), create=True)
    with store.transaction() as connection:
        if simulated:
            remember(connection, SIMULATED, "yes")
    store.close()
    open_keys(home_url(home, settings.store.keys), master).close()


def upgrade_hub(home: Path) -> Upgrade:
    """Bring the store of the hub in `home` to this version's schema; nothing may be running meanwhile.

    Raises:
        SchemaError: It cannot be; the words say what to do.
    """
    return upgrade(home_url(home, load_settings(home).store.url))


def open_hub(
    home: Path,
    *,
    clock: Clock | None = None,
    plugins: Plugins | None = None,
    environment: Mapping[str, str] | None = None,
    allow_simulated: bool = False,
) -> Hub:
    """Open the hub in `home`.

    A store that was made by a played day keeps its own time. It opens with a played clock, or with `allow_simulated`
    at the time that it keeps, so that a person can look at it; whatever delivers for real passes neither.

    Raises:
        NoHubError: There is none.
        SimulatedStoreError: It belongs to a played day and that was not allowed.
    """
    settings = load_settings(home)
    logs.set_up(settings.log_level, as_json=settings.log_format == "json")
    key_file = home / settings.store.master_key
    environment = os.environ if environment is None else environment
    if "APHUB_MASTER_KEY" not in environment and not key_file.exists():
        raise NoHubError(
            f"There is no hub in {home.absolute()}.",
            "Nothing was changed.",
            "Say where it is: aphub --home DIR, or make one: aphub --home DIR init",
        )
    master = master_key(key_file, environment)
    store = open_store(home_url(home, settings.store.url))
    with store.reading() as connection:
        simulated = recall(connection, SIMULATED) is not None
        played_now = recall(connection, PLAYED_NOW)
    if simulated and clock is None and allow_simulated and played_now is not None:
        clock = PlayedClock(datetime.fromisoformat(played_now))
    if simulated and not isinstance(clock, PlayedClock):
        store.close()
        raise SimulatedStoreError(
            "This hub was made by a played day, with invented pupils and its own time.",
            "Nothing was started.",
            "Make a real one with: aphub init",
        )
    keys = open_keys(home_url(home, settings.store.keys), master)
    return Hub(
        home,
        settings=settings,
        store=store,
        keys=keys,
        plugins=plugins or load(built_in()),
        clock=clock or SystemClock(),
        installation=_installation(store),
    )


def _installation(store: Store) -> str:
    """Give this hub's own random name, choosing it the first time."""
    with store.reading() as connection:
        known = recall(connection, INSTALLATION)
    if known is not None:
        return known
    with store.transaction() as connection:
        [fresh] = public_references(secrets.token_bytes(REFERENCE_BYTES))
        name = recall(connection, INSTALLATION) or fresh.lower()
        remember(connection, INSTALLATION, name)
    return name


def keep_played_time(hub: Hub) -> None:
    """Write a played hub's present instant into its store."""
    with hub.store.transaction() as connection:
        remember(connection, PLAYED_NOW, hub.clock.now().isoformat())
