"""The shape of the configuration; unknown keys are errors, and every key says what it is for."""

from datetime import date, time
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    field_serializer,
    model_validator,
)

from aphub.domain.agreements import Agreement, agreement_on
from aphub.domain.calendar import Calendar
from aphub.domain.halves import SchoolHours
from aphub.settings.agreed import AgreementConfig, SummaryTerms
from aphub.settings.calling import CallbackSettings
from aphub.settings.following import FollowUp
from aphub.settings.retention import Retention
from aphub.settings.shapes import Dates, Mailbox, Network, Person, Slug, Strict, Ukprn


class Connection(BaseModel):
    """How to reach a far side: an adapter's name and its own settings beside it."""

    model_config = ConfigDict(frozen=True, extra="allow")

    adapter: str = Field(description="name of an installed adapter, such as email, drop or wonde")

    def settings(self) -> dict[str, Any]:
        """Give the adapter's own settings."""
        return dict(self.model_extra or {})


class Feed(BaseModel):
    """Where registers come from: a source's name and its own settings beside it."""

    model_config = ConfigDict(frozen=True, extra="allow")

    source: str = Field(description="name of an installed source, such as inbox")

    def settings(self) -> dict[str, Any]:
        """Give the source's own settings."""
        return dict(self.model_extra or {})


class WayConfig(BaseModel):
    """A way to somebody: a connection of the provider, with the adapter's route beside it."""

    model_config = ConfigDict(frozen=True, extra="allow")

    connection: Slug = Field(description="a connection of the provider's file")

    def route(self) -> dict[str, Any]:
        """Give the adapter's own route settings."""
        return dict(self.model_extra or {})


class OfficeConfig(WayConfig):
    """The way to our own office, and which figures it is mailed."""

    summaries: tuple[SummaryTerms, ...] = Field(
        default=(), description="summaries that are mailed there in figures, without any pupil's name"
    )


class VocabularyConfig(Strict):
    """The provider's words and what they mean."""

    base: str = Field(default="plain-words", description="ready-made vocabulary to begin from")
    words: dict[str, dict[str, Any]] = Field(default_factory=dict, description="word to outcome, as in docs")


class ProviderConfig(FollowUp):
    """One alternative provider: the tenant, with its own words, feeds and connections."""

    slug: Slug = Field(description="its short name, the file's name")
    name: str = Field(description="as schools know it")
    prefix: str = Field(pattern=r"^[A-Z]{2,4}$", description="two to four letters before each reference")
    phone: str = Field(description="the office, printed on every message")
    hours: str = Field(description="when somebody answers, such as 8:30am to 3:30pm")
    reply_to: Mailbox = Field(description="a mailbox that people read")
    urn: str = Field(default="", description="only if the provider is itself a school")
    ukprn: Ukprn = Field(default="", description="eight digits, if the provider is in that register")
    safeguarding: Person = Field(description="the designated safeguarding lead")
    register_warning_to: str = Field(default="", description="who is warned when a register is missing")
    office: OfficeConfig | None = Field(
        default=None,
        description="the way to our own office, which is mailed what waits for a person, without any pupil's name",
    )
    own_register_closes_minutes: int = Field(default=30, ge=0, le=30, description="own roll: minutes until U")
    reason_limit_school_days: int = Field(
        default=5,
        ge=2,
        le=20,
        description="school days until an absence must have its reason; 5 is widely applied, but not read in a law",
    )
    reason_escalates_to: str = Field(
        default="safeguarding lead", description="role that hears of it a school day before that limit"
    )
    match_by_name: bool = Field(
        default=False, description="match a pupil by exact name when nothing else is given"
    )
    works_on_bank_holidays: bool = Field(default=False, description="lessons are due on bank holidays too")
    terms: tuple[Dates, ...] = Field(default=(), description="terms; none means open all the year")
    closures: tuple[Dates, ...] = Field(default=(), description="days on which the provider is closed")
    vocabulary: VocabularyConfig = Field(default_factory=VocabularyConfig, description="its words")
    retention: Retention = Field(default_factory=Retention, description="how long what is kept")
    feeds: dict[Slug, Feed] = Field(default_factory=dict, description="where registers come from, by name")
    connections: dict[Slug, Connection] = Field(default_factory=dict, description="far sides, by name")

    def who(self, role: str) -> str:
        """Name who has a role: a person or a team, with the role where that is not its name."""
        named = {
            "office": self.register_warning_to or "the office",
            "safeguarding lead": f"{self.safeguarding.name}, {self.safeguarding.role}",
            **self.roles,
        }
        return named.get(role, role)

    def calendar(self) -> Calendar:
        """Give the days on which this provider is open."""
        terms = tuple(term.span() for term in self.terms)
        closures = tuple(closure.span() for closure in self.closures)
        if self.works_on_bank_holidays:
            return Calendar(terms, closures, {})
        return Calendar(terms, closures)


class Hours(Strict):
    """A school's two sessions, as London wall times."""

    am_starts: time = time(8, 45)
    am_ends: time = time(12, 15)
    pm_starts: time = time(13, 0)
    pm_ends: time = time(15, 30)

    def hours(self) -> SchoolHours:
        """Give the domain's school hours."""
        return SchoolHours(self.am_starts, self.am_ends, self.pm_starts, self.pm_ends)


