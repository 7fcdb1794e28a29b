"""What is particular to Arbor: a no inside a yes, records with errors, lists of addresses, no comment."""

import json

import pytest

from aphub.api import Answer, RefusedDeliveryError, Rung
from aphub.testing import SAMPLE_DAY, sample_row
from aphub_arbor import ArborAdapter, ArborConnection, ArborRoute

G, W, K = "G999400125001", "W999400125002", "K999400125003"
DAY = SAMPLE_DAY.isoformat()


def by_report(result):
    return {one.report: one.answer for one in result.results}


def test_a_mark_is_written_as_the_contract_says_and_read_back(played, make):
    late = sample_row(W, "PM", code="L", outcome="late", minutes_late="12")
    delivery = make(sample_row(G), late)
    result = played.adapter.deliver(delivery)
    [body] = played.posts
    codes = played.school.codes
    assert json.loads(body) == {
        "request": {
            "marks": [
                {
                    "student": {"entityType": "Student", "href": "/rest-v2/students/4401"},
                    "attendanceMark": {
                        "entityType": "AttendanceMark",
                        "href": f"/rest-v2/attendance-marks/{codes['B']}",
                    },
                    "minutesLate": None,
                    "recordDate": DAY,
                    "rollCall": "AM",
                },
                {
                    "student": {"entityType": "Student", "href": "/rest-v2/students/4402"},
                    "attendanceMark": {
                        "entityType": "AttendanceMark",
                        "href": f"/rest-v2/attendance-marks/{codes['L']}",
                    },
                    "minutesLate": 12,
                    "recordDate": DAY,
                    "rollCall": "PM",
                },
            ]
        }
    }
    assert (result.rung, result.hops) == (Rung.HANDED_OVER, "TLS 1.3 to 127.0.0.1")
    done = played.adapter.follow_up(delivery, result.reference)
    assert (done.rung, set(by_report(done).values())) == (Rung.ACCEPTED, {Answer.TAKEN})


def test_a_no_inside_a_yes_refuses_all_in_their_words(played, make):
    delivery = make(sample_row(G), sample_row(W))
    school = played.adapter._school(delivery)
    school._mark = lambda entry, plain=school._mark: {**plain(entry), "note": "unknown to this endpoint"}
    result = played.adapter.deliver(delivery)
    assert by_report(result) == {"R1": Answer.REFUSED, "R2": Answer.REFUSED}
    assert "not known" in result.results[0].words
    assert result.results[0].code == "code 422"


def test_a_no_for_one_mark_is_told_apart_at_once(played, make):
    played.far_side.half_fails(says="failed")
    result = played.adapter.deliver(make(sample_row(G), sample_row(W), sample_row(K)))
    assert by_report(result) == {"R1": Answer.PENDING, "R2": Answer.REFUSED, "R3": Answer.PENDING}


def test_a_record_with_a_validation_error_is_refused_whatever_was_answered(played, make):
    played.far_side.closed_days.add(DAY)
    delivery = make(sample_row(G))
    result = played.adapter.deliver(delivery)
    assert by_report(result) == {"R1": Answer.PENDING}
    done = played.adapter.follow_up(delivery, result.reference)
    assert by_report(done) == {"R1": Answer.REFUSED}
    assert done.rung is Rung.HANDED_OVER
    assert "closed" in done.results[0].words


def test_our_own_mark_is_not_corrected_since_it_cannot_be_known(played, make):
    first = make(sample_row(G, code="N", outcome="absent"))
    played.adapter.deliver(first)
    second = make(sample_row(G, reference="RB-7RF5Y8E7-2"), key="k2")
    assert by_report(played.adapter.deliver(second)) == {"R1": Answer.DIFFERS}
    assert len(played.posts) == 1


