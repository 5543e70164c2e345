//! How the plugin writes its rows: fields one after another, each text with its length
//! before it. A row of an older version ends early; what is missing reads as nothing.

/// A row being written.
#[derive(Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn byte(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    pub(crate) fn number(mut self, value: u64) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn text(mut self, value: &str) -> Self {
        let length = u32::try_from(value.len()).unwrap_or(0);
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.extend_from_slice(value.as_bytes().get(..length as usize).unwrap_or_default());
        self
    }

    pub(crate) fn texts(self, values: &[String]) -> Self {
        let count = u64::try_from(values.len()).unwrap_or(0);
        values.iter().fold(self.number(count), |row, value| row.text(value))
    }

    pub(crate) fn done(self) -> Vec<u8> {
        self.0
    }
}

/// A row being read.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(row: &'a [u8]) -> Self {
        Self(row)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    pub(crate) fn number(&mut self) -> u64 {
        let bytes = self.take(8);
        bytes.try_into().map_or(0, u64::from_le_bytes)
    }

    pub(crate) fn text(&mut self) -> &'a str {
        let length = self.take(4).try_into().map_or(0, u32::from_le_bytes);
        std::str::from_utf8(self.take(length as usize)).unwrap_or_default()
    }

    pub(crate) fn texts(&mut self) -> Vec<String> {
        let count = self.number();
        let mut values = Vec::new();
        while !self.0.is_empty() && (values.len() as u64) < count {
            values.push(self.text().to_owned());
        }
        values
    }

    /// Nothing, when the row is shorter.
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (part, rest) = self.0.split_at_checked(length).unwrap_or((&[], &[]));
        self.0 = rest;
        part
    }
}

#[cfg(test)]
mod tests {
    use super::{Reader, Writer};

    #[test]
    fn what_was_written_is_read() {
        let row = Writer::default().byte(7).text("né").number(1 << 40).texts(&["a".into(), String::new()]).done();
        let mut reader = Reader::new(&row);
        assert_eq!((reader.byte(), reader.text(), reader.number()), (7, "né", 1 << 40));
        assert_eq!(reader.texts(), ["a", ""]);
        assert_eq!((reader.byte(), reader.text(), reader.texts().len()), (0, "", 0));
    }

    #[test]
    fn a_row_cut_anywhere_reads_as_less() {
        let row = Writer::default().texts(&["abc".into(), "d".into()]).text("end").done();
        for length in 0..row.len() {
            let mut reader = Reader::new(row.get(..length).unwrap_or_default());
            let _ = (reader.texts(), reader.text(), reader.number());
        }
        assert!(Reader::new(&[0xFF; 40]).texts().len() <= 40);
    }
}
