//! One meter: identity, last reads, a day's profile and voltage, events, network path, commands.

pub(crate) mod charts;
mod view;

use super::bench::ask::bench_href;
use super::command::action_words;
use super::meters::state;
use super::vee::words;
use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt::{self, Measure, Words};
use crate::page::usage::{commodity_word, file};
use crate::read::{self, failed, look};
use crate::series::{self, Series};
use crate::ui::{self, Crumb, Icon, Tone};
use axum::extract::Path;
use axum::response::Response;
use charts::DayData;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use mdm::read::{CaseState, ExceptionFilter, ExceptionSort, MeterView};
use model::{BatchSource, ChannelKind, Commodity, IntervalLength, MeterId, RegisterRead};
use operations::Right;
use store::{MeterDeed, Route};
use view::{CommandRow, Day, DeedRow, ExceptionRow, Exceptions, Hop, RegisterRow, View};

/// How far back events are listed.
const EVENTS_BACK: SignedDuration = SignedDuration::from_hours(60 * 24);
/// How many events are listed.
const EVENTS: u32 = 15;
/// How many commands are listed.
const COMMANDS: u32 = 6;

fn date_of(ctx: &Ctx) -> Date {
    let today = ctx.words().today();
    read::date_param(ctx).unwrap_or_else(|| today.yesterday().unwrap_or(today))
}

fn find(ctx: &Ctx, id: &str) -> Result<MeterView, WebError> {
    let found = ctx.app.mdm.meter(read::meter_id(id)?).map_err(|error| failed(&error))?;
    found.ok_or_else(|| WebError::NotFound("meter".to_owned()))
}

/// `GET /ops/meters/{id}?date=`
pub(crate) async fn get(ctx: Ctx, Path(id): Path<String>) -> Result<Markup, WebError> {
    let view = ctx.blocking(move |ctx| view(ctx, &find(ctx, &id)?)).await?;
    let mut frame = ctx.frame(format!("Meter {}", view.serial), "/ops/meters");
    frame.api = Some(format!("/api/v1/meters/{}", view.id));
    let crumbs = [
        Crumb { href: Some("/ops"), text: "Console".to_owned() },
        Crumb { href: Some("/ops/meters"), text: "Meters".to_owned() },
        Crumb { href: None, text: view.serial.clone() },
    ];
    Ok(ui::ops(&frame, &crumbs, &view::main(&view)))
}

fn view(ctx: &Ctx, found: &MeterView) -> Result<View, WebError> {
    let (words, meter) = (ctx.words(), &found.meter);
    let from = ctx.now.saturating_sub(EVENTS_BACK).unwrap_or(Timestamp::MIN);
    // An event of a meter whose clock runs ahead is listed too.
    let to = ctx.now.saturating_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX);
    let mdm = &ctx.app.mdm;
    let events = mdm.meter_events(meter.id, from, to, EVENTS).map_err(|error| failed(&error))?;
    let commands = mdm.meter_commands(meter.id, COMMANDS).map_err(|error| failed(&error))?;
    let command = |record: &store::CommandRecord| CommandRow {
        href: format!("/ops/commands/{}", record.command.id),
        action: action_words(ctx, record.command.action),
        state: record.state,
        asked: words.stamp(record.command.requested_at),
    };
    let address =
        found.premise.as_ref().map_or("not installed".to_owned(), |p| format!("{}, {}", p.address, p.town));
    let customer =
        found.customer.as_ref().map(|customer| format!(" · {}", customer.name)).unwrap_or_default();
    Ok(View {
        id: meter.id.get(),
        serial: meter.serial.to_string(),
        state: match meter.retired_at {
            Some(_) => (Tone::Mute, Icon::Cross, "Retired"),
            None => state(ctx.now, found.health.last_heard, found.health.last_read),
        },
        place: format!("{address}{customer}"),
        facts: facts(&words, found),
        day: day(ctx, found, date_of(ctx))?,
        registers: found.registers.iter().map(|register| register_row(&words, register)).collect(),
        events: events
            .iter()
            .map(|event| read::event_row(ctx, event, meter.serial.to_string(), String::new()))
            .collect(),
        commands: commands.iter().map(command).collect(),
        path: path(found),
        exceptions: exceptions(ctx, found)?,
        deeds: deeds(ctx, meter.id)?,
        may_read: ctx.may(Right::ReadMeters) && meter.retired_at.is_none(),
    })
}

/// What people did with the meter, the newest first.
fn deeds(ctx: &Ctx, meter: MeterId) -> Result<Vec<DeedRow>, WebError> {
    let mut rows = Vec::new();
    for change in look(ctx, |store| store.meter_changes(meter))?.into_iter().rev() {
        let other = match change.other {
            Some(other) => look(ctx, |store| store.meter(other))?,
            None => None,
        };
        let who = look(ctx, |store| store.user(change.user))?;
        let what = match change.what {
            MeterDeed::Fitted => "Fitted",
            MeterDeed::TakenOff => "Taken off, in store",
            MeterDeed::Retired => "Taken off for good",
        };
        rows.push(DeedRow {
            what: format!("{what} {}", ctx.words().stamp(change.at)),
            other: other.map(|other| (format!("/ops/meters/{}", other.id), other.serial.to_string())),
            why: format!(
                "{}: {}",
                who.map_or_else(|| change.user.to_string(), |user| user.display_name),
                change.reason
            ),
        });
    }
    Ok(rows)
}

