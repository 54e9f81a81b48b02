// Names, registers of a place, days of 23 and 25 hours, multipliers: on SQLite, and once more on PostgreSQL.

use crate::{ImportReport, ImportSource, Mdm};
use exchange::Options;
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use model::{ChannelKind, Commodity, IntervalLength, Serial};
use store::{NewMeter, NewRoute, Provision};

/// Two homes, on the engine that this copy of the tests is for.
fn utility() -> Mdm {
    if module_path!().ends_with("_on_postgres") {
        crate::tests_on_postgres::utility()
    } else {
        crate::tests::utility()
    }
}

fn now() -> Timestamp {
    "2026-12-01T00:00:00Z".parse().unwrap()
}

fn take(mdm: &Mdm, text: &str, meters: &[(&str, &str)]) -> ImportReport {
    let input = Box::new(std::io::Cursor::new(text.to_owned().into_bytes()));
    let (format, mut reader) = exchange::open(input, &Options::default()).unwrap();
    let source = ImportSource {
        name: "test".to_owned(),
        format: format.name().to_owned(),
        digest: text.to_owned(),
        meters: meters.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
        dry_run: false,
        by: None,
    };
    mdm.import(now(), &source, reader.as_mut()).unwrap()
}

/// Another meter at the first service point.
fn with_a_second(mdm: &Mdm, serial: &str, channels: Vec<(ChannelKind, IntervalLength)>, multiplier: u32) {
    let meter = NewMeter {
        serial: Serial::new(serial),
        model: "five-dials".to_owned(),
        commodity: Commodity::Electricity,
        service_point: Some("SP-1".to_owned()),
        route: NewRoute::Direct { endpoint: format!("10.0.9.{}:4059", serial.len()) },
        system_title: [9, 0, 0, 0, 0, 0, 0, u8::try_from(serial.len()).unwrap()],
        client_sap: 1,
        server_sap: 1,
        security: "hls5".to_owned(),
        installed_at: "2026-01-01T00:00:00Z".parse().unwrap(),
        channels,
        keys: Vec::new(),
        metering: model::master::Metering { multiplier, ..model::master::Metering::default() },
    };
    let all = Provision { meters: vec![meter], ..Provision::default() };
    mdm.store().write(|write| write.provision(&all)).unwrap();
}

/// A day of two registers of one connection point.
fn two_registers(serial: &str) -> String {
    let register = |suffix: &str, value: &str| {
        let values = format!("{value},").repeat(96);
        format!("200,SP-1,E1E2,1,{suffix},,{serial},kWh,15,\n300,20260105,{values}A,,,20260106000000,\n")
    };
    format!("100,NEM12,202601060000,A,B\n{}{}900\n", register("E1", "1"), register("E2", "2"))
}

/// What the first interval of 5 January, market time, holds.
fn first_value(mdm: &Mdm, serial: &str) -> Option<i64> {
    let meter = mdm.store().read(|read| read.meter_by_serial(&Serial::new(serial))).unwrap().unwrap();
    // Midnight of the market is three in the afternoon of the day before.
    let profile = mdm.profile(meter.id, ChannelKind::Import, date(2026, 1, 4)).unwrap().unwrap();
    let (value, quality) = profile.series.slots[15 * 4];
    (!quality.is_missing()).then_some(value)
}

#[test]
fn the_second_register_of_a_place_is_its_second_meter() {
    let mdm = utility();
    let refused = take(&mdm, &two_registers("M-1"), &[]);
    assert_eq!((refused.offered, refused.refusals[0].reason.as_str()), (96, "second_series"));
    with_a_second(&mdm, "M-11", vec![(ChannelKind::Import, IntervalLength::QUARTER_HOUR)], 1);
    // Whether the file names the serial of one of the two, or none.
    for serial in ["M-1", ""] {
        let both = take(&mdm, &two_registers(serial), &[]);
        assert_eq!((both.offered, both.refused), (192, 0), "{:?}", both.refusals);
        assert_eq!((first_value(&mdm, "M-1"), first_value(&mdm, "M-11")), (Some(1000), Some(2000)));
    }
}

#[test]
fn a_register_may_have_a_name_of_its_own() {
    let mdm = utility();
    let report = take(&mdm, &two_registers("M-1"), &[("SP-1/E2", "M-2")]);
    assert_eq!((report.offered, report.refused), (192, 0), "{:?}", report.refusals);
    assert_eq!((first_value(&mdm, "M-1"), first_value(&mdm, "M-2")), (Some(1000), Some(2000)));
}

