//! Files of passwords as PostgreSQL's own programs read them.

/// The password of the first line that fits host, port, database and user.
pub(super) fn find(text: &str, wanted: [&str; 4]) -> Option<String> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut fields = fields(line);
        let password = (fields.len() > 4).then(|| fields.remove(4))?;
        let fits = fields.iter().zip(wanted).all(|(field, wanted)| field == "*" || field == wanted);
        fits.then_some(password)
    })
}

/// The five fields of a line; a backslash takes the colon or backslash behind it for what it is.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut signs = line.chars();
    while let Some(sign) = signs.next() {
        let sign = match sign {
            ':' if fields.len() < 5 => {
                fields.push(String::new());
                continue;
            }
            '\\' => signs.next().unwrap_or('\\'),
            other => other,
        };
        if let Some(field) = fields.last_mut() {
            field.push(sign);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_counts() {
        let text = "# host:port:database:user:password\nother:*:*:*:no\n\nhalf:5432\n\
                    db:5432:wattle:ann:a\\:b\\\\c\n*:*:*:ann:later\n";
        assert_eq!(find(text, ["db", "5432", "wattle", "ann"]).as_deref(), Some("a:b\\c"));
        assert_eq!(find(text, ["db", "5433", "wattle", "ann"]).as_deref(), Some("later"));
        assert_eq!(find(text, ["db", "5432", "wattle", "bob"]), None);
    }
}
