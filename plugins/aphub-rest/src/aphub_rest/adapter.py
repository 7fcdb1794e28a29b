"""The adapter: whatever a template says, with the same care as for any register."""

import base64
from collections.abc import Mapping
from typing import ClassVar

from aphub.api import Call, Called, CallState, Tools
from aphub.api.mis import RegisterAdapter, State, TokenByPost, Wire
from aphub_rest.school import School
from aphub_rest.settings import RestConnection, RestRoute
from aphub_rest.template import filled

_STATES = {
    State.CONFIRMED: CallState.DONE,
    State.FAILED: CallState.FAILED,
    State.PENDING: CallState.OPEN,
}


class RestAdapter(RegisterAdapter[RestConnection, RestRoute]):
    """Writes session marks through a JSON API that a template describes."""

    name = "rest"
    is_called = True
    connection_class = RestConnection
    route_class = RestRoute
    capabilities: ClassVar[dict[str, str]] = {
        "session marks": "yes",
        "lesson marks": "no: a lesson of ours is none of the school's timetable",
        "codes": "those that the school signed for and has in its own table, once each",
        "minutes late": "where the template has a place for it",
        "comment": "where the template has a place for it; no name, no free text",
        "absence notes, urgent news": "no: these go by another channel",
        "corrections": "of our own marks that nobody touched, where comments are written and read back",
        "run against the vendor": "not yet run against any vendor",
    }

    def __init__(self, connection: RestConnection, tools: Tools) -> None:
        """Keep settings and tools, and the token between two bursts of this instance."""
        super().__init__(connection, tools)
        self._sign_in = self._token_sign_in()

    @property
    def vendor(self) -> str:  # type: ignore[override]  # named by the template
        """The vendor's name."""
        return self.connection.api.vendor

    @property
    def says_no(self) -> Mapping[int, tuple[str, str]]:  # type: ignore[override]  # named by the template
        """Say a plain no in the vendor's name."""
        vendor = self.connection.api.vendor
        return {
            401: (f"{vendor} did not accept our sign-in.", "Ask for a new secret, then: aphub secret set"),
            403: (f"{vendor} does not let us do this at this school.", "Ask the school to approve us there"),
            404: (f"{vendor} does not know what we asked for.", "Check base_url, school and the template"),
        }

    def hear(self, call: Call) -> Called | None:
        """Read a call as the template says; one that is not signed as it says is nobody's."""
        callback = self.connection.api.callback
        if callback is None:
            return None
        if callback.signature:
            signed = call.headers.get(callback.signature.lower(), "")
            secret = self.connection.callback_secret.get_secret_value()
            if not signed.startswith(callback.prefix) or not call.is_signed(
                secret, signed.removeprefix(callback.prefix)
            ):
                return None
        said = call.fields()
        reference, word = said.get(callback.reference, ""), said.get(callback.word, "")
        if not reference or " " in reference or not word:
            return None
        return Called(reference, _STATES[callback.words.get(word, State.PENDING)], word)

    def headers(self) -> Mapping[str, str]:
        """Give the headers that every request has."""
        sign_in, given = self.connection.api.sign_in, self.connection.given()
        headers = {name: str(filled(text, given)) for name, text in sign_in.headers.items()}
        if sign_in.kind == "basic":
            pair = f"{given['user']}:{given['secret']}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        return headers

    def least_gap(self) -> float:
        """Give the seconds between two requests that the vendor wants."""
        rate = self.connection.api.requests_per_second
        return 1 / rate if rate else 0.0

    def school(self, wire: Wire, route: RestRoute) -> School:
        """Give one school there."""
        wire = wire.signed_in(self._sign_in) if self._sign_in else wire
        return School(wire, self.connection, route, self.memory_place(route), self.tools.memory)

    def _token_sign_in(self) -> TokenByPost | None:
        sign_in, given = self.connection.api.sign_in, self.connection.given
        if sign_in.kind != "token":
            return None
        return TokenByPost(
            self.connection.api.vendor,
            sign_in.path,
            lambda: {name: str(filled(text, given())) for name, text in sign_in.body.items()},
            token_path=sign_in.token,
            expires_path=sign_in.expires,
            header=sign_in.header,
            form=sign_in.form,
            now=self.tools.now,
        )
