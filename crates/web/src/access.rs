//! Every route with who may use it. A path that is routed but not listed here is refused.

use axum::http::Method;
use operations::{Right, Role};

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody, signed in or not.
    Anyone,
    /// Anybody who is signed in; the page itself shows only what is theirs.
    SignedIn,
    /// Roles with this right.
    With(Right),
}

impl Access {
    /// Whether `role` may; `None` is nobody.
    pub(crate) fn allows(self, role: Option<Role>) -> bool {
        match (self, role) {
            (Self::Anyone, _) | (Self::SignedIn, Some(_)) => true,
            (Self::With(right), Some(role)) => role.may(right),
            (Self::SignedIn | Self::With(_), None) => false,
        }
    }

    /// Who may, for the page that refuses.
    pub(crate) fn sentence(self) -> String {
        match self {
            Self::With(right) => {
                let roles: Vec<&str> =
                    Role::ALL.into_iter().filter(|role| role.may(right)).map(Role::title).collect();
                format!(
                    "This needs one of these roles: {}. You are signed in with another one.",
                    roles.join(", ")
                )
            }
            Self::Anyone | Self::SignedIn => "Sign in first.".to_owned(),
        }
    }
}

/// A way of asking, a path as routed, and who may.
pub(crate) type Rule = (&'static str, &'static str, Access);

/// The whole site.
pub(crate) const RULES: &[Rule] = &[
    ("GET", "/a/{hash}/{name}", Access::Anyone),
    ("GET", "/sign-in", Access::Anyone),
    ("POST", "/sign-in", Access::Anyone),
    ("POST", "/sign-in/demo", Access::Anyone),
    ("POST", "/sign-out", Access::SignedIn),
    ("POST", "/prefs/theme", Access::Anyone),
    ("GET", "/", Access::SignedIn),
    ("GET", "/usage", Access::With(Right::SeeOwnUsage)),
    ("GET", "/usage.csv", Access::With(Right::SeeOwnUsage)),
    ("GET", "/usage/download", Access::With(Right::SeeOwnUsage)),
    ("GET", "/usage/download/file", Access::With(Right::SeeOwnUsage)),
    ("GET", "/ops", Access::With(Right::SeeFleet)),
    #[cfg(debug_assertions)]
    ("GET", "/ops/_ui", Access::With(Right::SeeFleet)),
    ("GET", "/ops/live", Access::With(Right::SeeFleet)),
    ("GET", "/ops/meters", Access::With(Right::SeeFleet)),
    ("GET", "/ops/meters.csv", Access::With(Right::SeeFleet)),
    ("GET", "/ops/meters/{id}", Access::With(Right::SeeFleet)),
    ("GET", "/ops/meters/{id}/profile.csv", Access::With(Right::SeeAnyUsage)),
    ("POST", "/ops/meters/{id}/commands", Access::With(Right::ReadMeters)),
    ("GET", "/ops/reads", Access::With(Right::SeeFleet)),
    ("GET", "/ops/reads.csv", Access::With(Right::SeeFleet)),
    ("GET", "/ops/groups", Access::With(Right::SeeFleet)),
    ("GET", "/ops/groups/new", Access::With(Right::EditReadings)),
    ("GET", "/ops/groups/load", Access::With(Right::SeeFleet)),
    ("POST", "/ops/groups", Access::With(Right::EditReadings)),
    ("POST", "/ops/groups/{id}/retire", Access::With(Right::EditReadings)),
    ("POST", "/ops/formulas", Access::With(Right::EditReadings)),
    ("GET", "/ops/formulas/new", Access::With(Right::EditReadings)),
    // A formula over one home's channels shows what people used.
    ("GET", "/ops/formulas/{id}", Access::With(Right::SeeAnyUsage)),
    ("POST", "/ops/formulas/{id}/retire", Access::With(Right::EditReadings)),
    ("GET", "/ops/rules", Access::With(Right::SeeFleet)),
    ("POST", "/ops/rules", Access::With(Right::SetRules)),
    ("POST", "/ops/rules/end", Access::With(Right::SetRules)),
    // Sentences of findings and the bench show what people used.
    ("GET", "/ops/vee", Access::With(Right::SeeAnyUsage)),
    ("GET", "/ops/vee.csv", Access::With(Right::SeeAnyUsage)),
    ("GET", "/ops/vee/accept", Access::With(Right::EditReadings)),
    ("POST", "/ops/vee/accept", Access::With(Right::EditReadings)),
    ("GET", "/ops/vee/{meter}/{day}", Access::With(Right::SeeAnyUsage)),
    ("POST", "/ops/vee/{meter}/{day}", Access::With(Right::EditReadings)),
    // What was left out of a file shows what people used.
    ("GET", "/ops/imports", Access::With(Right::SeeAnyUsage)),
    ("POST", "/ops/imports", Access::With(Right::EditReadings)),
    ("GET", "/ops/imports/{id}", Access::With(Right::SeeAnyUsage)),
    ("GET", "/ops/imports/{id}/quarantine.csv", Access::With(Right::SeeAnyUsage)),
    ("GET", "/ops/commands", Access::With(Right::SeeFleet)),
    ("GET", "/ops/commands/{id}", Access::With(Right::SeeFleet)),
    ("GET", "/ops/commands/{id}/live", Access::With(Right::SeeFleet)),
    ("GET", "/api/v1/overview", Access::With(Right::SeeFleet)),
    ("GET", "/api/v1/meters", Access::With(Right::SeeFleet)),
    ("GET", "/api/v1/meters/{id}", Access::With(Right::SeeFleet)),
    ("GET", "/api/v1/meters/{id}/profile", Access::With(Right::SeeAnyUsage)),
    ("POST", "/api/v1/meters/{id}/commands", Access::With(Right::ReadMeters)),
    ("GET", "/api/v1/commands", Access::With(Right::SeeFleet)),
    ("GET", "/api/v1/commands/{id}", Access::With(Right::SeeFleet)),
    ("GET", "/api/v1/usage", Access::SignedIn),
    ("GET", "/api/v1/imports", Access::With(Right::SeeAnyUsage)),
    ("POST", "/api/v1/imports", Access::With(Right::EditReadings)),
    ("GET", "/api/v1/imports/{id}", Access::With(Right::SeeAnyUsage)),
    ("GET", "/api/v1/imports/{id}/quarantine", Access::With(Right::SeeAnyUsage)),
    ("GET", "/api/v1/imports/{id}/quarantine.csv", Access::With(Right::SeeAnyUsage)),
    ("GET", "/api/v1/export", Access::With(Right::SeeAnyUsage)),
    ("GET", "/api/v1/exceptions", Access::With(Right::SeeAnyUsage)),
    ("POST", "/api/v1/exceptions/accept", Access::With(Right::EditReadings)),
    ("POST", "/api/v1/exceptions/assign", Access::With(Right::EditReadings)),
    ("GET", "/api/v1/rebill-flags", Access::With(Right::SeeFleet)),
    ("GET", "/api/v1/channels/{channel}/days/{date}", Access::With(Right::SeeAnyUsage)),
    ("GET", "/api/v1/channels/{channel}/days/{date}/versions", Access::With(Right::SeeAnyUsage)),
    ("GET", "/api/v1/channels/{channel}/days/{date}/as-of", Access::With(Right::SeeAnyUsage)),
    ("GET", "/api/v1/channels/{channel}/days/{date}/diff", Access::With(Right::SeeAnyUsage)),
    ("GET", "/api/v1/channels/{channel}/days/{date}/candidates", Access::With(Right::SeeAnyUsage)),
    ("POST", "/api/v1/channels/{channel}/days/{date}/edits", Access::With(Right::EditReadings)),
    ("POST", "/api/v1/channels/{channel}/days/{date}/edits/preview", Access::With(Right::EditReadings)),
    ("GET", "/api/v1/completeness", Access::With(Right::SeeFleet)),
    ("GET", "/api/v1/completeness.csv", Access::With(Right::SeeFleet)),
    ("GET", "/api/v1/completeness/meters", Access::With(Right::SeeFleet)),
    ("GET", "/api/v1/groups", Access::With(Right::SeeFleet)),
    ("POST", "/api/v1/groups", Access::With(Right::EditReadings)),
    ("POST", "/api/v1/groups/{id}/retire", Access::With(Right::EditReadings)),
    ("GET", "/api/v1/rule-sets", Access::With(Right::SeeFleet)),
    ("POST", "/api/v1/rule-sets", Access::With(Right::SetRules)),
    ("POST", "/api/v1/rule-sets/what-if", Access::With(Right::SetRules)),
    // Of a small group a sum is somebody's use.
    ("GET", "/api/v1/load", Access::With(Right::SeeAnyUsage)),
    ("GET", "/api/v1/virtual-channels", Access::With(Right::SeeAnyUsage)),
    ("POST", "/api/v1/virtual-channels", Access::With(Right::EditReadings)),
    ("POST", "/api/v1/virtual-channels/preview", Access::With(Right::SeeAnyUsage)),
    ("POST", "/api/v1/virtual-channels/{id}/retire", Access::With(Right::EditReadings)),
    ("GET", "/api/v1/virtual-channels/{id}/days/{date}", Access::With(Right::SeeAnyUsage)),
];

