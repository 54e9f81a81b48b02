-- Files of readings that were taken in, and the lines of them that were not.
CREATE TABLE import_file (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    format TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    loaded_ms INTEGER NOT NULL,
    offered INTEGER NOT NULL,
    stored INTEGER NOT NULL,
    registers INTEGER NOT NULL,
    refused INTEGER NOT NULL
);
CREATE TABLE import_refusal (
    file INTEGER NOT NULL REFERENCES import_file(id),
    seq INTEGER NOT NULL,
    line INTEGER NOT NULL,
    reason TEXT NOT NULL,
    sentence TEXT NOT NULL,
    remedy TEXT NOT NULL,
    excerpt TEXT NOT NULL,
    PRIMARY KEY (file, seq)
);
