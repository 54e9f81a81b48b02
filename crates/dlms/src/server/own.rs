//! The objects a server serves by itself, so that every device has them alike.

use super::config::{MethodAccess, ObjectEntry, Rights};
use super::device::LogicalDevice;
use super::session::{Session, Stage};
use crate::apdu::{ActionError, AttributeRef, DataAccessError, MethodRef, Selection};
use crate::cosem::AsData as _;
use crate::cosem::association::{
    AccessMode, AccessRights, AttributeRight, MethodMode, MethodRight, ObjectListElement,
};
use crate::security::{
    Key, Keys, Protection, Receiver, SystemTitle, gmac_reply, unwrap_key, verify_gmac_reply,
};
use crate::{Data, Obis};
use std::sync::Arc;

/// The association that asks.
pub const CURRENT_ASSOCIATION: Obis = Obis::new(0, 0, 40, 0, 0, 255);
/// Which logical devices there are.
pub const SAP_ASSIGNMENT: Obis = Obis::new(0, 0, 41, 0, 0, 255);
/// The name of the logical device.
pub const LOGICAL_DEVICE_NAME: Obis = Obis::new(0, 0, 42, 0, 0, 255);
/// Policy, suite, titles and key transfer.
pub const SECURITY_SETUP: Obis = Obis::new(0, 0, 43, 0, 0, 255);
/// The highest invocation counter accepted from clients.
pub const INVOCATION_COUNTER: Obis = Obis::new(0, 0, 43, 1, 0, 255);

/// What changes in a server while it serves.
#[derive(Clone, Debug)]
pub(super) struct Living {
    pub(super) logical_device_name: Vec<u8>,
    pub(super) system_title: SystemTitle,
    pub(super) keys: Arc<Keys>,
    pub(super) master_key: Option<Key>,
    /// The next own invocation counter.
    pub(super) counter: u32,
    /// `security_policy` as raised by `security_activate`.
    pub(super) policy: Protection,
    /// Highest counter accepted, by client system title.
    pub(super) received: Vec<(SystemTitle, Receiver)>,
}

impl Living {
    pub(super) fn next_counter(&mut self) -> Option<u32> {
        let counter = self.counter;
        self.counter = counter.checked_add(1)?;
        Some(counter)
    }

    pub(super) fn highest_received(&self) -> u32 {
        self.received.iter().filter_map(|(_, counter)| counter.last).max().unwrap_or(0)
    }
}

/// The server's own objects during one request.
#[derive(Debug)]
pub(super) struct Own<'a> {
    pub(super) living: &'a mut Living,
    /// The client failed its proof: the association must end.
    pub(super) failed_proof: &'a mut bool,
}

