//! A program in a terminal of its own, which tmux holds.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::environment::{Play, STEP, on_path};

pub(crate) struct Terminal {
    tmux: PathBuf,
    socket: PathBuf,
}

impl Terminal {
    /// Romeo's and Juliet's profanity, logged in.
    pub(crate) fn two(play: &Play) -> Result<(Self, Self)> {
        on_path("profanity", "profanity")?;
        let tmux = on_path("tmux", "tmux")?;
        let (romeo, juliet) = (Self::open(play, &tmux, "romeo")?, Self::open(play, &tmux, "juliet")?);
        romeo.log_in(play, &play.romeo, &play.password)?;
        juliet.log_in(play, &play.juliet, &play.password)?;
        Ok((romeo, juliet))
    }

    fn open(play: &Play, tmux: &Path, who: &str) -> Result<Self> {
        let home = play.home.path().join(who);
        std::fs::create_dir_all(&home)?;
        let terminal = Self { tmux: tmux.to_path_buf(), socket: home.join("tmux") };
        let mut command = terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "220", "-y", "50"]);
        for (name, value) in play.variables() {
            command.env(name, &value);
        }
        command.env("HOME", &home).env("XDG_CONFIG_HOME", home.join("config"));
        command.env("XDG_DATA_HOME", home.join("data"));
        command.env("TERM", "xterm-256color").env("LC_ALL", "C.UTF-8").env_remove("TMUX");
        ensure!(command.arg("profanity").status()?.success(), "tmux does not start");
        terminal.shows("Type '/help'")?;
        Ok(terminal)
    }

    fn tmux(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.tmux);
        command.arg("-S").arg(&self.socket).args(arguments);
        command
    }

    pub(crate) fn types(&self, line: &str) -> Result<()> {
        ensure!(self.tmux(&["send-keys", "-l", line]).status()?.success(), "tmux is gone");
        ensure!(self.tmux(&["send-keys", "Enter"]).status()?.success(), "tmux is gone");
        Ok(())
    }

    pub(crate) fn screen(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.tmux(&["capture-pane", "-p"]).output()?.stdout).into_owned())
    }

    /// Waits until the screen shows a text.
    pub(crate) fn shows(&self, text: &str) -> Result<()> {
        self.within(STEP, text)
    }

    pub(crate) fn within(&self, time: Duration, text: &str) -> Result<()> {
        let deadline = Instant::now() + time;
        loop {
            let screen = self.screen()?;
            if screen.contains(text) {
                return Ok(());
            }
            if Instant::now() > deadline {
                let lines: Vec<&str> = screen.lines().filter(|l| !l.trim().is_empty()).collect();
                bail!("the screen does not show {text:?}:\n{}", lines.join("\n"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// An empty console, so that what is waited for is new.
    pub(crate) fn console(&self) -> Result<()> {
        self.types("/win 1")?;
        self.types("/clear")
    }

    /// Asks again until the answer is the one expected.
    pub(crate) fn asks(&self, question: &str, answer: &str) -> Result<()> {
        let deadline = Instant::now() + STEP;
        loop {
            self.console()?;
            self.types(question)?;
            match self.within(Duration::from_secs(1), answer) {
                Err(e) if Instant::now() > deadline => return Err(e),
                Err(_) => {}
                Ok(()) => return Ok(()),
            }
        }
    }

    pub(crate) fn log_in(&self, play: &Play, who: &str, password: &str) -> Result<()> {
        self.console()?;
        let server = play.target.c2s;
        self.types(&format!("/connect {who} server {} port {} tls force", server.ip(), server.port()))?;
        self.shows("Enter password")?;
        self.types(password)?;
        self.shows("logged in successfully")?;
        self.shows("[TLS]")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.tmux(&["kill-server"]).output());
    }
}
