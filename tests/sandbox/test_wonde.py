import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from aphub.sandbox import CertificateKind, DemoAuthority, MisState, WondeStandIn
from aphub.sandbox.mis_state import School

TOKEN = "invented-token"
SAM, ALEX = "T999400126001", "G999400126002"
SESSION = "attendance/session/"


@pytest.fixture
def school() -> School:
    state = MisState()
    school = state.add_school("Hill School", urn="999001")
    state.add_student(school, SAM, "Sam", "Example")
    state.add_student(school, ALEX, "Alex", "Invented")
    school.students["A9"] = state.add_student(school, "W999400126003", "Robin", "Sample", leaver=True)
    return school


@pytest.fixture
def wonde(authority: DemoAuthority, school: School, tmp_path: Path) -> Iterator[WondeStandIn]:
    state = MisState()
    state.schools[school.id] = school
    with WondeStandIn(
        authority, state, token=TOKEN, tokens={"other": ()}, folder=tmp_path / "mis"
    ) as stand_in:
        yield stand_in


@pytest.fixture
def client(wonde: WondeStandIn, authority: DemoAuthority) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(
        base_url=wonde.url, headers=headers, verify=authority.client_context(), timeout=5, trust_env=False
    ) as client:
        yield client


def mark(school: School, upn: str = SAM, code: str = "B", **more: Any) -> dict[str, Any]:
    student = next(student for student in school.students.values() if student.upn == upn)
    whole = {
        "date": "2026-03-03",
        "session": "AM",
        "student_id": student.id,
        "attendance_code_id": school.codes[code],
    }
    return whole | more


def write(client: httpx.Client, school: School, *marks: Any) -> httpx.Response:
    return client.post(f"schools/{school.id}/{SESSION}", json={"attendance": list(marks)})


