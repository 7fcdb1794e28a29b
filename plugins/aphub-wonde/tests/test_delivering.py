import httpx
import pytest

from aphub.api import (
    Answer,
    RefusedDeliveryError,
    Rung,
    TransientDeliveryError,
    UncertainDeliveryError,
)
from aphub_wonde import WondeAdapter

G, W, K = "G999400125001", "W999400125002", "K999400125003"


def by_report(result):
    return {one.report: one.answer for one in result.results}


def test_marks_are_written_with_the_schools_own_ids_and_handed_over(wonde, adapter, make, a_row):
    late = a_row(W, code="L", outcome="late", minutes_late="12")
    result = adapter.deliver(make(a_row(G), late))
    assert wonde.posts == [
        [
            {
                "date": "2026-03-03",
                "session": "AM",
                "student_id": "S1",
                "attendance_code_id": "C3",
                "comment": "AP: B. Ref RB-7K2MXY4P-1",
            },
            {
                "date": "2026-03-03",
                "session": "AM",
                "student_id": "S2",
                "attendance_code_id": "C5",
                "comment": "AP: L, 12 min late. Ref RB-7K2MXY4P-1",
                "minutes_late": 12,
            },
        ]
    ]
    assert result.rung is Rung.HANDED_OVER
    assert result.reference == "W1"
    assert by_report(result) == {"R1": Answer.PENDING, "R2": Answer.PENDING}


def test_what_already_stands_there_is_not_written_again(wonde, adapter, make, a_row):
    wonde.stand(date="2026-03-03", session="AM", student_id="S1", attendance_code_id="C3")
    result = adapter.deliver(make(a_row(G)))
    assert wonde.posts == []
    assert result.rung is Rung.ACCEPTED
    assert by_report(result) == {"R1": Answer.ALREADY_THERE}


def test_a_mark_of_the_schools_own_is_never_written_over(wonde, adapter, make, a_row):
    wonde.stand(date="2026-03-03", session="AM", student_id="S1", attendance_code_id="C6", comment="Mum rang")
    result = adapter.deliver(make(a_row(G), a_row(W)))
    assert [record["student_id"] for record in wonde.posts[0]] == ["S2"]
    assert by_report(result) == {"R1": Answer.DIFFERS, "R2": Answer.PENDING}
    assert "shows I" in result.results[0].words


def test_our_own_older_mark_is_corrected(wonde, adapter, make, a_row):
    wonde.stand(
        date="2026-03-03",
        session="AM",
        student_id="S1",
        attendance_code_id="C4",
        comment="AP: N, reason not known. Ref RB-7K2MXY4P-1",
    )
    result = adapter.deliver(make(a_row(G, reference="RB-7K2MXY4P-2")))
    assert wonde.posts[0][0]["attendance_code_id"] == "C3"
    assert by_report(result) == {"R1": Answer.PENDING}


def test_our_own_mark_that_the_school_changed_is_left_alone(wonde, adapter, make, a_row):
    wonde.stand(
        date="2026-03-03",
        session="AM",
        student_id="S1",
        attendance_code_id="C6",
        comment="AP: N. Ref RB-7K2MXY4P-1",
    )
    result = adapter.deliver(make(a_row(G, reference="RB-7K2MXY4P-2")))
    assert wonde.posts == []
    assert by_report(result) == {"R1": Answer.DIFFERS}


def test_a_report_with_two_sessions_gets_one_answer(adapter, make, a_row):
    result = adapter.deliver(make(a_row(G), a_row(G, "PM"), row_reports=("R1", "R1")))
    assert by_report(result) == {"R1": Answer.PENDING}


def test_a_report_that_cannot_be_written_whole_is_not_written_in_part(wonde, adapter, make, a_row):
    rows = (a_row(G), a_row(G, "PM", code="I"), a_row(W))
    wonde.codes = [row for row in wonde.codes if row["code"] != "I"]
    result = adapter.deliver(make(*rows, row_reports=("R1", "R1", "R2")))
    assert [record["student_id"] for record in wonde.posts[0]] == ["S2"]
    assert by_report(result) == {"R1": Answer.NOT_EXPRESSIBLE, "R2": Answer.PENDING}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"code": "K"}], "not signed"),
        ([{"code": ""}], "not signed"),
        ([{"upn": "Z999400125004"}], "no single pupil"),
        ([{"code": "B"}, {"code": "N"}], "different things"),
    ],
)
def test_what_cannot_be_written_says_why_and_writes_nothing(wonde, adapter, make, a_row, rows, words):
    result = adapter.deliver(make(*[a_row(**one) for one in rows]))
    assert wonde.posts == []
    assert result.rung is Rung.PREPARED
    assert {one.answer for one in result.results} == {Answer.NOT_EXPRESSIBLE}
    assert all(words in one.words for one in result.results)


