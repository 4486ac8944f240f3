//! Standard streams of a guest: they call the host back, a web server or a command, on the thread that runs the guest.

use crate::engine::queue::Queue;
use crate::run::Limit;
use crate::run::budget::Budget;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes of output that are collected before they are passed on.
const OUTPUT_BUFFER: usize = 32 << 10;

/// Bytes of standard error that are passed on at a time: each may be a line of the log.
const ERROR_CHUNK: usize = 16 << 10;

/// Output of a guest that computes is passed on after this long.
const OUTPUT_PATIENCE: Duration = Duration::from_millis(100);

/// Where only the guest's writes pass output on, one after this long does: many small ones would cost too much.
const FLUSH_PAUSE: Duration = Duration::from_millis(10);

/// How often the server is asked whether the client is still there.
pub(crate) const CONNECTION_CHECK: Duration = Duration::from_millis(100);

/// Why the host ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    Limit(Limit),
    ServerStopping,
    ClientGone,
    BodyTooLarge,
    IoFailed,
}

/// The wall-clock time is over.
pub(crate) const DEADLINE: Stop = Stop::Limit(Limit::Time);

/// What a run does that is not computing, on its own or in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    Sleeping,
    ForTheBody,
    ForTheClient,
}

impl Stop {
    /// What ends the guest when it is returned to it. The reason itself is kept by [`RunIo`].
    pub(crate) fn into_trap(self) -> wasmtime::Error {
        wasmtime::Error::msg(format!("ended by the host: {self:?}"))
    }
}

/// What the web server, or a command, does for a run. Called on the thread that executes it, but for [`Host::is_connected`], and never
/// from two threads at a time.
pub trait Host: Send {
    /// Reads some of the request's body; 0 at its end. Gives up with the limit of time after `patience`; with zero it
    /// does not block.
    fn read(&mut self, buffer: &mut [u8], patience: Duration) -> Result<usize, Stop>;
    /// Takes all of `data`. With `flush` the client gets to see what there is (`data` may be empty).
    fn write(&mut self, data: &[u8], flush: bool, patience: Duration) -> Result<(), Stop>;
    /// Takes bytes of standard error, split anywhere.
    fn write_error(&mut self, data: &[u8], patience: Duration) -> Result<(), Stop>;
    /// Whether somebody waits for the response. Asked by the ticker as well.
    fn is_connected(&mut self) -> bool;
    /// Whether the streams are those of a command: output goes out as it is written, and standard error is no log.
    fn is_direct(&self) -> bool {
        false
    }
    /// Whether one of the standard streams (0, 1 or 2) is a terminal.
    fn is_terminal(&self, _stream: u32) -> bool {
        false
    }
}

/// The host of a run, as the ticker may ask it meanwhile.
#[derive(Clone)]
pub(crate) struct Client(Arc<Shared>);

struct Shared {
    host: Mutex<Box<dyn Host>>,
    is_owed: AtomicBool,
}

impl Client {
    fn new(host: Box<dyn Host>) -> Self {
        Client(Arc::new(Shared {
            host: Mutex::new(host),
            is_owed: AtomicBool::new(false),
        }))
    }

    pub(crate) fn host(&self) -> MutexGuard<'_, Box<dyn Host>> {
        // What a panic left behind is the host's to know.
        let host = self.0.host.lock();
        host.unwrap_or_else(PoisonError::into_inner)
    }

    fn owe(&self, owed: bool) {
        self.0.is_owed.store(owed, Ordering::Relaxed);
    }

    /// Whether output waits that the client was not sent.
    pub(crate) fn is_owed(&self) -> bool {
        self.0.is_owed.load(Ordering::Relaxed)
    }

    /// Whether the client of a guest that computes seems to have left. While the guest is in a call of the host, that call finds out.
    pub(crate) fn has_left(&self) -> bool {
        let host = self.0.host.try_lock();
        host.is_ok_and(|mut host| !host.is_connected())
    }
}

/// Input and output of one run, and the budget that it is held to meanwhile.
pub(crate) struct RunIo {
    client: Client,
    /// As [`Host::is_direct`].
    is_direct: bool,
    queue: Arc<Queue>,
    pub(crate) budget: Budget,
    output: Vec<u8>,
    /// Since when output has been waiting, here or in the server, for the client to see it.
    waiting_since: Option<Instant>,
    /// When a write passes on what there is, if only writes do.
    next_flush: Option<Instant>,
    input_ended: bool,
    next_connection_check: Instant,
    stopped: Option<Stop>,
    /// What it waited for when it was stopped.
    stopped_while: Option<Waiting>,
}

