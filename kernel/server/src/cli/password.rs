//! Passwords come from a terminal without echo, or from standard input; from the
//! command line only where somebody insists.

use std::io::{BufRead as _, IsTerminal as _, Write as _, stdin};

use anyhow::{Context as _, bail};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

#[derive(clap::Args)]
pub(super) struct PasswordArgs {
    /// Read the password from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
    /// The password itself; other users of this machine may see it, and the shell may remember it
    #[arg(long, conflicts_with = "password_stdin")]
    password: Option<String>,
}

/// The password, wherever it comes from.
pub(super) fn get(args: &PasswordArgs, prompt: &str) -> anyhow::Result<String> {
    let password = match &args.password {
        Some(password) => password.clone(),
        None if args.password_stdin => line()?,
        None if stdin().is_terminal() => typed(prompt)?,
        None => bail!("no terminal to ask for the password; give it with --password-stdin"),
    };
    if password.is_empty() {
        bail!("the password is empty");
    }
    Ok(password)
}

/// Goes on only if somebody types yes.
pub(super) fn confirm(question: &str) -> anyhow::Result<()> {
    if !stdin().is_terminal() {
        bail!("no terminal to ask; say --yes to go on");
    }
    eprint!("{question} [y/N] ");
    if !["y", "yes"].contains(&line()?.to_lowercase().as_str()) {
        bail!("not done");
    }
    Ok(())
}

fn typed(prompt: &str) -> anyhow::Result<String> {
    let first = silently(prompt)?;
    if silently("Once more: ")? != first {
        bail!("the two passwords differ");
    }
    Ok(first)
}

fn silently(prompt: &str) -> anyhow::Result<String> {
    eprint!("{prompt}");
    std::io::stderr().flush()?;
    let terminal = stdin();
    let before = tcgetattr(&terminal).context("the terminal cannot be asked")?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&terminal, OptionalActions::Flush, &silent)?;
    let typed = line();
    tcsetattr(&terminal, OptionalActions::Flush, &before)?;
    eprintln!();
    typed
}

fn line() -> anyhow::Result<String> {
    let mut line = String::new();
    stdin().lock().read_line(&mut line).context("standard input cannot be read")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