def test_a_letter_that_the_school_has_twice_is_not_guessed(wonde, adapter, make, a_row):
    wonde.codes.append({"id": "C99", "code": "B", "type": "X"})
    result = adapter.deliver(make(a_row(G)))
    assert wonde.posts == []
    assert "twice" in result.results[0].words


def test_a_number_that_two_pupils_have_is_nobodys(wonde, adapter, make, a_row):
    def two(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/students"):
            rows = [{"id": one, "education_details": {"data": {"upn": G}}} for one in ("S1", "S9")]
            return httpx.Response(200, json={"data": rows})
        return None

    wonde.bend = two
    assert by_report(adapter.deliver(make(a_row(G)))) == {"R1": Answer.NOT_EXPRESSIBLE}
    assert wonde.posts == []


def test_a_filter_that_is_ignored_finds_no_wrong_pupil(wonde, adapter, make, a_row):
    def all_pupils(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/students"):
            return wonde.page(
                [
                    {"id": one, "education_details": {"data": {"upn": upn}}}
                    for upn, one in wonde.students.items()
                ],
                request.url.params,
            )
        return None

    wonde.bend = all_pupils
    adapter.deliver(make(a_row(W)))
    assert [record["student_id"] for record in wonde.posts[0]] == ["S2"]


def test_marks_are_read_on_every_page_before_anything_is_written(wonde, connection, tools, make, a_row):
    for number in range(7):
        wonde.stand(
            date="2026-03-03", session="PM", student_id=f"X{number}", attendance_code_id="C1", comment=None
        )
    wonde.stand(date="2026-03-03", session="AM", student_id="S1", attendance_code_id="C6")
    adapter = type_of(connection, tools, page_size=3)
    assert by_report(adapter.deliver(make(a_row(G)))) == {"R1": Answer.DIFFERS}
    adapter.close()


def test_a_list_longer_than_we_read_stops_the_writing(wonde, connection, tools, make, a_row):
    for number in range(7):
        wonde.stand(date="2026-03-03", session="PM", student_id=f"X{number}", attendance_code_id="C1")
    adapter = type_of(connection, tools, page_size=3, most_pages=2)
    with pytest.raises(RefusedDeliveryError, match="more pages"):
        adapter.deliver(make(a_row(G)))
    assert wonde.posts == []
    adapter.close()


def test_marks_that_name_no_pupil_stop_the_writing(wonde, adapter, make, a_row):
    wonde.marks["x", "y", "z"] = {"id": "M1", "date": "2026-03-03", "session": "AM"}
    with pytest.raises(RefusedDeliveryError, match="do not say whose"):
        adapter.deliver(make(a_row(G)))
    assert wonde.posts == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"school": {"extended": {"allows_writeback": False}}}, "Write-back is off"),
        ({"school": {}}, "Write-back is off"),
        ({"meta": {"online": True, "approved": False}}, "has not approved us"),
        (
            {"school": {"extended": {"allows_writeback": True}, "region": {"domain": "api-x.wonde.com"}}},
            "api-x.wonde.com",
        ),
        ({"permissions": [{"identity": "attendance.write", "approved": False}]}, "attendance.write"),
    ],
)
def test_a_school_that_does_not_let_us_write_is_told_in_words(wonde, adapter, make, a_row, change, words):
    for key, value in change.items():
        setattr(wonde, key, value)
    with pytest.raises(RefusedDeliveryError, match=words) as caught:
        adapter.deliver(make(a_row(G)))
    assert caught.value.what_now
    asked = len(wonde.requests)
    with pytest.raises(RefusedDeliveryError):
        adapter.deliver(make(a_row(G)))
    assert len(wonde.requests) == asked
    assert wonde.posts == []


