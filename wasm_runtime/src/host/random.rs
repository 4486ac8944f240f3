//! Random numbers of a run.

use wasmtime_wasi::thread_rng;

/// A generator for cryptographic purposes, seeded by the system when it is asked for the first time.
#[derive(Default)]
pub(crate) struct Random(Option<Generator>);

type Generator = Box<dyn FnMut(&mut [u8]) + Send>;

impl Random {
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        let generator = self.0.get_or_insert_with(|| {
            let mut generator = thread_rng();
            Box::new(move |bytes| generator.fill_bytes(bytes))
        });
        generator(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_numbers_are_alike() {
        let mut numbers = [[0; 16]; 4];
        for run in numbers.chunks_mut(2) {
            let mut random = Random::default();
            run.iter_mut().for_each(|number| random.fill(number));
        }
        let distinct: std::collections::HashSet<_> = numbers.iter().collect();
        assert_eq!(distinct.len(), numbers.len());
    }
}
