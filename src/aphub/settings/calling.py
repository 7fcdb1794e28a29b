"""How far sides may call the hub back: off unless `[callbacks]` stands in `hub.toml`."""

from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from aphub.settings.shapes import Strict

_HIGHEST_PORT = 65_535


class CallbackSettings(Strict):
    """Where far sides reach us; TLS ends here, with a certificate, or in a reverse proxy on this machine."""

    public_url: str = Field(
        description="the address that far sides call, https only, such as https://hub.example.org"
    )
    listen: str = Field(
        default="127.0.0.1:8717",
        description="address and port to listen on; without a certificate, this machine's only",
    )
    certificate: Path | None = Field(default=None, description="PEM file with the certificate and its chain")
    key: Path | None = Field(default=None, description="PEM file with its private key, mode 0600")

    @field_validator("public_url")
    @classmethod
    def _public(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment or parts.username:
            message = "This is not an address such as https://hub.example.org"
            raise ValueError(message)
        return value.rstrip("/")

    @property
    def address(self) -> tuple[str, int]:
        """Give host and port to listen on.

        Raises:
            ValueError: They are not written as host:port, with an IP address for the host.
        """
        host, _, port = self.listen.rpartition(":")
        host = host.strip("[]")
        ip_address(host)
        if not port.isdecimal() or int(port) > _HIGHEST_PORT:
            raise ValueError(port)
        return host, int(port)

    @model_validator(mode="after")
    def _never_in_the_clear(self) -> Self:
        try:
            host, _ = self.address
        except ValueError as exc:
            message = "listen is not an address and port such as 127.0.0.1:8717"
            raise ValueError(message) from exc
        if (self.certificate is None) != (self.key is None):
            message = "certificate and key belong together. Give both, or neither behind a proxy"
            raise ValueError(message)
        if self.certificate is None and not ip_address(host).is_loopback:
            message = (
                "Without certificate and key, listen on 127.0.0.1, with a proxy on this machine that ends TLS"
            )
            raise ValueError(message)
        return self
