"""What code a school is told to consider: a golden table by rule, and laws over every combination."""

import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aphub.domain.codes import StatisticalClass, code_set_on
from aphub.domain.entries import Fact, Half
from aphub.domain.outcomes import ATTENDED, DECIDED_BY_SCHOOL, NOT_STATED, Mode, Outcome, ReasonKind
from aphub.domain.placements import ArrangedBy, Nature, Purpose, Registration
from aphub.domain.suggest import suggest

DAY = date(2026, 3, 3)
GOLDEN = list(csv.DictReader((Path(__file__).parent / "suggest_golden.csv").read_text("utf-8").splitlines()))


@pytest.mark.parametrize(
    "row", GOLDEN, ids=[f"{n}-{row['outcome']}-{row['rule']}" for n, row in enumerate(GOLDEN, 2)]
)
def test_the_golden_table_holds(row: dict[str, str]):
    found = suggest(
        Fact(
            Outcome(row["outcome"]),
            ReasonKind(row["reason"] or "not_applicable"),
            minutes=int(row["minutes"]) if row["minutes"] else None,
        ),
        arranged_by=ArrangedBy(row["arranged_by"]),
        registration=Registration(row["registration"]),
        purpose=Purpose(row["purpose"]),
        nature=Nature(row["nature"]),
        mode=Mode(row["mode"]),
        day=DAY,
        reason_decided=row["decided"] == "yes",
        provider_has_urn=row["urn"] == "yes",
        half=Half(row["half"]) if row["half"] else None,
    )
    asked = "yes" if found.question else ""
    assert (found.code, asked, found.why) == (row["code"], row["question"], row["why"])


def test_the_golden_table_shows_each_outcome_and_each_reason():
    assert {row["outcome"] for row in GOLDEN} == {outcome.value for outcome in Outcome}
    assert {row["reason"] for row in GOLDEN if row["outcome"] == "absent"} == {
        kind.value for kind in ReasonKind
    }


ways = st.fixed_dictionaries(
    {
        "arranged_by": st.sampled_from(ArrangedBy),
        "registration": st.sampled_from(Registration),
        "purpose": st.sampled_from(Purpose),
        "nature": st.sampled_from(Nature),
        "mode": st.sampled_from(Mode),
        "day": st.dates(date(2006, 9, 1), date(2030, 12, 31)),
        "reason_decided": st.booleans(),
        "provider_has_urn": st.booleans(),
        "half": st.sampled_from([None, *Half]),
        "register_closes": st.integers(0, 90),
    }
)
facts = st.builds(
    Fact,
    outcome=st.sampled_from(Outcome),
    reason=st.sampled_from(ReasonKind),
    minutes=st.none() | st.integers(0, 300),
    provider_word=st.sampled_from(["", "B", "Present", "D"]),
    mode=st.none() | st.sampled_from(Mode),
)
ATTENDANCE = {
    code
    for code, entry in code_set_on(DAY).codes.items()
    if entry.statistical_class in {StatisticalClass.PRESENT, StatisticalClass.EDUCATIONAL_ACTIVITY}
}


def every_case():
    """Give every outcome x arrangement x registration x purpose x mode, and every reason for absences."""
    for outcome in Outcome:
        reasons = ReasonKind if outcome is Outcome.ABSENT else [ReasonKind.NOT_APPLICABLE]
        for reason in reasons:
            for arranged_by in ArrangedBy:
                for registration in Registration:
                    for purpose in Purpose:
                        for mode in Mode:
                            for decided in (False, True):
                                yield outcome, reason, arranged_by, registration, purpose, mode, decided


def test_every_combination_has_words_and_a_code_of_the_day_or_none():
    seen = set()
    for outcome, reason, arranged_by, registration, purpose, mode, decided in every_case():
        for has_urn in (False, True):
            found = suggest(
                Fact(outcome, reason),
                arranged_by=arranged_by,
                registration=registration,
                purpose=purpose,
                nature=Nature.AP,
                mode=mode,
                day=DAY,
                reason_decided=decided,
                provider_has_urn=has_urn,
                half=Half.AM,
            )
            assert found.why
            assert found.code == "" or found.code in code_set_on(DAY)
            assert found.code_set == "england-2024-08"
            assert found.code not in {"V", "X", "Z", "#", "O"}, "never from a provider's fact alone"
            seen.add(found.code)
    assert {"", "/", "B", "K", "D", "N", "I"} <= seen


