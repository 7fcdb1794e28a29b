"""Read one row of a file of people into values, naming every mistake in it."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar

from aphub.domain.identifiers import UpnState, check_upn, near_duplicate
from aphub.domain.placements import ArrangedBy, Nature, Power, Purpose, Registration, Standing, TimetableSlot
from aphub.domain.timetables import read_timetable
from aphub.domain.typed import read_day
from aphub.services.people_items import LONGEST, read_home, read_items
from aphub.services.people_rows import REQUIRED, Pairs, PersonRow, Problem
from aphub.settings.models import Snapshot

_YES = frozenset({"yes", "y", "true", "1", "x", "✓", "✔"})
_NO = frozenset({"", "no", "n", "false", "0", "-"})
_LONGEST = 120
_NAMES = frozenset({"given_name", "family_name", "pupil_ref", "school_pupil_ref"})
_UNSEEN = frozenset({"Cc", "Cf"})
"""Unicode's categories of signs that steer a line and show nothing: two names that differ in them look alike."""
_SHEET_ERRORS = frozenset(
    {"#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"}
)
_ARRANGED = {
    **dict.fromkeys(("school", "home school", "the school", "academy", "trust"), ArrangedBy.SCHOOL),
    **dict.fromkeys(("council", "local authority", "la", "lea", "the council"), ArrangedBy.COUNCIL),
}
_REGISTRATION = {
    **dict.fromkeys(("home", "home school", "single", "home school only"), Registration.HOME),
    **dict.fromkeys(("dual", "dual registered", "dual registration", "two rolls"), Registration.DUAL),
    **dict.fromkeys(("own", "own roll", "our roll", "our own roll"), Registration.OWN),
    **dict.fromkeys(("no roll", "none", "no school", "not on a roll", "no_roll"), Registration.NO_ROLL),
}
_POWER = {"19": Power.S19, "42": Power.S42, "422": Power.S42, "61": Power.S61, "611": Power.S61}
_PURPOSE = {
    **dict.fromkeys(("home school", "home_school", "school"), Purpose.HOME_SCHOOL),
    **dict.fromkeys(("council", "local authority", "la"), Purpose.COUNCIL),
    **dict.fromkeys(("other school", "other_school"), Purpose.OTHER_SCHOOL),
}
_STANDING = {
    **{standing.value: standing for standing in Standing},
    **dict.fromkeys(("", "confirmed", "started", "accepted"), Standing.AGREED),
    **dict.fromkeys(("taster", "on trial", "trial placement"), Standing.TRIAL),
    **dict.fromkeys(("referral pending", "pending referral", "not yet agreed"), Standing.PENDING),
}
_NATURE = {
    **{nature.value: nature for nature in Nature},
    "ap": Nature.AP,
    "alternative provision (ap)": Nature.AP,
    "tuition": Nature.TUITION_AT_CENTRE,
    "1:1 tuition": Nature.TUITION_AT_CENTRE,
    "1:1": Nature.TUITION_AT_CENTRE,
    "tuition at centre": Nature.TUITION_AT_CENTRE,
    "home tuition": Nature.TUITION_AT_HOME,
    "tuition at home": Nature.TUITION_AT_HOME,
    "vocational": Nature.VOCATIONAL,
    "1:1 mentoring": Nature.MENTORING,
    "sports": Nature.SPORT,
    "online tuition": Nature.ONLINE,
    "online learning": Nature.ONLINE,
}

E = TypeVar("E", bound=StrEnum)


