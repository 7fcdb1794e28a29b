"""The invented pupils of SENtre and YPM: every arrangement that a provider can have."""

from dataclasses import replace

from aphub.demo.invented import S19, S42, S61, Invented, of_council, of_school

BY_SESSION, AT_START, DAILY = "by-session", "start-plus-15", "daily"
BOTH = "Tue 09:15-12:00 in person @ Riverside; Tue 13:00-15:00 in person @ Riverside"
MORNING = "Tue 09:15-12:00 in person @ Riverside"
MILL = "Tue 09:30-11:45 in person @ The Mill"
MILL_BOTH = f"{MILL}; Tue 13:15-14:45 in person @ The Mill"

# The references of SENtre begin with zeros, which spreadsheets like to eat.
_SENTRE = (
    Invented("00411", "Amber", "Quayle", "arranged by the school", of_school("hill-school"), BOTH),
    Invented("00412", "Dev", "Marlow", "arranged by the school", of_school("hill-school"), BOTH),
    Invented(
        "00413", "Connie", "Ashdown", "on two rolls", of_school("hill-school"), BOTH, registration="dual"
    ),
    Invented("00414", "Elias", "Thorne", "on two rolls", of_school("hill-school"), BOTH, registration="dual"),
    Invented("00415", "Sol", "Upton", "arranged by the school", of_school("hill-school"), MORNING),
    Invented("00416", "Freya", "Holt", "arranged by the school", of_school("meadow-high"), BOTH),
    Invented("00417", "George", "Pell", "arranged by the school", of_school("meadow-high"), BOTH),
    Invented(
        "00418",
        "Hana",
        "Wick",
        "arranged by the school, work experience",
        of_school("meadow-high"),
        "Tue 09:15-12:00 in person @ Wick Garage",
        nature="work experience",
    ),
    Invented("00419", "Idris", "Vale", "arranged by the school", of_school("meadow-high"), MORNING),
    Invented(
        "00420",
        "Jonah",
        "Keele",
        "arranged by the school, sport",
        of_school("harbour-college"),
        "Tue 09:15-12:00 in person @ Boathouse",
        nature="sport",
    ),
    Invented("00421", "Kezia", "Lunn", "arranged by the school", of_school("harbour-college"), BOTH),
    Invented(
        "00422",
        "Luca",
        "Fenn",
        "arranged by the council, s.19",
        of_council("northshire", "fenside-academy"),
        BOTH,
        arranged_by="council",
        power=S19,
    ),
    Invented(
        "00423",
        "Maya",
        "Orr",
        "arranged by the council, s.42(2)",
        of_council("northshire", "fenside-academy"),
        MORNING,
        arranged_by="council",
        power=S42,
    ),
    Invented(
        "00424",
        "Noor",
        "Beck",
        "arranged by the council, s.61(1)",
        of_council("northshire", "orchard-school"),
        BOTH,
        arranged_by="council",
        power=S61,
    ),
    Invented(
        "00425",
        "Otis",
        "Grange",
        "on our own roll",
        of_council("northshire"),
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
        of_council("northshire"),
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
        of_school("fenside-academy"),
        BOTH,
        starts="2026-03-02",
        ends="2026-03-06",
    ),
    Invented("00428", "Rosa", "Tighe", "arranged by the school", of_school("orchard-school"), MORNING),
    Invented("00429", "Silas", "Umber", "arranged by the school", of_school("larch-academy"), MORNING),
    Invented("00430", "Tilda", "Vance", "arranged by the school", of_school("tern-bank"), BOTH),
)

_YPM = (
    Invented("7101", "Sami", "Udell", "arranged by the school", of_school("hill-school"), MILL_BOTH),
    Invented("7102", "Tara", "Voss", "arranged by the school", of_school("hill-school"), MILL),
    Invented(
        "7103", "Umar", "Wexley", "arranged by the school", of_school("lantern-school"), MILL, risk=True
    ),
    Invented("7104", "Vera", "Yates", "arranged by the school", of_school("lantern-school"), MILL),
    Invented(
        "7105",
        "Will",
        "Zeller",
        "arranged by the school, online",
        of_school("lantern-school"),
        "Tue 09:30-10:30 online",
        nature="online",
    ),
    Invented(
        "7106",
        "Xena",
        "Abbot",
        "arranged by the school, tuition at home",
        of_school("lantern-school"),
        "Tue 09:30-11:00 at home",
        nature="1:1 tuition at home",
    ),
    Invented(
        "7107",
        "Yusuf",
        "Blake",
        "arranged by the council, s.19, tuition at home",
        of_council("northshire", "lantern-school"),
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
        of_council("westmarsh"),
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
        of_council("westmarsh"),
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
        of_council("westmarsh"),
        MILL,
        arranged_by="council",
        power=S19,
        registration="no_roll",
    ),
    Invented("7111", "Cody", "Frost", "arranged by the school", of_school("station-road"), MILL_BOTH),
    Invented(
        "7112", "Dana", "Gill", "arranged by the school, mornings only", of_school("station-road"), MILL
    ),
    Invented(
        "7113",
        "Ezra",
        "Hobbs",
        "arranged by the school, not on Tuesdays",
        of_school("station-road"),
        "Wed 09:30-11:45 in person @ The Mill",
    ),
    Invented("7114", "Farah", "Innes", "arranged by the school", of_school("brook-academy"), MILL),
    Invented("7115", "Gus", "Jarvis", "arranged by the school", of_school("brook-academy"), MILL),
    Invented("7116", "Hetty", "Kerr", "arranged by the school", of_school("brook-academy"), MILL),
    Invented("7117", "Ivor", "Lacey", "arranged by the school", of_school("quarry-hill"), MILL),
    Invented("7118", "Jess", "Mallow", "arranged by the school", of_school("saltern-college"), MILL),
    Invented("7119", "Kit", "Norris", "arranged by the school", of_school("fern-hall"), MILL),
)

SENTRE = tuple(replace(one, agreement=one.agreement or BY_SESSION) for one in _SENTRE)
YPM = tuple(replace(one, agreement=one.agreement or AT_START) for one in _YPM)
