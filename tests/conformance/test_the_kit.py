"""The kit is tested too: it passes a good adapter, and each hostile one fails exactly its one rule."""

from pathlib import Path

import pytest

from aphub.conformance import DeliveryAdapterRules, HttpFarSide
from aphub.plugins import load

# Imported and loaded here, once, since each inner run forgets what it imported itself.
assert HttpFarSide is not None
load()

pytest_plugins = "pytester"

BREAKS = {
    "EatsSpaces": "sends_the_frozen_documents_byte_for_byte",
    "ClaimsTooMuch": "says_taken_only_when_the_far_side_has_it",
    "AnswersHalf": "answers_for_every_report_exactly_once",
    "AnswersABurstTwice": "answers_for_every_report_exactly_once",
    "SendsYesterdaysToo": "carries_nothing_from_one_delivery_to_the_next",
    "RepeatsUnderAnotherKey": "a_second_identical_delivery_does_what_was_declared",
    "TriesAgain": "tries_once_and_leaves_retrying_to_the_hub",
    "CallsRefusalTransient": "says_refused_when_refused",
    "ForgetsTheWait": "says_transient_when_nothing_was_sent",
    "GuessesThatNothingArrived": "says_uncertain_when_it_may_have_arrived",
    "WaitsForEver": "ends_within_its_time_limit",
    "ClosesOnceQuietly": "closes_twice_without_complaint",
    "LooksUpAndFindsAll": "looks_up_what_became_of_a_delivery",
    "FollowsUpByHalf": "follows_up_without_beginning_anything",
    "LogsTheRows": "keeps_names_and_secrets_out_of_logs_errors_and_reprs",
    "PutsTheTokenIntoErrors": "keeps_names_and_secrets_out_of_logs_errors_and_reprs",
    "ComposesByTheClock": "composes_the_same_bytes_twice_and_names_no_pupil_outside",
    "NamesThePupil": "composes_the_same_bytes_twice_and_names_no_pupil_outside",
    "HidesATest": "marks_a_test_message_as_a_test",
    "PhonesHome": "touches_no_network_but_the_far_side",
    "ChecksWithARealPost": "checks_the_way_without_leaving_a_trace",
    "FailsWithoutAMend": "names_a_mend_for_each_step_that_fails",
    "TakesAnySetting": "refuses_unknown_settings_and_describes_each_one",
    "GoesByAnotherName": "is_found_by_its_entry_point_under_its_own_name",
}

BREAKS_LATER = {
    "ReadsEverythingAnew": "hears_what_came_since_the_mark_and_names_each_thing_for_good",
    "NamesItAnew": "hears_what_came_since_the_mark_and_names_each_thing_for_good",
    "TidiesUp": "changes_nothing_where_answers_arrive",
    "HearsWhatWasNotSaid": "leaves_alone_what_is_about_nothing_of_ours",
    "TakesSilenceForNothing": "says_that_it_cannot_listen",
    "LogsTheAnswer": "keeps_what_was_said_out_of_logs_and_reprs",
    "HearsAnybody": "hears_only_calls_that_are_theirs",
}
"""Adapters that are told things later: theirs is a module of its own."""

AUTHORS_TEST = """
import pytest

pytest_plugins = "pytester"
import {module} as webhook
from aphub.conformance import DeliveryAdapterRules, HttpFarSide
from aphub.plugins import load
from aphub.testing import PLANTED_SECRET


class TestWebhook(DeliveryAdapterRules):
    adapter_class = webhook.{adapter}
    time_limit = 0.5

    @pytest.fixture
    def far_side(self, respx_mock):
        return HttpFarSide(respx_mock, "https://school.example.org")

    @pytest.fixture
    def connection(self):
        values = dict(url="https://school.example.org", token=PLANTED_SECRET)
        return self.adapter_class.connection_class(**values)

    @pytest.fixture
    def route(self):
        return webhook.WebhookRoute()

    @pytest.fixture
    def later(self, respx_mock):
        return webhook.Box(respx_mock)

    @pytest.fixture
    def calls(self):
        return webhook.some_calls()

    @pytest.fixture
    def plugins(self):
        return load([("hostile", webhook.Plugin(webhook.{registered}))])
"""


def quality(rules: set[str], **instead: str) -> str:
    stated = dict.fromkeys(rules, '"done"') | instead
    return "\n".join(["[rules]", *(f"{rule} = {word}" for rule, word in sorted(stated.items()))])


def all_rules() -> set[str]:
    return {
        name.removeprefix("test_")
        for name in dir(DeliveryAdapterRules)
        if hasattr(getattr(DeliveryAdapterRules, name), "conformance_rule")
    }


