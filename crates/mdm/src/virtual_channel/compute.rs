//! Computing a day of a virtual channel.

use super::{DEEPEST, Formula, Formulas, SeriesId, Term, VirtualRefused, WhenMissing, all};
use crate::read::{AsOf, Series, as_of};
use crate::{Mdm, MdmError};
use jiff::civil::Date;
use model::{ChannelId, IntervalLength, LocalDay, Quality, QualityClass, VirtualId, ratio};
use std::collections::BTreeMap;
use store::Read;

/// The largest common denominator of a formula's coefficients.
pub(super) const LARGEST_DENOMINATOR: i128 = 1_000_000_000_000;

/// The version of a channel's day that went into a computed one; 0 for a day of which nothing is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputVersion {
    /// Which channel.
    pub channel: ChannelId,
    /// Which version of the day.
    pub version: u32,
}

/// A day of a virtual channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualDay {
    /// The day.
    pub day: LocalDay,
    /// Its values. The version is the highest of the inputs', and it is closed when all of them are.
    pub series: Series,
    /// What it was computed from, by channel, each once.
    pub inputs: Vec<InputVersion>,
}

/// The least common multiple of the denominators; `None` beyond [`LARGEST_DENOMINATOR`].
pub(super) fn common_denominator(terms: &[Term]) -> Option<i128> {
    let gcd = |mut a: i128, mut b: i128| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    terms.iter().try_fold(1i128, |common, term| {
        let denominator = i128::from(term.factor.denominator());
        let common = common / gcd(common, denominator) * denominator;
        (common <= LARGEST_DENOMINATOR).then_some(common)
    })
}

/// How little a class vouches for: the higher, the worse.
const fn rank(class: QualityClass) -> u8 {
    match class {
        QualityClass::Valid => 0,
        QualityClass::Verified => 1,
        QualityClass::DerivedZero => 2,
        QualityClass::Raw => 3,
        QualityClass::Edited => 4,
        QualityClass::EstimatedScaled => 5,
        QualityClass::EstimatedLinear => 6,
        QualityClass::EstimatedLikeDay => 7,
        QualityClass::EstimatedProfile => 8,
        QualityClass::Substituted => 9,
        QualityClass::Projected => 10,
        QualityClass::Questionable => 11,
        QualityClass::Missing => 12,
    }
}

/// The worse of two qualities, with the flags of both.
pub fn worst(a: Quality, b: Quality) -> Quality {
    let flags = (a.byte() | b.byte()) & 0xF0;
    let class = if rank(a.class()) >= rank(b.class()) { a.class() } else { b.class() };
    Quality::new(class).with(flags)
}

/// One computation: what is read once is not read again.
struct Computer<'a> {
    mdm: &'a Mdm,
    read: &'a Read,
    day: &'a LocalDay,
    when: AsOf,
    formulas: Formulas,
    inputs: BTreeMap<ChannelId, Series>,
}

impl Computer<'_> {
    /// What was read of each channel, each once.
    fn versions(&self) -> Vec<InputVersion> {
        let version = |(channel, series): (&ChannelId, &Series)| InputVersion {
            channel: *channel,
            version: series.version,
        };
        self.inputs.iter().map(version).collect()
    }

    fn series(&mut self, id: SeriesId, depth: usize) -> Result<Option<Series>, MdmError> {
        match id {
            SeriesId::Channel(channel) => self.channel(channel),
            SeriesId::Virtual(id) => {
                let known_at = match self.when {
                    AsOf::At(at) => Some(at),
                    AsOf::Latest | AsOf::Bill(_) | AsOf::Version(_) => None,
                };
                let one = self.formulas.get(&id).and_then(|one| one.known(self.day.date(), known_at));
                let Some(formula) = one.and_then(|one| one.is.clone()) else { return Ok(None) };
                if depth == 0 { Ok(None) } else { self.formula(&formula, depth - 1) }
            }
        }
    }

    fn channel(&mut self, channel: ChannelId) -> Result<Option<Series>, MdmError> {
        if let Some(series) = self.inputs.get(&channel) {
            return Ok(Some(series.clone()));
        }
        let known = match self.mdm.catalogue().by_id(channel) {
            Some(entry) => Some(entry.channel),
            None => self.read.channel_by_id(channel)?,
        };
        let Some(known) = known else { return Ok(None) };
        let interval = known.interval;
        let mut series = Series {
            kind: known.kind,
            interval,
            version: 0,
            sealed: false,
            slots: vec![(0, Quality::MISSING); self.day.intervals(interval)],
        };
        if let Some(stored) = as_of(self.read, channel, self.day.date(), self.when)? {
            series.version = stored.block.version;
            series.sealed = stored.sealed;
            series.interval = stored.block.interval;
            series.slots = stored.block.values.into_iter().zip(stored.block.quality).collect();
        }
        self.inputs.insert(channel, series.clone());
        Ok(Some(series))
    }

    fn formula(&mut self, formula: &Formula, depth: usize) -> Result<Option<Series>, MdmError> {
        let mut parts = Vec::with_capacity(formula.terms.len());
        for term in &formula.terms {
            let Some(series) = self.series(term.input, depth)? else { return Ok(None) };
            parts.push((*term, series));
        }
        let longest = parts.iter().map(|(_, series)| series.interval).max_by_key(|interval| interval.secs());
        let (Some(interval), Some(common)) = (longest, common_denominator(&formula.terms)) else {
            return Ok(None);
        };
        let count = self.day.intervals(interval);
        let additive = formula.kind.is_additive();
        let parts: Vec<(i128, Vec<(i64, Quality)>)> = parts
            .iter()
            .map(|(term, series)| {
                let factor =
                    i128::from(term.factor.numerator()) * (common / i128::from(term.factor.denominator()));
                (factor, on_grid(series, interval, count, additive))
            })
            .collect();
        let value = |slot: usize| {
            let inputs = parts.iter().map(|(factor, slots)| (*factor, slots[slot]));
            combine(inputs, common, formula.when_missing)
        };
        let version = self.inputs.values().map(|series| series.version).max().unwrap_or(0);
        let sealed = self.inputs.values().all(|series| series.sealed);
        let slots = (0..count).map(value).collect();
        Ok(Some(Series { kind: formula.kind, interval, version, sealed, slots }))
    }
}

