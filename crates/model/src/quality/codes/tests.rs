use super::*;

fn every_quality() -> impl Iterator<Item = Quality> {
    (0..=u8::MAX).filter_map(|byte| Quality::try_from(byte).ok())
}

#[test]
fn our_byte_survives_every_format() {
    assert_eq!(every_quality().count(), 13 * 16);
    for quality in every_quality() {
        let (code, private) = to_espi(quality);
        let codes: Vec<u16> = core::iter::once(code).chain(private).collect();
        assert_eq!(from_espi(&codes), quality, "ESPI {codes:?}");
        let codes = to_cim(quality);
        assert_eq!(from_cim(&codes), quality, "CIM {codes:?}");
        let (code, reason) = to_aemo(quality);
        assert_eq!(from_aemo(code, reason.as_deref().unwrap_or("")), quality, "AEMO {code}");
        assert_eq!(from_cmep(to_cmep(quality)), quality);
        assert_eq!(Quality::from_word(&quality.word()), Some(quality));
    }
}

#[test]
fn espi_codes_one_by_one() {
    let table = [
        (0, "valid", true),
        (7, "edited", true),
        (8, "estimated_like_day", true),
        (9, "estimated_linear", true),
        (10, "questionable", true),
        (11, "estimated_profile", false),
        (12, "projected", true),
        (13, "estimated_profile", false),
        (14, "raw", true),
        (15, "estimated_profile", false),
        (16, "questionable", false),
        (17, "valid", false),
        (18, "verified", true),
        (19, "valid", false),
    ];
    for (code, word, says_all) in table {
        let quality = from_espi(&[code]);
        assert_eq!(quality.word(), word, "ESPI {code}");
        assert_eq!(to_espi(quality) == (code, None), says_all, "ESPI {code}");
    }
    assert_eq!(from_espi(&[]), Quality::VALID);
    assert_eq!(from_espi(&[17, 8]).word(), "estimated_like_day");
    assert_eq!(from_espi(&[ESPI_PRIVATE + 0x0F]).word(), "questionable", "no quality of ours");
}

#[test]
fn aemo_codes_one_by_one() {
    for (method, name) in AEMO_METHODS {
        for flag in [AemoFlag::Estimate, AemoFlag::Final, AemoFlag::Substitute] {
            let code = Aemo { flag, method };
            assert_eq!(Aemo::parse(code.to_string().as_bytes()), Some(code));
            assert_eq!(code.method_name(), Some(name));
            assert!(!from_aemo(code, "").is_read() && !from_aemo(code, "").is_missing());
        }
    }
    for (text, word) in
        [("A", "valid"), ("N", "missing"), ("S17", "estimated_linear"), ("F14", "estimated_like_day")]
    {
        let code = Aemo::parse(text.as_bytes()).unwrap();
        assert_eq!((code.to_string().as_str(), from_aemo(code, "").word().as_str()), (text, word));
    }
    for text in ["", "A1", "S", "S1", "S123", "X14", "s14", "S0x", "\u{e4}14"] {
        assert_eq!(Aemo::parse(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn cmep_and_cim_codes() {
    for (text, word) in
        [("R0", "valid"), ("R", "valid"), ("E64", "estimated_like_day"), ("A0", "edited"), ("N3", "missing")]
    {
        assert_eq!(from_cmep(Cmep::parse(text).unwrap()).word(), word, "{text}");
    }
    for text in ["", "X0", "R-1", "R+1", "R0x", "R99999999999"] {
        assert_eq!(Cmep::parse(text), None, "{text}");
    }
    let table = [
        ("1.0.0", "raw"),
        ("2.0.0", "valid"),
        ("3.0.1", "valid"),
        ("2.8.0", "estimated_like_day"),
        ("2.5.259", "missing"),
        ("2.5.256", "questionable"),
        ("1.2.32", "valid+power_fail"),
        ("2.2.32", "valid+power_fail"),
        ("1.4.3", "valid+partial"),
        ("1.4.9", "valid+clock_doubtful"),
        ("3.10.1", "verified"),
        ("3.10.0", "questionable"),
        ("3.12.0", "projected"),
        ("3.7.0", "edited"),
    ];
    for (text, word) in table {
        let code: Cim = text.parse().unwrap();
        assert_eq!(code.to_string(), text);
        assert_eq!(from_cim(&[code]).word(), word, "{text}");
    }
    for text in ["", "1", "1.2", "1.2.3.4", "a.b.c", "1.2.-3", "70000.1.1"] {
        assert!(text.parse::<Cim>().is_err(), "{text}");
    }
}