fn facts(words: &Words, found: &MeterView) -> Vec<(&'static str, String, String)> {
    let (meter, health) = (&found.meter, &found.health);
    let when = |at: Option<Timestamp>| match at {
        Some(at) => (words.ago(at), words.stamp(at)),
        None => ("never".to_owned(), String::new()),
    };
    let (heard, heard_at) = when(health.last_heard);
    let (read, read_at) = when(health.last_read);
    let route = match (&found.collector, &meter.route) {
        (Some(collector), Route::Behind { address, .. }) => {
            (collector.name.clone(), format!("{}, address {address}", collector.technology))
        }
        (_, Route::Direct { endpoint }) => ("own address".to_owned(), endpoint.clone()),
        (None, Route::Behind { .. }) => ("unknown collector".to_owned(), String::new()),
    };
    let commodity = commodity_word(meter.commodity).to_owned();
    // A model that is named after what it measures needs no second word.
    let commodity = if meter.model.eq_ignore_ascii_case(&commodity) { String::new() } else { commodity };
    let model = fmt::heading(&meter.model);
    let title: String = meter.system_title.iter().map(|byte| format!("{byte:02X}")).collect();
    let transformer = found.transformer.as_ref().map_or("not known".to_owned(), |t| t.name.clone());
    let feeder = found.transformer.as_ref().map(|t| format!("feeder {}", t.feeder)).unwrap_or_default();
    let failure = health.failure.clone().unwrap_or_else(|| "none".to_owned());
    let failed_at = health.last_failure.map(|at| words.stamp(at)).unwrap_or_default();
    let offset = health
        .clock_offset_ms
        .map_or("not known".to_owned(), |ms| format!("{}\u{a0}s", fmt::decimal(ms, 3, 1)));
    let round_trip = health
        .rtt_ms
        .map_or("not known".to_owned(), |ms| format!("{}\u{a0}s", fmt::decimal(ms.into(), 3, 1)));
    vec![
        ("Last heard", heard, heard_at),
        ("Last complete read", read, read_at),
        ("Round trip", round_trip, String::new()),
        ("Clock offset", offset, String::new()),
        ("Last failure", failure, failed_at),
        ("Reached through", route.0, route.1),
        ("Model", model, commodity),
        ("Transformer", transformer, feeder),
        ("System title", title, format!("security {}", meter.security)),
        ("Installed", words.long(meter.installed_at.to_zoned(words.zone.clone()).date()), String::new()),
    ]
}

fn register_row(words: &Words, register: &RegisterRead) -> RegisterRow {
    let what = match register.kind {
        ChannelKind::Import => "Import",
        ChannelKind::Export => "Export",
        ChannelKind::Voltage => "Voltage",
        ChannelKind::Gas => "Gas",
        ChannelKind::Water => "Water",
        ChannelKind::Net => "Net",
        ChannelKind::Generation => "Generation",
        ChannelKind::ReactiveImport => "Reactive import",
        ChannelKind::ReactiveExport => "Reactive export",
    };
    let name = if register.tou == 0 { what.to_owned() } else { format!("{what} T{}", register.tou) };
    let measure = Measure::of(register.kind);
    let (_, scaler) = register.kind.stored_unit();
    // A register finer than the stored unit keeps its own digits.
    let value = match register.value.rescaled(scaler) {
        Ok(stored) => format!("{}\u{a0}{}", measure.fine(stored), measure.unit),
        Err(_) => {
            format!("{} × 10^{} {}", register.value.raw, register.value.scaler, register.value.unit.symbol())
        }
    };
    let source = match register.source {
        BatchSource::Scheduled => "scheduled read",
        BatchSource::Push => "sent by the meter",
        BatchSource::OnDemand => "read on demand",
        BatchSource::Backfill => "filled in later",
        BatchSource::Import => "from a file",
        BatchSource::Sender => "from a file, estimated by its sender",
    };
    RegisterRow { name, value, at: words.stamp(register.at), source }
}

/// What is open of this meter; nothing for those who may not see what it used.
fn exceptions(ctx: &Ctx, found: &MeterView) -> Result<Option<Exceptions>, WebError> {
    if !ctx.may(Right::SeeAnyUsage) {
        return Ok(None);
    }
    let mut all = Exceptions {
        rows: Vec::new(),
        all: format!("/ops/vee?rule=all&q={}", fmt::query_escape(found.meter.serial.as_str())),
        total: 0,
    };
    for channel in &found.channels {
        let filter = ExceptionFilter {
            channel: Some(channel.id),
            state: Some(CaseState::Open),
            ..ExceptionFilter::default()
        };
        let queue = ctx.app.mdm.exceptions(&filter, ExceptionSort::Newest, 0, COMMANDS);
        let queue = queue.map_err(|error| failed(&error))?;
        all.total += queue.total;
        all.rows.extend(queue.rows.iter().map(|row| ExceptionRow {
            href: bench_href(found.meter.id, channel.kind, row.finding.day, None),
            rule: words::rule(&row.finding.rule).0,
            day: fmt::short(row.finding.day),
            severity: words::severity(&row.finding.severity),
        }));
    }
    all.rows.truncate(usize::try_from(COMMANDS).unwrap_or(usize::MAX));
    Ok(Some(all))
}

