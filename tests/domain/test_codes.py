"""The code sets against the table of the law, written down a second time by hand."""

from datetime import date
from itertools import pairwise

import pytest

from aphub.domain.codes import StatisticalClass, code_set_on, code_sets, retired
from aphub.domain.errors import LawUnknownError

LAST_OLD_DAY = date(2024, 8, 18)
FIRST_NEW_DAY = date(2024, 8, 19)
TODAY = date(2026, 3, 3)

CLASSES = {
    "present": "/ \\ L",
    "educational_activity": "K V P W B",
    "authorised": "C C1 C2 E I J1 M R S T",
    "unauthorised": "G N O U",
    "not_possible": "D X Q Y1 Y2 Y3 Y4 Y5 Y6 Y7 Z #",
}


def test_the_set_of_2024_has_these_codes_in_these_classes():
    found = {code: entry.statistical_class.value for code, entry in code_set_on(TODAY).codes.items()}
    assert found == {code: kind for kind, codes in CLASSES.items() for code in codes.split()}
    assert len(found) == 34


@pytest.mark.parametrize("code", ["C1", "C2", "J1", *(f"Y{n}" for n in range(1, 8))])
def test_codes_of_two_characters_are_codes(code: str):
    assert code_set_on(TODAY).codes[code].code == code


def test_sets_change_on_the_day_the_law_changed():
    assert code_set_on(LAST_OLD_DAY).name == "england-2006"
    assert code_set_on(FIRST_NEW_DAY).name == "england-2024-08"
    assert "K" not in code_set_on(LAST_OLD_DAY)
    assert "H" not in code_set_on(FIRST_NEW_DAY)


def test_sets_follow_one_another_without_a_gap():
    sets = code_sets()
    assert all(older.valid_until == newer.valid_from for older, newer in pairwise(sets))
    assert sets[-1].valid_until is None


def test_a_day_before_all_known_law_is_said_to_be_so():
    with pytest.raises(LawUnknownError, match="We know no attendance codes for 1999-01-04"):
        code_set_on(date(1999, 1, 4))


def test_interviews_changed_their_class():
    assert code_set_on(LAST_OLD_DAY).codes["J"].statistical_class is StatisticalClass.EDUCATIONAL_ACTIVITY
    assert code_set_on(FIRST_NEW_DAY).codes["J1"].statistical_class is StatisticalClass.AUTHORISED


@pytest.mark.parametrize(
    ("code", "choices"),
    [
        ("H", ("C", "G")),
        ("J", ("J1",)),
        ("Y", ("Q", "Y1", "Y2", "Y3", "Y4", "Y5", "Y6", "Y7")),
        ("F", ("C", "G")),
        ("X", ("not expected", "C2", "cancelled by provider")),
        ("#", ("cancelled by provider", "not expected")),
    ],
)
def test_withdrawn_letters_name_their_choices(code: str, choices: tuple[str, ...]):
    gone = retired(f" {code.lower()} ", TODAY)
    assert gone is not None
    assert gone.choices == choices
    assert all(choice in gone.words for choice in choices)


def test_a_withdrawn_letter_says_when_it_ended_where_a_source_says_so():
    assert retired("H", TODAY).words.startswith("H stopped being used on 19 August 2024. Choose C or G.")
    assert retired("F", TODAY).words.startswith("F is no longer used.")


def test_letters_are_not_withdrawn_before_their_day():
    assert retired("H", LAST_OLD_DAY) is None
    assert retired("B", TODAY) is None


def test_every_choice_that_looks_like_a_code_is_one():
    for gone in code_set_on(TODAY).retired.values():
        assert all(choice in code_set_on(TODAY) for choice in gone.choices if len(choice) <= 2)


def test_every_code_has_words_and_every_statutory_one_its_law():
    for code in code_set_on(TODAY).codes.values():
        assert code.meaning
        assert code.law.startswith("SI 2024/208") or code.code in {"Z", "#"}
