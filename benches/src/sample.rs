//! One measurement of one row.

use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;

use crate::load;
use crate::server::Server;
use crate::stats::percentile;
use crate::work::Case;

/// What one load told.
pub(crate) struct Sample {
    /// Processor time of all the server's processes for a request, in milliseconds.
    pub(crate) processor: f64,
    /// Requests per second.
    pub(crate) rate: f64,
    /// The time that half of the answers took at most, in milliseconds.
    pub(crate) p50: f64,
    /// The time that 99 % of the answers took at most, in milliseconds.
    pub(crate) p99: f64,
    /// Page faults of the server's processes for a request.
    pub(crate) faults: f64,
}

/// After the last answer a server still writes its log and cleans up: that belongs to the request.
const SETTLE: Duration = Duration::from_millis(10);

pub(crate) fn take(
    server: &Server,
    case: &Case,
    connections: u16,
    duration: Duration,
) -> Result<Sample> {
    let faults = server.group.page_faults()?;
    let processor = server.group.processor_time()?;
    let load = load::apply(server, case, connections, duration)?;
    sleep(SETTLE);
    let processor = server.group.processor_time()? - processor;
    let faults = server.group.page_faults()?.saturating_sub(faults);
    let requests = load.times.len() as f64;
    Ok(Sample {
        processor: milliseconds(processor) / requests,
        rate: requests / load.elapsed.as_secs_f64(),
        p50: milliseconds(percentile(&load.times, 50)),
        p99: milliseconds(percentile(&load.times, 99)),
        faults: faults as f64 / requests,
    })
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
