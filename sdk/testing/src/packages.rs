//! Where the plugins of a test come from.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use xylem_host::Package;
use xylem_pack::Project;

use crate::kit::Wanted;

/// All that is wanted, in that order.
pub(crate) fn find(wanted: &[Wanted]) -> Vec<Package> {
    let found: Vec<_> = wanted.iter().map(place).collect();
    let sources = found.iter().filter_map(|place| match place {
        Place::Source(project) => Some(project.clone()),
        Place::File(_) => None,
    });
    let built = build(&sources.collect::<Vec<_>>());
    found
        .iter()
        .map(|place| match place {
            Place::File(path) => open(path),
            Place::Source(project) => open(built.get(&project.folder).unwrap_or(&project.folder)),
        })
        .collect()
}

enum Place {
    Source(Project),
    File(PathBuf),
}

fn place(wanted: &Wanted) -> Place {
    match wanted {
        Wanted::Source(folder) => Place::Source(project(&crate_folder().join(folder))),
        Wanted::Package(file) => Place::File(crate_folder().join(file)),
        Wanted::Id(id) => by_id(id),
    }
}

fn by_id(id: &str) -> Place {
    let folder = crate_folder();
    if let Some(project) = source(&folder, id) {
        return Place::Source(project);
    }
    let file = format!("{id}.wasm");
    if let Some(packages) = std::env::var_os("XYLEM_PLUGINS") {
        return Place::File(PathBuf::from(packages).join(file));
    }
    let around = folder.parent().and_then(|parent| std::fs::read_dir(parent).ok());
    let neighbours = around.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    // Only a plugin's neighbours are plugins.
    if folder.join("plugin.toml").exists()
        && let Some(project) = neighbours.filter(|folder| *folder != *crate_folder()).find_map(|at| source(&at, id))
    {
        return Place::Source(project);
    }
    let packed = target().join("plugins").join(&file);
    assert!(
        packed.exists(),
        "there is no plugin {id}: neither {} nor a folder beside it is its source, and {} does not exist",
        folder.display(),
        packed.display()
    );
    Place::File(packed)
}

/// The project of a folder, if it is that plugin's.
fn source(folder: &Path, id: &str) -> Option<Project> {
    let text = std::fs::read_to_string(folder.join("plugin.toml")).ok()?;
    // Cheaper than reading it twice, and most are not it.
    text.contains(id).then(|| project(folder)).filter(|project| project.id == id)
}

fn project(folder: &Path) -> Project {
    Project::open(folder).unwrap_or_else(|error| panic!("{error}"))
}

/// Builds each once in the life of the process; gives the packages by folder.
fn build(projects: &[Project]) -> HashMap<PathBuf, PathBuf> {
    static BUILT: Mutex<Option<HashMap<PathBuf, PathBuf>>> = Mutex::new(None);
    // A build that failed is tried again by the next test, which then says so as well.
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let built = built.get_or_insert_default();
    let mut missing: Vec<_> = projects.iter().filter(|project| !built.contains_key(&project.folder)).cloned().collect();
    missing.dedup();
    let out = target().join("testing").join("plugins");
    let (alone, together): (Vec<_>, Vec<_>) = missing.into_iter().partition(has_workspace);
    for projects in alone.chunks(1).chain([&together[..]]) {
        let packages = xylem_pack::build(projects, &out).unwrap_or_else(|error| panic!("{error}"));
        built.extend(projects.iter().zip(packages).map(|(project, (path, _))| (project.folder.clone(), path)));
    }
    built.clone()
}

/// Whether it is a workspace of its own, as plugins made for a test are.
fn has_workspace(project: &Project) -> bool {
    let text = std::fs::read_to_string(project.folder.join("Cargo.toml")).unwrap_or_default();
    text.lines().any(|line| line.trim() == "[workspace]")
}

fn open(path: &Path) -> Package {
    Package::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The folder of the crate whose tests run; cargo says where that is.
fn crate_folder() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from)
}

/// The target folder that the test was built in.
pub(crate) fn target() -> PathBuf {
    // <target>/<profile>/deps/<test>
    let test = std::env::current_exe().unwrap_or_default();
    test.ancestors().nth(3).unwrap_or(Path::new("target")).to_owned()
}
