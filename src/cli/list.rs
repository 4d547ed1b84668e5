//! `batchproof list`: one thing per line, its name first.

use std::fmt::Write as _;

use super::args::ListArgs;
use super::{CommandError, say};
use crate::case;
use crate::check::rules;
use crate::generate::Generator;
use crate::server::faults;

pub fn list(args: &ListArgs) -> Result<u8, CommandError> {
    let rows: Vec<(String, String)> = if args.rules {
        rules::all()
            .iter()
            .map(|r| (r.id.to_owned(), format!("{:6}  {}", r.level, r.title)))
            .collect()
    } else if args.mutations {
        Generator::names().iter().map(|(n, about)| ((*n).to_owned(), (*about).to_owned())).collect()
    } else if args.faults {
        faults::all().iter().map(|f| (f.name.to_owned(), f.about.to_owned())).collect()
    } else {
        case::shipped()?.into_iter().map(|c| (c.id, c.spec.title)).collect()
    };
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, about) in rows {
        let _ = writeln!(text, "{name:width$}  {about}");
    }
    say(text.trim_end());
    Ok(0)
}
