//! What a class of customers used on a day: added up over the parts of the fleet, replaced when a part is closed again.

use super::*;
use jiff::ToSpan;
use model::CustomerClass;

#[test]
fn parts_add_up_and_give_way_to_themselves() {
    on_each_engine(|store| {
        let day = date(2026, 5, 1);
        let used =
            |offset: i64, half, channels, total| ClassUse { day: day + offset.days(), half, channels, total };
        let (kind, class) = (ChannelKind::Import, CustomerClass::default());
        let ask = |kind, from: i64, to: i64| {
            store.read(|r| r.class_days(kind, class, day + from.days(), day + to.days())).unwrap()
        };
        assert_eq!(ask(kind, 0, 9), []);
        store
            .write(|w| {
                w.put_class_day(kind, class, 1, &used(0, 0, 3, i64::MAX / 4))?;
                w.put_class_day(kind, class, 1, &used(0, 1, 2, 20))?;
                w.put_class_day(kind, class, 16_385, &used(0, 0, 5, i64::MAX / 4))?;
                w.put_class_day(kind, class, 16_385, &used(1, 1, 7, -70))?;
                w.put_class_day(ChannelKind::Export, class, 1, &used(0, 0, 1, 1))
            })
            .unwrap();
        let sum = i64::MAX / 4 * 2;
        assert_eq!(ask(kind, 0, 2), [used(0, 0, 8, sum), used(0, 1, 2, 20), used(1, 1, 7, -70)]);
        assert_eq!(ask(kind, 1, 2), [used(1, 1, 7, -70)]);
        assert_eq!(ask(ChannelKind::Export, 0, 9), [used(0, 0, 1, 1)]);
        // The part is closed again: what it had is replaced, others stay.
        store.write(|w| w.put_class_day(kind, class, 1, &used(0, 0, 4, 40))).unwrap();
        assert_eq!(ask(kind, 0, 1)[0], used(0, 0, 9, i64::MAX / 4 + 40));
    });
}
