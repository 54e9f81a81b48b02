//! The quality codes of other people's formats, to and from our byte.
//!
//! Each pair of functions keeps a promise: what our byte becomes reads back as the same byte, whatever class and flags.
//! A foreign code may say more than the byte (AEMO's method, CMEP's status bits); then the code made from the byte
//! differs from the one that came, and the reader keeps what came beside the value.
//!
//! Where a format has no word of its own for a class or a flag, the nearest code of the format stands first, for
//! everyone, and what only we need follows in a place where the format allows additions.

use super::{Quality, QualityClass};

/// Added to our byte it makes a private ESPI code, written after the standard one where that does not say all.
///
/// **Interpretation:** the schema declares `QualityOfReading` as any 16-bit number beside the listed ones, and allows
/// several qualities for a reading; a program that does not know this one reads the standard code before it.
pub const ESPI_PRIVATE: u16 = 0x5700;

/// The ESPI codes of our byte: the standard one, and a private one where that says too little.
///
/// Standard: NAESB REQ.21 ESPI 4.0, `QualityOfReading`: 0 valid, 7 manually edited, 8 estimated using reference day,
/// 9 estimated using linear interpolation, 10 questionable, 11 derived, 12 projected, 13 mixed, 14 raw,
/// 15 normalised for weather, 16 other, 17 validated, 18 verified, 19 revenue-quality.
pub fn to_espi(quality: Quality) -> (u16, Option<u16>) {
    let code = match quality.class() {
        QualityClass::Raw => 14,
        QualityClass::Valid => 0,
        QualityClass::Verified => 18,
        QualityClass::Edited => 7,
        QualityClass::EstimatedLinear => 9,
        QualityClass::EstimatedLikeDay
        | QualityClass::EstimatedProfile
        | QualityClass::EstimatedScaled
        | QualityClass::Substituted => 8,
        QualityClass::DerivedZero => 11,
        QualityClass::Missing => 16,
        QualityClass::Questionable => 10,
        QualityClass::Projected => 12,
    };
    let private = (from_espi(&[code]) != quality).then(|| ESPI_PRIVATE + u16::from(quality.byte()));
    (code, private)
}

/// Our byte for the ESPI codes of a reading; for none, what the standard assumes: valid.
///
/// Of several the private one decides, then the gravest: questionable before estimated before edited before valid.
pub fn from_espi(codes: &[u16]) -> Quality {
    let ours = codes.iter().find_map(|code| {
        let byte = u8::try_from(code.checked_sub(ESPI_PRIVATE)?).ok()?;
        Quality::try_from(byte).ok()
    });
    if let Some(quality) = ours {
        return quality;
    }
    let class = |code: &u16| match code {
        0 | 17 | 19 => (0, QualityClass::Valid),
        18 => (1, QualityClass::Verified),
        14 => (2, QualityClass::Raw),
        7 => (3, QualityClass::Edited),
        9 => (4, QualityClass::EstimatedLinear),
        8 => (5, QualityClass::EstimatedLikeDay),
        11 | 13 | 15 => (6, QualityClass::EstimatedProfile),
        12 => (7, QualityClass::Projected),
        _ => (8, QualityClass::Questionable),
    };
    let gravest = codes.iter().map(class).max_by_key(|(gravity, _)| *gravity);
    gravest.map_or(Quality::VALID, |(_, class)| Quality::new(class))
}

/// A code of CIM: `system.category.index`.
///
/// Standard: IEC 61968-9, ReadingQualityType. System 1 is the end device, 2 the metering system, 3 the meter data
/// manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cim {
    /// Who says so.
    pub system: u16,
    /// The kind of statement.
    pub category: u16,
    /// The statement.
    pub index: u16,
}

impl Cim {
    /// A code.
    pub const fn new(system: u16, category: u16, index: u16) -> Self {
        Self { system, category, index }
    }
}

impl core::fmt::Display for Cim {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}.{}.{}", self.system, self.category, self.index)
    }
}

/// A text that is no `system.category.index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a CIM reading quality is written as system.category.index, for example 3.8.0")]
pub struct NotACim;

impl core::str::FromStr for Cim {
    type Err = NotACim;

    fn from_str(text: &str) -> Result<Self, NotACim> {
        let mut parts = text.split('.').map(|part| part.parse::<u16>().map_err(|_| NotACim));
        let mut next = || parts.next().unwrap_or(Err(NotACim));
        let code = Self::new(next()?, next()?, next()?);
        if parts.next().is_some() { Err(NotACim) } else { Ok(code) }
    }
}

