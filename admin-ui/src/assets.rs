//! The pages: files that were built beforehand, held in memory.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::coding;
use crate::console::Console;
use crate::problem::Problem;

/// Largest sum of all files, in bytes.
const MOST: u64 = 32 << 20;
/// How deep folders go.
const DEPTH: usize = 8;
const WITHOUT: &str = include_str!("without.html");

/// The files by path, `assets/index.js`; none if the console is not there.
#[derive(Clone, Default)]
pub struct Assets(Arc<HashMap<String, File>>);

struct File {
    kind: &'static str,
    plain: axum::body::Bytes,
    /// The same by gzip, where the build left it beside.
    gzip: Option<axum::body::Bytes>,
}

impl Assets {
    /// No pages: what is answered says how to get them.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads a folder.
    ///
    /// # Errors
    /// When it cannot be read or holds more than 32 MiB.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut paths = Vec::new();
        let mut left = MOST;
        list(folder, DEPTH, &mut left, &mut paths)?;
        let mut files = HashMap::new();
        for path in paths.iter().filter(|path| path.extension().is_none_or(|end| end != "gz")) {
            let Some(name) = path.strip_prefix(folder).ok().and_then(Path::to_str) else { continue };
            let mut packed = path.clone().into_os_string();
            packed.push(".gz");
            let gzip = Some(PathBuf::from(packed)).filter(|packed| paths.contains(packed));
            let gzip = gzip.map(std::fs::read).transpose()?.map(Into::into);
            let file = File { kind: kind(name), plain: std::fs::read(path)?.into(), gzip };
            files.insert(name.to_owned(), file);
        }
        Ok(Self(Arc::new(files)))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The file at an address. What is no file is a page of the console, which finds its way by
    /// itself from `index.html`; addresses of accounts and rooms stand in there, so a dot means nothing.
    fn find(&self, path: &str) -> Option<(&str, &File)> {
        let path = path.trim_start_matches('/');
        let page = || (!path.starts_with("assets/")).then(|| self.0.get_key_value("index.html")).flatten();
        self.0.get_key_value(path).or_else(page).map(|(name, file)| (name.as_str(), file))
    }
}

/// Whatever no route is for.
pub(crate) async fn page(State(console): State<Console>, request: Request) -> Response {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Problem::new("method-not-allowed", "there are only pages here").into_response();
    }
    let assets = console.assets();
    if assets.is_empty() {
        let kind = HeaderValue::from_static("text/html; charset=utf-8");
        return (StatusCode::OK, [(header::CONTENT_TYPE, kind)], WITHOUT).into_response();
    }
    match assets.find(request.uri().path()) {
        Some((name, file)) => answer(name, file, request.headers()),
        None => Problem::new("not-found", "there is no such file").into_response(),
    }
}

fn answer(name: &str, file: &File, asked: &HeaderMap) -> Response {
    let takes_gzip = coding::is_taken(asked);
    let packed = file.gzip.as_ref().filter(|_| takes_gzip);
    let mut response = Response::new(Body::from(packed.unwrap_or(&file.plain).clone()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if packed.is_some() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    // The build names files below `assets` after what is in them.
    let keeps = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keeps));
    response
}

fn list(folder: &Path, depth: usize, left: &mut u64, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        if about.is_dir() && depth > 0 {
            list(&entry.path(), depth - 1, left, paths)?;
        } else if about.is_file() {
            let too_large = || io::Error::other(format!("{} holds more than {MOST} bytes", folder.display()));
            *left = left.checked_sub(about.len()).ok_or_else(too_large)?;
            paths.push(entry.path());
        }
    }
    Ok(())
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn pages_are_one_file_and_others_are_themselves() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("assets")).unwrap();
        for (name, text) in [("index.html", "<p>"), ("assets/a.js", "1"), ("assets/a.js.gz", "packed")] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let assets = Assets::read(folder.path()).unwrap();
        let name = |path| assets.find(path).map(|(name, _)| name);
        assert_eq!(name("/"), Some("index.html"));
        assert_eq!(name("/users/juliet@example.org"), Some("index.html"));
        assert_eq!(name("/assets/a.js"), Some("assets/a.js"));
        assert_eq!(name("/assets/../../etc/passwd.txt"), None);
        assert!(assets.find("/assets/a.js").unwrap().1.gzip.is_some());
        let mut asked = HeaderMap::new();
        asked.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("br, gzip;q=0.8"));
        let (name, file) = assets.find("/assets/a.js").unwrap();
        let response = answer(name, file, &asked);
        assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
        assert!(response.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    }
}
