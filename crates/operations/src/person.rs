//! Somebody who is signed in.

use crate::role::{Right, Role};
use model::{ServicePointId, UserId};

/// Who asks, and what is theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The account.
    pub id: UserId,
    /// As shown on pages.
    pub name: String,
    /// What they do.
    pub role: Role,
    /// The service points of the customer they are; empty for staff.
    pub service_points: Vec<ServicePointId>,
}

impl Person {
    /// Whether they may see the readings of a service point.
    pub fn sees(&self, point: ServicePointId) -> bool {
        self.role.may(Right::SeeAnyUsage)
            || (self.role.may(Right::SeeOwnUsage) && self.service_points.contains(&point))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customers_see_only_their_own() {
        let person = |role| Person {
            id: UserId::new(1),
            name: String::new(),
            role,
            service_points: vec![ServicePointId::new(7)],
        };
        for role in Role::ALL {
            let person = person(role);
            let any = role != Role::Customer && role != Role::Engineer;
            assert_eq!(person.sees(ServicePointId::new(7)), any || role == Role::Customer, "{role:?}");
            assert_eq!(person.sees(ServicePointId::new(8)), any, "{role:?}");
        }
    }
}
