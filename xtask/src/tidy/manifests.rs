//! Rings: a crate may name only crates of lower rings, as the table of `ARCHITECTURE.md` gives them.

use super::{Complaint, SourceFile};
use std::collections::BTreeMap;

/// Dependencies that only some crates may name, with the reason. Tests may name them to look from outside.
const NAMED_ONLY_BY: [(&str, &[&str], &str); 5] = [
    ("tokio", &["server", "web", "wattle"], "engines and services are synchronous; only the shells wait"),
    ("axum", &["web", "server", "wattle"], "only the shells serve pages"),
    ("rusqlite", &["store"], "only `store` contains SQL"),
    ("postgres", &["store"], "only `store` contains SQL"),
    (
        "dlms",
        &["meter", "field", "territory", "headend", "operations", "server", "sim", "wattle"],
        "stores and pages never see a register or a frame",
    ),
];

const TABLE: &str = "ARCHITECTURE.md";

/// Checks every manifest under `crates/` against the table, and `xtask`'s for form.
pub(super) fn check(files: &[SourceFile], architecture: &str) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let rings = match rings(architecture) {
        Ok(rings) => rings,
        Err(complaint) => return vec![complaint],
    };
    let manifests: Vec<(&SourceFile, &str)> =
        files.iter().filter_map(|file| folder(&file.path).map(|folder| (file, folder))).collect();
    for (name, (_, line)) in &rings {
        if !manifests.iter().any(|(_, folder)| folder == name) {
            let what = format!("the table of rings names `{name}`, which is not under crates/");
            complaints.push(Complaint::new(TABLE, *line, what, "remove its row"));
        }
    }
    for (file, folder) in manifests {
        match toml::from_str::<toml::Table>(&file.text) {
            Ok(manifest) => complaints.extend(one(file, folder, &manifest, &rings)),
            Err(error) => {
                complaints.push(Complaint::new(
                    &file.path,
                    1,
                    format!("no valid TOML: {error}"),
                    "correct it",
                ));
            }
        }
    }
    complaints
}

/// The crate's folder, for a manifest that is checked.
fn folder(path: &str) -> Option<&str> {
    let parent = path.strip_suffix("/Cargo.toml")?;
    let folder = parent.strip_prefix("crates/").unwrap_or(parent);
    (!folder.contains('/')).then_some(folder).filter(|folder| parent != *folder || *folder == "xtask")
}

type Rings = BTreeMap<String, (u32, usize)>;

/// Ring and line of every crate of the table between the markers.
fn rings(architecture: &str) -> Result<Rings, Complaint> {
    let mut rings = Rings::new();
    let mut inside = false;
    for (at, line) in architecture.lines().enumerate() {
        match line.trim() {
            "<!-- rings -->" => inside = true,
            "<!-- /rings -->" => inside = false,
            row if inside && row.starts_with('|') => {
                let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
                if let [name, ring, _] = cells.as_slice()
                    && let Ok(ring) = ring.parse()
                {
                    rings.insert(name.trim_matches('`').to_owned(), (ring, at + 1));
                }
            }
            _ => {}
        }
    }
    if rings.is_empty() {
        let remedy = "write rows `| crate | ring | what |` between <!-- rings --> and <!-- /rings -->";
        return Err(Complaint::new(TABLE, 1, "there is no table of rings", remedy));
    }
    Ok(rings)
}

fn one(file: &SourceFile, folder: &str, manifest: &toml::Table, rings: &Rings) -> Vec<Complaint> {
    let mut complaints = form(file, folder, manifest);
    let own = rings.get(folder);
    if own.is_none() && folder != "xtask" {
        let what = format!("crate `{folder}` has no ring");
        complaints.push(Complaint::new(
            &file.path,
            1,
            what,
            format!("give it a row in the table of {TABLE}"),
        ));
    }
    for (name, in_tests) in dependencies(manifest) {
        let line = line_of(&file.text, &name);
        if let (Some((own, _)), Some((other, _))) = (own, rings.get(&name))
            && other >= own
        {
            let what = format!("`{folder}` of ring {own} names `{name}` of ring {other}");
            let remedy = "a crate may name only lower rings: move the code down, or pass a value instead";
            complaints.push(Complaint::new(&file.path, line, what, remedy));
        }
        let rule =
            NAMED_ONLY_BY.iter().find(|(dependency, by, _)| *dependency == name && !by.contains(&folder));
        if let Some((_, by, why)) = rule.filter(|_| !in_tests) {
            let what = format!("`{folder}` names `{name}`: {why}");
            complaints.push(Complaint::new(&file.path, line, what, format!("leave it to {}", by.join(", "))));
        }
    }
    complaints
}

