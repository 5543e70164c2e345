//! A server's accounts and store, in memory.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use xylem_admin::setup::{Certificate, Choice, Installation, Installed, Plan, Proposal, Registration, Wrong};
use xylem_admin::sign_in::{Answer, Checked, Deed, Notes, People, Shelf, ShelfTable, Standing};
use xylem_ops::{Rank, Role};

/// One account.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) password: String,
    pub(crate) role: Role,
    pub(crate) disabled: bool,
}

type Rows = HashMap<(ShelfTable, Vec<u8>), Vec<u8>>;

/// Everybody there is, and what is kept of them.
#[derive(Default)]
pub(crate) struct Town {
    pub(crate) people: Mutex<HashMap<String, Person>>,
    pub(crate) rows: Mutex<Rows>,
    pub(crate) deeds: Mutex<Vec<(String, Deed)>>,
    pub(crate) failures: Mutex<u32>,
}

/// Failures after which no password is looked at.
pub(crate) const FAILURES: u32 = 5;

impl Town {
    pub(crate) fn settle(&self, account: &str, password: &str, rank: Rank) {
        let person = Person { password: password.to_owned(), role: Role::of(rank), disabled: false };
        self.people.lock().unwrap().insert(account.to_owned(), person);
    }

    pub(crate) fn change(&self, account: &str, change: impl FnOnce(&mut Person)) {
        change(self.people.lock().unwrap().get_mut(account).unwrap());
    }
}

fn now<'a, T: Send + 'a>(what: T) -> Answer<'a, T> {
    Box::pin(std::future::ready(Ok(what)))
}

impl People for Town {
    fn check(&self, name: String, password: String, _: IpAddr) -> Answer<'_, Checked> {
        let mut failures = self.failures.lock().unwrap();
        if *failures >= FAILURES {
            return now(Checked::Blocked { retry_after: Duration::from_secs(30) });
        }
        let found = self.people.lock().unwrap().get(&name).cloned();
        let right = found.is_some_and(|person| !person.disabled && person.password == password);
        if !right {
            *failures += 1;
        }
        now(if right { Checked::Right(name) } else { Checked::Wrong })
    }

    fn standing<'a>(&'a self, account: &'a str) -> Answer<'a, Option<Standing>> {
        let found = self.people.lock().unwrap().get(account).cloned();
        let standing = found.filter(|person| !person.disabled).map(|person| {
            let digest = Sha256::digest(format!("{} {}", person.password, person.role));
            let stamp = <[u8; 16]>::try_from(&digest[..16]).unwrap();
            Standing { role: person.role, stamp, created: 1 }
        });
        now(standing)
    }

    fn has_owner(&self) -> bool {
        self.people.lock().unwrap().values().any(|person| person.role.rank == Rank::Owner)
    }

    fn derive(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let digest = parts.iter().fold(Sha256::new_with_prefix(purpose), |digest, part| {
            digest.chain_update(part.len().to_be_bytes()).chain_update(part)
        });
        digest.finalize().into()
    }
}

impl Shelf for Town {
    fn get<'a>(&'a self, table: ShelfTable, key: &'a [u8]) -> Answer<'a, Option<Vec<u8>>> {
        now(self.rows.lock().unwrap().get(&(table, key.to_vec())).cloned())
    }

    fn put<'a>(&'a self, table: ShelfTable, key: &'a [u8], row: Option<Vec<u8>>) -> Answer<'a, ()> {
        let mut rows = self.rows.lock().unwrap();
        match row {
            Some(row) => drop(rows.insert((table, key.to_vec()), row)),
            None => drop(rows.remove(&(table, key.to_vec()))),
        }
        now(())
    }

    fn all(&self, table: ShelfTable, limit: usize) -> Answer<'_, Vec<(Vec<u8>, Vec<u8>)>> {
        let rows = self.rows.lock().unwrap();
        let of_table = rows.iter().filter(|((of, _), _)| *of == table);
        now(of_table.map(|((_, key), row)| (key.clone(), row.clone())).take(limit).collect())
    }
}

impl Notes for Town {
    fn note(&self, account: &str, _: IpAddr, deed: Deed) {
        self.deeds.lock().unwrap().push((account.to_owned(), deed));
    }
}

impl Installation for Town {
    fn proposal(&self) -> Answer<'_, Proposal> {
        let ping = Choice { id: "xylem.ping".into(), summary: "Answers".into(), enabled: true };
        now(Proposal {
            domains: vec!["a.example".into()],
            certificate: Certificate::SelfSigned,
            registration: Registration::Closed,
            plugins: vec![ping],
            authority: "https://authority.example/directory".into(),
            file: Some("xylem.toml".into()),
        })
    }

    fn check<'a>(&'a self, plan: &'a Plan) -> Answer<'a, Vec<Wrong>> {
        let is_wrong = plan.domain != "a.example";
        now(is_wrong.then(|| Wrong { field: "domain", message: "another".into() }).into_iter().collect())
    }

    fn install(&self, plan: Plan) -> Answer<'_, Result<Installed, Vec<Wrong>>> {
        let owner = format!("{}@{}", plan.owner.name, plan.domain);
        self.settle(&owner, &plan.owner.password, Rank::Owner);
        now(Ok(Installed { owner, ..Installed::default() }))
    }
}
