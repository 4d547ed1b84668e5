//! The names of mutations: what each does, and what an item must meet after it.
//!
//! One table; case files refer to these names, so none is ever renamed.

/// What the name of a mutation promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Promise {
    /// The item stays valid: it is to be accepted.
    Accept,
    /// The item is to be refused.
    Refuse,
    /// Any answer but a 5xx, a dropped connection or a hang.
    Open,
}

use Promise::{Accept, Open, Refuse};

/// Name, sentence, promise.
const TABLE: [(&str, &str, Promise); 42] = [
    ("drop-required", "Takes one mandatory field away.", Refuse),
    ("drop-two-required", "Takes two mandatory fields away.", Refuse),
    ("null-required", "Sets one mandatory field to null.", Refuse),
    ("drop-optional", "Takes one optional field away; the item stays valid.", Accept),
    ("null-optional", "Sets one optional field to null, which is not judged.", Open),
    (
        "null-allowed",
        "Sets a field to null where its type allows that; the item stays valid.",
        Accept,
    ),
    ("wrong-type", "Gives a field a value of another JSON type, and of another meaning.", Refuse),
    (
        "coerce-scalar",
        "Gives a field a scalar of another JSON type that keeps its meaning.",
        Refuse,
    ),
    (
        "exceed-max-length",
        "Makes a string longer than its maxLength, by one code point and by far.",
        Refuse,
    ),
    (
        "at-max-length",
        "Makes a string as long as its bound, in characters of one to four bytes; valid.",
        Accept,
    ),
    (
        "at-min-length",
        "Makes a string as short as its minLength, in characters of one to four bytes; valid.",
        Accept,
    ),
    ("below-min-length", "Makes a string shorter than its minLength.", Refuse),
    (
        "long-string",
        "Gives an unbounded string field more than must be accepted, which is not judged.",
        Open,
    ),
    ("unique-too-long", "Makes the unique number longer than its result can carry.", Refuse),
    ("break-pattern", "Gives a string that its pattern does not match.", Refuse),
    (
        "break-enum",
        "Gives a value beside its enum or const: in another case, padded, cut, foreign.",
        Refuse,
    ),
    ("out-of-range", "Gives a number just outside its bound, and far outside.", Refuse),
    ("at-bound", "Gives a number at its bound and just inside; valid.", Accept),
    ("break-multiple", "Gives a number that is not a multiple of its step.", Refuse),
    ("too-many-items", "Makes an array longer than its maxItems.", Refuse),
    ("too-few-items", "Makes an array shorter than its minItems.", Refuse),
    ("repeat-element", "Repeats an element of an array that wants distinct ones.", Refuse),
    ("break-format", "Gives text that is clearly not of the field's format.", Refuse),
    (
        "doubtful-instant",
        "Gives a date-time without an offset, or on a date or at a time that does not exist.",
        Refuse,
    ),
    (
        "plain-instant",
        "Gives a date-time that must be accepted: offsets, fractions, leap days, 1970, yesterday.",
        Accept,
    ),
    ("edge-instant", "Gives a date-time at which libraries differ, which is not judged.", Open),
    (
        "plain-number",
        "Gives a number that must be accepted: sign, zero, fractions, exponents, thirteen digits.",
        Accept,
    ),
    ("edge-number", "Gives a number beyond what must be accepted, which is not judged.", Open),
    ("huge-number", "Writes a number that no double can hold, which is not judged.", Open),
    ("unusual-string", "Gives a field a valid string of an unusual kind.", Accept),
    (
        "blank-string",
        "Gives a string field nothing but white space, or nothing, which is not judged.",
        Open,
    ),
    ("nul-string", "Gives a string field a string with U+0000, which is not judged.", Open),
    ("lone-surrogate", "Writes half a surrogate pair into a string, which is not judged.", Open),
    ("repeat-key", "Writes a field twice, which is not judged.", Open),
    ("deep-nesting", "Writes an array or object nested very deeply, which is not judged.", Open),
    ("not-an-object", "Puts something else in the place of an item.", Refuse),
    (
        "add-property",
        "Adds a property that the schema does not name; the item stays valid.",
        Accept,
    ),
    ("add-forbidden-property", "Adds a property where the schema allows no others.", Refuse),
    ("at-array-bound", "Makes an array as long or as short as it may be; valid.", Accept),
    ("empty-item", "Puts an empty object in the place of an item.", Refuse),
    ("reorder-fields", "Writes the fields in the opposite order; the item stays valid.", Accept),
    (
        "escape-characters",
        "Writes letters as \\u escapes, which say the same; the item stays valid.",
        Accept,
    ),
];

/// Names and sentences.
pub(in crate::generate) const NAMES: &[(&str, &str)] = &{
    let mut out = [("", ""); TABLE.len()];
    let mut at = 0;
    while at < TABLE.len() {
        out[at] = (TABLE[at].0, TABLE[at].1);
        at += 1;
    }
    out
};

/// What a name promises; an unknown one nothing.
pub(super) fn promise(name: &str) -> Promise {
    TABLE.iter().find(|(n, ..)| *n == name).map_or(Open, |(.., promise)| *promise)
}
