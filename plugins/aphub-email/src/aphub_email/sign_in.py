"""How a mailbox is signed in to: with a password, or with tokens that a sign-in service gives (OAuth 2.0)."""

from typing import ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from aphub.api import ConnectionSettings

MAIL_SCOPE = "https://outlook.office365.com/.default"
"""What Exchange Online wants for SMTP and IMAP (learn.microsoft.com: Authenticate an IMAP, POP or SMTP connection)."""
GRAPH_SCOPE = "https://graph.microsoft.com/.default"
_MICROSOFT_TOKENS = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"


class SignInSettings(ConnectionSettings):
    """Who we are to the mail server; a change of it changes neither where a message goes nor who can read it."""

    sign_in: Literal["password", "client_credentials", "refresh_token"] = Field(
        default="password",
        description="password; or tokens, for which client_credentials or a refresh_token are shown to a sign-in service",
    )
    username: str = Field(
        default="",
        description="name to sign in with; empty for a relay that knows this machine, and with tokens for from_address",
    )
    password: SecretStr = Field(
        default=SecretStr(""), description="reference to a secret, such as secret:mail"
    )
    tenant: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9.-]{0,120}$",
        description="with Microsoft 365: the organisation's tenant, its number or its domain",
    )
    client_id: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._:/-]{0,200}$",
        description="number of the application that signs in",
    )
    client_secret: SecretStr = Field(
        default=SecretStr(""), description="reference to the application's secret, such as secret:mail-app"
    )
    refresh_token: SecretStr = Field(
        default=SecretStr(""), description="reference to a refresh token, where a person signed in once"
    )
    scope: str = Field(
        default="",
        pattern=r"^[!-~]*( [!-~]+)*$",
        description="what the token is asked for; without it, what Microsoft 365 needs where tenant is given",
    )
    token_url: str = Field(
        default="", description="where tokens are asked for, https only; Microsoft's where tenant is given"
    )

    token_settings: ClassVar[frozenset[str]] = frozenset(
        {
            "sign_in",
            "password",
            "tenant",
            "client_id",
            "client_secret",
            "refresh_token",
            "scope",
            "token_url",
        }
    )

    @field_validator("token_url")
    @classmethod
    def _encrypted(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme != "https" or not parts.hostname or parts.username or parts.fragment):
            message = "The address must begin with https:// and name a host"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _signs_in_wholly(self) -> Self:
        if self.sign_in == "password":
            if bool(self.username) != bool(self.password.get_secret_value()):
                message = "Give both username and password, or neither"
                raise ValueError(message)
            return self
        if self.password.get_secret_value():
            message = "Take password out: with tokens it is not used"
            raise ValueError(message)
        if not self.client_id or not (self.tenant or self.token_url):
            message = "Give client_id, and tenant (Microsoft 365) or token_url (any other)"
            raise ValueError(message)
        if not self.tenant and not self.scope:
            message = "Give scope: what the token is asked for, as the mail service names it"
            raise ValueError(message)
        needed = "client_secret" if self.sign_in == "client_credentials" else "refresh_token"
        if not getattr(self, needed).get_secret_value():
            message = f"Give {needed}, as secret:NAME"
            raise ValueError(message)
        return self

    @property
    def uses_tokens(self) -> bool:
        """Whether a sign-in service is asked for tokens."""
        return self.sign_in != "password"

    @property
    def actual_token_url(self) -> str:
        """Where tokens are asked for."""
        return self.token_url or _MICROSOFT_TOKENS.format(tenant=self.tenant)
