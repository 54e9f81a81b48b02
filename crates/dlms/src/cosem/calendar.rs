//! Activity calendar (20): which tariff runs when.

use super::Octets;
use crate::Obis;

structure! {
    /// A season: from its start on, weeks run by its week profile.
    Season {
        /// Its name.
        name: Octets,
        /// When it starts, wildcards allowed: COSEM date-time.
        start: [u8; 12],
        /// The name of its week profile.
        week: Octets,
    }
}

structure! {
    /// The day profiles of a week.
    Week {
        /// Its name.
        name: Octets,
        /// Day profile of Monday.
        monday: u8,
        /// Of Tuesday.
        tuesday: u8,
        /// Of Wednesday.
        wednesday: u8,
        /// Of Thursday.
        thursday: u8,
        /// Of Friday.
        friday: u8,
        /// Of Saturday.
        saturday: u8,
        /// Of Sunday.
        sunday: u8,
    }
}

structure! {
    /// From this time of day on a script's effect holds.
    DayAction {
        /// When: COSEM time.
        start: [u8; 4],
        /// The script table.
        script_table: Obis,
        /// The script in it.
        script: u16,
    }
}

structure! {
    /// What happens in a day.
    DayProfile {
        /// By which weeks and special days name it.
        day_id: u8,
        /// In order of time.
        schedule: Vec<DayAction>,
    }
}

class! {
    /// Which tariff runs when, and what will after the next activation. Method 1 activates the passive calendar.
    ActivityCalendar = 20 version 0 {
        /// Name of the calendar in force.
        2 name_active: Octets,
        /// Its seasons.
        3 seasons_active: Vec<Season>,
        /// Its weeks.
        4 weeks_active: Vec<Week>,
        /// Its days.
        5 days_active: Vec<DayProfile>,
        /// Name of the calendar to come.
        6 name_passive: Octets,
        /// Its seasons.
        7 seasons_passive: Vec<Season>,
        /// Its weeks.
        8 weeks_passive: Vec<Week>,
        /// Its days.
        9 days_passive: Vec<DayProfile>,
        /// When it comes into force: COSEM date-time.
        10 activate_passive_time: [u8; 12],
    }
}
