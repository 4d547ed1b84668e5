//! Whether caches may keep an answer (HTTP-011).

use crate::exchange_view::ExchangeView;
use crate::finding::{Finding, Verdict};

pub(super) fn not_cacheable(view: &ExchangeView<'_>) -> Verdict {
    let (Some(response), true) = (view.response(), view.is_ordinary()) else {
        return Verdict::NotApplicable("no answer to the documented request");
    };
    let control = response.header("cache-control").unwrap_or("").to_ascii_lowercase();
    let age = control
        .split(',')
        .filter_map(|d| {
            d.trim().strip_prefix("max-age=").or_else(|| d.trim().strip_prefix("s-maxage="))
        })
        .filter_map(|n| n.trim().parse::<u64>().ok())
        .max()
        .unwrap_or(0);
    let forbidden =
        control.contains("no-store") || control.contains("no-cache") || control.contains("private");
    if age > 0 && !forbidden {
        return Verdict::fail(Finding::new(
            "cacheable",
            "",
            "no freshness lifetime",
            format!("Cache-Control: {control}"),
        ));
    }
    // `max-age` stands above `Expires` (RFC 9111 section 5.3).
    let date = |name| {
        let value = response.header(name)?;
        chrono::DateTime::parse_from_rfc2822(value.trim()).ok()
    };
    let sent = date("date").unwrap_or_else(|| chrono::Utc::now().fixed_offset());
    if let Some(expires) = date("expires")
        && expires > sent
        && !forbidden
        && !control.contains("max-age")
    {
        return Verdict::fail(Finding::new(
            "cacheable",
            "",
            "no freshness lifetime",
            format!("Expires: {}", response.header("expires").unwrap_or_default()),
        ));
    }
    Verdict::Pass
}
