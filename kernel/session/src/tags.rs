//! Marks that plugins set on sessions and native filters test.

use std::sync::PoisonError;

use crate::locks::RwLock;

/// One of at most 64 marks; a session holds any set of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tag(u8);

impl Tag {
    pub(crate) fn bit(self) -> u64 {
        1 << self.0
    }
}

/// The names behind the marks, given out in the order they are asked for and kept
/// for the life of the process, so that a reloaded plugin finds its marks again.
#[derive(Debug, Default)]
pub struct TagNames {
    names: RwLock<Vec<Box<str>>>,
}

impl TagNames {
    /// How many different names there can be.
    pub const MOST: usize = 64;

    /// The mark of this name; `None` when all [`TagNames::MOST`] are taken.
    pub fn intern(&self, name: &str) -> Option<Tag> {
        if let Some(tag) = self.find(name) {
            return Some(tag);
        }
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = names.iter().position(|known| **known == *name) {
            return u8::try_from(at).ok().map(Tag);
        }
        if names.len() >= Self::MOST {
            return None;
        }
        names.push(name.into());
        u8::try_from(names.len() - 1).ok().map(Tag)
    }

    /// The mark of this name, if it was ever asked for.
    pub fn find(&self, name: &str) -> Option<Tag> {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        let at = names.iter().position(|known| **known == *name)?;
        u8::try_from(at).ok().map(Tag)
    }

    /// The name of a mark.
    pub fn name(&self, tag: Tag) -> Option<String> {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        names.get(usize::from(tag.0)).map(|name| name.clone().into())
    }

    /// All marks given out so far, with their names.
    pub fn all(&self) -> Vec<(Tag, String)> {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        (0u8..).zip(names.iter()).map(|(at, name)| (Tag(at), name.to_string())).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn names_keep_their_marks_and_run_out() {
        let names = TagNames::default();
        let first = names.intern("a").unwrap();
        assert_eq!(names.intern("a"), Some(first));
        assert_ne!(names.intern("b").unwrap(), first);
        for n in 2..TagNames::MOST {
            assert!(names.intern(&n.to_string()).is_some());
        }
        assert_eq!(names.intern("one more"), None);
        assert_eq!(names.find("63").and_then(|tag| names.name(tag)).as_deref(), Some("63"));
    }
}
