"""What is particular to Xporter: its envelope, its days, its guests, its tokens."""

import json
from datetime import timedelta

import pytest

from aphub.api import Answer, RefusedDeliveryError, Rung, TransientDeliveryError, UncertainDeliveryError
from aphub.testing import SAMPLE_DAY, sample_row
from aphub_xporter import XporterAdapter, XporterConnection, XporterRoute

G, W, K = "G999400125001", "W999400125002", "K999400125003"
NEXT_DAY = (SAMPLE_DAY + timedelta(days=1)).isoformat()


def by_report(result):
    return {one.report: one.answer for one in result.results}


def test_a_mark_is_written_as_the_contract_says_and_read_back(played, make):
    late = sample_row(W, code="L", outcome="late", minutes_late="12", reference="RB-7K2MXY4P-1")
    delivery = make(sample_row(G, reference="RB-7K2MXY4P-1"), late)
    result = played.adapter.deliver(delivery)
    assert [json.loads(body) for body in played.posts] == [
        {
            "Marks": [
                {
                    "StudentId": "4401",
                    "MarkType": "S",
                    "Date": "2026-03-03",
                    "Session": "AM",
                    "Mark": "B",
                    "Notes": "AP: B. Ref RB-7K2MXY4P-1",
                },
                {
                    "StudentId": "4402",
                    "MarkType": "S",
                    "Date": "2026-03-03",
                    "Session": "AM",
                    "Mark": "L",
                    "Mins": 12,
                    "Notes": "AP: L, 12 min late. Ref RB-7K2MXY4P-1",
                },
            ]
        }
    ]
    assert (result.rung, result.hops) == (Rung.HANDED_OVER, "TLS 1.3 to 127.0.0.1")
    done = played.adapter.follow_up(delivery, result.reference)
    assert (done.rung, set(by_report(done).values())) == (Rung.ACCEPTED, {Answer.TAKEN})


def test_two_days_go_in_two_requests_of_which_one_may_be_refused(played, make):
    rows = (sample_row(G), sample_row(G, date=NEXT_DAY), sample_row(W, date=NEXT_DAY))
    played.far_side.closed_days.add(NEXT_DAY)
    result = played.adapter.deliver(make(*rows))
    assert len(played.posts) == 2
    assert by_report(result) == {"R1": Answer.PENDING, "R2": Answer.REFUSED, "R3": Answer.REFUSED}
    assert "closed" in result.results[1].words
    assert (played.code_of(G), played.code_of(G, day=NEXT_DAY)) == ("B", "")


def test_a_second_day_that_finds_nobody_leaves_the_whole_in_doubt_and_trying_again_doubles_nothing(
    played, make
):
    delivery = make(sample_row(G), sample_row(W, date=NEXT_DAY))
    write = played.adapter._school(delivery).write

    def then_gone(entries: object) -> object:
        said = write(entries)
        played.far_side.is_unreachable()
        return said

    played.adapter._school(delivery).write = then_gone
    with pytest.raises(UncertainDeliveryError, match="some of the marks"):
        played.adapter.deliver(delivery)
    played.far_side.up()
    assert played.adapter.look_up(delivery) is None
    played.adapter.close()
    assert by_report(played.adapter.deliver(delivery)) == {"R1": Answer.ALREADY_THERE, "R2": Answer.PENDING}
    assert len(played.posts) == 2


def test_an_exception_inside_a_yes_refuses_all_in_their_words(played, make):
    played.far_side.scopes = tuple(one for one in played.far_side.scopes if one != "WritebackAttendance")
    school = played.adapter._school(make(sample_row(G)))
    school._may_write = True  # the pre-flight passed while the scope was still there
    result = played.adapter.deliver(make(sample_row(G), sample_row(W)))
    assert by_report(result) == {"R1": Answer.REFUSED, "R2": Answer.REFUSED}
    assert "WritebackAttendance" in result.results[0].words
    assert "WritebackAttendance" not in repr(result)


