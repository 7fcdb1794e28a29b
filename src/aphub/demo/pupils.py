"""The invented pupils of the played day: every arrangement that a provider can have, at two providers."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

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

BY_SESSION, AT_START, DAILY = "by-session", "start-plus-15", "daily"
BOTH = "Tue 09:15-12:00 in person @ Riverbank; Tue 13:00-15:00 in person @ Riverbank"
MORNING = "Tue 09:15-12:00 in person @ Riverbank"
MILL = "Tue 09:30-11:45 in person @ The Mill"
MILL_BOTH = f"{MILL}; Tue 13:15-14:45 in person @ The Mill"


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


def _school(slug: str) -> tuple[tuple[str, str], ...]:
    return ((slug, "home_school"),)


def _council(slug: str, school: str = "") -> tuple[tuple[str, str], ...]:
    return ((slug, "council"), *(_school(school) if school else ()))


S19, S42, S61 = "s.19", "s.42(2)", "s.61(1)"

# The references of Riverbank begin with zeros, which spreadsheets like to eat.
_RIVERBANK = (
    Invented("00411", "Amber", "Quayle", "arranged by the school", _school("hill-school"), BOTH),
    Invented("00412", "Dev", "Marlow", "arranged by the school", _school("hill-school"), BOTH),
    Invented("00413", "Connie", "Ashdown", "on two rolls", _school("hill-school"), BOTH, registration="dual"),
    Invented("00414", "Elias", "Thorne", "on two rolls", _school("hill-school"), BOTH, registration="dual"),
    Invented("00415", "Sol", "Upton", "arranged by the school", _school("hill-school"), MORNING),
    Invented("00416", "Freya", "Holt", "arranged by the school", _school("meadow-high"), BOTH),
    Invented("00417", "George", "Pell", "arranged by the school", _school("meadow-high"), BOTH),
    Invented(
        "00418",
        "Hana",
        "Wick",
        "arranged by the school, work experience",
        _school("meadow-high"),
        "Tue 09:15-12:00 in person @ Wick Garage",
        nature="work experience",
    ),
    Invented("00419", "Idris", "Vale", "arranged by the school", _school("meadow-high"), MORNING),
    Invented(
        "00420",
        "Jonah",
        "Keele",
        "arranged by the school, sport",
        _school("harbour-college"),
        "Tue 09:15-12:00 in person @ Boathouse",
        nature="sport",
    ),
    Invented("00421", "Kezia", "Lunn", "arranged by the school", _school("harbour-college"), BOTH),
    Invented(
        "00422",
        "Luca",
        "Fenn",
        "arranged by the council, s.19",
        _council("northshire", "fenside-academy"),
        BOTH,
        arranged_by="council",
        power=S19,
    ),
    Invented(
        "00423",
        "Maya",
        "Orr",
        "arranged by the council, s.42(2)",
        _council("northshire", "fenside-academy"),
        MORNING,
        arranged_by="council",
        power=S42,
    ),
    Invented(
        "00424",
        "Noor",
        "Beck",
        "arranged by the council, s.61(1)",
        _council("northshire", "orchard-school"),
        BOTH,
        arranged_by="council",
        power=S61,
    ),
    Invented(
        "00425",
        "Otis",
        "Grange",
        "on our own roll",
        _council("northshire"),
        BOTH,
        arranged_by="council",
        power=S19,
        registration="own",
        agreement=DAILY,
    ),
    Invented(
        "00426",
        "Pia",
        "Reed",
        "on our own roll",
        _council("northshire"),
        BOTH,
        arranged_by="council",
        power=S19,
        registration="own",
        agreement=DAILY,
    ),
    Invented(
        "00427",
        "Quinn",
        "Sayer",
        "suspended by the school, here from day 6",
        _school("fenside-academy"),
        BOTH,
        starts="2026-03-02",
        ends="2026-03-06",
    ),
    Invented("00428", "Rosa", "Tighe", "arranged by the school", _school("orchard-school"), MORNING),
)

_OLD_MILL = (
    Invented("7101", "Sami", "Udell", "arranged by the school", _school("hill-school"), MILL_BOTH),
    Invented("7102", "Tara", "Voss", "arranged by the school", _school("hill-school"), MILL),
    Invented("7103", "Umar", "Wexley", "arranged by the school", _school("lantern-school"), MILL, risk=True),
    Invented("7104", "Vera", "Yates", "arranged by the school", _school("lantern-school"), MILL),
    Invented(
        "7105",
        "Will",
        "Zeller",
        "arranged by the school, online",
        _school("lantern-school"),
        "Tue 09:30-10:30 online",
        nature="online",
    ),
    Invented(
        "7106",
        "Xena",
        "Abbot",
        "arranged by the school, tuition at home",
        _school("lantern-school"),
        "Tue 09:30-11:00 at home",
        nature="1:1 tuition at home",
    ),
    Invented(
        "7107",
        "Yusuf",
        "Blake",
        "arranged by the council, s.19, tuition at home",
        _council("northshire", "lantern-school"),
        "Tue 09:30-11:00 at home",
        arranged_by="council",
        power=S19,
        nature="1:1 tuition at home",
    ),
    Invented(
        "7108",
        "Zoe",
        "Carter",
        "on no roll, permanently excluded",
        _council("westmarsh"),
        MILL_BOTH,
        arranged_by="council",
        power=S19,
        registration="no_roll",
    ),
    Invented(
        "7109",
        "Aaron",
        "Drew",
        "on no roll, s.61(1)",
        _council("westmarsh"),
        MILL,
        arranged_by="council",
        power=S61,
        registration="no_roll",
    ),
    Invented(
        "7110",
        "Bella",
        "Eames",
        "on no roll, awaiting a place",
        _council("westmarsh"),
        MILL,
        arranged_by="council",
        power=S19,
        registration="no_roll",
    ),
    Invented("7111", "Cody", "Frost", "arranged by the school", _school("station-road"), MILL_BOTH),
    Invented("7112", "Dana", "Gill", "arranged by the school, mornings only", _school("station-road"), MILL),
    Invented(
        "7113",
        "Ezra",
        "Hobbs",
        "arranged by the school, not on Tuesdays",
        _school("station-road"),
        "Wed 09:30-11:45 in person @ The Mill; Thu 09:30-11:45 in person @ The Mill",
    ),
    Invented("7114", "Farah", "Innes", "arranged by the school", _school("brook-academy"), MILL),
    Invented("7115", "Gus", "Jarvis", "arranged by the school", _school("brook-academy"), MILL),
    Invented("7116", "Hetty", "Kerr", "arranged by the school", _school("brook-academy"), MILL),
)

RIVERBANK = tuple(replace(one, agreement=one.agreement or BY_SESSION) for one in _RIVERBANK)
OLD_MILL = tuple(replace(one, agreement=one.agreement or AT_START) for one in _OLD_MILL)
PROVIDERS = {"riverbank": RIVERBANK, "old-mill": OLD_MILL}


def everyone() -> tuple[Invented, ...]:
    """Give all invented pupils."""
    return RIVERBANK + OLD_MILL


def pupil(ref: str) -> Invented:
    """Give the invented pupil that a provider knows by `ref`."""
    return next(one for one in everyone() if one.ref == ref)


def import_file(provider: str) -> bytes:
    """Give a provider's pupils, placements and recipients as the CSV that `aphub import` takes."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    for one in PROVIDERS[provider]:
        writer.writerows(one.rows())
    return out.getvalue().encode()
