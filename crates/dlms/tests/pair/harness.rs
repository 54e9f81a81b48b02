//! A meter and a client in one memory, and a device with a few objects.

use dlms::apdu::{ActionError, AttributeRef, DataAccessError, MethodRef, Selection};
use dlms::client::{Client, ClientConfig, ClientError, ClientEvent, Envelope, Outcome, Protection, Request};
use dlms::cosem::AsData as _;
use dlms::cosem::profile::CaptureObject;
use dlms::security::{Key, Keys, SystemTitle};
use dlms::server::{
    AssociationConfig, Caller, Identity, LogicalDevice, Mechanism, ObjectEntry, Refusal, Rights, Server,
    ServerConfig,
};
use dlms::{Data, Obis};
use std::sync::Arc;

pub(crate) const REGISTER: Obis = Obis::new(1, 0, 1, 8, 0, 255);
pub(crate) const SCRATCH: Obis = Obis::new(0, 0, 96, 1, 0, 255);
pub(crate) const PROFILE: Obis = Obis::new(1, 0, 99, 1, 0, 255);
pub(crate) const RELAY: Obis = Obis::new(0, 0, 96, 3, 10, 255);

pub(crate) const CLIENT_TITLE: SystemTitle = SystemTitle(*b"WTL\0\0\0\0\x01");
pub(crate) const SERVER_TITLE: SystemTitle = SystemTitle(*b"MTR\0\0\0\0\x07");

/// Bytes that look random and are the same every time.
pub(crate) fn entropy(seed: u64) -> impl FnMut(&mut [u8]) {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64 ^ seed << 40;
    move |bytes: &mut [u8]| {
        for byte in bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = state.to_be_bytes()[0];
        }
    }
}

pub(crate) fn keys() -> Keys {
    Keys::new(Key::new([0x11; 16]), Key::new([0xD0; 16]))
}

pub(crate) fn master() -> Key {
    Key::new([0x31; 16])
}

/// Holds a register, a scratch value, a long profile and a relay; `echo` of the relay returns what it gets.
#[derive(Debug)]
pub(crate) struct Device {
    objects: Vec<ObjectEntry>,
    pub(crate) scratch: Data,
    pub(crate) rows: u32,
    pub(crate) relay: bool,
}

impl Default for Device {
    fn default() -> Self {
        Self {
            objects: vec![
                ObjectEntry::readable(3, 0, REGISTER, 3, 1, Rights::Reader),
                ObjectEntry::readable(1, 0, SCRATCH, 2, 0, Rights::Reader).writable(&[2]),
                ObjectEntry::readable(7, 1, PROFILE, 8, 2, Rights::Reader),
                ObjectEntry::readable(70, 0, RELAY, 4, 3, Rights::Reader),
            ],
            scratch: Data::OctetString(b"scratch".to_vec()),
            rows: 500,
            relay: true,
        }
    }
}

impl LogicalDevice for Device {
    fn objects(&self) -> &[ObjectEntry] {
        &self.objects
    }

    fn get(
        &mut self,
        at: AttributeRef,
        selection: Option<&Selection>,
        _: &Caller,
    ) -> Result<Data, DataAccessError> {
        match (at.object, at.attribute) {
            (REGISTER, 2) => Ok(Data::DoubleLongUnsigned(123_456)),
            (REGISTER, 3) => Ok(Data::Structure(vec![Data::Integer(0), Data::Enum(30)])),
            (SCRATCH, 2) => Ok(self.scratch.clone()),
            (RELAY, 2) => Ok(Data::Boolean(self.relay)),
            (RELAY, 3) => Ok(Data::Enum(u8::from(self.relay))),
            (RELAY, 4) => Ok(Data::Enum(4)),
            (PROFILE, 3) => Ok(vec![
                CaptureObject::whole(3, REGISTER, 2),
                CaptureObject::whole(1, SCRATCH, 2),
                CaptureObject::whole(3, REGISTER, 2),
            ]
            .to_data()),
            (PROFILE, 2) => {
                let (from, to) = match selection {
                    None => (1, self.rows),
                    Some(Selection { selector: 2, parameters: Data::Structure(fields) }) => match fields
                        .as_slice()
                    {
                        [Data::DoubleLongUnsigned(from), Data::DoubleLongUnsigned(to), ..] => (*from, *to),
                        _ => return Err(DataAccessError::TypeUnmatched),
                    },
                    Some(_) => return Err(DataAccessError::ScopeOfAccessViolated),
                };
                Ok(Data::Array((from..=to).map(row).collect()))
            }
            _ => Err(DataAccessError::ObjectUnavailable),
        }
    }

    fn set(&mut self, at: AttributeRef, value: Data, _: &Caller) -> Result<(), DataAccessError> {
        match value {
            Data::OctetString(_) if at.object == SCRATCH => {
                self.scratch = value;
                Ok(())
            }
            _ => Err(DataAccessError::TypeUnmatched),
        }
    }

