use wit_component::ComponentEncoder;

use crate::error::PackError;

/// Name of the custom section that holds the manifest's text.
pub const MANIFEST_SECTION: &str = "xylem:manifest";

/// Magic number and version of a WebAssembly file: eight bytes before the first section.
const HEADER: usize = 8;

/// Makes a component of a core module that was built with the SDK.
pub fn component(module: &[u8]) -> Result<Vec<u8>, PackError> {
    let wrong = |error| PackError::Component(format!("{error:#}"));
    ComponentEncoder::default().module(module).map_err(wrong)?.validate(true).encode().map_err(wrong)
}

/// Appends the manifest to a component.
#[must_use]
pub fn pack(component: &[u8], manifest: &str) -> Vec<u8> {
    let mut content = Vec::new();
    number(&mut content, MANIFEST_SECTION.len());
    content.extend_from_slice(MANIFEST_SECTION.as_bytes());
    content.extend_from_slice(manifest.as_bytes());
    let mut package = component.to_vec();
    package.push(0);
    number(&mut package, content.len());
    package.extend_from_slice(&content);
    package
}

/// The manifest inside a package; none if there is none, or it is not well-formed.
#[must_use]
pub fn manifest_of(package: &[u8]) -> Option<&str> {
    let mut rest = package.get(HEADER..)?;
    while let Some((&id, after)) = rest.split_first() {
        let (length, after) = read_number(after)?;
        let (section, next) = after.split_at_checked(length)?;
        if id == 0 {
            let (length, content) = read_number(section)?;
            let (name, text) = content.split_at_checked(length)?;
            if name == MANIFEST_SECTION.as_bytes() {
                return std::str::from_utf8(text).ok();
            }
        }
        rest = next;
    }
    None
}

/// Unsigned LEB128.
fn number(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        out.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return;
        }
    }
}

fn read_number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for (n, byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f).checked_shl(7 * u32::try_from(n).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(n + 1..)?));
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
    fn a_manifest_comes_back_whatever_its_length() {
        for length in [0, 1, 100, 127, 128, 20_000] {
            let manifest = "é".repeat(length);
            let package = pack(&pack_other(EMPTY), &manifest);
            assert_eq!(manifest_of(&package), Some(manifest.as_str()));
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
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert!(matches!(component(b"no"), Err(PackError::Component(_))));
    }

    fn pack_other(component: &[u8]) -> Vec<u8> {
        let mut out = component.to_vec();
        out.extend_from_slice(b"\x00\x03\x02ab");
        out
    }
}