def run(
    pytester: pytest.Pytester, adapter: str, stated: str, registered: str = "", only: str = ""
) -> pytest.RunResult:
    module = "listening" if adapter in {"ListeningAdapter", *BREAKS_LATER} else "webhook"
    source = (Path(__file__).parent / f"{module}.py").read_text(encoding="utf-8")
    pytester.makepyfile(**{module: source})
    written = AUTHORS_TEST.format(adapter=adapter, registered=registered or adapter, module=module)
    pytester.makepyfile(test_adapter=written)
    (pytester.path / "quality.toml").write_text(stated, encoding="utf-8")
    chosen = ("-k", only) if only else ()
    options = ("-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-W", "error", *chosen)
    return pytester.runpytest_inprocess(*options)


def failures(result: pytest.RunResult) -> list[str]:
    return sorted(
        line.partition("::test_")[2].split(" ")[0]
        for line in result.outlines
        if line.startswith(("FAILED", "ERROR"))
    )


@pytest.fixture(autouse=True)
def _own_modules(pytester: pytest.Pytester) -> None:
    pytester.syspathinsert()


def test_a_good_adapter_keeps_every_rule_and_its_level_is_reported(pytester: pytest.Pytester) -> None:
    result = run(pytester, "WebhookAdapter", quality(all_rules()))
    assert failures(result) == []
    assert result.ret == 0
    result.stdout.fnmatch_lines(["webhook (TestWebhook): bronze, 20 rules kept, 0 broken, 0 exempt"])


@pytest.mark.parametrize("hostile", BREAKS)
def test_a_hostile_adapter_breaks_exactly_one_rule(pytester: pytest.Pytester, hostile: str) -> None:
    registered = "WebhookAdapter" if hostile == "GoesByAnotherName" else ""
    result = run(pytester, hostile, quality(all_rules()), registered)
    assert failures(result) == [BREAKS[hostile]]


def test_a_good_adapter_that_is_told_things_later_keeps_every_rule(pytester: pytest.Pytester) -> None:
    result = run(pytester, "ListeningAdapter", quality(all_rules()))
    assert failures(result) == []
    result.stdout.fnmatch_lines(["webhook (TestWebhook): bronze, 26 rules kept, 0 broken, 0 exempt"])


@pytest.mark.parametrize("hostile", BREAKS_LATER)
def test_an_adapter_that_listens_badly_breaks_exactly_one_rule(
    pytester: pytest.Pytester, hostile: str
) -> None:
    # They do nothing else otherwise than the good one, so the other rules need not be asked again.
    result = run(pytester, hostile, quality(all_rules()), only=" or ".join(BREAKS_LATER.values()))
    assert failures(result) == [BREAKS_LATER[hostile]]
    result.stdout.fnmatch_lines(["*5 rules kept, 1 broken*"])


def test_every_rule_is_broken_by_somebody() -> None:
    of_registers = {rule for rule in all_rules() if "writes_only" in rule or "sends_the_rows" in rule}
    of_the_file = {"says_of_every_rule_whether_it_is_done"}
    assert all_rules() - of_registers - of_the_file == {*BREAKS.values(), *BREAKS_LATER.values()}


def test_an_exemption_with_a_reason_takes_the_rule_away_and_is_reported(pytester: pytest.Pytester) -> None:
    rule = BREAKS["TriesAgain"]
    why = '{ exempt = "their library repeats by itself and cannot be told not to" }'
    result = run(pytester, "TriesAgain", quality(all_rules(), **{rule: why}))
    assert failures(result) == []
    result.stdout.fnmatch_lines(["*1 exempt", "*exempt: tries once*(their library repeats*"])


@pytest.mark.parametrize(
    "instead",
    ['{ exempt = "" }', '{ exempt = "later" }', '"soon"', '{ reason = "because it is hard to do" }'],
)
def test_an_exemption_without_a_reason_breaks_the_rule_about_the_file(
    pytester: pytest.Pytester, instead: str
) -> None:
    stated = quality(all_rules(), says_uncertain_when_it_may_have_arrived=instead)
    assert "says_of_every_rule_whether_it_is_done" in failures(run(pytester, "WebhookAdapter", stated))


def test_a_rule_that_is_not_mentioned_or_not_known_breaks_the_rule_about_the_file(
    pytester: pytest.Pytester,
) -> None:
    stated = quality(all_rules() - {"says_refused_when_refused"} | {"makes_tea"})
    result = run(pytester, "WebhookAdapter", stated)
    assert failures(result) == ["says_of_every_rule_whether_it_is_done"]
    result.stdout.fnmatch_lines(["*says_refused_when_refused is not mentioned*", "*no rule makes_tea*"])
