//! The meter data manager: ingest, validation, versions, and the one read model.
