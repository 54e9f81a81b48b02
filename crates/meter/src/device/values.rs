//! Registers, plain values, clock, relay, limiter and push setup as attributes.

use crate::model_file::{PushPlan, Register};
use crate::objects::{CLOCK, DISCONNECT_SCRIPTS, PUSH_ALARM, PUSH_PROFILE};
use crate::quantity::{Quantity, Wire};
use crate::stamp;
use crate::works::Works;
use dlms::apdu::{AttributeRef, DataAccessError};
use dlms::server::LOGICAL_DEVICE_NAME;
use dlms::{Data, Obis};
use jiff::Timestamp;

/// An integer as the type that a model wants; one that does not fit shows the type's limit.
pub(super) fn number(wire: Wire, value: i64) -> Data {
    match wire {
        Wire::U8 => Data::Unsigned(u8::try_from(value.max(0)).unwrap_or(u8::MAX)),
        Wire::U16 => Data::LongUnsigned(u16::try_from(value.max(0)).unwrap_or(u16::MAX)),
        Wire::U32 => Data::DoubleLongUnsigned(u32::try_from(value.max(0)).unwrap_or(u32::MAX)),
        Wire::U64 => Data::Long64Unsigned(u64::try_from(value.max(0)).unwrap_or(0)),
        Wire::I16 => Data::Long(i16::try_from(value).unwrap_or(if value < 0 { i16::MIN } else { i16::MAX })),
        Wire::I32 => {
            Data::DoubleLong(i32::try_from(value).unwrap_or(if value < 0 { i32::MIN } else { i32::MAX }))
        }
    }
}

/// A value in `10^base` as an integer in `10^scaler`; digits below the scaler are cut off, as on a display.
pub(super) fn scaled(value: i64, base: i8, scaler: i8) -> i64 {
    let up = i32::from(base) - i32::from(scaler);
    let power = 10i64.saturating_pow(up.unsigned_abs().min(18));
    if up >= 0 { value.saturating_mul(power) } else { value / power }
}

pub(super) fn octets(object: Obis) -> Data {
    Data::OctetString(object.0.to_vec())
}

impl Works {
    pub(super) fn firmware(&self) -> &str {
        self.firmware.as_deref().unwrap_or(&self.model.firmware)
    }

    /// What a quantity is now, in its base unit.
    fn value(&self, shows: Quantity) -> i64 {
        if let Some((direction, index)) = shows.register() {
            return i64::from(self.registers.shown(direction, index, self.model.register_digits));
        }
        let last = || self.last_row();
        match shows {
            Quantity::ImportPower => self.power_w().0,
            Quantity::ExportPower => self.power_w().1,
            Quantity::Voltage => self.voltage_mv(),
            Quantity::Current => self.current_ma(),
            Quantity::IntervalImport | Quantity::IntervalVolume => {
                last().map_or(0, |row| i64::from(row.delivered))
            }
            Quantity::IntervalExport => last().map_or(0, |row| i64::from(row.received)),
            Quantity::IntervalVoltage => last().map_or(0, |row| i64::from(row.voltage_dv)),
            Quantity::Status => last().map_or(0, |row| i64::from(row.status)),
            Quantity::EventCode => self.last_event().map_or(0, |row| i64::from(row.code)),
            Quantity::EventNumber => i64::from(self.event_number),
            Quantity::PowerFailures => i64::from(self.power_failures),
            Quantity::Alarms => i64::from(self.alarms),
            Quantity::Battery => i64::from(self.battery_percent()),
            _ => 0,
        }
    }

    /// Attributes of data (1), register (3) and extended register (4).
    pub(super) fn register_attribute(&self, attribute: AttributeRef) -> Result<Data, DataAccessError> {
        let found = self.model.registers.iter().find(|register| register.obis == attribute.object);
        let register: &Register = found.ok_or(DataAccessError::ObjectUndefined)?;
        if register.class != attribute.class {
            return Err(DataAccessError::ObjectClassInconsistent);
        }
        let (unit, base) = register.shows.base();
        match (register.class, attribute.attribute) {
            (_, 2) => Ok(number(register.wire, scaled(self.value(register.shows), base, register.scaler))),
            (3 | 4, 3) => Ok(Data::Structure(vec![
                Data::Integer(register.scaler.saturating_add(self.scaler_fault())),
                Data::Enum(unit.code()),
            ])),
            (4, 4) => Ok(Data::Unsigned(0)),
            (4, 5) => Ok(Data::OctetString(self.now_stamp().to_vec())),
            _ => Err(DataAccessError::ReadWriteDenied),
        }
    }

    /// The clock's reading as 12 bytes.
    pub(crate) fn now_stamp(&self) -> [u8; 12] {
        self.stamps().write(self.shown_ms(), 0)
    }

    /// Standard: IEC 62056-6-2, Clock (class 8).
    pub(super) fn clock_attribute(&self, attribute: i8) -> Result<Data, DataAccessError> {
        let shown_ms = self.shown_ms();
        let now = self.now_stamp();
        Ok(match attribute {
            2 => Data::OctetString(now.to_vec()),
            3 => {
                let (year_start, _) = self.transitions(shown_ms);
                let east = if self.model.quirks.deviation_east_positive { 1 } else { -1 };
                Data::Long(i16::try_from(year_start.0 / 60 * east).unwrap_or(0))
            }
            4 => Data::Unsigned(now[11]),
            5 | 6 => {
                let (_, [begin, end]) = self.transitions(shown_ms);
                let at = if attribute == 5 { begin } else { end };
                Data::OctetString(at.map_or_else(
                    || vec![0xFF; 12],
                    |at| self.stamps().write(at.as_millisecond(), 0).to_vec(),
                ))
            }
            7 => {
                let (offsets, _) = self.transitions(shown_ms);
                Data::Integer(i8::try_from((offsets.1 - offsets.0) / 60).unwrap_or(0))
            }
            8 => {
                let (offsets, _) = self.transitions(shown_ms);
                Data::Boolean(offsets.1 != offsets.0)
            }
            9 => Data::Enum(1),
            _ => return Err(DataAccessError::ReadWriteDenied),
        })
    }

