//! The command line.

mod args;
mod author;
mod client;
mod generic;
mod password;
mod rights;
mod show;
mod workbench;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use serde::Serialize;
use xylem_ops::{OpError, Operation, data, device, plugin, server, session, token, user};

use args::{Args, Command, Common, DeviceCommand, PluginCommand, SessionCommand, UserCommand};
use client::{Client, ClientError};
use rights::TokenCommand;
use show::Show;

use crate::config::{Config, Problems};
use crate::{check, dev, run};

/// Why a command failed; the exit code tells which.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// 3
    #[error("{0}")]
    Config(#[from] Problems),
    /// 4 if the server is not reached, 5 to 8 if it refused.
    #[error("{0}")]
    Client(#[from] ClientError),
    /// 1
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Self::Other(_) => 1,
            Self::Config(_) => 3,
            Self::Client(ClientError::Operation(error)) => match error {
                OpError::NotFound(_) => 5,
                OpError::Conflict(_) => 6,
                OpError::Denied(_) => 7,
                OpError::Invalid(_) => 8,
                _ => 1,
            },
            Self::Client(_) => 4,
        }
    }
}

/// Runs what the command line asks for.
pub fn main() -> ExitCode {
    let args = Args::parse();
    match dispatch(args) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("xylem: {failure}");
            ExitCode::from(failure.code())
        }
    }
}

