//! Makes many proofs: one lane for each processor, each with a runtime of its own.
//!
//! What a run allocates, its own lane frees, and its tasks wake nobody on another processor. It doesn't know what a
//! proof says.

use std::collections::VecDeque;
use std::error::Error;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use futures_util::StreamExt as _;

use super::{Proof, ProofRun, ProofSuite, prove};
use crate::session::locked;

/// Runs under way at once in each lane: many wait on purpose, and leave the processor to the others meanwhile.
const AT_ONCE: usize = 3;

type ProofError = Box<dyn Error + Send + Sync>;

/// Makes all `runs`, in whatever order, and hands each proof over as it is made, with its run's position.
///
/// # Errors
/// The first error of a run, of the system that gives no more threads, or of `take`.
pub fn prove_all(
    suite: &Arc<ProofSuite>,
    runs: &[ProofRun],
    seed: u64,
    mut take: impl FnMut(usize, Proof),
) -> Result<(), ProofError> {
    let mut queue: Vec<(usize, ProofRun)> = runs.iter().copied().enumerate().collect();
    // The longest go first, so that none is waited for alone at the end.
    queue.sort_by_key(|(_, run)| std::cmp::Reverse(run.length()));
    let queue = Arc::new(Mutex::new(VecDeque::from(queue)));
    let lanes = thread::available_parallelism().map_or(1, usize::from).min(runs.len());
    let (sender, proofs) = mpsc::channel();
    for _ in 0..lanes {
        // One worker; a fault that blocks it on purpose is given another one by the runtime.
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let (suite, queue, sender) = (Arc::clone(suite), Arc::clone(&queue), sender.clone());
        thread::Builder::new()
            .spawn(move || runtime.block_on(lane(&suite, &queue, seed, &sender)))?;
    }
    drop(sender);
    for (place, proof) in proofs {
        take(place, proof?);
    }
    Ok(())
}

/// Takes runs from the queue until it is empty, or nobody wants proofs any more.
async fn lane(
    suite: &Arc<ProofSuite>,
    queue: &Mutex<VecDeque<(usize, ProofRun)>>,
    seed: u64,
    sender: &mpsc::Sender<(usize, Result<Proof, ProofError>)>,
) {
    let next = || locked(queue).pop_front();
    let mut stream = futures_util::stream::iter(std::iter::from_fn(next))
        .map(|(place, run)| {
            let suite = Arc::clone(suite);
            let proof = tokio::spawn(async move { Box::pin(prove(&suite, run, seed)).await });
            async move { (place, proof.await.unwrap_or_else(|error| Err(error.into()))) }
        })
        .buffer_unordered(AT_ONCE);
    while let Some((place, proof)) = stream.next().await {
        if sender.send((place, proof)).is_err() {
            return;
        }
    }
}
