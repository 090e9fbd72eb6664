//! The tables and indexes of a database: where each begins, and the names of its columns, out of the SQL that made it.

use std::collections::BTreeMap;

use crate::monitor::facts::transcripts::sqlite::{
    Problem,
    record::{Record, Value},
    tree,
    view::View,
};

/// Most tables and indexes that are looked at.
const MOST: usize = 10_000;

/// Longest SQL of one, bytes.
const LONGEST_SQL: u64 = 1 << 20;

/// All tables and indexes.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    tables: BTreeMap<String, Table>,
}

/// One table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its first page.
    pub root: u32,
    /// The names of its columns.
    pub columns: Vec<String>,
    /// Indexes by the name of their first column, with their first pages.
    pub indexes: BTreeMap<String, u32>,
}

impl Table {
    /// Which of its columns has a name.
    pub fn column(&self, name: &str) -> Result<usize, Problem> {
        let at = self.columns.iter().position(|column| column == name);
        at.ok_or(Problem::Unsupported("it has not the columns that are known"))
    }
}

impl Schema {
    /// Reads it.
    pub fn read(view: &mut View<'_>) -> Result<Self, Problem> {
        let mut made: Vec<(u32, String, String)> = Vec::new();
        tree::rows(view, 1, i64::MIN, &mut |view, _, payload| {
            let bytes = payload.whole(view, LONGEST_SQL)?;
            let record = Record::parse(&bytes)?;
            // type, name, tbl_name, rootpage, sql; an index that a constraint made has no SQL.
            if let (Value::Text(table), Value::Int(root), Value::Text(sql)) =
                (record.value(2)?, record.value(3)?, record.value(4)?)
                && let Ok(root) = u32::try_from(root)
            {
                made.push((root, table.to_owned(), sql.to_owned()));
            }
            Ok(made.len() < MOST)
        })?;
        let mut schema = Self::default();
        for (root, table, sql) in &made {
            if let Some(columns) = columns(sql) {
                let made = Table { root: *root, columns, indexes: BTreeMap::new() };
                schema.tables.insert(table.clone(), made);
            }
        }
        for (root, table, sql) in &made {
            if let Some(column) = index(sql)
                && let Some(table) = schema.tables.get_mut(table)
            {
                table.indexes.insert(column, *root);
            }
        }
        // Another order of the text than that of its bytes is not known here.
        let ordered = made.iter().filter(|(_, _, sql)| sql.to_ascii_uppercase().contains("COLLATE"));
        for (_, table, _) in ordered {
            schema.tables.entry(table.clone()).and_modify(|table| table.indexes.clear());
        }
        Ok(schema)
    }

    /// One of its tables.
    pub fn table(&self, name: &str) -> Result<&Table, Problem> {
        self.tables.get(name).ok_or(Problem::Unsupported("it has not the tables that are known"))
    }
}

/// A piece of SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Name(String),
    Sign(char),
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own.eq_ignore_ascii_case(word))
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Word(name) | Self::Name(name) => Some(name),
            Self::Sign(_) => None,
        }
    }
}

fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = sql.chars().peekable();
    while let Some(first) = rest.next() {
        match first {
            ' ' | '\t' | '\n' | '\r' | '\x0c' => {}
            '-' if rest.peek() == Some(&'-') => while rest.next().is_some_and(|sign| sign != '\n') {},
            '/' if rest.peek() == Some(&'*') => {
                rest.next();
                let mut before = ' ';
                while let Some(sign) = rest.next().filter(|sign| (before, *sign) != ('*', '/')) {
                    before = sign;
                }
            }
            '"' | '`' | '\'' | '[' => {
                let end = if first == '[' { ']' } else { first };
                let mut name = String::new();
                while let Some(sign) = rest.next() {
                    // Written twice it is part of the name.
                    if sign == end && (end == ']' || rest.next_if_eq(&end).is_none()) {
                        break;
                    }
                    name.push(sign);
                }
                tokens.push(Token::Name(name));
            }
            sign if sign == '_' || sign.is_alphanumeric() => {
                let mut word = String::from(sign);
                while let Some(more) = rest.next_if(|sign| *sign == '_' || *sign == '$' || sign.is_alphanumeric()) {
                    word.push(more);
                }
                tokens.push(Token::Word(word));
            }
            sign => tokens.push(Token::Sign(sign)),
        }
    }
    tokens
}

