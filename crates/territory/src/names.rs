//! Invented names and addresses. Nobody is meant.

use crate::chance::{Purpose, below};

const GIVEN: [&str; 40] = [
    "Ada", "Alma", "Amir", "Anouk", "Astrid", "Beatriz", "Benno", "Carla", "Cyrus", "Dara", "Diego", "Edda",
    "Elias", "Farah", "Felix", "Greta", "Hanna", "Hugo", "Ines", "Ivo", "Jada", "Jonas", "Kaya", "Lena",
    "Leo", "Mara", "Mateo", "Mina", "Nadia", "Noel", "Olga", "Oscar", "Paula", "Quinn", "Rosa", "Samir",
    "Tara", "Theo", "Vera", "Yara",
];
const FAMILY: [&str; 48] = [
    "Abendroth",
    "Alder",
    "Amsel",
    "Barrow",
    "Birkmeier",
    "Brightwater",
    "Calloway",
    "Castellan",
    "Dunmore",
    "Ellerby",
    "Fairweather",
    "Farnsby",
    "Garrido",
    "Grunewald",
    "Halloran",
    "Hartwell",
    "Hollis",
    "Iverly",
    "Juniper",
    "Kestrel",
    "Kingsley",
    "Lindqvist",
    "Lorimer",
    "Marchetti",
    "Merriweather",
    "Montoya",
    "Nakamori",
    "Northcott",
    "Okonjo",
    "Orchard",
    "Pemberton",
    "Penrose",
    "Quillan",
    "Ravensworth",
    "Rosales",
    "Sandoval",
    "Silverstone",
    "Stanhope",
    "Tamura",
    "Thistlewood",
    "Underhill",
    "Valdez",
    "Vandermeer",
    "Wetherby",
    "Whitlock",
    "Winterbourne",
    "Yarrow",
    "Zellweger",
];
const STREET: [&str; 36] = [
    "Acorn",
    "Alder",
    "Aspen",
    "Birch",
    "Blackberry",
    "Cedar",
    "Cherry",
    "Chestnut",
    "Clover",
    "Cottonwood",
    "Creek",
    "Dogwood",
    "Elm",
    "Fern",
    "Foxglove",
    "Hawthorn",
    "Hazel",
    "Hickory",
    "Holly",
    "Juniper",
    "Larch",
    "Laurel",
    "Linden",
    "Magnolia",
    "Maple",
    "Meadow",
    "Mulberry",
    "Orchard",
    "Poplar",
    "Primrose",
    "Quarry",
    "Rowan",
    "Sorrel",
    "Spruce",
    "Sycamore",
    "Willow",
];
const KIND: [&str; 5] = ["Street", "Lane", "Avenue", "Road", "Court"];

/// The name of the person number `index`.
pub(crate) fn person(seed: u64, index: u64) -> String {
    let given = GIVEN[below(seed, Purpose::Name, index * 2, GIVEN.len())];
    let family = FAMILY[below(seed, Purpose::Name, index * 2 + 1, FAMILY.len())];
    format!("{given} {family}")
}

/// The name of the street number `index`; no two are the same.
pub(crate) fn street(index: usize) -> String {
    let name = STREET[index % STREET.len()];
    let kind = KIND[(index / STREET.len()) % KIND.len()];
    match index / (STREET.len() * KIND.len()) {
        0 => format!("{name} {kind}"),
        district => format!("{name} {kind} {}", district + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn streets_are_told_apart() {
        assert_eq!((0..500).map(street).collect::<BTreeSet<_>>().len(), 500);
    }
}
