//! `wattle estimate`: fills named intervals of a file of readings.

use crate::series::{self, Channel, Filled, Loaded, Mask, unit_of};
use crate::talk::{Talk, WrongUsage};
use crate::validate::stamp;
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::path::PathBuf;
use vee::{Estimator, Method, Rules, Slot};

/// Fill named intervals of a file of readings and print them.
///
/// The mask is a table of `from,to` or `meter,from,to`, the end not included; what the file has there is not used, only
/// compared. Other gaps are filled too where that helps, but not printed.
///
/// Example: wattle estimate readings.csv --mask gaps.csv --method blend
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    readings: series::ReadingsFrom,
    /// The intervals to be filled.
    #[arg(long, value_name = "FILE")]
    mask: PathBuf,
    /// ladder (the regulators' order), blend (Wattle's own, then the ladder), or one method by its name, as linear,
    /// like_day, flat; else as the rules say.
    #[arg(long, value_name = "NAME")]
    method: Option<String>,
}

/// What the file had in masked intervals, beside what was filled in.
#[derive(Default)]
struct Compared {
    filled: usize,
    open: usize,
    read: usize,
    estimated_total: i64,
    read_total: i64,
    off: i64,
}

pub(crate) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    let Loaded { mut channels, refused, mut rules, now } = series::load(&arguments.readings, talk)?;
    if let Some(name) = &arguments.method {
        choose(name, &mut rules)?;
    }
    let masks = series::masks(&arguments.mask, channels.zone())?;
    if channels.is_empty() {
        return series::tell_refused(&arguments.readings, &refused, 0, talk);
    }
    for meter in masks.iter().filter_map(|mask| mask.meter.as_deref()) {
        if !channels.has(meter) {
            bail!(
                "{} names {meter}, of whom the file has no readings; it has those of {}",
                arguments.mask.display(),
                channels.some_names()
            );
        }
    }
    let (mut compared, mut count) = (Compared::default(), 0);
    while let Some(mut channel) = channels.next()? {
        count += 1;
        let channel = &mut channel;
        let facts = channel.facts();
        let masked = mask(channel, &masks);
        if masked.is_empty() {
            continue;
        }
        let filled = series::fill(channel, &facts, &rules, now);
        tell(channel, &masked, &filled, &mut compared, talk)?;
    }
    if compared.filled + compared.open == 0 {
        bail!(
            "no interval of the readings lies inside {}; its times without an offset are read in the zone of --zone",
            arguments.mask.display()
        );
    }
    summarise(&compared, talk);
    series::tell_refused(&arguments.readings, &refused, count, talk)?;
    if compared.open > 0 {
        bail!("{} intervals could not be filled: nothing is known to fill them from", compared.open);
    }
    Ok(())
}

fn choose(name: &str, rules: &mut Rules) -> Result<()> {
    match name {
        "ladder" => rules.estimation.estimator = Estimator::Ladder,
        "blend" => rules.estimation.estimator = Estimator::Blend,
        _ => {
            let method = Method::from_name(name).with_context(|| {
                let names: Vec<_> = Method::ALL.iter().map(|method| method.name()).collect();
                WrongUsage(format!("--method {name} is none of ladder, blend, {}", names.join(", ")))
            })?;
            rules.estimation.estimator = Estimator::Ladder;
            rules.estimation.ladder = vec![method];
        }
    }
    Ok(())
}

/// Empties what the masks cover; where that is, and what was there.
fn mask(channel: &mut Channel, masks: &[Mask]) -> Vec<(usize, usize, Slot)> {
    let mut masked = Vec::new();
    for (number, day) in channel.days.iter_mut().enumerate() {
        for index in 0..day.slots.len() {
            let start = day.start_of(index);
            let asked = masks.iter().any(|mask| mask.covers(&channel.name, start));
            if asked && channel.span.0 <= start && day.end_of(index) <= channel.span.1 {
                masked.push((number, index, day.slots[index]));
                day.slots[index] = Slot::MISSING;
            }
        }
    }
    masked
}

fn tell(
    channel: &Channel,
    masked: &[(usize, usize, Slot)],
    filled: &Filled,
    compared: &mut Compared,
    talk: Talk,
) -> Result<()> {
    for (number, index, before) in masked {
        let day = &channel.days[*number];
        let slot = day.slots[*index];
        let estimates = filled.get(number).map_or(&[][..], |estimated| &estimated.estimates);
        let estimate = estimates.iter().find(|estimate| estimate.slots.contains(index));
        let read = before.quality.is_read().then_some(before.value);
        let (time, unit) = (stamp(day, *index), unit_of(channel.kind));
        let method = estimate.map(|estimate| estimate.method.name());
        let scaled = estimate.is_some_and(|estimate| estimate.scaled);
        compared.count(estimate.map(|_| slot.value), read);
        let value = estimate.map(|_| slot.value);
        let record = json!({
            "meter": channel.name, "kind": channel.kind.name(), "time": time, "value": value, "unit": unit,
            "method": method, "scaled": scaled, "quality": slot.quality.word(), "read": read,
        });
        let words = match method {
            None => "open".to_owned(),
            Some(method) => {
                format!("{:>8} {unit}  {method}{}", slot.value, if scaled { ", scaled" } else { "" })
            }
        };
        talk.data(&record, format_args!("{}  {time}  {words}  {}", channel.name, slot.quality.word()))?;
    }
    Ok(())
}

impl Compared {
    fn count(&mut self, estimated: Option<i64>, read: Option<i64>) {
        let Some(estimated) = estimated else {
            self.open += 1;
            return;
        };
        self.filled += 1;
        if let Some(read) = read {
            self.read += 1;
            self.estimated_total = self.estimated_total.saturating_add(estimated);
            self.read_total = self.read_total.saturating_add(read);
            self.off = self.off.saturating_add((estimated - read).abs());
        }
    }
}

fn summarise(compared: &Compared, talk: Talk) {
    talk.say(format_args!("{} intervals filled, {} left open", compared.filled, compared.open));
    if compared.read > 0 {
        talk.say(format_args!(
            "where the file has readings ({} intervals): {} filled in, {} read, {} off in all intervals together",
            compared.read, compared.estimated_total, compared.read_total, compared.off
        ));
    }
}
