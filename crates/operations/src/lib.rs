//! Accounts, the life of a command, and collection duty between head-end, MDM and store.
