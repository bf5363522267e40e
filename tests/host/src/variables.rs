//! Spin's `variables` interface, over the variables of the manifest.

use crate::program::bindings::spin::variables::variables;
use crate::program::{Data, Spin};
use wasmtime::component::Accessor;

impl variables::Host for &mut Data {}

impl<T: Send> variables::HostWithStore<T> for Spin {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> wasmtime::Result<Result<String, variables::Error>> {
        let value = accessor.with(|mut access| access.get().component.variables.get(&name).cloned());
        Ok(value.ok_or_else(|| variables::Error::Undefined(format!("no variable for {name:?}"))))
    }
}
