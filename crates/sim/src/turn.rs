//! The loop: virtual time jumps from one thing to do to the next.

use crate::SimConfig;
use crate::chaos::{self, Agenda, Blow};
use crate::check;
use crate::dice::Dice;
use crate::report::{Report, Tally};
use crate::utility::{Disk, Utility, found};
use crate::wires::Wires;
use crate::witness::Witness;
use anyhow::Context;
use headend::{HeadEndEvent, Metrics};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use model::command::Action;
use model::{CommandId, MeterId, UserId};
use operations::{Desk, Person, Role, Settlement};
use territory::Territory;

/// How often holes are looked for and days are closed.
const CHORES: SignedDuration = SignedDuration::from_hours(1);
/// Quiet time after the judged days: the grace of the rules, and room to read what was left over.
const QUIET: SignedDuration = SignedDuration::from_hours(9);
/// Rounds at one instant after which time is said to stand still.
const STANDSTILL: u32 = 200_000;

/// A utility, its territory, and the time.
#[derive(Debug)]
pub(crate) struct Simulation {
    pub(crate) config: SimConfig,
    pub(crate) first_day: Date,
    now: Timestamp,
    end: Timestamp,
    pub(crate) territory: Territory,
    disk: Disk,
    pub(crate) utility: Option<Utility>,
    wires: Wires,
    agenda: Agenda,
    pub(crate) witness: Witness,
    dice: Dice,
    /// What the head-end said and the store has not been told, and when it will be.
    pending: Vec<HeadEndEvent>,
    settle_at: Option<Timestamp>,
    chores_at: Timestamp,
    commands: Vec<CommandId>,
    tally: Tally,
    violations: Vec<String>,
}

impl Simulation {
    pub(crate) fn new(config: &SimConfig, first_day: Date, start: Timestamp) -> anyhow::Result<Self> {
        let scenario = chaos::scattered(&config.scenario, &mut Dice::new(config.seed, 4), config.days);
        let territory = Territory::build(&scenario, config.seed, start)?;
        let last = first_day.checked_add(i64::from(config.days).days()).context("count the days")?;
        let zone = jiff::tz::TimeZone::get(&territory.registry().zone)?;
        let end = last.to_zoned(zone)?.timestamp() + QUIET;
        let disk = Disk::new()?;
        found(&disk, territory.registry(), start)?;
        let utility = Utility::start(&disk, config.seed, start)?;
        let mut dice = Dice::new(config.seed, 3);
        Ok(Self {
            config: config.clone(),
            first_day,
            now: start,
            end,
            territory,
            disk,
            utility: Some(utility),
            wires: Wires::new(config.seed),
            agenda: Agenda::draw(&mut dice, start, config.days),
            witness: Witness::default(),
            dice,
            pending: Vec::new(),
            settle_at: None,
            chores_at: start + CHORES,
            commands: Vec::new(),
            tally: Tally::default(),
            violations: Vec::new(),
        })
    }

    /// Runs to the end, or until a fact is violated.
    pub(crate) fn run(&mut self) -> anyhow::Result<()> {
        let mut rounds = 0;
        while self.now < self.end && self.violations.is_empty() {
            self.turn()?;
            let next = self.next_at().min(self.end);
            if next > self.now {
                self.now = next;
                rounds = 0;
            } else {
                rounds += 1;
                anyhow::ensure!(rounds < STANDSTILL, "time stands still at {}", self.now);
            }
        }
        if self.utility.is_none() {
            self.start_again()?;
        }
        self.settle()?;
        self.chores()
    }

    /// Does everything that is to be done at this instant.
    fn turn(&mut self) -> anyhow::Result<()> {
        self.territory.advance(self.now);
        if let Some(utility) = &mut self.utility {
            utility.head_end.handle_timeout(self.now);
        }
        while let Some(blow) = self.agenda.due(self.now) {
            self.strike(blow)?;
        }
        self.carry();
        if self.settle_at.is_some_and(|at| at <= self.now) {
            self.settle()?;
            self.carry();
        }
        if self.chores_at <= self.now {
            self.chores_at = self.now + CHORES;
            self.chores()?;
            self.carry();
        }
        Ok(())
    }

    /// Moves bytes until nothing moves any more at this instant, and collects what the head-end says.
    fn carry(&mut self) {
        let mut moved = true;
        while moved {
            let head_end = self.utility.as_mut().map(|utility| &mut utility.head_end);
            moved = self.wires.carry(self.now, head_end, &mut self.territory);
            if let Some(utility) = &mut self.utility {
                while let Some(event) = utility.head_end.poll_event() {
                    self.pending.push(event);
                    moved = true;
                }
            }
        }
        if self.settle_at.is_none() && !self.pending.is_empty() {
            // The storage thread is at work elsewhere, or the disk is slow.
            let delay = if self.dice.once_in(20) { 5_000 } else { 300 };
            let delay = i64::try_from(1 + self.dice.below(delay)).unwrap_or(1);
            self.settle_at = Some(self.now + SignedDuration::from_millis(delay));
        }
        self.violations.append(&mut self.wires.violations);
    }

