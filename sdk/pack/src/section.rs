//! How a manifest travels: as the text of a custom section of the component it is about.

/// Name of the custom section that holds the manifest's text.
pub const MANIFEST_SECTION: &str = "xylem:manifest";

/// Magic number and version of a WebAssembly file: what stands before the first section.
const PREAMBLE: usize = 8;

/// The component with this manifest in place of any it had.
#[must_use]
pub fn pack(component: &[u8], manifest: &str) -> Vec<u8> {
    let mut package = component.get(..PREAMBLE).unwrap_or_default().to_vec();
    for section in sections(component).filter(|section| !section.is_manifest()) {
        package.extend_from_slice(section.whole);
    }
    let mut body = Vec::with_capacity(manifest.len() + MANIFEST_SECTION.len() + 5);
    number(MANIFEST_SECTION.len(), &mut body);
    body.extend_from_slice(MANIFEST_SECTION.as_bytes());
    body.extend_from_slice(manifest.as_bytes());
    package.push(0);
    number(body.len(), &mut package);
    package.extend_from_slice(&body);
    package
}

/// The manifest inside a package; none if there is none, or it is not well-formed.
#[must_use]
pub fn manifest_of(package: &[u8]) -> Option<&str> {
    let found = sections(package).find(Section::is_manifest)?;
    std::str::from_utf8(found.content).ok()
}

/// Whether these bytes begin like a component (not a core module).
#[must_use]
pub fn is_component(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm") && bytes.get(4..PREAMBLE) == Some(&[0x0d, 0, 1, 0])
}

struct Section<'a> {
    whole: &'a [u8],
    /// Of a custom section.
    name: Option<&'a [u8]>,
    content: &'a [u8],
}

impl Section<'_> {
    fn is_manifest(&self) -> bool {
        self.name == Some(MANIFEST_SECTION.as_bytes())
    }
}

/// All outer sections. Ends at the first that is cut short.
fn sections(component: &[u8]) -> impl Iterator<Item = Section<'_>> {
    let mut rest = component.get(PREAMBLE..).unwrap_or_default();
    std::iter::from_fn(move || {
        let whole = rest;
        let (&id, after) = rest.split_first()?;
        let (size, after) = read_number(after)?;
        let (content, after) = after.split_at_checked(size)?;
        rest = after;
        let whole = whole.get(..whole.len() - after.len())?;
        if id != 0 {
            return Some(Section { whole, name: None, content });
        }
        let (length, named) = read_number(content)?;
        let (name, content) = named.split_at_checked(length)?;
        Some(Section { whole, name: Some(name), content })
    })
}

/// Unsigned LEB128.
fn number(mut value: usize, out: &mut Vec<u8>) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or(0);
        value >>= 7;
        out.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return;
        }
    }
}

fn read_number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn a_manifest_comes_back_whatever_its_length_and_is_replaced_whole() {
        let other = [EMPTY, b"\x00\x03\x02ab"].concat();
        let mut package = other.clone();
        for length in [0, 1, 100, 127, 128, 70_000] {
            let manifest = "é".repeat(length);
            package = pack(&package, &manifest);
            assert_eq!(manifest_of(&package), Some(manifest.as_str()));
            assert_eq!(sections(&package).count(), 2);
            assert!(package.starts_with(&other) && is_component(&package));
        }
    }

    #[test]
    fn a_cut_or_foreign_file_has_no_manifest() {
        let package = pack(EMPTY, "[plugin]");
        for end in 0..package.len() {
            assert_eq!(manifest_of(package.get(..end).unwrap()), None);
        }
        assert_eq!(manifest_of(EMPTY), None);
        assert_eq!(manifest_of(b"\0asm\x0d\0\x01\0\x00\xff\xff\xff\xff\xff\xff"), None);
        assert!(!is_component(b"\0asm\x01\0\0\0"), "a core module");
    }
}
