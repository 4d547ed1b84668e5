//! One execution of a case: composes, sends, and gathers what the rules will look at.

use std::sync::Arc;

use super::sending::exchange;
use super::{
    Execution, SelectedCase, case_seed, generated, is_streamed, reading, streamed, written,
};
use crate::compose::{self, ComposedRequest};
use crate::contract::FileError;
use crate::generate::sequence;
use crate::session::Environment;

/// Runs `selected` for the `run`th time.
///
/// # Errors
/// A [`FileError`] where a file that the case names can't be used.
pub async fn execute(
    environment: &Arc<Environment>,
    selected: &SelectedCase,
    run: u64,
    seed: u64,
) -> Result<Execution, FileError> {
    let seed = case_seed(seed, &selected.case.id, run);
    let mut execution = Execution::default();
    if let Some((generate, steps)) =
        selected.case.spec.generate.as_ref().and_then(|g| Some((g, g.steps?)))
    {
        let items = environment.clamp(generate.items);
        let mut memory = compose::SequenceMemory::default();
        for (number, turn) in sequence(seed, steps.range(), items).iter().enumerate() {
            let ComposedRequest { request, body } = compose::next(environment, &mut memory, turn);
            exchange(environment, &mut execution, &format!("step {}", number + 1), request, body)
                .await;
        }
    } else if let Some(generate) =
        selected.case.spec.generate.as_ref().filter(|g| is_streamed(environment, g))
    {
        execution = streamed::execute(environment, selected, generate, seed).await;
    } else if selected.case.spec.generate.is_some() {
        generated::execute(environment, selected, run, seed, &mut execution).await;
    } else {
        written::execute(environment, selected, run, seed, &mut execution).await?;
    }
    if let Some(most) = selected.case.spec.read_back
        && !execution.cut
        && execution.streamed.is_none()
    {
        reading::read_back(environment, &mut execution, most).await;
    }
    Ok(execution)
}
