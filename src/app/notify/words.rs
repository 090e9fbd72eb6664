//! Words as words: how a text is written so that nothing in it is obeyed where it is read.

use std::fmt::Write as _;

/// Cells of an encoded word of RFC 2047, without what begins and ends it: 75 in all.
const ENCODED_WORD: usize = 63;

/// A value in the quotes of curl's configuration (man curl, `--config`).
pub(super) fn quoted(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // No text that is sent needs it, and it would end the value.
            '\0' => {}
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The text as the value of a header: as it is, or as words of RFC 2047, which ntfy takes, where it is not ASCII.
pub(super) fn encoded_words(text: &str) -> String {
    if text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') && !text.contains("=?") {
        return text.to_owned();
    }
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        let mut encoded = String::new();
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            match byte {
                b' ' => encoded.push('_'),
                byte if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
                byte => {
                    let _ = write!(encoded, "={byte:02X}");
                }
            }
        }
        if word.len() + encoded.len() > ENCODED_WORD {
            words.push(std::mem::take(&mut word));
        }
        word.push_str(&encoded);
    }
    words.push(word);
    words.iter().map(|word| format!("=?UTF-8?Q?{word}?=")).collect::<Vec<_>>().join(" ")
}

/// The text, its end as `…` where it has more characters than that.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// Words as words where marks of HTML would be obeyed.
pub(super) fn without_markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_ends_its_value() {
        assert_eq!(quoted("a\"b\\c\nurl = \"x\"\r\t\0"), r#""a\"b\\c\nurl = \"x\"\r\t""#);
    }

    #[test]
    fn a_title_is_a_header_whatever_it_is() {
        assert_eq!(encoded_words("api:2.0 claude waits"), "api:2.0 claude waits");
        assert_eq!(encoded_words("über 日"), "=?UTF-8?Q?=C3=BCber_=E6=97=A5?=");
        let long = encoded_words(&"日本".repeat(50));
        assert!(long.split(' ').count() > 5 && long.split(' ').all(|word| word.len() <= 75), "{long}");
        assert!(!encoded_words("a\r\nX-Evil: 1").contains(['\r', '\n']));
    }
}
