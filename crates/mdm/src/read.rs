//! The one read model: a module a question, plain structs, every value with its quality.

mod bench;
mod completeness;
mod exceptions;
mod fleet;
mod meter;
mod overview;
mod profile;
mod usage;
mod versions;

pub use bench::{BenchDay, Bracket, OtherDay, RawSlot};
pub use completeness::{Completeness, CompletenessCell, CompletenessRow, MOST_DAYS, MeterDay};
pub use exceptions::Queue;
pub(crate) use exceptions::exceptions_of;
pub use fleet::{FleetPage, PageOf};
pub use meter::MeterView;
pub use overview::{CollectorView, EventView, Overview, ReadSuccess, SILENT_AFTER};
pub use profile::{Profile, Series};
pub use usage::{MonthDay, UsageDay, UsageMonth};
pub(crate) use versions::as_of;
pub use versions::{AsOf, SlotChange, VersionView};

pub use store::{
    CaseState, CommandRecord, EditEntry, Exception, ExceptionFilter, ExceptionGroup, ExceptionSort,
    FleetFilter, FleetRow, FleetSort, Hop, StoredEvent, StoredFinding, VersionSource, WeatherHour,
};
