use std::sync::Arc;

use xylem_hooks::Manifest;
use xylem_ops::about::{AboutReport, Component, Origins};
use xylem_ops::backend::Answer;

use crate::instance::Instance;

/// What cargo says of the libraries: name, version and licence a line; written by `cargo xtask licences`.
const LIBRARIES: &str = include_str!("../../licences.txt");

/// `about`
pub struct OriginBackend(pub Arc<Instance>);

impl Origins for OriginBackend {
    fn about(&self) -> Answer<'_, AboutReport> {
        Box::pin(async move {
            let library = |line: &str| {
                let mut parts = line.splitn(3, ' ');
                let (name, version) = (parts.next()?.to_owned(), parts.next()?.to_owned());
                let license = parts.next().filter(|license| !license.is_empty()).map(str::to_owned);
                Some(Component { name, version, license, kind: "library".to_owned() })
            };
            let plugin = |manifest: &Arc<Manifest>| Component {
                name: manifest.id().to_owned(),
                version: manifest.plugin.version.to_string(),
                license: Some(manifest.plugin.license.to_string()),
                kind: "plugin".to_owned(),
            };
            let mut components: Vec<_> = LIBRARIES.lines().filter_map(library).collect();
            components.extend(self.0.plugins.manifests().iter().map(plugin));
            Ok(AboutReport {
                name: "Xylem".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                license: env!("CARGO_PKG_LICENSE").to_owned(),
                profile: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
                target: format!("{} {}", std::env::consts::ARCH, std::env::consts::OS),
                plugin_api: Manifest::API.to_owned(),
                components,
            })
        })
    }
}
