"""Where the hub keeps what it knows: SQLite or PostgreSQL, one module an aggregate."""
