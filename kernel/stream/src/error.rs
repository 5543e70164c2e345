use xylem_stanza::{StreamCondition, ns};
use xylem_xml::El;

/// A stream error to send (RFC 6120 §4.9); the stream ends with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamError {
    pub condition: StreamCondition,
    /// Explanation for a person, in English.
    pub text: Option<&'static str>,
}

impl StreamError {
    pub const fn new(condition: StreamCondition) -> Self {
        Self { condition, text: None }
    }

    pub const fn with_text(condition: StreamCondition, text: &'static str) -> Self {
        Self { condition, text: Some(text) }
    }

    pub(crate) fn to_xml(&self) -> String {
        let text = self.text.map(|t| El::new("text", ns::STREAM_ERRORS).attr("xml:lang", "en").text(t));
        El::new("stream:error", "").child(El::new(self.condition.as_str(), ns::STREAM_ERRORS)).child_opt(text).build()
    }
}

impl From<StreamCondition> for StreamError {
    fn from(condition: StreamCondition) -> Self {
        Self::new(condition)
    }
}