    fn next_at(&self) -> Timestamp {
        let head_end = self.utility.as_ref().and_then(|utility| utility.head_end.poll_timeout());
        let due = [self.territory.poll_timeout(), head_end, self.settle_at, self.agenda.next_at()];
        due.into_iter().flatten().fold(self.chores_at, Timestamp::min)
    }

    /// Has the store keep what is pending, and tells the head-end.
    fn settle(&mut self) -> anyhow::Result<()> {
        self.settle_at = None;
        let Some(utility) = &mut self.utility else { return Ok(()) };
        let events = core::mem::take(&mut self.pending);
        if events.is_empty() {
            return Ok(());
        }
        let settlement = utility.duty.settle(self.now, &events)?;
        self.witness.acknowledged(&events);
        settlement.apply(self.now, &mut utility.head_end);
        Ok(())
    }

    fn chores(&mut self) -> anyhow::Result<()> {
        if let Some(utility) = &mut self.utility {
            utility.duty.chores(self.now)?.apply(self.now, &mut utility.head_end);
        }
        Ok(())
    }

    fn strike(&mut self, blow: Blow) -> anyhow::Result<()> {
        match blow {
            Blow::Kill => {
                if self.utility.is_some() {
                    self.kill()?;
                    let down = i64::try_from(1 + self.dice.below(1800)).unwrap_or(1);
                    self.agenda.add(self.now + SignedDuration::from_secs(down), Blow::Start);
                }
            }
            Blow::Start => self.start_again()?,
            Blow::Cut => {
                if let Some(utility) = &mut self.utility {
                    let cut = self.wires.cut(self.now, &mut utility.head_end, &mut self.territory);
                    self.tally.cuts += u64::from(cut);
                }
            }
            Blow::Order => self.order()?,
        }
        Ok(())
    }

    /// Nothing that was not written survives; what was written is frozen as it stands.
    fn kill(&mut self) -> anyhow::Result<()> {
        self.tally.kills += 1;
        if let Some(utility) = &self.utility {
            let Metrics { visits, pushes, .. } = *utility.head_end.metrics();
            self.tally.visits += visits;
            self.tally.pushes += pushes;
        }
        self.disk.freeze()?;
        self.utility = None;
        self.pending.clear();
        self.settle_at = None;
        self.wires.all_gone(&mut self.territory);
        Ok(())
    }

    fn start_again(&mut self) -> anyhow::Result<()> {
        let utility = Utility::start(&self.disk, self.config.seed, self.now)?;
        self.violations.extend(self.witness.prove(&utility.store)?);
        self.utility = Some(utility);
        Ok(())
    }

    /// A person orders something, through the desk as from a page.
    fn order(&mut self) -> anyhow::Result<()> {
        let Some(utility) = &mut self.utility else { return Ok(()) };
        let person = Person {
            id: UserId::new(1),
            name: "Operator".to_owned(),
            role: Role::MeterOperator,
            service_points: Vec::new(),
        };
        let meters = self.territory.registry().meters.len();
        let meter = MeterId::new(u32::try_from(self.dice.index(meters) + 1).unwrap_or(1));
        let action = match self.dice.below(3) {
            0 => Action::Ping,
            1 => Action::ReadRegisters,
            _ => Action::ReadProfile { from: self.now - SignedDuration::from_hours(3), to: self.now },
        };
        let desk = Desk::new(utility.store.clone());
        let id = desk.request_command(self.now, &person, meter, action, "simulation")?;
        self.commands.push(id);
        self.tally.commands += 1;
        let commands = utility.duty.orders(self.now)?;
        Settlement { commands, ..Settlement::default() }.apply(self.now, &mut utility.head_end);
        Ok(())
    }

    /// Looks at everything once more, as an auditor would.
    pub(crate) fn judge(&mut self) -> anyhow::Result<Report> {
        let utility = self.utility.as_ref().context("find the utility running at the end")?;
        let mut violations = self.violations.clone();
        let Metrics { visits, pushes, .. } = *utility.head_end.metrics();
        let mut tally = Tally {
            acknowledged: self.witness.count(),
            counters: self.wires.watch.seen,
            visits: self.tally.visits + visits,
            pushes: self.tally.pushes + pushes,
            ..self.tally.clone()
        };
        if violations.is_empty() {
            self.witness.doubt();
            violations.extend(self.witness.prove(&utility.store)?);
            let scope = check::Scope {
                territory: &self.territory,
                store: &utility.store,
                mdm: &utility.mdm,
                scenario: &self.config.scenario,
                first_day: self.first_day,
                days: self.config.days,
                commands: &self.commands,
            };
            violations.extend(check::everything(&scope, &mut tally)?);
        }
        Ok(Report {
            scenario: self.config.scenario.name.clone(),
            seed: self.config.seed,
            days: self.config.days,
            first_day: self.first_day.to_string(),
            meters: self.territory.registry().meters.len(),
            tally,
            violations,
        })
    }
}
