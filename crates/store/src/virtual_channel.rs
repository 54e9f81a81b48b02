//! Series that are computed from others when they are read: their formulas, as they were when.

use crate::dated::{Defined, Definition, Tables};
use crate::{Read, Result, Write};
use model::VirtualId;

const TABLES: Tables = Tables { names: "virtual_channel", versions: "virtual_version" };

impl Read {
    /// Every saved formula, by name.
    ///
    /// # Errors
    /// What the database says.
    pub fn virtual_channels(&self) -> Result<Vec<Defined<VirtualId>>> {
        self.defined(&TABLES, VirtualId::new)
    }

    /// One saved formula.
    ///
    /// # Errors
    /// What the database says.
    pub fn virtual_channel(&self, id: VirtualId) -> Result<Option<Defined<VirtualId>>> {
        self.defined_as(&TABLES, id.get(), id)
    }
}

impl Write {
    /// Says what is computed under a name from a day on.
    ///
    /// # Errors
    /// What the database says.
    pub fn put_virtual(&self, name: &str, what: &Definition) -> Result<VirtualId> {
        self.define(&TABLES, name, what).map(VirtualId::new)
    }
}
