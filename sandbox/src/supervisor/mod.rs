//! The supervisor: the process `assize-jail`, one per jail, single-threaded.
//!
//! It keeps the host's side: control groups, timers, pipes, the decision to
//! kill. The zygote it clones has the jail's side. It ends, and everything in
//! the jail with it, when the worker closes the socket, however that happens.

mod idleness;
mod inheritance;
mod outcome;
mod own_time;
mod pump;
mod request;
mod room;
mod run;
mod setup;
mod stage;
mod state;
mod timer;

use crate::protocol::{Channel, Failure, Report, ToSupervisor};
use crate::sys::descriptor;
use pump::Buffer;
use setup::Setup;
use std::io::ErrorKind;
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

/// The life of `assize-jail`. Its standard input is the worker's socket.
pub fn serve() -> ExitCode {
    let worker = Channel::new(descriptor::take_stdin());
    // A pipe that the worker forgot to close on exec would be held open here.
    let closed = descriptor::close_from(3).map_err(Failure::step("close inherited descriptors"));
    match closed.and_then(|()| receive_and_serve(&worker)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody is left to be told when this fails too.
            let told = worker.send(&Report::Failed(failure), &[]);
            ExitCode::from(if told.is_ok() { 1 } else { 2 })
        }
    }
}

fn receive_and_serve(worker: &Channel) -> Result<(), Failure> {
    let received = worker
        .receive()
        .map_err(Failure::step("receive the set-up request"))?;
    let Some((ToSupervisor::SetUp(request), descriptors)) = received else {
        return Ok(());
    };
    let mut setup = Setup::make(&request, descriptors)?;
    let served = reply(worker, &Report::Ready, &[]).and_then(|()| take_runs(worker, &mut setup));
    // Whatever happened, nothing of the jail is left.
    setup.end().and(served)
}

fn take_runs(worker: &Channel, setup: &mut Setup) -> Result<(), Failure> {
    let mut buffer = Buffer::new();
    loop {
        let received = match worker.receive() {
            // Whoever asks is of another version, and can be told.
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                let problem = format!("not an order: {error}");
                reply(
                    worker,
                    &Report::Failed(Failure::InvalidSpec { problem }),
                    &[],
                )?;
                continue;
            }
            other => other.map_err(Failure::step("receive a run"))?,
        };
        let Some((ToSupervisor::Run(order), descriptors)) = received else {
            return Ok(());
        };
        match run::run(setup, worker, &mut buffer, *order, descriptors) {
            Ok(run::Done::Facts {
                facts,
                collected,
                contents,
            }) => {
                let report = Report::Done { facts, collected };
                reply(worker, &report, &contents)?;
            }
            Ok(run::Done::WorkerGone) => return Ok(()),
            Err(failure) if failure.spares_jail() => reply(worker, &Report::Failed(failure), &[])?,
            Err(failure) => return Err(failure),
        }
        setup.home.settle()?;
    }
}

fn reply(worker: &Channel, report: &Report, descriptors: &[OwnedFd]) -> Result<(), Failure> {
    let borrowed: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
    worker
        .send(report, &borrowed)
        .map_err(Failure::step("answer the worker"))
}