def test_a_school_that_is_offline_is_tried_again(wonde, adapter, make, a_row):
    wonde.meta["online"] = False
    with pytest.raises(TransientDeliveryError, match="not connected"):
        adapter.deliver(make(a_row(G)))
    wonde.meta["online"] = True
    assert adapter.deliver(make(a_row(G))).rung is Rung.HANDED_OVER


@pytest.mark.usefixtures("wonde")
def test_required_permissions_of_the_settings_are_looked_for(connection, tools, make, a_row):
    adapter = type_of(connection, tools, permissions=("photos.read",))
    with pytest.raises(RefusedDeliveryError, match="photos"):
        adapter.deliver(make(a_row(G)))
    adapter.close()


def test_a_busy_far_side_is_waited_for_as_it_asks(wonde, adapter, make, a_row):
    wonde.bend = lambda request: (
        httpx.Response(429, headers={"Retry-After": "7"}) if request.method == "POST" else None
    )
    with pytest.raises(TransientDeliveryError) as caught:
        adapter.deliver(make(a_row(G)))
    assert caught.value.retry_after is not None
    assert caught.value.retry_after.total_seconds() == 7
    assert len(wonde.posts) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, RefusedDeliveryError),
        (403, RefusedDeliveryError),
        (404, RefusedDeliveryError),
        (302, RefusedDeliveryError),
        (400, RefusedDeliveryError),
        (408, TransientDeliveryError),
        (503, TransientDeliveryError),
        (500, UncertainDeliveryError),
        (502, UncertainDeliveryError),
    ],
)
def test_the_status_of_a_write_says_what_happens_next(wonde, adapter, make, a_row, status, kind):
    wonde.bend = lambda request: httpx.Response(status) if request.method == "POST" else None
    with pytest.raises(kind) as caught:
        adapter.deliver(make(a_row(G)))
    assert caught.value.code == f"HTTP {status}"
    assert len(wonde.posts) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_read_that_fails_has_written_nothing(wonde, adapter, make, a_row, status):
    wonde.bend = lambda request: httpx.Response(status) if request.url.path.endswith("/students") else None
    with pytest.raises(TransientDeliveryError):
        adapter.deliver(make(a_row(G)))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError("no"), TransientDeliveryError),
        (httpx.ConnectTimeout("no"), TransientDeliveryError),
        (httpx.ReadTimeout("no"), UncertainDeliveryError),
        (httpx.WriteError("no"), UncertainDeliveryError),
        (httpx.RemoteProtocolError("no"), UncertainDeliveryError),
        (httpx.DecodingError("no"), UncertainDeliveryError),
    ],
)
def test_a_lost_answer_is_uncertain_only_where_the_marks_had_left(wonde, adapter, make, a_row, error, kind):
    def lose(request: httpx.Request) -> None:
        if request.method == "POST":
            raise error

    wonde.bend = lose
    with pytest.raises(kind):
        adapter.deliver(make(a_row(G)))


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"data": 3}'])
def test_a_list_that_cannot_be_read_is_no_empty_list(wonde, adapter, make, a_row, body):
    path = "/attendance/session/"
    wonde.bend = lambda request: (
        httpx.Response(200, content=body)
        if request.url.path.endswith(path) and request.method == "GET"
        else None
    )
    with pytest.raises(TransientDeliveryError):
        adapter.deliver(make(a_row(G)))
    assert wonde.posts == []


def test_an_error_inside_a_yes_is_a_no(wonde, adapter, make, a_row):
    said = {"success": False, "error": "Pupil Zebedee is not on roll"}
    wonde.bend = lambda request: httpx.Response(200, json=said) if request.method == "POST" else None
    result = adapter.deliver(make(a_row(G)))
    assert by_report(result) == {"R1": Answer.REFUSED}
    assert "Zebedee" in result.results[0].words
    assert "Zebedee" not in repr(result)


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b'{"writeback_id": null}', b"[1]"])
def test_a_yes_without_a_number_is_uncertain(wonde, adapter, make, a_row, body):
    wonde.bend = lambda request: httpx.Response(200, content=body) if request.method == "POST" else None
    with pytest.raises(UncertainDeliveryError):
        adapter.deliver(make(a_row(G)))


