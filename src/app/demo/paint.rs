//! From a row of a script to a row of the terminal: words put in, styles, and fills to the right edge.

use unicode_width::UnicodeWidthChar;

/// The words that a row's `{names}` stand for.
pub(super) trait Words {
    /// The text for a name; `None` when it is no name (then the braces are text).
    fn word(&self, name: &str) -> Option<String>;
}

/// A row as it goes to the terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// Text with SGR sequences, at most as wide as asked for.
    pub(super) text: String,
    /// Column in which the cursor stands, if it stands in this row.
    pub(super) cursor: Option<usize>,
}

/// Makes `template` a row of at most `width` columns.
pub(super) fn row(template: &str, width: usize, accent: &str, words: &dyn Words) -> Row {
    let mut made = Row::default();
    let mut column = 0;
    let mut fill: Option<(usize, char)> = None;
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        if let Some((name, after)) = token(rest) {
            let known = match name.split_once(':') {
                Some(("fill", with)) => with.chars().next().inspect(|with| fill = Some((made.text.len(), *with))),
                Some(("pad", to)) => to.parse().ok().map(|to: usize| {
                    let gap = " ".repeat(to.saturating_sub(column));
                    push(&mut made.text, &mut column, width, &gap);
                    ' '
                }),
                _ if name == "cursor" => {
                    made.cursor = Some(column);
                    Some(' ')
                }
                _ => style(name, accent).map(|sgr| {
                    made.text.push_str(&format!("\x1b[{sgr}m"));
                    ' '
                }),
            };
            if known.is_none() {
                match words.word(name) {
                    Some(word) => push(&mut made.text, &mut column, width, &word),
                    None => push(&mut made.text, &mut column, width, &rest[..rest.len() - after.len()]),
                }
            }
            rest = after;
        } else {
            push(&mut made.text, &mut column, width, c.encode_utf8(&mut [0; 4]));
            rest = &rest[c.len_utf8()..];
        }
    }
    if let Some((at, with)) = fill {
        made.text.insert_str(at, &with.to_string().repeat(width.saturating_sub(column)));
    }
    if made.text.contains('\x1b') {
        made.text.push_str("\x1b[0m");
    }
    made
}

/// Splits `{name}rest`; `None` when the text does not begin with something that looks like it.
fn token(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('{')?;
    let end = inner.find(['}', '{'])?;
    let after = inner[end..].strip_prefix('}')?;
    (end > 0 && end < 16).then(|| (&inner[..end], after))
}

/// SGR parameters of a style.
fn style<'a>(name: &str, accent: &'a str) -> Option<&'a str> {
    Some(match name {
        "/" => "0",
        "bold" => "1",
        "dim" => "2",
        "rev" => "7",
        "bad" => "31",
        "good" => "32",
        "accent" => accent,
        _ => return None,
    })
}

/// Appends text as far as it fits.
fn push(out: &mut String, column: &mut usize, width: usize, text: &str) {
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if *column + wide > width {
            return;
        }
        out.push(c);
        *column += wide;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One;

    impl Words for One {
        fn word(&self, name: &str) -> Option<String> {
            (name == "task").then(|| "Fix it".to_owned())
        }
    }

    #[test]
    fn words_fills_styles_and_plain_braces() {
        assert_eq!(row("{task}: {fill:.}|", 12, "35", &One).text, "Fix it: ...|");
        assert_eq!(row("a{accent}b{/}", 9, "35", &One).text, "a\x1b[35mb\x1b[0m\x1b[0m");
        assert_eq!(row(r#"[{"code":401}] if x {{/}"#, 80, "", &One).text, "[{\"code\":401}] if x {\x1b[0m\x1b[0m");
        assert_eq!(row("{unknown}", 80, "", &One).text, "{unknown}");
        assert_eq!(row("> {cursor}x{pad:6}y", 80, "", &One), Row { text: "> x   y".into(), cursor: Some(2) });
        assert_eq!(row("日本語", 5, "", &One).text, "日本");
        assert_eq!(row("abc{fill:-}", 2, "", &One).text, "ab");
    }
}