impl RunIo {
    pub(crate) fn new(host: Box<dyn Host>, queue: Arc<Queue>, budget: Budget) -> Self {
        RunIo {
            is_direct: host.is_direct(),
            client: Client::new(host),
            queue,
            budget,
            output: Vec::new(),
            waiting_since: None,
            next_flush: None,
            input_ended: false,
            next_connection_check: Instant::now() + CONNECTION_CHECK,
            stopped: None,
            stopped_while: None,
        }
    }

    /// Why the run was ended by the host, if it was.
    pub(crate) fn stopped(&self) -> Option<Stop> {
        self.stopped
    }

    /// Its host, for the ticker.
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    /// Nobody looks at waiting output while the guest computes: its writes pass it on once the run takes longer.
    pub(crate) fn flush_at_writes(&mut self) {
        self.next_flush = Some(Instant::now() + OUTPUT_PATIENCE);
    }

    /// The ticker ended the run while it computed.
    pub(crate) fn was_cut(&mut self, stop: Stop) {
        self.stop(stop);
    }

    /// Output that was not passed on yet.
    pub(crate) fn take_tail(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// What the run waited for when it was stopped, if it waited.
    pub(crate) fn stopped_while(&self) -> Option<Waiting> {
        self.stopped_while
    }

    /// As [`Host::is_direct`].
    pub(crate) fn is_direct(&self) -> bool {
        self.is_direct
    }

    /// As [`Host::is_terminal`].
    pub(crate) fn is_terminal(&self, stream: u32) -> bool {
        self.client.host().is_terminal(stream)
    }

    /// Ends the run when a time is over, the server stops or the client has left. Called again and again while the
    /// guest computes or sleeps.
    pub(crate) fn check(&mut self) -> Result<(), Stop> {
        if self.queue.is_stopped() {
            return Err(self.stop(Stop::ServerStopping));
        }
        if let Err(limit) = self.budget.check_times() {
            return Err(self.stop(Stop::Limit(limit)));
        }
        let now = Instant::now();
        if now >= self.next_connection_check {
            self.next_connection_check = now + CONNECTION_CHECK;
            self.check_client()?;
        }
        Ok(())
    }

    /// A client that seems to have left may only have closed its own half: it is sent what there is, and how its system
    /// takes that is seen at the next check.
    fn check_client(&mut self) -> Result<(), Stop> {
        if self.client.host().is_connected() {
            return Ok(());
        }
        if self.waiting_since.is_none() {
            return Err(self.stop(Stop::ClientGone));
        }
        self.flush()
    }

    /// Passes output on that has been waiting while the guest computes.
    pub(crate) fn flush_stale(&mut self) -> Result<(), Stop> {
        match self.waiting_since {
            Some(since) if since.elapsed() >= OUTPUT_PATIENCE => self.flush(),
            _ => Ok(()),
        }
    }

    /// Lets the client see all output so far: the guest is about to block.
    pub(crate) fn flush(&mut self) -> Result<(), Stop> {
        if self.waiting_since.take().is_none() {
            return Ok(());
        }
        self.client.owe(false);
        self.pass_on(true)
    }

    fn pass_on(&mut self, flush: bool) -> Result<(), Stop> {
        let mut output = std::mem::take(&mut self.output);
        let written = self.hand_over(&output, flush);
        output.clear();
        self.output = output;
        written
    }

    fn hand_over(&mut self, data: &[u8], flush: bool) -> Result<(), Stop> {
        let patience = self.budget.time_left();
        let written = self.client.host().write(data, flush, patience);
        written.map_err(|stop| self.stop_while(Waiting::ForTheClient, stop))
    }

    /// Collects output; what is too long for that is passed on as it is.
    pub(crate) fn write(&mut self, data: &[u8]) -> Result<(), Stop> {
        if data.is_empty() {
            return Ok(());
        }
        if let Err(limit) = self.budget.take_output(data.len()) {
            return Err(self.stop(Stop::Limit(limit)));
        }
        if self.is_direct() {
            self.check()?;
            return self.hand_over(data, true);
        }
        if self.output.len() + data.len() > OUTPUT_BUFFER && !self.output.is_empty() {
            self.pass_on(false)?;
        }
        let chunks = data.chunks_exact(OUTPUT_BUFFER);
        let rest = chunks.remainder();
        for chunk in chunks {
            self.check()?;
            self.hand_over(chunk, false)?;
        }
        self.output.extend_from_slice(rest);
        self.note_waiting()
    }

    fn note_waiting(&mut self) -> Result<(), Stop> {
        let now = Instant::now();
        if self.waiting_since.is_none() {
            self.waiting_since = Some(now);
            self.client.owe(true);
        }
        if self.next_flush.is_none_or(|next| now < next) {
            return Ok(());
        }
        self.next_flush = Some(now + FLUSH_PAUSE);
        self.flush()
    }

    /// Passes bytes of standard error on. To a log, as far as they are within the limit, and slowly when there are many.
    pub(crate) fn write_error(&mut self, data: &[u8]) -> Result<(), Stop> {
        for chunk in data.chunks(ERROR_CHUNK) {
            let mut fits = chunk.len();
            if self.is_direct() {
                self.check()?;
            } else {
                fits = self.budget.take_error_output(chunk);
                // It looks at the deadline too: counting all of a memory takes a while.
                self.sleep_until(self.budget.error_output_due())?;
            }
            if fits > 0 {
                let patience = self.budget.time_left();
                let written = self.client.host().write_error(&chunk[..fits], patience);
                written.map_err(|stop| self.stop_while(Waiting::ForTheClient, stop))?;
            }
        }
        Ok(())
    }

    /// Reads some of the request's body; 0 at its end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Stop> {
        if self.input_ended || buffer.is_empty() {
            return Ok(0);
        }
        let count = self.read_host(buffer)?;
        self.input_ended = count == 0;
        Ok(count)
    }

