"""Many rows at once: the same values arrive as by SQLAlchemy's own way, on each kind of database."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import insert, select

from aphub.store.bulk import add_many, change_many
from aphub.store.tables import owed_reports, threads, verifying_keys

AT = datetime(2026, 3, 29, 0, 59, 59, 999_999, tzinfo=UTC)


def thread(number: int) -> dict[str, object]:
    return {
        "provider_id": 1,
        "thread_id": number,
        "ref": f"T{number}",
        "organisation": "hill-school",
        "agreement": "daily",
        "period": date(2026, 3, number).isoformat(),
        "last_number": 0,
    }


def test_rows_added_in_bulk_are_those_that_were_given(store):
    rows = [thread(number) for number in range(1, 4)]
    with store.transaction() as connection:
        add_many(connection, threads, rows)
        found = connection.execute(select(threads).order_by(threads.c.thread_id)).mappings().all()
    assert [dict(row) for row in found] == rows


def test_instants_are_converted_as_their_column_says(store):
    key = {"provider_id": 1, "vkey": "a+b", "since": AT}
    with store.transaction() as connection:
        add_many(connection, verifying_keys, [key])
        connection.execute(insert(verifying_keys), {**key, "vkey": "c+d"})
        assert set(connection.execute(select(verifying_keys.c.since)).scalars()) == {AT}


def test_a_naive_instant_is_refused(store):
    key = {"provider_id": 1, "vkey": "a+b", "since": AT.replace(tzinfo=None)}
    with pytest.raises(ValueError, match="without a time zone"), store.transaction() as connection:
        add_many(connection, verifying_keys, [key])


def test_a_change_touches_the_named_rows_and_columns_of_one_provider_only(store):
    with store.transaction() as connection:
        add_many(connection, threads, [thread(number) for number in range(1, 4)])
        changes = [{"key": number, "last_number": number * 10} for number in (1, 3)]
        change_many(connection, threads, 1, {"thread_id": "key"}, changes)
        change_many(connection, threads, 2, {"thread_id": "key"}, [{"key": 2, "last_number": 99}])
        found = connection.execute(select(threads.c.thread_id, threads.c.last_number)).all()
    assert {row.thread_id: row.last_number for row in found} == {1: 10, 2: 0, 3: 30}


def test_nothing_is_done_for_no_rows(store):
    with store.transaction() as connection:
        add_many(connection, threads, [])
        change_many(connection, threads, 1, {"thread_id": "key"}, [])
        assert connection.execute(select(threads)).all() == []


def test_a_row_with_something_that_is_no_column_is_refused(store):
    with pytest.raises(KeyError, match="no column for mood"), store.transaction() as connection:
        add_many(connection, threads, [{**thread(1), "mood": "sunny"}])


def test_a_row_that_lacks_a_column_is_refused(store):
    with pytest.raises(KeyError), store.transaction() as connection:
        add_many(connection, threads, [thread(1), {"thread_id": 2}])


def test_numbers_words_days_instants_and_nothing_at_all_go_in_at_once(store):
    row = {
        "provider_id": 1,
        "owed_id": 2**40,
        "ref": "A\tB\\N\n\u00e9",
        **dict.fromkeys(["thread_id", "recipient_id", "placement_id", "pupil_id"], 7),
        "period": "2026-03-29",
        "first_day": AT.date(),
        "until_day": date(2026, 3, 30),
        "half": "",
        **dict.fromkeys(["entry_due", "send_at", "due_by", "useful_until"], AT),
        "state": "owed",
        "because": None,
        "version": 0,
        "look_at": None,
        "handed_over_at": AT,
        "missed_told_at": None,
        "summary": None,
    }
    rows = [
        {**row, "owed_id": number, "ref": f"{row['ref']}{number}", "recipient_id": number}
        for number in range(700)
    ]
    with store.transaction() as connection:
        add_many(connection, owed_reports, rows)
        found = connection.execute(select(owed_reports).order_by(owed_reports.c.owed_id)).mappings().all()
    assert [dict(one) for one in found] == rows


def test_rows_that_are_refused_leave_nothing_of_their_batch(store):
    with store.transaction() as connection:
        add_many(connection, threads, [thread(1)])
    with pytest.raises(Exception, match=r"(?i)unique"), store.transaction() as connection:
        add_many(connection, threads, [thread(2), thread(1)])
    with store.reading() as connection:
        assert connection.execute(select(threads.c.ref)).scalars().all() == ["T1"]


def test_of_two_changes_of_one_row_the_later_holds_whether_rows_are_changed_alike_or_not(store):
    with store.transaction() as connection:
        add_many(connection, threads, [thread(number) for number in range(1, 10)])
        alike = [{"key": number, "last_number": 7} for number in range(1, 10)]
        change_many(connection, threads, 1, {"thread_id": "key"}, [{"key": 2, "last_number": 3}, *alike])
        change_many(connection, threads, 2, {"thread_id": "key"}, alike)
        change_many(
            connection, threads, 1, {"thread_id": "key"}, [{"key": 4, "last_number": one} for one in (5, 6)]
        )
        found = connection.execute(select(threads.c.thread_id, threads.c.last_number)).all()
    assert {row.thread_id: row.last_number for row in found} == {**dict.fromkeys(range(1, 10), 7), 4: 6}
