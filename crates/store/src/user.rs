//! People who can sign in, and their sessions.

use crate::column::{execute, millis, row, rows, value};
use crate::engine::Row;
use crate::{Read, Result, Write};
use jiff::Timestamp;
use model::{CustomerId, ServicePointId, UserId};

/// Somebody who can sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Ours.
    pub id: UserId,
    /// What is typed at sign-in.
    pub name: String,
    /// As greeted.
    pub display_name: String,
    /// What they may do, as the operations of this utility name it.
    pub role: String,
    /// Argon2 in its own notation; `None` where no password opens the account (persons of the demo).
    pub password_hash: Option<String>,
    /// The customer they are, if they are one.
    pub customer: Option<CustomerId>,
    /// The service point they look at first.
    pub service_point: Option<ServicePointId>,
    /// Whether they are locked out.
    pub disabled: bool,
}

impl core::fmt::Debug for User {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { id, name, role, .. } = self;
        f.debug_struct("User").field("id", id).field("name", name).field("role", role).finish_non_exhaustive()
    }
}

/// Somebody to be added.
#[derive(Clone)]
pub struct NewUser {
    /// What is typed at sign-in.
    pub name: String,
    /// As greeted.
    pub display_name: String,
    /// What they may do.
    pub role: String,
    /// Argon2 in its own notation.
    pub password_hash: Option<String>,
    /// The customer they are, if they are one.
    pub customer: Option<CustomerId>,
    /// The service point they look at first.
    pub service_point: Option<ServicePointId>,
}

impl core::fmt::Debug for NewUser {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("NewUser").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

/// A person who is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub user: UserId,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when at most.
    pub expires_at: Timestamp,
}

const COLUMNS: &str =
    "SELECT id, name, display_name, role, password_hash, customer, service_point, disabled FROM user";

fn user(row: &Row<'_>) -> Result<User> {
    Ok(User {
        id: UserId::new(row.get(0)?),
        name: row.get(1)?,
        display_name: row.get(2)?,
        role: row.get(3)?,
        password_hash: row.get(4)?,
        customer: row.get::<_, Option<u32>>(5)?.map(CustomerId::new),
        service_point: row.get::<_, Option<u32>>(6)?.map(ServicePointId::new),
        disabled: row.get(7)?,
    })
}

impl Read {
    /// One user.
    ///
    /// # Errors
    /// What the database says.
    pub fn user(&self, id: UserId) -> Result<Option<User>> {
        row(&self.conn, &format!("{COLUMNS} WHERE id = ?"), [id.get()], user)
    }

    /// The user with a sign-in name.
    ///
    /// # Errors
    /// What the database says.
    pub fn user_by_name(&self, name: &str) -> Result<Option<User>> {
        row(&self.conn, &format!("{COLUMNS} WHERE name = ?"), [name], user)
    }

    /// Every user, by id.
    ///
    /// # Errors
    /// What the database says.
    pub fn users(&self) -> Result<Vec<User>> {
        rows(&self.conn, &format!("{COLUMNS} ORDER BY id"), [], user)
    }

    /// The session of a token (its SHA-256), if it has not run out at `now`.
    ///
    /// # Errors
    /// What the database says.
    pub fn session(&self, token_hash: &[u8; 32], now: Timestamp) -> Result<Option<Session>> {
        let sql = "SELECT user, created_ms, expires_ms FROM session WHERE token_hash = ? AND expires_ms > ?";
        row(&self.conn, sql, (&token_hash[..], now.as_millisecond()), |row| {
            Ok(Session {
                user: UserId::new(row.get(0)?),
                created_at: millis(row.get(1)?)?,
                expires_at: millis(row.get(2)?)?,
            })
        })
    }
}

impl Write {
    /// Adds somebody.
    ///
    /// # Errors
    /// [`crate::StoreError::Constraint`] when the name is taken.
    pub fn insert_user(&self, new: &NewUser) -> Result<UserId> {
        let sql = "INSERT INTO user (name, display_name, role, password_hash, customer, service_point) \
                   VALUES (?, ?, ?, ?, ?, ?) RETURNING id";
        let values = (
            &new.name,
            &new.display_name,
            &new.role,
            &new.password_hash,
            new.customer.map(CustomerId::get),
            new.service_point.map(ServicePointId::get),
        );
        Ok(UserId::new(value(&self.conn, sql, values)?))
    }

    /// Sets or removes a password; every session of the user ends.
    ///
    /// # Errors
    /// What the database says.
    pub fn set_password(&self, id: UserId, password_hash: Option<&str>) -> Result<()> {
        execute(&self.conn, "UPDATE user SET password_hash = ? WHERE id = ?", (password_hash, id.get()))?;
        execute(&self.conn, "DELETE FROM session WHERE user = ?", [id.get()])?;
        Ok(())
    }

    /// Locks somebody out or lets them in again; locking ends every session of theirs.
    ///
    /// # Errors
    /// What the database says.
    pub fn set_disabled(&self, id: UserId, disabled: bool) -> Result<()> {
        execute(&self.conn, "UPDATE user SET disabled = ? WHERE id = ?", (disabled, id.get()))?;
        if disabled {
            execute(&self.conn, "DELETE FROM session WHERE user = ?", [id.get()])?;
        }
        Ok(())
    }

    /// Begins a session under the SHA-256 of its token.
    ///
    /// # Errors
    /// What the database says.
    pub fn insert_session(&self, token_hash: &[u8; 32], session: &Session) -> Result<()> {
        let sql = "INSERT INTO session (token_hash, user, created_ms, expires_ms) VALUES (?, ?, ?, ?)";
        let values = (
            &token_hash[..],
            session.user.get(),
            session.created_at.as_millisecond(),
            session.expires_at.as_millisecond(),
        );
        execute(&self.conn, sql, values)?;
        Ok(())
    }

    /// Ends a session.
    ///
    /// # Errors
    /// What the database says.
    pub fn delete_session(&self, token_hash: &[u8; 32]) -> Result<()> {
        execute(&self.conn, "DELETE FROM session WHERE token_hash = ?", [&token_hash[..]])?;
        Ok(())
    }

    /// Removes the sessions that have run out.
    ///
    /// # Errors
    /// What the database says.
    pub fn expire_sessions(&self, now: Timestamp) -> Result<usize> {
        execute(&self.conn, "DELETE FROM session WHERE expires_ms <= ?", [now.as_millisecond()])
    }
}
