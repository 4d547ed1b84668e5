//! What every execution of a run shares.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use super::crowd::Crowd;
use super::quiet::Quiet;
use super::same_keys::same_counts;
use super::traces::Traces;
use super::{Amount, Budget, CancelReason, Cancellation, KeyLog};
use crate::case::Span;
use crate::check::FastPath;
use crate::contract::{Contract, FileError, Profile};
use crate::exchange::Request;
use crate::generate::{Generator, KeyGenerator, KeyPrefixes};
use crate::send::Sender;

/// What every execution of a run shares.
pub struct Environment {
    /// The contract, with what the profile adds.
    pub contract: Arc<Contract>,
    /// What is known of the target.
    pub profile: Arc<Profile>,
    /// Draws batches.
    pub generator: Arc<Generator>,
    /// Mints numbers.
    pub keys: Arc<KeyGenerator>,
    /// Sends.
    pub sender: Arc<Sender>,
    /// The same beside correct implementations: a smaller execution that fails there too shows something else.
    /// Where there is none, nothing is shrunk.
    pub control: Vec<Arc<Environment>>,
    /// Finds plainly right answers right; none for a contract whose answers are not simple enough.
    pub quick: Option<FastPath>,
    /// Whether all trials that wait for nothing have ended.
    ending: watch::Sender<bool>,
    /// Microseconds of the slowest plain answer.
    slowest: AtomicU64,
    /// Microseconds of the slowest answer to a small request, beside all others that are under way.
    busiest: AtomicU64,
    /// Requests that a barrier releases together, at most.
    at_once: AtomicUsize,
    /// Held by the one race that is under way: a target takes a limited number of connections.
    race: tokio::sync::Mutex<()>,
    /// Items that the profile lets a run send still; the greatest number where it sets no limit.
    items_left: Arc<AtomicU64>,
    /// What may be sent again, for confirming and shrinking too; without end where no run sets it.
    pub reserve: Arc<Budget>,
    /// Takes down the keys that are sent, where a clean-up will want them.
    pub key_log: OnceLock<KeyLog>,
    pub(super) crowd: Crowd,
    pub(super) quiet: Arc<Quiet>,
    /// By what the logs of the target name each request.
    traces: Traces,
    /// Ends the run; nothing is sent from then on.
    pub cancellation: Cancellation,
    /// Held while a target that gives no good answer is asked a last time.
    pub(crate) last_try: tokio::sync::Mutex<()>,
}

/// What a server gets to finish a request that its client left: at least this, at most that.
const LEFT_ALONE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// What a server gets at most for being slow with something that isn't plain, which may be a fault of its own.
const BUSY: Duration = Duration::from_secs(1);

impl Environment {
    /// What trials of a run with that id share.
    ///
    /// # Errors
    /// A [`FileError`] where nothing can be generated from contract and profile.
    pub fn new(
        contract: Arc<Contract>,
        profile: Profile,
        sender: Sender,
        run_id: &str,
    ) -> Result<Environment, FileError> {
        let generator = Arc::new(Generator::new(Arc::clone(&contract), &profile)?);
        Ok(Environment::with_generator(contract, profile, generator, sender, run_id))
    }

    /// The same with a generator that was made for the contract and the profile.
    #[must_use]
    pub fn with_generator(
        contract: Arc<Contract>,
        profile: Profile,
        generator: Arc<Generator>,
        sender: Sender,
        run_id: &str,
    ) -> Environment {
        let keys = KeyGenerator::fitting(run_id, &contract).counting_by(same_counts);
        let keys = Arc::new(keys);
        let profile = Arc::new(profile.for_document(&contract));
        let sender = Arc::new(sender);
        let items_left = Arc::new(AtomicU64::new(profile.limits.items.unwrap_or(u64::MAX)));
        let traces = Traces::new(run_id, &profile);
        let environment = Environment::of(contract, profile, generator, keys, sender);
        Environment { items_left, traces, ..environment }
    }

