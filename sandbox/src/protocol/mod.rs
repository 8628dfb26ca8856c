//! What worker, supervisor, zygote and stage say to each other: one JSON
//! message at a time over SOCK_SEQPACKET, descriptors beside it.

mod channel;
mod descriptors;
mod message;
mod shape;

pub(crate) use channel::Channel;
pub(crate) use descriptors::Descriptors;
pub(crate) use message::{
    Failure, FileRequest, FromStage, FromZygote, Order, Report, SetupRequest, SinkRequest,
    ToSupervisor,
};
pub(crate) use shape::{Shape, Shown, TopLevel};
