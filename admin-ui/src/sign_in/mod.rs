//! Signing in to the console: a password, a second factor where the account has one, and the
//! session that follows.
//!
//! Passwords are checked by the server, with the brake that SASL has ([`People::check`]). Everything
//! else is here: `totp`, `passkey`, `recovery` are the second factors, `table` holds the
//! sessions. A session ends by itself when the password, the role or the account changes: each use
//! asks whether the account still is what it was at sign-in ([`Standing::stamp`]).

mod backend;
mod cookie;
mod factor_routes;
mod factors;
mod passkey;
mod pending;
mod recovery;
mod refusal;
mod routes;
mod session_routes;
mod table;
mod totp;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderValue, Method};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;
use xylem_ops::audit::Sparing;
use xylem_ops::{Caller, Face};
use xylem_sasl::{Rate, Throttle, ThrottleConfig};

pub use backend::{Answer, Checked, Deed, Notes, People, Shelf, Standing, Table as ShelfTable, Unavailable};
pub(crate) use cookie::{Hash, SESSION, SETUP, Ticket, forget};
use factors::{Book, Holder};
pub use passkey::{PasskeyError, Verification};
use pending::Pending;
pub use refusal::Refusal;
pub use routes::routes;
pub(crate) use routes::{Body, Visitor, with_cookies};
pub use table::{Session, Terms};
use table::{Table, Used};

/// The header that unsafe requests of a session carry.
pub(crate) const TOKEN: &str = "x-csrf-token";
/// Passwords that are checked at once. Each costs milliseconds of a core.
const CHECKS: usize = 2;
/// Wrong passwords from one network that are written down in a minute.
const REFUSALS: u64 = 10;
/// Who is written down when no account was named that there is.
const SOMEBODY: &str = "somebody";
/// How long a password waits for its turn.
const QUEUE: Duration = Duration::from_secs(5);

/// Everybody who is signed in, or about to be. A cheap handle.
#[derive(Clone)]
pub struct Login(Arc<Inner>);

struct Inner {
    people: Arc<dyn People>,
    shelf: Arc<dyn Shelf>,
    notes: Arc<dyn Notes>,
    sessions: Mutex<Table>,
    pending: Mutex<Pending>,
    factors: Book,
    /// For second factors: six digits are soon guessed.
    brake: Mutex<Throttle>,
    checks: Semaphore,
    /// Wrong passwords that are written down, by network.
    refusals: Sparing<IpAddr>,
    terms: Terms,
    verification: Verification,
    started: Instant,
}

/// What the server says of itself.
pub struct Surroundings {
    pub people: Arc<dyn People>,
    pub shelf: Arc<dyn Shelf>,
    pub notes: Arc<dyn Notes>,
}

/// A session in use.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub session: Session,
    pub standing: Standing,
    ticket: Ticket,
}

impl SignedIn {
    /// For operations.
    #[must_use]
    pub fn caller(&self) -> Caller {
        let Session { account, address, .. } = &self.session;
        Caller::account(account.clone(), self.standing.role.clone(), Face::Console, address.clone())
    }

    /// The header that gives the browser its ticket.
    pub(crate) fn cookie(&self, of: &Login) -> Option<HeaderValue> {
        self.ticket.set(SESSION, of.0.terms.lifetime)
    }
}

/// What an account has beside its password, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Whether an authenticator app is asked for.
    pub totp: bool,
    pub passkeys: usize,
    /// Recovery codes left.
    pub recovery: usize,
    pub sessions: usize,
}

impl Login {
    #[must_use]
    pub fn new(surroundings: Surroundings, terms: Terms, verification: Verification) -> Self {
        let Surroundings { people, shelf, notes } = surroundings;
        let factors = Book::new(Arc::clone(&shelf));
        // Per account one guess in five minutes over time, whoever makes it: of a million codes
        // three are right at a time.
        let brake = ThrottleConfig {
            address: Rate { burst: 30, forgive: Duration::from_secs(30) },
            account: Rate { burst: 10, forgive: Duration::from_secs(300) },
            ..ThrottleConfig::default()
        };
        Self(Arc::new(Inner {
            people,
            shelf,
            notes,
            sessions: Mutex::default(),
            pending: Mutex::default(),
            factors,
            brake: Mutex::new(Throttle::new(brake)),
            checks: Semaphore::new(CHECKS),
            refusals: Sparing::new(REFUSALS),
            terms,
            verification,
            started: Instant::now(),
        }))
    }

