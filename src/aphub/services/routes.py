"""The ways to each organisation: a channel's adapter, route settings, lane and destination, validated once."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import ValidationError

from aphub.api.adapters import AnyAdapter, ConnectionSettings, RouteSettings
from aphub.domain.reports import Report
from aphub.plugins import Plugins
from aphub.settings.models import Snapshot, WayConfig

OFFICE = "office"
"""The channel of the way to our own office, which belongs to no organisation."""
_LANE_CHARACTERS = 24


@dataclass(frozen=True, slots=True)
class Route:
    """One channel of one organisation; `rank` is its place in the school's own order."""

    organisation: str
    channel: str
    rank: int
    adapter: type[AnyAdapter]
    connection: str
    connection_settings: ConnectionSettings = field(repr=False)
    lane: str
    settings: RouteSettings = field(repr=False)
    destination: str

    def why_not(
        self, report: Report, may_write: frozenset[str], now: datetime, *, summary: bool = False
    ) -> str:
        """Say why a report, or a summary of one pupil, cannot go this way; empty when it can."""
        complaint = self.complaint(now)
        if summary:
            return complaint or ("" if self.settings.takes_summaries() else "this way takes no summaries")
        return complaint or self.why_not_this(report, may_write)

    def complaint(self, now: datetime) -> str:
        """Say why nothing at all may go this way now; empty when it may."""
        found = self.settings.complaints(now)
        return found[0] if found else self.settings.lacks(self.connection_settings, now)

    def why_not_this(self, report: Report, may_write: frozenset[str]) -> str:
        """Say why just this report cannot go a way of which there is no complaint; empty when it can."""
        return self.settings.cannot_carry(report) or self.adapter.can_express(report, may_write)


@dataclass(frozen=True, slots=True)
class LostWay:
    """A channel by which nothing can go as aphub is installed now, in words, and what to do about it."""

    organisation: str
    channel: str
    words: str
    mend: str


class Routes:
    """All routes of one provider's snapshot; channels that this installation cannot serve are left out and named."""

    def __init__(self, config: Snapshot, plugins: Plugins) -> None:
        """Build every route; settings were validated when the snapshot was made, maybe by an older version."""
        self._by_organisation: dict[str, tuple[Route, ...]] = {}
        self.lost: list[LostWay] = []
        self._outside: dict[str, tuple[type[AnyAdapter], dict[str, object], str]] = {}
        self._far_sides: dict[str, _FarSide] = {}
        for slug, organisation in config.organisations.items():
            found = (
                self._route(config, plugins, slug, channel.name, rank, channel)
                for rank, channel in enumerate(organisation.channels)
            )
            self._by_organisation[slug] = tuple(route for route in found if route is not None)
        self.office: Route | None = None
        """The way to our own office: no report ever goes there, so it stands among no organisation's routes."""
        if config.provider.office is not None:
            self.office = self._route(config, plugins, "", OFFICE, 0, config.provider.office)

    def _route(
        self, config: Snapshot, plugins: Plugins, slug: str, name: str, rank: int, way: WayConfig
    ) -> Route | None:
        connection = config.provider.connections[way.connection]
        adapter = plugins.adapters.get(connection.adapter)
        if adapter is None:
            words = f"Its adapter, {connection.adapter}, is not installed."
            mend = f"Install aphub-{connection.adapter}, or give them another way and run: aphub apply"
            self.lost.append(LostWay(slug, name, words, mend))
            return None
        try:
            far = self._far_sides.get(way.connection)
            if far is None:
                far = _FarSide.of(config.provider.slug, adapter, connection.settings())
                self._far_sides[way.connection] = far
            settings = adapter.route_class(**way.route())
        except ValidationError:
            words = f"Its settings are not what this version of {connection.adapter} takes."
            self.lost.append(LostWay(slug, name, words, "To see what to change, run: aphub apply"))
            return None
        if far.elsewhere:
            self._outside[way.connection] = (adapter, connection.settings(), far.elsewhere)
        return Route(
            organisation=slug,
            channel=name,
            rank=rank,
            adapter=adapter,
            connection=way.connection,
            connection_settings=far.settings,
            lane=far.lane,
            settings=settings,
            destination=_destination(adapter, settings, far),
        )

    def are_stale(self) -> bool:
        """Say whether a file that the settings name has changed since these routes were made."""
        for adapter, settings, elsewhere in self._outside.values():
            try:
                now = adapter.connection_class(**settings).elsewhere()
            except ValidationError:
                return True
            if now != elsewhere:
                return True
        return False

    def of(self, organisation: str, names: tuple[str, ...] = ()) -> tuple[Route, ...]:
        """Give the routes to an organisation, in the order of `names` where an agreement gives one."""
        routes = self._by_organisation.get(organisation, ())
        if not names:
            return routes
        by_name = {route.channel: route for route in routes}
        return tuple(by_name[name] for name in names if name in by_name)

    def one(self, organisation: str, channel: str) -> Route | None:
        """Give one route by its channel's name."""
        return next((r for r in self._by_organisation.get(organisation, ()) if r.channel == channel), None)

    def lanes(self) -> dict[str, Route]:
        """Give every lane with one of its routes."""
        return {route.lane: route for routes in self._by_organisation.values() for route in routes}

    def everything(self) -> list[Route]:
        """Give every route."""
        return [route for routes in self._by_organisation.values() for route in routes]


@dataclass(frozen=True, slots=True)
class _FarSide:
    """One connection of the provider: made once, however many schools are reached by it."""

    settings: ConnectionSettings = field(repr=False)
    lane: str
    decides: dict[str, object] = field(repr=False)
    """Those settings that decide who can read; never a secret."""
    elsewhere: str

    @classmethod
    def of(cls, provider: str, adapter: type[AnyAdapter], given: dict[str, object]) -> "_FarSide":
        """Build it.

        Raises:
            ValidationError: The settings are not what the adapter takes.
        """
        settings = adapter.connection_class(**given)
        text = json.dumps([provider, adapter.name, given], sort_keys=True, default=str)
        lane = f"{adapter.name[:12]}-{hashlib.sha256(text.encode()).hexdigest()[:_LANE_CHARACTERS]}"
        apart = adapter.connection_class.not_where
        decides = {
            key: value
            for key, value in given.items()
            if key not in apart and not str(value).startswith("secret:")
        }
        return cls(settings, lane, decides, settings.elsewhere())


def _destination(adapter: type[AnyAdapter], settings: RouteSettings, far: _FarSide) -> str:
    """Digest what decides who can read: adapter, far side and the route's own destination; never a secret."""
    all_of_it = [
        adapter.name,
        far.decides,
        settings.destination(),
        *([far.elsewhere] if far.elsewhere else []),
    ]
    text = json.dumps(all_of_it, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
