//! What a password of an owner must be (NIST SP 800-63B §5.1.1.2: long, and none that everybody tries first).

/// Fewest letters.
pub(super) const LEAST: usize = 10;
/// Fewest different ones.
const DIFFERENT: usize = 5;
/// Longest, in bytes.
const BYTES: usize = 1024;

/// What passwords that are tried first consist of.
const COMMON: [&str; 16] = [
    "password", "passwort", "123456", "qwerty", "qwertz", "azerty", "letmein", "iloveyou", "welcome", "admin", "login",
    "xylem", "xmpp", "jabber", "changeme", "abc",
];

/// What is wrong with it, in words.
pub(super) fn wrong(password: &str, name: &str, domain: &str) -> Option<String> {
    if password.chars().count() < LEAST {
        return Some(format!("the password must have {LEAST} characters at least"));
    }
    if password.len() > BYTES {
        return Some(format!("the password must have {BYTES} bytes at most"));
    }
    let mut letters: Vec<char> = password.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    if letters.len() < DIFFERENT {
        return Some(format!("the password must have {DIFFERENT} different characters at least"));
    }
    // What is left without what everybody guesses must still be something.
    let own = [name.to_lowercase(), domain.to_lowercase()];
    let mut rest = password.to_lowercase();
    for guess in own.iter().map(String::as_str).chain(COMMON).filter(|guess| guess.len() >= 3) {
        rest = rest.replace(guess, "");
    }
    let rest = rest.chars().filter(|c| c.is_alphabetic() || !c.is_ascii()).count();
    let is_guessed = rest < 3 && password.chars().any(char::is_alphabetic);
    let is_digits = password.chars().all(|c| c.is_ascii_digit());
    (is_guessed || is_digits).then(|| "the password is too easily guessed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_tries_first_is_refused() {
        let wrong = |password: &str| wrong(password, "juliet", "capulet.example").is_some();
        for bad in
            ["", "short", "aaaaaaaaaaaaaa", "password123", "Juliet2026!", "1029384756", "admin-xylem1", "Qwerty12345"]
        {
            assert!(wrong(bad), "{bad}");
        }
        for good in ["correct horse battery", "wherefore art thou", "罗密欧与朱丽叶的故事啊", "x7$kQ!pLm2&vT"]
        {
            assert!(!wrong(good), "{good}");
        }
        assert!(wrong(&"abcdefgh ".repeat(200)));
    }
}
