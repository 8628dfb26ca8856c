//! What worker, supervisor, zygote and stage say to each other: one JSON
//! message at a time over SOCK_SEQPACKET, descriptors beside it.

mod channel;
mod descriptors;
mod message;

pub(crate) use channel::Channel;
pub(crate) use descriptors::Descriptors;
pub(crate) use message::{
    Failure, FileRequest, FromStage, FromZygote, Order, Report, SetupRequest, Shape, SinkRequest,
    ToSupervisor,
};