    /// Standard and daylight saving offset, seconds east, and the begin and end of daylight saving time nearest
    /// ahead.
    fn transitions(&self, shown_ms: i64) -> ((i32, i32), [Option<Timestamp>; 2]) {
        let now = Timestamp::from_millisecond(shown_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        let here = self.zone.to_offset_info(now);
        let mut offsets = (here.offset().seconds(), here.offset().seconds());
        let mut found = [None, None];
        for next in self.zone.following(now).take(2) {
            let is_dst = next.dst() == jiff::tz::Dst::Yes;
            found[usize::from(!is_dst)] = Some(next.timestamp());
            let seconds = next.offset().seconds();
            offsets = (offsets.0.min(seconds), offsets.1.max(seconds));
        }
        (offsets, found)
    }

    /// Standard: IEC 62056-6-2, Disconnect control (class 70).
    pub(super) fn relay_attribute(&self, attribute: i8) -> Result<Data, DataAccessError> {
        Ok(match attribute {
            2 => Data::Boolean(self.relay.closed),
            3 => Data::Enum(self.relay.state.number()),
            4 => Data::Enum(self.relay.mode),
            _ => return Err(DataAccessError::ReadWriteDenied),
        })
    }

    /// Standard: IEC 62056-6-2, Limiter (class 71).
    pub(super) fn limiter_attribute(&self, attribute: i8) -> Result<Data, DataAccessError> {
        let script =
            |selector| Data::Structure(vec![octets(DISCONNECT_SCRIPTS), Data::LongUnsigned(selector)]);
        let monitored = self.model.register(Quantity::ImportPower);
        Ok(match attribute {
            2 => Data::Structure(vec![
                Data::LongUnsigned(monitored.map_or(0, |register| register.class)),
                octets(monitored.map_or(Obis::new(0, 0, 0, 0, 0, 0), |register| register.obis)),
                Data::Integer(2),
            ]),
            3 | 4 => Data::DoubleLongUnsigned(self.limiter.threshold_w),
            5 => Data::DoubleLongUnsigned(0),
            6 => Data::DoubleLongUnsigned(self.limiter.over_s),
            7 => Data::DoubleLongUnsigned(self.limiter.under_s),
            8 => Data::Structure(vec![
                Data::LongUnsigned(0),
                Data::OctetString(vec![0xFF; 12]),
                Data::DoubleLongUnsigned(0),
            ]),
            9 => Data::Array(Vec::new()),
            10 => Data::Boolean(false),
            11 => Data::Structure(vec![script(1), script(0)]),
            _ => return Err(DataAccessError::ReadWriteDenied),
        })
    }

    /// Standard: IEC 62056-6-2, Push setup (class 40).
    pub(super) fn push_attribute(&self, object: Obis, attribute: i8) -> Result<Data, DataAccessError> {
        let entry = |class: u16, object: Obis, attribute: i8, index: u16| {
            Data::Structure(vec![
                Data::LongUnsigned(class),
                octets(object),
                Data::Integer(attribute),
                Data::LongUnsigned(index),
            ])
        };
        let alarm = object == PUSH_ALARM;
        Ok(match attribute {
            2 => {
                let mut list = vec![entry(40, object, 1, 0), entry(1, LOGICAL_DEVICE_NAME, 2, 0)];
                if alarm {
                    list.push(entry(8, CLOCK, 2, 0));
                    for shows in [Quantity::EventCode, Quantity::EventNumber] {
                        list.extend(self.model.register(shows).map(|found| entry(1, found.obis, 2, 0)));
                    }
                } else {
                    list.push(entry(7, self.model.load_profile.obis, 2, 0));
                }
                Data::Array(list)
            }
            3 => Data::Structure(vec![Data::Enum(0), Data::OctetString(Vec::new()), Data::Enum(0)]),
            4 => Data::Array(Vec::new()),
            5 => {
                let spread_s = match self.model.push {
                    PushPlan::Daily { spread_s } | PushPlan::Interval { spread_s }
                        if object == PUSH_PROFILE =>
                    {
                        spread_s
                    }
                    _ => 0,
                };
                Data::LongUnsigned(u16::try_from(spread_s).unwrap_or(u16::MAX))
            }
            6 => Data::Unsigned(0),
            7 => Data::LongUnsigned(0),
            _ => return Err(DataAccessError::ReadWriteDenied),
        })
    }

    /// A stamp in a profile or a push: the clock of a past moment.
    pub(crate) fn stamp(&self, shown_s: i64, doubtful: bool) -> Data {
        let status = if doubtful { stamp::DOUBTFUL } else { 0 };
        Data::OctetString(self.stamps().write(shown_s * 1000, status).to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_scaled_as_a_display_does() {
        for (value, base, scaler, shown) in
            [(1234, 0, 0, 1234), (1234, 0, 3, 1), (230_149, -3, -1, 2301), (5, 0, -2, 500), (-1999, 0, 3, -1)]
        {
            assert_eq!(scaled(value, base, scaler), shown, "{value} e{base} as e{scaler}");
        }
        assert_eq!(number(Wire::U16, 70_000), Data::LongUnsigned(u16::MAX));
        assert_eq!(number(Wire::U32, -5), Data::DoubleLongUnsigned(0));
        assert_eq!(number(Wire::I16, -40_000), Data::Long(i16::MIN));
    }
}
