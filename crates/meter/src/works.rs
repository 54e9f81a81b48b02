//! The works of a meter: clock, registers, profiles, log, relay. Protocol is elsewhere.

mod happen;
mod pass;

use crate::clock::Clock;
use crate::fault::Fault;
use crate::feed::Feed;
use crate::image::Image;
use crate::model_file::{MeterModel, Supply};
use crate::push::Due;
use crate::registers::Registers;
use crate::relay::{Limiter, Relay};
use crate::rows::{DailyRow, EventRow, IntervalRow, Rows};
use crate::stamp::Stamps;
use dlms::Obis;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{LocalDay, Serial};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// The interval that is being measured.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    /// Its end by the meter's clock, Unix seconds.
    end_s: i64,
    /// Rate in force, 1 to 4.
    rate: u8,
    status: u8,
    delivered: u64,
    received: u64,
    /// Voltage times time, and the time.
    mv_ms: i64,
    voltage_ms: i64,
    /// How long the meter was alive.
    alive_ms: i64,
}

/// What truly flowed, whatever was measured of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// To the customer, mWh or millilitres.
    pub delivered_milli: i64,
    /// From the customer, mWh.
    pub received_milli: i64,
}

#[derive(Debug)]
pub(crate) struct Works {
    pub(crate) model: Arc<MeterModel>,
    pub(crate) serial: Serial,
    pub(crate) zone: TimeZone,
    pub(crate) clock: Clock,
    /// True time reached, Unix milliseconds.
    pub(crate) at_ms: i64,
    installed_ms: i64,
    plan: Feed,
    pub(crate) powered: bool,
    /// True time of the last power failure.
    pub(crate) failed_ms: i64,
    pub(crate) registers: Registers,
    pub(crate) truth: Truth,
    open: Open,
    boundary_ms: i64,
    midnight_s: i64,
    midnight_ms: i64,
    last_daily_s: i64,
    pub(crate) load: Rows,
    pub(crate) daily: Rows,
    pub(crate) log: Rows,
    pub(crate) event_number: u32,
    pub(crate) alarms: u32,
    pub(crate) power_failures: u32,
    pub(crate) relay: Relay,
    pub(crate) limiter: Limiter,
    sagging: bool,
    swelling: bool,
    battery_low: bool,
    pub(crate) faults: Box<[Fault]>,
    /// Faults up to this instant have struck.
    struck_ms: i64,
    /// A cover that will be closed again.
    cover_closes_ms: Option<i64>,
    /// Nobody answers before.
    pub(crate) silent_until_ms: i64,
    /// A battery meter listens until then.
    pub(crate) awake_until_ms: i64,
    /// Place of this meter in the spread of its fleet, parts of 65,536.
    pub(crate) spread: u16,
    pub(crate) due: VecDeque<Due>,
    pub(crate) lose_sessions: bool,
    pub(crate) counter_falls: bool,
    pub(crate) image: Option<Box<Image>>,
    pub(crate) firmware: Option<Box<str>>,
    pub(crate) scratch: BTreeMap<Obis, Vec<u8>>,
    last_login_event_ms: i64,
}

impl Works {
    pub(crate) fn new(
        model: Arc<MeterModel>,
        serial: Serial,
        zone: TimeZone,
        installed: Timestamp,
        faults: Vec<Fault>,
        spread: u16,
        start: Timestamp,
    ) -> Self {
        let (load_width, daily_width) = if model.is_electric() {
            (IntervalRow::ELECTRIC, DailyRow::ELECTRIC)
        } else {
            (IntervalRow::VOLUME, DailyRow::VOLUME)
        };
        let at_ms = start.as_millisecond();
        let drift_ppm = faults.iter().find_map(|fault| match fault {
            Fault::ClockDrift { ppm } => Some(*ppm),
            _ => None,
        });
        let mut works = Self {
            load: Rows::new(load_width, model.load_profile.capacity()),
            daily: Rows::new(daily_width, model.daily_profile.days),
            log: Rows::new(EventRow::WIDTH, model.event_log.entries),
            relay: Relay::new(model.relay.map_or(0, |relay| relay.control_mode)),
            clock: Clock::new(at_ms, i64::from(drift_ppm.unwrap_or(0)) * 1000),
            model,
            serial,
            zone,
            at_ms,
            installed_ms: installed.as_millisecond(),
            plan: Feed::nothing(start),
            powered: true,
            failed_ms: 0,
            registers: Registers::default(),
            truth: Truth::default(),
            open: Open::default(),
            boundary_ms: 0,
            midnight_s: 0,
            midnight_ms: 0,
            last_daily_s: 0,
            event_number: 0,
            alarms: 0,
            power_failures: 0,
            limiter: Limiter { over_s: 60, ..Limiter::default() },
            sagging: false,
            swelling: false,
            battery_low: false,
            faults: faults.into_boxed_slice(),
            struck_ms: at_ms - 1,
            cover_closes_ms: None,
            silent_until_ms: i64::MIN,
            awake_until_ms: i64::MIN,
            spread,
            due: VecDeque::new(),
            lose_sessions: false,
            counter_falls: false,
            image: None,
            firmware: None,
            scratch: BTreeMap::new(),
            last_login_event_ms: i64::MIN,
        };
        works.start_interval(0);
        works.find_midnight();
        works
    }