    fn action(
        &mut self,
        at: MethodRef,
        value: Option<Data>,
        _: &Caller,
    ) -> Result<Option<Data>, ActionError> {
        match at.method {
            1 | 2 => {
                self.relay = at.method == 2;
                Ok(None)
            }
            3 => Ok(value),
            _ => Err(ActionError::ObjectUndefined),
        }
    }
}

pub(crate) fn row(number: u32) -> Data {
    Data::Structure(vec![
        Data::DoubleLongUnsigned(number),
        Data::Unsigned(0),
        Data::DoubleLongUnsigned(number * 25),
    ])
}

/// Doors: 16 public, 17 and 18 password, 1 GMAC with whatever protection, 3 GMAC with everything.
pub(crate) fn server_config(max_pdu: u16) -> ServerConfig {
    let door = |client_sap, mechanism, least_protection, rights| AssociationConfig {
        client_sap,
        mechanism,
        least_protection,
        rights,
    };
    let mut config = ServerConfig::new(vec![
        door(16, Mechanism::None, Protection::None, Rights::Public),
        door(17, Mechanism::lls(*b"Gurux"), Protection::None, Rights::Reader),
        door(18, Mechanism::lls(*b"Gurux"), Protection::None, Rights::Manager),
        door(1, Mechanism::Hls5Gmac, Protection::None, Rights::Manager),
        door(3, Mechanism::Hls5Gmac, Protection::AuthenticatedEncrypted, Rights::Manager),
    ]);
    config.max_pdu = max_pdu;
    config
}

pub(crate) fn server(max_pdu: u16) -> Server {
    server_of(server_config(max_pdu))
}

pub(crate) fn server_of(config: ServerConfig) -> Server {
    let identity = Identity {
        logical_device_name: b"WTL0000000000007".to_vec(),
        system_title: SERVER_TITLE,
        keys: keys(),
        master_key: Some(master()),
        invocation_counter: 1,
    };
    Server::new(Arc::new(config), identity)
}

pub(crate) fn secure(client_sap: u16, protection: Protection, envelope: Envelope) -> ClientConfig {
    ClientConfig { protection, envelope, ..ClientConfig::secure(client_sap, keys(), CLIENT_TITLE, 1) }
}

/// The two ends and what went between them.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) client: Client,
    pub(crate) server: Server,
    pub(crate) device: Device,
    pub(crate) sap: u16,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) longest: usize,
    pub(crate) to_server: Vec<Vec<u8>>,
    pub(crate) to_client: Vec<Vec<u8>>,
}

impl Pair {
    pub(crate) fn new(config: ClientConfig, server: Server) -> Self {
        Self {
            sap: config.client_sap,
            client: Client::new(config),
            server,
            device: Device::default(),
            refusals: Vec::new(),
            longest: 0,
            to_server: Vec::new(),
            to_client: Vec::new(),
        }
    }

    pub(crate) fn open(config: ClientConfig, max_pdu: u16) -> Self {
        let mut pair = Self::new(config, server(max_pdu));
        assert_eq!(pair.associate(), Ok(()));
        pair
    }

    pub(crate) fn associate(&mut self) -> Result<(), ClientError> {
        self.client.associate(&mut entropy(1))?;
        self.drive()?;
        assert!(matches!(self.client.poll_event(), Some(ClientEvent::Associated { .. })));
        Ok(())
    }

    /// Carries APDUs until neither end has more to say.
    pub(crate) fn drive(&mut self) -> Result<(), ClientError> {
        while let Some(apdu) = self.client.poll_transmit() {
            self.longest = self.longest.max(apdu.len());
            let reply = self.server.handle_apdu(self.sap, &apdu, &mut self.device, &mut entropy(2));
            self.to_server.push(apdu);
            self.refusals.extend(reply.refused);
            if let Some(apdu) = reply.apdu {
                self.longest = self.longest.max(apdu.len());
                self.to_client.push(apdu.clone());
                self.client.handle_apdu(&apdu)?;
            }
        }
        Ok(())
    }

    pub(crate) fn ask(&mut self, request: Request) -> Result<Outcome, ClientError> {
        let asked = self.client.request(request)?;
        self.drive()?;
        match self.client.poll_event() {
            Some(ClientEvent::Response { id, outcome }) if id == asked => Ok(outcome),
            other => panic!("{other:?} instead of a response"),
        }
    }

    pub(crate) fn release(&mut self) {
        assert_eq!(self.client.release(), Ok(()));
        assert_eq!(self.drive(), Ok(()));
        assert_eq!(self.client.poll_event(), Some(ClientEvent::Released));
        assert!(!self.server.is_associated(self.sap));
    }
}

pub(crate) const fn attribute(class: u16, object: Obis, attribute: i8) -> AttributeRef {
    AttributeRef { class, object, attribute }
}

pub(crate) const fn method(class: u16, object: Obis, method: i8) -> MethodRef {
    MethodRef { class, object, method }
}