def test_a_refused_batch_is_refused_report_by_report_with_their_words(wonde, adapter, make, a_row):
    wonde.stand(date="2026-03-03", session="AM", student_id="S2", attendance_code_id="C3")
    wonde.bend = lambda request: (
        httpx.Response(422, json={"errors": ["date"]}) if request.method == "POST" else None
    )
    result = adapter.deliver(make(a_row(G), a_row(W)))
    assert by_report(result) == {"R1": Answer.REFUSED, "R2": Answer.ALREADY_THERE}
    assert result.results[0].code == "HTTP 422"
    assert len(wonde.posts) == 1


def test_a_pupil_who_was_enrolled_again_is_found_again(wonde, adapter, make, a_row):
    adapter.deliver(make(a_row(W)))
    adapter.deliver(make(a_row(G)))
    wonde.marks.clear()
    wonde.students[G] = "S100"
    wonde.bend = lambda request: (
        httpx.Response(422, json={"errors": ["student_id"]})
        if request.method == "POST" and b'"S1"' in request.content
        else None
    )
    result = adapter.deliver(make(a_row(G)))
    assert by_report(result) == {"R1": Answer.PENDING}
    assert wonde.posts[-1][0]["student_id"] == "S100"


def test_a_test_message_writes_nothing_and_names_codes_that_are_lacking(wonde, adapter, make, a_row):
    wonde.codes = [row for row in wonde.codes if row["code"] != "N"]
    for delivery in (make(a_row(G), test=True), make(a_row(G, outcome="TEST present"))):
        result = adapter.deliver(delivery)
        assert result.rung is Rung.PREPARED
        assert by_report(result) == {"R1": Answer.NOT_EXPRESSIBLE}
        assert "signed for: N" in result.results[0].words
    assert wonde.posts == []
    assert wonde.reads("/students") == 0


def test_a_document_that_is_not_that_of_the_rows_is_stopped(wonde, adapter, make, a_row):
    good, other = make(a_row(G)), make(a_row(W))
    mixed = make(a_row(G), documents=other.documents)
    for bad in (mixed, make(a_row(G), documents=()), make(a_row(G), documents=good.documents * 2)):
        with pytest.raises(RefusedDeliveryError, match="prepared marks"):
            adapter.deliver(bad)
    assert wonde.requests == []


def test_a_burst_reads_once_and_writes_each_delivery_by_itself(wonde, adapter, make, a_row):
    deliveries = [make(a_row(upn), key=upn) for upn in (G, W, K)]
    answers = dict(adapter.deliver_many(deliveries))
    assert {key: by_report(result)["R1"] for key, result in answers.items()} == dict.fromkeys(
        (G, W, K), Answer.PENDING
    )
    assert len(wonde.posts) == 3
    assert wonde.reads("/students") == wonde.reads("attendance/session") == wonde.reads("/permissions") == 1


def test_a_burst_stops_asking_a_far_side_that_does_not_answer(wonde, adapter, make, a_row):
    wonde.bend = lambda request: httpx.Response(503) if request.method == "POST" else None
    deliveries = [make(a_row(upn), key=upn) for upn in (G, W, K)]
    answers = dict(adapter.deliver_many(deliveries))
    assert all(isinstance(answer, TransientDeliveryError) for answer in answers.values())
    assert list(answers) == [G, W, K]
    assert len(wonde.posts) == 1


def test_one_bad_delivery_of_a_burst_harms_no_other(adapter, make, a_row):
    bad = make(a_row(G), key="bad", documents=())
    answers = dict(adapter.deliver_many([bad, make(a_row(W), key="good")]))
    assert isinstance(answers["bad"], RefusedDeliveryError)
    assert answers["good"].rung is Rung.HANDED_OVER


def test_closing_twice_does_nothing_and_forgets_every_pupil(adapter, make, a_row):
    adapter.deliver(make(a_row(G)))
    adapter.close()
    adapter.close()
    assert adapter._schools == {}


def type_of(connection, tools, **changes: object) -> WondeAdapter:
    adapter = WondeAdapter(connection.model_copy(update=changes), tools)
    adapter.open()
    return adapter
