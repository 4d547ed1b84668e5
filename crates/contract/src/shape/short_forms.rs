//! Reads what `batch.yaml` may say in a short form or in the long one.
//!
//! It must not know what either means.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::file::{
    EchoFile, ItemsFile, ItemsPlace, MatchBy, MatchFile, PlaceFile, ResultsFile, UniqueFile,
    UniqueKeyFile,
};

/// A value with short forms beside the long one.
trait Forms: Sized {
    /// The long form.
    type Long: DeserializeOwned;
    /// What may stand here.
    const EXPECTED: &'static str;

    fn of_long(long: Self::Long) -> Self;

    fn of_text(text: &str) -> Option<Self>;

    fn of_list<'de, A: SeqAccess<'de>>(_: A) -> Option<Result<Self, A::Error>> {
        None
    }
}

struct FormsVisitor<T>(PhantomData<T>);

impl<'de, T: Forms> Visitor<'de> for FormsVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::of_text(text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::Long::deserialize(MapAccessDeserializer::new(map)).map(T::of_long)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::of_list(list)
            .unwrap_or_else(|| Err(A::Error::invalid_type(serde::de::Unexpected::Seq, &self)))
    }
}

macro_rules! read_by_forms {
    ($($name:ty),*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(FormsVisitor(PhantomData))
            }
        }
    )*};
}

read_by_forms!(ItemsFile, ResultsFile, MatchFile, UniqueFile, ListedKey, EchoFile);

impl Forms for ItemsFile {
    type Long = ItemsPlace;
    const EXPECTED: &'static str = "a pointer, `{ at: …, keyed: … }` or `{ lines: [item] }`";

    fn of_long(long: ItemsPlace) -> Self {
        ItemsFile::Place(long)
    }

    fn of_text(text: &str) -> Option<Self> {
        Some(ItemsFile::At(text.to_owned()))
    }
}

impl Forms for ResultsFile {
    type Long = PlaceFile;
    const EXPECTED: &'static str = "a pointer, a place `{ at: … }`, or a list of places";

    fn of_long(long: PlaceFile) -> Self {
        ResultsFile::One(long)
    }

    fn of_text(text: &str) -> Option<Self> {
        Some(ResultsFile::At(text.to_owned()))
    }

    fn of_list<'de, A: SeqAccess<'de>>(list: A) -> Option<Result<Self, A::Error>> {
        Some(Vec::deserialize(SeqAccessDeserializer::new(list)).map(ResultsFile::Several))
    }
}

impl Forms for MatchFile {
    type Long = MatchBy;
    const EXPECTED: &'static str = "`order`, `{ item: …, result: … }` or `{ index: … }`";

    fn of_long(long: MatchBy) -> Self {
        MatchFile::By(long)
    }

    fn of_text(text: &str) -> Option<Self> {
        (text == "order").then_some(MatchFile::Order)
    }
}

impl Forms for UniqueFile {
    type Long = UniqueKeyFile;
    const EXPECTED: &'static str = "a pointer, `none`, `{ at: … }`, or a list of keys";

    fn of_long(long: UniqueKeyFile) -> Self {
        UniqueFile::Key(long)
    }

    fn of_text(text: &str) -> Option<Self> {
        Some(UniqueFile::At(text.to_owned()))
    }

    fn of_list<'de, A: SeqAccess<'de>>(list: A) -> Option<Result<Self, A::Error>> {
        let keys: Result<Vec<ListedKey>, A::Error> =
            Vec::deserialize(SeqAccessDeserializer::new(list));
        Some(keys.map(|keys| UniqueFile::Several(keys.into_iter().map(|key| key.0).collect())))
    }
}

/// One of several unique keys: a pointer, or its long form.
struct ListedKey(UniqueKeyFile);

impl Forms for ListedKey {
    type Long = UniqueKeyFile;
    const EXPECTED: &'static str = "a pointer or `{ at: … }`";

    fn of_long(long: UniqueKeyFile) -> Self {
        ListedKey(long)
    }

    fn of_text(text: &str) -> Option<Self> {
        Some(ListedKey(UniqueKeyFile { at: text.to_owned(), ..UniqueKeyFile::default() }))
    }
}

impl Forms for EchoFile {
    type Long = BTreeMap<String, String>;
    const EXPECTED: &'static str = "a list of pointers, or item pointers with result pointers";

    fn of_long(long: BTreeMap<String, String>) -> Self {
        EchoFile::Renamed(long)
    }

    fn of_text(_: &str) -> Option<Self> {
        None
    }

    fn of_list<'de, A: SeqAccess<'de>>(list: A) -> Option<Result<Self, A::Error>> {
        Some(Vec::deserialize(SeqAccessDeserializer::new(list)).map(EchoFile::Same))
    }
}
