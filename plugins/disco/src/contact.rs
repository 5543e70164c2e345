//! Contact addresses of the service (XEP-0157 §4).

use crate::Config;
use crate::info::Form;

/// The form, if there is any address. The mailbox `xmpp` is what XEP-0157 §2 has every domain provide.
pub(crate) fn form(config: &Config, domain: &str) -> Option<Form> {
    let fields: Vec<(&'static str, Vec<String>)> = [
        ("abuse-addresses", &config.abuse),
        ("admin-addresses", &config.admin),
        ("feedback-addresses", &config.feedback),
        ("sales-addresses", &config.sales),
        ("security-addresses", &config.security),
        ("status-addresses", &config.status),
        ("support-addresses", &config.support),
    ]
    .into_iter()
    .filter(|(_, addresses)| !addresses.is_empty())
    .map(|(var, addresses)| (var, addresses.iter().map(|address| address.replace("{domain}", domain)).collect()))
    .collect();
    (!fields.is_empty()).then_some(Form { kind: "http://jabber.org/network/serverinfo", fields })
}
