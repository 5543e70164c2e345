//! A sorted map that is small while it has little in it.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::collections::btree_map;
use std::ops::{Bound, RangeBounds, RangeFull};

/// As many are kept in a list.
const FEW: usize = 8;

/// A sorted map of which there are many, most of them with hardly anything in them: the
/// smallest node of a `BTreeMap` has room for eleven entries.
#[derive(Clone, Debug)]
pub struct Few<K, V>(Kept<K, V>);

#[derive(Clone, Debug)]
enum Kept<K, V> {
    /// In order.
    List(Vec<(K, V)>),
    Tree(BTreeMap<K, V>),
}

impl<K, V> Default for Few<K, V> {
    fn default() -> Self {
        Self(Kept::List(Vec::new()))
    }
}

impl<K: Ord, V> Few<K, V> {
    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Kept::List(list) => list.len(),
            Kept::Tree(tree) => tree.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        match &self.0 {
            Kept::List(list) => list.get(find(list, key).ok()?).map(|(_, value)| value),
            Kept::Tree(tree) => tree.get(key),
        }
    }

    /// The value of a key, made where there is none.
    pub fn or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.grow();
        match &mut self.0 {
            Kept::List(list) => {
                let at = find(list, &key).unwrap_or_else(|at| {
                    list.insert(at, (key, V::default()));
                    at
                });
                #[allow(clippy::indexing_slicing, reason = "found or inserted there")]
                &mut list[at].1
            }
            Kept::Tree(tree) => tree.entry(key).or_default(),
        }
    }

    /// Sets the value of a key; what was there before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.grow();
        match &mut self.0 {
            Kept::List(list) => match find(list, &key) {
                Ok(at) => list.get_mut(at).map(|(_, old)| std::mem::replace(old, value)),
                Err(at) => {
                    list.insert(at, (key, value));
                    None
                }
            },
            Kept::Tree(tree) => tree.insert(key, value),
        }
    }

    /// Takes a key out; its value.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        match &mut self.0 {
            Kept::List(list) => find(list, key).ok().map(|at| list.remove(at).1),
            Kept::Tree(tree) => tree.remove(key),
        }
    }

    /// Takes out all for which `keeps` does not hold.
    pub fn retain(&mut self, mut keeps: impl FnMut(&K, &mut V) -> bool) {
        match &mut self.0 {
            Kept::List(list) => list.retain_mut(|(key, value)| keeps(key, value)),
            Kept::Tree(tree) => tree.retain(keeps),
        }
    }

    /// Everything in order.
    pub fn iter(&self) -> Entries<'_, K, V> {
        match &self.0 {
            Kept::List(list) => Entries::List(list.iter()),
            Kept::Tree(tree) => Entries::Tree(tree.range::<K, RangeFull>(..)),
        }
    }

    /// Entries of a range of keys, in order.
    pub fn range<Q: Ord + ?Sized>(&self, range: (Bound<&Q>, Bound<&Q>)) -> Entries<'_, K, V>
    where
        K: Borrow<Q>,
    {
        match &self.0 {
            Kept::List(list) => {
                let from = list.partition_point(|(key, _)| match range.0 {
                    Bound::Included(from) => key.borrow() < from,
                    Bound::Excluded(from) => key.borrow() <= from,
                    Bound::Unbounded => false,
                });
                let within = |(key, _): &&(K, V)| range.contains(key.borrow());
                let rest = list.get(from..).unwrap_or_default();
                let to = rest.iter().take_while(within).count();
                Entries::List(rest.get(..to).unwrap_or_default().iter())
            }
            Kept::Tree(_) if is_empty(&range) => Entries::List([].iter()),
            Kept::Tree(tree) => Entries::Tree(tree.range::<Q, _>(range)),
        }
    }

    /// Room for one more, and no more than that: most have one.
    fn grow(&mut self) {
        if let Kept::List(list) = &mut self.0 {
            if list.len() >= FEW {
                self.0 = Kept::Tree(std::mem::take(list).into_iter().collect());
            } else {
                list.reserve_exact(1);
            }
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Few<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut few = Self::default();
        for (key, value) in entries {
            few.insert(key, value);
        }
        few
    }
}

/// Entries of a [`Few`].
#[derive(Debug)]
pub enum Entries<'a, K, V> {
    #[doc(hidden)]
    List(std::slice::Iter<'a, (K, V)>),
    #[doc(hidden)]
    Tree(btree_map::Range<'a, K, V>),
}

impl<'a, K, V> Iterator for Entries<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::List(list) => list.next().map(|(key, value)| (key, value)),
            Self::Tree(tree) => tree.next(),
        }
    }
}

impl<K, V> DoubleEndedIterator for Entries<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        match self {
            Self::List(list) => list.next_back().map(|(key, value)| (key, value)),
            Self::Tree(tree) => tree.next_back(),
        }
    }
}

fn find<K: Borrow<Q>, V, Q: Ord + ?Sized>(list: &[(K, V)], key: &Q) -> Result<usize, usize> {
    list.binary_search_by(|(known, _)| known.borrow().cmp(key))
}

/// Ranges from which a tree panics.
fn is_empty<Q: Ord + ?Sized>(range: &(Bound<&Q>, Bound<&Q>)) -> bool {
    match range {
        (Bound::Excluded(from), Bound::Excluded(to)) => from >= to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => from > to,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_sorted_map_whatever_its_size() {
        for size in [0_u32, 1, FEW as u32, 9, 50] {
            let mut few: Few<u32, u32> = (0..size).rev().map(|key| (key * 2, key)).collect();
            let mut tree: BTreeMap<u32, u32> = (0..size).map(|key| (key * 2, key)).collect();
            for from in [Bound::Unbounded, Bound::Included(&3), Bound::Excluded(&4), Bound::Included(&90)] {
                for to in [Bound::Unbounded, Bound::Included(&9), Bound::Excluded(&10), Bound::Excluded(&1)] {
                    let wanted: Vec<_> = if is_empty(&(from, to)) { vec![] } else { tree.range((from, to)).collect() };
                    assert_eq!(few.range((from, to)).collect::<Vec<_>>(), wanted, "{size}: {from:?} to {to:?}");
                    let mut turned: Vec<_> = few.range((from, to)).rev().collect();
                    turned.reverse();
                    assert_eq!(turned, wanted);
                }
            }
            assert_eq!((few.insert(4, 7), few.insert(5, 8)), (tree.insert(4, 7), tree.insert(5, 8)));
            assert_eq!((few.remove(&0), few.remove(&1)), (tree.remove(&0), tree.remove(&1)));
            *few.or_default(6) += 1;
            *tree.entry(6).or_default() += 1;
            few.retain(|key, _| key % 3 != 0);
            tree.retain(|key, _| key % 3 != 0);
            assert_eq!((few.len(), few.get(&4)), (tree.len(), tree.get(&4)));
            assert!(few.iter().eq(tree.iter()));
        }
    }
}
