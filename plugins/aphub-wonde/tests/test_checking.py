import httpx
import pytest

from aphub_wonde import WondeRoute

ROUTE = WondeRoute(school_id="A1930499544")


def test_a_check_proves_each_step_and_sends_no_pupil(wonde, adapter):
    steps = list(adapter.check(ROUTE))
    assert len(steps) == 9
    assert all(step.ok and step.step and step.found and not step.mend for step in steps)
    assert wonde.posts == []
    assert not any("upns" in str(request.url) for request in wonde.requests)


@pytest.mark.parametrize(
    ("change", "mend"),
    [
        ({"school": {}}, "write-back"),
        ({"meta": {}}, "approve us"),
        ({"codes": []}, "attendance codes"),
    ],
)
def test_a_check_says_what_to_mend(wonde, adapter, change, mend):
    for key, value in change.items():
        setattr(wonde, key, value)
    failed = [step for step in adapter.check(ROUTE) if not step.ok]
    assert len(failed) == 1
    assert mend in failed[0].mend


def test_a_check_finds_numbers_that_are_not_shown(wonde, adapter):
    wonde.bend = lambda request: (
        httpx.Response(200, json={"data": [{"id": "S1"}]}) if "students" in request.url.path else None
    )
    assert [step.step for step in adapter.check(ROUTE) if not step.ok] == ["Pupils can be told apart by UPN"]


def test_a_check_finds_filters_that_are_not_heard(wonde, adapter):
    rows = [{"date": {"date": "2025-09-01 00:00:00.000000"}, "session": "AM", "student_id": "S1"}]
    wonde.bend = lambda request: (
        httpx.Response(200, json={"data": rows}) if "session" in request.url.path else None
    )
    assert [step.step for step in adapter.check(ROUTE) if not step.ok] == ["The register can be read by day"]


@pytest.mark.parametrize("status", [401, 404, 503])
def test_a_check_of_a_far_side_that_says_no_ends_in_words(wonde, adapter, status):
    wonde.bend = lambda _: httpx.Response(status)
    steps = list(adapter.check(ROUTE))
    assert not steps[-1].ok
    assert steps[-1].found
