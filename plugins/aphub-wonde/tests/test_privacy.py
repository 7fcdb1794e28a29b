import logging
import re
import traceback

import httpx
import pytest

from aphub.api import DeliveryError

G = "G999400125001"
SECRETS = re.compile("G999400125001|t0ken-of-an-invented-partner|Zebedee")
BANNED = re.compile(r"\b(please|sorry|invalid|valid|forbidden|oops|error)\b", re.IGNORECASE)
MOODS = {
    "busy": lambda _: httpx.Response(503),
    "broken": lambda _: httpx.Response(500, text="Zebedee G999400125001"),
    "refusing": lambda _: httpx.Response(403, text="Zebedee G999400125001"),
    "unprocessable": lambda r: httpx.Response(422, text="Zebedee") if r.method == "POST" else None,
    "no json": lambda r: httpx.Response(200, text="Zebedee") if r.method == "POST" else None,
    "redirecting": lambda _: httpx.Response(302, headers={"Location": "https://evil.example.org/Zebedee"}),
    "students refused": lambda r: httpx.Response(404) if "students" in r.url.path else None,
    "marks without names": lambda r: (
        httpx.Response(200, json={"data": [{"comment": "Zebedee"}]})
        if r.method == "GET" and "session" in r.url.path
        else None
    ),
}


def losing(request):
    if "students" in request.url.path or request.method == "POST":
        raise httpx.ReadTimeout(f"timed out at {request.url}", request=request)


MOODS["losing answers"] = losing


@pytest.mark.parametrize("mood", sorted(MOODS))
def test_no_pupil_and_no_secret_is_in_an_error_a_log_line_or_a_repr(
    wonde, adapter, make, a_row, caplog, mood
):
    caplog.set_level(logging.DEBUG)
    wonde.bend = MOODS[mood]
    delivery = make(a_row(G))
    seen = [repr(adapter), repr(adapter.connection), repr(delivery), str(adapter.connection)]
    for act in (adapter.deliver, adapter.look_up, lambda one: adapter.follow_up(one, "W1")):
        try:
            seen.append(repr(act(delivery)))
        except DeliveryError as exc:
            seen += [repr(exc), exc.words, exc.code, exc.what_now, "".join(traceback.format_exception(exc))]
    seen += [record.getMessage() for record in caplog.records]
    assert caplog.records
    for text in seen:
        assert not SECRETS.search(text)


def test_pupils_stand_in_the_address_that_the_contract_asks_for_and_in_no_other(wonde, adapter, make, a_row):
    adapter.deliver(make(a_row(G)))
    with_upn = [r.url for r in wonde.requests if G in str(r.url)]
    assert [url.path for url in with_upn] == ["/v1.0/schools/A1930499544/students"]
    assert dict(with_upn[0].params)["only_upns"] == G


def test_the_token_is_in_the_header_only(wonde, adapter, make, a_row):
    adapter.deliver(make(a_row(G)))
    for request in wonde.requests:
        assert "t0ken" not in str(request.url)
        assert b"t0ken" not in request.content


def test_no_name_leaves(wonde, adapter, make, a_row):
    adapter.deliver(
        make(
            a_row(G, place="Zebedee Hall", supervised_by="Mr Zebedee", actions="09:20 phoned home", code="B")
        )
    )
    assert all(b"Zebedee" not in r.content and b"phoned" not in r.content for r in wonde.requests)


@pytest.mark.parametrize("mood", sorted(MOODS))
def test_what_people_read_is_short_and_plain(wonde, adapter, make, a_row, mood):
    wonde.bend = MOODS[mood]
    said = dict(adapter.deliver_many([make(a_row(G))]))["k1"]
    if isinstance(said, DeliveryError):
        assert len(f"{said.words} {said.what_now}".split()) <= 40
        assert not BANNED.search(f"{said.words} {said.what_now}")
