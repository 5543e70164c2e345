use std::path::{Path, PathBuf};

use crate::workspace::Workspace;

const LINES: usize = 500;

/// No source file is longer than 500 lines.
pub fn check(workspace: &Workspace, breaches: &mut Vec<String>) -> anyhow::Result<()> {
    for folder in ["kernel", "sdk", "plugins", "tests", "admin-ui"] {
        for path in sources(&workspace.root.join(folder))? {
            let lines = std::fs::read_to_string(&path)?.lines().count();
            if lines > LINES {
                breaches.push(format!("{}: {lines} lines, {LINES} at most", relative(workspace, &path)));
            }
        }
    }
    Ok(())
}

/// All Rust files below a folder, build results left out.
pub fn sources(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                if !["target", "corpus", ".git", "node_modules"].contains(&entry.file_name().to_string_lossy().as_ref())
                {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

pub fn relative(workspace: &Workspace, path: &Path) -> String {
    path.strip_prefix(&workspace.root).unwrap_or(path).display().to_string()
}
