//! Time passes: energy flows, intervals close, days end.

use super::{Open, Works};
use crate::fault::Fault;
use crate::feed::Feed;
use crate::model_file::{PushPlan, Supply};
use crate::push::{Due, DueKind};
use crate::quantity::Direction;
use crate::rows::{DailyRow, IntervalRow};
use jiff::Timestamp;
use model::EventKind;
use model::reading::status;

impl Works {
    /// Takes what will flow, or what has flowed, from its start on.
    pub(crate) fn feed(&mut self, feed: &Feed) {
        self.advance(feed.from);
        let late_ms = self.at_ms;
        self.plan = *feed;
        if feed.from.as_millisecond() < late_ms {
            self.measure(feed.from.as_millisecond(), late_ms);
        }
        self.watch_voltage();
        let (import_w, _) = self.power_w();
        self.limiter.watch(import_w, self.at_ms);
    }

    /// Lets time pass up to `to`; never back.
    pub(crate) fn advance(&mut self, to: Timestamp) {
        let to_ms = to.as_millisecond();
        while self.at_ms < to_ms {
            let next_ms = self.next_moment_ms().clamp(self.at_ms + 1, to_ms);
            self.flow(self.at_ms, next_ms);
            self.at_ms = next_ms;
            self.moment();
        }
    }

    /// The next instant at which something changes.
    fn next_moment_ms(&self) -> i64 {
        let plan_end = self.plan.to.as_millisecond();
        [
            Some(self.boundary_ms),
            Some(self.midnight_ms),
            (plan_end > self.at_ms).then_some(plan_end),
            self.next_cause_ms(),
        ]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(i64::MAX)
    }

    /// Instants at which the meter will owe a push without anybody's doing.
    pub(crate) fn next_cause_ms(&self) -> Option<i64> {
        let planned = match self.model.push {
            PushPlan::None => None,
            PushPlan::Daily { .. } => Some(self.midnight_ms),
            PushPlan::Interval { .. } => Some(self.boundary_ms),
        };
        let faults = self.faults.iter().filter_map(|fault| fault.strikes_at()).map(Timestamp::as_millisecond);
        let coming = faults.filter(|at| *at > self.struck_ms).min();
        [planned, coming, self.limiter.acts_at_ms(), self.cover_closes_ms].into_iter().flatten().min()
    }

    /// What is due at this instant, in the order in which a meter does it.
    fn moment(&mut self) {
        if self.at_ms >= self.boundary_ms {
            self.close_interval();
        }
        if self.at_ms >= self.midnight_ms {
            self.end_day();
        }
        if self.limiter.acts_at_ms().is_some_and(|at| self.at_ms >= at) {
            self.limiter.over_since_ms = None;
            if self.relay.closed && self.relay.disconnect() {
                self.note(EventKind::Disconnected);
            }
        }
        if self.cover_closes_ms.is_some_and(|at| self.at_ms >= at) {
            self.cover_closes_ms = None;
            self.note(EventKind::CoverClosed);
        }
        self.strike();
    }

    /// `[from_ms, to_ms)` passes without anything else changing.
    fn flow(&mut self, from_ms: i64, to_ms: i64) {
        if !self.powered && matches!(self.model.supply, Supply::Mains { .. }) {
            return;
        }
        let span = to_ms - from_ms;
        self.open.alive_ms += span;
        let mv = self.plan.voltage.mv();
        if mv > 0 {
            self.open.mv_ms = self.open.mv_ms.saturating_add(mv.saturating_mul(span));
            self.open.voltage_ms += span;
        }
        self.measure(from_ms, to_ms);
    }

    fn measure(&mut self, from_ms: i64, to_ms: i64) {
        if !self.powered || !self.relay.closed {
            return;
        }
        let (delivered, received) = self.plan.share(from_ms, to_ms);
        self.truth.delivered_milli += delivered;
        self.truth.received_milli += received;
        let (mut seen, mut stuck) = (delivered, false);
        for fault in &self.faults {
            match fault {
                Fault::Theft { from, measured_percent } if from.as_millisecond() <= from_ms => {
                    seen = seen * i64::from(*measured_percent) / 100;
                }
                Fault::StuckRegister { from } if from.as_millisecond() <= from_ms => stuck = true,
                _ => {}
            }
        }
        let rate = self.open.rate;
        self.open.delivered += self.registers.add(Direction::Delivered, rate, seen, stuck);
        self.open.received += self.registers.add(Direction::Received, rate, received, false);
    }