@lru_cache(256)
def _shared(hours: Hours) -> Hours:
    """Give equal hours as one object, since thousands of schools keep the usual ones."""
    return hours


class SignedCodes(Strict):
    """The codes that this school lets the hub write into its own register."""

    codes: frozenset[str] = Field(description="letters, such as B and N")
    signed_by: str = Field(description="role of the person at the school")
    on: date = Field(description="when it was signed")

    @field_serializer("codes")
    def _in_order(self, codes: frozenset[str]) -> list[str]:
        # A set has another order in every process, and equal configurations must have equal digests.
        return sorted(codes)


class ChannelConfig(WayConfig):
    """One way to one organisation."""

    name: Slug = Field(description="its name within the organisation")


class OrganisationConfig(Strict):
    """A school or council that is told."""

    slug: Slug = Field(description="its short name, the file's name")
    kind: Literal["school", "council"] = Field(description="from the folder it stands in")
    name: str = Field(description="as people say it")
    urn: str = Field(default="", description="six digits, for a school")
    la_code: str = Field(default="", description="three digits, for a council")
    phone: str = Field(default="", description="published number, for call-back approval and phone tasks")
    known_to: tuple[Slug, ...] = Field(default=(), description="providers that know it; none means all")
    hours: Annotated[Hours, AfterValidator(_shared)] = Field(
        default_factory=Hours, description="when its sessions begin and end"
    )
    terms: tuple[Dates, ...] = Field(default=(), description="its terms; none means open all the year")
    closures: tuple[Dates, ...] = Field(default=(), description="training days and own holidays")
    channels: tuple[ChannelConfig, ...] = Field(default=(), description="ways to it, in order of preference")
    signed_codes: SignedCodes | None = Field(
        default=None, description="needed before anything is written in its MIS"
    )

    @model_validator(mode="after")
    def _channel_names_differ(self) -> Self:
        names = [channel.name for channel in self.channels]
        for name in names:
            if names.count(name) > 1:
                message = f"Two channels are called '{name}'. Give each a name of its own"
                raise ValueError(message)
        return self

    def channel(self, name: str) -> ChannelConfig | None:
        """Give the channel called `name`."""
        return next((channel for channel in self.channels if channel.name == name), None)

    def calendar(self) -> Calendar:
        """Give the days on which this school is open; its closures never make a lesson not due."""
        return Calendar(
            tuple(term.span() for term in self.terms), tuple(closure.span() for closure in self.closures)
        )


_NONE_SIGNED: frozenset[str] = frozenset()


class Snapshot(Strict):
    """All that one provider's hub work reads: published whole, numbered, never changed."""

    provider: ProviderConfig = Field(description="from config/providers/")
    organisations: dict[Slug, OrganisationConfig] = Field(
        description="from config/schools/ and config/councils/"
    )
    agreements: dict[Slug, AgreementConfig] = Field(description="from config/agreements/")
    _made: dict[tuple[str, frozenset[str]], list[Agreement]] = PrivateAttr(default_factory=dict)

    def agreement_on(self, slug: str, organisation: str, day: date) -> Agreement | None:
        """Give the terms that hold on `day` between the provider and an organisation."""
        config = self.agreements.get(slug)
        if config is None:
            return None
        signed = self.organisations[organisation].signed_codes
        codes = signed.codes if signed and signed.on <= day else _NONE_SIGNED
        # Made once, since ten thousand placements ask; equal terms are then one object too.
        versions = self._made.get((slug, codes))
        if versions is None:
            versions = self._made[slug, codes] = [terms.agreement(slug, codes) for terms in config.versions]
        return agreement_on(versions, day)


class StoreSettings(Strict):
    """Where the hub keeps what it knows."""

    url: str = Field(default="sqlite:///hub.db", description="SQLite file or PostgreSQL address")
    keys: str = Field(default="sqlite:///keys/keys.db", description="the key store, apart from the database")
    key_copy_days: int = Field(
        default=14,
        ge=1,
        le=90,
        description="how long copies of the key store live; an erasure waits for the last",
    )
    master_key: Path = Field(default=Path("keys/master.key"), description="file with mode 0600")


class HubSettings(Strict):
    """The hub itself: `hub.toml`, each key also as APHUB_... in the environment."""

    store: StoreSettings = Field(default_factory=StoreSettings, description="where things are kept")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="of log lines"
    )
    log_format: Literal["text", "json"] = Field(default="text", description="for people or for programs")
    threads: int = Field(default=64, ge=2, le=256, description="how many lanes deliver at once")
    private_networks: tuple[Network, ...] = Field(
        default=(), description="private networks in which far sides may be, such as 10.1.2.0/24"
    )
    recheck: bool = Field(
        default=True,
        description="check live ways again each working morning from 6am; no pupil's data leaves",
    )
    callbacks: CallbackSettings | None = Field(
        default=None, description="how far sides may call back; without it they cannot, and are asked instead"
    )
