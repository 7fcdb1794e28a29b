"""Settings: how Xporter on Demand is reached, and which school a route means."""

from pydantic import Field, SecretStr

from aphub.api.mis import CommentedRoute, RegisterConnection


class XporterConnection(RegisterConnection):
    """How to reach one school behind Xporter: each school gives a secret of its own, so each has a connection."""

    base_url: str = Field(
        default="https://xporter.groupcall.com/", description="address of the API, https only"
    )
    relying_party: str = Field(
        pattern=r"^[A-Za-z0-9.-]{1,200}$", description="our name at Xporter, such as hub.example.org"
    )
    secret: SecretStr = Field(description="the school's secret for us; write it as secret:NAME")
    token_path: str = Field(default="api/oauth/GetToken", description="path below base_url that gives tokens")
    queued: bool = Field(
        default=False,
        description="write through Xporter's queue, which calls us back; needs [callbacks] in hub.toml",
    )

    def wants_calls(self) -> bool:
        """Say that the queue calls back: by contract an address of ours is needed."""
        return self.queued


class XporterRoute(CommentedRoute):
    """One school at Xporter."""

    estab: str = Field(pattern=r"^[0-9]{7}$", description="council and school number together, seven digits")

    @property
    def place(self) -> str:
        """Council and school number."""
        return self.estab
