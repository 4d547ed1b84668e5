//! Unusual but valid strings: everything that JSON can carry and a careless service mangles (INTERPRETATION-18).
//!
//! A catalogue of classes; it must not know which field a string is for.

use super::random::Random;

/// The classes, each with a sample that is neither blank nor has U+0000.
pub(super) const CLASSES: &[(&str, &str)] = &[
    ("leading space", " x"),
    ("trailing space", "x "),
    ("two spaces", "a  b"),
    ("upper case", "UPPER"),
    ("mixed case", "MiXeD"),
    ("digits", "1234567890"),
    ("leading zeros", "000123"),
    ("looks like a number", "1e5"),
    ("looks like a literal", "null"),
    ("tab", "a\tb"),
    ("line feed", "a\nb"),
    ("carriage return", "a\rb"),
    ("CR LF", "a\r\nb"),
    ("trailing line feed", "x\n"),
    ("control U+0001", "a\u{1}b"),
    ("control U+001F", "a\u{1f}b"),
    ("control U+0008", "a\u{8}b"),
    ("delete U+007F", "a\u{7f}b"),
    ("next line U+0085", "a\u{85}b"),
    ("no-break space", "a\u{a0}b"),
    ("double quotes", "\"quoted\""),
    ("single quotes", "it's ''quoted''"),
    ("backslashes", "a\\b\\\\"),
    ("an escape written out", "\\u0041\\n\\\""),
    ("slashes", "../../a//b"),
    ("markup", "<b>x</b> & y"),
    ("an entity", "&amp;&#65;"),
    ("a script", "<script>alert(1)</script>"),
    ("SQL", "x'; DROP TABLE x;--"),
    ("a placeholder", "${x} {{x}} %s %n"),
    ("percent-encoding", "%41%00%2F+"),
    ("a formula", "=1+2"),
    ("commas and semicolons", "a,b;c|d"),
    ("composed", "\u{e9}\u{f1}\u{1e9b}"),
    ("decomposed", "e\u{301}n\u{303}"),
    ("compatibility forms", "\u{fb01}\u{2460}\u{ff21}\u{212a}"),
    ("many combining marks", "z\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}"),
    ("a combining mark first", "\u{301}x"),
    ("two bytes", "\u{e9}\u{434}\u{5d0}"),
    ("three bytes", "\u{20ac}\u{4e2d}\u{6587}"),
    ("outside the BMP", "\u{1f600}\u{10348}\u{20000}"),
    ("an emoji sequence", "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{1f3fd}\u{1f1e9}\u{1f1ea}"),
    ("right to left", "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{645}\u{631}\u{62d}\u{628}\u{627}"),
    ("right-to-left override", "a\u{202e}b\u{202c}"),
    ("zero width", "a\u{200b}b\u{200d}c\u{2060}"),
    ("line separator U+2028", "a\u{2028}b\u{2029}c"),
    ("a byte-order mark inside", "a\u{feff}b"),
    ("a byte-order mark first", "\u{feff}x"),
    ("noncharacters", "a\u{fdd0}b\u{ffff}c\u{1ffff}"),
    ("replacement character", "a\u{fffd}b"),
    ("private use", "a\u{e000}b\u{10fffd}"),
    ("beside the surrogates", "a\u{d7ff}b\u{e000}c"),
    ("case that changes length", "\u{df}\u{130}\u{131}\u{149}\u{17f}"),
    ("soft hyphen", "a\u{ad}b"),
    ("ideographic space", "a\u{3000}b"),
    ("every ASCII punctuation mark", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    (
        "every C0 control",
        "a\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}\u{9}\u{a}\u{b}\u{c}\u{d}\u{e}\u{f}\u{10}\u{11}\u{12}\u{13}\u{14}\u{15}\u{16}\u{17}\u{18}\u{19}\u{1a}\u{1b}\u{1c}\u{1d}\u{1e}\u{1f}b",
    ),
    (
        "every C1 control",
        "a\u{80}\u{81}\u{82}\u{83}\u{84}\u{85}\u{86}\u{87}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{8d}\u{8e}\u{8f}\u{90}\u{91}\u{92}\u{93}\u{94}\u{95}\u{96}\u{97}\u{98}\u{99}\u{9a}\u{9b}\u{9c}\u{9d}\u{9e}\u{9f}b",
    ),
    (
        "spaces of every width",
        "a\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\u{200a}\u{202f}\u{205f}b",
    ),
    ("Hangul letters", "\u{1100}\u{1161}\u{11ab}\u{1112}"),
    ("Hangul syllables", "\u{d55c}\u{ae00}"),
    ("Greek with a final sigma", "\u{3a3}\u{3af}\u{3c3}\u{3c5}\u{3c6}\u{3bf}\u{3c2}"),
    ("full-width letters", "\u{ff21}\u{ff42}\u{ff11}"),
    ("singletons of normal forms", "\u{212b}\u{2126}\u{1f71}\u{f900}"),
    ("noncharacter U+FFFE", "a\u{fffe}b"),
    ("variation selectors", "\u{2601}\u{fe0f}x\u{e0100}"),
    ("tag characters", "a\u{e0001}\u{e0041}b"),
    ("letters that look Latin", "\u{430}\u{412}\u{441}"),
    ("digits of other scripts", "\u{663}\u{96a}"),
    ("percent and dollar signs", "5% $1 $& \u{201c}x\u{201d}"),
    ("curly quotes", "\u{2018}x\u{2019} \u{2013} \u{2026}"),
    ("doubled percent signs", "100%% done%%"),
    ("looks like a date-time", "2024-01-02T03:04:05+02:00"),
    ("looks like JSON", "{\"a\":[1,null]}"),
    ("looks like a decimal", "1.50"),
    ("looks like a URL", "https://x.y/a?b=1&c=2#d"),
    ("fractions and superscripts", "\u{bd}\u{b2}\u{2460}"),
];

/// Draws a string of one to three classes, at most `longest` code points, never blank unless that is 0.
pub(super) fn draw(random: &mut Random, longest: usize) -> String {
    if longest == 0 {
        return String::new();
    }
    let mut out = String::with_capacity(24);
    let parts = if longest > 200 { 64 } else { random.between(1, 3) };
    for part in 0..parts {
        if part > 0 && random.chance(1, 2) {
            out.push(random.letter(b"abcXYZ019"));
        }
        if let Some((_, sample)) = random.pick(CLASSES) {
            out.push_str(sample);
        }
    }
    if let Some((end, _)) = out.char_indices().nth(longest) {
        out.truncate(end);
    }
    if out.trim().is_empty() {
        out.clear();
        out.push('x');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_short_not_blank_and_without_nul() {
        let mut names = std::collections::HashSet::new();
        for (name, sample) in CLASSES {
            assert!(names.insert(name), "{name}");
            assert!(!sample.trim().is_empty() && !sample.contains('\0'), "{name}");
            assert!(sample.chars().count() <= 34, "{name}");
        }
        let mut random = Random::new(2);
        for longest in [0, 1, 5, 40, 255] {
            for _ in 0..500 {
                let text = draw(&mut random, longest);
                assert!(text.chars().count() <= longest);
                assert_eq!(text.trim().is_empty(), longest == 0, "{text:?}");
            }
        }
    }
}