    fn read_host(&mut self, buffer: &mut [u8]) -> Result<usize, Stop> {
        if self.waiting_since.is_some() {
            // The client may be waiting for this output before it sends more.
            let read = self.client.host().read(buffer, Duration::ZERO);
            match read {
                Err(DEADLINE) => self.flush()?,
                read => return read.map_err(|stop| self.stop_while(Waiting::ForTheBody, stop)),
            }
        }
        let patience = self.budget.time_left();
        let read = self.client.host().read(buffer, patience);
        read.map_err(|stop| self.stop_while(Waiting::ForTheBody, stop))
    }

    /// Sleeps until `end`, or until something ends the run.
    pub(crate) fn sleep_until(&mut self, end: Instant) -> Result<(), Stop> {
        loop {
            self.check()
                .map_err(|stop| self.stop_while(Waiting::Sleeping, stop))?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(CONNECTION_CHECK).min(self.budget.time_left()));
        }
    }

    fn stop_while(&mut self, waiting: Waiting, stop: Stop) -> Stop {
        self.stopped_while.get_or_insert(waiting);
        self.stop(stop)
    }

    fn stop(&mut self, stop: Stop) -> Stop {
        if let Stop::Limit(limit) = stop {
            // It may have been somebody else who looked at the time.
            self.budget.out_of(limit);
        }
        *self.stopped.get_or_insert(stop)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::run::Limits;
    use std::sync::Mutex;

    /// A host that keeps what it is given.
    #[derive(Default)]
    pub(crate) struct Recorded {
        pub(crate) input: Vec<u8>,
        pub(crate) writes: Vec<(Vec<u8>, bool)>,
        pub(crate) errors: Vec<u8>,
        /// A read that may not block finds nothing.
        pub(crate) input_is_late: bool,
        pub(crate) gone: bool,
        /// The client seems gone, and yet it can be written to.
        pub(crate) half_closed: bool,
        /// The streams are those of a command.
        pub(crate) direct: bool,
    }

    #[derive(Clone, Default)]
    pub(crate) struct Recorder(pub(crate) Arc<Mutex<Recorded>>);

    impl Host for Recorder {
        fn read(&mut self, buffer: &mut [u8], patience: Duration) -> Result<usize, Stop> {
            let mut recorded = self.0.lock().unwrap();
            if recorded.input_is_late && patience.is_zero() {
                return Err(DEADLINE);
            }
            let count = buffer.len().min(recorded.input.len());
            buffer[..count].copy_from_slice(&recorded.input[..count]);
            recorded.input.drain(..count);
            Ok(count)
        }

        fn write(&mut self, data: &[u8], flush: bool, _patience: Duration) -> Result<(), Stop> {
            let mut recorded = self.0.lock().unwrap();
            if recorded.gone {
                return Err(Stop::ClientGone);
            }
            recorded.writes.push((data.to_vec(), flush));
            Ok(())
        }

        fn write_error(&mut self, data: &[u8], _patience: Duration) -> Result<(), Stop> {
            self.0.lock().unwrap().errors.extend_from_slice(data);
            Ok(())
        }

        fn is_connected(&mut self) -> bool {
            let recorded = self.0.lock().unwrap();
            !recorded.gone && !recorded.half_closed
        }

        fn is_direct(&self) -> bool {
            self.0.lock().unwrap().direct
        }
    }

    /// Input and output of a run whose time is limited only.
    pub(crate) fn io(recorder: &Recorder, time: Duration) -> RunIo {
        let budget = Budget::new(Limits {
            time,
            ..Limits::UNLIMITED
        });
        RunIo::new(Box::new(recorder.clone()), Queue::new(1), budget)
    }

    fn read(io: &mut RunIo) -> Vec<u8> {
        let mut buffer = [0];
        let count = io.read(&mut buffer).unwrap();
        buffer[..count].to_vec()
    }

    #[test]
    fn small_writes_are_collected() {
        let recorder = Recorder::default();
        let mut io = io(&recorder, Duration::MAX);
        io.write(b"a").unwrap();
        io.write(b"b").unwrap();
        assert!(recorder.0.lock().unwrap().writes.is_empty());
        io.flush().unwrap();
        assert_eq!(recorder.0.lock().unwrap().writes, [(b"ab".to_vec(), true)]);
    }

    #[test]
    fn a_full_buffer_is_passed_on_without_a_flush_and_the_rest_is_the_tail() {
        let recorder = Recorder::default();
        let mut io = io(&recorder, Duration::MAX);
        io.write(&[b'x'; OUTPUT_BUFFER]).unwrap();
        io.write(b"tail").unwrap();
        let writes = &recorder.0.lock().unwrap().writes;
        assert_eq!(writes.len(), 1);
        assert_eq!((writes[0].0.len(), writes[0].1), (OUTPUT_BUFFER, false));
        assert_eq!(io.take_tail(), b"tail");
    }

    #[test]
    fn output_is_flushed_before_a_read_that_blocks_and_only_then() {
        let recorder = Recorder::default();
        recorder.0.lock().unwrap().input = b"12".to_vec();
        let mut io = io(&recorder, Duration::MAX);
        io.write(b"ready").unwrap();
        assert_eq!(read(&mut io), b"1");
        assert!(recorder.0.lock().unwrap().writes.is_empty());
        recorder.0.lock().unwrap().input_is_late = true;
        assert_eq!(read(&mut io), b"2");
        assert_eq!(
            recorder.0.lock().unwrap().writes,
            [(b"ready".to_vec(), true)]
        );
        assert_eq!(io.stopped(), None);
    }

    #[test]
    fn output_of_a_command_is_collected_by_nobody_and_its_standard_error_is_not_counted() {
        let recorder = Recorder::default();
        recorder.0.lock().unwrap().direct = true;
        let mut io = io(&recorder, Duration::MAX);
        io.write(b"a").unwrap();
        io.write(b"b").unwrap();
        io.write_error(&[b'\n'; 1 << 20]).unwrap();
        let recorded = recorder.0.lock().unwrap();
        let writes = [(b"a".to_vec(), true), (b"b".to_vec(), true)];
        assert_eq!(recorded.writes, writes);
        assert_eq!(recorded.errors.len(), 1 << 20);
        drop(recorded);
        assert!(io.take_tail().is_empty() && io.budget.into_exceeded().is_empty());
    }

    #[test]
    fn the_end_of_input_is_remembered() {
        let recorder = Recorder::default();
        let mut io = io(&recorder, Duration::MAX);
        assert!(read(&mut io).is_empty());
        recorder.0.lock().unwrap().input = b"late".to_vec();
        assert!(read(&mut io).is_empty());
    }

    #[test]
    fn the_first_reason_to_stop_is_kept() {
        let recorder = Recorder::default();
        recorder.0.lock().unwrap().gone = true;
        let mut io = io(&recorder, Duration::ZERO);
        assert_eq!(io.check(), Err(DEADLINE));
        io.write(b"x").unwrap();
        assert_eq!(io.flush(), Err(DEADLINE));
        assert_eq!(io.stopped(), Some(DEADLINE));
    }

    #[test]
    fn a_client_that_seems_gone_is_sent_what_there_is_first() {
        let recorder = Recorder::default();
        let mut io = io(&recorder, Duration::MAX);
        io.write(b"answer").unwrap();
        recorder.0.lock().unwrap().half_closed = true;
        io.next_connection_check = Instant::now();
        assert_eq!(io.check(), Ok(()));
        assert_eq!(
            recorder.0.lock().unwrap().writes,
            [(b"answer".to_vec(), true)]
        );
        io.next_connection_check = Instant::now();
        assert_eq!(io.check(), Err(Stop::ClientGone));
    }

    #[test]
    fn much_standard_error_at_once_does_not_outlast_the_deadline() {
        let recorder = Recorder::default();
        let mut io = io(&recorder, Duration::ZERO);
        let before = io.budget.error_output_due();
        let data = vec![b'x'; 16 << 20];
        assert_eq!(io.write_error(&data), Err(DEADLINE));
        let counted = io.budget.error_output_due();
        assert_eq!(counted, before, "no more than a piece was counted");
    }

    #[test]
    fn a_stopping_server_ends_the_run() {
        let recorder = Recorder::default();
        let mut io = io(&recorder, Duration::MAX);
        io.queue.stop();
        assert_eq!(io.check(), Err(Stop::ServerStopping));
    }
}
