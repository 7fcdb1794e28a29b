"""The error root: three sentences, joined for a log line and apart for a screen."""

import pickle

from aphub.domain.errors import AphubError, IdentifierError, NeedsCorrectionError


def test_an_error_says_what_happened_what_was_done_and_what_to_do():
    error = AphubError("The file is empty", "Nothing was taken", "Export it again.")
    assert str(error) == "The file is empty. Nothing was taken. Export it again."
    assert (error.what, error.done, error.mend) == (
        "The file is empty",
        "Nothing was taken",
        "Export it again.",
    )


def test_an_error_without_words_has_those_of_its_kind():
    assert str(IdentifierError()) == "A number or address is not written as it should be."


def test_an_error_travels_between_threads_and_processes_whole():
    error = pickle.loads(pickle.dumps(NeedsCorrectionError("What", "Done", "Mend")))  # noqa: S301 - our own bytes
    assert (type(error), error.mend) == (NeedsCorrectionError, "Mend")
