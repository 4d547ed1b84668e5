//! The choices that the table leaves to an implementation, each under a name.
//!
//! Without any, the server makes the plain ones. [`ALL`] are those that a harness must take without
//! a finding of any level; [`SHOULD`] are those that may earn SHOULD findings and never a MUST;
//! [`UNRELIABLE`] are no choices of a server, but what stands between it and a client may do.
//! Where two contradict each other (`method-404` and `method-501`), the one listed first wins.

macro_rules! choices {
    (
        all { $($a:ident $a_name:literal $a_what:literal)* }
        should { $($b:ident $b_name:literal $b_what:literal)* }
        unreliable { $($c:ident $c_name:literal $c_what:literal)* }
        profiled { $($d:ident $d_name:literal $d_what:literal)* }
    ) => {
        /// One choice that differs from the plain ones.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Choice {
            $(#[doc = $a_what] $a,)*
            $(#[doc = $b_what] $b,)*
            $(#[doc = $c_what] $c,)*
            $(#[doc = $d_what] $d,)*
        }

        /// Name and meaning of each choice that deserves no finding.
        pub const ALL: &[(&str, &str)] = &[$(($a_name, $a_what)),*];

        /// Name and meaning of each choice that deserves SHOULD findings, and no others.
        pub const SHOULD: &[(&str, &str)] = &[$(($b_name, $b_what)),*];

        /// Name and meaning of what proves nothing of the server: seen now and then, it is no
        /// finding that counts.
        pub const UNRELIABLE: &[(&str, &str)] = &[$(($c_name, $c_what)),*];

        /// Name and meaning of what deserves no finding, once a profile says it.
        pub const PROFILED: &[(&str, &str)] = &[$(($d_name, $d_what)),*];

        const NAMED: &[(&str, Choice)] = &[
            $(($a_name, Choice::$a),)*
            $(($b_name, Choice::$b),)*
            $(($c_name, Choice::$c),)*
            $(($d_name, Choice::$d)),*
        ];
    };
}

choices! {
    all {
        // How a broken item is refused.
        RefusalModeItem "refusal-mode-item" "a broken item is REJECTED, the others are accepted"
        ByKind "both-refusal-modes-by-kind" "wrong types and dates refuse the request as Jackson would; missing, blank, too long or out of range rejects the item"
        MissingRefuses "missing-refuses-the-request" "a missing mandatory field refuses the request, any other fault rejects the item"
        AllBroken "all-broken-refused" "broken items are REJECTED, but a batch of nothing else is answered 400"

        // Statuses.
        Auth403 "auth-403" "403 in place of 401"
        EarlyReset "refusal-before-a-large-body" "answers bad credentials before it reads a body over 16 KiB, and closes at once: the client may see a reset"
        InvalidRequest "invalid-request" "400 with error=\"invalid_request\" for malformed credentials (RFC 6750 section 3.1)"
        Waf "waf-403" "403 for markup and control characters in strings, as a web application firewall has it"
        StrictWaf "waf-strict" "403 for single quotes, two dashes and steps out of a directory in strings"
        PathFirst "path-before-auth" "404 and 405 are looked at before the credentials"
        CaseSensitiveScheme "case-sensitive-scheme" "the scheme must be written Bearer"
        Method404 "method-404" "404 for any other method"
        Method501 "method-501" "501 for any other method"
        Method400 "method-400" "400 for any other method"
UnknownMethodCloses "unknown-method-closes" "closes the connection without an answer where HTTP does not define the method, as Bun"
        UnknownMethod502 "unknown-method-502" "the same behind a gateway: 502"
        Head404 "head-404" "404 for HEAD alone"
        Options204 "options-204" "204 for OPTIONS"
        Options405 "options-405" "OPTIONS is a method like any other"
        Media400 "media-400" "400 in place of 415"
        NoTypeProcessed "missing-content-type-processed" "a request without Content-Type is processed"
        PlusJsonRefused "plus-json-refused" "415 for application/anything+json"
        AcceptIgnored "accept-ignored" "answers JSON whatever Accept says"
        NoChunked "no-chunked" "411 for chunked requests"
        Expect417 "expect-417" "417 for any expectation"
        HugeBody413 "huge-body-413" "413 for more than 8 MiB"
        Limit1000 "batch-limit-1000" "413 for more than 1000 items"
        Limit1000As400 "batch-limit-1000-400" "400 for more than 1000 items"
        TrailingSlash "trailing-slash-processed" "the path with a slash behind it is processed"
        AnyCasePath "any-case-path-processed" "the path in any letter case is processed"
        Retry429 "retry-429-now-and-then" "every 40th request is answered 429 with Retry-After: 0"
        Retry503 "retry-503-now-and-then" "every 40th request is answered 503 with Retry-After: 1"

        FourAtOnce "four-at-once" "503 with Retry-After: 1 to a batch while four others are under way, which take 3 ms"

        // Values.
        BlankRefused "blank-refused" "a blank mandatory string counts as missing"
        NullOptionalRefused "null-optional-refused" "null in an optional field is a wrong type"
        UnknownYears "unknown-years-refused" "balanceAt must lie between 1970 and now, as an instant"
        LeapSecond "leap-second-refused" "second 60 is refused"
        LowercaseT "lowercase-t-refused" "lower-case t and z are refused"
        Offset14 "offset-beyond-14-refused" "offsets beyond 14:00 are refused (plain: beyond 18:00, as java.time)"
        LenientDates "lenient-dates" "accepts 24:00, no seconds, +0200, offsets to 23:59, any second 60, more than nine digits"
        LongPlain "long-plain-refused" "plain strings over 255 are refused"
        BigNumbers "big-numbers-refused" "magnitudes from 10^14 and fractions over four digits are refused"
        AnySizeNumbers "any-size-numbers" "1e400 is a number like any other"
        NulStored "nul-stored" "U+0000 is accepted and echoed"
        NulRejects "nul-is-an-item-fault" "U+0000 is refused as any other invalid value"
        LoneReplaced "lone-surrogates-replaced" "a lone surrogate escape is read as U+FFFD"
        BlockedNames "blocked-names-refused" "400 where a member is called __proto__ or constructor, as parsers do that protect prototypes"
        DuplicateKeys "duplicate-keys-refused" "400 where a key stands twice in an object that is read"
        Nesting128 "nesting-128" "400 for nesting deeper than 128 (plain: 1000)"
        BomRefused "bom-refused" "400 for a byte-order mark"

        // What answers look like.
        ResultsOmitted "results-omitted-when-empty" "no results for an empty batch"
        Framework400 "framework-400" "the framework's shape for each 400 but that for a missing mandatory field"
        Adapter400 "adapter-400" "the adapter's shape for each 400 to a batch, also where it is not JSON"
        ErrorsArray "errors-array" "a 400 lists all faults in errors"
        LowercaseDescriptions "description-lowercase" "descriptions in lower case"
        OtherWords "descriptions-translated" "descriptions in other words, not ASCII"
        ElapsedZero "elapsed-zero" "all elapsed times are 0"
        ElapsedPointZero "elapsed-point-zero" "elapsed times as 3.0, a whole number to JSON Schema"
        LeaveOut "rejected-leaves-out-everything-allowed" "a rejected item's result leaves out accountExtId and businessUnit over 255 too, or with U+0000"
        ExtraMembers "extra-members" "each object answered has a member that no schema names"
        SortedMembers "members-sorted" "members in alphabetical order, timeElapsedMs not last"
        Pretty "pretty-json" "indented answers"
        Escaped "escaped-json" "answers in ASCII, the rest and slashes escaped"
        Charset "charset-in-content-type" "application/json; charset=utf-8"
        OddCaseType "odd-case-content-type" "Application/JSON"
        HtmlErrors "html-errors" "HTML where the body of an error is not judged, as a gateway in front has it"
        EmptyErrors "empty-error-bodies" "nothing where the body of an error is not judged"

        // The wire.
        CloseEvery "close-every-connection" "Connection: close on each answer"
        CloseIdle "close-idle" "closes connections that were idle for 50 ms"
        CloseDelimited "close-delimited-answers" "answers end where the connection does"
        ChunkedAnswers "chunked-answers" "answers are chunked"
        ChunkedOddly "chunked-oddly" "answers are chunked with extensions, leading zeros and a trailer"
        Dribble "dribble" "answers arrive in pieces of a few bytes at first"
        Interim103 "interim-103" "103 Early Hints before the answer"
        EmptyReason "empty-reason" "no reason phrase, as Tomcat"
        LowercaseHeaders "header-names-lowercase" "header names in lower case"
        Early502 "refused-early-behind-a-gateway" "what the head refuses is answered before the body is read, and closed: 502 by a gateway that was still sending one over 4 KiB"
        Gateway "gateway" "Via, X-Request-Id, Server, Set-Cookie and Keep-Alive headers"
        Slow50 "slow-50ms" "answers after 50 ms"
        Jitter "jitter" "answers after 0 to 30 ms, so that simultaneous ones overtake each other"
    }
    should {
        TextAfter "text-after-accepted" "text after the JSON document is ignored"
        Coerced "scalars-coerced" "12 for a string and \"12\" for a number are taken, as stock Jackson does"
        EmptyBatch400 "empty-batch-400" "400 for an empty batch"
        NoDescriptions "no-descriptions" "rejected items and 400s without errorDescription"
        NoElapsed "no-elapsed" "no elapsed times"
        NoChallenge "no-www-authenticate" "401 without WWW-Authenticate"
        OtherCode "undocumented-code" "B001 for invalid values that are not missing"
        BareMissing "bare-400" "the framework's shape also for a missing mandatory field"
        ControlsRefused "controls-refused" "control characters in strings are refused"
        NoOffset "no-offset-accepted" "balanceAt without an offset is read as UTC"
        TwiceRefused "twice-in-a-batch-refused" "400 for a batch that holds a number twice"
        ChunkedAsEmpty "chunked-taken-for-empty" "a chunked body is taken for an empty one, as behind WSGI"
        RejectedStay "rejected-numbers-stay" "a rejected item uses its number"
        BodyLimit1M "body-limit-1m" "413 for more than 1 MiB, as nginx has it unasked"
        BodyLimit100K "body-limit-100k" "413 for more than 100 KiB, as Express has it unasked"
    }
    unreliable {
        Gateway502 "gateway-502-now-and-then" "every 300th batch is processed and answered 502"
        Gateway504 "gateway-504-now-and-then" "every 300th batch is processed and answered 504"
        GatewayDown "gateway-502-for-a-while" "every 20th of the first 2000 batches is processed and answered 502"
    }
    profiled {
        Registered "registered-accounts" "knows fifty accounts, two of each classifier, and amounts up to a million; B017 for any other, B018 for a missing business unit"
        NullInvalid "null-is-invalid" "B001 for null in a mandatory field, O001 where it is missing"
        Limit20 "batch-limit-20" "413 for more than 20 items"
    }
}

/// A set of choices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choices(u128);

impl Choices {
    /// The set of all these names.
    ///
    /// # Errors
    /// Tells the first name that is none.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        names.into_iter().try_fold(Self::default(), Self::and)
    }

    /// This set and one more name.
    ///
    /// # Errors
    /// Where there is no choice of that name.
    pub fn and(self, name: &str) -> Result<Self, String> {
        let choice = NAMED.iter().find(|(known, _)| *known == name);
        choice
            .map(|(_, choice)| self.with(*choice))
            .ok_or_else(|| format!("no choice is named {name}"))
    }

    pub(super) fn with(self, choice: Choice) -> Self {
        Self(self.0 | 1 << choice as u32)
    }

    pub(super) fn has(self, choice: Choice) -> bool {
        self.0 & 1 << choice as u32 != 0
    }
}

const _: () = assert!(NAMED.len() <= 128, "a set holds 128 choices");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_stands_for_one_choice() {
        for (at, (name, choice)) in NAMED.iter().enumerate() {
            assert!(NAMED.iter().skip(at + 1).all(|(other, _)| other != name), "{name} twice");
            let set = Choices::parse([*name]).unwrap();
            assert!(NAMED.iter().all(|(_, other)| set.has(*other) == (other == choice)));
        }
        assert_eq!(NAMED.len(), ALL.len() + SHOULD.len() + UNRELIABLE.len() + PROFILED.len());
        assert!(Choices::parse(["refusal-mode-item", "no-such"]).is_err());
    }
}