/// What stands between the first pair of brackets, in its parts, and what stands behind them.
fn parts(tokens: &[Token]) -> Option<(Vec<&[Token]>, &[Token])> {
    let begin = tokens.iter().position(|token| *token == Token::Sign('('))? + 1;
    let (mut parts, mut from, mut depth) = (Vec::new(), begin, 0);
    for (at, token) in tokens.iter().enumerate().skip(begin) {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') if depth == 0 => {
                parts.push(&tokens[from..at]);
                return Some((parts, &tokens[at + 1..]));
            }
            Token::Sign(')') => depth -= 1,
            Token::Sign(',') if depth == 0 => {
                parts.push(&tokens[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    None
}

/// The columns of a table. `None` where it is no table, or one whose rows do not stand as they are known here. The one
/// that is its row's number is always null in the row.
fn columns(sql: &str) -> Option<Vec<String>> {
    const NO_COLUMN: [&str; 5] = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];
    let tokens = tokens(sql);
    if !(tokens.first()?.is("CREATE") && tokens.get(1)?.is("TABLE")) {
        return None;
    }
    let (parts, behind) = parts(&tokens)?;
    let mut columns = Vec::new();
    for part in parts {
        let first = part.first()?;
        if NO_COLUMN.iter().any(|word| first.is(word)) {
            continue;
        }
        // What is reckoned out of other columns may stand in no row.
        if part.iter().any(|token| token.is("GENERATED") || token.is("AS")) {
            return None;
        }
        columns.push(first.name()?.to_owned());
    }
    (!behind.iter().any(|token| token.is("WITHOUT"))).then_some(columns)
}

/// The first column of an index that has all rows of its table in ascending order.
fn index(sql: &str) -> Option<String> {
    let tokens = tokens(sql);
    if !(tokens.first()?.is("CREATE") && tokens.iter().take(3).any(|token| token.is("INDEX"))) {
        return None;
    }
    let (parts, behind) = parts(&tokens)?;
    let first = *parts.first()?;
    let is_plain = matches!(first, [_]) || matches!(first, [_, order] if order.is("ASC"));
    (is_plain && behind.is_empty()).then(|| first[0].name().map(str::to_owned))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_known_by_the_sql_of_their_table() {
        for (sql, wanted) in [
            ("CREATE TABLE a (x, y)", Some("x y")),
            (
                "CREATE TABLE `a` ( `x` text PRIMARY KEY, `y y` text DEFAULT 'a,b)' NOT NULL, \
                 CONSTRAINT `c` FOREIGN KEY (`x`) REFERENCES `b`(`id`) )",
                Some("x y y"),
            ),
            ("CREATE TABLE a (id INTEGER PRIMARY KEY, [b c] REAL, \"d\"\"e\" decimal(3,4))", Some("id b c d\"e")),
            ("CREATE TABLE a (b TEXT, id INTEGER, PRIMARY KEY(b, id))", Some("b id")),
            ("CREATE TABLE a (id INT /* , c */ -- , d\n, e)", Some("id e")),
            ("CREATE TABLE a (x PRIMARY KEY) WITHOUT ROWID", None),
            ("CREATE TABLE a (x, y GENERATED ALWAYS AS (x + 1))", None),
            ("CREATE VIEW a AS SELECT 1", None),
            ("CREATE TABLE a (x, y", None),
        ] {
            assert_eq!(columns(sql).map(|columns| columns.join(" ")).as_deref(), wanted, "{sql}");
        }
    }

    #[test]
    fn an_index_is_used_only_where_it_has_all_rows_in_order() {
        for (sql, wanted) in [
            ("CREATE INDEX `i` ON `a` (`x`,`y`)", Some("x")),
            ("CREATE UNIQUE INDEX i ON a(x ASC)", Some("x")),
            ("CREATE INDEX i ON a(x DESC)", None),
            ("CREATE INDEX i ON a(lower(x))", None),
            ("CREATE INDEX i ON a(x) WHERE y > 1", None),
            ("CREATE TABLE a (x)", None),
        ] {
            assert_eq!(index(sql).as_deref(), wanted, "{sql}");
        }
    }
}
