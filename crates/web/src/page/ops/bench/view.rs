//! What the editing bench shows, as formatted text. The templates beside it hold no rules.

use crate::ui::{Chip, Icon, Tone};
use maud::Markup;

/// One thing a rule found.
#[derive(Clone, Debug)]
pub(crate) struct FindingRow {
    /// How grave, as a colour, a sign and a word.
    pub(crate) severity: (Tone, Icon, &'static str),
    /// The rule's name.
    pub(crate) rule: String,
    /// What it found, with the numbers.
    pub(crate) sentence: String,
    /// The intervals, as times.
    pub(crate) span: String,
    /// The bench with these intervals chosen.
    pub(crate) href: String,
    /// Where the case stands, when somebody has dealt with it.
    pub(crate) state: Option<String>,
}

/// The registers on both sides of the day, or of a part of it.
#[derive(Clone, Debug)]
pub(crate) struct Bracket {
    /// Which part of the day lies between the reads.
    pub(crate) span: String,
    /// The earlier read and its time.
    pub(crate) from: (String, String),
    /// The later read and its time.
    pub(crate) to: (String, String),
    /// By how much the register moved.
    pub(crate) advance: String,
    /// What the intervals add up to.
    pub(crate) sum: String,
    /// The difference, and what to think of it.
    pub(crate) verdict: (Tone, Icon, String),
}

/// What one method makes of the chosen intervals.
#[derive(Clone, Debug)]
pub(crate) struct CandidateColumn {
    /// The method in words.
    pub(crate) name: String,
    /// Why it applies or does not.
    pub(crate) why: String,
    /// One value a row, in the order of the chosen intervals; empty when it does not apply.
    pub(crate) values: Vec<String>,
    /// What they add up to, with the unit.
    pub(crate) total: String,
    /// The bench with this estimate as a preview; `None` when it does not apply.
    pub(crate) choose: Option<String>,
    /// Whether it is the preview now.
    pub(crate) chosen: bool,
}

/// The chosen intervals.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    /// `14:00 – 15:00, 4 intervals`
    pub(crate) span: String,
    /// The times of the rows that compare the candidates.
    pub(crate) times: Vec<String>,
    /// Whether a row is an hour, not an interval.
    pub(crate) by_hour: bool,
}

/// What the operation form holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    /// First interval, as the form writes it.
    pub(crate) from: String,
    /// End, exclusive, as the form writes it.
    pub(crate) to: String,
    /// Up to when intervals are over, on a day that is not.
    pub(crate) until: Option<String>,
    /// The operation's name in addresses.
    pub(crate) operation: String,
    /// The value of `set`.
    pub(crate) value: String,
    /// The value of `add`.
    pub(crate) plus: String,
    /// The factor of `scale`, percent.
    pub(crate) percent: String,
    /// The day of `copy`.
    pub(crate) day: String,
    /// The method of `estimate`.
    pub(crate) method: String,
    /// The methods that there are: name in addresses, words.
    pub(crate) methods: Vec<(String, String)>,
    /// Every time of a day on which an hour happens twice; empty on other days.
    pub(crate) times: Vec<String>,
    /// The start of every interval and the end of the last, as the form writes them, for the chart.
    pub(crate) marks: Vec<String>,
    /// Unit of values.
    pub(crate) unit: &'static str,
    /// Seconds of one interval.
    pub(crate) step_secs: u32,
}

/// One interval of a preview.
#[derive(Clone, Debug)]
pub(crate) struct DiffRow {
    /// Its time.
    pub(crate) time: String,
    /// As read.
    pub(crate) raw: String,
    /// As it stands.
    pub(crate) before: String,
    /// As it would be.
    pub(crate) after: String,
    /// The quality now and then.
    pub(crate) quality: (String, String),
    /// Whether the value itself changes.
    pub(crate) changed: bool,
}