/// Each class as codes of CIM. Only the general code of category 8 is certain, so the kinds of estimate are told
/// apart by a second code.
const CIM_CLASSES: [(QualityClass, &[Cim]); 13] = [
    (QualityClass::Raw, &[Cim::new(1, 0, 0)]),
    (QualityClass::Valid, &[Cim::new(3, 0, 1)]),
    (QualityClass::Verified, &[Cim::new(3, 10, 1)]),
    (QualityClass::Edited, &[Cim::new(3, 7, 0)]),
    (QualityClass::EstimatedLinear, &[Cim::new(3, 8, 0), Cim::new(3, 11, 0)]),
    (QualityClass::EstimatedLikeDay, &[Cim::new(3, 8, 0)]),
    (QualityClass::EstimatedProfile, &[Cim::new(3, 8, 0), Cim::new(3, 11, 1)]),
    (QualityClass::EstimatedScaled, &[Cim::new(3, 8, 0), Cim::new(3, 6, 9)]),
    (QualityClass::DerivedZero, &[Cim::new(3, 11, 0)]),
    (QualityClass::Missing, &[Cim::new(3, 5, 259)]),
    (QualityClass::Questionable, &[Cim::new(3, 5, 258)]),
    (QualityClass::Projected, &[Cim::new(3, 12, 0)]),
    (QualityClass::Substituted, &[Cim::new(5, 8, 0)]),
];

/// Each flag as a code of CIM: power failed, partial interval, clock error, added later.
const CIM_FLAGS: [(u8, Cim); 4] = [
    (Quality::POWER_FAIL, Cim::new(1, 2, 32)),
    (Quality::PARTIAL, Cim::new(1, 4, 2)),
    (Quality::CLOCK_DOUBTFUL, Cim::new(1, 1, 9)),
    (Quality::SUPERSEDED, Cim::new(3, 7, 1)),
];

/// The CIM codes of our byte: one or two for the class, one for each flag.
pub fn to_cim(quality: Quality) -> Vec<Cim> {
    let class =
        CIM_CLASSES.iter().filter(|(class, _)| *class == quality.class()).flat_map(|(_, codes)| *codes);
    let flags = CIM_FLAGS.iter().filter(|(flag, _)| quality.has(*flag)).map(|(_, code)| code);
    class.chain(flags).copied().collect()
}

/// Our byte for the CIM codes of a reading, whoever said them; for none, valid.
pub fn from_cim(codes: &[Cim]) -> Quality {
    let has = |code: &Cim| codes.contains(code);
    let flags = CIM_FLAGS.iter().filter(|(_, code)| has(code)).fold(0, |flags, (flag, _)| flags | flag);
    let rest: Vec<Cim> =
        codes.iter().filter(|code| !CIM_FLAGS.iter().any(|(_, flag)| flag == *code)).copied().collect();
    let exact = CIM_CLASSES.iter().find(|(_, codes)| *codes == rest.as_slice()).map(|(class, _)| *class);
    let loose = || {
        let said = |category: u16| rest.iter().any(|code| code.category == category);
        let indexed = |category: u16, index: u16| {
            rest.iter().any(|code| (code.category, code.index) == (category, index))
        };
        if indexed(5, 259) || indexed(4, 4) {
            QualityClass::Missing
        } else if indexed(10, 1) {
            QualityClass::Verified
        } else if said(10) || said(5) || said(6) || said(3) || indexed(4, 1) || indexed(4, 5) {
            QualityClass::Questionable
        } else if said(8) {
            QualityClass::EstimatedLikeDay
        } else if said(12) {
            QualityClass::Projected
        } else if said(11) {
            QualityClass::EstimatedProfile
        } else if said(7) {
            QualityClass::Edited
        } else {
            QualityClass::Valid
        }
    };
    let mut quality = Quality::new(exact.unwrap_or_else(loose)).with(flags);
    if rest.iter().any(|code| (code.category, code.index) == (2, 32)) {
        quality = quality.with(Quality::POWER_FAIL);
    }
    if rest.iter().any(|code| code.category == 4 && matches!(code.index, 2 | 3)) {
        quality = quality.with(Quality::PARTIAL);
    }
    if rest.iter().any(|code| matches!((code.category, code.index), (1 | 4, 9) | (4, 64 | 128))) {
        quality = quality.with(Quality::CLOCK_DOUBTFUL);
    }
    quality
}

/// A quality of the Australian market: a letter and, for substitutes and estimates, a method.
///
/// Standard: AEMO Meter Data File Format, QualityMethod; methods after the Metrology Procedure, part B.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Aemo {
    /// A actual, E forward estimate, F final substitute, N null, S substitute, V variable.
    pub flag: AemoFlag,
    /// The method, of two digits; 0 where the flag has none.
    pub method: u8,
}

