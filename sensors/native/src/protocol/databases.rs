//! Databases by how they begin: who logs in, from which program, to which database; passwords only as seen.
//!
//! PostgreSQL (protocol 3.0, message formats), MySQL (client/server protocol, connection phase), Microsoft SQL Server
//! ([MS-TDS], 2.2.6.4 and 2.2.6.5).

mod mssql;
mod mysql;
mod postgres;

pub use mssql::PROTOCOL as MSSQL;
pub use mysql::PROTOCOL as MYSQL;
pub use postgres::PROTOCOL as POSTGRES;

/// Characters kept of a name.
const NAME_CHARACTERS: usize = 128;
