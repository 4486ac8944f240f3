//! Where something in instrumented WebAssembly stands in the file that it was made of: addresses in backtraces are those of the file.
//!
//! Text, because metadata is JSON: for each piece that moved as a whole, how far behind the one before it stands and how much further it
//! moved, in base 64, five bits a character, the lowest first, as source maps have it.

use serde::{Deserialize, Serialize};

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const MORE: u64 = 32;

/// Bytes of text that are kept. With more pieces, no address is known.
const MOST: usize = 4 << 20;

/// Pieces of a file, in order, and where each went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places(String);

/// Makes [`Places`].
#[derive(Default)]
pub(crate) struct PlacesBuilder {
    text: String,
    original: usize,
    growth: i64,
}

impl PlacesBuilder {
    /// What stands at `original` and behind stands at `moved` and behind. Each piece is behind the one before.
    pub(crate) fn add(&mut self, original: usize, moved: usize) {
        // Less where a number of the file has more digits than it needs.
        let growth = moved as i64 - original as i64;
        push(&mut self.text, (original - self.original) as i64);
        push(&mut self.text, growth - self.growth);
        (self.original, self.growth) = (original, growth);
    }

    pub(crate) fn finish(self) -> Places {
        if self.text.len() > MOST {
            return Places::default();
        }
        Places(self.text)
    }
}

impl Places {
    /// The offsets in the original file of what stands at these, where they are known. One pass: there are as many pieces as checks.
    pub(crate) fn originals(&self, moved: &[usize]) -> Vec<Option<usize>> {
        let mut found = vec![None; moved.len()];
        let mut wanted: Vec<_> = (0..moved.len()).collect();
        wanted.sort_by_key(|index| moved[*index]);
        let mut wanted = wanted.into_iter().peekable();
        let (mut original, mut growth) = (0, 0);
        let mut known = |index: usize, growth: Option<i64>| {
            found[index] = growth.and_then(|it| usize::try_from(moved[index] as i64 - it).ok());
        };
        let mut piece = None;
        let mut digits = self.0.bytes();
        while wanted.peek().is_some() {
            let next = pull(&mut digits).zip(pull(&mut digits));
            let end = next.map_or(i64::MAX, |(step, more)| {
                (original, growth) = (original + step, growth + more);
                original + growth
            });
            while let Some(index) = wanted.next_if(|index| (moved[*index] as i64) < end) {
                known(index, piece);
            }
            piece = Some(growth);
        }
        found
    }
}

/// The sign is the lowest bit.
fn push(text: &mut String, number: i64) {
    let mut rest = number.unsigned_abs() * 2 + u64::from(number < 0);
    loop {
        let more = if rest >= MORE { MORE } else { 0 };
        text.push(char::from(DIGITS[(rest % MORE + more) as usize]));
        rest /= MORE;
        if more == 0 {
            return;
        }
    }
}

fn pull(digits: &mut impl Iterator<Item = u8>) -> Option<i64> {
    let (mut number, mut shift) = (0, 0);
    loop {
        let digit = digits.next()?;
        let value = DIGITS.iter().position(|known| *known == digit)? as u64;
        number |= (value % MORE).checked_shl(shift)?;
        if value < MORE {
            break;
        }
        shift += 5;
    }
    let size = i64::try_from(number / 2).ok()?;
    Some(if number % 2 == 0 { size } else { -size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moved_is_found_where_it_was() {
        let mut places = PlacesBuilder::default();
        let pieces = [(100, 110), (131, 130), (132, 158), (99_999, 108_000)];
        for (original, moved) in pieces {
            places.add(original, moved);
        }
        let places = places.finish();
        let original = [100_000, 102, 100, 131, 132, 133, 99_999].map(Some);
        let moved = [108_001, 112, 110, 130, 158, 159, 108_000];
        assert_eq!(places.originals(&moved), original);
        assert_eq!(places.originals(&[109, 110]), [None, Some(100)]);
        assert_eq!(places.originals(&[]), []);
    }

    #[test]
    fn numbers_of_any_size_are_read_again() {
        for number in [0, 1, -1, 15, 16, -16, 1023, 1024, -1 << 40] {
            let mut text = String::new();
            push(&mut text, number);
            assert_eq!(pull(&mut text.bytes()), Some(number));
        }
        assert_eq!(pull(&mut "gg".bytes()), None);
        assert_eq!(pull(&mut "?".bytes()), None);
    }

    #[test]
    fn without_room_nothing_is_known() {
        let mut places = PlacesBuilder::default();
        for piece in 0..MOST {
            places.add(piece, 2 * piece);
        }
        assert_eq!(places.finish(), Places::default());
        assert_eq!(Places::default().originals(&[7]), [None]);
    }
}
