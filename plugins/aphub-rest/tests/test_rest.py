"""What is particular to templates: every part of the worked example, and templates that are wrong."""

import tomllib
from pathlib import Path

import httpx
import pytest
import respx
from pydantic import SecretStr, ValidationError

from aphub.api import Answer, RefusedDeliveryError, Rung
from aphub.testing import SAMPLE_DAY, invented_upn, sample_row, sample_tools
from aphub_rest import RestAdapter, RestConnection, RestRoute
from aphub_rest.settings import shipped, template_of
from aphub_rest.template import Template, filled

G, W, K = (invented_upn(number) for number in (1, 2, 3))
EXAMPLE = tomllib.loads(shipped()["example-mis"].read_text())


def by_report(result):
    return {one.report: one.answer for one in result.results}


def changed(**parts: object) -> Template:
    return Template.model_validate({**EXAMPLE, **parts})


def test_a_mark_goes_as_the_template_says_and_waits_for_its_job(played, make):
    played.far_side.waits = 2
    late = sample_row(W, code="L", outcome="late", minutes_late="12", reference="RB-7K2MXY4P-1")
    delivery = make(sample_row(G, reference="RB-7K2MXY4P-1"), late)
    result = played.adapter.deliver(delivery)
    codes = played.far_side.school.codes
    [body] = played.posts
    assert body == {
        "day": "03/03/2026",
        "half": "morning",
        "marks": [
            {"learner": {"id": "4403"}, "code": {"id": codes["B"]}, "note": "AP: B. Ref RB-7K2MXY4P-1"},
            {
                "learner": {"id": "4404"},
                "code": {"id": codes["L"]},
                "late": 12,
                "note": "AP: L, 12 min late. Ref RB-7K2MXY4P-1",
            },
        ],
    }
    assert (result.rung, result.reference) == (Rung.HANDED_OVER, "J1")
    said = [played.adapter.follow_up(delivery, result.reference) for _ in range(3)]
    assert said[:2] == [None, None]
    assert (said[2].rung, set(by_report(said[2]).values())) == (Rung.ACCEPTED, {Answer.TAKEN})


def test_each_half_day_is_a_request_with_a_number_of_its_own(played, make):
    rows = [sample_row(G), sample_row(G, "PM"), sample_row(W, date="2026-03-04")]
    delivery = make(*rows)
    result = played.adapter.deliver(delivery)
    assert [(body["day"], body["half"]) for body in played.posts] == [
        ("03/03/2026", "morning"),
        ("03/03/2026", "afternoon"),
        ("04/03/2026", "morning"),
    ]
    assert result.reference == "J1 J2 J3"
    assert set(by_report(played.adapter.follow_up(delivery, result.reference)).values()) == {Answer.TAKEN}


def test_a_yes_that_the_test_of_success_denies_is_a_no(played, make):
    delivery = make(sample_row(G))
    school = played.adapter._school(delivery)
    school._api = changed(write=EXAMPLE["write"] | {"item": EXAMPLE["write"]["item"] | {"colour": "blue"}})
    result = played.adapter.deliver(delivery)
    assert by_report(result) == {"R1": Answer.REFUSED}
    assert "not known here" in result.results[0].words


def test_a_school_that_shows_nothing_has_not_let_us_in(played, make):
    played.far_side.consents.clear()
    with pytest.raises(RefusedDeliveryError, match="shows us nothing"):
        played.adapter.deliver(make(sample_row(G)))
    assert played.posts == []
    assert [step.ok for step in played.adapter.check(RestRoute(school="hill"))] == [False]


def test_a_check_passes_step_by_step_and_sends_no_pupil(played):
    steps = list(played.adapter.check(RestRoute(school="hill")))
    assert all(step.ok for step in steps)
    assert b"upn=" not in played.far_side.received_bytes


def test_marks_on_every_page_are_seen_before_anything_is_written(played, make):
    for number in range(1, 6):
        played.far_side.state.mark_made_by_school(
            played.far_side.school, invented_upn(number), date=SAMPLE_DAY.isoformat(), session="AM", code="I"
        )
    assert by_report(played.adapter.deliver(make(sample_row(invented_upn(5))))) == {"R1": Answer.DIFFERS}
    assert played.posts == []


def test_a_token_serves_until_it_is_refused(played, make):
    played.adapter.deliver(make(sample_row(G)))
    played.far_side.token = "another-token"
    assert by_report(played.adapter.deliver(make(sample_row(W)))) == {"R1": Answer.PENDING}
    asked = [request for request in played.far_side.requests if request.path.endswith("/token")]
    assert len(asked) == 2


def test_what_they_allow_in_a_second_is_kept(stand_in, connect, make):
    waited: list[float] = []
    lent = sample_tools()
    tools = type(lent)(http=lent.http, now=lent.now, reach=lent.reach, wait=waited.append)
    with stand_in:
        connection = connect(stand_in.url)
        connection._template = changed(requests_per_second=1)  # slower than any machine that runs this
        adapter = RestAdapter(connection, tools)
        adapter.deliver(make(sample_row(G)))
        adapter.close()
    assert len(waited) >= 3
    assert all(0 < seconds <= len(waited) + 1 for seconds in waited)  # nobody slept, so they add up


