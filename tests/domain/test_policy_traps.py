"""The traps found in five providers' published policies, as far as words, codes and figures concern them."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from aphub.domain.codes import code_set_on
from aphub.domain.entries import Fact, Half, Suggestion
from aphub.domain.errors import IdentifierError, VocabularyError
from aphub.domain.identifiers import check_mail_address, near_duplicate
from aphub.domain.outcomes import DECIDED_BY_SCHOOL, Mode, Outcome, ReasonKind, is_urgent
from aphub.domain.placements import ArrangedBy, Nature, Purpose, Registration
from aphub.domain.statistics import Threshold, Window, count_outcomes
from aphub.domain.suggest import suggest
from aphub.domain.vocabulary import UnreadKind, Vocabulary, read_mark, ready_made

DAY = date(2026, 3, 3)
PLAIN = ready_made("plain-words")
DFE = ready_made("dfe-2024-08")


def read(vocabulary: Vocabulary, word: str, reason: str = "", mode: Mode | None = Mode.IN_PERSON) -> Any:
    return read_mark(vocabulary, word, "", reason, mode, DAY)


def told(fact: Fact, **way: object) -> Suggestion:
    usual = {
        "arranged_by": ArrangedBy.SCHOOL,
        "registration": Registration.HOME,
        "purpose": Purpose.HOME_SCHOOL,
        "nature": Nature.AP,
        "mode": Mode.IN_PERSON,
        "day": DAY,
        "half": Half.AM,
    }
    return suggest(fact, **{**usual, **way})


@pytest.mark.parametrize("letter", ["H", "J", "Y", "F"])
@pytest.mark.parametrize("vocabulary", [DFE, PLAIN])
def test_trap_1_withdrawn_codes_are_asked_and_never_turned_into_others(vocabulary: Vocabulary, letter: str):
    found = read(vocabulary, letter)
    assert found.kind is UnreadKind.RETIRED
    assert found.choices
    assert all(f" {choice}" in found.words for choice in found.choices)


def test_trap_1_a_provider_that_speaks_codes_cannot_give_a_withdrawn_one_a_meaning_for_all():
    words = {"H": {"outcome": "absent", "reason": "holiday"}}
    with pytest.raises(VocabularyError, match=r"H stopped being used on 19 August 2024\. Choose C or G"):
        Vocabulary.from_config(words, DAY, base="dfe-2024-08")
    assert Vocabulary.from_config(words, date(2024, 7, 1), base="dfe-2024-08").speaks_codes


def test_trap_1_only_an_interview_has_one_successor():
    assert read(DFE, "J").choices == ("J1",)


@pytest.mark.parametrize("code", ["C1", "C2", "J1", "Y1", "Y2", "Y3", "Y4", "Y5", "Y6", "Y7"])
def test_trap_2_codes_of_two_characters_go_in_and_come_out_whole(code: str):
    assert told(read(DFE, code), reason_decided=True).code == code


@pytest.mark.parametrize("word", ["Present", "Logged in", "Late"])
@pytest.mark.parametrize("arranged_by", ArrangedBy)
def test_trap_3_logged_in_is_never_b_or_k(word: str, arranged_by: ArrangedBy):
    fact = read(PLAIN, word, mode=Mode.ONLINE)
    assert fact.outcome is Outcome.ONLINE
    found = told(fact, mode=Mode.ONLINE, nature=Nature.ONLINE, arranged_by=arranged_by)
    assert (found.code, found.why) == ("", "took part online: no attendance code, your school decides")


@pytest.mark.parametrize(
    ("arranged_by", "registration", "nature", "code"),
    [
        (ArrangedBy.SCHOOL, Registration.HOME, Nature.AP, "B"),
        (ArrangedBy.SCHOOL, Registration.HOME, Nature.SPORT, "P"),
        (ArrangedBy.COUNCIL, Registration.HOME, Nature.AP, "K"),
        (ArrangedBy.SCHOOL, Registration.DUAL, Nature.AP, "D"),
        (ArrangedBy.COUNCIL, Registration.DUAL, Nature.AP, "D"),
    ],
)
def test_trap_4_who_arranged_it_decides_between_b_k_and_d(
    arranged_by: ArrangedBy, registration: Registration, nature: Nature, code: str
):
    way = {"arranged_by": arranged_by, "registration": registration, "nature": nature}
    assert told(Fact(Outcome.PRESENT), provider_has_urn=True, **way).code == code


@pytest.mark.parametrize(
    "word", ["Authorised", "Authorised absence", "Holiday", "Suspended", "Leave granted"]
)
def test_trap_5_no_word_of_a_provider_authorises_an_absence(word: str):
    found = read(PLAIN, word)
    if isinstance(found, Fact):
        assert told(found).code == ""
        assert told(found).question
    else:
        assert found.kind is UnreadKind.NEEDS_REASON


@pytest.mark.parametrize("word", ["Session cancelled", "Session cancellation", "Staff sickness"])
def test_trap_8_a_cancelled_lesson_is_no_absence_and_is_urgent(word: str):
    fact = read(PLAIN, word)
    assert fact.outcome is Outcome.CANCELLED
    assert is_urgent(fact.outcome, fact.reason)
    found = told(fact)
    assert found.code == ""
    assert "not in our building" in found.why


def test_trap_9_an_address_with_a_space_is_refused_and_its_twin_is_flagged():
    good, spaced = "ap.attendance@council.example.org", "ap .attendance@council.example.org"
    with pytest.raises(IdentifierError, match=r"^Remove the space from the email address"):
        check_mail_address(spaced)
    assert near_duplicate(spaced, [good]) == good


def test_trap_13_authorised_alone_is_a_question_with_choices():
    found = read(PLAIN, "Authorised absence")
    assert found.kind is UnreadKind.NEEDS_REASON
    assert "ill" in found.choices


def test_trap_13_unauthorised_without_a_reason_is_n_with_the_providers_word():
    found = told(read(PLAIN, "Unauthorised absence"))
    assert found.code == "N"
    assert "'unauthorised'" in found.why


def test_trap_13_refusing_to_engage_on_site_is_present_with_a_note():
    fact = read(PLAIN, "Refusal to engage")
    assert (fact.outcome, fact.note) == (Outcome.PRESENT, "refused to engage on site")
    assert told(fact).code == "B"


@pytest.mark.parametrize("letter", ["X", "#"])
def test_trap_14_letters_used_in_old_senses_are_asked_though_they_live_on(letter: str):
    found = read(DFE, letter)
    assert found.kind is UnreadKind.RETIRED
    assert "cancelled by provider" in found.choices
    assert letter in code_set_on(DAY)


def test_trap_14_d_is_not_present():
    assert read(DFE, "D").kind is UnreadKind.AMBIGUOUS


def test_trap_14_b_for_a_pupil_on_two_rolls_is_asked():
    found = told(read(DFE, "B"), registration=Registration.DUAL, provider_has_urn=True)
    assert found.code == "D"
    assert "registered at both schools (D), or only at yours (B)?" in found.question


@pytest.mark.parametrize("reason", sorted(DECIDED_BY_SCHOOL))
def test_trap_15_a_decision_counts_only_when_the_school_made_it(reason: ReasonKind):
    fact = Fact(Outcome.ABSENT, reason)
    assert told(fact).code == ""
    assert told(fact).question
    assert told(fact, reason_decided=True).code in {"C", "C1", "C2", "G", "E", "J1", "S"}


def test_trap_15_refused_is_known_and_is_the_schools_to_decide():
    found = told(read(PLAIN, "Absent", "Refused"))
    assert (found.code, found.why) == ("", "reason known, your school decides; consider I or O")


def test_trap_15_t_is_only_for_a_parent_travelling_for_work():
    with_t = {
        kind for kind in ReasonKind if told(Fact(Outcome.ABSENT, kind), reason_decided=True).code == "T"
    }
    assert with_t == {ReasonKind.PARENT_TRAVELLING}


def test_trap_16_full_attendance_states_one_fact_about_one_lesson():
    # Which halves a whole-day mark may speak for is the fold's rule; the word itself says no more than present.
    assert read(PLAIN, "Full attendance") == Fact(Outcome.PRESENT, provider_word="Full attendance")


def test_trap_20_one_cold_in_a_short_week_crosses_no_threshold():
    rule = Threshold(Decimal(90), Window.WEEK, least=10)
    assert rule.is_crossed(count_outcomes([Outcome.PRESENT] * 3 + [Outcome.ABSENT])) is None
    assert rule.is_crossed(count_outcomes([Outcome.PRESENT] * 8 + [Outcome.ABSENT] * 2)) is True


def test_an_old_vocabulary_of_another_country_means_what_its_provider_says():
    letters = {
        "O": {"outcome": "present"},
        "L": {"outcome": "late"},
        "A": {"outcome": "absent", "reason": "required"},
        "U": {"outcome": "absent", "reason": "unauthorised"},
        "X": {"outcome": "left_site"},
    }
    own = Vocabulary.from_config(letters, DAY, base="")
    assert [read(own, letter).outcome for letter in "OLUX"] == ["present", "late", "absent", "left_site"]
    assert read(own, "A").kind is UnreadKind.NEEDS_REASON
