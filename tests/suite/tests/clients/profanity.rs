//! Two profanities, each in a terminal of its own that tmux holds.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::environment::{Play, STEP, on_path};

pub(crate) fn profanity(play: &Play) -> Result<()> {
    on_path("profanity", "profanity")?;
    let tmux = on_path("tmux", "tmux")?;
    let romeo = Terminal::open(play, &tmux, "romeo")?;
    let juliet = Terminal::open(play, &tmux, "juliet")?;
    romeo.log_in(play, &play.romeo, &play.password)?;
    juliet.log_in(play, &play.juliet, &play.password)?;
    make_friends(play, &romeo, &juliet)?;
    chat(play, &romeo, &juliet)?;
    offline(play, &romeo, &juliet)?;
    block(play, &romeo, &juliet)?;
    change_password(play, &juliet)
}

fn make_friends(play: &Play, romeo: &Terminal, juliet: &Terminal) -> Result<()> {
    romeo.types(&format!("/roster add {} Juliet", play.juliet))?;
    romeo.types(&format!("/sub request {}", play.juliet))?;
    juliet.shows("uthorization request")?;
    juliet.types(&format!("/sub allow {}", play.romeo))?;
    juliet.types(&format!("/sub request {}", play.romeo))?;
    romeo.shows("uthorization request")?;
    romeo.types(&format!("/sub allow {}", play.juliet))?;
    romeo.asks("/roster", "(Juliet) - both")?;
    romeo.asks("/who online", "Juliet is online")?;
    juliet.asks("/who online", &format!("{} is online", play.romeo))
}

fn chat(play: &Play, romeo: &Terminal, juliet: &Terminal) -> Result<()> {
    romeo.types(&format!("/msg {} She speaks!", play.juliet))?;
    juliet.types(&format!("/msg {} Ay me & <you>", play.romeo))?;
    juliet.shows(": She speaks!")?;
    romeo.shows("Juliet/")?;
    romeo.shows(": Ay me & <you>")
}

fn offline(play: &Play, romeo: &Terminal, juliet: &Terminal) -> Result<()> {
    juliet.types("/disconnect")?;
    juliet.shows("logged out successfully")?;
    romeo.asks("/who offline", "Juliet is offline")?;
    romeo.types(&format!("/msg {} Are you asleep?", play.juliet))?;
    romeo.shows("me: Are you asleep?")?;
    juliet.log_in(play, &play.juliet, &play.password)?;
    juliet.types(&format!("/msg {}", play.romeo))?;
    juliet.shows(": Are you asleep?")?;
    romeo.asks("/who online", "Juliet is online")
}

fn block(play: &Play, romeo: &Terminal, juliet: &Terminal) -> Result<()> {
    juliet.console()?;
    juliet.types(&format!("/blocked add {}", play.romeo))?;
    juliet.shows("successfully blocked")?;
    romeo.asks("/who offline", "Juliet is offline")?;
    romeo.types(&format!("/msg {} Hear me!", play.juliet))?;
    romeo.shows("service-unavailable")?;
    juliet.types(&format!("/blocked remove {}", play.romeo))?;
    juliet.shows("successfully unblocked")?;
    romeo.asks("/who online", "Juliet is online")?;
    romeo.types(&format!("/msg {} At last", play.juliet))?;
    juliet.types(&format!("/msg {}", play.romeo))?;
    juliet.shows(": At last")?;
    ensure!(!juliet.screen()?.contains("Hear me!"), "a blocked message came through");
    Ok(())
}

fn change_password(play: &Play, juliet: &Terminal) -> Result<()> {
    juliet.console()?;
    juliet.types("/changepassword")?;
    juliet.shows("Enter password")?;
    juliet.types("new-and-better")?;
    juliet.shows("Confirm password")?;
    juliet.types("new-and-better")?;
    juliet.shows("Password successfully changed")?;
    juliet.types("/disconnect")?;
    juliet.shows("logged out successfully")?;
    juliet.log_in(play, &play.juliet, "new-and-better")
}

struct Terminal {
    tmux: PathBuf,
    socket: PathBuf,
}

impl Terminal {
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

    fn types(&self, line: &str) -> Result<()> {
        ensure!(self.tmux(&["send-keys", "-l", line]).status()?.success(), "tmux is gone");
        ensure!(self.tmux(&["send-keys", "Enter"]).status()?.success(), "tmux is gone");
        Ok(())
    }

    fn screen(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.tmux(&["capture-pane", "-p"]).output()?.stdout).into_owned())
    }

    /// Waits until the screen shows a text.
    fn shows(&self, text: &str) -> Result<()> {
        self.within(STEP, text)
    }

    fn within(&self, time: Duration, text: &str) -> Result<()> {
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
    fn console(&self) -> Result<()> {
        self.types("/win 1")?;
        self.types("/clear")
    }

    /// Asks again until the answer is the one expected.
    fn asks(&self, question: &str, answer: &str) -> Result<()> {
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

    fn log_in(&self, play: &Play, who: &str, password: &str) -> Result<()> {
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