fn dispatch(args: Args) -> Result<ExitCode, Failure> {
    let common = args.common;
    match args.command {
        Command::Run => run::run(config(&common)?)?,
        Command::Check => return Ok(check::run(&config(&common)?, common.json)),
        Command::Dev(options) => dev::run(options, common.data)?,
        Command::User { command } => users(&common, command)?,
        Command::Session { command } => sessions(&common, command)?,
        Command::Device { command } => devices(&common, command)?,
        Command::Plugin { command } => plugins(&common, command)?,
        Command::Token { command } => tokens(&common, command)?,
        Command::Audit(args) => tell(&common, args.operation())?,
        Command::Op(args) => {
            let (value, text) = generic::run(Client::connect(&socket(&common)?)?, args)?;
            write_out(&common, &value, || text);
        }
        Command::Chain { point, domain } => tell(&common, plugin::Chain { point, domain })?,
        Command::Export { file } => tell(&common, data::Export { path: absolute(&file)? })?,
        Command::Import { file } => tell(&common, data::Import { path: absolute(&file)? })?,
        Command::Status => tell(&common, server::Status {})?,
        Command::Health => {
            let report = ask(&common, server::Health {})?;
            print(&common, &report);
            return Ok(if report.healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Reload => tell(&common, server::Reload {})?,
        Command::Openapi => {
            let document = xylem_admin::openapi::document(&xylem_ops::specs());
            println!("{}", serde_json::to_string_pretty(&document).unwrap_or_default());
        }
        Command::Completion { shell } => {
            clap_complete::generate(shell, &mut Args::command(), "xylem", &mut std::io::stdout());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn users(common: &Common, command: UserCommand) -> Result<(), Failure> {
    match command {
        UserCommand::Add { account, password } => {
            let password = password::get(&password, &format!("Password for {account}: "))?;
            tell(common, user::Add { account, password })
        }
        UserCommand::Password { account, password } => {
            let password = password::get(&password, &format!("New password for {account}: "))?;
            tell(common, user::Password { account, password })
        }
        UserCommand::Delete { account, yes } => {
            if !yes {
                password::confirm(&format!("Delete {account} and everything stored for it?"))?;
            }
            tell(common, user::Delete { account })
        }
        UserCommand::List { domain, page } => {
            tell(common, user::List { domain, paging: page.paging(), ..user::List::default() })
        }
        UserCommand::Show { account } => tell(common, user::Show { account }),
        UserCommand::Role { account, role, domain } => {
            tell(common, user::SetRole { account, role: role.rank(), domains: Some(domain) })
        }
    }
}

fn sessions(common: &Common, command: SessionCommand) -> Result<(), Failure> {
    match command {
        SessionCommand::List { account, domain, page } => {
            tell(common, session::List { account, domain, paging: page.paging() })
        }
        SessionCommand::End { address } => {
            let (account, resource) = match address.split_once('/') {
                Some((account, resource)) => (account.to_owned(), Some(resource.to_owned())),
                None => (address, None),
            };
            tell(common, session::End { account, resource })
        }
    }
}

fn devices(common: &Common, command: DeviceCommand) -> Result<(), Failure> {
    match command {
        DeviceCommand::List { account, page } => tell(common, device::List { account, paging: page.paging() }),
        DeviceCommand::Revoke { account, id } => tell(common, device::Revoke { account, id }),
    }
}

fn tokens(common: &Common, command: TokenCommand) -> Result<(), Failure> {
    match command {
        TokenCommand::Create(args) => tell(common, args.operation()),
        TokenCommand::List { account, page } => tell(common, token::List { account, paging: page.paging() }),
        TokenCommand::Revoke { id } => tell(common, token::Revoke { id, account: None }),
    }
}

fn plugins(common: &Common, command: PluginCommand) -> Result<(), Failure> {
    match command {
        PluginCommand::List { page } => tell(common, plugin::List { paging: page.paging() })?,
        PluginCommand::Info { id } => tell(common, plugin::Info { id })?,
        PluginCommand::Install { package } => tell(common, plugin::Install { package: absolute(&package)? })?,
        PluginCommand::Upgrade { package } => tell(common, plugin::Upgrade { package: absolute(&package)? })?,
        PluginCommand::Enable { id, domain } => tell(common, plugin::Enable { id, domain })?,
        PluginCommand::Disable { id, domain } => tell(common, plugin::Disable { id, domain })?,
        PluginCommand::Remove { id, purge, yes } => {
            if purge && !yes {
                password::confirm(&format!("Delete everything that {id} stored, for all accounts?"))?;
            }
            tell(common, plugin::Remove { id, purge })?;
        }
        PluginCommand::New { folder, id, sdk } => author::new(&folder, id, sdk)?,
        PluginCommand::Build { folder, out } => author::build(&folder, out.as_deref()).map(drop)?,
        PluginCommand::Check { path } => author::check(&path)?,
        PluginCommand::Test { folder } => author::test(&folder)?,
    }
    Ok(())
}

/// Asks the running server and prints what it says.
fn tell<O: Operation>(common: &Common, operation: O) -> Result<(), Failure>
where
    O::Output: Show,
{
    let output = ask(common, operation)?;
    print(common, &output);
    Ok(())
}

fn ask<O: Operation>(common: &Common, operation: O) -> Result<O::Output, Failure> {
    Ok(Client::connect(&socket(common)?)?.call(&operation)?)
}

fn socket(common: &Common) -> Result<PathBuf, Failure> {
    if let Some(socket) = &common.socket {
        return Ok(socket.clone());
    }
    let config = config(common)?;
    Ok(config.in_data(&config.admin.socket))
}

fn print<T: Serialize + Show>(common: &Common, output: &T) {
    write_out(common, output, || output.show());
}

fn write_out(common: &Common, output: &impl Serialize, show: impl FnOnce() -> String) {
    let text = if common.json {
        serde_json::to_string_pretty(output).unwrap_or_default()
    } else {
        show().trim_end().to_owned()
    };
    // A closed pipe (`xylem user list | head`) is nobody's fault.
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn config(common: &Common) -> Result<Config, Failure> {
    let file = common.config.clone().or_else(Config::find);
    let mut config = Config::load(file.as_deref())?;
    if let Some(data) = &common.data {
        config.server.data.clone_from(data);
    }
    Ok(config)
}

fn absolute(path: &Path) -> Result<PathBuf, anyhow::Error> {
    Ok(std::path::absolute(path)?)
}