    fn of(
        contract: Arc<Contract>,
        profile: Arc<Profile>,
        generator: Arc<Generator>,
        keys: Arc<KeyGenerator>,
        sender: Arc<Sender>,
    ) -> Environment {
        let at_once = AtomicUsize::new(profile.limits.jobs.unwrap_or(usize::MAX).max(1));
        Environment {
            quick: FastPath::of(&contract),
            contract,
            profile,
            generator,
            keys,
            sender,
            control: Vec::new(),
            ending: watch::Sender::new(false),
            race: tokio::sync::Mutex::new(()),
            slowest: AtomicU64::new(0),
            busiest: AtomicU64::new(0),
            at_once,
            items_left: Arc::new(AtomicU64::new(u64::MAX)),
            reserve: Arc::new(Budget::new(Amount::ENDLESS)),
            key_log: OnceLock::new(),
            crowd: Crowd::default(),
            quiet: Arc::default(),
            traces: Traces::none(),
            cancellation: Cancellation::default(),
            last_try: tokio::sync::Mutex::new(()),
        }
    }

    /// The same with another target; they end together.
    #[must_use]
    pub fn at(&self, sender: Arc<Sender>) -> Environment {
        let beside = Environment::of(
            Arc::clone(&self.contract),
            Arc::clone(&self.profile),
            Arc::clone(&self.generator),
            Arc::clone(&self.keys),
            sender,
        );
        Environment { cancellation: self.cancellation.clone(), ..beside }
    }

    /// The same with an older target, which gets everything that this one gets; with keys of its own where both share
    /// what they store. They end together.
    #[must_use]
    pub fn against(&self, sender: Arc<Sender>, distinct_keys: bool) -> Environment {
        let keys =
            if distinct_keys { Arc::new(self.keys.beside()) } else { Arc::clone(&self.keys) };
        let items_left = self.profile.limits.items.unwrap_or(u64::MAX);
        let (items_left, traces) = (Arc::new(AtomicU64::new(items_left)), self.traces.go_on());
        Environment { keys, items_left, traces, ..self.at(sender) }
    }

    /// The same with correct implementations beside it.
    #[must_use]
    pub fn with_control(&self, control: Vec<Arc<Environment>>) -> Environment {
        let items_left = Arc::clone(&self.items_left);
        let (reserve, traces) = (Arc::clone(&self.reserve), self.traces.go_on());
        let quiet = Arc::clone(&self.quiet);
        let beside = self.at(Arc::clone(&self.sender));
        Environment { control, items_left, reserve, quiet, traces, ..beside }
    }

    /// The right to release several requests at once, held until their answers are there.
    pub(crate) async fn race(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.race.lock().await
    }

    /// Gives a request that is about to be sent its trace context.
    pub fn trace(&self, request: &mut Request) {
        request.trace = self.traces.next().filter(|_| request.header("traceparent").is_none());
    }

    /// Items that the profile lets the run send still.
    #[must_use]
    pub fn items_left(&self) -> u64 {
        self.items_left.load(Ordering::Relaxed)
    }

