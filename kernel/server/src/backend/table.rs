//! A table of accounts, as CSV (RFC 4180).

use xylem_ops::user::import::RowError;

/// One account of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The line it begins in, from 1.
    pub(super) line: u64,
    /// With or without its domain.
    pub(super) account: String,
    pub(super) password: Option<String>,
    pub(super) disabled: bool,
}

/// Columns by their names.
struct Head {
    account: usize,
    password: Option<usize>,
    disabled: Option<usize>,
}

/// All rows, and what is wrong with those that are none. An error is about the whole table.
pub(super) fn read(text: &str, most: usize) -> Result<(Vec<Row>, Vec<RowError>), String> {
    // Programs that make tables like to begin them with a mark.
    let text = text.trim_start_matches('\u{feff}');
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).trim(csv::Trim::All);
    let mut records = builder.from_reader(text.as_bytes()).into_records();
    let first = records.next().ok_or("the table is empty")?;
    let head = head(&first.map_err(|error| error.to_string())?)?;
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    let mut lines = Lines { text: text.as_bytes(), at: 0, line: 1 };
    for record in records {
        let record = record.map_err(|error| error.to_string())?;
        lines.advance(record.position().map_or(0, csv::Position::byte));
        let line = lines.line;
        if rows.len() + errors.len() == most {
            return Err(format!("the table has more than {most} rows; take it in parts"));
        }
        match row(&head, line, &record) {
            Ok(row) => rows.push(row),
            Err(problem) => errors.push(RowError { line, problem }),
        }
    }
    Ok((rows, errors))
}

/// Counts lines, whatever ends them: the reader's own count is behind where both letters do.
struct Lines<'t> {
    text: &'t [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// Goes on to the record that begins at or behind this byte.
    fn advance(&mut self, byte: u64) {
        let begins = usize::try_from(byte).unwrap_or(usize::MAX);
        while let Some(letter) = self.text.get(self.at) {
            if self.at >= begins && !matches!(letter, b'\r' | b'\n') {
                return;
            }
            self.line += u64::from(*letter == b'\n');
            self.at += 1;
        }
    }
}

fn head(record: &csv::StringRecord) -> Result<Head, String> {
    let mut head = Head { account: usize::MAX, password: None, disabled: None };
    for (at, name) in record.iter().enumerate() {
        match name.to_lowercase().as_str() {
            "account" | "jid" | "username" => head.account = at,
            "password" => head.password = Some(at),
            "disabled" => head.disabled = Some(at),
            other => {
                return Err(format!("there is no column {other:?}: the first line names account, password, disabled"));
            }
        }
    }
    if head.account == usize::MAX {
        return Err("the first line must name the column account".to_owned());
    }
    Ok(head)
}

fn row(head: &Head, line: u64, record: &csv::StringRecord) -> Result<Row, String> {
    let cell = |at: usize| record.get(at).filter(|text| !text.is_empty());
    let account = cell(head.account).ok_or("the account is missing")?.to_owned();
    let password = head.password.and_then(cell).map(str::to_owned);
    if password.as_ref().is_some_and(|password| password.len() > 1023) {
        return Err(format!("{account}: the password is longer than 1023 bytes"));
    }
    let disabled = match head.disabled.and_then(cell).map(str::to_lowercase).as_deref() {
        None | Some("false" | "no" | "0") => false,
        Some("true" | "yes" | "1") => true,
        Some(other) => return Err(format!("{account}: disabled must be true or false, not {other:?}")),
    };
    Ok(Row { line, account, password, disabled })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn quotes_commas_and_missing_cells_are_understood() {
        let text =
            "\u{feff}Account,Password,disabled\r\nromeo@a.example,\"pen,\"\"cil\",yes\r\njuliet\r\n,x\nnurse,,maybe\n";
        let (rows, errors) = read(text, 10).unwrap();
        assert_eq!(rows[0].password.as_deref(), Some("pen,\"cil"));
        assert!(rows[0].disabled && rows[0].line == 2);
        assert_eq!(rows[1], Row { line: 3, account: "juliet".into(), password: None, disabled: false });
        assert_eq!(errors.iter().map(|error| error.line).collect::<Vec<_>>(), [4, 5]);
    }

    #[test]
    fn what_is_no_such_table_is_refused() {
        assert!(read("", 10).is_err());
        assert!(read("password\nx\n", 10).unwrap_err().contains("account"));
        assert!(read("account,shoe\nx,9\n", 10).unwrap_err().contains("shoe"));
        assert!(read("account\na\nb\nc\n", 2).unwrap_err().contains("more than 2"));
    }
}
