//! What worker, supervisor, zygote and init say to each other: one JSON
//! message at a time over SOCK_SEQPACKET, descriptors beside it.

mod channel;
mod descriptors;
mod message;

pub(crate) use channel::Channel;
pub(crate) use descriptors::Descriptors;
pub(crate) use message::{
    Failure, FileRequest, FromJail, Order, Report, SetupRequest, SinkRequest, ToSupervisor,
};
