//! Reading everything, forward and backward, and verifying it.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use super::chunk::{self, Head};
use super::layered::{CHUNKS, Engine, Layered, in_table};
use super::value::{self, Kind};
use super::{Backend, Scan, ScrubReport};
use crate::error::Result;

pub(super) fn scrub<E: Engine>(backend: &Layered<E>) -> Result<ScrubReport> {
    let commits = backend.commits.load(Ordering::Relaxed);
    let mut report = ScrubReport::default();
    let mut sets = HashSet::new();
    for table in backend.tables()? {
        scrub_table(backend, &table, &mut sets, &mut report)?;
    }
    let orphans = count_orphans(&backend.engine, &sets)?;
    if commits == backend.commits.load(Ordering::Relaxed) {
        report.orphans = orphans;
    }
    if commits != backend.commits.load(Ordering::Relaxed) {
        report.entries_reverse = report.entries; // counts of a moving target say nothing
    }
    Ok(report)
}

const SCRUB_PAGE: usize = 256;

fn count_orphans<E: Engine>(engine: &E, sets: &HashSet<u64>) -> Result<u64> {
    let mut scan = Scan::prefix(CHUNKS.to_be_bytes()).limit(SCRUB_PAGE);
    let mut orphans = 0;
    loop {
        let page = engine.range(&scan)?;
        let Some((last, _)) = page.last() else { return Ok(orphans) };
        scan = scan.after(last.clone());
        let orphan = |key: &[u8]| chunk::set_of(key).is_none_or(|set| !sets.contains(&set));
        orphans += page.iter().filter(|(key, _)| orphan(key)).count() as u64;
    }
}

fn scrub_table<E: Engine>(
    backend: &Layered<E>,
    name: &str,
    sets: &mut HashSet<u64>,
    report: &mut ScrubReport,
) -> Result<()> {
    let Some(table) = backend.table(name) else { return Ok(()) };
    for reverse in [false, true] {
        let mut scan = in_table(table.number, &Scan::all().reverse(reverse)).limit(SCRUB_PAGE);
        loop {
            let page = backend.engine.range(&scan)?;
            let Some((last, _)) = page.last() else { break };
            scan = if reverse { scan.before(last.clone()) } else { scan.after(last.clone()) };
            for (key, sealed) in &page {
                if reverse {
                    report.entries_reverse += 1;
                    continue;
                }
                report.entries += 1;
                if let Ok((Kind::Chunked, payload)) = value::unseal(key, sealed) {
                    sets.extend(Head::decode(payload).map(|head| head.set));
                }
                report.bytes += (key.len() + sealed.len()) as u64;
                let opened = match backend.open_value(name, key, sealed) {
                    Ok(None) => backend.get_at(name, key).map(|_| ()),
                    other => other.map(|_| ()),
                };
                if let Err(error) = opened
                    && report.damaged.len() < 100
                {
                    report.damaged.push(error.to_string());
                }
            }
        }
    }
    Ok(())
}
