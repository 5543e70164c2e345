//! Two profanities in a room (XEP-0045): enter, talk, administrate.

use anyhow::Result;

use crate::environment::Play;
use crate::terminal::Terminal;

pub(crate) fn rooms(play: &Play) -> Result<()> {
    let (romeo, juliet) = Terminal::two(play)?;
    for terminal in [&romeo, &juliet] {
        terminal.types("/presence room all")?;
    }
    let room = play.romeo.replacen('@', "@conference.", 1);
    enter(&romeo, &juliet, &room)?;
    talk(&romeo, &juliet)?;
    administrate(play, &romeo, &juliet, &room)
}

fn enter(romeo: &Terminal, juliet: &Terminal, room: &str) -> Result<()> {
    romeo.types(&format!("/join {room} nick Romeo"))?;
    romeo.shows("Room locked")?;
    romeo.types("/room accept")?;
    romeo.shows("Room unlocked")?;
    juliet.types(&format!("/join {room} nick Juliet"))?;
    romeo.shows("-> Juliet has joined the room")?;
    juliet.shows("Romeo")
}

fn talk(romeo: &Terminal, juliet: &Terminal) -> Result<()> {
    romeo.types("She speaks!")?;
    juliet.shows("Romeo: She speaks!")?;
    juliet.types("Ay me & <you>")?;
    romeo.shows("Juliet: Ay me & <you>")?;
    romeo.types("/subject set \"Of roses\"")?;
    juliet.shows("Of roses")?;
    juliet.types("/nick Capulet")?;
    romeo.shows("Juliet is now known as Capulet")
}

fn administrate(play: &Play, romeo: &Terminal, juliet: &Terminal, room: &str) -> Result<()> {
    romeo.types("/role set moderator Capulet")?;
    juliet.shows("Your role has been changed to: moderator")?;
    romeo.types("/kick Capulet Hush")?;
    juliet.shows("<- Kicked from ")?;
    // Another name: the first line of its kind is still on the screen.
    juliet.types(&format!("/join {room} nick Rosaline"))?;
    romeo.shows("-> Rosaline has joined the room")?;
    romeo.types(&format!("/ban {} Farewell", play.juliet))?;
    juliet.shows("<- Banned from ")?;
    romeo.types("/affiliation list outcast")?;
    romeo.shows(&play.juliet)
}
