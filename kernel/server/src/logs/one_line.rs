//! One event, one line: whatever stands in a text that somebody else chose.

use std::fmt;

use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};

/// Fields and message as usual, with what would begin another line, or steer a terminal, escaped.
/// (The JSON of the other format escapes by itself.)
pub(super) struct OneLine;

impl<'writer> FormatFields<'writer> for OneLine {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut text = String::new();
        DefaultFields::new().format_fields(Writer::new(&mut text), fields)?;
        text.chars().try_for_each(|c| match c {
            '\u{2028}' | '\u{2029}' => write!(writer, "{}", c.escape_unicode()),
            c if c.is_control() => write!(writer, "{}", c.escape_default()),
            c => writer.write_char(c),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt as _;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nobody_begins_a_line_of_the_log_but_the_log() {
        let page = Page::default();
        let writer = page.clone();
        let subscriber = tracing_subscriber::registry().with(super::super::for_people(move || writer.clone(), false));
        tracing::subscriber::with_default(subscriber, || {
            let what = "revoke the token x\n2026-11-23T00:00:00Z  INFO done: forged";
            let error = "not\r\nallowed\u{2028}\u{85}\u{1b}[2J";
            tracing::warn!(who = "a\nb", %error, "refused: {what}");
        });
        let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        let line = text.trim_end_matches('\n');
        assert!(!line.contains(|c: char| c.is_control() || c == '\u{2028}'), "{line:?}");
        assert!(line.contains(r"x\n2026") && line.contains(r"\r\nallowed\u{2028}"), "{line}");
    }
}
