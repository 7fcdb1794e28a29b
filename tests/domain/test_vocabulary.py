"""A provider's words: what is typed becomes a fact or a question, and nothing else."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aphub.domain.codes import code_set_on
from aphub.domain.entries import Fact
from aphub.domain.errors import VocabularyError
from aphub.domain.meanings import fold_word
from aphub.domain.outcomes import Mode, Outcome, ReasonKind
from aphub.domain.vocabulary import Unread, UnreadKind, Vocabulary, read_choice, read_mark, ready_made

DAY = date(2026, 3, 3)
PLAIN = ready_made("plain-words")
DFE = ready_made("dfe-2024-08")
modes = st.none() | st.sampled_from(Mode)
texts = st.text(max_size=40) | st.sampled_from(
    [*PLAIN.meanings, *DFE.meanings, *PLAIN.reasons, "H", "12", "12 min", "-", "late 12", "12 min late"]
)


def read(
    vocabulary: Vocabulary,
    word: str,
    minutes: str = "",
    reason: str = "",
    mode: Mode | None = None,
    day: date = DAY,
) -> Any:
    return read_mark(vocabulary, word, minutes, reason, mode, day)


@given(st.sampled_from([PLAIN, DFE]), texts, texts, texts, modes, st.dates())
def test_any_cells_are_read_or_asked(
    vocabulary: Vocabulary, word: str, minutes: str, reason: str, mode: Mode | None, day: date
):
    found = read_mark(vocabulary, word, minutes, reason, mode, day)
    assert isinstance(found, Fact | Unread)
    assert found == read_mark(vocabulary, word, minutes, reason, mode, day)
    if isinstance(found, Fact) and found.outcome is not Outcome.ABSENT:
        assert found.reason is ReasonKind.NOT_APPLICABLE
    if isinstance(found, Fact) and found.outcome is Outcome.ABSENT:
        assert found.reason is not ReasonKind.NOT_APPLICABLE


@given(st.sampled_from([PLAIN, DFE]), texts, texts, texts, modes)
def test_every_choice_offered_can_be_read(
    vocabulary: Vocabulary, word: str, minutes: str, reason: str, mode: Mode | None
):
    found = read(vocabulary, word, minutes, reason, mode)
    if isinstance(found, Unread):
        assert all(isinstance(read_choice(vocabulary, choice, mode, DAY), Fact) for choice in found.choices)


@given(st.text(min_size=4, max_size=40))
def test_a_question_never_repeats_what_was_typed(text: str):
    found = read(PLAIN, f"Zebedee {text}")
    assert isinstance(found, Unread)
    assert "zebedee" not in found.words.casefold()


@given(st.sampled_from(sorted(PLAIN.meanings)), st.sampled_from([str.upper, str.title, str.swapcase]))
def test_capitals_and_white_space_do_not_matter(word: str, change: Callable[[str], str]):
    typed = f"\u00a0 {change(word).replace(' ', '  ')}\t"
    assert read(PLAIN, typed) == read(PLAIN, typed.strip())
    assert fold_word(typed) == word


def test_facts_of_the_same_cells_are_one_object():
    assert read(PLAIN, "Late", "12") is read(PLAIN, "Late", "12")


def test_free_text_is_not_kept_ready():
    before = len(PLAIN.ready)
    read(PLAIN, "Absent", reason="Mum rang, Zebedee has a bad chest")
    assert len(PLAIN.ready) == before


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("Present", "present"),
        ("Full attendance", "present"),
        ("✓", "present"),
        ("Late", "late"),
        ("Left early", "left_early"),
        ("Absconded", "left_site"),
        ("Absent", "absent"),
        ("In school", "at_home_school"),
        ("Home visit", "taught_at_home"),
        ("Work set at home", "worked_at_home"),
        ("Logged in", "online"),
        ("Technical fault", "could_not_join"),
        ("Session cancellation", "cancelled"),
        ("Not timetabled", "not_expected"),
        ("Register not taken", "not_yet_taken"),
        ("", "not_yet_taken"),
        (" \u00a0", "not_yet_taken"),
    ],
)
def test_plain_words_are_facts(word: str, outcome: str):
    assert read(PLAIN, word).outcome == outcome


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("I", "ill"),
        ("M", "medical"),
        ("R", "religious"),
        ("T", "parent_travelling"),
        ("C", "leave_granted"),
        ("C1", "performance"),
        ("C2", "part_time"),
        ("E", "suspended"),
        ("G", "holiday"),
        ("J1", "interview"),
        ("S", "study_leave"),
        ("N", "unknown"),
        ("O", "unauthorised"),
        ("Q", "no_travel_arranged"),
        ("y1", "transport_failed"),
        ("Y2", "travel_disrupted"),
        ("Y3", "premises_part_closed"),
        ("Y4", "site_closed"),
        ("Y5", "detained"),
        ("Y6", "public_health"),
        ("Y7", "unavoidable"),
    ],
)
def test_codes_of_absence_are_absences_with_their_reason(word: str, reason: str):
    assert read(DFE, word) == Fact(Outcome.ABSENT, ReasonKind(reason), provider_word=word)


def test_the_codes_vocabulary_knows_each_code_of_the_law_or_asks():
    for code in code_set_on(DAY):
        found = read(DFE, code)
        if code in {"X", "#"}:
            assert found.kind is UnreadKind.RETIRED
        elif code == "D":
            assert found.kind is UnreadKind.AMBIGUOUS
        else:
            assert isinstance(found, Fact)


@pytest.mark.parametrize(
    ("word", "minutes_text", "number"),
    [
        ("Late", "25", 25),
        ("Late", "25 min", 25),
        ("Late", "25 minutes late", 25),
        ("Late", "25.0", 25),
        ("Late", "0:25", 25),
        ("Late", "00:25:00", 25),
        ("Late", "0", 0),
        ("Late", "", None),
        ("Late", "a while", None),
        ("Late (15 mins)", "", 15),
        ("Late 15", "", 15),
        ("late - 15m", "", 15),
        ("15 minutes late", "", 15),
        ("Late (15 mins)", "15", 15),
        ("Left early", "40", 40),
    ],
)
def test_minutes_are_read_as_people_write_them(word: str, minutes_text: str, number: int | None):
    assert read(PLAIN, word, minutes_text).minutes == number


def test_minutes_that_cannot_be_read_are_kept_in_words():
    assert read(PLAIN, "Late", "about half an hour").note == "about half an hour"


@pytest.mark.parametrize("word", ["Late", "Late 5"])
def test_required_minutes_are_asked_for(word: str):
    own = Vocabulary.from_config({"Late": {"outcome": "late", "minutes": "required"}}, DAY)
    found = read(own, word)
    assert isinstance(found, Fact) if word == "Late 5" else found.kind is UnreadKind.NEEDS_MINUTES


@pytest.mark.parametrize(
    ("word", "minutes_text", "reason_text"),
    [("Present", "12", ""), ("Late (15)", "20", ""), ("Sick", "", "holiday")],
)
def test_cells_that_contradict_are_asked(word: str, minutes_text: str, reason_text: str):
    assert read(PLAIN, word, minutes_text, reason_text).kind is UnreadKind.CONTRADICTION


@pytest.mark.parametrize("minutes_text", ["0", "", "n/a", "-"])
def test_no_minutes_beside_present_are_no_contradiction(minutes_text: str):
    assert read(PLAIN, "Present", minutes_text) == Fact(Outcome.PRESENT, provider_word="Present")


@pytest.mark.parametrize(
    ("word", "reason_text", "reason"),
    [
        ("Absent", "", "unknown"),
        ("Absent", "Ill", "ill"),
        ("Absent", "ill - mum phoned", "ill"),
        ("Absent", "Dentist (10am)", "medical"),
        ("Absent", "bad chest", "unknown"),
        ("Absent", "not ill", "unknown"),
        ("Absent", "Refused to attend.", "refused"),
        ("Unauthorised", "", "unauthorised"),
        ("Unauthorised", "no reason", "unauthorised"),
        ("Unauthorised", "refused", "refused"),
        ("Authorised", "camhs appointment", "medical"),
        ("Holiday", "", "holiday"),
    ],
)
def test_the_reason_column_says_why(word: str, reason_text: str, reason: str):
    assert read(PLAIN, word, reason=reason_text).reason == reason


def test_words_of_the_writers_own_are_kept_and_phrases_are_not():
    assert read(PLAIN, "Absent", reason="Ill").note == ""
    assert read(PLAIN, "Absent", reason="Ill - mum phoned").note == "Ill - mum phoned"
    assert read(PLAIN, "Cancelled", reason="Tutor ill").note == "Tutor ill"


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        (Mode.IN_PERSON, "present"),
        (Mode.ONLINE, "online"),
        (Mode.AT_HOME, "taught_at_home"),
        (None, "present"),
    ],
)
def test_present_is_present_where_the_lesson_was(mode: Mode | None, outcome: str):
    assert read(PLAIN, "Present", mode=mode).outcome == outcome
    assert read(DFE, "/", mode=mode).outcome == outcome


def test_a_word_can_say_the_mode_itself():
    own = Vocabulary.from_config({"P-on": {"outcome": "present", "mode": "online"}}, DAY, base="")
    assert read(own, "p-ON", mode=Mode.IN_PERSON) == Fact(
        Outcome.ONLINE, provider_word="p-ON", mode=Mode.ONLINE
    )


def test_a_provider_adds_words_and_synonyms_and_its_own_go_first():
    own = Vocabulary.from_config(
        {
            "Here": {"same_as": "Present", "also": ["Hello"]},
            "A": {"outcome": "absent", "reason": "required"},
            "Full": {"outcome": "left_early"},
            "Swimming": {"same_as": "A"},
        },
        DAY,
        reasons={"bug going round": "ill"},
    )
    assert read(own, "hello").outcome is Outcome.PRESENT
    assert read(own, "FULL").outcome is Outcome.LEFT_EARLY
    assert read(own, "a", reason="Bug going round").reason is ReasonKind.ILL
    assert read(own, "swimming").kind is UnreadKind.NEEDS_REASON
    assert read(own, "late").outcome is Outcome.LATE


def test_a_vocabulary_without_a_base_knows_only_its_own():
    own = Vocabulary.from_config({"P": {"outcome": "present"}}, DAY, base="")
    assert read(own, "P").outcome is Outcome.PRESENT
    assert read(own, "Present").kind is UnreadKind.UNMAPPED


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ({"P": {"outcme": "present"}}, '"P", outcme is not a key; the keys are also'),
        ({"P": {"outcome": "prezent"}}, "\"P\", outcome is 'prezent'; write one of present, late"),
        ({"P": {"outcome": 1}}, '"P", outcome is 1'),
        ({"P": {}}, '"P", outcome is missing'),
        ({"I": {"outcome": "absent", "reason": "sick"}}, "\"I\", reason is 'sick'; write one of"),
        ({"P": {"outcome": "present", "reason": "ill"}}, 'reason belongs only to outcome = "absent"'),
        ({"L": {"outcome": "late", "minutes": "yes"}}, "minutes is 'yes'; write one of none, optional"),
        ({"P": {"outcome": "present", "also": "Here"}}, "also is not a list of words"),
        ({"P": {"same_as": "Prezent"}}, 'same_as names "Prezent", which has no meaning yet'),
        ({"P": {"outcome": "present"}, " p ": {"outcome": "late"}}, "are the same word"),
        ({" ": {"outcome": "present"}}, "is an empty word"),
    ],
)
def test_a_wrong_dictionary_names_word_key_and_mend(words: dict[str, dict[str, object]], fault: str):
    with pytest.raises(VocabularyError) as caught:
        Vocabulary.from_config(words, DAY)
    assert fault in str(caught.value)


def test_unknown_names_say_what_there_is():
    with pytest.raises(VocabularyError, match="Write one of dfe-2024-08, plain-words"):
        ready_made("dfe-2006")
    with pytest.raises(VocabularyError, match="Write one of not_applicable, unknown, ill"):
        Vocabulary.from_config({}, DAY, reasons={"bug": "sick"})


def test_a_very_long_cell_costs_nothing():
    assert read(PLAIN, "late " + "-" * 200_000).kind is UnreadKind.UNMAPPED
