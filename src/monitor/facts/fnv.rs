//! FNV-1a, the one hash that is the same in every run and every version: names of files are made of it.

/// FNV-1a with 64 bits, as at <http://www.isthe.com/chongo/tech/comp/fnv/>. The standard library's hashers are keyed or may
/// change with its version. No defence is built on it: whoever chooses the bytes can choose the hash.
pub(crate) fn fnv(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_values_come_out() {
        assert_eq!(fnv(*b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv(*b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv(*b"foobar"), 0x8594_4171_f739_67e8);
    }
}
