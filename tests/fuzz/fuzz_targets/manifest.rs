#![no_main]

use std::collections::BTreeSet;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use xylem_hooks::call::PluginIndex;
use xylem_hooks::{Manifest, ManifestEntry, Plan};

fuzz_target!(|text: &str| {
    let manifest = match Manifest::parse(text) {
        Ok(manifest) => Arc::new(manifest),
        Err(refusal) => {
            let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
            assert!((1..=lines).contains(&refusal.line), "line {} of {lines}", refusal.line);
            assert!(!refusal.key.is_empty() && !refusal.problem.is_empty());
            return;
        }
    };
    let stores: BTreeSet<_> = manifest.stores.iter().map(|store| &store.name).collect();
    assert_eq!(stores.len(), manifest.stores.len());
    assert!(manifest.matches.len() <= 64);
    for hook in &manifest.hooks {
        let _ = manifest.on_fault(hook.phase);
    }
    // Whether it goes with itself is another question; the answer is all that is asked for.
    let entry = ManifestEntry { plugin: PluginIndex(0), manifest };
    let _ = Plan::compile(&[entry], "example.org");
});