    /// Takes up the sessions that were under way when the process ended. Without this all sign in anew.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn resume(&self) -> Result<(), Unavailable> {
        let rows = self.0.shelf.all(ShelfTable::Sessions, table::MOST).await?;
        let now = now();
        let mut unreadable = Vec::new();
        for (key, row) in rows {
            let session = serde_json::from_slice::<Session>(&row).ok();
            match (Hash::try_from(key.as_slice()), session) {
                (Ok(hash), Some(session)) => drop(lock(&self.0.sessions).begin(hash, session, self.0.terms)),
                _ => unreadable.push(key),
            }
        }
        let over = lock(&self.0.sessions).sweep(now, self.0.terms);
        unreadable.extend(over.iter().map(|hash| hash.to_vec()));
        for key in unreadable {
            self.0.shelf.put(ShelfTable::Sessions, &key, None).await?;
        }
        Ok(())
    }

    /// Whose request this is, by its cookie; none if nobody's. Unsafe methods need the token.
    ///
    /// # Errors
    /// [`Refusal::WrongToken`], [`Refusal::NotNow`].
    pub async fn identify(
        &self,
        headers: &HeaderMap,
        method: &Method,
        peer: IpAddr,
    ) -> Result<Option<SignedIn>, Refusal> {
        let Some(ticket) = Ticket::of(headers, SESSION) else { return Ok(None) };
        let (hash, now) = (ticket.hash(), now());
        let used = lock(&self.0.sessions).use_one(&hash, &peer.to_string(), now, self.0.terms);
        let Some(Used { session, stale }) = used else { return Ok(None) };
        let Some(standing) = self.standing_of(&hash, &session).await? else { return Ok(None) };
        if !method.is_safe() && !has_token(headers, &ticket) {
            return Err(Refusal::WrongToken);
        }
        if stale {
            self.write(&hash, &session).await?;
        }
        Ok(Some(SignedIn { session, standing, ticket }))
    }

    /// Who it is that watches by this cookie. It does not count as use: a page that is left open does
    /// not keep its session alive.
    ///
    /// # Errors
    /// [`Refusal::NotNow`].
    pub async fn watcher(&self, headers: &HeaderMap) -> Result<Option<SignedIn>, Refusal> {
        let Some(ticket) = Ticket::of(headers, SESSION) else { return Ok(None) };
        let hash = ticket.hash();
        let Some(session) = lock(&self.0.sessions).look(&hash, now(), self.0.terms) else { return Ok(None) };
        let standing = self.standing_of(&hash, &session).await?;
        Ok(standing.map(|standing| SignedIn { session, standing, ticket }))
    }

    /// What the account of a session may now; a session that the account's password or role has
    /// outlived ends.
    async fn standing_of(&self, hash: &Hash, session: &Session) -> Result<Option<Standing>, Refusal> {
        let standing = self.0.people.standing(&session.account).await?;
        let standing = standing.filter(|standing| standing.stamp == session.stamp);
        if standing.is_none() {
            self.end(hash).await?;
        }
        Ok(standing)
    }

    /// The same where somebody has to be signed in.
    ///
    /// # Errors
    /// As [`Login::identify`], and [`Refusal::NotSignedIn`].
    pub async fn require(&self, headers: &HeaderMap, method: &Method, peer: IpAddr) -> Result<SignedIn, Refusal> {
        let setup = !self.0.people.has_owner();
        self.identify(headers, method, peer).await?.ok_or(Refusal::NotSignedIn { setup })
    }

    /// Begins a session for somebody who has proved who he is; its ticket.
    ///
    /// # Errors
    /// [`Refusal::NotNow`].
    pub(crate) async fn begin(
        &self,
        account: &str,
        factor: &str,
        headers: &HeaderMap,
        peer: IpAddr,
    ) -> Result<SignedIn, Refusal> {
        let standing = self.0.people.standing(account).await?.ok_or(Refusal::WrongCredentials)?;
        let ticket = Ticket::new().ok_or(Refusal::NotNow)?;
        let (hash, now) = (ticket.hash(), now());
        let agent = headers.get(http::header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        let session = Session {
            id: hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect(),
            account: account.to_owned(),
            stamp: standing.stamp,
            began: now,
            seen: now,
            address: peer.to_string(),
            agent: agent.chars().take(200).collect(),
            factor: factor.to_owned(),
        };
        self.write(&hash, &session).await?;
        let gone = lock(&self.0.sessions).begin(hash, session.clone(), self.0.terms);
        self.erase(&gone).await?;
        self.0.notes.note(account, peer, Deed::SignedIn);
        Ok(SignedIn { session, standing, ticket })
    }

    /// Ends all sessions of an account, and forgets its second factors: for somebody who has lost
    /// them, by somebody who may do that.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn reset(&self, account: &str) -> Result<(), Unavailable> {
        self.0.factors.clear(account).await?;
        self.sign_out(account).await.map(drop)
    }

    /// Ends all sessions of an account; how many.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn sign_out(&self, account: &str) -> Result<usize, Unavailable> {
        let ended = lock(&self.0.sessions).end_where(account, |_, _| true);
        self.erase(&ended).await?;
        Ok(ended.len())
    }

    /// What an account has beside its password; `created` tells it from an earlier one of the same name.
    ///
    /// # Errors
    /// The store does not answer, or what is kept cannot be read.
    pub async fn kept(&self, account: &str, created: u64) -> Result<Kept, Unavailable> {
        let holder = Holder { people: self.0.people.as_ref(), account, created };
        let factors = self.0.factors.read(&holder).await?;
        let sessions = lock(&self.0.sessions).list(account, now(), self.0.terms).len();
        let (passkeys, recovery) = (factors.passkeys.len(), factors.codes.len());
        Ok(Kept { totp: factors.app.is_some(), passkeys, recovery, sessions })
    }

    /// Whether there is somebody who may do everything.
    pub(crate) fn has_owner(&self) -> bool {
        self.0.people.has_owner()
    }

    pub(crate) fn note(&self, account: &str, peer: IpAddr, deed: Deed) {
        self.0.notes.note(account, peer, deed);
    }

    async fn end(&self, hash: &Hash) -> Result<Option<Session>, Unavailable> {
        let ended = lock(&self.0.sessions).end(hash);
        self.erase(&[*hash]).await?;
        Ok(ended)
    }

    async fn write(&self, hash: &Hash, session: &Session) -> Result<(), Unavailable> {
        let row = serde_json::to_vec(session).map_err(|error| Unavailable(error.to_string()))?;
        self.0.shelf.put(ShelfTable::Sessions, hash, Some(row)).await
    }

    async fn erase(&self, hashes: &[Hash]) -> Result<(), Unavailable> {
        for hash in hashes {
            self.0.shelf.put(ShelfTable::Sessions, hash, None).await?;
        }
        Ok(())
    }

    /// Checks a password, a few at a time.
    async fn check(&self, name: String, password: String, peer: IpAddr) -> Result<Checked, Refusal> {
        let turn = tokio::time::timeout(QUEUE, self.0.checks.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(Refusal::NotNow) };
        match self.0.people.check(name.clone(), password, peer).await? {
            Checked::Wrong => {
                self.refused(&name, peer).await?;
                Ok(Checked::Wrong)
            }
            Checked::Blocked { retry_after } => Err(Refusal::TooManyFailures { retry_after }),
            checked => Ok(checked),
        }
    }

    /// Takes note of a wrong password. What is no account could be a password in the wrong field.
    async fn refused(&self, name: &str, peer: IpAddr) -> Result<(), Unavailable> {
        let is_known = name.len() <= 64 && self.0.people.standing(name).await?.is_some();
        if let Some(more) = self.0.refusals.admit(network(peer), Instant::now()) {
            self.0.notes.note(if is_known { name } else { SOMEBODY }, peer, Deed::PasswordRefused { more });
        }
        Ok(())
    }

    /// Whether a second factor of the account may be tried now.
    fn may_try(&self, account: &str, peer: IpAddr) -> Result<(), Refusal> {
        let tried = lock(&self.0.brake).check(peer, Some(account), self.0.started.elapsed());
        tried.map_err(|blocked| Refusal::TooManyFailures { retry_after: blocked.retry_after })
    }

    fn failed(&self, account: &str, peer: IpAddr) {
        lock(&self.0.brake).failed(peer, Some(account), self.0.started.elapsed());
        self.0.notes.note(account, peer, Deed::FactorRefused);
    }

    fn holder<'a>(&'a self, account: &'a str, standing: &Standing) -> Holder<'a> {
        Holder { people: &*self.0.people, account, created: standing.created }
    }
}

/// Whoever has an address of IPv6 has 2⁶⁴ of them.
fn network(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(address) => IpAddr::V6(std::net::Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

fn has_token(headers: &HeaderMap, ticket: &Ticket) -> bool {
    let given = headers.get(TOKEN).map(HeaderValue::as_bytes).unwrap_or_default();
    given.ct_eq(ticket.csrf().as_bytes()).into()
}

/// Seconds since 1970 UTC.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
