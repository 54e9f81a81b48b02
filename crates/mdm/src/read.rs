//! The one read model: a module a question, plain structs, every value with its quality.

mod fleet;
mod meter;
mod overview;
mod profile;
mod usage;

pub use fleet::{FleetPage, PageOf};
pub use meter::MeterView;
pub use overview::{CollectorView, EventView, Overview, ReadSuccess, SILENT_AFTER};
pub use profile::{Profile, Series};
pub use usage::{MonthDay, UsageDay, UsageMonth};

pub use store::{
    CommandRecord, FleetFilter, FleetRow, FleetSort, Hop, StoredEvent, StoredFinding, WeatherHour,
};