impl Own<'_> {
    pub(super) fn owns(object: Obis) -> bool {
        [CURRENT_ASSOCIATION, SAP_ASSIGNMENT, LOGICAL_DEVICE_NAME, SECURITY_SETUP, INVOCATION_COUNTER]
            .contains(&object)
    }

    /// The value of an own attribute; `None` if the object is the device's.
    pub(super) fn get(
        &self,
        session: &Session,
        device: &dyn LogicalDevice,
        attribute: AttributeRef,
        selection: Option<&Selection>,
    ) -> Option<Result<Data, DataAccessError>> {
        if !Self::owns(attribute.object) {
            return None;
        }
        if selection.is_some() {
            return Some(Err(DataAccessError::ScopeOfAccessViolated));
        }
        if class_of(attribute.object) != attribute.class {
            return Some(Err(DataAccessError::ObjectClassInconsistent));
        }
        if attribute.attribute == 1 {
            return Some(Ok(Data::OctetString(attribute.object.0.to_vec())));
        }
        let value = match (attribute.object, attribute.attribute) {
            (CURRENT_ASSOCIATION, number) => return Some(self.association(session, device, number)),
            (SECURITY_SETUP, number) => return Some(self.security_setup(session, number)),
            (SAP_ASSIGNMENT, 2) => Data::Array(vec![Data::Structure(vec![
                Data::LongUnsigned(1),
                Data::OctetString(self.living.logical_device_name.clone()),
            ])]),
            (LOGICAL_DEVICE_NAME, 2) => Data::OctetString(self.living.logical_device_name.clone()),
            (INVOCATION_COUNTER, 2) => Data::DoubleLongUnsigned(self.living.highest_received()),
            _ => return Some(Err(DataAccessError::ReadWriteDenied)),
        };
        Some(Ok(value))
    }

    fn association(
        &self,
        session: &Session,
        device: &dyn LogicalDevice,
        attribute: i8,
    ) -> Result<Data, DataAccessError> {
        let context: u8 = if session.ciphered { 3 } else { 1 };
        Ok(match attribute {
            2 => object_list(session.rights, device),
            3 => Data::Structure(vec![
                Data::Integer(i8::try_from(session.client_sap).unwrap_or(i8::MAX)),
                Data::LongUnsigned(1),
            ]),
            4 => Data::OctetString(vec![0x60, 0x85, 0x74, 5, 8, 1, context]),
            5 => Data::Structure(vec![
                Data::BitString(crate::data::BitString {
                    bytes: session.conformance.0.to_be_bytes()[1..].to_vec(),
                    bits: 24,
                }),
                Data::LongUnsigned(u16::try_from(session.max_reply).unwrap_or(u16::MAX)),
                Data::LongUnsigned(u16::try_from(session.max_reply).unwrap_or(u16::MAX)),
                Data::Unsigned(6),
                Data::Integer(0),
                Data::OctetString(Vec::new()),
            ]),
            6 => Data::OctetString(vec![0x60, 0x85, 0x74, 5, 8, 2, session.mechanism.id()]),
            8 => Data::Enum(if session.is_open() { 2 } else { 1 }),
            9 => Data::OctetString(SECURITY_SETUP.0.to_vec()),
            _ => return Err(DataAccessError::ReadWriteDenied),
        })
    }

    fn security_setup(&self, session: &Session, attribute: i8) -> Result<Data, DataAccessError> {
        if session.rights < Rights::Reader {
            return Err(DataAccessError::ReadWriteDenied);
        }
        Ok(match attribute {
            2 => Data::Enum(policy_number(self.living.policy)),
            3 => Data::Enum(0),
            4 => Data::OctetString(session.peer_title.map_or_else(Vec::new, |title| title.0.to_vec())),
            5 => Data::OctetString(self.living.system_title.0.to_vec()),
            _ => return Err(DataAccessError::ReadWriteDenied),
        })
    }

    /// What came of an own method; `None` if the object is the device's.
    pub(super) fn action(
        &mut self,
        session: &mut Session,
        method: MethodRef,
        parameters: Option<&Data>,
    ) -> Option<Result<Option<Data>, ActionError>> {
        if !Self::owns(method.object) {
            return None;
        }
        Some(match (method.class, method.object, method.method) {
            (15, CURRENT_ASSOCIATION, 1) => self.reply_to_hls(session, parameters),
            (64, SECURITY_SETUP, _) if session.rights < Rights::Manager || !session.is_open() => {
                Err(ActionError::ReadWriteDenied)
            }
            (64, SECURITY_SETUP, 1) => self.raise_policy(parameters),
            (64, SECURITY_SETUP, 2) => self.transfer_keys(session, parameters),
            _ => Err(ActionError::ReadWriteDenied),
        })
    }

    /// Passes 3 and 4 of high level security: checks the client's answer to our challenge and answers its own.
    ///
    /// Standard: IEC 62056-5-3, 7.2.7.3 (HLS), IEC 62056-6-2, Association LN, method 1.
    fn reply_to_hls(
        &mut self,
        session: &mut Session,
        answer: Option<&Data>,
    ) -> Result<Option<Data>, ActionError> {
        let Stage::Challenged { ours, theirs } = &session.stage else {
            return Err(ActionError::ReadWriteDenied);
        };
        let right = match (answer, session.peer_title) {
            (Some(Data::OctetString(answer)), Some(title)) => {
                verify_gmac_reply(&session.keys, title, ours, answer).is_ok()
            }
            _ => false,
        };
        if !right {
            *self.failed_proof = true;
            return Err(ActionError::ReadWriteDenied);
        }
        let counter = self.living.next_counter().ok_or(ActionError::OtherReason)?;
        let token = gmac_reply(&session.keys, self.living.system_title, counter, theirs).to_vec();
        session.stage = Stage::Open;
        Ok(Some(Data::OctetString(token)))
    }

    /// The policy can only be raised.
    fn raise_policy(&mut self, wanted: Option<&Data>) -> Result<Option<Data>, ActionError> {
        let wanted = match wanted {
            Some(Data::Enum(0)) => Protection::None,
            Some(Data::Enum(1)) => Protection::Authenticated,
            Some(Data::Enum(2)) => Protection::Encrypted,
            Some(Data::Enum(3)) => Protection::AuthenticatedEncrypted,
            _ => return Err(ActionError::TypeUnmatched),
        };
        if !wanted.covers(self.living.policy) {
            return Err(ActionError::ReadWriteDenied);
        }
        self.living.policy = wanted;
        Ok(None)
    }

    /// Takes new keys wrapped under the master key; all of them or none.
    ///
    /// **Interpretation:** an association that is open goes on under the keys it was opened with, so that the answer and
    /// the release can be read by the client that sent the keys; every later association needs the new ones.
    ///
    /// Standard: IEC 62056-6-2, Security setup, method `key_transfer`; RFC 3394.
    fn transfer_keys(
        &mut self,
        session: &Session,
        wrapped: Option<&Data>,
    ) -> Result<Option<Data>, ActionError> {
        if !session.ciphered {
            return Err(ActionError::ReadWriteDenied);
        }
        let master = self.living.master_key.as_ref().ok_or(ActionError::ObjectUnavailable)?;
        let Some(Data::Array(entries)) = wrapped else { return Err(ActionError::TypeUnmatched) };
        let mut fresh = Vec::with_capacity(entries.len().min(4));
        for entry in entries {
            let Data::Structure(fields) = entry else { return Err(ActionError::TypeUnmatched) };
            let [Data::Enum(which), Data::OctetString(wrapped)] = fields.as_slice() else {
                return Err(ActionError::TypeUnmatched);
            };
            let key = unwrap_key(master, wrapped).map_err(|_| ActionError::OtherReason)?;
            fresh.push((*which, key));
        }
        if fresh.is_empty() || fresh.iter().any(|(which, _)| *which > 3) {
            return Err(ActionError::TypeUnmatched);
        }
        let mut keys = (*self.living.keys).clone();
        for (which, key) in fresh {
            match which {
                0 => keys.guek = key,
                1 => keys.gbek = Some(key),
                2 => keys.gak = key,
                _ => self.living.master_key = Some(key),
            }
        }
        self.living.keys = Arc::new(keys);
        Ok(None)
    }
}

