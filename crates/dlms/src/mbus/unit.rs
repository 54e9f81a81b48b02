//! What a value information field means.

/// What is measured, in which unit, and what a raw number is to be multiplied with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantity {
    /// What is measured.
    pub name: String,
    /// In which unit; empty without one.
    pub unit: &'static str,
    /// A raw number times `factor` times ten to the `exponent` is in the unit.
    pub factor: i64,
    /// See `factor`.
    pub exponent: i8,
    /// Whether the raw number is a point in time.
    pub time: bool,
}

impl Quantity {
    fn new(name: &str, unit: &'static str, exponent: i8) -> Self {
        Self { name: name.to_owned(), unit, factor: 1, exponent, time: false }
    }

    /// Seconds, minutes, hours or days, all as seconds.
    fn duration(name: &str, code: u8) -> Self {
        let factor = [1, 60, 3_600, 86_400].into_iter().nth(usize::from(code & 3)).unwrap_or(1);
        Self { factor, ..Self::new(name, "s", 0) }
    }

    /// A unit written out in the record.
    pub(super) fn plain_text(text: String) -> Self {
        Self { name: text, ..Self::new("", "-", 0) }
    }

    /// A primary value information field without its extension bit; 0x7B and 0x7D are not for here.
    ///
    /// Standard: EN 13757-3, table of primary VIF codes.
    pub(super) fn primary(vif: u8) -> Self {
        let n3 = exponent(vif, 7);
        let n2 = exponent(vif, 3);
        match vif & 0x7F {
            0x00..=0x07 => Self::new("Energy", "Wh", n3 - 3),
            0x08..=0x0F => Self::new("Energy", "J", n3),
            0x10..=0x17 => Self::new("Volume", "m^3", n3 - 6),
            0x18..=0x1F => Self::new("Mass", "kg", n3 - 3),
            0x20..=0x23 => Self::duration("On time", vif),
            0x24..=0x27 => Self::duration("Operating time", vif),
            0x28..=0x2F => Self::new("Power", "W", n3 - 3),
            0x30..=0x37 => Self::new("Power", "J/h", n3),
            0x38..=0x3F => Self::new("Volume flow", "m^3/h", n3 - 6),
            0x40..=0x47 => Self::new("Volume flow", "m^3/min", n3 - 7),
            0x48..=0x4F => Self::new("Volume flow", "m^3/s", n3 - 9),
            0x50..=0x57 => Self::new("Mass flow", "kg/h", n3 - 3),
            0x58..=0x5B => Self::new("Flow temperature", "°C", n2 - 3),
            0x5C..=0x5F => Self::new("Return temperature", "°C", n2 - 3),
            0x60..=0x63 => Self::new("Temperature difference", "K", n2 - 3),
            0x64..=0x67 => Self::new("External temperature", "°C", n2 - 3),
            0x68..=0x6B => Self::new("Pressure", "bar", n2 - 3),
            0x6C => Self { time: true, ..Self::new("Time point (date)", "-", 0) },
            0x6D => Self { time: true, ..Self::new("Time point (date & time)", "-", 0) },
            0x6E => Self::new("H.C.A.", "Units for H.C.A.", 0),
            0x70..=0x73 => Self::duration("Averaging Duration", vif),
            0x74..=0x77 => Self::duration("Actuality Duration", vif),
            0x78 => Self::new("Fabrication No", "", 0),
            0x79 => Self::new("(Enhanced) Identification", "", 0),
            0x7A => Self::new("Bus Address", "", 0),
            0x7E => Self::new("Any VIF", "", 0),
            0x7F => Self::new("Manufacturer specific", "", 0),
            _ => Self::new("Reserved", "", 0),
        }
    }