    /// Takes the items of a request off what the profile allows. Where they are too many, nothing is taken, and the
    /// run ends.
    #[must_use]
    pub fn may_send(&self, items: usize) -> bool {
        if self.items_left() == u64::MAX {
            return true;
        }
        let items = items as u64;
        let taken = self
            .items_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(items));
        if taken.is_err() {
            let limit = self.profile.limits.items.unwrap_or_default();
            self.cancellation.cancel(CancelReason::Requested(format!(
                "The profile allows {limit} items (limits.items), and the run has no more left."
            )));
        }
        taken.is_ok()
    }

    /// Whether an answer is that to a batch which was processed.
    pub fn accepts(&self, answer: &crate::exchange::Answer) -> bool {
        answer.status().is_some_and(|status| self.contract.known_status(status) == 200)
    }

    /// Takes down the keys of a request's body: of its items, or wherever they are in what is not a batch.
    pub fn note_keys(&self, bytes: &[u8]) {
        let Some(log) = self.key_log.get() else { return };
        let batch = &self.contract.batch;
        let body: Option<Value> = serde_json::from_slice(bytes).ok();
        let is_flat = self.contract.shape.as_ref().is_none_or(|shape| shape.form.is_plain());
        match body.as_ref().filter(|_| is_flat).and_then(|body| self.contract.items_in(body)) {
            Some(items) => {
                let keys = items.iter().filter_map(|item| item.get(&batch.unique));
                self.noted(log.add(keys.filter_map(Value::as_str)));
            }
            None => self.note_keys_in(bytes),
        }
    }

    /// The same of bytes that hold keys anywhere.
    pub fn note_keys_in(&self, bytes: &[u8]) {
        let Some(log) = self.key_log.get() else { return };
        let found = KeyPrefixes::of_generator(self.keys.prefix()).find(bytes);
        let keys =
            found.iter().filter_map(|key| std::str::from_utf8(&bytes[key.place.clone()]).ok());
        self.noted(log.add(keys));
    }

    /// Nothing is sent that could not be removed again.
    fn noted(&self, noted: std::io::Result<()>) {
        if let (Err(error), Some(log)) = (noted, self.key_log.get()) {
            let why = format!("{} can't be written: {error}", log.path().display());
            self.cancellation.cancel(CancelReason::TargetUnusable(why));
        }
    }

    /// Takes note of how long a plain answer took.
    pub fn note_latency(&self, elapsed: Duration) {
        self.slowest.fetch_max(micros(elapsed), Ordering::Relaxed);
    }

    pub(super) fn slowest_plain(&self) -> Duration {
        Duration::from_micros(self.slowest.load(Ordering::Relaxed))
    }

    /// Takes note of how long an answer to a small request took, whatever was asked.
    pub fn note_busy(&self, elapsed: Duration) {
        self.busiest.fetch_max(micros(elapsed), Ordering::Relaxed);
    }

    /// How long a server gets to finish a request that its client left: ten times its slowest plain answer, and as
    /// long where it has been slow with anything small, but then a second at most.
    #[must_use]
    pub fn left_alone(&self) -> Duration {
        let ten = |slowest: &AtomicU64| {
            Duration::from_micros(slowest.load(Ordering::Relaxed)).saturating_mul(10)
        };
        ten(&self.slowest).max(ten(&self.busiest).min(BUSY)).clamp(LEFT_ALONE.0, LEFT_ALONE.1)
    }

    /// How many requests a barrier may release together.
    #[must_use]
    pub fn at_once(&self) -> usize {
        self.at_once.load(Ordering::Relaxed).min(self.sender.pace.most_together())
    }

    /// The target answered with load to this number at once: half as many from now on, at least two.
    pub fn fewer_at_once(&self, released: usize) {
        self.at_once.fetch_min((released / 2).max(2), Ordering::Relaxed);
    }

    /// Lets those go on that wait for the end of the run.
    pub fn end(&self) {
        self.ending.send_replace(true);
    }

    /// Waits until [`Environment::end`] was called, or the run is ended before its end.
    pub async fn ended(&self) {
        let mut ending = self.ending.subscribe();
        tokio::select! {
            () = self.cancellation.cancelled() => {}
            // The sender lives as long as we do, so that waiting can't fail.
            _ = ending.wait_for(|ending| *ending) => {}
        }
    }

    /// Waits so long, or until the run is ended before its end.
    pub async fn pause(&self, time: Duration) {
        tokio::select! {
            () = self.cancellation.cancelled() => {}
            () = tokio::time::sleep(time) => {}
        }
    }

    /// A range of counts, within what the target takes.
    #[must_use]
    pub fn clamp(&self, span: Span) -> RangeInclusive<usize> {
        let limit = self.profile.limits.batch_items.unwrap_or(usize::MAX);
        span.low.min(limit)..=span.high.min(limit)
    }

    /// Host and port as a `Host` header has them.
    #[must_use]
    pub fn host(&self) -> String {
        self.sender.target.host()
    }
}

pub(super) fn micros(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX)
}
