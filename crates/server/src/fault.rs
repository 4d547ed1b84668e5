//! Faults: what a vendor could have done wrong, and where each takes hold of a request.
//!
//! A fault is data (name, rules that must and may fire) and function pointers at the points below.
//! It keeps what it remembers in its own [`Scratch`]; the clean server knows the points and none of
//! the faults.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::ServerState;
use super::further::RememberedKey;
use super::gate;
use super::kept::KeptItem;
use super::received::{Decision, ReceivedBatch, ReceivedItem, ReplyResults};
use super::reply::{Reply, ReplyReason};
use super::request_head::RequestHead;
use batchproof_contract::shape::{Again, SameKey};
use batchproof_contract::unique_key::FurtherKey;
use batchproof_contract::{BatchContract, Contract, Field, RefusalMode};

/// How thorough a run must be to meet a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultDepth {
    /// A standard run meets it.
    Standard,
    /// Only a deep run can be sure to meet it.
    Deep,
}

/// A broken implementation that a vendor could ship.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// Unique name, in kebab-case.
    pub name: &'static str,
    /// What the vendor did wrong, in one sentence.
    pub about: &'static str,
    /// Family of the rules that it breaks first.
    pub family: &'static str,
    /// Rules that certainly fire where the fault is met.
    pub must: &'static [&'static str],
    /// Rules that may fire beside them.
    pub may: &'static [&'static str],
    /// Refusal modes in which it makes sense.
    pub refusal_modes: &'static [RefusalMode],
    /// How deep a run must look.
    pub depth: FaultDepth,
    /// The fewest items that a batch must have to show it.
    pub items: u64,
    /// Whether it shows only to who waits a second or more.
    pub waits: bool,
    /// Whether it shows only where the contract demands an API key beside the credentials.
    pub needs_further_key: bool,
    /// What a contract must say of used keys for it to show; nothing where it shows without.
    pub needs_again: &'static [Again],
    /// Whether it shows only where the contract has a request that shows one item.
    pub needs_read: bool,
    /// What a contract must say of further unique keys for it to show; nothing where it shows without any.
    pub needs_further: Option<FurtherNeed>,
    pub(crate) hooks: Hooks,
}

/// What a contract must say of a further unique key for a fault to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FurtherNeed {
    /// That it is unique at all.
    Judged,
    /// That it stays used in later requests.
    Target,
    /// That it is unique within a request only.
    Request,
    /// That other fields belong to it.
    With,
    /// That letter case counts, in a key that stays used.
    CodePoint,
    /// That letter case does not count.
    IgnoreCase,
    /// That a used one rejects its item.
    Rejected,
}

impl FurtherNeed {
    /// Whether a contract says so.
    #[must_use]
    pub fn is_met(self, contract: &Contract) -> bool {
        let is_judged = |key: &&FurtherKey| key.again != Again::Free;
        contract.batch.further.iter().filter(is_judged).any(|key| match self {
            FurtherNeed::Judged => true,
            FurtherNeed::Target => key.stays_used(),
            FurtherNeed::Request => !key.stays_used(),
            FurtherNeed::With => !key.with.is_empty(),
            FurtherNeed::CodePoint => key.stays_used() && key.same == SameKey::CodePoint,
            FurtherNeed::IgnoreCase => key.same == SameKey::IgnoreCase,
            FurtherNeed::Rejected => key.stays_used() && key.again == Again::Rejected,
        })
    }

    /// The same in words, for a contract that does not.
    #[must_use]
    pub fn lacking(self) -> &'static str {
        match self {
            FurtherNeed::Judged => "items have no further unique key",
            FurtherNeed::Target => "items have no further unique key that stays used",
            FurtherNeed::Request => {
                "items have no further key that is unique within a request only"
            }
            FurtherNeed::With => "items have no further unique key that other fields belong to",
            FurtherNeed::CodePoint => "items have no further unique key whose letter case counts",
            FurtherNeed::IgnoreCase => "items have no further unique key without letter case",
            FurtherNeed::Rejected => "items have no further unique key that rejects its item",
        }
    }
}

