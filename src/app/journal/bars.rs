//! Small bars for a terminal: shares of a whole as cells.

/// One part of a bar: its share and the character that draws it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slice {
    /// Its amount; shares are of the sum of all.
    pub amount: f64,
    /// What draws it.
    pub cell: char,
}

/// A bar of `width` cells. What is there at all gets at least one cell, if there is room for all.
#[must_use]
pub fn bar(slices: &[Slice], width: usize) -> String {
    let sum: f64 = slices.iter().map(|slice| slice.amount).sum();
    if sum <= 0.0 || width == 0 {
        return " ".repeat(width);
    }
    let least: Vec<usize> = slices.iter().map(|slice| usize::from(slice.amount > 0.0)).collect();
    let shown: usize = least.iter().sum();
    let room = width.saturating_sub(shown);
    #[expect(clippy::cast_precision_loss, reason = "widths are small")]
    let exact: Vec<f64> = slices.iter().map(|slice| (slice.amount / sum) * room as f64).collect();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shares of a width")]
    let mut cells: Vec<usize> = exact.iter().zip(&least).map(|(share, least)| share.floor() as usize + least).collect();
    // What rounding left goes to those who lost most by it.
    let mut order: Vec<usize> = (0..slices.len()).collect();
    order.sort_by(|a, b| exact[*b].fract().total_cmp(&exact[*a].fract()));
    let missing = width.saturating_sub(cells.iter().sum());
    for index in order.into_iter().filter(|index| least[*index] > 0).cycle().take(missing) {
        cells[index] += 1;
    }
    let drawn = slices.iter().zip(cells).flat_map(|(slice, count)| std::iter::repeat_n(slice.cell, count));
    drawn.take(width).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(amounts: &[f64], width: usize) -> String {
        let cells = ['#', '!', '.'];
        let slices: Vec<Slice> =
            amounts.iter().zip(cells).map(|(amount, cell)| Slice { amount: *amount, cell }).collect();
        bar(&slices, width)
    }

    #[test]
    fn bars_fill_their_width_and_hide_nothing() {
        assert_eq!(draw(&[50.0, 0.0, 50.0], 10), "#####.....");
        assert_eq!(draw(&[1000.0, 1.0, 0.0], 10), "#########!");
        assert_eq!(draw(&[0.0, 0.0, 0.0], 4), "    ");
        assert_eq!(draw(&[1.0, 1.0, 1.0], 0), "");
        for width in 0..40 {
            assert_eq!(draw(&[3.0, 5.0, 7.0], width).chars().count(), width);
        }
    }
}