/// The letter of an [`Aemo`] quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AemoFlag {
    /// A: actual.
    Actual,
    /// E: forward estimate.
    Estimate,
    /// F: final substitute.
    Final,
    /// N: no data.
    Null,
    /// S: substitute, may still be replaced.
    Substitute,
    /// V: differs by interval; records follow that say how.
    Variable,
}

impl AemoFlag {
    /// Every flag.
    pub const ALL: [Self; 6] =
        [Self::Actual, Self::Estimate, Self::Final, Self::Null, Self::Substitute, Self::Variable];

    /// The letter.
    pub const fn letter(self) -> char {
        match self {
            Self::Actual => 'A',
            Self::Estimate => 'E',
            Self::Final => 'F',
            Self::Null => 'N',
            Self::Substitute => 'S',
            Self::Variable => 'V',
        }
    }

    /// Whether a method of two digits follows it.
    pub const fn has_method(self) -> bool {
        matches!(self, Self::Estimate | Self::Final | Self::Substitute)
    }
}

/// Every method in force or once in force, with its meaning.
pub const AEMO_METHODS: [(u8, &str); 38] = [
    (11, "check metering"),
    (12, "calculated"),
    (13, "SCADA"),
    (14, "retrospective like day"),
    (15, "retrospective average like day"),
    (16, "agreed"),
    (17, "linear"),
    (18, "alternate"),
    (19, "zero"),
    (20, "prospective like day"),
    (21, "five minutes, no history"),
    (22, "prospective average like day"),
    (23, "previous year"),
    (24, "data scaling"),
    (25, "average daily load"),
    (51, "previous year"),
    (52, "previous read"),
    (53, "revision"),
    (54, "linear"),
    (55, "agreed"),
    (56, "prior to first read"),
    (57, "customer class"),
    (58, "zero"),
    (59, "five minutes, no history"),
    (61, "previous year"),
    (62, "previous read"),
    (63, "customer class"),
    (64, "agreed"),
    (65, "average daily load"),
    (66, "revision"),
    (67, "customer read"),
    (68, "zero"),
    (69, "linear extrapolation"),
    (71, "recalculation"),
    (72, "revised table"),
    (73, "revised algorithm"),
    (74, "agreed"),
    (75, "existing table"),
];

impl Aemo {
    /// Actual.
    pub const ACTUAL: Self = Self { flag: AemoFlag::Actual, method: 0 };
    /// No data.
    pub const NULL: Self = Self { flag: AemoFlag::Null, method: 0 };

    /// Reads a QualityMethod field: `A`, `N`, `V`, or a letter and two digits.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (letter, digits) = text.split_first()?;
        let flag = AemoFlag::ALL.into_iter().find(|flag| flag.letter() == char::from(*letter))?;
        match (flag.has_method(), digits) {
            (false, []) => Some(Self { flag, method: 0 }),
            (true, [tens @ b'1'..=b'9', ones @ b'0'..=b'9']) => {
                Some(Self { flag, method: (tens - b'0') * 10 + (ones - b'0') })
            }
            _ => None,
        }
    }

    /// What the method does, if it is one of the market's.
    pub fn method_name(self) -> Option<&'static str> {
        AEMO_METHODS.iter().find(|(method, _)| *method == self.method).map(|(_, name)| *name)
    }
}

impl core::fmt::Display for Aemo {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.flag.has_method() {
            write!(f, "{}{:02}", self.flag.letter(), self.method)
        } else {
            write!(f, "{}", self.flag.letter())
        }
    }
}

/// What stands before our word in the free text of an AEMO reason.
pub const AEMO_WORD: &str = "quality ";

/// The AEMO quality of our byte, and a free-text reason (code 0) where the letter and method say too little.
pub fn to_aemo(quality: Quality) -> (Aemo, Option<String>) {
    let of = |flag, method| Aemo { flag, method };
    let code = match quality.class() {
        QualityClass::Raw | QualityClass::Valid | QualityClass::Verified | QualityClass::Questionable => {
            Aemo::ACTUAL
        }
        QualityClass::Edited => of(AemoFlag::Final, 18),
        QualityClass::EstimatedLinear => of(AemoFlag::Substitute, 17),
        QualityClass::EstimatedLikeDay => of(AemoFlag::Substitute, 14),
        QualityClass::EstimatedProfile => of(AemoFlag::Substitute, 25),
        QualityClass::EstimatedScaled => of(AemoFlag::Substitute, 24),
        QualityClass::DerivedZero => of(AemoFlag::Substitute, 19),
        QualityClass::Missing => Aemo::NULL,
        QualityClass::Projected => of(AemoFlag::Estimate, 20),
        QualityClass::Substituted => of(AemoFlag::Substitute, 16),
    };
    let word = (from_aemo(code, "") != quality).then(|| format!("{AEMO_WORD}{}", quality.word()));
    (code, word)
}

