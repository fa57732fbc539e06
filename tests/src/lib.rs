//! What the end-to-end tests, the checks and the demo have in common: histories, and whole installations to play them to.

pub mod chaos;
pub mod compose;
pub mod dashboards;
pub mod database;
pub mod demo;
pub mod exported;
pub mod fetched;
pub mod freshness;
pub mod git;
pub mod govuk;
pub mod history;
pub mod installation;
pub mod lag;
pub mod payloads;
pub mod prometheus;
pub mod repository;
pub mod rollups;
pub mod shifts;
pub mod verify;
