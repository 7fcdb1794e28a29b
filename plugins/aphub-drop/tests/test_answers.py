"""Answer files: an acceptance or a rejection becomes a receipt in the far side's own words."""

import pytest
from pydantic import ValidationError

from aphub.api import Answer, Rung, TransientDeliveryError
from aphub.testing import sample_delivery, sample_tools
from aphub_drop import DropAdapter, DropRoute, FolderAdapter, FolderConnection, FolderRoute

ANSWERS = {"folder": "answers", "rejected": "{stem}_rejected.txt"}
ROUTE = DropRoute(folder="hill", answers=ANSWERS, beside=("sha256",))


@pytest.fixture
def answers(far_side):
    folder = far_side.sink.folder / "answers"
    folder.mkdir()
    return folder


@pytest.fixture
def delivery():
    return sample_delivery(DropAdapter, ROUTE)


@pytest.fixture
def name(delivery):
    return delivery.documents[-1].name


def said(result):
    return {(one.answer, one.words) for one in result.results}


def test_nothing_is_accepted_before_their_system_says_so(opened, answers, delivery, name):
    adapter = opened()
    result = adapter.deliver(delivery)
    assert (result.rung, said(result)) == (Rung.HANDED_OVER, {(Answer.PENDING, "")})
    assert adapter.follow_up(delivery, result.reference) is None
    (answers / f"{name}.ack").write_text("3 rows loaded\r\n")
    result = adapter.follow_up(delivery, result.reference)
    assert (result.rung, said(result)) == (Rung.ACCEPTED, {(Answer.TAKEN, "3 rows loaded")})
    assert result.reference == f"answers/{name}.ack"
    assert [one.report for one in result.results] == list(delivery.reports)


def test_a_rejection_outweighs_an_acceptance_and_is_kept_word_for_word(opened, answers, delivery, name):
    adapter = opened()
    adapter.deliver(delivery)
    (answers / f"{name}.ack").touch()
    (answers / f"{name.removesuffix('.csv')}_rejected.txt").write_bytes(
        b"\xef\xbb\xbfRow 2:\tunknown pupil\r\n\x00\x1b[1mStop " + b"x" * 90_000
    )
    result = adapter.follow_up(delivery, "")
    [(answer, words)] = said(result)
    assert answer is Answer.REFUSED
    assert words.startswith("Row 2: unknown pupil [1mStop x")
    assert len(words) == 300


def test_a_file_that_was_taken_away_is_found_by_its_answer(opened, far_side, answers, delivery, name):
    adapter = opened()
    adapter.deliver(delivery)
    for path in (far_side.sink.folder / "hill").iterdir():
        path.unlink()
    assert adapter.look_up(delivery) is None
    (answers / f"{name}.ack").touch()
    assert adapter.look_up(delivery).rung is Rung.ACCEPTED


def test_an_answer_that_may_not_be_read_stays_open(opened, far_side, answers, delivery, name):
    adapter = opened()
    adapter.deliver(delivery)
    (answers / f"{name}.ack").write_text("ok")
    far_side.sink.refuses(at="read")
    with pytest.raises(TransientDeliveryError, match="may not read their answer"):
        adapter.follow_up(delivery, "")


def test_a_check_looks_into_the_folder_of_their_answers(connection, far_side):
    adapter = DropAdapter(connection, sample_tools())
    *_, step = adapter.check(ROUTE)
    assert (step.ok, "cannot look" in step.found) == (False, True)
    (far_side.sink.folder / "answers").mkdir()
    *_, step = adapter.check(ROUTE)
    assert (step.ok, step.found) == (True, "answers")


def test_a_mounted_folder_hears_answers_too(tmp_path):
    for folder in ("hill", "answers"):
        (tmp_path / folder).mkdir()
    adapter = FolderAdapter(FolderConnection(path=tmp_path, must_be_mounted=False), sample_tools())
    route = FolderRoute(folder="hill", answers=ANSWERS)
    ours = sample_delivery(FolderAdapter, route)
    assert {one.answer for one in adapter.deliver(ours).results} == {Answer.PENDING}
    assert adapter.follow_up(ours, "") is None
    answer = tmp_path / "answers" / f"{ours.documents[0].name}.ack"
    answer.write_text("thanks")
    assert said(adapter.follow_up(ours, "")) == {(Answer.TAKEN, "thanks")}
    assert [step.ok for step in adapter.check(route)] == [True] * 4
    answer.unlink()
    answer.mkdir()
    with pytest.raises(TransientDeliveryError):
        adapter.follow_up(ours, "")
    answer.rmdir()
    (tmp_path / "answers").rmdir()
    *_, step = adapter.check(route)
    assert not step.ok


@pytest.mark.parametrize(
    "settings",
    [
        {"accepted": "ok"},
        {"accepted": "../{file}"},
        {"accepted": "{file}{file}"},
        {"rejected": "{file}"},
        {"accepted": "{file}.x", "rejected": "{file}.x"},
        {"folder": "../up"},
        {"within_hours": 0},
    ],
)
def test_names_of_answers_that_cannot_work_are_refused(settings):
    with pytest.raises(ValidationError):
        DropRoute(folder="hill", answers=settings)
    with pytest.raises(ValidationError):
        FolderRoute(folder="hill", answers={"folder": "/etc"})