/// The class of an own object.
const fn class_of(object: Obis) -> u16 {
    match object.0[2] {
        40 => 15,
        41 => 17,
        43 if object.0[3] == 0 => 64,
        _ => 1,
    }
}

const fn policy_number(policy: Protection) -> u8 {
    match policy {
        Protection::None => 0,
        Protection::Authenticated => 1,
        Protection::Encrypted => 2,
        Protection::AuthenticatedEncrypted => 3,
    }
}

/// The server's own objects as they stand in the object list.
fn entries() -> [ObjectEntry; 5] {
    let mut association = ObjectEntry::readable(15, 1, CURRENT_ASSOCIATION, 9, 1, Rights::Public);
    association.attributes.retain(|access| access.attribute != 7);
    association.methods = vec![MethodAccess { method: 1, call: Some(Rights::Public) }];
    [
        association,
        ObjectEntry::readable(17, 0, SAP_ASSIGNMENT, 2, 0, Rights::Public),
        ObjectEntry::readable(1, 0, LOGICAL_DEVICE_NAME, 2, 0, Rights::Public),
        ObjectEntry::readable(64, 0, SECURITY_SETUP, 5, 2, Rights::Reader),
        ObjectEntry::readable(1, 0, INVOCATION_COUNTER, 2, 0, Rights::Public),
    ]
}

fn object_list(rights: Rights, device: &dyn LogicalDevice) -> Data {
    let own = entries();
    let all = own.iter().chain(device.objects().iter().filter(|entry| !Own::owns(entry.object)));
    Data::Array(
        all.filter(|entry| entry.visible_to(rights))
            .map(|entry| {
                let attributes = entry.attributes.iter().map(|one| AttributeRight {
                    attribute: one.attribute,
                    mode: AccessMode::of(rights.meet(one.read), rights.meet(one.write)),
                    selectors: Data::Null,
                });
                let methods = entry.methods.iter().map(|one| MethodRight {
                    method: one.method,
                    mode: if rights.meet(one.call) { MethodMode::Call } else { MethodMode::None },
                });
                let access = AccessRights { attributes: attributes.collect(), methods: methods.collect() };
                ObjectListElement { class: entry.class, version: entry.version, object: entry.object, access }
                    .to_data()
            })
            .collect(),
    )
}