@pytest.mark.parametrize(
    "resource",
    ["attendance-marks", "attendance-roll-calls", "uk-dfe_upn-assignments", "attendance-roll-call-records"],
)
def test_what_we_may_not_read_is_named_before_anything_is_written(played, make, resource):
    played.far_side.denied.add(resource)
    with pytest.raises(RefusedDeliveryError, match="403"):
        played.adapter.deliver(make(sample_row(G)))
    assert played.posts == []
    [failed] = [step for step in played.adapter.check(ArborRoute(school="127.0.0.1")) if not step.ok]
    assert resource in failed.step


def test_a_route_of_another_school_writes_nothing(played, make):
    with pytest.raises(RefusedDeliveryError, match=r"Marks for other-school\.uk\.arbor\.sc"):
        played.adapter.deliver(make(sample_row(G), school="other-school.uk.arbor.sc"))
    assert played.posts == []


def test_at_the_shared_address_the_application_number_names_the_school():
    def connection(**more: str) -> ArborConnection:
        return ArborConnection(base_url="https://api.uk.arbor.sc/", user="u", password="p", **more)

    for one, good in ((connection(), False), (connection(application_id="hill-school"), True)):
        adapter = ArborAdapter(one, None)
        assert ("x-mis-application-id" in adapter.headers()) is good


def test_roll_calls_that_nobody_knows_stop_the_writing(played, make):
    played.adapter.connection = played.adapter.connection.model_copy(update={"roll_call_am": "Tutor time"})
    with pytest.raises(RefusedDeliveryError, match="Found: \\['PM'\\]"):
        played.adapter.deliver(make(sample_row(G)))
    assert played.posts == []


def test_a_code_that_is_no_longer_in_use_is_not_written(played, make):
    played.far_side.inactive.add("B")
    assert by_report(played.adapter.deliver(make(sample_row(G)))) == {"R1": Answer.NOT_EXPRESSIBLE}
    assert played.posts == []


def test_a_leaver_and_a_number_that_two_pupils_have_are_nobody(played, make):
    students = played.school.students.values()
    next(one for one in students if one.upn == W).leaver = True
    first = next(one for one in students if one.upn == K)
    played.far_side.state.enrol_again(played.school, K)
    first.leaver = False
    result = played.adapter.deliver(make(sample_row(G), sample_row(W), sample_row(K)))
    assert by_report(result) == {
        "R1": Answer.PENDING,
        "R2": Answer.NOT_EXPRESSIBLE,
        "R3": Answer.NOT_EXPRESSIBLE,
    }


def test_an_address_that_leads_elsewhere_is_not_followed(played):
    resources = played.adapter.school(played.adapter._wire_now(), ArborRoute(school="127.0.0.1"))._resources
    for href in (
        "https://evil.example.org/rest-v2/students/1",
        "/rest-v2/../admin",
        "//evil.example.org/x",
        "",
    ):
        with pytest.raises(Exception, match="could not be read"):
            resources._fetched({"href": href})
    assert played.far_side.requests == []


def test_a_burst_reads_codes_and_pupils_once(played, make):
    answers = dict(played.adapter.deliver_many([make(sample_row(upn), key=upn) for upn in (G, W, K)]))
    assert {answer.rung for answer in answers.values()} == {Rung.HANDED_OVER}
    assert played.asked("upn-assignments") == 1 + 2 * 3
    assert played.asked("roll-call-records") == 1 + 3
    assert len(played.posts) == 3


def test_a_check_passes_step_by_step_and_sends_no_pupil(played):
    steps = list(played.adapter.check(ArborRoute(school="127.0.0.1")))
    assert [step for step in steps if not step.ok] == []
    assert played.posts == []
    assert all(upn.encode() not in played.far_side.received_bytes for upn in (G, W, K))


def test_no_name_of_a_pupil_is_sent(played, make):
    played.adapter.deliver(make(sample_row(G, place="Zebedee Hall", supervised_by="Mr Zebedee")))
    assert b"Zebedee" not in played.far_side.received_bytes


def test_the_readme_names_every_setting_and_every_ability(readme):
    for model in (ArborConnection, ArborRoute):
        assert all(f"`{name}`" in readme for name in model.model_fields)
    assert all(f"| {what} | {how} |" in readme for what, how in ArborAdapter.capabilities.items())