fn path(found: &MeterView) -> Vec<Hop> {
    let Some(first) = found.path.first() else { return Vec::new() };
    let mut hops = vec![Hop { name: first.from.clone(), signal: String::new() }];
    for hop in &found.path {
        if let (Some(last), Some(dbm)) = (hops.last_mut(), hop.signal_dbm) {
            last.signal = format!("{}\u{a0}dBm", fmt::decimal(i64::from(dbm), 0, 0));
        }
        hops.push(Hop { name: hop.to.clone(), signal: String::new() });
    }
    hops
}

/// The main channel of a commodity.
pub(crate) const fn main_kind(commodity: Commodity) -> ChannelKind {
    match commodity {
        Commodity::Electricity => ChannelKind::Import,
        Commodity::Gas => ChannelKind::Gas,
        Commodity::Water => ChannelKind::Water,
    }
}

/// What is known of a meter's day, with the version of its main channel.
fn day_data(
    ctx: &Ctx,
    meter: MeterId,
    commodity: Commodity,
    date: Date,
) -> Result<(DayData, u32, bool), WebError> {
    let mdm = &ctx.app.mdm;
    let profile = |kind| mdm.profile(meter, kind, date).map_err(|error| failed(&error));
    let kind = main_kind(commodity);
    let main = profile(kind)?;
    let (version, sealed) = main.as_ref().map_or((0, false), |p| (p.series.version, p.series.sealed));
    let used: Option<Series> = main.map(|profile| profile.series.into());
    let electric = commodity == Commodity::Electricity;
    let sent: Option<Series> =
        if electric { profile(ChannelKind::Export)?.map(|profile| profile.series.into()) } else { None };
    let voltage: Option<Series> =
        if electric { profile(ChannelKind::Voltage)?.map(|profile| profile.series.into()) } else { None };
    let day = mdm.local_day(date).map_err(|error| failed(&error))?;
    let width = used.as_ref().map_or(IntervalLength::HOUR, |series| series.interval);
    let cells = series::cells(&day, width, used.as_ref(), sent.as_ref(), ctx.present());
    let sends = cells.iter().any(|cell| cell.sent.is_some_and(|sent| sent > 0));
    Ok((DayData { day, measure: Measure::of(kind), cells, used, voltage, sends }, version, sealed))
}

fn day(ctx: &Ctx, found: &MeterView, date: Date) -> Result<Day, WebError> {
    let (words, meter) = (ctx.words(), &found.meter);
    let may_see = ctx.may(Right::SeeAnyUsage);
    let (data, version, sealed) = day_data(ctx, meter.id, meter.commodity, date)?;
    let href = |date: Date| format!("/ops/meters/{}?date={date}", meter.id);
    let first = ctx.app.mdm.known_days().map_err(|error| failed(&error))?.map(|(first, _)| first);
    let profile = if !may_see {
        Err(crate::access::Access::With(Right::SeeAnyUsage).sentence())
    } else if data.any_profile() {
        Ok(data.profile(&words))
    } else {
        Err("No reading of this day is here. What the meter kept is filled in when it is heard again."
            .to_owned())
    };
    let known = data.any_profile() || data.voltage_chart(&words).is_some();
    Ok(Day {
        meter: meter.id.get(),
        date: date.to_string(),
        title: words.long(date),
        earlier: date.yesterday().ok().filter(|d| first.is_some_and(|first| *d >= first)).map(href),
        later: date.tomorrow().ok().filter(|d| *d <= words.today()).map(href),
        legend: if profile.is_ok() {
            data.legend()
        } else {
            html! {}
        },
        profile,
        voltage: data.voltage_chart(&words),
        table: known.then(|| data.table(&words, may_see)),
        csv: (may_see && known).then(|| format!("/ops/meters/{}/profile.csv?date={date}", meter.id)),
        bench: may_see.then(|| bench_href(meter.id, main_kind(meter.commodity), date, None)),
        version: match (version, sealed) {
            (0, _) => String::new(),
            (n, true) => format!("Version {n}, closed."),
            (n, false) => format!("Version {n}, still open."),
        },
    })
}

/// `GET /ops/meters/{id}/profile.csv?date=`
pub(crate) async fn csv(ctx: Ctx, Path(id): Path<String>) -> Result<Response, WebError> {
    let (name, text) = ctx
        .blocking(move |ctx| {
            let (found, date) = (find(ctx, &id)?, date_of(ctx));
            let (data, _, _) = day_data(ctx, found.meter.id, found.meter.commodity, date)?;
            Ok((format!("profile-{}-{date}.csv", found.meter.serial), data.csv(found.meter.commodity)))
        })
        .await?;
    Ok(file(&name, text))
}
