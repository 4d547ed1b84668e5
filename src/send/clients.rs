//! The clients of ordinary requests: which connections are used again. It knows no request and no answer.

use std::sync::RwLock;
use std::time::Duration;

use rustls::ClientConfig;

use super::proxy::Proxy;
use super::{SendError, SendOptions, head};

/// Two clients: one that keeps connections, one that never uses a connection twice.
pub(super) struct Clients {
    /// None once the target turned out to take no more connections.
    pooled: RwLock<Option<reqwest::Client>>,
    fresh: reqwest::Client,
    recipe: Recipe,
}

/// What the clients are made of.
struct Recipe {
    connect: Duration,
    /// How many idle connections are kept: a race opens many at once, and targets limit connections.
    idle: usize,
    tls: ClientConfig,
    proxy: Option<reqwest::Proxy>,
    http_2: bool,
}

impl Recipe {
    fn client(&self, pooled: bool) -> Result<reqwest::Client, SendError> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(self.connect)
            .tcp_nodelay(true)
            .referer(false)
            .user_agent(head::USER_AGENT)
            .no_proxy()
            .tls_backend_preconfigured(self.tls.clone())
            .pool_max_idle_per_host(if pooled { self.idle } else { 0 });
        builder = if self.http_2 { builder.http2_prior_knowledge() } else { builder.http1_only() };
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(proxy.clone());
        }
        builder.build().map_err(|e| SendError::Client(format!("the HTTP client: {e}")))
    }
}

impl Clients {
    /// Clients that share `tls`, and speak HTTP/2 alone or HTTP/1.1 alone.
    ///
    /// # Errors
    /// [`SendError::Client`] where they can't be made.
    pub fn new(
        options: &SendOptions,
        tls: &ClientConfig,
        proxy: Option<&Proxy>,
        http_2: bool,
    ) -> Result<Clients, SendError> {
        let recipe = Recipe {
            connect: options.connect,
            idle: options.connections,
            tls: tls.clone(),
            proxy: proxy.map(Proxy::for_requests).transpose()?,
            http_2,
        };
        let pooled = RwLock::new(Some(recipe.client(true)?));
        Ok(Clients { pooled, fresh: recipe.client(false)?, recipe })
    }

    /// The one that never uses a connection twice where `fresh`, the other one else.
    pub fn of(&self, fresh: bool) -> reqwest::Client {
        let pooled = if fresh { None } else { self.pooled.read().ok().and_then(|p| p.clone()) };
        pooled.unwrap_or_else(|| self.fresh.clone())
    }

    /// Closes what is idle, and keeps no connection from now on.
    pub fn close_after_answers(&self) {
        if let Ok(mut pooled) = self.pooled.write() {
            *pooled = None;
        }
    }

    /// Uses no connection again that was opened before.
    ///
    /// hyper sends HTTP/1.0 on a connection that once answered so, where a body in chunks loses its framing.
    pub fn forget_connections(&self) {
        if let Ok(mut pooled) = self.pooled.write()
            && pooled.is_some()
        {
            *pooled = self.recipe.client(true).ok();
        }
    }
}
