"""Events as rows: append-only logs on SQLite and PostgreSQL, and the keys of personal data."""
