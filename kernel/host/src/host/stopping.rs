//! The server's last words, which are its plugins'.

use std::sync::Arc;

use xylem_hooks::EventPoint;
use xylem_hooks::call::{Cause, Done};

use super::Host;
use super::calls::told;
use crate::plugin::{Plugin, Request};

/// Keys that are under way at a time.
const AT_ONCE: usize = 256;

impl Host {
    /// Tells plugins that the server stops, for each key under which they have groups; to be waited for while
    /// there are sessions to hear what they say. How long is for the caller to bound.
    pub async fn stopping(&self) {
        let plugins: Vec<_> = self.lock().plugins().collect();
        for (plugin, domains) in plugins {
            let events = (0..).zip(&plugin.core.manifest.events);
            for (entry, _) in events.filter(|(_, event)| event.on == EventPoint::ServerStopping) {
                for keys in self.services.groups.keys_of(&plugin.core.id).chunks(AT_ONCE) {
                    let calls: Vec<Done<()>> =
                        keys.iter().filter_map(|key| self.farewell(&plugin, entry, key, &domains)).collect();
                    for call in calls {
                        call.get().await;
                    }
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// Nothing for a key whose domain the plugin does not run for any more.
    fn farewell(&self, plugin: &Arc<Plugin>, entry: u32, key: &Arc<str>, domains: &[Arc<str>]) -> Option<Done<()>> {
        let at = key.split_once('@').map_or(&**key, |(_, domain)| domain);
        let domain = Arc::clone(self.services.plan(at)?.domain_name());
        if !domains.contains(&domain) {
            return None;
        }
        let cause = Cause { domain, key: Arc::clone(key), actor: None, peer: None, hops: 0, note: None };
        let request = Request { leads: true, ..told(plugin, entry, cause, key, "") };
        Some(match plugin.call(request) {
            Done::Ready(_) => Done::Ready(()),
            Done::Later(later) => Done::Later(Box::pin(async move { drop(later.await) })),
        })
    }
}
