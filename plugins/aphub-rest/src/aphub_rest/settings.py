"""Settings: which template, where, and whose secrets fill it."""

import hashlib
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from pydantic import Field, PrivateAttr, SecretStr, ValidationError, field_validator, model_validator

from aphub.api.mis import CommentedRoute, RegisterConnection
from aphub_rest.template import Template


class RestConnection(RegisterConnection):
    """How to reach one vendor's API as a template describes it."""

    base_url: str = Field(description="address of the API, https only, with what all paths begin with")
    template: str = Field(
        pattern=r"^[a-z0-9-]+$|\.toml$",
        description="name of a template that is shipped, or a file of your own",
    )
    user: str = Field(default="", description="what {user} stands for in the template")
    secret: SecretStr = Field(description="what {secret} stands for; write it as secret:NAME")
    second_secret: SecretStr = Field(
        default=SecretStr(""), description="what {second_secret} stands for, such as a subscription key"
    )
    callback_secret: SecretStr = Field(
        default=SecretStr(""),
        description="what they sign their calls with, where the template names a signature",
    )
    _template: Template = PrivateAttr()
    _own: str = PrivateAttr(default="")

    @field_validator("template")
    @classmethod
    def _is_there(cls, value: str) -> str:
        if not value.endswith(".toml") and value not in shipped():
            message = f"There is no template '{value}'. Choose one of: {', '.join(sorted(shipped()))}"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _read(self) -> Self:
        self._template = template_of(self.template)
        if self.template.endswith(".toml"):
            self._own = hashlib.sha256(Path(self.template).read_bytes()).hexdigest()
        called = self._template.callback
        if called is not None and called.signature and not self.callback_secret.get_secret_value():
            message = "Give callback_secret: the template says that calls are signed"
            raise ValueError(message)
        return self

    def wants_calls(self) -> bool:
        """Say whether the template has them call back."""
        return self._template.callback is not None

    def elsewhere(self) -> str:
        """Name the content of a template of one's own: whoever changes it changes where marks go, and which."""
        return self._own

    @property
    def api(self) -> Template:
        """The vendor's API."""
        return self._template

    def given(self) -> dict[str, str]:
        """Give what fills the places of a sign-in."""
        return {
            "user": self.user,
            "secret": self.secret.get_secret_value(),
            "second_secret": self.second_secret.get_secret_value(),
        }


class RestRoute(CommentedRoute):
    """One school there."""

    school: str = Field(
        pattern=r"^[A-Za-z0-9._-]{1,80}$", description="the school's number there; {school} in the template"
    )

    @property
    def place(self) -> str:
        """The school's number there."""
        return self.school


def shipped() -> dict[str, Any]:
    """Give the templates that come with this plugin, by name."""
    folder = files("aphub_rest") / "templates"
    return {one.name.removesuffix(".toml"): one for one in folder.iterdir() if one.name.endswith(".toml")}


def template_of(name: str) -> Template:
    """Read a template by name or by path.

    Raises:
        ValueError: It is not there, is no TOML, or is not of the shape; the words say where.
    """
    source = Path(name) if name.endswith(".toml") else shipped()[name]
    try:
        return Template.model_validate(tomllib.loads(source.read_text(encoding="utf-8")))
    except OSError as exc:
        message = f"The template {name} cannot be read ({type(exc).__name__})"
        raise ValueError(message) from exc
    except tomllib.TOMLDecodeError as exc:
        message = f"The template {name} is not TOML: {exc}"
        raise ValueError(message) from exc
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        words = first["msg"].removeprefix("Value error, ")
        message = f"The template {name}, {where or 'as a whole'}: {words}"
        raise ValueError(message) from None
