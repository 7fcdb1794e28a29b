"""The store: one writer, readers that cannot write, keys given out once, instants that mean the same on both."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, insert, inspect, select, text
from sqlalchemy.exc import DatabaseError, StatementError

from aphub.store.engine import allocate, insert_ignoring, open_store, recall, remember
from aphub.store.schema import SchemaError, known_revisions
from aphub.store.tables import facts, metadata, providers
from aphub.testing import PLANTED_SECRET


def test_migrations_equal_the_tables(store):
    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_every_table_has_provider_first_in_its_keys(store):
    alone = {"facts", "counters", "alembic_version"}
    with store.reading() as connection:
        looked = inspect(connection)
        for name in set(looked.get_table_names()) - alone:
            assert looked.get_pk_constraint(name)["constrained_columns"][0] == "provider_id", name
            for unique in looked.get_unique_constraints(name):
                if name != "providers":
                    assert unique["column_names"][0] == "provider_id", (name, unique)


def test_transaction_that_fails_leaves_nothing(store):
    def failing() -> None:
        with store.transaction() as connection:
            remember(connection, "colour", "blue")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    with store.reading() as connection:
        assert recall(connection, "colour") is None


def test_reader_cannot_write(store):
    with pytest.raises(DatabaseError), store.reading() as connection:
        connection.execute(insert(facts), {"name": "colour", "value": "blue"})


def test_error_of_the_database_shows_no_value(store):
    with pytest.raises(DatabaseError) as refused, store.reading() as connection:
        connection.execute(insert(facts), {"name": "colour", "value": PLANTED_SECRET})
    assert PLANTED_SECRET not in str(refused.value)


def test_reader_has_one_view_while_others_write(store):
    with store.transaction() as connection:
        remember(connection, "colour", "blue")
    with store.reading() as reader:
        assert recall(reader, "colour") == "blue"
        with store.transaction() as writer:
            remember(writer, "colour", "red")
        assert recall(reader, "colour") == "blue"


def test_remembering_again_replaces(store):
    with store.transaction() as connection:
        remember(connection, "colour", "blue")
        remember(connection, "colour", "red")
        assert recall(connection, "colour") == "red"


def test_keys_are_given_out_once_whoever_asks(store):
    given_out: list[int] = []

    def take() -> None:
        for _ in range(10):
            with store.transaction() as connection:
                given_out.extend(allocate(connection, "things", 3))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(given_out)) == len(given_out) == 120
    assert min(given_out) >= 1


def test_kinds_of_keys_are_counted_apart(store):
    with store.transaction() as connection:
        assert allocate(connection, "one", 2) == range(1, 3)
        assert allocate(connection, "other") == range(1, 2)
        assert allocate(connection, "one") == range(3, 4)


def test_row_that_is_there_already_is_left_as_it_is(store):
    with store.transaction() as connection:
        for value in ("blue", "red"):
            connection.execute(insert_ignoring(connection, facts), {"name": "colour", "value": value})
        assert recall(connection, "colour") == "blue"


def write(connection, since, slug="riverbank", number=1):
    connection.execute(insert(providers), {"provider_id": number, "slug": slug, "since": since})


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    instant=st.datetimes(
        datetime(1970, 1, 1),  # noqa: DTZ001 - the zone stands beside it
        datetime(2200, 1, 1),  # noqa: DTZ001 - likewise
        timezones=st.just(UTC),
    )
)
def test_instants_come_back_to_the_microsecond(store, instant):
    with store.transaction() as connection:
        connection.execute(providers.delete())
        write(connection, instant)
        assert connection.execute(select(providers.c.since)).scalar_one() == instant


def test_instant_of_another_zone_comes_back_in_utc(store):
    there = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=1)))
    with store.transaction() as connection:
        write(connection, there)
        back = connection.execute(select(providers.c.since)).scalar_one()
    assert (back, back.tzinfo) == (there, UTC)


def test_naive_instant_is_refused(store):
    with pytest.raises(StatementError, match="without a time zone"), store.transaction() as connection:
        write(connection, datetime(2026, 3, 3))  # noqa: DTZ001 - the point of the test


def test_instants_sort_the_same_on_both(store):
    with store.transaction() as connection:
        for number, hour in enumerate((9, 7, 8), start=1):
            write(connection, datetime(2026, 3, 3, hour, tzinfo=UTC), f"p{number}", number)
        chosen = select(providers.c.provider_id).order_by(providers.c.since)
        assert list(connection.execute(chosen).scalars()) == [2, 3, 1]


def test_empty_database_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(SchemaError, match="aphub init"):
        open_store(f"sqlite:///{tmp_path / 'nothing.db'}")


@pytest.mark.parametrize("create", [False, True])
def test_schema_from_the_future_is_refused(store_url, create):
    engine = create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999_the_future'"))
    engine.dispose()
    with pytest.raises(SchemaError, match="newer aphub"):
        open_store(store_url, create=create)


def test_creating_again_changes_nothing(store_url):
    store = open_store(store_url, create=True)
    store.close()
    assert known_revisions()


def test_sqlite_writes_are_durable_and_deleted_rows_are_overwritten(sqlite_url):
    store = open_store(sqlite_url)
    try:
        with store.transaction() as connection:
            pragmas = {
                name: connection.execute(text(f"PRAGMA {name}")).scalar()
                for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
            }
    finally:
        store.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1}


def test_postgresql_commits_wait_for_the_disk(postgres_url):
    store = open_store(postgres_url)
    try:
        with store.transaction() as connection:
            assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
    finally:
        store.close()


def test_postgresql_plans_with_the_values_at_hand(postgres_url):
    store = open_store(postgres_url)
    for connected in (store.transaction, store.reading):
        with connected() as connection:
            assert connection.execute(text("SHOW plan_cache_mode")).scalar_one() == "force_custom_plan"
    store.close()
