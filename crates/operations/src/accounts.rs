//! Accounts: creating them, signing in and out, and the person behind a session.
//!
//! Passwords are kept as Argon2id, session tokens as their SHA-256, so that a copy of the database
//! signs nobody in. Random bytes come from the caller.

use crate::person::Person;
use crate::role::Role;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use jiff::{SignedDuration, Timestamp};
use model::{CustomerId, ServicePointId, UserId};
use sha2::{Digest, Sha256};
use store::{NewUser, Read, Session, Store, StoreError, User};

/// How long a session lasts without being renewed.
const SESSION: SignedDuration = SignedDuration::from_hours(12);
/// How long a session of the demo lasts; its clock may run many times faster than the person's.
const DEMO_SESSION: SignedDuration = SignedDuration::from_hours(365 * 24);
/// The shortest password that is taken.
pub const SHORTEST_PASSWORD: usize = 12;
/// The longest password that is hashed; more would only cost time.
const LONGEST_PASSWORD: usize = 1024;

/// Why an account operation failed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The password is too short or too long.
    #[error("take a password of {0} characters: use between {SHORTEST_PASSWORD} and {LONGEST_PASSWORD}")]
    PasswordLength(usize),
    /// The name is taken.
    #[error("create account `{0}`: the name is taken")]
    NameTaken(String),
    /// The name cannot be typed at sign-in.
    #[error("create account `{0}`: a name has 1 to 64 letters, digits, dots, hyphens, underscores or @")]
    Name(String),
    /// A customer role without a customer.
    #[error("create account `{0}`: a customer's account needs the customer it belongs to")]
    NoCustomer(String),
    /// Argon2 failed.
    #[error("hash the password: {0}")]
    Hash(String),
    /// No such account.
    #[error("find account {0}")]
    Unknown(UserId),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Somebody who is to get an account.
#[derive(Clone, Debug)]
pub struct NewAccount<'a> {
    /// What is typed at sign-in.
    pub name: &'a str,
    /// As shown on pages.
    pub display_name: &'a str,
    /// What they do.
    pub role: Role,
    /// The customer they are.
    pub customer: Option<CustomerId>,
}

/// The accounts of a utility.
#[derive(Clone, Debug)]
pub struct Accounts {
    store: Store,
}

impl Accounts {
    /// The accounts in `store`.
    pub const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Creates an account. Without a password it can only be entered through the demo's door.
    ///
    /// `salt` is 16 random bytes.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn create(
        &self,
        new: &NewAccount<'_>,
        password: Option<&str>,
        salt: &[u8; 16],
    ) -> Result<UserId, AccountError> {
        let usable = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
        if new.name.is_empty() || new.name.len() > 64 || !new.name.chars().all(usable) {
            return Err(AccountError::Name(new.name.to_owned()));
        }
        if new.role == Role::Customer && new.customer.is_none() {
            return Err(AccountError::NoCustomer(new.name.to_owned()));
        }
        let password_hash = password.map(|password| hash(password, salt)).transpose()?;
        self.store.write(|write| {
            if write.user_by_name(new.name)?.is_some() {
                return Err(AccountError::NameTaken(new.name.to_owned()));
            }
            Ok(write.insert_user(&NewUser {
                name: new.name.to_owned(),
                display_name: new.display_name.to_owned(),
                role: new.role.name().to_owned(),
                password_hash,
                customer: new.customer,
                service_point: None,
            })?)
        })
    }

    /// Sets a password; every session of the account ends.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn set_password(&self, name: &str, password: &str, salt: &[u8; 16]) -> Result<bool, AccountError> {
        let hash = hash(password, salt)?;
        self.store.write(|write| {
            let Some(user) = write.user_by_name(name)? else { return Ok(false) };
            write.set_password(user.id, Some(&hash))?;
            Ok(true)
        })
    }

    /// Checks a name and password and begins a session under `token`, 32 random bytes that the caller
    /// gives to the person's browser. `None` when the name or password is wrong.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn sign_in(
        &self,
        now: Timestamp,
        name: &str,
        password: &str,
        token: &[u8; 32],
    ) -> Result<Option<Person>, AccountError> {
        if password.len() > LONGEST_PASSWORD {
            return Ok(None);
        }
        let user = self.store.read(|read| read.user_by_name(name))?;
        let known = user.as_ref().and_then(|user| user.password_hash.as_deref());
        // An unknown name costs as much time as a wrong password, so that names cannot be tried out.
        let right = verify(password, known.unwrap_or(NOBODY)) && known.is_some();
        match user {
            Some(user) if right && !user.disabled => self.begin(now, SESSION, &user, token).map(Some),
            _ => Ok(None),
        }
    }

    /// Begins a session of somebody without a password: the demo's door. The caller makes sure that it
    /// is a demo.
    ///
    /// # Errors
    /// [`AccountError`]; accounts with a password are refused as unknown.
    pub fn demo_sign_in(&self, now: Timestamp, id: UserId, token: &[u8; 32]) -> Result<Person, AccountError> {
        let user = self.store.read(|read| read.user(id))?.ok_or(AccountError::Unknown(id))?;
        if user.password_hash.is_some() || user.disabled {
            return Err(AccountError::Unknown(id));
        }
        self.begin(now, DEMO_SESSION, &user, token)
    }

    /// The people who can sign in without a password, for the demo's door.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn demo_people(&self) -> Result<Vec<Person>, AccountError> {
        self.store.read(|read| {
            let users = read.users()?;
            users
                .iter()
                .filter(|user| user.password_hash.is_none() && !user.disabled)
                .filter_map(|user| person(read, user).transpose())
                .collect()
        })
    }

    /// Who holds `token`, if its session has not run out.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn session(&self, now: Timestamp, token: &[u8; 32]) -> Result<Option<Person>, AccountError> {
        self.store.read(|read| {
            let Some(session) = read.session(&digest(token), now)? else { return Ok(None) };
            let user = read.user(session.user)?.filter(|user| !user.disabled);
            user.map_or(Ok(None), |user| person(read, &user))
        })
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn sign_out(&self, token: &[u8; 32]) -> Result<(), AccountError> {
        Ok(self.store.write(|write| write.delete_session(&digest(token)))?)
    }

    fn begin(
        &self,
        now: Timestamp,
        lasts: SignedDuration,
        user: &User,
        token: &[u8; 32],
    ) -> Result<Person, AccountError> {
        let expires_at = now.checked_add(lasts).unwrap_or(Timestamp::MAX);
        self.store.write(|write| {
            let person = person(write, user)?.ok_or(AccountError::Unknown(user.id))?;
            write.expire_sessions(now)?;
            write.insert_session(&digest(token), &Session { user: user.id, created_at: now, expires_at })?;
            Ok(person)
        })
    }
}

