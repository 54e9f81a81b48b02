//! A group of rules that is begun, and the end of one. Both are a rule book put in force: what was before stays on record.

use super::{apply, view};
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::read::failed;
use axum::Form;
use axum::response::{IntoResponse, Redirect, Response};
use model::{Commodity, CustomerClass};
use operations::models;
use serde_json::Value;
use vee::{Group, RuleBook};

/// The longest name of a group.
const LONGEST_NAME: usize = 60;
/// What meters can measure, by its name in forms.
const COMMODITIES: [(&str, Commodity); 3] =
    [("electricity", Commodity::Electricity), ("gas", Commodity::Gas), ("water", Commodity::Water)];

/// One thing that a group can be for: its name in the form, words, whether it is ticked.
pub(crate) type Tick = (String, String, bool);

/// The part of the form that says which group is begun.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewGroup {
    /// Its name so far.
    pub(crate) name: String,
    /// Whom it can be for: classes of customers, meter models, commodities.
    pub(crate) whom: Vec<(&'static str, Vec<Tick>)>,
}

impl NewGroup {
    /// The form as filled; `None` where no group is begun.
    pub(super) fn of(param: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        param("new")?;
        let tick = |field: &str, value: &str, words: String| {
            let name = format!("{field}.{value}");
            let ticked = param(&name).is_some();
            (name, words, ticked)
        };
        let classes = CustomerClass::ALL.iter();
        let models = models::judged().into_keys();
        Some(Self {
            name: param("name").unwrap_or_default(),
            whom: vec![
                (
                    "Customers",
                    classes.map(|class| tick("class", class.name(), class.name().to_owned())).collect(),
                ),
                ("Meter models", models.map(|model| tick("model", &model, model.clone())).collect()),
                (
                    "Commodities",
                    COMMODITIES.iter().map(|(name, _)| tick("commodity", name, (*name).to_owned())).collect(),
                ),
            ],
        })
    }

    /// The fields that say the same again, for the form that confirms it.
    pub(super) fn fields(&self) -> Vec<(String, String)> {
        let ticked = self.whom.iter().flat_map(|(_, ticks)| ticks).filter(|(.., ticked)| *ticked);
        [("new".to_owned(), "1".to_owned()), ("name".to_owned(), self.name.clone())]
            .into_iter()
            .chain(ticked.map(|(name, ..)| (name.clone(), "1".to_owned())))
            .collect()
    }

    fn chosen(&self, field: &str) -> Vec<&str> {
        let all = self.whom.iter().flat_map(|(_, ticks)| ticks).filter(|(.., ticked)| *ticked);
        all.filter_map(|(name, ..)| name.strip_prefix(field)?.strip_prefix('.')).collect()
    }

    /// The book with this group laid over all others; so far it says what the book says.
    pub(super) fn draft(&self, book: &RuleBook) -> Result<RuleBook, String> {
        let name = self.name.trim();
        if name.is_empty() {
            return Err("Give the group a name.".to_owned());
        }
        if name.chars().count() > LONGEST_NAME {
            return Err(format!("A name of {LONGEST_NAME} letters is long enough."));
        }
        if book.groups().iter().any(|group| group.name.eq_ignore_ascii_case(name)) {
            return Err(format!("There is a group {name} already; each needs a name of its own."));
        }
        let group = Group {
            name: name.to_owned(),
            from: None,
            to: None,
            class: self.chosen("class").into_iter().filter_map(CustomerClass::from_name).collect(),
            model: self.chosen("model").into_iter().map(str::to_owned).collect(),
            commodity: self
                .chosen("commodity")
                .into_iter()
                .filter_map(|name| COMMODITIES.iter().find(|(known, _)| *known == name))
                .map(|(_, commodity)| *commodity)
                .collect(),
            kind: Vec::new(),
            off: Default::default(),
            on: Default::default(),
            severity: Default::default(),
            set: Default::default(),
        };
        if group.class.is_empty() && group.model.is_empty() && group.commodity.is_empty() {
            return Err(
                "Say for whom the group is: everybody's thresholds are changed without one.".to_owned()
            );
        }
        let groups: Vec<Group> = book.groups().iter().cloned().chain([group]).collect();
        let base = serde_json::to_value(book.base()).unwrap_or(Value::Null);
        let text = vee::to_toml(base, &groups).map_err(|error| error.to_string())?;
        RuleBook::from_toml(&text).map_err(|error| format!("This group is refused: {error}."))
    }
}

/// `POST /ops/rules/end`: from a day on a group holds no more; days before keep it, and so does the record.
pub(crate) async fn end(ctx: Ctx, Form(fields): Form<Vec<(String, String)>>) -> Result<Response, WebError> {
    let param = super::params(fields);
    let done = ctx
        .blocking(move |ctx| match ended(ctx, &param)? {
            Ok(hash) => Ok(Ok(hash)),
            Err(why) => {
                Ok(Err(view(ctx, &|name| param(name).filter(|_| name == "group"), Some(why), &|| true)?))
            }
        })
        .await?;
    match done {
        Ok(hash) => Ok(Redirect::to(&format!("/ops/rules?done={hash}")).into_response()),
        Err(view) => Ok(super::page(&ctx, &view).into_response()),
    }
}

fn ended(ctx: &Ctx, param: &dyn Fn(&str) -> Option<String>) -> Result<Result<String, String>, WebError> {
    let today = ctx.words().today();
    let book = ctx.app.mdm.book_on(today).map_err(|error| failed(&error))?;
    let Some(index) = super::chosen(&book, param) else {
        return Ok(Err("There is no such group.".to_owned()));
    };
    let from = match super::first_day(ctx, param) {
        Ok(from) => from,
        Err(why) => return Ok(Err(why)),
    };
    let mut groups = book.groups().to_vec();
    if let Some(group) = groups.get_mut(index) {
        if group.to.is_some_and(|to| to <= from) {
            return Ok(Err(format!("The group {} has ended by then already.", group.name)));
        }
        // One that has not begun yet never holds.
        match group.from {
            Some(begins) if begins >= from => drop(groups.remove(index)),
            _ => group.to = Some(from),
        }
    }
    let base = serde_json::to_value(book.base()).unwrap_or(Value::Null);
    let toml = vee::to_toml(base, &groups).map_err(|error| WebError::internal(&error))?;
    apply(ctx, &toml, today, param)
}
