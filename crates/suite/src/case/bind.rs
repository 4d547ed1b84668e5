//! Binds a case to a contract and a profile: roles become the names of fields, causes become error codes.
//!
//! What the contract lacks makes the case not applicable. A value that the profile excludes is replaced by one of the
//! profile's; where the case is about that value, the step is left out. It must not know rules, nor how anything is
//! sent.

mod allowed;
mod expectations;
mod lines;
mod names;
mod profiled;
mod texts;
mod whole_case;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Map;

use self::names::items;
use self::profiled::Replacements;
use self::whole_case::{item_names, parts, several};
use super::role::{Role, every_optional};
use super::template::{Filter, Piece, Template};
use super::{BatchSpec, Case, ItemSpec, Named, Step};
use crate::contract::file_error::nearest;
use crate::contract::shape::MapKey;
use crate::contract::{Contract, FileError, Profile, Shape};

/// A case that names fields and codes of its contract.
#[derive(Debug, Clone)]
pub struct Bound {
    /// The case; as it was read where it is not applicable.
    pub case: Case,
    /// Why it can't run under this contract and profile, where it can't.
    pub not_applicable: Option<String>,
    /// What the profile changes in it: values that are replaced, steps that are left out.
    pub notes: Vec<String>,
    /// What is allowed, and may be a slip.
    pub warnings: Vec<FileError>,
}

/// Binds `case` to a contract and a profile.
///
/// # Errors
/// A [`FileError`] with file, line and column for the name of a field or a code that the contract does not have.
pub fn bind(case: Case, contract: &Contract, profile: &Profile) -> Result<Bound, FileError> {
    let mut bound = case.clone();
    let (parts, items, many) = (parts(&case, contract), item_names(&case), several(&case));
    let replacements = RefCell::default();
    let binder = Binder { case: &case, contract, profile, parts, items, many, replacements };
    let warnings = binder.warnings();
    match binder.case(&mut bound) {
        Ok(left_out) => {
            let mut notes = binder.replacements.borrow().notes();
            notes.extend(left_out);
            Ok(Bound { case: bound, not_applicable: None, notes, warnings })
        }
        Err(Unbound::NotApplicable(reason) | Unbound::Excluded(reason)) => {
            Ok(Bound { case, not_applicable: Some(reason), notes: Vec::new(), warnings })
        }
        Err(Unbound::Unusable(problem)) => Err(*problem),
    }
}

/// Why a case can't be bound.
enum Unbound {
    NotApplicable(String),
    /// The profile excludes a value that the case is about: the step with it is left out.
    Excluded(String),
    Unusable(Box<FileError>),
}

impl From<FileError> for Unbound {
    fn from(problem: FileError) -> Unbound {
        Unbound::Unusable(Box::new(problem))
    }
}

struct Binder<'a> {
    case: &'a Case,
    contract: &'a Contract,
    profile: &'a Profile,
    /// Names of fields that an item can have: the contract's, and those that the case sets itself.
    parts: HashSet<String>,
    /// The profile's values in place of the case's.
    replacements: RefCell<Replacements>,
    /// Names of items.
    items: HashSet<String>,
    /// Those that stand for several: how many.
    many: HashMap<String, usize>,
}

