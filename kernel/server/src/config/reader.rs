//! Reads sections from a file and the environment, and gathers what is wrong.

use super::environment;
use super::problem::{Problem, Problems};
use super::section::Section;
use super::tree::{Place, Table, Value, parse};

/// One configuration being read.
pub(super) struct Reader {
    name: String,
    text: String,
    root: Table,
    pub(super) problems: Vec<Problem>,
    pub(super) sections: Vec<&'static str>,
    /// Every key that was asked for, with what was found.
    pub(super) asked: Vec<Asked>,
}

/// A key as its section asks for it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) section: String,
    pub(super) key: &'static str,
    /// What values it takes, as the default file's comment says it; may be empty.
    pub(super) bounds: String,
    /// None: the key may be left out.
    pub(super) default: Option<String>,
    /// What was written for it, and where; none if the default holds.
    pub(super) written: Option<(String, Place)>,
}

impl Reader {
    pub(super) fn new(name: &str, text: &str, env: impl Iterator<Item = (String, String)>) -> Result<Self, Problems> {
        let mut reader = Self {
            name: name.to_owned(),
            text: text.to_owned(),
            root: Table::new(),
            problems: Vec::new(),
            sections: Vec::new(),
            asked: Vec::new(),
        };
        reader.root = parse(text).map_err(|(offset, message)| {
            Problems(vec![Problem { place: reader.show(&Place::File(offset)), message }])
        })?;
        let mut overrides: Vec<_> = env.filter(|(key, _)| key.starts_with(environment::PREFIX)).collect();
        overrides.sort();
        for (variable, value) in overrides {
            if let Err(message) = environment::lay_over(&mut reader.root, &variable, &value) {
                reader.problems.push(Problem { place: variable, message });
            }
        }
        Ok(reader)
    }

    /// Takes a top-level section, empty if it is not there.
    pub(super) fn section(&mut self, name: &'static str) -> Section<'_> {
        self.sections.push(name);
        let table = match self.root.remove(name) {
            None => Table::new(),
            Some((place, located)) => match located.value {
                Value::Table(table) => table,
                other => {
                    let message = format!("{name} must be a section, [{name}], but it is {}", other.kind());
                    self.complain(&place, message);
                    Table::new()
                }
            },
        };
        Section::new(self, name.to_owned(), table)
    }

    /// Whatever is left was asked for by nobody.
    pub(super) fn finish(mut self) -> Result<(), Problems> {
        let left: Vec<_> = std::mem::take(&mut self.root).into_iter().map(|(key, (place, _))| (key, place)).collect();
        let known = std::mem::take(&mut self.sections);
        for (key, place) in left {
            let message = unknown("section", &key, &known);
            self.complain(&place, message);
        }
        if self.problems.is_empty() { Ok(()) } else { Err(Problems(self.problems)) }
    }

    pub(super) fn complain(&mut self, place: &Place, message: String) {
        let place = self.show(place);
        self.problems.push(Problem { place, message });
    }

    /// `file:line:column`, both counted from 1, columns in characters.
    pub(super) fn show(&self, place: &Place) -> String {
        match place {
            Place::Environment(variable) => variable.clone(),
            Place::File(offset) => {
                let before = self.text.get(..*offset).unwrap_or(&self.text);
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
                format!("{}:{line}:{column}", self.name)
            }
        }
    }
}

/// Names what is unknown, and the nearest of what is known.
pub(super) fn unknown(what: &str, key: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|candidate| (distance(key, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(2));
    match nearest {
        Some((_, candidate)) => format!("unknown {what} {key}; did you mean {candidate}?"),
        None => format!("unknown {what} {key}; known here: {}", known.join(", ")),
    }
}

/// How many letters must be changed, added or left out (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, above) in b.iter().zip(row.iter().skip(1)) {
            left = (left + 1).min(above + 1).min(corner + usize::from(x != *y));
            corner = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
