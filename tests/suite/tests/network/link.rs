//! A network namespace for the phone, and the link to it.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// A pair of interfaces, one of them in a namespace of its own. Gone when it is dropped.
pub(crate) struct Link {
    /// The namespace.
    pub(crate) space: String,
    /// The server's address on it.
    pub(crate) server: String,
    network: String,
    inner: String,
}

impl Link {
    /// # Errors
    /// Where this may not be made.
    pub(crate) fn make() -> Result<Self> {
        let pid = std::process::id();
        // Of the block for benchmarks (RFC 2544): nobody else uses it.
        let network = format!("198.18.{}", pid % 250);
        let (space, outer, inner) = (format!("xylem-{pid}"), format!("xy{pid}o"), format!("xy{pid}i"));
        ip(&["netns", "add", &space])?;
        let link = Self { server: format!("{network}.1"), space, network, inner };
        ip(&["link", "add", &outer, "type", "veth", "peer", "name", &link.inner, "netns", &link.space])?;
        ip(&["address", "add", &format!("{}/24", link.server), "dev", &outer])?;
        ip(&["link", "set", &outer, "up"])?;
        link.inside(&["address", "add", &link.address(2), "dev", &link.inner])?;
        link.up()?;
        Ok(link)
    }

    /// From now on everything on it is lost.
    pub(crate) fn down(&self) -> Result<()> {
        self.inside(&["link", "set", &self.inner, "down"])
    }

    pub(crate) fn up(&self) -> Result<()> {
        self.inside(&["link", "set", &self.inner, "up"])
    }

    /// Takes the phone's address away and gives it another one.
    pub(crate) fn move_to(&self, host: u8) -> Result<()> {
        self.inside(&["address", "flush", "dev", &self.inner])?;
        self.inside(&["address", "add", &self.address(host), "dev", &self.inner])
    }

    fn address(&self, host: u8) -> String {
        format!("{}.{host}/24", self.network)
    }

    fn inside(&self, arguments: &[&str]) -> Result<()> {
        ip(&[&["-netns", &self.space], arguments].concat())
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The interfaces go with the namespace of one of them.
        drop(ip(&["netns", "delete", &self.space]));
    }
}

fn ip(arguments: &[&str]) -> Result<()> {
    let done = Command::new("ip").args(arguments).output().context("no program `ip`")?;
    ensure!(done.status.success(), "ip {}: {}", arguments.join(" "), String::from_utf8_lossy(&done.stderr).trim());
    Ok(())
}
