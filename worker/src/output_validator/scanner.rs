//! A window on a stream that slides forward in bounded memory.

use std::io::{self, Read};

/// White space, as the format defines it.
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\x0c' | b'\n' | b'\r' | b'\t' | b'\x0b')
}

/// Reads a stream through a buffer of fixed size and knows where it is.
#[derive(Debug)]
pub(super) struct Scanner<R> {
    reader: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    at_end_of_stream: bool,
    /// Of the next byte, counted from 1.
    pub(super) line: u64,
    /// Of the next byte, counted from 0.
    pub(super) offset: u64,
}

impl<R: Read> Scanner<R> {
    pub(super) fn new(reader: R, capacity: usize) -> Self {
        Self {
            reader,
            buffer: vec![0; capacity].into(),
            start: 0,
            end: 0,
            at_end_of_stream: false,
            line: 1,
            offset: 0,
        }
    }

    /// Reads on until the window holds at least `wanted` bytes or the stream
    /// ends. `wanted` is at most the capacity.
    pub(super) fn ensure(&mut self, wanted: usize) -> io::Result<()> {
        if self.end - self.start >= wanted || self.at_end_of_stream {
            return Ok(());
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < wanted && !self.at_end_of_stream {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.at_end_of_stream = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The bytes at hand.
    pub(super) fn window(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The bytes at hand up to the next white space, and whether the token ends there.
    pub(super) fn token(&self) -> (&[u8], bool) {
        let window = self.window();
        match window.iter().position(|byte| is_space(*byte)) {
            Some(length) => (&window[..length], true),
            None => (window, self.at_end_of_stream),
        }
    }

    /// Goes forward. `lines` is the number of line ends among these bytes.
    pub(super) fn advance(&mut self, bytes: usize, lines: u64) {
        self.start += bytes;
        self.offset += bytes as u64;
        self.line += lines;
    }

    /// Goes past white space.
    pub(super) fn skip_spaces(&mut self) -> io::Result<()> {
        loop {
            self.ensure(1)?;
            let window = self.window();
            if window.is_empty() {
                return Ok(());
            }
            let spaces = window
                .iter()
                .position(|byte| !is_space(*byte))
                .unwrap_or(window.len());
            if spaces == 0 {
                return Ok(());
            }
            self.advance(spaces, count_lines(&window[..spaces]));
        }
    }
}

/// The number of line ends among `bytes`.
pub(super) fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