/// Our byte for an AEMO quality and the text of its reason.
pub fn from_aemo(code: Aemo, reason: &str) -> Quality {
    if let Some(quality) = reason.strip_prefix(AEMO_WORD).and_then(Quality::from_word) {
        return quality;
    }
    Quality::new(match (code.flag, code.method) {
        (AemoFlag::Actual, _) => QualityClass::Valid,
        (AemoFlag::Null, _) => QualityClass::Missing,
        (AemoFlag::Variable, _) => QualityClass::Questionable,
        (AemoFlag::Estimate, _) => QualityClass::Projected,
        (_, 17 | 54 | 69) => QualityClass::EstimatedLinear,
        (_, 14 | 15 | 20 | 22 | 23 | 51 | 52 | 61 | 62) => QualityClass::EstimatedLikeDay,
        (_, 21 | 25 | 56 | 57 | 59 | 63 | 65) => QualityClass::EstimatedProfile,
        (_, 24) => QualityClass::EstimatedScaled,
        (_, 19 | 58 | 68) => QualityClass::DerivedZero,
        _ => QualityClass::Edited,
    })
}

/// A quality of CMEP: a letter and a number of status bits.
///
/// Standard: California Metering Exchange Protocol, data quality flag. The meaning of the bits is kept, not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cmep {
    /// R as read, E estimated, A adjusted, N no value.
    pub letter: CmepLetter,
    /// The number behind the letter.
    pub bits: u32,
}

/// The letter of a [`Cmep`] quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CmepLetter {
    /// R: as read.
    Read,
    /// E: estimated.
    Estimated,
    /// A: adjusted.
    Adjusted,
    /// N: no value.
    None,
}

impl CmepLetter {
    /// Every letter.
    pub const ALL: [Self; 4] = [Self::Read, Self::Estimated, Self::Adjusted, Self::None];

    /// As written.
    pub const fn letter(self) -> char {
        match self {
            Self::Read => 'R',
            Self::Estimated => 'E',
            Self::Adjusted => 'A',
            Self::None => 'N',
        }
    }
}

/// Set in the bits that we write where the letter says too little; our byte stands in the eight bits below it.
pub const CMEP_PRIVATE: u32 = 1 << 24;

impl Cmep {
    /// Reads a flag: a letter and a decimal number, which may be left out for 0.
    pub fn parse(text: &str) -> Option<Self> {
        let mut chars = text.chars();
        let first = chars.next()?;
        let letter = CmepLetter::ALL.into_iter().find(|letter| letter.letter() == first)?;
        let digits = chars.as_str();
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        let bits = if digits.is_empty() { 0 } else { digits.parse().ok().filter(|_| plain)? };
        Some(Self { letter, bits })
    }
}

impl core::fmt::Display for Cmep {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}{}", self.letter.letter(), self.bits)
    }
}

/// The CMEP quality of our byte.
pub fn to_cmep(quality: Quality) -> Cmep {
    let letter = match quality.class() {
        QualityClass::Missing => CmepLetter::None,
        QualityClass::Edited | QualityClass::DerivedZero => CmepLetter::Adjusted,
        _ if quality.is_estimated() => CmepLetter::Estimated,
        _ => CmepLetter::Read,
    };
    let plain = Cmep { letter, bits: 0 };
    if from_cmep(plain) == quality {
        return plain;
    }
    Cmep { letter, bits: CMEP_PRIVATE | (u32::from(quality.byte()) << 16) }
}

/// Our byte for a CMEP quality.
pub fn from_cmep(code: Cmep) -> Quality {
    let [top, byte, _, _] = code.bits.to_be_bytes();
    if top == 1
        && let Ok(quality) = Quality::try_from(byte)
    {
        return quality;
    }
    Quality::new(match code.letter {
        CmepLetter::Read => QualityClass::Valid,
        CmepLetter::Estimated => QualityClass::EstimatedLikeDay,
        CmepLetter::Adjusted => QualityClass::Edited,
        CmepLetter::None => QualityClass::Missing,
    })
}

#[cfg(test)]
mod tests;
