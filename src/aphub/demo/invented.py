"""A child who does not exist, what was agreed for them, and their rows in a file of people."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from aphub.domain.identifiers import upn_check_letter

NO_COUNCIL = "999"
"""A local authority number that England has not given out."""

COLUMNS = (
    "pupil_ref",
    "given_name",
    "family_name",
    "upn",
    "school_pupil_ref",
    "starts",
    "ends",
    "arranged_by",
    "power",
    "registration",
    "nature",
    "commissioner",
    "timetable",
    "recipient",
    "purpose",
    "agreement",
    "risk",
    "suppressed",
)
"""One row a placement and recipient, as `aphub import` reads it."""


@dataclass(frozen=True, slots=True)
class Invented:
    """A child who does not exist, and what was agreed for them."""

    ref: str
    given_name: str = field(repr=False)
    family_name: str = field(repr=False)
    arrangement: str
    told: tuple[tuple[str, str], ...]
    timetable: str
    arranged_by: str = "school"
    power: str = ""
    registration: str = "home"
    nature: str = "alternative provision"
    agreement: str = ""
    starts: str = "2026-01-12"
    ends: str = ""
    risk: bool = False

    @property
    def upn(self) -> str:
        """The pupil's number, with its check letter."""
        body = f"{NO_COUNCIL}4{int(self.ref) // 1000:03d}20{int(self.ref) % 1000:03d}"
        return upn_check_letter(body) + body

    @property
    def name(self) -> str:
        """The name as people say it."""
        return f"{self.given_name} {self.family_name}"

    def rows(self) -> Iterable[dict[str, str]]:
        """Give the rows of the import file: one for each organisation that is told."""
        for organisation, purpose in self.told:
            yield {
                "pupil_ref": self.ref,
                "given_name": self.given_name,
                "family_name": self.family_name,
                "upn": self.upn,
                "school_pupil_ref": "" if self.registration == "no_roll" else f"S{int(self.ref):04d}",
                "starts": self.starts,
                "ends": self.ends,
                "arranged_by": self.arranged_by,
                "power": self.power,
                "registration": self.registration,
                "nature": self.nature,
                "commissioner": self.told[0][0],
                "timetable": self.timetable,
                "recipient": organisation,
                "purpose": purpose,
                "agreement": self.agreement,
                "risk": "yes" if self.risk else "",
                "suppressed": "",
            }


def of_school(slug: str) -> tuple[tuple[str, str], ...]:
    """Tell the pupil's own school."""
    return ((slug, "home_school"),)


def of_council(slug: str, school: str = "") -> tuple[tuple[str, str], ...]:
    """Tell a council, and the pupil's own school where there is one."""
    return ((slug, "council"), *(of_school(school) if school else ()))


S19, S42, S61 = "s.19", "s.42(2)", "s.61(1)"
