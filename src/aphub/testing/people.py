"""Invented pupils whose numbers have a right check letter and belong to no council."""

from dataclasses import dataclass, field

from aphub.domain.identifiers import upn_check_letter

UNUSED_COUNCIL = "999"
"""A local authority number that England has not given out."""

_GIVEN = (
    "Amina",
    "Bartholomew",
    "Cerys",
    "Dexter",
    "Elowen",
    "Finlay",
    "Gwendolen",
    "Hamza",
    "Isolde",
    "Jago",
)
_FAMILY = ("Ashgrove", "Birchwood", "Cedarhurst", "Damsonby", "Elderfield", "Fernleigh", "Gorsedale")


@dataclass(frozen=True, slots=True)
class InventedPupil:
    """A child who does not exist."""

    given_name: str = field(repr=False)
    family_name: str = field(repr=False)
    upn: str = field(repr=False)
    school_pupil_ref: str = field(repr=False)

    @property
    def name(self) -> str:
        """The name as people say it."""
        return f"{self.given_name} {self.family_name}"

    @property
    def initials(self) -> str:
        """First letters of the names."""
        return self.given_name[0] + self.family_name[0]


def invented_upn(number: int) -> str:
    """Give the number of the invented pupil `number` (below 100,000), with its check letter."""
    body = f"{UNUSED_COUNCIL}4{number // 1000:03d}20{number % 1000:03d}"
    return upn_check_letter(body) + body


def invented_pupil(number: int) -> InventedPupil:
    """Give the invented pupil `number`, always the same one."""
    family = _FAMILY[number // len(_GIVEN) % len(_FAMILY)]
    return InventedPupil(_GIVEN[number % len(_GIVEN)], family, invented_upn(number), f"HS{number:05d}")
