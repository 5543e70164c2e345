//! Two profanities, each in a terminal of its own that tmux holds.

use anyhow::{Result, ensure};

use crate::environment::Play;
use crate::terminal::Terminal;

pub(crate) fn profanity(play: &Play) -> Result<()> {
    let (romeo, juliet) = Terminal::two(play)?;
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
