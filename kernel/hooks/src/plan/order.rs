//! The order inside a phase: `before` and `after`, then the plugin id.

use std::collections::{BTreeMap, BTreeSet};

/// A hook to be put in order.
pub(super) struct Node<'a> {
    pub(super) id: &'a str,
    pub(super) before: Vec<&'a str>,
    pub(super) after: Vec<&'a str>,
}

/// Places of the nodes in calling order, or the circle that prevents one.
pub(super) fn order(nodes: &[Node<'_>]) -> Result<Vec<usize>, String> {
    let mut follows: BTreeMap<&str, BTreeSet<&str>> = nodes.iter().map(|node| (node.id, BTreeSet::new())).collect();
    let known: BTreeSet<&str> = follows.keys().copied().collect();
    for node in nodes {
        for after in node.after.iter().filter(|id| known.contains(*id)) {
            follows.entry(node.id).or_default().insert(after);
        }
        for before in node.before.iter().filter(|id| known.contains(*id)) {
            follows.entry(before).or_default().insert(node.id);
        }
    }
    let mut sequence: Vec<&str> = Vec::new();
    while !follows.is_empty() {
        let ready = follows.iter().find(|(_, waits)| waits.iter().all(|id| !follows.contains_key(id)));
        let Some(id) = ready.map(|(id, _)| *id) else { return Err(circle(&follows)) };
        follows.remove(id);
        sequence.push(id);
    }
    Ok(sequence
        .iter()
        .flat_map(|id| nodes.iter().enumerate().filter(|(_, node)| node.id == *id).map(|(at, _)| at))
        .collect())
}

/// Walks back along what waits until something comes a second time.
fn circle(follows: &BTreeMap<&str, BTreeSet<&str>>) -> String {
    let mut path: Vec<&str> = follows.keys().take(1).copied().collect();
    loop {
        let Some(last) = path.last() else { return String::new() };
        let next = follows.get(last).and_then(|waits| waits.iter().find(|id| follows.contains_key(*id)));
        let Some(next) = next else { return path.join(" → ") };
        if let Some(start) = path.iter().position(|id| id == next) {
            let mut circle: Vec<&str> = path.split_off(start);
            circle.push(next);
            circle.reverse();
            return circle.join(" → ");
        }
        path.push(next);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn node<'a>(id: &'a str, before: &[&'a str], after: &[&'a str]) -> Node<'a> {
        Node { id, before: before.to_vec(), after: after.to_vec() }
    }

    #[test]
    fn names_decide_where_nothing_else_does() {
        let nodes = [node("c", &[], &[]), node("a", &[], &["c"]), node("b", &[], &[]), node("d", &["b"], &["unknown"])];
        let order: Vec<_> = order(&nodes).unwrap().into_iter().map(|at| nodes.get(at).unwrap().id).collect();
        assert_eq!(order, ["c", "a", "d", "b"]);
    }

    #[test]
    fn a_circle_is_printed() {
        let nodes = [node("z", &[], &[]), node("a", &["b"], &[]), node("b", &["c"], &[]), node("c", &["a"], &["z"])];
        assert_eq!(order(&nodes).unwrap_err(), "a → b → c → a");
        assert_eq!(order(&[node("a", &["a"], &[])]).unwrap_err(), "a → a");
    }
}
