use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;
use xylem_ops::{Order, Paging};

use super::generic::OpArgs;
use super::password::PasswordArgs;
use super::rights::{AuditArgs, RoleWord, TokenCommand};
use crate::dev::DevOptions;

/// An XMPP server with a small kernel and every feature a sandboxed plugin.
#[derive(Parser)]
#[command(name = "xylem", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 wrong configuration, \
    4 server not reached, 5 not found, 6 conflict, 7 not allowed, 8 wrong argument.";

#[derive(clap::Args, Clone)]
pub(super) struct Common {
    /// Configuration file [default: xylem.toml, config/xylem.toml or /etc/xylem/xylem.toml]
    #[arg(long, global = true, env = "XYLEM_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Data folder, in place of the configured one
    #[arg(long, global = true, env = "XYLEM_DATA", value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Admin socket of the server to talk to, in place of the configured one
    #[arg(long, global = true, env = "XYLEM_SOCKET", value_name = "PATH")]
    pub(super) socket: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Start the server
    Run,
    /// Check configuration, certificates, ports, DNS and plugins without starting
    Check,
    /// Manage accounts
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// See and end connected clients
    Session {
        #[command(subcommand)]
        command: SessionCommand,
    },
    /// See and revoke devices that log in with tokens
    Device {
        #[command(subcommand)]
        command: DeviceCommand,
    },
    /// Manage plugins, and write them
    Plugin {
        #[command(subcommand)]
        command: PluginCommand,
    },
    /// Make, see and revoke tokens, with which scripts use the REST interface
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Show who changed what
    Audit(AuditArgs),
    /// Call any operation by its name, also those of plugins; without one, list them
    Op(OpArgs),
    /// Show which plugins are called, in order
    Chain {
        /// A hook point, such as message.in [default: all]
        point: Option<String>,
        #[arg(long)]
        domain: Option<String>,
    },
    /// Write everything stored into a file, while the server runs
    Export {
        /// Must not exist
        file: PathBuf,
    },
    /// Read an exported file; rows of the same key are replaced
    Import { file: PathBuf },
    /// Show how the server does
    Status,
    /// Say whether the server can do its work; exit code 1 if not
    Health,
    /// Read configuration and certificates again
    Reload,
    /// Start a throw-away server, for people who write clients and for test suites
    Dev(DevOptions),
    /// Print the OpenAPI document of the REST interface
    Openapi,
    /// Print a completion script for a shell
    Completion { shell: Shell },
}

#[derive(Subcommand)]
pub(super) enum UserCommand {
    /// Create an account
    Add {
        /// name@domain
        account: String,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Delete an account with everything stored for it
    Delete {
        account: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Set a password
    Password {
        account: String,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// List accounts
    List {
        #[arg(long)]
        domain: Option<String>,
        #[command(flatten)]
        page: PageArgs,
    },
    /// Show one account
    Show { account: String },
    /// Make an account an owner, an administrator, an operator, an auditor, or a mere user
    Role {
        account: String,
        role: RoleWord,
        /// A domain that an administrator or operator is limited to; may be said several times
        #[arg(long)]
        domain: Vec<String>,
    },
}

#[derive(Subcommand)]
pub(super) enum SessionCommand {
    /// List connected clients
    List {
        #[arg(long)]
        account: Option<String>,
        #[arg(long)]
        domain: Option<String>,
        #[command(flatten)]
        page: PageArgs,
    },
    /// Close the streams of an account, or of one of its resources
    End {
        /// name@domain or name@domain/resource
        address: String,
    },
}

#[derive(Subcommand)]
pub(super) enum DeviceCommand {
    /// List the devices of an account that may log in with a token
    List {
        /// name@domain
        account: String,
        #[command(flatten)]
        page: PageArgs,
    },
    /// End a device's tokens and its sessions
    Revoke {
        /// name@domain
        account: String,
        /// As `device list` shows it
        id: String,
    },
}

#[derive(Subcommand)]
pub(super) enum PluginCommand {
    /// List installed plugins
    List {
        #[command(flatten)]
        page: PageArgs,
    },
    /// Show one plugin with its manifest and configuration
    Info { id: String },
    /// Install a package
    Install { package: PathBuf },
    /// Enable a plugin, for one domain or all
    Enable {
        id: String,
        #[arg(long)]
        domain: Option<String>,
    },
    /// Disable a plugin, for one domain or all; what it stored stays
    Disable {
        id: String,
        #[arg(long)]
        domain: Option<String>,
    },
    /// Replace an installed plugin by another build of it
    Upgrade { package: PathBuf },
    /// Remove a plugin; what it stored stays, for the case that it comes back
    Remove {
        id: String,
        /// Delete everything that it stored, also that of a plugin removed earlier
        #[arg(long)]
        purge: bool,
        /// Do not ask before that
        #[arg(long, short)]
        yes: bool,
    },
    /// Begin a plugin: a folder that builds, with a test
    New {
        folder: PathBuf,
        /// Such as example.hello [default: example.FOLDER]
        #[arg(long)]
        id: Option<String>,
        /// Folder of the SDK's crate, to build against a checkout
        #[arg(long, env = "XYLEM_SDK")]
        sdk: Option<PathBuf>,
    },
    /// Build a plugin's package
    Build {
        #[arg(default_value = ".")]
        folder: PathBuf,
        /// Folder for the package [default: target/plugins in the plugin's folder]
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Run a plugin's tests, in process, without a server
    Test {
        #[arg(default_value = ".")]
        folder: PathBuf,
    },
    /// Check a package, or a plugin's folder, without installing it
    Check {
        #[arg(default_value = ".")]
        path: PathBuf,
    },
}

/// What every list takes.
#[derive(clap::Args, Clone)]
pub(super) struct PageArgs {
    /// At most so many
    #[arg(long, default_value_t = Paging::MOST)]
    limit: usize,
    /// Go on after the page before: its `next`
    #[arg(long)]
    after: Option<String>,
    /// Only those in which this occurs
    #[arg(long)]
    search: Option<String>,
    /// By what they are sorted
    #[arg(long)]
    sort: Option<String>,
    /// Largest first
    #[arg(long)]
    desc: bool,
}

impl PageArgs {
    pub(super) fn paging(self) -> Paging {
        let order = self.desc.then_some(Order::Desc);
        Paging { limit: Some(self.limit), after: self.after, search: self.search, sort: self.sort, order }
    }
}
