//! Weather at the utility, hour by hour where there is some.

use crate::column::{execute, rows, seconds};
use crate::{Read, Result, Write};
use jiff::Timestamp;

/// The weather of the hour that starts at `at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeatherHour {
    /// Start of the hour, UTC.
    pub at: Timestamp,
    /// Air temperature, tenths of a degree Celsius.
    pub temperature_dc: i16,
    /// Global irradiance, W/m², where it was measured.
    pub irradiance_w_m2: Option<u16>,
}

impl Read {
    /// The weather in `[from, to)`, by time.
    ///
    /// # Errors
    /// What the database says.
    pub fn weather(&self, from: Timestamp, to: Timestamp) -> Result<Vec<WeatherHour>> {
        let sql = "SELECT at_s, temperature_dc, irradiance_w_m2 FROM weather WHERE at_s >= ? AND at_s < ? ORDER BY at_s";
        rows(&self.conn, sql, (from.as_second(), to.as_second()), |row| {
            Ok(WeatherHour {
                at: seconds(row.get(0)?)?,
                temperature_dc: row.get(1)?,
                irradiance_w_m2: row.get(2)?,
            })
        })
    }
}

impl Write {
    /// Keeps hours of weather; an hour again replaces what was there, but an irradiance stays where none is given.
    ///
    /// # Errors
    /// What the database says.
    pub fn put_weather(&self, hours: &[WeatherHour]) -> Result<()> {
        let sql = "INSERT INTO weather (at_s, temperature_dc, irradiance_w_m2) VALUES (?, ?, ?) ON CONFLICT (at_s) \
                   DO UPDATE SET temperature_dc = excluded.temperature_dc, irradiance_w_m2 = \
                   COALESCE(excluded.irradiance_w_m2, weather.irradiance_w_m2)";
        for hour in hours {
            execute(&self.conn, sql, (hour.at.as_second(), hour.temperature_dc, hour.irradiance_w_m2))?;
        }
        Ok(())
    }
}
