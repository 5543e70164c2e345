//! Results as people read them.

use xylem_ops::data::{Exported, Imported};
use xylem_ops::device::{DeviceRow, Revoked};
use xylem_ops::plugin::{ChainReport, PluginDetail, PluginRow, Removed};
use xylem_ops::server::{HealthReport, ReloadReport, StatusReport};
use xylem_ops::session::{Ended, SessionRow};
use xylem_ops::token::{TokenGone, TokenMade, TokenRow};
use xylem_ops::user::{Account, Done};
use xylem_ops::{AuditRow, Page};

/// What is printed without `--json`.
pub(super) trait Show {
    fn show(&self) -> String;
}

impl Show for Account {
    fn show(&self) -> String {
        let state = if self.disabled { "disabled" } else { "enabled" };
        let sessions = if self.sessions.is_empty() { "none".to_owned() } else { self.sessions.join(", ") };
        let (role, created) = (&self.role, date(self.created));
        format!(
            "{}\n  state     {state}\n  role      {role}\n  created   {created}\n  sessions  {sessions}",
            self.account
        )
    }
}

/// The list, and how to get the rest of it.
impl<T> Show for Page<T>
where
    Vec<T>: Show,
{
    fn show(&self) -> String {
        let rows = self.items.show();
        match &self.next {
            Some(next) => format!("{}\n\nThere are more: --after {next}", rows.trim_end()),
            None => rows,
        }
    }
}

impl Show for Vec<Account> {
    fn show(&self) -> String {
        let rows = self.iter().map(|a| {
            let state = if a.disabled { "disabled" } else { "enabled" };
            let role = a.role.to_string();
            [a.account.clone(), state.to_owned(), role, date(a.created), a.sessions.len().to_string()]
        });
        table(["ACCOUNT", "STATE", "ROLE", "CREATED", "SESSIONS"], rows)
    }
}

impl Show for Done {
    fn show(&self) -> String {
        format!("{}: done", self.account)
    }
}

impl Show for Vec<SessionRow> {
    fn show(&self) -> String {
        let rows = self.iter().map(|s| {
            [
                s.jid.clone(),
                if s.available { s.priority.to_string() } else { "-".to_owned() },
                s.peer.clone().unwrap_or_else(|| "-".to_owned()),
                s.seconds.map_or_else(|| "-".to_owned(), span),
                s.queued.to_string(),
                s.management.name().to_owned(),
                s.unacknowledged.to_string(),
                if s.inactive { "inactive" } else { "active" }.to_owned(),
            ]
        });
        let heads = ["SESSION", "PRIORITY", "FROM", "FOR", "QUEUED", "MANAGEMENT", "UNACKNOWLEDGED", "CLIENT"];
        table(heads, rows)
    }
}

impl Show for Ended {
    fn show(&self) -> String {
        format!("{} sessions ended", self.sessions)
    }
}

impl Show for Vec<DeviceRow> {
    fn show(&self) -> String {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let rows = self.iter().map(|d| {
            let sessions = d.sessions.len().to_string();
            let (since, seen, expires) = (date(d.since), date(d.seen), date(d.expires));
            [d.id.clone(), text(&d.software), text(&d.device), since, seen, expires, sessions]
        });
        table(["ID", "SOFTWARE", "DEVICE", "SINCE", "SEEN", "EXPIRES", "SESSIONS"], rows)
    }
}

impl Show for Revoked {
    fn show(&self) -> String {
        format!("{} of {}: revoked, {} sessions ended", self.id, self.account, self.sessions)
    }
}

impl Show for Vec<TokenRow> {
    fn show(&self) -> String {
        let moment = |at: Option<u64>| at.map_or_else(|| "-".to_owned(), date);
        let rows = self.iter().map(|t| {
            let scopes = t.scopes.iter().collect::<Vec<_>>().join(" ");
            let (expires, used) = (moment(t.expires), moment(t.used));
            [t.id.clone(), t.account.clone(), t.name.clone(), t.ceiling.to_string(), scopes, expires, used]
        });
        table(["ID", "ACCOUNT", "NAME", "AT MOST", "SCOPES", "EXPIRES", "USED"], rows)
    }
}

impl Show for TokenMade {
    fn show(&self) -> String {
        format!("{}\n\nIts id is {}. It is not shown again.", self.token, self.row.id)
    }
}

impl Show for TokenGone {
    fn show(&self) -> String {
        format!("{}: revoked", self.id)
    }
}

impl Show for Vec<AuditRow> {
    fn show(&self) -> String {
        let rows = self.iter().map(|row| {
            let outcome = row.error.clone().unwrap_or_default();
            [date(row.at / 1000), row.who.clone(), row.from.clone(), row.face.clone(), row.what.clone(), outcome]
        });
        table(["WHEN", "WHO", "FROM", "THROUGH", "WHAT", "REFUSED BECAUSE"], rows)
    }
}

