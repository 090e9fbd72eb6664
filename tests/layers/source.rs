//! What a Rust source names: its imports and paths, read from its tokens. Comments and strings do not count.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// One file under `src`.
#[derive(Debug, Default)]
pub struct Source {
    /// The module that it is, from the crate's root: `["monitor", "cycle"]`.
    pub module: Vec<String>,
    /// Where it is, for messages.
    pub file: String,
    /// Everything that it names.
    pub names: Vec<Name>,
    /// What it defines at its own level.
    pub defines: Vec<String>,
    /// Modules that it declares for tests or fuzzing only.
    pub test_modules: Vec<String>,
    /// Methods that it calls: `.elapsed()`.
    pub calls: Vec<(usize, String, bool)>,
}

/// A path that a source names, in a `use` or elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Line, from 1.
    pub line: usize,
    /// Its segments as they are written; a glob ends with `*`.
    pub path: Vec<String>,
    /// The other name that a `use` gives it.
    pub alias: Option<String>,
    /// It stands in a `use`.
    pub import: bool,
    /// It stands in what is built for tests or fuzzing only.
    pub test: bool,
    /// How many modules of the same file it is in.
    pub inline: usize,
}

impl Source {
    /// Reads a file's text. `test`: all of it is for tests only.
    pub fn parse(module: &[&str], file: &str, text: &str) -> Self {
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{file}: {error}"));
        let module = module.iter().map(|segment| (*segment).to_owned()).collect();
        let mut source = Self { module, file: file.to_owned(), ..Self::default() };
        source.walk(&tokens.into_iter().collect::<Vec<_>>(), Place::default());
        source
    }

    fn walk(&mut self, tokens: &[TokenTree], place: Place) {
        let mut at = 0;
        let mut test_until = 0;
        while at < tokens.len() {
            let here = Place { test: place.test || at < test_until, ..place };
            match &tokens[at] {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    if let Some(TokenTree::Group(group)) = tokens.get(at + 1)
                        && for_tests(group)
                    {
                        test_until = end_of_item(tokens, at + 2);
                    }
                    // What an attribute names is no part of the program's own imports.
                    at += 2;
                    continue;
                }
                TokenTree::Ident(word) if *word == "use" => {
                    let end = tokens[at..].iter().position(|token| is(token, ';')).map_or(tokens.len(), |n| at + n);
                    self.import(&tokens[at + 1..end], &[], here);
                    at = end;
                }
                TokenTree::Ident(word) if *word == "mod" => {
                    let name = tokens.get(at + 1).map(ToString::to_string).unwrap_or_default();
                    if here.test {
                        self.test_modules.push(name);
                    }
                    if let Some(TokenTree::Group(body)) = tokens.get(at + 2) {
                        let inside: Vec<_> = body.stream().into_iter().collect();
                        self.walk(&inside, Place { inline: here.inline + 1, top: false, ..here });
                    }
                    at += 2;
                }
                // `pub(in crate::monitor)` imports nothing.
                TokenTree::Ident(word) if *word == "pub" && matches!(tokens.get(at + 1), Some(TokenTree::Group(_))) => {
                    at += 2;
                    continue;
                }
                TokenTree::Ident(word) => {
                    if here.top && ITEMS.contains(&word.to_string().as_str()) {
                        self.defines.extend(tokens.get(at + 1).map(ToString::to_string));
                    }
                    at = self.path(tokens, at, here);
                    continue;
                }
                TokenTree::Punct(dot) if dot.as_char() == '.' => {
                    if let (Some(TokenTree::Ident(word)), Some(TokenTree::Group(group))) =
                        (tokens.get(at + 1), tokens.get(at + 2))
                        && group.delimiter() == Delimiter::Parenthesis
                    {
                        self.calls.push((word.span().start().line, word.to_string(), here.test));
                    }
                }
                TokenTree::Group(group) => {
                    let inside: Vec<_> = group.stream().into_iter().collect();
                    self.walk(&inside, Place { top: false, ..here });
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// A path that begins at `at`; returns where it ends.
    fn path(&mut self, tokens: &[TokenTree], at: usize, place: Place) -> usize {
        let line = tokens[at].span().start().line;
        let mut path = vec![tokens[at].to_string()];
        let mut end = at + 1;
        while tokens.len() > end + 2 && is(&tokens[end], ':') && is(&tokens[end + 1], ':') {
            let TokenTree::Ident(segment) = &tokens[end + 2] else { break };
            path.push(segment.to_string());
            end += 3;
        }
        let macro_call = tokens.get(end).is_some_and(|token| is(token, '!'));
        if path.len() > 1 || macro_call {
            if macro_call && let Some(last) = path.last_mut() {
                last.push('!');
            }
            self.names.push(Name { line, path, alias: None, import: false, test: place.test, inline: place.inline });
        }
        end
    }

    /// The tree of a `use`.
    fn import(&mut self, tokens: &[TokenTree], before: &[String], place: Place) {
        for part in tokens.split(|token| is(token, ',')) {
            let mut path = before.to_vec();
            let mut alias = None;
            let mut line = 0;
            let mut words = part.iter();
            let mut grouped = false;
            while let Some(token) = words.next() {
                line = if line == 0 { token.span().start().line } else { line };
                match token {
                    TokenTree::Ident(word) if *word == "as" => alias = words.next().map(ToString::to_string),
                    TokenTree::Ident(word) => path.push(word.to_string()),
                    TokenTree::Punct(star) if star.as_char() == '*' => path.push("*".to_owned()),
                    TokenTree::Group(group) => {
                        let inside: Vec<_> = group.stream().into_iter().collect();
                        self.import(&inside, &path, place);
                        grouped = true;
                    }
                    _ => {}
                }
            }
            // `a::{self, B}` names `a`.
            if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
                path.pop();
            }
            if !grouped && !part.is_empty() {
                self.names.push(Name { line, path, alias, import: true, test: place.test, inline: place.inline });
            }
        }
    }
}

/// Words after which an item's name stands.
const ITEMS: [&str; 8] = ["struct", "enum", "fn", "const", "static", "type", "trait", "union"];

/// Where the walk through a file is.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// In what is built for tests or fuzzing only.
    test: bool,
    /// Modules of the same file around it.
    inline: usize,
    /// At the file's own level.
    top: bool,
}

impl Default for Place {
    fn default() -> Self {
        Self { test: false, inline: 0, top: true }
    }
}

fn is(token: &TokenTree, c: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == c)
}

/// `#[cfg(test)]`, `#[cfg(any(test, fuzzing))]`, `#[test]`, `#[tokio::test]`.
fn for_tests(attribute: &Group) -> bool {
    let text = attribute.stream().to_string();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    match words.as_slice() {
        ["cfg", rest @ ..] => rest.contains(&"test") && !rest.contains(&"not"),
        ["test", ..] => true,
        _ => false,
    }
}

/// Where the item that begins at `at` ends: behind its first `;` or its body in braces.
fn end_of_item(tokens: &[TokenTree], at: usize) -> usize {
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        other => is(other, ';'),
    };
    // `use a::{b, c};` has braces of its own.
    let import = tokens[at..].iter().take(3).any(|token| matches!(token, TokenTree::Ident(word) if *word == "use"));
    let end = tokens[at..].iter().position(|token| if import { is(token, ';') } else { ends(token) });
    end.map_or(tokens.len(), |n| at + n + 1)
}