/// The rule of a routed path; a HEAD asks for what a GET may have.
pub(crate) fn rule(method: &Method, path: &str) -> Option<Access> {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    RULES.iter().find(|(m, p, _)| *m == method && *p == path).map(|(_, _, access)| *access)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_more_than_the_door() {
        for (method, path, access) in RULES {
            let open = path.starts_with("/sign-in") || path.starts_with("/a/") || *path == "/prefs/theme";
            assert_eq!(access.allows(None), open, "{method} {path}");
        }
    }

    #[test]
    fn customers_see_no_console_and_operators_no_portal() {
        for (method, path, access) in RULES {
            if path.starts_with("/ops")
                || path.starts_with("/api/v1/meters")
                || path.starts_with("/api/v1/commands")
            {
                assert!(!access.allows(Some(Role::Customer)), "{method} {path}");
            }
            if path.starts_with("/usage") {
                assert!(
                    Role::ALL.into_iter().all(|role| access.allows(Some(role)) == (role == Role::Customer))
                );
            }
        }
    }

    #[test]
    fn rules_are_unique_and_others_are_refused() {
        for (index, (method, path, _)) in RULES.iter().enumerate() {
            assert!(RULES[..index].iter().all(|(m, p, _)| m != method || p != path), "{method} {path} twice");
        }
        assert_eq!(rule(&Method::DELETE, "/ops/meters"), None);
        assert_eq!(rule(&Method::GET, "/ops/secret"), None);
        assert_eq!(rule(&Method::HEAD, "/ops"), Some(Access::With(Right::SeeFleet)));
    }
}
