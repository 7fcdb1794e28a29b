"""A ledger says when and which, and has no room for who and what."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from aphub.domain.ledger.canonical import canonical, commitment, digest, opens, read_canonical
from aphub.domain.ledger.errors import StatementError
from aphub.domain.ledger.fields import OUTCOME_WORDS, instant_text
from aphub.domain.ledger.statements import KINDS, Kind, check_statement, leaf_bytes, read_statement

HEX = "0f" * 32
MADE: dict[str, Any] = {
    "intake": "7K3M9QXA", "source": "inbox", "content": HEX, "rows": 30, "number": 4, "dispatch": "7K3M9QXA-1",
    "reports": [HEX, "1e" * 32], "organisation": "hill-school", "channel": "office-mail", "due": "2026-03-03T09:45:00Z",
    "attempt": 1, "evidence": HEX, "cause": "mailbox-full", "owed": "7K3M9QXB", "destination": HEX, "before": HEX,
    "by": HEX, "decision": "7K3M9QXC", "cancellation": "7K3M9QXD", "lessons": 3, "epoch": 2, "size": 40, "root": HEX, "as": "handed_over",
    "case": "7K3M9QXE", "step": "7K3M9QXF", "call": "7K3M9QXG", "about": "RB-7K3M9QXA-1",
    "hold": "7K3M9QXH", "erasure": "7K3M9QXJ", "left": 2, "note": "7K3M9QXK", "disclosure": "7K3M9QXM", "keys": 5,
    "class": "entry", "until": "2020-09-01T00:00:00Z", "records": 7, "things": 4, "aware": "2026-03-03T09:45:00Z",
    "report_by": "2026-03-06T09:45:00Z", "change": "7K3M9QXN", "taken": "2026-03-01T09:45:00Z", "reason": HEX,
}  # fmt: skip
OF_ONE_KIND: dict[str, dict[str, Any]] = {"disclosure.decided": {"as": "not_reported"}}
json_values = st.recursive(
    st.text() | st.integers(-(2**53) + 1, 2**53 - 1),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abcXYZ_09 ~!", max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


def made(kind: Kind) -> dict[str, Any]:
    fields = {name: MADE[name] for name in kind.required} | OF_ONE_KIND.get(kind.type, {})
    return {"type": kind.type, "version": kind.version, "at": "2026-03-03T09:43:00Z", **fields}


@given(json_values)
def test_canonical_json_is_that_of_the_reference_package(value: object) -> None:
    try:
        expected = rfc8785.dumps(value)  # type: ignore[arg-type]
    except (rfc8785.CanonicalizationError, UnicodeError):
        with pytest.raises(StatementError):
            canonical(value)
        return
    assert canonical(value) == expected
    assert read_canonical(expected) == json.loads(expected)


@given(
    st.dictionaries(st.text("abc", max_size=3), st.integers(0, 9), max_size=6),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_keys_does_not_matter(value: dict[str, int], random: Any) -> None:
    shuffled = list(value.items())
    random.shuffle(shuffled)
    assert canonical(dict(shuffled)) == canonical(value)


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        None,
        True,
        [False],
        2**53,
        -(2**53),
        {"é": 1},
        {1: 2},
        b"x",
        {"a": {"b": 0.5}},
        "\ud800",
        {1},
    ],
)
def test_what_programs_disagree_about_is_refused(value: object) -> None:
    with pytest.raises(StatementError):
        canonical(value)


def test_endless_nesting_is_refused() -> None:
    value: list[object] = []
    for _ in range(5000):
        value = [value]
    with pytest.raises(StatementError):
        canonical(value)
    with pytest.raises(StatementError):
        read_canonical(b"[" * 100_000)


@pytest.mark.parametrize(
    "content",
    [
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'"\\u0061"',
        b"\xff",
        b"",
        b"NaN",
        b"[1]\n",
    ],
)
def test_another_way_of_writing_the_same_is_refused(content: bytes) -> None:
    with pytest.raises(StatementError):
        read_canonical(content)


@given(salt=st.binary(min_size=16, max_size=16), content=st.binary(max_size=50), other=st.binary(max_size=50))
def test_a_commitment_opens_with_its_salt_and_content_only(salt: bytes, content: bytes, other: bytes) -> None:
    committed = commitment(salt, digest(content))
    assert opens(committed, salt, content)
    assert opens(committed, salt, other) == (content == other)
    assert not opens(committed, bytes([salt[0] ^ 1]) + salt[1:], content)
    assert not opens(committed, salt + b"\0", content)


@pytest.mark.parametrize(
    ("salt", "content"), [(b"", bytes(32)), (b"short", bytes(32)), (bytes(16), b"report")]
)
def test_a_commitment_without_enough_salt_is_refused(salt: bytes, content: bytes) -> None:
    with pytest.raises(StatementError):
        commitment(salt, content)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.type)
def test_each_kind_is_written_and_read_back(kind: Kind) -> None:
    statement = made(kind)
    assert read_statement(leaf_bytes(statement)) == statement
    with_all = {
        **statement,
        **{name: MADE.get(name, 3) for name in kind.may if name not in {"documents", "replaces"}},
    }
    assert check_statement(with_all) is kind


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.type)
def test_each_kind_refuses_what_is_missing_or_unknown(kind: Kind) -> None:
    for name in made(kind):
        statement = made(kind)
        del statement[name]
        with pytest.raises(StatementError):
            leaf_bytes(statement)
    for more in (
        {"pupil": "7K3M9QXA"},
        {"version": 2},
        {"version": 1.0},
        {"version": True},
        {"type": "report.read"},
    ):
        with pytest.raises(StatementError) as refused:
            leaf_bytes({**made(kind), **more})
        assert "7K3M9QXA" not in str(refused.value)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.type)
@pytest.mark.parametrize(
    "value", ["Robin Example", "Zoë", "absent: ill", "", 1.5, None, True, -1, [], ["Robin"], {}]
)
def test_no_field_takes_names_sentences_or_fractions(kind: Kind, value: object) -> None:
    for name in (*kind.required, *kind.may, "at"):
        with pytest.raises(StatementError) as refused:
            leaf_bytes({**made(kind), name: value})
        assert "Robin" not in str(refused.value)


@pytest.mark.parametrize("word", sorted(OUTCOME_WORDS))
def test_no_slug_tells_what_happened_to_a_child(word: str) -> None:
    for written in (word, word.replace("_", "-")):
        with pytest.raises(StatementError):
            leaf_bytes({**made(KINDS["dispatch.refused", 1]), "cause": written})


@pytest.mark.parametrize(
    "at",
    [
        "2026-03-03T09:43:00",
        "2026-03-03T09:43:00+00:00",
        "2026-03-03 09:43:00Z",
        "2026-02-30T09:43:00Z",
        "09:43",
    ],
)
def test_an_instant_is_written_in_one_way_only(at: str) -> None:
    with pytest.raises(StatementError):
        leaf_bytes({**made(KINDS["report.missed", 1]), "at": at})


@given(st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds are naive
def test_any_instant_can_be_stated(moment: datetime) -> None:
    assert leaf_bytes({**made(KINDS["report.missed", 1]), "at": instant_text(moment)})
    assert instant_text(moment.astimezone(timezone(timedelta(hours=1)))) == instant_text(moment)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(StatementError):
        instant_text(datetime(2026, 3, 3, 9, 43))  # noqa: DTZ001 - that is what is refused


def test_a_commitment_stands_in_a_list_once() -> None:
    with pytest.raises(StatementError):
        leaf_bytes({**made(KINDS["report.prepared", 1]), "reports": [HEX, HEX]})
