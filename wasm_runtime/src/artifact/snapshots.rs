//! Taking snapshots: those that are missing, as many at a time as there are cores, within what all of them may take.

use super::helper::{self, Process};
use super::side_by_side::{Job, SideBySide};
use super::snapshot::{Snapshot, SnapshotFacts};
use super::store::{ArtifactStore, Begun, Stage, open_cache};
use super::{Order, Prepared};
use crate::error::{Error, Result};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long all initialisers of one start may take together.
const MAX_TIME: Duration = Duration::from_secs(600);

/// Bytes of all snapshots of a configuration: they are memory of the parent until they are compiled.
const MAX_SIZE: u64 = 4 << 30;

/// An initialiser that failed, and is not to be tried again by the same start.
#[derive(Debug)]
pub(super) struct Failure {
    order: Order,
    reason: String,
    /// In an earlier pass over the configuration.
    told: bool,
}

impl ArtifactStore {
    /// A snapshot that the initialiser would lead to again.
    pub(super) fn find_snapshot(&self, prepared: &Prepared) -> Result<()> {
        let (Some(preinit), None) = (&prepared.preinit, prepared.snapshot.get()) else {
            return Ok(());
        };
        let is_wanted = |facts: &SnapshotFacts| preinit.is_met_by(facts, &prepared.sha256);
        let found = match self.kept_snapshot(is_wanted) {
            None => self.cached_snapshot(prepared, is_wanted)?,
            kept => kept,
        };
        if let Some(found) = found {
            let _ = prepared.snapshot.set(found);
        }
        Ok(())
    }

    fn kept_snapshot(&self, is_wanted: impl Fn(&SnapshotFacts) -> bool) -> Option<Arc<Snapshot>> {
        let contents = self.lock();
        let mut kept = contents.snapshots.iter();
        let found = kept.find(|kept| {
            let can_be_used = kept.is_there() || contents.has_code(&kept.facts.sha256);
            can_be_used && is_wanted(&kept.facts)
        });
        found.cloned()
    }

    fn cached_snapshot(
        &self,
        prepared: &Prepared,
        is_wanted: impl Fn(&SnapshotFacts) -> bool,
    ) -> Result<Option<Arc<Snapshot>>> {
        let (Some(cache), _) = open_cache(prepared)? else {
            return Ok(None);
        };
        let found = cache.snapshot(&prepared.sha256, is_wanted).map(Arc::new);
        self.lock().snapshots.extend(found.clone());
        Ok(found)
    }

    /// Takes the snapshots that are wanted and not there yet.
    pub(super) fn take_snapshots(
        &self,
        modules: &[&Prepared],
        cores: usize,
        begun: &mut dyn FnMut(&Begun<'_>),
    ) -> Result<()> {
        let end = Instant::now() + MAX_TIME;
        loop {
            for (index, module) in modules.iter().enumerate() {
                self.find_snapshot(module)?;
                self.remember_failure(Job { index, module })?;
            }
            let jobs = self.jobs(modules);
            if jobs.is_empty() {
                return Ok(());
            }
            self.take_side_by_side(jobs, end, cores, begun)?;
        }
    }

    /// The snapshots that can be taken at a time. Those of modules that are given the same wait for the first one of them, which may
    /// be good for the others; if it is not, it is because of what they mount.
    fn jobs<'a>(&self, modules: &[&'a Prepared]) -> Vec<Job<'a>> {
        let contents = self.lock();
        let mut known = Vec::new();
        let mut jobs = Vec::new();
        for (index, module) in modules.iter().enumerate() {
            let Some(mut order) = module.order().filter(|_| module.lacks_snapshot()) else {
                continue;
            };
            let mut taken = contents.snapshots.iter();
            if !taken.any(|taken| taken.facts.given == order.given) {
                order.hosts.clear();
            }
            let same = (order.given, order.hosts);
            if !known.contains(&same) {
                known.push(same);
                jobs.push(Job { index, module });
            }
        }
        jobs
    }

    fn take_side_by_side(
        &self,
        jobs: Vec<Job<'_>>,
        end: Instant,
        cores: usize,
        begun: &mut dyn FnMut(&Begun<'_>),
    ) -> Result<()> {
        let (mut done, total) = (0, jobs.len());
        let time_left = || end.saturating_duration_since(Instant::now());
        let mut running = SideBySide::new(jobs, cores, |module, threads| {
            helper::initialize(module, threads, time_left())
        });
        loop {
            if time_left().is_zero() {
                for job in running.start_no_more() {
                    self.do_without(job, &too_long())?;
                }
            }
            while let Some(Job { module, .. }) = running.start_next()? {
                begun(&Begun {
                    module,
                    stage: Stage::Snapshot,
                    done,
                    total,
                });
            }
            let Some((job, process)) = running.wait() else {
                return Ok(());
            };
            if let Err(error) = self.take_snapshot(job.module, process) {
                self.do_without(job, &error)?;
            }
            done += 1;
        }
    }

    fn take_snapshot(&self, module: &Prepared, process: Process) -> Result<()> {
        let snapshot = process.snapshot()?;
        self.check_size(snapshot.size)?;
        if let (Some(cache), _) = open_cache(module)?
            // Not having it there costs time only.
            && cache.save_snapshot(&snapshot).is_ok()
        {
            self.lock().grown.extend(module.cache_directory.clone());
        }
        let snapshot = Arc::new(snapshot);
        self.lock().snapshots.push(Arc::clone(&snapshot));
        let _ = module.snapshot.set(snapshot);
        Ok(())
    }

    fn check_size(&self, size: u64) -> Result<()> {
        let contents = self.lock();
        let used = contents.snapshots.iter();
        let used = used.filter(|snapshot| Arc::strong_count(snapshot) > 1);
        let others: u64 = used.map(|snapshot| snapshot.size).sum();
        if others.saturating_add(size) <= MAX_SIZE {
            return Ok(());
        }
        Err(Error::Compile(format!(
            "{size} bytes more would make all snapshots of this server larger than {MAX_SIZE} bytes"
        )))
    }

    fn do_without(&self, job: Job<'_>, error: &Error) -> Result<()> {
        if let Some(order) = job.module.order() {
            self.lock().failures.push(Failure {
                order,
                reason: error.to_string(),
                told: false,
            });
        }
        self.remember_failure(job)
    }

    fn remember_failure(&self, job: Job<'_>) -> Result<()> {
        let Some(order) = job.module.order().filter(|_| job.module.lacks_snapshot()) else {
            return Ok(());
        };
        let contents = self.lock();
        let Some(failure) = contents.failures.iter().find(|known| known.order == order) else {
            return Ok(());
        };
        if job.module.requires_snapshot() {
            return Err(Error::Preinit(failure.reason.clone()).at(job.index));
        }
        let untold = Some(&failure.reason).filter(|_| !failure.told);
        let _ = job.module.without.set(untold.cloned().unwrap_or_default());
        Ok(())
    }

    /// A later start tries again what failed; the next pass of the same start does not.
    pub(super) fn forget_failures(&self, another_pass_follows: bool) {
        let failures = &mut self.lock().failures;
        if !another_pass_follows {
            failures.clear();
        }
        for failure in failures {
            failure.told = true;
        }
    }
}