    /// The extension after VIF 0xFD.
    pub(super) fn extended_fd(vife: u8) -> Self {
        let n4 = exponent(vife, 15);
        match vife & 0x7F {
            0x00..=0x03 => Self::new("Credit", "currency", exponent(vife, 3) - 3),
            0x04..=0x07 => Self::new("Debit", "currency", exponent(vife, 3) - 3),
            0x40..=0x4F => Self::new("Voltage", "V", n4 - 9),
            0x50..=0x5F => Self::new("Current", "A", n4 - 12),
            code => Self::new(fd_name(code), "", 0),
        }
    }

    /// The extension after VIF 0xFB.
    pub(super) fn extended_fb(vife: u8) -> Self {
        let n1 = exponent(vife, 1);
        let n2 = exponent(vife, 3);
        match vife & 0x7F {
            0x00 | 0x01 => Self::new("Energy", "Wh", n1 + 5),
            0x08 | 0x09 => Self::new("Energy", "J", n1 + 8),
            0x10 | 0x11 => Self::new("Volume", "m^3", n1 + 2),
            0x18 | 0x19 => Self::new("Mass", "kg", n1 + 5),
            0x28 | 0x29 => Self::new("Power", "W", n1 + 5),
            0x30 | 0x31 => Self::new("Power", "J/h", n1 + 8),
            0x74..=0x77 => Self::new("Temperature limit", "°C", n2 - 3),
            0x78..=0x7F => Self::new("Max. power", "W", exponent(vife, 7) - 3),
            _ => Self::new("Reserved", "", 0),
        }
    }
}

const fn fd_name(code: u8) -> &'static str {
    match code {
        0x08 => "Access Number",
        0x09 => "Medium",
        0x0A => "Manufacturer",
        0x0B => "Parameter set identification",
        0x0C => "Model / Version",
        0x0D => "Hardware version",
        0x0E => "Firmware version",
        0x0F => "Software version",
        0x10 => "Customer location",
        0x11 => "Customer",
        0x12..=0x15 => "Access code",
        0x16 => "Password",
        0x17 => "Error flags",
        0x18 => "Error mask",
        0x1A => "Digital Output",
        0x1B => "Digital Input",
        0x1C => "Baudrate",
        0x1D => "Response delay time",
        0x1E => "Retry",
        0x3A => "Dimensionless",
        0x60 => "Reset counter",
        0x61 => "Cumulation counter",
        0x62 => "Control signal",
        0x63 => "Day of week",
        0x64 => "Week number",
        0x65 => "Time point of day change",
        0x66 => "State of parameter activation",
        0x67 => "Special supplier information",
        _ => "Reserved",
    }
}

/// The low bits of a code as an exponent.
fn exponent(code: u8, mask: u8) -> i8 {
    i8::try_from(code & mask).unwrap_or(0)
}

/// Unit of a counter of the fixed structure: name and exponent.
///
/// Standard: EN 13757-3, fixed data structure.
pub(super) fn fixed(code: u8) -> (&'static str, i8) {
    match code & 0x3F {
        0x00 => ("h,m,s", 0),
        0x01 => ("D,M,Y", 0),
        code @ 0x02..=0x0A => ("Wh", decade_of(code, 0x02)),
        code @ 0x0B..=0x13 => ("J", decade_of(code, 0x0B) + 3),
        code @ 0x14..=0x1C => ("W", decade_of(code, 0x14)),
        code @ 0x1D..=0x25 => ("J/h", decade_of(code, 0x1D) + 3),
        code @ 0x26..=0x2E => ("l", decade_of(code, 0x26) - 3),
        code @ 0x2F..=0x37 => ("l/h", decade_of(code, 0x2F) - 3),
        0x38 => ("°C", -3),
        0x39 => ("Units for H.C.A.", 0),
        0x3E => ("reserved but historic", 0),
        0x3F => ("without units", 0),
        _ => ("reserved", 0),
    }
}

fn decade_of(code: u8, from: u8) -> i8 {
    i8::try_from(code.saturating_sub(from)).unwrap_or(0)
}
