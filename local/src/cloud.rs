//! A cloud in this process: started, asked, changed, and gone when dropped.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::credentials::{SECRET, administrator};
use crate::faults::Faults;
use crate::front::Front;
use crate::log::CallLog;
use crate::options::Options;
use crate::persistence;
use crate::server;
use crate::ses::SesCloud;
use crate::world::World;

/// Why a cloud could not start or keep its data.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// The port cannot be had.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// Why not.
        source: io::Error,
    },
    /// The machine does not let a program run.
    #[error("cannot start: {0}")]
    Runtime(io::Error),
    /// The data of earlier runs cannot be cleared.
    #[error("cannot clear {}: {source}", path.display())]
    Reset {
        /// Where the data is.
        path: std::path::PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The data of earlier runs cannot be read or written.
    #[error(transparent)]
    Data(#[from] persistence::DataError),
}

/// A running cloud. It ends when this is dropped; what is to outlive it must be kept with [`Cloud::save`] before.
pub struct Cloud {
    front: Arc<Front>,
    server: JoinHandle<std::convert::Infallible>,
}

impl Cloud {
    /// Starts a cloud with the data of earlier runs, if it is told where they are.
    pub async fn start(options: Options) -> Result<Self, CloudError> {
        let (listener, endpoint) = listen(options.port).await?;
        let data = options.data.clone();
        let world = World::new(options, &endpoint);
        if let Some(data) = data {
            persistence::load(&world, &data)?;
        }
        Ok(Self::over(listener, world))
    }

    /// Starts another cloud that begins as this one is now, faults and log aside, and goes its own way from then on.
    pub async fn fork(&self) -> Result<Self, CloudError> {
        let (listener, endpoint) = listen(0).await?;
        Ok(Self::over(listener, self.front.world.fork(&endpoint)))
    }

    fn over(listener: TcpListener, world: World) -> Self {
        let front = Arc::new(Front::new(Arc::new(world)));
        let server = tokio::spawn(server::serve(listener, Arc::clone(&front)));
        Self { front, server }
    }

    /// Where it answers, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.front.world.endpoint
    }

    /// The access key and secret of an account's administrator.
    #[must_use]
    pub fn administrator(account: &str) -> (String, &'static str) {
        (administrator(account), SECRET)
    }

    /// Which calls were made.
    #[must_use]
    pub fn calls(&self) -> CallLog {
        self.front.log.clone()
    }

    /// What is to go wrong.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.front.faults
    }

    /// Everything the services know, to look at or to prepare without a call.
    #[must_use]
    pub fn world(&self) -> &Arc<World> {
        &self.front.world
    }

    /// SES, with what only its own staff and the owners of addresses can do.
    #[must_use]
    pub fn ses(&self) -> SesCloud {
        SesCloud::over(&self.front.world)
    }

    /// Changes how it behaves from now on.
    pub fn change(&self, change: impl FnOnce(&mut Options)) {
        change(&mut self.front.world.options.write());
    }

    /// Lets time pass at once.
    pub fn advance(&self, by: Duration) {
        self.front.world.clock.advance(by);
    }

    /// Keeps the data where the options say; nowhere if they say nothing.
    pub fn save(&self) -> Result<(), CloudError> {
        let data = self.front.world.options.read().data.clone();
        if let Some(data) = data {
            persistence::save(&self.front.world, &data)?;
        }
        Ok(())
    }
}

async fn listen(port: u16) -> Result<(TcpListener, String), CloudError> {
    let failed = |source| CloudError::Listen { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
    let endpoint = format!("http://{}", listener.local_addr().map_err(failed)?);
    Ok((listener, endpoint))
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.server.abort();
    }
}