impl Show for PluginRow {
    fn show(&self) -> String {
        let note = self.note.as_ref().map_or(String::new(), |note| format!(": {note}"));
        format!("{} {} {}{note}", self.id, self.version, self.state)
    }
}

impl Show for Vec<PluginRow> {
    fn show(&self) -> String {
        let rows = self.iter().map(|p| {
            [
                p.id.clone(),
                p.version.clone(),
                p.state.clone(),
                p.calls.to_string(),
                p.faults.to_string(),
                p.note.clone().unwrap_or_default(),
            ]
        });
        table(["PLUGIN", "VERSION", "STATE", "CALLS", "FAULTS", "NOTE"], rows)
    }
}

impl Show for PluginDetail {
    fn show(&self) -> String {
        let config = serde_json::to_string_pretty(&self.config).unwrap_or_default();
        let domains = self.row.domains.join(", ");
        let mut config = format!("configuration: {config}\n");
        for (domain, own) in &self.config_by_domain {
            let own = serde_json::to_string_pretty(own).unwrap_or_default();
            config.push_str(&format!("configuration for {domain}: {own}\n"));
        }
        format!("{}\n{}\n\ndomains: {domains}\n{config}\n{}", self.row.show(), self.description, self.manifest)
    }
}

impl Show for Removed {
    fn show(&self) -> String {
        let id = &self.id;
        match self.purged {
            Some(keys) => format!("{id}: removed, with what it stored for {keys} accounts and other keys"),
            None if self.kept => {
                format!("{id}: removed; what it stored is still there: `xylem plugin remove --purge {id}` deletes it")
            }
            None => format!("{id}: removed; it had stored nothing"),
        }
    }
}

impl Show for ChainReport {
    fn show(&self) -> String {
        let mut text = String::new();
        for point in &self.points {
            text.push_str(&format!("{} ({})\n", point.point, point.domain));
            for step in &point.steps {
                text.push_str(&format!("  {step}\n"));
            }
            if point.steps.is_empty() {
                text.push_str("  no plugin\n");
            }
        }
        text
    }
}

impl Show for Exported {
    fn show(&self) -> String {
        format!("{} rows, {} bytes in {}", self.rows, self.bytes, self.path.display())
    }
}

impl Show for Imported {
    fn show(&self) -> String {
        format!("{} rows imported", self.rows)
    }
}

impl Show for StatusReport {
    fn show(&self) -> String {
        let mut text = format!(
            "xylem {} (pid {}), up {}\n  domains      {}\n  listeners    {}\n  connections  {}\n  sessions     {}\n  plugins      {}\n  store        {} in {}\n",
            self.version,
            self.pid,
            span(self.uptime_seconds),
            self.domains.join(", "),
            self.listeners.join(", "),
            self.connections,
            self.sessions,
            self.plugins,
            self.backend,
            self.data,
        );
        for problem in &self.problems {
            text.push_str(&format!("  problem      {problem}\n"));
        }
        text
    }
}

impl Show for HealthReport {
    fn show(&self) -> String {
        if self.healthy { "healthy".to_owned() } else { format!("unwell: {}", self.problems.join("; ")) }
    }
}

impl Show for ReloadReport {
    fn show(&self) -> String {
        let mut lines: Vec<_> = self.applied.iter().map(|what| format!("applied: {what}")).collect();
        lines.extend(self.restart.iter().map(|what| format!("needs a restart: {what}")));
        if lines.is_empty() { "nothing has changed".to_owned() } else { lines.join("\n") }
    }
}

pub(super) fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut lines = vec![head.map(str::to_owned)];
    lines.extend(rows);
    let widths: [usize; N] = std::array::from_fn(|column| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or_default()
    });
    let mut text = String::new();
    for line in &lines {
        let cells: Vec<_> = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// `3d 4h`, `12m`, `40s`.
fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// Seconds since 1970 as a date, UTC (the civil calendar from days, after Hinnant).
fn date(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute) = (seconds % 86_400 / 3600, seconds % 3600 / 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01 00:00");
        assert_eq!(date(951_782_399), "2000-02-28 23:59");
        assert_eq!(date(951_782_400), "2000-02-29 00:00");
        assert_eq!(date(4_102_444_799), "2099-12-31 23:59");
    }

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [["a".to_owned(), "1".to_owned()], ["bbb".to_owned(), "2".to_owned()]];
        assert_eq!(table(["X", "Y"], rows.into_iter()), "X    Y\na    1\nbbb  2\n");
    }
}
