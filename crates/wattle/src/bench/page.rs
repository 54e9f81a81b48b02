//! A browser of a few lines: enough to sign in to the demo and fetch a page.

use anyhow::{Context, Result, bail};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The customer's page with a day's chart on it.
const PAGE: &str = "/usage";
/// What only a page with a chart holds.
const CHART: &str = "data-chart";

struct Answer {
    status: u16,
    head: String,
    body: String,
}

/// Signs in as the demo's customer at `host` (host:port) and fetches the page with the chart.
pub(super) fn first_useful(host: &str) -> Result<()> {
    let door = ask(host, "GET", "/sign-in", "", "")?;
    let customer = customer(&door.body).context("the sign-in page offers nobody")?;
    let form = format!("next={PAGE}&id={customer}");
    let welcome = ask(host, "POST", "/sign-in/demo", "", &form)?;
    let cookie = header(&welcome.head, "set-cookie").context("the demo let nobody in")?;
    let cookie = cookie.split(';').next().unwrap_or_default();
    let page = ask(host, "GET", PAGE, cookie, "")?;
    if page.status != 200 || !page.body.contains(CHART) {
        bail!("{PAGE} answered {} without a chart", page.status);
    }
    Ok(())
}

/// The first of the buttons that sign somebody in; the demo names its customer first.
fn customer(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("name=\"id\" value=\"")?;
    rest.split_once('"').map(|(id, _)| id)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn ask(host: &str, method: &str, path: &str, cookie: &str, form: &str) -> Result<Answer> {
    let mut stream = TcpStream::connect(host).with_context(|| format!("nobody listens at {host}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let length = form.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nCookie: {cookie}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
    );
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.take(8 << 20).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").context("the answer is no HTTP")?;
    let status =
        head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("the answer is no HTTP")?;
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_customer_and_the_cookie_are_found() {
        let page = r#"<li><button type="submit" name="id" value="17"><span>"#;
        assert_eq!(customer(page), Some("17"));
        assert_eq!(customer("<p>nobody</p>"), None);
        assert_eq!(
            header("HTTP/1.1 303 See Other\r\nSet-Cookie: a=b; Path=/", "set-cookie"),
            Some("a=b; Path=/")
        );
    }
}