/// A series in intervals of `interval`. Shorter ones are added up; averages of shorter ones are not made, and a series that
/// does not fit is missing.
fn on_grid(series: &Series, interval: IntervalLength, count: usize, additive: bool) -> Vec<(i64, Quality)> {
    if series.interval == interval && series.slots.len() == count {
        return series.slots.clone();
    }
    let step = usize::try_from(interval.secs() / series.interval.secs().max(1)).unwrap_or(1).max(1);
    let divides = interval.secs().is_multiple_of(series.interval.secs());
    if !additive || !divides || series.slots.len() != count * step {
        return vec![(0, Quality::MISSING); count];
    }
    let whole = |part: &[(i64, Quality)]| {
        let quality = part.iter().map(|(_, quality)| *quality).reduce(worst).unwrap_or(Quality::MISSING);
        let sum = part.iter().fold(0i64, |sum, (value, _)| sum.saturating_add(*value));
        if quality.is_missing() { (0, Quality::MISSING) } else { (sum, quality) }
    };
    series.slots.chunks(step).map(whole).collect()
}

fn combine(
    inputs: impl Iterator<Item = (i128, (i64, Quality))>,
    common: i128,
    when_missing: WhenMissing,
) -> (i64, Quality) {
    let (mut sum, mut quality): (i128, Option<Quality>) = (0, None);
    let mut any_missing = false;
    for (factor, (value, of_input)) in inputs {
        if of_input.is_missing() {
            any_missing = true;
            continue;
        }
        sum = sum.saturating_add(factor.saturating_mul(i128::from(value)));
        quality = Some(quality.map_or(of_input, |quality| worst(quality, of_input)));
    }
    match (quality, any_missing, when_missing) {
        (Some(quality), false, _) => (ratio::rounded(sum, common), quality),
        (Some(quality), true, WhenMissing::Zero) => {
            let doubtful = worst(quality, Quality::new(QualityClass::Questionable));
            (ratio::rounded(sum, common), doubtful)
        }
        _ => (0, Quality::MISSING),
    }
}

impl Mdm {
    /// A day of a virtual channel from the formula in force on that day and the versions of its inputs that are meant;
    /// `None` for one that is not there on that day. As of an instant the formula is the one that was known then.
    ///
    /// # Errors
    /// What the store says.
    pub fn virtual_day(&self, id: VirtualId, date: Date, when: AsOf) -> Result<Option<VirtualDay>, MdmError> {
        self.computed(SeriesId::Virtual(id), date, when)
    }

    /// A day of any series, read or computed, in one form.
    ///
    /// # Errors
    /// What the store says.
    pub fn series(&self, id: SeriesId, date: Date, when: AsOf) -> Result<Option<Series>, MdmError> {
        Ok(self.computed(id, date, when)?.map(|day| day.series))
    }

    /// A day of a formula that is not saved: what it would give.
    ///
    /// # Errors
    /// What the store says. A refusal is a value.
    pub fn try_formula(
        &self,
        formula: &Formula,
        date: Date,
    ) -> Result<Result<VirtualDay, VirtualRefused>, MdmError> {
        let day = self.local_day(date)?;
        self.store().read(|read| {
            let (formulas, when) = (all(read)?, AsOf::Latest);
            if let Err(refused) = self.fits(read, &formulas, ("", date), formula)? {
                return Ok(Err(refused));
            }
            let mut computer =
                Computer { mdm: self, read, day: &day, when, formulas, inputs: BTreeMap::new() };
            let series = computer.formula(formula, DEEPEST)?;
            let (inputs, day) = (computer.versions(), day.clone());
            let unknown = || VirtualRefused::UnknownInput(formula.terms[0].input);
            Ok(series.map(|series| VirtualDay { series, inputs, day }).ok_or_else(unknown))
        })
    }

    fn computed(&self, id: SeriesId, date: Date, when: AsOf) -> Result<Option<VirtualDay>, MdmError> {
        let day = self.local_day(date)?;
        self.store().read(|read| {
            let formulas = all(read)?;
            let inputs = BTreeMap::new();
            let mut computer = Computer { mdm: self, read, day: &day, when, formulas, inputs };
            let Some(series) = computer.series(id, DEEPEST)? else { return Ok(None) };
            let inputs = computer.versions();
            Ok(Some(VirtualDay { series, inputs, day: day.clone() }))
        })
    }
}
