use super::*;
use crate::Data;
use crate::data::tests::any_data;
use proptest::prelude::*;

fn rows_of(body: &[u8]) -> Result<Vec<Vec<Cell<'_>>>, DecodeError> {
    let mut rows = Rows::new(body)?;
    let (mut all, mut cells) = (Vec::new(), Vec::new());
    while rows.read_row(&mut cells)? {
        all.push(cells.clone());
    }
    Ok(all)
}

fn same(cell: &Cell<'_>, data: &Data) -> bool {
    match data {
        Data::Null => *cell == Cell::Null,
        Data::OctetString(octets) => *cell == Cell::Octets(octets),
        Data::DoubleLongUnsigned(value) => *cell == Cell::Unsigned(u64::from(*value)),
        Data::Long(value) => *cell == Cell::Signed(i64::from(*value)),
        other => match cell {
            Cell::Other(bytes) => other.to_bytes() == *bytes,
            Cell::Octets(bytes) => other.to_bytes()[1..] == **bytes,
            Cell::Unsigned(_) | Cell::Signed(_) => {
                cell.number().is_some() || matches!(other, Data::Long64Unsigned(_))
            }
            Cell::Null => false,
        },
    }
}

#[test]
fn rows_inside_a_push_structure() {
    let row = Data::Structure(vec![Data::Null, Data::Unsigned(3)]);
    let push = Data::Structure(vec![
        Data::OctetString(b"WTL1".to_vec()),
        Data::Array(vec![Data::Unsigned(1)]),
        Data::Array(vec![row.clone(), row]),
        Data::Unsigned(9),
    ])
    .to_bytes();
    let mut rows = Rows::find(&push).unwrap().unwrap();
    let mut cells = Vec::new();
    assert_eq!(rows.left(), 2);
    while rows.read_row(&mut cells).unwrap() {
        assert_eq!(cells, [Cell::Null, Cell::Unsigned(3)]);
    }
    assert_eq!(rows.rest(), [17, 9]);
    assert!(Rows::find(&Data::Unsigned(1).to_bytes()).unwrap().is_none());
}

#[test]
fn refusals_name_the_offset() {
    for (body, at) in [(&[2u8, 0][..], 0), (&[1, 1, 6, 0], 2), (&[1, 1, 2, 1, 6, 0], 5), (&[1, 3, 0], 1)] {
        assert_eq!(rows_of(body).unwrap_err().at, at, "{body:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn cells_are_what_the_tree_holds(table in prop::collection::vec(prop::collection::vec(any_data(), 0..5), 0..6)) {
        let tree = Data::Array(table.iter().cloned().map(Data::Structure).collect()).to_bytes();
        let rows = rows_of(&tree).unwrap();
        prop_assert_eq!(rows.len(), table.len());
        for (row, expected) in rows.iter().zip(&table) {
            prop_assert_eq!(row.len(), expected.len());
            for (cell, data) in row.iter().zip(expected) {
                prop_assert!(same(cell, data), "{:?} {:?}", cell, data);
            }
        }
    }

    #[test]
    fn any_bytes_never_panic(mut bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0u8..28], 1..120)) {
        let _ = (notification(&bytes).is_ok(), Rows::find(&bytes).is_ok());
        bytes[0] = 1;
        let _ = rows_of(&bytes);
    }
}