/// What ends a request early.
#[derive(Debug)]
pub(crate) enum EarlyEnd {
    /// With this answer.
    Answer(Box<Reply>),
    /// The connection is dropped without one.
    Drop,
}

impl EarlyEnd {
    /// This status, in the framework's shape.
    pub(crate) fn status(call: &Call<'_>, status: u16) -> EarlyEnd {
        EarlyEnd::Answer(Box::new(Reply::framework(
            status,
            ReplyReason::Processed,
            &call.head.path,
        )))
    }
}

/// Takes so long over a request, as a slow implementation does; the server's threads go on with others meanwhile.
pub(crate) fn linger(time: Duration) {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(|| thread::sleep(time)),
        _ => thread::sleep(time),
    }
}

/// What a hook that may end the request returns.
pub(crate) type HookResult = Result<(), EarlyEnd>;

/// Takes a number's key; says whether it was free.
pub(crate) type Claim = fn(&Call<'_>, &ReceivedItem, &str) -> Result<bool, EarlyEnd>;

/// Says under what a further key of an item is remembered; nothing where it is not.
pub(crate) type Further =
    fn(&Call<'_>, &ReceivedItem, &FurtherKey, Option<RememberedKey>) -> Option<RememberedKey>;

/// The points at which a fault takes hold; the order is that of a request's life.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hooks {
    /// Head seen: what the server understands of it.
    pub(crate) head: Option<fn(&Call<'_>, &mut RequestHead, &mut Handling)>,
    /// Body read: the bytes before they are parsed.
    pub(crate) body: Option<fn(&Call<'_>, &mut Vec<u8>) -> HookResult>,
    /// Item validated.
    pub(crate) item: Option<fn(&Call<'_>, &mut ReceivedItem)>,
    /// All items validated, nothing stored.
    pub(crate) judged: Option<fn(&Call<'_>, &mut ReceivedBatch) -> HookResult>,
    /// Number key: under what an item's number is remembered.
    pub(crate) key: Option<fn(&Call<'_>, &ReceivedItem, String) -> String>,
    /// Commit of one number: whether it was free.
    pub(crate) claim: Option<Claim>,
    /// Further key: under what it is remembered, and whether it is.
    pub(crate) further: Option<Further>,
    /// Commit of one further key: whether it was free.
    pub(crate) further_claim: Option<Claim>,
    /// Verdicts decided, numbers stored.
    pub(crate) decided: Option<fn(&Call<'_>, &mut Decision) -> HookResult>,
    /// Items about to be kept, so that they can be read back; none of a refused request.
    pub(crate) keep: Option<fn(&Call<'_>, &Decision, &mut Vec<KeptItem>)>,
    /// One item read back: its key, and the item where there is one.
    pub(crate) shown: Option<fn(&Call<'_>, &str, &mut Option<Value>)>,
    /// Results built, not yet bytes.
    pub(crate) results: Option<fn(&Call<'_>, &mut ReplyResults)>,
    /// Answer rendered: status, headers, bytes, framing.
    pub(crate) answer: Option<fn(&Call<'_>, &mut Reply)>,
    /// The client hung up within the body.
    pub(crate) hangup: Option<fn(&Call<'_>, &[u8])>,
}

const NONE: Hooks = Hooks {
    head: None,
    body: None,
    item: None,
    judged: None,
    key: None,
    claim: None,
    further: None,
    further_claim: None,
    decided: None,
    keep: None,
    shown: None,
    results: None,
    answer: None,
    hangup: None,
};

/// A family of rules, from which its faults are made.
pub(crate) struct FaultFamily(pub(crate) &'static str);

impl FaultFamily {
    /// A fault of this family that does nothing yet.
    pub(crate) const fn fault(&self, name: &'static str, about: &'static str) -> Fault {
        Fault {
            name,
            about,
            family: self.0,
            must: &[],
            may: &[],
            refusal_modes: &[RefusalMode::Request, RefusalMode::Item],
            depth: FaultDepth::Standard,
            items: 1,
            waits: false,
            needs_further_key: false,
            needs_again: &[],
            needs_read: false,
            needs_further: None,
            hooks: NONE,
        }
    }
}

macro_rules! hooks {
    ($($point:ident: $kind:ty;)+) => {
        impl Fault {
            $(pub(crate) const fn $point(mut self, hook: $kind) -> Fault {
                self.hooks.$point = Some(hook);
                self
            })+
        }
    };
}

hooks! {
    head: fn(&Call<'_>, &mut RequestHead, &mut Handling);
    body: fn(&Call<'_>, &mut Vec<u8>) -> HookResult;
    item: fn(&Call<'_>, &mut ReceivedItem);
    judged: fn(&Call<'_>, &mut ReceivedBatch) -> HookResult;
    key: fn(&Call<'_>, &ReceivedItem, String) -> String;
    claim: Claim;
    further: Further;
    further_claim: Claim;
    decided: fn(&Call<'_>, &mut Decision) -> HookResult;
    keep: fn(&Call<'_>, &Decision, &mut Vec<KeptItem>);
    shown: fn(&Call<'_>, &str, &mut Option<Value>);
    results: fn(&Call<'_>, &mut ReplyResults);
    answer: fn(&Call<'_>, &mut Reply);
    hangup: fn(&Call<'_>, &[u8]);
}

impl Fault {
    pub(crate) const fn must(mut self, rules: &'static [&'static str]) -> Fault {
        self.must = rules;
        self
    }

    pub(crate) const fn may(mut self, rules: &'static [&'static str]) -> Fault {
        self.may = rules;
        self
    }

    pub(crate) const fn only(mut self, refusal_modes: &'static [RefusalMode]) -> Fault {
        self.refusal_modes = refusal_modes;
        self
    }

    /// Shows only in batches of so many items and more.
    pub(crate) const fn items(mut self, items: u64) -> Fault {
        self.items = items;
        self
    }

    pub(crate) const fn deep(mut self) -> Fault {
        self.depth = FaultDepth::Deep;
        self
    }

    /// Shows only where the contract demands an API key beside the credentials.
    pub(crate) const fn needs_further_key(mut self) -> Fault {
        self.needs_further_key = true;
        self
    }

    /// Shows only where the contract says this of used keys.
    pub(crate) const fn needs_again(mut self, again: &'static [Again]) -> Fault {
        self.needs_again = again;
        self
    }

    /// Shows only where the contract has a request that shows one item.
    pub(crate) const fn needs_read(mut self) -> Fault {
        self.needs_read = true;
        self
    }

    /// Shows only where the contract says this of a further unique key.
    pub(crate) const fn needs_further(mut self, need: FurtherNeed) -> Fault {
        self.needs_further = Some(need);
        self
    }

    /// Shows only to who waits a second or more.
    pub(crate) const fn waits(mut self) -> Fault {
        self.waits = true;
        self
    }
}

/// What the connection does with a request, beside what its head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Handling {
    /// What becomes of the body of a request that the head alone refuses, for this reason.
    pub(crate) refused: Option<(ReplyReason, RefusedBody)>,
    /// Whether a client that waits for `100 Continue` gets it.
    pub(crate) continues: bool,
}

/// What becomes of the body of a request that is refused for its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusedBody {
    /// It is processed all the same, and its answer thrown away.
    Processed,
    /// What is wrong with it is answered first; nothing is stored.
    Judged,
}

/// A fault that a server has, with what it remembers there.
pub(crate) struct ArmedFault {
    pub(crate) fault: &'static Fault,
    pub(crate) own: Scratch,
}

/// What a fault remembers on one server.
#[derive(Default)]
pub(crate) struct Scratch {
    /// Whether it ever changed anything.
    changed: AtomicBool,
    count: AtomicU64,
    kept: Mutex<FaultMemory>,
}

impl ArmedFault {
    /// Whether it ever changed anything.
    pub(crate) fn has_changed(&self) -> bool {
        self.own.changed.load(Ordering::Relaxed)
    }
}

/// The remembered things; each fault uses what it needs.
#[derive(Default)]
pub(crate) struct FaultMemory {
    pub(crate) keys: VecDeque<(String, Instant)>,
    pub(crate) set: HashSet<String>,
    pub(crate) texts: HashMap<String, String>,
    pub(crate) answers: HashMap<u64, Reply>,
    pub(crate) rows: Vec<Map<String, Value>>,
}

/// One request, as hooks see it.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) site: &'a ServerState,
    /// The head as it was sent.
    pub(crate) head: &'a RequestHead,
    /// The connection's number.
    pub(crate) connection: u64,
    pub(crate) started: Instant,
    /// A number of the request that nothing else has.
    pub(crate) serial: u64,
    own: Option<&'a Scratch>,
}

// A call outside of any fault has no scratch of its own; hooks never see one.
static SPARE: std::sync::LazyLock<Scratch> = std::sync::LazyLock::new(Scratch::default);

impl<'a> Call<'a> {
    pub(crate) fn new(
        site: &'a ServerState,
        head: &'a RequestHead,
        connection: u64,
        started: Instant,
    ) -> Call<'a> {
        let serial = site.serial.fetch_add(1, Ordering::Relaxed);
        Call { site, head, connection, started, serial, own: None }
    }

    /// The same request, with what `armed` remembers.
    pub(crate) fn of(&self, armed: &'a ArmedFault) -> Call<'a> {
        Call { own: Some(&armed.own), ..*self }
    }

    /// The hooks at one point, in the order of the server's faults.
    pub(crate) fn at<H>(
        &self,
        point: fn(&Hooks) -> Option<H>,
    ) -> impl Iterator<Item = (Call<'a>, H)> + use<'a, H> {
        let call = *self;
        let armed = self.site.armed.iter();
        armed.filter_map(move |a| point(&a.fault.hooks).map(|hook| (call.of(a), hook)))
    }

    /// Notes that this fault changed something.
    pub(crate) fn changed(&self, changed: bool) {
        if changed {
            self.own().changed.store(true, Ordering::Relaxed);
        }
    }

    fn own(&self) -> &'a Scratch {
        self.own.unwrap_or(&SPARE)
    }

    /// What this fault remembers.
    pub(crate) fn kept(&self) -> MutexGuard<'a, FaultMemory> {
        self.own().kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True each `n`th time that this fault asks.
    pub(crate) fn every(&self, n: u64) -> bool {
        (self.own().count.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(n)
    }

    /// Whether the other tenant sent it.
    pub(crate) fn is_other_tenant(&self) -> bool {
        gate::is_other_tenant(self.site, self.head)
    }

    pub(crate) fn contract(&self) -> &'a Contract {
        &self.site.contract
    }

    pub(crate) fn batch(&self) -> &'a BatchContract {
        &self.site.contract.batch
    }

    /// The name of the unique field.
    pub(crate) fn unique(&self) -> &'a str {
        &self.batch().unique
    }

    /// The `n`th echoed field beside the unique number.
    pub(crate) fn other(&self, n: usize) -> &'a str {
        let others = self.batch().echo.iter().filter(|f| **f != self.batch().unique);
        others.skip(n).map(String::as_str).next().unwrap_or_default()
    }

    /// The echoed fields that an item may lack.
    pub(crate) fn optional_echo(&self) -> impl Iterator<Item = &'a Field> {
        self.contract().fields().iter().filter(|f| f.echoed && !f.required)
    }

    /// The `n`th field that the schema requires.
    pub(crate) fn required(&self, n: usize) -> Option<&'a Field> {
        self.contract().fields().iter().filter(|f| f.required).nth(n)
    }

    /// The field at a JSON pointer inside an item.
    pub(crate) fn field_at(&self, pointer: &str) -> Option<&'a Field> {
        pointer.get(1..).and_then(|name| self.contract().field(name))
    }
}
