//! Customer portal, operator console and JSON API.
