//! A link that can fail in all ways that links do, frame by frame: cut, reset,
//! silent in one direction, slow, garbled, or stopped at a point of our choice
//! while something is done to the daemon behind it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{oneshot, watch};

use super::frame::{self, Direction, Framer, Point, Protocol};

/// Where a link leads; of several the first that answers.
#[derive(Debug, Clone)]
pub(super) enum Target {
    Tcp(Vec<SocketAddr>),
    Unix(PathBuf),
}

/// How frames get through in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Flow {
    #[default]
    Open,
    /// Nothing gets through, and nobody is told.
    Held,
    /// Each frame takes this long.
    Slow(Duration),
}

/// How a link is at the moment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Weather {
    pub(super) to_server: Flow,
    pub(super) to_client: Flow,
    /// New connections are closed at once.
    pub(super) refuses: bool,
}

/// A listening link.
#[derive(Debug, Clone)]
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    protocol: Protocol,
    target: Target,
    weather: watch::Sender<Weather>,
    cuts: watch::Sender<u32>,
    /// Whether cut connections end with a reset.
    resets: AtomicBool,
    /// After so many frames the next one is cut in two, and its connection with it; 0 is never.
    frames_left: AtomicU32,
    /// So many more messages are made unreadable.
    garbles: AtomicU32,
    trap: Mutex<Option<Trap>>,
    /// How many connections there were.
    connections: AtomicU32,
    /// The latest messages sent to the server.
    sent: Mutex<Vec<Vec<u8>>>,
}

/// How many sent messages are remembered.
const REMEMBERED: usize = 64;

/// Points that are to come one after the other; at the last one the link stops.
#[derive(Debug)]
struct Trap {
    points: Vec<Point>,
    /// Where the latest of them was.
    latest: Option<Place>,
    sprung: oneshot::Sender<Sprung>,
}

/// A channel of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    connection: u32,
    channel: u16,
}

/// A link that stands still at a point. Dropping this ends the connection
/// without the frame; otherwise the frame goes on.
#[derive(Debug)]
pub(super) struct Sprung(oneshot::Sender<()>);

impl Sprung {
    /// Lets the frame go on.
    pub(super) fn go_on(self) {
        // The connection may be gone meanwhile.
        let _gone = self.0.send(());
    }
}

impl Proxy {
    pub(super) async fn start(protocol: Protocol, target: Target) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shared = Arc::new(Shared {
            protocol,
            target,
            weather: watch::channel(Weather::default()).0,
            cuts: watch::channel(0).0,
            resets: AtomicBool::new(false),
            frames_left: AtomicU32::new(0),
            garbles: AtomicU32::new(0),
            trap: Mutex::new(None),
            connections: AtomicU32::new(0),
            sent: Mutex::default(),
        });
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            shared: Arc::clone(&shared),
        };
        tokio::spawn(async move {
            loop {
                // Too many open files is the only way to fail, and passes.
                if let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(Arc::clone(&shared).carry(client));
                }
            }
        });
        proxy
    }

    /// Changes the weather of connections that are and that come.
    pub(super) fn weather(&self, weather: Weather) {
        self.shared.weather.send_replace(weather);
    }

    /// Ends all connections, with a reset if wanted.
    pub(super) fn cut(&self, reset: bool) {
        self.shared.resets.store(reset, Ordering::Relaxed);
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Cuts the connection that carries the frame after the next `frames` ones, in the middle of it.
    pub(super) fn cut_after(&self, frames: u32) {
        self.shared.frames_left.store(frames, Ordering::Relaxed);
    }

    /// Makes the next messages unreadable.
    pub(super) fn garble(&self, messages: u32) {
        self.shared.garbles.store(messages, Ordering::Relaxed);
    }

    /// How many messages are still to be made unreadable; none will be from now on.
    pub(super) fn stop_garbling(&self) -> u32 {
        self.shared.garbles.swap(0, Ordering::Relaxed)
    }

    /// Waits until these points came one after the other and stops there; the
    /// connection ends at once when this is given up.
    pub(super) async fn stop_at(&self, points: &[Point]) -> Sprung {
        let (sprung, springing) = oneshot::channel();
        let trap = Trap {
            points: points.to_vec(),
            latest: None,
            sprung,
        };
        *self.shared.trap.lock().unwrap() = Some(trap);
        match springing.await {
            Ok(sprung) => sprung,
            // Another one was set.
            Err(_) => std::future::pending().await,
        }
    }

    /// The latest messages that went to the server, the oldest first.
    pub(super) fn sent(&self) -> Vec<Vec<u8>> {
        self.shared.sent.lock().unwrap().clone()
    }
}