    /// Ends the open interval with an entry, unless the meter was dead all through it, and starts the next.
    ///
    /// **Interpretation:** meters differ in what they write after a power failure. This one writes the interval in
    /// which power failed and the one in which it came back, both with status power-fail and partial, and nothing
    /// for those between.
    fn close_interval(&mut self) {
        let end_s = self.open.end_s;
        self.write_interval(end_s);
        self.start_interval(0);
        if self.open.end_s <= end_s {
            self.open.end_s = end_s + self.interval_s();
            self.boundary_ms = self.clock.when_shows(self.open.end_s * 1000);
        }
        if self.powered
            && let PushPlan::Interval { spread_s } = self.model.push
        {
            let due_ms = self.at_ms + self.spread_ms(spread_s);
            self.owe(Due {
                at_ms: due_ms,
                kind: DueKind::Rows { after_s: end_s - self.interval_s(), to_s: end_s },
            });
        }
    }

    fn write_interval(&mut self, end_s: i64) {
        let open = self.open;
        let dead = open.alive_ms == 0 && open.delivered == 0 && open.received == 0;
        if dead {
            return;
        }
        let most = |value: u64| u32::try_from(value).unwrap_or(u32::MAX).min(IntervalRow::MOST);
        let (delivered, received) = (most(open.delivered), most(open.received));
        let average_dv = if open.voltage_ms == 0 { 0 } else { (open.mv_ms / open.voltage_ms + 50) / 100 };
        let dst = if self.stamps().is_dst(end_s) { status::DST } else { 0 };
        let row = IntervalRow {
            end_s,
            status: open.status | dst,
            delivered,
            received,
            voltage_dv: u16::try_from(average_dv).unwrap_or(u16::MAX),
        };
        row.push_to(&mut self.load, self.model.load_profile.interval_s);
        self.open.delivered -= u64::from(delivered);
        self.open.received -= u64::from(received);
    }

    /// Starts the interval that the clock is in; energy that did not fit the last one goes into it.
    pub(super) fn start_interval(&mut self, status: u8) {
        let interval_s = self.interval_s();
        let shown_s = self.shown_ms().div_euclid(1000);
        let start_s = shown_s.div_euclid(interval_s) * interval_s;
        let rate = self.model.tariff.as_ref().map_or(1, |tariff| tariff.rate(self.stamps().local(start_s)));
        self.open = Open {
            end_s: start_s + interval_s,
            rate,
            status,
            delivered: self.open.delivered,
            received: self.open.received,
            ..Open::default()
        };
        self.boundary_ms = self.clock.when_shows(self.open.end_s * 1000);
    }

    /// Writes the registers of midnight and makes the day's push ready.
    ///
    /// A meter without power writes them when power is back; they are the same then.
    fn end_day(&mut self) {
        let at_s = self.midnight_s;
        let (delivered, received) = self.registers.all(self.model.register_digits);
        DailyRow { at_s, delivered, received }.push_to(&mut self.daily);
        let day_s = if self.last_daily_s > 0 { at_s - self.last_daily_s } else { 86_400 };
        self.last_daily_s = at_s;
        self.find_midnight();
        if let PushPlan::Daily { spread_s } = self.model.push {
            let due_ms = self.at_ms + 60_000 + self.spread_ms(spread_s);
            let after_s = at_s - day_s.clamp(3600, 90_000);
            self.owe(Due { at_ms: due_ms, kind: DueKind::Rows { after_s, to_s: at_s } });
        }
        if !self.battery_low && self.battery_percent() < 10 {
            self.battery_low = true;
            self.note(EventKind::BatteryLow);
        }
    }

    /// This meter's place in a spread of `spread_s` seconds.
    pub(crate) fn spread_ms(&self, spread_s: u32) -> i64 {
        i64::from(spread_s) * 1000 * i64::from(self.spread) / 65_536
    }

    /// Makes the clock show something else.
    ///
    /// An interval whose length this changes by ten seconds or more is partial. A step ahead over a boundary ends
    /// the open interval there; a step back of less than an interval makes it longer; a longer step back starts
    /// an earlier interval again.
    pub(crate) fn set_clock(&mut self, shown_ms: i64) {
        let step_ms = shown_ms - self.shown_ms();
        self.clock.set(self.at_ms, shown_ms);
        let flags = status::CLOCK_SET | if step_ms.abs() >= 10_000 { status::PARTIAL } else { 0 };
        self.open.status |= flags;
        let (end_ms, interval_ms) = (self.open.end_s * 1000, self.interval_s() * 1000);
        if shown_ms >= end_ms || shown_ms < end_ms - 2 * interval_ms {
            let end_s = self.open.end_s;
            self.write_interval(end_s);
            self.start_interval(flags);
        } else {
            self.boundary_ms = self.clock.when_shows(end_ms);
        }
        self.find_midnight();
        self.note(EventKind::ClockSet);
    }

    /// Marks the open interval.
    pub(super) fn mark(&mut self, flags: u8) {
        self.open.status |= flags;
    }
}
