//! Backgrounds of a screen that was read with its colours: some programs tell the marked answer by nothing else.

use crate::tmux::escape::{Piece, pieces};

/// The background under each character, row by row; empty where it is the terminal's own.
#[derive(Debug, Default)]
pub(super) struct Backgrounds {
    rows: Vec<Vec<String>>,
}

impl Backgrounds {
    /// Reads a screen with its SGR sequences. tmux tells changes only, from row to row too.
    pub fn read(coloured: &str) -> Self {
        let (mut background, mut reverse) = (String::new(), false);
        let mut rows = Vec::new();
        for line in coloured.lines() {
            let mut row = Vec::new();
            for piece in pieces(line) {
                match piece {
                    Piece::Text(text) => {
                        let under = if reverse { format!("reverse {background}") } else { background.clone() };
                        row.extend(text.chars().map(|_| under.clone()));
                    }
                    Piece::Escape(escape) => {
                        if let Some(parameters) = escape.sgr() {
                            apply(parameters, &mut background, &mut reverse);
                        }
                    }
                }
            }
            rows.push(row);
        }
        Self { rows }
    }

    /// Which of these labels (row, character) is the one with another background than the rest; `None` when that is
    /// not one and only one.
    pub fn marked(&self, labels: &[(usize, usize)]) -> Option<usize> {
        let of = |(row, character): &(usize, usize)| self.rows.get(*row)?.get(*character);
        let all: Vec<&String> = labels.iter().map(of).collect::<Option<_>>()?;
        let others = |own: &String| all.iter().filter(|other| **other != own).count();
        let differs = |index: &usize| others(all[*index]) == all.len() - 1;
        let same = |index: &usize| {
            let rest: Vec<&String> = (0..all.len()).filter(|other| other != index).map(|other| all[other]).collect();
            rest.windows(2).all(|pair| pair[0] == pair[1])
        };
        let mut marked: Vec<usize> = (0..all.len()).filter(|index| differs(index) && same(index)).collect();
        if let [first, second] = marked[..] {
            // Two labels, two backgrounds: the row, and the screen, have more of the one that is not a mark.
            let row = |index: usize| self.rows[labels[index].0].iter().filter(|one| *one == all[index]).count();
            let screen = |index: usize| self.rows.iter().flatten().filter(|one| *one == all[index]).count();
            marked = match row(first).cmp(&row(second)).then_with(|| screen(first).cmp(&screen(second))) {
                std::cmp::Ordering::Less => vec![first],
                std::cmp::Ordering::Greater => vec![second],
                std::cmp::Ordering::Equal => Vec::new(),
            };
        }
        if let [one] = marked[..] { (all.len() > 1).then_some(one) } else { None }
    }
}

fn apply(parameters: &str, background: &mut String, reverse: &mut bool) {
    let mut numbers = parameters.split([';', ':']);
    while let Some(number) = numbers.next() {
        match number.parse::<u16>().unwrap_or(0) {
            0 => {
                background.clear();
                *reverse = false;
            }
            7 => *reverse = true,
            27 => *reverse = false,
            49 => background.clear(),
            colour @ (40..=47 | 100..=107) => *background = colour.to_string(),
            which @ (38 | 48 | 58) => {
                let parts = if numbers.next() == Some("2") { 3 } else { 1 };
                let colour: Vec<&str> = numbers.by_ref().take(parts).collect();
                if which == 48 {
                    *background = colour.join(",");
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marked_label_has_another_background() {
        let row = "\x1b[48;2;30;30;30m┃  \x1b[48;2;245;167;66m \x1b[38;2;10;10;10mYes\x1b[39m \x1b[48;2;30;30;30m   No         enter confirm\n    x";
        let seen = Backgrounds::read(row);
        assert_eq!(seen.marked(&[(0, 4), (0, 11)]), Some(0));
        assert_eq!(seen.marked(&[(0, 4), (0, 99)]), None);
        assert_eq!(seen.marked(&[(0, 4)]), None, "one alone is told by nothing");
        let as_wide = "\x1b[48;5;1m above\n\x1b[48;5;1m|\x1b[48;5;2m \x1b[48;5;3mOk \x1b[48;5;2m \x1b[48;5;1mNo";
        assert_eq!(Backgrounds::read(as_wide).marked(&[(1, 2), (1, 6)]), Some(0), "the row has as much of each");
        let seen = Backgrounds::read("  One  \x1b[7m Two \x1b[0m  Three  \x1b[44;1mcd\x1b[49m ef");
        assert_eq!(seen.marked(&[(0, 2), (0, 8), (0, 14)]), Some(1));
        assert_eq!(seen.marked(&[(0, 2), (0, 14)]), None, "none is marked");
        assert_eq!(seen.marked(&[(0, 2), (0, 8), (0, 21)]), None, "two are");
    }
}
