//! A synthetic household, for use where no real series is at hand.
//!
//! What it needs in an interval is a function of its seed and the time alone: the same household gives the same
//! load however often and in whatever order it is asked. Shapes are invented, sized to a European home of 2 to 6
//! MWh a year; nothing is fitted to a data set.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{Energy, Voltage};
use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg32;

/// A home with its habits.
#[derive(Clone, Debug)]
pub struct Household {
    seed: u64,
    /// What never sleeps, W.
    base_w: u32,
    /// Evening peak over the base, W.
    evening_w: u32,
    /// Peak of the roof's sun, W; 0 without a roof.
    sun_w: u32,
    /// Residents.
    people: u32,
}

/// What a home draws and feeds in during an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HouseholdLoad {
    /// From the grid.
    pub import: Energy,
    /// Into the grid.
    pub export: Energy,
    /// At the meter.
    pub voltage: Voltage,
    /// Water drawn, millilitres.
    pub water_ml: i64,
    /// Gas burnt, millilitres.
    pub gas_ml: i64,
}

/// Share of the evening peak by local hour, in per mille.
const DAY_SHAPE: [u32; 24] = [
    120, 80, 60, 50, 60, 120, 350, 520, 430, 340, 320, 380, 480, 420, 340, 330, 420, 640, 870, 1000, 950,
    780, 500, 260,
];
/// Share of the clear-sky peak by hours from noon, in per mille.
const SUN_SHAPE: [u32; 8] = [1000, 960, 850, 670, 430, 190, 50, 0];
/// Heating need by month, per mille of January.
const HEAT_SHAPE: [u32; 12] = [1000, 900, 700, 420, 160, 30, 10, 10, 80, 350, 700, 950];
/// Length of day by month: share of the sun that comes, per mille of June.
const SUN_MONTH: [u32; 12] = [300, 450, 650, 820, 940, 1000, 980, 880, 700, 500, 330, 250];

impl Household {
    /// A household of this seed; `solar` puts panels on its roof.
    pub fn new(seed: u64, solar: bool) -> Self {
        let mut rng = Pcg32::seed_from_u64(seed);
        let mut between = |low: u32, high: u32| low + rng.next_u32() % (high - low + 1);
        Self {
            seed,
            base_w: between(60, 220),
            evening_w: between(400, 1600),
            sun_w: if solar { between(3_000, 9_000) } else { 0 },
            people: between(1, 5),
        }
    }

