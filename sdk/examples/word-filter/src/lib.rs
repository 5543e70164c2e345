//! Stars out words in rooms: those of the administrator everywhere, and in each
//! room those that its owners write into its configuration form.

use xylem_sdk::kv::Rows;
use xylem_sdk::muc_ext::{Extension, Field, Judgement, Occupant, Verdict};
use xylem_sdk::prelude::*;

xylem_sdk::plugin!();
xylem_sdk::muc_extension!(Filter);

/// The name of the form field.
const FIELD: &str = "example.word-filter#words";

struct Filter;

impl Extension for Filter {
    fn join(_cx: &Cx, _room: &str, who: &Occupant) -> Verdict {
        let nick = who.nick.to_lowercase();
        if forbidden().iter().any(|word| nick.contains(word.as_str())) {
            return Failure::new(Condition::PolicyViolation).text("Choose another nickname").into();
        }
        Verdict::Pass
    }

    fn message(_cx: &Cx, _room: &str, _who: &Occupant, stanza: &str) -> Judgement {
        match starred(stanza, &forbidden()) {
            Some(stanza) => Judgement::Edit(stanza),
            None => Judgement::Pass,
        }
    }

    fn fields(_cx: &Cx, _room: &str) -> Vec<String> {
        let own = stores::FORBIDDEN.text("words").ok().flatten().unwrap_or_default();
        let field = Xml::with_ns("field", "jabber:x:data").attr("var", FIELD).attr("type", "text-multi");
        let field = field.attr("label", "Words to star out");
        vec![own.lines().fold(field, |field, word| field.leaf("value", word)).build()]
    }

    fn configure(_cx: &Cx, _room: &str, fields: &[Field]) -> Verdict {
        let Some(field) = fields.iter().find(|field| field.name == FIELD) else { return Verdict::Pass };
        match stores::FORBIDDEN.put("words", field.values.join("\n").to_lowercase().as_bytes(), &[]) {
            Ok(()) => Verdict::Pass,
            Err(fault) => Failure::from(fault).into(),
        }
    }
}

fn forbidden() -> Vec<String> {
    let own = stores::FORBIDDEN.text("words").ok().flatten().unwrap_or_default();
    let all = Config::load().words.into_iter().map(|word| word.to_lowercase());
    all.chain(own.lines().map(str::to_owned))
        .filter(|word| word.chars().all(char::is_alphanumeric) && !word.is_empty())
        .collect()
}

/// The message with each letter of these words in its text replaced; nothing if there are none.
fn starred(xml: &str, words: &[String]) -> Option<String> {
    let (head, rest) = xml.split_at(xml.find("<body")?);
    let (body, tail) = rest.split_at(rest.find("</body>")?);
    let (tag, text) = body.split_at(body.find('>')? + 1);
    let is_bad = |word: &str| words.iter().any(|bad| word.to_lowercase() == *bad);
    let pieces = text.split_inclusive(|c: char| !c.is_alphanumeric()).map(|piece| {
        let word = piece.trim_end_matches(|c: char| !c.is_alphanumeric());
        if is_bad(word) { piece.replacen(word, &"*".repeat(word.chars().count()), 1) } else { piece.to_owned() }
    });
    let clean: String = pieces.collect();
    (clean != text).then(|| [head, tag, &clean, tail].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_in_the_text_are_starred_and_nothing_else() {
        let words = ["zounds".to_owned()];
        let told =
            |body: &str| starred(&format!("<message to='zounds'><body>{body}</body><zounds/></message>"), &words);
        let clean = told("Zounds! A zoundsman, zounds &lt;zounds").unwrap_or_default();
        assert!(
            clean.contains("<body>******! A zoundsman, ****** &lt;******</body><zounds/>")
                && clean.contains("'zounds'")
        );
        assert_eq!(told("Peace"), None);
        assert_eq!(starred("<message/>", &words), None);
    }
}
