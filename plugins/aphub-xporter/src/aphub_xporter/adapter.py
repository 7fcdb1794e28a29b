"""The adapter: Xporter's way to sign in, and what a register behind it can hold."""

from collections.abc import Mapping
from typing import ClassVar

from aphub.api import Call, Called, CallState
from aphub.api.mis import RegisterAdapter, TokenByPost, Wire
from aphub_xporter.school import School
from aphub_xporter.settings import XporterConnection, XporterRoute


class XporterAdapter(RegisterAdapter[XporterConnection, XporterRoute]):
    """Writes session marks through Xporter, a day a request; only the register says what became of them."""

    name = "xporter"
    vendor = "Xporter"
    connection_class = XporterConnection
    route_class = XporterRoute
    capabilities: ClassVar[dict[str, str]] = {
        "session marks": "yes",
        "lesson marks": "no: a lesson of ours is none of the school's timetable",
        "codes": "those that the school signed for and has in its own table, once each",
        "minutes late": "yes, as a number",
        "comment": "yes, up to 500 characters: code, minutes, kind of reason, our reference; no name, no free text",
        "absence notes, urgent news": "no: these go by another channel",
        "asynchronous outcome": "by the register read back, and by a call where the queue is used",
        "corrections": "of our own marks that nobody touched, where comments are on",
        "run against the vendor": "not yet run against the vendor",
    }
    is_called = True
    says_no: ClassVar[Mapping[int, tuple[str, str]]] = {
        401: ("Xporter did not accept our sign-in.", "Ask the school for a new secret for us"),
        403: (
            "Xporter does not let us do this at this school.",
            "Ask the school to approve our scopes in Xporter",
        ),
        404: ("Xporter does not know what we asked for.", "Check estab and base_url"),
    }

    def hear(self, call: Call) -> Called | None:
        """Read a call: the number that the queue gave, and whether it came to its end. They sign nothing."""
        said = {name.lower(): value for name, value in call.fields().items()}
        tracking, completed = said.get("trackingid", "").strip(), said.get("xodcompleted", "").strip()
        state = {"true": CallState.DONE, "false": CallState.FAILED}.get(completed.lower())
        if not tracking.isascii() or not tracking.replace("-", "").isalnum() or state is None:
            return None
        return Called(tracking, state, f"XodCompleted={completed}")

    def school(self, wire: Wire, route: XporterRoute) -> School:
        """Give one school, signed in with its own secret."""
        connection = self.connection
        sign_in = TokenByPost(
            self.vendor,
            connection.token_path,
            lambda: {
                "estab": route.estab,
                "relyingParty": connection.relying_party,
                "password": connection.secret.get_secret_value(),
                "thirdpartyid": "XporterOnDemand",
            },
            token_path="token",  # noqa: S106 - where it stands in the answer
            expires_path="expires",
            header="Idaas {token}",
            now=self.tools.now,
        )
        place, memory = self.memory_place(route), self.tools.memory
        is_callable = self.tools.callbacks.on
        return School(wire.signed_in(sign_in), connection, route, place, memory, is_callable=is_callable)
