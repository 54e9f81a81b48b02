-- Who sent a file, how much of it was there already, and how much its sender had estimated.
ALTER TABLE import_file ADD COLUMN duplicates INTEGER NOT NULL DEFAULT 0;
ALTER TABLE import_file ADD COLUMN substituted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE import_file ADD COLUMN sent_by INTEGER;
