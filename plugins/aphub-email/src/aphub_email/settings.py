"""What a provider says about its mail server, and about each school's mailbox."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from cryptography.x509 import Certificate
from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from aphub.api import (
    AphubError,
    ConnectionSettings,
    Ending,
    Pace,
    RouteSettings,
    check_mail_address,
    why_untrusted,
)
from aphub_email import smime
from aphub_email.attested import Attestation
from aphub_email.names import server_and_port
from aphub_email.sign_in import GRAPH_SCOPE, MAIL_SCOPE, SignInSettings

EXCHANGE_ONLINE = Pace(30, 10_000, "Exchange Online's limits for a mailbox")
"""learn.microsoft.com, "Message storage and concurrent connection throttling for SMTP Authenticated Submission" and
"Exchange Online limits". Of its three connections at a time a lane uses one."""
_EXCHANGE_HOSTS = ("smtp.office365.com", ".mail.protection.outlook.com")
_PORTS = {"starttls": 587, "tls": 465}


def _address(text: str) -> str:
    """Check an address; pydantic reports a ValueError beside file and key."""
    try:
        return check_mail_address(text)
    except AphubError as exc:
        raise ValueError(str(exc)) from exc


Address = Annotated[str, AfterValidator(_address)]


class EmailConnection(SignInSettings):
    """One mail server that takes the provider's mail, and how to sign in to it."""

    way: Literal["smtp", "graph"] = Field(
        default="smtp",
        description="smtp, or graph for Microsoft 365 by HTTPS; graph needs a sign-in with tokens",
    )
    host: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?)?$",
        description="name of the mail server, as its certificate has it; needed for smtp",
    )
    graph_url: str = Field(
        default="https://graph.microsoft.com/v1.0",
        pattern=r"^https://[A-Za-z0-9][A-Za-z0-9.:/-]{2,200}$",
        description="where Microsoft Graph is, for graph; another one for a national cloud",
    )
    port: int = Field(default=0, ge=0, le=65535, description="0 means 587 for starttls and 465 for tls")
    security: Literal["starttls", "tls"] = Field(
        default="starttls", description="how encryption begins; without it nothing is sent"
    )
    ca_file: Path | None = Field(
        default=None, description="PEM file of the only authorities to trust; the system's own without it"
    )
    from_address: Address = Field(description="the mailbox that messages come from")
    reply_to: Address | Literal[""] = Field(
        default="", description="where replies go; the provider's own reply_to without it"
    )
    helo_name: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?)?$",
        description="how this machine names itself; the domain of from_address without it",
    )
    timeout: float = Field(
        default=30, gt=0, le=600, description="seconds to wait for each answer of the server"
    )
    pipelining: Literal["auto", "off"] = Field(
        default="auto",
        description="auto sends commands together where the server announces that it may (RFC 2920)",
    )

    per_minute: int | None = Field(
        default=None,
        ge=0,
        description="messages that the server takes a minute; 0 is no limit, without it the host's own",
    )
    per_day: int | None = Field(
        default=None,
        ge=0,
        description="messages that the server takes a day; 0 is no limit, without it the host's own",
    )

    imap_host: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?)?$",
        description="IMAP server of the same mailbox; where it is given, bounces and answers are read",
    )
    imap_port: int = Field(default=993, ge=1, le=65535, description="port of IMAP over TLS")
    imap_folder: str = Field(
        default="INBOX", pattern=r"^[A-Za-z0-9 ._/-]{1,60}$", description="folder in which answers arrive"
    )

    smime_certificate: str = Field(
        default="",
        max_length=40_000,
        description="our S/MIME certificate as PEM, with those between it and a known authority; signs what smime sends",
    )
    smime_key: SecretStr = Field(
        default=SecretStr(""), description="reference to its private key as PEM, such as secret:mail-smime"
    )
    dkim_selectors: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,62})$")], ...] = Field(
        default=(), description="selectors under which our domain's DKIM keys stand; `check` looks them up"
    )
    name_server: str = Field(
        default="",
        description="name server that `check` asks, such as 192.0.2.53:53; the machine's own without it",
    )

    not_where: ClassVar[frozenset[str]] = SignInSettings.token_settings | {
        "timeout",
        "pipelining",
        "imap_host",
        "imap_port",
        "imap_folder",
        "dkim_selectors",
        "name_server",
        "smime_certificate",
        "smime_key",
        "per_minute",
        "per_day",
    }

    def complaints(self, now: datetime) -> tuple[str, ...]:
        """Say why the certificates of ca_file cannot be trusted, or our own no longer signs."""
        whys = (why_untrusted(self.ca_file, now), self.cannot_sign(now) if self.smime_certificate else "")
        return (*super().complaints(now), *(why for why in whys if why))

    def cannot_sign(self, now: datetime) -> str:
        """Say why no mail can be signed now; empty when it can."""
        if not self.smime_certificate:
            return "our own certificate is missing: give smime_certificate and smime_key to its connection"
        return smime.why_not(smime.own(self.smime_certificate, self.from_address)[0], "our own", now)

    def endings(self) -> tuple[Ending, ...]:
        """Say until when we can sign."""
        if not self.smime_certificate:
            return ()
        ends = smime.own(self.smime_certificate, self.from_address)[0].not_valid_after_utc
        mend = "Get a new one, write it into smime_certificate, store its key, and run: aphub apply"
        return (Ending("our own certificate for signed mail", ends, mend),)

    @property
    def signer(self) -> smime.Signer:
        """What signs our mail; its key is here only where secrets are filled in."""
        return smime.signer(self.smime_certificate, self.smime_key.get_secret_value(), self.from_address)

    def pace(self) -> Pace | None:
        """Keep to what is set, else to what Microsoft says that a mailbox may send."""
        by_microsoft = self.way == "graph" or self.host.lower().endswith(_EXCHANGE_HOSTS)
        usual = EXCHANGE_ONLINE if by_microsoft else Pace()
        minute = usual.per_minute if self.per_minute is None else self.per_minute
        day = usual.per_day if self.per_day is None else self.per_day
        if not minute and not day:
            return None
        return Pace(minute, day, usual.whose if (minute, day) == (usual.per_minute, usual.per_day) else "")

    def listens_every(self) -> timedelta | None:
        """Fetch answers every minute, where the mailbox can be read."""
        return timedelta(minutes=1) if self.imap_host else None

    @field_validator("name_server")
    @classmethod
    def _an_address(cls, value: str) -> str:
        if value:
            server_and_port(value)
        return value

    @model_validator(mode="after")
    def _signs_wholly(self) -> Self:
        key = self.smime_key.get_secret_value()
        if bool(self.smime_certificate) != bool(key):
            message = "smime_certificate and smime_key belong together: give both or neither"
            raise ValueError(message)
        if key.startswith("secret:"):
            smime.own(self.smime_certificate, self.from_address)
        elif key:
            smime.signer(self.smime_certificate, key, self.from_address)
        return self

    @model_validator(mode="after")
    def _reads_as_somebody(self) -> Self:
        if self.imap_host and not self.user:
            message = "Give a sign-in, such as username and password: answers are read from that mailbox"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _has_a_way(self) -> Self:
        if self.way == "smtp" and not self.host:
            message = "Give host: the name of the mail server"
            raise ValueError(message)
        if self.way == "graph" and (self.host or not self.uses_tokens):
            message = (
                "With way = 'graph', leave host out and sign in with client_credentials or refresh_token"
            )
            raise ValueError(message)
        return self

    def asked_for(self, what: Literal["send", "read"]) -> str:
        """Give what a token is asked for; Graph and IMAP do not take each other's."""
        by_graph = self.way == "graph"
        usual = GRAPH_SCOPE if by_graph and what == "send" else MAIL_SCOPE
        scope = usual if by_graph and what == "read" else self.scope or usual
        # With offline_access, a person's own sign-in brings a new refresh token as well.
        return scope if self.scope or self.sign_in != "refresh_token" else f"{scope} offline_access"

    @property
    def user(self) -> str:
        """The name to sign in with; with tokens, the mailbox that we send from."""
        return self.username or (self.from_address if self.uses_tokens else "")

    @property
    def actual_port(self) -> int:
        """The port to use."""
        return self.port or _PORTS[self.security]

    @property
    def actual_helo_name(self) -> str:
        """The name to say in EHLO; no name service is asked, so nothing inside leaks or waits."""
        return self.helo_name or self.from_address.rpartition("@")[2]