/// What every manifest must say of itself.
fn form(file: &SourceFile, folder: &str, manifest: &toml::Table) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let package = |key: &str| manifest.get("package")?.get(key)?.as_str();
    if package("name") != Some(folder) {
        let what = format!("the crate in `{folder}` is called `{}`", package("name").unwrap_or(""));
        complaints.push(Complaint::new(&file.path, 1, what, "folder and crate have one name"));
    }
    if package("description").is_none_or(|text| text.trim().is_empty()) {
        let remedy = "add description = \"..\" in the words of the reader";
        complaints.push(Complaint::new(&file.path, 1, "no description", remedy));
    }
    let lints = manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
    if lints != Some(true) {
        let remedy = "add [lints] workspace = true";
        complaints.push(Complaint::new(&file.path, 1, "the lints of the workspace are not on", remedy));
    }
    complaints
}

/// Names in every dependency table, those of a target included, and whether only tests name them.
fn dependencies(manifest: &toml::Table) -> Vec<(String, bool)> {
    let kinds = [("dependencies", false), ("dev-dependencies", true), ("build-dependencies", false)];
    let tables = |table: &toml::Table| -> Vec<(String, bool)> {
        let tables =
            kinds.iter().filter_map(|(kind, in_tests)| Some((table.get(*kind)?.as_table()?, *in_tests)));
        tables.flat_map(|(table, in_tests)| table.keys().map(move |name| (name.clone(), in_tests))).collect()
    };
    let targets = manifest.get("target").and_then(toml::Value::as_table).into_iter();
    let targets = targets.flat_map(|targets| targets.values().filter_map(toml::Value::as_table));
    let mut names = tables(manifest);
    names.extend(targets.flat_map(tables));
    names
}

fn line_of(text: &str, dependency: &str) -> usize {
    let names = |line: &str| {
        let rest = line.trim_start().strip_prefix(dependency);
        rest.is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    };
    text.lines().position(names).map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RINGS: &str = "<!-- rings -->\n| crate | ring | what |\n|---|---|---|\n| `model` | 0 | words |\n\
        | `vee` | 2 | rules |\n| `web` | 6 | pages |\n<!-- /rings -->\n| `odd` | 9 | outside |\n";

    fn manifest(name: &str, dependencies: &str) -> SourceFile {
        let text = format!(
            "[package]\nname = \"{name}\"\ndescription = \"x\"\n\n[lints]\nworkspace = true\n\n[dependencies]\n{dependencies}"
        );
        SourceFile { path: format!("crates/{name}/Cargo.toml"), text }
    }

    fn found(vee: &str) -> Vec<String> {
        let files =
            [manifest("model", ""), manifest("vee", vee), manifest("web", "tokio.workspace = true\n")];
        check(&files, RINGS).into_iter().map(|c| format!("{}:{} {}", c.file, c.line, c.what)).collect()
    }

    #[test]
    fn only_lower_rings_may_be_named() {
        assert_eq!(found("model.workspace = true\n"), Vec::<String>::new());
        assert_eq!(
            found("web = { path = \"../web\" }\n"),
            ["crates/vee/Cargo.toml:9 `vee` of ring 2 names `web` of ring 6"]
        );
        assert_eq!(found("\n[dev-dependencies]\nweb.workspace = true\n").len(), 1);
        assert_eq!(found("\n[target.'cfg(unix)'.dependencies]\nweb.workspace = true\n").len(), 1);
        assert!(found("tokio.workspace = true\n")[0].contains("only the shells wait"));
        assert!(found("rusqlite.workspace = true\n")[0].contains("SQL"));
        assert_eq!(found("\n[dev-dependencies]\nrusqlite.workspace = true\n"), Vec::<String>::new());
    }

    #[test]
    fn table_and_folders_agree() {
        let complaints = check(&[manifest("model", ""), manifest("vee", "")], RINGS);
        assert_eq!((complaints[0].line, complaints[0].file.as_str()), (6, TABLE));
        let stranger = check(
            &[manifest("model", ""), manifest("vee", ""), manifest("web", ""), manifest("x", "")],
            RINGS,
        );
        assert!(stranger[0].what.contains("no ring"));
        assert!(check(&[], "")[0].what.contains("no table"));
    }

    #[test]
    fn a_manifest_says_what_it_must() {
        let file = SourceFile {
            path: "crates/vee/Cargo.toml".to_owned(),
            text: "[package]\nname = \"v\"\n".to_owned(),
        };
        let files = [manifest("model", ""), file, manifest("web", "")];
        let found: Vec<_> = check(&files, RINGS).into_iter().map(|c| c.what).collect();
        assert_eq!(found.len(), 3, "{found:?}");
    }
}
