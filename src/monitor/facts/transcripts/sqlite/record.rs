//! What stands in one row: a head that tells the kinds of its values, then the values.

use crate::monitor::facts::transcripts::sqlite::Problem;

/// Most columns of a row; SQLite's own limit.
const MOST_COLUMNS: usize = 32_767;

/// One value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// None.
    Null,
    /// A whole number.
    Int(i64),
    /// Another number.
    Real(f64),
    /// Text.
    Text(&'a str),
    /// Bytes, and text that is not UTF-8.
    Blob(&'a [u8]),
}

/// The values of a row, in the order of its columns.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    bytes: &'a [u8],
    /// The kind of each value, and where it begins.
    values: Vec<(u64, usize)>,
}

/// A number of 1 to 9 bytes, and how many those are; `None` where it does not end.
#[must_use]
pub fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(9).enumerate() {
        if index == 8 {
            return Some((value << 8 | u64::from(*byte), 9));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

impl<'a> Record<'a> {
    /// Reads the head. The values may be cut off behind it.
    ///
    /// # Errors
    /// When it is no head.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Problem> {
        const NO_HEAD: Problem = Problem::Damaged("a row has no head");
        let (size, mut at) = varint(bytes).ok_or(NO_HEAD)?;
        let size = usize::try_from(size).map_err(|_| NO_HEAD)?;
        let head = bytes.get(..size).ok_or(NO_HEAD)?;
        let (mut values, mut offset) = (Vec::new(), size);
        while at < size {
            let (kind, length) = head.get(at..).and_then(varint).ok_or(NO_HEAD)?;
            at += length;
            if values.len() == MOST_COLUMNS {
                return Err(NO_HEAD);
            }
            values.push((kind, offset));
            offset = width(kind).and_then(|width| offset.checked_add(width)).ok_or(NO_HEAD)?;
        }
        Ok(Self { bytes, values })
    }

    /// How many values it has: fewer than its table has columns where those were added later.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// One of them; none where it has fewer.
    ///
    /// # Errors
    /// When it is cut off.
    pub fn value(&self, index: usize) -> Result<Value<'a>, Problem> {
        let Some((kind, offset)) = self.values.get(index).copied() else { return Ok(Value::Null) };
        let cut = || Problem::Damaged("a row is cut off");
        let width = width(kind).ok_or_else(cut)?;
        let bytes = self.bytes.get(offset..).and_then(|rest| rest.get(..width)).ok_or_else(cut)?;
        Ok(match kind {
            0 => Value::Null,
            1..=6 => Value::Int(whole(bytes)),
            7 => Value::Real(f64::from_bits(whole(bytes).cast_unsigned())),
            8 => Value::Int(0),
            9 => Value::Int(1),
            kind if kind % 2 == 1 => std::str::from_utf8(bytes).map_or(Value::Blob(bytes), Value::Text),
            _ => Value::Blob(bytes),
        })
    }
}

/// How many bytes a value of a kind has.
fn width(kind: u64) -> Option<usize> {
    match kind {
        0 | 8 | 9 => Some(0),
        1..=4 => usize::try_from(kind).ok(),
        5 => Some(6),
        6 | 7 => Some(8),
        10 | 11 => None,
        text => usize::try_from((text - 12) / 2).ok(),
    }
}

/// A whole number of 1 to 8 bytes with its sign, the highest byte first.
fn whole(bytes: &[u8]) -> i64 {
    let sign = bytes.first().map_or(0, |first| if *first >= 0x80 { -1 } else { 0 });
    bytes.iter().fold(sign, |value, byte| value << 8 | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_to_nine_bytes() {
        for (bytes, wanted) in [
            (&[0x00][..], Some((0, 1))),
            (&[0x7f, 0xff], Some((127, 1))),
            (&[0x81, 0x00], Some((128, 2))),
            (&[0xff; 9], Some((u64::MAX, 9))),
            (&[0xff; 8], None),
            (&[], None),
        ] {
            assert_eq!(varint(bytes), wanted, "{bytes:?}");
        }
    }

    #[test]
    fn values_of_each_kind() {
        let bytes = [&[8, 0, 1, 2, 7, 8, 9, 17][..], &[0xff, 0x80, 0x00], &0.5_f64.to_be_bytes(), b"ab"].concat();
        let record = Record::parse(&bytes).unwrap();
        let values: Vec<Value> = (0..8).map(|index| record.value(index).unwrap()).collect();
        let wanted = [
            Value::Null,
            Value::Int(-1),
            Value::Int(-32_768),
            Value::Real(0.5),
            Value::Int(0),
            Value::Int(1),
            Value::Text("ab"),
            Value::Null,
        ];
        assert_eq!((record.len(), &values[..]), (7, &wanted[..]), "a column that was added later is null");
        let cut = Record::parse(&bytes[..bytes.len() - 1]).unwrap();
        assert!(cut.value(5).is_ok() && cut.value(6).is_err());
        for bad in [&[2, 10][..], &[9], &[0xff; 9], &[]] {
            assert!(Record::parse(bad).is_err(), "{bad:?}");
        }
    }
}
