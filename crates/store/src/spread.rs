//! What a cluster of nodes does with the tables, and how many nodes a statement concerns.
//!
//! What grows with the fleet and with time is spread over the nodes by a column; what is small is on every node. A statement that
//! says which channel, page or meter it means is one node's. A sum over all is each node's share of it. Any other statement
//! makes every node look and send, and there should be few of those; a test of the chores of a utility lists them.

/// Tables that grow, and the column they are spread by, which is part of their key.
pub const SPREAD: &[(&str, &str)] = &[
    ("day_block", "channel"),
    ("raw_batch", "channel"),
    ("channel_stats", "channel"),
    ("finding", "channel"),
    ("finding_case", "channel"),
    ("day_origin", "channel"),
    ("edit_log", "channel"),
    ("bill_pin", "channel"),
    ("rebill_flag", "channel"),
    ("import_span", "channel"),
    ("day_page", "page"),
    ("stats_page", "page"),
    ("month_page", "page"),
    ("register_read", "meter"),
    ("event", "meter"),
    ("meter_check", "meter"),
    ("counter", "meter"),
    ("health", "meter"),
    ("class_day", "part"),
];

/// Small tables that stay where they are written: queues, whose rows are locked one by one.
pub const LOCAL: &[&str] = &["job", "inbox", "push_group", "load_mark", "schema_version"];

/// How many nodes a statement concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// It touches nothing that is spread.
    Small,
    /// It names the column, or puts rows where they belong.
    OneNode,
    /// Every node sums up its own rows.
    Shared,
    /// Every node must look for rows and send them.
    Everywhere,
}

/// How many nodes a statement of this crate concerns.
pub fn reach(sql: &str) -> Reach {
    let words = words(sql);
    let word = |at: usize| words.get(at).map(String::as_str).unwrap_or_default();
    let follows = |at: usize| {
        at.checked_sub(1)
            .is_some_and(|before| matches!(word(before), "from" | "join" | "into" | "update" | "copy"))
    };
    let spread = |at: usize| SPREAD.iter().find(|(table, _)| *table == word(at)).map(|(_, column)| *column);
    let columns: Vec<&str> = (0..words.len()).filter(|at| follows(*at)).filter_map(spread).collect();
    let Some(column) = columns.first() else { return Reach::Small };
    if matches!(word(0), "copy" | "insert") {
        let end = words.iter().position(|one| one == ")").unwrap_or(words.len());
        let placed = words.iter().take(end).any(|one| one == column);
        return if placed { Reach::OneNode } else { Reach::Everywhere };
    }
    // Each table must be bound to a value of its column, or to another table's.
    let bound =
        (0..words.len()).filter(|at| columns.contains(&word(*at)) && word(at + 1) == "=").filter(|at| {
            word(at + 2) == "?"
                || word(at + 2) == word(*at)
                || word(at + 3) == "." && word(at + 4) == word(*at)
        });
    if bound.count() >= columns.len() {
        return Reach::OneNode;
    }
    if columns.len() == 1 && is_sum(&words, column) { Reach::Shared } else { Reach::Everywhere }
}

/// Whether every node can do its share: the result is sums, or groups by the column.
fn is_sum(words: &[String], column: &str) -> bool {
    let from = words.iter().position(|word| word == "from").unwrap_or(0);
    let grouped = words.windows(2).position(|pair| pair[0] == "group" && pair[1] == "by");
    if grouped.is_some_and(|at| words[at..].iter().any(|word| word == column)) {
        return true;
    }
    let sums = ["count", "sum", "min", "max"];
    let (mut depth, mut first, mut plain) = (0, true, false);
    for word in words.get(1..from).unwrap_or_default() {
        match word.as_str() {
            "(" => depth += 1,
            ")" => depth -= 1,
            "," if depth == 0 => first = true,
            "coalesce" | "exists" | "not" | "select" => {}
            word if first => {
                plain |= !sums.contains(&word) && depth == 0 && !grouped_by(words, grouped, word);
                first = false;
            }
            _ => {}
        }
    }
    !plain && words.first().is_some_and(|word| word == "select")
}

fn grouped_by(words: &[String], grouped: Option<usize>, column: &str) -> bool {
    grouped.is_some_and(|at| words[at..].iter().any(|word| word == column))
}

/// The words and signs of a statement, in small letters; a place is `?` whatever its number.
fn words(sql: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    for sign in sql.chars() {
        if sign.is_ascii_alphanumeric() || sign == '_' {
            match words.last_mut() {
                Some(last) if last == "?" && sign.is_ascii_digit() => {}
                Some(last) if open => last.push(sign.to_ascii_lowercase()),
                _ => {
                    words.push(sign.to_ascii_lowercase().to_string());
                    open = true;
                }
            }
        } else {
            open = false;
            if !sign.is_whitespace() {
                words.push(sign.to_string());
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_concerns_one_node_if_it_says_whose_rows_it_means() {
        let table = [
            ("SELECT name FROM premise WHERE id = ?", Reach::Small),
            (
                "SELECT block FROM day_block WHERE day = ? AND channel = ?2 ORDER BY version DESC LIMIT 1",
                Reach::OneNode,
            ),
            ("SELECT block FROM day_block WHERE day = ? AND channel >= ? AND channel < ?", Reach::Everywhere),
            ("INSERT INTO day_page (day, page, part) VALUES (?, ?, ?)", Reach::OneNode),
            ("COPY day_page (day, page, part) FROM STDIN (FORMAT BINARY)", Reach::OneNode),
            ("DELETE FROM event WHERE at_ms < ?", Reach::Everywhere),
            ("UPDATE counter SET own = max(own, ?2) WHERE meter = ?1", Reach::OneNode),
            ("SELECT coalesce(max(part), -1) + 1 FROM day_page WHERE day = ?", Reach::Shared),
            ("SELECT count(*) FROM raw_batch", Reach::Shared),
            ("SELECT EXISTS (SELECT 1 FROM finding WHERE day = ?)", Reach::Shared),
            ("SELECT day, sum(total) FROM class_day WHERE kind = ? GROUP BY day", Reach::Shared),
            ("SELECT channel, max(day) FROM bill_pin WHERE channel >= ? GROUP BY channel", Reach::Shared),
            (
                "SELECT f.rule FROM finding f JOIN finding_case c ON c.channel = f.channel AND c.day = f.day WHERE f.channel = ?",
                Reach::OneNode,
            ),
            (
                "SELECT f.rule FROM finding f JOIN finding_case c ON c.day = f.day WHERE f.channel = ?",
                Reach::Everywhere,
            ),
        ];
        for (sql, expected) in table {
            assert_eq!(reach(sql), expected, "{sql}");
        }
    }
}
