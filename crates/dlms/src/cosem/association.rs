//! Association LN (15) and SAP assignment (17): who talks to whom, about what.

use super::Octets;
use crate::data::BitString;
use crate::{Data, Obis};

structure! {
    /// One line of an object list.
    ObjectListElement {
        /// Interface class.
        class: u16,
        /// Its version.
        version: u8,
        /// Logical name.
        object: Obis,
        /// What this association may do with it.
        access: AccessRights,
    }
}

structure! {
    /// Rights to one object.
    AccessRights {
        /// Attribute by attribute.
        attributes: Vec<AttributeRight>,
        /// Method by method.
        methods: Vec<MethodRight>,
    }
}

structure! {
    /// A right to an attribute.
    AttributeRight {
        /// Its number.
        attribute: i8,
        /// How it may be used.
        mode: AccessMode,
        /// The selectors it knows: null, or an array of integers.
        selectors: Data,
    }
}

structure! {
    /// A right to a method.
    MethodRight {
        /// Its number.
        method: i8,
        /// Whether it may be called: 0 not, 1 yes, 2 when authenticated.
        mode: MethodMode,
    }
}

enumeration! {
    /// How an attribute may be used.
    AccessMode {
        /// Not at all.
        None = 0,
        /// Read.
        Read = 1,
        /// Written.
        Write = 2,
        /// Both.
        ReadWrite = 3,
        /// Read in an authenticated request.
        AuthenticatedRead = 4,
        /// Written in one.
        AuthenticatedWrite = 5,
        /// Both in one.
        AuthenticatedReadWrite = 6,
    }
}

impl AccessMode {
    /// The mode of an attribute that may be read or written or both.
    pub const fn of(read: bool, write: bool) -> Self {
        match (read, write) {
            (false, false) => Self::None,
            (true, false) => Self::Read,
            (false, true) => Self::Write,
            (true, true) => Self::ReadWrite,
        }
    }
}

enumeration! {
    /// Whether a method may be called.
    MethodMode {
        /// No.
        None = 0,
        /// Yes.
        Call = 1,
        /// In an authenticated request.
        AuthenticatedCall = 2,
    }
}

structure! {
    /// The two ends of an association.
    Partners {
        /// Client service access point.
        client_sap: i8,
        /// Server service access point.
        server_sap: u16,
    }
}

structure! {
    /// What was negotiated.
    XdlmsContext {
        /// Services, 24 bits.
        conformance: BitString,
        /// The longest APDU the server takes, bytes.
        max_receive_pdu: u16,
        /// The longest it sends.
        max_send_pdu: u16,
        /// 6.
        dlms_version: u8,
        /// Not used.
        quality_of_service: i8,
        /// The dedicated key, as a rule hidden.
        cyphering_info: Octets,
    }
}

enumeration! {
    /// Where an association stands.
    AssociationStatus {
        /// None.
        NotAssociated = 0,
        /// The client's proof is awaited.
        Pending = 1,
        /// Open.
        Associated = 2,
    }
}

class! {
    /// An association. Method 1 takes the client's answer to the challenge.
    AssociationLn = 15 version 1 {
        /// What the association sees.
        2 object_list: Vec<ObjectListElement>,
        /// Its ends.
        3 partners: Partners,
        /// Object identifier of the application context.
        4 application_context_name: Octets,
        /// What was negotiated.
        5 xdlms_context: XdlmsContext,
        /// Object identifier of the authentication mechanism.
        6 authentication_mechanism_name: Octets,
        /// The password; as a rule write-only.
        7 secret: Octets,
        /// Where it stands.
        8 status: AssociationStatus,
        /// The security setup that rules it.
        9 security_setup: Obis,
    }
}

structure! {
    /// A logical device of a physical one.
    SapItem {
        /// Its service access point.
        sap: u16,
        /// Its name.
        logical_device_name: Octets,
    }
}

class! {
    /// The logical devices of a physical one.
    SapAssignment = 17 version 0 {
        /// All of them.
        2 assignments: Vec<SapItem>,
    }
}