/// A quantity of one span, as Green Button.
fn quantity(from: &str, to: &str) -> String {
    let (from, to): (Timestamp, Timestamp) = (from.parse().unwrap(), to.parse().unwrap());
    let (start, secs) = (from.as_second(), to.as_second() - from.as_second());
    format!(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:espi=\"http://naesb.org/espi\">\
         <entry><link rel=\"self\" href=\"UsagePoint/M-111\"/><title>House</title><content><espi:UsagePoint>\
         <espi:ServiceCategory><espi:kind>0</espi:kind></espi:ServiceCategory></espi:UsagePoint></content></entry>\
         <entry><link rel=\"self\" href=\"UsagePoint/M-111/MeterReading/1\"/><link rel=\"related\" href=\"ReadingType/1\"/>\
         <content><espi:MeterReading/></content></entry>\
         <entry><link rel=\"self\" href=\"ReadingType/1\"/><content><espi:ReadingType>\
         <espi:accumulationBehaviour>4</espi:accumulationBehaviour><espi:commodity>1</espi:commodity>\
         <espi:flowDirection>1</espi:flowDirection><espi:powerOfTenMultiplier>0</espi:powerOfTenMultiplier>\
         <espi:uom>72</espi:uom></espi:ReadingType></content></entry>\
         <entry><link rel=\"self\" href=\"UsagePoint/M-111/MeterReading/1/IntervalBlock/1\"/><content><espi:IntervalBlock>\
         <espi:interval><espi:duration>{secs}</espi:duration><espi:start>{start}</espi:start></espi:interval>\
         <espi:IntervalReading><espi:timePeriod><espi:duration>{secs}</espi:duration><espi:start>{start}</espi:start>\
         </espi:timePeriod><espi:value>4321</espi:value></espi:IntervalReading></espi:IntervalBlock></content></entry></feed>"
    )
}

#[test]
fn a_local_day_is_an_interval_however_many_hours_it_has() {
    let mdm = utility();
    with_a_second(&mdm, "M-111", vec![(ChannelKind::Import, IntervalLength::from_secs(86_400).unwrap())], 1);
    let midnight = |date| mdm.local_day(date).unwrap().start().to_string();
    // 23, 24 and 25 hours.
    for day in [date(2026, 3, 29), date(2026, 5, 1), date(2026, 10, 25)] {
        let (from, to) = (midnight(day), midnight(day.tomorrow().unwrap()));
        let report = take(&mdm, &quantity(&from, &to), &[]);
        assert_eq!((report.offered, report.refused), (1, 0), "{day}: {:?}", report.refusals);
        let meter = mdm.store().read(|read| read.meter_by_serial(&Serial::new("M-111"))).unwrap().unwrap();
        let profile = mdm.profile(meter.id, ChannelKind::Import, day).unwrap().unwrap();
        assert_eq!(profile.series.slots.len(), 1);
        assert_eq!(profile.series.slots[0].0, 4321, "{day}");
    }
    let (from, to) = (midnight(date(2026, 6, 1)), midnight(date(2026, 6, 2)));
    let later: Timestamp = to.parse::<Timestamp>().unwrap() + SignedDuration::from_hours(1);
    let report = take(&mdm, &quantity(&from, &later.to_string()), &[]);
    assert_eq!((report.offered, report.refusals[0].reason.as_str()), (0, "odd_period"));
}

#[test]
fn a_multiplier_of_the_file_is_compared_and_applied_once() {
    let mdm = utility();
    with_a_second(&mdm, "M-1111", vec![(ChannelKind::Import, IntervalLength::QUARTER_HOUR)], 40);
    let record = |constant: &str| {
        format!(
            "MEPMD01,20080501,A,B,M-1111,D,202601060000,M-1111,OK,E,KWH,{constant},00000015,1,202601050015,R0,0.25\n"
        )
    };
    for (constant, wanted) in [("40", None), ("20", Some("multiplier"))] {
        let report = take(&mdm, &record(constant), &[]);
        assert_eq!(report.refusals.first().map(|one| one.reason.as_str()), wanted, "{constant}");
    }
    let meter = mdm.store().read(|read| read.meter_by_serial(&Serial::new("M-1111"))).unwrap().unwrap();
    let profile = mdm.profile(meter.id, ChannelKind::Import, date(2026, 1, 5)).unwrap().unwrap();
    // Midnight UTC is one in the morning.
    assert_eq!(profile.series.slots[4].0, 10_000);
}
