//! Clock (8), script table (9), special days (11).

use crate::{Data, Obis};

enumeration! {
    /// What drives a clock.
    ClockBase {
        /// Not defined.
        NotDefined = 0,
        /// A crystal inside.
        InternalCrystal = 1,
        /// The mains at 50 Hz.
        Mains50 = 2,
        /// The mains at 60 Hz.
        Mains60 = 3,
        /// A satellite.
        Gps = 4,
        /// A radio time signal.
        Radio = 5,
    }
}

class! {
    /// Time of day. Methods adjust it: 1 to the quarter hour, 2 to the period, 3 to the minute, 4 to a preset time,
    /// 5 presets one, 6 shifts by seconds.
    Clock = 8 version 0 {
        /// Local time: COSEM date-time.
        2 time: [u8; 12],
        /// Minutes from local time to UTC, as the meter writes it.
        3 time_zone: i16,
        /// Clock status bits: 1 invalid, 2 doubtful, 4 another base, 8 invalid status, 128 daylight saving.
        4 status: u8,
        /// When daylight saving begins: COSEM date-time with wildcards.
        5 daylight_savings_begin: [u8; 12],
        /// When it ends.
        6 daylight_savings_end: [u8; 12],
        /// Minutes that it adds.
        7 daylight_savings_deviation: i8,
        /// Whether it is used.
        8 daylight_savings_enabled: bool,
        /// What drives the clock.
        9 clock_base: ClockBase,
    }
}

enumeration! {
    /// What a step of a script does.
    ScriptService {
        /// Writes an attribute.
        Write = 1,
        /// Calls a method.
        Execute = 2,
    }
}

structure! {
    /// One step of a script.
    ScriptAction {
        /// Write or call.
        service: ScriptService,
        /// Interface class of the target.
        class: u16,
        /// The target.
        object: Obis,
        /// Its attribute or method.
        index: i8,
        /// What is written or passed.
        parameter: Data,
    }
}

structure! {
    /// Steps done one after another.
    Script {
        /// By which it is called; never 0.
        id: u16,
        /// The steps.
        actions: Vec<ScriptAction>,
    }
}

class! {
    /// Scripts. Method 1 runs the one whose id is passed.
    ScriptTable = 9 version 0 {
        /// All of them.
        2 scripts: Vec<Script>,
    }
}

structure! {
    /// A day with a day profile of its own.
    SpecialDay {
        /// By which it is deleted.
        index: u16,
        /// The date, wildcards allowed: COSEM date.
        date: [u8; 5],
        /// The day profile of the activity calendar.
        day_id: u8,
    }
}

class! {
    /// Days that differ from the calendar. Method 1 inserts one, method 2 deletes one by its index.
    SpecialDays = 11 version 0 {
        /// All of them.
        2 entries: Vec<SpecialDay>,
    }
}
