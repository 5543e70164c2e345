use xylem_stanza::{StreamCondition, ns};
use xylem_xml::El;

/// A stream error to send (RFC 6120 §4.9); the stream ends with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamError {
    pub condition: StreamCondition,
    /// Explanation for a person, in English.
    pub text: Option<&'static str>,
    /// With `undefined-condition`: the client acknowledged the first number of stanzas
    /// when it had been sent the second (XEP-0198 §6).
    pub handled_too_many: Option<(u32, u32)>,
}

impl StreamError {
    pub const fn new(condition: StreamCondition) -> Self {
        Self { condition, text: None, handled_too_many: None }
    }

    pub const fn with_text(condition: StreamCondition, text: &'static str) -> Self {
        Self { condition, text: Some(text), handled_too_many: None }
    }

    pub(crate) fn to_xml(&self) -> String {
        let text = self.text.map(|t| El::new("text", ns::STREAM_ERRORS).attr("xml:lang", "en").text(t));
        let counts = self.handled_too_many.map(|(h, sent)| {
            El::new("handled-count-too-high", ns::STREAM_MANAGEMENT)
                .attr("h", &h.to_string())
                .attr("send-count", &sent.to_string())
        });
        El::new("stream:error", "")
            .child(El::new(self.condition.as_str(), ns::STREAM_ERRORS))
            .child_opt(text)
            .child_opt(counts)
            .build()
    }
}

impl From<StreamCondition> for StreamError {
    fn from(condition: StreamCondition) -> Self {
        Self::new(condition)
    }
}