@given(facts, ways)
@settings(max_examples=400)
def test_any_fact_anywhere_is_answered(fact: Fact, way: dict[str, Any]):
    found = suggest(fact, **way)
    assert found.why
    assert len(found.why) + len(found.question) <= 240
    assert found.code == "" or found.code in code_set_on(way["day"])
    assert found == suggest(fact, **way)


@given(facts, ways)
@settings(max_examples=400)
def test_online_and_work_at_home_never_earn_attendance(fact: Fact, way: dict[str, Any]):
    mode = fact.mode or way["mode"]
    remote = (
        fact.outcome in {Outcome.ONLINE, Outcome.WORKED_AT_HOME, Outcome.COULD_NOT_JOIN}
        or mode is Mode.ONLINE
        or way["nature"] is Nature.ONLINE
    )
    if remote:
        assert suggest(fact, **way).code not in ATTENDANCE


@given(facts, ways)
@settings(max_examples=400)
def test_attendance_codes_stand_only_for_attendance(fact: Fact, way: dict[str, Any]):
    code = suggest(fact, **way).code
    if code in ATTENDANCE:
        assert fact.outcome in ATTENDED | {Outcome.TAUGHT_AT_HOME}
    if fact.outcome in {Outcome.LEFT_SITE, Outcome.CANCELLED, Outcome.AT_HOME_SCHOOL, *NOT_STATED}:
        assert code == ""


@given(facts, ways)
@settings(max_examples=400)
def test_only_a_recorded_decision_earns_a_code_of_decision(fact: Fact, way: dict[str, Any]):
    code = suggest(fact, **way).code
    if code in {"C", "C1", "C2", "G", "E", "J1", "S"}:
        assert way["reason_decided"]
        assert fact.reason in DECIDED_BY_SCHOOL
    if code == "T":
        assert fact.reason is ReasonKind.PARENT_TRAVELLING


@given(facts, ways)
@settings(max_examples=400)
def test_who_arranged_it_and_who_is_registered_decide(fact: Fact, way: dict[str, Any]):
    code = suggest(fact, **way).code
    if code == "K":
        assert way["arranged_by"] is ArrangedBy.COUNCIL
    if code in {"B", "P", "W"}:
        assert way["arranged_by"] is ArrangedBy.SCHOOL
    if code in {"B", "K", "P", "W"}:
        assert way["registration"] is Registration.HOME
    if code == "D":
        assert way["registration"] is Registration.DUAL
        assert way["provider_has_urn"]
        assert way["purpose"] is not Purpose.OTHER_SCHOOL
    if code in {"/", "\\", "L", "U"}:
        assert way["provider_has_urn"]
        assert way["registration"] in {Registration.OWN, Registration.DUAL}
    if way["registration"] is Registration.NO_ROLL:
        assert code == ""


@given(st.integers(0, 300), st.integers(0, 90))
def test_a_register_is_never_open_for_more_than_thirty_minutes(minutes: int, closes: int):
    found = suggest(
        Fact(Outcome.LATE, minutes=minutes),
        arranged_by=ArrangedBy.SCHOOL,
        registration=Registration.OWN,
        purpose=Purpose.HOME_SCHOOL,
        nature=Nature.AP,
        mode=Mode.IN_PERSON,
        day=DAY,
        provider_has_urn=True,
        half=Half.PM,
        register_closes=closes,
    )
    assert found.code == ("L" if minutes <= min(closes, 30) else "U")


@given(facts, ways)
@settings(max_examples=200)
def test_a_council_is_not_told_that_it_is_a_school(fact: Fact, way: dict[str, Any]):
    found = suggest(fact, **{**way, "purpose": Purpose.COUNCIL})
    assert "your school" not in found.why + found.question


def test_on_a_day_of_the_old_law_no_new_code_is_suggested():
    found = suggest(
        Fact(Outcome.PRESENT),
        arranged_by=ArrangedBy.COUNCIL,
        registration=Registration.HOME,
        purpose=Purpose.HOME_SCHOOL,
        nature=Nature.AP,
        mode=Mode.IN_PERSON,
        day=date(2024, 7, 1),
    )
    assert (found.code, found.code_set) == ("", "england-2006")
