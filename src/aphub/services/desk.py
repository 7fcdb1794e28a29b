"""One provider's desk: all that a stage needs to work for this provider, and for no other."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row

from aphub.clock import Clock, PlayedClock
from aphub.domain.calendar import london_day, school_year
from aphub.domain.identifiers import REFERENCE_BYTES, public_references
from aphub.plugins import Plugins
from aphub.services.routes import Routes
from aphub.settings.models import Snapshot
from aphub.store.engine import Store, database_now
from aphub.store.vault import Vault


def no_boundary(_name: str) -> None:
    """Pass a named write boundary; the fault tests stop the process here, nobody else does anything."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What one provider's stages work with; `snapshot` is the number of its published configuration.

    Relative paths of its configuration begin at the hub's `home` folder. `installation` names this hub among all others.
    """

    provider_id: int
    slug: str
    store: Store
    vault: Vault
    clock: Clock
    plugins: Plugins
    config: Snapshot
    snapshot: int
    routes: Routes
    announce: Callable[[str], None]
    boundary: Callable[[str], None] = no_boundary
    home: Path = Path()
    installation: str = ""

    @property
    def now(self) -> datetime:
        """The present instant."""
        return self.clock.now()

    @property
    def today(self) -> date:
        """The date in London."""
        return london_day(self.clock.now())

    def lease_now(self, connection: Connection) -> datetime:
        """Give the instant by which leases are judged: the database's own on PostgreSQL, where many machines share it.

        A played day has one process and its own time.
        """
        if self.store.is_sqlite or isinstance(self.clock, PlayedClock):
            return self.clock.now()
        return database_now(connection)

    def year(self, day: date | None = None) -> str:
        """Name the school year of a day, today by default: a part of every data key's name."""
        return school_year(day or self.today)

    def references(self, count: int) -> list[str]:
        """Give fresh random public references; unique keys in the store catch the rare repeat."""
        return public_references(secrets.token_bytes(REFERENCE_BYTES * count))

    def name_of(self, organisation: str, *, phone: bool = False) -> str:
        """Give an organisation's name, with its telephone number where it is asked for and known.

        Its short name, where it is not configured any more.
        """
        known = self.config.organisations.get(organisation)
        if known is None:
            return organisation
        return f"{known.name} ({known.phone})" if phone and known.phone else known.name

    def file_password(self, channel: Row[Any]) -> str:
        """Give the passphrase that was agreed for a channel's protected files; empty where there is none."""
        if channel.sealed is None:
            return ""
        place = f"channels:{self.provider_id}:{channel.organisation}/{channel.name}"
        return str(self.vault.open_json(channel.key_id, place, channel.sealed).get("password", ""))


def place_of(table: str, provider_id: int, row_id: int) -> str:
    """Name where a sealed value stands, so that it opens nowhere else."""
    return f"{table}:{provider_id}:{row_id}"
