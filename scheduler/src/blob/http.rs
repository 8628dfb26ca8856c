//! HTTP to a bucket: TLS by rustls and ring as for RabbitMQ, and no wait without end.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http_body_util::BodyExt as _;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use object_store::client::{
    self, ClientConfigKey, ClientOptions, HttpClient, HttpError, HttpErrorKind, HttpRequest,
    HttpRequestBody, HttpResponse, HttpResponseBody, HttpService,
};
use tower_http::timeout::TimeoutBody;

const CONNECT: Duration = Duration::from_secs(5);
/// From a request's start to its answer's: a part of an upload has some megabytes.
const ANSWER: Duration = Duration::from_secs(15);
/// Between two pieces of an answer.
const PIECE: Duration = Duration::from_secs(15);

/// Makes clients for a bucket.
#[derive(Debug)]
pub(super) struct Http;

impl client::HttpConnector for Http {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let unusable = |source: std::io::Error| object_store::Error::Generic {
            store: "S3",
            source: Box::new(source),
        };
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        let builder = HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(unusable)?;
        let allows_http = options.get_config_value(&ClientConfigKey::AllowHttp);
        let builder = if allows_http.is_some_and(|value| value == "true") {
            builder.https_or_http()
        } else {
            builder.https_only()
        };
        let connector = builder.enable_http1().wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(HttpClient::new(Service(client)))
    }
}

struct Service(Client<HttpsConnector<HttpConnector>, HttpRequestBody>);

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service")
    }
}

impl HttpService for Service {
    fn call<'service, 'call>(
        &'service self,
        request: HttpRequest,
    ) -> BoxFuture<'call, Result<HttpResponse, HttpError>>
    where
        'service: 'call,
        Self: 'call,
    {
        Box::pin(async move {
            let answer = tokio::time::timeout(ANSWER, self.0.request(request));
            let answer = answer
                .await
                .map_err(|late| HttpError::new(HttpErrorKind::Timeout, late))?;
            let answer = answer.map_err(|error| {
                let kind = if error.is_connect() {
                    HttpErrorKind::Connect
                } else {
                    HttpErrorKind::Interrupted
                };
                HttpError::new(kind, error)
            })?;
            Ok(answer.map(|body| {
                let broken = |error| HttpError::new_boxed(HttpErrorKind::Interrupted, error);
                HttpResponseBody::new(TimeoutBody::new(PIECE, body).map_err(broken))
            }))
        })
    }
}
