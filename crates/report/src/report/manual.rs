//! Where the manual is published, so that reports can link to the page of a rule.
//!
//! It must not know what a page says. The address comes from the variable `BATCHPROOF_MANUAL`, which the GitHub action
//! sets, or from the build, where the release workflow sets it. A build from a checkout knows no address: no link is
//! better than one to a stranger's page.

/// The variable with the address of the manual.
pub const VARIABLE: &str = "BATCHPROOF_MANUAL";

/// The address of the manual, with no slash at its end.
#[must_use]
pub fn home() -> Option<String> {
    let set = std::env::var(VARIABLE).ok().filter(|address| is_address(address));
    let address = set.or_else(|| option_env!("BATCHPROOF_MANUAL").map(str::to_owned));
    let address = address.filter(|address| is_address(address))?;
    Some(address.trim().trim_end_matches('/').to_owned())
}

/// The page of a rule.
#[must_use]
pub fn page(rule: &str) -> Option<String> {
    let shaped = rule.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let home = home()?;
    // A repository shows the sources; a site has pages.
    let ending = if home.contains("/blob/") || home.ends_with("/src") { "md" } else { "html" };
    shaped.then(|| format!("{home}/reference/rules/{rule}.{ending}"))
}

fn is_address(text: &str) -> bool {
    url::Url::parse(text.trim()).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