/// A well-formed hash that no password has: it is checked when a name is unknown.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A user as a person; `None` when the role is not known to this version.
fn person(read: &Read, user: &User) -> Result<Option<Person>, AccountError> {
    let Some(role) = Role::from_name(&user.role) else { return Ok(None) };
    let points: Vec<ServicePointId> = match user.customer {
        Some(customer) => read.service_points_of(customer)?.into_iter().map(|point| point.id).collect(),
        None => Vec::new(),
    };
    Ok(Some(Person { id: user.id, name: user.display_name.clone(), role, service_points: points }))
}

fn digest(token: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(token).into()
}

fn argon() -> Argon2<'static> {
    // OWASP's first choice: 19 MiB, two passes, one lane.
    let params = Params::new(19_456, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &str, salt: &[u8; 16]) -> Result<String, AccountError> {
    let length = password.chars().count();
    if length < SHORTEST_PASSWORD || password.len() > LONGEST_PASSWORD {
        return Err(AccountError::PasswordLength(length));
    }
    let failed = |error: argon2::password_hash::Error| AccountError::Hash(error.to_string());
    let salt = SaltString::encode_b64(salt).map_err(failed)?;
    Ok(argon().hash_password(password.as_bytes(), &salt).map_err(failed)?.to_string())
}

fn verify(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| argon().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Accounts {
        Accounts::new(Store::open_in_memory().unwrap())
    }

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn operator(name: &str) -> NewAccount<'_> {
        NewAccount { name, display_name: "Sam", role: Role::MeterOperator, customer: None }
    }

    #[test]
    fn only_the_right_name_and_password_sign_in() {
        let accounts = accounts();
        accounts.create(&operator("sam"), Some("correct horse battery"), &[1; 16]).unwrap();
        for (name, password, let_in) in [
            ("sam", "correct horse battery", true),
            ("sam", "correct horse batterz", false),
            ("sam", "", false),
            ("pat", "correct horse battery", false),
        ] {
            let person = accounts.sign_in(NOW, name, password, &[9; 32]).unwrap();
            assert_eq!(person.is_some(), let_in, "{name}/{password}");
            accounts.sign_out(&[9; 32]).unwrap();
        }
    }

    #[test]
    fn sessions_run_out_and_end_with_sign_out() {
        let accounts = accounts();
        let id = accounts.create(&operator("sam"), None, &[1; 16]).unwrap();
        accounts.demo_sign_in(NOW, id, &[7; 32]).unwrap();
        assert_eq!(accounts.session(NOW, &[7; 32]).unwrap().unwrap().id, id);
        assert_eq!(accounts.session(NOW, &[8; 32]).unwrap(), None);
        assert_eq!(accounts.session(NOW + DEMO_SESSION, &[7; 32]).unwrap(), None);
        accounts.sign_out(&[7; 32]).unwrap();
        assert_eq!(accounts.session(NOW, &[7; 32]).unwrap(), None);
    }

    #[test]
    fn the_demo_door_is_shut_for_accounts_with_a_password() {
        let accounts = accounts();
        let id = accounts.create(&operator("sam"), Some("correct horse battery"), &[1; 16]).unwrap();
        assert!(accounts.demo_sign_in(NOW, id, &[7; 32]).is_err());
        assert!(accounts.demo_people().unwrap().is_empty());
    }

    #[test]
    fn bad_accounts_are_refused() {
        let accounts = accounts();
        assert!(matches!(accounts.create(&operator("a b"), None, &[1; 16]), Err(AccountError::Name(_))));
        assert!(matches!(
            accounts.create(&operator("sam"), Some("short"), &[1; 16]),
            Err(AccountError::PasswordLength(5))
        ));
        let customer = NewAccount { role: Role::Customer, ..operator("sam") };
        assert!(matches!(accounts.create(&customer, None, &[1; 16]), Err(AccountError::NoCustomer(_))));
        accounts.create(&operator("sam"), None, &[1; 16]).unwrap();
        assert!(matches!(accounts.create(&operator("sam"), None, &[1; 16]), Err(AccountError::NameTaken(_))));
    }
}
