//! Push setup (40): what is told unasked, to whom and when.

use super::Octets;
use super::profile::CaptureObject;

enumeration! {
    /// How pushes travel.
    TransportService {
        /// TCP.
        Tcp = 0,
        /// UDP.
        Udp = 1,
        /// FTP.
        Ftp = 2,
        /// Mail.
        Smtp = 3,
        /// Short message.
        Sms = 4,
        /// HDLC.
        Hdlc = 5,
        /// M-Bus.
        MBus = 6,
        /// ZigBee.
        ZigBee = 7,
        /// A DLMS gateway.
        DlmsGateway = 8,
    }
}

enumeration! {
    /// How pushes are written.
    MessageType {
        /// A-XDR encoded APDU.
        Axdr = 0,
        /// XML encoded APDU.
        Xml = 1,
    }
}

structure! {
    /// Where pushes go.
    Destination {
        /// By which service.
        transport: TransportService,
        /// The address, as the service writes it.
        address: Octets,
        /// In which form.
        message: MessageType,
    }
}

structure! {
    /// When pushes may be sent.
    Window {
        /// From: COSEM date-time with wildcards.
        start: [u8; 12],
        /// To.
        end: [u8; 12],
    }
}

class! {
    /// What is told unasked. Method 1 tells it now.
    PushSetup = 40 version 0 {
        /// The values.
        2 objects: Vec<CaptureObject>,
        /// Where they go.
        3 destination: Destination,
        /// When they may; none is always.
        4 communication_window: Vec<Window>,
        /// The most seconds that a push is put off by chance.
        5 randomisation_start_interval: u16,
        /// How often a failed push is repeated.
        6 number_of_retries: u8,
        /// Seconds between repetitions.
        7 repetition_delay: u16,
    }
}
