//! Coverage of the request schema: places by keywords, and each place by class of value and position.

use maud::{Markup, html};

use crate::generate::coverage::Position;
use crate::report::json::{CellCount, Coverage, Share};
use crate::report::text::{excerpt, number, visible};

/// Places that are shown.
const PLACES: usize = 200;

/// A place of the request with its cells.
struct Place<'a> {
    envelope: bool,
    pointer: &'a str,
    cells: Vec<&'a CellCount>,
}

impl Place<'_> {
    fn name(&self) -> String {
        match (self.envelope, self.pointer) {
            (true, "") => "the body".to_owned(),
            (false, "") => "an item".to_owned(),
            (_, pointer) => visible(&excerpt(pointer, 80)),
        }
    }

    fn share(&self, keyword: Option<&str>) -> Option<Share> {
        let mine = self.cells.iter().filter(|c| keyword.is_none_or(|k| c.cell.keyword == k));
        mine.map(|c| c.share())
            .reduce(|a, b| Share { covered: a.covered + b.covered, of: a.of + b.of })
    }
}

pub(super) fn section(coverage: &Coverage) -> Markup {
    let mut places: Vec<Place<'_>> = Vec::new();
    let mut keywords: Vec<&str> = Vec::new();
    for cell in &coverage.cells {
        let of = &cell.cell;
        if !keywords.contains(&of.keyword.as_str()) {
            keywords.push(&of.keyword);
        }
        let same = |p: &&mut Place<'_>| p.envelope == of.envelope && p.pointer == of.pointer;
        match places.iter_mut().find(same) {
            Some(place) => place.cells.push(cell),
            None => places.push(Place {
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
        div.card.scroll {
            table.matrix.map {
                thead { tr { th scope="col" { "Place" } @for keyword in &keywords { th.n scope="col" { (visible(keyword)) } } } }
                tbody {
                    @for place in places.iter().take(PLACES) {
                        tr {
                            th scope="row" { code { (place.name()) } }
                            @for keyword in &keywords {
                                @match place.share(Some(keyword)) {
                                    Some(share) => td.n { span class=(shade(share)) { (number(share.covered)) "/" (number(share.of)) } }
                                    None => td.n {}
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
fn shade(share: Share) -> &'static str {
    match share.covered {
        0 => "share-none",
        n if n == share.of => "share-all",
        _ => "share-some",
    }
}

fn details(place: &Place<'_>) -> Markup {
    let share = place.share(None).unwrap_or(Share { covered: 0, of: 0 });
    html! {
        details.card {
            summary {
                span.tag.quiet { (share.percent()) " %" }
                span.title { code { (place.name()) } }
                span.count { (number(share.covered)) " of " (number(share.of)) }
            }
            div.inside.scroll {
                table.matrix {
                    thead { tr {
                        th scope="col" { "Keyword" } th scope="col" { "Class of value" }
                        @if place.envelope { th.n scope="col" { "times" } }
                        @else { @for position in Position::ALL { th.n scope="col" { (position.word()) } } }
                    } }
                    tbody {
                        @for cell in &place.cells {
                            tr {
                                td { (visible(&cell.cell.keyword)) } td { (visible(&cell.cell.class)) }
                                @match cell.positions {
                                    Some(positions) => { @for n in positions.all() { (times(n)) } }
                                    None => (times(cell.count)),
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn times(count: u64) -> Markup {
    html! {
        @if count == 0 { td.n.lacks { "0" } } @else { td.n { (number(count)) } }
    }
}
