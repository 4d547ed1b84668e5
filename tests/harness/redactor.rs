//! The one redactor of snapshots.

/// The one redactor: what differs from run to run becomes a word in brackets.
pub fn redacting(settings: &mut insta::Settings) {
    settings.add_filter(&key(), "[RUN]");
    settings.add_filter(r"bptest-\d{6}-[a-z0-9]{6}(-[a-z0-9]+)*(-[0-9A-Z]{6})?", "[RUN]");
    settings.add_filter(r#"\[RUN\]-'"\$\{N\}"'-[0-9A-Z]{6}"#, "[RUN-AGAIN]");
    settings.add_filter(r"127&#46;0&#46;0&#46;1&#58;\d+", "127&#46;0&#46;0&#46;1&#58;[PORT]");
    settings.add_filter(r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]");
    settings.add_filter(r"\b\d+(\.\d+)? (s|ms|min)\b", "[TIME]");
    settings.add_filter(r"seed \d+", "seed [SEED]");
    settings.add_filter(r"batchproof \d+\.\d+\.\d+", "batchproof [VERSION]");
    settings.add_filter(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "[WHEN]");
    // The identity of a run's files, and of the sources that they were made from.
    settings.add_filter(r"\b[0-9a-f]{64}\b", "[HASH]");
    settings.add_filter(r"(Specification|cases) <code>[0-9a-f]{12}<", "$1 <code>[HASH]<");
    settings.add_filter(r"\b[0-9a-f]{4}(:[0-9a-f]{4}){7}\b", "[KEY]");
    settings.add_filter(r"\b[0-9a-f]{32}-[0-9a-f]{16}\b", "[TRACE]");
    settings.add_filter(r"\(trace\s+[0-9a-f]{8}\)", "(trace [TRACE])");
    settings.add_filter(r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT", "[DATE]");
    settings.add_filter(r#"(timeElapsedMs(?:"|&quot;)):\d+"#, "$1:[MS]");
    settings.add_filter(r"content-length: \d+", "content-length: [BYTES]");
    settings.add_filter(r#" time="[0-9.]+""#, r#" time="[TIME]""#);
    settings.add_filter(r#" timestamp="[^"]+""#, r#" timestamp="[WHEN]""#);
}

/// A unique number with the nonce of its process, which a line may break anywhere.
fn key() -> String {
    let parts =
        [("bptest", ""), ("-", r"\d"), ("-", "[a-z0-9]"), ("-", "[a-z0-9]"), ("-", "[0-9A-Z]")];
    let characters = parts.iter().flat_map(|(plain, class)| {
        let plain = plain.chars().map(String::from);
        plain.chain(std::iter::repeat_n((*class).to_owned(), if class.is_empty() { 0 } else { 6 }))
    });
    characters.collect::<Vec<_>>().join(r"(?:\n +)?")
}

/// Holds text against its snapshot, through the redactor.
#[track_caller]
pub fn shown(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    redacting(&mut settings);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("../snapshots");
    settings.bind(|| insta::assert_snapshot!(name, text.trim_end()));
}
