//! As much of CBOR (RFC 8949) as authenticators write: CTAP2's canonical form, which is of definite
//! length and four deep at most. Nothing is allocated but what is there.

use super::PasskeyError;

/// How deep maps and lists may nest.
const DEPTH: usize = 8;

/// What was read; texts, bytes, and numbers that fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Number(i64),
    Bytes(&'a [u8]),
    Text(&'a str),
    List(Vec<Value<'a>>),
    Map(Vec<(Value<'a>, Value<'a>)>),
    /// true, false, null, fractions: they are passed over.
    Other,
}

impl<'a> Value<'a> {
    /// The value at the head of `rest`, which then begins behind it.
    pub(super) fn read(rest: &mut &'a [u8]) -> Result<Self, PasskeyError> {
        read(rest, DEPTH).ok_or(PasskeyError::Malformed("CBOR"))
    }

    pub(super) fn number(&self) -> Option<i64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    pub(super) fn bytes(&self) -> Option<&'a [u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    /// What a map has under a key; none if it has it twice.
    pub(super) fn entry(&self, key: &Value<'_>) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        let mut found = entries.iter().filter(|(one, _)| one == key);
        let (_, first) = found.next()?;
        found.next().is_none().then_some(first)
    }
}

fn read<'a>(rest: &mut &'a [u8], depth: usize) -> Option<Value<'a>> {
    let depth = depth.checked_sub(1)?;
    let (&head, after) = rest.split_first()?;
    *rest = after;
    let argument = argument(head & 0x1f, rest)?;
    match head >> 5 {
        0 => Some(Value::Number(i64::try_from(argument).ok()?)),
        1 => Some(Value::Number(-1 - i64::try_from(argument).ok()?)),
        2 => Some(Value::Bytes(take(rest, argument)?)),
        3 => Some(Value::Text(std::str::from_utf8(take(rest, argument)?).ok()?)),
        4 => {
            // Each needs a byte at least, so the promise of more ends soon.
            let mut list = Vec::new();
            for _ in 0..argument {
                list.push(read(rest, depth)?);
            }
            Some(Value::List(list))
        }
        5 => {
            let mut map = Vec::new();
            for _ in 0..argument {
                map.push((read(rest, depth)?, read(rest, depth)?));
            }
            Some(Value::Map(map))
        }
        7 => Some(Value::Other),
        // Tags.
        _ => None,
    }
}

/// RFC 8949 §3: what follows the first byte; none for lengths that are not told beforehand.
fn argument(short: u8, rest: &mut &[u8]) -> Option<u64> {
    let bytes = match short {
        0..=23 => return Some(short.into()),
        24 => take(rest, 1)?,
        25 => take(rest, 2)?,
        26 => take(rest, 4)?,
        27 => take(rest, 8)?,
        _ => return None,
    };
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn take<'a>(rest: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// RFC 8949 appendix A.
    #[test]
    fn values_are_those_of_the_specification() {
        let value = |bytes: &'static [u8]| {
            let mut rest = bytes;
            let value = Value::read(&mut rest).ok();
            value.filter(|_| rest.is_empty())
        };
        assert_eq!(value(&[0x17]), Some(Value::Number(23)));
        assert_eq!(value(&[0x19, 0x03, 0xe8]), Some(Value::Number(1000)));
        assert_eq!(value(&[0x39, 0x03, 0xe7]), Some(Value::Number(-1000)));
        assert_eq!(value(&[0x1b, 0, 0, 0, 0xe8, 0xd4, 0xa5, 0x10, 0]), Some(Value::Number(1_000_000_000_000)));
        assert_eq!(value(&[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), None, "too much for us");
        assert_eq!(value(&[0x44, 1, 2, 3, 4]), Some(Value::Bytes(&[1, 2, 3, 4])));
        assert_eq!(value(&[0x62, 0xc3, 0xbc]), Some(Value::Text("ü")));
        assert_eq!(value(&[0x62, 0xc3]), None, "cut");
        assert_eq!(value(&[0x62, 0xc3, 0xbc, 0]), None, "a surplus");
        assert_eq!(value(&[0x62, 0xc3, 0xc3]), None, "no UTF-8");
        assert_eq!(value(&[0xfb, 0x3f, 0xf1, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a]), Some(Value::Other));
        assert_eq!(value(&[0x5f, 0x42, 1, 2, 0x41, 3, 0xff]), None, "of a length that is not told");
        let map = value(&[0xa2, 0x61, 0x61, 1, 0x61, 0x62, 0x82, 2, 3]).unwrap();
        assert_eq!(map.entry(&Value::Text("a")), Some(&Value::Number(1)));
        assert_eq!(map.entry(&Value::Text("b")), Some(&Value::List(vec![Value::Number(2), Value::Number(3)])));
        assert_eq!(value(&[0xa2, 1, 2, 1, 3]).unwrap().entry(&Value::Number(1)), None, "twice");
    }

    #[test]
    fn neither_depth_nor_promises_are_believed() {
        let deep = [vec![0x81; 100_000], vec![0]].concat();
        assert!(Value::read(&mut deep.as_slice()).is_err());
        for head in [0x9b_u8, 0xbb, 0x5b, 0x7b] {
            let mut long = [0xff; 9];
            long[0] = head;
            assert!(Value::read(&mut long.as_slice()).is_err());
        }
    }
}