/// What an operation would do.
#[derive(Clone, Debug)]
pub(crate) struct Preview {
    /// One sentence: what, on how many intervals, from which total to which.
    pub(crate) sentence: String,
    /// The intervals that it touches.
    pub(crate) rows: Vec<DiffRow>,
    /// How many it touches beyond those listed.
    pub(crate) more: usize,
    /// What the registers say of the result.
    pub(crate) check: Option<(Tone, Icon, String)>,
    /// Other consequences, such as bills that used the day.
    pub(crate) notes: Vec<String>,
    /// The fields that the confirming form repeats.
    pub(crate) fields: Vec<(&'static str, String)>,
}

/// One version of the day.
#[derive(Clone, Debug)]
pub(crate) struct VersionRow {
    /// Its number.
    pub(crate) number: u32,
    /// How it came about.
    pub(crate) what: String,
    /// Who made it.
    pub(crate) who: String,
    /// Why, as they wrote.
    pub(crate) why: String,
    /// When.
    pub(crate) when: String,
    /// The rule set it was judged by, short.
    pub(crate) rules: String,
    /// The bench with this version compared with the one before it.
    pub(crate) compare: Option<String>,
    /// The bench with the undoing of this version as a preview.
    pub(crate) undo: Option<String>,
    /// Whether it stands.
    pub(crate) current: bool,
}

/// Two versions beside each other.
#[derive(Clone, Debug)]
pub(crate) struct Compare {
    /// `Version 1 and version 2`
    pub(crate) title: String,
    /// How many intervals differ, and by how much in total.
    pub(crate) sentence: String,
    /// The intervals that differ; `before` is the earlier version, `after` the later one.
    pub(crate) rows: Vec<DiffRow>,
}

/// Everything the page shows.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// Number of the meter in the system.
    pub(crate) meter: u32,
    /// The same as data.
    pub(crate) api: String,
    /// Its serial number.
    pub(crate) serial: String,
    /// Address and customer.
    pub(crate) place: String,
    /// The day, as in addresses.
    pub(crate) date: String,
    /// The day in words.
    pub(crate) title: String,
    /// What the clock did on that day, when it did something.
    pub(crate) clock: Option<String>,
    /// Address of the bench with nothing chosen.
    pub(crate) here: String,
    /// The channel, as in addresses.
    pub(crate) channel: String,
    /// The meter's channels.
    pub(crate) channels: Vec<Chip>,
    /// The day before and after.
    pub(crate) steps: (Option<String>, Option<String>),
    /// The exception before and after in the queue.
    pub(crate) queue: (Option<String>, Option<String>),
    /// What just happened, after an edit.
    pub(crate) done: Option<String>,
    /// The day's chart, or why there is none.
    pub(crate) chart: Result<Markup, String>,
    /// Its parts of the day.
    pub(crate) zoom: Vec<Chip>,
    /// The week around the day.
    pub(crate) week: Markup,
    /// Name, value and note.
    pub(crate) facts: Vec<(&'static str, String, String)>,
    /// What the rules found.
    pub(crate) findings: Vec<FindingRow>,
    /// The registers around the day.
    pub(crate) brackets: Vec<Bracket>,
    /// The chosen intervals.
    pub(crate) selection: Option<Selection>,
    /// What each method makes of them.
    pub(crate) candidates: Vec<CandidateColumn>,
    /// The operation form; `None` for those who may only look.
    pub(crate) form: Option<Form>,
    /// What the operation would do, or why it cannot be done.
    pub(crate) preview: Option<Result<Preview, String>>,
    /// The reason codes: name in addresses, words.
    pub(crate) reasons: Vec<(String, String)>,
    /// Who may edit, for those who may not.
    pub(crate) only: String,
    /// The versions, newest first.
    pub(crate) versions: Vec<VersionRow>,
    /// Two of them beside each other.
    pub(crate) compare: Option<Compare>,
    /// The other channels of the day: name and chart.
    pub(crate) siblings: Vec<(String, Markup)>,
    /// The whole day as a table, when it is asked for: it is as long as the day has intervals.
    pub(crate) table: Option<Markup>,
    /// The bench with that table.
    pub(crate) table_href: String,
}
