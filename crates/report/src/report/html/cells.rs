//! Coverage of the request schema: places by keywords, and each place by class of value and position.

use maud::{Markup, html};

use crate::generate::coverage::ItemPosition;
use crate::report::json::{Coverage, CoveragePointCount, CoverageShare};
use crate::report::text::{excerpt, number, visible};

/// Places that are shown.
const PLACES: usize = 200;

/// A place of the request with its cells.
struct SchemaPlace<'a> {
    envelope: bool,
    pointer: &'a str,
    cells: Vec<&'a CoveragePointCount>,
}

impl SchemaPlace<'_> {
    fn name(&self) -> String {
        match (self.envelope, self.pointer) {
            (true, "") => "the body".to_owned(),
            (false, "") => "the item".to_owned(),
            (_, pointer) => visible(&excerpt(pointer, 80)),
        }
    }

    fn share(&self, keyword: Option<&str>) -> Option<CoverageShare> {
        let mine = self.cells.iter().filter(|c| keyword.is_none_or(|k| c.cell.keyword == k));
        mine.map(|c| c.share())
            .reduce(|a, b| CoverageShare { covered: a.covered + b.covered, of: a.of + b.of })
    }
}

pub(super) fn section(coverage: &Coverage) -> Markup {
    let mut places: Vec<SchemaPlace<'_>> = Vec::new();
    let mut keywords: Vec<&str> = Vec::new();
    for cell in &coverage.cells {
        let of = &cell.cell;
        if !keywords.contains(&of.keyword.as_str()) {
            keywords.push(&of.keyword);
        }
        let same = |p: &&mut SchemaPlace<'_>| p.envelope == of.envelope && p.pointer == of.pointer;
        match places.iter_mut().find(same) {
            Some(place) => place.cells.push(cell),
            None => places.push(SchemaPlace {
                envelope: of.envelope,
                pointer: &of.pointer,
                cells: vec![cell],
            }),
        }
    }
    if places.is_empty() {
        return html! {};
    }
    html! {
        h3 { "The request schema" }
        div.card.map {
            @for place in places.iter().take(PLACES) {
                div.place {
                    code { (place.name()) }
                    ul {
                        @for keyword in &keywords {
                            @if let Some(share) = place.share(Some(keyword)) {
                                li class=(shade(share)) {
                                    (visible(keyword)) " " b { (number(share.covered)) "/" (number(share.of)) }
                                }
                            }
                        }
                    }
                }
            }
        }
        div.cards.rows {
            @for place in places.iter().take(PLACES) { (details(place)) }
        }
    }
}

/// The class of a share.
fn shade(share: CoverageShare) -> &'static str {
    match share.covered {
        0 => "share-none",
        n if n == share.of => "share-all",
        _ => "share-some",
    }
}

fn details(place: &SchemaPlace<'_>) -> Markup {
    let share = place.share(None).unwrap_or(CoverageShare { covered: 0, of: 0 });
    html! {
        details.card {
            summary {
                span.tag.quiet { (share.percent()) " %" }
                span.title { code { (place.name()) } }
                span.count { (number(share.covered)) " of " (number(share.of)) }
            }
            div.inside {
                table.stacks.matrix {
                    thead { tr {
                        th scope="col" { "Keyword" } th scope="col" { "Class of value" }
                        @if place.envelope { th.n scope="col" { "times" } }
                        @else { @for position in ItemPosition::ALL { th.n scope="col" { (position.word()) } } }
                    } }
                    tbody {
                        @for cell in &place.cells {
                            tr {
                                td data-name="Keyword" { (visible(&cell.cell.keyword)) } td data-name="Class of value" { (visible(&cell.cell.class)) }
                                @match cell.positions {
                                    Some(positions) => {
                                        @for (n, position) in positions.all().into_iter().zip(ItemPosition::ALL) {
                                            (times(n, position.word()))
                                        }
                                    }
                                    None => (times(cell.count, "times")),
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn times(count: u64, name: &str) -> Markup {
    html! {
        @if count == 0 { td.n.lacks data-name=(name) { "0" } }
        @else { td.n data-name=(name) { (number(count)) } }
    }
}