    /// What the meter's clock shows now, Unix milliseconds.
    pub(crate) fn shown_ms(&self) -> i64 {
        self.clock.shows(self.at_ms)
    }

    pub(crate) fn interval_s(&self) -> i64 {
        i64::from(self.model.load_profile.interval_s)
    }

    pub(crate) fn stamps(&self) -> Stamps<'_> {
        Stamps { zone: &self.zone, east_positive: self.model.quirks.deviation_east_positive }
    }

    /// Whether nothing can come in or go out.
    pub(crate) fn has_dead_radio(&self) -> bool {
        let dead =
            |fault: &Fault| matches!(fault, Fault::DeadRadio { from } if from.as_millisecond() <= self.at_ms);
        self.faults.iter().any(dead)
    }

    /// Whether the processor runs and can listen or speak.
    pub(crate) fn is_awake(&self) -> bool {
        let dead = self.has_dead_radio();
        let listens = match self.model.supply {
            Supply::Mains { .. } => self.powered,
            Supply::Battery { .. } => self.at_ms <= self.awake_until_ms,
        };
        listens && !dead && self.at_ms >= self.silent_until_ms
    }

    /// How many a profile's scalers are off.
    pub(crate) fn scaler_fault(&self) -> i8 {
        let wrong = self.faults.iter().find_map(|fault| match fault {
            Fault::WrongScaler { by } => Some(*by),
            _ => None,
        });
        wrong.unwrap_or(0)
    }

    /// Remaining life of the battery, percent.
    pub(crate) fn battery_percent(&self) -> u8 {
        let Supply::Battery { life_days, .. } = self.model.supply else { return 100 };
        let used_days = (self.at_ms - self.installed_ms).max(0) / 86_400_000;
        let used = used_days * 100 / i64::from(life_days.max(1));
        u8::try_from((100 - used).clamp(0, 100)).unwrap_or(0)
    }

    /// Power both ways now, W, as the meter sees it.
    pub(crate) fn power_w(&self) -> (i64, i64) {
        if self.powered && self.relay.closed { self.plan.power_w(self.at_ms) } else { (0, 0) }
    }

    /// Voltage now, mV.
    pub(crate) fn voltage_mv(&self) -> i64 {
        if self.powered { self.plan.voltage.mv().max(0) } else { 0 }
    }

    /// Current now, mA, at unity power factor.
    pub(crate) fn current_ma(&self) -> i64 {
        let ((import, export), mv) = (self.power_w(), self.voltage_mv());
        if mv == 0 { 0 } else { (import - export).abs().saturating_mul(1_000_000) / mv }
    }

    /// The last complete interval.
    pub(crate) fn last_row(&self) -> Option<IntervalRow> {
        let bytes = self.load.iter().next_back()?;
        Some(IntervalRow::unpack(bytes, self.model.load_profile.interval_s))
    }

    /// The instant of the next local midnight by the meter's clock.
    fn find_midnight(&mut self) {
        let shown_s = self.shown_ms().div_euclid(1000);
        let at = Timestamp::from_second(shown_s).unwrap_or(Timestamp::UNIX_EPOCH);
        let next = LocalDay::containing(at, &self.zone).and_then(|day| {
            let again = day.end().as_second() == self.last_daily_s;
            if again { day.next() } else { Ok(day) }
        });
        self.midnight_s = next.map_or(i64::MAX / 2000, |day| day.end().as_second());
        self.midnight_ms = self.clock.when_shows(self.midnight_s * 1000);
    }
}
