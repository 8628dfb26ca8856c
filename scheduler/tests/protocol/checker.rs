//! Visits every state that a model can reach, and then asks of each whether the
//! way to the end is still open.

use std::collections::{HashMap, VecDeque};

use crate::model::{Model, Phase, State, Step};

/// What is wrong, with the steps that lead there.
#[derive(Debug)]
pub(crate) enum Finding {
    /// A state from which, though nothing fails any more, no verdict comes about.
    Lost(#[expect(dead_code, reason = "shown when a test fails")] Vec<Step>),
    /// A result counted twice.
    Doubled(#[expect(dead_code, reason = "shown when a test fails")] Vec<Step>),
    /// A result of another than the current attempt counted.
    Stale(#[expect(dead_code, reason = "shown when a test fails")] Vec<Step>),
}

/// Returns how many states there are, all of them sound.
pub(crate) fn check(model: &Model) -> Result<usize, Finding> {
    let mut states = vec![State::new()];
    let mut numbers = HashMap::from([(State::new(), 0)]);
    // How each state was first reached, for the story.
    let mut origins: Vec<Option<(usize, Step)>> = vec![None];
    // For each state, those that a step without a fault leads from.
    let mut sound_origins: Vec<Vec<usize>> = vec![Vec::new()];
    let mut waiting = VecDeque::from([0]);
    while let Some(number) = waiting.pop_front() {
        let state = states[number].clone();
        if state.results > 1 {
            return Err(Finding::Doubled(story(&origins, number)));
        }
        if state.decided_by.is_some_and(|by| by != state.attempt) {
            return Err(Finding::Stale(story(&origins, number)));
        }
        for (step, next) in model.steps(&state) {
            let next_number = *numbers.entry(next.clone()).or_insert_with(|| {
                states.push(next);
                origins.push(Some((number, step)));
                sound_origins.push(Vec::new());
                waiting.push_back(states.len() - 1);
                states.len() - 1
            });
            if !step.is_fault() {
                sound_origins[next_number].push(number);
            }
        }
    }
    match lost(&states, &sound_origins) {
        Some(number) => Err(Finding::Lost(story(&origins, number))),
        None => Ok(states.len()),
    }
}

/// A state from which the end can't be reached without a fault, if there is one.
/// Steps without faults never undo what a submission needs, so that a way which
/// exists is also found by a system that tries everything again and again.
fn lost(states: &[State], sound_origins: &[Vec<usize>]) -> Option<usize> {
    let mut judged: Vec<bool> = states
        .iter()
        .map(|state| state.phase == Phase::Over)
        .collect();
    let mut waiting: Vec<usize> = (0..states.len()).filter(|number| judged[*number]).collect();
    while let Some(number) = waiting.pop() {
        for origin in &sound_origins[number] {
            if !judged[*origin] {
                judged[*origin] = true;
                waiting.push(*origin);
            }
        }
    }
    judged.iter().position(|judged| !judged)
}

fn story(origins: &[Option<(usize, Step)>], mut number: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    while let Some((origin, step)) = origins[number] {
        steps.push(step);
        number = origin;
    }
    steps.reverse();
    steps
}
