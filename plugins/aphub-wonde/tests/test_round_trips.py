"""Real round trips over verified TLS with the stand-in: its moods, and what the hub is told in each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from aphub.api import (
    Answer,
    Delivery,
    RefusedDeliveryError,
    Rung,
    Tools,
    TransientDeliveryError,
    UncertainDeliveryError,
)
from aphub.sandbox.certificates import CertificateKind, DemoAuthority
from aphub.sandbox.mis_state import MisState, School
from aphub.sandbox.wonde import WondeStandIn
from aphub.testing import sample_tools
from aphub_wonde import WondeAdapter, WondeConnection, WondeRoute

TOKEN = "t0ken-of-an-invented-partner"
UPNS = ("G999400125001", "W999400125002", "K999400125003")
NOW = datetime(2026, 3, 3, 9, 40, tzinfo=UTC)
DAY = "2026-03-03"


@dataclass
class Played:
    """A stand-in with one school, and the adapter that talks to it."""

    far_side: WondeStandIn
    school: School
    adapter: WondeAdapter
    now: datetime = NOW

    def code_of(self, upn, session="AM"):
        student = next(one.id for one in self.school.students.values() if one.upn == upn)
        mark = self.school.marks.get((student, DAY, session))
        return mark and self.school.code_of(mark.code_id)

    @property
    def posts(self):
        return [request for request in self.far_side.requests if request.method == "POST"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> DemoAuthority:
    return DemoAuthority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def played(authority) -> Iterator[Played]:
    state = MisState()
    school = state.add_school("Hill School")
    for upn in UPNS:
        state.add_student(school, upn, "Zebedee", "Invented")
    with WondeStandIn(authority, state, token=TOKEN) as far_side:
        connection = WondeConnection(
            base_url=far_side.url, token=SecretStr(TOKEN), ca_file=authority.ca_path, timeout_seconds=0.5
        )
        one = Played(far_side, school, None)
        one.adapter = WondeAdapter(
            connection,
            Tools(http=sample_tools().http, now=lambda: one.now),
        )
        one.adapter.open()
        yield one
        one.adapter.close()


@pytest.fixture
def delivery(make, a_row, played):
    route = WondeRoute(school_id=played.school.id)

    def deliver(*upns: str, key: str = "k1", **more: str) -> Delivery:
        return make(*(a_row(upn, **more) for upn in upns), route=route, key=key)

    return deliver


def by_report(result):
    return {one.report: one.answer for one in result.results}


def follow(played, one, reference, most=5):
    for _ in range(most):
        result = played.adapter.follow_up(one, reference)
        if result is not None:
            return result
    return None


def test_from_a_fact_to_a_mark_that_was_read_back(played, delivery):
    one = delivery(*UPNS)
    result = played.adapter.deliver(one)
    assert result.rung is Rung.HANDED_OVER
    assert result.hops == "TLS 1.3 to 127.0.0.1"
    assert played.code_of(UPNS[0]) is None  # only queued
    done = follow(played, one, result.reference)
    assert done.rung is Rung.ACCEPTED
    assert set(by_report(done).values()) == {Answer.TAKEN}
    assert {played.code_of(upn) for upn in UPNS} == {"B"}


def test_a_later_report_corrects_what_an_earlier_one_wrote(played, delivery):
    first = delivery(UPNS[0], code="N", reason_text="reason not known", outcome="absent")
    follow(played, first, played.adapter.deliver(first).reference)
    second = delivery(UPNS[0], reference="RB-7K2MXY4P-2")
    follow(played, second, played.adapter.deliver(second).reference)
    assert played.code_of(UPNS[0]) == "B"


def test_the_schools_own_mark_stands(played, delivery):
    state = played.far_side.state
    state.mark_made_by_school(played.school, UPNS[0], date=DAY, session="AM", code="I")
    one = delivery(*UPNS)
    result = played.adapter.deliver(one)
    assert by_report(result) == {"R1": Answer.DIFFERS, "R2": Answer.PENDING, "R3": Answer.PENDING}
    done = follow(played, one, result.reference)
    assert by_report(done) == {"R1": Answer.DIFFERS, "R2": Answer.TAKEN, "R3": Answer.TAKEN}
    assert played.code_of(UPNS[0]) == "I"


def test_a_school_that_changes_the_mark_while_it_is_queued_is_seen(played, delivery):
    one = delivery(UPNS[0])
    result = played.adapter.deliver(one)
    played.far_side.writebacks.settle_all()
    played.far_side.state.mark_made_by_school(played.school, UPNS[0], date=DAY, session="AM", code="I")
    assert by_report(follow(played, one, result.reference)) == {"R1": Answer.DIFFERS}


def test_busy_means_later_and_nothing_written(played, delivery):
    played.far_side.is_busy(retry_after=7)
    with pytest.raises(TransientDeliveryError) as caught:
        played.adapter.deliver(delivery(UPNS[0]))
    assert caught.value.retry_after == timedelta(seconds=7)
    assert len(played.far_side.requests) == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_refusing_means_never(played, delivery, status):
    played.far_side.refuses(status)
    with pytest.raises(RefusedDeliveryError):
        played.adapter.deliver(delivery(UPNS[0]))
    assert len(played.posts) == 1


def test_unprocessable_is_answered_report_by_report(played, delivery):
    played.far_side.refuses(422)
    assert by_report(played.adapter.deliver(delivery(UPNS[0]))) == {"R1": Answer.REFUSED}


@pytest.mark.parametrize("says", ["failed", "success"])
def test_half_a_write_back_is_told_apart_report_by_report(played, delivery, says):
    played.far_side.half_fails(says=says)
    one = delivery(*UPNS)
    result = played.adapter.deliver(one)
    done = follow(played, one, result.reference)
    bad = {"failed": Answer.REFUSED, "success": Answer.DIFFERS}[says]
    assert by_report(done) == {"R1": Answer.TAKEN, "R2": bad, "R3": Answer.TAKEN}


@pytest.mark.parametrize("kept", [True, False])
def test_a_cut_answer_is_uncertain_and_the_register_settles_it(played, delivery, kept):
    one = delivery(*UPNS)
    played.far_side.cuts_off_after_reading(kept=kept)
    with pytest.raises(UncertainDeliveryError):
        played.adapter.deliver(one)
    played.far_side.accepts()
    found = played.adapter.look_up(one)
    assert (found is not None) is kept
    again = played.adapter.deliver(one)
    assert set(by_report(again).values()) == {Answer.ALREADY_THERE if kept else Answer.PENDING}
    assert len(played.posts) == (1 if kept else 2)


def test_a_late_answer_is_uncertain(played, delivery):
    one = delivery(UPNS[0])
    played.far_side.answers_late(5)
    with pytest.raises(UncertainDeliveryError):
        played.adapter.deliver(one)
    played.far_side.accepts()
    assert played.adapter.look_up(one).rung is Rung.ACCEPTED


def test_a_slow_far_side_is_tried_later_while_nothing_was_written(played, delivery):
    played.far_side.is_slow(5)
    with pytest.raises(TransientDeliveryError):
        played.adapter.deliver(delivery(UPNS[0]))
    assert played.posts == []


def test_nobody_there_means_later(played, delivery):
    played.far_side.is_unreachable()
    with pytest.raises(TransientDeliveryError, match="could not be reached"):
        played.adapter.deliver(delivery(UPNS[0]))


@pytest.mark.parametrize(
    "kind", [CertificateKind.EXPIRED, CertificateKind.WRONG_NAME, CertificateKind.SELF_SIGNED]
)
def test_an_impostor_is_told_nothing(played, delivery, kind):
    played.far_side.shows_certificate(kind)
    with pytest.raises(RefusedDeliveryError, match="could not prove"):
        played.adapter.deliver(delivery(UPNS[0]))
    assert TOKEN.encode() not in played.far_side.received_bytes


def test_old_encryption_is_not_spoken(played, delivery):
    played.far_side.speaks_old_tls()
    with pytest.raises(TransientDeliveryError):
        played.adapter.deliver(delivery(UPNS[0]))
    assert TOKEN.encode() not in played.far_side.received_bytes


def test_a_wrong_token_is_refused_with_what_to_do(played, delivery):
    connection = played.adapter.connection.model_copy(update={"token": SecretStr("another")})
    stranger = WondeAdapter(connection, played.adapter.tools)
    with pytest.raises(RefusedDeliveryError, match="token") as caught:
        stranger.deliver(delivery(UPNS[0]))
    stranger.close()
    assert "secret set" in caught.value.what_now


def test_a_check_passes_step_by_step(played):
    steps = list(played.adapter.check(WondeRoute(school_id=played.school.id)))
    assert [step for step in steps if not step.ok] == []
    assert played.posts == []


def test_a_burst_keeps_one_connection(played, delivery):
    deliveries = [delivery(upn, key=upn) for upn in UPNS]
    answers = dict(played.adapter.deliver_many(deliveries))
    assert {answer.rung for answer in answers.values()} == {Rung.HANDED_OVER}
    assert len(played.posts) == 3
    assert len(played.far_side.requests) == 3 + 6


def test_no_pupils_name_reaches_the_far_side(played, delivery):
    one = delivery(*UPNS)
    follow(played, one, played.adapter.deliver(one).reference)
    assert b"Zebedee" not in played.far_side.received_bytes
    assert all(upn.encode() not in request.body for upn in UPNS for request in played.far_side.requests)
