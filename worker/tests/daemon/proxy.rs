//! A way to RabbitMQ that can be cut.

use std::sync::Arc;

use assize_common::amqp::AmqpUrl;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

pub(crate) struct Proxy {
    pub(crate) url: AmqpUrl,
    cut: Arc<Notify>,
}

impl Proxy {
    pub(crate) async fn start(broker: &AmqpUrl) -> Self {
        let text = broker.reveal();
        let (login, rest) = text.rsplit_once('@').expect("a URL with user and password");
        let (address, vhost) = rest.split_once('/').unwrap_or((rest, "%2f"));
        let address = address.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{login}@{}/{vhost}", listener.local_addr().unwrap());
        let cut = Arc::new(Notify::new());
        let cutting = Arc::clone(&cut);
        tokio::spawn(async move {
            loop {
                let (mut inner, _) = listener.accept().await.unwrap();
                let (address, cutting) = (address.clone(), Arc::clone(&cutting));
                tokio::spawn(async move {
                    let mut outer = TcpStream::connect(address).await.unwrap();
                    let copying = tokio::io::copy_bidirectional(&mut inner, &mut outer);
                    tokio::select! {
                        _ = copying => {}
                        () = cutting.notified() => {}
                    }
                });
            }
        });
        Self {
            url: url.parse().unwrap(),
            cut,
        }
    }

    /// Breaks every connection off.
    pub(crate) fn cut(&self) {
        self.cut.notify_waiters();
    }
}
