import json
from datetime import UTC, datetime

import httpx
import pytest

from aphub.api import Answer, Rung, Tools, TransientDeliveryError, UncertainDeliveryError
from aphub_wonde import WondeAdapter

G, W = "G999400125001", "W999400125002"


def by_report(result):
    return {one.report: one.answer for one in result.results}


@pytest.fixture
def handed_over(wonde, adapter, make, a_row):
    wonde.status = "queued"
    delivery = make(a_row(G), a_row(W))
    return delivery, adapter.deliver(delivery).reference


@pytest.mark.parametrize("word", ["queued", "a word that nobody has heard", "", None, 7])
def test_a_write_back_stays_open_while_its_status_says_nothing_final(wonde, adapter, handed_over, word):
    delivery, reference = handed_over
    wonde.writebacks[reference]["status"] = word
    assert adapter.follow_up(delivery, reference) is None


def test_a_confirmed_write_back_counts_once_it_was_read_back(wonde, adapter, handed_over):
    delivery, reference = handed_over
    wonde.writebacks[reference]["status"] = "Completed"
    result = adapter.follow_up(delivery, reference)
    assert result.rung is Rung.ACCEPTED
    assert by_report(result) == {"R1": Answer.TAKEN, "R2": Answer.TAKEN}
    assert result.evidence["status"] == "Completed"


def test_a_confirmed_mark_that_does_not_show_yet_is_waited_for_until_the_deadline(
    wonde, adapter, connection, handed_over
):
    delivery, reference = handed_over
    wonde.writebacks[reference]["status"] = "completed"
    written = dict(wonde.marks)
    wonde.marks.clear()
    assert adapter.follow_up(delivery, reference) is None
    later = Tools(http=adapter.tools.http, now=lambda: datetime(2026, 3, 3, 13, 1, tzinfo=UTC))
    wonde.marks["S1", "2026-03-03", "AM"] = written["S1", "2026-03-03", "AM"]
    patient = WondeAdapter(connection, later)
    result = patient.follow_up(delivery, reference)
    patient.close()
    assert by_report(result) == {"R1": Answer.TAKEN, "R2": Answer.DIFFERS}
    assert "does not show it" in result.results[1].words


def test_a_mark_that_reads_back_otherwise_differs(wonde, adapter, handed_over):
    delivery, reference = handed_over
    wonde.writebacks[reference]["status"] = "completed"
    wonde.stand(date="2026-03-03", session="AM", student_id="S1", attendance_code_id="C6", comment="Mum rang")
    result = adapter.follow_up(delivery, reference)
    assert by_report(result) == {"R1": Answer.DIFFERS, "R2": Answer.TAKEN}


def test_a_newer_mark_of_ours_counts_as_taken(wonde, adapter, handed_over):
    delivery, reference = handed_over
    wonde.writebacks[reference]["status"] = "completed"
    wonde.stand(
        date="2026-03-03",
        session="AM",
        student_id="S1",
        attendance_code_id="C6",
        comment="AP: I, ill. Ref RB-7K2MXY4P-2",
    )
    assert by_report(adapter.follow_up(delivery, reference))["R1"] is Answer.TAKEN


def test_a_failed_write_back_is_refused_in_their_words_but_for_what_stands_there(wonde, adapter, handed_over):
    delivery, reference = handed_over
    del wonde.marks["S1", "2026-03-03", "AM"]
    wonde.writebacks[reference] |= {"status": "FAILED", "message": "Session locked by Zebedee"}
    result = adapter.follow_up(delivery, reference)
    assert by_report(result) == {"R1": Answer.REFUSED, "R2": Answer.TAKEN}
    assert "locked by Zebedee" in result.results[0].words
    assert "Zebedee" not in repr(result)


