//! The problem package: model and reader.
