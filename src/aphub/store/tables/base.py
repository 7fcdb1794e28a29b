"""The metadata of all tables, and the columns that most of them begin with."""

from sqlalchemy import BigInteger, Column, MetaData, String

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    },
)


def key_column(name: str) -> Column[int]:
    """Make a BIGINT key that the hub gives out itself."""
    return Column(name, BigInteger, primary_key=True, autoincrement=False)


def provider_column() -> Column[int]:
    """Make the column that comes first in every key."""
    return Column("provider_id", BigInteger, primary_key=True, autoincrement=False)


def reference_column() -> Column[str]:
    """Make the column of a public reference."""
    return Column("ref", String(12), nullable=False)
