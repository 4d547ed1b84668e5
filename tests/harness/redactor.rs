//! The one redactor of snapshots.

/// The one redactor: what differs from run to run becomes a word in brackets.
pub fn redacting(settings: &mut insta::Settings) {
    settings.add_filter(r"bptest-\d{6}-[a-z0-9]{6}(-[a-z0-9]+)*(-[0-9A-Z]{6})?", "[RUN]");
    settings.add_filter(r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]");
    settings.add_filter(r"\b\d+(\.\d+)? (s|ms|min)\b", "[TIME]");
    settings.add_filter(r"seed \d+", "seed [SEED]");
    settings.add_filter(r"batchproof \d+\.\d+\.\d+", "batchproof [VERSION]");
    settings.add_filter(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "[WHEN]");
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
