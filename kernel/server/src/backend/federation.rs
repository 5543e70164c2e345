use std::collections::HashMap;
use std::sync::Arc;

use xylem_ops::backend::{Answer, Federation};
use xylem_ops::federation::{Ability, FederationReport, Links, Service};

use crate::instance::Instance;

/// `federation.show`
pub struct FederationBackend(pub Arc<Instance>);

impl FederationBackend {
    fn services(&self) -> Vec<Service> {
        let config = self.0.config.load();
        let of = |domain: &crate::config::Domain| -> Vec<Service> {
            let Some(plan) = self.0.plugins.plan(&domain.name) else { return Vec::new() };
            let ids: HashMap<_, _> = plan.plugins().collect();
            let service = |(address, plugin): (&str, _)| Service {
                address: address.to_owned(),
                domain: domain.name.clone(),
                plugin: ids.get(&plugin).map(|id| id.to_string()).unwrap_or_default(),
            };
            plan.claimed_domains().map(service).collect()
        };
        config.domains.iter().flat_map(of).collect()
    }
}

impl Federation for FederationBackend {
    fn show(&self) -> Answer<'_, FederationReport> {
        Box::pin(async move {
            let cannot =
                |says: &str| Links { ability: Ability::NotImplemented, says: says.to_owned(), links: Vec::new() };
            Ok(FederationReport {
                servers: cannot("This version speaks with clients only; stanzas to other servers come back as errors."),
                components: cannot("This version takes no external components; plugins are what adds services."),
                services: self.services(),
            })
        })
    }
}