def test_a_sweep_over_many_write_backs_reads_the_register_once(wonde, connection, tools, make, a_row):
    adapter = WondeAdapter(connection, tools)
    deliveries = {upn: make(a_row(upn), key=upn) for upn in (G, W)}
    references = {key: result.reference for key, result in adapter.deliver_many(list(deliveries.values()))}
    before = wonde.reads("attendance/session")
    for key, reference in references.items():
        assert adapter.follow_up(deliveries[key], reference).rung is Rung.ACCEPTED
    assert wonde.reads("attendance/session") == before + 1
    adapter.close()


def test_a_half_that_shows_is_told_from_a_half_that_does_not(wonde, adapter, handed_over):
    delivery, reference = handed_over
    wonde.writebacks[reference]["status"] = "completed"
    del wonde.marks["S2", "2026-03-03", "AM"]
    result = adapter.follow_up(delivery, reference)
    assert by_report(result) == {"R1": Answer.TAKEN, "R2": Answer.DIFFERS}


def test_reading_back_needs_no_list_of_signed_codes(wonde, adapter, make, a_row, handed_over):
    _, reference = handed_over
    wonde.writebacks[reference]["status"] = "completed"
    result = adapter.follow_up(make(a_row(G), a_row(W), may_write=frozenset()), reference)
    assert by_report(result) == {"R1": Answer.TAKEN, "R2": Answer.TAKEN}
    assert adapter.deliver(make(a_row(G), may_write=frozenset())).rung is Rung.PREPARED


def test_a_number_that_they_do_not_know_stays_open(adapter, handed_over):
    delivery, _ = handed_over
    assert adapter.follow_up(delivery, "W99") is None


@pytest.mark.parametrize("status", [401, 403])
def test_a_question_that_they_refuse_leaves_the_marks_uncertain(wonde, adapter, handed_over, status):
    delivery, reference = handed_over
    wonde.bend = lambda request: httpx.Response(status) if "writebacks" in request.url.path else None
    with pytest.raises(UncertainDeliveryError):
        adapter.follow_up(delivery, reference)


def test_a_question_that_finds_nobody_is_asked_again_later(wonde, adapter, handed_over):
    delivery, reference = handed_over
    wonde.bend = lambda _: httpx.Response(503, headers={"Retry-After": "30"})
    with pytest.raises(TransientDeliveryError):
        adapter.follow_up(delivery, reference)


def test_a_reference_of_theirs_cannot_lead_elsewhere(wonde, adapter, make, a_row):
    assert adapter.follow_up(make(a_row(G)), "../schools/A1?x=1") is None
    assert wonde.requests[-1].url.raw_path == b"/v1.0/writebacks/..%2Fschools%2FA1%3Fx%3D1"


def test_a_doubt_is_settled_by_the_register(wonde, adapter, make, a_row):
    delivery = make(a_row(G), a_row(W))
    assert adapter.look_up(delivery) is None
    wonde.stand(date="2026-03-03", session="AM", student_id="S1", attendance_code_id="C3")
    assert adapter.look_up(delivery) is None
    wonde.stand(date="2026-03-03", session="AM", student_id="S2", attendance_code_id="C3")
    result = adapter.look_up(delivery)
    assert result.rung is Rung.ACCEPTED
    assert by_report(result) == {"R1": Answer.TAKEN, "R2": Answer.TAKEN}
    assert wonde.posts == []


def test_delivering_again_after_a_lost_answer_doubles_nothing(wonde, adapter, make, a_row):
    delivery = make(a_row(G), a_row(W))

    def cut_off(request: httpx.Request) -> None:
        if request.method == "POST":
            wonde.take(json.loads(request.content)["attendance"])
            raise httpx.ReadTimeout("gone")

    wonde.bend = cut_off
    with pytest.raises(UncertainDeliveryError):
        adapter.deliver(delivery)
    wonde.bend = lambda _: None
    posted = len(wonde.posts)
    assert by_report(adapter.deliver(delivery)) == {"R1": Answer.ALREADY_THERE, "R2": Answer.ALREADY_THERE}
    assert len(wonde.posts) == posted
