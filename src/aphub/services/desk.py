"""One provider's desk: all that a stage needs to work for this provider, and for no other."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from aphub.clock import Clock
from aphub.domain.calendar import london_day, school_year
from aphub.domain.identifiers import public_reference
from aphub.plugins import Plugins
from aphub.services.routes import Routes
from aphub.settings.models import Snapshot
from aphub.store.engine import Store
from aphub.store.keys import Vault

REFERENCE_BYTES = 5  # forty random bits make eight base32 characters


@dataclass(frozen=True, slots=True)
class Desk:
    """What one provider's stages work with; `snapshot` is the number of its published configuration."""

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

    @property
    def now(self) -> datetime:
        """The present instant."""
        return self.clock.now()

    @property
    def today(self) -> date:
        """The date in London."""
        return london_day(self.clock.now())

    def year(self, day: date | None = None) -> str:
        """Name the school year of a day, today by default: a part of every data key's name."""
        return school_year(day or self.today)

    def references(self, count: int) -> list[str]:
        """Give fresh random public references; unique keys in the store catch the rare repeat."""
        raw = secrets.token_bytes(REFERENCE_BYTES * count)
        return [
            public_reference(raw[start : start + REFERENCE_BYTES])
            for start in range(0, len(raw), REFERENCE_BYTES)
        ]


def place_of(table: str, provider_id: int, row_id: int) -> str:
    """Name where a sealed value stands, so that it opens nowhere else."""
    return f"{table}:{provider_id}:{row_id}"
