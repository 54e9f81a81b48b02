-- Work that any process may take: a chore is done once, by whoever holds its lease.
CREATE TABLE job (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    due_ms INTEGER NOT NULL,
    owner TEXT,
    lease_until_ms INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    most_attempts INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    outcome TEXT NOT NULL DEFAULT '',
    UNIQUE (kind, key)
);
CREATE INDEX job_waiting ON job(due_ms, id) WHERE state = 'waiting';

-- What the head-end has learned and the meter data manager has not taken in yet, when they are separate processes.
CREATE TABLE inbox (
    id INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    item TEXT NOT NULL
);
