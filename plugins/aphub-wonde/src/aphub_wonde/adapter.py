"""The adapter: Wonde's way to sign in, and what its register can hold."""

from collections.abc import Mapping
from typing import ClassVar

from aphub.api.mis import RegisterAdapter, Wire
from aphub_wonde.school import School
from aphub_wonde.settings import WondeConnection, WondeRoute


class WondeAdapter(RegisterAdapter[WondeConnection, WondeRoute]):
    """Writes session marks through Wonde's queue; its status is asked for before the register is read back."""

    name = "wonde"
    vendor = "Wonde"
    connection_class = WondeConnection
    route_class = WondeRoute
    capabilities: ClassVar[dict[str, str]] = {
        "session marks": "yes",
        "lesson marks": "no: a lesson of ours is none of the school's timetable",
        "codes": "those that the school signed for and has in its own table, once each",
        "minutes late": "yes, as a number",
        "comment": "yes: code, minutes, kind of reason, our reference; no name, no free text",
        "absence notes, urgent news": "no: these go by another channel",
        "corrections": "of our own marks that nobody touched, where comments are on",
        "run against the vendor": "not yet run against the vendor",
    }
    says_no: ClassVar[Mapping[int, tuple[str, str]]] = {
        401: (
            "Wonde did not accept our token.",
            "Ask Wonde for a new token, then store it with: aphub secret set",
        ),
        403: (
            "Wonde does not let us do this at this school.",
            "Ask the school to approve our permissions in Wonde",
        ),
        404: (
            "Wonde does not know what we asked for, or not for our token.",
            "Check school_id and base_url with Wonde",
        ),
    }

    def headers(self) -> Mapping[str, str]:
        """Give the token, in the header only."""
        return {"Authorization": f"Bearer {self.connection.token.get_secret_value()}"}

    def school(self, wire: Wire, route: WondeRoute) -> School:
        """Give one school behind Wonde."""
        return School(wire, self.connection, route, self.memory_place(route), self.tools.memory)
