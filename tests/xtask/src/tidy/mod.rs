//! The repository's own rules, checked.

mod arrows;
mod namespaces;
mod sizes;
mod toplevel;

use anyhow::bail;

use crate::workspace::Workspace;

/// Checks every rule and tells all breaches at once.
pub fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let mut breaches = Vec::new();
    toplevel::check(workspace, &mut breaches)?;
    arrows::check(workspace, &mut breaches)?;
    sizes::check(workspace, &mut breaches)?;
    namespaces::check(workspace, &mut breaches)?;
    if breaches.is_empty() {
        return Ok(());
    }
    for breach in &breaches {
        eprintln!("tidy: {breach}");
    }
    bail!("{} of the repository's rules are broken", breaches.len());
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_repository_keeps_its_rules() {
        super::run(&crate::workspace::Workspace::open().unwrap()).unwrap();
    }
}