@pytest.mark.parametrize("scope", ["School", "Student", "UPN", "Attendance", "WritebackAttendance"])
def test_a_scope_that_is_not_approved_is_named_before_anything_is_written(played, make, scope):
    played.far_side.scopes = tuple(one for one in played.far_side.scopes if one != scope)
    with pytest.raises(RefusedDeliveryError, match=scope) as caught:
        played.adapter.deliver(make(sample_row(G)))
    assert caught.value.what_now
    assert played.posts == []
    [failed] = [step for step in played.adapter.check(XporterRoute(estab="9994001")) if not step.ok]
    assert scope in failed.found


def test_a_secret_of_another_school_is_noticed(played, make):
    with pytest.raises(RefusedDeliveryError, match="secret"):
        played.adapter.deliver(make(sample_row(G), estab="9994002"))
    assert played.posts == []


def test_guests_are_found_and_leavers_are_not(played, make):
    played.far_side.guests.add(G)
    state, school = played.far_side.state, played.school
    next(one for one in school.students.values() if one.upn == W).leaver = True
    first = next(one for one in school.students.values() if one.upn == K)
    state.enrol_again(school, K)
    first.leaver = False  # now two pupils have this number
    result = played.adapter.deliver(make(sample_row(G), sample_row(W), sample_row(K)))
    assert by_report(result) == {
        "R1": Answer.PENDING,
        "R2": Answer.NOT_EXPRESSIBLE,
        "R3": Answer.NOT_EXPRESSIBLE,
    }


def test_a_token_is_used_until_it_ends_or_is_refused(played, make):
    played.adapter.deliver(make(sample_row(G)))
    played.adapter.deliver(make(sample_row(W)))
    assert played.asked("GetToken") == 1
    played.now += timedelta(days=5)
    played.adapter.deliver(make(sample_row(K)))
    assert played.asked("GetToken") == 2
    played.far_side.forget_tokens()
    result = played.adapter.deliver(make(sample_row(G, "PM")))
    assert by_report(result) == {"R1": Answer.PENDING}
    assert (played.asked("GetToken"), len(played.posts)) == (3, 4)


def test_a_token_that_nobody_gives_now_is_waited_for(played, make):
    played.far_side.is_slow(5)
    with pytest.raises(TransientDeliveryError, match="no token"):
        played.adapter.deliver(make(sample_row(G)))
    assert played.asked("GetToken") == 1


def test_marks_on_every_page_are_seen_before_anything_is_written(played, make):
    for upn in (G, W, K):
        played.far_side.state.mark_made_by_school(
            played.school, upn, date=SAMPLE_DAY.isoformat(), session="AM", code="I"
        )
    result = played.adapter.deliver(make(sample_row(K)))
    assert by_report(result) == {"R1": Answer.DIFFERS}
    assert played.posts == []


def test_a_burst_signs_in_and_reads_once(played, make):
    answers = dict(played.adapter.deliver_many([make(sample_row(upn), key=upn) for upn in (G, W, K)]))
    assert {answer.rung for answer in answers.values()} == {Rung.HANDED_OVER}
    assert [played.asked(one) for one in ("GetToken", "TokenDetails", "AttendanceCodes", "Students")] == [
        1,
        1,
        1,
        2,
    ]
    assert len(played.posts) == 3


def test_a_check_passes_step_by_step_and_sends_no_pupil(played):
    steps = list(played.adapter.check(XporterRoute(estab="9994001")))
    assert [step for step in steps if not step.ok] == []
    assert played.posts == []
    assert all(upn.encode() not in played.far_side.received_bytes for upn in (G, W, K))


def test_no_number_and_no_name_of_a_pupil_is_sent(played, make):
    played.adapter.deliver(make(sample_row(G, place="Zebedee Hall", supervised_by="Mr Zebedee")))
    assert b"Zebedee" not in played.far_side.received_bytes
    assert G.encode() not in played.far_side.received_bytes


def test_the_readme_names_every_setting_and_every_ability(readme):
    for model in (XporterConnection, XporterRoute):
        assert all(f"`{name}`" in readme for name in model.model_fields)
    assert all(f"| {what} | {how} |" in readme for what, how in XporterAdapter.capabilities.items())