    /// What it does in the interval of `length_s` seconds that starts at `start`.
    pub fn load(&self, start: Timestamp, length_s: u32, zone: &TimeZone) -> HouseholdLoad {
        let local = zone.to_datetime(start);
        let hour = usize::try_from(local.hour()).unwrap_or(0) % 24;
        let month = usize::try_from(local.month() - 1).unwrap_or(0) % 12;
        let second = start.as_second().unsigned_abs();
        let mut rng = Pcg32::seed_from_u64(self.seed ^ second.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let day = second / 86_400;
        let mut sky = Pcg32::seed_from_u64(day.wrapping_mul(0x2545_F491_4F6C_DD1D));
        let clear = u64::from(250 + sky.next_u32() % 751);

        let people_w = u64::from(self.evening_w) * u64::from(DAY_SHAPE[hour]) / 1000;
        let wobble = u64::from(600 + rng.next_u32() % 801);
        // A kettle, an oven, a washing machine: now and then two kilowatts for part of the interval.
        let busy = rng.next_u32() % 1000 < DAY_SHAPE[hour] / 6;
        let appliance_w = if busy { u64::from(300 + rng.next_u32() % 1700) } else { 0 };
        let need_w = u64::from(self.base_w) + people_w * wobble / 1000 + appliance_w;

        let from_noon = hour.abs_diff(12).min(SUN_SHAPE.len() - 1);
        let sun_w = u64::from(self.sun_w) * u64::from(SUN_SHAPE[from_noon]) / 1000
            * u64::from(SUN_MONTH[month])
            / 1000
            * clear
            / 1000;
        let energy = |watts: u64| {
            Energy::from_mwh(i64::try_from(watts * u64::from(length_s) * 1000 / 3600).unwrap_or(0))
        };
        let (import_w, export_w) = (need_w.saturating_sub(sun_w), sun_w.saturating_sub(need_w));
        let drop_mv = i64::try_from(import_w / 2).unwrap_or(0) - i64::try_from(export_w / 2).unwrap_or(0);
        let noise_mv = i64::from(rng.next_u32() % 3000);
        let length_h = u64::from(length_s) * 1000 / 3600;
        HouseholdLoad {
            import: energy(import_w),
            export: energy(export_w),
            voltage: Voltage::from_mv(231_500 - drop_mv + noise_mv),
            water_ml: self.water_ml(hour, length_h, &mut rng),
            gas_ml: self.gas_ml(hour, month, length_h, &mut rng),
        }
    }

    /// About 120 litres a person and day, in draws of some litres.
    fn water_ml(&self, hour: usize, length_milli_h: u64, rng: &mut Pcg32) -> i64 {
        let hourly_ml = u64::from(self.people) * 120_000 * u64::from(DAY_SHAPE[hour]) / DAY_SUM;
        let share = u64::from(rng.next_u32() % 2001);
        i64::try_from(hourly_ml * length_milli_h / 1000 * share / 1000).unwrap_or(0)
    }

    /// Hot water all year, heating in winter: about 1,500 cubic metres a year.
    fn gas_ml(&self, hour: usize, month: usize, length_milli_h: u64, rng: &mut Pcg32) -> i64 {
        let heating = 450_000 * u64::from(HEAT_SHAPE[month]) / 1000;
        let water = u64::from(self.people) * 15_000;
        let shape = 500 + u64::from(DAY_SHAPE[hour]) / 2;
        let share = u64::from(700 + rng.next_u32() % 601);
        i64::try_from((heating + water) * shape / 1000 * share / 1000 * length_milli_h / 1000).unwrap_or(0)
    }
}

/// Sum of [`DAY_SHAPE`].
const DAY_SUM: u64 = {
    let (mut sum, mut hour) = (0, 0);
    while hour < 24 {
        sum += DAY_SHAPE[hour] as u64;
        hour += 1;
    }
    sum
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_lives_the_same_life() {
        let zone = TimeZone::get("Europe/Zurich").unwrap();
        let at: Timestamp = "2024-06-15T10:00:00Z".parse().unwrap();
        let loads = |seed| Household::new(seed, true).load(at, 900, &zone);
        assert_eq!(loads(7), loads(7));
        assert_ne!(loads(7), loads(8));
    }

    #[test]
    fn a_year_is_of_a_plausible_size() {
        let zone = TimeZone::get("Europe/Zurich").unwrap();
        let start: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
        for seed in 0..20 {
            let home = Household::new(seed, seed % 2 == 0);
            let (mut import, mut export, mut water, mut gas) = (Energy::ZERO, Energy::ZERO, 0, 0);
            for hour in 0..8760 {
                let at = start + jiff::SignedDuration::from_hours(hour);
                let load = home.load(at, 3600, &zone);
                import += load.import;
                export += load.export;
                water += load.water_ml;
                gas += load.gas_ml;
                assert!((215_000..250_000).contains(&load.voltage.mv()), "{}", load.voltage);
                assert!(load.import == Energy::ZERO || load.export == Energy::ZERO);
            }
            assert!((1_200_000..12_000_000).contains(&import.wh()), "{seed}: {import}");
            assert_eq!(export.wh() > 0, seed % 2 == 0);
            assert!((20_000_000..300_000_000).contains(&water), "{seed}: {water}");
            assert!((700_000_000..4_000_000_000).contains(&gas), "{seed}: {gas}");
        }
    }
}
