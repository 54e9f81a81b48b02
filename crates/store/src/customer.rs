//! Customers.

use crate::column::{row, rows};
use crate::engine::Row;
use crate::{Read, Result};
use model::CustomerId;

/// A person or company that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// Ours.
    pub id: CustomerId,
    /// The utility's account number.
    pub account: String,
    /// As addressed.
    pub name: String,
    /// Where mail goes.
    pub email: Option<String>,
}

const COLUMNS: &str = "SELECT id, account, name, email FROM customer";

fn customer(row: &Row<'_>) -> Result<Customer> {
    Ok(Customer {
        id: CustomerId::new(row.get(0)?),
        account: row.get(1)?,
        name: row.get(2)?,
        email: row.get(3)?,
    })
}

impl Read {
    /// One customer.
    ///
    /// # Errors
    /// What the database says.
    pub fn customer(&self, id: CustomerId) -> Result<Option<Customer>> {
        row(&self.conn, &format!("{COLUMNS} WHERE id = ?"), [id.get()], customer)
    }

    /// The customer of an account number.
    ///
    /// # Errors
    /// What the database says.
    pub fn customer_by_account(&self, account: &str) -> Result<Option<Customer>> {
        row(&self.conn, &format!("{COLUMNS} WHERE account = ?"), [account], customer)
    }

    /// Every customer, by id.
    ///
    /// # Errors
    /// What the database says.
    pub fn customers(&self) -> Result<Vec<Customer>> {
        rows(&self.conn, &format!("{COLUMNS} ORDER BY id"), [], customer)
    }
}
