//! XEP-0352: the rules stand in the manifest; the server follows them by itself.

xylem_sdk::plugin!();
