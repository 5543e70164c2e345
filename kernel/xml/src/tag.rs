//! Taking one tag apart; the tokeniser is quick-xml's.

use quick_xml::events::BytesStart;

use crate::XmlError;
use crate::chars::{self, Survey};
use crate::references::check_references;

/// An opening tag without its brackets.
pub(crate) struct OpenTag<'a> {
    content: &'a str,
    pub name: &'a str,
    pub closes_itself: bool,
}

/// One attribute as written; offsets count from the `<` of the tag.
pub(crate) struct RawAttr<'a> {
    pub key: &'a str,
    pub key_at: usize,
    pub value: &'a str,
    pub value_at: usize,
    pub survey: Survey,
}

impl<'a> OpenTag<'a> {
    /// Takes `<…>` or `<…/>` apart.
    pub(crate) fn new(tag: &'a str) -> Result<Self, XmlError> {
        const BAD: XmlError = XmlError::NotWellFormed("malformed tag");
        let content = tag.strip_prefix('<').and_then(|t| t.strip_suffix('>')).ok_or(BAD)?;
        let (content, closes_itself) = match content.strip_suffix('/') {
            Some(rest) => (rest, true),
            None => (content, false),
        };
        let name_len = content.bytes().position(chars::is_space).unwrap_or(content.len());
        Ok(Self { content, name: content.get(..name_len).ok_or(BAD)?, closes_itself })
    }

    /// Calls `each` with the attributes in order; `each` may refuse.
    pub(crate) fn attributes<F>(&self, mut each: F) -> Result<(), XmlError>
    where
        F: FnMut(RawAttr<'a>) -> Result<(), XmlError>,
    {
        if self.name.len() == self.content.len() {
            return Ok(());
        }
        let start = BytesStart::from_content(self.content, self.name.len());
        // Duplicates are ours to find: prefixes have to be resolved first.
        for attr in start.attributes().with_checks(false) {
            let attr = attr.map_err(|_| XmlError::NotWellFormed("malformed attribute"))?;
            let (key, value) = (attr.key.0, attr.value.as_ref());
            let raw = self.locate(key, value)?;
            if raw.survey.references {
                check_references(raw.value)?;
            }
            each(raw)?;
        }
        Ok(())
    }

    /// Finds the pieces again in the tag: quick-xml hands out slices of it.
    fn locate(&self, key: &str, value: &str) -> Result<RawAttr<'a>, XmlError> {
        const BAD: XmlError = XmlError::NotWellFormed("malformed attribute");
        let base = self.content.as_ptr() as usize;
        let key_at = (key.as_ptr() as usize).wrapping_sub(base);
        let value_at = (value.as_ptr() as usize).wrapping_sub(base);
        let key = self.content.get(key_at..key_at.wrapping_add(key.len()));
        let value = self.content.get(value_at..value_at.wrapping_add(value.len()));
        let (Some(key), Some(value)) = (key, value) else {
            return Err(BAD);
        };
        let before = key_at.checked_sub(1);
        let before = before.and_then(|i| self.content.as_bytes().get(i));
        if !before.is_some_and(|b| chars::is_space(*b)) {
            return Err(XmlError::NotWellFormed("attributes not separated"));
        }
        Ok(RawAttr { key, key_at: key_at + 1, value, value_at: value_at + 1, survey: chars::survey_value(value)? })
    }
}

/// The name in an end tag `</…>`.
pub(crate) fn end_name(tag: &[u8]) -> Option<&[u8]> {
    let content = tag.strip_prefix(b"</")?.strip_suffix(b">")?;
    let end = content.iter().rposition(|b| !chars::is_space(*b)).map_or(0, |at| at + 1);
    content.get(..end)
}
