//! `xylem:limits/limits`: token buckets. Taking a token is no part of the turn: it
//! stays taken when the call fails.

use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

use crate::guest::Guest;

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut into = linker.instance("xylem:limits/limits@0.1.0")?;
    into.func_wrap("take", |cx: StoreContextMut<'_, Guest>, (bucket, subject): (String, String)| {
        Ok((take(cx.data(), &bucket, &subject),))
    })
}

fn take(guest: &Guest, bucket: &str, subject: &str) -> bool {
    let core = &guest.core;
    let Some((at, limit)) = core.manifest.limits.iter().enumerate().find(|(_, limit)| limit.name == bucket) else {
        tracing::warn!(plugin = %core.id, bucket, "no such bucket; add it as [[limit]] to its manifest");
        return false;
    };
    let domain = guest.call.as_ref().map_or("", |call| &call.cause.domain);
    let Some(count) = core.config(domain).tokens(at) else { return true };
    let now = core.services.clock.now_ms();
    core.services.buckets.take(&core.id, bucket, subject, count, limit.per, now)
}
