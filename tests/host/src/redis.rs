//! Spin's `redis` interface, over the Redis client that Spin itself uses.

use crate::program::bindings::spin::redis::redis::{
    Error, Host, HostConnection, HostConnectionWithStore, RedisParameter, RedisResult,
};
use crate::program::{Data, Spin};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, ErrorKind, FromRedisValue, Value, cmd};
use url::Url;
use wasmtime::Result as HostResult;
use wasmtime::component::{Accessor, Resource};

/// An open connection. Clones share it, and it can carry many commands at once.
type Connection = MultiplexedConnection;

impl Host for &mut Data {}

impl HostConnection for &mut Data {
    fn drop(&mut self, connection: Resource<Connection>) -> HostResult<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

/// Sends a command on the component's connection, and waits for the reply without a timeout.
async fn query<T: Send, R: FromRedisValue>(
    accessor: &Accessor<T, Spin>,
    connection: &Resource<Connection>,
    command: &Cmd,
) -> HostResult<Result<R, Error>> {
    let mut connection = accessor.with(|mut access| access.get().table.get(connection).cloned())?;
    Ok(command
        .query_async(&mut connection)
        .await
        .map_err(|error| Error::Other(error.to_string())))
}

impl<T: Send> HostConnectionWithStore<T> for Spin {
    async fn open(accessor: &Accessor<T, Self>, address: String) -> HostResult<Result<Resource<Connection>, Error>> {
        let component = accessor.with(|mut access| access.get().component.clone());
        match Url::parse(&address).map_or(Ok(false), |address| component.allows(&address)) {
            Ok(true) => {}
            Ok(false) => return Ok(Err(Error::InvalidAddress)),
            Err(why) => return Ok(Err(Error::Other(why))),
        }
        let Ok(client) = redis::Client::open(address) else {
            return Ok(Err(Error::InvalidAddress));
        };
        match client.get_multiplexed_async_connection().await {
            Ok(connection) => Ok(Ok(accessor.with(|mut access| access.get().table.push(connection))?)),
            Err(error) => Ok(Err(Error::Other(error.to_string()))),
        }
    }

    async fn publish(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        channel: String,
        payload: Vec<u8>,
    ) -> HostResult<Result<(), Error>> {
        query(accessor, &connection, cmd("PUBLISH").arg(channel).arg(payload)).await
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
    ) -> HostResult<Result<Option<Vec<u8>>, Error>> {
        query(accessor, &connection, cmd("GET").arg(key)).await
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
        value: Vec<u8>,
    ) -> HostResult<Result<(), Error>> {
        query(accessor, &connection, cmd("SET").arg(key).arg(value)).await
    }

    async fn incr(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
    ) -> HostResult<Result<i64, Error>> {
        query(accessor, &connection, cmd("INCR").arg(key)).await
    }

    async fn del(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        keys: Vec<String>,
    ) -> HostResult<Result<u32, Error>> {
        query(accessor, &connection, cmd("DEL").arg(keys)).await
    }

    async fn sadd(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> HostResult<Result<u32, Error>> {
        query(accessor, &connection, cmd("SADD").arg(key).arg(values)).await
    }

    async fn smembers(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
    ) -> HostResult<Result<Vec<String>, Error>> {
        query(accessor, &connection, cmd("SMEMBERS").arg(key)).await
    }

    async fn srem(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> HostResult<Result<u32, Error>> {
        query(accessor, &connection, cmd("SREM").arg(key).arg(values)).await
    }

    async fn execute(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        command: String,
        arguments: Vec<RedisParameter>,
    ) -> HostResult<Result<Vec<RedisResult>, Error>> {
        let mut command = cmd(&command);
        for argument in arguments {
            match argument {
                RedisParameter::Int64(number) => command.arg(number),
                RedisParameter::Binary(bytes) => command.arg(bytes),
            };
        }
        let Flattened(results) = match query(accessor, &connection, &command).await? {
            Ok(flattened) => flattened,
            Err(error) => return Ok(Err(error)),
        };
        Ok(Ok(results))
    }
}

/// A reply with its nested lists flattened, as components receive it from Spin.
#[derive(Debug)]
struct Flattened(Vec<RedisResult>);

impl FromRedisValue for Flattened {
    fn from_redis_value(value: &Value) -> redis::RedisResult<Self> {
        fn append(value: &Value, flat: &mut Vec<RedisResult>) -> redis::RedisResult<()> {
            let result = match value {
                Value::Nil => RedisResult::Nil,
                Value::Int(number) => RedisResult::Int64(*number),
                Value::Boolean(truth) => RedisResult::Int64(i64::from(*truth)),
                Value::BulkString(bytes) => RedisResult::Binary(bytes.clone()),
                Value::Double(number) => RedisResult::Binary(number.to_string().into_bytes()),
                Value::SimpleString(status) => RedisResult::Status(status.clone()),
                Value::Okay => RedisResult::Status("OK".into()),
                Value::Array(values) | Value::Set(values) => {
                    return values.iter().try_for_each(|value| append(value, flat));
                }
                other => {
                    let error = (
                        ErrorKind::TypeError,
                        "Could not convert Redis response",
                        format!("{other:?}"),
                    );
                    return Err(error.into());
                }
            };
            flat.push(result);
            Ok(())
        }
        let mut flat = Vec::new();
        append(value, &mut flat)?;
        Ok(Self(flat))
    }
}