impl Binder<'_> {
    /// Binds the case; says which steps are left out.
    fn case(&self, case: &mut Case) -> Result<Vec<String>, Unbound> {
        let title = &self.contract.batch.title;
        if let Some(only) = case.spec.contract.as_ref().filter(|only| *only != title) {
            return Err(Unbound::NotApplicable(format!("it is about the contract `{only}`")));
        }
        if let Some(expect) = &mut case.spec.expect {
            self.expect(expect)?;
        }
        let Some(steps) = case.spec.steps.take() else { return Ok(Vec::new()) };
        let (mut bound, mut left_out) = (Vec::new(), Vec::new());
        let (mut lost, mut first) = (HashSet::new(), None);
        for (at, mut step) in steps.into_iter().enumerate() {
            let why = if names::needs(&step, &lost) {
                "it needs a step that is left out".to_owned()
            } else {
                let written = step.clone();
                match self.step(&mut step) {
                    Ok(()) => {
                        bound.push(step);
                        continue;
                    }
                    // Of a shipped case, the steps that the contract has everything for are sent.
                    Err(Unbound::NotApplicable(reason)) if self.case.dir.is_none() => {
                        step = written;
                        reason
                    }
                    Err(Unbound::Excluded(reason)) => {
                        step = written;
                        reason
                    }
                    Err(other) => return Err(other),
                }
            };
            names::given(&step, &mut lost);
            left_out.push(format!("step {} is left out: {why}", at + 1));
            first.get_or_insert(why);
        }
        match first {
            Some(why) if bound.is_empty() => Err(Unbound::NotApplicable(why)),
            _ => {
                case.spec.steps = Some(bound);
                Ok(left_out)
            }
        }
    }

    fn step(&self, step: &mut Step) -> Result<(), Unbound> {
        self.check_body(step)?;
        self.set_media(step);
        if let Some(expect) = &mut step.expect {
            self.expect(expect)?;
        }
        let acceptable = self.case.dir.is_none() && may_be_accepted(step);
        if let Some(BatchSpec::Items(items)) = &mut step.batch {
            items.iter_mut().try_for_each(|item| self.item(item, acceptable))?;
        }
        step.items.iter_mut().flatten().try_for_each(|item| self.item(item, acceptable))?;
        for text in [&mut step.body, &mut step.raw, &mut step.path].into_iter().flatten() {
            *text = self.text(text)?;
        }
        if let Some(reason) = self.why_nothing_beside(step) {
            return Err(Unbound::NotApplicable(reason.to_owned()));
        }
        for value in step.headers.values_mut().flatten() {
            *value = self.text(value)?;
        }
        if let (Some(file), Some(text)) = (&step.batch_from, &mut step.batch_text) {
            // Its mistakes are in that file.
            let case = self.case.within_batch(file, text);
            let (parts, items) = (self.parts.clone(), self.items.clone());
            let many = self.many.clone();
            let within = Binder {
                case: &case,
                contract: self.contract,
                profile: self.profile,
                parts,
                items,
                many,
                replacements: RefCell::default(),
            };
            *text = within.text(text)?.into();
        }
        step.simultaneously.iter_mut().flatten().try_for_each(|inner| self.step(inner))
    }

    /// Why a body that a step writes out can't have members beside the items, where it has some.
    fn why_nothing_beside(&self, step: &Step) -> Option<&'static str> {
        let shape = self.contract.shape.as_ref();
        let items =
            shape.map_or(Some(&*self.contract.batch.items), |shape| shape.written_items())?;
        let mark = format!("\"{items}\":");
        let speaks = |text: &String| {
            text.split_once(&mark).is_some_and(|(before, after)| {
                !before.trim_end().ends_with('{') || after.contains("],\"")
            })
        };
        if ![&step.body, &step.raw].into_iter().flatten().any(speaks) {
            return None;
        }
        if shape.is_some_and(Shape::is_root) {
            return Some("the items are the whole body, and nothing is beside them");
        }
        let must_be_accepted = step.expect.is_some() && may_be_accepted(step);
        (must_be_accepted && self.contract.has_closed_envelope())
            .then_some("the document allows no other members beside the items")
    }

    fn item(&self, item: &mut ItemSpec, acceptable: bool) -> Result<(), Unbound> {
        let mut set = Map::new();
        for (key, value) in &item.set {
            let (name, mut value) = (self.key(key)?, self.value(value)?);
            if acceptable {
                match self.allowed(&name, value)? {
                    Some(allowed) => value = allowed,
                    None => continue,
                }
            }
            if set.insert(name.clone(), value).is_some() {
                return Err(one_field(&name));
            }
        }
        let mut set_raw = BTreeMap::new();
        for (key, text) in &item.set_raw {
            let (name, text) = (self.key(key)?, self.text(text)?);
            // What is not JSON, or not UTF-8, is nothing that a server must accept.
            if acceptable
                && !has_bytes(&text)
                && let Ok(value) = serde_json::from_str(&text)
                && let Some(reason) = self.why_excluded(&name, &value)?
            {
                return Err(Unbound::Excluded(reason));
            }
            if set.contains_key(&name) || set_raw.insert(name.clone(), text).is_some() {
                return Err(one_field(&name));
            }
        }
        let mut unset = Vec::new();
        for named in &item.unset {
            for name in self.unset(named)? {
                if acceptable && self.contract.demanded.contains(&name) {
                    if self.case.spec.keep_values {
                        return Err(Unbound::Excluded(format!("the profile demands `{name}`")));
                    }
                    self.replacements.borrow_mut().keep(&name);
                    continue;
                }
                unset.push(Named { name, ..*named });
            }
        }
        if let Some(name) = self.map_key() {
            let is_text = |value: &serde_json::Value| value.is_string();
            let odd = unset.iter().any(|named| named.name == name)
                || set.get(name).is_some_and(|value| !is_text(value))
                || set_raw.get(name).is_some_and(|text| !text.starts_with('"'));
            if odd {
                let reason = format!("`{name}` is the key of a map: it is always there, as a text");
                return Err(Unbound::Excluded(reason));
            }
        }
        (item.set, item.set_raw, item.unset) = (set, set_raw, unset);
        if let Some(raw) = &mut item.raw {
            *raw = self.text(raw)?;
        }
        Ok(())
    }

    /// The field that is an item's key in a map.
    fn map_key(&self) -> Option<&str> {
        match self.contract.shape.as_ref()?.form.map_key()? {
            MapKey::Field(name) => Some(name),
            MapKey::Mark => None,
        }
    }

    /// The names of fields that are to be left out.
    fn unset(&self, named: &Named) -> Result<Vec<String>, Unbound> {
        if named.name == "@every-optional" {
            let all = every_optional(self.contract);
            return Ok(all.into_iter().map(|field| field.name.clone()).collect());
        }
        let name = self.key(&named.name)?;
        if self.parts.contains(&name) {
            return Ok(vec![name]);
        }
        let problem = FileError::new(&*self.case.file, format!("the items have no field `{name}`"))
            .at(named.line, named.column)
            .expected("a field of the contract, or one that the case sets")
            .nearest(&name, &self.parts);
        Err(problem.into())
    }

    /// The name of a field that is written as a key: by its name, or by its role.
    fn key(&self, key: &str) -> Result<String, Unbound> {
        if let Some(plain) = key.strip_prefix("@@") {
            return Ok(format!("@{plain}"));
        }
        match key.strip_prefix('@') {
            Some(word) => self.name(word, None),
            None => self.text(key),
        }
    }

    /// A unique key beside the first one.
    fn other_key(&self, nth: usize) -> Result<&str, Unbound> {
        let further = &self.contract.batch.further;
        let lacks = |reason: &str| Unbound::NotApplicable(reason.to_owned());
        let key = further.get(nth - 1).ok_or_else(|| {
            lacks(match (further.len(), self.contract.batch.has_key()) {
                (0, false) => "the contract has no unique key",
                (0, true) => "the contract has no further unique key",
                _ => "the contract has fewer unique keys",
            })
        })?;
        if self.profile.omit.contains(&key.field) {
            return Err(lacks("the profile omits the further unique key"));
        }
        Ok(&key.field)
    }

    /// The name that has a role.
    fn name(&self, word: &str, filter: Option<Filter>) -> Result<String, Unbound> {
        let batch = &self.contract.batch;
        let shape = self.contract.shape.as_ref();
        let items = shape.map_or(Some(&*batch.items), |shape| shape.written_items());
        let name = match Role::parse(word) {
            Some(Role::Key) if !batch.has_key() => {
                return Err(Unbound::NotApplicable("the contract has no unique key".to_owned()));
            }
            Some(Role::Key) => batch.unique.as_str(),
            Some(Role::OtherKey(nth)) => self.other_key(nth)?,
            Some(Role::Items) => items.ok_or_else(|| {
                let reason = "the items are not in a member of the body";
                Unbound::NotApplicable(reason.to_owned())
            })?,
            Some(Role::Lines) if self.in_lines() => "",
            Some(Role::Lines) => {
                let reason = "the items of the contract are not lines";
                return Err(Unbound::NotApplicable(reason.to_owned()));
            }
            Some(Role::Results) => batch.results.as_str(),
            Some(Role::Field(role)) => role
                .field(self.contract, self.profile)
                .map_err(Unbound::NotApplicable)?
                .name
                .as_str(),
            Some(Role::EveryOptional) | None => {
                let problem = self.case.problem(format!("`@{word}` is not one field"), word);
                return Err(problem.expected("the role of one field").into());
            }
        };
        let Some(filter) = filter else { return Ok(name.to_owned()) };
        // A name that is not quite the real one.
        let name = match (shape, name) {
            (Some(shape), crate::contract::shape::name::ITEMS) => shape.last_name(),
            _ => name,
        };
        let other = filter.apply(name);
        if other == name {
            let reason = format!("`{name}` has no other spelling of that kind");
            return Err(Unbound::NotApplicable(reason));
        }
        Ok(other)
    }

    /// Fields of a user's own case that the contract does not name: the schema is open, so they are sent.
    fn warnings(&self) -> Vec<FileError> {
        let mut warnings = Vec::new();
        if self.case.dir.is_some() {
            self.case.spec.steps.iter().flatten().for_each(|step| self.warn(step, &mut warnings));
        }
        warnings
    }

    fn warn(&self, step: &Step, into: &mut Vec<FileError>) {
        let fields: Vec<&str> = self.contract.fields().iter().map(|f| f.name.as_str()).collect();
        for key in items(step).flat_map(|item| item.set.keys().chain(item.set_raw.keys())) {
            let is_name = !key.contains("${") && !key.starts_with('@');
            if !is_name || fields.contains(&key.as_str()) {
                continue;
            }
            let found = format!("the contract has no field `{key}`: it is sent beside the others");
            let warning = self.case.problem(found, &format!("{key}:"));
            let warning = match nearest(key, &fields) {
                Some(near) => warning.hint(format!("did you mean `{near}`?")),
                None => warning.hint(format!("its fields are {}", fields.join(", "))),
            };
            if !into.contains(&warning) {
                into.push(warning);
            }
        }
        step.simultaneously.iter().flatten().for_each(|inner| self.warn(inner, into));
    }
}

/// Whether a text has bytes that no UTF-8 has.
fn has_bytes(text: &str) -> bool {
    Template::parse(text).is_ok_and(|t| t.0.iter().any(|piece| matches!(piece, Piece::Byte(_))))
}

fn one_field(name: &str) -> Unbound {
    Unbound::NotApplicable(format!("`{name}` has two of the roles that the case needs"))
}

/// Whether a step is sent to be accepted, as far as its file says.
fn may_be_accepted(step: &Step) -> bool {
    let Some(expect) = &step.expect else { return true };
    let refused = expect.refused.is_some() || expect.not_processed || expect.answered;
    let failed = expect.status.as_ref().is_some_and(|pin| !pin.fits(200));
    !refused && !failed
}