impl Shared {
    async fn carry(self: Arc<Self>, client: TcpStream) {
        let mut cuts = self.cuts.subscribe();
        if self.weather.borrow().refuses {
            return;
        }
        let Some((server_out, server_in)) = self.connect().await else {
            return;
        };
        // Each frame at once, as daemons send them.
        let _best_effort = client.set_nodelay(true);
        let (client_out, mut client_in) = client.into_split();
        let connection = self.connections.fetch_add(1, Ordering::Relaxed);
        tokio::select! {
            _ = self.pump(client_out, server_in, Direction::ToServer, connection) => {}
            _ = self.pump(server_out, &mut client_in, Direction::ToClient, connection) => {}
            _ = cuts.changed() => {}
        }
        if self.resets.load(Ordering::Relaxed) {
            let _best_effort = client_in.as_ref().set_zero_linger();
        }
    }

    async fn connect(&self) -> Option<(Box<Reader>, Box<Writer>)> {
        match &self.target {
            Target::Unix(path) => {
                let (out, into) = UnixStream::connect(path).await.ok()?.into_split();
                Some((Box::new(out), Box::new(into)))
            }
            Target::Tcp(addresses) => {
                for address in addresses {
                    if let Ok(stream) = TcpStream::connect(address).await {
                        let _best_effort = stream.set_nodelay(true);
                        let (out, into) = stream.into_split();
                        return Some((Box::new(out), Box::new(into)));
                    }
                }
                None
            }
        }
    }

    async fn pump(
        &self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
        direction: Direction,
        connection: u32,
    ) -> io::Result<()> {
        let mut framer = Framer::new(self.protocol, direction);
        let mut chunk = vec![0; 16 * 1024];
        let mut weather = self.weather.subscribe();
        loop {
            let read = from.read(&mut chunk).await?;
            if read == 0 {
                return Ok(());
            }
            framer.push(&chunk[..read]);
            while let Some(mut frame) = framer.next() {
                pass(&mut weather, direction).await;
                let place = Place {
                    connection,
                    channel: framer.channel(&frame),
                };
                if !self.springs(framer.point(&frame), place).await {
                    return Ok(());
                }
                self.remember_and_garble(&mut frame, direction);
                let counted =
                    self.frames_left
                        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                            left.checked_sub(1)
                        });
                if counted == Ok(1) {
                    to.write_all(&frame[..frame.len() / 2]).await?;
                    return to.flush().await;
                }
                to.write_all(&frame).await?;
            }
        }
    }

    fn remember_and_garble(&self, frame: &mut [u8], direction: Direction) {
        let wanted = match self.protocol {
            Protocol::Http => Direction::ToClient,
            Protocol::Amqp | Protocol::Postgres => Direction::ToServer,
        };
        if direction != wanted {
            return;
        }
        if self.garbles.load(Ordering::Relaxed) > 0 && frame::garble(frame, self.protocol) {
            self.garbles.fetch_sub(1, Ordering::Relaxed);
        } else if self.protocol == Protocol::Amqp
            && let Some(message) = frame::message(frame)
            && !frame::is_echo(message)
        {
            let mut sent = self.sent.lock().unwrap();
            if sent.len() == REMEMBERED {
                sent.remove(0);
            }
            sent.push(message.to_vec());
        }
    }

    /// Whether a frame goes on, after the trap that it may have sprung.
    async fn springs(&self, point: Option<Point>, place: Place) -> bool {
        let Some(point) = point else { return true };
        let trap = {
            let mut slot = self.trap.lock().unwrap();
            let Some(trap) = slot.as_mut() else {
                return true;
            };
            // A confirm is of what was published on its channel, whatever others publish.
            let of_another =
                point == Point::Confirmed && trap.latest.is_some_and(|latest| latest != place);
            if trap.points.first() != Some(&point) || of_another {
                return true;
            }
            trap.latest = Some(place);
            trap.points.remove(0);
            if !trap.points.is_empty() {
                return true;
            }
            slot.take()
        };
        let Some(trap) = trap else { return true };
        let (go_on, going_on) = oneshot::channel();
        // Or nobody waits for it any more.
        trap.sprung.send(Sprung(go_on)).is_err() || going_on.await.is_ok()
    }
}

type Reader = dyn AsyncRead + Unpin + Send;
type Writer = dyn AsyncWrite + Unpin + Send;

/// Waits until a frame may pass.
async fn pass(weather: &mut watch::Receiver<Weather>, direction: Direction) {
    loop {
        let now = *weather.borrow_and_update();
        let flow = match direction {
            Direction::ToServer => now.to_server,
            Direction::ToClient => now.to_client,
        };
        match flow {
            Flow::Open => return,
            Flow::Slow(delay) => return tokio::time::sleep(delay).await,
            // The sender lives as long as the link.
            Flow::Held => drop(weather.changed().await),
        }
    }
}