class RowReader:
    """Reads the rows of one file against one provider's configuration, collecting mistakes and warnings."""

    def __init__(self, config: Snapshot) -> None:
        """Learn which organisations and agreements there are, by slug and by name."""
        self._config = config
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._organisations = _names((slug, one.name) for slug, one in config.organisations.items())
        self._agreements = _names((slug, one.title) for slug, one in config.agreements.items())

    def read(self, number: int, cells: Mapping[str, str]) -> PersonRow | None:
        """Read one row; None when there is a mistake in it."""
        before = len(self.problems)
        self._filled(number, cells)
        get = cells.get
        upn = self._upn(number, get("upn", ""))
        starts = self._day(number, "starts", get("starts", ""))
        ends = self._day(number, "ends", get("ends", ""))
        if starts and ends and ends < starts:
            self._wrong(number, "ends", "The last day is before the first.", "Check both dates.")
        arranged_by = self._word(number, "arranged_by", get("arranged_by", ""), _ARRANGED, ArrangedBy)
        registration = self._word(
            number, "registration", get("registration", ""), _REGISTRATION, Registration
        )
        nature = self._word(number, "nature", get("nature", "") or Nature.AP.value, _NATURE, Nature)
        power = self._power(number, get("power", ""))
        standing = self._word(number, "standing", get("standing", "") or "agreed", _STANDING, Standing)
        commissioner = self._slug(number, "commissioner", get("commissioner", ""), self._organisations)
        recipient = self._slug(number, "recipient", get("recipient", ""), self._organisations)
        agreement = self._slug(number, "agreement", get("agreement", ""), self._agreements)
        purpose = self._purpose(number, get("purpose", ""), recipient)
        timetable = read_timetable(get("timetable", ""), nature or Nature.AP)
        if get("timetable"):
            for words in timetable.problems:
                self._wrong(number, "timetable", words, timetable.mend)
        flags = {
            name: self._yes_or_no(number, name, get(name, ""))
            for name in ("risk", "suppressed", "attends_on_school_closure")
        }
        items, home = self._more(number, cells, timetable.slots)
        if arranged_by and power is not None and registration:
            self._arrangement(number, arranged_by, power, registration, commissioner, recipient)
        if (
            len(self.problems) > before
            or starts is None
            or arranged_by is None
            or registration is None
            or nature is None
            or power is None
            or purpose is None
            or standing is None
        ):
            return None
        return PersonRow(
            number=number,
            pupil_ref=get("pupil_ref", ""),
            given_name=get("given_name", ""),
            family_name=get("family_name", ""),
            upn=upn,
            school_pupil_ref=get("school_pupil_ref", ""),
            suppressed=flags["suppressed"],
            starts=starts,
            ends=ends,
            arranged_by=arranged_by,
            power=power,
            registration=registration,
            nature=nature,
            commissioner=commissioner,
            timetable=timetable.slots,
            risk=flags["risk"],
            attends_on_school_closure=flags["attends_on_school_closure"],
            recipient=recipient,
            purpose=purpose,
            agreement=agreement,
            standing=standing,
            items=items,
            home=home,
        )

    def _filled(self, number: int, cells: Mapping[str, str]) -> None:
        for column in REQUIRED:
            if not cells.get(column):
                self._wrong(number, column, "This cell is empty.", "Fill it in.")
        for column, text in cells.items():
            if any(unicodedata.category(sign) in _UNSEEN for sign in text):
                self._wrong(
                    number, column, "There is a sign in this cell that cannot be seen.", "Type it in anew."
                )
            elif text.upper() in _SHEET_ERRORS:
                words = "This cell shows an error of the spreadsheet, and no value."
                self._wrong(number, column, words, "Type in what belongs there.")
            elif column in _NAMES and text.startswith(("=", "+", "-", "@")):
                self._wrong(
                    number, column, "A name does not begin with this sign.", "Type in the name itself."
                )
            if column != "timetable" and len(text) > LONGEST.get(column, _LONGEST):
                self._wrong(number, column, "There is too much text in this cell.", "Shorten it.")

    def _more(
        self, number: int, cells: Mapping[str, str], slots: tuple[TimetableSlot, ...]
    ) -> tuple[Pairs, Pairs]:
        """Read what a census asks, and who is reached at home."""

        def wrong(column: str, words: str, mend: str) -> None:
            self._wrong(number, column, words, mend)

        def look_at(column: str, words: str, mend: str) -> None:
            self.warnings.append(Problem(number, column, words, mend))

        items = read_items(self._config, self._organisations, cells, slots, wrong, look_at)
        return items, read_home(cells, wrong)

    def _wrong(self, number: int, column: str, words: str, mend: str) -> None:
        self.problems.append(Problem(number, column, words, mend))

    def _upn(self, number: int, text: str) -> str:
        found = check_upn(text)
        if found.state is UpnState.WRONG_LETTER:
            words = "The first letter of this UPN does not fit its figures. We keep it as it is."
            self.warnings.append(Problem(number, "upn", words, "Check it with the pupil's school."))
        elif found.state is UpnState.MALFORMED:
            words = "This is not written as a UPN: a letter, eleven figures, and a figure or letter."
            self._wrong(number, "upn", words, "Ask the pupil's school, or leave it empty until you know it.")
        return found.value

    def _day(self, number: int, column: str, text: str) -> date | None:
        if not text:
            return None
        day = read_day(text)
        if day is None:
            words = "We cannot read this date: the day comes before the month."
            self._wrong(number, column, words, "Write it like 3 March 2026 or 03/03/2026.")
        return day

    def _word(self, number: int, column: str, text: str, known: Mapping[str, E], kind: type[E]) -> E | None:
        if not text:
            return None
        found = known.get(text.casefold().replace("-", " ").strip()) or known.get(text.casefold().strip())
        if found is None:
            names = ", ".join(one.value.replace("_", " ") for one in kind)
            self._wrong(number, column, "We do not know this word here.", f"Write one of: {names}.")
        return found

    def _power(self, number: int, text: str) -> Power | None:
        if not text:
            return Power.NONE
        found = _POWER.get(re.sub(r"[^0-9]", "", text))
        if found is None:
            mend = "Write s.19, s.42(2) or s.61(1), as the council says."
            self._wrong(number, "power", "We do not know this power.", mend)
        return found

    def _slug(self, number: int, column: str, text: str, known: Mapping[str, str]) -> str:
        if not text:
            return ""
        found = known.get(text.casefold())
        if found is not None:
            return found
        what = "agreement" if column == "agreement" else "school or council"
        near = near_duplicate(text, known) or next(iter(get_close_matches(text.casefold(), known, 1)), None)
        mend = (
            f"Did you mean '{known[near]}'?"
            if near
            else f"Add it to the configuration, or write one that is there: {_some(known)}."
        )
        self._wrong(number, column, f"There is no {what} of this name.", mend)
        return ""

    def _purpose(self, number: int, text: str, recipient: str) -> Purpose | None:
        organisation = self._config.organisations.get(recipient)
        if not text:
            if organisation is None:
                return None
            return Purpose.COUNCIL if organisation.kind == "council" else Purpose.HOME_SCHOOL
        found = self._word(number, "purpose", text, _PURPOSE, Purpose)
        if found and organisation and (found is Purpose.COUNCIL) is not (organisation.kind == "council"):
            words = f"The recipient is a {organisation.kind}, and the purpose says something else."
            self._wrong(number, "purpose", words, "Change one of the two, or leave the purpose empty.")
        return found

    def _yes_or_no(self, number: int, column: str, text: str) -> bool:
        folded = text.casefold()
        if folded not in _YES and folded not in _NO:
            self._wrong(number, column, "We cannot read this as yes or no.", "Write yes or no.")
        return folded in _YES

    def _arrangement(
        self,
        number: int,
        arranged_by: ArrangedBy,
        power: Power,
        registration: Registration,
        commissioner: str,
        recipient: str,
    ) -> None:
        """Check what the law wants to stand together (SI 2024/208 reg 10: codes B, D and K)."""
        kind_of = {slug: one.kind for slug, one in self._config.organisations.items()}
        if arranged_by is ArrangedBy.COUNCIL:
            if power is Power.NONE:
                words = "The council arranged this, so its power must be named."
                self._wrong(number, "power", words, "Write s.19, s.42(2) or s.61(1), as the council says.")
            if commissioner and kind_of[commissioner] != "council":
                words = "The council arranged this, but the commissioner is a school."
                self._wrong(number, "commissioner", words, "Write the council.")
        else:
            if power is not Power.NONE:
                words = "Only a council has such a power, and this says that the school arranged it."
                self._wrong(number, "power", words, "Empty this cell, or change who arranged it.")
            if commissioner and kind_of[commissioner] != "school":
                words = "The school arranged this, but the commissioner is a council."
                self._wrong(number, "commissioner", words, "Write the school.")
        if registration in {Registration.DUAL, Registration.OWN} and not self._config.provider.urn:
            words = "Only a provider that is a school has a roll, and we have no URN for you."
            self._wrong(number, "registration", words, "Write home or no roll, or add your URN.")
        if registration is Registration.NO_ROLL and recipient and kind_of[recipient] != "council":
            words = "This pupil is on no school's roll, so no school may be told."
            self._wrong(number, "recipient", words, "Write the council.")


def _names(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Index slugs by themselves and by their names in words; a name that two share counts for neither."""
    listed = list(pairs)
    names: dict[str, str] = {}
    for slug, name in listed:
        folded = " ".join(name.casefold().split())
        if folded and sum(" ".join(other.casefold().split()) == folded for _, other in listed) == 1:
            names[folded] = slug
    return {**names, **{slug.casefold(): slug for slug, _ in listed}}


def _some(known: Mapping[str, str]) -> str:
    slugs = sorted(set(known.values()))
    return ", ".join(slugs[:5]) + (" and others" if len(slugs) > 5 else "") or "none"  # noqa: PLR2004 - a line's worth
