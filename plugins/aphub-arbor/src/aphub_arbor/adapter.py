"""The adapter: Arbor's way to sign in, and what its roll calls can hold."""

import base64
from collections.abc import Mapping
from typing import ClassVar

from aphub.api.mis import RegisterAdapter, Wire
from aphub_arbor.school import School
from aphub_arbor.settings import ArborConnection, ArborRoute


class ArborAdapter(RegisterAdapter[ArborConnection, ArborRoute]):
    """Writes session marks as roll call registrations; only the records of the roll call say what became of them."""

    name = "arbor"
    vendor = "Arbor"
    connection_class = ArborConnection
    route_class = ArborRoute
    capabilities: ClassVar[dict[str, str]] = {
        "session marks": "yes, as roll calls",
        "lesson marks": "no: a lesson of ours is none of the school's timetable",
        "codes": "those that the school signed for and has active in its own table, once each",
        "minutes late": "yes, as a number",
        "comment": "no: a roll call keeps none",
        "absence notes, urgent news": "no: these go by another channel",
        "corrections": "no: without a comment our own mark cannot be told from the school's",
        "run against the vendor": "not yet run against the vendor",
    }
    says_no: ClassVar[Mapping[int, tuple[str, str]]] = {
        401: (
            "Arbor did not accept our user and password.",
            "Ask the school to look at the API user in Arbor",
        ),
        403: (
            "Arbor does not let us do this at this school.",
            "Ask the school to approve our application in Arbor",
        ),
        404: ("Arbor does not know what we asked for.", "Check base_url with the school"),
    }

    def headers(self) -> Mapping[str, str]:
        """Give user and password, and our application where the address is shared."""
        connection = self.connection
        pair = f"{connection.user}:{connection.password.get_secret_value()}".encode()
        headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        if connection.application_id:
            headers["x-mis-application-id"] = connection.application_id
        return headers

    def school(self, wire: Wire, route: ArborRoute) -> School:
        """Give the school's roll calls."""
        return School(
            wire, self.connection, route, self.memory_place(route), self.tools.memory, self.tools.now
        )
