//! The stacks of a host: how many instances may live at once, as in Spin's pool.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::{Result, format_err};

/// The stacks that all instances of a host share.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Semaphore>);

/// The stacks of one instance: one, or two once it has had a stream.
pub(crate) struct Stacks {
    pool: Pool,
    _first: OwnedSemaphorePermit,
    second: Mutex<Option<OwnedSemaphorePermit>>,
}

/// The stacks of the instance that has taken a request; empty until one has.
pub(crate) type Taken = Arc<OnceLock<Arc<Stacks>>>;

impl Pool {
    pub(crate) fn new(stacks: usize) -> Self {
        Self(Arc::new(Semaphore::new(stacks.min(Semaphore::MAX_PERMITS))))
    }

    /// The stacks of a new instance. Fails if none is left.
    pub(crate) fn instance(&self) -> Result<Stacks> {
        Ok(Stacks {
            pool: self.clone(),
            _first: self.take()?,
            second: Mutex::default(),
        })
    }

    fn take(&self) -> Result<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.0).try_acquire_owned();
        permit.map_err(|_| format_err!("no stack is left in the pool"))
    }
}

impl Stacks {
    /// Takes the second stack of an instance that has a stream, unless it has one already. Fails if none is left.
    pub(crate) fn stream(&self) -> Result<()> {
        let mut second = self.second.lock().unwrap_or_else(PoisonError::into_inner);
        if second.is_none() {
            *second = Some(self.pool.take()?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_has_one_stack_and_with_streams_two() {
        let pool = Pool::new(3);
        let one = pool.instance().unwrap();
        let other = pool.instance().unwrap();
        one.stream().unwrap();
        one.stream().unwrap();
        assert!(other.stream().is_err() && pool.instance().is_err());
        drop(one);
        other.stream().unwrap();
        pool.instance().unwrap();
    }
}
