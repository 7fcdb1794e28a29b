"""The worked example of SIMS 8, played against a stand-in made from its public pages; not the vendor's system."""

import json
from collections.abc import Iterator
from urllib.parse import unquote_plus

import httpx
import pytest
import respx
from pydantic import SecretStr

from aphub.api import Answer, RefusedDeliveryError, Rung
from aphub.testing import SAMPLE_DAY, invented_upn, register_delivery, sample_row, sample_tools
from aphub_rest import RestAdapter, RestConnection, RestRoute

UPN, DAY = invented_upn(1), SAMPLE_DAY.isoformat()


class Sims8:
    """Sessions with numbers of their own, and records that belong to them."""

    def __init__(self, router: respx.MockRouter) -> None:
        self.records: list[dict[str, dict[str, object]]] = []
        self.posts: list[dict[str, object]] = []
        self.sessions = {"s-am": "AM", "s-pm": "PM"}
        router.post("https://sts.sims.co.uk/connect/token").mock(side_effect=self._token)
        router.route(host="sims.example.org").mock(side_effect=self._answer)

    def _token(self, request: httpx.Request) -> httpx.Response:
        assert b"grant_type=client_credentials" in request.content
        return httpx.Response(200, json={"access_token": "t0ken", "expires_in": 3600})

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["Authorization"] == "Bearer t0ken"
        assert request.headers["Ocp-Apim-Subscription-Key"] == "subscribed"
        what, asked = request.url.path.rpartition("/")[2], unquote_plus(request.url.query.decode())
        if request.method == "POST":
            self.posts.append(json.loads(request.content))
            self.records.append(json.loads(request.content))
            return httpx.Response(201, json={})
        rows: list[dict[str, object]] = {
            "LearnerIdentifiers": [{"UniquePupilNumber": UPN, "ExternalID": "l-1"}],
            "AttendanceCodes": [{"Code": "B", "ExternalID": "c-b"}, {"Code": "N", "ExternalID": "c-n"}],
            "StatutoryAttendanceSessions": [
                {"ExternalID": number, "AttendableEventStart": f"{DAY}T09:00:00Z", "SessionName": name}
                for number, name in self.sessions.items()
            ],
            "AttendanceRecords": [one for one in self.records if str(one["Event"]["ExternalID"]) in asked],
        }[what]
        return httpx.Response(200, json={"value": rows})


@pytest.fixture
def sims8() -> Iterator[Sims8]:
    with respx.mock(assert_all_called=False) as router:
        yield Sims8(router)


@pytest.fixture
def adapter() -> Iterator[RestAdapter]:
    connection = RestConnection(
        base_url="https://sims.example.org/ssli01/",
        template="sims8-v3",
        user="hub",
        secret=SecretStr("s3cret"),
        second_secret=SecretStr("subscribed"),
    )
    made = RestAdapter(connection, sample_tools())
    yield made
    made.close()


def delivery(half="PM"):
    return register_delivery(RestRoute(school="hill"), sample_row(UPN, half))


def test_a_mark_goes_into_the_session_that_was_looked_up_and_is_read_back(sims8, adapter):
    result = adapter.deliver(delivery())
    assert sims8.posts == [
        {
            "Attendee": {"ExternalID": "l-1", "Type": "Learner.Identifier"},
            "Event": {"ExternalID": "s-pm", "Type": "Attendance.StatutoryAttendanceSession"},
            "AttendanceCode": {"ExternalID": "c-b", "Type": "Attendance.Lookup.AttendanceCode"},
            "Qualifier": {"Comment": sims8.posts[0]["Qualifier"]["Comment"]},
        }
    ]
    assert result.rung is Rung.HANDED_OVER
    done = adapter.follow_up(delivery(), result.reference)
    assert (done.rung, done.results[0].answer) == (Rung.ACCEPTED, Answer.TAKEN)
    assert adapter.deliver(delivery()).results[0].answer is Answer.ALREADY_THERE
    assert len(sims8.posts) == 1


def test_a_mark_of_the_schools_own_in_that_session_is_seen(sims8, adapter):
    sims8.records.append(
        {
            "Attendee": {"ExternalID": "l-1"},
            "Event": {"ExternalID": "s-pm"},
            "AttendanceCode": {"ExternalID": "c-n"},
            "Qualifier": {},
        }
    )
    assert adapter.deliver(delivery()).results[0].answer is Answer.DIFFERS
    assert sims8.posts == []


@pytest.mark.parametrize("sessions", [{"s-am": "AM"}, {"s-am": "AM", "s-pm": "PM", "s-pm2": "PM"}])
def test_a_session_that_is_not_there_or_there_twice_is_not_guessed(sims8, adapter, sessions):
    sims8.sessions = sessions
    with pytest.raises(RefusedDeliveryError, match="no single session"):
        adapter.deliver(delivery())
    assert sims8.posts == []
