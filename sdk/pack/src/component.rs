use wit_component::ComponentEncoder;

use crate::error::PackError;

/// Makes a component of a core module that was built with the SDK.
pub fn component(module: &[u8]) -> Result<Vec<u8>, PackError> {
    let wrong = |error| PackError::Component(format!("{error:#}"));
    ComponentEncoder::default().module(module).map_err(wrong)?.validate(true).encode().map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_module_is_refused() {
        assert!(matches!(component(b"no"), Err(PackError::Component(_))));
    }
}
