//! Sessions: between the cookie of a browser and the accounts of the utility.

use crate::ctx::Ctx;
use crate::error::WebError;
use crate::read::place;
use operations::{Accounts, Person};

/// Somebody that the demo lets in without a password.
#[derive(Clone, Debug)]
pub(crate) struct DemoPerson {
    /// The number of the account, as the form sends it.
    pub(crate) id: u32,
    /// As greeted.
    pub(crate) name: String,
    /// What they do, or where they live.
    pub(crate) what: String,
}

fn accounts(ctx: &Ctx) -> Accounts {
    Accounts::new(ctx.app.mdm.store().clone())
}

fn new_token() -> Result<[u8; 32], WebError> {
    let mut token = [0; 32];
    getrandom::fill(&mut token).map_err(|error| WebError::internal(&error))?;
    Ok(token)
}

fn to_cookie(token: &[u8; 32]) -> String {
    token.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_cookie(text: &str) -> Option<[u8; 32]> {
    let mut token = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (index, byte) in token.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(token)
}

/// Who holds the token in a cookie.
pub(crate) fn session(ctx: &Ctx, cookie: &str) -> Result<Option<Person>, WebError> {
    let Some(token) = from_cookie(cookie) else { return Ok(None) };
    accounts(ctx).session(ctx.now, &token).map_err(|error| WebError::internal(&error))
}

/// Begins a session; the value for the cookie, or `None` when name and password do not belong together.
pub(crate) fn sign_in(ctx: &Ctx, name: &str, password: &str) -> Result<Option<String>, WebError> {
    let token = new_token()?;
    let person =
        accounts(ctx).sign_in(ctx.now, name, password, &token).map_err(|error| WebError::internal(&error))?;
    Ok(person.map(|_| to_cookie(&token)))
}

/// Begins a session of one of the demo's people; the value for the cookie.
pub(crate) fn demo_sign_in(ctx: &Ctx, id: u32) -> Result<String, WebError> {
    let known = demo_people(ctx)?.into_iter().any(|person| person.id == id);
    if !known {
        return Err(WebError::NotFound("such person".to_owned()));
    }
    let token = new_token()?;
    accounts(ctx)
        .demo_sign_in(ctx.now, model::UserId::new(id), &token)
        .map_err(|error| WebError::internal(&error))?;
    Ok(to_cookie(&token))
}

/// The people of the demo; nobody outside it.
pub(crate) fn demo_people(ctx: &Ctx) -> Result<Vec<DemoPerson>, WebError> {
    if !ctx.app.demo {
        return Ok(Vec::new());
    }
    let people = accounts(ctx).demo_people().map_err(|error| WebError::internal(&error))?;
    let shown = |person: Person| {
        let home = person.service_points.first().map(|point| place(ctx, *point)).transpose()?.flatten();
        let what = match home.and_then(|(_, premise)| premise) {
            Some(premise) => format!("{}, {}", person.role.title(), premise.address),
            None => person.role.title().to_owned(),
        };
        Ok(DemoPerson { id: person.id.get(), name: person.name, what })
    };
    people.into_iter().map(shown).collect()
}

/// Ends the session of a cookie.
pub(crate) fn sign_out(ctx: &Ctx, cookie: &str) -> Result<(), WebError> {
    let Some(token) = from_cookie(cookie) else { return Ok(()) };
    accounts(ctx).sign_out(&token).map_err(|error| WebError::internal(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_its_cookie_and_nothing_else_is_one() {
        let token = core::array::from_fn(|index| u8::try_from(index * 7).unwrap());
        assert_eq!(from_cookie(&to_cookie(&token)), Some(token));
        for bad in ["", "zz", &"g".repeat(64), &"é".repeat(32), &"+1".repeat(32)] {
            assert!(from_cookie(bad).is_none(), "{bad}");
        }
    }
}
