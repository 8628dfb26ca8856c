//! The jail against real kernels: ordinary programs and hostile ones.
//! Needs root, as the sandbox does.

mod harness;
mod outcomes;
mod tracer;