def register(client: httpx.Client, school: School, **query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(f"schools/{school.id}/{SESSION}", params=query).json()["data"]
    return rows


# Who may come in


@pytest.mark.parametrize(
    ("auth", "status"),
    [
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": ""}, 401),
        ({"Authorization": "Basic ???"}, 401),
    ],
)
def test_a_token_is_asked_for(client: httpx.Client, auth: dict[str, str], status: int):
    assert client.get("schools", headers=auth).status_code == status


@pytest.mark.parametrize(("password", "status"), [("", 200), ("x", 401)])
def test_basic_takes_the_token_as_user_name(client: httpx.Client, password: str, status: int):
    assert client.get("schools", auth=(TOKEN, password)).status_code == status


def test_a_school_that_has_not_granted_access_is_closed(client: httpx.Client, school: School):
    other = {"Authorization": "Bearer other"}
    assert client.get("schools", headers=other).json() == {"data": []}
    assert client.get(f"schools/{school.id}", headers=other).status_code == 403
    assert client.get("schools/A000").status_code == 404


@pytest.mark.parametrize("path", ["nowhere", "schools/x/y/z", "../v2/schools"])
def test_an_unknown_path_is_404(client: httpx.Client, path: str):
    assert client.get(path).status_code == 404


def test_a_path_with_the_wrong_verb_is_405(client: httpx.Client):
    assert client.delete("schools").status_code == 405


# Reads


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_slash_at_the_end_makes_no_difference(client: httpx.Client, school: School, slash: str):
    page = client.get(f"schools/{school.id}{slash}").json()["data"]
    assert page["extended"]["allows_writeback"] is True
    assert page["urn"] == "999001"


def test_the_region_leads_back_to_the_stand_in(client: httpx.Client, wonde: WondeStandIn):
    (school,) = client.get("schools", params={"urn": "999001"}).json()["data"]
    assert school["region"]["domain"] == f"127.0.0.1:{wonde.address[1]}"
    assert client.get("schools", params={"urn": "1"}).json() == {"data": []}


def test_students_are_found_by_upn_and_show_it_only_when_asked(client: httpx.Client, school: School):
    path = f"schools/{school.id}/students"
    (plain,) = client.get(path, params={"only_upns": SAM}).json()["data"]
    assert "education_details" not in plain
    query = {"only_upns": f"{SAM},{ALEX}", "include": "education_details"}
    both = client.get(path, params=query).json()["data"]
    assert [student["education_details"]["data"]["upn"] for student in both] == [SAM, ALEX]
    assert client.get(path, params={"only_upns": "W999400126003"}).json()["data"] == []
    assert len(client.get(f"schools/{school.id}/students-leaver/").json()["data"]) >= 1
    assert client.get(f"{path}/{plain['id']}").json()["data"]["forename"] == "Sam"


@pytest.mark.parametrize(
    ("missing", "path"),
    [
        ("students.read", "students"),
        ("education-details.read", "students?include=education_details"),
        ("attendance.read", "attendance-codes"),
        ("attendance.read", "attendance/session"),
    ],
)
def test_a_permission_that_was_not_granted_is_403(
    client: httpx.Client, school: School, missing: str, path: str
):
    school.permissions = tuple(name for name in school.permissions if name != missing)
    assert client.get(f"schools/{school.id}/{path}").status_code == 403
    granted = client.get(f"meta/schools/{school.id}/permissions").json()["data"]
    assert missing not in {row["identity"] for row in granted}


def test_the_code_table_gives_ids_for_letters(client: httpx.Client, school: School):
    rows = client.get(f"schools/{school.id}/attendance-codes/").json()["data"]
    assert {row["code"]: row["id"] for row in rows} == school.codes
    assert client.get(f"meta/schools/{school.id}").json()["data"]["custom_attendance_codes"] is False
    assert {row["code"] for row in client.get("attendance-codes").json()["data"]} == set(school.codes)


@pytest.mark.parametrize("start", [{}, {"cursor": "true"}, {"per_page": "7"}])
def test_pages_follow_one_another_and_small_answers_have_none(
    client: httpx.Client, school: School, wonde: WondeStandIn, start: dict[str, str]
):
    path = f"schools/{school.id}/students"
    assert "meta" not in client.get(path).json()
    for number in range(118):
        wonde.state.add_student(school, f"X{number:012d}", "Invented", str(number))
    seen: list[str] = []
    address: str | None = str(client.build_request("GET", path, params=start).url)
    while address:
        page = client.get(address).json()
        seen += [student["id"] for student in page["data"]]
        pagination = page["meta"]["pagination"]
        address = pagination["next"]
        assert pagination["more"] == (address is not None)
    assert len(seen) == len(set(seen)) == 120


@pytest.mark.parametrize("query", [{"page": "x"}, {"per_page": "0"}, {"page": "-1"}])
def test_a_page_that_is_no_number_is_422(client: httpx.Client, query: dict[str, str]):
    assert client.get("schools", params=query).status_code == 422


# Writes


def test_a_write_is_acknowledged_then_pending_then_in_the_register(
    client: httpx.Client, school: School, tmp_path: Path
):
    answer = write(client, school, mark(school, minutes_late=5, comment="AP: on site 09:05"))
    assert answer.status_code == 200
    (writeback_id,) = answer.json().values()
    assert register(client, school) == []
    states = [client.get(f"writebacks/{writeback_id}").json()["data"]["status"] for _ in range(3)]
    assert states == ["pending", "success", "success"]
    (row,) = register(client, school, include="attendance_code,student")
    assert (row["attendance_code"]["data"]["code"], row["minutes_late"]) == ("B", 5)
    (page,) = [json.loads(path.read_text()) for path in (tmp_path / "mis").iterdir()]
    assert [(m["code"], m["made_by"], m["comment"]) for m in page["marks"]] == [
        ("B", "write-back", "AP: on site 09:05")
    ]


def test_the_register_is_read_by_date(client: httpx.Client, school: School, wonde: WondeStandIn):
    for day in ("2026-03-02", "2026-03-03", "2026-03-04"):
        wonde.state.mark_made_by_school(school, SAM, date=day, session="AM", code="/")
    query = {"attendance_date_after": "2026-03-03", "attendance_date_before": "2026-03-03"}
    assert [row["date"] for row in register(client, school, **query)] == ["2026-03-03"]


def test_the_names_that_the_vendor_does_not_publish_are_settings(authority: DemoAuthority, school: School):
    state = MisState()
    state.schools[school.id] = school
    words = {"pending": "Queued", "success": "Done", "failed": "Broken"}
    with (
        WondeStandIn(
            authority,
            state,
            token=TOKEN,
            pending_polls=0,
            status_field="state",
            status_words=words,
            date_filters=("from", "to"),
        ) as stand_in,
        httpx.Client(
            base_url=stand_in.url, auth=(TOKEN, ""), verify=authority.client_context(), trust_env=False
        ) as client,
    ):
        writeback_id = write(client, school, mark(school)).json()["writeback_id"]
        assert client.get(f"writebacks/{writeback_id}").json()["data"]["state"] == "Done"
        assert client.get("writebacks").json()["data"][0]["status"] == "Done"
        assert register(client, school, **{"from": "2026-03-04"}) == []
        assert len(register(client, school, to="2026-03-03")) == 1


def test_what_a_write_replaced_is_kept(client: httpx.Client, school: School, wonde: WondeStandIn):
    wonde.state.mark_made_by_school(
        school, SAM, date="2026-03-03", session="AM", code="N", made_by="attendance officer"
    )
    write(client, school, mark(school))
    wonde.writebacks.settle_all()
    (now,) = school.marks.values()
    assert school.code_of(now.code_id) == "B"
    assert [(old["code"], old["made_by"]) for old in now.replaced] == [("N", "attendance officer")]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"date": "03/03/2026"}, "date"),
        ({"date": "2026-02-30"}, "date"),
        ({"date": "20260303"}, "date"),
        ({"session": "am"}, "session"),
        ({"student_id": SAM}, "student_id"),
        ({"student_id": None}, "student_id"),
        ({"attendance_code_id": "B"}, "attendance_code_id"),
        ({"attendance_code_id": ["B"]}, "attendance_code_id"),
        ({"minutes_late": "ten"}, "minutes_late"),
        ({"minutes_late": True}, "minutes_late"),
        ({"minutes_late": -1}, "minutes_late"),
        ({"comment": "x" * 256}, "comment"),
        ({"comment": 7}, "comment"),
        ({"employee_id": None}, "employee_id"),
        ({"late": 5}, "late"),
    ],
)
def test_every_field_is_checked(client: httpx.Client, school: School, change: dict[str, Any], field: str):
    answer = write(client, school, mark(school, ALEX), mark(school) | change)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [f"attendance.1.{field}"]


