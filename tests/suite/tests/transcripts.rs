//! Plays every story under `tests/transcripts`, many at a time, all against one server but those that want
//! it set otherwise.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use libtest_mimic::{Arguments, Trial};
use xylem_suite::fleet::Fleet;
use xylem_suite::play::play;
use xylem_suite::story::Story;

/// Stories mostly wait; more of them than cores may do so at once.
const AT_ONCE: usize = 8;

fn main() -> Result<ExitCode> {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let root = match std::env::var_os("XYLEM_TEST_STORIES") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../transcripts"),
    };
    let mut files = Vec::new();
    find(&root, &mut files)?;
    files.sort();
    if arguments.list {
        let trials = files.iter().map(|f| Trial::test(name(&root, f), || Ok(()))).collect();
        return Ok(libtest_mimic::run(&arguments, trials).exit_code());
    }
    let fleet = Arc::new(Fleet::find().context("the server under test")?);
    let trials = files.into_iter().map(|file| trial(&root, file, &fleet)).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    let fleet = Arc::into_inner(fleet).context("a story is still played")?;
    fleet.stop().context("stopping the servers")?;
    Ok(conclusion.exit_code())
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "xmpp") {
            files.push(path);
        }
    }
    Ok(())
}

fn name(root: &Path, file: &Path) -> String {
    file.strip_prefix(root).unwrap_or(file).with_extension("").display().to_string()
}

fn trial(root: &Path, file: PathBuf, fleet: &Arc<Fleet>) -> Trial {
    let fleet = Arc::clone(fleet);
    Trial::ignorable_test(name(root, &file), move || {
        let story = Story::read(&file).map_err(|e| format!("{e:#}"))?;
        let Some(target) = fleet.target(&story).map_err(|e| format!("{e:#}"))? else {
            return Ok(libtest_mimic::Completion::ignored_with("wants a server of our own"));
        };
        if let Some((_, reason)) = story.skip_on.iter().find(|(server, _)| *server == target.name) {
            return Ok(libtest_mimic::Completion::ignored_with(reason));
        }
        play(&story, &target).map_err(|e| format!("{}\n{e:#}", story.title))?;
        Ok(libtest_mimic::Completion::Completed)
    })
}