@pytest.mark.parametrize(
    ("sign_in", "header", "said"),
    [
        ({"kind": "basic"}, "authorization", "Basic aHViOnMzY3JldA=="),
        ({"headers": {"Authorization": "Bearer {secret}"}}, "authorization", "Bearer s3cret"),
        ({"headers": {"Authorization": "Idaas {secret}"}}, "authorization", "Idaas s3cret"),
        (
            {"headers": {"ApplicationId": "{user}", "ApplicationSecret": "{secret}"}},
            "applicationsecret",
            "s3cret",
        ),
    ],
)
def test_every_way_to_sign_in_fills_its_header(tmp_path: Path, sign_in, header, said):
    path = tmp_path / "mine.toml"
    path.write_text(shipped()["example-mis"].read_text().replace('kind = "token"', 'kind = "headers"'))
    connection = RestConnection(
        base_url="https://mis.example.org/", template=str(path), user="hub", secret=SecretStr("s3cret")
    )
    connection._template = changed(sign_in=sign_in)
    adapter = RestAdapter(connection, sample_tools())
    with respx.mock() as router:
        asked = router.get(host="mis.example.org").mock(
            return_value=httpx.Response(200, json={"consents": []})
        )
        list(adapter.check(RestRoute(school="hill")))
    assert asked.calls.last.request.headers[header] == said
    adapter.close()
    assert "s3cret" not in repr(adapter.connection)


def test_places_keep_the_kind_of_what_fills_them_and_empty_ones_go():
    item = {
        "id": "{pupil_id:number}",
        "late": "{minutes_late}",
        "text": "{code} on {date}",
        "note": "{comment}",
    }
    given = {"pupil_id": "812", "minutes_late": None, "code": "B", "date": "3 March", "comment": ""}
    assert filled(item, given) == {"id": 812, "text": "B on 3 March"}


def test_a_place_in_a_path_cannot_lead_elsewhere(played):
    school = played.adapter.school(played.adapter._wire_now(), RestRoute(school="hill"))
    assert school._path("jobs/{reference}", {"reference": "../schools?x=1"}) == "jobs/..%2Fschools%3Fx%3D1"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"codes": None}, "Give either codes"),
        ({"code_table": {"B": "1"}}, "Give either codes"),
        ({"write": {"path": "x", "item": {"a": "{pupil_id}"}}}, "whose mark"),
        ({"write": {"path": "x", "item": {"a": "{pupil_id}", "b": "{target}", "c": "{nane}"}}}, "nane"),
        ({"write": {"path": "x", "item": {}, "colour": 1}}, "colour|Extra"),
        ({"sign_in": {"kind": "token"}}, "needs path and body"),
        ({"write": EXAMPLE["write"] | {"success": {"path": "ok"}}}, "needs path, and values"),
        ({"status": {"path": "x", "words": {"done": "perhaps"}}}, "confirmed"),
        ({"status": {"path": "x/{number}", "words": {"done": "confirmed"}}}, "places of status: number"),
        ({"pupils": EXAMPLE["pupils"] | {"query": {"upn": "{upm}"}}}, "places of pupils: upm"),
        ({"marks": EXAMPLE["marks"] | {"path": "schools/{scool}"}}, "places of marks: scool"),
        ({"sign_in": {"headers": {"Authorization": "Bearer {sekret}"}}}, "places of sign_in: sekret"),
        ({"write": EXAMPLE["write"] | {"path": "x/{reference}"}}, "places of write.path: reference"),
        ({"codes": None, "code_table": {"B": "1", "K": ""}}, "nothing stands for 'K'"),
        ({"codes": None, "code_table": {"B": "1", "K": "1"}}, "B, K stand for the same"),
        ({"sessions": {"AM": "am"}}, "AM and PM a word each"),
        ({"sessions": {"AM": "day", "PM": "Day"}}, "AM and PM a word each"),
        ({"write": EXAMPLE["write"] | {"group_by": "date"}}, "session} would stand for marks of other"),
        ({"write": EXAMPLE["write"] | {"path": "x/{session_id}"}}, "needs session_ids"),
        ({"date_format": "%d/%m"}, "does not tell day, month and year apart"),
    ],
)
def test_a_template_that_is_wrong_is_found_before_anything_is_sent(change, words):
    with pytest.raises(ValidationError, match=words):
        changed(**change)


def test_a_template_that_is_not_there_or_no_toml_is_named(tmp_path: Path):
    for name, text in (("gone.toml", None), ("bad.toml", "= 1"), ("half.toml", 'vendor = "Half"')):
        if text is not None:
            (tmp_path / name).write_text(text)
        with pytest.raises(ValidationError, match=name):
            RestConnection(
                base_url="https://a.example.org", template=str(tmp_path / name), secret=SecretStr("x")
            )
    with pytest.raises(ValidationError, match="Choose one of: example-mis, sims8-v3"):
        RestConnection(base_url="https://a.example.org", template="no-such", secret=SecretStr("x"))


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_shipped_template_is_of_the_shape(name):
    assert template_of(name).source


def test_the_readme_names_every_setting_every_ability_and_every_part(readme):
    for model in (RestConnection, RestRoute):
        assert all(f"`{name}`" in readme for name in model.model_fields)
    assert all(f"| {what} | {how} |" in readme for what, how in RestAdapter.capabilities.items())
    assert all(f"`{name}`" in readme for name in Template.model_fields)
