//! Activity calendar, special days and script tables as attributes.

use super::values::octets;
use crate::objects::{DISCONNECT_SCRIPTS, PUSH_ALARM, PUSH_PROFILE, TARIFF_SCRIPTS};
use crate::works::Works;
use dlms::apdu::DataAccessError;
use dlms::{Data, Obis};

/// Service of a script's action: call a method.
const EXECUTE: u8 = 2;

impl Works {
    /// Standard: IEC 62056-6-2, Activity calendar (class 20). There is no passive calendar.
    pub(super) fn calendar_attribute(&self, attribute: i8) -> Result<Data, DataAccessError> {
        let tariff = self.model.tariff.as_ref().ok_or(DataAccessError::ObjectUndefined)?;
        let name = |text: &str| Data::OctetString(text.as_bytes().to_vec());
        Ok(match attribute {
            2 => name(&tariff.name),
            3 => Data::Array(vec![Data::Structure(vec![
                name("ALL"),
                Data::OctetString(vec![0xFF, 0xFF, 1, 1, 0xFF, 0, 0, 0, 0, 0x80, 0, 0]),
                name("WEEK"),
            ])]),
            4 => {
                let mut week = vec![name("WEEK")];
                week.extend(tariff.week.iter().map(|id| Data::Unsigned(*id)));
                Data::Array(vec![Data::Structure(week)])
            }
            5 => Data::Array(
                tariff
                    .days
                    .iter()
                    .map(|day| {
                        let switches = day.switches.iter().map(|switch| {
                            let byte = |number: i8| u8::try_from(number).unwrap_or(0);
                            let at = vec![byte(switch.at.hour()), byte(switch.at.minute()), 0, 0];
                            Data::Structure(vec![
                                Data::OctetString(at),
                                octets(TARIFF_SCRIPTS),
                                Data::LongUnsigned(u16::from(switch.rate)),
                            ])
                        });
                        Data::Structure(vec![Data::Unsigned(day.id), Data::Array(switches.collect())])
                    })
                    .collect(),
            ),
            6 => name(""),
            7..=9 => Data::Array(Vec::new()),
            10 => Data::OctetString(vec![0xFF; 12]),
            _ => return Err(DataAccessError::ReadWriteDenied),
        })
    }

    /// Standard: IEC 62056-6-2, Special days table (class 11).
    pub(super) fn special_days(&self) -> Result<Data, DataAccessError> {
        let tariff = self.model.tariff.as_ref().ok_or(DataAccessError::ObjectUndefined)?;
        let entries = (1u16..).zip(&tariff.specials).map(|(index, special)| {
            let byte = |number: i8| u8::try_from(number).unwrap_or(0xFF);
            Data::Structure(vec![
                Data::LongUnsigned(index),
                Data::OctetString(vec![0xFF, 0xFF, byte(special.month), byte(special.day), 0xFF]),
                Data::Unsigned(special.id),
            ])
        });
        Ok(Data::Array(entries.collect()))
    }

    /// Standard: IEC 62056-6-2, Script table (class 9).
    pub(super) fn scripts(&self, object: Obis) -> Data {
        let action = |class: u16, target: Obis, method: i8| {
            Data::Structure(vec![
                Data::Enum(EXECUTE),
                Data::LongUnsigned(class),
                octets(target),
                Data::Integer(method),
                Data::Integer(0),
            ])
        };
        let scripts: Vec<Vec<Data>> = match (object, self.model.relay) {
            (DISCONNECT_SCRIPTS, Some(relay)) => {
                vec![vec![action(70, relay.obis, 1)], vec![action(70, relay.obis, 2)]]
            }
            (TARIFF_SCRIPTS, _) => vec![Vec::new(); 4],
            _ => vec![vec![action(40, PUSH_PROFILE, 1)], vec![action(40, PUSH_ALARM, 1)]],
        };
        let numbered = (1u16..).zip(scripts);
        Data::Array(
            numbered
                .map(|(number, actions)| {
                    Data::Structure(vec![Data::LongUnsigned(number), Data::Array(actions)])
                })
                .collect(),
        )
    }
}
