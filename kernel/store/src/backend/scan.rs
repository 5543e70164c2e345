use std::ops::Bound;

/// Which part of a table to read, in which direction, and how much of it.
#[derive(Clone, Debug)]
pub struct Scan {
    pub(crate) lower: Bound<Vec<u8>>,
    pub(crate) upper: Bound<Vec<u8>>,
    pub(crate) limit: usize,
    pub(crate) reverse: bool,
}

impl Scan {
    /// The whole table.
    #[must_use]
    pub fn all() -> Self {
        Self { lower: Bound::Unbounded, upper: Bound::Unbounded, limit: usize::MAX, reverse: false }
    }

    /// All keys that start with `prefix`.
    #[must_use]
    pub fn prefix(prefix: impl Into<Vec<u8>>) -> Self {
        let prefix = prefix.into();
        let upper = prefix_end(&prefix).map_or(Bound::Unbounded, Bound::Excluded);
        Self { lower: Bound::Included(prefix), upper, ..Self::all() }
    }

    /// Keys from `start` (included) to `end` (excluded).
    #[must_use]
    pub fn range(start: impl Into<Vec<u8>>, end: impl Into<Vec<u8>>) -> Self {
        Self { lower: Bound::Included(start.into()), upper: Bound::Excluded(end.into()), ..Self::all() }
    }

    /// Only keys above `key`; never widens the range.
    #[must_use]
    pub fn after(mut self, key: impl Into<Vec<u8>>) -> Self {
        let key = key.into();
        if lower_key(&self.lower).is_none_or(|low| low <= key.as_slice()) {
            self.lower = Bound::Excluded(key);
        }
        self
    }

    /// Only keys below `key`; never widens the range.
    #[must_use]
    pub fn before(mut self, key: impl Into<Vec<u8>>) -> Self {
        let key = key.into();
        if lower_key(&self.upper).is_none_or(|high| high >= key.as_slice()) {
            self.upper = Bound::Excluded(key);
        }
        self
    }

    /// At most `limit` entries.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// From the highest key down; the limit counts from there.
    #[must_use]
    pub fn reverse(mut self, reverse: bool) -> Self {
        self.reverse = reverse;
        self
    }

    /// Ordered containers panic on a range whose ends cross; such a scan is empty.
    pub(crate) fn is_empty(&self) -> bool {
        let (Some(low), Some(high)) = (lower_key(&self.lower), lower_key(&self.upper)) else {
            return self.limit == 0;
        };
        let both_included = matches!(self.lower, Bound::Included(_)) && matches!(self.upper, Bound::Included(_));
        self.limit == 0 || low > high || (low == high && !both_included)
    }
}

/// The least key above all keys with this prefix; `None` when there is no such key.
pub(crate) fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix.get(..=last)?.to_vec();
    if let Some(byte) = end.last_mut() {
        *byte += 1;
    }
    Some(end)
}

fn lower_key(bound: &Bound<Vec<u8>>) -> Option<&[u8]> {
    match bound {
        Bound::Included(key) | Bound::Excluded(key) => Some(key),
        Bound::Unbounded => None,
    }
}
