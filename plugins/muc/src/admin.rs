//! Requests about roles and affiliations: lists, and changes to them (XEP-0045 §8, §9, §10.3 to §10.8).

use xylem_sdk::Element;
use xylem_sdk::prelude::*;

use crate::affiliations::{self, Affiliate};
use crate::ns::ADMIN;
use crate::occupant::{Occupant, Session};
use crate::privileges::{Affiliation, Role, Standing};
use crate::roles;
use crate::room::Room;
use crate::standings::{self, Actor};

/// Most items of one request.
const ITEMS: usize = 200;

/// `get` asks for a list, `set` changes who is what.
pub(crate) fn admin(cx: &Cx, iq: &Stanza<'_>) -> Result<Reply, Failure> {
    let room = Room::existing(&cx.key())?;
    let from = iq.from().ok_or(Condition::BadRequest)?;
    let query = iq.payload().ok_or(Condition::BadRequest)?;
    let session = Session::of(from)?;
    let affiliation = affiliations::of(&room, Jid::new(from).bare())?;
    let role = session.as_ref().map_or(Role::None, |session| session.standing.role);
    let standing = Standing { affiliation, role };
    let items: Vec<Element<'_>> = query.children().filter(|child| child.is(ADMIN, "item")).take(ITEMS + 1).collect();
    if items.is_empty() || items.len() > ITEMS {
        return Err(Condition::BadRequest.into());
    }
    if iq.is("get") {
        return list(&room, standing, &items);
    }
    let nick = session.as_ref().map(|session| session.nick.as_str());
    set(&room, Jid::new(from).bare(), standing, nick, &items)
}

fn list(room: &Room, standing: Standing, items: &[Element<'_>]) -> Result<Reply, Failure> {
    let mut query = Xml::with_ns("query", ADMIN);
    for item in items {
        query = match (item.attr("affiliation"), item.attr("role")) {
            (Some(name), None) => {
                let affiliation = Affiliation::parse(name).filter(|wanted| *wanted != Affiliation::None);
                let affiliation = affiliation.ok_or(Condition::BadRequest)?;
                may_read(room, standing, affiliation)?;
                query.children(affiliates(room, affiliation)?)
            }
            (None, Some(name)) => {
                let role = Role::parse(name).filter(|role| *role != Role::None).ok_or(Condition::BadRequest)?;
                let admin = standing.affiliation >= Affiliation::Admin;
                if !admin && (standing.role != Role::Moderator || role == Role::Moderator) {
                    return Err(Condition::Forbidden.into());
                }
                query.children(with_role(role)?)
            }
            _ => return Err(Condition::BadRequest.into()),
        };
    }
    Ok(Reply::with(query))
}

/// §9.2, §9.5, §10.6, §10.8: in a room without secrets its people may see who else belongs to it.
fn may_read(room: &Room, standing: Standing, list: Affiliation) -> Result<(), Failure> {
    let open = room.configuration.non_anonymous
        && (standing.affiliation >= Affiliation::Member || room.configuration.member_list.has(standing.role));
    let may = match list {
        Affiliation::Outcast => standing.affiliation >= Affiliation::Admin,
        Affiliation::Member => standing.affiliation >= Affiliation::Admin || open,
        _ => standing.affiliation == Affiliation::Owner || open,
    };
    if may { Ok(()) } else { Err(Condition::Forbidden.into()) }
}

fn affiliates(room: &Room, affiliation: Affiliation) -> Result<Vec<Xml>, Fault> {
    let item = |affiliate: &Affiliate| {
        let reason = Some(&affiliate.reason).filter(|reason| !reason.is_empty());
        Xml::new("item")
            .attr("affiliation", affiliation.name())
            .attr("jid", &affiliate.account)
            .attr_opt("nick", Some(affiliate.nick.as_str()).filter(|nick| !nick.is_empty()))
            .child_opt(reason.map(|reason| Xml::new("reason").text(reason)))
    };
    Ok(affiliations::list(room, affiliation)?.iter().map(item).collect())
}

fn with_role(role: Role) -> Result<Vec<Xml>, Fault> {
    let item = |occupant: &Occupant| {
        Xml::new("item")
            .attr("nick", &occupant.nick)
            .attr("role", role.name())
            .attr("affiliation", occupant.affiliation.name())
            .attr_opt("jid", occupant.sessions.first().map(String::as_str))
    };
    Ok(Occupant::all()?.iter().filter(|occupant| occupant.role == role).map(item).collect())
}

/// All items are checked before anything is changed (§9.2).
fn set(
    room: &Room,
    account: &str,
    standing: Standing,
    nick: Option<&str>,
    items: &[Element<'_>],
) -> Result<Reply, Failure> {
    let actor = Actor { account, affiliation: standing.affiliation, nick };
    let (mut roles_changes, mut affiliation_changes) = (Vec::new(), Vec::new());
    for item in items {
        let reason = item.child(ADMIN, "reason").map(|reason| reason.text()).unwrap_or_default();
        match (item.attr("role"), item.attr("affiliation")) {
            (Some(role), None) => {
                let nick = item.attr("nick").ok_or(Condition::BadRequest)?;
                let role = Role::parse(role).ok_or(Condition::BadRequest)?;
                roles_changes.push(roles::check(standing, account, nick, role, reason)?);
            }
            (None, Some(affiliation)) => {
                let wanted = affiliate(room, item, affiliation, reason)?;
                standings::check(room, &actor, &wanted)?;
                affiliation_changes.push(wanted);
            }
            // §17.4: not both at once.
            _ => return Err(Condition::BadRequest.into()),
        }
    }
    let owners = affiliation_changes.iter().filter(|change| change.affiliation != Affiliation::Owner).count();
    if owners > 1 {
        standings::leave_an_owner(room, &affiliation_changes)?;
    }
    for change in roles_changes {
        change.apply(room, nick)?;
    }
    for wanted in &affiliation_changes {
        standings::apply(room, &actor, wanted)?;
    }
    Ok(Reply::empty())
}

/// What an item asks: an account by address, or by the nickname of somebody in the room.
fn affiliate(room: &Room, item: &Element<'_>, affiliation: &str, reason: &str) -> Result<Affiliate, Failure> {
    let affiliation = Affiliation::parse(affiliation).ok_or(Condition::BadRequest)?;
    let account = match (item.attr("jid"), item.attr("nick")) {
        (Some(jid), _) => {
            let jid = Jid::normalise(jid).ok_or(Condition::JidMalformed)?;
            Jid::new(&jid).bare().to_owned()
        }
        (None, Some(nick)) => Occupant::named(nick)?.ok_or(Condition::ItemNotFound)?.account,
        (None, None) => return Err(Condition::BadRequest.into()),
    };
    let before = affiliations::affiliate(room, &account)?;
    let nick = match item.attr("nick").filter(|_| item.attr("jid").is_some()) {
        // §9.5: an empty one gives the nickname up.
        Some(nick) => nick.to_owned(),
        None => before.map(|before| before.nick).unwrap_or_default(),
    };
    let nick = if affiliation >= Affiliation::Member { nick } else { String::new() };
    Ok(Affiliate { account, affiliation, nick, reason: reason.into() })
}