def test_a_leaver_is_refused(client: httpx.Client, school: School):
    assert write(client, school, mark(school, "W999400126003")).status_code == 422


@pytest.mark.parametrize("missing", ["date", "session", "student_id", "attendance_code_id"])
def test_every_required_field_is_required(client: httpx.Client, school: School, missing: str):
    whole = mark(school)
    del whole[missing]
    assert list(write(client, school, whole).json()["errors"]) == [f"attendance.0.{missing}"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"attendance":[]}', b'{"attendance":[1]}', b'{"attendance":[],"x":1}']
)
def test_a_body_of_another_shape_is_422(client: httpx.Client, school: School, body: bytes):
    headers = {"Content-Type": "application/json"}
    answer = client.post(f"schools/{school.id}/{SESSION}", content=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_the_same_session_twice_in_one_request_is_422(client: httpx.Client, school: School):
    assert write(client, school, mark(school), mark(school, code="N")).status_code == 422


def test_a_body_that_is_not_called_json_is_415(client: httpx.Client, school: School):
    assert client.post(f"schools/{school.id}/{SESSION}", content=b"{}").status_code == 415


def test_a_school_that_does_not_allow_write_back_is_403(client: httpx.Client, school: School):
    school.allows_writeback = False
    assert write(client, school, mark(school)).status_code == 403


def test_a_write_back_is_shown_to_its_own_token_only(client: httpx.Client, school: School):
    writeback_id = write(client, school, mark(school)).json()["writeback_id"]
    other = client.get(f"writebacks/{writeback_id}", headers={"Authorization": "Bearer other"})
    assert other.status_code == 404


# Moods


def test_busy_says_when_to_come_back(client: httpx.Client, wonde: WondeStandIn):
    wonde.is_busy(retry_after=7, times=1)
    answer = client.get("schools")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert client.get("schools").status_code == 200


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_refuses_writes_with_the_status_that_was_chosen(
    client: httpx.Client, school: School, wonde: WondeStandIn, status: int
):
    wonde.refuses(status)
    assert write(client, school, mark(school)).status_code == status
    assert client.get("schools").status_code == 200
    wonde.refuses(status, writes_only=False)
    assert client.get("schools").status_code == status


@pytest.mark.parametrize("kept", [True, False])
def test_cut_off_after_reading_leaves_the_client_in_doubt(
    client: httpx.Client, school: School, wonde: WondeStandIn, kept: bool
):
    wonde.cuts_off_after_reading(kept=kept, times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        write(client, school, mark(school))
    assert len(register(client, school)) == int(kept)
    assert wonde.requests[-2].method == "POST"


@pytest.mark.parametrize("says", ["failed", "success"])
def test_half_failing_turns_every_second_mark_away(
    client: httpx.Client, school: School, wonde: WondeStandIn, says: str
):
    wonde.half_fails(says=says)
    writeback_id = write(client, school, mark(school), mark(school, ALEX)).json()["writeback_id"]
    wonde.writebacks.settle_all()
    page = client.get(f"writebacks/{writeback_id}").json()["data"]
    assert page["status"] == says
    assert ("errors" in page) == (says == "failed")
    assert len(register(client, school)) == 1


def test_a_late_answer_comes_after_the_marks_are_kept(
    client: httpx.Client, school: School, wonde: WondeStandIn
):
    wonde.answers_late(600, times=1)
    student_id = mark(school)["student_id"]
    body = {"attendance": [mark(school)]}
    with pytest.raises(httpx.ReadTimeout):
        client.post(f"schools/{school.id}/{SESSION}", json=body, timeout=0.3)
    assert [row["student_id"] for row in register(client, school)] == [student_id]


def test_a_new_mood_ends_a_slow_answer(client: httpx.Client, wonde: WondeStandIn):
    wonde.is_slow(600)
    statuses: list[int] = []
    asking = threading.Thread(target=lambda: statuses.append(client.get("schools").status_code))
    asking.start()
    assert wonde.hears(b"GET /v1.0/schools")
    wonde.accepts()
    asking.join(5)
    assert statuses == [200]


def test_unreachable_and_back_on_the_same_port(client: httpx.Client, wonde: WondeStandIn):
    assert client.get("schools").status_code == 200
    wonde.is_unreachable()
    with pytest.raises(httpx.TransportError):
        client.get("schools")
    with pytest.raises(httpx.ConnectError):
        client.get("schools")
    wonde.up()
    assert client.get("schools").status_code == 200


def test_a_bad_certificate_lets_no_request_through(client: httpx.Client, wonde: WondeStandIn):
    wonde.shows_certificate(CertificateKind.SELF_SIGNED)
    with pytest.raises(httpx.ConnectError):
        client.get("schools")
    assert wonde.received_bytes == b""


def test_one_connection_carries_many_requests(client: httpx.Client):
    ports = {
        client.get("schools").extensions["network_stream"].get_extra_info("client_addr") for _ in range(5)
    }
    assert len(ports) == 1


def test_everything_that_came_is_on_record(client: httpx.Client, school: School, wonde: WondeStandIn):
    write(client, school, mark(school, comment="planted words"))
    assert b"planted words" in wonde.received_bytes
    assert TOKEN.encode() in wonde.received_bytes
    assert "planted" not in repr(wonde.requests)


def test_it_says_that_it_is_not_the_vendor(client: httpx.Client, wonde: WondeStandIn, tmp_path: Path):
    assert "not Wonde" in client.get("schools").headers["X-Stand-In"]
    (path,) = wonde.dump(tmp_path / "dump")
    assert path.name == "hill-school.json"
    assert "stand-in" in json.loads(path.read_text())["note"]
