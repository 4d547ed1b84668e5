//! A batch that is drawn item by item: as drafts, or straight as JSON text where every microsecond and
//! every byte counts. Equal seeds and shapes give equal items, in either form.

use super::draft::Draft;
use super::keys::KeyBlock;
use super::random::Random;
use super::{BatchShape, GeneratorCore, OptionalFields, ValueStyle};

/// From where to where a value stands in a body; empty where the item has none.
pub type TextSpan = (usize, usize);

/// The items of a batch, one after the other.
pub struct Stream<'a> {
    core: &'a GeneratorCore,
    random: Random,
    style: ValueStyle,
    left: usize,
}

impl<'a> Stream<'a> {
    pub(super) fn new(core: &'a GeneratorCore, seed: u64, shape: &BatchShape) -> Stream<'a> {
        let mut random = Random::new(seed);
        let left = random.between(*shape.items.start(), *shape.items.end());
        Stream { core, random, style: shape.style, left }
    }

    /// How many items are still to come.
    #[must_use]
    pub fn left(&self) -> usize {
        self.left
    }

    /// Appends the next item as JSON text, with the next of `keys`. `places` gets one place for each
    /// echoed field, in the contract's order. Says whether the item is beyond doubt, that is, due to be
    /// accepted under every interpretation; nothing where there is no item left.
    pub fn write(
        &mut self,
        out: &mut String,
        keys: &mut KeyBlock,
        places: &mut Vec<TextSpan>,
    ) -> Option<bool> {
        self.left = self.left.checked_sub(1)?;
        let GeneratorCore { contract, plan } = self.core;
        let from = places.len();
        places.resize(from + contract.batch.echo.len(), (0, 0));
        let into = (out, &mut places[from..]);
        Some(plan.write(contract, &mut self.random, self.style, keys, into))
    }
}

impl Iterator for Stream<'_> {
    type Item = Draft;

    fn next(&mut self) -> Option<Draft> {
        self.left = self.left.checked_sub(1)?;
        let GeneratorCore { contract, plan } = self.core;
        Some(plan.draw(contract, &mut self.random, self.style, OptionalFields::Drawn))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::validity::Validity;
    use crate::generate::tests::{shipped, tickets};
    use crate::generate::{Generator, KeyGenerator};
    use serde_json::Value;
    use std::sync::Arc;

    /// What is written is what is drawn, byte for byte; where it is said to be beyond doubt, it is.
    fn written_as_drawn(generator: &Generator, style: ValueStyle) -> usize {
        let contract = generator.contract();
        let keys = Arc::new(KeyGenerator::fitting("bptest-261122-k3x9qz", contract));
        let mut certain = 0;
        for seed in 0..300 {
            let shape = BatchShape { items: 0..=7, style };
            let mut keys = keys.reserve(7);
            let mut same = keys.clone();
            let mut stream = generator.stream(seed, &shape);
            for draft in generator.batch(seed, &shape) {
                let number = same.with_shape(&draft.key);
                let text = draft.text(contract, number.as_ref());
                let (mut out, mut places) = ("before".to_owned(), Vec::new());
                let sure = stream.write(&mut out, &mut keys, &mut places).unwrap();
                assert_eq!(out, format!("before{text}"), "{style:?} {seed}");
                if !sure {
                    continue;
                }
                certain += 1;
                let item: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(contract.item_validity(&item), Validity::default(), "{text}");
                for (name, place) in contract.batch.echo.iter().zip(places) {
                    let echoed = item.get(name).map(Value::to_string).unwrap_or_default();
                    assert_eq!(&out[place.0..place.1], echoed, "{text}");
                }
            }
            assert_eq!(stream.left(), 0);
            assert_eq!(stream.write(&mut String::new(), &mut keys, &mut Vec::new()), None);
        }
        certain
    }

    #[test]
    fn text_and_drafts_say_the_same() {
        for style in [ValueStyle::Plain, ValueStyle::Boundary, ValueStyle::Unusual] {
            written_as_drawn(&tickets(), style);
        }
        assert!(written_as_drawn(&shipped(), ValueStyle::Plain) > 900);
        assert!(written_as_drawn(&shipped(), ValueStyle::Boundary) > 300);
        written_as_drawn(&shipped(), ValueStyle::Unusual);
    }
}
