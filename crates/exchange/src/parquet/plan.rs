//! Which column of a file is what.

use super::form::Form;
use crate::csv::{Mapping, Places, Shape, by_names, plain};
use crate::refusal::ReadError;
use crate::stamp::StampForm;
use ::parquet::schema::types::SchemaDescriptor;

/// What a column of a table of readings can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Role {
    Meter,
    ServicePoint,
    Channel,
    Unit,
    Interval,
    Time,
    Clock,
    Value,
    Quality,
}

/// How many roles there are.
pub(super) const ROLES: usize = 9;

/// The columns that are read.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Of each role the leaf of the schema, its form and the level of a value that is there.
    pub(super) columns: [Option<(usize, Form, i16)>; ROLES],
    /// The unit that the heading of the value names.
    pub(super) named_unit: Option<String>,
}

impl Plan {
    pub(super) fn new(
        schema: &SchemaDescriptor,
        mapping: &Mapping,
        form: &StampForm,
    ) -> Result<Self, ReadError> {
        if mapping.shape != Shape::Long {
            let what = "a Parquet file is read row by row, shape = \"long\"; turn a wide one first";
            return Err(ReadError::Table(what.into()));
        }
        let leaves = schema.columns();
        let names: Vec<String> = leaves.iter().map(|leaf| plain(&leaf.path().string())).collect();
        let places = by_names(&names, mapping).map_err(|missing| {
            let all: String = names.join(", ").chars().take(300).collect();
            ReadError::Table(format!("no column of {all} is {missing}; name it in a mapping file"))
        })?;
        let mut plan = Self { columns: [None; ROLES], named_unit: places.named_unit.clone() };
        for (role, place) in roles(&places) {
            let Some(leaf) = leaves.get(place) else { continue };
            let refuse = |why: &str| {
                let name = leaf.path().string();
                Err(ReadError::Table(format!("column {name:?} {why}; name another one in a mapping file")))
            };
            if leaf.max_rep_level() > 0 {
                return refuse("holds lists, not one value a row");
            }
            let Some(found) = Form::of(leaf) else {
                return refuse("holds nothing that readings are made of");
            };
            if !fits(role, found, form) {
                return refuse(&format!("holds {}, which is not {}", found.name(), wanted(role)));
            }
            let Some(slot) = plan.columns.get_mut(role as usize) else { continue };
            *slot = Some((place, found, leaf.max_def_level()));
        }
        plan.clock_beside_words()?;
        Ok(plan)
    }

    /// The form of a role's column.
    pub(super) fn form(&self, role: Role) -> Option<Form> {
        self.columns.get(role as usize).copied().flatten().map(|(_, form, _)| form)
    }

    fn clock_beside_words(&self) -> Result<(), ReadError> {
        if self.form(Role::Clock).is_some() && self.form(Role::Time) != Some(Form::Text) {
            let what = "a column of the time of day stands beside dates that are words, and these are none";
            return Err(ReadError::Table(what.into()));
        }
        Ok(())
    }
}

fn roles(places: &Places) -> impl Iterator<Item = (Role, usize)> {
    let Places { meter, service_point, time, clock, value, quality, unit, channel, interval, .. } = places;
    let all = [
        (Role::Meter, *meter),
        (Role::ServicePoint, *service_point),
        (Role::Channel, *channel),
        (Role::Unit, *unit),
        (Role::Interval, *interval),
        (Role::Time, Some(*time)),
        (Role::Clock, *clock),
        (Role::Value, Some(*value)),
        (Role::Quality, *quality),
    ];
    all.into_iter().filter_map(|(role, place)| Some((role, place?)))
}

fn fits(role: Role, found: Form, form: &StampForm) -> bool {
    match role {
        Role::Time => match found {
            Form::Instant { .. } | Form::Day | Form::Text => true,
            Form::Integer { .. } => *form == StampForm::Unix,
            Form::Decimal(_) | Form::Float => false,
        },
        Role::Clock => found == Form::Text,
        Role::Value => !matches!(found, Form::Instant { .. } | Form::Day),
        Role::Meter | Role::ServicePoint | Role::Channel | Role::Unit | Role::Interval | Role::Quality => {
            matches!(found, Form::Text | Form::Integer { .. })
        }
    }
}

const fn wanted(role: Role) -> &'static str {
    match role {
        Role::Time => "timestamps, dates or words (of seconds since 1970, say time.format = \"unix\")",
        Role::Clock => "words",
        Role::Value => "numbers",
        _ => "words or whole numbers",
    }
}
