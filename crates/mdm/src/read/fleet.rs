//! The list of meters.

use crate::{Mdm, MdmError};
use store::{FleetFilter, FleetRow, FleetSort};

/// Which page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageOf {
    /// From 1.
    pub number: u32,
    /// Lines a page; everything on one page is `u32::MAX`.
    pub size: u32,
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetPage {
    /// Its lines.
    pub rows: Vec<FleetRow>,
    /// How many meters the filter leaves in all.
    pub total: u64,
}

impl Mdm {
    /// A page of the meters that a filter leaves.
    ///
    /// # Errors
    /// What the store says.
    pub fn fleet_page(
        &self,
        filter: &FleetFilter,
        sort: FleetSort,
        descending: bool,
        page: PageOf,
    ) -> Result<FleetPage, MdmError> {
        let offset = page.number.saturating_sub(1).saturating_mul(page.size);
        let (rows, total) = self.store().read(|r| r.fleet(filter, sort, descending, offset, page.size))?;
        Ok(FleetPage { rows, total })
    }
}