class EmailRoute(RouteSettings):
    """One school's mailbox, and how the pupils in a message are protected on the last hop."""

    address: Address = Field(description="the one mailbox that a message goes to")
    protection: Literal["attested", "file", "smime"] = Field(
        default="file",
        description="attested names pupils in the body; file sends initials and a protected spreadsheet; "
        "smime signs the whole and locks it to their certificate",
    )
    attestation: Attestation | None = Field(
        default=None, description="needed for attested: what was checked, when, and by whom"
    )

    certificate: str = Field(
        default="",
        max_length=20_000,
        description="needed for smime: the school's S/MIME certificate as PEM, compared by phone",
    )
    authorities: str = Field(
        default="",
        max_length=40_000,
        description="with smime: certificates as PEM, one of which must have issued theirs",
    )

    @model_validator(mode="after")
    def _locked_to_somebody(self) -> Self:
        if (self.protection == "smime") != bool(self.certificate.strip()):
            message = "protection = 'smime' and the school's certificate belong together"
            raise ValueError(message)
        if self.authorities and not self.certificate:
            message = "authorities say who issued the certificate of protection = 'smime': leave them out"
            raise ValueError(message)
        if self.certificate:
            smime.reader(self.certificate, self.address, self.authorities)
        return self

    @property
    def reader(self) -> Certificate:
        """The certificate to which messages are locked."""
        return smime.reader(self.certificate, self.address, self.authorities)

    def lacks(self, connection: ConnectionSettings, now: datetime) -> str:
        """Say that nothing can sign, where what is sent must be signed."""
        if self.protection != "smime" or not isinstance(connection, EmailConnection):
            return ""
        return connection.cannot_sign(now)

    def wants_secrets(self) -> bool:
        """Ask for the key that signs, where one signs."""
        return self.protection == "smime"

    @model_validator(mode="after")
    def _attested_by_somebody(self) -> Self:
        if self.protection == "attested" and self.attestation is None:
            message = "Say in attestation what was checked and when, or choose protection = 'file'"
            raise ValueError(message)
        return self

    def complaints(self, now: datetime) -> tuple[str, ...]:
        """Say that a word for the last hop, or their certificate, holds no more: names must not go this way until it does."""
        if self.protection == "smime":
            why = smime.why_not(self.reader, "the school's", now)
            return (why,) if why else ()
        if self.protection != "attested" or self.attestation is None:
            return ()
        why = self.attestation.why_not(now)
        return (why,) if why else ()

    def takes_summaries(self) -> bool:
        """Take summaries too, protected as the reports are."""
        return True

    def endings(self) -> tuple[Ending, ...]:
        """Say until when the last hop is vouched for, or their certificate holds."""
        if self.protection == "smime":
            mend = "Ask them for the new one, compare it by phone, write it into certificate, and run: aphub apply"
            return (
                Ending("the school's certificate for encrypted mail", self.reader.not_valid_after_utc, mend),
            )
        if self.protection != "attested" or self.attestation is None:
            return ()
        mend = "Have it checked anew, and write the new date into attestation. Then: aphub apply"
        return (Ending("the word for their encrypted last hop", self.attestation.ends, mend),)

    def destination(self) -> str:
        """Name address, protection and certificate: whoever changes them changes who can read a message."""
        where = {"address": self.address, "protection": self.protection}
        if self.protection == "smime":
            where["certificate"] = smime.fingerprint(self.reader)
        return json.dumps(where, sort_keys=True)
