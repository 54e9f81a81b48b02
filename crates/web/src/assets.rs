//! The files that pages refer to: compiled in, named by a hash of them all, compressed once.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::io::Write as _;
use std::sync::LazyLock;

struct Asset {
    name: &'static str,
    media_type: &'static str,
    bytes: &'static [u8],
    /// Gzip of `bytes`, where that is shorter.
    gzip: Option<Vec<u8>>,
}

struct Bundle {
    hash: String,
    assets: Vec<Asset>,
}

/// The style sheet; its parts are layers, so their order in the file decides nothing but the first line.
const CSS: &str = concat!(
    include_str!("../assets/css/base.css"),
    include_str!("../assets/css/shell.css"),
    include_str!("../assets/css/part.css"),
    include_str!("../assets/css/chart.css"),
    include_str!("../assets/css/ops.css"),
    include_str!("../assets/css/work.css"),
    include_str!("../assets/css/fit.css"),
);

static BUNDLE: LazyLock<Bundle> = LazyLock::new(|| {
    let files: [(&str, &str, &'static [u8]); 5] = [
        ("app.css", "text/css; charset=utf-8", CSS.as_bytes()),
        ("islands.js", "text/javascript; charset=utf-8", include_bytes!("../assets/islands.js")),
        ("htmx.js", "text/javascript; charset=utf-8", include_bytes!("../assets/vendor/htmx.min.js")),
        ("icon.svg", "image/svg+xml", include_bytes!("../assets/icon.svg")),
        ("inter.woff2", "font/woff2", include_bytes!("../assets/vendor/inter.woff2")),
    ];
    let mut hash = Sha256::new();
    for (name, _, bytes) in files {
        hash.update(name);
        hash.update(bytes);
    }
    let hash = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let asset = |(name, media_type, bytes): (_, _, &'static [u8])| Asset {
        name,
        media_type,
        bytes,
        gzip: gzip(bytes, Compression::best()).filter(|packed| packed.len() < bytes.len()),
    };
    Bundle { hash, assets: files.into_iter().map(asset).collect() }
});

/// The address of an asset. It changes when any asset changes, so browsers may keep it for ever.
pub(crate) fn url(name: &str) -> String {
    format!("/a/{}/{name}", BUNDLE.hash)
}

/// Compresses; `None` only if the encoder fails, which writing to memory does not.
pub(crate) fn gzip(bytes: &[u8], level: Compression) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

/// Whether the client takes gzip.
pub(crate) fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("");
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let refused = |weight: &str| weight.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0f32));
        parts.next() == Some("gzip") && !parts.any(refused)
    })
}

/// `GET /a/{hash}/{name}`
pub(crate) async fn get(Path((hash, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let asset = BUNDLE.assets.iter().find(|asset| asset.name == name && hash == BUNDLE.hash);
    let Some(asset) = asset else { return StatusCode::NOT_FOUND.into_response() };
    let common = [
        (header::CONTENT_TYPE, asset.media_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::VARY, "accept-encoding"),
    ];
    match &asset.gzip {
        Some(packed) if takes_gzip(&headers) => {
            (common, [(header::CONTENT_ENCODING, "gzip")], packed.as_slice()).into_response()
        }
        _ => (common, asset.bytes).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Manifest {
        file: Vec<Vendored>,
    }

    #[derive(Deserialize)]
    struct Vendored {
        path: String,
        name: String,
        version: String,
        licence: String,
        licence_file: String,
        sha256: String,
    }

    fn assets_dir() -> std::path::PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets")
    }

    #[test]
    fn vendored_files_are_exactly_those_of_the_manifest() {
        let manifest = std::fs::read_to_string(assets_dir().join("vendor.toml")).unwrap();
        let manifest: Manifest = toml::from_str(&manifest).unwrap();
        let mut listed = Vec::new();
        for file in &manifest.file {
            let bytes = std::fs::read(assets_dir().join(&file.path)).unwrap();
            let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hash, file.sha256, "{} is not {} {}", file.path, file.name, file.version);
            assert!(!file.licence.is_empty());
            assert!(std::fs::metadata(assets_dir().join(&file.licence_file)).unwrap().len() > 100);
            listed.extend([file.path.clone(), file.licence_file.clone()]);
        }
        for entry in std::fs::read_dir(assets_dir().join("vendor")).unwrap() {
            let name = format!("vendor/{}", entry.unwrap().file_name().to_string_lossy());
            assert!(listed.contains(&name), "{name} is not in vendor.toml");
        }
    }

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        for (accepted, takes) in [
            ("gzip, br", true),
            ("br;q=1.0, gzip;q=0.8", true),
            ("gzip;q=0", false),
            ("br", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, accepted.parse().unwrap());
            assert_eq!(takes_gzip(&headers), takes, "{accepted}");
        }
    }

    #[test]
    fn own_files_stay_inside_their_budgets() {
        let packed = |name: &str| {
            let asset = BUNDLE.assets.iter().find(|asset| asset.name == name).unwrap();
            asset.gzip.as_ref().unwrap().len()
        };
        assert!(packed("app.css") <= 12_000, "{} bytes of CSS", packed("app.css"));
        assert!(packed("islands.js") <= 8_000, "{} bytes of script", packed("islands.js"));
    }

    #[test]
    fn the_style_sheet_names_only_colours_of_both_schemes() {
        // A hex colour outside the token block would not follow the theme.
        let after_tokens = CSS.split_once("--shadow").unwrap().1;
        let stray: Vec<_> = after_tokens.lines().filter(|line| line.contains(": #")).collect();
        assert!(stray.is_empty(), "{stray:?}");
    }
}