fn too_long() -> Error {
    let seconds = MAX_TIME.as_secs();
    Error::Compile(format!(
        "the snapshots of one start may take {seconds} s together, and the others took that long"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::snapshot::{append_facts, tests as snapshot};
    use super::super::{Facts, Preinit};
    use super::*;
    use crate::run::Mount;
    use std::sync::OnceLock;

    /// A module with an initialiser, and a helper that fails.
    fn module(required: bool) -> Prepared {
        Prepared {
            module: "/m.wasm".into(),
            size: 0,
            sha256: String::new(),
            facts: Facts {
                entry_points: vec!["wizer-initialize".to_owned()],
                ..Facts::default()
            },
            helper: "/bin/false".into(),
            cache_directory: None,
            was_refused: false,
            preinit: Some(Preinit {
                required,
                mounts: Vec::new(),
                scratch: None,
                table: Arc::default(),
                env: Vec::new(),
                time: Duration::from_secs(60),
                memory: 1 << 20,
                descriptors: 100,
                user: None,
            }),
            snapshot: OnceLock::new(),
            without: OnceLock::new(),
            warnings: Vec::new(),
            made: OnceLock::new(),
        }
    }

    #[test]
    fn when_the_time_of_all_is_over_none_is_begun() {
        let (optional, required) = (module(false), module(true));
        let begun_none = |module| {
            let job = Job { index: 7, module };
            let mut begun = |begun: &Begun<'_>| panic!("{begun:?}");
            let store = ArtifactStore::default();
            store.take_side_by_side(vec![job], Instant::now(), 1, &mut begun)
        };
        begun_none(&optional).unwrap();
        let told = optional.snapshot_problem();
        assert!(told.contains("600 s together"), "{told}");
        let error = begun_none(&required).unwrap_err();
        let Error::OneOfMany { index: 7, error } = error else {
            panic!("{error}");
        };
        assert!(matches!(*error, Error::Preinit(_)), "{error}");
    }

    #[test]
    fn those_that_are_given_the_same_wait_until_one_of_them_cannot_be_shared() {
        let at = |host: &str| {
            let mut module = module(false);
            let mount = Mount {
                guest: "/app".to_owned(),
                host: host.into(),
                read_only: true,
            };
            module.preinit.as_mut().unwrap().mounts = vec![mount];
            module
        };
        let [one, other, same] = ["/one", "/other", "/one"].map(at);
        let store = ArtifactStore::default();
        let begun = || {
            let jobs = store.jobs(&[&one, &other, &same]);
            jobs.iter().map(|job| job.index).collect::<Vec<_>>()
        };
        assert_eq!(begun(), [0]);
        let mut facts = snapshot::facts("");
        facts.given = one.order().unwrap().given;
        let content = append_facts(b"wasm".to_vec(), facts).unwrap();
        let taken = Snapshot::from_helper(&mut snapshot::file(&content)).unwrap();
        store.lock().snapshots = vec![Arc::new(taken)];
        assert_eq!(begun(), [0, 1]);
    }

    #[test]
    fn all_snapshots_in_use_are_of_bounded_size() {
        let of_size = |size| {
            let content = append_facts(b"wasm".to_vec(), snapshot::facts("m")).unwrap();
            let mut taken = Snapshot::from_helper(&mut snapshot::file(&content)).unwrap();
            taken.size = size;
            Arc::new(taken)
        };
        let store = ArtifactStore::default();
        let used = of_size(MAX_SIZE - 100);
        let of_earlier_start = of_size(MAX_SIZE);
        store.lock().snapshots = vec![Arc::clone(&used), of_earlier_start];
        store.check_size(100).unwrap();
        let error = store.check_size(101).unwrap_err().to_string();
        assert!(error.contains("larger than 4294967296 bytes"), "{error}");
        drop(used);
        store.check_size(101).unwrap();
    }
}
